"""The errata: what is one, and how they are written."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import ESCAPE, run
from fabricated import ERRATUM, PROVED, REFUTED, UNDECIDED, a_claim, a_lemma, an_entry, proved_with
from rich.console import Console

import collapse.errata
import collapse.workers
from collapse import cli
from collapse.errata import Entry, Errata, collect_errata
from collapse.output import read_markdown
from collapse.report.errata import BEGIN, END, errata_document, inserted, markdown, point_of, print_errata
from collapse.report.letters import with_letters
from collapse.workers import Idle
from derivations.claim import Decision, Severity, Verdict
from derivations.errors import DataError
from derivations.ledger import CLAIMS, claims_by_id

TWO = ("prop-3.variance", "thm-2.extra-latents")


# ---------------------------------------------------------------------------------------- what is an erratum
def test_a_sound_entry_has_nothing_amiss() -> None:
    assert an_entry().failures() == []
    assert Errata((an_entry(),)).failures() == {}


WRONG = {
    "printed proved": (an_entry(printed=PROVED), "the printed statement is proved, not refuted"),
    "printed undecided": (an_entry(printed=UNDECIDED), "the printed statement is undecided, not refuted a lemma"),
    "no witness": (an_entry(printed=Decision(Verdict.REFUTED)), "without an exact counterexample"),
    "nothing in its place": (an_entry(corrected=None), "nothing stands in place of the printed statement"),
    "corrected refuted": (an_entry(corrected=REFUTED), "the corrected statement is refuted, not proved"),
    "corrected undecided": (an_entry(corrected=UNDECIDED), "the corrected statement is undecided, not proved a lemma"),
    "unknown lemma": (an_entry(corrected=proved_with("folklore")), "rests on 'folklore', which is no cited lemma"),
    "no erratum": (an_entry(a_claim(erratum=None)), "does not say what is printed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_entry_that_is_not_as_it_must_be(name: str) -> None:
    entry, reason = WRONG[name]
    (found,) = entry.failures()
    assert reason in found
    errata = Errata((an_entry(a_claim("test.sound")), entry))
    assert errata.failures() == {"test.claim": [found]}


def test_a_lemma_in_the_registry_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.lemmas.LEMMAS", (a_lemma("folklore"),))
    entry = an_entry(corrected=proved_with("folklore", "folklore"))
    assert entry.failures() == [] and entry.lemmas == ["folklore"]


def test_entries_are_judged_anew_in_the_papers_order() -> None:
    heard: list[str] = []
    claims = [claim for claim in CLAIMS if claim.id in (*TWO, "thm-3.no-middle")]
    errata = collect_errata(claims, Idle(), lambda entry: heard.append(entry.claim.id))
    assert tuple(entry.claim.id for entry in errata.entries) == TWO
    assert sorted(heard) == sorted(TWO)
    for entry in errata.entries:
        assert entry.printed.verdict is Verdict.REFUTED and entry.printed.witness is not None
        assert entry.corrected is not None and entry.corrected.verdict is Verdict.PROVED and entry.corrected.steps


def test_severities_are_counted() -> None:
    severities = (Severity.TYPO, Severity.CONCLUSION, Severity.TYPO)
    claims = [a_claim(f"test.{k}", erratum=replace(ERRATUM, severity=each)) for k, each in enumerate(severities)]
    errata = Errata((*map(an_entry, claims), an_entry(a_claim("test.none", erratum=None))))
    assert errata.by_severity == {Severity.TYPO: 2, Severity.CONDITION: 0, Severity.CONCLUSION: 1}
    assert list(errata.by_severity) == list(Severity)


# --------------------------------------------------------------------------------------------- how it is set
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(beta)*eta_dec", "√β η_dec"),
        ("zeta[i]**2 - 2*sqrt(35)/30", "ζ_i^2 - 2 √35/30"),
        ("(9/20,)", "(9/20)"),
        ("Lambda^T Lambda, lambda_1 <= theta", "Λ^T Λ, λ_1 ≤ θ"),
        ("sqrt(beta + 1) != 1", "√(β + 1) ≠ 1"),
        ("beta(zeta), alphabet, theta2, d_* = 3", "β(ζ), alphabet, θ2, d_* = 3"),
        ("the i-th *smallest*", "the i-th *smallest*"),
    ],
)
def test_letters(text: str, expected: str) -> None:
    assert with_letters(text) == expected


def test_neighbours_of_one_kind_and_value_share_it() -> None:
    assert point_of(REFUTED) == "ζ = σ = (2, 1), β = η_dec = 1, d0 = 1, i = 1"
    assert point_of(PROVED) == ""


def test_the_markdown_table() -> None:
    table = markdown(Errata((an_entry(),)))
    head, rule, row, blank, counts = table.splitlines()
    assert head == "| claim | place | printed | smallest exact counterexample found | what holds | severity |"
    assert set(rule) == set("| -") and rule.count("|") == head.count("|") == 7
    point = "ζ = σ = (2, 1), β = η_dec = 1, d0 = 1, i = 1: √β η_dec is 1 \\| 2, not ζ_i^2"
    assert row == f"| test.claim | §0, Eq 0 | σ_i ≤ √β η_dec | {point} | σ_i = 2 ζ_i | condition |"
    assert blank == "" and counts.startswith(
        "1 erratum: 0 typo, 1 condition, 0 conclusion. m_i is the i-th singular value"
    )


def test_markdown_says_literally_what_the_text_says() -> None:
    erratum = replace(ERRATUM, printed="a*b < `c` | $d$ _e_ f_g", holds="two\nlines")
    row = markdown(Errata((an_entry(a_claim(erratum=erratum)),))).splitlines()[2]
    assert r"| a b \< \`c\` \| \$d\$ \_e\_ f_g |" in row and "| two lines |" in row


def test_without_an_erratum_the_formulas_are_shown() -> None:
    row = markdown(Errata((an_entry(a_claim(erratum=None)),))).splitlines()[2]
    assert "| ζ ≤ 1 |" in row and "| ζ ≤ 2 |  |" in row


def test_a_table_is_put_between_the_markers() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert inserted(text, "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert inserted(inserted(text, "new\n"), "new\n") == inserted(text, "new\n")


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_a_text_without_a_place_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="errata:begin"):
        inserted(text, "new")


def test_the_json_document() -> None:
    found = json.loads(json.dumps(errata_document(Errata((an_entry(),))), allow_nan=False))
    (entry,) = found["errata"]
    assert (entry["id"], entry["source"], entry["severity"]) == ("test.claim", "§0, Eq 0", "condition")
    assert entry["counterexample"]["values"]["zeta"] == "(2, 1)"
    assert entry["counterexample"]["failure"] == "sqrt(beta)*eta_dec is 1 | 2, not zeta[i]**2"
    assert entry["printed"] == {"text": ERRATUM.printed, "latex": r"\zeta \leq 1", "verdict": "refuted"}
    assert entry["corrected"] == {"text": ERRATUM.holds, "latex": r"\zeta \leq 2", "verdict": "proved"}
    assert entry["proof"] == {"scope": PROVED.scope, "steps": 1, "uses": ["thm-0.other"], "lemmas": []}
    assert found["summary"]["passed"] is True and found["summary"]["by_severity"]["condition"] == 1
    assert found["schema_version"] == 1 and "sympy" in found["versions"]


def test_a_failing_document_says_why() -> None:
    summary = errata_document(Errata((an_entry(corrected=None),)))["summary"]
    assert summary["passed"] is False and list(summary["failures"]) == ["test.claim"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_everything(width: int) -> None:
    stream = io.StringIO()
    lemma = an_entry(a_claim("test.other", uses=()), corrected=proved_with("a lemma"))
    print_errata(Console(file=stream, width=width, highlight=False), Errata((an_entry(), lemma)))
    text = " ".join(stream.getvalue().split())
    for part in (
        "test.claim §0, Eq 0 condition",
        "printed σ_i ≤ √β η_dec",
        "fails at ζ = σ = (2, 1)",
        "since √β η_dec is 1 | 2, not ζ_i^2",
        "holds σ_i = 2 ζ_i",
        "proved 1 step, symbolic dimensions, using thm-0.other, no cited lemma",
        "from the definitions alone, cited lemmas: a lemma",
        "2 errata: 0 typo, 2 condition, 0 conclusion.",
        "test.other: a step rests on 'a lemma', which is no cited lemma",
    ):
        assert part in text
    lines = stream.getvalue().splitlines()
    assert all(len(line) <= width and line == line.rstrip() for line in lines)


# --------------------------------------------------------------------------------------------- command line
@contextmanager
def no_workers(*_: Any, **__: Any) -> Iterator[Idle]:
    yield Idle()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`collapse errata` in this process, on fabricated entries; its exit code."""

    def of(entries: tuple[Entry, ...], *arguments: str) -> int:
        monkeypatch.setattr(collapse.errata, "collect_errata", lambda *_: Errata(entries))
        monkeypatch.setattr(collapse.workers, "workers", no_workers)
        monkeypatch.setattr(sys, "argv", ["collapse", "errata", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    return of


@pytest.mark.parametrize(("entry", "code"), [(an_entry(), 0), (an_entry(printed=PROVED), 1)])
def test_the_exit_code_is_whether_all_are_errata(entry: Entry, code: int, command: Any, capsys: Any) -> None:
    assert command((entry,)) == code
    assert "test.claim" in capsys.readouterr().out


def test_files_are_written_and_a_pipe_is_quiet(command: Any, capsys: Any, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"a\n{BEGIN}\n{END}\nb\n", encoding="utf-8")
    files = {name: tmp_path / f"errata.{name}" for name in ("json", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert command((an_entry(),), *options, "--into", str(readme)) == 0
    table = markdown(Errata((an_entry(),)))
    assert files["markdown"].read_text(encoding="utf-8") == table
    assert json.loads(files["json"].read_text(encoding="utf-8"))["errata"][0]["id"] == "test.claim"
    assert readme.read_text(encoding="utf-8") == f"a\n{BEGIN}\n{table}{END}\nb\n"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--json", "-", "--markdown", "-"), "standard output"),
        (("--json", "missing/errata.json"), "missing/errata.json"),
        (("--markdown", ""), "--markdown"),
        (("--into", "missing.md"), "missing.md"),
        (("--into", "LICENSE"), "errata:begin"),
        (("--into", "README.md", "--claim", "thm-2.rotation"), "--claim"),
        (("--json", "build/errata", "--markdown", "build/../build/errata"), "different files"),
        (("--claim", "nothing"), "nothing"),
    ],
    ids=" ".join,
)
def test_bad_usage_is_named_before_anything_is_judged(
    arguments: tuple[str, ...], named: str, command: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command((), *arguments) == 2
    streams = capsys.readouterr()
    assert named in streams.err and len(streams.err.splitlines()) == 1 and streams.out == ""


LONG = "a" * 300


@pytest.mark.parametrize(
    ("option", "name", "named"),
    [
        ("--into", "latin-1.md", "not UTF-8"),
        ("--into", LONG, "too long"),
        ("--markdown", LONG, "too long"),
        ("--json", LONG, "too long"),
        ("--markdown", "pipe", "regular file"),
        ("--markdown", "loop", "symbolic links"),
    ],
    ids=lambda text: text if len(text) < 100 else "long",
)
def test_files_that_cannot_be_used_are_named_before_anything_is_judged(
    option: str, name: str, named: str, command: Any, capsys: Any, tmp_path: Path
) -> None:
    (tmp_path / "latin-1.md").write_bytes(f"é\n{BEGIN}\n{END}\n".encode("latin-1"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    keep = os.open(tmp_path / "pipe", os.O_RDWR)  # with both ends open, nothing waits to open it
    try:
        assert command((), option, str(tmp_path / name), *(() if option == "--json" else ("--json", "-"))) == 2
    finally:
        os.close(keep)
    streams = capsys.readouterr()
    assert name in streams.err and named in streams.err and len(streams.err.splitlines()) == 1 and streams.out == ""


def test_a_named_pipe_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("this would wait"))
    with pytest.raises(DataError, match="named pipe"):
        read_markdown(str(tmp_path / "pipe"))


def test_live_errata_in_a_pipe() -> None:
    """In a process of its own: nothing but the document on standard output."""
    done = run("errata", *(part for name in TWO for part in ("--claim", name)), "--json", "-")
    document = json.loads(done.stdout)
    assert [entry["id"] for entry in document["errata"]] == list(TWO)
    assert all(entry["counterexample"]["failure"] and entry["proof"]["steps"] for entry in document["errata"])
    described = all(claims_by_id()[name].erratum is not None for name in TWO)
    assert done.returncode == (0 if described else 1) and done.stderr == "" and ESCAPE not in done.stdout
