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
    x = samples() @ np.eye(4)[[0, 0, 2, 2]] if settings.get("scale") else samples()  # equal modes would have none
    again = predict(x, intervals="bootstrap", **settings)
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
    x = np.random.default_rng(1).standard_normal((40, 90)) * np.r_[30, np.ones(89)]
    document = predict(x, intervals="bootstrap").document()
    assert document["modes"][0]["zeta_squared_interval"] is not None and document["modes"][0]["no_interval"] is None
    assert document["modes"][38]["zeta_squared_interval"] is None
    assert document["modes"][38]["no_interval"] == "no larger than noise alone has"


def test_modes_without_an_interval_say_why() -> None:
    """Two clear modes, two that are nearly equal, and noise; in JSON by mode, and in the notes by reason."""
    rng = np.random.default_rng(3)
    squares = np.r_[900.0, 300.0, 60.0, 59.5, np.ones(56)]
    found = predict(rng.standard_normal((400, 60)) * np.sqrt(squares))
    document, noise, near = (
        found.document(),
        "no larger than noise alone has",
        "too near others for sampling to tell apart",
    )
    reasons = [each["no_interval"] for each in document["modes"]]
    assert reasons == [None, None, near, near, *[noise] * 56]
    for each in document["modes"]:
        assert (each["zeta_squared_interval"] is None) == (each["critical_beta_interval"] is None)
        assert (each["zeta_squared_interval"] is None) == (each["no_interval"] is not None)
    assert f"no interval for modes 3–4: {near}" in found.notes and f"no interval for modes 5–60: {noise}" in found.notes
    assert any(note.startswith("4 modes stand out of sampling noise") for note in found.notes)
    assert document["noise_edge"] == found.noise_edge and document["noise_false_alarm"] == 0.01
    without = predict(rng.standard_normal((20, 3))).document()
    assert without["modes"][0]["no_interval"] == "20 samples are too few" and without["noise_false_alarm"] is None
    assert predict(samples(), intervals="none").document()["modes"][0]["no_interval"] is None


def test_a_mode_without_variance_has_no_interval() -> None:
    x = samples() @ np.diag([1.0, 1, 1, 0])
    assert predict(x).document()["modes"][3]["no_interval"] == "without variance"


def test_single_modes_and_long_lists_are_named_shortly() -> None:
    squares = np.repeat(4.0 ** -np.arange(9), [1, 2, 1, 2, 1, 2, 1, 2, 1]) * np.tile([1, 1.0001, 1], 5)[:13]
    x = np.random.default_rng(4).standard_normal((20_000, 13))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T * np.sqrt(squares)
    (line,) = [note for note in predict(x).notes if note.startswith("no interval for")]
    assert line.startswith("no interval for modes 2–3, 5–6, 8–9, 11–12: ")


def test_from_the_command_line() -> None:
    run = [sys.executable, "-m", "collapse.cli", "predict", "iris", "--json", "-", "--intervals"]
    ran = subprocess.run([*run, "bootstrap"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["interval_method"] == "bootstrap"
    ran = subprocess.run([*run, "none"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["modes"][0]["zeta_squared_interval"] is None
