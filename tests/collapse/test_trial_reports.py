"""Trials by training in the audit: run where asked for, shown with their criterion, and failing it where one is not met."""

import io
from contextlib import nullcontext
from dataclasses import replace

import pytest
from fabricated import PROVED
from rich.console import Console
from typer.testing import CliRunner

import collapse.audit
from collapse.audit import run_audit
from collapse.cli import app
from collapse.findings import AuditReport, ClaimReport, TrialReport
from collapse.judgement import Judgement, mutants_of
from collapse.report.json_document import document
from collapse.report.terminal import LiveTable, print_report
from collapse.workers import Idle
from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from numerics.trials import TRIALS, Outcome, Part

CLAIM = claims_by_id()["s6.constant-output"]
TRIAL = next(trial for trial in TRIALS if trial.claim == CLAIM.id)
MET, UNMET = Part("constant", True, "1e-9 at worst"), Part("constant", False, "0.3 at worst")


def judged() -> ClaimReport:
    return ClaimReport(CLAIM, Judgement(PROVED, None, (Verdict.REFUTED,) * len(mutants_of(CLAIM))))


def audit_with(outcome: Outcome | str) -> AuditReport:
    return AuditReport(0, [judged()], trials=(TrialReport(TRIAL, outcome),))


def printed(report: AuditReport) -> str:
    stream = io.StringIO()
    print_report(Console(file=stream, width=200, highlight=False), report, ("symbolic",))
    return " ".join(stream.getvalue().split())


@pytest.mark.parametrize(
    ("outcome", "reasons"),
    [
        (Outcome((MET, MET)), []),
        (Outcome((MET, UNMET)), ["training: constant: 0.3 at worst"]),
        (Outcome(()), ["training: nothing was compared"]),
        ("no such file", []),
    ],
)
def test_a_criterion_that_is_not_met_fails_the_audit(outcome: Outcome | str, reasons: list[str]) -> None:
    audit = audit_with(outcome)
    assert audit.failures().get(CLAIM.id, []) == reasons and audit.passed is not bool(reasons)


def test_the_report_shows_criterion_and_outcome() -> None:
    shown = printed(audit_with(Outcome((MET, UNMET))))
    assert TRIAL.criterion in shown and TRIAL.trained in shown
    assert "not met constant: 0.3 at worst" in shown and "audit failed" in shown
    absent = printed(audit_with("no such file"))
    assert "not tried no such file" in absent and "1 not checked, for want of data" in absent
    assert "Training" not in printed(AuditReport(0, [judged()]))
    assert "none of these claims is tried" in printed(AuditReport(0, [judged()], trials=()))


def test_the_document_has_every_part() -> None:
    (found,) = document(audit_with(Outcome((MET, UNMET))))["training"]
    assert found["claim"] == CLAIM.id and found["met"] is False and found["not_tried"] is None
    assert [part["met"] for part in found["parts"]] == [True, False] and found["parts"][1]["seen"] == "0.3 at worst"
    (absent,) = document(audit_with("no such file"))["training"]
    assert absent["met"] is None and absent["not_tried"] == "no such file"
    assert document(audit_with("no such file"))["summary"]["not_checked"] == 1
    assert document(AuditReport(0, [judged()]))["training"] is None


@pytest.mark.parametrize("training", [True, False])
def test_trials_run_where_they_are_asked_for(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def run(seed: int) -> Outcome:
        asked.append((CLAIM.id, seed))
        return Outcome((MET,))

    ours = (replace(TRIAL, run=run),)
    monkeypatch.setattr("numerics.trials.TRIALS", ours)
    monkeypatch.setattr(collapse.audit, "TRIALS", ours)
    told: list[str] = []
    audit = run_audit(
        [CLAIM, claims_by_id()["thm-3.no-middle"]],
        layers=("symbolic",),
        seed=3,
        pool=Idle(),
        training=training,
        listener=lambda news: told.append(news) if isinstance(news, str) else None,
    )
    assert asked == ([(CLAIM.id, 3)] if training else [])
    assert audit.trials == ((TrialReport(ours[0], Outcome((MET,))),) if training else None)
    assert told == (["training on synthetic", ""] if training else [])


def test_the_live_table_says_what_is_trained() -> None:
    console = Console(file=io.StringIO(), width=120)
    live = LiveTable(console, [CLAIM], ("symbolic",))
    live("training on mnist")
    console.print(live._content())
    assert "training on mnist" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("options", "asked", "part", "code"), [((), False, MET, 0), (("--training",), True, UNMET, 1)])
def test_the_command_asks_for_training(
    options: tuple[str, ...], asked: bool, part: Part, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def run(claims: object, *, training: bool, **others: object) -> AuditReport:
        seen.append(training)
        return audit_with(Outcome((part,)))

    monkeypatch.setattr(collapse.audit, "run_audit", run)
    monkeypatch.setattr("collapse.workers.workers", lambda *given: nullcontext(Idle()))
    ended = CliRunner().invoke(app, ["audit", "--claim", CLAIM.id, "--layer", "symbolic", *options])
    assert (seen, ended.exit_code) == ([asked], code)
