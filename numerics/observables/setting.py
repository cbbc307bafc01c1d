"""Statements about the setting (§1, §3): raw data, raw noise and densities decide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Basic
from torch.distributions import Independent, Normal

from derivations import notation as n
from derivations.accuracy_and_complexity import complexity, some_factor
from derivations.setting import a, quadratic_form
from numerics.draws import Draw
from numerics.exact import density_kl
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.floating import snapped
from numerics.observables.base import Check, without_descent
from numerics.observables.minima import truth
from numerics.oracle import gaussian_kl
from numerics.points import backend_of, symbol_values
from numerics.tolerances import RANK_CUTOFF

MOST_PROBLEMS = 12


def log_partition_function(problem: Any, eta_dec: Any) -> Any:
    """Minus the log density of N(0, eta_dec^2 I) at its mode, d2 dimensions: by integration, or by torch.distributions."""
    if backend_of(problem) == "exact":
        return problem.d2 * sympy.log(_gaussian_integral().subs(_scale, eta_dec))
    mode = torch.zeros(problem.d2, dtype=torch.float64)
    return -float(Independent(Normal(mode, torch.full_like(mode, float(eta_dec))), 1).log_prob(mode))


_scale = sympy.Symbol("scale", positive=True)


@lru_cache(maxsize=1)
def _gaussian_integral() -> sympy.Expr:
    """Of exp(-v^2 / (2 scale^2)) over all v."""
    v = sympy.Symbol("v", real=True)
    return sympy.integrate(sympy.exp(-(v**2) / (2 * _scale**2)), (v, -sympy.oo, sympy.oo))


def accuracy_and_complexity(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(accuracy, complexity, a Boolean of the complexity): the two parts of the objective, from the densities."""
    accuracy, divergence, statement = formula.args
    for draw in layer.draws():
        found = draw.kl_mean + draw.kl_variance
        for name, stated, there in (("accuracy", accuracy, _likelihood(draw)), ("complexity", divergence, found)):
            yield layer.difference(name, draw, evaluate(stated, draw.values, draw.backend, draws=draw.draws), there)
        for value in (found, _divergence_at_prior(draw)):
            yield truth(draw, bool(evaluate(statement, {complexity: value}, draw.backend)), True)


def weights(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(weight of E|U z - y|^2, weight of the KL): how the objective moves with U alone, and what else is in it."""
    for draw in layer.draws():
        reconstruction, prior = evaluate(formula, draw.values, draw.backend)
        W, U = draw.values[n.W], draw.values[n.U]
        code = W.T @ draw.values[n.x] + draw.values[n.noise]
        here, there = (((decoder @ code - draw.values[n.y]) ** 2).sum() / draw.draws for decoder in (U, 2 * U))
        objective, moved = draw.objective(W, U), draw.objective(W, 2 * U)
        yield layer.difference("reconstruction term", draw, reconstruction * (there - here), moved - objective)
        divergence = draw.kl_mean + draw.kl_variance
        yield layer.difference("prior term", draw, prior * divergence, objective - reconstruction * here)


@lru_cache(maxsize=128)
def _likelihood(draw: Draw) -> Any:
    """Minus the expected log likelihood: the objective without its KL, and with the partition function."""
    problem = draw.problem
    objective = draw.objective(draw.values[n.W], draw.values[n.U])
    partition = log_partition_function(problem, problem.eta_dec)
    return objective - problem.beta * (draw.kl_mean + draw.kl_variance) + partition


def _divergence_at_prior(draw: Draw) -> Any:
    """The KL where the encoder ignores x and has the prior's mean and variance."""
    eta_enc, size = draw.problem.eta_enc, draw.problem.d1
    if draw.backend == "exact":
        zero = np.full(size, sympy.S.Zero, dtype=object)
        return sympy.expand(density_kl(zero, zero + eta_enc**2, eta_enc))
    zeros = torch.zeros((1, size), dtype=torch.float64)
    return float(gaussian_kl(zeros, torch.full_like(zeros, eta_enc), eta_enc).sum())


def latent_variance(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The diagonal of Sigma: the second moments of the raw noise."""
    for draw in layer.draws():
        noise = draw.values[n.noise]
        stated = np.broadcast_to(np.asarray(evaluate(formula, draw.values, draw.backend)), len(draw.values[n.sigma]))
        yield layer.difference(
            "diagonal of Sigma", draw, stated[: draw.problem.d1], (noise**2).sum(axis=1) / noise.shape[1]
        )


def second_moment(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(a^T A a, a Boolean of its value) against the raw inputs, for some a and one that is orthogonal to all of them."""
    form, statement = formula.args
    for draw in layer.draws():
        inputs, _ = draw.points
        for direction in directions(inputs, draw.backend):
            projected = (direction.T @ inputs) ** 2
            found = projected.sum() / projected.shape[1]
            values = draw.values | {a: direction}
            yield layer.difference("a^T A a", draw, evaluate(form, values, draw.backend), found)
            value = found if draw.backend == "exact" else snapped(float(found), float(np.sum(inputs**2)))
            yield truth(draw, bool(evaluate(statement, {quadratic_form: value}, draw.backend)), True)


def directions(inputs: Any, backend: str) -> list[Any]:
    """Some column, and one that is orthogonal to all columns of a matrix where there is one."""
    size = len(inputs)
    some = np.array([[(-1) ** k * (k + 1)] for k in range(size)], dtype=inputs.dtype)
    if backend == "exact":
        null = [np.array(vector.tolist(), dtype=object) for vector in sympy.Matrix(inputs.T).nullspace()]
    else:
        _, lengths, rows = np.linalg.svd(inputs.T)
        rank = int(np.sum(lengths**2 > RANK_CUTOFF.value * lengths[0] ** 2))
        null = [row[:, None] for row in rows[rank:]]
    return [some, *null[:1]]


def log_partition(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The logarithm of the decoder's partition function as a function of eta_dec; its factor k, if any, is fitted to one value."""
    for problem in layer.problems("prior")[:MOST_PROBLEMS]:
        backend, values = backend_of(problem), symbol_values(problem)
        scales = [problem.eta_dec * k for k in (1, 2, 3)]
        found = [log_partition_function(problem, scale) for scale in scales]
        unit = 1 if backend == "numpy" else sympy.S.One

        def stated(scale: Any, k: Any, values: dict = values, backend: str = backend) -> Any:
            return evaluate(formula, values | {n.eta_dec: scale, some_factor: k}, backend)

        slope = stated(scales[0], unit) - stated(scales[0], 0 * unit)
        factor = (found[0] - stated(scales[0], 0 * unit)) / slope if slope != 0 else 0 * unit
        for scale, value in zip(scales, found, strict=True):
            yield layer.difference("log partition function", problem, stated(scale, factor), value)


CHECKS: dict[str, dict[str, Check]] = {
    "accuracy_and_complexity": without_descent(accuracy_and_complexity),
    "weights": without_descent(weights),
    "latent_variance": without_descent(latent_variance),
    "second_moment": without_descent(second_moment),
    "log_partition": without_descent(log_partition),
}
