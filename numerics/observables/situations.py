"""Statements that have to hold at every minimum, or at every pair of minima of problems that differ in one respect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from sympy import Basic, IndexedBase, Integer, Symbol, default_sort_key

from derivations.claim import Claim
from derivations.ledger import CLAIMS
from derivations.notation import i
from derivations.situations import OTHER, diverges, least
from derivations.universal import OverKinds, Universal
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
    stacked = _stacked(layer, question, both, formula)
    holds = truth(formula, stacked, "numpy", _TOLERANCES[layer.name])
    doubts = doubtful(formula, stacked) if layer.name == "exact" else np.False_
    held, doubted = (
        np.asarray(answer) if np.ndim(answer) else np.full(len(both), answer) for answer in (holds, doubts)
    )
    for (here, there), row, doubt in zip(both, held, doubted, strict=True):
        stated = truth(formula, _joint(layer, here, there, question, formula), "exact", EXACT) if np.any(doubt) else row
        latents = stated[: min(here.d1, there.d1)] if np.ndim(stated) else stated
        yield Finding("truth", here.name, float(not np.all(latents)), EXACT)


def minima_for(layer: Layer, formula: Basic, question: Universal) -> list[Any]:
    """The instances whose minima tell whether a Boolean holds."""
    kind_there = question.kind_there or question.kind
    both = pairs(layer, question.kind, kind_there, question.change)
    further = smaller(layer, both, question.kind, kind_there) if formula.has(diverges, OTHER[diverges]) else []
    return [*(problem for pair in both for problem in pair), *further]


_columns: dict[Any, Any] = {}


def _stacked(layer: Layer, question: Universal, both: Sequence[tuple[Any, Any]], formula: Basic) -> dict[Basic, Any]:
    """What the symbols of a formula stand for in float64, one row a pair; a symbol's column is made once."""
    asked = layer, question.kind, question.kind_there, question.change
    found = {}
    for symbol in _symbols(formula):
        if (*asked, symbol) not in _columns:
            _columns[(*asked, symbol)] = _column([_value(layer, *pair, question, symbol) for pair in both], both)
        column = _columns[(*asked, symbol)]
        if column is not None:
            found[symbol] = column[:, None] if formula.has(i) and column.ndim == 1 else column
    return found


def _column(values: list[Any], both: Sequence[tuple[Any, Any]]) -> Any:
    """Numbers or sequences, one row a pair; sequences padded to one length. None for matrices and what has no value."""
    if values[0] is None or np.ndim(values[0]) > 1:
        return None
    if np.ndim(values[0]) == 0:
        return np.array(values if isinstance(values[0], bool) else [float(value) for value in values])
    size = max(min(here.d1, there.d1) for here, there in both) + 1
    return np.array([[float(value[min(k, len(value) - 1)]) for k in range(size)] for value in values])


def _value(layer: Layer, here: Any, there: Any, question: Universal, symbol: Basic) -> Any:
    """What a symbol stands for at a pair, a sequence cut to the latents of both and one more; None where nothing."""
    if symbol == i:
        return np.array([Integer(k) for k in range(1, min(here.d1, there.d1) + 2)])
    if symbol in _HERE:
        symbol, problem, kind = _HERE[symbol], there, question.kind_there or question.kind
    else:
        problem, kind = here, question.kind
    value: Any = _values(layer, problem, kind, frozenset({symbol} & {least, diverges})).get(symbol)
    return value[: min(here.d1, there.d1) + 1] if np.ndim(value) == 1 else value


def _joint(layer: Layer, here: Any, there: Any, question: Universal, formula: Basic) -> dict[Basic, Any]:
    """The values of a formula's symbols at a pair."""
    values = {symbol: _value(layer, here, there, question, symbol) for symbol in _symbols(formula)}
    return {symbol: value for symbol, value in values.items() if value is not None and np.ndim(value) < 2}


_HERE: dict[Basic, Basic] = {other: here for here, other in OTHER.items()}


@lru_cache(maxsize=16384)
def _symbols(formula: Basic) -> tuple[Basic, ...]:
    found: set[Basic] = formula.atoms(Symbol, IndexedBase)
    return tuple(sorted(found, key=default_sort_key))


@lru_cache(maxsize=65536)
def _values(layer: Layer, problem: Any, kind: str, wanted: frozenset[Basic]) -> dict[Basic, Any]:
    return symbol_values(problem) | facts(layer, problem, kind, wanted)


def _asked() -> Iterator[tuple[str, tuple[Universal, ...]]]:
    """What claims ask of this layer: by observable, one question or one a kind of Sigma."""
    claims: tuple[Claim, ...] = CLAIMS
    for claim in claims:
        decide = claim.standing.decide
        if isinstance(decide, Universal):
            yield decide.observable, (decide,)
        elif isinstance(decide, OverKinds):
            yield decide.observable, decide.questions


def _all_always(layer: Layer, formula: Basic, questions: tuple[Universal, ...]) -> Iterator[Finding]:
    for question in questions:
        yield from always(layer, formula, question)


def _all_minima(layer: Layer, formula: Basic, questions: tuple[Universal, ...]) -> list[Any]:
    return [problem for question in questions for problem in minima_for(layer, formula, question)]


CHECKS: dict[str, dict[str, Check]] = {
    observable: everywhere(partial(_all_always, questions=questions)) for observable, questions in _asked()
}


MINIMA = {observable: partial(_all_minima, questions=questions) for observable, questions in _asked()}
