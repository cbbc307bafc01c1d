"""Intervals of eigenvalues against repeated sampling."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pytest

from collapse.reading import open_rows
from derivations.errors import DataError
from numerics.bootstrap import bootstrap_intervals
from numerics.spectra import spectrum_of
from numerics.tolerances import FLOAT64_IDENTITY, SPECTRUM
from numerics.uncertainty import APART, WIDEST, are_apart, delta_intervals


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


@dataclass(frozen=True)
class Case:
    """A spectrum, and at least how often each mode has to have an interval."""

    squares: np.ndarray
    n: int
    shown: tuple[float, ...]


CASES = {
    "apart": Case(np.array([9.0, 3.0, 1.0]), 100, (1, 1, 1)),
    "equal": Case(np.array([4.0, 4.0, 1.0]), 1000, (0, 0, 1)),
    "two deviations apart": Case(np.array([4 * 1.09, 4.0, 1.0]), 1000, (0, 0, 1)),
    "strong beside noise": Case(np.r_[40.0, 14.0, 7.0, np.ones(97)], 200, (1, 1, 1, 0)),
    "fewer samples than features": Case(np.r_[55.0, 22.0, np.ones(298)], 100, (1, 3 / 4, 0)),
    "noise": Case(np.ones(30), 300, (0, 0, 0, 0, 0)),
    "falling": Case(np.arange(1, 61.0) ** -1.5, 300, (1, 1, 4 / 5, 1 / 2, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_interval_that_is_shown_covers(case: Case) -> None:
    """400 samples: 5 % may miss, and 1 % for what n lacks of infinity, with three standard deviations of a binomial count. Modes
    that are equal, or noise, have an interval in a fifth of samples at most."""
    rng, repeats, modes = np.random.default_rng(10), 400, len(case.shown)
    shown, missed = np.zeros(modes), np.zeros(modes)
    for _ in range(repeats):
        squares = spectrum(rng.standard_normal((case.n, len(case.squares))) * np.sqrt(case.squares))
        low, high = delta_intervals(squares[: case.n - 1], case.n)[:modes].T
        shown += ~np.isnan(low)
        missed += (case.squares[:modes] < low) | (case.squares[:modes] > high)
    most = 0.06 + 3 * np.sqrt(0.06 * 0.94 / repeats)
    assert (missed / repeats <= most).all(), missed / repeats
    least = 0.95 * np.array(case.shown)
    assert (shown / repeats >= least).all(), shown / repeats
    like = [k for k in range(modes) if np.sum(case.squares == case.squares[k]) > 1]
    assert (shown[like] / repeats <= 1 / 4).all(), shown / repeats


def test_what_sampling_adds_to_a_mode_is_taken_off() -> None:
    """A mode of 4 beside 100 of 1, 200 samples: its ζ² is 4 (1 + 0.5/3) on average, as Bai & Ding have it."""
    rng = np.random.default_rng(11)
    true = np.r_[4.0, np.ones(100)]
    found = np.array([spectrum(rng.standard_normal((200, 101)) * np.sqrt(true)) for _ in range(100)])
    assert found[:, 0].mean() == pytest.approx(4 * (1 + 0.5 / 3), rel=0.02)
    middles = [np.sqrt(delta_intervals(squares, 200)[0].prod()) for squares in found]
    assert np.nanmean(middles) == pytest.approx(4, rel=0.03)


def test_modes_that_are_not_computed_are_reckoned_with() -> None:
    squares = spectrum(np.random.default_rng(12).standard_normal((200, 60)) * np.sqrt(np.r_[30.0, 10.0, np.ones(58)]))
    whole = delta_intervals(squares, 200)
    some = delta_intervals(squares[:3], 200, remaining=float(squares[3:].sum()), others=57)
    assert some[:2] == pytest.approx(whole[:2], rel=0.01) and np.isnan(some[2]).all()
    alone = delta_intervals(squares[:3], 200)
    assert alone[1, 0] > 1.02 * whole[1, 0]  # without them they are missed


def test_how_wide_an_interval_is() -> None:
    """Two modes, the second a quarter of the first, n = 41: by hand, with 40 free."""
    bounds = delta_intervals(np.array([4.0, 1.0]), 41)
    for (low, high), ratio in zip(bounds, (1 / 4, 4.0), strict=True):
        lift, bend = ratio / (1 - ratio) / 40, ratio / (1 - ratio) ** 2 / 40
        slope = 1 + bend / (1 + lift)  # of log of the middle in log of the sample's value
        wide = 2 * NormalDist().inv_cdf(0.975) * np.sqrt(2 / 41 * slope / (1 + lift))
        assert np.log(high / low) == pytest.approx(wide, rel=FLOAT64_IDENTITY.value)


def test_apart_is_from_both_neighbours() -> None:
    step = APART * 0.1
    logs = np.cumsum([0.0, -1.02 * step, -0.98 * step, -2 * step])
    assert are_apart(np.exp(logs), np.full(4, 0.1)).tolist() == [True, False, False, True]
    assert are_apart(np.array([1.0, 0.0, 0.0]), np.full(3, 0.1)).tolist() == [True, False, False]


@pytest.mark.parametrize(("others", "shown"), [(20, True), (100, False)])
def test_a_mode_that_others_widen_too_much_has_no_interval(others: int, shown: bool) -> None:
    """Others an eighth below it: the variance of log ζ² grows to 1.7 times as much, then to 2.4 times."""
    squares = np.r_[1.15, np.full(others, 1.0)]
    lift, bend = others / 0.15 / 999, others / 0.15**2 / 999
    assert ((1 + 1.15 * bend / (1 + lift)) / (1 + lift) < WIDEST) == shown
    assert bool(np.isfinite(delta_intervals(squares, 1000)[0]).all()) == shown


@pytest.mark.parametrize(
    ("squares", "n"),
    [(np.array([4.0, 4.0, 1.0]), 200), (np.r_[50.0, 3.0, np.ones(58)], 200), (np.ones(5), 200)],
    ids=["equal", "beside noise", "all equal"],
)
def test_the_bootstrap_shows_none_where_it_fails(squares: np.ndarray, n: int) -> None:
    """60 samples, 100 resamples each: equal modes, or hardly above others, seldom have an interval, and it misses in 15 %."""
    rng, repeats = np.random.default_rng(13), 60
    missed, clear = np.zeros(len(squares[:5])), 0
    for _ in range(repeats):
        x = rng.standard_normal((n, len(squares))) * np.sqrt(squares)
        low, high = bootstrap_intervals(x, len(missed), replicates=100).T
        missed += (squares[:5] < low) | (squares[:5] > high)
        clear += bool(low[0] == low[0])
    assert (missed / repeats <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / repeats)).all(), missed / repeats
    assert (clear == repeats) if squares[0] > 2 * squares[1] else (clear < repeats / 2)


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
    x = np.random.default_rng(9).standard_normal((40, 90)) * np.r_[80, 30, 10, np.full(87, 0.3)]
    bounds = bootstrap_intervals(x, 40, replicates=100)
    squares = spectrum(x)
    assert (bounds[:3, 0] < squares[:3]).all() and np.isnan(bounds[-1]).all()


def test_too_few_samples_have_no_interval() -> None:
    with pytest.raises(DataError, match="at least 30 samples"):
        delta_intervals(np.ones(2), 10)
