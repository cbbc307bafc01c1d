"""Stationary points of Eq 6 at the prior's variances: put together from closed forms, or found where the slope vanishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from scipy.optimize import least_squares, linear_sum_assignment
from sympy import Basic

from derivations.stationary_points import lengths
from numerics.exact_modes import mode_point, unit
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import (
    curvature_scale,
    gradient_norm,
    origin_of,
    relative_distance,
)
from numerics.objective import FIXED_VARIANCES, Parameters, Statistics
from numerics.observables.base import Check
from numerics.points import Point, symbol_values
from numerics.problem import Problem
from numerics.tolerances import (
    CLOSED_FORM_GRADIENT,
    DESCENT_INVARIANT,
    EXACT,
    FLOAT64_IDENTITY,
)

MOST_PROBLEMS, MOST_CHOICES, STARTS = 24, 4, 4
_APART = 1 / 20
"""Singular values nearer to the threshold or, but for ties, to each other are left out of searches, which there end early."""
_SETTLED = 1e-15
"""Where a search stops: next to rounding."""


# ------------------------------------------------------------------------------------------ the points
def stationary_points(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(u_i v_i, what the mode adds): at points made of them, or against points that a search has found."""
    if isinstance(layer, DescentLayer):
        for problem, point in searched(layer):
            chosen, apart = matched(formula, problem, point)
            yield Finding("singular values of U V^T", problem.name, apart, DESCENT_INVARIANT)
            c = problem.beta * (problem.eta_dec / problem.eta_enc) ** 2
            left, right = problem.eta_enc**2 * point.U.T @ point.U, c * point.V.T @ point.V
            yield Finding("eta_enc^2 U^T U = c V^T V", problem.name, relative_distance(left, right), DESCENT_INVARIANT)
            gained = layer.loss(problem, point) - layer.loss(problem, origin_of(problem))
            gap = relative_distance(_gain(formula, problem, chosen), gained)
            yield Finding("loss", problem.name, gap, DESCENT_INVARIANT)
        return
    for problem, chosen in choices(layer):
        point = assembled(formula, problem, chosen)
        slope = float("inf")
        if np.all(np.isfinite(point.W)):
            size = 1 + float(np.linalg.norm(point.W) + np.linalg.norm(point.U))
            slope = gradient_norm(problem, point) / (curvature_scale(problem) * size)
        yield Finding("gradient", problem.name, slope, CLOSED_FORM_GRADIENT)
        gained = layer.loss(problem, point) - layer.loss(problem, origin_of(problem))
        yield Finding(
            "loss", problem.name, relative_distance(_gain(formula, problem, chosen), gained), FLOAT64_IDENTITY
        )


def _problems(layer: Layer) -> Iterator[Problem]:
    """Instances in which W is V, as they are and with one latent."""
    own = [each for each in layer.problems("prior") if "real-data" not in each.regimes]
    if isinstance(layer, DescentLayer):
        own = [problem for problem in own if _clear(problem)]
    for problem in own[:MOST_PROBLEMS]:
        white = replace(problem, A=np.eye(problem.d0), C=problem.Z, regimes=frozenset())
        yield white
        if problem.d1 > 1:
            yield replace(white, d1=1, sigma=np.array([problem.eta_enc]), name=f"{problem.name} with one latent")


def _clear(problem: Problem) -> bool:
    """Whether some mode is above the threshold, and all are well away from it and from each other, or tied."""
    relative = problem.spectrum / (np.sqrt(problem.beta) * problem.eta_dec)
    gaps = -np.diff(relative)
    tied = gaps <= FLOAT64_IDENTITY.value
    return bool(relative[0] > 1 and np.all(np.abs(relative - 1) > _APART) and np.all(tied | (gaps > _APART)))


def _above(problem: Any) -> list[int]:
    threshold = problem.beta * problem.eta_dec**2
    return [k for k in range(problem.dstar) if problem.spectrum[k] ** 2 > threshold]


