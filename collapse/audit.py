"""The audit: every claim through every layer, on all cores, and whether it all holds together."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from collapse.judgement import (
    LAYERS,
    SYMBOLIC,
    Examination,
    Judgement,
    examine,
    examine_without_descent,
    judge,
    mutants_of,
)
from derivations.claim import Claim, Verdict
from derivations.ledger import ordered_by_use
from numerics.descent import resolve_device
from numerics.evidence import Evidence, collect, layers_of
from numerics.layers.descent import DescentLayer
from numerics.problems import regime_counts


@dataclass
class ClaimReport:
    """What the audit knows of one claim; layers that were not asked for are absent."""

    claim: Claim
    judgement: Judgement | None = None
    examinations: dict[str, Examination] = field(default_factory=dict)
    _asked: dict[int, Verdict] | None = None

    @property
    def evidence(self) -> list[Evidence]:
        """All rows, in the order of the layers."""
        return [row for name in LAYERS if name in self.examinations for row in self.examinations[name].evidence]

    @property
    def equivalent(self) -> list[int]:
        """Mutants that hold, by proof: equal to the statement, or weaker."""
        verdicts = self._verdicts()
        return [k for k, verdict in verdicts.items() if verdict is Verdict.PROVED]

    @property
    def mutant_changes(self) -> list[str]:
        """What was changed in each mutant."""
        return [mutant.change for mutant in mutants_of(self.claim)]

    @property
    def survivors(self) -> list[str]:
        """Mutants that are not proved to hold, and that the derivation or some layer fails to refute, with its name."""
        verdicts, found = self._verdicts(), []
        for k, mutant in enumerate(mutants_of(self.claim)):
            if verdicts.get(k) is Verdict.PROVED:
                continue
            missed = [name for name, examination in self.examinations.items() if not examination.refuted[k]]
            if self.judgement is not None and verdicts[k] is not Verdict.REFUTED:
                missed.insert(0, SYMBOLIC)
            if missed:
                found.append(f"{mutant.change} (not refuted by: {', '.join(missed)})")
        return found

    @property
    def mutants_total(self) -> int:
        """Mutants that have to be refuted."""
        return len(mutants_of(self.claim)) - len(self.equivalent)

    @property
    def mutants_refuted(self) -> int:
        """Those refuted by the derivation and by every layer that tests the claim."""
        return self.mutants_total - len(self.survivors)

    def _verdicts(self) -> dict[int, Verdict]:
        """Verdicts on mutants: all, or where no derivation was asked for, those on which a layer is silent."""
        if self.judgement is not None:
            return dict(enumerate(self.judgement.mutants))
        if self._asked is None:
            decide = self.claim.standing.decide
            silent = [
                k
                for k in range(len(mutants_of(self.claim)))
                if not all(examination.refuted[k] for examination in self.examinations.values())
            ]
            self._asked = {k: decide(mutants_of(self.claim)[k].formula).verdict for k in silent}
        return self._asked

    def failures(self) -> list[str]:
        """Why this claim fails the audit; empty if it passes."""
        found = [] if self.judgement is None else self._verdict_failures(self.judgement)
        for row in self.evidence:
            if not row.passed:
                found.append(f"{row.layer}: {row.quantity} off by {row.worst_residual:.3g} at {row.worst_instance}")
        for name, examination in self.examinations.items():
            if not examination.evidence:
                found.append(f"{name}: not a single instance was looked at")
            if examination.refutes_printed is False:
                found.append(f"{name}: does not refute the printed statement, which the derivation refutes")
        found += [f"mutant survives: {survivor}" for survivor in self.survivors]
        found += self._contradictions()
        if self.mutants_total == 0:
            found.append("no mutant could be refuted: the check cannot fail")
        return found

    def _verdict_failures(self, judgement: Judgement) -> list[str]:
        found = []
        if judgement.printed.verdict is Verdict.UNDECIDED:
            found.append(f"the printed statement is undecided: {judgement.printed.missing}")
        if judgement.printed.verdict is Verdict.REFUTED and judgement.corrected is None:
            found.append("the printed statement is refuted and nothing stands in its place")
        if judgement.printed.verdict is Verdict.PROVED and judgement.corrected is not None:
            found.append("the printed statement is proved; the corrected one has no reason")
        if judgement.corrected is not None and judgement.corrected.verdict is not Verdict.PROVED:
            found.append(
                f"the corrected statement is not proved: {judgement.corrected.missing or judgement.corrected.witness}"
            )
        return found

    def _contradictions(self) -> list[str]:
        """A layer that refutes what is proved to hold: one of the two is wrong."""
        return [
            f"{name} refutes the mutant {mutants_of(self.claim)[k].change!r}, which is proved to hold"
            for k in self.equivalent
            for name, examination in self.examinations.items()
            if examination.refuted[k]
        ]


@dataclass(frozen=True)
class DescentSummary:
    """The minima that descent found: how many, where, in which regimes, and how well certified."""

    minima: int
    device: str
    regimes: dict[str, int]
    certificates: tuple[Evidence, ...]


@dataclass
class AuditReport:
    """All claims, the descent behind them, and what they took."""

    seed: int
    claims: list[ClaimReport]
    descent: DescentSummary | None = None
    seconds: float = 0.0

    def failures(self) -> dict[str, list[str]]:
        """The reasons for failing, by claim; "descent" for the minima themselves."""
        found = {report.claim.id: report.failures() for report in self.claims}
        if self.descent is not None:
            found["descent"] = [
                f"{row.quantity} is {row.worst_residual:.3g} at {row.worst_instance}"
                for row in self.descent.certificates
                if not row.passed
            ]
        return {name: reasons for name, reasons in found.items() if reasons}

    @property
    def passed(self) -> bool:
        """Whether every claim is decided, every layer agrees and every mutant is refuted."""
        return not self.failures()


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
            raise
    summary = _summary(descent, where) if descent.minima() else None
    return AuditReport(seed, list(reports.values()), summary, time.perf_counter() - start)


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
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_use_one_thread)


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


def _use_one_thread() -> None:
    """Workers share the cores; matrices this small gain nothing from threads."""
    torch.set_num_threads(1)
