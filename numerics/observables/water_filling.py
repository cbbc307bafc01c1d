"""What each mode of a minimum with learned Sigma costs in nats, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Shaped
from sympy import Basic

from derivations.ledger import claims_by_id
from numerics.backends import functions_of
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import relative_distance
from numerics.observables.base import Check, everywhere
from numerics.points import Point, assembled, backend_of, symbol_values
from numerics.tolerances import DESCENT_INVARIANT


def water_filling(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(rate, error) per mode: the KL of the latents, and the covariance of the error in the target's singular directions."""
    descended = isinstance(layer, DescentLayer)
    for problem in layer.problems("learned"):
        threshold = (
            descended and "at-threshold" in problem.regimes
        )  # where descent leaves lengths of 1e-3 in place of 0
        if threshold or any(
            singular**2 > problem.beta * problem.eta_dec**2 for singular in problem.spectrum[problem.d1 :]
        ):
            continue
        stated = evaluate(formula, symbol_values(problem), backend_of(problem))
        size = max(problem.d1, problem.dstar) + 1
        rates, errors = (np.broadcast_to(np.asarray(part), size) for part in stated)
        point = _minimum(layer, problem)
        for quantity, left, right in (
            ("KL of each mode", rates[: problem.d1], _rates(problem, point, ordered=descended)),
            ("covariance of the error", _diagonal(errors[: problem.dstar], problem.d2), _error(problem, point)),
        ):
            if descended:
                yield Finding(quantity, problem.name, relative_distance(left, right), DESCENT_INVARIANT)
            else:
                yield layer.difference(quantity, problem, left, right)


def _minimum(layer: Layer, problem: Any) -> Point:
    """The proved one, with latents in the order of the modes, or that which descent found."""
    if isinstance(layer, DescentLayer):
        found = layer.minimum(problem)
        return Point(found.W, found.U, found.V, found.sigma**2)
    return assembled(claims_by_id()["thm-2.minimum"].standing.formula, problem)


def _rates(problem: Any, point: Point, *, ordered: bool) -> Shaped[np.ndarray, " d1"]:
    """E_x KL(q(z_i|x) | p(z_i)) of every latent; in the order of the modes, which is that of what they cost."""
    prior = problem.eta_enc**2
    ratio = point.variance / prior
    log = functions_of(backend_of(problem))["log"]
    rates = (ratio - 1 - log(ratio) + (point.V**2).sum(0) / prior) / 2
    return np.sort(rates)[::-1] if ordered else rates


def _error(problem: Any, point: Point) -> Shaped[np.ndarray, "d2 d2"]:
    """E e e^T for e = F^T (Z x_white - U z): of the part of y that is linear in x."""
    missed = point.U @ point.V.T - problem.Z
    return problem.F.T @ (missed @ missed.T + (point.U * point.variance) @ point.U.T) @ problem.F


def _diagonal(entries: Shaped[np.ndarray, " n"], size: int) -> Shaped[np.ndarray, "{size} {size}"]:
    matrix = np.zeros((size, size), dtype=entries.dtype)
    for k, entry in enumerate(entries):
        matrix[k, k] = entry
    return matrix


CHECKS: dict[str, dict[str, Check]] = {"water_filling": everywhere(water_filling)}
