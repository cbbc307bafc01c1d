"""Assumptions: each is dropped in turn, and the claim must then fail at an exact point."""

import io
from dataclasses import replace

import pytest
from fabricated import PROVED, REFUTED, UNDECIDED
from rich.console import Console

import collapse.decisions
from collapse.decisions import Judgement, Probe, judge, mutants_of
from collapse.findings import AuditReport, ClaimReport
from collapse.report.json_document import document
from collapse.report.terminal import print_report
from derivations.claim import Assumption, Claim, Decision, Verdict
from derivations.ledger import CLAIMS, claims_by_id

STANDS = claims_by_id()["thm-3.no-middle"]
NEEDED = Probe("beta > 0", REFUTED)
NOT_NEEDED = {
    "survives": (PROVED, "the claim survives without the assumption 'beta > 0': it is not needed"),
    "undecided": (UNDECIDED, "undecided without the assumption 'beta > 0': a lemma"),
    "no witness": (Decision(Verdict.REFUTED), "refuted without a witness"),
}


def report_with(*probes: Probe) -> ClaimReport:
    verdicts = (Verdict.REFUTED,) * len(mutants_of(STANDS))
    return ClaimReport(STANDS, Judgement(PROVED, None, verdicts, probes))


def shown(report: ClaimReport, *, detailed: bool, width: int = 80) -> str:
    stream = io.StringIO()
    audit = AuditReport(0, [report])
    print_report(Console(file=stream, width=width, highlight=False), audit, ("symbolic",), detailed=detailed)
    return " ".join(stream.getvalue().split())


def test_an_assumption_without_which_the_claim_fails_passes() -> None:
    assert NEEDED.failure is None
    assert report_with(NEEDED).failures() == report_with().failures() == []


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_an_assumption_that_is_not_shown_to_be_needed_fails(name: str) -> None:
    decision, reason = NOT_NEEDED[name]
    (found,) = report_with(NEEDED, Probe("beta > 0", decision)).failures()
    assert reason in found


def test_the_standing_statement_is_judged_without_each_assumption(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corrected one, where there is one; a probe that breaks down is undecided."""
    asked: list[object] = []
    claim = claims_by_id()["thm-2.extra-latents"]

    def without(formula: object) -> Decision:
        asked.append(formula)
        return REFUTED

    def broken(formula: object) -> Decision:
        raise ZeroDivisionError("beta")

    assumptions = (Assumption("first", without), Assumption("second", broken))
    changed = replace(claim, assumptions=assumptions)
    monkeypatch.setattr(collapse.decisions, "claims_by_id", lambda: {claim.id: changed})
    first, second = judge(claim.id).probes
    assert claim.corrected is not None and asked == [claim.corrected.formula]
    assert first == Probe("first", REFUTED)
    assert second.assumption == "second" and "ZeroDivisionError: beta" in (second.failure or "")


def test_probes_in_the_document() -> None:
    report = report_with(NEEDED, Probe("sigma > 0", PROVED))
    first, second = document(AuditReport(0, [report]))["claims"][0]["probes"]
    assert first["assumption"] == "beta > 0" and first["verdict_without"] == "refuted" and first["needed"] is True
    assert first["counterexample"]["values"]["zeta"] == "(2, 1)" and first["counterexample"]["failure"]
    assert second == {
        "assumption": "sigma > 0",
        "verdict_without": "proved",
        "counterexample": None,
        "needed": False,
    }


def test_probes_on_a_terminal() -> None:
    report = report_with(NEEDED, Probe("sigma > 0", UNDECIDED))
    text = shown(report, detailed=True)
    assert "without beta > 0 fails at zeta = (2, 1)" in text and "since sqrt(beta)*eta_dec is 1 | 2" in text
    assert "without sigma > 0 undecided a lemma" in text
    brief = shown(report, detailed=False)
    assert "Assumptions: 1 of 2 are needed" in brief and "without beta" not in brief
    assert "Assumptions" not in shown(report_with(), detailed=False)


def test_every_assumption_has_a_probe() -> None:
    assert all(isinstance(assumption, Assumption) for claim in CLAIMS for assumption in claim.assumptions)
    assert sum(len(claim.assumptions) for claim in CLAIMS) > 0


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_assumption_is_stated_twice(claim: Claim) -> None:
    texts = [assumption.text for assumption in claim.assumptions]
    assert len(set(texts)) == len(texts) and all(text.strip() == text != "" for text in texts)
