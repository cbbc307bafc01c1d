"""Exact moments of images, enclosures of their eigenvalues, and what happens where MNIST is not at hand."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from derivations.errors import DataError, DataUnavailable
from derivations.figures import MNIST
from numerics import mnist
from numerics.mnist import ImageMoments, image_moments, mnist_moments, mnist_problem, training_images
from numerics.regimes import regimes_of
from numerics.tolerances import FLOAT64_IDENTITY

has_images = pytest.mark.skipif(
    not (Path(os.environ.get("COLLAPSE_DATA", "")) / "mnist.npz").is_file(),
    reason="COLLAPSE_DATA names no folder with mnist.npz",
)


def small_images(seed: int, pixels: int = 9) -> np.ndarray:
    """Forty images, one pixel always dark and two always equal."""
    images = np.random.default_rng(seed).integers(0, 256, (40, pixels), dtype=np.uint8)
    images[:, 0] = 0
    images[:, 1] = images[:, 2]
    return images


def test_moments_are_exact() -> None:
    images = small_images(0)
    found = image_moments(images)
    columns = [[int(value) for value in column] for column in images.T]
    assert found.n == 40 and found.sums.tolist() == [sum(column) for column in columns]
    products = [[sum(a * b for a, b in zip(one, other, strict=True)) for other in columns] for one in columns]
    assert found.products.tolist() == products
    scatter = [[40 * products[a][b] - sum(columns[a]) * sum(columns[b]) for b in range(9)] for a in range(9)]
    trace, squares, sums = found.invariants
    assert trace == sum(scatter[k][k] for k in range(9))
    assert squares == sum(entry**2 for row in scatter for entry in row)
    assert sums == sum(sum(column) ** 2 for column in columns)


def test_moments_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = image_moments(small_images(1))
    monkeypatch.setattr(mnist, "_BATCH", 7)
    assert np.array_equal(image_moments(small_images(1)).products, whole.products)


def test_the_covariance_is_that_of_pixels_in_the_unit_interval() -> None:
    images = small_images(2)
    expected = np.cov(images.astype(float).T / 255, bias=True)
    assert np.abs(image_moments(images).covariance - expected).max() < FLOAT64_IDENTITY.value


def characteristic(moments: ImageMoments, at: Fraction) -> Fraction:
    """det(S / (255 n)^2 - at I) by elimination in fractions."""
    size = len(moments.sums)
    rows = [
        [Fraction(int(moments.scatter[a, b]), moments.unit) - (at if a == b else 0) for b in range(size)]
        for a in range(size)
    ]
    value = Fraction(1)
    for k in range(size):
        pivot = next((r for r in range(k, size) if rows[r][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            rows[k], rows[pivot], value = rows[pivot], rows[k], -value
        value *= rows[k][k]
        for r in range(k + 1, size):
            share = rows[r][k] / rows[k][k]
            rows[r] = [entry - share * head for entry, head in zip(rows[r], rows[k], strict=True)]
    return value


@pytest.mark.parametrize("seed", range(3))
def test_an_eigenvalue_lies_in_each_enclosure(seed: int) -> None:
    """Where enclosures are apart, the characteristic polynomial changes its sign in each: exact."""
    moments = image_moments(small_images(seed))
    bounds = moments.enclosures
    assert len(bounds) == 9
    apart = [k for k in range(7) if bounds[k][0] > bounds[k + 1][1]]
    assert apart == list(range(7))
    for low, high in bounds[:7]:
        ends = [characteristic(moments, Fraction(int(end.p), int(end.q))) for end in (low, high)]
        assert ends[0] * ends[1] < 0 and high - low < 1
    for low, high in bounds[7:]:  # the dark pixel and the two equal ones
        assert low <= 0 <= high


def test_bad_proposals_make_wide_enclosures_and_no_wrong_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = image_moments(small_images(0))
    good = moments.enclosures
    right = np.linalg.eigh

    def tilted(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = right(matrix)
        return values * 1.01, vectors + 1e-3

    monkeypatch.setattr(np.linalg, "eigh", tilted)
    wide = image_moments(small_images(0)).enclosures
    for (low, high), (inner_low, inner_high) in zip(wide, good, strict=True):
        assert low <= inner_low <= inner_high <= high
        assert high - low > 100 * (inner_high - inner_low)


# -------------------------------------------------------------------------------------------------- where they are
@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """OpenML out of reach; the attempts made."""
    attempts: list[int] = []

    def refuse(*_: object, **__: object) -> None:
        attempts.append(1)
        raise OSError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", refuse)
    return attempts


def test_absent_images_are_named_and_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: list[int]
) -> None:
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path))
    for _ in range(2):
        with pytest.raises(DataUnavailable, match=r"there is no .*mnist\.npz, and OpenML cannot be reached"):
            mnist_moments()
    assert len(offline) == 1


def test_without_a_folder_the_variable_is_named(offline: list[int]) -> None:
    with pytest.raises(DataUnavailable, match="COLLAPSE_DATA names no folder"):
        training_images(None)


def test_openml_gives_the_training_images_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bunch:
        data = np.vstack([np.full((60_000, 784), 7, dtype=np.int64), np.full((10, 784), 9)])

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda *_, **__: Bunch)
    images = training_images(None)
    assert images.dtype == np.uint8 and images.shape == (60_000, 784) and set(images[::9999].ravel()) == {7}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x_test": np.zeros((2, 2), dtype=np.uint8)}, r"mnist\.npz must be an \.npz file with x_train"),
        (
            {"x_train": np.zeros((5, 28, 28), dtype=np.uint8)},
            r"60000 rows of 784 pixels.* got uint8 of shape \(5, 784\)",
        ),
        ({"x_train": np.zeros((5, 784))}, "got float64"),
        ({"x_train": np.uint8(3)}, r"of shape \(\)"),
    ],
)
def test_other_files_are_refused(content: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", **content)
    with pytest.raises(DataError, match=message):
        training_images(str(tmp_path))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_text("nothing")
    with pytest.raises(DataError, match=r"mnist\.npz must be"):
        training_images(str(tmp_path))


# --------------------------------------------------------------------------------------------------------- MNIST
@has_images
def test_the_derivation_holds_the_numbers_of_the_images() -> None:
    moments = mnist_moments()
    assert (moments.n, len(moments.sums)) == (MNIST.n, MNIST.pixels)
    assert moments.invariants == (MNIST.trace, MNIST.squares, MNIST.sums)
    for (low, high), (inner_low, inner_high) in zip(MNIST.enclosures, moments.enclosures, strict=False):
        assert low <= inner_low < inner_high <= high


@has_images
def test_eigenvalues_in_float64_lie_in_the_enclosures() -> None:
    moments = mnist_moments()
    eigenvalues = np.linalg.eigvalsh(moments.covariance)[::-1]
    assert round(float(eigenvalues.sum()), 3) == 52.725
    for value, (low, high) in zip(eigenvalues, moments.enclosures, strict=True):
        assert float(low) - FLOAT64_IDENTITY.value <= value <= float(high) + FLOAT64_IDENTITY.value


@has_images
def test_the_linear_vae_on_mnist() -> None:
    problem = mnist_problem(5, 3.5)
    assert (problem.D0, problem.d2, problem.d1, problem.r) == (784, 784, 5, 0.0)
    assert problem.regimes == {"real-data"}
    assert {"autoencoder", "partial-collapse", "rank-deficient-A"} <= regimes_of(problem)
    assert np.abs(problem.spectrum[:5] ** 2 - np.linalg.eigvalsh(problem.A)[::-1][:5]).max() < FLOAT64_IDENTITY.value
