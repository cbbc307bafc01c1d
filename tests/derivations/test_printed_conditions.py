"""Statements about one minimum or two against a second transcription, as functions of numbers that no minimum need have.

A statement that is a little weaker than the sentence it stands for is as true as that, so that no verdict tells them apart.
"""

import random
from dataclasses import dataclass
from fractions import Fraction as Q
from functools import cache

import pytest
import sympy

from derivations.collapse_conditions import CLAIMS as CONDITIONS
from derivations.evaluation import exact_value
from derivations.implications import CLAIMS as IMPLICATIONS
from derivations.learned_variance_consequences import CLAIMS as CONSEQUENCES
from derivations.notation import beta, d0, d1, dstar, eta_dec, eta_enc, i, sigma, sigma_sorted, zeta
from derivations.situations import OTHER, deviation, diverges, lam, least, product, rank, rank_of_Z, theta

LEDGER = {claim.id: claim for claim in (*CONDITIONS, *IMPLICATIONS, *CONSEQUENCES)}
DRAWS = 1_000
MODE = 2
ROOTS, LENGTHS = (Q(1, 2), Q(1), Q(2)), (Q(0), Q(1, 2), Q(1), Q(2))


@dataclass
class Side:
    """What is known of one problem: its scales, the index i, and what belongs to its mode and to the first one."""

    root_beta: Q
    dec: Q
    enc: Q
    sigma: Q
    own_sigma: Q
    deviation: Q
    zeta: Q
    first_zeta: Q
    lam: Q
    first_lam: Q
    theta: Q
    product: Q
    least: Q
    rank: int
    rank_of_Z: int
    d0: int
    d1: int
    dstar: int
    diverges: bool
    i: int = MODE

    @property
    def level(self) -> Q:
        """sqrt(beta) eta_dec."""
        return self.root_beta * self.dec

    @property
    def water(self) -> Q:
        """beta eta_dec^2."""
        return self.level**2

    @property
    def beta(self) -> Q:
        return self.root_beta**2


SHARED = ("zeta", "first_zeta", "rank_of_Z", "d0", "dstar")
"""The same here and there."""


def drawn(generator: random.Random, like: Side | None = None) -> Side:
    scales, lengths = generator.choices(ROOTS, k=6), generator.choices(LENGTHS, k=4)
    side = Side(
        *scales,
        *lengths,
        theta=generator.choice(LENGTHS),
        product=generator.choice((*LENGTHS, Q(3, 2))),
        least=generator.choice(ROOTS),
        **{name: generator.randint(0, 3) for name in ("rank", "rank_of_Z")},
        **{name: generator.randint(1, 3) for name in ("d0", "d1", "dstar")},
        diverges=generator.random() < 1 / 2,
    )
    for name in SHARED if like is not None else ():
        setattr(side, name, getattr(like, name))
    return side


def known(side: Side) -> dict[sympy.Basic, object]:
    """A side's symbols; of a sequence the first entry and the one of the mode, MODE being 2."""
    return {
        beta: exact(side.beta), eta_dec: exact(side.dec), eta_enc: exact(side.enc), least: exact(side.least),
        rank: exact(side.rank), rank_of_Z: exact(side.rank_of_Z), d0: exact(side.d0), d1: exact(side.d1),
        dstar: exact(side.dstar), diverges: sympy.true if side.diverges else sympy.false, i: exact(side.i),
        lam: ((exact(side.first_lam), exact(side.lam)), sympy.nan), zeta: ((exact(side.first_zeta), exact(side.zeta)), sympy.nan),
        **{base: ((sympy.nan, exact(value)), sympy.nan) for base, value in (
            (theta, side.theta), (product, side.product), (sigma_sorted, side.sigma), (deviation, side.deviation),
            (sigma, side.own_sigma),
        )},
    }  # fmt: skip


@cache
def exact(number: Q | int) -> sympy.Rational:
    return sympy.Rational(number.numerator, number.denominator)


def stated(formula: sympy.Basic, here: Side, there: Side) -> bool:
    values = known(here) | {OTHER[key]: value for key, value in known(there).items() if key in OTHER}
    found = exact_value(formula, values)
    assert found in (sympy.true, sympy.false), found
    return bool(found)


def implies(premise: bool, conclusion: bool) -> bool:
    return not premise or conclusion


def decoder_trend(h: Side, t: Side) -> bool:
    """U's singular value rises up to sqrt(beta) eta_dec = zeta/2, falls from there on while it is not 0, and stays 0."""
    if not h.level < t.level:
        return True
    if h.level >= h.zeta:
        return h.lam == t.lam
    if 2 * t.level <= h.zeta:
        return h.lam < t.lam
    return h.lam > t.lam if h.zeta <= 2 * h.level < 2 * h.zeta else True


