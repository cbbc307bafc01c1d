"""The posterior of a Bayesian linear regression: data with and without correlation, and where the density is highest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float, Shaped
from sympy import Basic
from torch import Tensor
from torch.distributions import Normal

from derivations import notation as n
from derivations.regression import is_global, is_local
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.observables.base import Check
from numerics.observables.minima import truth
from numerics.quasi_newton import lowest
from numerics.tolerances import DESCENT_BELOW, DESCENT_INVARIANT, FLOAT64_IDENTITY

COUNT = {"exact": 12, "numeric": 24, "descent": 12}
"""Data sets of each layer; of three in a row one has E[y x^T] = 0, and every sixth has y = 0."""


@dataclass(frozen=True, eq=False)
class Regression:
    """Data, one column a point, of small whole numbers, and the standard deviations of the noise and of the prior."""

    name: str
    x: Shaped[np.ndarray, "D0 n"]
    y: Shaped[np.ndarray, "d2 n"]
    noise: Any
    prior: Any


@lru_cache(maxsize=8)
def regressions(count: int, seed: int) -> tuple[Regression, ...]:
    """Random data sets: whole numbers, so that what cancels does so exactly in float64 too."""
    return tuple(_regression(np.random.default_rng([seed, index]), index) for index in range(count))


def _regression(generator: np.random.Generator, index: int) -> Regression:
    inputs, targets, points = (int(size) for size in generator.integers(1, 4, size=3))
    x, y = generator.integers(-4, 5, (inputs, points + 1)), generator.integers(-4, 5, (targets, points + 1))
    if index % 3 == 0:  # every input with its negative, at the same target
        x, y = np.concatenate([x, -x], 1), np.concatenate([y, y], 1)
    else:
        x[0, 0], y[0] = 1 + abs(x[0, 0]), 1 + np.abs(x[0])  # correlates with |x|, and with x where that has a sign
        x[0] = np.abs(x[0])
    y = 0 * y if index % 6 == 5 else y
    noise, prior = (int(size) for size in generator.integers(1, 4, size=2))
    return Regression(f"regression-{index}", x.astype(float), y.astype(float), noise / 2, prior / 2)


def _exact(data: Regression) -> Regression:
    x, y = (np.frompyfunc(lambda entry: sympy.Integer(int(entry)), 1, 1)(values) for values in (data.x, data.y))
    return Regression(data.name, x, y, sympy.Rational(int(2 * data.noise), 2), sympy.Rational(int(2 * data.prior), 2))


def _findings(formula: Basic, data: Regression, local: bool, lowest_of_all: bool, backend: str) -> Finding:
    values = {n.x: data.x, n.y: data.y, is_local: np.bool_(local), is_global: np.bool_(lowest_of_all)}
    return truth(data, bool(evaluate(formula, values, backend, draws=data.x.shape[1])), True)


def exactly(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By exact differences of the log density, which is quadratic: slope and curvature at 0, and where the maximum is."""
    for data in regressions(COUNT["exact"], getattr(layer, "seed", 0)):
        exact = _exact(data)
        yield _findings(formula, exact, *_exact_truth(data), "exact")


@lru_cache(maxsize=256)
def _exact_truth(data: Regression) -> tuple[bool, bool]:
    exact = _exact(data)
    rows, columns = len(exact.y), len(exact.x)
    size = rows * columns

    def density(flat: sympy.Matrix) -> sympy.Expr:
        weights = np.array(flat.reshape(rows, columns).tolist(), dtype=object)
        misfit = ((exact.y - weights @ exact.x) ** 2).sum()
        return -misfit / (2 * exact.noise**2) - (weights**2).sum() / (2 * exact.prior**2)

    units = [sympy.eye(size)[:, k] for k in range(size)]
    zero = sympy.zeros(size, 1)
    slope = sympy.Matrix([(density(unit) - density(-unit)) / 2 for unit in units])
    single = [density(unit) for unit in units]
    curvature = sympy.Matrix(
        size, size, lambda a, b: density(units[a] + units[b]) - single[a] - single[b] + density(zero)
    )
    highest = -curvature.LUsolve(slope)
    return slope.is_zero_matrix and curvature.is_negative_definite, highest.is_zero_matrix


def _log_posterior(data: Regression, weights: Float[Tensor, "d2 D0"]) -> Float[Tensor, ""]:
    """Log likelihood plus log prior, by torch.distributions."""
    likelihood = Normal(weights @ torch.tensor(data.x), data.noise).log_prob(torch.tensor(data.y)).sum()
    return likelihood + Normal(0.0, data.prior).log_prob(weights).sum()


def by_derivatives(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By automatic differentiation at 0."""
    for data in regressions(COUNT["numeric"], getattr(layer, "seed", 0)):
        yield _findings(formula, data, *_float_truth(data), "numpy")


@lru_cache(maxsize=256)
def _float_truth(data: Regression) -> tuple[bool, bool]:
    zero = torch.zeros(len(data.y), len(data.x), dtype=torch.float64)

    def density(weights: Tensor) -> Tensor:
        return _log_posterior(data, weights)

    slope = torch.func.grad(density)(zero).flatten()
    curvature = torch.func.jacrev(torch.func.grad(density))(zero).reshape(len(slope), len(slope))
    scale = 1 + float(np.abs(data.x).sum() * np.abs(data.y).sum()) / data.noise**2
    highest = -torch.linalg.solve(curvature, slope)
    stationary = float(slope.norm()) <= FLOAT64_IDENTITY.value * scale
    concave = float(torch.linalg.eigvalsh(curvature).max()) < 0
    return stationary and concave, float(highest.norm()) <= FLOAT64_IDENTITY.value * scale


def by_ascent(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By where ascent ends: from next to the origin, and from far away."""
    for data in regressions(COUNT["descent"], getattr(layer, "seed", 0)):
        yield _findings(formula, data, *_ascent_truth(data, getattr(layer, "seed", 0)), "numpy")


@lru_cache(maxsize=256)
def _ascent_truth(data: Regression, seed: int) -> tuple[bool, bool]:
    shape, generator = (len(data.y), len(data.x)), torch.Generator().manual_seed(seed)
    direction = torch.randn(shape, generator=generator, dtype=torch.float64).flatten()

    def loss(flat: Float[Tensor, " p"]) -> Float[Tensor, ""]:
        return -_log_posterior(data, flat.reshape(shape))

    ends = [lowest(loss, distance * direction, DESCENT_BELOW.value)[1] for distance in (0.001, 10.0)]
    near, far = (float(end.norm()) <= DESCENT_INVARIANT.value for end in ends)
    return near, far


CHECKS: dict[str, dict[str, Check]] = {
    "posterior_maximum": {"exact": exactly, "numeric": by_derivatives, "descent": by_ascent}
}
