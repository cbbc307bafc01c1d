"""Exact instances: values of formulas, sums with empty ranges, numbers that are exactly 0, and every regime present."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer, Max, Piecewise, Rational, Sum, Tuple, log, sqrt

from derivations.instances import Instance, chosen_instances, instances, is_exactly_zero, random_instance, why_false
from derivations.notation import (
    beta,
    d0,
    d1,
    d2,
    dstar,
    eta_dec,
    eta_enc,
    i,
    mean,
    root_water,
    sigma,
    sigma_sorted,
    weight,
    zeta,
)

EXAMPLE = Instance(
    zeta=(Integer(5), Integer(2)),
    sigma=(Integer(3), Integer(1), Integer(2)),
    beta=Integer(4),
    eta_dec=Rational(1, 2),
    eta_enc=Integer(7),
    d0=2,
    d2=4,
)
j = sympy.Symbol("j", integer=True, positive=True)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        (beta + eta_dec + eta_enc, Rational(23, 2)),
        (d0 + 10 * d1 + 100 * d2 + 1000 * dstar, 2432),
        (Tuple(zeta[1], zeta[2], zeta[3], zeta[9]), Tuple(5, 2, 0, 0)),
        (Tuple(sigma[1], sigma[2], sigma[3], sigma[4]), Tuple(3, 1, 2, 7)),
        (Tuple(*(sigma_sorted[k] for k in (1, 2, 3, 4))), Tuple(1, 2, 3, 7)),
        (Tuple(*(mean[k] for k in (1, 2, 3, 4))), Tuple(1, -2, 3, 0)),
        (zeta[d1], 0),
        (sigma[d0], 1),
        (Sum(zeta[i], (i, 1, d1)), 7),
        (Sum(sigma[i] * zeta[i], (i, 1, dstar)), 17),
        (Sum(sigma_sorted[i] * zeta[i], (i, 1, dstar)), 9),
        (Sum(zeta[i + 1], (i, 1, d1)), 2),
        (2 * Sum(i, (i, d0, d1)) + 1, 11),
        (Max(0, zeta[1] - 6), 0),
        (Piecewise((1, zeta[1] > zeta[2]), (2, True)), 1),
        (zeta[1] > 5, sympy.false),
        (sympy.Eq(zeta[1], 5, evaluate=False), sympy.true),
        (sqrt(beta) * eta_dec, 1),
    ],
    ids=str,
)
def test_a_formula_has_its_value(formula, value):
    assert EXAMPLE.value(formula) == value


def test_the_index_of_a_mode_is_free_and_that_of_a_sum_bound():
    assert [EXAMPLE.value(zeta[i] + i, k) for k in (1, 2, 3)] == [6, 4, 3]
    assert EXAMPLE.value(zeta[i] * Sum(sigma[i], (i, 1, d1)), 2) == 2 * 6


@pytest.mark.parametrize(
    ("double", "value"),
    [(Sum(zeta[i], (i, 1, d1), (j, 1, 3)), 3 * 7), (Sum(Sum(sigma[j], (j, 1, i)), (i, 1, d1)), 3 + 4 + 6)],
    ids=str,
)
def test_no_range_of_a_double_sum_is_dropped(double, value):
    assert EXAMPLE.value(double) == value


@pytest.mark.parametrize("limits", [(i, d1 + 1, dstar), (i, 5, 2), (i, 3, 2)], ids=str)
def test_a_sum_over_an_empty_range_is_0(limits):
    """SymPy's own convention (Karr) subtracts the terms between the ends instead."""
    assert EXAMPLE.value(Sum(i**2, limits)) == 0


def test_sympys_own_sum_over_an_empty_range_is_not_0():
    assert Sum(i**2, (i, 5, 2)).doit() == -(3**2 + 4**2)


def test_what_is_undefined_has_no_finite_value():
    assert EXAMPLE.value(zeta[3] / zeta[4]) is sympy.nan
    assert EXAMPLE.value(sqrt(-zeta[1]) > 0) is sympy.nan
    assert not EXAMPLE.value(1 / zeta[3]).is_finite
    assert EXAMPLE.value(sqrt(-zeta[1])).is_real is False