def active_decoder_trend(h: Side, t: Side) -> bool:
    """The same up to sqrt(beta) eta_dec = zeta, there too."""
    if not h.level < t.level <= h.zeta:
        return True
    rises = h.lam < t.lam if 2 * t.level <= h.zeta else True
    return rises and (h.lam > t.lam if 2 * h.level >= h.zeta else True)


def collapsed_together(h: Side, t: Side) -> bool:
    return (h.product == 0) == (t.product == 0)


def same_minimum(h: Side, t: Side) -> bool:
    return (h.lam, h.theta) == (t.lam, t.theta)


def ended(h: Side, t: Side) -> bool:
    return implies(h.level < h.zeta <= t.level, h.product > 0 == t.product)


def garrote(zeta: Q, water: Q) -> Q:
    return zeta - water / zeta if zeta**2 > water else Q(0)


def pruned(h: Side, t: Side) -> int:
    return h.dstar - t.rank


def cut(h: Side, t: Side) -> bool:
    """No mode beyond d1, and this one as it is with another d1."""
    return h.rank <= h.d1 and h.product == t.product


PRINTED = {
    # sections 4.1 and 4.2
    "s4.1.sign": lambda h, t: (h.rank >= h.i) == (h.zeta * h.enc > h.level * h.own_sigma),
    "thm-1.low-rank": lambda h, t: (h.rank >= h.i) == (h.zeta - h.level > 0),
    "thm-1.rank-deficient": lambda h, t: implies(h.zeta < h.level, h.rank < h.dstar),
    "thm-1.partial-collapse": lambda h, t: implies(h.zeta**2 - h.level <= 0, h.lam == 0),
    "thm-1.small-beta": lambda h, t: t.first_lam > 0,
    "thm-1.small-beta-partial": lambda h, t: t.lam > 0,
    "thm-1.beta-eta": lambda h, t: implies(h.water == t.water, same_minimum(h, t)),
    "thm-1.beta-eta-loss": lambda h, t: implies(h.water == t.water, h.least == t.least),
    "thm-1.prior-independence": lambda h, t: implies(h.water == t.water, collapsed_together(h, t)),
    "thm-1.norm-trend": lambda h, t: implies(h.level < t.level, h.lam <= t.lam),
    "thm-1.norm-trend-active": lambda h, t: implies(h.level < t.level < h.zeta, h.lam <= t.lam),
    "thm-1.norm-trend-encoder": lambda h, t: implies(h.level < t.level, h.theta > t.theta),
    "thm-1.norm-trend-encoder-active": lambda h, t: implies(h.level < t.level < h.zeta, h.theta > t.theta),
    "thm-1.prior-distribution": lambda h, t: (h.lam == 0) == (h.theta == 0 and h.deviation == h.enc),
    "thm-1.divergence": lambda h, t: h.diverges,
    # sections 4 and 4.3
    "s4.strong-kl": lambda h, t: t.deviation == h.enc,
    "prop-3.prior-value": lambda h, t: (h.deviation == h.enc) == (h.water >= h.zeta**2),
    "thm-2.same-conditions": collapsed_together,
    "thm-2.same-conditions-printed": lambda h, t: implies(h.zeta**2 - h.level <= 0, h.product == 0),
    "thm-2.bounded-norm": lambda h, t: h.lam <= h.zeta / h.enc and h.theta <= h.enc,
    "thm-2.norm-scaling": same_minimum,
    "thm-2.pruning-level": lambda h, t: implies(h.zeta**2 < h.water, h.product == 0),
    "thm-2.pruning-level-learned": lambda h, t: implies(h.product > 0, h.product**2 >= h.water),
    "thm-2.pruned-count": lambda h, t: implies(h.rank_of_Z == h.dstar and h.d1 < h.d0, pruned(h, t) == h.d1 - h.d0),
    "thm-2.shrinkage": lambda h, t: (
        h.product == t.product and (h.product == 0 if h.zeta < h.water else h.product < h.zeta)
    ),
    "thm-2.soft-thresholding": lambda h, t: h.product == max(Q(0), h.zeta - h.level),
    "fig-3.variation": lambda h, t: implies(
        h.level < t.level,
        h.enc * h.lam >= t.enc * t.lam and implies(h.lam > 0, h.enc * h.lam > t.enc * t.lam),
    ),
    # sections 4.4 and 4.5
    "s4.4.no-causal-relation-value": lambda h, t: implies(h.beta == t.beta, collapsed_together(h, t)),
    "s4.5.values-crucial": ended,
    "s4.5.latent-variance": lambda h, t: (h.first_lam == 0) == (t.first_lam == 0),
    "s4.5.prior-variance": lambda h, t: implies(h.water == t.water, collapsed_together(h, t)),
    "s4.5.prior-variance-fixed": lambda h, t: implies(h.water == t.water, collapsed_together(h, t)),
    "s4.5.small-beta": lambda h, t: t.first_lam > 0,
    "s4.5.sigma-irrelevant": collapsed_together,
    "s4.5.sparse-learning": lambda h, t: cut(h, t) and h.product == max(Q(0), h.zeta - h.level),
    "s4.5.sparse-learning-learned": lambda h, t: cut(h, t) and h.product == max(Q(0), h.zeta - h.level),
    "s4.5.stability": lambda h, t: implies(h.diverges, not t.diverges),
    "s4.5.beta-versus-eta": lambda h, t: implies(h.beta / t.beta == (h.dec / t.dec) ** 2, same_minimum(h, t)),
}
CORRECTED = {
    "s4.1.sign": lambda h, t: (h.rank >= h.i) == (h.zeta * h.enc > h.level * h.sigma),
    "thm-1.rank-deficient": lambda h, t: (
        implies(h.d1 < h.dstar, h.rank < h.dstar) and implies(h.i == h.dstar, (h.rank < h.dstar) == (h.zeta <= h.level))
    ),
    "thm-1.partial-collapse": lambda h, t: (h.zeta - h.level <= 0) == (h.lam == 0),
    "thm-1.small-beta": lambda h, t: (h.first_zeta > 0) == (t.first_lam > 0),
    "thm-1.small-beta-partial": lambda h, t: (h.zeta > 0) == (t.lam > 0),
    "thm-1.beta-eta-loss": lambda h, t: implies(h.water == t.water, h.dec**2 * h.least == t.dec**2 * t.least),
    "thm-1.norm-trend": decoder_trend,
    "thm-1.norm-trend-active": active_decoder_trend,
    "thm-1.norm-trend-encoder": lambda h, t: implies(
        h.level < t.level, h.theta > t.theta if h.level < h.zeta else h.theta == t.theta == 0
    ),
    "thm-1.divergence": lambda h, t: (h.first_zeta > 0) == h.diverges,
    "thm-2.same-conditions-printed": lambda h, t: (h.zeta - h.level <= 0) == (h.product == 0),
    "thm-2.norm-scaling": lambda h, t: implies(
        h.level < t.level and h.level < h.zeta, h.lam > t.lam and h.theta > t.theta
    ),
    "thm-2.pruning-level-learned": lambda h, t: (h.product > 0) == (h.zeta**2 > h.water),
    "thm-2.pruned-count": lambda h, t: implies(h.rank_of_Z == h.dstar, pruned(h, t) == max(0, h.dstar - h.d1)),
    "thm-2.shrinkage": lambda h, t: (
        (h.zeta <= h.level) == (h.product == 0)
        and implies(h.product > 0, h.product < h.zeta)
        and h.product == t.product
    ),
    "thm-2.soft-thresholding": lambda h, t: h.product == garrote(h.zeta, h.water),
    "s4.4.no-causal-relation-value": ended,
    "s4.5.prior-variance-fixed": lambda h, t: (h.product == 0) == (h.zeta * h.enc <= h.level * h.sigma),
    "s4.5.small-beta": lambda h, t: (h.first_zeta > 0) == (t.first_lam > 0),
    "s4.5.sparse-learning-learned": lambda h, t: cut(h, t) and h.product == garrote(h.zeta, h.water),
    "s4.5.sigma-irrelevant": lambda h, t: implies(h.sigma == t.sigma, collapsed_together(h, t)),
    "s4.5.beta-versus-eta": lambda h, t: implies(h.beta / t.beta == (t.dec / h.dec) ** 2, same_minimum(h, t)),
}


@pytest.mark.parametrize(
    ("name", "which"),
    [(name, which) for which, names in (("printed", PRINTED), ("corrected", CORRECTED)) for name in names],
)
def test_the_statement_says_what_its_sentence_says(name: str, which: str) -> None:
    expected = (PRINTED if which == "printed" else CORRECTED)[name]
    formula, generator, seen = getattr(LEDGER[name], which).formula, random.Random(4), set()
    for _ in range(DRAWS):
        here = drawn(generator)
        there = drawn(generator, here)
        truth = expected(here, there)
        assert stated(formula, here, there) is truth, (here, there)
        seen.add(truth)
    assert seen == {True, False}


def test_every_statement_is_typed_again() -> None:
    assert PRINTED.keys() == LEDGER.keys()
    assert CORRECTED.keys() == {name for name, claim in LEDGER.items() if claim.corrected is not None}
