"""Every assumption is needed: without it the standing statement fails at an exact point, and the failure is a failure.

The witnesses of a few are evaluated once more with plain fractions.
"""

import math
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from sympy import Eq, Le, Or

from derivations.claim import Assumption, Severity, Verdict
from derivations.ledger import CLAIMS, claims_by_id
from derivations.notation import eta_enc, i, sigma_sorted, zeta
from derivations.situations import FIXED, LEARNED, diverges, lam
from derivations.universal import Universal, for_every_sigma

ASSUMED = [(claim, assumption) for claim in CLAIMS for assumption in claim.assumptions]
OF_ONE_KIND = [
    claim for claim in CLAIMS if isinstance(decide := claim.standing.decide, Universal) and not decide.kind_there
]
LEDGER = claims_by_id()
SPINE = (
    "notation.gaussian-kl", "eq-4.elbo", "eq-5.decomposition", "notation.whitening", "prop-1.reduction",
    "prop-2.stationarity", "prop-2.minimum", "prop-2.rotation", "thm-1.minimum", "thm-1.complete-collapse",
    "cor-1.profile", "eq-13.reduced", "prop-3.variance", "thm-2.minimum", "thm-2.rotation", "thm-2.variance",
    "thm-2.extra-latents", "thm-3.hessian", "thm-3.no-middle",
)  # fmt: skip


