"""Attempts to break the theory: does descent end below a closed form, or at a certified minimum above it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.closed_forms import least_losses
from numerics.fast_descent import fast_minima, projected
from numerics.objective import Statistics
from numerics.projection import Projection
from numerics.starts import Scales
from numerics.tolerances import CERTIFIED_CURVATURE, CERTIFIED_GRADIENT, DESCENT_BELOW, DESCENT_GAP, PROJECTED_CURVATURE
from numerics.volume import Block, draw_block

__all__ = ["Attempt", "attempt", "certified"]


_BYTES = 1 << 25
"""Of the Hessians that are certified together."""


@dataclass(frozen=True)
class Attempt:
    """What came of one block: counts, the worst gaps with the instances they are at, and what speaks against the theory.

    Gaps are (found − stated)/max(1, |stated|); against holds (instance, gap) where descent ended below the stated minimum, or
    above it with a certificate, or where the loss is unbounded in one and not in the other. `allowed` is the largest gap that
    passed for rounding on either side, or could have: it exceeds DESCENT_GAP where the terms of the loss are that much larger
    than the loss, at `loose` instances.
    """

    block: int
    hardship: str
    encoder: str
    shape: tuple[int, int, int]
    instances: int
    certified: int
    diverged: int
    worst_above: tuple[float, int]
    worst_below: tuple[float, int]
    allowed: float
    loose: int
    uncertified: tuple[int, ...]
    against: tuple[tuple[int, float], ...]


def attempt(seed: int, number: int, count: int, device: str = "cpu") -> Attempt:
    """Draw a block, descend by the fast route, certify, and compare with the closed forms.

    Args:
        seed, number, count: of the block, see `draw_block`.
        device: "cpu" or "cuda".
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        block = draw_block(seed, number, count, device)
        start: Any = block.start
        end, fell = fast_minima(start, block.statistics, block.scales, block.objective)
        loss, diverged = block.objective.loss(*end, *block.statistics).cpu().numpy(), fell.cpu().numpy()
        nats = block.objective.size(end, block.statistics, block.scales.loss).cpu().numpy()
        good = certified(block, end).cpu().numpy() & ~diverged
    finally:
        torch.set_num_threads(threads)
    return compared(block, loss, nats, diverged, good)


def compared(
    block: Block,
    loss: Float[np.ndarray, " count"],
    nats: Float[np.ndarray, " count"],
    diverged: Bool[np.ndarray, " count"],
    good: Bool[np.ndarray, " count"],
) -> Attempt:
    """The losses where descent ended, and whether it did with a certificate, against those of the closed forms.

    Below the closed form is what lies below it by more than the rounding of the loss's largest term there, of size `nats`. A loss
    that is no number counts as far below.
    """
    stated = least_losses(block)
    unbounded = np.isneginf(stated)
    size = np.maximum(1.0, np.abs(np.where(unbounded, 1.0, stated)))
    gap = np.where(diverged | unbounded, 0.0, (loss - np.where(unbounded, 0.0, stated)) / size)
    gap = np.where(np.isfinite(gap), gap, np.sign(np.nan_to_num(gap, nan=-1.0)) * np.finfo(np.float64).max)
    rounding = np.where(diverged | unbounded, 0.0, DESCENT_BELOW.value * np.maximum(1.0, nats / size))
    above = good & ~(gap <= np.maximum(DESCENT_GAP.value, rounding))
    against = np.flatnonzero(above | ~(gap >= -rounding) | (diverged & ~unbounded) | (good & unbounded))
    return Attempt(
        block.number,
        block.hardship,
        block.encoder,
        block.shape,
        len(loss),
        int(good.sum()),
        int(diverged.sum()),
        (float(gap.max()), int(gap.argmax())),
        (float(gap.min()), int(gap.argmin())),
        float(np.maximum(DESCENT_GAP.value, rounding).max()),
        int(np.sum(rounding > DESCENT_GAP.value)),
        tuple(int(place) for place in np.flatnonzero(~good & ~diverged)),
        tuple((int(place), float(gap[place])) for place in against),
    )


def certified(block: Block, at: Any) -> Bool[Tensor, " count"]:
    """Which points are local minima, as far as their derivatives show: without any closed form, in the original parameters.

    The gradient and the Hessian in the original parameters, made dimensionless by `Scales`, are small, and positive definite once
    CERTIFIED_CURVATURE is added (by Cholesky). So is the projected Hessian, the Schur complement of the full one where the
    encoder is the best for the decoder, with the smaller PROJECTED_CURVATURE: two nearly tied modes in each other's place differ
    in loss by as little as in curvature.
    """
    size = max(1, _BYTES // (8 * block.scales.flat(at, block.objective.free).shape[-1] ** 2))
    parts = [slice(first, first + size) for first in range(0, len(at.W), size)]
    return torch.cat([_certified(block, at, part) for part in parts])


def _certified(block: Block, whole: Any, part: slice) -> Bool[Tensor, " part"]:
    objective = block.objective
    at = type(whole)(*(value[part] for value in whole))
    statistics = Statistics(*(value[part] for value in block.statistics))
    scales = Scales(block.scales.W[part], block.scales.U[part], block.scales.loss[part])
    unit = scales.flat(at, objective.free)
    nats = objective.size(at, statistics, scales.loss)
    gradient = objective.flat(objective.gradient(*at, *statistics)) * unit / nats[:, None]
    free = unit.shape[-1]
    hessian = objective.hessian(*at, *statistics)[:, :free, :free] * unit[:, :, None] * unit[:, None, :]
    full = _definite(hessian / nats[:, None, None], CERTIFIED_CURVATURE.value)
    projection = Projection.of(at, statistics, objective)
    alone = _definite(projection.derivatives(projected(at, statistics, objective)).hessian, PROJECTED_CURVATURE.value)
    return (torch.linalg.vector_norm(gradient, dim=-1) <= CERTIFIED_GRADIENT.value) & full & alone


def _definite(hessian: Float[Tensor, "count p p"], shift: float) -> Bool[Tensor, " count"]:
    """Whether a Hessian is positive definite with a multiple of its largest diagonal entry (at least 1) added."""
    shifted = hessian.clone()
    diagonal = shifted.diagonal(dim1=1, dim2=2)
    diagonal += shift * diagonal.amax(-1).clamp(min=1)[:, None]
    return torch.linalg.cholesky_ex(shifted)[1] == 0
