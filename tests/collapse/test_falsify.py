"""`collapse falsify`: the same outcome for any number of workers, resumed after a kill, and a verdict that can be no."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from collapse import falsify as module
from collapse.falsify import Outcome, falsify
from collapse.report.falsify import outcome_document, verdict
from derivations.errors import DataError
from numerics.falsify import Attempt

SETTINGS: dict[str, Any] = {"seed": 0, "instances": 30, "minutes": None, "device": "cpu", "workers": 1}
pytestmark = pytest.mark.usefixtures("small_blocks")


class Reversed(Executor):
    """Does its work when asked for results, the last submitted first."""

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **named))
        return future


def of(*attempts: Attempt) -> Outcome:
    outcome = Outcome(0, "cpu")
    for one in attempts:
        outcome.take(one)
    return outcome


def made(pool: Executor, **settings: Any) -> tuple[Outcome, list[Attempt]]:
    """A run without a folder, and its attempts."""
    attempts: list[Attempt] = []
    listener = lambda attempt, fresh: attempts.append(attempt)  # noqa: E731
    return falsify(pool, **SETTINGS | settings, directory=None, listener=listener), attempts


def test_the_last_block_is_what_is_left(pool: Executor) -> None:
    outcome, attempts = made(pool)
    assert [attempt.instances for attempt in attempts] == [8, 8, 8, 6]
    assert outcome.whole.instances == outcome.whole.certified + outcome.whole.diverged == 30
    assert outcome.passed
    assert "no counterexample in 30 descents" in verdict(outcome)


def test_neither_the_number_of_workers_nor_their_order_matters(pool: Executor) -> None:
    one = falsify(pool, **SETTINGS, directory=None)
    assert falsify(Reversed(), **SETTINGS | {"workers": 3}, directory=None) == one
    assert falsify(Reversed(), **SETTINGS | {"seed": 1}, directory=None) != one


def test_an_outcome_takes_no_more_room_for_more_attempts(pool: Executor) -> None:
    _, attempts = made(pool)
    outcome = of(*attempts, *(replace(one, block=one.block + 1000) for one in attempts))
    assert len(outcome.tallies) <= len(attempts) and not outcome.telling
    assert outcome.whole.instances == 60
    assert sum(outcome.by("search").values()) == 60


def test_workers_of_another_make_are_refused() -> None:
    class Other(Reversed):
        def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(module.surroundings("cpu") | {"torch": "0.1"})
            return future

    with pytest.raises(DataError, match=r"the workers have torch = '0\.1', this machine"):
        falsify(Other(), **SETTINGS, directory=None)


def test_a_lost_worker_is_told_in_one_line(tmp_path: Path) -> None:
    class Losing(Reversed):
        def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            if work is module.surroundings:
                return super().submit(work, *arguments, **named)
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("a process was ended"))
            return future

    with pytest.raises(
        DataError, match=r"block \d could not be finished \(BrokenExecutor: a process was ended\)"
    ) as found:
        falsify(Losing(), **SETTINGS, directory=tmp_path)
    assert f"what is done is kept in {tmp_path}" in str(found.value)


def test_a_run_that_cannot_begin_does_not_speak_of_what_is_kept(tmp_path: Path) -> None:
    class Lost(Executor):
        def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("a process was ended"))
            return future

    with pytest.raises(DataError, match=r"no worker could begin .* if memory ran out\.$"):
        falsify(Lost(), **SETTINGS, directory=tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("minutes", [float("nan"), float("inf")])
def test_minutes_must_be_finite(pool: Executor, minutes: float) -> None:
    with pytest.raises(DataError, match="--minutes must be finite"):
        falsify(pool, **SETTINGS | {"minutes": minutes}, directory=None)


def test_workers_end_with_the_command(tmp_path: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "collapse.cli", "falsify", "--workers", "1", "--resume", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    children: list[psutil.Process] = []
    while started.poll() is None and not (tmp_path / "attempts.jsonl").exists():
        children = psutil.Process(started.pid).children(recursive=True)
        time.sleep(1 / 100)
    assert any("spawn_main" in " ".join(child.cmdline()) for child in children)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


def test_no_time_no_attempts(pool: Executor) -> None:
    outcome, attempts = made(pool, minutes=0.0)
    assert attempts == []
    assert not outcome.passed
    assert verdict(outcome) == "nothing was tried"


def test_the_verdict_can_be_no(pool: Executor) -> None:
    _, (one,) = made(pool, instances=8)
    broken = of(replace(one, against=((3, -0.5),)))
    assert not broken.passed
    assert verdict(broken) == "THE THEORY FAILS at 1 of 8 instances"
    document = outcome_document(broken, 1.0)
    assert document["passed"] is False
    assert "numerics.falsify.trials(0, 0, 8), instance 3" in document["against"][0]
    unsure = of(replace(one, uncertified=(2, 5)))
    assert not unsure.passed
    assert [line[-10:] for line in outcome_document(unsure, 1.0)["uncertified"]] == ["instance 2", "instance 5"]


def test_gaps_count_on_their_own_side(pool: Executor) -> None:
    _, (one,) = made(pool, instances=8)
    below, above = replace(one, worst_above=(-1e-3, 0), worst_below=(-5e-3, 1)), replace(one, worst_below=(0.3, 2))
    assert of(below, above).whole.below == 5e-3
    assert of(below).whole.above == 0
    assert of(above).whole.below == 0


def test_the_verdict_on_uncertified_descents(pool: Executor) -> None:
    _, (one,) = made(pool, instances=8)
    unsure = of(replace(one, uncertified=(2, 5)))
    assert "2 of 8 descents ended without a certificate" in verdict(unsure)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collapse.cli", "falsify", *arguments], capture_output=True, text=True, check=False
    )


def test_the_command(tmp_path: Path) -> None:
    found = command("--instances", "20", "--workers", "1", "--json", "-", "--resume", str(tmp_path))
    assert (found.returncode, found.stderr) == (0, "")
    document = json.loads(found.stdout)
    assert document["passed"] and document["instances"] == 20
    assert len((tmp_path / "attempts.jsonl").read_text().splitlines()) == 1
    refused = command("--instances", "20", "--workers", "1", "--seed", "3", "--resume", str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --resume: ") and refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("--instances", "0"), ("--workers", "0"), ("--workers", "100000"), ("--seed", "-1"), ("--minutes", "-1")],
)
def test_bad_options_are_refused(arguments: tuple[str, str]) -> None:
    found = command(*arguments)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
