"""Sweeps over β and seeds: data, grids, what is measured, and what the linear theory says beside it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from derivations.errors import DataError
from numerics import grids
from numerics.datasets import SYNTHETIC_SQUARES, data_set, synthetic_regression
from numerics.grids import NetworkGrid, Setting, grid_of
from numerics.sweeps import IMAGE_SCHEDULE, LINEAR_SCHEDULE, Measured, Sweep, straddling, sweep
from numerics.tolerances import PLANTED_SPECTRUM, SPECTRUM, TRAINED_LINEAR
from numerics.training import Look, Schedule

EXACT = Schedule((1e-1, 1e-2, 1e-3), every=100, patience=2, progress=1e-6, most=2_000)
LINEAR = Setting("linear", (0.75, 6.0, 15.0), (0, 1), 5, EXACT)
RELU = Setting("relu", (6.0, 15.0), (0, 1, 2), 5, Schedule((1e-3,), 5, 1, 1e-3, 5), hidden=16, batch=64)


def test_the_synthetic_regression_has_the_spectrum_it_states() -> None:
    data = synthetic_regression(3)
    assert abs(data.x.mean(0)).max() < SPECTRUM.value
    phi, P = np.linalg.eigh(np.cov(data.x.T, bias=True))
    Z = data.y.T @ data.x @ P / np.sqrt(phi) / len(data.x)
    assert np.allclose(np.linalg.svd(Z, compute_uv=False) ** 2, SYNTHETIC_SQUARES, atol=0, rtol=PLANTED_SPECTRUM.value)
    _, rest, rank, _ = np.linalg.lstsq(data.x, data.y, rcond=None)
    assert rank == 5 and rest.max() < SPECTRUM.value  # y is a linear function of x
    assert np.allclose(data.levels.zeta_squared, SYNTHETIC_SQUARES, atol=0, rtol=PLANTED_SPECTRUM.value)


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(DataError, match="no data set emnist; give one of synthetic"):
        data_set("emnist")


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=6, unique=True))
def test_a_grid_straddles_every_threshold(thresholds: list[float]) -> None:
    t = np.sort(thresholds)
    if np.any(t[1:] / t[:-1] < 1.02):  # three digits cannot tell them apart
        return
    grid = np.array(straddling(t))
    assert np.all(np.diff(grid) > 0)
    for low, high in zip([0.0, *t], [*t, np.inf], strict=True):
        assert np.any((grid > low) & (grid < high))


@pytest.mark.parametrize("data", ["synthetic", "digits"])
def test_linear_models_end_at_the_least_loss(data: str) -> None:
    samples = data_set(data)
    betas = LINEAR.betas if data == "synthetic" else straddling(samples.levels.zeta_squared[:5])[::3]
    found = sweep(samples, replace(LINEAR, betas=betas))
    assert abs(found.relative_loss).max() <= TRAINED_LINEAR.value
    assert np.all(found.measured_deaths == found.predicted_deaths[:, None])
    alive = found.stated_deviation < 1
    stated = np.broadcast_to(found.stated_deviation[:, None], found.measured.deviation.shape)
    reached = np.broadcast_to(alive[:, None], stated.shape)
    assert np.allclose(found.measured.deviation[reached], stated[reached], atol=0, rtol=1000 * TRAINED_LINEAR.value)


def test_the_measurement_is_that_of_the_models_on_all_samples() -> None:
    setting = replace(RELU, draws=2)
    data = synthetic_regression(0, 64)
    found = sweep(data, setting)
    grid = grid_of(data, setting, "cpu")
    x = torch.tensor(data.x)
    codes = grid.model.codes(found.stack, x)
    expected = codes.deviation.mean(1).reshape(2, 3, 5).numpy()
    assert np.allclose(found.measured.deviation, np.sort(expected), atol=0, rtol=SPECTRUM.value)
    variance = codes.deviation**2
    kl = ((codes.mean**2 + variance - 1 - variance.log()) / 2).mean(1).reshape(2, 3, 5).numpy()
    assert np.allclose(found.measured.kl, -np.sort(-kl), atol=0, rtol=SPECTRUM.value)
    draws = [torch.randn(6, 64, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(k)) for k in range(400)]
    losses = torch.stack([grid.model.loss(found.stack, grid.beta, x, torch.tensor(data.y), noise) for noise in draws])
    error = losses.std(0) / (setting.draws**0.5)  # of a mean of so many draws
    assert np.all(np.abs(found.measured.loss - losses.mean(0).reshape(2, 3).numpy()) < 5 * error.reshape(2, 3).numpy())


def test_the_kl_of_a_linear_model_is_the_mean_of_that_of_its_codes() -> None:
    """By torch's own formula for two normal distributions, sample by sample."""
    data, prior = synthetic_regression(0, 64), 0.7
    grid = grid_of(data, replace(LINEAR, eta_enc=prior), "cpu")
    stack = grid.initial()
    found, deviation, kl = grid.measure(stack)
    means = torch.tensor(data.x - data.x.mean(0)) @ stack["W"]
    codes = Normal(means, (stack["log_variance"] / 2).exp()[:, None].expand_as(means))
    expected = kl_divergence(codes, Normal(torch.zeros_like(means), torch.full_like(means, prior))).mean(1)
    assert torch.allclose(kl, expected, atol=0, rtol=SPECTRUM.value)
    assert torch.equal(deviation, (stack["log_variance"].exp()).sqrt()) and torch.equal(found, grid.look(stack))


@pytest.mark.parametrize("schedule", [LINEAR_SCHEDULE, IMAGE_SCHEDULE])
def test_the_most_steps_end_at_a_look(schedule: Schedule) -> None:
    """Else training would go on to the next one, beyond the most."""
    assert schedule.most % schedule.every == 0 and schedule.patience * schedule.every < schedule.most


