"""Two layers in place of one in the decoder or the encoder: the Hessian at the origin, and whether that is a local minimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from sympy import Basic

from derivations.theorem_3_origin import is_local
from numerics.exact_modes import exact_point
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import relative_distance
from numerics.objective import Statistics, vae_loss
from numerics.observables.base import Check, without_descent
from numerics.observables.gradient_flow import whitened
from numerics.observables.minima import truth
from numerics.points import Point, backend_of, symbol_values
from numerics.problem import Problem
from numerics.tolerances import DESCENT_GAP, FLOAT64_IDENTITY

MOST_PROBLEMS, DIRECTIONS, STARTS = 16, 3, 3
WIDTH = 2
"""Units between the two layers."""
_BELOW, _ABOVE = 5 / 6, 2
"""zeta_1 over its threshold in float64, but where it is 1: little above it descent ends at the origin, within rounding, as the
loss falls in fourth order there and by little."""
_SMALL = 3 / 10
"""The standard deviation of the entries that descent starts from."""
_TO_THE_END = {"ftol": 0, "gtol": 1e-30, "maxiter": 500}
"""As far as float64 reaches: at the origin the slope is of third order."""
DECODER, ENCODER = "decoder", "encoder"


# -------------------------------------------------------------------------------------------- curvature
def depth_curvature(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(2c, 2 sigma_i^2): all there is in the Hessian of Eq 6 at the origin."""
    for problem in whitened(layer):
        for which, stated in zip((DECODER, ENCODER), _by_latent(formula, problem), strict=True):
            found = _hessian(problem, which)
            alone = np.ones((problem.d0 if which == DECODER else problem.d2, problem.d1)) * stated
            expected = np.diag(np.concatenate([np.zeros(len(found) - alone.size), alone.ravel()]))
            residual = relative_distance(expected, found)
            yield Finding(f"Hessian, two layers of the {which}", problem.name, residual, FLOAT64_IDENTITY)


def _by_latent(formula: Basic, problem: Any) -> list[Any]:
    size = max(problem.d1, problem.dstar) + 1
    parts = evaluate(formula, symbol_values(problem), backend_of(problem))
    return [np.broadcast_to(np.asarray(part), size)[: problem.d1] for part in parts]


@lru_cache(maxsize=256)
def _hessian(problem: Problem, which: str) -> Float[np.ndarray, "p p"]:
    """Of Eq 6 in the two layers and the one that is alone, in this order, by automatic differentiation."""
    statistics = Statistics.of(problem)
    assert problem.sigma is not None
    log_variance = 2 * torch.tensor(problem.sigma).log()
    rows, alone = (problem.d2, problem.d0) if which == DECODER else (problem.d0, problem.d2)
    shapes = [(rows, WIDTH), (WIDTH, problem.d1), (alone, problem.d1)]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        parts = flat.split([a * b for a, b in shapes])
        outer, inner, other = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        deep = outer @ inner
        W, U = (other, deep) if which == DECODER else (deep, other)
        return 2 * problem.eta_dec**2 * vae_loss(W, U, log_variance, *statistics)

    origin = torch.zeros(sum(a * b for a, b in shapes), dtype=torch.float64)
    return np.asarray(torch.autograd.functional.hessian(loss, origin))


