"""What the minimum of an instance is like, and pairs of instances that differ in one respect, for every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from jaxtyping import Shaped
from sympy import Basic

from derivations import situations as s
from derivations.exact_data import exact_data
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from derivations.notation import residual
from numerics.exact import ExactProblem
from numerics.lambdified import evaluate
from numerics.layers.base import Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.points import backend_of, lengths, padded, symbol_values
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.tolerances import COLLAPSED_MODE, DESCENT_INVARIANT

BASES = {"exact": 4, "numeric": 12, "descent": 12}
"""Instances of a layer's own that are changed, besides those of `derivations.situations.spread`."""

_DISCERNIBLE = 0.02
"""A relative change of the level by this changes lambda_i by half its square, 2e-4, where lambda_i is largest, at zeta_i/2."""

_GROWTH = 1.4
"""A norm that diverges as beta^(-1/4) grows by more than this where a small beta falls to a quarter; others by 1.01."""


@lru_cache(maxsize=256)
def pairs(layer: Layer, kind: str, kind_there: str, change: str) -> Sequence[tuple[Any, Any]]:
    """Instances of a kind, each with one of `kind_there` on the same data in which something is changed."""
    found = []
    for problem in bases(layer, kind):
        here = _scalars(problem)
        for there in s.CHANGES[change](here):
            if isinstance(layer, DescentLayer) and _is_indiscernible(here, there):
                continue
            found.append((problem, _variant(layer, problem, s.of_kind(there, kind_there), kind_there)))
    return found


def _is_indiscernible(here: Instance, there: Instance) -> bool:
    """Whether the level changes, but by less than descent can see in every length: at its largest one changes by the square."""
    levels = (float(sympy.sqrt(each.beta) * each.eta_dec) for each in (here, there))
    change = abs(next(levels) / next(levels) - 1)
    return DESCENT_INVARIANT.value < change < _DISCERNIBLE


@lru_cache(maxsize=64)
def bases(layer: Layer, kind: str) -> Sequence[Any]:
    """A layer's own instances of a kind, and those with three modes far apart."""
    own = [problem for problem in layer.problems(kind) if "real-data" not in getattr(problem, "regimes", ())]
    spread = [s.of_kind(instance, kind) for instance in s.spread()]
    further: list[Any]
    if isinstance(layer, ExactLayer):
        further = [
            ExactProblem(exact_data(instance, seed=k, kernel=k % 2), kind == s.LEARNED, f"spread-{kind}-{k}")
            for k, instance in enumerate(spread)
        ]
    else:
        further = [_planted(instance, kind, k) for k, instance in enumerate(spread)]
    return [*own[: BASES[layer.name]], *further]


def _planted(instance: Instance, kind: str, index: int) -> Problem:
    rng = np.random.default_rng([2022, index])
    return planted_problem(
        rng,
        D0=instance.d0 + index % 2,
        d2=instance.d2,
        d1=instance.d1,
        zeta=np.array(instance.zeta, dtype=np.float64),
        phi=rng.uniform(0.5, 2, instance.d0),
        residual=float(instance.residual) + index % 3,
        beta=float(instance.beta),
        eta_dec=float(instance.eta_dec),
        eta_enc=float(instance.eta_enc),
        sigma=None if kind == s.LEARNED else np.array(instance.sigma, dtype=np.float64),
        name=f"spread-{kind}-{index}",
    )


def _scalars(problem: Any) -> Instance:
    """The scalars of an instance, exact numbers or floating-point ones."""
    if isinstance(problem, ExactProblem):
        return problem.data.scalars
    number = sympy.Float
    sigma = problem.sigma if problem.sigma is not None else [problem.eta_enc] * problem.d1
    scales = {name: number(getattr(problem, name)) for name in ("beta", "eta_dec", "eta_enc")}
    return Instance(
        tuple(map(number, problem.spectrum)), tuple(map(number, sigma)), **scales, d0=problem.d0, d2=problem.d2
    )


_variants: dict[tuple[Any, ...], Any] = {}


def _variant(layer: Layer, problem: Any, scalars: Instance, kind: str) -> Any:
    """The same data with other scales, widths or standard deviations; the same object for the same change."""
    key = id(layer), id(problem), kind, scalars.beta, scalars.eta_dec, scalars.eta_enc, scalars.sigma
    if key not in _variants:
        _variants[key] = _changed(problem, scalars, kind)
    return _variants[key]


