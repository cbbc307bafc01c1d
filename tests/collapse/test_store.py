"""What `collapse falsify --resume` keeps: a killed run goes on, and a folder of another run, or a damaged one, is refused."""

import json
import zlib
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from collapse import falsify as module
from collapse.falsify import falsify
from collapse.store import opened
from derivations.errors import DataError
from numerics.falsify import Attempt

SETTINGS: dict[str, Any] = {"seed": 0, "instances": 30, "minutes": None, "device": "cpu", "workers": 1}
pytestmark = pytest.mark.usefixtures("small_blocks")


class Killed(BaseException):
    pass


def test_a_killed_run_goes_on(pool: Executor, tmp_path: Path) -> None:
    whole = falsify(pool, **SETTINGS, directory=None)
    seen: list[int] = []

    def kill(attempt: Attempt, fresh: bool) -> None:
        assert fresh
        seen.append(attempt.block)
        if len(seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        falsify(pool, **SETTINGS, directory=tmp_path, listener=kill)
    with (tmp_path / "attempts.jsonl").open("a") as file:
        file.write('{"block": 3, "hardship": "spr')  # cut short
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
    assert shrunk.whole.instances == 16
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines()
    assert falsify(pool, **SETTINGS, directory=tmp_path) == falsify(pool, **SETTINGS, directory=None)
    assert (tmp_path / "attempts.jsonl").read_text().splitlines() == lines, "both of block 3 are kept"


def test_another_run_s_folder_is_refused(pool: Executor, tmp_path: Path) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    with pytest.raises(DataError, match=r"holds a run with seed = 0, not 1; name another folder"):
        falsify(pool, **SETTINGS | {"seed": 1}, directory=tmp_path)
    for text in ("no json", "[1, 2]", "7", "[" * 200_000):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(DataError, match="is no JSON object"):
            falsify(pool, **SETTINGS, directory=tmp_path)
    with pytest.raises(DataError, match="cannot use"):
        falsify(pool, **SETTINGS, directory=tmp_path / "settings.json")


@pytest.mark.parametrize("line", [b"{}", b"7", b"\xff\xfe", b'{"block": 1}', b"[" * 200_000])
def test_a_line_that_is_no_attempt_is_named_and_left_alone(pool: Executor, tmp_path: Path, line: bytes) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    path = tmp_path / "attempts.jsonl"
    content = path.read_bytes() + line + b"\n"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"line 2 of .* is no attempt"):
        falsify(pool, **SETTINGS, directory=tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "change", [("certified", 7), ("block", "0"), ("worst_above", [None, 0]), ("against", [[1, 2, 3]])]
)
def test_a_line_that_has_changed_is_named(pool: Executor, tmp_path: Path, change: tuple[str, object]) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    path = tmp_path / "attempts.jsonl"
    document = json.loads(path.read_text())
    assert document[change[0]] != change[1]
    path.write_text(json.dumps(document | dict([change])) + "\n")
    with pytest.raises(DataError, match=r"line 1 of .* is no attempt, or not as it was written"):
        falsify(pool, **SETTINGS, directory=tmp_path)


@pytest.mark.parametrize(
    "change",
    [("block", "zero"), ("certified", 7.5), ("shape", [1, 2]), ("worst_above", [0, 0]), ("against", [[1, True]])],
)
def test_a_line_of_other_types_is_named(pool: Executor, tmp_path: Path, change: tuple[str, object]) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    path = tmp_path / "attempts.jsonl"
    document = json.loads(path.read_text()) | dict([change])
    del document["checksum"]
    path.write_text(json.dumps(document | {"checksum": zlib.crc32(json.dumps(document).encode())}) + "\n")
    with pytest.raises(DataError, match=r"line 1 of .* is no attempt, or not as it was written"):
        falsify(pool, **SETTINGS, directory=tmp_path)


def test_attempts_of_an_unknown_run_are_not_counted(pool: Executor, tmp_path: Path) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(DataError, match=r"holds attempts, but no settings\.json that says of which run"):
        falsify(pool, **SETTINGS | {"seed": 1}, directory=tmp_path)
    assert not (tmp_path / "settings.json").exists()


def test_other_code_is_another_run(pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)
    monkeypatch.setattr(module, "fingerprint", lambda: "other")
    with pytest.raises(DataError, match="holds a run with code = "):
        falsify(pool, **SETTINGS | {"instances": 8}, directory=tmp_path)


def test_a_folder_serves_one_run_at_a_time(pool: Executor, tmp_path: Path) -> None:
    with opened(tmp_path, {"seed": 0}), pytest.raises(DataError, match="another run is using"):
        falsify(pool, **SETTINGS, directory=tmp_path)


def test_a_full_disk_is_told(pool: Executor, tmp_path: Path) -> None:
    def fill(attempt: Attempt, fresh: bool) -> None:
        (tmp_path / "attempts.jsonl").unlink()
        (tmp_path / "attempts.jsonl").mkdir()

    with pytest.raises(DataError, match=r"cannot write to .* What was kept before is intact"):
        falsify(pool, **SETTINGS, directory=tmp_path, listener=fill)
