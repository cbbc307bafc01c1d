"""The command line: exit codes, one line for input that cannot be used, and what goes to which stream."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import ESCAPE, EXTRA, ROOT, environment, run

import collapse.audit
import collapse.errata
import collapse.workers
from collapse import cli
from collapse.workers import Idle
from derivations.ledger import CLAIMS


@contextmanager
def no_workers(*_: Any, **__: Any) -> Iterator[Idle]:
    """A pool without processes: this one does all the work."""
    yield Idle()


class Usage:
    """What `collapse` did in this process, where any work would have been noticed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.begun = 0

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """The exit code and standard error; nothing may be computed or written to standard output."""

        def begin(*_: Any, **__: Any) -> None:
            self.begun += 1
            raise AssertionError("work has begun")

        for module in (collapse.audit, collapse.errata):
            self.monkeypatch.setattr(module, "Backlog", begin)
        self.monkeypatch.setattr(collapse.workers, "workers", no_workers)
        self.monkeypatch.setattr(sys, "argv", ["collapse", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        streams = self.capsys.readouterr()
        assert streams.out == ""
        assert isinstance(stop.value.code, int)
        return stop.value.code, streams.err


@pytest.fixture
def usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Usage:
    return Usage(monkeypatch, capsys)


# ------------------------------------------------------------------------------------------- bad usage
def test_an_unknown_claim_is_named_with_the_known_ones_in_one_line() -> None:
    done = run("audit", "--claim", "thm-2.minimum", "--claim", "thm-9.nothing")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert "thm-9.nothing" in done.stderr
    assert [claim.id for claim in CLAIMS if claim.id not in done.stderr] == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--claim", "nothing"), "nothing"),
        (("--claim", ""), "''"),
        (("--layer", "intuition"), "intuition"),
        (("--device", "abacus"), "abacus"),
        (("--seed", "-1"), "--seed"),
        (("--seed", "one"), "--seed"),
        (("--seed", "1.5"), "--seed"),
        (("--claims", "thm-2.minimum"), "--claims"),
    ],
    ids=" ".join,
)
def test_bad_arguments_are_named_and_nothing_is_computed(arguments: tuple[str, ...], named: str, usage: Usage) -> None:
    code, error = usage("audit", *arguments)
    assert code == 2 and usage.begun == 0
    assert named in error and "Traceback" not in error


def test_json_into_a_missing_folder(tmp_path: Path, usage: Usage) -> None:
    target = tmp_path / "missing" / "report.json"
    code, error = usage("audit", "--claim", EXTRA, "--json", str(target))
    assert code == 2 and usage.begun == 0
    assert str(target) in error and len(error.splitlines()) == 1
    assert not target.parent.exists()


def test_json_onto_a_folder(tmp_path: Path, usage: Usage) -> None:
    code, error = usage("audit", "--claim", EXTRA, "--json", str(tmp_path))
    assert code == 2 and usage.begun == 0
    assert str(tmp_path) in error and "folder" in error and len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_json_under_a_name_that_is_too_long(tmp_path: Path, usage: Usage) -> None:
    target = tmp_path / ("a" * 300)
    code, error = usage("audit", "--claim", EXTRA, "--json", str(target))
    assert code == 2 and usage.begun == 0
    assert str(target) in error and "too long" in error and len(error.splitlines()) == 1


def test_json_into_a_named_pipe(tmp_path: Path, usage: Usage) -> None:
    """Refused, where opening it would wait for a reader: with one that is there already, so that a failure does not hang."""
    target = tmp_path / "pipe"
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    try:
        code, error = usage("audit", "--claim", EXTRA, "--json", str(target))
    finally:
        os.close(reader)
    assert code == 2 and usage.begun == 0
    assert str(target) in error and "regular file" in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout"])
def test_json_into_a_device_is_good_usage(name: str, usage: Usage) -> None:
    with pytest.raises(AssertionError, match="work has begun"):
        usage("audit", "--claim", EXTRA, "--json", name)
    assert Path(name).exists()


