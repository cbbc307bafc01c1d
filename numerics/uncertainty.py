"""How far ζ_i² of a sample may be from those of what it was drawn from, and which are sampling noise. For autoencoders.

Gaussian data and well separated eigenvalues: √n (log λ_i − log ℓ_i) tends to N(0, 2) (Anderson 1963). For others:
`numerics.bootstrap`. Noise of one variance s² in all D features has eigenvalues up to s² (1 + √(D/n))² (Marchenko & Pastur 1967);
s² is read off the median, as in Gavish & Donoho 2014.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError

__all__ = ["FEWEST", "LEVEL", "delta_intervals", "noise_edge"]

LEVEL = 0.95
"""Of intervals."""
FEWEST = 30
"""Samples from which on an asymptotic interval is given."""
_GRID = 20_001
_FLATNESS = 1.5
"""How many times as wide as that of pure noise the middle half of the spectrum may be, for the rest to count as noise."""


def delta_intervals(
    zeta_squared: Float[np.ndarray, " modes"], n: int, level: float = LEVEL
) -> Float[np.ndarray, "modes 2"]:
    """Intervals by the delta method: λ exp(± z √(2/n)), for Gaussian data with distinct eigenvalues.

    Args:
        zeta_squared: λ_i, in squared units.
        n: samples.
        level: the probability of covering ℓ_i, mode by mode.

    Raises:
        DataError: too few samples.
    """
    if n < FEWEST:
        raise DataError(f"intervals need at least {FEWEST} samples, got {n}: give more, or none are shown.")
    spread = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(2 / n)
    return np.stack([zeta_squared * np.exp(-spread), zeta_squared * np.exp(spread)], 1)


def noise_edge(zeta_squared: Float[np.ndarray, " modes"], n: int, features: int) -> tuple[float | None, str]:
    """The largest eigenvalue that noise alone would have at this n and dimension, and why there is none where it does not apply.

    Args:
        zeta_squared: all min(n, features) eigenvalues, non-increasing.
        n: samples, centred.
        features: that vary.

    Returns:
        (edge, "") or (None, reason).
    """
    positive = zeta_squared[zeta_squared > zeta_squared[0] * np.finfo(np.float64).eps * features]
    fewer = min(n - 1, features)
    if fewer < FEWEST:
        return None, f"with {fewer} eigenvalues there is no bulk to tell noise from"
    if len(positive) < fewer:
        return None, f"{fewer - len(positive)} eigenvalues vanish, which noise in every feature would not leave"
    ratio = features / n
    # of n < D samples the eigenvalues are those of the transposed problem, D/n times as large
    low, middle, high = _quantiles(min(ratio, 1 / ratio)) * max(1.0, ratio)
    if np.quantile(positive, 0.75) / np.quantile(positive, 0.25) > _FLATNESS * high / low:
        return None, "the middle of the spectrum is too wide for noise of one variance"
    return float(np.median(positive) / middle * (1 + np.sqrt(ratio)) ** 2), ""


@lru_cache(maxsize=64)
def _quantiles(ratio: float) -> np.ndarray:
    """The quartiles of the Marchenko–Pastur law with unit variance, for a ratio of at most 1."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    # λ = middle + half · cos φ makes the density smooth
    angle = np.linspace(np.pi, 0.0, _GRID)[1:]  # at a ratio of 1 the density has no value at 0
    values = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
    density = np.sin(angle) ** 2 / np.maximum(values, np.finfo(np.float64).tiny)
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp([0.25, 0.5, 0.75], mass / mass[-1], values)
