"""What the least loss and its derivatives in beta jump by where a mode collapses: from its values on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Bool, Float
from sympy import Basic

from derivations.exact_data import ExactData
from numerics.descent import minimise
from numerics.exact import ExactProblem
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import closed_form_minimum
from numerics.minimum import FAST
from numerics.observables.base import Check
from numerics.points import symbol_values
from numerics.problem import Problem
from numerics.tolerances import TRANSITION

MOST_PROBLEMS = 12
_STEP = 1 / 200
_NODES = np.arange(1, 6)
"""Values of beta on each side, in steps relative to the threshold: what a polynomial through five loses is below 1e-4."""
_ORDERS = ("loss", "slope in beta", "curvature in beta")


def transition(layer: Layer, formula: Basic, *, kind: str) -> Iterator[Finding]:
    """(jump of the least loss, of its slope, of its curvature) at the threshold of each mode."""
    for problem, mode, tied, threshold, found in _jumps(layer, kind):
        size = max(problem.d1, problem.dstar) + 1
        stated = evaluate(formula, symbol_values(problem), "numpy")
        for order, (quantity, part) in enumerate(zip(_ORDERS, stated, strict=True)):
            expected = tied * float(np.broadcast_to(part, size)[mode])
            # the mode's share of the loss is about beta/2, and beta's unit is the threshold
            unit = threshold ** (order - 1)
            apart = abs(found[order] - expected) * unit
            yield Finding(f"jump of the {quantity}", problem.name, float(apart), TRANSITION)


@lru_cache(maxsize=8)
def _jumps(layer: Layer, kind: str) -> Sequence[tuple[Problem, int, int, float, Float[np.ndarray, " orders"]]]:
    """(instance, mode, how many are tied with it, its threshold in beta, the three jumps there) as this layer finds them."""
    places = [(problem, mode) for problem in _problems(layer, kind) for mode in _modes(problem)]
    thresholds = [_threshold(problem, mode) for problem, mode in places]
    shifts = np.concatenate([-_NODES, _NODES]) * _STEP
    moved = [
        replace(problem, beta=threshold * (1 + shift), regimes=frozenset())
        for (problem, _), threshold in zip(places, thresholds, strict=True)
        for shift in shifts
    ]
    losses = _least_losses(layer, moved).reshape(len(places), 2, len(_NODES))
    found = []
    for (problem, mode), threshold, (below, above) in zip(places, thresholds, losses, strict=True):
        before, after = _derivatives(below, -threshold * _STEP), _derivatives(above, threshold * _STEP)
        found.append((problem, mode, int(_tied(problem, mode)[: problem.d1].sum()), threshold, after - before))
    return found


def _threshold(problem: Problem, mode: int) -> float:
    """Of a mode in beta; the instance's own beta for a mode without a signal, which has none."""
    singular = problem.spectrum[mode]
    return float(singular**2 / problem.eta_dec**2) if singular > 0 else problem.beta


def _tied(problem: Problem, mode: int) -> Bool[np.ndarray, " dstar"]:
    return np.isclose(problem.spectrum, problem.spectrum[mode], rtol=_STEP, atol=0)


def _problems(layer: Layer, kind: str) -> Sequence[Problem]:
    own = [problem for problem in layer.problems(kind) if "real-data" not in problem.regimes]
    return own[:MOST_PROBLEMS]


def _modes(problem: Problem) -> Iterator[int]:
    """One of each group of equal singular values that have a latent, where no other mode collapses nearby."""
    thresholds = problem.spectrum**2 / problem.eta_dec**2
    for mode in range(min(problem.d1, len(thresholds))):
        tied = _tied(problem, mode)
        others = thresholds[~tied] / _threshold(problem, mode)
        if not tied[:mode].any() and np.all(np.abs(others - 1) > 2 * _STEP * _NODES[-1]):
            yield mode


