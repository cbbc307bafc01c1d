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
from derivations.regression import excess
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import within_descent
from numerics.layers.floating import snapped
from numerics.observables.base import Check
from numerics.observables.minima import truth
from numerics.quasi_newton import lowest
from numerics.tolerances import DESCENT_BELOW, DESCENT_GAP, EXACT

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


def _finding(formula: Basic, data: Regression, found: Any, backend: str) -> Finding:
    values = {n.x: data.x, n.y: data.y, excess: found}
    return truth(data, bool(evaluate(formula, values, backend, draws=data.x.shape[1])), True)


def exactly(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By exact differences of the log density, which is quadratic: where its maximum is, and how high."""
    for data in regressions(COUNT["exact"], seed_of(layer)):
        concave, found = exact_excess(data)
        yield _finding(formula, _exact(data), found, "exact")
        yield Finding("strict concavity", data.name, float(not concave), EXACT)


def seed_of(layer: Layer) -> int:
    """The layer's seed."""
    return int(getattr(layer, "seed", 0))


@lru_cache(maxsize=256)
def exact_excess(data: Regression) -> tuple[bool, sympy.Expr]:
    """Whether the log density is strictly concave, and its maximum less its value at 0."""
    exact = _exact(data)
    rows, columns = len(exact.y), len(exact.x)
    size = rows * columns

    def density(flat: sympy.Matrix) -> sympy.Expr:
        weights = np.array(flat.reshape(rows, columns).tolist(), dtype=object)
        misfit = ((exact.y - weights @ exact.x) ** 2).sum()
        return -misfit / (2 * exact.noise**2) - (weights**2).sum() / (2 * exact.prior**2)

    units, zero = [sympy.eye(size)[:, k] for k in range(size)], sympy.zeros(size, 1)
    at_zero, single = density(zero), [density(unit) for unit in units]
    slope = sympy.Matrix([(ahead - density(-unit)) / 2 for ahead, unit in zip(single, units, strict=True)])
    curvature = sympy.Matrix(size, size, lambda a, b: density(units[a] + units[b]) - single[a] - single[b] + at_zero)
    return bool(curvature.is_negative_definite), density(-curvature.LUsolve(slope)) - at_zero


def log_posterior(data: Regression, weights: Float[Tensor, "d2 D0"]) -> Float[Tensor, ""]:
    """Log likelihood plus log prior, by torch.distributions."""
    likelihood = Normal(weights @ torch.tensor(data.x), data.noise).log_prob(torch.tensor(data.y)).sum()
    return likelihood + Normal(0.0, data.prior).log_prob(weights).sum()


def by_derivatives(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By automatic differentiation at 0 and a Newton step, which is exact for a quadratic."""
    for data in regressions(COUNT["numeric"], seed_of(layer)):
        concave, found = float_excess(data)
        yield _finding(formula, data, found, "numpy")
        yield Finding("strict concavity", data.name, float(not concave), EXACT)


@lru_cache(maxsize=256)
def float_excess(data: Regression) -> tuple[bool, float]:
    """The same in float64; an excess that is 0 within rounding is 0."""
    zero = torch.zeros(len(data.y), len(data.x), dtype=torch.float64)

    def density(weights: Tensor) -> Tensor:
        return log_posterior(data, weights)

    slope = torch.func.grad(density)(zero).flatten()
    curvature = torch.func.jacrev(torch.func.grad(density))(zero).reshape(len(slope), len(slope))
    highest = -torch.linalg.solve(curvature, slope).reshape(zero.shape)
    at_zero = float(density(zero))
    concave = float(torch.linalg.eigvalsh(curvature).max()) < 0
    return concave, snapped(float(density(highest)) - at_zero, at_zero)


def by_ascent(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """By where ascent ends, from next to the origin and from far away: both times as high."""
    for data in regressions(COUNT["descent"], seed_of(layer)):
        near, far = (ascent_excess(data, seed_of(layer), distance) for distance in (0.001, 10.0))
        yield _finding(formula, data, near, "numpy")
        yield Finding("near and far", data.name, abs(near - far) / (1 + abs(far)), DESCENT_GAP)


@lru_cache(maxsize=256)
def ascent_excess(data: Regression, seed: int, distance: float) -> float:
    """How much higher than the origin ascent ends from a random start at this distance; 0 within its precision is 0."""
    shape, generator = (len(data.y), len(data.x)), torch.Generator().manual_seed(seed)
    direction = torch.randn(shape, generator=generator, dtype=torch.float64).flatten()

    def loss(flat: Float[Tensor, " p"]) -> Float[Tensor, ""]:
        return -log_posterior(data, flat.reshape(shape))

    at_zero = float(loss(0 * direction))
    return within_descent(at_zero - lowest(loss, distance * direction, DESCENT_BELOW.value)[0], at_zero)


CHECKS: dict[str, dict[str, Check]] = {
    "posterior_maximum": {"exact": exactly, "numeric": by_derivatives, "descent": by_ascent}
}
