"""Features in units of their own standard deviations, where a constant one has none."""

from __future__ import annotations

import numpy as np

from numerics.tolerances import RANK_CUTOFF

__all__ = ["inverse_scales", "variances_of"]


def variances_of(second: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Variances of features about their means, from moments; 0 where only rounding is left, as of a constant one."""
    variances = second - mean**2
    # what is not a number, of values whose squares are none, stays so
    return np.where(variances <= RANK_CUTOFF.value * second, 0.0, variances)


def inverse_scales(variances: np.ndarray, scale: str | None) -> np.ndarray:
    """What features are divided by, inverted; 0 for constant ones, whatever the units of the others are."""
    if scale is None:
        return np.ones_like(variances)
    return np.where(variances > 0, 1 / np.sqrt(np.where(variances > 0, variances, 1.0)), 0.0)
