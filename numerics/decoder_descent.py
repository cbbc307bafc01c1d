"""Minimisation with a learned decoder variance, whose infimum may be minus infinity: batched, by saddle-free Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from numerics.decoder_objective import LEARNED_DECODER, DecoderParameters
from numerics.newton import newton_descent
from numerics.objective import LEARNED_VARIANCES, Parameters, Statistics
from numerics.starts import Scales
from numerics.tolerances import DECODER_SLOPE

__all__ = ["decoder_descent"]

_SETTLING = 20  # steps of W, U and σ alone
_SETTLINGS = 20  # how often at most, before descent gives up on telling whether the loss falls for ever


def decoder_descent(
    start: DecoderParameters, statistics: Statistics, scales: Scales, *, finished: Callable[[int], None]
) -> tuple[DecoderParameters, Bool[Tensor, " batch"]]:
    """Minimise `decoder_loss` from given starts, each instance by itself.

    W, U and σ first come to rest at the decoder variance of the start: were it to fall ahead of them, they would have to turn
    in a ravine that narrows with it. Then all descend together.

    Args:
        start: parameters with one batch dimension.
        statistics: of the same instances.
        scales: typical sizes of parameters and loss, of the same instances.
        finished: called with the number of instances that have just ended.

    Returns:
        The parameters at the end of each descent, and where the loss falls without bound as η_dec² does: where η_dec² has
        passed the cut-off and, W, U and σ at their best for it, the loss still falls with it at a rate.
    """
    every = torch.arange(len(start.W), device=start.W.device)
    start = _settled(start, statistics, scales, every)
    end = newton_descent(start, statistics, scales, LEARNED_DECODER, finished=finished)
    escaped = LEARNED_DECODER.escaped(end, statistics)
    diverged = torch.zeros_like(escaped)
    for _ in range(_SETTLINGS):
        unsettled = every[escaped & ~diverged]
        if len(unsettled) == 0:
            break
        end = _settled(end, statistics, scales, unsettled)
        diverged = escaped & (LEARNED_DECODER.gradient(*end, *statistics).log_decoder > DECODER_SLOPE.value)
    return end, diverged


def _settled(
    at: DecoderParameters, statistics: Statistics, scales: Scales, index: Int[Tensor, " rows"]
) -> DecoderParameters:
    """The same points, but some with W, U and σ nearer to their best for the η_dec² they have."""
    some = DecoderParameters(*(value[index] for value in at))
    held = Statistics(*(value[index] for value in statistics))._replace(eta_dec=(some.log_decoder / 2).exp())
    nats = replace(scales.rows(index), loss=LEARNED_DECODER.size(some, held, scales.loss[index]))
    best = newton_descent(Parameters(*some[:3]), held, nats, LEARNED_VARIANCES, most=_SETTLING)
    result = DecoderParameters(*(value.clone() for value in at))
    for whole, part in zip(result, best, strict=False):
        whole[index] = part
    return result