def probed(name: str, text: str) -> dict[str, str]:
    claim = LEDGER[name]
    (assumption,) = (each for each in claim.assumptions if text in each.text)
    decision = assumption.without(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    return dict(decision.witness.values) | {"failure": decision.witness.failure}


def fractions(text: str) -> list[Fraction]:
    return [Fraction(number) for number in re.findall(r"-?\d+(?:/\d+)?", text)]


@pytest.mark.parametrize(
    ("claim", "assumption"), ASSUMED, ids=[f"{claim.id}: {assumption.text}" for claim, assumption in ASSUMED]
)
def test_the_standing_statement_fails_without_an_assumption(claim, assumption):
    assert isinstance(assumption, Assumption)
    decision = assumption.without(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED, decision.missing
    assert decision.witness is not None and decision.witness.values and decision.witness.failure
    assert not any("." in value for _, value in decision.witness.values), "a witness is exact: no decimal points"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_an_erratum_stands_exactly_where_a_statement_is_corrected(claim):
    assert (claim.erratum is not None) == (claim.corrected is not None)
    if claim.erratum is not None:
        assert claim.erratum.printed != claim.erratum.holds and claim.erratum.severity in Severity


def test_no_step_of_the_spine_shows_two_equal_sides():
    """A statement that is evaluated before it is shown reads 0 = 0."""
    for name in SPINE:
        standing = LEDGER[name].standing
        for step in standing.decide(standing.formula).steps:
            left, _, right = step.latex.partition(" = ")
            assert left != right and step.latex not in (r"0 \geq 0", r"\text{True}"), (name, step.text)


@pytest.mark.parametrize("claim", OF_ONE_KIND, ids=lambda claim: claim.id)
def test_a_statement_for_one_kind_of_sigma_fails_for_another(claim):
    """Or it speaks of given sigma_i, which only a fixed Sigma has; what holds for a fixed and a learned Sigma says so."""
    formula, question = claim.standing.formula, claim.standing.decide
    if question.kind == FIXED and (formula.has(sigma_sorted) or question.change == "Sigma"):
        return
    assert claim.assumptions, "the kind of Sigma is an assumption"
    other = replace(question, kind=LEARNED if question.kind == FIXED else FIXED)
    assert other(formula).verdict is Verdict.REFUTED


@pytest.mark.parametrize("kind", [FIXED, LEARNED])
def test_what_holds_for_every_sigma_is_refuted_by_either_kind(kind):
    """As beta tends to 0 a norm diverges with a fixed Sigma alone; with a learned one alone, lambda_i <= zeta_i/eta_enc."""
    statement = Le(lam[i], zeta[i] / eta_enc) if kind == FIXED else Or(Eq(zeta[1], 0), diverges)
    decision = for_every_sigma("nothing")(statement)
    assert decision.verdict is Verdict.REFUTED
    assert ("sigma" in dict(decision.witness.values)) == (kind == FIXED)


def test_theorem_3_asks_nothing_of_a_fixed_variance():
    assert LEDGER["thm-3.hessian"].assumptions == LEDGER["thm-3.no-middle"].assumptions == ()


def test_the_divergence_of_correlated_latents_has_a_determinant():
    values = probed("notation.gaussian-kl", "diagonal")
    a, b, c, d = fractions(values["Sigma"])
    assert b == c != 0 and a == d == 1
    stated, defined = values["failure"].split(" is not ")
    correction = float(eval(defined, {"log": math.log})) - float(Fraction(stated))
    assert correction == pytest.approx(-math.log(a * d - b * c) / 2)


def test_noise_that_goes_with_the_data_changes_the_reconstruction():
    """E (u (w x + e) - y)^2 where e = x = y at two points, against Eq 5's (u w x - y)^2 + u^2, both halved, with KL w^2/2."""
    values = probed("eq-5.decomposition", "noise is uncorrelated")
    (w,), (u,) = fractions(values["W"]), fractions(values["U"])
    points = list(zip(*[iter(fractions(values["(x, y, noise)"]))] * 3, strict=True))
    entangled = sum((u * (w * x + e) - y) ** 2 for x, y, e in points) / len(points)
    separate = sum((u * w * x - y) ** 2 + u**2 for x, y, _ in points) / len(points)
    kl = w**2 * sum(x**2 for x, _, _ in points) / len(points)
    stated, defined = (Fraction(part) for part in values["failure"].split(" is not "))
    assert ((separate + kl) / 2, (entangled + kl) / 2) == (stated, defined)
    assert sum(e for _, _, e in points) == 0 and all(e**2 == 1 for _, _, e in points)


def test_correlated_latents_can_be_turned_to_a_smaller_spread():
    """The rows (1, 1) and (1, -1) over sqrt(2) turn Sigma into its eigenvalues a + b and a - b."""
    values = probed("cor-1.profile", "diagonal")
    a, b, _, _ = fractions(values["Sigma"])
    deviations = sorted(Fraction(math.isqrt(v.numerator), math.isqrt(v.denominator)) for v in (a + b, a - b))
    assert [s**2 for s in deviations] == [a - b, a + b]

    def least(spread: list[Fraction]) -> Fraction:
        return sum(
            (z**2 - max(Fraction(0), z - s) ** 2 for z, s in zip(fractions(values["zeta"]), spread, strict=True))
        )

    assert f"gives {least([Fraction(1)] * 2)}, the minimum is {least(deviations)}" in values["failure"]


def test_the_condition_of_complete_collapse_needs_the_priors_variance():
    values = probed("thm-1.complete-collapse", "eta_enc")
    zeta, sigma = fractions(values["zeta"]), fractions(values["sigma"])
    beta, dec, enc = (Fraction(values[name]) for name in ("beta", "eta_dec", "eta_enc"))
    water = Fraction(math.isqrt(beta.numerator), math.isqrt(beta.denominator)) * dec
    assert water**2 == beta * dec**2
    assert zeta[0] <= water and zeta[0] > min(sigma) * water / enc


def test_a_singular_value_beyond_those_of_z_is_counted_by_a_latent_that_has_none():
    """What the failure says follows from what the witness gives: all of Eq 11's numbers, and what is read beyond the last zeta."""
    values = probed("cor-1.profile", "zeta_i is 0")
    zeta, sigma, (beyond,) = (fractions(values[name]) for name in ("zeta", "sigma", "zeta_i beyond"))
    beta, dec, enc = (Fraction(values[name]) for name in ("beta", "eta_dec", "eta_enc"))
    water = Fraction(math.isqrt(beta.numerator), math.isqrt(beta.denominator)) * dec
    assert water**2 == beta * dec**2 and len(sigma) > len(zeta)

    def least(singular: list[Fraction]) -> Fraction:
        pairs = zip(singular, sorted(sigma), strict=True)
        return sum(z**2 - max(Fraction(0), z - water * s / enc) ** 2 for z, s in pairs)

    missing = len(sigma) - len(zeta)
    stated, found = least([*zeta, *[beyond] * missing]), least([*zeta, *[Fraction(0)] * missing])
    assert f"gives {stated}, the minimum is {found}" in values["failure"]
