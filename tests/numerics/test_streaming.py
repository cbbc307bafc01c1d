"""Sums and products of chunks: exact for bytes, about one origin whatever the chunks hold."""

import numpy as np
import pytest

from numerics.streaming import CHUNK_BYTES, added, rows_of


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("mean", ["middling", "large"])
def test_products_of_bytes_are_exact(dtype: type, mean: str) -> None:
    """As integers give them: of the values furthest apart, of equal signs through and through, and of any between."""
    limits = np.iinfo(dtype)
    low = limits.max - 3 if mean == "large" else limits.min
    x = np.random.default_rng(2).integers(low, limits.max, (5000, 7), dtype=dtype, endpoint=True)
    x[:, :2] = np.where(x[:, :2] > (low + limits.max) / 2, limits.max, low)
    x[:, 2], x[:, 3] = low, limits.max
    found, shift = added(iter(np.array_split(x, 2)), None)
    assert bool(shift[:2].any()) == (mean == "large")
    moved = x.astype(np.int64) - shift.astype(np.int64)
    assert np.array_equal(found.products, moved.T @ moved) and np.array_equal(found.sum, moved.sum(0))


def test_bytes_beside_other_numbers_are_about_the_same_origin() -> None:
    rng = np.random.default_rng(3)
    small, large = rng.integers(0, 255, (3000, 4), endpoint=True), rng.integers(0, 3001, (3000, 4))
    for other in (np.int16, np.float32, np.float64):
        for chunks in ([small.astype(np.uint8), large.astype(other)], [large.astype(other), small.astype(np.uint8)]):
            found, shift = added(iter(chunks), None)
            moved = np.concatenate([small, large]) - shift.astype(np.int64)
            assert np.array_equal(found.products, moved.T @ moved) and np.array_equal(found.sum, moved.sum(0))


def test_a_chunk_takes_the_memory_it_is_said_to_take_and_holds_a_row_at_least() -> None:
    for features in (1, 2, 1000, CHUNK_BYTES // 8):
        rows = rows_of(features)
        assert rows * 8 * features <= CHUNK_BYTES < (rows + 1) * 8 * features
    assert rows_of(0) == CHUNK_BYTES // 8 and rows_of(CHUNK_BYTES) == 1
