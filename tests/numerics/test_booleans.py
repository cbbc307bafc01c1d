"""Truth of Booleans of exact and of approximate numbers."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import And, Eq, Equivalent, Ge, Gt, Implies, Le, Lt, Ne, Not, Or, Symbol

from derivations.notation import beta, eta_dec, i, zeta
from numerics.booleans import doubtful, truth
from numerics.tolerances import EXACT, FLOAT64_IDENTITY

told = Symbol("diverges")
finite = st.floats(-1e3, 1e3, allow_nan=False)


@given(finite, finite)
def test_relations_agree_with_python_away_from_ties(left: float, right: float) -> None:
    values = {beta: left, eta_dec: right}
    if abs(left - right) <= 1e-6 * max(1, abs(left), abs(right)):
        return
    for relation, expected in (
        (Lt, left < right),
        (Le, left <= right),
        (Gt, left > right),
        (Ge, left >= right),
        (Eq, left == right),
        (Ne, left != right),
    ):
        assert truth(relation(beta, eta_dec, evaluate=False), values, "numpy", FLOAT64_IDENTITY) == expected


@pytest.mark.parametrize(
    ("relation", "expected"), [(Lt, False), (Le, True), (Gt, False), (Ge, True), (Eq, True), (Ne, False)]
)
def test_numbers_within_the_tolerance_are_equal(relation: type, expected: bool) -> None:
    values = {beta: 0.1 + 0.2, eta_dec: 0.3}
    assert truth(relation(beta, eta_dec), values, "numpy", FLOAT64_IDENTITY) == expected


def test_a_small_length_is_not_zero() -> None:
    """No rounding takes part in the sign of a product."""
    assert truth(Gt(beta**2, 0, evaluate=False), {beta: 1e-9}, "numpy", FLOAT64_IDENTITY)
    assert not truth(Gt(beta - eta_dec, 0), {beta: 0.1 + 0.2, eta_dec: 0.3}, "numpy", FLOAT64_IDENTITY)


def test_exact_numbers_are_compared_exactly() -> None:
    values = {beta: sympy.sqrt(2) * sympy.sqrt(3), eta_dec: sympy.sqrt(6)}
    assert truth(Eq(beta, eta_dec), values, "exact", EXACT)
    close = {beta: sympy.Rational(1, 3), eta_dec: sympy.Rational(33333333333, 100000000000)}
    assert truth(Gt(beta, eta_dec), close, "exact", EXACT)


@pytest.mark.parametrize(
    ("left", "right", "sign"), [(1, 2, -1), (2, 2, 0), (3, 2, 1), (sympy.sqrt(2), 1, 1), (1, sympy.sqrt(2), -1)]
)
@pytest.mark.parametrize(
    ("relation", "signs"), [(Lt, {-1}), (Le, {-1, 0}), (Gt, {1}), (Ge, {0, 1}), (Eq, {0}), (Ne, {-1, 1})]
)
def test_every_relation_of_exact_numbers(
    relation: type, signs: set[int], left: object, right: object, sign: int
) -> None:
    values = {beta: sympy.sympify(left) / 3, eta_dec: sympy.sympify(right) / 3}
    assert truth(relation(beta, eta_dec, evaluate=False), values, "exact", EXACT) == (sign in signs)


def test_connectives_act_mode_by_mode() -> None:
    values = {zeta: np.array([3.0, 1.0, 0.0]), beta: 1.0, told: np.array([True, False, True])}
    above, here = Gt(zeta[i], beta), told
    table = {
        And(above, here): [True, False, False],
        Or(above, here): [True, False, True],
        Not(above): [False, True, True],
        Not(here): [False, True, False],
        Not(And(above, here)): [False, True, True],
        Implies(here, above): [True, True, False],
        Equivalent(above, here): [True, True, False],
    }
    for formula, expected in table.items():
        assert truth(formula, values, "numpy", FLOAT64_IDENTITY).tolist() == expected


def test_an_undefined_relation_is_false() -> None:
    for relation in (Lt, Ge, Eq, Ne):
        assert not truth(relation(beta, eta_dec), {beta: float("nan"), eta_dec: 1.0}, "numpy", FLOAT64_IDENTITY)


def test_doubts_are_near_ties_but_not_two_zeros() -> None:
    values = {zeta: np.array([[3.0], [1.0], [0.0]]), beta: np.array([[1.0], [1.0], [0.0]])}
    assert doubtful(Le(zeta[i], beta), values).ravel().tolist() == [False, True, False]


@pytest.mark.parametrize("undefined", [float("nan"), float("inf"), -float("inf")])
def test_an_undefined_side_is_in_doubt(undefined: float) -> None:
    for values in ({beta: undefined, eta_dec: 1.0}, {beta: 1.0, eta_dec: undefined}):
        assert doubtful(Gt(beta, eta_dec), values)


def test_what_is_no_boolean_is_rejected() -> None:
    with pytest.raises(TypeError, match="no Boolean"):
        truth(sympy.Xor(told, Gt(beta, 1)), {told: True, beta: 2.0}, "numpy", FLOAT64_IDENTITY)
