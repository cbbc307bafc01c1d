"""The Hessian at stationary points of Eq 6 at the prior's variances: strict saddles, or global minima."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy
from sympy import Basic

from derivations.ledger import claims_by_id
from derivations.strict_saddles import level
from numerics.exact_modes import curvatures, eigenvalues, mode_point
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import certificate_at, closed_form_minimum, curvature_scale, relative_distance
from numerics.observables.base import Check
from numerics.observables.stationary_points import assembled, choices, exact_choices, exact_lengths, matched, searched
from numerics.points import Point, symbol_values
from numerics.problem import Problem
from numerics.tolerances import DESCENT_INVARIANT, FLOAT64_IDENTITY


class Stationary(NamedTuple):
    """A stationary point of an instance, and the modes whose U V^T it has (from 0)."""

    problem: Any
    chosen: tuple[int, ...]
    point: Point


def saddle_curvature(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Where the formula is negative, it is the least eigenvalue of the Hessian of Eq 6; elsewhere the loss is the least."""
    tolerance = DESCENT_INVARIANT if isinstance(layer, DescentLayer) else FLOAT64_IDENTITY
    for problem, lowest, gap, chosen in _ends(layer):
        stated = _stated_curvature(formula, problem, chosen)
        if stated < 0:
            scale = 2 * problem.eta_dec**2 * curvature_scale(problem)
            yield Finding("least eigenvalue", problem.name, float(abs(stated - lowest) / scale), tolerance)
        else:
            yield Finding("loss above the least", problem.name, gap if stated >= 0 else float("inf"), tolerance)


@lru_cache(maxsize=4)
def _ends(layer: Layer) -> Sequence[tuple[Problem, float, float, tuple[int, ...]]]:
    """(instance, least eigenvalue of the Hessian of Eq 6, relative distance of the loss from the least one, modes chosen)."""
    found = []
    for problem, chosen, point in _points(layer):
        lowest = 2 * problem.eta_dec**2 * certificate_at(problem, point).smallest_hessian_eigenvalue
        least = layer.loss(problem, closed_form_minimum(problem))
        found.append((problem, float(lowest), relative_distance(layer.loss(problem, point), least), chosen))
    return found


@lru_cache(maxsize=4)
def _points(layer: Layer) -> Sequence[Stationary]:
    """Those the search has found, or those put together from what the ledger has proved."""
    formula = claims_by_id()["x.stationary-points"].standing.formula
    if isinstance(layer, DescentLayer):
        return [Stationary(each, matched(formula, each, point)[0], point) for each, point in searched(layer)]
    return [Stationary(each, chosen, assembled(formula, each, chosen)) for each, chosen in choices(layer)]


def _stated_curvature(formula: Basic, problem: Any, chosen: tuple[int, ...]) -> float:
    """The formula at the level of the modes chosen and the largest one left out; infinite where none is left out."""
    outside = [k for k in range(problem.dstar) if k not in chosen]
    if not outside:
        return float("inf")
    size = max(problem.d1, problem.dstar) + 1
    values: dict[Any, Any] = symbol_values(problem) | {level: _least_level(problem, chosen, np.sqrt)}
    return float(np.broadcast_to(np.asarray(evaluate(formula, values, "numpy")), size)[outside[0]])


def _least_level(problem: Any, chosen: tuple[int, ...], root: Any) -> Any:
    return problem.spectrum[chosen[-1]] if len(chosen) == problem.d1 else root(problem.beta) * problem.eta_dec


def exact_saddle_curvature(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The smaller eigenvalue of the block of the largest mode left out with the latent of the least level, or the least loss."""
    for problem, chosen, smaller, gap in _exact_ends(layer):
        outside = [k for k in range(problem.dstar) if k not in chosen]
        stated = sympy.oo
        if outside:
            size = max(problem.d1, problem.dstar) + 1
            values: dict[Any, Any] = symbol_values(problem) | {level: _least_level(problem, chosen, sympy.sqrt)}
            stated = np.broadcast_to(np.asarray(evaluate(formula, values, "exact")), size)[outside[0]]
            yield layer.difference("eigenvalue of the block", problem, stated, smaller)
        if not sympy.sympify(stated).is_negative:
            yield layer.difference("loss above the least", problem, gap, 0)


@lru_cache(maxsize=4)
def _exact_ends(layer: Layer) -> Sequence[tuple[Any, tuple[int, ...], Any, Any]]:
    """(instance, modes chosen, smaller eigenvalue of the block if a mode is left out, loss minus the least one)."""
    formula = claims_by_id()["x.stationary-points"].standing.formula
    found = []
    for problem, chosen in exact_choices(layer):
        outside = [k for k in range(problem.dstar) if k not in chosen]
        at = exact_lengths(formula, problem, chosen)
        # the last latent is the free one, or that of the least mode
        smaller = (
            2 * problem.eta_dec**2 * eigenvalues(*curvatures(layer, problem, *at, outside[0], problem.d1 - 1))[0]
            if outside
            else None
        )
        found.append(
            (problem, chosen, smaller, layer.loss(problem, mode_point(problem, *at)) - layer.least_loss(problem))
        )
    return found


CHECKS: dict[str, dict[str, Check]] = {
    "saddle_curvature": {"exact": exact_saddle_curvature} | dict.fromkeys(("numeric", "descent"), saddle_curvature)
}
