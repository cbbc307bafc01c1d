"""Inverse questions: which β η_dec² keeps so many modes, spends so many nats, or explains so much."""

from __future__ import annotations

import numpy as np

from numerics.prediction import Levels, level_for_explained, level_for_nats, levels_of_active

__all__ = ["inside", "levels_asked"]


def levels_asked(
    levels: Levels, latents: int, active: int | None, nats: float | None, explained: float | None
) -> tuple[float, float]:
    """[low, high) of β η_dec² that answers the question."""
    if active is not None:
        return levels_of_active(levels, latents, active)
    level = (
        level_for_nats(levels, latents, nats)
        if nats is not None
        else level_for_explained(levels, latents, explained or 0.0)
    )
    return level, level


def inside(low: float, high: float) -> float:
    """A level in [low, high): the geometric mean where both ends are finite and positive."""
    if low == high:
        return low
    if high == np.inf:
        return 2 * low
    return float(np.sqrt(low * high)) if low > 0 else high / 2
