"""Rows in units of each feature's standard deviation, as spectra take them, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from collapse.reading import Rows
from numerics.scales import inverse_scales, variances_of
from numerics.streaming import nonempty, rows_of, shift_of, shifted

__all__ = ["standardised"]


def standardised(rows: Rows) -> Rows:
    """The same samples, each feature divided by its standard deviation about the mean, constant ones 0: a pass over the data."""
    size = rows_of(rows.features)
    chunks = nonempty(rows.chunks(size), rows.name)
    first = next(chunks)
    shift, n = shift_of(first), 0
    total, squares = np.zeros(rows.features), np.zeros(rows.features)
    for chunk in chain([first], chunks):
        moved = shifted(chunk, shift)
        n += len(moved)
        total += moved.sum(0)
        squares += np.einsum("ij,ij->j", moved, moved)
    inverse = inverse_scales(variances_of(squares / n, total / n), "standard")

    def blocks(most: int) -> Iterator[np.ndarray]:
        for chunk in rows.chunks(most):
            yield chunk * inverse

    return replace(rows, blocks=blocks, factor=1.0)
