"""What is said of a wrong encoder deviation where Sigma is learned, or is not, evaluated once more with plain fractions."""

import math
import re
from fractions import Fraction

import pytest
import sympy

from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from derivations.notation import beta, eta_dec, eta_enc
from derivations.theorem_2_learned_variance import minimises_extra_latents, minimises_learned_variance

LEDGER = claims_by_id()


def refuted(decision) -> tuple[dict[str, str], str]:
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    return dict(decision.witness.values), decision.witness.failure


def numbers(text: str) -> list[Fraction]:
    return [Fraction(number) for number in re.findall(r"-?\d+(?:/\d+)?", text)]


def scales(values: dict[str, str]) -> tuple[Fraction, Fraction, Fraction]:
    return tuple(Fraction(values[name]) for name in ("beta", "eta_dec", "eta_enc"))


@pytest.mark.parametrize("name", ["thm-2.variance", "thm-2.extra-latents"])
def test_a_fixed_deviation_stays_where_it_is(name):
    claim = LEDGER[name]
    (learned,) = (each for each in claim.assumptions if each.text == "Sigma is learned")
    values, failure = refuted(learned.without(claim.standing.formula))
    b, dec, enc = scales(values)
    mode, zeta = int(values["i"]) - 1, numbers(values["zeta"])
    assert (mode >= len(zeta)) is (name == "thm-2.extra-latents"), "the statements speak of different latents"
    singular = zeta[mode] if mode < len(zeta) else Fraction(0)
    learned_square = b * dec**2 * enc**2 / singular**2 if b * dec**2 < singular**2 else enc**2
    stays, gives = numbers(failure.replace("sigma_i", ""))
    assert stays == numbers(values["sigma"])[mode]
    assert gives > 0 and gives**2 == learned_square != stays**2


def test_a_vanishing_deviation_costs_without_bound():
    claim = LEDGER["thm-2.extra-latents"]
    _, failure = refuted(claim.printed.decide(claim.printed.formula))
    assert failure.startswith("L_VAE tends to oo as sigma_i tends to 0")


@pytest.mark.parametrize("formula", [-eta_enc, sympy.I * eta_enc])
def test_what_is_not_positive_is_no_deviation(formula):
    _, failure = refuted(minimises_extra_latents(formula))
    assert failure.endswith("is no standard deviation")


@pytest.mark.parametrize("factor", [2, sympy.Rational(1, 3)])
def test_another_deviation_costs_more(factor):
    """By beta eta_dec^2 (f^2 - 1 - log f^2), f = sigma/eta_enc."""
    values, failure = refuted(minimises_extra_latents(factor * eta_enc))
    b, dec, enc = scales(values)
    found = re.search(r"sigma_i = (\S+) exceeds that at sigma_i = eta_enc by (.*) / \(2 eta_dec\^2\)", failure)
    assert found is not None and Fraction(found[1]) == Fraction(str(factor)) * enc
    square = float(factor) ** 2
    assert eval(found[2], {"log": math.log}) == pytest.approx(float(b * dec**2) * (square - 1 - math.log(square)))


def test_a_deviation_that_only_sometimes_is_the_priors_is_refuted():
    refuted(minimises_extra_latents(sympy.sqrt(beta) * eta_dec * eta_enc))


@pytest.mark.parametrize("factor", [-1, 2])
def test_a_learned_deviation_is_no_part_of_a_counterexample(factor):
    """Neither where a length is none, nor where the loss is too large."""
    lengths = LEDGER["thm-2.minimum"].standing.formula
    values, failure = refuted(minimises_learned_variance(sympy.Tuple(factor * lengths.args[0], lengths.args[1])))
    assert ("is no length" in failure) == (factor < 0)
    assert "zeta" in values and "sigma" not in values
