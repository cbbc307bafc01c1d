"""The JSON document on standard output and its schema."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import BY_DERIVATION_AND_EXACTLY, COLLAPSE, ESCAPE, EXTRA, run

TEXT, NUMBER, WHOLE, TRUTH, LIST, DICT = str, (int, float), int, bool, list, dict
SCHEMA = {
    "": {"schema_version": WHOLE, "versions": DICT, "seed": WHOLE, "claims": LIST, "summary": DICT},
    "claim": {
        "id": TEXT, "source": TEXT, "title": TEXT, "printed": DICT, "corrected": (DICT, type(None)), "steps": LIST,
        "evidence": LIST, "mutants": DICT, "uses": LIST,
    },
    "printed": {"latex": TEXT, "verdict": TEXT, "scope": TEXT, "counterexample": (DICT, type(None))},
    "corrected": {"latex": TEXT, "verdict": TEXT, "scope": TEXT},
    "step": {"text": TEXT, "latex": TEXT, "verdict": TEXT, "lemma": (TEXT, type(None)), "size": (TEXT, type(None))},
    "evidence": {
        "layer": TEXT, "instances": WHOLE, "worst_residual": NUMBER, "tolerance": NUMBER, "passed": TRUTH,
    },
    "mutants": {"total": WHOLE, "refuted": WHOLE, "survivors": LIST},
    "summary": {
        "claims": WHOLE, "proved": WHOLE, "refuted": WHOLE, "undecided": WHOLE, "mutants_total": WHOLE,
        "mutants_refuted": WHOLE, "seconds": NUMBER,
    },
}  # fmt: skip


def conforms(part: Any, name: str) -> dict[str, Any]:
    """The part, if it has every field of the schema, each of its type; more fields are allowed."""
    assert isinstance(part, dict), name
    for field, kind in SCHEMA[name].items():
        assert field in part, (name, field)
        assert isinstance(part[field], kind), (name, field, part[field])
        assert kind is bool or not isinstance(part[field], bool), (name, field)
    if "verdict" in part:
        assert part["verdict"] in {"proved", "refuted", "undecided"}
    return part


def check_document(document: Any) -> None:
    """The whole document against the schema, version 1, and its sums."""
    conforms(document, "")
    assert document["schema_version"] == 1
    assert all(isinstance(name, str) and isinstance(text, str) for name, text in document["versions"].items())
    claims = [conforms(claim, "claim") for claim in document["claims"]]
    for claim in claims:
        conforms(claim["printed"], "printed")
        if claim["corrected"] is not None:
            conforms(claim["corrected"], "corrected")
        steps = [conforms(step, "step") for step in claim["steps"]]
        rows = [conforms(row, "evidence") for row in claim["evidence"]]
        mutants = conforms(claim["mutants"], "mutants")
        assert steps and rows and mutants["total"] == mutants["refuted"] + len(mutants["survivors"]) > 0
        assert (claim["printed"]["counterexample"] is None) is (claim["printed"]["verdict"] == "proved")
    summary = conforms(document["summary"], "summary")
    assert summary["claims"] == len(claims) == sum(summary[key] for key in ("proved", "refuted", "undecided"))
    assert summary["mutants_total"] == sum(claim["mutants"]["total"] for claim in claims)
    assert summary["mutants_refuted"] == sum(claim["mutants"]["refuted"] for claim in claims)


@pytest.fixture(scope="module")
def to_standard_output() -> subprocess.CompletedProcess[str]:
    return run("audit", "--claim", COLLAPSE, *BY_DERIVATION_AND_EXACTLY, "--json", "-", PYTHONHASHSEED="1")


def test_json_on_standard_output(to_standard_output: subprocess.CompletedProcess[str]) -> None:
    done = to_standard_output
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert done.stdout == json.dumps(document, indent=2, ensure_ascii=False) + "\n", "something else is on it"
    check_document(document)
    (claim,) = document["claims"]
    assert claim["id"] == COLLAPSE and claim["printed"]["verdict"] == "proved" and claim["corrected"] is None
    assert [(row["layer"], row["worst_residual"], row["passed"]) for row in claim["evidence"]] == [("exact", 0, True)]
    assert claim["mutants"]["refuted"] == claim["mutants"]["total"] > 0
    assert done.stderr == "", "a pipe gets the document and no report"


def test_a_document_that_breaks_the_schema_is_noticed(to_standard_output: subprocess.CompletedProcess[str]) -> None:
    for change in (
        lambda d: d["claims"][0].pop("steps"),
        lambda d: d["claims"][0]["printed"].update(verdict="PROVED"),
        lambda d: d["claims"][0]["evidence"][0].update(passed=1),
        lambda d: d["claims"][0]["mutants"].update(refuted=0),
        lambda d: d["summary"].update(claims=2),
        lambda d: d.update(seed=True),
    ):
        document = json.loads(to_standard_output.stdout)
        change(document)
        with pytest.raises(AssertionError):
            check_document(document)


def test_the_same_seed_gives_the_same_bytes(to_standard_output: subprocess.CompletedProcess[str]) -> None:
    """But for the seconds, and whatever order this process's hashes have."""
    again = run("audit", "--claim", COLLAPSE, *BY_DERIVATION_AND_EXACTLY, "--json", "-", PYTHONHASHSEED="2")
    seconds = re.compile(r'"seconds": [0-9.]+')
    texts = [seconds.sub('"seconds": 0', done.stdout) for done in (to_standard_output, again)]
    assert all(len(seconds.findall(done.stdout)) == 1 for done in (to_standard_output, again))
    assert texts[0] == texts[1] != ""


def test_a_json_file_and_a_terminal_report_for_a_refuted_claim(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    arguments = ("audit", "--claim", EXTRA, *BY_DERIVATION_AND_EXACTLY, "--json", str(target))
    done = run(*arguments, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    document = json.loads(target.read_text(encoding="utf-8"))
    check_document(document)
    (extra,) = document["claims"]
    assert extra["id"] == EXTRA
    assert (extra["printed"]["verdict"], extra["corrected"]["verdict"]) == ("refuted", "proved")
    shown = " ".join(done.stdout.split())
    for name, value in extra["printed"]["counterexample"]["values"].items():
        assert f"{name} = {value}" in shown
    assert extra["printed"]["counterexample"]["failure"] in shown
    assert ESCAPE not in done.stdout + done.stderr
    assert EXTRA in {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert "audit passed" in done.stdout
