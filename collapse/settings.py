"""What a person may set, checked: weights, standard deviations, numbers of latents."""

from __future__ import annotations

import numpy as np

from collapse.conventions import Convention
from derivations.errors import DataError

__all__ = ["THEORY", "checked_beta", "checked_deviation", "checked_latents", "checked_unit", "deviation_of"]

THEORY = "theory"
"""The convention E‖y − ŷ‖²/(2 η_dec²) + β KL."""
_WIDEST, _MOST_LATENTS = 1e15, 10**6
_SENSIBLE, _FARTHEST = 1e30, 1e305
"""A β beyond the first, or below its inverse, is a slip; ζ² over β η_dec² beyond the second overflows when squared or divided."""


def checked_beta(beta: float) -> float:
    if not (np.isfinite(beta) and 1 / _SENSIBLE < beta < _SENSIBLE):
        raise DataError(f"--beta must be positive and of a sensible size, got {beta!r}.")
    return float(beta)


def checked_deviation(name: str, value: float) -> None:
    if not 1 / _WIDEST < value < _WIDEST:
        raise DataError(f"{name} is a standard deviation, positive and of a sensible size; got {value!r}.")


def checked_latents(latents: int | None, modes: int, *, complete: bool) -> int:
    if latents is None:
        return modes
    if not 1 <= latents <= _MOST_LATENTS:
        raise DataError(f"--latents must lie between 1 and {_MOST_LATENTS}, got {latents}.")
    return latents if complete else min(latents, modes)


def checked_unit(largest: float, level: float) -> None:
    """Refuse a level so far below the largest ζ² that their ratio is no number of float64."""
    if largest > _FARTHEST * level:
        raise DataError(
            f"the largest ζ² is {largest:.3g} and the level β η_dec² {level:.3g}, too far apart to compute with: give the data in "
            "a larger unit, or choose another setting."
        )


def deviation_of(convention: Convention, loss: str | None, eta_dec: float | None, learn: bool) -> float | None:
    """The decoder's standard deviation that the loss has: where it is the theory's."""
    if loss not in (None, THEORY):
        if learn:
            raise DataError(
                "--learn-eta-dec is for the theory's own loss, with its partition function: leave --loss out."
            )
        if eta_dec is not None:
            raise DataError(
                "--eta-dec is for the theory's own loss: give eta_dec=… as a part of --loss, or leave --loss out."
            )
        return None
    if learn and eta_dec is not None:
        raise DataError("--learn-eta-dec finds eta_dec: leave --eta-dec out.")
    found = 1.0 if eta_dec is None else eta_dec
    checked_deviation("--eta-dec", found)
    return found
