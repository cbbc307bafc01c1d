"""The errata: every statement that fails or is incomplete as printed, judged anew by derivation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from collapse.decisions import decide_statements
from collapse.workers import Backlog
from derivations.claim import Claim, Decision, Severity, Verdict
from derivations.lemmas import lemmas_by_name


@dataclass(frozen=True)
class Entry:
    """One entry of the errata: a claim, and the decisions on what is printed and on what stands in its place."""

    claim: Claim
    printed: Decision
    corrected: Decision | None

    @property
    def lemmas(self) -> list[str]:
        """The cited lemmas that the proof of the corrected statement rests on."""
        return sorted({step.lemma for step in self.corrected.steps if step.lemma}) if self.corrected else []

    def failures(self) -> list[str]:
        """Why this is no erratum: empty where the printed statement is refuted at an exact point and the corrected one proved."""
        found = []
        if self.printed.verdict is not Verdict.REFUTED:
            found.append(
                f"the printed statement is {self.printed.verdict}, not refuted {self.printed.missing}".rstrip()
            )
        elif self.printed.witness is None:
            found.append("the printed statement is refuted without an exact counterexample")
        if self.corrected is None:
            found.append("nothing stands in place of the printed statement")
        elif self.corrected.verdict is not Verdict.PROVED:
            found.append(
                f"the corrected statement is {self.corrected.verdict}, not proved {self.corrected.missing}".rstrip()
            )
        found += [
            f"a step rests on {name!r}, which is no cited lemma" for name in set(self.lemmas) - lemmas_by_name().keys()
        ]
        if self.claim.erratum is None:
            found.append("the claim does not say what is printed, what holds and how much it matters")
        return found


@dataclass(frozen=True)
class Errata:
    """All entries, in the paper's order."""

    entries: tuple[Entry, ...]

    @property
    def by_severity(self) -> dict[Severity, int]:
        """How many entries there are of each severity."""
        found = [entry.claim.erratum.severity for entry in self.entries if entry.claim.erratum]
        return {severity: found.count(severity) for severity in Severity}

    def failures(self) -> dict[str, list[str]]:
        """By claim, why its entry is none."""
        return {entry.claim.id: reasons for entry in self.entries if (reasons := entry.failures())}


def collect_errata(claims: Sequence[Claim], pool: Executor, listener: Callable[[Entry], None] | None = None) -> Errata:
    """Judge the printed and the corrected statement of every claim that has one.

    Args:
        claims: in the order of the entries; those that stand as printed are passed over.
        pool: workers.
        listener: told each entry, in no certain order.
    """
    wrong = [claim for claim in claims if claim.corrected is not None]
    found: dict[str, Entry] = {}
    for claim, (printed, corrected) in Backlog(
        pool, [(claim, decide_statements, (claim.id,)) for claim in wrong]
    ).rest():
        found[claim.id] = Entry(claim, printed, corrected)
        if listener is not None:
            listener(found[claim.id])
    return Errata(tuple(found[claim.id] for claim in wrong))
