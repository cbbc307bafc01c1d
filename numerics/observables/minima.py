"""Statements about where the minimum is and how low it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Basic

from derivations import notation as n
from derivations.elbo import kl_parts
from derivations.equation_12 import least_of_equation_6
from derivations.errors import AssumptionViolated
from derivations.ledger import claims_by_id
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import origin_of
from numerics.observables import identities
from numerics.observables.base import Check, everywhere, without_descent
from numerics.points import Point, assembled, backend_of, symbol_values
from numerics.tolerances import EXACT, REDUCED_GRADIENT


def _impossible(problem: Any) -> Finding:
    return Finding("a length or standard deviation", problem.name, float("inf"), EXACT)


def minimiser(layer: Layer, formula: Basic, kind: str) -> Iterator[Finding]:
    """(lambda_i, theta_i[, P]): the assembled point is a minimum."""
    for problem in layer.problems(kind):
        try:
            point = assembled(formula, problem)
        except AssumptionViolated:
            yield _impossible(problem)
            continue
        yield from layer.minimum_findings(problem, point)


def encoder_std(layer: Layer, formula: Basic, *, extra: bool) -> Iterator[Finding]:
    """sigma_i of all latents, or of those beyond the modes that Z has: with U and W of Theorem 2 the point is a minimum."""
    for problem in layer.problems("learned"):
        modes = slice(problem.dstar, None) if extra else slice(None)
        size = max(problem.d1, problem.dstar) + 1
        stated = evaluate(formula, symbol_values(problem), backend_of(problem))
        deviations = np.broadcast_to(np.asarray(stated), size)[: problem.d1][modes]
        if not len(deviations):
            continue
        point = _of_theorem_2(problem)
        variance = point.variance.copy()
        if not all(_is_deviation(entry) for entry in deviations):
            yield _impossible(problem)
            continue
        variance[modes] = deviations**2
        yield from layer.minimum_findings(problem, Point(point.W, point.U, point.V, variance))


@lru_cache(maxsize=4096)
def _of_theorem_2(problem: Any) -> Point:
    return assembled(claims_by_id()["thm-2.minimum"].standing.formula, problem)


def _is_deviation(entry: Any) -> bool:
    if isinstance(entry, Basic):
        return bool(entry.is_real and entry.is_finite and entry.is_positive)
    return bool(np.isfinite(entry) and entry > 0)


def variance_cost(problem: Any) -> Any:
    """2 eta_dec^2 times the part of L_VAE that depends on the fixed Sigma alone."""
    per_latent = 2 * n.eta_dec**2 * n.beta * kl_parts()[1]
    return evaluate(per_latent, symbol_values(problem), backend_of(problem))[: problem.d1].sum()


def profile(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A function of Sigma: the least value of Eq 6 over U and V."""
    for problem in layer.problems("fixed"):
        stated = evaluate(formula, symbol_values(problem), backend_of(problem))
        found = 2 * problem.eta_dec**2 * layer.least_loss(problem) - problem.r - variance_cost(problem)
        yield layer.difference("least value of Eq 6", problem, stated, found)


