"""What certifies a block's ends: neither saddles nor points between modes, and the same in any unit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from numerics import volume
from numerics.closed_forms import least_losses
from numerics.falsify import certified
from numerics.fast_descent import fast_minima, lifted, projected
from numerics.objective import Statistics
from numerics.projection import Projection
from numerics.tolerances import DESCENT_GAP
from numerics.volume import ENCODERS, HARDSHIPS, draw_block

COUNT = 12
EVERY = range(len(HARDSHIPS) * len(ENCODERS))


@pytest.fixture(autouse=True)
def small_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "LARGEST", 5)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_neither_a_random_point_nor_a_saddle_is_certified(encoder: str) -> None:
    block = next(
        b for b in (draw_block(1, k, COUNT) for k in range(99)) if b.encoder == encoder and b.hardship == "spread"
    )
    assert not certified(block, block.start).any()
    end, diverged = fast_minima(block.start, block.statistics, block.scales, block.objective)
    # with a latent switched off in encoder and decoder, its variance the prior's, the point is stationary in all but that direction
    X = projected(end, block.statistics, block.objective)
    strong = X.square().sum(-2) > 1 / 10
    assert strong.any()
    off = end._replace(W=end.W * ~strong[:, None, :], U=end.U * ~strong[:, None, :])
    assert not (certified(block, off) & strong.any(-1) & ~diverged).any()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_no_point_between_nearly_tied_modes_is_certified(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The minimum turned by 20° to 40° in the plane of two modes 1e-8 apart: gradient, curvature and height are all as small."""
    monkeypatch.setattr(volume, "_tiny", lambda rng, *shape: 10 ** -rng.uniform(7.5, 8.5, shape))
    first = next(
        k for k in EVERY if (draw_block(1, k, 1).hardship, draw_block(1, k, 1).encoder) == ("near ties", encoder)
    )
    blocks = (draw_block(1, first + k * len(EVERY), COUNT) for k in range(99))
    wanted = (b for b in blocks if b.zeta.shape[1] > b.shape[2])
    planted = 0
    while planted < COUNT // 2:
        block = next(wanted)
        objective, statistics = block.objective, block.statistics
        end, diverged = fast_minima(block.start, statistics, block.scales, objective)
        projection, X = Projection.of(end, statistics, objective), projected(end, statistics, objective)
        F = torch.linalg.svd(projection.Y)[0]
        angle = torch.linspace(0.35, 0.7, COUNT, dtype=torch.float64)
        turn = torch.eye(block.shape[1], dtype=torch.float64).repeat(COUNT, 1, 1)
        last = block.shape[2]  # the first mode that has no latent
        for row, column, value in (
            (0, 0, angle.cos()),
            (last, last, angle.cos()),
            (0, last, -angle.sin()),
            (last, 0, angle.sin()),
        ):
            turn[:, row, column] = value
        at = lifted(F @ turn @ F.mT @ X, projection, block.start, statistics, objective)
        loss = objective.loss(*at, *statistics).numpy()
        stated = least_losses(block)
        high = (loss - stated) / np.maximum(1.0, np.abs(stated)) > DESCENT_GAP.value
        planted += int((high & ~diverged.numpy()).sum())
        assert not (certified(block, at).numpy() & high).any()


def test_moments_on_another_scale_are_certified_alike() -> None:
    """Certificates are dimensionless: x in other units changes nothing."""
    block = draw_block(1, 8, COUNT)
    other = Statistics(*block.statistics)._replace(A=block.statistics.A * 10**8, C=block.statistics.C * 10**4)
    scales = replace(block.scales, W=block.scales.W / 10**4)
    scaled = replace(block, statistics=other, scales=scales)
    for each in (block, scaled):
        end, diverged = fast_minima(each.start, each.statistics, each.scales, each.objective)
        assert (certified(each, end) | diverged).all()
