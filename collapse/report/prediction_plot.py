"""A prediction as a picture: the spectrum with its level, active units against β, and the rate–distortion curve."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from collapse.prediction import Prediction
from derivations.errors import DataError
from numerics.prediction import Optimum

POINTS = 120
"""Of the rate–distortion curve."""
SPREAD = 30
"""How many times the smallest ζ² the largest may be on a linear scale."""
CROWDED = 60
"""From so many modes on markers are small and have no stems."""
DECADES = 2
"""Up to so many a logarithmic axis is labelled between powers of ten too."""
LABEL = 36
"""Letters in a line of an axis's label."""
BELOW = -0.18
"""Where the legend of the spectrum begins, in heights of the axes: under their label."""
FORMATS = (".png", ".pdf", ".svg")


def draw(found: Prediction, path: Path) -> None:
    """Draw into a file.

    Raises:
        DataError: matplotlib is not installed, or the format is unknown.
    """
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"--plot: {path.name} must end in {', '.join(FORMATS)}.")
    figure_of(found).savefig(path, dpi=150)


def figure_of(found: Prediction) -> Any:
    """A matplotlib figure of three panels; line styles and markers tell all apart, so that it reads in black and white.

    Raises:
        DataError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
    except ImportError:
        raise DataError(
            "--plot needs matplotlib: install this project with its extra, pip install '.[notebooks]'."
        ) from None
    o = found.optimum
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    spectrum, units, curve = figure.subplots(1, 3)
    squares = o.levels.zeta_squared
    # a mode with ζ² = 0 has no place on a logarithmic scale, nor anything to encode
    count = min(int(np.sum(squares > 0)), max(3 * found.active_modes, 30))
    shown, values, active = np.arange(1, count + 1), squares[:count], o.active[:count]
    logarithmic = values.max() / values.min() > SPREAD
    size = 6 if count < CROWDED else 3
    if count < CROWDED:
        spectrum.vlines(shown, values.min() / 2 if logarithmic else 0, values, color="0.7", linewidth=1)
    for which, marker, inside, label in (
        (active, "o", "black", "active"),
        (o.reached[:count] & ~active, "o", "white", "collapsed"),
        (~o.reached[:count], "x", "black", "without a latent"),
    ):
        if which.any():
            spectrum.plot(
                shown[which], values[which], marker, color="black", markerfacecolor=inside, markersize=size, label=label
            )
    spectrum.axhline(o.level, linestyle="--", color="black", label="level β η_dec²")
    spectrum.set(xlabel="mode i", ylabel=textwrap.fill(f"ζᵢ² ({found.squared_unit})", LABEL), title=found.name)
    if logarithmic:
        spectrum.set_yscale("log")
    spectrum.xaxis.get_major_locator().set_params(integer=True)
    # below the axes: inside, stems and level lie under it
    spectrum.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, BELOW), ncols=2)

    reachable = np.sort(found.critical_weights[: o.latents])
    reachable = reachable[reachable > 0]
    ends = min(reachable[0] / 2, found.weight / 2), max(reachable[-1] * 2, found.weight * 2)
    weights = np.concatenate([ends[:1], reachable, ends[1:]])
    counts = len(reachable) - np.searchsorted(reachable, weights, side="right")
    units.step(weights, counts, where="post", color="black")
    units.plot([found.weight], [found.active_modes], "D", color="black", label="your setting")
    name = "β" if found.eta_dec is not None else found.convention.knob or "weight"
    units.set(xlabel=name, ylabel="active units", xscale="log")
    units.yaxis.get_major_locator().set_params(integer=True)
    if np.log10(ends[1] / ends[0]) < DECADES:
        units.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        units.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        units.xaxis.set_minor_formatter(NullFormatter())
    units.legend(frameon=False)

    least = min(max(squares[squares > 0].min() / 2, squares[0] / 1e6), o.level)  # as far as the setting
    levels = np.geomspace(least, squares[0], POINTS)
    optima = [Optimum(o.levels, o.latents, float(level), 1.0, o.eta_enc) for level in levels]
    curve.plot([each.rate_nats for each in optima], [each.distortion for each in optima], color="black")
    curve.plot([o.rate_nats], [o.distortion], "D", color="black", label="your setting")
    curve.set(xlabel="rate (nats)", ylabel=textwrap.fill(f"E‖y − ŷ‖² ({found.squared_unit})", LABEL))
    curve.legend(frameon=False)
    return figure
