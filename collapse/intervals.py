"""Sampling intervals of ζ_i²: by which method, and why there are none where there are none."""

from __future__ import annotations

import sys

import numpy as np

from collapse.reading import Rows
from derivations.errors import DataError
from numerics.spectra import Spectrum
from numerics.uncertainty import FEWEST, delta_intervals

__all__ = ["METHODS", "intervals_of"]

METHODS = ("asymptotic", "bootstrap", "none")
"""Of --intervals."""
_MOST = 1 << 30
"""Bytes of data that the bootstrap holds."""
_ROWS_PER_INPUT = 4
"""Samples per input from which on a resample, whose distinct rows are 0.63 of them, tells how far a regression can be off."""


def intervals_of(
    method: str, spectrum: Spectrum, x: Rows, y: Rows | None, centre: bool, scale: str | None
) -> tuple[np.ndarray | None, str | None, str]:
    """Intervals of shape (modes, 2), the method they are by, and a line that says so, or why there are none.

    Raises:
        DataError: the method is unknown, or the bootstrap cannot be had.
    """
    if method not in METHODS:
        raise DataError(f"--intervals must be one of {', '.join(METHODS)}; got {method!r}.")
    if method == "none":
        return None, None, ""
    if method == "bootstrap":
        return _bootstrap(spectrum, x, y, centre, scale)
    reason = _why_not_asymptotic(spectrum, scale)
    if reason:
        return None, None, f"no intervals: {reason}"
    return delta_intervals(spectrum.zeta_squared, spectrum.n), method, (
        "95 % intervals of ζ² by the delta method, for Gaussian samples; --intervals bootstrap for others"
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
    return found, "bootstrap", f"95 % intervals of ζ² by bootstrap: {REPLICATES} resamples of the rows, seed 0"


def _whole(rows: Rows) -> np.ndarray:
    return np.concatenate(list(rows.chunks(sys.maxsize))).astype(np.float64) * rows.factor
