"""Descent of one instance in NumPy: the derivatives and steps that are taken in torch."""

import numpy as np
import pytest
import torch
from single_instances import COUNT, OBJECTIVES, close, drawn, lone, numpy_row

from numerics import levenberg_marquardt
from numerics import lone_descent as lone_descent_module
from numerics.columns import overlap
from numerics.fast_descent import projected
from numerics.levenberg_marquardt import projected_descent
from numerics.lone_descent import LoneProjection, lone_descent
from numerics.objective import LEARNED_VARIANCES, Objective
from numerics.projection import Projection, whitened
from numerics.tolerances import (
    DESCENT_INVARIANT,
    FLOAT64_DERIVATIVE,
    FLOAT64_IDENTITY,
)

each_objective = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


@each_objective
def test_the_original_objective_is_the_same_in_numpy(objective: Objective) -> None:
    at, statistics = drawn(objective)
    for place in range(COUNT):
        one = (*lone(at, place), *lone(statistics, place))
        for name in ("loss", "hessian"):
            whole = getattr(objective, name)(*at, *statistics)[place]
            found = getattr(objective, name)(*one)
            assert found.shape == whole.shape
            assert close(found, whole, FLOAT64_IDENTITY.value)
        slope = objective.flat(objective.gradient(*one), batch=0)
        assert close(slope, objective.flat(objective.gradient(*at, *statistics))[place], FLOAT64_IDENTITY.value)
        cost = overlap(lone(at, place), lone(statistics, place), objective)
        assert close(cost, overlap(at, statistics, objective)[place], FLOAT64_IDENTITY.value)
        Z, _ = whitened(lone(statistics, place))
        assert close(Z @ Z.T, (whitened(statistics)[0] @ whitened(statistics)[0].mT)[place], FLOAT64_IDENTITY.value)


@each_objective
@pytest.mark.parametrize(("d2", "d1"), [(1, 1), (3, 2), (2, 4)])
def test_derivatives_are_those_of_the_projected_loss(objective: Objective, d2: int, d1: int) -> None:
    at, statistics = drawn(objective, d2, d1)
    X, whole = projected(at, statistics, objective), Projection.of(at, statistics, objective)
    further = whole.alternated(X)
    for place in range(COUNT):
        row = whole.rows(slice(place, place + 1))
        one = LoneProjection.of(Projection.of(lone(at, place), lone(statistics, place), objective), d1)
        # LAPACK may give the axes of A, and with them the columns of Y, other signs
        assert close(one.Y @ one.Y.T, row.Y[0] @ row.Y[0].mT, FLOAT64_IDENTITY.value)

        def loss(flat: torch.Tensor, row: Projection = row) -> torch.Tensor:
            return row.loss(flat.reshape(1, d2, d1))[0]

        flat = X[place].flatten()
        found = one.derivatives(X[place].numpy())
        assert close(found.loss, loss(flat), FLOAT64_IDENTITY.value)
        assert close(found.gradient, torch.autograd.functional.jacobian(loss, flat), FLOAT64_DERIVATIVE.value)
        assert close(found.hessian, torch.autograd.functional.hessian(loss, flat), FLOAT64_DERIVATIVE.value)
        assert close(one.alternated(X[place].numpy()), further[place], FLOAT64_IDENTITY.value)
        if whole.rest is not None:
            assert close(one.misfit(X[place].numpy()), whole.misfit(X)[place], FLOAT64_IDENTITY.value)


