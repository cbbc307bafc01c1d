"""The audit: every claim through every layer, on all cores, and whether it all holds together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import Any

from collapse.decisions import SYMBOLIC, Judgement, judge
from collapse.findings import AuditReport, ClaimReport, DescentSummary, LemmaReport, TrialReport, claims_by_lemma
from collapse.judgement import LAYERS, Examination, examine, examine_without_descent
from collapse.workers import Backlog, workers
from derivations.claim import Claim
from derivations.errors import DataError
from derivations.ledger import ordered_by_use
from derivations.lemmas import lemmas_by_name
from numerics.descent import resolve_device
from numerics.evidence import collect, descend_for, layers_of
from numerics.layers.descent import DescentLayer
from numerics.problems import regime_counts
from numerics.trials import TRIALS, Outcome, tried

Listener = Callable[[ClaimReport | int | str], None]
"""Told each claim's report as it grows, the number of minima that have just been found, and what is still being trained on."""


def run_audit(
    claims: Sequence[Claim],
    *,
    layers: Sequence[str] = LAYERS,
    device: str = "cpu",
    seed: int = 0,
    listener: Listener | None = None,
    pool: Executor | None = None,
    training: bool = False,
) -> AuditReport:
    """Judge claims by derivation and by the chosen layers of evidence.

    Derivations and exact arithmetic run in worker processes, descent and float64 checks in this one.

    Args:
        claims: which, in the order of the report.
        layers: of `LAYERS`.
        device: where descent runs: "auto", "cpu" or "cuda".
        seed: of random instances and of descent's starts.
        listener: for showing progress.
        pool: workers that have been started already; None to start some.
        training: whether to try claims by training networks, too; it takes minutes, and runs on the CPU.

    Returns:
        The report; it is the same for the same arguments, but for the seconds.

    Raises:
        DataError: the device is absent, or the seed negative.
    """
    if seed < 0:
        raise DataError(f"the seed must not be negative, got {seed}.")
    start = time.perf_counter()
    ordered_by_use()
    where = str(resolve_device(device))
    if pool is None:
        with workers(len(claims) * len(layers), ["collapse.judgement"]) as started:
            return run_audit(
                claims, layers=layers, device=device, seed=seed, listener=listener, pool=started, training=training
            )
    tell = listener or (lambda _: None)
    reports = {claim.id: ClaimReport(claim) for claim in claims}
    backlog = Backlog(pool, list(_work(reports.values(), layers, seed)))
    trials = Backlog(pool, list(_trials(reports, seed)) if training else [])

    def progress(minima: int) -> None:
        tell(minima)
        record(backlog.finished())

    def record(found: Iterable[tuple[ClaimReport, Judgement | Examination]]) -> None:
        for report, result in found:
            if isinstance(result, Judgement):
                report.judgement = result
            else:
                report.examinations[result.layer] = result
            tell(report)

    descent = DescentLayer(seed, where, pool=pool if where == "cpu" else None)
    descent.progress = progress
    if "descent" in layers:
        descend_for(claims, descent)
    for claim in claims:
        if "descent" in layers and "descent" in layers_of(claim):
            record([(reports[claim.id], examine(claim, descent))])
            record(backlog.finished())
    record(backlog.rest())
    summary = _summary(descent, where) if descent.minima() else None
    lemmas = _stressed(list(reports.values()), seed)
    outcomes: dict[str, Outcome | str] = {}
    for _, found in chain([("", {})], trials.rest()) if training else ():
        outcomes |= found
        open_ = {trial.data for trial in TRIALS if trial.claim in reports.keys() - outcomes.keys()}
        tell(f"training on {', '.join(sorted(open_))}" if open_ else "")
    compared = tuple(TrialReport(trial, outcomes[trial.claim]) for trial in TRIALS if trial.claim in outcomes)
    seconds = time.perf_counter() - start
    return AuditReport(seed, list(reports.values()), summary, seconds, lemmas, compared if training else None)


def testable(claims: Sequence[Claim], layers: Sequence[str], *, all_of_them: bool) -> tuple[Claim, ...]:
    """The claims that one of the layers tests.

    Raises:
        DataError: none of the layers tests a claim and `all_of_them` are wanted.
    """
    found = tuple(claim for claim in claims if SYMBOLIC in layers or set(layers_of(claim)) & set(layers))
    if all_of_them and len(found) < len(claims):
        left = next(claim for claim in claims if claim not in found)
        raise DataError(
            f"--layer {' --layer '.join(layers)} does not test {left.id}; its layers are: {SYMBOLIC}, {', '.join(layers_of(left))}"
        )
    return found


def _work(
    reports: Iterable[ClaimReport], layers: Sequence[str], seed: int
) -> Iterator[tuple[ClaimReport, Callable[..., Any], tuple[Any, ...]]]:
    """Layer by layer, since what a layer has made for one claim serves it for the next: workers begin with the derivations, and the
    main process, which comes from the end, with the float64 checks."""
    asked = list(reports)
    if SYMBOLIC in layers:
        yield from ((report, judge, (report.claim.id,)) for report in asked)
    for name in ("exact", "numeric"):
        chosen = [report for report in asked if name in layers and name in layers_of(report.claim)]
        yield from ((report, examine_without_descent, (report.claim.id, name, seed)) for report in chosen)


def _trials(claims: Iterable[str], seed: int) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """One piece of work for each source of data, whose networks its trials share."""
    asked = tuple(claims)
    for data in sorted({trial.data for trial in TRIALS if trial.claim in asked}):
        yield data, tried, (data, asked, seed)


def _summary(descent: DescentLayer, device: str) -> DescentSummary:
    minima = descent.minima()
    regimes = regime_counts([minimum.problem for minimum in minima])
    routes = dict(sorted(Counter(minimum.route for minimum in minima).items()))
    by_route = {
        route: regime_counts([minimum.problem for minimum in minima if minimum.route == route]) for route in routes
    }
    certificates = tuple(collect("descent", descent.certificate_findings()))
    return DescentSummary(routes, device, regimes, certificates, by_route)


def _stressed(reports: Sequence[ClaimReport], seed: int) -> tuple[LemmaReport, ...]:
    """The cited lemmas in use, each put under stress."""
    known = lemmas_by_name()
    return tuple(
        LemmaReport(known[name], tuple(claims), known[name].stress(seed))
        for name, claims in claims_by_lemma(reports).items()
        if name in known
    )
