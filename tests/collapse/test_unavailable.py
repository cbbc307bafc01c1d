"""A layer whose data are absent is shown as not checked, in plain sight, and fails nothing."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fabricated import PROVED
from rich.console import Console

import numerics.evidence
from collapse.findings import AuditReport, ClaimReport, Fate
from collapse.judgement import Examination, Judgement, examine, mutants_of
from collapse.report.json_document import document
from collapse.report.kill_matrix import counts_table, mutants_table
from collapse.report.terminal import print_report, table
from derivations.claim import Verdict
from derivations.errors import DataError, DataUnavailable
from derivations.ledger import claims_by_id
from numerics.evidence import Evidence
from numerics.layers.base import Finding
from numerics.layers.exact import ExactLayer
from numerics.tolerances import EXACT

CLAIM = claims_by_id()["thm-3.no-middle"]
REASON = "MNIST is not at hand: set COLLAPSE_DATA"
LAYERS = ("symbolic", "exact", "numeric")
COUNT = len(mutants_of(CLAIM))
SOUND = Examination("exact", (Evidence("exact", "truth", 3, 0.0, 0.0, "a"),), None, (True,) * COUNT)
ABSENT = Examination("numeric", (), None, (), REASON)


def report_of(*, judged: bool = True, exact: Examination | None = SOUND) -> ClaimReport:
    judgement = Judgement(PROVED, None, (Verdict.REFUTED,) * COUNT) if judged else None
    return ClaimReport(CLAIM, judgement, {"numeric": ABSENT} | ({"exact": exact} if exact else {}))


def text_of(report: ClaimReport, width: int = 120) -> str:
    stream = io.StringIO()
    print_report(Console(file=stream, width=width, highlight=False), AuditReport(0, [report]), LAYERS)
    return " ".join(stream.getvalue().split())


def test_absent_data_are_an_error_of_their_own() -> None:
    assert issubclass(DataUnavailable, DataError)


@pytest.mark.parametrize("after", [0, 2], ids=["at once", "after some findings"])
def test_a_check_whose_data_are_absent_has_checked_nothing(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(layer: Any, formula: Any) -> Iterator[Finding]:
        for k in range(after):
            yield Finding("truth", str(k), 0.0, EXACT)
        raise DataUnavailable(REASON)

    monkeypatch.setitem(numerics.evidence.OBSERVABLES, CLAIM.observable, {"exact": check})
    assert examine(CLAIM, ExactLayer()) == Examination("exact", (), None, (), REASON)


def test_any_other_error_in_a_check_is_no_such_excuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(layer: Any, formula: Any) -> Iterator[Finding]:
        raise DataError("wrong shape")
        yield

    monkeypatch.setitem(numerics.evidence.OBSERVABLES, CLAIM.observable, {"exact": check})
    with pytest.raises(DataError, match="wrong shape"):
        examine(CLAIM, ExactLayer())


def test_the_audit_does_not_fail_for_it() -> None:
    report = report_of()
    assert report.failures() == [] and report.survivors == [] and report.mutants_refuted == COUNT
    assert report.unchecked == {"numeric": REASON} and list(report.checked) == ["exact"]
    assert AuditReport(0, [report]).passed


def test_the_other_layers_still_count() -> None:
    report = report_of(exact=replace(SOUND, refuted=(False, *SOUND.refuted[1:])))
    assert report.survivors == [f"{mutants_of(CLAIM)[0].change} (not refuted by: exact)"]


def test_an_audit_that_checked_nothing_at_all_does_not_pass() -> None:
    report = report_of(judged=False, exact=None)
    audit = AuditReport(0, [report])
    assert report.failures() == [] and audit.failures() == {"audit": ["nothing was checked"]}
    assert report.mutants_total == report.mutants_refuted == 0 and report.survivors == []
    assert "0/0 mutants refuted" in text_of(report)


def test_it_is_shown_in_plain_sight() -> None:
    for width in (80, 120):
        text = text_of(report_of(), width)
        assert f"{CLAIM.id}: numeric not checked: {REASON}" in text
        assert "audit passed" in text and "1 not checked, for want of data" in text
    stream = io.StringIO()
    console = Console(file=stream, width=120)
    for found in (table([report_of()], LAYERS), mutants_table(report_of()), counts_table([report_of()])):
        console.print(found)
    assert stream.getvalue().count("not checked") == 2 + COUNT


def test_it_is_in_the_document() -> None:
    found = document(AuditReport(0, [report_of()]), mutants=True)
    (claim,) = found["claims"]
    assert claim["not_checked"] == [{"layer": "numeric", "reason": REASON}]
    assert [row["layer"] for row in claim["evidence"]] == ["exact"]
    assert all(row["layers"]["numeric"] == "not checked" for row in claim["mutants"]["matrix"])
    assert found["summary"]["not_checked"] == 1 and found["summary"]["passed"] is True


def test_what_became_of_a_mutant_there_is_unknown() -> None:
    assert report_of().fates(0) == {"symbolic": Fate.KILLED, "exact": Fate.KILLED, "numeric": Fate.UNCHECKED}
