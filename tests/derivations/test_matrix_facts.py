"""Facts rewrite where they apply and prove nothing else: orthogonality, inverse kernels, powers, second moments."""

from fractions import Fraction
from functools import cache
from itertools import product as all_pairs
from typing import Any

import numpy as np
import pytest
import sympy
from explicit_matrices import LARGE, SCALARS, SMALL, Values, explicit, generic, matrix, words
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Identity, Inverse, MatMul, MatPow, Rational, Trace, Transpose

from derivations import notation as n
from derivations.matrix_calculus import (
    differs,
    product,
    trace_normal_form,
)
from derivations.notation import (
    D0,
    P_A,
    C,
    F,
    I_latent,
    Lambda,
    Mean,
    MeanMatrix,
    P,
    Phi,
    S_y,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    beta,
    d0,
    d1,
    d2,
    inverse_root_Phi,
    noise,
    root_Phi,
    weight,
    x,
    y,
)

half = Rational(1, 2)
ORTHOGONAL = ((P.T * P, I_latent), (P * P.T, I_latent))
ORTHONORMAL_COLUMNS = ((P_A.T * P_A, Identity(d0)),)


def as_fractions(symbolic: Any) -> np.ndarray:
    return np.array([[Fraction(int(e.p), int(e.q)) for e in row] for row in symbolic.tolist()], dtype=object)


@cache
def rational_rotation() -> np.ndarray:
    """The Cayley transform of a skew matrix of integers, written out here."""
    size, sign = LARGE[0][d1], sympy.sign
    skew = sympy.Matrix(size, size, lambda a, b: sign(a - b) * (a + b + a * b - 3))
    return as_fractions((sympy.eye(size) - skew) * (sympy.eye(size) + skew).inv())


def test_the_rational_rotation_of_these_tests_is_one():
    rotation = rational_rotation()
    identity = np.identity(len(rotation), dtype=object)
    assert (rotation @ rotation.T == identity).all() and (rotation != identity).any()


@given(words(start=d1, end=d1, longest=3, allowed=(P, Transpose(P), Sigma, Transpose(U), U)), st.integers(0, 9))
@settings(max_examples=50)
def test_orthogonality_is_used_wherever_it_applies_and_nowhere_else(factors, place):
    place %= len(factors) + 1
    at = factors[place].shape[0] if place < len(factors) else d1
    padded = (*factors[:place], *((P.T, P) if at == d1 else ()), *factors[place:])
    assert not differs(Trace(matrix(factors)), Trace(matrix(padded)), ORTHOGONAL)

    found = trace_normal_form(Trace(matrix(factors)), ORTHOGONAL)
    back = sympy.Add(*(f * (Trace(product(word)) if word else 1) for word, f in found.items()))
    values, sizes = generic(0)
    values = {**values, P: rational_rotation()}
    assert explicit(back, values, sizes) == explicit(Trace(matrix(factors)), values, sizes)


@pytest.mark.parametrize(
    ("left", "right", "facts"),
    [
        (Trace(P * Sigma * P.T), Trace(Sigma), ORTHOGONAL),
        (Trace(P.T * P), d1, ORTHOGONAL),
        (Trace(P_A * P_A.T), d0, ORTHONORMAL_COLUMNS),
        (Trace(P_A.T * P_A), d0, ORTHONORMAL_COLUMNS),
        (SquaredNorm(U * P), SquaredNorm(U), ORTHOGONAL),
        (inverse_root_Phi * P_A.T * P_A * root_Phi, Identity(d0), ORTHONORMAL_COLUMNS),
        (Trace(n.A), Trace(Phi), (*ORTHONORMAL_COLUMNS, (n.A, P_A * Phi * P_A.T))),
        (Trace(n.A**3), Trace(Phi**3), (*ORTHONORMAL_COLUMNS, (n.A, P_A * Phi * P_A.T))),
        (Lambda * P, 3 * U * P, ((2 * Lambda, 6 * U),)),
    ],
    ids=str,
)
def test_facts_prove_what_follows_from_them(left, right, facts):
    assert differs(left, right, facts) == {}
    assert differs(left, right) != {}


def test_powers_that_meet_once_a_fact_has_removed_what_stood_between_are_joined():
    around, inner = MatPow(n.Sigma_sorted, half), MatPow(Sigma, half)
    word = MatMul(around, inner, P.T, P, Inverse(inner), around, evaluate=False)
    assert not differs(word, n.Sigma_sorted, ORTHOGONAL)
    assert differs(word, n.Sigma_sorted)


@pytest.mark.parametrize(
    ("left", "right", "facts"),
    [
        (Trace(P_A * P_A.T), D0, ORTHONORMAL_COLUMNS),
        (P_A * P_A.T, Identity(D0), ORTHONORMAL_COLUMNS),
        (Trace(P * Sigma * P), Trace(Sigma), ORTHOGONAL),
        (Trace(P * Sigma * P.T * Sigma), Trace(Sigma**2), ORTHOGONAL),
        (Trace(F * F.T), d1, ((F * F.T, Identity(d2)),)),
    ],
    ids=str,
)
def test_facts_do_not_prove_what_does_not_follow(left, right, facts):
    assert differs(left, right, facts) != {}


