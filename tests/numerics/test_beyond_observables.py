"""What the layers make of statements beyond the paper: rates and errors of modes, and jumps where they collapse."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from few_layers import Few, FewDescents
from sympy import Rational, Tuple

from derivations.ledger import claims_by_id
from numerics.layers.exact import ExactLayer
from numerics.observables import gradient_flow, transition, water_filling
from numerics.points import Point
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.tolerances import DESCENT_INVARIANT, FLOAT64_DERIVATIVE, FLOAT64_IDENTITY, FLOW, TRANSITION

RATES, LEARNED_JUMPS, PRIOR_JUMPS = (
    claims_by_id()[name].standing.formula
    for name in ("x.rate-distortion", "x.transition-order", "x.transition-order-prior")
)


def planted(zeta: list[float], d1: int, *, held: bool = False, eta_dec: float = 0.7) -> Problem:
    size = len(zeta)
    return planted_problem(
        np.random.default_rng(0), D0=size, d2=size, d1=d1, zeta=np.array(zeta), phi=np.ones(size), residual=0.3,
        beta=1.0, eta_dec=eta_dec, eta_enc=1.3, sigma=np.full(d1, 1.3) if held else None, name="planted",
    )  # fmt: skip


@pytest.mark.parametrize("layer", [Few, FewDescents])
def test_a_mode_without_a_latent_is_looked_at_only_below_the_level(layer: Any) -> None:
    enough = planted([3.0, 2.0, 0.5], 2)
    for narrow in (planted([3.0, 2.0, 0.5], 1), planted([3.0, 2.0, 0.8], 2)):  # the level is 0.7^2
        assert list(water_filling.water_filling(layer(narrow), RATES)) == []
    found = list(water_filling.water_filling(layer(enough), RATES))
    assert [one.quantity for one in found] == ["KL of each mode", "covariance of the error"]
    assert all(one.agrees for one in found)
    assert {one.tolerance for one in found} == {DESCENT_INVARIANT if layer is FewDescents else FLOAT64_IDENTITY}


@pytest.mark.parametrize(
    "layer", [ExactLayer(0), Few(planted([3.0, 2.0, 0.5], 2)), FewDescents(planted([3.0, 0.5], 2))]
)
@pytest.mark.parametrize("change", ["variance", "U", "V"])
def test_no_other_point_has_these_rates_and_errors(layer: Any, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proved = water_filling._minimum

    def moved(layer: Any, problem: Any) -> Point:
        point = proved(layer, problem)
        fields = {name: getattr(point, name) for name in ("W", "U", "V", "variance")}
        return Point(**fields | {change: 2 * fields[change]})

    monkeypatch.setattr(water_filling, "_minimum", moved)
    assert any(not one.agrees for one in water_filling.water_filling(layer, RATES))


def test_a_decoder_turned_against_its_encoder_is_seen_off_the_diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = planted([3.0, 2.0], 2)
    point = water_filling._minimum(Few(problem), problem)
    turned = np.array([[0.8, -0.6], [0.6, 0.8]])
    along = Point(point.W @ turned, problem.F @ turned @ problem.F.T @ point.U, point.V, point.variance)
    monkeypatch.setattr(water_filling, "_minimum", lambda layer, problem: along)
    rates, errors = water_filling.water_filling(Few(problem), RATES)
    assert rates.agrees and not errors.agrees


@pytest.mark.parametrize("layer", [Few, FewDescents])
@pytest.mark.parametrize(("formula", "held"), [(LEARNED_JUMPS, False), (PRIOR_JUMPS, True)])
def test_jumps_of_equal_singular_values_add_up(layer: Any, formula: Any, held: bool) -> None:
    problem = planted([3.0, 2.0, 2.0, 2.0, 0.5], 3, held=held)  # the fourth has no latent
    kind = "prior" if held else "learned"
    jumps = transition._jumps(layer(problem), kind)
    assert [(mode, tied) for _, mode, tied, _, _ in jumps] == [(0, 1), (1, 2)]
    ratio = 4 if held else 2
    for _, mode, tied, threshold, found in jumps:
        singular = problem.spectrum[mode]
        assert threshold == pytest.approx(singular**2 / 0.49, rel=FLOAT64_DERIVATIVE.value)
        assert found[2] == pytest.approx(tied * 0.49 / (ratio * singular**2), rel=TRANSITION.value)
        assert np.abs(found[:2] / [threshold, 1]).max() <= TRANSITION.value
    findings = list(transition.transition(layer(problem), formula, kind=kind))
    assert len(findings) == 6 and all(one.agrees for one in findings)
    other = PRIOR_JUMPS if formula is LEARNED_JUMPS else LEARNED_JUMPS
    assert sum(not one.agrees for one in transition.transition(layer(problem), other, kind=kind)) == 2


def test_a_jump_that_is_off_by_a_hundredth_is_told_whatever_the_scales_are() -> None:
    for factor in (0.01, 1.0, 100.0):
        problem = planted([3.0 * factor, 2.0 * factor], 2, eta_dec=0.7)
        for change, agreeing in ((1, 6), (Rational(101, 100), 4)):
            findings = list(
                transition.transition(
                    Few(problem), LEARNED_JUMPS.func(*(part * change for part in LEARNED_JUMPS.args)), kind="learned"
                )
            )
            assert sum(one.agrees for one in findings) == agreeing, factor


def test_modes_too_near_each_other_to_tell_their_jumps_are_left_out() -> None:
    for second, modes in ((2.95, []), (2.9, [0, 1]), (3.0, [0]), (0.0, [0, 1])):
        assert list(transition._modes(planted([3.0, second], 2))) == modes
    # without a signal a mode is looked at where beta is, 1, and not where another mode collapses there
    assert list(transition._modes(planted([0.7, 0.0], 2))) == [0]


def test_a_mode_without_a_signal_does_not_jump() -> None:
    problem = planted([3.0, 0.0], 2)
    for formula, agreeing in ((LEARNED_JUMPS, 6), (Tuple(0, 0, LEARNED_JUMPS.args[2] + 1), 4)):
        findings = list(transition.transition(Few(problem), formula, kind="learned"))
        assert sum(one.agrees for one in findings) == agreeing


def test_the_polynomial_gives_back_its_derivatives() -> None:
    step = -0.03
    at = step * transition._NODES
    found = transition._derivatives(2 - 3 * at + 5 * at**2 - 7 * at**3 + at**4, step)
    assert found == pytest.approx([2, -3, 10], rel=FLOAT64_DERIVATIVE.value)


GROWTH, VELOCITY = (claims_by_id()[name].standing.formula for name in ("x.gradient-flow", "x.gradient-flow-balanced"))


@pytest.mark.parametrize("layer", [Few, FewDescents])
def test_growth_and_velocity_are_upheld_and_tell_other_formulas(layer: Any) -> None:
    problem = planted([3.0, 2.0, 0.5], 2)
    held = replace(
        problem, sigma=np.array([1.1, 0.6]), A=np.diag([2.0, 1.0, 1.0]), C=problem.C * [2**0.5, 1, 1], zeta=None
    )
    for check, formula in ((gradient_flow.growth, GROWTH), (gradient_flow.velocity, VELOCITY)):
        (found,) = check(layer(held), formula)
        assert found.agrees
        assert found.tolerance is (FLOW if layer is FewDescents else FLOAT64_IDENTITY)
        (other,) = check(layer(held), formula * 11 / 10)
        assert not other.agrees


def test_the_flow_is_followed_for_a_unit_of_time() -> None:
    """One mode: m(t) = a m e^(2at)/(a + m (e^(2at) - 1)), a = zeta - sigma^2."""
    problem = replace(planted([2.0], 1, held=True), beta=4.0)
    ((balanced, start, found),) = gradient_flow._movements(FewDescents(problem))
    assert balanced.sigma is not None
    deviation = 2 * 0.7 / 1.3  # sqrt(beta) eta_dec/eta_enc
    assert balanced.sigma == pytest.approx([deviation], rel=FLOAT64_DERIVATIVE.value)
    net, time = 2 - deviation**2, 1 / (2 + 2 * deviation**2)
    grown = np.exp(2 * net * time)
    assert found == pytest.approx(net * start * grown / (net + start * (grown - 1)), rel=FLOW.value)
    assert abs(found - start) > 0.1


EXACT_CHECKS = {
    "learned": (partial(transition.exact_transition, kind="learned"), LEARNED_JUMPS),
    "prior": (partial(transition.exact_transition, kind="prior"), PRIOR_JUMPS),
    "growth": (gradient_flow.exact_growth, GROWTH),
    "velocity": (gradient_flow.exact_velocity, VELOCITY),
}


@pytest.mark.parametrize("name", EXACT_CHECKS)
def test_exact_numbers_uphold_them_and_tell_other_formulas(name: str) -> None:
    check, formula = EXACT_CHECKS[name]
    layer = ExactLayer(0)
    found = list(check(layer, formula))
    assert len(found) > 15 and all(one.agrees and one.residual == 0 for one in found)
    if formula.func is Tuple:
        for place in range(3):
            args = [*formula.args]
            args[place] = args[place] + Rational(1, 10**6)
            assert any(not one.agrees for one in check(layer, Tuple(*args))), place
    else:
        assert all(not one.agrees for one in check(layer, formula + Rational(1, 10**6)))


def test_the_exact_growth_is_the_fastest_of_several_pairs() -> None:
    rates = [float(rate) for _, rate in gradient_flow._exact_growths(ExactLayer(0))]
    assert min(rates) < 0 < max(rates) and len({round(rate, 6) for rate in rates}) > 8
    moved = [len(velocities) for _, _, velocities in gradient_flow._exact_movements(ExactLayer(0))]
    assert max(moved) > 1
