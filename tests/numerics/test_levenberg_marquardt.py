"""Projected descent on the hardest spectra, against least losses written here anew, and steps that turn."""

import numpy as np
import pytest
import torch
from torch import Tensor

from numerics import levenberg_marquardt, lone_descent
from numerics.levenberg_marquardt import newton_step, projected_descent
from numerics.lone_descent import LoneProjection
from numerics.orbits import turned_left, turned_right
from numerics.projection import Projection
from numerics.tolerances import FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

COUNT = 200
RELATIVE_GAP = 1 / 10**10  # a tenth of DESCENT_GAP, on the worst spectra


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def spectra(kind: str, d: int) -> Tensor:
    """Squares of singular values over their threshold 1, non-increasing."""
    generator = torch.Generator().manual_seed(d)
    uniform = torch.rand(COUNT, d, dtype=torch.float64, generator=generator)
    tiny = 10 ** -(1 + 11 * torch.rand(COUNT, 1, dtype=torch.float64, generator=generator))
    level = 10 ** (2 * uniform - 1)
    chosen = {
        "spread": level,
        "near ties": level[:, :1] * (1 + tiny * uniform) * 2,
        "near thresholds": 1 + tiny * (2 * uniform - 1),
        "at thresholds": torch.ones_like(level),
        "over six decades": 10 ** (6 * uniform - 3),
        "zeros": level * (uniform > 1 / 2),
    }[kind]
    return chosen.sort(descending=True).values


def projections(squares: Tensor) -> Projection:
    d = squares.shape[-1]
    left, right = (torch.linalg.qr(normal(seed, COUNT, d, d))[0] for seed in (1, 2))
    return Projection((left * squares.sqrt()[:, None, :]) @ right.mT)


def least(squares: Tensor, d1: int) -> Tensor:
    """An active mode costs 1 + log ζ², any other ζ²."""
    gain = torch.where(squares > 1, squares - 1 - squares.clamp(min=1).log(), 0.0)
    return squares.sum(-1) - gain[:, :d1].sum(-1)


@pytest.mark.parametrize(
    "kind", ["spread", "near ties", "near thresholds", "at thresholds", "over six decades", "zeros"]
)
@pytest.mark.parametrize(("d", "d1"), [(3, 1), (3, 3), (4, 6)])
def test_every_spectrum_reaches_its_least_loss(kind: str, d: int, d1: int) -> None:
    squares = spectra(kind, d)
    projection = projections(squares)
    ended: list[int] = []
    X, steps = projected_descent(normal(3, COUNT, d, d1), projection, finished=ended.append)
    assert sum(ended) == COUNT
    assert steps.max() < levenberg_marquardt._MAX_STEPS
    gap = (projection.loss(X) - least(squares, d1)) / least(squares, d1).clamp(min=1 / 10**3)
    assert gap.abs().max() <= RELATIVE_GAP


def test_without_turning_ordinary_spectra_do_too() -> None:
    squares = spectra("spread", 4)
    projection = projections(squares)
    X, _ = projected_descent(normal(3, COUNT, 4, 2), projection, turn=False)
    assert ((projection.loss(X) - least(squares, 2)) / least(squares, 2)).abs().max() <= RELATIVE_GAP


def test_turning_saves_steps_in_near_ties() -> None:
    projection = projections(spectra("near ties", 3))
    straight, turned = (
        projected_descent(normal(3, COUNT, 3, 1), projection, turn=turn, most=200)[1] for turn in (False, True)
    )
    assert turned.max() < 200 == straight.max()


def test_a_saddle_is_left() -> None:
    """From next to the origin and to a saddle with the second mode in the first one's place."""
    squares = torch.tensor([[9.0, 4.0]], dtype=torch.float64).expand(COUNT, 2)
    projection = Projection(torch.diag_embed(squares.sqrt()))
    saddle = torch.tensor([[0.0], [3.0]], dtype=torch.float64).sqrt().expand(COUNT, 2, 1)
    for start in (torch.zeros_like(saddle), saddle):
        X, _ = projected_descent(start + normal(5, COUNT, 2, 1) / 10**8, projection)
        assert (projection.loss(X) - least(squares, 1)).abs().max() <= RELATIVE_GAP


