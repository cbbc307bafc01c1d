"""One step of the trust region, against the quadratic model and the metric written out as matrices."""

import pytest
import torch

from numerics.blocks import DiagonalBlocks
from numerics.objective import Parameters, Statistics, vae_hessian
from numerics.tolerances import FLOAT64_DERIVATIVE
from numerics.truncated_newton import _Instance, _steihaug

D0, D2, D1 = 4, 3, 2


def instance(seed: int, distance: float) -> tuple[_Instance, torch.Tensor, torch.Tensor, torch.Tensor]:
    """An instance with a point, the Hessian there and the metric."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(D0, D0), normal(D2, D0)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    statistics = Statistics(M @ M.mT + torch.eye(D0), C, 20 + normal().square(), beta, eta_dec, eta_enc)
    point = Parameters(distance * normal(D0, D1), distance * normal(D2, D1), normal(D1))
    found = _Instance(point, statistics, learned=True)
    at = found.flat(point)
    blocks = DiagonalBlocks.at(point, statistics)
    units = torch.eye(len(at), dtype=torch.float64)
    inverse = torch.stack([found.flat(blocks.solve(found.shaped(unit))) for unit in units], 1)
    return found, at, vae_hessian(*point, *statistics), torch.linalg.inv(inverse)


@pytest.mark.parametrize("radius", [1e-3, 0.3, 3.0, 1e6])
@pytest.mark.parametrize("seed", range(6))
def test_a_step_keeps_its_promise_in_the_model_and_its_length_in_the_metric(seed: int, radius: float) -> None:
    """From near the origin, a saddle, and from far off."""
    for distance in (0.1, 1.0):
        found, at, hessian, metric = instance(seed, distance)
        gradient = found.gradient(at)
        solve = _steihaug(found, at, gradient, radius, 1.0)
        change = float(gradient @ solve.step + solve.step @ hessian @ solve.step / 2)
        size = float(gradient.abs() @ solve.step.abs() + solve.step.abs() @ hessian.abs() @ solve.step.abs())
        assert solve.promise > 0 and abs(solve.promise + change) <= FLOAT64_DERIVATIVE.value * size
        length = float(solve.step @ metric @ solve.step) ** 0.5
        assert length == pytest.approx(solve.length, rel=FLOAT64_DERIVATIVE.value)
        assert solve.length <= radius
        # it does no worse than the best multiple of the first direction within the region
        towards = torch.linalg.solve(metric, -gradient)
        curvature, slope = float(towards @ hessian @ towards), float(gradient @ towards)
        reach = radius / float(towards @ metric @ towards) ** 0.5
        far = min(reach, -slope / curvature) if curvature > 0 else reach
        cauchy = -(far * slope + far**2 * curvature / 2)
        assert solve.promise >= cauchy - FLOAT64_DERIVATIVE.value * size


def test_a_direction_of_negative_curvature_is_followed_to_the_edge() -> None:
    ends = 0
    for seed in range(6):
        found, at, hessian, _ = instance(seed, 0.1)
        solve = _steihaug(found, at, found.gradient(at), 1e6, 1.0)
        if solve.length == 1e6:
            assert float(solve.step @ hessian @ solve.step) < 0
            ends += 1
    assert ends >= 2
