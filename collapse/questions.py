"""Inverse questions: which β η_dec² keeps so many modes, spends so many nats, or explains so much."""

from __future__ import annotations

import numpy as np

from collapse.conventions import Convention, weight_for
from derivations.errors import DataError
from numerics.prediction import Levels, level_for_explained, level_for_nats, levels_of_active

__all__ = ["inside", "levels_asked", "question_of", "weights_asked"]


def question_of(active: int | None, nats: float | None, explained: float | None, *, fixed: str | None) -> str | None:
    """The option that asks for β; None if none does.

    Raises:
        DataError: there are two, or another option has fixed β.
    """
    given = {"--active": active, "--nats": nats, "--explained": explained}
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) > 1:
        raise DataError(f"{asked[0]} and {asked[1]} both choose beta: give one of them.")
    if asked and fixed:
        raise DataError(f"{asked[0]} chooses beta: leave {fixed} out.")
    return asked[0] if asked else None


def weights_asked(
    convention: Convention,
    levels: Levels,
    latents: int,
    active: int | None,
    nats: float | None,
    explained: float | None,
) -> tuple[tuple[float, float], float]:
    """[low, high) of the loss's own weight that answers the question, and one inside."""
    low, high = levels_asked(levels, latents, active, nats, explained)
    ends = [weight_for(convention, end, levels.outputs, latents) if 0 < end < np.inf else end for end in (low, high)]
    return (ends[0], ends[1]), weight_for(convention, inside(low, high), levels.outputs, latents)


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