def test_few_steps_end_where_they_are() -> None:
    projection = projections(spectra("spread", 3))
    X, steps = projected_descent(normal(3, COUNT, 3, 2), projection, most=2)
    assert steps.max() == 2
    assert X.isfinite().all()


def test_ordinary_spectra_end_within_fifty_steps() -> None:
    squares = spectra("spread", 4)
    projection = projections(squares)
    _, steps = projected_descent(normal(3, COUNT, 4, 6), projection, most=50)
    assert steps.max() < 50


@pytest.mark.parametrize(("d", "d1"), [(3, 3), (4, 6)])
def test_large_signals_end_where_rounding_begins(d: int, d1: int) -> None:
    """The loss grows as log zeta^2 only, but is a difference of terms as large as zeta^2, whose rounding is all that is left."""
    squares = spectra("spread", d) * 10**8
    projection = projections(squares)
    X, steps = projected_descent(normal(3, COUNT, d, d1), projection, most=300)
    assert steps.max() < 300
    gap = (projection.loss(X) - least(squares, d1)) / squares.sum(-1)
    assert gap.abs().max() <= FLOAT64_IDENTITY.value


def test_the_first_step_is_damped_relative_to_the_largest_curvature(monkeypatch: pytest.MonkeyPatch) -> None:
    """(H + mu) D = -g with mu a tenth of the largest entry of H's diagonal, or of 1, solved anew with torch's derivatives."""
    monkeypatch.setattr(levenberg_marquardt, "_ALTERNATIONS", 0)
    # large fixed variances make the curvature large
    projection = Projection(
        projections(100 * spectra("spread", 3)).Y, torch.full((COUNT, 2), 50.0, dtype=torch.float64)
    )
    start = normal(3, COUNT, 3, 2)
    after, _ = projected_descent(start, projection, most=1)
    moved = 0
    for k in range(20):
        one = projection.rows(slice(k, k + 1))

        def loss(flat: Tensor, one: Projection = one) -> Tensor:
            return one.loss(flat.reshape(1, 3, 2))[0]

        at = start[k].flatten()
        slope, H = torch.autograd.functional.jacobian(loss, at), torch.autograd.functional.hessian(loss, at)
        largest = H.diagonal().max().clamp(min=1)
        damped = H + largest / 10 * torch.eye(6, dtype=torch.float64)
        expected = at - torch.linalg.solve(damped, slope)
        if torch.linalg.eigvalsh(damped)[0] <= 0 or loss(expected) >= loss(at):
            assert torch.equal(after[k], start[k])
            continue
        assert (after[k].flatten() - expected).abs().max() <= FLOAT64_DERIVATIVE.value * expected.abs().max()
        moved += int(largest > 10)
    assert moved >= 10


def test_a_step_solves_its_damped_equation_and_promises_what_the_model_says() -> None:
    """−g.D − D.H D/2 with (H + mu) D = −g, and nothing where H + mu is not positive definite."""
    projection = projections(spectra("spread", 3))
    at = projection.derivatives(normal(3, COUNT, 3, 2))
    added = torch.linspace(0.01, 3, COUNT, dtype=torch.float64)
    step, promise, definite = newton_step(at, added)
    lowest = torch.linalg.eigvalsh(at.hessian)[:, 0] + added
    assert torch.equal(definite, lowest > 0) and 0 < definite.sum() < COUNT
    assert not step[~definite].any() and not promise[~definite].any()
    curved = (at.hessian @ step[..., None])[..., 0]
    left = (curved + added[:, None] * step + at.gradient)[definite]
    assert left.abs().max() <= FLOAT64_DERIVATIVE.value * at.gradient.abs().max()
    model = -(at.gradient * step).sum(-1) - (step * curved).sum(-1) / 2
    assert ((promise - model).abs() <= FLOAT64_DERIVATIVE.value * (1 + model.abs()))[definite].all()


