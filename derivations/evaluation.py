"""Exact values of scalar formulas: each formula becomes a program once, which runs in FLINT's rationals as far as they reach.

A root that is no rational, a logarithm, an infinity or an undefined value is a SymPy number, and so is all that depends on it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import flint
import sympy
from sympy import Add, Basic, Indexed, IndexedBase, Max, Min, Mul, Piecewise, Pow, Rational, Sum
from sympy.core.relational import Relational

Known = Mapping[Basic, Any]
"""Values of symbols, and of sequences as (entries, what is beyond them)."""
Program = Callable[[Known], Any]
"""From what is known to a number: an fmpq, or a SymPy object that no fmpq is equal to."""

_COMPARED = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def exact_value(formula: Basic, known: Known) -> Basic:
    """The exact value of a formula, as SymPy has it; symbols that are not known stay.

    A branch or a summand is entered only where it applies. Entries of sequences are counted from 1; before that there is nan.

    Raises:
        TypeError: a comparison of what is no real number, or a branch whose condition is neither true nor false.
        ValueError: an index, or an end of a sum, that is no whole number.
        KeyError: a sequence that is not known.
    """
    return _shown(_program(formula)(known))


def _shown(value: Any) -> Any:
    return Rational(int(value.p), int(value.q)) if isinstance(value, flint.fmpq) else value


@lru_cache(maxsize=1 << 14, typed=True)
def _quick(value: Any) -> Any:
    """A rational SymPy number as an fmpq, anything else as it is."""
    return flint.fmpq(int(value.p), int(value.q)) if isinstance(value, Rational) else value


def _whole(value: Any) -> int:
    number = _shown(value)
    if not number.is_Integer:
        raise ValueError(f"{number} is no whole number, and so no index.")
    return int(number)


@lru_cache(maxsize=1 << 16)
def _program(node: Basic) -> Program:
    if isinstance(node, Indexed):
        return _entry(node.base, _program(node.indices[0]))
    if not node.args:
        constant = _quick(node)
        return (lambda known: constant) if node.is_Number else (lambda known: _quick(known.get(node, node)))
    if isinstance(node, Piecewise):
        return _branches([(_program(branch), _program(condition)) for branch, condition in node.args])
    if isinstance(node, Sum):
        return _sum(node)
    parts = [_program(part) for part in node.args]
    if isinstance(node, Pow):
        return _power(*parts)
    if isinstance(node, Relational):
        return _relation(node, *parts)
    for kind, quick, general in ((Add, sum, _added), (Mul, math.prod, _multiplied), (Max, max, Max), (Min, min, Min)):
        if isinstance(node, kind):
            return _folded(parts, quick, general)
    return lambda known: node.func(*(_shown(part(known)) for part in parts))


def _added(*parts: Any) -> Any:
    return sum(parts[1:], parts[0])


def _multiplied(*parts: Any) -> Any:
    return math.prod(parts[1:], start=parts[0])


def _folded(parts: list[Program], quick: Callable[..., Any], general: Callable[..., Any]) -> Program:
    def run(known: Known) -> Any:
        values = [part(known) for part in parts]
        for value in values:
            if type(value) is not flint.fmpq:
                return _quick(general(*map(_shown, values)))
        return quick(values)

    return run


def _power(base: Program, exponent: Program) -> Program:
    def run(known: Known) -> Any:
        number, by = base(known), exponent(known)
        if type(number) is flint.fmpq and type(by) is flint.fmpq and (number != 0 or by > 0):
            if by.q == 1:
                return number ** int(by.p)
            if by.q == 2 and number >= 0:
                top, bottom = math.isqrt(int(number.p)), math.isqrt(int(number.q))
                if top * top == number.p and bottom * bottom == number.q:
                    return flint.fmpq(top, bottom) ** int(by.p)
        return _quick(Pow(_shown(number), _shown(by)))

    return run


def _relation(node: Relational, left: Program, right: Program) -> Program:
    compared, func = _COMPARED[node.rel_op], node.func

    def run(known: Known) -> Any:
        one, other = left(known), right(known)
        if type(one) is flint.fmpq and type(other) is flint.fmpq:
            return sympy.true if compared(one, other) else sympy.false
        return _compared(func, _shown(one), _shown(other))

    return run


@lru_cache(maxsize=1 << 16)
def _compared(relation: Callable[..., Basic], one: Basic, other: Basic) -> Basic:
    """A relation between numbers that are not both rational: it takes SymPy long to decide."""
    return relation(one, other)


def _branches(cases: list[tuple[Program, Program]]) -> Program:
    def run(known: Known) -> Any:
        for branch, condition in cases:
            answer = condition(known)
            if answer is not sympy.true and answer is not sympy.false:
                raise TypeError(f"whether {answer} is not known.")
            if answer is sympy.true:
                return branch(known)
        return sympy.nan

    return run


def _entry(base: IndexedBase, index: Program) -> Program:
    def run(known: Known) -> Any:
        place = _whole(index(known))
        if place < 1:
            return sympy.nan
        entries, beyond = known[base]
        return _quick(entries[place - 1] if place <= len(entries) else beyond)

    return run


def _sum(node: Sum) -> Program:
    *inner, (variable, start, end) = node.limits
    summand = _program(Sum(node.function, *inner) if inner else node.function)
    first, last = _program(start), _program(end)

    def run(known: Known) -> Any:
        places = range(_whole(first(known)), _whole(last(known)) + 1)
        values = [summand({**known, variable: sympy.Integer(place)}) for place in places]
        if all(type(value) is flint.fmpq for value in values):
            return sum(values, flint.fmpq(0))
        return _quick(sum(map(_shown, values), sympy.S.Zero))

    return run
