"""The exact points that refute what the paper concludes from its theorems, evaluated again in plain fractions."""

import ast
import re
from fractions import Fraction as Q
from itertools import pairwise
from pathlib import Path

import pytest

from derivations.claim import Verdict
from derivations.ledger import claims_by_id

CLAIMS = claims_by_id()


def root(value: Q) -> Q:
    """The exact square root of a rational square."""
    found = Q(round(value.numerator**0.5), round(value.denominator**0.5))
    assert found**2 == value
    return found


class Point:
    """A witness: scalars and sequences here, and there (where nothing else is said, the same)."""

    def __init__(self, claim: str) -> None:
        decision = CLAIMS[claim].printed.decide(CLAIMS[claim].printed.formula)
        assert decision.verdict is Verdict.REFUTED and decision.witness is not None
        self.values = dict(decision.witness.values)

    def __getattr__(self, name: str) -> Q:
        text = self.values.get(name.replace("_there", " there"), self.values.get(name.replace("_there", "")))
        assert text is not None, name
        return Q(text)

    def sequence(self, name: str) -> list[Q]:
        text = self.values.get(name) or self.values[name.replace(" there", "")]
        return [Q(number) for number in re.findall(r"[\d/]+", text)]

    @property
    def zeta(self) -> list[Q]:
        modes, latents = self.sequence("zeta"), int(self.d1)
        return (modes + [Q(0)] * latents)[:latents]

    @property
    def mode(self) -> int:
        return int(self.i) - 1

    def level(self, there: str = "") -> Q:
        return root(getattr(self, "beta" + there)) * getattr(self, "eta_dec" + there)

    def water(self, there: str = "") -> Q:
        return getattr(self, "beta" + there) * getattr(self, "eta_dec" + there) ** 2


def fixed_product(zeta: Q, level: Q, sigma: Q, prior: Q) -> Q:
    """min over u, v of (uv - zeta)^2 + sigma^2 u^2 + c v^2 is at uv = (zeta - sigma sqrt(c))_+."""
    return max(Q(0), zeta - level * sigma / prior)


def learned_product(zeta: Q, water: Q) -> Q:
    return max(Q(0), zeta - water / zeta) if zeta else Q(0)


def test_the_sign_is_not_that_of_the_latents_own_deviation() -> None:
    at = Point("s4.1.sign")
    order = sorted(at.sequence("sigma"))
    kept = [fixed_product(z, at.level(), s, at.eta_enc) for z, s in zip(at.zeta, order, strict=True)]
    sign = at.zeta[at.mode] - at.level() * at.sequence("sigma")[at.mode] / at.eta_enc
    assert (sum(length > 0 for length in kept) > at.mode) != (sign > 0)


def test_partial_collapse_condition_holds_where_the_latent_is_active() -> None:
    at = Point("thm-1.partial-collapse")
    signal, level = at.zeta[at.mode], at.level()
    assert signal**2 - level <= 0
    assert fixed_product(signal, level, at.eta_enc, at.eta_enc) > 0


def test_a_latent_without_a_mode_leaves_the_rank_full() -> None:
    at = Point("thm-1.rank-deficient")
    assert at.zeta[at.mode] < at.level()
    kept = [fixed_product(signal, at.level(), at.eta_enc, at.eta_enc) for signal in at.zeta]
    assert sum(length > 0 for length in kept) == min(at.d0, at.d2)


def test_printed_condition_holds_where_the_learned_latent_is_active() -> None:
    at = Point("thm-2.same-conditions-printed")
    signal = at.zeta[at.mode]
    assert signal**2 - at.level() <= 0 < learned_product(signal, at.water())


def test_without_signal_both_layers_are_zero_at_every_beta() -> None:
    for at in (Point("thm-1.small-beta"), Point("s4.5.small-beta"), Point("thm-1.divergence")):
        assert at.zeta[0] == 0
    for level in (Q(1), Q(1, 10**6)):
        assert fixed_product(Q(0), level, Q(1), Q(1)) == learned_product(Q(0), level**2) == 0


