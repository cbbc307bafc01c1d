"""An encoder variance that depends on the input: families of functions on a few inputs, and the least loss over each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy
import torch
from jaxtyping import Float, Shaped
from sympy import Basic
from torch import Tensor

from derivations.exact_data import ExactData
from derivations.input_variance import gap, has_constants, spread
from derivations.instances import is_exactly_zero
from derivations.ledger import claims_by_id
from numerics.descent import minimise
from numerics.exact import ExactProblem, exact_loss
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer, within_descent
from numerics.layers.floating import parameters, snapped
from numerics.objective import Statistics, vae_loss
from numerics.observables.ablation import points_of
from numerics.observables.base import Check
from numerics.oracle import elbo_by_sigma_points
from numerics.points import Point, assembled
from numerics.problem import Problem
from numerics.quasi_newton import lowest
from numerics.starts import random_start
from numerics.tolerances import DESCENT_BELOW, DESCENT_INVARIANT, EXACT

MOST = 8
"""Instances of each layer."""
FEW = 30
"""The most parameters of an instance whose variances descend input by input."""


class Outcome(NamedTuple):
    """The minimum over a family of functions: whether it contains the constants, its least loss less theirs, and how uneven
    the variances are there, as the largest of sigma_i^2(x) / E sigma_i^2 - 1."""

    family: str
    has_constants: bool
    gap: float
    spread: float


def _findings(formula: Basic, name: str, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    for outcome in outcomes:
        values = {has_constants: np.bool_(outcome.has_constants), gap: outcome.gap, spread: outcome.spread}
        stated = bool(evaluate(formula, values))
        yield Finding("truth", f"{name}, {outcome.family}", float(not stated), EXACT)


def by_trial(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of what a family contains, of gap and of spread: it holds of the best of a few functions of each family."""
    for problem in layer.problems("learned")[:MOST]:
        yield from _findings(formula, problem.name, tried(problem))