def test_the_inverse_of_a_kernel_is_used_on_both_sides():
    kernel = Inverse(U.T * U + weight * I_latent)
    facts = (
        (kernel * U.T * U, I_latent - weight * kernel),
        (U.T * U * kernel, I_latent - weight * kernel),
    )
    assert not differs(kernel * (U.T * U + weight * I_latent), I_latent, facts)
    assert not differs((U.T * U + weight * I_latent) * kernel, I_latent, facts)
    assert not differs(U.T * U * kernel * U.T * U, U.T * U - weight * I_latent + weight**2 * kernel, facts)
    assert not differs(Trace(U * kernel * U.T), d1 - weight * Trace(kernel), facts)
    assert differs(kernel * U.T * U, I_latent, facts)
    assert differs(Trace(U * kernel * U.T), d2 - weight * Trace(kernel), facts)


@pytest.mark.parametrize(("first", "second"), list(all_pairs((-1, -half, half, 1, Rational(3, 2)), repeat=2)))
def test_powers_of_one_matrix_add(first, second):
    separate = MatMul(MatPow(Phi, first), MatPow(Phi, second), evaluate=False)
    joined = Identity(d0) if first + second == 0 else MatPow(Phi, first + second)
    assert not differs(separate, joined)
    assert not differs(Trace(MatMul(MatPow(Phi, first), V, V.T, MatPow(Phi, second))), Trace(V * V.T * joined))
    assert differs(separate, MatPow(Phi, first + second + half))


POINTS = (
    ((1, 2, -1), (3, 0, 1)),
    ((0, -1, 2), (1, 1, -2)),
    ((2, 1, 1), (-1, 2, 0)),
)
DEVIATIONS = (1, 3)


def column(entries: Any) -> np.ndarray:
    return np.array([[Fraction(entry)] for entry in entries], dtype=object)


@cache
def sampled_moments() -> tuple[list[dict], Values]:
    """All draws of (x, y, noise), equally likely, and the second moments that belong to them."""
    patterns = list(all_pairs((-1, 1), repeat=len(DEVIATIONS)))
    draws = [
        {x: column(a), y: column(b), noise: column([s * d for s, d in zip(signs, DEVIATIONS, strict=True)])}
        for a, b in POINTS
        for signs in patterns
    ]

    def moment(one: Any, other: Any) -> np.ndarray:
        return sum(draw[one] @ draw[other].T for draw in draws) / len(draws)

    return draws, {n.A: moment(x, x), C: moment(y, x), S_y: moment(y, y), Sigma: moment(noise, noise)}


@pytest.mark.parametrize(
    "inside",
    [
        SquaredNorm(W.T * x),
        SquaredNorm(noise),
        SquaredNorm(U * (W.T * x + noise) - y),
        SquaredNorm(U * W.T * x - y) + beta * SquaredNorm(W.T * x),
        SquaredNorm(P * (noise - W.T * x)),
        Trace(noise * x.T * W),
        Trace(x.T * W * U.T * y) + Trace(P * noise * noise.T),
        Trace(y.T * U * noise),
    ],
    ids=str,
)
def test_means_of_quadratic_scalars_are_those_over_all_draws(inside):
    draws, moments = sampled_moments()
    values, sizes = generic(0, small=True)
    values = {**values, **moments}
    average = sum(explicit(inside, {**values, **draw}, sizes) for draw in draws) / len(draws)
    found = trace_normal_form(Mean(inside))
    assert all(not letter.base.has(x, y, noise) for word in found for letter in word)
    assert sum(f.subs(SCALARS) * explicit(Trace(product(word)), values, sizes) for word, f in found.items()) == average


def test_means_of_matrices_are_second_moments():
    assert not differs(MeanMatrix(x * x.T), n.A)
    assert not differs(MeanMatrix(x * y.T), C.T)
    assert not differs(MeanMatrix(y * x.T * P_A), C * P_A)
    assert not differs(MeanMatrix(W.T * x * x.T * W).T, W.T * n.A * W)
    assert differs(MeanMatrix(y * x.T), 2 * C)


def test_a_product_of_draws_outside_a_mean_is_no_moment():
    assert differs(Trace(x * x.T), Trace(n.A))


@pytest.mark.parametrize(
    "quartic",
    [SquaredNorm(x * x.T), SquaredNorm(noise * noise.T), Trace(y * x.T * x * y.T), SquaredNorm(x * noise.T)],
    ids=str,
)
def test_moments_of_fourth_order_are_not_invented(quartic):
    """E|x x^T|^2 is no function of A: a mean of fourth order must be refused, or left as it is, never rewritten."""
    draws, moments = sampled_moments()
    average = sum(explicit(quartic, draw, SMALL) for draw in draws) / len(draws)
    try:
        found = trace_normal_form(Mean(quartic))
    except ValueError:
        return
    if any(letter.base.has(x, y, noise) for word in found for letter in word):
        return
    assert sum(f * explicit(Trace(product(word)), moments, SMALL) for word, f in found.items()) == average


def test_a_fact_that_leads_back_to_itself_is_refused():
    """It would be used for ever."""
    with pytest.raises(ValueError, match="leads back to itself"):
        differs(P_A.T * P_A, Identity(d0), ((Phi, Phi),))
    with pytest.raises(ValueError, match="leads back to itself"):
        differs(P_A.T * P_A, Identity(d0), ((Phi, 2 * Phi * Phi),))
