"""Gradients and differentials of trace polynomials agree with derivatives of the written-out entries."""

from typing import Any

import numpy as np
import pytest
import sympy
from explicit_matrices import SMALL, explicit, generic, half, polynomials, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Determinant, Inverse, MatPow, MatrixSymbol, Trace, Transpose, ZeroMatrix

from derivations.matrix_calculus import (
    differential,
    differs,
    gradient,
)
from derivations.notation import (
    C,
    P,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    Z,
    beta,
    d0,
    d1,
    d2,
    root_Phi,
)

POLYNOMIAL_FACTORS = (
    *(U, V, W, Z, P, Sigma, C, root_Phi),
    *(Transpose(f) for f in (U, V, W, Z, P, C)),
)


def entries_of(variable: MatrixSymbol) -> np.ndarray:
    rows, columns = (SMALL[size] for size in variable.shape)
    return np.array([[sympy.Symbol(f"e_{a}_{b}") for b in range(columns)] for a in range(rows)], dtype=object)


def entrywise_derivative(scalar: Any, variable: MatrixSymbol) -> np.ndarray:
    """SymPy's derivative of the written-out scalar, one entry after the other."""
    values, sizes = generic(0, small=True)
    entries = entries_of(variable)
    written_out = sympy.expand(explicit(scalar, {**values, variable: entries}, sizes))
    return np.vectorize(lambda entry: sympy.diff(written_out, entry), otypes=[object])(entries)


def assert_is_derivative(found: Any, scalar: Any, variable: MatrixSymbol) -> None:
    values, sizes = generic(0, small=True)
    expected = entrywise_derivative(scalar, variable)
    difference = explicit(found, {**values, variable: entries_of(variable)}, sizes) - expected
    assert difference.shape == tuple(SMALL[size] for size in variable.shape)
    assert not any(sympy.expand(entry) for entry in difference.flat), f"{found} is not the derivative of {scalar}"


@given(polynomials(longest=3, allowed=POLYNOMIAL_FACTORS), st.sampled_from((U, V, W, P)))
@settings(max_examples=60)
def test_gradients_of_sums_of_traces_agree_with_entrywise_derivatives(terms, variable):
    scalar = trace_of(terms)
    assert_is_derivative(gradient(scalar, variable), scalar, variable)


@pytest.mark.parametrize(
    ("scalar", "variable"),
    [
        (Trace(P * P * P), P),
        (Trace(P * P.T * P * P.T), P),
        (Trace(P.T * Sigma * P * Sigma * P), P),
        (SquaredNorm(U * V.T - Z) + Trace(U * Sigma * U.T) + beta * SquaredNorm(V), U),
        (SquaredNorm(U * V.T - Z) + Trace(U * Sigma * U.T) + beta * SquaredNorm(V), V),
        (SquaredNorm(U * V.T * V * U.T), V),
        (Trace(P), P),
        (Trace(P) ** 1 + d1 * beta, P),
        (Trace(Z * Z.T), V),
    ],
    ids=str,
)
def test_gradients_with_repeated_occurrences_agree_with_entrywise_derivatives(scalar, variable):
    assert_is_derivative(gradient(scalar, variable), scalar, variable)


def test_sympys_own_derivative_of_a_sum_of_traces_is_wrong_and_ours_is_right():
    """The trap this module exists for, in SymPy 1.14; a SymPy that is mended turns this red."""
    quadratic = MatrixSymbol("Q", d1, d1)
    scalar = Trace(W * quadratic * W.T) + Trace(W * W.T)
    values, sizes = generic(0, small=True)
    known = {**values, quadratic: values[P], W: entries_of(W)}
    written_out = sympy.expand(explicit(scalar, known, sizes))
    expected = np.vectorize(lambda entry: sympy.diff(written_out, entry), otypes=[object])(entries_of(W))

    assert scalar.diff(W) == ZeroMatrix(*W.shape)
    assert any(entry != 0 for entry in expected.flat)
    assert not any(sympy.expand(e) for e in (explicit(gradient(scalar, W), known, sizes) - expected).flat)
    assert not differs(gradient(scalar, W), W * quadratic + W * quadratic.T + 2 * W)


@given(polynomials(longest=3, allowed=POLYNOMIAL_FACTORS), st.sampled_from(((U, V), (W, P), (V,), (U, W, P))))
@settings(max_examples=40)
def test_differentials_agree_with_derivatives_along_a_line(terms, variables):
    scalar, time = trace_of(terms), sympy.Symbol("time")
    values, sizes = generic(0, small=True)
    directions = {variable: MatrixSymbol(f"d{variable}", *variable.shape) for variable in variables}
    steps = {directions[v]: values[v][::-1, ::-1] + k for k, v in enumerate(variables)}
    line = {v: values[v] + time * steps[directions[v]] for v in variables}
    along = sympy.expand(explicit(scalar, {**values, **line}, sizes))

    first = differential(scalar, directions)
    second = differential(first, directions)
    for found, order in ((first, 1), (second, 2)):
        expected = sympy.diff(along, time, order).subs(time, 0)
        assert explicit(sympy.sympify(found), {**values, **steps}, sizes) == expected


def test_a_differential_is_the_gradient_paired_with_the_direction():
    scalar = SquaredNorm(U * V.T - Z) + beta * SquaredNorm(V)
    dU, dV = MatrixSymbol("dU", d2, d1), MatrixSymbol("dV", d0, d1)
    paired = Trace(gradient(scalar, U).T * dU) + Trace(gradient(scalar, V).T * dV)
    assert not differs(differential(scalar, {U: dU, V: dV}), paired)


@pytest.mark.parametrize("differentiated", [Inverse(P), Inverse(P + Sigma), MatPow(P, half), MatPow(P, -2)])
@pytest.mark.parametrize("derivative", [lambda s: gradient(s, P), lambda s: differential(s, {P: Sigma})])
def test_what_is_no_polynomial_in_the_variable_is_not_differentiated(differentiated, derivative):
    with pytest.raises(ValueError, match="cannot differentiate"):
        derivative(Trace(differentiated * Sigma))


@pytest.mark.parametrize(
    "scalar",
    [Determinant(P) + Trace(P), sympy.log(Determinant(P)), Determinant(P) * Trace(P), P[0, 0] ** 2 + Trace(P)],
    ids=str,
)
def test_a_scalar_that_depends_on_the_variable_outside_traces_is_not_taken_for_a_constant(scalar):
    with pytest.raises(ValueError):
        gradient(scalar, P)
    with pytest.raises(ValueError):
        differential(scalar, {P: Sigma})


def test_a_trace_in_a_matrix_coefficient_is_not_taken_for_a_constant():
    scalar = Trace(Trace(P * P.T) * Sigma)
    with pytest.raises(ValueError):
        gradient(scalar, P)
