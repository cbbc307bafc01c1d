"""Minimisation of many small instances at once: saddle-free Newton steps, batched in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.objective import Objective, Parameters, Statistics
from numerics.starts import Scales
from numerics.tolerances import STEP_CURVATURE, STEP_DECREASE, STEP_GRADIENT, STEP_ROUNDING

__all__ = ["newton_descent"]

_Point = TypeVar("_Point", Parameters, DecoderParameters, HeldParameters)

_MAX_STEPS = 4000
_CALMER = 0.9  # once the loss drowns in rounding, a step must lower the gradient norm by this factor
# Levenberg–Marquardt damping, relative to the largest curvature: every step tries all of them. The smallest keeps flat
# directions (rotations, the null space of A) from amplifying rounding.
_DAMPING = (1e-11, 1e-8, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1.0, 10.0)
# Lengths of a step along the direction of most negative curvature, in scaled parameters: a way off a saddle.
_ESCAPES = (1e-1, -1e-1, 1e-3, -1e-3)


def newton_descent(
    start: _Point,
    statistics: Statistics,
    scales: Scales,
    objective: Objective,
    *,
    finished: Callable[[int], None] = lambda count: None,
    most: int = _MAX_STEPS,
) -> _Point:
    """Minimise an objective from given starts, each instance by itself.

    Where the Hessian is Q D Qᵀ, a step is −Q (|D| + μ)⁻¹ Qᵀ g, so that saddles repel. Each iteration evaluates the loss
    for a ladder of μ and takes the lowest: no state is carried from step to step, and no instance depends on another.
    Once decreases drown in rounding, the candidate with the smallest gradient is taken.

    Args:
        start: parameters with one batch dimension.
        statistics: of the same instances.
        scales: typical sizes of parameters and loss, of the same instances.
        objective: the loss, and which of the parameters are free; the others stay at their start.
        finished: called with the number of instances that have just ended.
        most: how many steps to take at most.

    Returns:
        The parameters at the end of each descent.
    """
    result = type(start)(*(value.clone() for value in start))
    alive = torch.arange(len(start.W), device=start.W.device)
    for _ in range(most):
        if len(alive) == 0:
            return result
        at = type(result)(*(value[alive] for value in result))
        after, done = _step(at, _rows(statistics, alive), scales.rows(alive), objective)
        for whole, part in zip(result, after, strict=True):
            whole[alive] = part
        finished(int(done.sum()))
        alive = alive[~done]
    finished(len(alive))  # the certificate tells whether these are minima
    return result


def _rows(statistics: Statistics, index: Int[Tensor, " rows"]) -> Statistics:
    return Statistics(*(value[index] for value in statistics))


def _step(
    at: _Point, statistics: Statistics, scales: Scales, objective: Objective
) -> tuple[_Point, Bool[Tensor, " batch"]]:
    """One step of every instance, and which of them were already at a minimum or can no longer move."""
    unit = scales.flat(at, objective.free)
    loss = objective.loss(*at, *statistics)
    nats = torch.maximum(objective.size(at, statistics, scales.loss), loss.abs())
    gradient = objective.flat(objective.gradient(*at, *statistics))
    size = unit.shape[-1]
    hessian = objective.hessian(*at, *statistics)[:, :size, :size] * unit[:, :, None] * unit[:, None, :]
    curvature, basis = torch.linalg.eigh(hessian / nats[:, None, None])
    slope = (basis.mT @ (gradient * unit / nats[:, None])[..., None])[..., 0]

    size_of = curvature.abs()
    damping = size_of.amax(-1)[:, None, None] * torch.tensor(_DAMPING, dtype=unit.dtype, device=unit.device)[:, None]
    newton = -slope[:, None, :] / (size_of[:, None, :] + damping)  # (batch, ladder, p) in the eigenbasis
    promise = (-newton[:, 0] * slope).sum(-1) / 2
    lengths = torch.tensor(_ESCAPES, dtype=unit.dtype, device=unit.device)
    escapes = (lengths[:, None] * basis[:, None, :, 0]) * unit[:, None]
    steps = objective.shortened(torch.cat([(newton @ basis.mT) * unit[:, None], escapes], dim=1))

    trial = _move(at, steps, objective.free)
    wide = Statistics(*(value[:, None] for value in statistics))
    change = (objective.loss(*trial, *wide) - loss[:, None]) / nats[:, None]
    saddle = curvature[:, 0] < -STEP_CURVATURE.value
    change[:, len(_DAMPING) :].masked_fill_(~saddle[:, None], torch.inf)
    change = change.nan_to_num(nan=torch.inf)
    decrease, best = change.min(-1)

    # Near the minimum the loss no longer tells candidates apart; the gradient does.
    norm = torch.linalg.vector_norm(gradient, dim=-1)
    trial_norm = torch.linalg.vector_norm(objective.flat(objective.gradient(*trial, *wide), batch=2), dim=-1)
    trial_norm = trial_norm.masked_fill(~(change <= STEP_ROUNDING.value), torch.inf)
    smallest, calmest = trial_norm.min(-1)
    by_loss = decrease < -STEP_ROUNDING.value
    by_gradient = ~by_loss & (smallest < _CALMER * norm)
    choice = torch.where(by_loss, best, calmest)
    moved = by_loss | by_gradient

    at_minimum = (norm <= STEP_GRADIENT.value) & (promise <= STEP_DECREASE.value) & ~saddle
    chosen = torch.take_along_dim(steps, choice[:, None, None], dim=1) * (moved & ~at_minimum)[:, None, None]
    after = type(at)(*(value[:, 0] for value in _move(at, chosen, objective.free)))
    return after, at_minimum | ~moved | objective.escaped(after, statistics)


def _move(at: _Point, steps: Float[Tensor, "batch ladder p"], free: int) -> _Point:
    """The points reached by several steps from each point, with a second batch dimension."""
    batch, ladder, _ = steps.shape
    parts = iter(steps.split([value[0].numel() for value in at[:free]], dim=-1))
    values = [value[:, None].expand(batch, ladder, *value.shape[1:]) for value in at]
    moved = [value + part.reshape(value.shape) for value, part in zip(values[:free], parts, strict=True)]
    return type(at)(*moved, *values[free:])
