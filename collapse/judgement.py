"""One claim judged: its decision with those of its mutants, and what one layer of evidence says of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy

from derivations.claim import Claim, Decision, Statement, Verdict, undecided
from derivations.ledger import claims_by_id
from derivations.mutants import Mutant, mutants
from numerics.evidence import Evidence, gather, refutes
from numerics.layers.base import Layer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer

SYMBOLIC = "symbolic"
LAYERS = (SYMBOLIC, "exact", "numeric", "descent")


@dataclass(frozen=True)
class Judgement:
    """Decisions by derivation: of the printed statement, of the corrected one if any, and of each mutant."""

    printed: Decision
    corrected: Decision | None
    mutants: tuple[Verdict, ...]


@dataclass(frozen=True)
class Examination:
    """What one layer found: evidence for the standing statement, and which wrong statements it refutes.

    `refutes_printed` is None where the printed statement stands; `refuted` has one entry a mutant.
    """

    layer: str
    evidence: tuple[Evidence, ...]
    refutes_printed: bool | None
    refuted: tuple[bool, ...]


@lru_cache(maxsize=64)
def mutants_of(claim: Claim) -> tuple[Mutant, ...]:
    """The mutants of the statement that stands."""
    return tuple(mutants(claim.standing.formula))


def judge(claim_id: str) -> Judgement:
    """Decide the printed and the corrected statement and every mutant of the one that stands."""
    claim = claims_by_id()[claim_id]
    return Judgement(
        _decision(claim.printed, claim.printed.formula),
        _decision(claim.corrected, claim.corrected.formula) if claim.corrected else None,
        tuple(_decision(claim.standing, mutant.formula).verdict for mutant in mutants_of(claim)),
    )


def _decision(statement: Statement, formula: sympy.Basic) -> Decision:
    """The decision on a formula; one that the derivation cannot even read is undecided."""
    try:
        return statement.decide(formula)
    except Exception as error:
        return undecided(f"{type(error).__name__}: {error}")


def examine(claim: Claim, layer: Layer) -> Examination:
    """Ask one layer about the standing statement, the printed one if it is another, and every mutant."""
    return Examination(
        layer.name,
        _evidence(claim, layer),
        refutes(claim, claim.printed.formula, layer) if claim.corrected else None,
        tuple(refutes(claim, mutant.formula, layer) for mutant in mutants_of(claim)),
    )


def _evidence(claim: Claim, layer: Layer) -> tuple[Evidence, ...]:
    """The rows for the standing statement; a layer that breaks down has looked at nothing."""
    try:
        return tuple(gather(claim, claim.standing.formula, layer))
    except Exception as error:
        return (Evidence(layer.name, f"{type(error).__name__}: {error}", 0, float("inf"), 0.0, "the evaluation"),)


def examine_without_descent(claim_id: str, name: str, seed: int) -> Examination:
    """`examine` by the exact or the numeric layer, for a worker process."""
    return examine(claims_by_id()[claim_id], _layer(name, seed))


@lru_cache(maxsize=4)
def _layer(name: str, seed: int) -> Layer:
    return ExactLayer(seed) if name == "exact" else FloatLayer(seed)