def exact_depth_curvature(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The Hessian along integer directions, from values of the loss, which along a ray is a polynomial of sixth order."""
    for problem in layer.problems("fixed")[:MOST_PROBLEMS]:
        for which, stated in zip((DECODER, ENCODER), _by_latent(formula, problem), strict=True):
            found = _exact_curvatures(layer, problem, which)
            expected = [(alone**2 * stated).sum() for alone, _ in found]
            yield layer.difference(
                f"Hessian, two layers of the {which}", problem, expected, [bent for _, bent in found]
            )


@lru_cache(maxsize=256)
def _exact_curvatures(layer: Layer, problem: Any, which: str) -> list[tuple[Any, Any]]:
    """(direction in the layer that is alone, curvature of Eq 6 at the origin) along random directions in all three."""
    rng = np.random.default_rng(problem.d1)
    rows, alone = (problem.d2, problem.d0) if which == DECODER else (problem.d0, problem.d2)

    def integers(*shape: int) -> Any:
        return np.array([sympy.Integer(int(k)) for k in rng.integers(-2, 3, shape).flat], dtype=object).reshape(shape)

    found = []
    for _ in range(DIRECTIONS):
        deep = integers(rows, WIDTH) @ integers(WIDTH, problem.d1)
        other = integers(alone, problem.d1)

        def loss(s: int, deep: Any = deep, other: Any = other) -> Any:
            U, V = (s**2 * deep, s * other) if which == DECODER else (s * other, s**2 * deep)
            return layer.loss(problem, exact_point(problem, U, V))

        sums = [loss(s) + loss(-s) - 2 * loss(0) for s in (1, 2, 3)]
        second = sympy.Rational(3, 2) * sums[0] - sympy.Rational(3, 20) * sums[1] + sympy.Rational(1, 90) * sums[2]
        found.append((other, 2 * problem.eta_dec**2 * second))
    return found


# ------------------------------------------------------------------------------------- local minimum
def depth_minimum(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of whether the origin is a local minimum with two layers each: it always holds."""
    for problem in _problems(layer):
        local = _is_local(layer, problem)
        if local is None:
            yield Finding("lower nearby, or nowhere", problem.name, float("inf"), FLOAT64_IDENTITY)
            continue
        values: dict[Any, Any] = symbol_values(problem) | {is_local: local}
        yield truth(problem, bool(evaluate(formula, values, backend_of(problem))), True)


def _problems(layer: Layer) -> Sequence[Any]:
    """Exact instances; in float64 those at the threshold and well away from it, and some with another beta on either side."""
    own = layer.problems("fixed")
    return own if layer.name == "exact" else _float_problems(layer)


@lru_cache(maxsize=4)
def _float_problems(layer: Layer) -> Sequence[Problem]:
    own = [problem for problem in layer.problems("fixed") if "real-data" not in problem.regimes]
    ratios = [problem.spectrum[0] / _threshold(problem) for problem in own]
    at_threshold = [each for each, ratio in zip(own, ratios, strict=True) if ratio == 1]
    told = [each for each, ratio in zip(own, ratios, strict=True) if not _BELOW < ratio < _ABOVE]
    found = at_threshold[:MOST_PROBLEMS] + told[:: 1 + len(told) // MOST_PROBLEMS]
    signals = [problem for problem in own if problem.spectrum[0] > 0]
    for problem in signals[:: 1 + len(signals) // MOST_PROBLEMS]:
        for factor in (_BELOW, _ABOVE):
            beta = problem.beta * (problem.spectrum[0] / (factor * _threshold(problem))) ** 2
            found.append(replace(problem, beta=float(beta), name=f"{problem.name} at {factor:g} times its threshold"))
    return found


def _threshold(problem: Problem) -> float:
    """What zeta_1 may not be above for the origin to be a minimum."""
    assert problem.sigma is not None
    return float(problem.sigma.min() * np.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc)


@lru_cache(maxsize=4096)
def _is_local(layer: Layer, problem: Any) -> bool | None:
    """By the layer's own means; None where it finds neither a lower point nearby nor that there is none anywhere."""
    if isinstance(layer, DescentLayer):
        return not _descends(problem, layer.seed)
    if layer.origin_gap(problem) == 0:
        return True
    origin = layer.loss(problem, _on_path(problem, 0 * problem.eta_enc))
    steps: Callable[[int], Any] = sympy.Rational(1, 2).__pow__ if layer.name == "exact" else (0.5).__pow__
    lower = any(layer.loss(problem, _on_path(problem, steps(k))) < origin for k in range(2, 12))
    return False if lower else None


def _on_path(problem: Any, s: Any) -> Point:
    """U = (s f_1) (s a^T) and V = (s g_1 zeta_1/c) (s a^T), a being the latent of the least sigma."""
    a = np.array([s if k == int(np.argmin(problem.sigma)) else 0 * s for k in range(problem.d1)])
    U = np.outer(s * problem.F[:, 0], a)
    c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
    V = np.outer(s * problem.G[:, 0] * (problem.spectrum[0] / c), a)
    if isinstance(problem, Problem):
        assert problem.sigma is not None
        return Point(problem.P_A @ (V / np.sqrt(problem.phi)[:, None]), U, V, problem.sigma**2)
    return exact_point(problem, U, V)


def _descends(problem: Problem, seed: int) -> bool:
    """Whether descent in four layers leads below the origin from some small random start."""
    width = problem.d1 + 1
    shapes = [(problem.d2, width), (width, problem.d1), (problem.D0, width), (width, problem.d1)]
    places = np.cumsum([a * b for a, b in shapes])

    def risen(flat: Float[np.ndarray, " p"]) -> tuple[float, Float[np.ndarray, " p"]]:
        parts = np.split(flat, places[:-1])
        outer, inner, first, second = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        value, to_W, to_U = _above_origin(problem, first @ second, outer @ inner)
        slopes = (to_U @ inner.T, outer.T @ to_U, to_W @ second.T, first.T @ to_W)
        return value, np.concatenate([slope.ravel() for slope in slopes])

    rng = np.random.default_rng([seed, places[-1]])
    lowest = (
        minimize(risen, _SMALL * rng.standard_normal(places[-1]), jac=True, method="L-BFGS-B", options=_TO_THE_END).fun
        for _ in range(STARTS)
    )
    return any(value < -DESCENT_GAP.value * problem.y2 for value in lowest)


def _above_origin(
    problem: Problem, W: Float[np.ndarray, "D0 d1"], U: Float[np.ndarray, "d2 d1"]
) -> tuple[float, Float[np.ndarray, "D0 d1"], Float[np.ndarray, "d2 d1"]]:
    """2 eta_dec^2 times what L_VAE is above its value at the origin, free of its rounding, and the gradients of that."""
    assert problem.sigma is not None
    c, variance = problem.beta * (problem.eta_dec / problem.eta_enc) ** 2, problem.sigma**2
    AW, CW = problem.A @ W, problem.C @ W
    code = W.T @ AW
    both = U @ code + U * variance
    value = float((U * (both - 2 * CW)).sum() + c * np.trace(code))
    return value, 2 * (AW @ (U.T @ U) - problem.C.T @ U + c * AW), 2 * (both - CW)


CHECKS: dict[str, dict[str, Check]] = {
    "depth_curvature": without_descent(depth_curvature) | {"exact": exact_depth_curvature},
    "depth_minimum": dict.fromkeys(("exact", "numeric", "descent"), depth_minimum),
}
