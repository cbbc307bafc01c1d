"""What the origin is where it is no minimum, and what a model outputs at its minimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import Basic

from derivations.constant_output import output
from derivations.ledger import claims_by_id
from derivations.saddle import largest_eigenvalue
from derivations.theorem_3_origin import gap as gap_symbol
from derivations.theorem_3_origin import smallest_eigenvalue
from numerics.exact import ExactProblem
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.observables.base import Check, everywhere
from numerics.observables.minima import truth
from numerics.points import Point, assembled, backend_of, symbol_values
from numerics.tolerances import DESCENT_INVARIANT, FLOAT64_IDENTITY


def origin_saddle(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of the extreme Hessian eigenvalues at the origin and of the gap to the minimum: it always holds."""
    for problem in layer.problems("fixed"):
        lowest, gap = layer.origin_eigenvalue(problem), layer.origin_gap(problem)
        values = {smallest_eigenvalue: lowest, largest_eigenvalue: _rise(problem, layer.loss), gap_symbol: gap}
        yield truth(problem, bool(evaluate(formula, values, backend_of(problem))), True)


@lru_cache(maxsize=1024)
def _rise(problem: Any, loss: Callable[[Any, Point], Any]) -> Any:
    """A number of the sign of the largest eigenvalue if that is positive: what the loss gains along U alone."""
    return loss(problem, _with_decoder(problem, 1)) - loss(problem, _with_decoder(problem, 0))


def _with_decoder(problem: Any, entry: int) -> Point:
    """W = 0 and every entry of U the same; the loss is quadratic along this ray."""
    zero = 0 * problem.eta_enc
    W, U, V = (np.full((rows, problem.d1), zero) for rows in (len(problem.A), problem.d2, problem.d0))
    return Point(W, U + entry, V, problem.sigma**2)


def constant_output(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of zeta_1 and of E|U z|^2 at the minimum, Sigma being learned or the prior's: it always holds."""
    for kind in ("learned", "prior"):
        for problem in layer.problems(kind):
            if "real-data" in getattr(problem, "regimes", ()):
                continue
            if isinstance(layer, DescentLayer):
                found = layer.minimum(problem)
                power = _power(problem, found.W, found.U, found.sigma**2, DESCENT_INVARIANT.value)
            else:
                power = squared_output(problem)
            stated = evaluate(formula, symbol_values(problem) | {output: power}, backend_of(problem))
            yield truth(problem, bool(stated), True)


@lru_cache(maxsize=1024)
def squared_output(problem: Any) -> Any:
    """E|U z|^2 at the proved minimum: by enumeration of data and noise in exact numbers, else from second moments."""
    claim = claims_by_id()["thm-2.minimum" if problem.sigma is None else "thm-1.minimum"]
    point = assembled(claim.standing.formula, problem)
    if not isinstance(problem, ExactProblem):
        return _power(problem, point.W, point.U, point.variance, FLOAT64_IDENTITY.value)
    noises = [np.array(signs, dtype=object) for signs in product((-1, 1), repeat=problem.d1)]
    codes = [point.W.T @ np.array(list(x), dtype=object) for x, _ in problem.data.points]
    deviations = np.array([sympy.sqrt(value) for value in point.variance], dtype=object)
    outputs = [((point.U @ (code + deviations * noise)) ** 2).sum() for code in codes for noise in noises]
    return sympy.expand(sum(outputs) / len(outputs))


def _power(problem: Any, W: Any, U: Any, variance: Any, precision: float) -> float:
    """E|U z|^2; 0 if it is 0 within a precision relative to E|y|^2."""
    value = float(((U @ (W.T @ problem.A @ W + np.diag(variance))) * U).sum())
    return 0.0 if value <= precision * problem.y2 else value


CHECKS: dict[str, dict[str, Check]] = {
    "origin_saddle": everywhere(origin_saddle),
    "constant_output": everywhere(constant_output),
}
