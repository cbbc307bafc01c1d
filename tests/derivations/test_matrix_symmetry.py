"""An inverse counts as symmetric exactly where what it inverts is: else a proof would take it for its own transpose."""

import numpy as np
import pytest
from explicit_matrices import explicit, generic
from sympy import Inverse, Trace, Transpose

from derivations.matrix_calculus import differs
from derivations.notation import I_latent, P, Sigma, U, V, W, Z, weight

SYMMETRIC = (U.T * U + weight * I_latent, Sigma + I_latent, P * P.T + Sigma, P + P.T, P.T * Sigma * P + I_latent)
NOT_SYMMETRIC = (P + I_latent, P * P + Sigma, Sigma * P + I_latent, P - P.T + I_latent, W.T * W + P)


@pytest.mark.parametrize("matrix", SYMMETRIC, ids=str)
def test_the_inverse_of_a_symmetric_sum_is_symmetric(matrix):
    assert not differs(Transpose(Inverse(matrix)), Inverse(matrix))


@pytest.mark.parametrize("matrix", NOT_SYMMETRIC, ids=str)
def test_the_inverse_of_another_sum_is_not(matrix):
    """Nor are the matrices themselves, entry by entry."""
    value = explicit(matrix, *generic(0))
    assert np.any(value != value.T)
    assert differs(Transpose(Inverse(matrix)), Inverse(matrix))
    assert not differs(Transpose(Inverse(matrix)), Inverse(matrix.T.doit()))


@pytest.mark.parametrize("matrix", NOT_SYMMETRIC, ids=str)
def test_a_trace_is_that_of_the_transposed_product(matrix):
    """Tr K B = Tr B^T K^T, which is Tr K B^T only where K is symmetric."""
    kernel, other = Inverse(matrix), V.T * Z.T * U
    assert not differs(Trace(kernel * other), Trace(other.T.doit() * Inverse(matrix.T.doit())))
    assert differs(Trace(kernel * other), Trace(kernel * other.T.doit()))


@pytest.mark.parametrize("matrix", SYMMETRIC, ids=str)
def test_a_symmetric_factor_of_a_trace_stays(matrix):
    other = V.T * Z.T * U
    assert not differs(Trace(Inverse(matrix) * other), Trace(Inverse(matrix) * other.T.doit()))
    assert differs(Trace(Inverse(matrix) * other), Trace(other))
