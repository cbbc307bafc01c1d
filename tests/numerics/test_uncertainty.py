"""Intervals of eigenvalues against repeated sampling."""

import numpy as np
import pytest

from collapse.reading import open_rows
from derivations.errors import DataError
from numerics.bootstrap import bootstrap_intervals
from numerics.spectra import spectrum_of
from numerics.tolerances import SPECTRUM
from numerics.uncertainty import delta_intervals


def spectrum(x: np.ndarray) -> np.ndarray:
    x = x - x.mean(0)
    return np.linalg.svd(x, compute_uv=False) ** 2 / len(x)


def test_delta_intervals_cover_as_often_as_they_say() -> None:
    """500 samples of Gaussian data: 95 % ± three standard deviations of a binomial count."""
    rng, true, repeats = np.random.default_rng(0), np.array([9.0, 3.0, 1.0]), 500
    covered = np.zeros(3)
    for _ in range(repeats):
        bounds = delta_intervals(spectrum(rng.standard_normal((400, 3)) * np.sqrt(true)), 400)
        covered += (bounds[:, 0] <= true) & (true <= bounds[:, 1])
    slack = 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert (np.abs(covered / repeats - 0.95) <= slack + 0.01).all()  # and 1 % for what n = 400 lacks of infinity


def test_bootstrap_and_delta_agree_on_gaussian_data() -> None:
    x = np.random.default_rng(1).standard_normal((1000, 3)) * np.sqrt([9.0, 3.0, 1.0])
    delta, boot = delta_intervals(spectrum(x), 1000), bootstrap_intervals(x, 3, replicates=400)
    assert np.ptp(boot, axis=1) == pytest.approx(np.ptp(delta, axis=1), rel=0.2)
    assert np.array_equal(boot, bootstrap_intervals(x, 3, replicates=400))


def test_heavy_tails_need_the_bootstrap() -> None:
    x = np.random.default_rng(2).standard_t(5, (1000, 2)) * [3.0, 1.0]
    delta, boot = delta_intervals(spectrum(x), 1000), bootstrap_intervals(x, 2)
    assert (np.ptp(boot, axis=1) > 1.2 * np.ptp(delta, axis=1)).all()


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("scale", [None, "standard"])
@pytest.mark.parametrize("with_target", [True, False])
def test_bootstrap_intervals_are_about_the_spectrum(centre: bool, scale: str | None, with_target: bool) -> None:
    """With every resample the sample itself, the intervals are ζ² itself: the same preparation on both sides."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((80, 3)) * [3.0, 1.0, 0.5] + 1
    y = x @ rng.standard_normal((3, 4)) + rng.standard_normal((80, 4)) if with_target else None
    found = spectrum_of(open_rows(x), None if y is None else open_rows(y), centre=centre, scale=scale)
    squares = found.zeta_squared

    class Same:
        def multinomial(self, n: int, weights: np.ndarray) -> np.ndarray:
            return n * weights

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda seed: Same())
        bounds = bootstrap_intervals(x, len(squares), y=y, centre=centre, scale=scale, replicates=3)
    assert bounds == pytest.approx(np.stack([squares, squares], 1), rel=SPECTRUM.value)


def test_bootstrap_intervals_of_a_conditional_model_cover() -> None:
    """60 samples of size 400, 95 % − four standard deviations of a binomial count."""
    rng, repeats, covered = np.random.default_rng(8), 60, 0
    for _ in range(repeats):
        x = rng.standard_normal((400, 2))
        y = x @ np.diag([2.0, 1.0]) + rng.standard_normal((400, 2))
        (low, high), _ = bootstrap_intervals(x, 2, y=y, replicates=100)
        covered += low <= 4 <= high
    assert covered / repeats >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats)


def test_more_features_than_rows_are_bootstrapped_by_rows() -> None:
    x = np.random.default_rng(9).standard_normal((40, 90)) * np.geomspace(10, 0.1, 90)
    bounds = bootstrap_intervals(x, 40, replicates=20)
    squares = spectrum(x)
    assert (bounds[:3, 0] < squares[:3]).all() and np.isnan(bounds[-1]).all()


def test_too_few_samples_have_no_interval() -> None:
    with pytest.raises(DataError, match="at least 30 samples"):
        delta_intervals(np.ones(2), 10)
