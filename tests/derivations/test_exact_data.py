"""Exact data: the matrices are the moments of the points, recomputed here entry by entry, and all factors are what they claim."""

from itertools import product
from typing import Any

import pytest
import sympy
from sympy import ImmutableDenseMatrix, Integer, Rational, Trace, diag, eye

from derivations import notation as n
from derivations.exact_data import ExactData, data_instances, exact_data, rational_orthogonal, with_target
from derivations.instances import Instance
from derivations.notation import Mean, MeanMatrix, SquaredNorm, W, beta, noise, x, y

UNEVEN = Instance(
    (Integer(3), Integer(1)), (Integer(2),), Integer(4), Integer(1), Integer(3), d0=2, d2=3, residual=Integer(4)
)
# Sorting three latents takes a permutation that is not its own inverse.
THREE = Instance((Integer(2),), (Integer(2), Integer(3), Integer(1)), Integer(1), Integer(2), Integer(1), d0=1, d2=2)
DATA = [*data_instances(), exact_data(THREE, seed=9), exact_data(UNEVEN, seed=5, kernel=2)]
each = pytest.mark.parametrize("data", DATA, ids=[f"data {k}" for k in range(len(DATA))])


def average(matrices: list[Any]) -> Any:
    total = sympy.zeros(*matrices[0].shape)
    for matrix in matrices:
        total += matrix
    return total / len(matrices)


def draws(data: ExactData) -> list[tuple[Any, Any, Any]]:
    """Every (x, y, noise), equally likely."""
    deviations = data.scalars.sigma
    return [
        (a, b, sympy.Matrix([sign * deviation for sign, deviation in zip(signs, deviations, strict=True)]))
        for a, b in data.points
        for signs in product((1, -1), repeat=len(deviations))
    ]


@each
def test_the_matrices_are_the_second_moments_of_the_points(data):
    points = data.points
    assert average([a * a.T for a, _ in points]) == data.matrices[n.A] != sympy.zeros(*data.matrices[n.A].shape)
    assert average([b * a.T for a, b in points]) == data.matrices[n.C]
    assert average([b * b.T for _, b in points]) == data.matrices[n.S_y]
    assert all(entry.is_Rational for a, b in points for entry in (*a, *b))


@each
def test_the_factors_are_those_of_the_theory(data):
    m, scalars = data.matrices, data.scalars
    P_A, Phi, Z = m[n.P_A], m[n.Phi], m[n.Z]
    assert P_A.T * P_A == eye(scalars.d0)
    assert Phi.is_diagonal() and all(Phi[k, k] > 0 for k in range(scalars.d0))
    assert P_A * Phi * P_A.T == m[n.A]
    whitened = [diag(*(1 / sympy.sqrt(Phi[k, k]) for k in range(scalars.d0))) * P_A.T * a for a, _ in data.points]
    assert average([w * w.T for w in whitened]) == eye(scalars.d0)
    assert average([b * w.T for (_, b), w in zip(data.points, whitened, strict=True)]) == Z


@each
def test_the_singular_value_decomposition_of_z(data):
    m, scalars = data.matrices, data.scalars
    F, S_Z, G = m[n.F], m[n.S_Z], m[n.G]
    assert F.T * F == eye(scalars.d2) and G.T * G == eye(scalars.d0)
    assert F * S_Z * G.T == m[n.Z]
    assert [S_Z[k, k] for k in range(min(S_Z.shape))] == list(scalars.zeta)
    assert all(S_Z[a, b] == 0 for a in range(S_Z.rows) for b in range(S_Z.cols) if a != b)


@each
def test_the_residual_is_what_no_linear_function_of_the_input_explains(data):
    explained = (data.matrices[n.Z] * data.matrices[n.Z].T).trace()
    assert data.matrices[n.S_y].trace() - explained == data.scalars.residual


@each
def test_the_sorting_permutation_sorts(data):
    m, deviations = data.matrices, data.scalars.sigma
    P_sort = m[n.P_sort]
    assert P_sort * P_sort.T == eye(len(deviations))
    assert all(entry in (0, 1) for entry in P_sort)
    assert m[n.Sigma] == diag(*(s**2 for s in deviations))
    assert P_sort * m[n.Sigma] * P_sort.T == m[n.Sigma_sorted] == diag(*(s**2 for s in sorted(deviations)))


@each
def test_the_shapes_are_those_of_the_notation(data):
    sizes = {n.d0: data.scalars.d0, n.d1: data.scalars.d1, n.d2: data.scalars.d2, n.D0: data.points[0][0].rows}
    assert sizes[n.D0] >= sizes[n.d0]
    for symbol, matrix in data.matrices.items():
        assert matrix.shape == tuple(sizes[size] for size in symbol.shape)


@each
def test_an_identity_has_the_size_of_its_dimension(data):
    sizes = {
        n.d0: data.scalars.d0,
        n.d1: data.scalars.d1,
        n.d2: data.scalars.d2,
        n.D0: data.points[0][0].rows,
        Integer(1): 1,
    }
    for dimension, size in sizes.items():
        assert data.value(sympy.Identity(dimension)) == eye(size)


