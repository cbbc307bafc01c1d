"""What sampling leaves open of ζ_i²: intervals, by which method and for which modes; and which modes noise alone could have."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from collapse.reading import Rows
from derivations.errors import DataError
from numerics.noise import FALSE_ALARM, noise_edge
from numerics.spectra import Spectrum
from numerics.uncertainty import FEWEST, delta_intervals

__all__ = ["METHODS", "Sampling", "sampling_of"]

METHODS = ("asymptotic", "bootstrap", "none")
"""Of --intervals."""
_MOST = 1 << 30
"""Bytes of data that the bootstrap holds."""
_ROWS_PER_INPUT = 4
"""Samples per input from which on a resample, whose distinct rows are 0.63 of them, tells how far a regression can be off."""
EMPTY = "without variance"
NOISE = "no larger than noise alone has"
CLOSE = "too near others for sampling to tell apart"
"""Why a mode has no interval."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """What sampling leaves open.

    Args:
        intervals: 95 % intervals of ζ_i², shape (modes, 2), nan where a mode has none; None without any.
        method: "asymptotic" or "bootstrap"; None without intervals.
        reasons: by mode, why it has no interval; empty where it has one, and where none was asked for.
        edge: the ζ² that noise of one variance in all features exceeds in 1 % of samples; None where that does not apply.
        notes: what to say of all this, a line each.
    """

    intervals: np.ndarray | None
    method: str | None
    reasons: tuple[str, ...]
    edge: float | None
    notes: tuple[str, ...]


def sampling_of(method: str, spectrum: Spectrum, x: Rows, y: Rows | None, centre: bool, scale: str | None) -> Sampling:
    """Intervals, noise, and lines that say which modes have any, and why others have none.

    Raises:
        DataError: the method is unknown, or the bootstrap cannot be had.
    """
    intervals, used, line = _intervals_of(method, spectrum, x, y, centre, scale)
    edge, noise = _noise_of(spectrum)
    squares = spectrum.zeta_squared
    if intervals is None:
        why = line.removeprefix("no intervals: ")
        return Sampling(None, None, (why,) * len(squares), edge, tuple(filter(None, (line, noise))))
    if edge is not None:
        intervals[squares <= edge] = np.nan
    reasons = [
        "" if low == low else EMPTY if square == 0 else NOISE if edge is not None and square <= edge else CLOSE
        for square, (low, _) in zip(squares, intervals, strict=True)
    ]
    found = [each for each in (NOISE, CLOSE) if each in reasons]
    lines = [
        f"no interval for {_modes([k + 1 for k, each in enumerate(reasons) if each == why])}: {why}" for why in found
    ]
    return Sampling(intervals, used, tuple(reasons), edge, tuple(filter(None, (line, *lines, noise))))


def _modes(numbers: list[int]) -> str:
    """Modes by number, in runs; the first few of many runs."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in runs[:_RUNS])
    more = sum(high - low + 1 for low, high in runs[_RUNS:])
    return f"mode{'s' if len(numbers) > 1 else ''} {shown}{f' and {more} more' if more else ''}"


_RUNS = 6
"""Runs of modes that are named."""


def _noise_of(spectrum: Spectrum) -> tuple[float | None, str]:
    """The edge of noise, with a line that says what lies above it or why there is none."""
    if not (spectrum.autoencoder and spectrum.centred and spectrum.complete):
        return None, ""
    edge, reason = noise_edge(spectrum.zeta_squared, spectrum.n, spectrum.inputs - spectrum.constant)
    if edge is None:
        return None, f"no edge of sampling noise: {reason}"
    above = int(np.sum(spectrum.zeta_squared > edge))
    what = {0: "no mode stands", 1: "1 mode stands"}.get(above, f"{above} modes stand")
    return edge, (
        f"{what} out of sampling noise: the largest ζ² of noise of one variance in all features exceeds {edge:.5g} in "
        f"{100 * FALSE_ALARM:g} % of samples (Tracy–Widom)"
    )


def _intervals_of(
    method: str, spectrum: Spectrum, x: Rows, y: Rows | None, centre: bool, scale: str | None
) -> tuple[np.ndarray | None, str | None, str]:
    if method not in METHODS:
        raise DataError(f"--intervals must be one of {', '.join(METHODS)}; got {method!r}.")
    if method == "none":
        return None, None, ""
    if method == "bootstrap":
        return _bootstrap(spectrum, x, y, centre, scale)
    reason = _why_not_asymptotic(spectrum, scale)
    if reason:
        return None, None, f"no intervals: {reason}"
    squares = spectrum.zeta_squared
    unseen = 0 if spectrum.complete else min(spectrum.n - 1, spectrum.inputs - spectrum.constant) - len(squares)
    found = delta_intervals(squares, spectrum.n, remaining=spectrum.total - float(squares.sum()), others=max(0, unseen))
    return found, method, (
        "95 % intervals of the population's ζ² by the delta method, for Gaussian samples; --intervals bootstrap for others"
    )  # fmt: skip


def _why_not_asymptotic(spectrum: Spectrum, scale: str | None) -> str:
    if spectrum.n < FEWEST:
        return f"{spectrum.n} samples are too few"
    instead = "; --intervals bootstrap gives some"
    if not spectrum.autoencoder:
        return f"the delta method is for autoencoders{instead}"
    if not spectrum.centred:
        return f"the delta method is for covariances, and means were not taken off{instead}"
    if scale is not None:
        return f"the delta method is for covariances, not for features in units of their own deviations{instead}"
    return ""


def _bootstrap(
    spectrum: Spectrum, x: Rows, y: Rows | None, centre: bool, scale: str | None
) -> tuple[np.ndarray, str, str]:
    from numerics.bootstrap import REPLICATES, bootstrap_intervals

    if spectrum.n < FEWEST:
        raise DataError(f"--intervals bootstrap: {spectrum.n} samples are too few, {FEWEST} are needed; leave it out.")
    if y is not None and spectrum.n < _ROWS_PER_INPUT * spectrum.inputs:
        raise DataError(
            f"--intervals bootstrap: a conditional model needs {_ROWS_PER_INPUT} samples per input, and {spectrum.n} samples have "
            f"{spectrum.inputs} inputs: a resample would fit its targets too well. Leave it out."
        )
    size = 8 * spectrum.n * (spectrum.inputs + (spectrum.outputs if y is not None else 0))
    if size > _MOST:
        raise DataError(
            f"--intervals bootstrap: the data take {size / 2**30:.3g} GiB in memory, and at most {_MOST / 2**30:g} are held: give "
            "fewer rows, or leave it out."
        )
    arrays = [None if each is None else _whole(each) for each in (x, y)]
    assert arrays[0] is not None
    found = bootstrap_intervals(arrays[0], len(spectrum.zeta_squared), y=arrays[1], centre=centre, scale=scale)
    return (
        found,
        "bootstrap",
        f"95 % intervals of the population's ζ² by bootstrap: {REPLICATES} resamples of the rows, seed 0",
    )


def _whole(rows: Rows) -> np.ndarray:
    return np.concatenate(list(rows.chunks(sys.maxsize))).astype(np.float64) * rows.factor