def test_only_networks_are_trained_in_single_precision() -> None:
    data = synthetic_regression(0, 64)
    for setting, single, expected in (
        (LINEAR, True, torch.float64),
        (RELU, True, torch.float32),
        (RELU, False, torch.float64),
    ):
        grid = grid_of(data, replace(setting, single=single), "cpu")
        assert grid.dtype == expected
        assert {value.dtype for value in grid.initial().values()} == {expected}


@pytest.mark.parametrize("samples", [3, 20, 64])
def test_samples_are_taken_in_pieces_that_miss_none(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = synthetic_regression(0, 64)
    grid = grid_of(data, replace(RELU, draws=1), "cpu")
    assert isinstance(grid, NetworkGrid)
    whole = grid.measure(grid.initial())
    monkeypatch.setattr(grids, "_ROWS", 10 * RELU.hidden * grid.members)
    pieces = list(grid._pieces(samples))
    assert [len(x) for x, _ in pieces] == [min(10, samples - k) for k in range(0, samples, 10)]
    assert torch.equal(torch.cat([x for x, _ in pieces]), grid.x[:samples])
    assert torch.equal(torch.cat([y for _, y in pieces]), grid.y[:samples])
    for one, other in zip(whole[1:], grid.measure(grid.initial())[1:], strict=True):
        assert torch.allclose(one, other, atol=0, rtol=SPECTRUM.value)


def test_deaths_and_distance_from_thresholds() -> None:
    levels = data_set("synthetic").levels
    kl = np.zeros((4, 2, 5))
    kl[0, :, :4], kl[1, :, :3], kl[2, 0, :1] = 1.0, 1.0, 1.0
    setting = replace(LINEAR, betas=(1.0, 4.0, 10.5, 14.5))
    measured = Measured(np.ones((4, 2)), np.ones((4, 2, 5)), kl, np.ones((4, 2), dtype=bool), 1)
    found = Sweep("fabricated", setting, measured, levels, {})
    assert found.predicted_deaths.tolist() == [3, 2, 2, 2, 1]
    assert found.measured_deaths.tolist() == [[3, 2], [2, 2], [2, 2], [1, 1], [0, 0]]
    assert found.missing.tolist() == [[0, 1], [0, 0], [0, 0], [1, 1], [1, 1]]
    assert found.away.tolist() == [True, False, False, False]  # within half a step of 1.5 from 1 there is none
    assert replace(found, setting=replace(setting, betas=(3.3, 3.5, 3.7, 3.9))).away.all()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("architecture", "gelu", "no architecture 'gelu'"),
        ("betas", (1.0, -1.0), "betas must be positive"),
        ("betas", (), "betas must be positive"),
        ("betas", (2.0, 1.0), "betas must rise"),
        ("seeds", (1, 1), "seeds must be different"),
        ("seeds", (), "seeds must be different"),
        ("seeds", (-1, 1), "seeds must be different"),
    ],
)
def test_a_setting_that_cannot_be_trained_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(LINEAR, **{field: value})


def test_a_mode_that_is_missed_at_a_small_beta_dies_at_its_last() -> None:
    """As narrow ReLU networks do: four latents at β = 3 and 3.75 alone, one at β = 1 of the second seed, and again at 12."""
    kl = np.zeros((6, 2, 5))
    kl[0, 0, :3], kl[1, 0, :4], kl[2, 0, :4], kl[3, 0, :2] = 1.0, 1.0, 1.0, 1.0
    kl[0, 1, :1], kl[4, 1, :1] = 1.0, 1.0
    setting = replace(LINEAR, betas=(1.0, 3.0, 3.75, 6.0, 12.0, 14.5))
    measured = Measured(np.ones((6, 2)), np.ones((6, 2, 5)), kl, np.ones((6, 2), dtype=bool), 1)
    found = Sweep("fabricated", setting, measured, data_set("synthetic").levels, {})
    assert found.predicted_deaths.tolist() == [5, 4, 4, 3, 1]
    assert found.measured_deaths.tolist() == [[4, 5], [4, 0], [3, 0], [3, 0], [0, 0]]
    assert found.missing.tolist() == [[1, 3], [0, 4], [1, 4], [1, 3], [1, 1]]


@pytest.mark.parametrize("single", [True, False])
def test_networks_stopped_at_any_step_go_on_to_the_same_numbers(single: bool, tmp_path: Path) -> None:
    data = synthetic_regression(0, 64)
    setting = replace(RELU, schedule=Schedule((1e-2, 1e-3), 6, 9, 1e-3, 30), batch=8, single=single, draws=1)
    whole, path = sweep(data, setting), tmp_path / "run.pt"

    class Stop(Exception):
        pass

    def stop(look: Look) -> None:
        if look.steps >= 42:  # at the second rate
            raise Stop

    with pytest.raises(Stop):
        sweep(data, setting, path=path, watched=stop, saved_every=0.0)
    assert torch.load(path, weights_only=True)["counts"] == (1, 41, 11)
    again = sweep(data, setting, path=path)
    assert again.measured.steps == whole.measured.steps == 60
    assert all(torch.equal(again.stack[name], value) for name, value in whole.stack.items())
    assert np.array_equal(again.measured.loss, whole.measured.loss)


def test_a_checkpoint_knows_its_data(tmp_path: Path) -> None:
    setting = replace(LINEAR, schedule=Schedule((1e-2,), 5, 1, 1e-3, 5))
    sweep(synthetic_regression(0), setting, path=tmp_path / "run.pt")
    with pytest.raises(DataError, match=r"other settings \(task\.digest\)"):
        sweep(synthetic_regression(1), setting, path=tmp_path / "run.pt")
