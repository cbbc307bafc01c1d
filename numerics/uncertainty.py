"""How far ζ_i² of a sample may be from those of what it was drawn from, by formulas. For autoencoders.

Gaussian data and well separated eigenvalues: √n (log λ_i − log ℓ_i) tends to N(0, 2) (Anderson 1963). Other modes, and features as
many as samples, push λ_i up: λ_i/ℓ_i tends to 1 + b_i with b_i = Σ_{j≠i} λ_j/(λ_i − λ_j)/n (Lawley 1956 for few features; Bai &
Ding 2012 for many), which is divided out, and widens the interval. Modes that are nearer to each other than sampling tells apart
have none: each is then a mixture of several. For other data: `numerics.bootstrap`.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float

from derivations.errors import DataError

__all__ = ["FEWEST", "LEVEL", "are_apart", "delta_intervals"]

LEVEL = 0.95
"""Of intervals."""
FEWEST = 30
"""Samples from which on an asymptotic interval is given."""
APART = 2.5
"""Standard deviations of a mode's log ζ² by which the neighbours' have to differ from it. Two equal modes are so far apart in a
fifth of all samples; at any distance of two, an interval is shown and misses in 6 % at most."""
WIDEST = 2.0
"""How many times as large other modes may make the variance of log ζ²; beyond, a mode is as good as one of them."""


def delta_intervals(
    zeta_squared: Float[np.ndarray, " modes"],
    n: int,
    level: float = LEVEL,
    *,
    remaining: float = 0.0,
    others: int = 0,
) -> Float[np.ndarray, "modes 2"]:
    """Intervals by the delta method, for Gaussian data; nan for modes that sampling does not tell apart from others.

    Args:
        zeta_squared: λ_i of centred samples, non-increasing, in squared units.
        n: samples.
        level: the probability of covering ℓ_i, mode by mode.
        remaining: the sum of the λ_j that are not among these.
        others: how many those are.

    Raises:
        DataError: too few samples.
    """
    if n < FEWEST:
        raise DataError(f"intervals need at least {FEWEST} samples, got {n}: give more, or none are shown.")
    score, free = NormalDist().inv_cdf((1 + level) / 2), n - 1  # the mean takes one
    found = np.full((len(zeta_squared), 2), np.nan)
    apart = are_apart(zeta_squared, np.full(len(zeta_squared), np.sqrt(2 / n)))
    if others:
        apart[-1] = False  # its neighbour is unknown
    mean, count = (remaining / others, others) if others else (0.0, 0)
    for i in np.flatnonzero(apart):
        value = zeta_squared[i]
        rest, unseen = np.delete(zeta_squared, i) / value, mean / value  # in its unit, whose square may be none
        lift = (np.sum(rest / (1 - rest)) + count * unseen / (1 - unseen)) / free
        bend = (np.sum(rest / (1 - rest) ** 2) + count * unseen / (1 - unseen) ** 2) / free
        if lift <= -1:
            continue
        wider = (1 + bend / (1 + lift)) / (1 + lift)
        if wider > WIDEST:
            continue
        spread = score * np.sqrt(2 / n * wider)
        found[i] = value * n / free / (1 + lift) * np.exp([-spread, spread])
    return found


def are_apart(
    zeta_squared: Float[np.ndarray, " modes"], deviations: Float[np.ndarray, " modes"], least: float = APART
) -> Bool[np.ndarray, " modes"]:
    """Which modes are at least so many deviations of their log ζ² from both neighbours; none without variance is."""
    there = zeta_squared > 0
    logs = np.log(np.where(there, zeta_squared, np.finfo(np.float64).tiny))
    gaps = np.concatenate([[np.inf], logs[:-1] - logs[1:], [np.inf]])
    return there & (np.minimum(gaps[:-1], gaps[1:]) > least * deviations)
