"""Trained networks as evidence, on what training might have found: each start counts, and at each beta."""

import numpy as np
import pytest

from derivations.ledger import claims_by_id
from numerics.datasets import SYNTHETIC_SQUARES, DataSet, synthetic_regression
from numerics.grids import Setting
from numerics.observables import trained
from numerics.observables.trained import ETA_DEC, SETTING, training_findings
from numerics.sweeps import Measured, Sweep
from numerics.tolerances import TRAINED_NETWORK

STATED = claims_by_id()["fig-1.thresholds"].standing.formula
SHAPE = len(SETTING.betas), len(SETTING.seeds)
FEW = [[4] * 5, [1] * 5, [0] * 5]
"""How many latents are used at each beta by each start."""


def fabricated(excess: np.ndarray | float = 0.0, used: object = FEW) -> Sweep:
    """Losses so much above the stated ones, relative to themselves."""
    measured = Measured(np.ones(SHAPE), np.ones((*SHAPE, 5)), np.zeros((*SHAPE, 5)), np.ones(SHAPE, dtype=bool), 1)
    measured.kl[:] = np.arange(5) < np.array(used)[..., None]
    found = Sweep("fabricated", SETTING, measured, synthetic_regression(0).levels, {})
    measured.loss[:] = found.stated_loss[:, None] / (1 - np.asarray(excess))
    return found


def complaints(monkeypatch: pytest.MonkeyPatch, found: Sweep) -> list[str]:
    """What disagrees, and at which beta."""
    monkeypatch.setattr(trained, "trained_networks", lambda seed: found)
    rows = list(training_findings(STATED, 0))
    assert len(rows) == 2 * len(SETTING.betas) == len({(row.quantity, row.instance) for row in rows})
    return [f"{row.quantity.split()[0]} at {row.instance.split(',')[1].split()[-1]}" for row in rows if not row.agrees]


def test_losses_within_the_tolerance_agree_and_one_beyond_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for sign in (1, -1):
        assert complaints(monkeypatch, fabricated(sign * 0.99 * TRAINED_NETWORK.value)) == []
        for place in np.ndindex(*SHAPE):
            excess = np.zeros(SHAPE)
            excess[place] = sign * 1.01 * TRAINED_NETWORK.value
            assert complaints(monkeypatch, fabricated(excess)) == [f"loss at {SETTING.betas[place[0]]:.4g}"]


def test_one_start_that_collapses_or_does_not_unlike_the_others_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for row, other in ((0, 0), (1, 0), (2, 1)):
        for one in range(SHAPE[1]):
            used = np.array(FEW)
            used[row, one] = other
            assert complaints(monkeypatch, fabricated(used=used)) == [f"collapse at {SETTING.betas[row]:.4g}"]
    assert complaints(monkeypatch, fabricated(used=[[1] * 5, [5] * 5, [0] * 5])) == []


def test_only_the_threshold_of_complete_collapse_lies_between_the_last_two() -> None:
    levels = np.array(SETTING.betas) * ETA_DEC**2
    assert [int((np.array(SYNTHETIC_SQUARES) > level).sum()) for level in levels] == [4, 1, 0]
    assert ETA_DEC == SETTING.eta_dec != 1 and SHAPE == (3, 5)


def test_it_is_this_setting_that_is_trained_on_the_data_of_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def recorded(data: DataSet, setting: Setting) -> Sweep:
        asked.append((data, setting))
        return fabricated()

    monkeypatch.setattr(trained, "sweep", recorded)
    trained.trained_networks.cache_clear()
    trained.trained_networks(3)
    trained.trained_networks.cache_clear()
    ((data, setting),) = asked
    assert np.array_equal(data.x, synthetic_regression(3).x) and setting is SETTING
