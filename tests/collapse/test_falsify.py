"""`collapse falsify`: the same outcome for any number of workers, resumed after a kill, and a verdict that can be no."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collapse import falsify as module
from collapse.falsify import Outcome, falsify
from collapse.report.falsify import outcome_document, verdict
from derivations.errors import DataError
from numerics.falsify import Attempt

SETTINGS: dict[str, Any] = {"seed": 0, "instances": 30, "minutes": None, "device": "cpu", "workers": 1}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 8)


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Reversed(Executor):
    """Does its work when asked for results, the last submitted first."""

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **named))
        return future


def test_the_last_block_is_what_is_left(pool: Executor) -> None:
    outcome = falsify(pool, **SETTINGS, directory=None)
    assert [attempt.instances for attempt in outcome.attempts] == [8, 8, 8, 6]
    assert outcome.instances == outcome.certified + outcome.diverged == 30
    assert outcome.passed
    assert "no counterexample in 30 descents" in verdict(outcome)


def test_neither_the_number_of_workers_nor_their_order_matters(pool: Executor) -> None:
    one = falsify(pool, **SETTINGS, directory=None)
    assert falsify(Reversed(), **SETTINGS | {"workers": 3}, directory=None) == one
    assert falsify(Reversed(), **SETTINGS | {"seed": 1}, directory=None) != one


class Killed(BaseException):
    pass


def test_a_killed_run_goes_on(pool: Executor, tmp_path: Path) -> None:
    whole = falsify(pool, **SETTINGS, directory=None)
    seen: list[int] = []

    def kill(attempt: Attempt) -> None:
        seen.append(attempt.block)
        if len(seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        falsify(pool, **SETTINGS, directory=tmp_path, listener=kill)
    with (tmp_path / "attempts.jsonl").open("a") as file:
        file.write('{"block": 3}\n7\n{"block": 3, "hardship": "spr')  # of another make, and cut short
    done: list[int] = []
    original = module.attempt

    def counted(seed: int, number: int, *rest: Any) -> Attempt:
        done.append(number)
        return original(seed, number, *rest)

    module.attempt = counted  # type: ignore[assignment]
    try:
        assert falsify(pool, **SETTINGS, directory=tmp_path) == whole
    finally:
        module.attempt = original
    assert sorted(seen + done) == [0, 1, 2, 3]  # nothing lost, nothing done twice
    again = [json.loads(line)["block"] for line in (tmp_path / "attempts.jsonl").read_text().splitlines()]
    assert sorted(again) == [0, 1, 2, 3]


def test_a_finished_run_grows(pool: Executor, tmp_path: Path) -> None:
    falsify(pool, **SETTINGS, directory=tmp_path)
    grown = falsify(pool, **SETTINGS | {"instances": 40}, directory=tmp_path)
    assert grown == falsify(pool, **SETTINGS | {"instances": 40}, directory=None)
    shrunk = falsify(pool, **SETTINGS | {"instances": 16}, directory=tmp_path)
    assert shrunk.instances == 16


def test_another_run_s_folder_is_refused(pool: Executor, tmp_path: Path) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    with pytest.raises(DataError, match=r"holds a run with seed = 0, not 1; name another folder"):
        falsify(pool, **SETTINGS | {"seed": 1}, directory=tmp_path)
    for text in ("no json", "[1, 2]", "7"):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(DataError, match="is no JSON object"):
            falsify(pool, **SETTINGS, directory=tmp_path)
    with pytest.raises(DataError, match="cannot use"):
        falsify(pool, **SETTINGS, directory=tmp_path / "settings.json")


def test_no_time_no_attempts(pool: Executor) -> None:
    outcome = falsify(pool, **SETTINGS | {"minutes": 0.0}, directory=None)
    assert outcome.attempts == ()
    assert not outcome.passed
    assert verdict(outcome) == "nothing was tried"


def test_the_verdict_can_be_no(pool: Executor) -> None:
    outcome = falsify(pool, **SETTINGS | {"instances": 8}, directory=None)
    (one,) = outcome.attempts
    broken = Outcome(0, "cpu", (replace(one, against=((3, -0.5),)),))
    assert not broken.passed
    assert verdict(broken) == "THE THEORY FAILS at 1 of 8 instances"
    document = outcome_document(broken, 1.0)
    assert document["passed"] is False
    assert "draw_block(0, 0, 8), instance 3" in document["against"][0]
    unsure = Outcome(0, "cpu", (replace(one, uncertified=(2, 5)),))
    assert not unsure.passed
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


@pytest.mark.parametrize("arguments", [("--instances", "0"), ("--workers", "0"), ("--seed", "-1"), ("--minutes", "-1")])
def test_bad_options_are_refused(arguments: tuple[str, str]) -> None:
    found = command(*arguments)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
