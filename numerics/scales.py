"""Features in units of their own standard deviations, where a constant one has none."""

from __future__ import annotations

import numpy as np

from derivations.errors import DataError
from numerics.tolerances import RANK_CUTOFF

__all__ = ["constant_among", "inverse_scales", "refuse_constant", "variances_of"]


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


def constant_among(variances: np.ndarray) -> int:
    """How many features are constant; not those of a small unit, which count once features are in units of their deviations."""
    return int(np.sum(variances == 0))


def refuse_constant(largest: float, name: str, centre: bool) -> None:
    """Refuse data of which the largest variance is 0, or none.

    Raises:
        DataError: it is.
    """
    if not np.isfinite(largest):
        raise DataError(f"{name} holds values too large to be squared in float64: give them in a larger unit.")
    if not largest > 0:
        what = "the same sample again and again" if centre else "zeros only"
        raise DataError(f"{name} holds {what}: nothing varies, so there is nothing to encode.")