def test_a_latent_without_a_mode_stays_collapsed() -> None:
    at = Point("thm-1.small-beta-partial")
    assert at.zeta[at.mode] == 0


def test_least_loss_differs_at_equal_products_of_beta_and_eta_dec_squared() -> None:
    at = Point("thm-1.beta-eta-loss")
    assert at.water() == at.water("_there")

    def least(level: Q, decoder: Q) -> Q:
        kept = sum((z**2 - max(Q(0), z - level) ** 2 for z in at.zeta), Q(0))
        rest = sum((z**2 for z in at.sequence("zeta")[int(at.d1) :]), Q(0))
        return (kept + rest) / (2 * decoder**2)

    assert least(at.level(), at.eta_dec) != least(at.level("_there"), at.eta_dec_there)


def test_the_singular_value_of_V_does_not_move_beyond_the_threshold() -> None:
    at = Point("thm-1.norm-trend-encoder")
    signal = at.zeta[at.mode]
    assert signal <= at.level() < at.level("_there")
    assert not any(fixed_product(signal, at.level(place), at.eta_enc, at.eta_enc) for place in ("", "_there"))


def test_the_singular_value_of_U_falls() -> None:
    for at in (Point("thm-1.norm-trend"), Point("thm-1.norm-trend-active")):
        signal, here, there = at.zeta[at.mode], at.level(), at.level("_there")
        squares = [level * max(Q(0), signal - level) / at.eta_enc**2 for level in (here, there)]
        assert here < there and squares[0] > squares[1]
    assert there < signal and squares[1] > 0


def test_every_latent_of_a_rotated_minimum_has_a_mean() -> None:
    """Column j of Theta P is theta_1 P_1j where one mode is kept; with sigma_i = eta_enc the loss is that of P = I."""
    at = Point("thm-1.collapsed-latents")
    kept = [fixed_product(signal, at.level(), at.eta_enc, at.eta_enc) > 0 for signal in at.zeta]
    first, second = at.sequence("P")[:2], at.sequence("P")[2:]
    assert kept == [True, False] and all(first) and len(first) == len(second) == 2
    assert sum(entry**2 for entry in first) == sum(entry**2 for entry in second) == 1


def test_the_residual_is_part_of_the_least_loss() -> None:
    """With Z = 0 and sigma = eta_enc U = W = 0 is best: L_VAE is E|y|^2/(2 eta_dec^2), and Eq 6 is 0."""
    at = Point("eq-12.least")
    assert at.zeta[0] == 0 and at.sequence("sigma") == [at.eta_enc]
    assert at.r / (2 * at.eta_dec**2) > 0


def test_the_norms_depend_on_the_level_with_learned_variances() -> None:
    at = Point("thm-2.norm-scaling")
    signal = at.zeta[at.mode]
    squares = [max(Q(0), signal**2 - at.water(place)) / at.eta_enc**2 for place in ("", "_there")]
    assert squares[0] != squares[1]


def test_a_remaining_mode_lies_below_the_water_level() -> None:
    at = Point("thm-2.pruning-level-learned")
    assert 0 < learned_product(at.zeta[at.mode], at.water()) ** 2 < at.water()


def test_a_singular_value_below_the_printed_level_remains() -> None:
    at = Point("thm-2.shrinkage")
    signal = at.zeta[at.mode]
    assert at.level() < signal < at.water(), "below beta eta_dec^2, though not below its root"
    assert 0 < learned_product(signal, at.water()) < signal


def test_the_printed_count_is_negative() -> None:
    at = Point("thm-2.pruned-count")
    modes = at.sequence("zeta")
    assert all(modes) and at.d1 < at.d0
    kept = sum(learned_product(z, at.water("_there")) > 0 for z in modes[: int(at.d1)])
    assert min(at.d0, at.d2) - kept != at.d1 - at.d0