def _least_losses(layer: Layer, problems: Sequence[Problem]) -> Float[np.ndarray, " problems"]:
    if isinstance(layer, DescentLayer):
        found = minimise(problems, seed=layer.seed, device=layer.device, route=FAST)
        return np.array([minimum.loss for minimum in found])
    return np.array([layer.loss(problem, closed_form_minimum(problem)) for problem in problems])


def _derivatives(losses: Float[np.ndarray, " nodes"], step: float) -> Float[np.ndarray, " orders"]:
    """Value and first two derivatives, at 0, of the polynomial through the losses at multiples of a step."""
    coefficients = np.linalg.solve(np.vander(_NODES.astype(float), increasing=True), losses)
    return coefficients[:3] * np.array([1.0, 1.0, 2.0]) / step ** np.arange(3)


# ------------------------------------------------------------------------------------ in exact numbers
_PARTS = [(sympy.Rational(2 * k, k**2 + 1)) ** 2 for k in (2, 3, 4, 5)]
"""Values of beta below a threshold, in its units: squares, and so are what they leave of 1, for the sake of rational lengths."""


def exact_transition(layer: Layer, formula: Basic, *, kind: str) -> Iterator[Finding]:
    """The jumps stated, and the family that one mode's least loss in beta belongs to, give its values below the threshold.

    With rho = beta over the threshold an active mode's is o + a (rho - 1) + b h(rho), h being rho log rho where Sigma is learned
    and sqrt(rho) - 1 where it is the prior's. The jumps fix o, a and b; the values of four beta are compared.
    """
    for problem, tied, threshold, above, below in _exact_losses(layer, kind):
        size = max(problem.d1, problem.dstar) + 1
        stated = [
            np.broadcast_to(np.asarray(part), size) for part in evaluate(formula, symbol_values(problem), "exact")
        ]
        silent = [part[k] for part in stated for k in range(problem.dstar) if problem.spectrum[k] == 0]
        yield layer.difference("jumps of a mode without a signal", problem, [*silent, 0], 0)
        value, slope, curvature = (tied * part[0] * threshold**order for order, part in enumerate(stated))
        for rho, loss in zip(_PARTS, below, strict=True):
            if kind == "learned":
                b, bent = -curvature, rho * sympy.log(rho)
                a = -slope - b
            else:
                b, bent = 4 * curvature, sympy.sqrt(rho) - 1
                a = -slope - b / 2
            yield layer.difference("least loss", problem, above - value + a * (rho - 1) + b * bent, loss)


@lru_cache(maxsize=8)
def _exact_losses(layer: Layer, kind: str) -> Sequence[tuple[Any, int, Any, Any, list[Any]]]:
    """(instance, how many modes, their threshold in beta, the least loss above it, and below) where all modes with a latent and a
    signal are equal."""
    found = []
    for problem in layer.problems(kind):
        reached = problem.spectrum[: min(problem.d1, problem.dstar)]
        tied = sum(1 for value in reached if value == reached[0])
        if reached[0] == 0 or any(value not in (reached[0], 0) for value in reached):
            continue
        threshold = reached[0] ** 2 / problem.eta_dec**2
        above, *below = (layer.least_loss(_at_beta(problem, rho * threshold)) for rho in (sympy.S(2), *_PARTS))
        found.append((problem, tied, threshold, above, below))
    return found


def _at_beta(problem: ExactProblem, beta: Any) -> ExactProblem:
    data = problem.data
    return replace(problem, data=ExactData(replace(data.scalars, beta=beta), data.matrices, data.points))


def _on_every_layer(kind: str) -> dict[str, Check]:
    checks: dict[str, Check] = {"exact": partial(exact_transition, kind=kind)}
    return checks | dict.fromkeys(("numeric", "descent"), partial(transition, kind=kind))


CHECKS: dict[str, dict[str, Check]] = {
    "transition": _on_every_layer("learned"),
    "transition_at_prior": _on_every_layer("prior"),
}
