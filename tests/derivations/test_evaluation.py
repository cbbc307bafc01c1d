"""Exact values of formulas against SymPy's own substitution."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Eq, IndexedBase, Max, Min, Piecewise, Rational, Sum, Symbol, log, oo, sqrt, symbols

from derivations.evaluation import exact_value

x, y = symbols("x y", nonnegative=True)
k = Symbol("k", integer=True)
a = IndexedBase("a")

rationals = st.fractions(min_value=-4, max_value=4, max_denominator=9).map(
    lambda f: Rational(f.numerator, f.denominator)
)
leaves = st.sampled_from([x, y]) | rationals
formulas = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1])
        | st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1])
        | st.tuples(inner, st.sampled_from([Rational(1, 2), Rational(3, 2), 2, 3])).map(
            lambda pair: abs(pair[0]) ** pair[1]
        )
        | st.tuples(inner, inner).map(lambda pair: Max(*pair))
        | st.tuples(inner, inner).map(lambda pair: Min(*pair))
    ),
    max_leaves=6,
)


@given(formulas, rationals.map(abs), rationals.map(abs))
def test_it_agrees_with_substitution(formula, one, other):
    found = exact_value(formula, {x: one, y: other})
    expected = sympy.sympify(formula).subs({x: one, y: other})
    assert isinstance(found, sympy.Basic)
    assert sympy.simplify(found - expected) == 0


@given(rationals.map(abs), rationals.map(abs))
def test_comparisons_are_exact(one, other):
    known = {x: one, y: other}
    assert exact_value(sqrt(x) < sqrt(y), known) == (one < other)
    assert exact_value(Eq(x**2, y**2), known) == Eq(one, other)
    assert exact_value(sympy.Ne(x, y), known) == sympy.Ne(one, other)


def test_roots_that_are_rational_come_out_rational():
    assert exact_value(sqrt(x) + y, {x: Rational(9, 4), y: sympy.S.One}) == Rational(5, 2)
    assert exact_value(sqrt(x), {x: sympy.Integer(8)}) == 2 * sqrt(2)
    assert exact_value(1 / sqrt(x), {x: Rational(1, 16)}) == 4


def test_what_is_no_rational_is_sympys():
    assert exact_value(log(x) * y, {x: sympy.Integer(2), y: sympy.Integer(3)}) == 3 * log(2)
    assert exact_value(1 / x, {x: sympy.S.Zero}) == sympy.zoo
    assert exact_value(x + y, {x: oo, y: sympy.S.One}) == oo
    assert exact_value(x + y, {x: sympy.nan, y: sympy.S.One}) is sympy.nan
    assert exact_value(x + 1, {}) == x + 1
    assert exact_value(Max(x, y), {}) == Max(x, y) and exact_value(Min(x, y), {}) == Min(x, y)
    assert exact_value(Max(sqrt(x), log(y)), {x: sympy.Integer(2), y: sympy.Integer(5)}) == log(5)


def test_entries_are_counted_from_one_and_go_on_beyond_the_last():
    known = {a: ((sympy.Integer(5), sympy.Integer(3)), sympy.S.Zero), k: sympy.Integer(2)}
    assert exact_value(a[k], known) == 3
    assert exact_value(a[k + 1], known) == 0
    assert exact_value(a[k - 2], known) is sympy.nan
    assert exact_value(Sum(a[k] ** 2, (k, 1, 4)), known) == 34
    assert exact_value(Sum(a[k], (k, 3, 2)), known) == 0


def test_a_branch_is_entered_only_where_it_applies():
    formula = Piecewise((a[k - 5], x > 1), (y, True))
    known = {a: ((sympy.S.One,), sympy.S.Zero), k: sympy.S.One, y: sympy.Integer(7)}
    assert exact_value(formula, known | {x: sympy.S.One}) == 7
    assert exact_value(formula, known | {x: sympy.Integer(2)}) is sympy.nan
    assert exact_value(Piecewise((y, x > 1)), known | {x: sympy.S.Zero}) is sympy.nan


def test_what_is_not_known_is_not_guessed():
    with pytest.raises(TypeError, match="is not known"):
        exact_value(Piecewise((1, x > y), (2, True)), {x: sympy.S.One})
    known = {a: ((sympy.Integer(5), sympy.Integer(3)), sympy.S.Zero)}
    with pytest.raises(ValueError, match="5/2 is no whole number"):
        exact_value(a[k], known | {k: Rational(5, 2)})
    with pytest.raises(ValueError, match="no whole number"):
        exact_value(Sum(a[k], (k, 1, x)), known | {x: Rational(3, 2)})
    with pytest.raises(KeyError):
        exact_value(a[k], {k: sympy.S.One})
