"""The constant of Eq 11: what the least loss keeps as Sigma tends to 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sympy
from sympy import Basic

from derivations.corollary_1_constant import rest
from derivations.exact_data import ExactData
from derivations.instances import tidy
from derivations.notation import residual
from numerics.descent import minimise
from numerics.exact import ExactProblem
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer, within_descent
from numerics.layers.floating import snapped
from numerics.observables.base import Check, everywhere
from numerics.observables.minima import truth, variance_cost
from numerics.points import backend_of, symbol_values
from numerics.problem import Problem
from numerics.problems import planted_problem

MOST_PROBLEMS = {"exact": 10, "numpy": 24}


def profile_constant(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(the constant, a Boolean of its value): from the least value of Eq 6 at three small Sigma.

    As long as no mode that Z has is collapsed this is a polynomial of second degree in a common standard deviation, and its
    values at s, 2 s and 3 s give that at 0.
    """
    stated, statement = formula.args
    for problem, found, size in _constants(layer):
        values, backend = symbol_values(problem), backend_of(problem)
        # beside the losses it comes from, which set the scale of its rounding
        constants = [np.array([constant, size]) for constant in (evaluate(stated, values, backend), found)]
        yield layer.difference("constant", problem, *constants)
        yield truth(problem, bool(evaluate(statement, values | {rest: _rounded(layer, found, size)}, backend)), True)


def least_error(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The least E|U W^T x - y|^2: r, and the value of Eq 6 that is left as Sigma tends to 0."""
    for problem, found, size in _constants(layer):
        stated = evaluate(formula, {**symbol_values(problem), residual: problem.r}, backend_of(problem))
        yield layer.difference("error", problem, *(np.array([error, size]) for error in (stated, found + problem.r)))


def _rounded(layer: Layer, found: Any, size: float) -> Any:
    """0 for what the layer cannot tell from 0 beside losses of this size."""
    if layer.name == "exact":
        return tidy(found)
    return within_descent(found, size) if isinstance(layer, DescentLayer) else snapped(found, size)


_found: WeakKeyDictionary[Layer, list[tuple[Any, Any, float]]] = WeakKeyDictionary()


def _constants(layer: Layer) -> list[tuple[Any, Any, float]]:
    """Each instance with the extrapolated least value of Eq 6, and the largest loss that it is extrapolated from; found once."""
    if layer not in _found:
        _found[layer] = _extrapolated(layer)
    return _found[layer]


def _extrapolated(layer: Layer) -> list[tuple[Any, Any, float]]:
    problems = _problems(layer)
    triples = [[_with_deviation(problem, k * _small(problem)) for k in (1, 2, 3)] for problem in problems]
    losses = iter(_least_losses(layer, [problem for triple in triples for problem in triple]))
    found = []
    for problem, triple in zip(problems, triples, strict=True):
        scaled = [2 * p.eta_dec**2 * next(losses) for p in triple]
        first, second, third = (loss - p.r - variance_cost(p) for p, loss in zip(triple, scaled, strict=True))
        found.append((problem, 3 * first - 3 * second + third, max(abs(float(loss)) for loss in scaled)))
    return found


def _problems(layer: Layer) -> list[Any]:
    """Instances of every aspect ratio, some of them with d1 < d* and no signal beyond the first d1 modes."""
    problems = [p for p in layer.problems("fixed") if "real-data" not in getattr(p, "regimes", ())]
    drawn = problems[: MOST_PROBLEMS[backend_of(problems[0])]]
    if layer.name == "exact":
        return drawn  # these have all of it
    generator = np.random.default_rng(11)
    low_rank = [
        planted_problem(
            generator,
            D0=4,
            d2=3,
            d1=latents,
            zeta=np.array([3.0, float(latents - 1), 0.0]),
            phi=np.array([2.0, 1.0, 0.5]),
            residual=1.0,
            beta=0.5,
            eta_dec=0.7,
            eta_enc=1.5,
            sigma=np.ones(latents),
            name=f"no signal beyond mode {latents}",
        )
        for latents in (1, 2)
    ]
    return drawn + low_rank


def _least_losses(layer: Layer, problems: Sequence[Any]) -> list[Any]:
    if isinstance(layer, DescentLayer):
        return [minimum.loss for minimum in minimise(problems, seed=layer.seed, device=layer.device)]
    return [layer.least_loss(problem) for problem in problems]


def _small(problem: Any) -> Any:
    """A quarter of the standard deviation at which the first of the modes that Z has would collapse."""
    root = problem.beta ** (sympy.S.Half if backend_of(problem) == "exact" else 0.5) * problem.eta_dec / problem.eta_enc
    present = [value for value in problem.spectrum if value > 0] or [problem.eta_enc]
    return min(present) / (4 * root)


def _with_deviation(problem: Any, deviation: Any) -> Any:
    if isinstance(problem, ExactProblem):
        scalars = replace(problem.data.scalars, sigma=(deviation,) * problem.d1)
        return ExactProblem(ExactData(scalars, problem.data.matrices, problem.data.points), False, problem.name)
    assert isinstance(problem, Problem)
    return replace(problem, sigma=np.full(problem.d1, deviation))


CHECKS: dict[str, dict[str, Check]] = {
    "profile_constant": everywhere(profile_constant),
    "least_error": everywhere(least_error),
}