def test_the_very_last_step_is_not_taken_to_where_a_nearly_tied_mode_would_do_better() -> None:
    """Next to the saddle with the second of two nearly equal modes in the first one's place, gradients fall towards the saddle."""
    zeta = torch.tensor([2 * (1 + 1 / 10**5), 2.0], dtype=torch.float64)
    projection = Projection(torch.diag_embed(zeta)[None])
    saddle = torch.tensor([[[0.0], [3.0]]], dtype=torch.float64).sqrt()
    beside = saddle + torch.tensor([[[0.0], [1 / 10**4]]], dtype=torch.float64)
    at = projection.derivatives(beside)
    assert newton_step(at, levenberg_marquardt.CALMING * levenberg_marquardt.largest_curvature(at))[2].all()
    there = levenberg_marquardt._calmed(levenberg_marquardt._State.first(beside, projection), projection)
    assert torch.equal(there, beside)
    of = LoneProjection.of(Projection(np.diag(zeta.numpy())), 1)
    alone = lone_descent._calmed(beside[0].numpy(), of.derivatives(beside[0].numpy()), of)
    assert np.array_equal(alone, beside[0].numpy())
    # one mode by itself has no other to give way to
    single = Projection(torch.full((1, 1, 1), 2.0, dtype=torch.float64))
    near = torch.full((1, 1, 1), 3**0.5 + 1 / 10**4, dtype=torch.float64)
    ended = levenberg_marquardt._calmed(levenberg_marquardt._State.first(near, single), single)
    assert (ended - 3**0.5).abs() < (near - 3**0.5).abs() / 100


@pytest.mark.parametrize("long", [1 / 10, 1.0, 3.0])
def test_a_turn_of_the_plane_is_a_product_of_complex_numbers(long: float) -> None:
    """From 1 along s i: the Omega i nearest to s i, 4 (Omega - s)^2 + (2 s^2)^2 Omega^2 being least, turns by Cayley's quotient."""
    X = torch.eye(2, dtype=torch.float64)
    J = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    half = long / (1 + long**4) / 2
    turned = (1 + half * 1j) / (1 - half * 1j) * (1 + long * 1j - 2 * half * 1j)
    for turn, way in ((turned_left, 1), (turned_right, 1), (turned_left, -1)):
        found = turn(X, way * long * J)
        assert (found - turned.real * X - way * turned.imag * J).abs().max() <= FLOAT64_IDENTITY.value * (1 + long)


@pytest.mark.parametrize(("turned", "d2", "d1"), [(turned_left, 4, 2), (turned_right, 2, 4), (turned_left, 2, 3)])
def test_a_turning_step_along_a_rotation_stays_on_it(turned: object, d2: int, d1: int) -> None:
    assert callable(turned)
    X, left = normal(1, COUNT, d2, d1), turned is turned_left
    size = d2 if left else d1
    spin = normal(2, COUNT, size, size) / 100
    D = (spin - spin.mT) @ X if left else X @ (spin - spin.mT)
    after = turned(X, D)
    before_gram, after_gram = (at.mT @ at if left else at @ at.mT for at in (X, after))
    straight = (X + D).mT @ (X + D) if left else (X + D) @ (X + D).mT
    assert (after_gram - before_gram).abs().max() < (straight - before_gram).abs().max() / 20
    assert (after - X - D).norm() < D.norm() / 10  # to first order the same step


@pytest.mark.parametrize("turned", [turned_left, turned_right])
def test_a_step_without_rotation_is_straight(turned: object) -> None:
    assert callable(turned)
    X = normal(1, COUNT, 3, 3)
    stretched = X * (1 + 1 / 100)
    assert (turned(X, stretched - X) - stretched).abs().max() <= FLOAT64_IDENTITY.value
    assert (turned(torch.zeros_like(X), X) - X).abs().max() <= FLOAT64_IDENTITY.value
