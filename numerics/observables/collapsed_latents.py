"""How many latents collapse, how many directions of latent space, and what rank is left, at minima however they are rotated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import Basic

from derivations.collapsed_latents import collapsed, directions
from derivations.instances import is_exactly_zero
from derivations.ledger import claims_by_id
from derivations.situations import rank
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.observables.base import Check, everywhere
from numerics.observables.minima import truth
from numerics.points import assembled, backend_of, symbol_values
from numerics.tolerances import COLLAPSED_MODE, FLOAT64_IDENTITY

MOST_PROBLEMS = 10


def collapsed_latents(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of these three: it holds at every global minimum."""
    for problem in _problems(layer):
        for U, V in _minima(layer, problem):
            values = symbol_values(problem) | _happening(problem, U, V)
            yield truth(problem, bool(evaluate(formula, values, backend_of(problem))), True)


def _problems(layer: Layer) -> list[Any]:
    """With more than one latent, and off the thresholds, where descent leaves lengths of 1e-3 in place of 0."""
    return [each for each in layer.problems("prior") if each.d1 > 1 and not _is_at_threshold(each)][:MOST_PROBLEMS]


def _is_at_threshold(problem: Any) -> bool:
    return "at-threshold" in getattr(problem, "regimes", ())


def _minima(layer: Layer, problem: Any) -> Iterator[tuple[Any, Any]]:
    """(U, V) of the minimum that descent found, or of proved ones with one rotation after another."""
    if isinstance(layer, DescentLayer):
        found = layer.minimum(problem)
        yield found.U, found.V
        return
    closed_form = claims_by_id()["thm-1.minimum"].standing.formula
    for P in layer.rotations(problem):
        if _is_orthogonal(P):
            point = assembled(closed_form, problem, P)
            yield point.U, point.V


def _is_orthogonal(P: Any) -> bool:
    product = P @ P.T - np.eye(len(P), dtype=int)
    if P.dtype == object:
        return all(entry == 0 for entry in product.flat)
    return bool(np.abs(product).max() <= FLOAT64_IDENTITY.value)


def _happening(problem: Any, U: Any, V: Any) -> dict[Basic, Any]:
    """From V alone what collapses, and from U and V the rank."""
    gram = V.T @ V
    if backend_of(problem) == "exact":
        exact = sympy.Matrix(gram.tolist()).applyfunc(sympy.expand)
        silent = sum(is_exactly_zero(entry) for entry in exact.diagonal())
        product = sympy.Matrix((U @ V.T).tolist()).applyfunc(sympy.expand)
        return {
            collapsed: sympy.Integer(silent),
            directions: sympy.Integer(problem.d1 - exact.rank()),
            rank: sympy.Integer(product.rank()),
        }
    least = COLLAPSED_MODE.value * max(1.0, float(problem.spectrum[0]))
    modes = gram * np.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc**2  # theta_i^2 in units of those of U V^T
    return {
        collapsed: int(np.sum(modes.diagonal() <= least)),
        directions: int(np.sum(np.linalg.eigvalsh(modes) <= least)),
        rank: int(np.sum(np.linalg.svd(U @ V.T, compute_uv=False) > least)),
    }


CHECKS: dict[str, dict[str, Check]] = {"collapsed_latents": everywhere(collapsed_latents)}
