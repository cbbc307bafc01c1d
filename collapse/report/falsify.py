"""The attempts to break the theory: on a terminal as they come, at the end in a few lines, and as JSON."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collapse.falsify import Outcome, shown
from collapse.report.versions import versions
from numerics.falsify import Attempt


class AttemptCounter:
    """Counts descents, and shows how many a second and the worst gaps so far; silent in a pipe."""

    def __init__(self, console: Console, instances: int | None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.progress.add_task("descending", total=instances)
        self.start = time.perf_counter()
        self.count, self.above, self.below, self.against = 0, 0.0, 0.0, 0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self.start

    def __enter__(self) -> AttemptCounter:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def __call__(self, attempt: Attempt) -> None:
        """Take in an attempt."""
        self.count += attempt.instances
        self.above, self.below = max(self.above, attempt.worst_above[0]), min(self.below, attempt.worst_below[0])
        self.against += len(attempt.against)
        text = f"{self.count / self.seconds:.0f} descents/s; worst gap {self.above:.1e} above, {-self.below:.1e} below"
        self.progress.update(self.task, advance=attempt.instances, description=text)


def verdict(outcome: Outcome) -> str:
    """One line: what all attempts come to."""
    if not outcome.instances:
        return "nothing was tried"
    if outcome.against:
        return f"THE THEORY FAILS at {len(outcome.against)} of {outcome.instances} instances"
    if outcome.uncertified:
        return (
            f"no counterexample, but {outcome.uncertified} of {outcome.instances} descents ended without a certificate"
        )
    return (
        f"no counterexample in {outcome.instances} descents: none below the closed form, no certified minimum above it"
    )


def print_outcome(console: Console, outcome: Outcome, seconds: float) -> None:
    """Counts, the worst gap of every hardship, what speaks against the theory, and the verdict."""
    for name, gap in outcome.worst_by_hardship().items():
        console.print(f"{name:<22} {outcome.by('hardship')[name]:>9} descents   worst gap {gap:.1e}")
    counts = ", ".join(f"{name} {count}" for name, count in outcome.by("encoder").items())
    console.print(f"\nEncoders: {counts}.")
    console.print(
        f"{outcome.certified} certified minima, {outcome.diverged} losses without bound, {outcome.uncertified} without a "
        f"certificate; worst gap {outcome.worst('above')[0]:.1e} above the closed form, {-outcome.worst('below')[0]:.1e} below."
    )
    for line in shown(outcome.against, outcome.seed):
        console.print(line)
    console.print(f"\n{verdict(outcome)} ({seconds:.0f} s on {outcome.device})")


def outcome_document(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """The same as a document; all but the seconds is the same for the same seed, device and instances."""
    return {
        "passed": outcome.passed,
        "verdict": verdict(outcome),
        "seed": outcome.seed,
        "device": outcome.device,
        "instances": outcome.instances,
        "certified": outcome.certified,
        "diverged": outcome.diverged,
        "uncertified": outcome.uncertified,
        "worst_gap_above": outcome.worst("above")[0],
        "worst_gap_below": outcome.worst("below")[0],
        "worst_gap_by_hardship": outcome.worst_by_hardship(),
        "instances_by_hardship": outcome.by("hardship"),
        "instances_by_encoder": outcome.by("encoder"),
        "against": shown(outcome.against, outcome.seed, most=len(outcome.against)),
        "versions": versions(),
        "seconds": round(seconds, 1),
    }
