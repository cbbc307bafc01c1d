"""What a spectrum takes of memory, and of passes over the data: as much as is said, and no more."""

from collections.abc import Iterator

import numpy as np
import pytest

from derivations.errors import DataError
from numerics import krylov, spectra
from numerics.krylov import leading_eigenvalues
from numerics.spectra import spectrum_of

SIZE, COUNT = 200, 3
WIDTH = COUNT + krylov._OVERSAMPLING


def matrix() -> np.ndarray:
    """Eigenvalues so close that many products are needed."""
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((SIZE, SIZE)))[0]
    return (Q * np.linspace(1, 2, SIZE)) @ Q.T


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 5])
def test_the_basis_takes_no_more_than_it_may_and_all_of_it(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """But three blocks always: with two, what it begins again with would leave room for one."""
    monkeypatch.setattr(krylov, "_BASIS_BYTES", 8 * SIZE * blocks * WIDTH)
    original, columns = krylov._orthogonal_to, []

    def watched(basis: np.ndarray, block: np.ndarray) -> np.ndarray:
        columns.append(basis.shape[1] + block.shape[1])
        return original(basis, block)

    monkeypatch.setattr(krylov, "_orthogonal_to", watched)
    A = matrix()
    leading_eigenvalues(lambda block: A @ block, SIZE, COUNT)
    assert max(columns) == max(blocks, 3) * WIDTH and columns.count(2 * WIDTH) > 1


@pytest.mark.parametrize("most", [1, 4])
def test_it_gives_up_after_so_many_products(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(krylov, "_MOST", most)
    A, products = matrix(), []
    with pytest.raises(DataError, match=f"do not converge after {most} passes"):
        leading_eigenvalues(lambda block: products.append(1) or A @ block, SIZE, COUNT)
    assert len(products) == most


class Rows:
    """Samples, whose number may be told or not."""

    name, factor = "data", 1.0

    def __init__(self, n: int, features: int, known: bool) -> None:
        self.values = np.random.default_rng(n).standard_normal((n, features))
        self.shape = (n if known else None, features)

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        return (self.values[k : k + rows] for k in range(0, len(self.values), rows))


@pytest.mark.parametrize(("n", "known", "smaller"), [(40, True, 8), (40, False, 8), (6, True, 6), (5, True, 5)])
def test_the_moments_of_inputs_and_targets_are_asked_for_in_bytes(
    n: int, known: bool, smaller: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 inputs and 3 targets in float64: their moment, or the rows where they are fewer and their number is known."""
    asked: list[int] = []
    monkeypatch.setattr(spectra, "refuse_large", lambda size, name, advice: asked.append(size))
    spectrum_of(Rows(n, 5, known), Rows(n, 3, known))
    assert asked == [8 * 8 * smaller]
