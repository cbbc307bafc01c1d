"""The kill matrix: what became of each mutant in each layer, on a terminal and as JSON."""

import io

import pytest
from fabricated import PROVED
from rich.console import Console

from collapse.findings import AuditReport, ClaimReport, Fate
from collapse.judgement import Examination, Judgement, mutants_of
from collapse.report.json_document import document
from collapse.report.kill_matrix import print_kill_matrix
from collapse.report.terminal import print_report
from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from numerics.evidence import Evidence

CLAIM = claims_by_id()["thm-3.no-middle"]
OTHER = claims_by_id()["thm-3.hessian"]
CHANGES = [mutant.change for mutant in mutants_of(CLAIM)]
COUNT = len(CHANGES)


def report_of(claim: object = CLAIM, *, survivor: bool = True) -> ClaimReport:
    """The first mutant holds by proof, the second is not refuted exactly if there is to be a survivor."""
    assert claim in (CLAIM, OTHER)
    found = CLAIM if claim is CLAIM else OTHER
    count = len(mutants_of(found))
    row = (Evidence("exact", "truth", 3, 0.0, 0.0, "a"),)
    verdicts = (Verdict.PROVED, *(Verdict.REFUTED,) * (count - 1))
    refuted = (False, not survivor, *(True,) * (count - 2))
    return ClaimReport(found, Judgement(PROVED, None, verdicts), {"exact": Examination("exact", row, None, refuted)})


def lines_of(*reports: ClaimReport, width: int = 100) -> list[str]:
    stream = io.StringIO()
    print_kill_matrix(Console(file=stream, width=width, highlight=False), reports)
    return stream.getvalue().splitlines()


def test_fates() -> None:
    report = report_of()
    assert report.fates(0) == {"symbolic": Fate.LEFT_OUT, "exact": Fate.LEFT_OUT}
    assert report.fates(1) == {"symbolic": Fate.KILLED, "exact": Fate.SURVIVED}
    assert report.fates(2) == {"symbolic": Fate.KILLED, "exact": Fate.KILLED}


@pytest.mark.parametrize("width", [80, 120])
def test_one_row_a_mutant(width: int) -> None:
    text = [" ".join(line.split()) for line in lines_of(report_of(), width=width)]
    assert any(line == "mutant symbolic exact" for line in text)
    assert f"{CHANGES[0]} by proof by proof" in text
    assert f"{CHANGES[1]} killed survived" in text
    assert all(f"{change} killed killed" in text for change in CHANGES[2:])
    assert "Mutants killed, claim by layer" not in text


def test_several_claims_are_summed_up() -> None:
    lines = lines_of(report_of(), report_of(OTHER, survivor=False))
    start = next(k for k, line in enumerate(lines) if line.startswith("Mutants killed"))
    rows = [line.split() for line in lines[start + 1 : start + 4]]
    others = len(mutants_of(OTHER)) - 1
    assert rows[0] == ["claim", "symbolic", "exact", "by", "proof"]
    assert rows[1] == [CLAIM.id, f"{COUNT - 1}/{COUNT - 1}", f"{COUNT - 2}/{COUNT - 1}", "1"]
    assert rows[2] == [OTHER.id, f"{others}/{others}", f"{others}/{others}", "1"]


def test_a_layer_that_does_not_test_a_claim_is_marked() -> None:
    silent = report_of(OTHER)
    silent.examinations = {}
    lines = lines_of(report_of(), silent)
    assert lines[-3].split()[0] == OTHER.id and "–" in lines[-3]


def test_it_is_printed_and_written_only_when_asked_for() -> None:
    audit = AuditReport(0, [report_of()])
    for mutants in (False, True):
        stream = io.StringIO()
        print_report(Console(file=stream, width=120), audit, ("symbolic", "exact"), mutants=mutants)
        assert ("its mutants, layer by layer" in stream.getvalue()) is mutants
        assert ("matrix" in document(audit, mutants=mutants)["claims"][0]["mutants"]) is mutants


def test_the_document_has_every_mutant_and_layer() -> None:
    matrix = document(AuditReport(0, [report_of()]), mutants=True)["claims"][0]["mutants"]["matrix"]
    assert [row["change"] for row in matrix] == CHANGES
    assert [row["formula"] for row in matrix] == [str(mutant.formula) for mutant in mutants_of(CLAIM)]
    assert matrix[0]["layers"] == {"symbolic": "left out by proof", "exact": "left out by proof"}
    assert matrix[1]["layers"] == {"symbolic": "killed", "exact": "survived"}
    assert all(row["layers"] == {"symbolic": "killed", "exact": "killed"} for row in matrix[2:])
