"""Statements that have to hold at every minimum, or at every pair of minima of problems that differ in one respect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
from sympy import Basic, IndexedBase, Symbol

from derivations.claim import Claim
from derivations.ledger import CLAIMS
from derivations.notation import i, zeta
from derivations.situations import OTHER, diverges
from derivations.universal import Universal
from numerics.booleans import doubtful, truth
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.observables.base import Check, everywhere
from numerics.pairs import facts, pairs, smaller
from numerics.points import symbol_values
from numerics.tolerances import DESCENT_INVARIANT, EXACT, FLOAT64_IDENTITY

_TOLERANCES = {"exact": EXACT, "numeric": FLOAT64_IDENTITY, "descent": DESCENT_INVARIANT}


def always(layer: Layer, formula: Basic, question: Universal) -> Iterator[Finding]:
    """A Boolean about the minimum here and there, for every latent of both.

    All pairs are evaluated at once, one row a pair; exact values again one by one where float64 leaves a doubt.
    """
    kind_there = question.kind_there or question.kind
    both = pairs(layer, question.kind, kind_there, question.change)
    if not both:
        return
    if isinstance(layer, DescentLayer):
        layer.descend(minima_for(layer, formula, question))
    wanted = _wanted(formula, OTHER.keys()), _wanted(formula, OTHER.values())

    def known(pair: tuple[Any, Any]) -> dict[Basic, Any]:
        return _joint(layer, *pair, question.kind, kind_there, *wanted)

    stacked = _stacked(layer, question, wanted, formula.has(i), lambda: [known(pair) for pair in both])
    holds = truth(formula, stacked, "numpy", _TOLERANCES[layer.name])
    doubts = doubtful(formula, stacked) if layer.name == "exact" else np.False_
    held, doubted = (
        np.asarray(answer) if np.ndim(answer) else np.full(len(both), answer) for answer in (holds, doubts)
    )
    for (here, there), row, doubt in zip(both, held, doubted, strict=True):
        stated = truth(formula, known((here, there)), "exact", EXACT) if np.any(doubt) else row
        latents = stated[: min(here.d1, there.d1)] if np.ndim(stated) else stated
        yield Finding("truth", here.name, float(not np.all(latents)), EXACT)


def minima_for(layer: Layer, formula: Basic, question: Universal) -> list[Any]:
    """The instances whose minima tell whether a Boolean holds."""
    kind_there = question.kind_there or question.kind
    both = pairs(layer, question.kind, kind_there, question.change)
    further = smaller(layer, both, question.kind, kind_there) if formula.has(diverges, OTHER[diverges]) else []
    return [*(problem for pair in both for problem in pair), *further]


_stacks: dict[Any, dict[Basic, Any]] = {}


def _stacked(
    layer: Layer, question: Universal, wanted: Any, of_modes: bool, values: Callable[[], Any]
) -> dict[Basic, Any]:
    key = id(layer), question, wanted, of_modes
    if key not in _stacks:
        _stacks[key] = _stack(values(), of_modes)
    return _stacks[key]


def _stack(values: list[dict[Basic, Any]], of_modes: bool) -> dict[Basic, Any]:
    size = max(len(known[zeta]) for known in values)
    found: dict[Basic, Any] = {}
    for symbol, first in values[0].items():
        if np.ndim(first) == 1:
            rows = [np.concatenate([known[symbol], np.repeat(known[symbol][-1:], size)])[:size] for known in values]
            found[symbol] = np.array([[_rounded(entry) for entry in row] for row in rows])
        elif np.ndim(first) == 0:
            told = isinstance(first, bool)
            entries = [known[symbol] for known in values]
            column = np.array(entries) if told else np.array([_rounded(entry) for entry in entries])
            found[symbol] = column[:, None] if of_modes else column
    return found


@lru_cache(maxsize=65536)
def _rounded(number: Any) -> float:
    return float(number)


@lru_cache(maxsize=65536)
def _joint(
    layer: Layer, here: Any, there: Any, kind: str, kind_there: str, wanted: frozenset[Basic], away: frozenset[Basic]
) -> dict[Basic, Any]:
    """The values of a pair's symbols, sequences cut to the latents of both and one more."""
    values = dict(_values(layer, here, kind, wanted))
    values |= {OTHER[s]: value for s, value in _values(layer, there, kind_there, away).items() if s in OTHER}
    size = min(here.d1, there.d1) + 1
    return {s: value[:size] if np.ndim(value) == 1 else value for s, value in values.items() if np.ndim(value) < 2}


def _wanted(formula: Basic, symbols: Any) -> frozenset[Basic]:
    """Which of the facts here a formula names, or which of those there, under the names they have here."""
    named = formula.atoms(Symbol, IndexedBase)
    return frozenset(here for here, other in OTHER.items() if (here if here in symbols else other) in named)


@lru_cache(maxsize=65536)
def _values(layer: Layer, problem: Any, kind: str, wanted: frozenset[Basic]) -> dict[Basic, Any]:
    return symbol_values(problem) | facts(layer, problem, kind, wanted)


def _questions() -> Iterator[Universal]:
    claims: tuple[Claim, ...] = CLAIMS
    for claim in claims:
        if isinstance(claim.standing.decide, Universal):
            yield claim.standing.decide


CHECKS: dict[str, dict[str, Check]] = {
    question.observable: everywhere(partial(always, question=question)) for question in _questions()
}


MINIMA = {question.observable: partial(minima_for, question=question) for question in _questions()}
