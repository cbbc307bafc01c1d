"""The attempts to break the theory: on a terminal as they come, at the end in a few lines, and as JSON."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console

from collapse.falsify import Outcome
from collapse.report.progress import Counter
from collapse.report.versions import versions
from numerics.falsify import Attempt

SHOWN = 10
"""Instances that are named on a terminal; the document names all."""


class AttemptCounter(Counter):
    """Counts descents, and shows how many a second and the worst gaps so far."""

    def __init__(self, console: Console, instances: int | None) -> None:
        super().__init__(console, "descending", instances)
        self.start = time.perf_counter()
        self.fresh, self.above, self.below = 0, 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self.start

    def __call__(self, attempt: Attempt, fresh: bool) -> None:
        """Take in an attempt, which has just been made or was found."""
        self.fresh += attempt.instances * fresh
        self.above, self.below = max(self.above, attempt.worst_above[0]), max(self.below, -attempt.worst_below[0])
        rate = f"{self.fresh / self.seconds:.0f} descents/s; worst gap {self.above:.1e} above, {self.below:.1e} below"
        self.advance(attempt.instances, rate)


def named(attempt: Attempt, place: int, seed: int) -> str:
    """An instance, and what reproduces it."""
    return (
        f"{attempt.hardship}, {attempt.encoder}, D0 x d2 x d1 = {' x '.join(map(str, attempt.shape))}; "
        f"numerics.falsify.trials({seed}, {attempt.block}, {attempt.instances}), instance {place}"
    )


def against(outcome: Outcome) -> list[str]:
    """Every instance that speaks against the theory."""
    return [f"gap {gap:.3e}: {named(attempt, place, outcome.seed)}" for attempt, place, gap in outcome.against]


def unsettled(outcome: Outcome) -> list[str]:
    """Every instance whose descent ended without a certificate."""
    return [f"without a certificate: {named(attempt, place, outcome.seed)}" for attempt, place in outcome.unsettled]


def verdict(outcome: Outcome) -> str:
    """One line: what all attempts come to."""
    count = outcome.whole.instances
    if not count:
        return "nothing was tried"
    if outcome.against:
        return f"THE THEORY FAILS at {len(outcome.against)} of {count} instances"
    if outcome.unsettled:
        return f"no counterexample, but {len(outcome.unsettled)} of {count} descents ended without a certificate"
    return f"no counterexample in {count} descents: none below the closed form, no certified minimum above it"


def print_outcome(console: Console, outcome: Outcome, seconds: float) -> None:
    """Counts, the worst gap of every hardship, what speaks against the theory, and the verdict."""
    whole = outcome.whole
    random, local = outcome.worst_by_hardship("random"), outcome.worst_by_hardship("local")
    console.print(f"{'':<22} {'descents':>9}   {'worst gap':>9}   {'by local search':>15}")
    for name, count in outcome.by("hardship").items():
        gaps = (f"{worst[name]:.1e}" if name in worst else "–" for worst in (random, local))
        console.print(f"{name:<22} {count:>9}   {next(gaps):>9}   {next(gaps):>15}")
    counts = ", ".join(f"{name} {count}" for name, count in outcome.by("encoder").items())
    console.print(f"\nEncoders: {counts}.")
    console.print(
        f"{whole.certified} certified minima, {whole.diverged} losses without bound, {len(outcome.unsettled)} without a "
        f"certificate; worst gap {whole.above:.1e} above the closed form, {whole.below:.1e} below."
    )
    if whole.loose:
        console.print(
            f"At {whole.loose} of them the terms of the loss exceed it so far that rounding may be beyond 1e-9 of it: there up "
            f"to {whole.allowed:.1e} passes."
        )
    for line in [*against(outcome)[:SHOWN], *unsettled(outcome)[:SHOWN]]:
        console.print(line)
    console.print(f"\n{verdict(outcome)} ({seconds:.0f} s on {outcome.device})")


def outcome_document(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """The same as a document; all but the seconds is the same for the same seed, device and instances."""
    whole = outcome.whole
    return {
        "passed": outcome.passed,
        "verdict": verdict(outcome),
        "seed": outcome.seed,
        "device": outcome.device,
        "instances": whole.instances,
        "certified": whole.certified,
        "diverged": whole.diverged,
        "worst_gap_above": whole.above,
        "worst_gap_below": whole.below,
        "largest_gap_allowed": whole.allowed,
        "instances_with_a_larger_tolerance": whole.loose,
        "worst_gap_by_hardship": outcome.worst_by_hardship("random"),
        "worst_gap_by_hardship_in_local_search": outcome.worst_by_hardship("local"),
        "instances_by_hardship": outcome.by("hardship"),
        "instances_by_encoder": outcome.by("encoder"),
        "instances_by_search": outcome.by("search"),
        "against": against(outcome),
        "uncertified": unsettled(outcome),
        "versions": versions(),
        "seconds": round(seconds, 1),
    }
