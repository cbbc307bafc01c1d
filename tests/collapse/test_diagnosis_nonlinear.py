"""Diagnoses of ReLU networks: trained at the β that was meant they gain more from a latent than linear models do, on real data."""

from functools import cache

import numpy as np
import pytest
import torch

from collapse import diagnose, predict
from collapse.codes import measured
from collapse.diagnosis import Diagnosis
from collapse.level_fit import WAVERING
from numerics.datasets import DataSet, data_set, synthetic_regression
from numerics.grids import Setting, grid_of
from numerics.sweeps import Sweep, sweep
from numerics.training import Schedule

SHORT = Schedule((5e-3, 5e-4), every=200, patience=3, progress=1e-3, most=600)
SETTING = Setting("relu", (0.02, 0.2), (0, 1), 5, SHORT, hidden=64, batch=64, draws=1)


@cache
def trained(name: str) -> tuple[DataSet, Sweep]:
    """Of the digits, and of the synthetic regression, where data are Gaussian and nothing is to be gained."""
    data = data_set("digits") if name == "digits" else synthetic_regression()
    betas = SETTING.betas if name == "digits" else (5.5, 8.4)
    setting = Setting("relu", betas, SETTING.seeds, 5, SHORT, hidden=64, batch=64, draws=1)
    return data, sweep(data, setting)


def codes(name: str) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """(β, means, log-variances) of each member."""
    data, found = trained(name)
    grid = grid_of(data, found.setting, "cpu")
    with torch.no_grad():
        all_codes = grid.model.codes(found.stack, grid.x)
    betas = np.repeat(found.setting.betas, len(found.setting.seeds))
    return [
        (float(beta), mean.double().numpy(), 2 * deviation.double().log().numpy())
        for beta, mean, deviation in zip(betas, all_codes.mean, all_codes.deviation, strict=True)
    ]


def told(name: str, place: int, factor: float = 1.0) -> Diagnosis:
    """The diagnosis of one, meant to have been trained at a multiple of its β."""
    data, _ = trained(name)
    beta, mean, log_variance = codes(name)[place]
    target = None if data.autoencoder else data.y
    meant = predict(data.x, target, beta=factor * beta, latents=5, intervals="none")
    return diagnose(
        mean, log_variance, meant.spectrum.zeta_squared, beta_eta_dec_squared=factor * beta,
        features=meant.spectrum.outputs, data=data.x if target is None else target,
    )  # fmt: skip


@pytest.mark.parametrize("place", range(4))
def test_what_a_network_gains_on_digits_is_not_called_another_beta(place: int) -> None:
    _, mean, log_variance = codes("digits")[place]
    assert measured(mean, log_variance, 1.0).wavering > WAVERING
    found = told("digits", place)
    assert found.verdict == "less-collapsed", found.conclusion
    assert "a non-linear encoder or decoder gains more" in found.conclusion
    assert "factor 1/2" not in found.conclusion and found.rate_nats > found.predicted_rate_nats


@pytest.mark.parametrize("place", range(4))
def test_where_nothing_is_to_be_gained_noise_tells_the_level(place: int) -> None:
    """On Gaussian data log-variances hardly waver, and a β four times as large as was applied is told."""
    _, mean, log_variance = codes("synthetic")[place]
    assert measured(mean, log_variance, 1.0).wavering < WAVERING
    assert told("synthetic", place).verdict == "expected"
    assert told("synthetic", place, 4.0).verdict == "other-beta"
