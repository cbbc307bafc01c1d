"""Which ζ_i² of a sample noise alone could have: noise of one variance s² in all D features, centred. For autoencoders.

Its sample eigenvalues fill Marchenko and Pastur's interval (1967); the largest varies about the upper end by Tracy and Widom's law,
once centred and scaled as Johnstone found (2001, Theorem 1.1), here with the ½ of Ma (2012) that makes rows and features alike.
Which modes stand above is told one after another, each beside those that it leaves (Kritchman & Nadler 2008).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

__all__ = ["FALSE_ALARM", "FEWEST_MODES", "noise_edge"]

FALSE_ALARM = 0.01
"""How often the largest ζ² of noise alone is above the edge."""
_TRACY_WIDOM = 2.0234
"""The quantile 1 − `FALSE_ALARM` of Tracy and Widom's law of order 1: 2.02 in Johnstone's Table 1 (2001); these digits are those of
the Fredholm determinant of Ferrari & Spohn (2005), which a test computes."""
FEWEST_MODES = 30
"""Modes from which on there is a bulk."""
_GRID = 20_001
_FLATNESS = 1.5
"""How many times as wide as that of pure noise the middle half of the spectrum may be, for the rest to count as noise."""


def noise_edge(zeta_squared: Float[np.ndarray, " modes"], n: int, features: int) -> tuple[float | None, str]:
    """What the largest ζ² of noise alone exceeds in `FALSE_ALARM` of all samples at this n and dimension, and why there is none
    where it does not apply.

    Args:
        zeta_squared: all min(n, features) eigenvalues, non-increasing.
        n: samples, centred.
        features: that vary.

    Returns:
        (edge, "") or (None, reason).
    """
    positive = zeta_squared[zeta_squared > zeta_squared[0] * np.finfo(np.float64).eps * features]
    free = n - 1  # the mean takes one
    fewer = min(free, features)
    if fewer < FEWEST_MODES:
        return None, f"with {fewer} eigenvalues there is no bulk to tell noise from"
    if len(positive) < fewer:
        return None, f"{fewer - len(positive)} eigenvalues vanish, which noise in every feature would not leave"
    moments = positive * n
    ratio = features / free
    # of fewer samples than features the eigenvalues are those of the transposed problem, D/n times as large
    low, middle, high = _quantiles(min(ratio, 1 / ratio)) * max(1.0, ratio)
    if np.quantile(moments, 0.75) / np.quantile(moments, 0.25) > _FLATNESS * high / low:
        return None, "the middle of the spectrum is too wide for noise of one variance"
    # the median, which strong modes do not move, says where to begin; the mean of what is left varies less
    above = int(np.sum(moments > np.median(moments) / (free * middle) * _largest(free, features)))
    while above and moments[above - 1] <= _edge(moments, above - 1, free, features):
        above -= 1
    while above < fewer // 2 and moments[above] > _edge(moments, above, free, features):
        above += 1
    return float(_edge(moments, above, free, features)) / n, ""


def _edge(moments: np.ndarray, above: int, free: int, features: int) -> float:
    """The edge of what is left without the leading modes: each takes a direction of the rows and one of the features."""
    rows, columns = free - above, features - above
    return float(moments[above:].sum()) / (rows * columns) * _largest(rows, columns)


def _largest(rows: int, columns: int) -> float:
    """The quantile of the largest eigenvalue of XᵀX, for independent standard normal entries of X."""
    one, other = np.sqrt(rows - 0.5), np.sqrt(columns - 0.5)
    return float((one + other) ** 2 + _TRACY_WIDOM * (one + other) * (1 / one + 1 / other) ** (1 / 3))


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
