"""What collapses at a point: lengths of V are told from 0 in units of the singular values of U V^T."""

from dataclasses import replace

import numpy as np
import pytest

from derivations.collapsed_latents import collapsed, directions
from derivations.situations import rank
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.observables.collapsed_latents import _happening, _is_orthogonal
from numerics.problem import Problem
from numerics.tolerances import COLLAPSED_MODE

PROBLEMS = [each for each in FloatLayer(0).problems("prior") if min(each.d0, each.d1, each.d2) > 1]


def balanced(problem: Problem, products: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """(U, V) with these singular values of U V^T, each shared between its columns as it is at a minimum."""
    U, V = (np.zeros((rows, problem.d1)) for rows in (problem.d2, problem.d0))
    ratio = np.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc
    for k, product in enumerate(products):
        U[k, k], V[k, k] = np.sqrt(product * ratio / problem.eta_enc), np.sqrt(product * problem.eta_enc / ratio)
    return U, V


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
def test_what_is_collapsed_does_not_depend_on_beta(factor: float) -> None:
    assert len(PROBLEMS) > 5
    for given in PROBLEMS:
        problem = replace(given, beta=factor * given.beta)
        least = COLLAPSED_MODE.value * max(1.0, problem.spectrum[0])
        for products, kept in (([2 * least, least / 2], 1), ([2 * least] * 2, 2), ([least / 2] * 2, 0)):
            found = _happening(problem, *balanced(problem, products))
            assert found == {collapsed: problem.d1 - kept, directions: problem.d1 - kept, rank: kept}


def test_an_eighth_of_a_turn_leaves_no_latent_collapsed_but_a_direction() -> None:
    for problem in PROBLEMS:
        U, V = balanced(problem, [1.0])
        turn = np.eye(problem.d1)
        turn[:2, :2] = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
        assert _happening(problem, U @ turn, V @ turn) == {
            collapsed: problem.d1 - 2,
            directions: problem.d1 - 1,
            rank: 1,
        }


@pytest.mark.parametrize("layer", [ExactLayer(0), FloatLayer(0)], ids=lambda layer: layer.name)
def test_of_the_matrices_tried_the_stretched_ones_are_left_out(layer: ExactLayer | FloatLayer) -> None:
    tried = layer.rotations(next(problem for problem in layer.problems("prior") if problem.d1 == 3))
    chosen = [P for P in tried if _is_orthogonal(P)]
    assert len(tried) > len(chosen) > len(tried) / 2
    for P in tried:
        lengths = np.linalg.svd(P.astype(np.float64), compute_uv=False)
        assert _is_orthogonal(P) is bool(np.abs(lengths - 1).max() < COLLAPSED_MODE.value)