@each_objective
@pytest.mark.parametrize("turn", [False, True], ids=["straight", "turned"])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_steps_are_those_taken_in_torch(
    objective: Objective, scale: float, turn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step, from where the damping falls, rises and refuses, as long as rounding has not taken over."""
    for of in (levenberg_marquardt, lone_descent_module):
        monkeypatch.setattr(of, "_ALTERNATIONS", 0)
        monkeypatch.setattr(of, "_STRAIGHT", 0 if turn else 99)
    at, statistics = drawn(objective)
    statistics = statistics._replace(C=scale * statistics.C, y2=scale**2 * statistics.y2)
    X, whole = 3 * projected(at, statistics, objective), Projection.of(at, statistics, objective)
    moved = refused = 0
    many = [projected_descent(X, whole, most=most)[0] for most in range(1, 13)]
    for place in range(COUNT):
        one, before = LoneProjection.of(numpy_row(whole, place), X.shape[2]), X[place].numpy()
        for most, expected in enumerate(many, 1):
            found, ended = lone_descent(X[place].numpy(), one, most=most)
            if ended:
                break
            # a nearly singular damped Hessian enlarges rounding
            assert close(found, expected[place], DESCENT_INVARIANT.value)
            same = np.array_equal(found, before)
            moved, refused, before = moved + (not same), refused + same, found
    assert moved > 5 * COUNT
    assert refused > 0


def test_large_signals_end_too() -> None:
    """Terms of the loss as large as zeta^2 = 1e6 cancel, and rounding is relative to them."""
    generator = torch.Generator().manual_seed(0)
    for place in range(40):
        Y = 10**3 * torch.randn(3, 3, dtype=torch.float64, generator=generator)
        start = torch.randn(3, 3, dtype=torch.float64, generator=generator)
        _, ended = lone_descent(start.numpy(), LoneProjection.of(Projection(Y.numpy()), 3))
        assert ended, place


def test_the_last_step_lowers_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken where it does, and not where it does not."""
    at, statistics = drawn(LEARNED_VARIANCES)
    whole, lower = Projection.of(at, statistics, LEARNED_VARIANCES), 0
    for place in range(COUNT):
        one = LoneProjection.of(numpy_row(whole, place), 2)
        start = projected(at, statistics, LEARNED_VARIANCES)[place].numpy()
        calmed, _ = lone_descent(start, one)
        with monkeypatch.context() as patched:
            patched.setattr(lone_descent_module, "_calmed", lambda X, at, of: X)
            bare, _ = lone_descent(start, one)
        calm, steep = (np.linalg.norm(one.derivatives(X).gradient) for X in (calmed, bare))
        assert calm <= steep
        lower += calm < steep / 2
    assert lower > 0
    beside = calmed + 1 / 10**4
    at = one.derivatives(beside)
    assert not np.array_equal(lone_descent_module._calmed(beside, at, one), beside)
    assert np.array_equal(
        lone_descent_module._calmed(beside, at._replace(gradient=-at.gradient), one), beside
    )  # uphill


def test_a_saddle_is_left() -> None:
    """From next to the saddle with the second mode in the first one's place, and next to the origin."""
    of = LoneProjection.of(Projection(np.diag([3.0, 2.0])), 1)
    for start in ([[0.0], [3**0.5]], [[0.0], [0.0]]):
        for sign in (1, -1):
            X, ended = lone_descent(np.array(start) + sign * 1e-9, of)
            assert ended
            # an active mode costs 1 + log of its square, the other one its square
            assert abs(of.derivatives(X).loss - (1 + np.log(9) + 4)) <= FLOAT64_IDENTITY.value


@pytest.mark.parametrize("seed", range(3))
def test_near_ties_end_in_numpy_by_turning(seed: int) -> None:
    """Straight steps would take thousands; SciPy leaves 1e-7 at the first of these."""
    rng = np.random.default_rng(seed)
    for tie in (1e-3, 1e-5):
        zeta = 2 * (1 + tie * np.array([1.0, 0.3, -0.6]))
        left, right = (np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2))
        of = LoneProjection.of(Projection((left * zeta) @ right.T), 3)
        X, ended = lone_descent(rng.standard_normal((3, 3)), of)
        assert ended
        # an active mode costs 1 + log of its square
        assert abs(of.derivatives(X).loss - (3 + 2 * np.log(zeta).sum())) <= FLOAT64_IDENTITY.value
        assert np.abs(np.linalg.svd(X)[1] - np.sqrt(zeta**2 - 1)).max() <= DESCENT_INVARIANT.value
