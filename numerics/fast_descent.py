"""The fast route to a minimum: descent over the decoder alone, everything else being the best for it at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.arrays import Array, namespace
from numerics.decoder_descent import decoder_descent
from numerics.decoder_objective import LEARNED_DECODER, DecoderParameters, HeldParameters
from numerics.levenberg_marquardt import projected_descent
from numerics.lone_descent import LoneProjection, lone_descent
from numerics.objective import Objective, Parameters, Statistics
from numerics.projection import Projection, whitened
from numerics.starts import Scales
from numerics.tolerances import DECODER_CUTOFF

__all__ = ["MOST_ALONE", "MOST_UNKNOWNS", "fast_descent", "fast_minima", "lifted", "lone_minimum", "projected"]

_Point = TypeVar("_Point", Parameters, DecoderParameters, HeldParameters)

MOST_UNKNOWNS = 200
"""d2 d1 up to which a step's Cholesky factorisation is cheap."""
MOST_ALONE = 64
"""d2 d1 up to which an instance by itself is taken in NumPy: its BLAS does not divide such matrices among threads, so that the last
digits do not depend on how many there are."""
_CHUNK = {"cpu": 1 << 23, "cuda": 1 << 29}
"""Bytes of Hessians that descend together: on a CPU enough that the few that take long do not walk alone, and little enough for
its caches (a quarter and four times as much are slower); or what occupies a GPU."""
_FEWEST = 16
_BYTES = 8


def fast_descent(
    start: _Point,
    statistics: Statistics,
    objective: Objective,
    *,
    finished: Callable[[int], None] = lambda count: None,
    turn: bool = True,
) -> _Point:
    """Minimise an objective from the decoders of given starts, each instance by itself.

    Args:
        start: parameters with one batch dimension; of these U (and where it is learned, log η_dec², for its scale) is read, and
            the variances where they are fixed.
        statistics: of the same instances.
        objective: FIXED_VARIANCES, LEARNED_VARIANCES, LEARNED_DECODER or LEARNED_DECODER_ALONE.
        finished: called with the number of instances that have just ended.
        turn: whether steps may turn along rotations.

    Returns:
        Where each descent ended, with the best encoder, variances and decoder variance for its U. A learned η_dec² that has
        passed the cut-off is left where it is.
    """
    projection, X = Projection.of(start, statistics, objective), projected(start, statistics, objective)
    chunk = max(_FEWEST, _CHUNK[X.device.type] // (_BYTES * X[0].numel() ** 2))
    ended = _past_the_cutoff if objective is LEARNED_DECODER else None
    for first in range(0, len(X), chunk):
        here = slice(first, first + chunk)
        X[here], _ = projected_descent(X[here], projection.rows(here), finished=finished, ended=ended, turn=turn)
    return lifted(X, projection, start, statistics, objective)


def fast_minima(
    start: _Point,
    statistics: Statistics,
    scales: Scales,
    objective: Objective,
    *,
    finished: Callable[[int], None] = lambda count: None,
) -> tuple[_Point, Bool[Tensor, " batch"]]:
    """`fast_descent`; what passes the cut-off of a learned decoder variance goes on by the plain route.

    Returns:
        Where each descent ended, and where the loss falls without bound.
    """
    end = fast_descent(start, statistics, objective, finished=finished)
    escaped = objective.escaped(end, statistics)
    diverged = torch.zeros_like(escaped)
    if escaped.any():
        index = escaped.nonzero()[:, 0]
        chosen: Any = type(end)(*(value[index] for value in end))
        rows = Statistics(*(value[index] for value in statistics))
        further, diverged[index] = decoder_descent(
            chosen, rows, scales.rows(index), objective, finished=lambda count: None
        )
        end = type(end)(*(value.index_copy(0, index, part) for value, part in zip(end, further, strict=True)))
    return end, diverged


def lone_minimum(start: Any, statistics: Statistics, objective: Objective) -> Any | None:
    """`fast_descent` of one instance, given without a batch and in NumPy, where that ends soon.

    Returns:
        Where descent ended; None where it takes many steps, or a learned η_dec² has passed the cut-off.
    """
    projection = Projection.of(start, statistics, objective)
    cutoff = DECODER_CUTOFF.value if objective is LEARNED_DECODER else 0.0
    of = LoneProjection.of(projection, start.U.shape[-1])
    X, ended = lone_descent(projected(start, statistics, objective), of, cutoff=cutoff)
    return lifted(X, of, start, statistics, objective) if ended else None


def projected(at: Any, statistics: Statistics, objective: Objective) -> Float[Array, "*batch d2 d1"]:
    """X of the decoders of a batch of points, or of one."""
    xp = namespace(at.U)
    held = xp.exp(at.log_decoder) if objective.frees(at, "log_decoder") else xp.square(statistics.eta_dec)
    return at.U * (statistics.eta_enc / xp.sqrt(statistics.beta * held))[..., None, None]


def _past_the_cutoff(X: Tensor, projection: Projection) -> Tensor:
    return projection.misfit(X) < DECODER_CUTOFF.value


def lifted(
    X: Float[Array, "*batch d2 d1"],
    projection: Projection | LoneProjection,
    start: Any,
    statistics: Statistics,
    objective: Objective,
) -> Any:
    """The original parameters, of the type of start, at projected points; W is zero on the null space of A."""
    xp = namespace(X)
    _, whitening = whitened(statistics)
    V = projection.eliminated(X).V
    prior = statistics.eta_enc
    log_variance = 2 * xp.log(prior)[..., None] - xp.log1p(xp.square(X).sum(-2))
    if not objective.frees(start, "log_variance"):
        log_variance = start.log_variance
    if not objective.frees(start, "log_decoder"):
        scale = xp.sqrt(statistics.beta) * statistics.eta_dec / prior
        return Parameters(whitening @ V * prior[..., None, None], X * scale[..., None, None], log_variance)
    variance = statistics.y2 * projection.misfit(X) / X.shape[-2]
    root = xp.sqrt(statistics.beta * variance)
    W = whitening @ V * (prior * xp.sqrt(statistics.y2) / root)[..., None, None]
    return start._replace(
        W=W, U=X * (root / prior)[..., None, None], log_variance=log_variance, log_decoder=xp.log(variance)
    )