def test_a_branch_that_does_not_apply_is_not_entered():
    guarded = Piecewise((1 / zeta[i], zeta[i] > 0), (0, True))
    assert [EXAMPLE.value(guarded, k) for k in (2, 3)] == [Rational(1, 2), 0]


@given(st.integers(0, 10**6))
@settings(max_examples=50)
def test_values_agree_with_plain_fractions(seed):
    instance = random_instance(random.Random(seed))
    root = sympy.sqrt(instance.beta)
    assert root.is_Rational
    total = Fraction(0)
    ordered = sorted(Fraction(str(s)) for s in instance.sigma)
    for k, deviation in enumerate(ordered):
        singular = Fraction(str(instance.zeta[k])) if k < len(instance.zeta) else Fraction(0)
        shift = Fraction(str(root)) * deviation * Fraction(str(instance.eta_dec)) / Fraction(str(instance.eta_enc))
        total += singular**2 - max(Fraction(0), singular - shift) ** 2
    formula = Sum(zeta[i] ** 2 - Max(0, zeta[i] - sigma_sorted[i] * sqrt(weight)) ** 2, (i, 1, d1))
    assert instance.value(formula) == Rational(total.numerator, total.denominator)


def test_further_symbols_and_sequences_have_the_values_given_for_them():
    share, level = sympy.Symbol("share"), sympy.IndexedBase("level")
    more = {share: Rational(1, 3), level: ((Integer(5),), Integer(7))}
    assert EXAMPLE.value(share + level[i], 1, more) == Rational(16, 3)
    assert EXAMPLE.value(share + level[i], 2, more) == Rational(22, 3)


def test_what_is_false_is_shown_with_its_sides_and_without_mere_numbers():
    numbers = {beta: Integer(4), eta_dec: sqrt(2) * sqrt(8)}
    said = why_false(
        sympy.And(beta < 3, sympy.Eq(beta, eta_dec + 1)), lambda side: side.subs(numbers), ["nothing else"]
    )
    assert said.startswith("false, since ") and said.endswith(", nothing else")
    assert set(said.removeprefix("false, since ").split(", ")) == {"beta = 4", "eta_dec + 1 = 5", "nothing else"}
    assert why_false(sympy.true, lambda side: side) == "false"


ZEROS = [
    sympy.S.Zero,
    sqrt(2) * sqrt(3) - sqrt(6),
    1 / (1 + sqrt(2)) - sqrt(2) + 1,
    sqrt(3 + 2 * sqrt(2)) - 1 - sqrt(2),
    log(12) - 2 * log(2) - log(3),
    log(Rational(4, 9)) - 2 * log(2) + 2 * log(3),
    log(2 * sqrt(2) / 3) - Rational(3, 2) * log(2) + log(3),
    (beta + 1) ** 2 - beta**2 - 2 * beta - 1,
]
# Fifty correct digits: no float tells these from 0.
ROOT_DIGITS = Rational(141421356237309504880168872420969807856967187537694, 10**50)
LOG_DIGITS = Rational(69314718055994530941723212145817656807550013436025, 10**50)
NOT_ZEROS = [
    sympy.S.One,
    Rational(1, 10**60),
    sqrt(2) - ROOT_DIGITS,
    log(2) - LOG_DIGITS,
    log(2) - log(3),
    sympy.oo * sqrt(2) - sympy.I,
    sympy.exp(sympy.oo),
    sympy.oo * beta,
    sqrt(5) - sqrt(3) - sqrt(2),
    sympy.I,
    sympy.oo,
    -sympy.oo,
    sympy.zoo,
    sympy.nan,
    beta - eta_dec,
]


@pytest.mark.parametrize("number", ZEROS, ids=str)
def test_a_number_that_is_exactly_0(number):
    assert is_exactly_zero(number) is True


@pytest.mark.parametrize("number", NOT_ZEROS, ids=str)
def test_a_number_that_is_not_0(number):
    assert is_exactly_zero(number) is False


def modes(instance: Instance) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """(zeta_i, sigma_(i)) of every latent, zeta_i = 0 beyond the last mode."""
    singular = [*instance.zeta, *[sympy.S.Zero] * instance.d1]
    return list(zip(singular, sorted(instance.sigma), strict=False))


def fixed_margins(instance: Instance) -> list[sympy.Expr]:
    scale = sympy.sqrt(instance.beta) * instance.eta_dec / instance.eta_enc
    return [singular - deviation * scale for singular, deviation in modes(instance)]


