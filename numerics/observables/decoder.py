"""A learned decoder variance: its closed form, and Booleans of what happens with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Symbol

from derivations.decoder_instances import (
    all_kept,
    collapse_fixed,
    collapse_learned,
    learned_variance,
    rank,
    unbounded,
    vanishes,
)
from derivations.decoder_variance import kept
from numerics import booleans
from numerics.decoder_families import EQUAL, NEAR, VAE, changed, family, held_at, held_limits, near_variances, own
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.observables.base import Check, everywhere, without_descent
from numerics.observables.minima import truth
from numerics.points import Point, backend_of, symbol_values
from numerics.tolerances import DESCENT_INVARIANT, EXACT, FLOAT64_IDENTITY


# ------------------------------------------------------------------------------------- the closed form
def closed_form(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(value, condition) at k active modes: the least value over the k with the condition is the best eta_dec^2."""
    for problem in layer.problems("decoder"):
        stated = stated_variance(problem, formula)
        if stated is None:
            yield Finding("a variance", problem.name, float("inf"), EXACT)
            continue
        yield from layer.decoder_variance_findings(problem, stated)
        if not isinstance(layer, DescentLayer) and layer.decoder_variance(problem) is None:
            yield from _last_minimiser(layer, problem, stated)


def _last_minimiser(layer: Layer, problem: Any, stated: Any) -> Iterator[Finding]:
    """Where many eta_dec^2 do equally well: the stated one does, and a larger one does not."""
    least = layer.least_loss(problem)
    agrees = []
    for variance in (stated, stated * 9 / 8):
        if not variance > 0:
            yield Finding("a variance", problem.name, float("inf"), EXACT)
            return
        logarithm = sympy.log(variance) if backend_of(problem) == "exact" else np.log(variance)
        loss = layer.least_loss(held_at(problem, variance)) + problem.d2 * logarithm / 2
        agrees.append(layer.difference("the loss", problem, loss, least).agrees)
    yield truth(problem, agrees == [True, False], True)


def stated_variance(problem: Any, formula: Basic) -> Any:
    """The least of the values over the admitted k; None where there is none, or one that is no number."""
    backend = backend_of(problem)
    number = sympy.Integer if backend == "exact" else np.float64
    known = {
        symbol: np.float64(value) if isinstance(value, float) else value
        for symbol, value in symbol_values(problem).items()
    }
    values = []
    for count in range(min(problem.d1, problem.dstar) + 1):
        value, admitted = evaluate(formula, known | {kept: number(count)}, backend)
        if bool(admitted):
            values.append(sympy.sympify(value) if backend == "exact" else value)
    finite = (value.is_real and value.is_finite if backend == "exact" else np.isfinite(value) for value in values)
    return min(values) if values and all(finite) else None


# --------------------------------------------------------------------------------------- what happens
def _collapses_where_it_is(layer: Layer, problem: Any) -> bool | None:
    """Whether the origin, with the prior's variances, is as good as the best point at the given eta_dec."""
    held = changed(layer, "given decoder").get(id(problem))
    if held is None:
        return None
    W, U, V = (np.zeros((rows, held.d1), dtype=held.A.dtype) for rows in (len(held.A), held.d2, held.d0))
    origin = Point(W, U, V, np.full(held.d1, held.eta_enc**2))
    return layer.difference("the origin", held, layer.loss(held, origin), layer.least_loss(held)).agrees


def _vanishes(layer: Layer, problem: Any) -> bool | None:
    small = changed(layer, "tiny beta").get(id(problem))
    return None if small is None else layer.unbounded(small)


def _learned_variance(layer: Layer, problem: Any) -> Any:
    if isinstance(layer, DescentLayer) and any(problem is each for each in family(layer, NEAR)):
        return near_variances(layer).get(id(problem))
    return layer.decoder_variance(problem)


