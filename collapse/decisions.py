"""One claim decided by derivation: as printed, as corrected, every mutant, and without each of its assumptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy

from derivations.claim import Claim, Decision, Verdict, undecided
from derivations.ledger import claims_by_id
from derivations.mutants import Mutant, mutants

SYMBOLIC = "symbolic"
"""The layer that decides, beside the layers of evidence."""


@dataclass(frozen=True)
class Probe:
    """How the standing statement fares without one of its assumptions, nothing else being changed."""

    assumption: str
    decision: Decision

    @property
    def failure(self) -> str | None:
        """Why the assumption does not belong to the claim; None if the statement fails without it, at an exact point."""
        if self.decision.verdict is Verdict.PROVED:
            return f"the claim survives without the assumption {self.assumption!r}: it is not needed"
        if self.decision.verdict is Verdict.UNDECIDED:
            return f"undecided without the assumption {self.assumption!r}: {self.decision.missing}"
        if self.decision.witness is None:
            return f"refuted without a witness where the assumption {self.assumption!r} is dropped"
        return None


@dataclass(frozen=True)
class Judgement:
    """Decisions by derivation: of the printed statement, the corrected one if any, each mutant, and each assumption's probe."""

    printed: Decision
    corrected: Decision | None
    mutants: tuple[Verdict, ...]
    probes: tuple[Probe, ...] = ()

    @property
    def standing(self) -> Decision:
        """The decision on the statement that stands."""
        return self.corrected or self.printed


@lru_cache(maxsize=256)
def mutants_of(claim: Claim) -> tuple[Mutant, ...]:
    """The mutants of the statement that stands."""
    return tuple(mutants(claim.standing.formula))


def judge(claim_id: str) -> Judgement:
    """Decide the printed and the corrected statement, every mutant of the one that stands, and that one without its assumptions."""
    claim = claims_by_id()[claim_id]
    printed, corrected = decide_statements(claim_id)
    return Judgement(
        printed,
        corrected,
        tuple(_decision(claim.standing.decide, mutant.formula).verdict for mutant in mutants_of(claim)),
        tuple(
            Probe(assumption.text, _decision(assumption.without, claim.standing.formula))
            for assumption in claim.assumptions
        ),
    )


def decide_statements(claim_id: str) -> tuple[Decision, Decision | None]:
    """Decide the printed statement, and the corrected one if there is one."""
    claim = claims_by_id()[claim_id]
    corrected = _decision(claim.corrected.decide, claim.corrected.formula) if claim.corrected else None
    return _decision(claim.printed.decide, claim.printed.formula), corrected


def _decision(decide: Callable[[sympy.Basic], Decision], formula: sympy.Basic) -> Decision:
    """The decision on a formula; one that the derivation cannot even read is undecided."""
    try:
        return decide(formula)
    except Exception as error:
        return undecided(f"{type(error).__name__}: {error}")
