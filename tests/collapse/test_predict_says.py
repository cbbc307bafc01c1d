"""What predictions and diagnoses say beside their numbers: what is assumed, indicative, or in small units."""

import json
import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from collapse import predict
from collapse.report.figures import percent, significant
from collapse.report.prediction import summary
from collapse.report.prediction_plot import figure_of
from derivations.errors import DataError


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collapse.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_the_terminal_session_in_readme_is_what_is_printed() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    _, found, rest = readme.partition("$ collapse predict ")
    line, _, session = rest.partition("\n")
    assert found and command("predict", *line.split()).stdout == session.partition("```")[0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (178.907341, "178.907"),
        (51.8557, "51.8557"),
        (50.0, "50.0000"),
        (999999.7, "1.00000e+06"),
        (99999.97, "100000"),
        (0.000411994321, "0.000411994"),
        (3.2e-9, "3.20000e-09"),
        (0.0, "0"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_significant_figures(value: float, shown: str) -> None:
    assert significant(value) == shown


def test_a_zero_share_has_no_sign() -> None:
    assert (percent(-1e-17), percent(0.0), percent(0.34599)) == ("0.00 %", "0.00 %", "34.60 %")


def test_small_units_keep_their_figures(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((100, 3)) * [3e-5, 2e-5, 1e-5]
    np.save(tmp_path / "x.npy", x)
    ran = command("predict", str(tmp_path / "x.npy"), "--beta", "3e-10")
    first = predict(x).spectrum.zeta_squared[0]
    assert f"{first:.5e}" in ran.stdout and "0.0000–" not in ran.stdout


def test_no_infinity_is_shown() -> None:
    x = np.random.default_rng(0).standard_normal((100, 3))
    largest = predict(x).spectrum.zeta_squared[0]
    answer = summary(predict(x, active=0))[-1]
    assert answer == f"answer: β ≥ {largest:.6g} keeps no mode"
    assert summary(predict(x, active=3))[-1].startswith("answer: β < ")


@pytest.mark.parametrize("asked", [{}, {"active": 2}, {"nats": 1.0}])
def test_a_cross_entropy_s_answers_are_indicative(asked: dict[str, float]) -> None:
    x = np.random.default_rng(0).random((200, 6))
    found = predict(
        x, loss="reconstruction=sum,kl=sum,likelihood=bernoulli", **({"beta": 0.1} | asked if not asked else asked)
    )
    assert found.document()["indicative"] is True
    lines = [line for line in summary(found) if "latents" not in line]
    assert len(lines) >= 2 and all("(indicative only)" in line for line in lines)
    plain = predict(x, beta=0.1)
    assert plain.document()["indicative"] is False and not any("indicative" in line for line in summary(plain))


def test_so_are_diagnoses(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((50, 3))
    np.savez(tmp_path / "data.npz", x=x)
    np.savez(tmp_path / "codes.npz", means=0 * x, log_variances=0 * x)
    arguments = ("diagnose", str(tmp_path / "codes.npz"), str(tmp_path / "data.npz"), "--key", "x")
    loss = "reconstruction=sum,kl=sum,likelihood=bernoulli,weight=100"
    ran = command(*arguments, "--loss", loss)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "expected (indicative only): " in ran.stdout and "note: Bernoulli likelihood" in ran.stdout
    ran = command(*arguments, "--loss", loss, "--json", "-")
    assert json.loads(ran.stdout)["indicative"] is True
    assert "indicative" not in command(*arguments, "--beta", "100").stdout


@pytest.mark.parametrize("arguments", [("predict",), ("predict", "nowhere.npy"), ("diagnose",)])
def test_losses_are_listed_without_data(arguments: tuple[str, ...]) -> None:
    listed = command(*arguments, "--loss", "list")
    assert (listed.returncode, listed.stderr) == (0, "") and "lightning-bolts" in listed.stdout


def test_a_key_of_no_target_is_refused() -> None:
    for which in ("predict", "diagnose"):
        codes = ("codes.npz",) if which == "diagnose" else ()
        ran = command(which, *codes, "digits", "--target-key", "y")
        assert ran.returncode == 2 and ran.stderr.count("\n") == 1
        assert "--target-key y" in ran.stderr or which == "diagnose"


@pytest.mark.parametrize(("shape", "arguments"), [((9, 3), {}), ((9, 3), {"centre": False}), ((3, 9), {})])
@pytest.mark.filterwarnings("error")
def test_values_too_large_to_square_are_refused(shape: tuple[int, int], arguments: dict[str, bool]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    assert predict(1e150 * x, **arguments).active_modes > 0
    with pytest.raises(DataError, match="array holds values too large to be squared"):
        predict(1e200 * x, **arguments)


def test_only_a_loss_that_has_one_is_told_to_lower_its_eta_dec() -> None:
    x = np.random.default_rng(0).standard_normal((100, 3))
    assert any("η_dec² smaller" in line for line in summary(predict(x, beta=1.0)))
    lines = summary(predict(x, beta=2.0, loss="lightning-bolts"))
    assert any("to keep mode" in line for line in lines) and not any("η_dec" in line for line in lines)


def test_modes_without_latents_say_what_is_assumed() -> None:
    ran = command("predict", "digits", "--modes", "5", "--show", "1")
    assert "5 modes are computed, and as many latents assumed" in ran.stdout
    assert "assumed" not in command("predict", "digits", "--modes", "5", "--latents", "3", "--show", "1").stdout


def test_the_unit_and_the_scale_are_in_the_document() -> None:
    x = np.random.default_rng(0).standard_normal((100, 3)) + 5
    plain, scaled = predict(x).document(), predict(x, scale="standard").document()
    assert (plain["unit"], plain["scale"]) == ("units of the data", None)
    assert (scaled["unit"], scaled["scale"]) == (
        "units of each feature's standard deviation, about its mean",
        "standard",
    )


def test_modes_without_variance_are_left_out_of_a_picture() -> None:
    x = np.random.default_rng(0).standard_normal((100, 2)) @ np.array([[30.0, 0, 0, 0], [0, 1, 0, 0]])
    found = predict(x, beta=2.0)
    assert len(found.spectrum.zeta_squared) == 4 and found.spectrum.zeta_squared[2] == 0
    spectrum = figure_of(found).axes[0]
    assert spectrum.get_yscale() == "log"
    drawn = np.concatenate([line.get_xydata() for line in spectrum.lines if line.get_linestyle() == "None"])
    assert len(drawn) == 2 and (drawn[:, 1] > 0).all()


@pytest.mark.parametrize("decades", [0.5, 2, 5])
def test_labels_of_a_picture_do_not_overlap(decades: float) -> None:
    x = np.random.default_rng(0).standard_normal((500, 100)) * np.geomspace(1, 10 ** (-decades / 2), 100)
    figure = figure_of(predict(x, beta=0.01))
    figure.draw_without_rendering()
    spectrum, units = figure.axes[0].xaxis, figure.axes[1].xaxis
    boxes = [label.get_window_extent() for label in units.get_ticklabels() if label.get_text()]
    assert len(boxes) > 1 and all(one.x1 < other.x0 for one, other in pairwise(boxes))
    assert all(float(tick).is_integer() for tick in spectrum.get_majorticklocs())
    assert figure.axes[0].lines[0].get_markersize() < 4  # a hundred modes do not run into one another


@pytest.mark.parametrize("scale", [None, "standard"])
def test_labels_of_a_picture_are_in_the_picture(scale: str | None) -> None:
    x = np.random.default_rng(0).standard_normal((100, 6))
    figure = figure_of(predict(x, x[:, :3], beta=0.1, scale=scale))
    figure.draw_without_rendering()
    whole = figure.bbox
    for axes in figure.axes:
        for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
            box = label.get_window_extent()
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, (
                label.get_text()
            )


def test_one_mode_more_is_computed_than_there_are_latents() -> None:
    """So that it can be said what a further latent would do, however few modes were asked for."""
    x = np.random.default_rng(0).standard_normal((200, 8)) * np.arange(8, 0, -1)
    found = predict(x, modes=1, latents=3, beta=0.5)
    assert len(found.spectrum.zeta_squared) == 4 and not found.spectrum.complete
    assert "more latents would be used: 4 modes lie above the level" in summary(found)
    assert len(predict(x, modes=6, latents=3).spectrum.zeta_squared) == 6


@pytest.mark.parametrize(
    ("data", "shown"),
    [("iris", "cm²"), ("digits", "grey values 0 to 16, squared"), ("array", "units of the data, squared")],
)
def test_what_is_squared_has_a_squared_unit(data: str, shown: str) -> None:
    found = predict(data if data != "array" else np.random.default_rng(0).standard_normal((99, 3)), beta=0.1)
    assert (found.document()["squared_unit"], found.document()["unit"]) == (
        shown,
        shown.removesuffix(", squared").rstrip("²"),
    )
    spectrum, _, curve = figure_of(found).axes
    assert all(f"({shown})" in axes.get_ylabel().replace("\n", " ") for axes in (spectrum, curve))
    if data != "array":
        assert f"({shown})" in command("predict", data, "--show", "1").stdout.partition("\n")[0]


@pytest.mark.parametrize(
    "settings", [{"latents": 10, "beta": 50.0}, {"beta": 1e-6}, {"beta": 1e3, "scale": "standard"}]
)
def test_a_legend_lies_over_nothing(settings: dict[str, float]) -> None:
    """That of the spectrum is beside the axes and in the picture; the others are on no curve."""
    figure = figure_of(predict("digits", intervals="none", **settings))
    figure.draw_without_rendering()
    whole = figure.bbox
    spectrum, *others = figure.axes
    box = spectrum.get_legend().get_window_extent()
    assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 < spectrum.bbox.y0
    assert not box.overlaps(spectrum.xaxis.label.get_window_extent())
    for axes in others:
        box, line = axes.get_legend().get_window_extent(), axes.lines[0]
        assert not line.get_transform().transform_path(line.get_path()).intersects_bbox(box, filled=False)


@pytest.mark.parametrize("beta", [1e-6, 1.0, 1e3])
def test_the_setting_is_on_the_rate_distortion_curve(beta: float) -> None:
    curve, setting = figure_of(predict("digits", intervals="none", beta=beta)).axes[2].lines
    rates, distortions = curve.get_data()
    (rate,), (distortion,) = setting.get_data()
    assert rates.min() <= rate <= rates.max()
    assert distortion == pytest.approx(np.interp(rate, rates[::-1], distortions[::-1]), rel=0.1)