def least_objective(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The least L_VAE for a fixed Sigma, from the value of Eq 6 at the minimum's U and V."""
    for problem in layer.problems("fixed"):
        U, V = _decoder_and_encoder(layer, problem)
        fit, noise = ((U @ V.T - problem.Z) ** 2).sum(), (U**2 * problem.sigma**2).sum()
        reduced = fit + noise + problem.beta * problem.eta_dec**2 / problem.eta_enc**2 * (V**2).sum()
        values = symbol_values(problem) | {least_of_equation_6: reduced}
        stated = evaluate(formula, values, backend_of(problem))
        yield layer.difference("least L_VAE", problem, stated, layer.least_loss(problem))


def _decoder_and_encoder(layer: Layer, problem: Any) -> tuple[Any, Any]:
    if isinstance(layer, DescentLayer):
        found = layer.minimum(problem)
        return found.U, found.V
    point = assembled(claims_by_id()["prop-2.minimum"].standing.formula, problem)
    return point.U, point.V


def reduced_objective(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A function of Sigma up to a constant: it and the least L_VAE change alike when Sigma alone changes.

    The constant is fitted at the first Sigma of each sweep; a formula that names none has to do without.
    """
    factor = formula.coeff(n.constant)
    for sweep in layer.sweeps():
        stated = [_with_constant(formula, problem, 0) for problem in sweep]
        found = [layer.least_loss(problem) for problem in sweep]
        shift = (found[0] - stated[0]) / _number(factor, sweep[0]) if factor != 0 else 0
        for problem, least in zip(sweep, found, strict=True):
            yield layer.difference("least L_VAE", problem, _with_constant(formula, problem, shift), least)


def _number(value: sympy.Expr, problem: Any) -> Any:
    return value if backend_of(problem) == "exact" else float(value)


def _with_constant(formula: Basic, problem: Any, shift: Any) -> Any:
    exact = backend_of(problem) == "exact"
    constant = sympy.sympify(shift) if exact else float(shift)
    return evaluate(formula, symbol_values(problem) | {n.constant: constant}, backend_of(problem))


def stationary_encoder(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """V as a function of U: where the loss is stationary in V for a given U."""
    for problem in layer.problems("fixed"):
        yield from layer.stationary_encoder_findings(problem, _encoder(formula, problem))


def _encoder(formula: Basic, problem: Any) -> Callable[[Any], Any]:
    return lambda U: evaluate(formula, symbol_values(problem) | {n.U: U}, backend_of(problem))


def reduction_at_minima(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(reduced objective, V as a function of W) where descent ended: stationary there, and as far below the origin as L_VAE."""
    assert isinstance(layer, DescentLayer)
    reduced, link = formula.args
    for problem in layer.problems("fixed"):
        found = layer.minimum(problem)
        values = {symbol: _tensor(value) for symbol, value in symbol_values(problem).items()}
        V = evaluate(link, values | {n.W: _tensor(found.W)}, "torch")
        at = {n.U: _tensor(found.U).requires_grad_(), n.V: V.requires_grad_()}
        loss = evaluate(reduced, values | at, "torch")
        slopes = torch.autograd.grad(loss, list(at.values()), materialize_grads=True, allow_unused=True)
        size = 1 + abs(float(loss.detach())) + sum(float((value.detach() ** 2).sum()) for value in at.values())
        slope = float(torch.cat([slope.flatten() for slope in slopes]).norm()) / size
        yield Finding("gradient of the reduced objective", problem.name, slope, REDUCED_GRADIENT)
        origin = evaluate(reduced, values | {symbol: torch.zeros_like(value) for symbol, value in at.items()}, "torch")
        change = 2 * problem.eta_dec**2 * (found.loss - layer.loss(problem, origin_of(problem)))
        yield layer.difference("gain over the origin", problem, float((loss - origin).detach()), change)


def _tensor(value: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(value, dtype=np.float64, order="C"))


def complete_collapse(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A condition: it holds exactly where no point lies below the origin."""
    for problem in layer.problems("prior"):
        stated = evaluate(formula, symbol_values(problem), backend_of(problem))
        yield truth(problem, bool(stated), bool(layer.origin_gap(problem) == 0))


def truth(problem: Any, stated: bool, found: bool) -> Finding:
    """Whether a statement is true where it should be: 0 if the two agree, 1 if not."""
    return Finding("truth", problem.name, float(stated != found), EXACT)


CHECKS: dict[str, dict[str, Check]] = {
    "reduction": without_descent(identities.reduction) | {"descent": reduction_at_minima},
    "stationary_encoder": everywhere(stationary_encoder),
    "fixed_minimiser": everywhere(partial(minimiser, kind="fixed")),
    "prior_minimiser": everywhere(partial(minimiser, kind="prior")),
    "learned_minimiser": everywhere(partial(minimiser, kind="learned")),
    "encoder_std": everywhere(partial(encoder_std, extra=False)),
    "extra_encoder_std": everywhere(partial(encoder_std, extra=True)),
    "profile": everywhere(profile),
    "least_objective": everywhere(least_objective),
    "reduced_objective": everywhere(reduced_objective),
    "complete_collapse": everywhere(complete_collapse),
}
