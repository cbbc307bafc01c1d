"""What the loss does without one of its terms: the infimum it runs to, and where it is lowest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import sympy
import torch
from sympy import Basic

from derivations import notation as n
from derivations.instances import is_exactly_zero
from numerics.ablated import Terms, descend, exact_terms, float_terms, running
from numerics.exact import ExactProblem
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import origin_of, parameters, snapped
from numerics.objective import Statistics
from numerics.observables.base import Check, without_descent
from numerics.observables.minima import truth
from numerics.points import Point, backend_of, symbol_values
from numerics.problem import Problem
from numerics.tolerances import DESCENT_BELOW, DESCENT_INFIMUM, EXACT, REDUCED_GRADIENT

DESCENTS = 8
"""Instances of a kind that descend without a term."""
FEW = 20
"""The most parameters that such an instance has."""


class Approach(NamedTuple):
    """Where the loss without a term, less r, goes along the points of `running`.

    `infimum` is the limit, `on_course` whether a third point confirms it, `unbeaten` whether no other point tried lies below it,
    and `at_origin` whether the origin lies no higher.
    """

    infimum: Any
    on_course: bool
    unbeaten: bool
    at_origin: bool


@lru_cache(maxsize=1024)
def approach(problem: Any, deleted: str) -> Approach:
    """The loss is p + q / scale² along these points: two of them give p, a third must agree."""
    first, second, third = (_loss(problem, running(problem, scale, deleted), deleted) for scale in (1, 2, 4))
    infimum = (4 * second - first) / 3
    expected = infimum + (first - infimum) / 16
    others = [_loss(problem, point, deleted) for point in _others(problem)]
    origin = _loss(problem, _scaled(running(problem, 1, deleted), 0), deleted)
    return Approach(
        infimum,
        _difference(problem, third, expected) == 0,
        all(_difference(problem, value, infimum) >= 0 for value in others),
        _difference(problem, origin, infimum) == 0,
    )


def _loss(problem: Any, point: Point, deleted: str) -> Any:
    """2 eta_dec^2 L_VAE - r without a term."""
    return _terms(problem, point).kept(deleted, learned=problem.sigma is None) - problem.r


def _terms(problem: Any, point: Point) -> Terms:
    if isinstance(problem, ExactProblem):
        return exact_terms(problem, point)
    return Terms(*(float(part) for part in float_terms(*parameters(point), Statistics.of(problem))))


def _difference(problem: Any, left: Any, right: Any) -> Any:
    """left - right; 0 if they agree in this kind of numbers."""
    if isinstance(problem, ExactProblem):
        return sympy.S.Zero if is_exactly_zero(left - right) else left - right
    return snapped(left - right, problem.y2)


def _others(problem: Any) -> Iterator[Point]:
    """Points around the one that fits the first modes, and some with other columns of U."""
    fitted = running(problem, 1, "mean")
    for factor in (sympy.S.One / 2, 2, -1):
        yield _scaled(fitted, factor if isinstance(problem, ExactProblem) else float(factor))
    yield Point(fitted.W, fitted.U + 1, fitted.V, fitted.variance)
    yield Point(fitted.W, np.roll(fitted.U, 1, axis=0), fitted.V, fitted.variance)


def _scaled(point: Point, factor: Any) -> Point:
    return Point(factor * point.W, factor * point.U, factor * point.V, point.variance)


def infimum(layer: Layer, formula: Basic, *, kinds: Sequence[str], deleted: str) -> Iterator[Finding]:
    """(infimum of 2 eta_dec^2 L - r, whether the origin attains it) without a term, along points that run to it."""
    for problem in (problem for kind in kinds for problem in layer.problems(kind)):
        found = approach(problem, deleted)
        value, condition = evaluate(formula, symbol_values(problem), backend_of(problem))
        yield layer.difference("infimum", problem, value, found.infimum)
        yield truth(problem, bool(condition), found.at_origin)
        yield Finding("the loss is p + q / scale^2", problem.name, float(not found.on_course), EXACT)
        yield Finding("a point below the infimum", problem.name, float(not found.unbeaten), EXACT)


@lru_cache(maxsize=256)
def _lowest(problem: Problem, deleted: str, seed: int) -> float:
    return descend(problem, deleted, seed) - problem.r


def reached(layer: Layer, formula: Basic, *, kinds: Sequence[str], deleted: str) -> Iterator[Finding]:
    """(infimum of 2 eta_dec^2 L - r, whether the origin attains it) without a term, against where descent comes to."""
    assert isinstance(layer, DescentLayer)
    for problem in (problem for kind in kinds for problem in _small(layer.problems(kind))):
        found = _lowest(problem, deleted, layer.seed)
        value, condition = evaluate(formula, symbol_values(problem), "numpy")
        gap = (found - float(value)) / problem.y2
        yield Finding(
            "loss above the infimum", problem.name, max(gap, 0.0) if np.isfinite(gap) else np.inf, DESCENT_INFIMUM
        )
        yield Finding(
            "loss below the infimum", problem.name, max(-gap, 0.0) if np.isfinite(gap) else np.inf, DESCENT_BELOW
        )
        gained = (problem.y2 - problem.r - found) / problem.y2
        yield truth(problem, bool(condition), gained <= DESCENT_INFIMUM.value)


def _small(problems: Sequence[Problem]) -> list[Problem]:
    chosen = [p for p in problems if (p.D0 + p.d2 + 1) * p.d1 <= FEW and "real-data" not in p.regimes]
    return chosen[:DESCENTS]


def change(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """An objective for a fixed Sigma: it changes with (U, W) as L_VAE does."""
    for draw in layer.draws():
        W, U = draw.values[n.W], draw.values[n.U]
        defined, stated = [], []
        for w, u in ((0 * W, 0 * U), (W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U)):
            defined.append(draw.objective(w, u))
            stated.append(evaluate(formula, draw.values | {n.W: w, n.U: u}, draw.backend, draws=draw.draws))
        yield layer.difference(
            "change of L_VAE", draw, np.array(stated[1:]) - stated[0], np.array(defined[1:]) - defined[0]
        )


def change_at_minima(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """An objective for a fixed Sigma where descent ended: stationary there, and as far below the origin as L_VAE."""
    assert isinstance(layer, DescentLayer)
    for problem in layer.problems("fixed"):
        if "real-data" in problem.regimes:
            continue
        found = layer.minimum(problem)
        X, Y = points_of(problem)
        values = symbol_values(problem) | {n.x: X, n.y: Y}
        tensors = {symbol: torch.from_numpy(np.array(value, dtype=np.float64)) for symbol, value in values.items()}
        at = {n.W: torch.tensor(found.W, requires_grad=True), n.U: torch.tensor(found.U, requires_grad=True)}
        loss = (
            evaluate(formula, tensors | at, "torch", draws=X.shape[1]) + 0 * at[n.U].sum()
        )  # a mutant may be constant
        slopes = torch.autograd.grad(loss, list(at.values()), materialize_grads=True)
        size = 1 + abs(float(loss.detach())) + sum(float((value.detach() ** 2).sum()) for value in at.values())
        slope = float(torch.cat([slope.flatten() for slope in slopes]).norm()) / size
        yield Finding("gradient without l_var", problem.name, slope, REDUCED_GRADIENT)
        zeros = {symbol: torch.zeros_like(value) for symbol, value in at.items()}
        origin = evaluate(formula, tensors | zeros, "torch", draws=X.shape[1])
        gained = found.loss - layer.loss(problem, origin_of(problem))
        yield layer.difference("gain over the origin", problem, float((loss - origin).detach()), gained)


def points_of(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Data with an instance's second moments, one column a point: one along each principal axis of x, one with x = 0."""
    count = problem.d0 + 1
    X, Y = np.zeros((problem.D0, count)), np.zeros((problem.d2, count))
    X[:, :-1] = problem.P_A * np.sqrt(count * problem.phi)
    Y[:, :-1] = problem.Z * np.sqrt(count)
    Y[0, -1] = np.sqrt(count * problem.r)
    return X, Y


def _checks(kinds: Sequence[str], deleted: str) -> dict[str, Check]:
    found = without_descent(partial(infimum, kinds=kinds, deleted=deleted))
    return found | {"descent": partial(reached, kinds=kinds, deleted=deleted)}


CHECKS: dict[str, dict[str, Check]] = {
    "loss_without_mean": _checks(("fixed", "learned"), "mean"),
    "loss_without_variance": _checks(("learned",), "variance"),
    "change_without_variance": without_descent(change) | {"descent": change_at_minima},
}
