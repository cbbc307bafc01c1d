"""The encoders W that belong to one (U, V): how many directions leave the loss as it is, and that they do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Basic

from derivations import notation as n
from derivations.proposition_1_manifold import dimension
from numerics.draws import Draw
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.minimum import Minimum
from numerics.objective import Statistics, vae_loss
from numerics.observables.base import Check, without_descent
from numerics.observables.minima import truth
from numerics.points import backend_of, symbol_values
from numerics.problem import Problem
from numerics.tolerances import EXACT, RANK_CUTOFF

MOST_MINIMA = 24


def solution_manifold(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(dimension of the solutions W, a Boolean): the null space of the map W -> Phi^(1/2) P_A^T W; the loss along it."""
    for draw in layer.draws():
        basis, moved, here = _null_space(draw)
        yield from _counted(formula, draw.problem, draw, len(basis))
        yield layer.difference("loss along the solutions", draw, moved, here)


@lru_cache(maxsize=256)
def _null_space(draw: Draw) -> tuple[list[Any], Any, Any]:
    """A basis of the null space, and the loss at W moved along all of it at once and at W."""
    W, U = draw.values[n.W], draw.values[n.U]
    width = draw.problem.d1
    roots = draw.values[n.Phi].diagonal() ** (sympy.S.Half if draw.backend == "exact" else 0.5)
    one_column = roots[:, None] * draw.values[n.P_A].T
    if draw.backend == "exact":
        matrix = sympy.kronecker_product(sympy.Matrix(one_column), sympy.eye(width))
        basis = [np.array(vector.tolist(), dtype=object).reshape(W.shape) for vector in matrix.nullspace()]
    else:
        _, lengths, rows = np.linalg.svd(np.kron(one_column, np.eye(width)))
        rank = int(np.sum(lengths**2 > RANK_CUTOFF.value * lengths[0] ** 2))
        basis = [row.reshape(W.shape) for row in rows[rank:]]
    moved = W + sum((k * direction for k, direction in enumerate(basis, 1)), 0 * W)
    return basis, draw.objective(moved, U), draw.objective(W, U)


def _counted(formula: Basic, problem: Any, named: Any, found: int) -> Iterator[Finding]:
    """The stated dimension against the one found, and the truth of the Boolean."""
    values, backend = symbol_values(problem), backend_of(problem)
    stated, statement = formula.args
    agrees = evaluate(stated, values, backend) == found
    yield Finding("dimension of the solutions", named.name, float(not agrees), EXACT)
    yield truth(named, bool(evaluate(statement, values | {dimension: found}, backend)), True)


def manifold_at_minima(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The same where descent ended: null directions of the loss's own Hessian in W at the U found, and a walk along them."""
    assert isinstance(layer, DescentLayer)
    for problem in _problems(layer):
        directions, losses = _flat_directions(layer.minimum(problem))
        yield from _counted(formula, problem, problem, len(directions))
        yield layer.difference("loss along the solutions", problem, np.array(losses[1:]), losses[0])


def _problems(layer: DescentLayer) -> list[Problem]:
    """Some of low rank and some of full rank."""
    small = [problem for problem in layer.problems("fixed") if "real-data" not in problem.regimes]
    deficient = [problem for problem in small if problem.d0 < problem.D0]
    full = [problem for problem in small if problem.d0 == problem.D0]
    return deficient[: MOST_MINIMA // 2] + full[: MOST_MINIMA // 2]


@lru_cache(maxsize=256)
def _flat_directions(minimum: Minimum) -> tuple[list[np.ndarray], list[float]]:
    """Directions of W in which the loss has no curvature, and the loss at the minimum and one step along each and all of them.

    The loss is quadratic in W for a given U, so that no curvature and no slope mean no change at any distance.
    """
    statistics = Statistics.of(minimum.problem)
    U, log_variance = torch.tensor(minimum.U), torch.tensor(2 * np.log(minimum.sigma))

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return vae_loss(flat.reshape(minimum.W.shape), U, log_variance, *statistics)

    at = torch.tensor(minimum.W).flatten()
    curvature, axes = np.linalg.eigh(torch.func.jacrev(torch.func.grad(loss))(at).numpy())
    flat = [axes[:, k] for k in np.flatnonzero(curvature <= RANK_CUTOFF.value * curvature[-1])]
    steps = [0 * at.numpy(), *flat, sum(flat, 0 * at.numpy())]
    return flat, [float(loss(at + torch.tensor(step))) for step in steps]


CHECKS: dict[str, dict[str, Check]] = {
    "solution_manifold": without_descent(solution_manifold) | {"descent": manifold_at_minima},
}
