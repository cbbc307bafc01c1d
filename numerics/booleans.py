"""Truth of a Boolean of exact or approximate numbers: a comparison of numbers that agree within a tolerance is one of equals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import And, Basic, Equivalent, Implies, Not, Or
from sympy.core.relational import Relational

from derivations.instances import is_exactly_zero
from numerics.lambdified import Values, evaluate
from numerics.tolerances import DOUBT, Tolerance

_SIGNS = {
    sympy.Eq: (0,),
    sympy.Ne: (-1, 1),
    sympy.StrictLessThan: (-1,),
    sympy.LessThan: (-1, 0),
    sympy.StrictGreaterThan: (1,),
    sympy.GreaterThan: (0, 1),
}


def truth(formula: Basic, values: Values, backend: str, tolerance: Tolerance) -> Any:
    """Whether a Boolean holds, at every mode where it speaks of one mode.

    Args:
        formula: of relations between scalars, or between entries of mode i, and of symbols that are true or false.
        values: of its symbols, as for `evaluate`; those that are true or false as such.
        backend: "numpy" or "exact", where the tolerance plays no part.
        tolerance: numbers within this of each other, relative to the larger (at least 1), are equal.

    Returns:
        A Boolean, or an array of them over the modes. A relation of something undefined is false.
    """
    relations, all_sides, symbols = _parts(formula)
    known: dict[Basic, Any] = {sympy.true: np.True_, sympy.false: np.False_}
    told = (symbol for symbol in symbols if np.asarray(values.get(symbol)).dtype == bool)
    known |= {symbol: np.asarray(values[symbol]) for symbol in told}
    if relations:
        sides = evaluate(all_sides, values, backend)
        for relation, left, right in zip(relations, sides[::2], sides[1::2], strict=True):
            known[relation] = _compared(relation, left, right, tolerance if backend != "exact" else None)
    return _combined(formula, known)


@lru_cache(maxsize=1 << 14)
def _parts(formula: Basic) -> tuple[tuple[Relational, ...], sympy.Tuple, frozenset[Basic]]:
    """The relations of a Boolean, their sides one after another, and all symbols."""
    relations = tuple(sorted(formula.atoms(Relational), key=sympy.default_sort_key))
    sides = sympy.Tuple(*(side for relation in relations for side in relation.args))
    return relations, sides, frozenset(formula.free_symbols)


def doubtful(formula: Basic, values: Values) -> Any:
    """Where float64 does not settle the relations of a Boolean whose values are exact: two sides near each other, or undefined.

    Both exactly 0 are settled: no rounding makes a 0.
    """
    found: Any = np.False_
    for relation in formula.atoms(Relational):
        left, right = (np.asarray(side, dtype=np.float64) for side in evaluate(sympy.Tuple(*relation.args), values))
        near = ~(np.abs(left - right) > DOUBT.value * np.maximum(1.0, np.maximum(np.abs(left), np.abs(right))))
        found = found | (near & ~((left == 0) & (right == 0)))
    return found


def _is_length(side: Basic) -> bool:
    """A product or power of scalars, in whose sign no rounding takes part."""
    return isinstance(side, sympy.Symbol | sympy.Indexed | sympy.Pow | sympy.Mul) and not side.has(sympy.Add)


def _compared(relation: Relational, left: Any, right: Any, tolerance: Tolerance | None) -> Any:
    if tolerance is None:
        signs = np.frompyfunc(_exact_sign, 2, 1)(left, right)
    elif sympy.S.Zero in relation.args and any(_is_length(side) for side in relation.args):
        signs = np.sign(np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64))
    else:
        left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
        size = np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
        with np.errstate(invalid="ignore"):  # of infinite sides
            difference = left - right
            signs = np.where(np.abs(difference) <= tolerance.value * size, 0.0, np.sign(difference))
    return np.isin(np.asarray(signs, dtype=np.float64), _SIGNS[type(relation)])


def _exact_sign(left: Any, right: Any) -> float:
    """-1, 0 or 1; nan where a side is undefined or not real."""
    left, right = sympy.sympify(left), sympy.sympify(right)
    if left.is_Rational and right.is_Rational:
        return float(bool(left > right)) - float(bool(left < right))
    difference = left - right
    if is_exactly_zero(difference):
        return 0.0
    return float(sympy.sign(difference)) if difference.is_extended_real else float("nan")


def _combined(node: Basic, known: dict[Basic, Any]) -> Any:
    if node in known:
        return known[node]
    parts = [_combined(part, known) for part in node.args]
    if isinstance(node, And | Or):
        return (np.logical_and if isinstance(node, And) else np.logical_or).reduce(np.broadcast_arrays(*parts))
    if isinstance(node, Not):
        return np.logical_not(parts[0])
    if isinstance(node, Implies):
        return np.logical_or(np.logical_not(parts[0]), parts[1])
    if isinstance(node, Equivalent):
        return np.logical_and.reduce(np.broadcast_arrays(*(part == parts[0] for part in parts))) if parts else np.True_
    raise TypeError(f"{node} is no Boolean of relations and of symbols that are true or false")