def test_bad_usage_leaves_an_existing_report_alone(tmp_path: Path, usage: Usage) -> None:
    target = tmp_path / "report.json"
    target.write_text("kept", encoding="utf-8")
    assert usage("audit", "--claim", "nothing", "--json", str(target))[0] == 2
    assert target.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    ("command", "option"), [("falsify", "--resume"), ("figures", "--resume"), ("figures", "--output")]
)
def test_a_folder_without_a_name_is_not_the_current_one(
    command: str, option: str, usage: Usage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an unset variable of a shell gives it."""

    def begin(*_: Any, **__: Any) -> None:
        raise AssertionError("work has begun")

    monkeypatch.setattr("collapse.falsify.falsify", begin)
    monkeypatch.setattr("collapse.experiments.run", begin)
    code, error = usage(command, option, "")
    assert code == 2 and option in error and "empty" in error


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="this machine has a CUDA device, so that asking for it is no error"
)
def test_cuda_without_a_device(usage: Usage) -> None:
    code, error = usage("audit", "--claim", EXTRA, "--device", "cuda")
    assert code == 2 and usage.begun == 0
    assert "cuda" in error and len(error.splitlines()) == 1


def test_a_command_that_does_not_exist(usage: Usage) -> None:
    code, error = usage("prove")
    assert code == 2 and "prove" in error


def test_work_is_noticed(usage: Usage) -> None:
    """Good usage does begin: the tests above can fail."""
    with pytest.raises(AssertionError, match="work has begun"):
        usage("audit", "--claim", EXTRA)
    assert usage.begun == 1


# ------------------------------------------------------------------------------------------------ help
@pytest.mark.parametrize("arguments", [("--help",), ("audit", "--help"), ("errata", "--help")], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    script = (
        "import sys\nfrom collapse.cli import main\n"
        f"sys.argv = {['collapse', *arguments]!r}\n"
        "try:\n    main()\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print('heavy:', *sorted({'torch', 'sympy', 'numpy', 'scipy', 'sklearn'} & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split()) == (0, ["heavy:"])
    named = {
        "--help": ("audit", "errata"),
        "audit": ("--claim", "--layer", "--device", "--seed", "--mutants", "--json"),
        "errata": ("--claim", "--json", "--markdown", "--into"),
    }[arguments[0]]
    assert [name for name in named if name not in done.stdout] == []


# -------------------------------------------------------------------------------------------- exit codes
def fabricated_audit(monkeypatch: pytest.MonkeyPatch, passed: bool, *arguments: str) -> int:
    """The exit code of an audit of one claim that looks at nothing and has this outcome."""

    class Report(collapse.audit.AuditReport):
        def failures(self) -> dict[str, list[str]]:
            return {} if passed else {EXTRA: ["for a test"]}

    def fabricated(claims: Any, *, seed: int, **_: Any) -> Report:
        return Report(seed, [collapse.audit.ClaimReport(claim) for claim in claims])

    monkeypatch.setattr(collapse.workers, "workers", no_workers)
    monkeypatch.setattr(collapse.audit, "run_audit", fabricated)
    monkeypatch.setattr(sys, "argv", ["collapse", "audit", "--claim", EXTRA, *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_is_the_verdict(
    passed: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "report.json"
    assert fabricated_audit(monkeypatch, passed, "--seed", "5", "--json", str(target)) == code
    assert ("audit passed" in capsys.readouterr().out) is passed
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["summary"]["passed"] is passed and written["seed"] == 5, "the report is written either way"


@pytest.mark.parametrize("passed", [True, False])
def test_a_terminal_gets_the_report_beside_the_json(
    passed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, so that standard output can still be piped on."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert fabricated_audit(monkeypatch, passed, "--json", "-") == (0 if passed else 1)
    streams = capsys.readouterr()
    assert json.loads(streams.out)["summary"]["passed"] is passed
    assert ESCAPE not in streams.out
    assert ("audit passed" in streams.err) is passed and EXTRA in streams.err
