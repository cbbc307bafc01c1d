"""`collapse figures`: what it writes, what it refuses, and that a killed run ends with the numbers of one that was not."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import ROOT, environment, run

from collapse.experiments import FIGURES, SYNTHETIC_BETAS, Effort, experiments_of
from collapse.store import claimed
from derivations.errors import DataError
from numerics.datasets import SYNTHETIC_SQUARES
from numerics.tolerances import TRAINED_LINEAR

COMMAND = ("figures", "--figure", "1", "--data", "digits", "--quick", "--seeds", "1")
STEM = "figure-1-digits-quick-seeds-1"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("figures")
    return run(*COMMAND, "--output", str(folder)), folder


def test_numbers_and_their_origin_are_written(written: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    process, folder = written
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert (folder / f"{STEM}.png").read_bytes().startswith(b"\x89PNG")
    found = rows(folder / f"{STEM}.csv")
    document = json.loads((folder / f"{STEM}.json").read_text(encoding="utf-8"))
    assert [part["effort"] for part in document["sweeps"]] == ["quick", "quick"]
    assert document["versions"]["torch"] != "not installed"
    betas = document["sweeps"][0]["setting"]["betas"]
    assert len(found) == 2 * len(betas)
    linear = [row for row in found if row["architecture"] == "linear"]
    assert all(abs(float(row["loss"]) / float(row["stated_loss"]) - 1) <= TRAINED_LINEAR.value for row in linear)
    for row in found:
        deviations = [float(row[f"deviation_{k}"]) for k in range(1, 6)]
        nats = [float(row[f"kl_nats_{k}"]) for k in range(1, 6)]
        assert deviations == sorted(deviations) and nats == sorted(nats, reverse=True)
        assert int(float(row["used"])) == sum(each > document["used_above_nats"] for each in nats)
    texts = (
        "quick look: shortened",
        "d_h = 32",
        "not the paper's sizes, loss and first rate",
        "predicted β",
        "missing below",
        "worst median over",
    )
    for text in texts:
        assert text in process.stdout


def test_a_killed_run_goes_on_to_the_same_numbers(
    written: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    checkpoints, folder = tmp_path / "kept", tmp_path / "figures"
    command = (*COMMAND, "--output", str(folder), "--resume", str(checkpoints))
    process = subprocess.Popen(
        [sys.executable, "-m", "collapse.cli", *command], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
    )
    limit = time.monotonic() + 120
    while not list(checkpoints.glob("*.pt")) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    states = [torch.load(path, weights_only=True) for path in checkpoints.glob("*.pt")]
    assert any(
        state["counts"][0] < len(state["settings"]["schedule"]["rates"]) for state in states
    )  # not all had ended
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert (folder / f"{STEM}.csv").read_text() == (written[1] / f"{STEM}.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--quick", "--full"), "exclude each other"),
        (("--figure", "1", "--quick", "--device", "tpu"), "tpu"),
        (("--figure", "1", "--quick", "--output", "README.md"), "README.md"),
    ],
)
def test_bad_usage_is_refused(arguments: tuple[str, ...], message: str) -> None:
    process = run("figures", *arguments)
    assert process.returncode == 2
    assert message in process.stderr and "Traceback" not in process.stderr


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with claimed(tmp_path):
        process = run(*COMMAND, "--output", str(tmp_path / "figures"), "--resume", str(tmp_path))
    assert process.returncode == 2
    assert f"another run is using {tmp_path}" in process.stderr and "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("figure", "data", "message"),
    [
        ("4", None, "there is no figure 4; give one of 1, 2, 3, a1"),
        ("1", "cifar", "there is no data set cifar"),
        ("3", "synthetic", "the synthetic regression has none"),
    ],
)
def test_what_there_is_not_is_refused(figure: str, data: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        experiments_of(figure, data=data)


def test_results_of_other_settings_have_other_names_and_say_where_they_come_from(
    written: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = written
    assert len(list(folder.iterdir())) == 3
    for row in rows(next(folder.glob("*.csv"))):
        assert (row["effort"], row["samples"], row["device"]) == ("quick", "5000", "cpu")
        assert row["rates"] == ("0.001" if row["architecture"] == "relu" else "0.1 0.01 0.001")
        assert row["warm_up"] == "0" and int(row["steps"]) > 0
        assert torch.__version__.startswith(row["torch"])


def test_other_settings_have_other_checkpoints() -> None:
    settings: list[dict[str, Any]] = [{}, {"seeds": 3}, {"hidden": 16}, {"effort": Effort.FULL}]
    names = [experiments_of("1", **each)[0].checkpoint for each in settings]
    assert len(set(names)) == len(names)


def test_only_the_papers_sizes_are_called_so() -> None:
    assert experiments_of("1", warm_up=False)[0].of_the_paper
    assert not experiments_of("1")[0].of_the_paper
    assert not experiments_of("1", warm_up=False, effort=Effort.QUICK)[0].of_the_paper
    assert not experiments_of("1", hidden=16)[0].of_the_paper
    assert experiments_of("2", data="digits", effort=Effort.FULL)[0].of_the_paper
    assert not experiments_of("2", data="digits")[0].of_the_paper


def test_the_grid_of_figure_1_straddles_every_threshold() -> None:
    betas = np.array(SYNTHETIC_BETAS)
    assert len(betas) == 21
    for square in SYNTHETIC_SQUARES:
        assert np.any(betas < square) and np.any(betas > square) and not np.any(betas == square)
    assert np.all(np.diff(np.searchsorted(betas, sorted(SYNTHETIC_SQUARES))) >= 1)  # a β between any two


def test_settings_are_the_papers() -> None:
    for name in ("1", "a1"):
        network = experiments_of(name)[0].setting
        assert (network.hidden, network.d1, network.schedule.rates[0]) == (8, 5, 1e-3)
        assert len(network.seeds) >= 5
    full = experiments_of("2", data="digits", effort=Effort.FULL)[0].setting
    assert (full.hidden, full.d1, full.schedule.rates) == (2048, 5, (1e-4,))
    assert {effort: len({each.name for each in experiments_of("1", effort=effort)}) for effort in Effort} == {
        effort: len(FIGURES["1"].architectures) for effort in Effort
    }
    with pytest.raises(DataError, match="no figure"):
        experiments_of("0")
