"""The report: a JSON document that says what the audit found, and a terminal table that a pipe can carry."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import sympy
from rich.console import Console

from collapse.findings import AuditReport, ClaimReport, DescentSummary, LemmaReport
from collapse.judgement import LAYERS, Examination, Judgement, mutants_of
from collapse.report.json_document import document, versions
from collapse.report.terminal import LiveTable, print_report, table
from derivations.claim import Claim, Decision, Step, Verdict, Witness
from derivations.ledger import CLAIMS, claims_by_id
from derivations.lemmas import Lemma, Stress
from numerics.evidence import Evidence, layers_of

PROVED = Decision(
    Verdict.PROVED, (Step("it holds", sympy.Eq(sympy.Symbol("beta"), 1), Verdict.PROVED, "a lemma", "2 x 2"),)
)
REFUTED = Decision(Verdict.REFUTED, witness=Witness((("zeta", "(3, [1])"), ("i", "2")), "it is 5, not 4"))
ESCAPE = "\x1b"


A_LEMMA = Lemma("a lemma", "Somebody, Some Book", "it is so", "nothing", lambda seed: Stress(3 + seed))


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.lemmas.LEMMAS", (A_LEMMA,))


def report_of(claim: Claim, residual: float = 0.0) -> ClaimReport:
    count = len(mutants_of(claim))
    corrected = None if claim.corrected is None else PROVED
    judgement = Judgement(REFUTED if corrected else PROVED, corrected, (Verdict.REFUTED,) * count)
    examinations = {
        layer: Examination(
            layer,
            (Evidence(layer, "loss", 12, residual, 0.0, "problem-3"),),
            True if corrected else None,
            (True,) * count,
        )
        for layer in layers_of(claim)
    }
    return ClaimReport(claim, judgement, examinations)


@pytest.fixture(scope="module")
def whole() -> AuditReport:
    rows = (Evidence("descent", "gradient norm", 5, 0.0, 1.0, "random-0-3"),)
    lemmas = (LemmaReport(A_LEMMA, tuple(claim.id for claim in CLAIMS), Stress(3)),)
    claims = [report_of(claim) for claim in CLAIMS]
    by_route = {"fast": {"ties": 1, "wide": 0}, "plain": {"ties": 1, "wide": 0}}
    descent = DescentSummary({"fast": 4, "plain": 1}, "cpu", {"ties": 2}, rows, by_route)
    return AuditReport(7, claims, descent, 1.25, lemmas)


def with_claim(report: ClaimReport) -> AuditReport:
    return AuditReport(0, [report])


# ------------------------------------------------------------------------------------------------- JSON
def test_the_document_is_strict_json_and_says_what_was_found(whole: AuditReport) -> None:
    found = json.loads(json.dumps(document(whole), allow_nan=False))
    assert found["schema_version"] == 1 and found["seed"] == 7
    assert [claim["id"] for claim in found["claims"]] == [claim.id for claim in CLAIMS]
    corrected = sum(claim.corrected is not None for claim in CLAIMS)
    mutants = sum(len(mutants_of(claim)) for claim in CLAIMS)
    expected = {"claims": len(CLAIMS), "proved": len(CLAIMS) - corrected, "refuted": corrected, "undecided": 0}
    expected |= {"mutants_total": mutants, "mutants_refuted": mutants, "passed": True, "seconds": 1.25}
    assert {key: found["summary"][key] for key in expected} == expected
    assert found["descent"]["minima"] == 5 and found["descent"]["regimes"]["ties"] == 2
    assert found["descent"]["regimes_by_route"]["fast"] == {"ties": 1, "wide": 0}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_in_the_document(claim: Claim) -> None:
    (found,) = document(with_claim(report_of(claim)))["claims"]
    assert (found["source"], found["title"], found["uses"]) == (claim.source, claim.title, list(claim.uses))
    assert found["printed"]["latex"] == sympy.latex(claim.printed.formula)
    assert found["mutants"]["total"] == found["mutants"]["refuted"] == len(mutants_of(claim))
    assert found["mutants"]["survivors"] == []
    assert [row["layer"] for row in found["evidence"]] == list(layers_of(claim))
    assert found["steps"] == [
        {"text": "it holds", "latex": r"\beta = 1", "verdict": "proved", "lemma": "a lemma", "size": "2 x 2"}
    ]
    if claim.corrected is None:
        assert found["corrected"] is None and found["printed"]["counterexample"] is None
        assert found["printed"]["verdict"] == "proved"
    else:
        assert found["printed"]["verdict"] == "refuted" and found["corrected"]["verdict"] == "proved"
        assert found["corrected"]["latex"] == sympy.latex(claim.corrected.formula)
        counterexample = found["printed"]["counterexample"]
        assert counterexample == {"values": {"zeta": "(3, [1])", "i": "2"}, "failure": "it is 5, not 4"}


@pytest.mark.parametrize("residual", [float("nan"), float("inf")])
def test_a_residual_that_is_not_finite_is_null_and_not_passed(residual: float) -> None:
    found = document(with_claim(report_of(CLAIMS[0], residual)))
    json.dumps(found, allow_nan=False)
    assert all(row["worst_residual"] is None and row["passed"] is False for row in found["claims"][0]["evidence"])
    assert found["summary"]["passed"] is False and list(found["summary"]["failures"]) == [CLAIMS[0].id]


def test_what_was_not_asked_for_is_absent() -> None:
    (found,) = document(with_claim(ClaimReport(CLAIMS[0])))["claims"]
    assert found["printed"]["verdict"] is None and found["evidence"] == [] and found["steps"] == []


def test_an_undecided_claim_is_counted_as_such() -> None:
    report = report_of(CLAIMS[0])
    assert report.judgement is not None
    report.judgement = replace(report.judgement, printed=Decision(Verdict.UNDECIDED, missing="a lemma"))
    summary = document(with_claim(report))["summary"]
    assert (summary["proved"], summary["refuted"], summary["undecided"]) == (0, 0, 1)
    assert summary["passed"] is False


def test_survivors_and_mutants_left_out_are_listed() -> None:
    report = report_of(claims_by_id()["thm-3.no-middle"])
    changes = [mutant.change for mutant in mutants_of(report.claim)]
    assert report.judgement is not None
    verdicts = (Verdict.PROVED, Verdict.UNDECIDED, *report.judgement.mutants[2:])
    report.judgement = replace(report.judgement, mutants=verdicts)
    for name, examination in report.examinations.items():
        report.examinations[name] = replace(examination, refuted=(False, *examination.refuted[1:]))
    (found,) = document(with_claim(report))["claims"]
    assert found["mutants"] == {
        "total": len(changes) - 1,
        "refuted": len(changes) - 2,
        "survivors": [f"{changes[1]} (not refuted by: symbolic)"],
        "left_out_by_proof": [changes[0]],
    }


def test_versions_name_what_the_results_depend_on() -> None:
    assert versions()["sympy"] == sympy.__version__
    assert {"python", "numpy", "torch", "posterior-collapse"} <= versions().keys()


# --------------------------------------------------------------------------------------------- terminal
def printed(report: AuditReport, layers: tuple[str, ...] = LAYERS, width: int = 80, **options: Any) -> str:
    stream = io.StringIO()
    print_report(Console(file=stream, width=width, highlight=False, **options), report, layers)
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("layers", [LAYERS, ("symbolic",), ("exact", "numeric")])
def test_every_claim_is_named_in_full(whole: AuditReport, layers: tuple[str, ...], width: int) -> None:
    lines = printed(whole, layers, width).splitlines()
    rows = [line.split()[0] for line in lines if line.strip()]
    assert [claim.id for claim in CLAIMS if claim.id not in rows] == []


def test_a_pipe_gets_no_control_sequences(whole: AuditReport) -> None:
    assert ESCAPE not in printed(whole)
    assert ESCAPE in printed(whole, force_terminal=True, color_system="truecolor"), "nothing to leave out"


def test_refuted_claims_are_shown_with_their_counterexample(whole: AuditReport) -> None:
    for claim in CLAIMS:
        text = flat(printed(with_claim(report_of(claim))))
        assert ("zeta = (3, [1]), i = 2" in text) is (claim.corrected is not None)
        assert ("it is 5, not 4" in text) is (claim.corrected is not None)
    refuted = [claim for claim in CLAIMS if claim.corrected is not None]
    assert printed(whole, width=500).count("it is 5, not 4") == len(refuted) > 0


def test_the_verdict_is_the_last_line(whole: AuditReport) -> None:
    last = printed(whole, width=200).splitlines()[-1]
    mutants = sum(len(mutants_of(claim)) for claim in CLAIMS)
    assert last.startswith("audit passed") and f"{len(CLAIMS)} claims" in last and f"{mutants}/{mutants}" in last


def test_a_failed_audit_says_why() -> None:
    text = printed(with_claim(report_of(CLAIMS[0], residual=0.5)), width=200)
    assert text.splitlines()[-1].startswith("audit failed")
    assert f"{CLAIMS[0].id}: numeric: loss off by 0.5 at problem-3" in text
    assert "5e-01 (12)" in text


def test_the_descent_behind_it_is_told(whole: AuditReport) -> None:
    text = flat(printed(whole))
    assert (
        "5 minima from random starts on cpu (4 by the fast route, 1 by the plain route)" in text
        and "worst gradient norm 0.0e+00" in text
        and "Regimes: ties 2. Of these by the fast route: ties 1. Of these by the plain route: ties 1." in text
    )


def rows_of(reports: list[ClaimReport], layers: tuple[str, ...] = LAYERS) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print(table(reports, layers))
    return stream.getvalue()


def test_what_has_not_been_looked_at_yet_is_no_result() -> None:
    claim = claims_by_id()["thm-2.extra-latents"]
    waiting = rows_of([ClaimReport(claim)])
    assert "proved" not in waiting and "refuted" not in waiting and "/" not in waiting and waiting.count("…") >= 4
    half = report_of(claim)
    del half.examinations["descent"]
    assert "/" not in rows_of([half]), "mutants are not counted before all have answered"
    assert f"{len(mutants_of(claim))}/{len(mutants_of(claim))}" in rows_of([report_of(claim)])


def test_a_layer_without_an_instance_is_shown() -> None:
    report = report_of(claims_by_id()["thm-3.no-middle"])
    report.examinations["exact"] = replace(report.examinations["exact"], evidence=())
    assert "no instance" in rows_of([report])
    assert "no instance" not in rows_of([report_of(report.claim)])


def test_a_layer_that_does_not_apply_is_marked() -> None:
    claim = next(claim for claim in CLAIMS if "descent" not in layers_of(claim))
    assert "–" in rows_of([report_of(claim)])
    assert "–" not in rows_of([report_of(claims_by_id()["thm-2.minimum"])])


@pytest.mark.parametrize("terminal", [True, False])
def test_the_live_table_is_silent_in_a_pipe(terminal: bool) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=120, height=len(CLAIMS) + 10, force_terminal=terminal)
    with LiveTable(console, CLAIMS, LAYERS) as live:
        live(report_of(CLAIMS[0]))
        live(12)
        live(5)
    assert live.minima == 17
    assert (CLAIMS[0].id in stream.getvalue()) is terminal


def live_text(reports: list[ClaimReport], height: int, layers: tuple[str, ...] = LAYERS) -> str:
    console = Console(file=io.StringIO(), width=120, height=height)
    live = LiveTable(console, [report.claim for report in reports], layers)
    for report in reports:
        live(report)
    console.print(live._content())
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_live_table_tells_how_far_the_audit_is() -> None:
    reports = [report_of(CLAIMS[0]), ClaimReport(CLAIMS[1])]
    assert live_text(reports, 50).startswith("1 of 2 claims audited; 0 minima found by descent\n")
    assert "descent" not in live_text(reports, 50, ("symbolic",))
    assert all(report.claim.id in live_text(reports, 50) for report in reports)


def test_where_not_all_fits_the_live_table_shows_the_claims_still_open() -> None:
    reports = [report_of(claim) for claim in CLAIMS[:6]] + [ClaimReport(claim) for claim in CLAIMS[6:9]]
    lines = live_text(reports, 8).splitlines()
    assert len(lines) <= 8
    assert [line.split()[0] for line in lines[2:]] == [claim.id for claim in CLAIMS[6:9]]
    done = live_text(reports[:6], 8).splitlines()
    assert [line.split()[0] for line in done[2:]] == [claim.id for claim in CLAIMS[:4]]
