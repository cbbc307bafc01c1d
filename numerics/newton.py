"""Minimisation of many small instances at once: saddle-free Newton steps, batched in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from numerics.objective import Parameters, Statistics, vae_gradient, vae_hessian, vae_loss
from numerics.starts import Scales
from numerics.tolerances import STEP_CURVATURE, STEP_DECREASE, STEP_GRADIENT, STEP_ROUNDING

__all__ = ["newton_descent"]

_MAX_STEPS = 400
_CALMER = 0.9  # once the loss drowns in rounding, a step must lower the gradient norm by this factor
# Levenberg–Marquardt damping, relative to the largest curvature: every step tries all of them. The smallest keeps flat
# directions (rotations, the null space of A) from amplifying rounding.
_DAMPING = (1e-11, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
# Lengths of a step along the direction of most negative curvature, in scaled parameters: a way off a saddle.
_ESCAPES = (1e-1, -1e-1, 1e-3, -1e-3)


def newton_descent(
    start: Parameters,
    statistics: Statistics,
    scales: Scales,
    *,
    learned: bool,
    finished: Callable[[int], None],
) -> Parameters:
    """Minimise `vae_loss` from given starts, each instance by itself.

    Where the Hessian is Q D Qᵀ, a step is −Q (|D| + μ)⁻¹ Qᵀ g, so that saddles repel. Each iteration evaluates the loss
    for a ladder of μ and takes the lowest: no state is carried from step to step, and no instance depends on another.
    Once decreases drown in rounding, the candidate with the smallest gradient is taken.

    Args:
        start: parameters with one batch dimension.
        statistics: of the same instances.
        scales: typical sizes of parameters and loss, of the same instances.
        learned: whether log σ² is a parameter; else it stays at its start.
        finished: called with the number of instances that have just ended.

    Returns:
        The parameters at the end of each descent.
    """
    result = Parameters(*(value.clone() for value in start))
    alive = torch.arange(len(start.W), device=start.W.device)
    for _ in range(_MAX_STEPS):
        at = Parameters(*(value[alive] for value in result))
        after, done = _step(at, _rows(statistics, alive), scales.rows(alive), learned)
        for whole, part in zip(result, after, strict=True):
            whole[alive] = part
        finished(int(done.sum()))
        alive = alive[~done]
        if len(alive) == 0:
            return result
    finished(len(alive))  # the certificate tells whether these are minima
    return result


def _rows(statistics: Statistics, index: Int[Tensor, " rows"]) -> Statistics:
    return Statistics(*(value[index] for value in statistics))


def _step(
    at: Parameters, statistics: Statistics, scales: Scales, learned: bool
) -> tuple[Parameters, Bool[Tensor, " batch"]]:
    """One step of every instance, and which of them were already at a minimum or can no longer move."""
    unit = scales.flat(at, learned)
    gradient = _flatten(vae_gradient(*at, *statistics), learned)
    size = unit.shape[-1]
    hessian = vae_hessian(*at, *statistics)[:, :size, :size] * unit[:, :, None] * unit[:, None, :]
    curvature, basis = torch.linalg.eigh(hessian / scales.loss[:, None, None])
    slope = (basis.mT @ (gradient * unit / scales.loss[:, None])[..., None])[..., 0]

    size_of = curvature.abs()
    damping = size_of.amax(-1)[:, None, None] * torch.tensor(_DAMPING, dtype=unit.dtype, device=unit.device)[:, None]
    newton = -slope[:, None, :] / (size_of[:, None, :] + damping)  # (batch, ladder, p) in the eigenbasis
    promise = (-newton[:, 0] * slope).sum(-1) / 2
    lengths = torch.tensor(_ESCAPES, dtype=unit.dtype, device=unit.device)
    escapes = (lengths[:, None] * basis[:, None, :, 0]) * unit[:, None]
    steps = torch.cat([(newton @ basis.mT) * unit[:, None], escapes], dim=1)

    trial = _move(at, steps, learned)
    wide = Statistics(*(value[:, None] for value in statistics))
    loss = vae_loss(*at, *statistics)
    change = (vae_loss(*trial, *wide) - loss[:, None]) / scales.loss[:, None]
    saddle = curvature[:, 0] < -STEP_CURVATURE.value
    change[:, len(_DAMPING) :].masked_fill_(~saddle[:, None], torch.inf)
    change = change.nan_to_num(nan=torch.inf)
    decrease, best = change.min(-1)

    # Near the minimum the loss no longer tells candidates apart; the gradient does.
    norm = torch.linalg.vector_norm(gradient, dim=-1)
    trial_norm = torch.linalg.vector_norm(_flatten(vae_gradient(*trial, *wide), learned), dim=-1)
    trial_norm = trial_norm.masked_fill(~(change <= STEP_ROUNDING.value), torch.inf)
    smallest, calmest = trial_norm.min(-1)
    by_loss = decrease < -STEP_ROUNDING.value
    by_gradient = ~by_loss & (smallest < _CALMER * norm)
    choice = torch.where(by_loss, best, calmest)
    moved = by_loss | by_gradient

    at_minimum = (norm <= STEP_GRADIENT.value) & (promise <= STEP_DECREASE.value) & ~saddle
    chosen = torch.take_along_dim(steps, choice[:, None, None], dim=1) * (moved & ~at_minimum)[:, None, None]
    after = Parameters(*(value[:, 0] for value in _move(at, chosen, learned)))
    return after, at_minimum | ~moved


def _flatten(parameters: Parameters, learned: bool) -> Float[Tensor, "*batch p"]:
    W, U, log_variance = parameters
    return torch.cat([W.flatten(-2), U.flatten(-2)] + ([log_variance] if learned else []), dim=-1)


def _move(at: Parameters, steps: Float[Tensor, "batch ladder p"], learned: bool) -> Parameters:
    """The points reached by several steps from each point, with a second batch dimension."""
    W, U, log_variance = (value[:, None] for value in at)
    sizes = [W[0].numel(), U[0].numel()]
    to_W, to_U, to_log_variance = steps.tensor_split([sizes[0], sum(sizes)], dim=-1)
    return Parameters(
        W + to_W.unflatten(-1, W.shape[-2:]),
        U + to_U.unflatten(-1, U.shape[-2:]),
        log_variance + to_log_variance if learned else log_variance.expand(-1, steps.shape[1], -1),
    )