def learned_margins(instance: Instance) -> list[sympy.Expr]:
    return [singular**2 - instance.beta * instance.eta_dec**2 for singular, _ in modes(instance)]


PRESENT = {
    "above the threshold of a fixed variance": lambda p: any(m > 0 for m in fixed_margins(p)),
    "at the fixed one": lambda p: any(m == 0 for m in fixed_margins(p)),
    "below it, with signal, fixed": lambda p: any(
        m < 0 < s for m, (s, _) in zip(fixed_margins(p), modes(p), strict=True)
    ),
    "above the threshold of a learned variance": lambda p: any(m > 0 for m in learned_margins(p)),
    "at the learned one": lambda p: any(m == 0 for m in learned_margins(p)),
    "below it, with signal, learned": lambda p: any(
        m < 0 < s for m, (s, _) in zip(learned_margins(p), modes(p), strict=True)
    ),
    "both sides at once": lambda p: max(learned_margins(p)) > 0 > min(learned_margins(p)),
    "all modes collapsed": lambda p: max(learned_margins(p)) <= 0,
    "equal singular values": lambda p: any(a == b > 0 for a, b in zip(p.zeta, p.zeta[1:], strict=False)),
    "equal deviations": lambda p: len(set(p.sigma)) < p.d1,
    "a mode without signal": lambda p: 0 in p.zeta,
    "fewer latents than modes": lambda p: p.d1 < min(p.d0, p.d2),
    "as many": lambda p: p.d1 == min(p.d0, p.d2),
    "more": lambda p: p.d1 > min(p.d0, p.d2),
    "deviations out of order": lambda p: list(p.sigma) != sorted(p.sigma),
    "more inputs than targets, or fewer": lambda p: p.d0 != p.d2,
    "a residual": lambda p: p.residual > 0,
    "beta other than 1": lambda p: p.beta != 1,
    "an irrational root of beta": lambda p: not sympy.sqrt(p.beta).is_Rational,
    "eta_dec and eta_enc other than 1 and each other": lambda p: len({p.eta_dec, p.eta_enc, sympy.S.One}) == 3,
}


@pytest.mark.parametrize("regime", PRESENT, ids=str)
def test_every_regime_is_among_the_chosen_instances(regime):
    found = [instance for instance in chosen_instances() if PRESENT[regime](instance)]
    assert found, f"no chosen instance is {regime}"


def test_all_instances_meet_the_assumptions():
    for instance in instances():
        assert len(instance.zeta) == min(instance.d0, instance.d2)
        assert list(instance.zeta) == sorted(instance.zeta, reverse=True)
        assert all(value >= 0 for value in instance.zeta)
        scales = (*instance.sigma, instance.beta, instance.eta_dec, instance.eta_enc)
        assert all(scale.is_Rational and scale > 0 for scale in scales)
        assert instance.d1 >= 1 and instance.residual >= 0


def test_instances_are_the_same_every_time_and_differ_from_each_other():
    drawn = list(instances())
    instances.cache_clear()
    assert list(instances()) == drawn
    assert drawn[: len(chosen_instances())] == list(chosen_instances())
    assert len(set(drawn)) > len(chosen_instances())


def test_names_show_every_number_that_the_value_depends_on():
    assert EXAMPLE.named().keys() == {"zeta", "sigma", "beta", "eta_dec", "eta_enc", "d0", "d1", "d2"}
    assert replace(EXAMPLE, residual=Integer(2)).named()["r"] == 2
    assert EXAMPLE.value(root_water) == 1


def test_the_size_counts_numbers_and_dimensions():
    one = sympy.S.One
    assert Instance((2 * one,), (one,), one, one, one, d0=3, d2=1).size == (2 + 1) + 4 * (1 + 1) + (0 + 1) + 3 + 1
    assert Instance((one / 5,), (sympy.sqrt(2),), one, one, one, d0=1, d2=1).size > 14


def test_the_smaller_of_two_rationals():
    one = sympy.S.One
    instance = Instance((one,), (one,), 4 * one, one, one, d0=1, d2=1)
    assert instance.value(sympy.Min(beta, eta_dec)) == 1 and instance.value(sympy.Max(beta, eta_dec)) == 4
