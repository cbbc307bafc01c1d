"""Normal forms of matrix and trace polynomials are equal exactly where explicit matrices are."""

import pytest
import sympy
from explicit_matrices import agree, half, matrix, polynomials, trace_of, transposed, words
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Identity, Inverse, MatMul, Rational, Trace, Transpose, ZeroMatrix

from derivations import notation as n
from derivations.matrix_calculus import (
    differs,
    matrix_normal_form,
    product,
    trace_normal_form,
)
from derivations.notation import (
    I_latent,
    P,
    Phi,
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
)


@given(words(longest=5), st.integers(0, 9), st.booleans())
@settings(max_examples=100)
def test_a_trace_has_one_normal_form_under_rotation_and_transposition(factors, turn, flip):
    turn %= len(factors)
    other = (*factors[turn:], *factors[:turn])
    assert trace_normal_form(Trace(matrix(factors))) == trace_normal_form(
        Trace(matrix(transposed(other) if flip else other))
    )


@given(words(longest=4))
@settings(max_examples=50)
def test_the_normal_form_of_a_trace_has_its_value(factors):
    found = trace_normal_form(Trace(matrix(factors)))
    back = sympy.Add(*(f * (Trace(product(word)) if word else 1) for word, f in found.items()))
    assert agree(Trace(matrix(factors)), back)


@given(words(start=d2, end=d0, longest=3))
@settings(max_examples=50)
def test_the_normal_form_of_a_matrix_has_its_value(factors):
    found = matrix_normal_form(matrix(factors))
    back = sympy.MatAdd(ZeroMatrix(d2, d0), *(f * product(word) for word, f in found.items()))
    assert agree(matrix(factors), back)


@given(polynomials(), st.integers(0, 9), st.booleans(), st.sampled_from((0, 0, 1)), polynomials())
@settings(max_examples=60)
def test_trace_polynomials_are_equal_exactly_where_their_values_are(terms, turn, flip, extra, others):
    moved = []
    for coefficient, factors in terms:
        factors = (*factors[turn % len(factors) :], *factors[: turn % len(factors)])
        moved.append((coefficient, transposed(factors) if flip else factors))
    left, right = trace_of(terms), trace_of(moved) + extra * trace_of(others)
    assert (not differs(left, right)) is agree(left, right)
    assert (not differs(left, trace_of(others))) is agree(left, trace_of(others))


@given(polynomials(start=d2, end=d0, longest=2), polynomials(start=d2, end=d0, longest=2), st.booleans())
@settings(max_examples=50)
def test_matrix_polynomials_are_equal_exactly_where_their_values_are(terms, others, same):
    left, right = (
        sympy.MatAdd(ZeroMatrix(d2, d0), *(c * matrix(factors) for c, factors in side)) for side in (terms, others)
    )
    right = Transpose(Transpose(left).doit()) if same else right
    assert (not differs(left, right)) is agree(left, right)


@given(words(longest=4))
@settings(max_examples=50)
def test_what_sympy_simplifies_itself_keeps_its_normal_form(factors):
    assert not differs(Trace(matrix(factors)), Trace(matrix(factors).doit()))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Trace(P * P * P), Trace(P**3)),
        (Trace(P * Sigma * P * Sigma.T), Trace((P * Sigma) ** 2)),
        (Trace(P * Sigma * Inverse(P)), Trace(Sigma)),
        (Trace(Phi**half * V * V.T * Phi**half), Trace(V.T * Phi * V)),
        (Trace(Phi ** Rational(3, 4) * V * V.T * Phi ** Rational(-3, 4)), Trace(V * V.T)),
        (Trace(P.T * U.T * U * P), Trace(P * P.T * U.T * U)),
        (Trace(MatMul(P, Inverse(P), evaluate=False)), d1),
        (Trace(beta * Identity(d0)), beta * d0),
        (Trace(ZeroMatrix(d2, d2)), sympy.S.Zero),
        (SquaredNorm(U * V.T), Trace(U.T * U * V.T * V)),
        (Trace(Inverse(U.T * U + beta * I_latent).T), Trace(Inverse(U.T * U + beta * I_latent))),
        (Trace((P + Sigma) ** 2), Trace(P**2) + 2 * Trace(P * Sigma) + Trace(Sigma**2)),
        (beta * (Trace(P) + Trace(Sigma)), Trace(beta * P.T + beta * Sigma)),
    ],
)
def test_different_ways_to_write_a_trace_are_recognised(left, right):
    assert differs(left, right) == {}


@pytest.mark.parametrize(
    "written",
    [Inverse(P + Sigma).T, Inverse((P + Sigma).T), Inverse(P.T + Sigma), Inverse(Sigma + P.T)],
    ids=["transpose of the inverse", "inverse of the transpose", "Sigma read as symmetric", "in another order"],
)
def test_the_transpose_of_a_sum_commutes_with_its_inverse(written):
    assert differs(written, Transpose(Inverse(P + Sigma))) == {}
    assert differs(written, Inverse(P + Sigma)) != {}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Trace(P * Sigma * P), Trace(P * Sigma * P.T)),
        (Trace(P * P), Trace(P * P.T)),
        (Trace(P), Trace(Inverse(P))),
        (Trace(U.T * U * P * Sigma), Trace(U.T * U * Sigma * P)),
        (Trace(Phi**half), Trace(Phi)),
        (Trace(Identity(d0)), d1),
        (Trace(W.T * n.A * W) / 2, Trace(W.T * n.A * W)),
        (P, P.T),
        (U * V.T - Z, U * V.T),
    ],
)
def test_different_expressions_are_told_apart(left, right):
    assert differs(left, right) != {}


@pytest.mark.parametrize(
    "scalar",
    [Trace(P) * Trace(Sigma), Trace(P) ** 2, 1 / Trace(P), sympy.exp(Trace(P)), sympy.sqrt(SquaredNorm(V))],
    ids=str,
)
def test_what_is_not_linear_in_traces_is_refused(scalar):
    with pytest.raises(ValueError, match="not linear in traces"):
        trace_normal_form(scalar)
