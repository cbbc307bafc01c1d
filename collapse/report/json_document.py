"""The audit as a JSON document, schema version 1; verdicts in lower case."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import sympy

from collapse.findings import AuditReport, ClaimReport
from derivations.claim import Decision, Statement, Step, Verdict
from numerics.evidence import Evidence

SCHEMA_VERSION = 1
PACKAGES = ("posterior-collapse", "sympy", "python-flint", "numpy", "scipy", "torch", "scikit-learn")


def versions() -> dict[str, str]:
    """The versions that the results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def document(report: AuditReport) -> dict[str, Any]:
    """The whole audit; equal arguments give equal documents but for `seconds`."""
    printed = [claim.judgement.printed.verdict for claim in report.claims if claim.judgement]
    summary = {
        "claims": len(report.claims),
        "proved": printed.count(Verdict.PROVED),
        "refuted": printed.count(Verdict.REFUTED),
        "undecided": printed.count(Verdict.UNDECIDED),
        "mutants_total": sum(claim.mutants_total for claim in report.claims),
        "mutants_refuted": sum(claim.mutants_refuted for claim in report.claims),
        "passed": report.passed,
        "failures": report.failures(),
        "seconds": round(report.seconds, 3),
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "versions": versions(),
        "seed": report.seed,
        "claims": [_claim(claim) for claim in report.claims],
        "descent": _descent(report),
        "summary": summary,
    }


def _claim(report: ClaimReport) -> dict[str, Any]:
    claim, judgement = report.claim, report.judgement
    standing = None if judgement is None else judgement.corrected or judgement.printed
    corrected = None
    if claim.corrected is not None:
        corrected = _statement(claim.corrected, judgement.corrected if judgement else None)
    printed = _statement(claim.printed, judgement.printed if judgement else None)
    printed["counterexample"] = _counterexample(judgement.printed if judgement else None)
    return {
        "id": claim.id,
        "source": claim.source,
        "title": claim.title,
        "assumptions": [getattr(assumption, "text", assumption) for assumption in claim.assumptions],
        "printed": printed,
        "corrected": corrected,
        "steps": [_step(step) for step in standing.steps] if standing else [],
        "evidence": [_evidence(row) for row in report.evidence],
        "mutants": {
            "total": report.mutants_total,
            "refuted": report.mutants_refuted,
            "survivors": report.survivors,
            "left_out_by_proof": [report.mutant_changes[k] for k in report.equivalent],
        },
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


def _counterexample(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None or decision.witness is None:
        return None
    return {"values": dict(decision.witness.values), "failure": decision.witness.failure}


def _step(step: Step) -> dict[str, Any]:
    return {"text": step.text, "latex": step.latex, "verdict": step.verdict.value, "lemma": step.lemma}


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
        "device": report.descent.device,
        "regimes": report.descent.regimes,
        "certificates": [_evidence(row) for row in report.descent.certificates],
    }