def _changed(problem: Any, scalars: Instance, kind: str) -> Any:
    if isinstance(problem, ExactProblem):
        return ExactProblem(replace(problem.data, scalars=scalars), kind == s.LEARNED, f"{problem.name}, changed")
    scales = {name: float(getattr(scalars, name)) for name in ("beta", "eta_dec", "eta_enc")}
    sigma = None if kind == s.LEARNED else np.array(scalars.sigma, dtype=np.float64)
    return replace(problem, **scales, sigma=sigma, d1=scalars.d1, name=f"{problem.name}, changed")


def facts(layer: Layer, problem: Any, kind: str, wanted: frozenset[Basic]) -> dict[Basic, Any]:
    """What the minimum of an instance is like, as this layer knows it: descent from where it ended, the others in closed form."""
    found = _of_descent(layer, problem) if isinstance(layer, DescentLayer) else dict(_lengths_in_closed_form(problem))
    modes = found[s.product]
    found[s.rank] = int(sum(bool(value > 0) for value in modes))
    found[s.rank_of_Z] = int(sum(bool(value > 0) for value in problem.spectrum))
    found[residual] = problem.r
    if s.least in wanted:
        found[s.least] = _least(layer, problem, kind)
    if s.diverges in wanted:
        found[s.diverges] = _diverges(layer, problem, kind)
    return found


def _least(layer: Layer, problem: Any, kind: str) -> Any:
    if isinstance(layer, ExactLayer):
        return evaluate(s.least_loss_of(kind), symbol_values(problem), "exact")
    return layer.least_loss(problem)


@lru_cache(maxsize=16384)
def _lengths_in_closed_form(problem: Any) -> dict[Basic, Any]:
    """The lengths of the minimum that the ledger has proved."""
    claims, size, backend = claims_by_id(), max(problem.d1, problem.dstar) + 1, backend_of(problem)
    name = "thm-2.minimum" if problem.learned else "prop-2.minimum"
    decoder, encoder = lengths(claims[name].standing.formula, problem)
    if problem.learned:
        stated = evaluate(claims["thm-2.variance"].standing.formula, symbol_values(problem), backend)
        standard = np.broadcast_to(np.asarray(stated), size)[: problem.d1]
    else:
        standard = np.sort(problem.sigma)
    zero = sympy.S.Zero if backend == "exact" else 0.0
    return {
        s.lam: padded(decoder, size, zero),
        s.theta: padded(encoder, size, zero),
        s.product: padded(decoder * encoder, size, zero),
        s.deviation: padded(standard, size, problem.eta_enc),
    }


def _of_descent(layer: DescentLayer, problem: Problem) -> dict[Basic, Any]:
    """Singular values where descent ended; a mode whose product is 0 within descent's resolution is collapsed."""
    minimum, size = layer.minimum(problem), max(problem.d1, problem.dstar) + 1
    alive = _spectrum(minimum.product, size) > COLLAPSED_MODE.value * max(1.0, float(problem.spectrum[0]))
    standard = np.sort(minimum.sigma)
    if problem.learned:
        standard = np.where(alive[: problem.d1], standard, problem.eta_enc)
    return {
        s.lam: np.where(alive, _spectrum(minimum.U, size), 0.0),
        s.theta: np.where(alive, _spectrum(minimum.V, size), 0.0),
        s.product: np.where(alive, _spectrum(minimum.product, size), 0.0),
        s.deviation: padded(standard, size, problem.eta_enc),
    }


def _spectrum(matrix: Shaped[np.ndarray, "rows columns"], size: int) -> Shaped[np.ndarray, " modes"]:
    found = np.linalg.svd(matrix, compute_uv=False)
    return np.concatenate([found, np.zeros(size)])[:size]


def _smaller(layer: Layer, problem: Any, kind: str) -> tuple[Any, Any]:
    """The instance with a small beta, and with a quarter of it."""
    small = s.small_beta(_scalars(problem))
    less = replace(small, beta=small.beta / 4)
    return _variant(layer, problem, small, kind), _variant(layer, problem, less, kind)


def smaller(layer: Layer, both: Sequence[tuple[Any, Any]], kind: str, kind_there: str) -> list[Any]:
    """The instances at whose minima one sees whether those of the pairs diverge."""
    wanted = [(here, kind) for here, _ in both] + [(there, kind_there) for _, there in both]
    return [less for problem, of in wanted for less in _smaller(layer, problem, of)]


def _diverges(layer: Layer, problem: Any, kind: str) -> bool:
    """Whether a layer's norm grows by more than `_GROWTH` as a small beta falls to a quarter."""
    less, least = _smaller(layer, problem, kind)
    before, after = (
        (_of_descent(layer, p) if isinstance(layer, DescentLayer) else _lengths_in_closed_form(p))
        for p in (less, least)
    )
    return any(bool(after[base][0] > _GROWTH * before[base][0]) for base in (s.lam, s.theta))
