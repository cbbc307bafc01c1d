"""What the layers make of the list of stationary points: which choices they try, what a search finds, and what they refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from few_layers import Few, FewDescents
from sympy import Rational, Tuple

from derivations.ledger import claims_by_id
from derivations.notation import i, root_water, zeta
from numerics.exact_modes import curvatures, eigenvalues, mode_point, unit
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import certificate_at, curvature_scale, gradient_norm, origin_of
from numerics.observables import stationary_points as sp
from numerics.observables import strict_saddles as saddles
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.tolerances import CLOSED_FORM_GRADIENT, DESCENT_INVARIANT, EXACT, FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

CHOSEN, CURVATURE = (claims_by_id()[name].standing.formula for name in ("x.stationary-points", "x.no-spurious-minima"))
FORMULAS, CHECKS = {"stationary_points": CHOSEN, "saddle_curvature": CURVATURE}, sp.CHECKS | saddles.CHECKS
LEVEL = 0.7
"""The threshold of planted instances."""


def planted(spectrum: list[float], d1: int) -> Problem:
    size = len(spectrum)
    return planted_problem(
        np.random.default_rng(0), D0=size + 1, d2=size + 1, d1=d1, zeta=np.array(spectrum), phi=np.linspace(2, 1, size),
        residual=0.3, beta=4.0, eta_dec=LEVEL / 2, eta_enc=1.3, sigma=np.full(d1, 1.3), name="planted",
    )  # fmt: skip


def test_choices_are_modes_above_the_threshold_and_no_more_than_latents() -> None:
    assert sp._above(planted([3.0, 0.8, 0.6], 2)) == [0, 1]
    assert sp._some_choices(planted([3.0, 0.8, 0.6], 2)) == [(0, 1), (0,), (1,), ()]
    assert sp._some_choices(planted([3.0, 0.8, 0.6], 1)) == [(0,), (1,), ()]
    many = sp._some_choices(planted([5.0, 4.0, 3.0, 2.0], 3))  # of 15
    assert many == [(0, 1, 2), (0, 1), (1, 3), (2,)]


def test_instances_without_a_mode_or_with_one_next_to_the_threshold_are_left_out() -> None:
    kept = [[3.0, 2.0], [3.0, 3.0], [3.0, 0.1]]
    left = [[0.69, 0.1], [3.0, 0.71], [3.0, 0.69], [3.0, 2.98]]
    assert [sp._clear(planted(spectrum, 1)) for spectrum in (*kept, *left)] == [True] * 3 + [False] * 4
    real = replace(planted([3.0, 2.0], 2), regimes=frozenset({"real-data"}))
    problems = planted([3.0, 2.0], 2), real, planted([2.0, 0.7], 1)
    assert [problem.d1 for problem in sp._problems(FewDescents(*problems))] == [2, 1]
    found = list(sp._problems(Few(*problems)))  # made points need no distance from the threshold
    assert [problem.d1 for problem in found] == [2, 1, 1]
    assert all(np.array_equal(problem.A, np.eye(2)) for problem in found)
    assert found[1].spectrum == pytest.approx([3, 2], rel=FLOAT64_DERIVATIVE.value)
    assert found[1].sigma is not None and found[1].sigma.tolist() == [1.3]


product, adds = CHOSEN.args
SIGNAL = zeta[1] - zeta[i]
"""0 for the first mode."""
NO_SLOPE = {"gradient", "slope"}


def with_its_loss(other: Any) -> Any:
    """The product and what the loss is there: points made of these have the stated loss, and are not stationary."""
    return Tuple(other, (other - zeta[i]) ** 2 + 2 * root_water * other)


OTHERS = {
    "product": (Tuple(4 * product, adds), NO_SLOPE | {"loss"}),
    "what it adds": (Tuple(product, adds * 11 / 10), {"loss"}),
    "product, with its loss": (with_its_loss(4 * product), NO_SLOPE),
    "not of the first mode": (with_its_loss(product + SIGNAL / 7), NO_SLOPE),
}


@pytest.mark.parametrize("layer", [Few, FewDescents])
@pytest.mark.parametrize("observable", FORMULAS)
def test_both_are_upheld(layer: Any, observable: str) -> None:
    found = list(CHECKS[observable][layer.name](layer(planted([3.0, 2.0, 0.3, 0.0], 2)), FORMULAS[observable]))
    assert len(found) > 6 and all(one.agrees for one in found)
    allowed = {DESCENT_INVARIANT} if layer is FewDescents else {CLOSED_FORM_GRADIENT, FLOAT64_IDENTITY}
    assert {one.tolerance for one in found} <= allowed


@pytest.mark.parametrize(
    "layer", [Few(planted([3.0, 2.0, 0.3], 2)), FewDescents(planted([3.0, 2.0, 0.3], 2)), ExactLayer(0)]
)
@pytest.mark.parametrize("other", OTHERS)
def test_another_list_fails_where_it_is_wrong_and_only_there(layer: Any, other: str) -> None:
    formula, quantities = OTHERS[other]
    found = list(CHECKS["stationary_points"][layer.name](layer, formula))
    wrong = {one.quantity for one in found if not one.agrees}
    if isinstance(layer, FewDescents):
        assert ("singular values of U V^T" in wrong) == (other != "what it adds") and "loss" in wrong
    else:
        assert wrong == quantities & {one.quantity for one in found}


def test_searched_points_are_asked_for_the_ratio_of_their_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    held = FewDescents(planted([3.0, 2.0, 0.3], 2))
    own = sp.searched(held)
    moved = [(problem, replace(point, U=2 * point.U, V=point.V / 2)) for problem, point in own]
    monkeypatch.setattr(sp, "searched", lambda _: moved)
    wrong = {one.quantity for one in sp.stationary_points(held, CHOSEN) if not one.agrees}
    assert "eta_enc^2 U^T U = c V^T V" in wrong and "singular values of U V^T" not in wrong


def test_a_search_finds_saddles_and_minima_whatever_the_list_says() -> None:
    problem = planted([3.0, 2.0, 0.3], 2)
    found = sp.searched(FewDescents(problem))
    assert len(found) > sp.STARTS
    slopes = [gradient_norm(each, point) / curvature_scale(each) for each, point in found]
    assert max(slopes) < CLOSED_FORM_GRADIENT.value
    lowest = [certificate_at(each, point).smallest_hessian_eigenvalue for each, point in found]
    assert min(lowest) < -0.1 and max(lowest) > -FLOAT64_DERIVATIVE.value
    assert all(np.allclose(point.V, each.P_A.T @ point.W) for each, point in found)


def test_points_are_matched_with_the_nearest_choice() -> None:
    problem = next(sp._problems(Few(planted([3.0, 2.0, 0.3], 2))))
    for chosen in ((0, 1), (0,), (1,), ()):
        point = sp.assembled(CHOSEN, problem, chosen)
        matched, apart = sp.matched(CHOSEN, problem, point)
        assert matched == chosen and apart <= FLOAT64_IDENTITY.value
        farther = replace(point, U=1.1 * point.U)
        matched, apart = sp.matched(CHOSEN, problem, farther)
        largest = max((problem.spectrum[k] - LEVEL for k in chosen), default=0.0)
        assert matched == chosen
        assert apart == pytest.approx(0.1 * largest / max(1, 1.1 * largest), rel=FLOAT64_DERIVATIVE.value)
    assert sp.matched(Tuple(1 / (zeta[i] - 3), 0), problem, point) == ((), np.inf)
    noisy = replace(origin_of(problem), U=np.eye(problem.d2, 2), V=3 * np.eye(problem.d0, 2))
    assert sp.matched(CHOSEN, next(sp._problems(Few(planted([3.0, 0.5, 0.3], 2)))), noisy) == ((), np.inf)


def test_the_curvature_is_that_of_the_largest_mode_left_out_and_the_least_level() -> None:
    problem = next(sp._problems(Few(planted([3.0, 2.0, 0.8], 2))))
    ratio = 1.3**2 / LEVEL

    def smaller(level: float, singular: float) -> float:
        return float(np.linalg.eigvalsh([[2 * level * ratio, -2 * singular], [-2 * singular, 2 * level / ratio]])[0])

    expected = {(0, 1): smaller(2, 0.8), (0, 2): smaller(0.8, 2), (1,): smaller(LEVEL, 3), (): smaller(LEVEL, 3)}
    for chosen, value in expected.items():
        assert saddles._stated_curvature(CURVATURE, problem, chosen) == pytest.approx(
            value, rel=FLOAT64_DERIVATIVE.value
        )
    assert saddles._stated_curvature(CURVATURE, replace(problem, d1=3, sigma=np.full(3, 1.3)), (0, 1, 2)) == np.inf


@pytest.mark.parametrize("layer", [Few(planted([3.0, 2.0, 0.3], 2)), ExactLayer(0)])
def test_a_formula_may_not_call_a_saddle_a_minimum_or_the_reverse(layer: Any) -> None:
    check = CHECKS["saddle_curvature"][layer.name]
    quantities = {one.quantity for one in check(layer, CURVATURE)}
    assert len(quantities) == 2 and all(one.agrees for one in check(layer, CURVATURE))
    for other, quantity in ((sympy.Abs(CURVATURE), "loss above the least"), (-sympy.Abs(CURVATURE) - 1, "eigenvalue")):
        assert any(not one.agrees and quantity in one.quantity for one in check(layer, other)), quantity


@pytest.mark.parametrize("observable", FORMULAS)
def test_exact_numbers_uphold_them(observable: str) -> None:
    check, layer = CHECKS[observable]["exact"], ExactLayer(0)
    found = list(check(layer, FORMULAS[observable]))
    assert len(found) > 15 and all(one.agrees and one.residual == 0 and one.tolerance is EXACT for one in found)
    if observable == "saddle_curvature":
        assert sum(not one.agrees for one in check(layer, CURVATURE + Rational(1, 10**6))) > 10
    else:
        assert any(one.quantity == "lengths" for one in check(layer, Tuple(-product, adds)))


def test_exact_choices_leave_latents_over_and_take_the_lesser_of_two_modes() -> None:
    found = [(problem.d1 - len(chosen), chosen) for problem, chosen, _, _ in saddles._exact_ends(ExactLayer(0))]
    assert {0, 1, 2} <= {free for free, _ in found}
    assert (0, (1,)) in found
    ends = saddles._exact_ends(ExactLayer(0))
    assert {bool(value < 0) for _, _, value, _ in ends if value is not None} == {True, False}
    assert {bool(gap > 0) for *_, gap in ends} == {True, False} and any(value is None for _, _, value, _ in ends)


def test_the_curvature_of_a_loss_is_its_second_derivative() -> None:
    """At U = F Lambda, V = G Theta, 2 eta_dec^2 L bends by 2 (theta^2 + sigma^2) and 2 (lambda^2 + c), and by 2 (2 uv - zeta)."""
    layer = ExactLayer(0)
    problem = next(each for each in layer.problems("prior") if min(each.d1, each.dstar) > 1)
    c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
    decoder, encoder = 2 * unit(problem, 0, 0), 3 * unit(problem, 0, 0)
    scale = 2 * problem.eta_dec**2
    own = [scale * part for part in curvatures(layer, problem, decoder, encoder, 0, 0)]
    assert own == [2 * (9 + problem.eta_enc**2), 2 * (4 + c), 2 * (2 * 6 - problem.spectrum[0])]
    other = [scale * part for part in curvatures(layer, problem, decoder, encoder, 1, 1)]
    assert other == [2 * problem.eta_enc**2, 2 * c, -2 * problem.spectrum[1]]
    assert eigenvalues(sympy.S(5), sympy.S(1), sympy.S(3)) == (3 - sympy.sqrt(13), 3 + sympy.sqrt(13))
    at = mode_point(problem, decoder, encoder)
    assert at.W.shape == (len(problem.A), problem.d1) and at.variance.tolist() == [problem.eta_enc**2] * problem.d1
    assert (
        mode_point(problem, decoder, encoder, at.variance / 2).variance.tolist()
        == [problem.eta_enc**2 / 2] * problem.d1
    )


def test_residuals_are_relative_to_the_curvature_and_the_point() -> None:
    held, other = Few(planted([3.0, 2.0, 0.3], 2)), with_its_loss(4 * product)
    problem, chosen = sp.choices(held)[0]
    point = sp.assembled(other, problem, chosen)
    size = 1 + np.linalg.norm(point.W) + np.linalg.norm(point.U)
    first = next(one for one in sp.stationary_points(held, other) if one.quantity == "gradient")
    slope = gradient_norm(problem, point)
    assert first.residual == pytest.approx(slope / (curvature_scale(problem) * size), rel=FLOAT64_DERIVATIVE.value)
    wrong = [one.residual for one in saddles.saddle_curvature(held, CURVATURE - 1) if "eigenvalue" in one.quantity]
    scale = 2 * problem.eta_dec**2 * curvature_scale(problem)
    assert any(residual == pytest.approx(1 / scale, rel=FLOAT64_DERIVATIVE.value) for residual in wrong)


@pytest.mark.parametrize("units", [1 / 10**4, 10**4])
def test_which_products_are_seen_does_not_depend_on_the_units(units: float) -> None:
    (white,) = sp._problems(Few(planted([3.0, 2.0], 1)))
    assert white.zeta is not None
    scaled = {"C": units * white.C, "y2": units**2 * white.y2, "zeta": units * white.zeta}
    problem = replace(white, eta_dec=units * white.eta_dec, **scaled)
    for chosen in ((0,), (1,)):
        matched, apart = sp.matched(CHOSEN, problem, sp.assembled(CHOSEN, problem, chosen))
        assert matched == chosen and apart <= FLOAT64_IDENTITY.value