def test_learned_variances_do_not_threshold_softly() -> None:
    for at in (Point("thm-2.soft-thresholding"), Point("s4.5.sparse-learning-learned")):
        signal = at.zeta[at.mode]
        assert learned_product(signal, at.water()) != max(Q(0), signal - at.level())


def test_the_prior_matters_where_the_variances_are_fixed() -> None:
    at = Point("s4.5.prior-variance-fixed")
    assert at.water() == at.water("_there")
    order = sorted(at.sequence("sigma"))
    products = [
        fixed_product(at.zeta[at.mode], at.level(), order[at.mode], prior) for prior in (at.eta_enc, at.eta_enc_there)
    ]
    assert (products[0] == 0) != (products[1] == 0)


def test_the_deviations_decide_which_modes_collapse() -> None:
    at = Point("s4.5.sigma-irrelevant")
    products = [
        fixed_product(at.zeta[at.mode], at.level(), sorted(at.sequence(name))[at.mode], at.eta_enc)
        for name in ("sigma", "sigma there")
    ]
    assert (products[0] == 0) != (products[1] == 0)


def test_raising_beta_is_not_lowering_eta_dec() -> None:
    at = Point("s4.5.beta-versus-eta")
    assert at.beta / at.beta_there == (at.eta_dec / at.eta_dec_there) ** 2
    signal = at.zeta[at.mode]
    assert learned_product(signal, at.water()) != learned_product(signal, at.water("_there"))


def test_a_larger_eta_dec_alone_ends_a_mode() -> None:
    at = Point("s4.4.no-causal-relation-value")
    assert at.beta == at.beta_there
    signal = at.zeta[at.mode]
    assert (learned_product(signal, at.water()) == 0) != (learned_product(signal, at.water("_there")) == 0)


def test_a_latent_without_a_mode_cannot_have_deviation_zero() -> None:
    """Its part of the loss at sigma = 2^-k eta_enc is beta/2 (4^-k - 1 + k log 4), and log 4 > 1; at sigma = eta_enc it is 0."""
    at = Point("thm-2.extra-latents")
    assert at.mode >= len(at.sequence("zeta"))
    parts = [at.beta / 2 * (Q(1, 4**k) - 1 + k) for k in range(1, 60)]
    assert all(less < more for less, more in pairwise(parts)) and parts[-1] > 20


EVALUATED_AGAIN = (
    "test_witnesses.py",
    "test_setting_witnesses.py",
    "test_situation_witnesses.py",
    "test_decoder_witnesses.py",
    "test_ablation.py",
    "test_mechanisms.py",
    "test_figures.py",
)


READERS = {"Point", "point", "witness", "witnessed", "sizes", "rotation"}
"""What hands a test the numbers of a claim's witness, in these files."""


def read_witnesses(text: str) -> set[str]:
    """The claims whose witness a test function reads, by their IDs as arguments of a reader."""
    tests = [
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    calls = [node for test in tests for node in ast.walk(test) if isinstance(node, ast.Call)]
    return {
        str(argument.value)
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", None)) in READERS
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


@pytest.mark.parametrize("name", [claim.id for claim in CLAIMS.values() if claim.corrected is not None])
def test_every_refutation_is_evaluated_again_somewhere(name: str) -> None:
    here = Path(__file__).parent
    assert any(name in read_witnesses((here / file).read_text(encoding="utf-8")) for file in EVALUATED_AGAIN)


def test_to_mention_a_claim_is_not_to_evaluate_it() -> None:
    assert read_witnesses('def test_it():\n    assert Point("read").beta == Model.witnessed("too").weight') == {
        "read",
        "too",
    }
    assert (
        read_witnesses('A = Point("a")\ndef point(b):\n    Point("b")\ndef test_it():\n    decide("c"), "d"') == set()
    )
