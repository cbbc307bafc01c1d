"""Second moments of samples, and the instances made of the digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.errors import DataError
from numerics.moments import digit_images, digits_autoencoder, digits_conditional, real_problems, second_moments
from numerics.regimes import mode_thresholds, regime_counts
from numerics.tolerances import FLOAT64_IDENTITY


@given(st.integers(2, 30), st.integers(1, 5), st.integers(1, 5), st.integers(0, 1000), st.booleans())
def test_moments_are_averages_over_samples(n: int, D0: int, d2: int, seed: int, centre: bool) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(1.0, 2.0, (n, D0)), rng.normal(-1.0, 1.0, (n, d2))
    moments = second_moments(x, y, centre=centre)
    if centre:
        x, y = x - x.mean(0), y - y.mean(0)
    assert moments.n == n
    small = FLOAT64_IDENTITY.value * 100
    assert np.abs(moments.A - np.mean([np.outer(a, a) for a in x], axis=0)).max() <= small
    assert np.abs(moments.C - np.mean([np.outer(b, a) for a, b in zip(x, y, strict=True)], axis=0)).max() <= small
    assert abs(moments.y2 - np.mean([b @ b for b in y])) <= small


def test_centring_matters() -> None:
    x = np.random.default_rng(0).normal(3.0, 1.0, (50, 2))
    assert second_moments(x, centre=False).y2 > 2 * second_moments(x).y2 > 0


def test_one_argument_is_an_autoencoder() -> None:
    x = np.random.default_rng(0).standard_normal((20, 3))
    alone, twice = second_moments(x), second_moments(x, x)
    assert np.array_equal(alone.A, alone.C)
    assert np.abs(alone.C - twice.C).max() <= FLOAT64_IDENTITY.value
    assert "autoencoder" in alone.problem(1, 1.0, eta_dec=1.0, eta_enc=1.0).regimes


def test_fewer_samples_than_dimensions_make_a_singular_moment() -> None:
    x = np.random.default_rng(0).standard_normal((4, 6))
    problem = second_moments(x).problem(2, 0.1, eta_dec=1.0, eta_enc=1.0)
    assert (problem.D0, problem.d0) == (6, 3)
    assert "rank-deficient-A" in problem.regimes


SAMPLES = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (SAMPLES.astype(np.float32), None, r"^x has dtype float32.*astype\(numpy.float64\)"),
        (SAMPLES.astype(np.uint8), None, "^x has dtype uint8"),
        (SAMPLES * 1j, None, "^x is complex"),
        (SAMPLES * np.nan, None, r"^x has a NaN.*\(0, 0\)"),
        (SAMPLES[:0], None, "^x is empty"),
        (SAMPLES[:, :0], None, "^x is empty"),
        (SAMPLES.ravel(), None, "^x must have 2 dimension"),
        (SAMPLES[:1], None, "^x holds one sample"),
        (SAMPLES, SAMPLES[:5], "same samples; got 6 rows in x and 5 in y"),
        (SAMPLES, SAMPLES.astype(np.float32), "^y has dtype float32"),
        (SAMPLES, SAMPLES + np.inf, "^y has a NaN or an infinity"),
    ],
)
def test_bad_samples_are_refused(x: np.ndarray, y: np.ndarray | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        second_moments(x, y)


def test_constant_data_is_refused() -> None:
    with pytest.raises(DataError, match=r"^A is zero"):
        second_moments(np.ones((5, 2))).problem(1, 1.0, eta_dec=1.0, eta_enc=1.0)


def test_digits_autoencoder() -> None:
    problem = digits_autoencoder(8, 0.5)
    assert (problem.D0, problem.d2, problem.d0, problem.r) == (64, 64, 61, 0.0)
    # For y = x, ζ² are the eigenvalues of the covariance.
    assert np.abs(problem.spectrum**2 - problem.phi).max() <= FLOAT64_IDENTITY.value
    assert round(problem.y2, 3) == 4.693


def test_digits_conditional() -> None:
    problem = digits_conditional(4, 0.1)
    assert (problem.D0, problem.d2, problem.d0) == (32, 32, 30)
    assert 0 < problem.r < problem.y2
    assert "autoencoder" not in problem.regimes


def test_real_problems_stand_on_both_sides_of_the_thresholds() -> None:
    problems = real_problems()
    assert {p.d1 for p in problems if "autoencoder" in p.regimes} == {2, 8, 64}
    assert {p.d1 for p in problems if "autoencoder" not in p.regimes} == {4, 40}
    for few in ([p for p in problems if p.d1 == 2], [p for p in problems if p.d1 == 4]):
        assert {"complete-collapse", "partial-collapse", "no-collapse"} <= set().union(*(p.regimes for p in few))
    counts = regime_counts(problems)
    wanted = {
        "real-data",
        "complete-collapse",
        "partial-collapse",
        "no-collapse",
        "rank-deficient-A",
        "r-zero",
        "r-positive",
    }
    wanted |= {"learned-variance", "prior-variance", "fixed-variance", "d1-below", "d1-above"}
    assert {name for name in wanted if counts[name] == 0} == set()
    assert counts["real-data"] == len(problems) == len({(p.name, p.learned) for p in problems})
    for problem in problems:
        thresholds = mode_thresholds(problem)
        assert np.abs(problem.spectrum[: len(thresholds)] / thresholds - 1).min() > 0.02


def test_the_digits_are_scikit_learns_however_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_digits

    expected = load_digits().images
    assert np.array_equal(digit_images(), expected)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert np.array_equal(digit_images(), expected), "without its file"
