"""Attempts to break the theory: does descent end below a closed form, or at a certified minimum above it?

Most blocks are drawn at random. One in `LOCAL` is a local search: a quarter of it is drawn, and three times the worst quarter so
far is disturbed a little and tried again, so that a weak spot of descent, certificate or theory is dug at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.closed_forms import least_losses
from numerics.columns import overlap
from numerics.fast_descent import fast_minima, lifted, projected
from numerics.levenberg_marquardt import largest_curvature, newton_step
from numerics.objective import Statistics
from numerics.projection import Projection
from numerics.starts import Scales
from numerics.threads import one_thread
from numerics.tolerances import (
    CERTIFIED_CURVATURE,
    CERTIFIED_DECREASE,
    CERTIFIED_GRADIENT,
    COLUMN_OVERLAP,
    DESCENT_BELOW,
    DESCENT_GAP,
    PROJECTED_CURVATURE,
)
from numerics.volume import Block, disturbed_block, draw_block

__all__ = ["Attempt", "Trial", "attempt", "certified", "compared", "conditions", "is_local", "trial", "trials"]


LOCAL = 4
"""One block in so many is a local search,"""
ROUNDS = 4
"""of so many rounds."""
_BYTES = 1 << 25
"""Of the Hessians that are certified together."""


@dataclass(frozen=True)
class Attempt:
    """What came of one block: counts, the worst gaps with the instances they are at, and what speaks against the theory.

    search is "random" or "local". Gaps are (found − stated)/max(1, |stated|); against holds (instance, gap) where descent ended
    below the stated minimum, or above it with a certificate, or where the loss is unbounded in one and not in the other.
    `allowed` is the largest gap that passed for rounding on either side, or could have: it exceeds DESCENT_GAP where the terms of
    the loss are that much larger than the loss, at `loose` instances.
    """

    block: int
    hardship: str
    encoder: str
    search: str
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


@dataclass(frozen=True)
class Trial:
    """A block, and where descent ended on it: losses, the sizes of their largest terms, divergences and certificates."""

    block: Block
    loss: Float[np.ndarray, " count"]
    nats: Float[np.ndarray, " count"]
    diverged: Bool[np.ndarray, " count"]
    good: Bool[np.ndarray, " count"]

    # The dimensions of its fields differ from block to block.
    __no_type_check__ = True


def attempt(seed: int, number: int, count: int, device: str = "cpu") -> Attempt:
    """Try the instances of a block, see `trials`, and compare with the closed forms."""
    search = "local" if is_local(number) else "random"
    return _together([compared(trial, search) for trial in trials(seed, number, count, device)])


def is_local(number: int) -> bool:
    """Whether the block of a number is a local search; since `LOCAL` has no divisor in common with how many hardships and
    encoders there are, all of them are searched."""
    return number % LOCAL == LOCAL - 1


def trials(seed: int, number: int, count: int, device: str = "cpu") -> list[Trial]:
    """Draw a block and descend by the fast route; in a local search the block comes in rounds that start from the worst so far.

    Args:
        seed, number, count: of the block, see `draw_block`; count is of all rounds together.
        device: "cpu" or "cuda".
    """
    if not is_local(number) or count < ROUNDS:
        return [trial(draw_block(seed, number, count, device))]
    each = count // ROUNDS
    found = [trial(draw_block(seed, number, count - (ROUNDS - 1) * each, device))]
    for step in range(1, ROUNDS):
        rng = np.random.default_rng([seed, number, step])
        worst = max(found, key=lambda one: float(badness(one).max()))
        order = np.argsort(-badness(worst), kind="stable")[: max(1, each // 4)]
        found.append(trial(disturbed_block(rng, worst.block, np.resize(order, each), device)))
    return found


def trial(block: Block) -> Trial:
    """Descend on a block, and certify."""
    with one_thread():
        start: Any = block.start
        end, fell = fast_minima(start, block.statistics, block.scales, block.objective)
        loss, diverged = block.objective.loss(*end, *block.statistics).cpu().numpy(), fell.cpu().numpy()
        nats = block.objective.size(end, block.statistics, block.scales.loss).cpu().numpy()
        good = certified(block, end).cpu().numpy() & ~diverged
    return Trial(block, loss, nats, diverged, good)


def _gaps(one: Trial) -> tuple[Float[np.ndarray, " count"], Float[np.ndarray, " count"], Bool[np.ndarray, " count"]]:
    """Gaps relative to the closed form, how far below it a loss may lie for rounding, and where the form has no lower bound.

    Below the closed form is what lies below it by more than the rounding of the loss's largest term there, of size `nats`. A loss
    that is no number counts as far below.
    """
    stated = least_losses(one.block)
    unbounded = np.isneginf(stated)
    size = np.maximum(1.0, np.abs(np.where(unbounded, 1.0, stated)))
    without = one.diverged | unbounded
    gap = np.where(without, 0.0, (one.loss - np.where(unbounded, 0.0, stated)) / size)
    gap = np.where(np.isfinite(gap), gap, np.sign(np.nan_to_num(gap, nan=-1.0)) * np.finfo(np.float64).max)
    rounding = np.where(without, 0.0, DESCENT_BELOW.value * np.maximum(1.0, one.nats / size))
    return gap, rounding, unbounded


def badness(one: Trial) -> Float[np.ndarray, " count"]:
    """How near each instance comes to speaking against the theory: its gap as a share of what is allowed; without a certificate
    infinite."""
    gap, rounding, _ = _gaps(one)
    above = gap / np.maximum(DESCENT_GAP.value, rounding)
    below = -gap / np.maximum(DESCENT_BELOW.value, rounding)
    return np.where(one.good | one.diverged, np.maximum(above, below), np.inf)


def compared(one: Trial, search: str) -> Attempt:
    """Where descent ended, and whether it did with a certificate, against the closed forms."""
    block, good, diverged = one.block, one.good, one.diverged
    gap, rounding, unbounded = _gaps(one)
    above = good & ~(gap <= np.maximum(DESCENT_GAP.value, rounding))
    against = np.flatnonzero(above | ~(gap >= -rounding) | (diverged & ~unbounded) | (good & unbounded))
    return Attempt(
        block.number,
        block.hardship,
        block.encoder,
        search,
        block.shape,
        len(gap),
        int(good.sum()),
        int(diverged.sum()),
        (float(gap.max()), int(gap.argmax())),
        (float(gap.min()), int(gap.argmin())),
        float(np.maximum(DESCENT_GAP.value, rounding).max()),
        int(np.sum(rounding > DESCENT_GAP.value)),
        tuple(int(place) for place in np.flatnonzero(~good & ~diverged)),
        tuple((int(place), float(gap[place])) for place in against),
    )


def _together(rounds: list[Attempt]) -> Attempt:
    """The rounds of one block as one attempt; places are counted on from round to round."""
    first = list(accumulate((one.instances for one in rounds), initial=0))
    placed = list(zip(first, rounds, strict=False))
    return replace(
        rounds[0],
        instances=first[-1],
        certified=sum(one.certified for one in rounds),
        diverged=sum(one.diverged for one in rounds),
        worst_above=max((one.worst_above[0], start + one.worst_above[1]) for start, one in placed),
        worst_below=min((one.worst_below[0], start + one.worst_below[1]) for start, one in placed),
        allowed=max(one.allowed for one in rounds),
        loose=sum(one.loose for one in rounds),
        uncertified=tuple(start + place for start, one in placed for place in one.uncertified),
        against=tuple((start + place, gap) for start, one in placed for place, gap in one.against),
    )


def certified(block: Block, at: Any) -> Bool[Tensor, " count"]:
    """Which points are minima, as far as can be seen without the closed form of one: those that meet all `conditions`."""
    return torch.stack(list(conditions(block, at).values())).all(0)


def conditions(block: Block, at: Any) -> dict[str, Bool[Tensor, " count"]]:
    """What a certificate rests on, each by itself; all of it is dimensionless.

    "gradient" and "curvature": in the original parameters, in units of `Scales`, the gradient is small and the Hessian positive
    definite once CERTIFIED_CURVATURE is added (by Cholesky). "projected curvature": so is the Hessian of the least loss of each
    decoder, the Schur complement of the full one where the encoder is the best, with the smaller PROJECTED_CURVATURE: two nearly
    tied modes in each other's place differ in loss by as little as in curvature. "promise": Newton's step for the decoder would
    gain next to nothing. "encoder": nor would the best encoder, variances and decoder variance, in place of the point's own;
    beside a large loss of the data's they weigh little in the gradient. "overlap": columns of the decoder are orthogonal where
    they must be, see `overlap`.
    """
    size = max(1, _BYTES // (8 * block.scales.flat(at, block.objective.free).shape[-1] ** 2))
    parts = [_conditions(block, at, slice(first, first + size)) for first in range(0, len(at.W), size)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _conditions(block: Block, whole: Any, part: slice) -> dict[str, Bool[Tensor, " part"]]:
    objective = block.objective
    at = type(whole)(*(value[part] for value in whole))
    statistics = Statistics(*(value[part] for value in block.statistics))
    scales = Scales(block.scales.W[part], block.scales.U[part], block.scales.loss[part])
    unit = scales.flat(at, objective.free)
    nats = objective.size(at, statistics, scales.loss)
    gradient = objective.flat(objective.gradient(*at, *statistics)) * unit / nats[:, None]
    free = unit.shape[-1]
    hessian = objective.hessian(*at, *statistics)[:, :free, :free] * unit[:, :, None] * unit[:, None, :]
    projection, X = Projection.of(at, statistics, objective), projected(at, statistics, objective)
    reduced = projection.derivatives(X)
    _, promise, alone = newton_step(reduced, PROJECTED_CURVATURE.value * largest_curvature(reduced))
    loss = objective.loss(*at, *statistics)
    height = loss - objective.loss(*lifted(X, projection, at, statistics, objective), *statistics)
    allowed = torch.maximum(CERTIFIED_DECREASE.value * loss.abs().clamp(min=1), DESCENT_BELOW.value * nats)
    return {
        "gradient": torch.linalg.vector_norm(gradient, dim=-1) <= CERTIFIED_GRADIENT.value,
        "curvature": _definite(hessian / nats[:, None, None], CERTIFIED_CURVATURE.value),
        "projected curvature": alone,
        "promise": promise <= CERTIFIED_DECREASE.value * reduced.loss.abs().clamp(min=1),
        "encoder": height <= allowed,
        "overlap": overlap(at, statistics, objective) <= COLUMN_OVERLAP.value * nats.clamp(min=1),
    }


def _definite(hessian: Float[Tensor, "count p p"], shift: float) -> Bool[Tensor, " count"]:
    """Whether a Hessian is positive definite with a multiple of its largest diagonal entry (at least 1) added."""
    shifted = hessian.clone()
    diagonal = shifted.diagonal(dim1=1, dim2=2)
    diagonal += shift * diagonal.amax(-1).clamp(min=1)[:, None]
    return torch.linalg.cholesky_ex(shifted)[1] == 0
