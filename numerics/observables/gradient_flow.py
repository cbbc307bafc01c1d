"""Gradient flow of Eq 6 in U and V: how fast it leaves the origin, and how the singular values of U V^T move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from scipy.integrate import solve_ivp
from sympy import Basic

from derivations import notation as n
from derivations.gradient_flow import product
from numerics.exact_modes import curvatures, eigenvalues, mode_point, unit
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import certificate_at, origin_of, relative_distance
from numerics.objective import Parameters, Statistics, vae_gradient
from numerics.observables.base import Check
from numerics.points import padded, symbol_values
from numerics.problem import Problem
from numerics.tolerances import FLOAT64_IDENTITY, FLOW

MOST_PROBLEMS = 16
_LONG = 2000
"""Steps from a small start, each a unit of time, which is one over the fastest rate."""
_ACCURACY = 1e-10
"""Of the integration, relative and absolute."""
_SMALL = 1e-6
"""The length of parameters next to the origin, where the loss is of second order to twelve digits."""


def growth(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The fastest growth: by the Hessian at the origin, or of what gradient flow has made of a small random start."""
    for problem, found in _growths(layer):
        stated, fastest = float(evaluate(formula, symbol_values(problem), "numpy")), _fastest(problem)
        tolerance = FLOW if isinstance(layer, DescentLayer) else FLOAT64_IDENTITY
        yield Finding("growth rate", problem.name, relative_distance(stated / fastest, found / fastest), tolerance)


@lru_cache(maxsize=4)
def _growths(layer: Layer) -> Sequence[tuple[Problem, float]]:
    if isinstance(layer, DescentLayer):
        return [(problem, _growth_of_a_start(problem, layer.seed)) for problem in whitened(layer)]
    lowest = [certificate_at(each, origin_of(each)).smallest_hessian_eigenvalue for each in whitened(layer)]
    return [(each, -(each.eta_dec**2) * value) for each, value in zip(whitened(layer), lowest, strict=True)]