def by_descent(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The same where every input has variances of its own and descent finds the best of them, with U and W."""
    assert isinstance(layer, DescentLayer)
    chosen = [
        problem
        for problem in layer.problems("learned")
        if (problem.D0 + problem.d2 + problem.d0 + 1) * problem.d1 <= FEW
        and not {"real-data", "at-threshold"} & problem.regimes
    ]
    for problem in chosen[:MOST]:
        yield from _findings(formula, problem.name, descended(problem, layer.minimum(problem).loss, layer.seed))


# ------------------------------------------------------------------------- trial at the minimum over constants
@lru_cache(maxsize=256)
def tried(problem: Any) -> tuple[Outcome, ...]:
    """With U and W of the minimum over constant variances, which are the best for every function with the same mean."""
    point = assembled(claims_by_id()["thm-2.minimum"].standing.formula, problem)
    loss, inputs = (_exact_loss, _exact_inputs) if isinstance(problem, ExactProblem) else (_float_loss, _float_inputs)
    shape = 1 + (inputs(problem) ** 2).sum(0)
    constant = np.ones_like(shape)
    families = {
        "all functions": (
            True,
            [constant, constant / 2, 2 * constant, shape / shape.mean(), (1 + shape) / (1 + shape).mean()],
        ),
        "multiples of 1 + |x|^2": (
            False,
            [factor * shape / shape.mean() for factor in (constant, constant / 2, 2 * constant)],
        ),
    }
    least = loss(problem, point, np.outer(constant, point.variance))
    outcomes = [
        _best(
            problem,
            family,
            contains,
            least,
            [(loss(problem, point, v), v) for v in _variances(candidates, point.variance)],
        )
        for family, (contains, candidates) in families.items()
    ]
    if not np.any(point.U):  # collapsed: U = W = 0 is the minimum for the prior's variance, too
        prior = np.outer(constant, 0 * point.variance + problem.eta_enc**2)
        outcomes.append(_best(problem, "the prior's variance", False, least, [(loss(problem, point, prior), prior)]))
    return tuple(outcomes)


def _variances(candidates: Sequence[Shaped[np.ndarray, " n"]], best: Shaped[np.ndarray, " d1"]) -> list[Any]:
    return [np.outer(candidate, best) for candidate in candidates]


def _best(problem: Any, family: str, contains: bool, least: Any, tried: list[tuple[Any, Any]]) -> Outcome:
    value, variances = min(tried, key=lambda pair: float(pair[0]))
    unevenness = (variances / variances.mean(0) - 1).max()
    return Outcome(family, contains, _number(problem, value - least, least), _number(problem, unevenness, 1))


def _number(problem: Any, value: Any, scale: Any) -> float:
    """As a float; 0 if it is 0 in this kind of numbers."""
    if isinstance(problem, ExactProblem):
        return 0.0 if is_exactly_zero(value) else float(value)
    return snapped(float(value), float(scale))


def _exact_inputs(problem: ExactProblem) -> Shaped[np.ndarray, "D0 n"]:
    return np.array([list(x) for x, _ in problem.data.points], dtype=object).T


def _exact_loss(problem: ExactProblem, point: Point, variances: Shaped[np.ndarray, "n d1"]) -> sympy.Expr:
    """L_VAE with variances of its own at each input: point by point, by enumeration of the noise."""
    data = problem.data
    single = [
        ExactProblem(ExactData(data.scalars, data.matrices, (pair,)), problem.learned, "") for pair in data.points
    ]
    losses = [exact_loss(each, Point(point.W, point.U, point.V, v)) for each, v in zip(single, variances, strict=True)]
    return sum(losses, sympy.S.Zero) / len(losses)


def _float_inputs(problem: Problem) -> Float[np.ndarray, "D0 n"]:
    return points_of(problem)[0]


def _float_loss(problem: Problem, point: Point, variances: Float[np.ndarray, "n d1"]) -> float:
    """The same in float64, by torch.distributions."""
    x, y = (torch.tensor(columns.T.copy()) for columns in points_of(problem))
    W, U, _ = parameters(point)
    deviations = torch.tensor(np.sqrt(variances))
    scales = (problem.beta, problem.eta_dec, problem.eta_enc)
    losses = [
        elbo_by_sigma_points(x[k : k + 1], y[k : k + 1], W, U, deviations[k], *scales, partition=False)
        for k in range(len(x))
    ]
    return float(torch.stack(losses).mean())


# --------------------------------------------------------------------------------------------------- descent
@lru_cache(maxsize=256)
def descended(problem: Problem, least: float, seed: int) -> tuple[Outcome, ...]:
    """Minima over U, W and the variances of each family, from a random start; `least` is that over constant variances."""
    X, _ = points_of(problem)
    shape = torch.tensor(1 + (X**2).sum(0))
    generator = torch.Generator().manual_seed(seed)
    uneven = torch.randn(X.shape[1], problem.d1, generator=generator, dtype=torch.float64)
    everything, width = _descended(problem, seed, uneven, lambda free: free)
    one_each, size = _descended(problem, seed, uneven[0], lambda free: free + shape.log()[:, None])
    held = minimise([replace(problem, sigma=np.full(problem.d1, problem.eta_enc))], seed=seed)[0].loss
    return (
        Outcome("all functions", True, within_descent(everything - least, least), width),
        Outcome("multiples of 1 + |x|^2", False, within_descent(one_each - least, least), size),
        Outcome("the prior's variance", False, within_descent(held - least, least), 0.0),
    )


def _descended(
    problem: Problem, seed: int, begin: Tensor, log_variances: Callable[[Tensor], Tensor]
) -> tuple[float, float]:
    """The least loss over U, W and the free numbers that give the logarithms of all variances, and their unevenness."""
    start = random_start(problem, seed)
    parts = (start.W, start.U, begin + 2 * np.log(problem.eta_enc))
    statistics = _of_each_point(problem)

    def shaped(flat: Tensor) -> list[Tensor]:
        pieces = flat.split([part.numel() for part in parts])
        return [piece.reshape(part.shape) for piece, part in zip(pieces, parts, strict=True)]

    def loss(flat: Tensor) -> Tensor:
        W, U, free = shaped(flat)
        return vae_loss(W, U, log_variances(free), *statistics).mean()

    worthwhile = DESCENT_BELOW.value * problem.y2 / problem.eta_dec**2
    value, at = lowest(loss, torch.cat([part.flatten() for part in parts]), worthwhile)
    variances = log_variances(shaped(at)[2]).exp()
    unevenness = float((variances / variances.mean(0)).max()) - 1
    return value, 0.0 if unevenness <= DESCENT_INVARIANT.value else unevenness


def _of_each_point(problem: Problem) -> Statistics:
    """The statistics of each data point alone, as a batch."""
    x, y = (torch.tensor(columns.T.copy()) for columns in points_of(problem))
    scales = (
        torch.full((len(x),), scale, dtype=torch.float64) for scale in (problem.beta, problem.eta_dec, problem.eta_enc)
    )
    return Statistics(x[:, :, None] * x[:, None, :], y[:, :, None] * x[:, None, :], y.square().sum(1), *scales)


CHECKS: dict[str, dict[str, Check]] = {
    "input_variance": {"exact": by_trial, "numeric": by_trial, "descent": by_descent}
}
