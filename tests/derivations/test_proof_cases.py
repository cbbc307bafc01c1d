"""The regimes that a proof distinguishes leave nothing out: each begins and ends at 0, at infinity or where another case is."""

from collections.abc import Mapping
from functools import cache

import pytest
import sympy
from sympy import Basic, Expr, Symbol
from watched_proofs import prove_watching

from derivations.least_loss import singular
from derivations.notation import zeta
from derivations.proof import margin

PROVED = (
    "prop-2.minimum", "thm-1.minimum", "thm-1.complete-collapse", "cor-1.profile", "eq-13.reduced", "prop-3.variance",
    "thm-2.minimum", "thm-2.variance",
)  # fmt: skip
ANY = Symbol("any", positive=True)
MARGINS = {margin, Symbol("short", nonnegative=True)}
"""Distances to a threshold; the second may be 0."""
Cases = dict[Basic, set[Expr]]


@cache
def cases_of(name: str) -> Cases:
    """What a singular value stands for in the steps of a proof, by symbol."""
    found: Cases = {}

    def hear(text: str, statement: Basic, answer: bool | None, case: Mapping[Basic, Expr] | None) -> None:
        for symbol, value in (case or {}).items():
            if symbol == singular or (isinstance(symbol, sympy.Indexed) and symbol.base == zeta):
                found.setdefault(symbol, set()).add(sympy.sympify(value))

    prove_watching(name, "_decided", hear)
    return found


def ends(value: Expr) -> tuple[Expr, Expr]:
    """Where a regime begins and ends: its value as the margin goes to 0 and to infinity. It moves one way in between."""
    (distance,) = value.free_symbols & MARGINS
    slope = sympy.factor(sympy.diff(value.xreplace({distance: ANY}), ANY))
    assert slope.is_positive or slope.is_negative
    return tuple(sympy.limit(value.xreplace({distance: ANY}), ANY, end) for end in (0, sympy.oo))  # type: ignore[return-value]


def left_out(values: set[Expr]) -> set[Expr]:
    """Ends of regimes at which no case is."""
    points = {value for value in values if not value.has(*MARGINS)} | {sympy.S.Zero, sympy.oo}
    found = {end for value in values if value.has(*MARGINS) for end in ends(value)}
    return {
        end for end in found if not any(sympy.simplify(end - point) == 0 for point in points if point.is_finite)
    } - points


@pytest.mark.parametrize("name", PROVED)
def test_the_regimes_of_a_proof_meet(name: str) -> None:
    assert cases_of(name)
    for symbol, values in cases_of(name).items():
        assert any(value.has(*MARGINS) for value in values), symbol
        assert left_out(values) == set(), symbol
        reached = {end for value in values if value.has(*MARGINS) for end in ends(value)}
        assert {sympy.S.Zero, sympy.oo} <= reached, f"{symbol}: nothing covers the smallest values, or the largest"


@pytest.mark.parametrize(
    ("values", "gap"),
    [
        ({1 + margin, sympy.S.One, 1 / (1 + margin)}, set()),
        ({1 + margin, sympy.S.One, 1 / (2 + margin)}, {sympy.Rational(1, 2)}),
        ({2 + margin, sympy.S.One, 1 / (1 + margin)}, {sympy.Integer(2)}),
        ({1 + margin, 1 / (1 + margin)}, {sympy.S.One}),
    ],
)
def test_a_gap_between_regimes_is_found(values: set[Expr], gap: set[Expr]) -> None:
    assert left_out(values) == gap
