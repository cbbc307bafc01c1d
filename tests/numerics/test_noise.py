"""The edge of sampling noise, against noise and against modes in it."""

import numpy as np
import pytest
from scipy.special import airy

from numerics.noise import _FLATNESS, _TRACY_WIDOM, FALSE_ALARM, _edge, _quantiles, noise_edge
from numerics.tolerances import FLOAT64_IDENTITY


def spectrum(x: np.ndarray) -> np.ndarray:
    """Eigenvalues of the covariance, from the smaller Gram matrix."""
    x = x - x.mean(0)
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    return np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0) / len(x)


def above(squares: np.ndarray, n: int, features: int) -> int:
    """Modes above the edge; none where there is no edge, as in one of 200 samples of 31 rows and 30 features."""
    edge, reason = noise_edge(squares, n, features)
    assert (edge is None) == (reason != "") and (edge is not None or n < 40)
    return 0 if edge is None else int(np.sum(squares > edge))


def test_the_quantile_is_that_of_tracy_and_widom_s_law() -> None:
    """F₁(s) is the Fredholm determinant of 1 − Ai(x + y + s) on x, y > 0 (Ferrari & Spohn 2005), by Gauss and Legendre's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes, root = 8 * (nodes + 1), np.sqrt(8 * weights)
    kernel = airy(nodes[:, None] + nodes + _TRACY_WIDOM)[0]
    assert np.linalg.det(np.eye(60) - root[:, None] * kernel * root) == pytest.approx(1 - FALSE_ALARM, abs=10**-5)


SHAPES = [(100, 30), (31, 30), (60, 100), (40, 200), (200, 50), (500, 100)]


@pytest.mark.parametrize(("n", "features"), SHAPES)
def test_noise_alone_rarely_seems_to_hold_a_mode(n: int, features: int) -> None:
    """500 samples of noise: 1 % false alarms, and four standard deviations of a binomial count."""
    rng, repeats = np.random.default_rng(20), 500
    alarms = sum(above(spectrum(0.7 * rng.standard_normal((n, features))), n, features) > 0 for _ in range(repeats))
    assert alarms / repeats <= FALSE_ALARM + 4 * np.sqrt(FALSE_ALARM * (1 - FALSE_ALARM) / repeats)


def test_nor_is_the_edge_set_too_high() -> None:
    """Where there are many of both, alarms are as frequent as they should be, within four standard deviations."""
    rng, repeats = np.random.default_rng(21), 1500
    alarms = sum(above(spectrum(rng.standard_normal((150, 120))), 150, 120) > 0 for _ in range(repeats))
    slack = 4 * np.sqrt(FALSE_ALARM * (1 - FALSE_ALARM) / repeats)
    assert FALSE_ALARM - slack < 0.002 <= alarms / repeats <= FALSE_ALARM + slack


@pytest.mark.parametrize(("n", "features"), SHAPES[2:])
@pytest.mark.parametrize("strength", [1.0, 30.0])
def test_modes_that_are_there_are_seen(n: int, features: int, strength: float) -> None:
    """Three modes of 5, 7 and 9 times the excess over noise from which on any test could see them; 40 samples each."""
    rng, repeats = np.random.default_rng(22), 40
    squares = np.ones(features)
    squares[:3] += strength * np.sqrt(features / n) * np.array([9, 7, 5])
    counts = [
        above(spectrum(rng.standard_normal((n, features)) * np.sqrt(squares)), n, features) for _ in range(repeats)
    ]
    assert np.sum(np.array(counts) == 3) >= 0.9 * repeats, counts


def test_many_strong_modes_do_not_hide_one_another() -> None:
    """A fifth of all, equally strong, and more features than samples: beside their mean the first would be nothing special."""
    rng = np.random.default_rng(23)
    squares = np.r_[np.full(20, 3000.0), np.ones(280)]
    assert above(spectrum(rng.standard_normal((100, 300)) * np.sqrt(squares)), 100, 300) == 20


@pytest.mark.parametrize("seed", range(8))
def test_the_edge_is_that_of_what_it_leaves(seed: int) -> None:
    """Eight modes barely above it: beside the weakest of them the median sees fewer, and more than the first guess stand out."""
    n, features = 150, 60
    x = np.random.default_rng(seed).standard_normal((n, features)) * np.sqrt(
        np.r_[np.full(8, 2.6), np.ones(features - 8)]
    )
    squares = spectrum(x)
    edge, _ = noise_edge(squares, n, features)
    assert edge == pytest.approx(
        _edge(squares * n, above(squares, n, features), n - 1, features) / n, rel=FLOAT64_IDENTITY.value
    )


@pytest.mark.parametrize(("n", "features"), [(1000, 200), (300, 200), (200, 300), (100, 1000)])
def test_the_edge_is_a_little_beyond_marchenko_and_pastur_s(n: int, features: int) -> None:
    rng = np.random.default_rng(3)
    edge, _ = noise_edge(spectrum(0.7 * rng.standard_normal((n, features))), n, features)
    limit = 0.49 * (1 + np.sqrt(features / n)) ** 2
    assert edge is not None and limit < edge < 1.06 * limit


def test_quartiles_of_the_law_are_those_of_large_samples() -> None:
    squares = spectrum(np.random.default_rng(4).standard_normal((2000, 1000)))
    assert np.quantile(squares, [0.25, 0.5, 0.75]) == pytest.approx(_quantiles(0.5), rel=0.02)


def test_quartiles_where_the_law_reaches_zero() -> None:
    squares = spectrum(np.random.default_rng(6).standard_normal((1500, 1500)))
    assert np.quantile(squares, [0.25, 0.5, 0.75]) == pytest.approx(_quantiles(1.0), rel=0.03)


@pytest.mark.parametrize(("wider", "applies"), [(1.0, True), (1.4, True), (1.6, False)])
def test_how_wide_the_middle_may_be(wider: float, applies: bool) -> None:
    """A spectrum whose quartiles are so many times as far apart, as a ratio, as those of pure noise; the limit is 1.5 times."""
    assert _FLATNESS == 1.5
    low, _, high = _quantiles(100 / 999)
    ends = np.log([low, high]) + np.array([-1, 1]) * np.log(wider) / 2
    squares = np.exp(np.interp(np.linspace(0, 1, 100), [0.25, 0.75], ends, left=ends[0], right=ends[1]))[::-1]
    edge, reason = noise_edge(squares, 1000, 100)
    assert (edge is not None, "too wide" in reason) == (applies, not applies)


def test_where_there_is_no_edge_the_reason_is_told() -> None:
    rng = np.random.default_rng(5)
    few = spectrum(rng.standard_normal((100, 5)))
    assert noise_edge(few, 100, 5) == (None, "with 5 eigenvalues there is no bulk to tell noise from")
    wide = spectrum(rng.standard_normal((500, 60)) * np.geomspace(10, 0.01, 60))
    assert noise_edge(wide, 500, 60)[0] is None and "too wide" in noise_edge(wide, 500, 60)[1]
    deficient = spectrum(rng.standard_normal((500, 40)) @ rng.standard_normal((40, 60)))
    assert noise_edge(deficient, 500, 60)[0] is None and "vanish" in noise_edge(deficient, 500, 60)[1]