def _all_kept(layer: Layer, problem: Any) -> bool | None:
    """Whether every mode that has a latent and a signal is there: among the singular values that descent ends with, or by the best
    eta_dec^2."""
    reached = [value for value in problem.spectrum[: problem.d1] if value > 0]
    if layer.unbounded(problem):
        return True
    variance = _learned_variance(layer, problem)
    if variance is None:
        return None
    if isinstance(layer, DescentLayer):
        return layer.minimum(problem).active(DESCENT_INVARIANT.value * float(problem.spectrum[0])) >= len(reached)
    tolerance = 0 if isinstance(layer, ExactLayer) else FLOAT64_IDENTITY.value
    return all(bool(value**2 - problem.beta * variance > tolerance * value**2) for value in reached)


HAPPENINGS: dict[Symbol, Callable[[Layer, Any], Any]] = {
    collapse_learned: lambda layer, problem: layer.collapses_completely(problem),
    collapse_fixed: _collapses_where_it_is,
    unbounded: lambda layer, problem: layer.unbounded(problem),
    vanishes: _vanishes,
    all_kept: _all_kept,
    learned_variance: _learned_variance,
    rank: lambda _, problem: sum(1 for value in problem.spectrum if value > 0),
}
"""What a layer finds for each symbol that is no scalar of the instance; None where it has not looked, or there are several."""


@cache
def _once(find: Callable[[Layer, Any], Any], layer: Layer, problem: Any) -> Any:
    return find(layer, problem)


def always(layer: Layer, formula: Basic, problems: Callable[[Layer], Sequence[Any]]) -> Iterator[Finding]:
    """A Boolean of scalars and of what happens holds at every instance of a kind."""
    descended = isinstance(layer, DescentLayer) and formula.has(learned_variance)
    tolerance = DESCENT_INVARIANT if descended else FLOAT64_IDENTITY
    asked = [symbol for symbol in HAPPENINGS if formula.has(symbol)]
    for problem in problems(layer):
        found = {symbol: _once(HAPPENINGS[symbol], layer, problem) for symbol in asked}
        if None in found.values():
            continue
        truths = {symbol: np.bool_(value) if isinstance(value, bool) else value for symbol, value in found.items()}
        holds = booleans.truth(formula, symbol_values(problem) | truths, backend_of(problem), tolerance)
        yield truth(problem, bool(holds), True)


def limit(layer: Layer, formula: Basic, problems: Callable[[Layer], Sequence[Any]], kind: str) -> Iterator[Finding]:
    """A Boolean of the scalars and of the limit at a small beta, with the encoder's variances learned, and unequal ones held."""
    yield from always(layer, formula, problems)
    if isinstance(layer, ExactLayer):
        return
    for problem, falls in held_limits(layer, kind).values():
        known = {vanishes: np.bool_(falls), rank: HAPPENINGS[rank](layer, problem)}
        holds = booleans.truth(formula, symbol_values(problem) | known, backend_of(problem), FLOAT64_IDENTITY)
        yield truth(problem, bool(holds), True)


def equal(layer: Layer) -> Sequence[Any]:
    """All zeta_i equal."""
    return family(layer, EQUAL)


def autoencoders(layer: Layer) -> Sequence[Any]:
    """y = x."""
    return family(layer, VAE)


def equal_autoencoders(layer: Layer) -> Sequence[Any]:
    """y = x, all positive eigenvalues of A equal."""
    return [problem for problem in autoencoders(layer) if len(set(problem.spectrum)) == 1]


def vanilla_autoencoders(layer: Layer) -> Sequence[Any]:
    """y = x and beta = 1."""
    return [problem for problem in autoencoders(layer) if problem.beta == 1]


CHECKS: dict[str, dict[str, Check]] = {
    "decoder_variance": everywhere(closed_form),
    "decoder_happening": everywhere(partial(always, problems=own)),
    "decoder_limit": everywhere(partial(limit, problems=own, kind=NEAR)),
    "decoder_limit_vae": everywhere(partial(limit, problems=autoencoders, kind=VAE)),
    "decoder_happening_vae": everywhere(partial(always, problems=autoencoders)),
    "decoder_happening_equal": everywhere(partial(always, problems=equal)),
    "decoder_vae": without_descent(partial(always, problems=autoencoders)),
    "decoder_vae_equal": everywhere(partial(always, problems=equal_autoencoders)),
    "decoder_vae_vanilla": everywhere(partial(always, problems=vanilla_autoencoders)),
}
