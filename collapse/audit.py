"""The audit: every claim through every layer, on all cores, and whether it all holds together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from collapse.findings import AuditReport, ClaimReport, DescentSummary
from collapse.judgement import (
    LAYERS,
    SYMBOLIC,
    Examination,
    Judgement,
    examine,
    examine_without_descent,
    judge,
)
from derivations.claim import Claim
from derivations.errors import DataError
from derivations.ledger import ordered_by_use
from numerics.descent import resolve_device
from numerics.evidence import collect, layers_of
from numerics.layers.descent import DescentLayer
from numerics.problems import regime_counts

Listener = Callable[[ClaimReport | int], None]
"""Told each claim's report as it grows, and the number of minima that have just been found."""


def run_audit(
    claims: Sequence[Claim],
    *,
    layers: Sequence[str] = LAYERS,
    device: str = "cpu",
    seed: int = 0,
    listener: Listener | None = None,
) -> AuditReport:
    """Judge claims by derivation and by the chosen layers of evidence.

    Derivations and exact arithmetic run in worker processes, descent and float64 checks in this one.

    Args:
        claims: which, in the order of the report.
        layers: of `LAYERS`.
        device: where descent runs: "auto", "cpu" or "cuda".
        seed: of random instances and of descent's starts.
        listener: for showing progress.

    Returns:
        The report; it is the same for the same arguments, but for the seconds.

    Raises:
        DataError: the device is absent, or the seed negative.
    """
    start = time.perf_counter()
    ordered_by_use()
    where = str(resolve_device(device))
    tell = listener or (lambda _: None)
    reports = {claim.id: ClaimReport(claim) for claim in claims}
    descent = DescentLayer(seed, where)
    descent.progress = tell
    with _pool() as pool:
        tasks = [
            _Task(pool.submit(work, *arguments), claim, work, arguments)
            for claim, work, arguments in _work(claims, layers, seed)
        ]
        try:
            for claim in claims:
                if "descent" in layers and "descent" in layers_of(claim):
                    _record(reports[claim.id], examine(claim, descent), tell)
            for task in reversed(tasks):  # what no worker has begun is done here, meanwhile
                if task.future.cancel():
                    _record(reports[task.claim.id], task.work(*task.arguments), tell)
            for task in tasks:
                if not task.future.cancelled():
                    _record(reports[task.claim.id], task.future.result(), tell)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    summary = _summary(descent, where) if descent.minima() else None
    return AuditReport(seed, list(reports.values()), summary, time.perf_counter() - start)


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


@dataclass(frozen=True)
class _Task:
    """Work on a claim that was handed to the pool."""

    future: Future[Any]
    claim: Claim
    work: Callable[..., Judgement | Examination]
    arguments: tuple[Any, ...]


def _pool() -> ProcessPoolExecutor:
    """Workers for all cores but one: this process descends. They start afresh, since torch does not survive a fork."""
    workers = max(1, (os.cpu_count() or 2) - 1)
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_set_up_worker)


def _work(
    claims: Sequence[Claim], layers: Sequence[str], seed: int
) -> Iterator[tuple[Claim, Callable[..., Any], tuple[Any, ...]]]:
    for claim in claims:
        if SYMBOLIC in layers:
            yield claim, judge, (claim.id,)
        for name in ("exact", "numeric"):
            if name in layers and name in layers_of(claim):
                yield claim, examine_without_descent, (claim.id, name, seed)


def _record(report: ClaimReport, result: Judgement | Examination, listener: Listener) -> None:
    if isinstance(result, Judgement):
        report.judgement = result
    else:
        report.examinations[result.layer] = result
    listener(report)


def _summary(descent: DescentLayer, device: str) -> DescentSummary:
    minima = descent.minima()
    regimes = regime_counts([minimum.problem for minimum in minima])
    return DescentSummary(len(minima), device, regimes, tuple(collect("descent", descent.certificate_findings())))


def _set_up_worker() -> None:
    """Workers share the cores; matrices this small gain nothing from threads. An interrupt is the main process's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
