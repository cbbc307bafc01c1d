"""Identities between expressions: each side evaluated on raw data and arbitrary parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import Basic

from derivations import notation as n
from numerics.draws import Draw
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.observables.base import Check, without_descent


def _value(formula: Basic, draw: Draw, **replaced: Any) -> Any:
    values = draw.values | {getattr(n, name): value for name, value in replaced.items()}
    return evaluate(formula, values, draw.backend, draws=draw.draws)


def gaussian_kl(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A closed form of the KL between encoder and prior, against the densities."""
    for draw in layer.draws():
        yield layer.difference("KL", draw, _value(formula, draw), draw.kl)


def objective(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """An expression of L_VAE, against the densities."""
    for draw in layer.draws():
        defined = draw.objective(draw.values[n.W], draw.values[n.U])
        yield layer.difference("L_VAE", draw, _value(formula, draw), defined)


def decomposition(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(L_VAE, mean term, variance term), against the densities and the KL with and without its mean."""
    total, mean_term, variance_term = formula.args
    for draw in layer.draws():
        beta = draw.problem.beta
        defined = draw.objective(draw.values[n.W], draw.values[n.U])
        yield layer.difference("L_VAE", draw, _value(total, draw), defined)
        yield layer.difference("mean term", draw, _value(mean_term, draw), beta * draw.kl_mean)
        yield layer.difference("variance term", draw, _value(variance_term, draw), beta * draw.kl_variance)


def whitening(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Equations between moments and points of the whitened input; x_white and Z are computed by their definitions."""
    for draw in layer.draws():
        for equation in formula.args:
            left, right = (_value(side, draw) for side in equation.args)
            finding = layer.difference("moments", draw, left, right)
            negated = isinstance(equation, sympy.Ne)
            yield finding if not negated else Finding("moments", draw.name, float(finding.agrees), finding.tolerance)


def reduction(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(reduced objective, V as a function of W): it changes with (U, W) as 2 eta_dec^2 L_VAE does, and every V is reached."""
    reduced, link = formula.args
    for draw in layer.draws():
        W, U, V = (draw.values[symbol] for symbol in (n.W, n.U, n.V))
        scale = 2 * draw.problem.eta_dec**2
        defined, stated = [], []
        for w, u in ((W, U), (2 * W, U), (W, 1 + 2 * U), (-W, 3 - U), (0 * W, 0 * U)):
            defined.append(scale * draw.objective(w, u))
            stated.append(_value(reduced, draw, V=_value(link, draw, W=w), U=u))
        yield layer.difference(
            "change of the objective", draw, np.array(stated[1:]) - stated[0], np.array(defined[1:]) - defined[0]
        )
        preimage = draw.problem.P_A @ (V / _roots(draw)[:, None])
        yield layer.difference("every V is reached", draw, _value(link, draw, W=preimage), V)


def _roots(draw: Draw) -> Any:
    return draw.values[n.Phi].diagonal() ** (sympy.S.Half if draw.backend == "exact" else 0.5)


CHECKS: dict[str, dict[str, Check]] = {
    "gaussian_kl": without_descent(gaussian_kl),
    "objective": without_descent(objective),
    "decomposition": without_descent(decomposition),
    "whitening": without_descent(whitening),
}
