"""Measures of codes against their definitions, where noise differs from sample to sample and scales are not settled."""

import numpy as np
import pytest

from collapse.codes import ROUGH, Codes, measured
from collapse.level_fit import TRAINED, fitted
from numerics.tolerances import FLOAT64_IDENTITY

N = 64


def waves(powers: np.ndarray) -> np.ndarray:
    """Means of mean square `powers`, orthogonal and centred."""
    angles = 2 * np.pi * np.outer(np.arange(N) + 0.5, np.arange(1, len(powers) + 1)) / N
    return np.sqrt(2 * powers) * np.cos(angles)


def held(powers: list[float], variances: list[float]) -> Codes:
    """Codes with the same noise at each sample."""
    return measured(waves(np.array(powers)), np.tile(np.log(variances), (N, 1)), 1.0)


def test_noise_that_differs_from_sample_to_sample_is_averaged_as_each_measure_has_it() -> None:
    """KL and E[σ²] take the mean of σ², what a code tells the geometric one: the mean of ½ log(1 + p/σ²) for p ≫ σ²."""
    rng = np.random.default_rng(0)
    mean, logs = waves(np.array([0.8, 0.5])), rng.normal([-2.0, -1.0], [1.0, 0.5], (N, 2))
    found = measured(3 * mean, logs + 2 * np.log(3), 3.0)
    kl = ((mean**2 + np.exp(logs) - 1 - logs) / 2).mean(0)
    assert found.kl == pytest.approx(kl, rel=FLOAT64_IDENTITY.value)
    assert found.second_moment == pytest.approx(np.exp(logs).mean(0) + np.array([0.8, 0.5]), rel=FLOAT64_IDENTITY.value)
    assert found.variance == pytest.approx(np.exp(logs.mean(0)), rel=FLOAT64_IDENTITY.value)
    told = np.log1p([0.8, 0.5] / np.exp(logs.mean(0))) / 2
    assert found.information == pytest.approx(told, rel=FLOAT64_IDENTITY.value)
    assert found.held is None


@pytest.mark.parametrize(
    ("powers", "variances", "signal"),
    [
        ([2.0, 0.5], [0.5, 0.5], 2.0 + 0.5),  # E[m²] where it is more than 1 − E[σ²]
        ([0.3, 0.5], [0.1, 0.5], 0.9 + 0.5),  # 1 − E[σ²] where that is more
    ],
)
def test_how_far_scales_are_off_is_a_share_of_what_makes_latents_used(
    powers: list[float], variances: list[float], signal: float
) -> None:
    found = held(powers, variances)
    off = sum(max(abs(power + variance - 1) - ROUGH, 0) for power, variance in zip(powers, variances, strict=True))
    assert found.stray == pytest.approx(off / signal, rel=FLOAT64_IDENTITY.value)


@pytest.mark.parametrize(("times", "modes"), [(1.5, [0, 1, 2, 3]), (2.5, [1, 2, 3, 4])])
def test_a_gap_is_told_where_it_explains_twice_as_well(times: float, modes: list[int]) -> None:
    """Four codes of the second to the fifth mode, at levels that are a little off; as of the first four they would be `times` as
    far off one level. The steps of the spectrum make it so."""
    off, believed = 0.025, 1.0
    assert TRAINED < 2 * off
    errors = off * np.array([1, -1, 1, -1])
    steps = 0.35 + off * np.sqrt(times**2 - 1) * np.array([1, 1, -1, -1])
    squares = np.exp(0.3 + np.append(np.cumsum(steps[::-1])[::-1], 0.0))
    information = (np.log(squares[1:]) - errors) / 2
    variances = np.exp(-2 * information)
    fit = fitted(held(list(1 - variances), list(variances)), np.append(squares, 0.8), believed, None)
    assert fit.modes.tolist() == modes and fit.otherwise == ((0,) if times < 2 else ())
