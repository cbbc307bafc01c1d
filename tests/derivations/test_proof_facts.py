"""The facts that proofs rewrite with are true of matrices: a wrong one would prove what is false.

They are recorded while claims are proved, and evaluated at explicit rational matrices that are what their names say: orthogonal
factors, a permutation that is not its own inverse, a candidate that is stationary.
"""

from functools import cache

import pytest
from sympy import Basic, ImmutableDenseMatrix, MatrixSymbol, Rational
from watched_proofs import facts_of

from derivations import notation as n
from derivations.exact_data import ExactData, exact_data, rational_orthogonal
from derivations.instances import Instance
from derivations.least_loss import Q
from derivations.matrix_calculus import differs
from derivations.theorem_1_prior_variance import M, N

Fact = tuple[Basic, Basic]
PROVED = (
    "notation.whitening", "prop-1.reduction", "prop-2.stationarity", "prop-2.minimum", "prop-2.rotation", "thm-1.minimum",
    "s4.4.vae",
)  # fmt: skip


@cache
def matrices() -> ExactData:
    """One problem with three latents, in the order that makes the sorting permutation a cycle, and a stationary candidate."""
    scalars = Instance(
        tuple(Rational(value) for value in (5, 3, 1)),
        tuple(Rational(value) for value in (2, 3, 1)),
        Rational(4),
        Rational(3, 2),
        Rational(5),
        d0=3,
        d2=4,
    )
    data = exact_data(scalars, seed=3, kernel=1)
    sorting = data.matrices[n.P_sort]
    lengths, deviations = (Rational(7), Rational(2), Rational(3)), sorted(scalars.sigma)
    root = Rational(2) * scalars.eta_dec / scalars.eta_enc
    product = ImmutableDenseMatrix(4, 3, lambda a, b: a - 2 * b + a * b)
    more = {
        n.P: sorting,
        n.Lambda: ImmutableDenseMatrix(4, 3, lambda a, b: lengths[a] if a == b else 0),
        n.Theta: ImmutableDenseMatrix(3, 3, lambda a, b: lengths[a] * deviations[a] / root if a == b else 0),
        Q: rational_orthogonal(4, 77),
        M: product,
        N: data.matrices[n.Z] - product,
    }
    return ExactData(scalars, {**data.matrices, **more}, data.points)


def holds(fact: Fact) -> bool:
    left, right = (matrices().value(side) for side in fact)
    return left == right


@pytest.mark.parametrize("name", PROVED)
def test_the_facts_of_a_proof_are_true(name: str) -> None:
    assert facts_of(name)
    for fact in facts_of(name):
        assert fact[0].atoms(MatrixSymbol) <= matrices().matrices.keys(), f"{fact} speaks of what has no value here"
        assert holds(fact), fact


@pytest.mark.parametrize("name", PROVED)
def test_a_fact_says_something(name: str) -> None:
    """What is rewritten as itself is rewritten without end, where a proof does not go through."""
    assert all(differs(*fact) for fact in facts_of(name))


def test_the_matrices_are_no_special_case() -> None:
    """What is orthogonal is not symmetric, and nothing is the identity."""
    known = matrices().matrices
    for symbol in (n.F, n.G, n.P, n.P_sort, Q):
        matrix = known[symbol]
        assert matrix * matrix.T == matrix.T * matrix == ImmutableDenseMatrix.eye(matrix.rows)
        assert matrix != matrix.T and matrix * matrix != ImmutableDenseMatrix.eye(matrix.rows)


@pytest.mark.parametrize(
    "fact",
    [
        (n.P, n.I_latent),
        (n.P * n.P, n.I_latent),
        (n.F.T * n.F, 2 * n.F * n.F.T),
        (n.Z, n.F * n.S_Z * n.G),
        (n.P_sort.T * n.Sigma * n.P_sort, n.Sigma_sorted),
        (n.Theta.T * n.Theta, n.Lambda.T * n.Lambda * n.Sigma / n.weight),
    ],
    ids=str,
)
def test_a_false_fact_is_found(fact: Fact) -> None:
    assert not holds(fact)
