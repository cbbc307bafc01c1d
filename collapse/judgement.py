"""One claim examined by a layer of evidence: the statement, the printed one, and every mutant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from collapse.decisions import SYMBOLIC, Judgement, judge, mutants_of
from derivations.claim import Claim
from derivations.errors import DataUnavailable
from derivations.ledger import claims_by_id
from numerics.evidence import Evidence, gather, refutes
from numerics.layers.base import Layer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer

__all__ = [
    "LAYERS",
    "SYMBOLIC",
    "Examination",
    "Judgement",
    "examine",
    "examine_without_descent",
    "judge",
    "mutants_of",
]

LAYERS = (SYMBOLIC, "exact", "numeric", "descent")


@dataclass(frozen=True)
class Examination:
    """What one layer found: evidence for the standing statement, and which wrong statements it refutes.

    `refutes_printed` is None where the printed statement stands; `refuted` has one entry a mutant. Where the data that the
    layer needs are absent, `unavailable` says so and the rest is empty: nothing was checked.
    """

    layer: str
    evidence: tuple[Evidence, ...]
    refutes_printed: bool | None
    refuted: tuple[bool, ...]
    unavailable: str | None = None


def examine(claim: Claim, layer: Layer) -> Examination:
    """Ask one layer about the standing statement, the printed one if it is another, and every mutant."""
    try:
        return Examination(
            layer.name,
            _evidence(claim, layer),
            refutes(claim, claim.printed.formula, layer) if claim.corrected else None,
            tuple(refutes(claim, mutant.formula, layer) for mutant in mutants_of(claim)),
        )
    except DataUnavailable as absent:
        return Examination(layer.name, (), None, (), str(absent) or "its data are not on this machine")


def _evidence(claim: Claim, layer: Layer) -> tuple[Evidence, ...]:
    """The rows for the standing statement; a layer that breaks down has looked at nothing."""
    try:
        return tuple(gather(claim, claim.standing.formula, layer))
    except DataUnavailable:
        raise
    except Exception as error:
        return (Evidence(layer.name, f"{type(error).__name__}: {error}", 0, float("inf"), 0.0, "the evaluation"),)


def examine_without_descent(claim_id: str, name: str, seed: int) -> Examination:
    """`examine` by the exact or the numeric layer, for a worker process."""
    return examine(claims_by_id()[claim_id], _layer(name, seed))


@lru_cache(maxsize=4)
def _layer(name: str, seed: int) -> Layer:
    return ExactLayer(seed) if name == "exact" else FloatLayer(seed)
