"""Data of many kinds, read as rows, chunk by chunk in a fixed order: what rows are, and objects in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from derivations.errors import DataError

__all__ = ["Rows", "as_array", "from_array", "is_shuffled", "open_rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Samples in rows.

    Args:
        name: for messages.
        unit: of the values.
        shape: (n, features); n is None where nobody knows before reading.
        blocks: makes the samples anew, in a fixed order, in blocks of rows of any kind of numbers; told how many rows a block
            should have at most, which it need not heed.
        factor: what the values are multiplied by, 1/255 for bytes that stand for [0, 1].
        notes: what was taken for granted in reading them, a line each.
    """

    name: str
    unit: str
    shape: tuple[int | None, int]
    blocks: Callable[[int], Iterable[np.ndarray]]
    factor: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """Columns."""
        return self.shape[1]

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """Blocks of at most so many rows, checked: two dimensions, numbers, finite.

        Raises:
            DataError: one is not so; the message names row and column.
        """
        first = 0
        for block in self.blocks(rows):
            for start in range(0, len(block), rows):
                chunk = block[start : start + rows]
                yield _checked(chunk, self.name, first, self.features)
                first += len(chunk)


def _checked(chunk: np.ndarray, name: str, first: int, features: int) -> np.ndarray:
    if chunk.ndim != 2 or chunk.shape[1] != features:
        raise DataError(
            f"{name}: rows from {first} on have shape {chunk.shape[1:]}, the first ones {features} features."
        )
    if chunk.dtype.kind == "f" and not np.isfinite(chunk.sum(dtype=np.float64)) and not np.isfinite(chunk).all():
        row, column = np.argwhere(~np.isfinite(chunk))[0]
        raise DataError(
            f"{name} has {chunk[row, column]} at row {first + row}, column {column} (from 0): drop or impute such samples."
        )
    return chunk


def open_rows(source: Any, key: str | None = None) -> Rows:
    """Samples from a path, a bundled name, or an object in memory.

    Args:
        source: a path that ends in .npy, .npz, .csv, .parquet or .zarr; a name of `collapse.files.BUNDLED`; an array, a tensor, a
            Dask array; or an iterable of batches that can be iterated again, such as a DataLoader, a batch an array or a tuple
            that begins with one; or what this function returned.
        key: the array's name in an .npz file.

    Raises:
        DataError: it cannot be read, or holds no numbers in rows; one line says what and where.
    """
    if isinstance(source, Rows):
        return source
    if isinstance(source, str | os.PathLike):
        from collapse.files import open_named  # builds on this module

        return open_named(os.fspath(source), key)
    if _is_dask(source):
        return _from_dask(source)
    if hasattr(source, "__array__") or hasattr(source, "detach"):
        return from_array(as_array(source, "the data"), "array")
    if isinstance(source, list | tuple) and not any(_is_batch(each) for each in source):
        try:
            array = np.asarray(source)
        except ValueError:
            raise DataError("the data are lists of different lengths: give as many numbers in each row.") from None
        return from_array(as_array(array, "the data"), "array")
    if isinstance(source, Iterable):
        return _from_batches(source)
    raise DataError(
        f"cannot read data from {type(source).__name__}: give an array, a tensor, an iterable of batches or a path."
    )


def is_shuffled(source: Any) -> bool:
    """Whether it is a DataLoader that gives another order each time."""
    return type(getattr(source, "sampler", None)).__name__ == "RandomSampler"


# ---------------------------------------------------------------------------------------------- in memory
def as_array(value: Any, name: str) -> np.ndarray:
    """An array of numbers from an array or a tensor."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value  # NumPy has no such numbers
        value = value.numpy() if hasattr(value, "numpy") else value
    if np.ma.is_masked(value):
        raise DataError(f"{name} holds masked values: drop or impute such samples.")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        what = "complex numbers" if array.dtype.kind == "c" else f"values of type {array.dtype}"
        raise DataError(f"{name} holds {what}; only real numbers can be used. Convert or drop such columns.")
    return array


def from_array(array: np.ndarray, name: str, unit: str = "units of the data", factor: float = 1.0) -> Rows:
    if array.ndim < 2:
        raise DataError(f"{name} has shape {array.shape}: give one sample a row, with features in columns.")
    if not len(array):
        raise DataError(f"{name} holds no samples: its shape is {array.shape}.")
    flat = array.reshape(len(array), -1)
    if flat.shape[1] == 0:
        raise DataError(f"{name} has no features: its shape is {array.shape}.")
    return Rows(
        name,
        unit,
        (len(flat), flat.shape[1]),
        lambda rows: [flat],
        factor,
        _copies(flat, name),
    )


MOST_COMPARED = 1 << 22
"""Numbers in an array up to which its rows are compared with one another."""
MANY = 0.05
"""Share of rows that repeat another, from which on it is told."""


def _copies(array: np.ndarray, name: str) -> tuple[str, ...]:
    """A note where many rows are exact copies of others; sampling says less then than their number."""
    if array.size > MOST_COMPARED or array.dtype.kind not in "biuf":
        return ()
    whole = np.ascontiguousarray(array)
    rows = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    copies = len(rows) - len(np.unique(rows))
    if copies <= MANY * len(rows):
        return ()
    return (
        f"{copies} of the {len(rows)} rows of {name} repeat another one exactly: intervals and the edge of noise take each for a "
        "sample of its own",
    )


def _is_batch(each: Any) -> bool:
    """Whether an entry of a list is an array of rows, alone or first in a tuple."""
    first = each[0] if isinstance(each, list | tuple) and each else each
    return getattr(first, "ndim", 0) > 1


def _is_dask(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "dask" and hasattr(source, "blocks")


def _from_dask(source: Any) -> Rows:
    if source.ndim < 2:
        raise DataError(f"the Dask array has shape {source.shape}: give one sample a row, with features in columns.")
    flat = source.reshape(source.shape[0], -1) if source.ndim > 2 else source
    n, features = flat.shape
    if n != n:
        raise DataError("the Dask array does not know how many rows it has: call compute_chunk_sizes() on it first.")
    edges = np.cumsum([0, *flat.chunks[0]])

    def blocks(rows: int) -> Iterator[np.ndarray]:
        for start, end in pairwise(edges):
            yield as_array(flat[start:end].compute(), "the Dask array")

    return Rows("Dask array", "units of the data", (int(n), int(features)), blocks)


def _from_batches(source: Iterable[Any]) -> Rows:
    if iter(source) is source:
        raise DataError(
            "the data are an iterator, which can be read once only: give a list of batches, or a DataLoader."
        )

    def batches(rows: int) -> Iterator[np.ndarray]:
        for batch in source:
            first = batch[0] if isinstance(batch, tuple | list) else batch
            array = as_array(first, "a batch")
            if array.ndim == 0 or array.size == 0:
                raise DataError(f"a batch has shape {array.shape}: give samples in rows.")
            yield array.reshape(len(array), -1) if array.ndim > 1 else array[None]

    try:
        first = next(batches(1))
    except StopIteration:
        raise DataError("the data are empty: there is no batch.") from None
    return Rows(type(source).__name__, "units of the data", (None, first.shape[1]), batches)