def _some_choices(problem: Any) -> list[tuple[int, ...]]:
    """Sets of modes above the threshold, at most d1: the fullest, and others that are spread evenly."""
    above = _above(problem)
    every = [each for size in range(min(len(above), problem.d1), -1, -1) for each in combinations(above, size)]
    return every[:: max(1, -(-len(every) // MOST_CHOICES))]


@lru_cache(maxsize=4)
def choices(layer: Layer) -> Sequence[tuple[Problem, tuple[int, ...]]]:
    """(float64 instance, modes chosen, from 0)."""
    return [(problem, chosen) for problem in _problems(layer) for chosen in _some_choices(problem)]


def _by_mode(formula: Basic, problem: Any) -> Any:
    """The parts of a formula of zeta_i, mode by mode, (parts, dstar)."""
    size = max(problem.d1, problem.dstar) + 1
    parts = evaluate(formula, symbol_values(problem), "numpy")
    return [np.broadcast_to(np.asarray(part, dtype=float), size)[: problem.dstar] for part in parts]


def _gain(formula: Basic, problem: Problem, chosen: tuple[int, ...]) -> float:
    """L_VAE minus that of the origin, with these modes."""
    _, adds = _by_mode(formula, problem)
    return float(sum(adds[k] - problem.spectrum[k] ** 2 for k in chosen)) / (2 * problem.eta_dec**2)


def assembled(formula: Basic, problem: Problem, chosen: tuple[int, ...]) -> Point:
    """U = F Lambda and V = G Theta with these modes in the last latents."""
    c = problem.beta * (problem.eta_dec / problem.eta_enc) ** 2
    at = origin_of(problem)
    for latent, k in enumerate(chosen, problem.d1 - len(chosen)):
        u, v = lengths(sympy.Float(_by_mode(formula, problem)[0][k]), problem.eta_enc, c)
        at.U[:, latent], at.V[:, latent] = (
            singular[:, k] * (float(part) if part.is_real else np.nan)
            for singular, part in ((problem.F, u), (problem.G, v))
        )
    return replace(at, W=problem.P_A @ at.V)


# ------------------------------------------------------------------------------------ found by a search
@lru_cache(maxsize=4)
def searched(layer: DescentLayer) -> Sequence[tuple[Problem, Point]]:
    """Where the slope vanishes: |grad|^2 is brought down from random starts, which takes a search to saddles as to minima."""
    found = []
    for number, problem in enumerate(_problems(layer)):
        rng = np.random.default_rng([layer.seed, number])
        for _ in range(STARTS):
            point = _without_slope(problem, rng.standard_normal((problem.d0 + problem.d2) * problem.d1))
            if point is not None:
                found.append((problem, point))
    return found


def _without_slope(problem: Problem, start: Float[np.ndarray, " p"]) -> Point | None:
    """A point without slope, or None where the search ends at another minimum of |grad|^2."""
    assert problem.sigma is not None
    statistics, scale, log_variance = Statistics.arrays_of(problem), curvature_scale(problem), 2 * np.log(problem.sigma)

    def at(flat: Float[np.ndarray, " p"]) -> Parameters:
        W, U = np.split(flat, [problem.d0 * problem.d1])
        return Parameters(W.reshape(-1, problem.d1), U.reshape(-1, problem.d1), log_variance)

    def slope(flat: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        return np.asarray(FIXED_VARIANCES.flat(FIXED_VARIANCES.gradient(*at(flat), *statistics), 0)) / scale

    def bend(flat: Float[np.ndarray, " p"]) -> Float[np.ndarray, "p p"]:
        return np.asarray(FIXED_VARIANCES.hessian(*at(flat), *statistics))[: len(flat), : len(flat)] / scale

    ended = least_squares(slope, start, bend, ftol=None, xtol=_SETTLED, gtol=_SETTLED, max_nfev=200)
    if np.linalg.norm(ended.fun) > CLOSED_FORM_GRADIENT.value * (1 + np.linalg.norm(ended.x)):
        return None
    W, U, _ = at(ended.x)
    return Point(W, U, problem.P_A.T @ W, problem.sigma**2)


def matched(formula: Basic, problem: Problem, point: Point) -> tuple[tuple[int, ...], float]:
    """The modes above the threshold whose u_i v_i are nearest to the singular values of U V^T, and how far the farthest is."""
    products = np.linalg.svd(point.U @ point.V.T, compute_uv=False)
    products = products[products > DESCENT_INVARIANT.value * problem.spectrum[0]]
    above = _above(problem)
    stated = _by_mode(formula, problem)[0][above]
    if len(products) > len(above) or not np.all(np.isfinite(stated)):
        return (), float("inf")
    rows, columns = linear_sum_assignment(np.abs(products[:, None] - stated))
    chosen = sorted(above[column] for column in columns)
    return tuple(chosen), relative_distance(products[rows], stated[columns])


# ------------------------------------------------------------------------------------ in exact numbers
def exact_stationary_points(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The slope of the loss at points made of the formula, by differences, and the loss there."""
    for problem, chosen in exact_choices(layer):
        decoder, encoder = exact_lengths(formula, problem, chosen)
        if any(not entry.is_real for entry in (*decoder.flat, *encoder.flat)):
            yield Finding("lengths", problem.name, float("inf"), EXACT)
            continue
        at = layer.loss(problem, mode_point(problem, decoder, encoder))
        slopes = []
        for latent in range(problem.d1):
            for mode in range(problem.dstar):
                step = unit(problem, mode, latent)
                for u, v in ((1, 0), (0, 1)):
                    ahead, behind = (
                        layer.loss(problem, mode_point(problem, decoder + sign * u * step, encoder + sign * v * step))
                        for sign in (1, -1)
                    )
                    slopes.append(ahead - behind)  # the loss is quadratic in U and in V
        yield layer.difference("slope", problem, np.array(slopes, dtype=object), 0)
        origin = layer.loss(problem, mode_point(problem, 0 * decoder, 0 * encoder))
        adds = _exact_by_mode(formula.args[1], problem)
        gain = sum((adds[k] - problem.spectrum[k] ** 2 for k in chosen), sympy.S.Zero) / (2 * problem.eta_dec**2)
        yield layer.difference("loss", problem, origin + gain, at)


@lru_cache(maxsize=4)
def exact_choices(layer: Layer) -> Sequence[tuple[Any, tuple[int, ...]]]:
    """(exact instance, modes chosen, from 0)."""
    return [(problem, chosen) for problem in layer.problems("prior") for chosen in _some_choices(problem)]


def _exact_by_mode(formula: Basic, problem: Any) -> Any:
    size = max(problem.d1, problem.dstar) + 1
    return np.broadcast_to(np.asarray(evaluate(formula, symbol_values(problem), "exact")), size)


def exact_lengths(formula: Basic, problem: Any, chosen: tuple[int, ...]) -> tuple[Any, Any]:
    """Lambda and Theta with these modes in the first latents, (dstar, d1)."""
    products = _exact_by_mode(formula.args[0], problem)
    c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
    decoder = encoder = 0 * unit(problem, 0, 0)
    for latent, k in enumerate(chosen):
        u, v = lengths(sympy.sympify(products[k]), problem.eta_enc, c)
        decoder, encoder = decoder + u * unit(problem, k, latent), encoder + v * unit(problem, k, latent)
    return decoder, encoder


CHECKS: dict[str, dict[str, Check]] = {
    "stationary_points": {"exact": exact_stationary_points} | dict.fromkeys(("numeric", "descent"), stationary_points)
}
