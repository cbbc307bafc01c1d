"""Numbers on a terminal."""

from __future__ import annotations

import math

__all__ = ["INDICATIVE", "percent", "significant"]

INDICATIVE = " (indicative only)"
"""What stands beside an answer that is not exact for the user's likelihood."""


def significant(value: float, figures: int = 6) -> str:
    """So many significant figures, whatever the unit; without an exponent from 1e-4 to the number of figures."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    shown = f"{value:.{figures - 1}e}"
    exponent = int(shown.partition("e")[2])
    if not -4 <= exponent < figures:
        return shown
    return f"{value:.{figures - 1 - exponent}f}"


def percent(share: float) -> str:
    """Two decimals, and no sign on a zero."""
    return f"{round(100 * share, 2) + 0.0:.2f} %"