def velocity(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """m' of each mode where sigma^2 = c and u = v: at random m, or how far gradient flow brings them."""
    for problem, start, found in _movements(layer):
        if isinstance(layer, DescentLayer):
            stated = _integrated(partial(_stated, formula, problem), start, problem)
            tolerance = FLOW
        else:
            stated, tolerance = _stated(formula, problem, start), FLOAT64_IDENTITY
        yield Finding("velocity of the modes", problem.name, relative_distance(stated, found), tolerance)


@lru_cache(maxsize=4)
def _movements(layer: Layer) -> Sequence[tuple[Problem, Float[np.ndarray, " modes"], Float[np.ndarray, " modes"]]]:
    """(instance, m of its modes, their velocity there, or by descent where a unit of time brings them)."""
    found = []
    for problem in _balanced(layer):
        modes = min(problem.d1, problem.dstar)
        start = problem.spectrum[:modes] * np.random.default_rng(problem.d1).uniform(0.1, 1.2, modes)
        at = _at_products(problem, start)
        if isinstance(layer, DescentLayer):
            at = _followed(problem, at)
            moved = at.U @ at.W.T
        else:
            slope_W, slope_U = _flow(problem, at)
            moved = slope_U @ at.W.T + at.U @ slope_W.T
        found.append((problem, start, np.diagonal(problem.F.T @ moved @ problem.P_A @ problem.G)[:modes]))
    return found


def whitened(layer: Layer) -> Sequence[Problem]:
    """Instances in which W is V."""
    own = [problem for problem in layer.problems("fixed") if "real-data" not in problem.regimes][:MOST_PROBLEMS]
    return [replace(problem, A=np.eye(problem.d0), C=problem.Z, regimes=frozenset()) for problem in own]


def _balanced(layer: Layer) -> Iterator[Problem]:
    """The same with sigma_i^2 = beta eta_dec^2/eta_enc^2."""
    for problem in whitened(layer):
        deviation = np.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc
        yield replace(problem, sigma=np.full(problem.d1, deviation))


def _fastest(problem: Problem) -> float:
    """No rate is larger: half of what bounds the Hessian of Eq 6 near the minimum."""
    assert problem.sigma is not None
    return float(
        problem.spectrum[0] + problem.sigma.max() ** 2 + problem.beta * (problem.eta_dec / problem.eta_enc) ** 2
    )


def _flow(problem: Problem, at: Parameters) -> tuple[Float[np.ndarray, "d0 d1"], Float[np.ndarray, "d2 d1"]]:
    """(W', U') of theta' = -grad(Eq 6)/2, which is -eta_dec^2 times the gradient of L_VAE."""
    slope = vae_gradient(*at, *Statistics.arrays_of(problem))
    rate = -(problem.eta_dec**2)
    return rate * slope.W, rate * slope.U


def _growth_of_a_start(problem: Problem, seed: int) -> float:
    """x.x'/x.x after a long time, x being kept small."""
    assert problem.sigma is not None
    rng, step = np.random.default_rng([seed, problem.d1]), 1 / _fastest(problem)
    W, U = (rng.standard_normal((rows, problem.d1)) for rows in (problem.d0, problem.d2))
    at = Parameters(W, U, 2 * np.log(problem.sigma))
    for _ in range(_LONG):
        slope_W, slope_U = _flow(problem, at)
        # of no rate but the largest is the order of the step
        W, U = at.W + step * slope_W, at.U + step * slope_U
        size = np.sqrt((W**2).sum() + (U**2).sum()) / _SMALL
        at = at._replace(W=W / size, U=U / size)
    slope_W, slope_U = _flow(problem, at)
    return float(((at.W * slope_W).sum() + (at.U * slope_U).sum()) / ((at.W**2).sum() + (at.U**2).sum()))


def _at_products(problem: Problem, products: Float[np.ndarray, " modes"]) -> Parameters:
    """U = F sqrt(m), V = G sqrt(m)."""
    assert problem.sigma is not None
    W, U = np.zeros((problem.d0, problem.d1)), np.zeros((problem.d2, problem.d1))
    modes, root = len(products), np.sqrt(products)
    W[:, :modes], U[:, :modes] = problem.P_A @ problem.G[:, :modes] * root, problem.F[:, :modes] * root
    return Parameters(W, U, 2 * np.log(problem.sigma))


def _stated(formula: Basic, problem: Problem, products: Float[np.ndarray, " modes"]) -> Float[np.ndarray, " modes"]:
    size = max(problem.d1, problem.dstar) + 1
    values: dict[Any, Any] = symbol_values(problem) | {product: np.pad(products, (0, size - len(products)))}
    return np.broadcast_to(np.asarray(evaluate(formula, values, "numpy")), size)[: len(products)]


def _followed(problem: Problem, at: Parameters) -> Parameters:
    """Where gradient flow leads in a unit of time."""
    shapes = [at.W.shape, at.U.shape]

    def point(flat: Float[np.ndarray, " p"]) -> Parameters:
        W, U = np.split(flat, [at.W.size])
        return Parameters(W.reshape(shapes[0]), U.reshape(shapes[1]), at.log_variance)

    def slope(flat: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        return np.concatenate([part.ravel() for part in _flow(problem, point(flat))])

    return point(_integrated(slope, np.concatenate([at.W.ravel(), at.U.ravel()]), problem))


def _integrated(
    slope: Callable[[Float[np.ndarray, " p"]], Float[np.ndarray, " p"]],
    start: Float[np.ndarray, " p"],
    problem: Problem,
) -> Float[np.ndarray, " p"]:
    """Where x' = slope(x) leads in a unit of time; not a number where it does not go on so long."""
    found = solve_ivp(
        lambda _, at: slope(at), (0, 1 / _fastest(problem)), start, method="DOP853", rtol=_ACCURACY, atol=_ACCURACY
    )
    return found.y[:, -1] if found.success else np.full(len(start), np.nan)


# ------------------------------------------------------------------------------------ in exact numbers
def exact_growth(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The fastest growth: of each mode with each latent, from the loss next to the origin."""
    for problem, fastest in _exact_growths(layer):
        stated = evaluate(formula, symbol_values(problem), "exact")
        yield layer.difference("growth rate", problem, stated, fastest)


@lru_cache(maxsize=4)
def _exact_growths(layer: Layer) -> Sequence[tuple[Any, Any]]:
    found = []
    for problem in layer.problems("fixed")[:MOST_PROBLEMS]:
        origin = 0 * unit(problem, 0, 0)
        bends = [
            eigenvalues(*curvatures(layer, problem, origin, origin, mode, latent))[0]
            for mode in range(problem.dstar)
            for latent in range(problem.d1)
        ]
        found.append((problem, -(problem.eta_dec**2) * min(bends, key=float)))
    return found


def exact_velocity(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """m' of each mode, by central differences of the loss, which is quadratic in U and in W."""
    for problem, products, found in _exact_movements(layer):
        size = max(problem.d1, problem.dstar) + 1
        deviation = sympy.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc
        known: dict[Any, Any] = dict.fromkeys(
            (n.sigma, n.sigma_sorted), padded(np.full(problem.d1, deviation, dtype=object), size, problem.eta_enc)
        )
        known[product] = np.array([*products, *[sympy.S.Zero] * (size - len(products))], dtype=object)
        stated = np.broadcast_to(np.asarray(evaluate(formula, symbol_values(problem) | known, "exact")), size)
        yield layer.difference("velocity of the modes", problem, stated[: len(products)], found)


@lru_cache(maxsize=4)
def _exact_movements(layer: Layer) -> Sequence[tuple[Any, list[Any], Any]]:
    """(instance with sigma^2 = c, m of its modes, their velocity there)."""
    found = []
    for problem in layer.problems("fixed")[:MOST_PROBLEMS]:
        roots = [sympy.Rational(k + 1, 2) for k in range(min(problem.d1, problem.dstar))]
        at = sum(root * unit(problem, k, k) for k, root in enumerate(roots))
        c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
        variance = np.full(problem.d1, c, dtype=object)

        def loss(decoder: Any, encoder: Any, problem: Any = problem, variance: Any = variance) -> Any:
            return layer.loss(problem, mode_point(problem, decoder, encoder, variance))

        velocities = []
        for k, root in enumerate(roots):
            step = unit(problem, k, k)
            slope_u, slope_v = loss(at + step, at) - loss(at - step, at), loss(at, at + step) - loss(at, at - step)
            velocities.append(-(problem.eta_dec**2) / 2 * root * (slope_u + slope_v))
        found.append((problem, [root**2 for root in roots], np.array(velocities, dtype=object)))
    return found


def _on_every_layer(floats: Check, exact: Check) -> dict[str, Check]:
    return {"exact": exact} | dict.fromkeys(("numeric", "descent"), floats)


CHECKS: dict[str, dict[str, Check]] = {
    "growth": _on_every_layer(growth, exact_growth),
    "velocity": _on_every_layer(velocity, exact_velocity),
}
