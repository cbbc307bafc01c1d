"""The printed formulas against a second transcription, as plain functions of numbers: a slip of ours is not the paper's."""

import itertools
import math

import pytest
from sympy import Integer

from derivations.collapsed_latents import collapsed
from derivations.equation_12 import least_of_equation_6
from derivations.instances import instances
from derivations.ledger import claims_by_id
from derivations.notation import constant, d1
from derivations.situations import rank

LEDGER = claims_by_id()


def equation_8(z, s, b, dec, enc):
    decoder = math.sqrt(max(0.0, math.sqrt(b) * dec / (s * enc) * (z - math.sqrt(b) * s * dec / enc)))
    return decoder, math.sqrt(max(0.0, s * enc / (math.sqrt(b) * dec) * (z - math.sqrt(b) * s * dec / enc)))


def equation_10(z, s, b, dec, enc):
    decoder = math.sqrt(max(0.0, math.sqrt(b) * dec / enc**2 * (z - math.sqrt(b) * dec)))
    return decoder, math.sqrt(max(0.0, enc**2 / (math.sqrt(b) * dec) * (z - math.sqrt(b) * dec)))


def equation_14(z, s, b, dec, enc):
    return (math.sqrt(b * dec) / z * enc if b * dec**2 < z**2 else enc,)


def equation_17_18(z, s, b, dec, enc):
    root = math.sqrt(max(0.0, z**2 - b * dec**2))
    return root / enc, enc / z * root if z**2 > 0 else 0.0


def equation_19(z, s, b, dec, enc):
    return (math.sqrt(b) * dec / z * enc if b * dec**2 < z**2 else enc,)


PER_MODE = {
    "prop-2.minimum": equation_8,
    "thm-1.minimum": equation_10,
    "prop-3.variance": equation_14,
    "thm-2.minimum": equation_17_18,
    "thm-2.variance": equation_19,
}


@pytest.mark.parametrize("name", PER_MODE)
def test_the_printed_formula_of_a_mode(name):
    formula = LEDGER[name].printed.formula
    parts = formula.args[:2] if name in ("prop-2.minimum", "thm-1.minimum", "thm-2.minimum") else (formula,)
    compared = 0
    for instance in instances():
        scales = [float(value) for value in (instance.beta, instance.eta_dec, instance.eta_enc)]
        for k in range(1, min(instance.d1, len(instance.zeta)) + 1):
            expected = PER_MODE[name](float(instance.zeta[k - 1]), float(instance.sigma[k - 1]), *scales)
            found = [float(instance.value(part, k)) for part in parts]
            assert found == pytest.approx(expected)
            compared += 1
    assert compared > 100


def gained(z, s, b, dec, enc):
    """zeta^2 minus the indicator's term of Eq 11."""
    edge = math.sqrt(b) * s * dec / enc
    return z**2 - ((z - edge) ** 2 if z > edge else 0.0)


@pytest.mark.parametrize("name", ["cor-1.profile", "eq-13.reduced"])
def test_the_printed_sums(name):
    formula = LEDGER[name].printed.formula
    for instance in instances():
        b, dec, enc = (float(value) for value in (instance.beta, instance.eta_dec, instance.eta_enc))
        modes = [float(value) for value in instance.zeta] + [0.0] * instance.d1
        pairs = list(zip(modes, (float(s) for s in instance.sigma), strict=False))
        expected = sum(gained(z, s, b, dec, enc) for z, s in pairs)
        if name == "cor-1.profile":
            found = float(instance.value(formula))
            expected += sum(float(value) ** 2 for value in instance.zeta[instance.d1 :])
        else:
            found = float(instance.value(formula.subs(constant, 0)))
            expected += sum(b * dec**2 * (s**2 / enc**2 - 1 - math.log(s**2 / enc**2)) for _, s in pairs)
            expected /= 2 * dec**2
        assert found == pytest.approx(expected)


def test_the_printed_equation_12():
    formula = LEDGER["eq-12.least"].printed.formula
    for instance in instances():
        b, dec, enc = (float(value) for value in (instance.beta, instance.eta_dec, instance.eta_enc))
        ratios = [(float(s) / enc) ** 2 for s in instance.sigma]
        expected = 5 / (2 * dec**2) + sum(b / 2 * (ratio - 1 - math.log(ratio)) for ratio in ratios)
        assert float(instance.value(formula, None, {least_of_equation_6: Integer(5)})) == pytest.approx(expected)


def test_the_printed_count_of_collapsed_latents():
    formula = LEDGER["thm-1.collapsed-latents"].printed.formula
    for many, latents, kept in itertools.product(range(3), range(3), range(3)):
        assert bool(formula.subs({collapsed: many, d1: latents, rank: kept})) == (many >= latents - kept)


def test_the_printed_conditions_and_values():
    assert LEDGER["thm-2.extra-latents"].printed.formula == 0
    condition = LEDGER["thm-1.complete-collapse"].printed.formula
    seen = set()
    for instance in instances():
        stated = float(instance.zeta[0]) - math.sqrt(float(instance.beta)) * float(instance.eta_dec) <= 0
        assert bool(instance.value(condition)) == stated
        seen.add(stated)
    assert seen == {True, False}
