"""Spectra of samples in chunks, against direct computation, scikit-learn's PCA and the moments that the audit uses."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from derivations.errors import DataError
from numerics import spectra, streaming
from numerics.krylov import leading_eigenvalues
from numerics.moments import second_moments
from numerics.spectra import spectrum_of
from numerics.tolerances import RANGE_OF_A, SPECTRUM

CLOSE = SPECTRUM.value


@dataclass(frozen=True, eq=False)
class Array:
    values: np.ndarray
    name: str = "data"
    factor: float = 1.0
    known: bool = True

    @property
    def shape(self) -> tuple[int | None, int]:
        return len(self.values) if self.known else None, self.values.shape[1]

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        return (self.values[k : k + rows] for k in range(0, len(self.values), rows))


def direct(x: np.ndarray, *, centre: bool = True) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    x = x - x.mean(0) if centre else x
    return np.linalg.svd(x, compute_uv=False) ** 2 / len(x)


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.shape == expected.shape and bool(np.abs(found - expected).max() <= CLOSE * expected.max())


def sample(seed: int, n: int, features: int, offset: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, features)) @ rng.standard_normal((features, features)) + offset


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 400)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 30), st.integers(1, 12), st.booleans(), st.sampled_from([0.0, 1e5]))
def test_it_is_that_of_the_covariance(seed: int, n: int, features: int, centre: bool, offset: float) -> None:
    x = sample(seed, n, features, offset)
    found = spectrum_of(Array(x), centre=centre)
    assert agree(found.zeta_squared, direct(x, centre=centre))
    assert found.total == pytest.approx(found.zeta_squared.sum(), rel=CLOSE)
    assert (found.n, found.inputs, found.outputs, found.residual, found.complete) == (n, features, features, 0, True)


def test_it_is_that_of_scikit_learn() -> None:
    x = sample(0, 200, 9)
    n = len(x)
    assert agree(spectrum_of(Array(x)).zeta_squared, PCA().fit(x).explained_variance_ * (n - 1) / n)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64])
@pytest.mark.parametrize("shape", [(50, 6), (6, 50)])
def test_sums_are_in_float64_whatever_the_samples(dtype: type, shape: tuple[int, int]) -> None:
    x = np.random.default_rng(1).integers(0, 255, shape).astype(dtype)
    assert agree(spectrum_of(Array(x)).zeta_squared, direct(x))
    assert agree(spectrum_of(Array(x, factor=1 / 255)).zeta_squared, direct(x / np.float64(255)))


def test_a_large_mean_drowns_nothing() -> None:
    x = sample(2, 400, 5)
    assert agree(spectrum_of(Array(x + 1e7)).zeta_squared, direct(x + 1e7))


def test_more_features_than_rows_and_fewer_are_the_same_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sample(3, 8, 20)
    by_rows = spectrum_of(Array(x))
    unknown = spectrum_of(Array(x, known=False))  # has to take the products of features
    assert agree(by_rows.zeta_squared, unknown.zeta_squared)
    assert by_rows.rank == unknown.rank == 7


def test_a_rank_deficient_sample_has_zeros() -> None:
    x = sample(4, 40, 3) @ np.ones((3, 6))
    found = spectrum_of(Array(x))
    assert found.rank == 1 and found.zeta_squared[1:].max() <= CLOSE * found.zeta_squared[0]


def test_a_constant_input_of_a_conditional_model_is_nothing() -> None:
    x, y = sample(7, 60, 3), sample(8, 60, 2)
    found, without = (spectrum_of(Array(each), Array(y)) for each in (np.column_stack([x, np.full(60, 3.0)]), x))
    assert found.constant == 1 and agree(found.zeta_squared[:2], without.zeta_squared)


def test_standardised_features_have_variance_one_and_constant_ones_none() -> None:
    x = np.column_stack([sample(5, 60, 3), np.full(60, 3.0)])
    scaled = (x[:, :3] - x[:, :3].mean(0)) / x[:, :3].std(0)
    for data in (Array(x), Array(x, known=False)):
        found = spectrum_of(data, scale="standard")
        assert agree(found.zeta_squared[:3], direct(scaled))
        assert found.constant == 1 and found.total == pytest.approx(3)
    wide = np.column_stack([sample(6, 5, 9), np.full(5, 3.0)])
    scaled = (wide[:, :9] - wide[:, :9].mean(0)) / wide[:, :9].std(0)
    assert agree(spectrum_of(Array(wide), scale="standard").zeta_squared, direct(scaled))


@pytest.mark.parametrize("rows", [300, 8])
def test_targets_of_lower_rank_have_zeros(rows: int) -> None:
    """y = (2 x_1, 2 x_1, x_2, 0): rank Z = 2, and what rounding leaves of the other modes is none."""
    x = sample(16, rows, 10)
    y = np.column_stack([2 * x[:, 0], 2 * x[:, 0], x[:, 1], np.zeros(rows)])
    found = spectrum_of(Array(x), Array(y))
    assert np.count_nonzero(found.zeta_squared) == 2 and found.zeta_squared[1] > 0
    assert found.total == pytest.approx(y.var(0).sum(), rel=CLOSE)


def test_units_of_features_do_not_matter_once_they_are_standardised() -> None:
    x = sample(15, 60, 3)
    units = np.array([1e-9, 1.0, 1e6])
    one, other = spectrum_of(Array(x), scale="standard"), spectrum_of(Array(x * units), scale="standard")
    assert agree(one.zeta_squared, other.zeta_squared)


def test_a_large_sample_hides_no_small_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    x = np.random.default_rng(0).standard_normal((300_000, 3)) * [1e5, 1.0, 1.0]
    assert spectrum_of(Array(x)).zeta_squared[1:] == pytest.approx([1, 1], rel=10**-1)


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("scale", [None, "standard"])
def test_leading_modes_without_the_covariance(centre: bool, scale: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectra, "DENSE", 10)
    x = sample(7, 150, 40, 3.0)
    whole = spectrum_of(Array(x), centre=centre, scale=scale)
    part = spectrum_of(Array(x), centre=centre, scale=scale, modes=4)
    assert not part.complete and agree(part.zeta_squared, whole.zeta_squared[:4])
    assert part.total == pytest.approx(whole.total, rel=CLOSE)


def test_leading_modes_of_a_small_matrix_are_cut_off() -> None:
    x = sample(8, 50, 6)
    part, whole = spectrum_of(Array(x), modes=2), spectrum_of(Array(x))
    assert part.zeta_squared.tolist() == whole.zeta_squared[:2].tolist()
    assert not part.complete and part.total == whole.total


def test_krylov_starts_again_when_the_basis_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    from numerics import krylov

    monkeypatch.setattr(krylov, "_BASIS_BYTES", 8 * 300 * 60)
    values = np.linspace(1, 2, 300)
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((300, 300)))[0]
    matrix = (Q * values) @ Q.T
    found = leading_eigenvalues(lambda block: matrix @ block, 300, 3)
    assert agree(found, values[::-1][:3])


@pytest.mark.parametrize("shape", [(60, 5, 3), (60, 3, 5), (7, 12, 4), (7, 12, 9)])
@pytest.mark.parametrize("centre", [True, False])
def test_two_data_sets(shape: tuple[int, int, int], centre: bool) -> None:
    n, D0, d2 = shape
    x = sample(9, n, D0, 1.0)
    x[:, -1] = x[:, 0]  # rank-deficient
    y = x[:, :2] @ np.random.default_rng(1).standard_normal((2, d2)) + sample(10, n, d2)
    found = spectrum_of(Array(x), Array(y), centre=centre)
    problem = second_moments(x, y, centre=centre).problem(2, 1.0, eta_dec=1.0, eta_enc=1.0)
    size = min(len(found.zeta_squared), len(problem.spectrum))
    assert found.zeta_squared[:size] == pytest.approx(problem.spectrum[:size] ** 2, abs=RANGE_OF_A.value * problem.y2)
    assert found.residual == pytest.approx(problem.r, abs=RANGE_OF_A.value * problem.y2)
    assert found.rank == problem.d0 and not found.autoencoder


@pytest.mark.parametrize("n", [50, 3])
def test_units_of_inputs_do_not_matter_to_a_conditional_model(n: int) -> None:
    x, y = sample(16, n, 4), sample(17, n, 2)
    one, other = spectrum_of(Array(x), Array(y)), spectrum_of(Array(x * [1e-9, 1, 1e3, 1e6]), Array(y))
    assert agree(one.zeta_squared[:2], other.zeta_squared[:2]) and one.rank == other.rank


def test_targets_equal_to_inputs_are_an_autoencoder() -> None:
    x = sample(11, 80, 4)
    assert agree(spectrum_of(Array(x), Array(x)).zeta_squared, spectrum_of(Array(x)).zeta_squared)


def test_workers_change_no_bit() -> None:
    x = sample(12, 500, 7)
    with ThreadPoolExecutor(3) as pool:
        one, many = spectrum_of(Array(x)), spectrum_of(Array(x), pool=pool)
        two = spectrum_of(Array(x), Array(x[:, :2]), pool=pool)
    assert np.array_equal(one.zeta_squared, many.zeta_squared)
    assert np.array_equal(two.zeta_squared, spectrum_of(Array(x), Array(x[:, :2])).zeta_squared)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((5, 3)), None, "the same sample again and again"),
        (np.ones((1, 3)), None, "one sample"),
        (np.ones((0, 3)), None, "holds no samples"),
        (np.eye(4), np.eye(3), "the same samples; got 4 rows in data and 3 in data"),
        (np.eye(4), np.ones((4, 2)), "the same sample again and again"),
    ],
)
def test_what_cannot_be_used_is_refused(x: np.ndarray, y: np.ndarray | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        spectrum_of(Array(x), None if y is None else Array(y))


def test_rows_that_end_early_are_noticed_while_reading() -> None:
    with pytest.raises(DataError, match="goes on after row 4"):
        spectrum_of(Array(sample(0, 6, 2), known=False), Array(sample(0, 4, 2), known=False))


class Unread(Array):
    """So large that nobody may read it."""

    @property
    def shape(self) -> tuple[int | None, int]:
        return (10**6 if self.known else None), 10**5

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        raise AssertionError("it was read")


def test_what_takes_too_much_memory_is_refused_before_it_is_read() -> None:
    for known in (True, False):
        x, y = Unread(np.eye(2), known=known), Array(np.eye(2), known=False)
        with pytest.raises(DataError, match=r"data would take 74\.5 GiB .*: ask for leading modes only by --modes"):
            spectrum_of(x)
        with pytest.raises(DataError, match="ask for fewer --modes"):
            spectrum_of(x, modes=10**5)
        with pytest.raises(DataError, match=r"data with data would take .*: give fewer features"):
            spectrum_of(x, y)


def test_few_rows_are_held_whole_only_where_they_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sample(0, 20, 60)
    expected = direct(x)[:2]
    monkeypatch.setattr(spectra, "HELD", 8 * 20 * 60 - 1)
    monkeypatch.setattr(spectra, "_by_rows", None)  # it holds all rows
    assert agree(spectrum_of(Array(x), modes=2).zeta_squared, expected)


def test_other_bad_settings() -> None:
    with pytest.raises(DataError, match="--modes"):
        spectrum_of(Array(np.eye(3)), modes=0)
    with pytest.raises(DataError, match="scale"):
        spectrum_of(Array(np.eye(3)), scale="minmax")


@pytest.mark.parametrize("value", [0.1, 1 / 3, 7.7, 1e5])
@pytest.mark.parametrize("n", [4, 100, 70_000])
@pytest.mark.parametrize("centre", [True, False])
def test_a_constant_feature_is_none_once_features_are_standardised(value: float, n: int, centre: bool) -> None:
    """Rounding leaves its variance near 1e-17, which would come out as a mode of its own with ζ² = 1."""
    x = np.concatenate([np.random.default_rng(0).standard_normal((n, 2)), np.full((n, 1), value)], 1)
    found = spectrum_of(Array(x), scale="standard", centre=centre)
    assert found.zeta_squared[2] == 0 and found.constant == 1


@pytest.mark.parametrize("features", [6, 90])
@pytest.mark.parametrize("modes", [None, 3])
def test_features_are_standardised_by_their_deviation_about_the_mean_without_centring_too(
    features: int, modes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.random.default_rng(3).standard_normal((50, features)) * np.geomspace(1, 9, features) + 2
    scaled = x / x.std(0)
    squares = np.linalg.svd(scaled, compute_uv=False)[:3] ** 2 / len(x)
    monkeypatch.setattr("numerics.spectra.DENSE", 10**6 if modes is None else 1)
    found = spectrum_of(Array(x), scale="standard", centre=False, modes=modes)
    assert found.zeta_squared[:3] == pytest.approx(squares, rel=SPECTRUM.value)
    assert found.total == pytest.approx(float((scaled**2).mean(0).sum()), rel=SPECTRUM.value)
    y = x @ np.random.default_rng(4).standard_normal((features, 3))
    target = spectrum_of(Array(x), Array(y), scale="standard", centre=False)
    assert target.total + target.residual == pytest.approx(
        float(((y / y.std(0)) ** 2).mean(0).sum()), rel=SPECTRUM.value
    )
