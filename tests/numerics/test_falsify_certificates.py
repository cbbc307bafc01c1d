"""What certifies a block's ends: neither saddles nor points between modes, and the same in any unit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from numerics import volume
from numerics.closed_forms import least_losses
from numerics.falsify import certified, conditions
from numerics.fast_descent import fast_minima, lifted, projected
from numerics.objective import Statistics
from numerics.projection import Projection
from numerics.tolerances import CERTIFIED_CURVATURE, DESCENT_GAP, PROJECTED_CURVATURE
from numerics.volume import ENCODERS, HARDSHIPS, Block, draw_block

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


def test_no_point_with_another_variance_of_a_latent_is_certified() -> None:
    """One log σ² moved: beside a large E‖y‖²/η_dec² that costs more than a gap before it shows in gradient or curvature."""
    planted, count = 0, 64
    for block in (draw_block(0, k, count) for k in range(2 * len(EVERY))):
        if block.encoder not in ("learned", "decoder") or block.hardship != "six decades of beta":
            continue
        end, diverged = fast_minima(block.start, block.statistics, block.scales, block.objective)
        shortest, stated = end.U.square().sum(-2).argmin(-1), least_losses(block)
        bounded = ~diverged.numpy() & np.isfinite(stated)
        for step in np.geomspace(1e-3, 1e-1, 9):
            moved = end.log_variance.clone()
            moved[torch.arange(count), shortest] += step
            at = end._replace(log_variance=moved)
            loss = block.objective.loss(*at, *block.statistics).numpy()
            above = np.where(bounded, loss, 0.0) - np.where(bounded, stated, 0.0)
            high = above > DESCENT_GAP.value * np.maximum(1.0, np.abs(np.where(bounded, stated, 0.0)))
            others = torch.stack([held for name, held in conditions(block, at).items() if name != "encoder"]).all(0)
            planted += int((high & others.numpy()).sum())
            assert not (certified(block, at).numpy() & high).any()
    assert planted > 3, "too few points that all other conditions let pass"


def scaled_hessian(block: Block, at: Any) -> torch.Tensor:
    objective, statistics = block.objective, block.statistics
    unit, free = block.scales.flat(at, objective.free), block.scales.flat(at, objective.free).shape[-1]
    nats = objective.size(at, statistics, block.scales.loss)
    hessian = objective.hessian(*at, *statistics)[:, :free, :free]
    return hessian * unit[:, :, None] * unit[:, None, :] / nats[:, None, None]


def at_the_origin(block: Block) -> Any:
    start: Any = block.start
    at = start._replace(W=0 * start.W, U=0 * start.U)
    prior = 2 * block.statistics.eta_enc.log()[:, None].expand_as(start.log_variance)
    return at if block.objective.free == 2 else at._replace(log_variance=prior)


def test_a_certificate_allows_no_more_negative_curvature_than_its_tolerances(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the origin of instances whose first mode is 1e-4 to 1e-11 above its threshold, or below: against all eigenvalues."""
    monkeypatch.setattr(volume, "_tiny", lambda rng, *shape: 10 ** -rng.uniform(4, 11, shape))
    seen: dict[str, list[float]] = {"curvature": [], "projected curvature": []}
    for k in EVERY:
        block = draw_block(3, k, 4 * COUNT)
        if block.hardship != "near thresholds":
            continue
        at = at_the_origin(block)
        reduced = Projection.of(at, block.statistics, block.objective).derivatives(
            projected(at, block.statistics, block.objective)
        )
        found = conditions(block, at)
        for name, hessian, allowed in (
            ("curvature", scaled_hessian(block, at), CERTIFIED_CURVATURE.value),
            ("projected curvature", reduced.hessian, PROJECTED_CURVATURE.value),
        ):
            largest = hessian.diagonal(dim1=1, dim2=2).amax(-1).clamp(min=1)
            lowest = torch.linalg.eigvalsh(hessian)[:, 0] / largest
            clear = (lowest + allowed).abs() > allowed / 10
            assert (found[name] == (lowest > -allowed))[clear].all()
            seen[name] += (lowest[clear] / allowed).tolist()
    for shares in seen.values():
        assert min(shares) < -1 and any(-100 < share < -1 for share in shares) and max(shares) > -1


def test_the_gradient_counts_alike_in_any_unit_of_the_input() -> None:
    def held(units: float) -> list[list[bool]]:
        """Of the ends of descent, and of the same with longer and longer encoders, the input being in other units."""
        block = draw_block(1, 8, COUNT)
        statistics = block.statistics._replace(A=block.statistics.A * units, C=block.statistics.C * units**0.5)
        block = replace(block, statistics=statistics, scales=replace(block.scales, W=block.scales.W / units**0.5))
        start = block.start._replace(W=block.start.W / units**0.5)
        end: Any = fast_minima(start, statistics, block.scales, block.objective)[0]
        further = [end._replace(W=end.W * (1 + step)) for step in (0.0, 1e-6, 1e-5, 1e-4)]
        return [conditions(block, at)["gradient"].tolist() for at in further]

    usual = held(1.0)
    assert all(usual[0]) and sum(usual[-1]) < COUNT / 4
    assert held(1e-8) == usual == held(1e8)