@each
def test_the_noise_has_mean_0_and_its_covariance_and_is_independent_of_the_data(data):
    for formula, value in (
        (MeanMatrix(noise * noise.T), lambda a, b, e: e * e.T),
        (MeanMatrix(noise * x.T), lambda a, b, e: e * a.T),
        (MeanMatrix(y * noise.T), lambda a, b, e: b * e.T),
    ):
        assert data.value(formula) == average([value(*draw) for draw in draws(data)])
    assert data.value(MeanMatrix(noise * noise.T)) == data.matrices[n.Sigma]
    assert data.value(MeanMatrix(noise * x.T)).is_zero_matrix
    assert average([e for _, _, e in draws(data)]).is_zero_matrix


@each
def test_an_expected_loss_is_the_average_over_all_draws(data):
    formula = Mean(SquaredNorm(n.U * (W.T * x + noise) - y) + beta * SquaredNorm(W.T * x))
    u, w, scale = data.matrices[n.U], data.matrices[W], data.scalars.beta
    losses = [
        ((u * (w.T * a + e) - b).T * (u * (w.T * a + e) - b)).trace() + scale * (a.T * w * w.T * a).trace()
        for a, b, e in draws(data)
    ]
    assert data.value(formula) == sum(losses) / len(losses) != 0


def test_every_kind_of_data_is_among_the_instances():
    found = data_instances()
    kernels = {data.matrices[n.A].rows - data.scalars.d0 for data in found}
    assert kernels == {0, 1}
    assert {(data.scalars.d0 > data.scalars.d2) - (data.scalars.d0 < data.scalars.d2) for data in found} >= {0}
    assert any(data.scalars.residual > 0 for data in found) and any(data.scalars.residual == 0 for data in found)
    assert any(list(data.scalars.sigma) != sorted(data.scalars.sigma) for data in found)


def test_replacing_a_matrix_changes_the_values_that_contain_it_and_no_others():
    data = DATA[0]
    other = data.replaced(U=ImmutableDenseMatrix(2 * data.matrices[n.U]))
    loss, prior = Mean(SquaredNorm(n.U * W.T * x)), Mean(SquaredNorm(W.T * x))
    assert other.value(loss) == 4 * data.value(loss) != 0
    assert other.value(prior) == data.value(prior) != 0
    assert data.value(Trace(n.U.T * n.U)) * 4 == other.value(Trace(n.U.T * n.U))


@pytest.mark.parametrize("symbol", [n.Phi, n.A, n.S_y], ids=str)
def test_a_root_squares_to_its_matrix_or_is_refused(symbol):
    data = DATA[-1]
    try:
        root = data.value(symbol ** Rational(1, 2))
    except (ValueError, NotImplementedError):
        assert symbol != n.Phi
        return
    assert root * root == data.matrices[symbol]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 7, 20])
def test_rational_rotations_are_rational_and_orthogonal(size, seed):
    rotation = rational_orthogonal(size, seed)
    assert rotation * rotation.T == eye(size)
    assert all(entry.is_Rational for entry in rotation)
    assert rotation == rational_orthogonal(size, seed)


def test_rational_rotations_differ_between_seeds_and_mix_axes():
    rotations = {rational_orthogonal(3, seed) for seed in range(8)}
    assert len(rotations) == 8
    assert sum(not rotation.is_diagonal() for rotation in rotations) >= 7
    assert {rotation.det() for rotation in rotations} == {-1, 1}


def test_data_are_a_function_of_the_seed():
    one, same, other = (exact_data(UNEVEN, seed=seed) for seed in (3, 3, 4))
    assert one.points == same.points != other.points
    assert one.matrices == same.matrices != other.matrices
    assert all(one.matrices[factor] != other.matrices[factor] for factor in (n.P_A, n.F, n.G))


def test_the_named_values_are_enough_to_repeat_an_evaluation():
    """The loss on A and Z with r = 0, from what a witness shows alone."""
    data = exact_data(Instance(UNEVEN.zeta, UNEVEN.sigma, *(Integer(2),) * 3, d0=2, d2=3), seed=5)
    shown = data.named()
    P_A, Phi, Z, W, U = (sympy.Matrix(shown[name]) for name in ("P_A", "Phi", "Z", "W", "U"))
    code = diag(*(sympy.sqrt(Phi[k, k]) for k in range(2))) * P_A.T * W
    noise = shown["sigma"][0] ** 2 * (U.T * U).trace()
    repeated = ((U * code.T - Z) * (U * code.T - Z).T).trace() + noise
    assert data.value(Mean(SquaredNorm(n.U * (n.W.T * x + n.noise) - y))) == repeated


def test_another_target_is_that_function_of_the_same_inputs():
    data, target = exact_data(UNEVEN, seed=3), ImmutableDenseMatrix(1, 3, [2, -1, 3])
    other = with_target(data, target)
    assert [point for point, _ in other.points] == [point for point, _ in data.points]
    assert [image for _, image in other.points] == [target * point for point, _ in data.points]
    assert other.scalars.d2 == 1 and other.matrices == data.matrices
