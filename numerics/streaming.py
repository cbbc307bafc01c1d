"""Sums and products of samples in chunks: in float64, with bounded memory, in a fixed order however many workers there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from derivations.errors import DataError

__all__ = ["HELD", "Samples", "Sums", "added", "nonempty", "refuse_large", "rows_of", "shift_of", "shifted", "summed"]

CHUNK_BYTES = 1 << 25
"""Of a chunk in float64."""
HELD = 1 << 32
"""Most bytes of one matrix that is held whole."""
_DROWNING = 100
"""How many times a feature's variance its squared mean may be, at a loss of two of sixteen digits."""
_FIRST = 500
"""Rows that a shift is taken from: anything near the mean will do."""
_MIDDLE = {np.dtype(np.uint8): 128.0, np.dtype(np.int8): 0.0}
"""Of the integers of one byte: they lie between -128 and 127 about it."""
_EXACT_ROWS = 1024
"""So many products of two integers between -128 and 127 add up to 2^24 at most: float32 holds every such sum exactly."""
_AHEAD = 8
"""Chunks in the hands of a pool."""


@runtime_checkable
class Samples(Protocol):
    """Samples in rows that can be read again and again in the same order."""

    @property
    def name(self) -> str: ...  # for messages

    @property
    def factor(self) -> float: ...  # what values are multiplied by

    @property
    def shape(self) -> tuple[int | None, int]: ...  # rows, if known, and features

    def chunks(self, rows: int) -> Iterator[np.ndarray]: ...  # blocks of at most so many rows, in a fixed order


class Sums(NamedTuple):
    """Of rows about a shift: their number, sum and products."""

    n: int
    sum: np.ndarray
    products: np.ndarray


def refuse_large(size: int, name: str, advice: str) -> None:
    """Refuse a matrix of so many bytes before it is asked for, and say what to do.

    Raises:
        DataError: it is larger than `HELD`.
    """
    if size > HELD:
        raise DataError(
            f"{name} would take {size / 2**30:.3g} GiB of memory in one matrix, and at most {HELD / 2**30:g} are used: {advice}."
        )


def rows_of(features: int) -> int:
    return max(1, CHUNK_BYTES // (8 * max(1, features)))


def shift_of(first: np.ndarray) -> np.ndarray:
    """About what sums are taken: 0, but where a feature's mean is so large that it would drown the variance, the mean.

    It is whole for integers, whose sums stay exact. Without it a constant feature would be left with a variance from rounding.
    """
    first = first[:_FIRST]
    mean = first.mean(0, dtype=np.float64)
    drowned = mean**2 > _DROWNING * first.var(0, dtype=np.float64)
    return np.where(drowned, np.rint(mean) if first.dtype.kind in "biu" else mean, 0.0)


def shifted(chunk: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.subtract(chunk, shift, dtype=np.float64) if shift.any() else chunk.astype(np.float64, copy=False)


def _products(chunk: np.ndarray, origin: np.ndarray, room: np.ndarray | None = None) -> Sums:
    """Sums of a chunk about an origin; `room` is memory for it in float64, which takes long to be given anew each time."""
    if _is_middle(chunk.dtype, origin):
        return _products_of_bytes(chunk, origin)
    if room is not None and chunk.dtype != room.dtype:
        room = room[: len(chunk)]
        np.copyto(room, chunk, casting="unsafe")
        chunk = room
    moved = shifted(chunk, origin)
    return Sums(len(moved), np.ones(len(moved)) @ moved, moved.T @ moved)


def _is_middle(dtype: np.dtype, origin: np.ndarray) -> bool:
    """Whether integers of one byte lie between -128 and 127 about an origin."""
    return dtype in _MIDDLE and bool((origin == _MIDDLE[dtype]).all())


def _products_of_bytes(chunk: np.ndarray, middle: np.ndarray) -> Sums:
    """Sums of a chunk of bytes about their middle: in float32, twice as fast a product, and exact all the same."""
    features = chunk.shape[1]
    total, products = np.zeros(features), np.zeros((features, features))
    for block in np.array_split(chunk, -(-len(chunk) // _EXACT_ROWS)):
        moved = np.subtract(block, middle, dtype=np.float32, casting="unsafe")
        total += moved.sum(0, dtype=np.float64)
        products += moved.T @ moved
    return Sums(len(chunk), total, products)


def _about(found: Sums, away: np.ndarray) -> Sums:
    """The same sums about an origin so far below."""
    if not away.any():
        return found
    products = found.products
    products += np.outer(found.sum, away)
    products += np.outer(away, found.sum + found.n * away)
    return Sums(found.n, found.sum + found.n * away, products)


def summed(x: Samples, pool: Executor | None) -> tuple[Sums, np.ndarray]:
    """Sums over all rows, and the shift they are about."""
    chunks = nonempty(x.chunks(rows_of(x.shape[1])), x.name)
    return added(chunks, pool)


def added(chunks: Iterator[np.ndarray], pool: Executor | None) -> tuple[Sums, np.ndarray]:
    first = next(chunks)
    shift = shift_of(first)
    origin = np.full_like(shift, _MIDDLE[first.dtype]) if first.dtype in _MIDDLE else shift
    n, total, products = _products(first, origin)
    room = np.empty((rows_of(first.shape[1]), first.shape[1])) if pool is None else None
    for part in _mapped(products_of, ((chunk, origin, room) for chunk in chunks), pool):
        n += part.n
        total += part.sum
        products += part.products
    return _about(Sums(n, total, products), origin - shift), shift


def products_of(given: tuple[np.ndarray, np.ndarray, np.ndarray | None]) -> Sums:
    """`_products` of what is given, for a worker."""
    return _products(*given)


def _mapped(function: Callable[[Any], Sums], given: Iterable[Any], pool: Executor | None) -> Iterator[Sums]:
    """Results in order; at most `_AHEAD` chunks are with the pool."""
    if pool is None:
        yield from map(function, given)
        return
    waiting: deque[Future[Sums]] = deque()
    for one in given:
        waiting.append(pool.submit(function, one))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def nonempty(chunks: Iterator[np.ndarray], name: str) -> Iterator[np.ndarray]:
    first = next(chunks, None)
    if first is None:
        raise DataError(f"{name} holds no samples: give at least two rows.")
    yield first
    yield from chunks
