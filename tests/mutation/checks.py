"""How a module's mathematics is checked: its claims are judged, then tests of the suite are run, until one fails."""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MUTANTS_A_CLAIM = 10
SPINE = (
    *("notation.gaussian-kl", "eq-4.elbo", "eq-5.decomposition", "notation.whitening", "prop-1.reduction"),
    *("prop-2.stationarity", "prop-2.minimum", "prop-2.rotation", "thm-1.minimum", "thm-1.complete-collapse"),
    *("cor-1.profile", "eq-13.reduced", "prop-3.variance", "thm-2.minimum", "thm-2.rotation", "thm-2.variance"),
    *("thm-2.extra-latents", "thm-3.hessian", "thm-3.no-middle"),
)
"""Claims whose steps test_assumptions.py reads for two equal sides; elsewhere sides found in two ways may be written alike."""
README = Path(__file__).resolve().parents[2] / "README.md"


@dataclass(frozen=True)
class Plan:
    """What is asked of a module.

    Args:
        claims: modules whose claims are judged as tests/derivations/test_verdicts.py and test_assumptions.py judge them.
        tests: arguments of pytest, one run each.
        only: the claims to judge, where not all of the modules' are.
        draws: functions that do no more than choose problems, or "module" for constants that do so or set the pace of a search:
            left as they are, since any other choice would serve.
    """

    claims: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()


def checks_of(plan: Plan) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """The checks of a plan by name."""
    for module in plan.claims:
        yield f"claims of {module}", lambda module=module: _claims(module, plan.only)
    for module in plan.claims:
        yield f"README's rows of {module}", lambda module=module: _rows(module, plan.only)
    for arguments in plan.tests:
        yield f"pytest {arguments}", lambda arguments=arguments: _pytest(arguments)


def _claims(module: str, only: tuple[str, ...]) -> str | None:
    for claim in importlib.import_module(module).CLAIMS:
        if (not only or claim.id in only) and (wrong := _claim(claim)) is not None:
            return f"{claim.id}: {wrong}"
    return None


def _rows(module: str, only: tuple[str, ...]) -> str | None:
    """What tests/collapse/test_readme.py would say of these claims' rows."""
    from collapse.errata import Entry, Errata
    from collapse.report.errata import markdown

    shown = README.read_text(encoding="utf-8").splitlines()
    for claim in importlib.import_module(module).CLAIMS:
        if claim.corrected is None or (only and claim.id not in only):
            continue
        printed, standing = (each.decide(each.formula) for each in (claim.printed, claim.standing))
        rows = [line for line in markdown(Errata((Entry(claim, printed, standing),))).splitlines() if claim.id in line]
        if not rows or not set(rows) <= set(shown):
            return f"{claim.id}: README has another row"
    return None


def _claim(claim: object) -> str | None:
    """What tests/derivations/ would complain of first."""
    from derivations.claim import Verdict
    from derivations.mutants import mutants

    standing = claim.standing
    decision = standing.decide(standing.formula)
    if decision.verdict is not Verdict.PROVED:
        return f"the standing statement is {decision.verdict} {decision.missing}"
    for step in decision.steps:
        left, _, right = step.latex.partition(" = ")
        if claim.id in SPINE and (left == right or step.latex in (r"0 \geq 0", r"\text{True}")):
            return f"a step says nothing: {step.text}"
    if claim.corrected is not None:
        printed = claim.printed.decide(claim.printed.formula)
        if printed.verdict is not Verdict.REFUTED:
            return f"the printed statement is {printed.verdict}, and corrected"
        if any("." in value for _, value in printed.witness.values):
            return "a witness is not exact"
    for assumption in claim.assumptions:
        if assumption.without(standing.formula).verdict is not Verdict.REFUTED:
            return f"not refuted without {assumption.text!r}"
    found = mutants(standing.formula)
    chosen = random.Random(zlib.crc32(claim.id.encode())).sample(found, min(MUTANTS_A_CLAIM, len(found)))
    verdicts = [standing.decide(mutant.formula).verdict for mutant in chosen]
    if Verdict.UNDECIDED in verdicts:
        return "a mutant is undecided"
    if verdicts.count(Verdict.REFUTED) <= len(verdicts) / 2:
        return "most mutants of the sample are not refuted"
    return None


def _pytest(arguments: str) -> str | None:
    import shlex

    import pytest

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        code = pytest.main(
            [
                "-x",
                "-q",
                "--noconftest",
                "--tb=line",
                "-p",
                "no:cacheprovider",
                "-m",
                "not cuda",
                *shlex.split(arguments),
            ]
        )
    if code == 0:
        return None
    lines = [line for line in shown.getvalue().splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0] if lines else f"pytest ended with {code}: {shown.getvalue()[-300:]}"
