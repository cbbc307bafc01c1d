"""Cited lemmas: those in use are listed and stressed; one that fails, or that nobody knows, fails the audit."""

import io
from typing import Any

import pytest
from fabricated import PROVED, a_lemma, proved_with
from rich.console import Console

import collapse.audit
from collapse.audit import run_audit
from collapse.findings import AuditReport, ClaimReport, LemmaReport
from collapse.judgement import Judgement, mutants_of
from collapse.report.json_document import document
from collapse.report.terminal import print_report
from collapse.workers import Idle
from derivations.claim import Decision, Verdict
from derivations.ledger import CLAIMS, claims_by_id
from derivations.lemmas import Stress

CLAIM = claims_by_id()["thm-3.no-middle"]
NAME = "a lemma"


def judged(claim: Any, decision: Decision) -> ClaimReport:
    return ClaimReport(claim, Judgement(decision, None, (Verdict.REFUTED,) * len(mutants_of(claim))))


def audit_with(stress: Stress) -> AuditReport:
    report = judged(CLAIM, proved_with(NAME))
    return AuditReport(0, [report], lemmas=(LemmaReport(a_lemma(), (CLAIM.id,), stress),))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.lemmas.LEMMAS", (a_lemma(), a_lemma("another lemma")))


@pytest.fixture
def derivation(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the derivation decides, without a proof."""

    def of(decision: Decision) -> None:
        def judge(claim_id: str) -> Judgement:
            report = judged(claims_by_id()[claim_id], decision)
            assert report.judgement is not None
            return report.judgement

        monkeypatch.setattr(collapse.audit, "judge", judge)

    return of


def test_lemmas_in_use_are_stressed_with_the_seed(registry: None, derivation: Any) -> None:
    derivation(proved_with(NAME, NAME))
    report = run_audit([CLAIM], layers=("symbolic",), seed=4, pool=Idle())
    assert [(each.lemma.name, each.claims, each.stress) for each in report.lemmas] == [(NAME, (CLAIM.id,), Stress(7))]
    assert report.passed


def test_without_lemmas_none_is_stressed(registry: None, derivation: Any) -> None:
    derivation(PROVED)
    assert run_audit([CLAIM], layers=("symbolic",), pool=Idle()).lemmas == ()


def test_an_unknown_lemma_fails_the_claim(derivation: Any) -> None:
    derivation(proved_with("folklore"))
    report = run_audit([CLAIM], layers=("symbolic",), pool=Idle())
    assert report.lemmas == ()
    assert report.failures() == {CLAIM.id: ["a step rests on 'folklore', which is no cited lemma"]}


@pytest.mark.parametrize(
    ("stress", "reason"),
    [
        (Stress(5), None),
        (Stress(5, "at x = 2"), "the lemma fails: at x = 2"),
        (Stress(0), "the stress test of the lemma tried nothing"),
    ],
)
def test_a_lemma_that_fails_its_stress_test_fails_the_audit(stress: Stress, reason: str | None, registry: None) -> None:
    audit = audit_with(stress)
    assert audit.failures() == ({} if reason is None else {NAME: [reason]})


def test_a_lemma_that_no_proof_rests_on_fails_a_full_audit(registry: None) -> None:
    lemma = LemmaReport(a_lemma(), (CLAIM.id,), Stress(3))
    audit = AuditReport(0, [judged(claim, proved_with(NAME)) for claim in CLAIMS], lemmas=(lemma,))
    assert audit.failures()["another lemma"] == ["no proof rests on this lemma"]
    assert "another lemma" not in AuditReport(0, audit.claims[1:], lemmas=(lemma,)).failures()


def test_lemmas_on_a_terminal_and_in_the_document(registry: None) -> None:
    audit = audit_with(Stress(5, "at x = 2"))
    stream = io.StringIO()
    print_report(Console(file=stream, width=80, highlight=False), audit, ("symbolic",))
    text = " ".join(stream.getvalue().split())
    for part in ("a lemma (Somebody, Some Book)", f"used by {CLAIM.id}", "says it is so", "5 instances, at x = 2"):
        assert part in text
    (found,) = document(audit)["lemmas"]
    assert found["name"] == NAME and found["used_by"] == [CLAIM.id] and found["checked"] == "nothing"
    assert found["stress"] == {"instances": 5, "counterexample": "at x = 2", "passed": False}


@pytest.mark.parametrize("decision", [PROVED, None])
def test_that_there_are_none_is_said_where_proofs_were_asked_for(decision: Decision | None) -> None:
    report = judged(CLAIM, decision) if decision else ClaimReport(CLAIM)
    stream = io.StringIO()
    print_report(Console(file=stream, width=80, highlight=False), AuditReport(0, [report]), ("symbolic",))
    assert ("Cited lemmas: none" in stream.getvalue()) is (decision is not None)
