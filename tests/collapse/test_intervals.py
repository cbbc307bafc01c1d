"""Sampling intervals of a prediction: by which method, and why there are none."""

import json
import subprocess
import sys

import numpy as np
import pytest

from collapse import predict
from derivations.errors import DataError
from numerics.bootstrap import bootstrap_intervals
from numerics.tolerances import FLOAT64_IDENTITY
from numerics.uncertainty import delta_intervals


def samples(n: int = 300) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, 4)) * [4, 3, 2, 1]


def test_each_method_says_its_name() -> None:
    x = samples()
    one, other, none = (predict(x, intervals=method) for method in ("asymptotic", "bootstrap", "none"))
    assert (one.interval_method, other.interval_method, none.interval_method) == ("asymptotic", "bootstrap", None)
    assert one.intervals == pytest.approx(delta_intervals(one.spectrum.zeta_squared, 300), rel=FLOAT64_IDENTITY.value)
    assert other.intervals == pytest.approx(bootstrap_intervals(x, 4), rel=FLOAT64_IDENTITY.value)
    assert none.intervals is None and not any("interval" in note for note in none.notes)
    assert any("by the delta method" in note for note in one.notes)
    assert any("by bootstrap: 200 resamples" in note for note in other.notes)
    document = other.document()
    assert document["interval_method"] == "bootstrap"
    assert document["modes"][0]["critical_beta_interval"] == pytest.approx(list(bootstrap_intervals(x, 4)[0]))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"scale": "standard"}, "in units of their own deviations"),
        ({"centre": False}, "means were not taken off"),
        ({"target": samples()[:, :2]}, "is for autoencoders"),
    ],
)
def test_where_the_delta_method_does_not_apply_the_bootstrap_is_named(settings: dict[str, object], reason: str) -> None:
    found = predict(samples(), **settings)
    assert found.intervals is None and found.interval_method is None
    assert any(reason in note and "--intervals bootstrap" in note for note in found.notes)
    again = predict(samples(), intervals="bootstrap", **settings)
    assert again.intervals is not None
    low, high = again.intervals[0]
    assert 0 < low < high and low / 2 < again.spectrum.zeta_squared[0] < 2 * high


def test_where_the_bootstrap_cannot_be_had_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    x = samples(40)
    with pytest.raises(DataError, match="29 samples are too few"):
        predict(x[:29], intervals="bootstrap")
    with pytest.raises(DataError, match="4 samples per input"):
        predict(np.tile(x, 3) + samples(40)[:, :1], x, intervals="bootstrap")
    with pytest.raises(DataError, match="asymptotic, bootstrap, none"):
        predict(x, intervals="jackknife")
    monkeypatch.setattr("collapse.intervals._MOST", 1000)
    with pytest.raises(DataError, match="GiB in memory"):
        predict(x, intervals="bootstrap")


def test_modes_that_resamples_lack_have_no_interval() -> None:
    x = np.random.default_rng(1).standard_normal((40, 90))
    document = predict(x, intervals="bootstrap").document()
    assert document["modes"][0]["zeta_squared_interval"] is not None
    assert document["modes"][-1]["zeta_squared_interval"] is None


def test_from_the_command_line() -> None:
    run = [sys.executable, "-m", "collapse.cli", "predict", "iris", "--json", "-", "--intervals"]
    ran = subprocess.run([*run, "bootstrap"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["interval_method"] == "bootstrap"
    ran = subprocess.run([*run, "none"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["modes"][0]["zeta_squared_interval"] is None
