"""Conditions on rotations of latent space and Booleans about the origin: true exactly where they should be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from sympy import Basic

from derivations import notation as n
from derivations.ledger import claims_by_id
from derivations.rotations import ARBITRARY
from derivations.theorem_3_origin import gap as gap_symbol
from derivations.theorem_3_origin import is_global, is_local, smallest_eigenvalue
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.observables.base import Check, everywhere
from numerics.observables.minima import truth
from numerics.points import assembled, backend_of, lengths, rectangular, symbol_values

MOST_PROBLEMS = 10


def rotation(layer: Layer, formula: Basic, *, learned: bool) -> Iterator[Finding]:
    """A condition on P: true exactly where P is orthogonal and (F Lambda P, G Theta P) is a minimum."""
    claim = claims_by_id()["thm-2.minimum" if learned else "prop-2.minimum"]
    closed_form = claim.standing.formula.func(*claim.standing.formula.args[:2])
    problems = [problem for problem in layer.problems("learned" if learned else "fixed") if problem.d1 > 1]
    for problem in problems[:MOST_PROBLEMS]:
        backend, values = backend_of(problem), symbol_values(problem)
        decoder, encoder = lengths(closed_form, problem)
        values |= {n.Lambda: rectangular(decoder, problem.d2), n.Theta: rectangular(encoder, problem.d0)}
        for P in layer.rotations(problem):
            values[n.P] = P
            stated = bool(evaluate(formula, values, backend))
            orthogonal = bool(evaluate(ARBITRARY, values, backend))
            point = assembled(closed_form, problem, P)
            found = orthogonal and all(finding.agrees for finding in layer.minimum_findings(problem, point))
            yield truth(problem, stated, found)


def origin_curvature(layer: Layer, formula: Basic, kind: str) -> Iterator[Finding]:
    """A Boolean of the smallest Hessian eigenvalue at the origin and of the gap to the minimum: it always holds."""
    for problem in layer.problems(kind):
        values = {smallest_eigenvalue: layer.origin_eigenvalue(problem), gap_symbol: layer.origin_gap(problem)}
        yield truth(problem, bool(evaluate(formula, values, backend_of(problem))), True)


def origin_minimum(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of "the origin is a local minimum" and "the origin is a global minimum": it always holds."""
    for problem in layer.problems("fixed"):
        if "real-data" in getattr(problem, "regimes", ()):
            continue
        local, lowest = layer.origin_is_local_minimum(problem), layer.origin_gap(problem) == 0
        values = {is_local: np.bool_(local), is_global: np.bool_(lowest)}
        yield truth(problem, bool(evaluate(formula, values, "numpy")), True)


CHECKS: dict[str, dict[str, Check]] = {
    "fixed_rotation": everywhere(partial(rotation, learned=False)),
    "learned_rotation": everywhere(partial(rotation, learned=True)),
    "origin_curvature": everywhere(partial(origin_curvature, kind="fixed")),
    "origin_curvature_learned": everywhere(partial(origin_curvature, kind="learned")),
    "origin_minimum": everywhere(origin_minimum),
}
