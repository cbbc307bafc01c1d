"""Minimisation with a learned decoder variance, whose infimum may be minus infinity: batched, by saddle-free Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.newton import newton_descent
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.starts import Scales
from numerics.tolerances import DECODER_SLOPE, STEP_CURVATURE, STEP_DECREASE

__all__ = ["decoder_descent"]

_Point = TypeVar("_Point", DecoderParameters, HeldParameters)

_SETTLING = 20  # steps of W, U and σ alone
_SETTLINGS = 20  # how often at most, before descent gives up on telling whether the loss falls for ever


def decoder_descent(
    start: _Point, statistics: Statistics, scales: Scales, objective: Objective, *, finished: Callable[[int], None]
) -> tuple[_Point, Bool[Tensor, " batch"]]:
    """Minimise `decoder_loss` from given starts, each instance by itself.

    W, U and σ first come to rest at the decoder variance of the start: were it to fall ahead of them, they would have to turn
    in a ravine that narrows with it. Then all descend together.

    Args:
        start: parameters with one batch dimension.
        statistics: of the same instances.
        scales: typical sizes of parameters and loss, of the same instances.
        objective: LEARNED_DECODER or LEARNED_DECODER_ALONE.
        finished: called with the number of instances that have just ended.

    Returns:
        The parameters at the end of each descent, and where the loss falls without bound as η_dec² does: where η_dec² has
        passed the cut-off and, W, U and σ at their best for it, the loss still falls with it at a rate.
    """
    every = torch.arange(len(start.W), device=start.W.device)
    start = _settled(start, statistics, scales, objective, every)
    end = newton_descent(start, statistics, scales, objective, finished=finished)
    end = _off_the_edge(end, statistics, scales, objective)
    escaped = objective.escaped(end, statistics)
    diverged = torch.zeros_like(escaped)
    for _ in range(_SETTLINGS):
        unsettled = every[escaped & ~diverged]
        if len(unsettled) == 0:
            break
        end = _settled(end, statistics, scales, objective, unsettled)
        diverged = escaped & (objective.gradient(*end, *statistics).log_decoder > DECODER_SLOPE.value)
    return end, diverged


def _off_the_edge(end: _Point, statistics: Statistics, scales: Scales, objective: Objective) -> _Point:
    """The same points, but those at the end of a flat valley moved into it.

    There the loss is quartic: curvature that is still negative gains less than rounding, and no step shows it.
    """
    lowest = torch.linalg.eigvalsh(objective.hessian(*end, *statistics))[:, 0]
    index = (~objective.escaped(end, statistics) & (lowest < -STEP_CURVATURE.value)).nonzero()[:, 0]
    further = _settled(end._replace(log_decoder=end.log_decoder - 1), statistics, scales, objective, index)
    rise = objective.loss(*further, *statistics) - objective.loss(*end, *statistics)
    level = rise <= STEP_DECREASE.value * objective.size(end, statistics, scales.loss)
    index = index[level[index]]
    rows = Statistics(*(value[index] for value in statistics))
    return _changed(end, index, newton_descent(_some(further, index), rows, scales.rows(index), objective))


def _settled(
    at: _Point, statistics: Statistics, scales: Scales, objective: Objective, index: Int[Tensor, " rows"]
) -> _Point:
    """The same points, but some with W, U and what is free of σ nearer to their best for the η_dec² they have."""
    some = _some(at, index)
    held = Statistics(*(value[index] for value in statistics))._replace(eta_dec=(some.log_decoder / 2).exp())
    nats = replace(scales.rows(index), loss=objective.size(some, held, scales.loss[index]))
    others = LEARNED_VARIANCES if objective.frees(at, "log_variance") else FIXED_VARIANCES
    best = newton_descent(Parameters(some.W, some.U, some.log_variance), held, nats, others, most=_SETTLING)
    return _changed(at, index, some._replace(**best._asdict()))


def _some(at: _Point, index: Int[Tensor, " rows"]) -> _Point:
    return type(at)(*(value[index] for value in at))


def _changed(at: _Point, index: Int[Tensor, " rows"], some: _Point) -> _Point:
    """The same points, but for some."""
    return type(at)(*(value.index_copy(0, index, part) for value, part in zip(at, some, strict=True)))
