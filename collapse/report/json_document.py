"""The audit as a JSON document, schema version 1; verdicts in lower case."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sympy

from collapse.decisions import Probe, mutants_of
from collapse.findings import AuditReport, ClaimReport, LemmaReport, TrialReport
from collapse.report.versions import SCHEMA_VERSION, versions
from derivations.claim import Decision, Statement, Step, Verdict
from numerics.evidence import Evidence


def document(report: AuditReport, *, mutants: bool = False) -> dict[str, Any]:
    """The whole audit, if wanted with every mutant; equal arguments give equal documents but for `seconds`."""
    printed = [claim.judgement.printed.verdict for claim in report.claims if claim.judgement]
    summary = {
        "claims": len(report.claims),
        "proved": printed.count(Verdict.PROVED),
        "refuted": printed.count(Verdict.REFUTED),
        "undecided": printed.count(Verdict.UNDECIDED),
        "mutants_total": sum(claim.mutants_total for claim in report.claims),
        "mutants_refuted": sum(claim.mutants_refuted for claim in report.claims),
        "not_checked": report.not_checked,
        "passed": report.passed,
        "failures": report.failures(),
        "seconds": round(report.seconds, 3),
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "versions": versions(),
        "seed": report.seed,
        "claims": [_claim(claim, mutants=mutants) for claim in report.claims],
        "descent": _descent(report),
        "lemmas": [_lemma(lemma) for lemma in report.lemmas],
        "training": None if report.trials is None else [_trial(tried) for tried in report.trials],
        "summary": summary,
    }


def _trial(report: TrialReport) -> dict[str, Any]:
    trial, outcome = report.trial, report.outcome
    parts = [] if isinstance(outcome, str) else [asdict(part) for part in outcome.parts]
    return {
        "claim": trial.claim,
        "trained": trial.trained,
        "criterion": trial.criterion,
        "met": None if isinstance(outcome, str) else outcome.met,
        "parts": parts,
        "not_tried": report.unavailable,
    }


def _claim(report: ClaimReport, *, mutants: bool) -> dict[str, Any]:
    claim, judgement = report.claim, report.judgement
    standing = judgement.standing if judgement else None
    corrected = None
    if claim.corrected is not None:
        corrected = _statement(claim.corrected, judgement.corrected if judgement else None)
    printed = _statement(claim.printed, judgement.printed if judgement else None)
    printed["counterexample"] = counterexample_of(judgement.printed if judgement else None)
    return {
        "id": claim.id,
        "source": claim.source,
        "title": claim.title,
        "assumptions": [assumption.text for assumption in claim.assumptions],
        "probes": [_probe(probe) for probe in judgement.probes] if judgement else [],
        "printed": printed,
        "corrected": corrected,
        "steps": [_step(step) for step in standing.steps] if standing else [],
        "evidence": [_evidence(row) for row in report.evidence],
        "not_checked": [{"layer": layer, "reason": reason} for layer, reason in report.unchecked.items()],
        "mutants": {
            "total": report.mutants_total,
            "refuted": report.mutants_refuted,
            "survivors": report.survivors,
            "left_out_by_proof": [report.mutant_changes[k] for k in report.equivalent],
        }
        | ({"matrix": _matrix(report)} if mutants else {}),
        "uses": list(claim.uses),
    }


def _statement(statement: Statement, decision: Decision | None) -> dict[str, Any]:
    return {
        "latex": sympy.latex(statement.formula),
        "verdict": decision.verdict.value if decision else None,
        "scope": _scope(decision),
    }


def _scope(decision: Decision | None) -> str | None:
    if decision is None:
        return None
    return "exact counterexample" if decision.witness is not None else decision.scope


def counterexample_of(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None or decision.witness is None:
        return None
    return {"values": dict(decision.witness.values), "failure": decision.witness.failure}


def _step(step: Step) -> dict[str, Any]:
    return {
        "text": step.text,
        "latex": step.latex,
        "verdict": step.verdict.value,
        "lemma": step.lemma,
        "size": step.size,
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "assumption": probe.assumption,
        "verdict_without": probe.decision.verdict.value,
        "counterexample": counterexample_of(probe.decision),
        "needed": probe.failure is None,
    }


def _matrix(report: ClaimReport) -> list[dict[str, Any]]:
    """What became of each mutant in each layer: killed, survived, left out by proof, or not checked."""
    return [
        {
            "change": mutant.change,
            "formula": str(mutant.formula),
            "layers": {name: fate.value for name, fate in report.fates(k).items()},
        }
        for k, mutant in enumerate(mutants_of(report.claim))
    ]


def _lemma(report: LemmaReport) -> dict[str, Any]:
    return {
        "name": report.lemma.name,
        "source": report.lemma.source,
        "statement": report.lemma.statement,
        "checked": report.lemma.checked,
        "used_by": list(report.claims),
        "stress": {
            "instances": report.stress.instances,
            "counterexample": report.stress.counterexample,
            "passed": report.stress.passed,
        },
    }


def _evidence(row: Evidence) -> dict[str, Any]:
    finite = row.worst_residual == row.worst_residual and abs(row.worst_residual) != float("inf")
    return {
        "layer": row.layer,
        "quantity": row.quantity,
        "instances": row.instances,
        "worst_residual": row.worst_residual if finite else None,
        "tolerance": row.tolerance,
        "passed": row.passed,
    }


def _descent(report: AuditReport) -> dict[str, Any] | None:
    if report.descent is None:
        return None
    return {
        "minima": report.descent.minima,
        "routes": report.descent.routes,
        "device": report.descent.device,
        "regimes": report.descent.regimes,
        "regimes_by_route": report.descent.regimes_by_route,
        "certificates": [_evidence(row) for row in report.descent.certificates],
    }
