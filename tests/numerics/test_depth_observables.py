"""What the layers make of one more layer: on which instances, what they take for local, and what they refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from few_layers import Few, FewDescents
from sympy import Rational, Tuple

from derivations.ledger import claims_by_id
from numerics.layers.exact import ExactLayer
from numerics.objective import Statistics, vae_gradient, vae_loss
from numerics.observables import depth
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.tolerances import EXACT, FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

CURVATURES, LOCAL = (claims_by_id()[name].standing.formula for name in ("x.depth", "x.depth-threshold"))
THRESHOLD = 0.5
"""Of planted instances: the least sigma of 0.5, times sqrt(beta) eta_dec/eta_enc = 1."""


def planted(zeta: list[float], sigma: list[float]) -> Problem:
    size = len(zeta)
    return planted_problem(
        np.random.default_rng(0), D0=size + 1, d2=size + 2, d1=len(sigma), zeta=np.array(zeta), phi=np.linspace(2, 1, size),
        residual=0.3, beta=4.0, eta_dec=0.75, eta_enc=1.5, sigma=np.array(sigma), name="planted",
    )  # fmt: skip


def test_the_curvatures_are_upheld_and_other_ones_told() -> None:
    held = Few(planted([3.0, 1.0], [2.0, 0.5, 1.0]))
    found = list(depth.depth_curvature(held, CURVATURES))
    assert [one.quantity for one in found] == [
        f"Hessian, two layers of the {which}" for which in ("decoder", "encoder")
    ]
    assert all(one.agrees and one.tolerance is FLOAT64_IDENTITY for one in found)
    decoder, encoder = CURVATURES.args
    for other, agrees in ((Tuple(decoder * 2, encoder), [False, True]), (Tuple(decoder, encoder * 2), [True, False])):
        assert [one.agrees for one in depth.depth_curvature(held, other)] == agrees
    real = replace(planted([3.0, 1.0], [2.0]), regimes=frozenset({"real-data"}))
    assert list(depth.depth_curvature(Few(real), CURVATURES)) == []


def test_exact_curvatures_are_upheld_and_other_ones_told() -> None:
    layer, off = ExactLayer(0), Rational(1, 10**6)
    found = list(depth.exact_depth_curvature(layer, CURVATURES))
    assert len(found) > 15 and all(one.agrees and one.residual == 0 and one.tolerance is EXACT for one in found)
    decoder, encoder = CURVATURES.args
    for place, other in ((0, Tuple(decoder + off, encoder)), (1, Tuple(decoder, encoder + off))):
        agree = [one.agrees for one in depth.exact_depth_curvature(layer, other)]
        assert not any(agree[place::2]) and all(agree[1 - place :: 2])


@pytest.mark.parametrize("which", [depth.DECODER, depth.ENCODER])
def test_exact_directions_move_all_three_layers(which: str) -> None:
    layer = ExactLayer(0)
    problem = next(each for each in layer.problems("fixed") if min(each.d1, each.dstar) > 1)
    found = depth._exact_curvatures(layer, problem, which)
    assert len(found) == depth.DIRECTIONS and len({str(alone) for alone, _ in found}) == depth.DIRECTIONS
    assert all(alone.shape == (problem.d0 if which == depth.DECODER else problem.d2, problem.d1) for alone, _ in found)
    assert all(bent > 0 for _, bent in found)


def test_instances_are_at_the_threshold_or_well_away_from_it() -> None:
    sigma = [2.0, 0.5]
    signals = [0.5, 0.49, 0.4, 0.51, 0.99, 1.1, 3.0]
    layer = Few(*(planted([signal, 0.1], sigma) for signal in signals))
    assert depth._threshold(layer.few[0]) == THRESHOLD
    found = depth._problems(layer)
    kept = [problem.spectrum[0] for problem in found if "times" not in problem.name]
    assert kept == pytest.approx([0.5, 0.4, 1.1, 3.0])
    moved = [problem.spectrum[0] / depth._threshold(problem) for problem in found if "times" in problem.name]
    assert moved == pytest.approx([5 / 6, 2] * len(signals))
    silent = planted([0.0, 0.0], sigma)
    assert depth._problems(Few(silent)) == [silent]
    assert depth._problems(Few(replace(silent, regimes=frozenset({"real-data"})))) == []
    exact = ExactLayer(0)
    assert depth._problems(exact) is exact.problems("fixed")


@pytest.mark.parametrize("layer", [Few, FewDescents])
def test_what_is_local_is_so_up_to_the_threshold(layer: Any) -> None:
    cases = {0.0: True, 0.4: True, 0.5: True, 1.1: False, 3.0: False}
    for signal, local in cases.items():
        problem = planted([signal, 0.0], [2.0, 0.5])
        assert depth._is_local(layer(problem), problem) is local
    held = layer(*(planted([signal, 0.0], [2.0, 0.5]) for signal in cases))
    assert all(one.agrees for one in depth.depth_minimum(held, LOCAL))
    assert not all(one.agrees for one in depth.depth_minimum(held, sympy.Not(LOCAL)))


def test_a_lower_point_is_found_near_the_origin_or_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = planted([3.0, 1.0], [2.0, 0.5])
    held = Few(problem)
    origin = held.loss(problem, depth._on_path(problem, 0.0))
    gains = [held.loss(problem, depth._on_path(problem, s)) - origin for s in (1 / 8, 1 / 16)]
    assert gains[1] < 0 and gains[0] / gains[1] == pytest.approx(16, rel=1 / 10)  # of fourth order
    at = depth._on_path(problem, 1 / 8)
    assert at.variance == pytest.approx([4.0, 0.25])
    assert np.flatnonzero(np.abs(at.U).sum(0)).tolist() == [1]  # the latent of the least sigma
    assert problem.P_A.T @ at.W * np.sqrt(problem.phi)[:, None] == pytest.approx(at.V)
    monkeypatch.setattr(depth, "_on_path", lambda *_: depth.Point(0 * at.W, at.U, 0 * at.V, at.variance))
    fresh = Few(replace(problem, name="other"))
    assert depth._is_local(fresh, fresh.few[0]) is None
    (finding, *_) = depth.depth_minimum(fresh, LOCAL)
    assert finding.residual == np.inf and not finding.agrees


def test_exact_numbers_know_on_which_side_the_origin_is() -> None:
    layer = ExactLayer(0)
    answers = {problem: depth._is_local(layer, problem) for problem in layer.problems("fixed")}
    assert set(answers.values()) == {True, False}
    for problem, local in answers.items():
        c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
        assert local is bool(problem.spectrum[0] <= min(problem.sigma) * sympy.sqrt(c))
    assert all(one.agrees for one in depth.depth_minimum(layer, LOCAL))


def test_what_the_loss_is_above_the_origin_is_its_difference_there_with_its_gradients() -> None:
    problem = planted([3.0, 1.0], [2.0, 0.5])
    assert problem.sigma is not None
    rng, statistics, log_variance = np.random.default_rng(1), Statistics.arrays_of(problem), 2 * np.log(problem.sigma)
    W, U = (rng.standard_normal((rows, 2)) for rows in (problem.D0, problem.d2))
    value, to_W, to_U = depth._above_origin(problem, W, U)
    scale = 2 * problem.eta_dec**2
    change = vae_loss(W, U, log_variance, *statistics) - vae_loss(0 * W, 0 * U, log_variance, *statistics)
    slope = vae_gradient(W, U, log_variance, *statistics)
    assert value == pytest.approx(scale * change, rel=FLOAT64_DERIVATIVE.value)
    assert to_W == pytest.approx(scale * slope.W, rel=FLOAT64_DERIVATIVE.value)
    assert to_U == pytest.approx(scale * slope.U, rel=FLOAT64_DERIVATIVE.value)
