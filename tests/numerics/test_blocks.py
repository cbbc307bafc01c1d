"""The metric of large instances, written out as a matrix: the Hessian's own diagonal blocks, inverted and taken a root of."""

import pytest
import torch
from torch import Tensor

from numerics import blocks
from numerics.blocks import DiagonalBlocks
from numerics.objective import Parameters, Statistics, vae_hessian
from numerics.tolerances import FLOAT64_DERIVATIVE

D0, D2, D1 = 4, 3, 2
SIZES = (D0 * D1, D2 * D1, D1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> tuple[Parameters, Statistics]:
    """A point and data without a null space, every scale another one; no ridge is needed."""
    monkeypatch.setattr(blocks, "_RIDGE", 0.0)
    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(D0, D0), normal(D2, D0)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    at = Parameters(normal(D0, D1), normal(D2, D1), normal(D1))
    return at, Statistics(M @ M.mT + torch.eye(D0), C, 100 + normal().square(), beta, eta_dec, eta_enc)


def written_out(at: Parameters, statistics: Statistics) -> Tensor:
    """Of the Hessian, the three blocks of W, of U and of log σ²; of the last one the diagonal."""
    hessian = vae_hessian(*at, *statistics)
    parts = torch.block_diag(*(torch.ones(size, size) for size in SIZES)).bool()
    return torch.where(parts, hessian, torch.zeros(()))


def flat(point: Parameters) -> Tensor:
    return torch.cat([value.flatten() for value in point])


def matrix_of(function: object) -> Tensor:
    """A linear function of parameters as a matrix."""
    columns = []
    for unit in torch.eye(sum(SIZES), dtype=torch.float64):
        W, U, log_variance = unit.split(SIZES)
        columns.append(flat(function(Parameters(W.reshape(D0, D1), U.reshape(D2, D1), log_variance))))  # type: ignore[operator]
    return torch.stack(columns, 1)


def close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= FLOAT64_DERIVATIVE.value * other.abs().max())


def test_it_solves_with_the_diagonal_blocks_of_the_hessian(drawn: tuple[Parameters, Statistics]) -> None:
    M, found = written_out(*drawn), DiagonalBlocks.at(*drawn)
    assert close(matrix_of(found.solve) @ M, torch.eye(len(M), dtype=torch.float64))


def test_its_coordinates_make_it_the_identity(drawn: tuple[Parameters, Statistics]) -> None:
    M, found = written_out(*drawn), DiagonalBlocks.at(*drawn)
    T = matrix_of(found.from_metric)
    assert close(T.mT @ M @ T, torch.eye(len(M), dtype=torch.float64))
    assert close(matrix_of(found.to_metric), T.mT)


def test_its_extent_is_that_of_its_eigenvalues(drawn: tuple[Parameters, Statistics]) -> None:
    """Several of the three blocks have the smallest, and several the largest."""
    at, statistics = drawn
    ends = set()
    for W, U, variance in ((1.0, 1.0, 0.0), (0.1, 10, -3.0), (10, 0.1, 3.0), (10, 10, -4.0), (0.1, 0.1, 4.0)):
        point = Parameters(W * at.W, U * at.U, at.log_variance + variance)
        values, vectors = torch.linalg.eigh(written_out(point, statistics))
        for found, value in zip(DiagonalBlocks.at(point, statistics).extent(), values[[0, -1]].tolist(), strict=True):
            assert (
                abs(found - value) <= FLOAT64_DERIVATIVE.value * float(values[-1]) and abs(found / value - 1) < 1 / 1000
            )
        for end in (0, -1):
            weights = [float(part.square().sum()) for part in vectors[:, end].split(SIZES)]
            ends.add((end, weights.index(max(weights))))
    assert ends >= {(0, 1), (0, 2), (-1, 0), (-1, 1)}
