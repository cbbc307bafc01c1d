"""Instances with a learned decoder variance, the same scalars for every layer, beside those that each layer has of its own.

All zeta_i equal, y = x (a VAE), and some next to every threshold of what happens; and instances with something changed: eta_dec
held where it is, or a tiny beta. None is forgotten while the process lives: layers know an instance by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import cycle, product
from typing import Any

import numpy as np
import sympy
from sympy import ImmutableDenseMatrix, Rational, diag

from derivations import notation as n
from derivations.exact_data import POINTS, ExactData, exact_data, rational_orthogonal
from derivations.instances import Instance
from numerics.exact import ExactProblem
from numerics.layers.base import Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.regimes import regimes_of

__all__ = ["EQUAL", "NEAR", "VAE", "changed", "family", "held_at", "held_limits", "near_variances", "own"]

EQUAL, VAE, NEAR = "all zeta_i equal", "y = x", "near thresholds"
TINY = Rational(1, 50)
"""What beta is multiplied by: that is below d2/rank Z for every instance, whose beta is at most a few times that."""
MOST_CHANGED = 40
"""Instances of its own that descent takes on once more, with something changed."""
EVERY = 5
"""Of the VAEs descent takes on one in so many once more."""
HELD = 12
"""Instances of a kind that are asked for the limit at a small beta with the encoder's variances held."""
_SMALL, _SMALLER = 1e-1, 1e-3
_RATIOS_HELD = (1.7, 0.6, 1.1)
"""sigma_i/eta_enc there, in turn."""

_SHAPES = ((1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 1), (2, 2, 3), (2, 3, 2), (3, 2, 1), (3, 4, 3))
"""(d0, d2, d1)."""
_RATIOS = (Rational(1, 2), Rational(1), Rational(3, 2), Rational(3))
_SPECTRA: tuple[tuple[Rational, ...], ...] = tuple(
    tuple(map(Rational, values))
    for values in (
        (1,), (2,), ("1/2",), (1, 1), (2, 2), (2, 1), (1, "1/2"), ("1/2", "1/2"), (1, 1, 1), (2, 1, 1), (1, 1, "1/4"), (4, 2, 1),
    )
)  # fmt: skip
_NEAR = (
    # zeta, r, beta, eta_dec, (d0, d2, d1): at, above or below the threshold at a given and that with a learned decoder variance
    (("1/2",), 0, "1/4", "3/2", (1, 1, 1)),
    (("1/2",), 0, 1, "1/2", (1, 2, 3)),
    (("1/2",), "1/4", "3/2", "1/2", (1, 3, 1)),
    (("1/2",), 1, "1/2", "2/3", (1, 3, 2)),
    (("1/2",), 0, 1, 2, (3, 1, 1)),
    (("1",), 1, "1/2", 3, (3, 1, 1)),
    (("3/2",), 4, "1/2", 2, (1, 2, 1)),
    (("2",), 0, 1, "1/2", (3, 1, 3)),
    (("2",), "1/4", "48/17", "3/2", (1, 3, 3)),
    (("1/2", "1/2"), 0, "1/4", 1, (3, 2, 2)),
    (("3/2", "1/2"), 0, "2/3", "3/2", (2, 2, 1)),
    (("3/2", "0"), 0, 2, "1/2", (2, 2, 1)),
    (("3/2", "1"), 0, "27/13", 3, (2, 3, 1)),
    (("2", "3/2"), 0, "5/4", 2, (3, 2, 2)),
    (("2", "3/2"), 0, "32/25", "2/3", (2, 2, 1)),
    (("2", "2"), 0, 1, "2/3", (2, 2, 2)),
    (("2", "2"), 0, 1, "2/3", (2, 2, 1)),
    (("3", "0"), 0, 3, "2/3", (2, 3, 1)),
    (("3", "1"), 0, "1/4", 3, (2, 3, 1)),
)


@lru_cache(maxsize=4)
def scalars_of(kind: str) -> tuple[tuple[Instance, int], ...]:
    """The scalars of a kind, each with D0 - d0."""
    one = sympy.S.One
    found = []
    if kind == NEAR:
        for zeta, r, weight, decoder, (d0, d2, d1) in _NEAR:
            singular, scale = tuple(map(Rational, zeta)), Rational(decoder)
            found.append((Instance(singular, (one,) * d1, Rational(weight), scale, one, d0, d2, Rational(r)), 0))
        return tuple(found)
    if kind == EQUAL:
        sizes = cycle((Rational(1), Rational(1, 2), Rational(2)))
        for (d0, d2, d1), ratio, r in product(_SHAPES, _RATIOS, (sympy.S.Zero, Rational(1, 4))):
            modes = min(d0, d2)
            zeta = (next(sizes),) * modes
            found.append((Instance(zeta, (one,) * d1, ratio * Rational(d2, modes), one, one, d0, d2, r), 0))
        return tuple(found)
    for zeta, kernel, d1 in product(_SPECTRA, (0, 1), (1, 3)):
        d0 = len(zeta)
        weights = {one, Rational(d0 + kernel, d0), Rational(d0 + kernel, d0) * Rational(2, 3), Rational(5, 4)}
        found += [
            (Instance(zeta, (one,) * d1, weight, one, one, d0, d0 + kernel), kernel) for weight in sorted(weights)
        ]
    return tuple(found)


@cache
def family(layer: Layer, kind: str) -> Sequence[Any]:
    """The instances of a kind as this layer's problems; descent minimises them at once."""
    exact = isinstance(layer, ExactLayer)
    made: list[Any] = [
        (_exact if exact else _planted)(kind, scalars, kernel, index)
        for index, (scalars, kernel) in enumerate(scalars_of(kind))
    ]
    if isinstance(layer, DescentLayer):
        layer.descend(made)
    return made


def _exact(kind: str, scalars: Instance, kernel: int, index: int) -> ExactProblem:
    data = autoencoder_data(scalars, index, kernel) if kind == VAE else exact_data(scalars, index, kernel)
    return ExactProblem(data, True, f"exact, {kind}, {index}", learned_decoder=True)


def autoencoder_data(scalars: Instance, seed: int, kernel: int) -> ExactData:
    """Rational data with y = x whose A has the positive eigenvalues zeta_i^2 and a null space of dimension `kernel`."""
    d0 = scalars.d0
    basis, mixing = rational_orthogonal(d0 + kernel, seed), rational_orthogonal(POINTS, seed + 1)
    P_A, roots = basis[:, :d0], diag(*scalars.zeta)
    A = P_A * roots**2 * P_A.T
    stretched = ImmutableDenseMatrix(d0 + kernel, d0, lambda row, column: roots[row, column] if row < d0 else 0)
    inputs = [2 * P_A * roots * mixing[:d0, k] for k in range(POINTS)]
    matrices = {
        n.P_A: P_A, n.Phi: roots**2, n.A: A, n.C: A, n.S_y: A, n.Z: P_A * roots, n.F: basis, n.S_Z: stretched,
        n.G: sympy.eye(d0),
    }  # fmt: skip
    points = tuple((ImmutableDenseMatrix(x), ImmutableDenseMatrix(x)) for x in inputs)
    return ExactData(scalars, {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in matrices.items()}, points)


def _planted(kind: str, scalars: Instance, kernel: int, index: int) -> Problem:
    zeta = np.array([float(value) for value in scalars.zeta])
    rng = np.random.default_rng([len(kind), index])
    return planted_problem(
        rng,
        D0=scalars.d0 + kernel,
        d2=scalars.d2,
        d1=scalars.d1,
        zeta=zeta,
        phi=zeta**2 if kind == VAE else rng.uniform(0.5, 2, scalars.d0),
        residual=float(scalars.residual),
        autoencoder=kind == VAE,
        beta=float(scalars.beta),
        eta_dec=float(scalars.eta_dec),
        eta_enc=float(scalars.eta_enc),
        learned_decoder=True,
        name=f"{kind}, {index}",
    )


def own(layer: Layer) -> Sequence[Any]:
    """A layer's own instances, and those near thresholds."""
    return [*family(layer, NEAR), *layer.problems("decoder")]


@cache
def changed(layer: Layer, change: str) -> dict[int, Any]:
    """By the id of each of `own` the same one with a "given decoder", or of these and the VAEs with a "tiny beta"; descent takes on
    some."""
    problems, others = own(layer), family(layer, VAE) if change == "tiny beta" else []
    if isinstance(layer, DescentLayer):
        problems, others = problems[: len(_NEAR) + MOST_CHANGED], others[::EVERY]
    problems = [*problems, *others]
    variants = [_given(problem) if change == "given decoder" else _tiny(problem) for problem in problems]
    if isinstance(layer, DescentLayer):
        layer.descend(variants)
    return {id(problem): variant for problem, variant in zip(problems, variants, strict=True)}


@cache
def held_limits(layer: FloatLayer, kind: str) -> dict[int, tuple[Any, bool]]:
    """Instances of a kind with unequal standard deviations of the encoder held, and whether the learned eta_dec^2 falls with beta:
    to less than a tenth between a small beta and a hundredth of it."""
    problems = family(layer, kind)[:: max(1, len(family(layer, kind)) // HELD)]
    pairs = [[_held(problem, beta) for beta in (_SMALL, _SMALLER)] for problem in problems]
    if isinstance(layer, DescentLayer):
        layer.descend([each for pair in pairs for each in pair])
    found = {}
    for small, smaller in pairs:
        first, second = (_variance(layer, each) for each in (small, smaller))
        found[id(smaller)] = smaller, second < first / 10
    return found


def _held(problem: Problem, beta: float) -> Problem:
    sigma = problem.eta_enc * np.resize(_RATIOS_HELD, problem.d1)
    found: Problem = _altered(problem, f", Sigma held, beta = {beta}", sigma=sigma, beta=beta)
    return found


def _variance(layer: FloatLayer, problem: Problem) -> float:
    """eta_dec^2 where the layer finds the least loss, which there is."""
    if isinstance(layer, DescentLayer):
        return layer.minimum(problem).eta_dec ** 2
    found = layer.decoder_variance(problem)
    assert found is not None
    return float(found)


def _given(problem: Any) -> Any:
    return _altered(problem, ", eta_dec given", learned_decoder=False)


def _tiny(problem: Any) -> Any:
    if isinstance(problem, ExactProblem):
        return _with_scalars(problem, ", tiny beta", beta=problem.beta * TINY)
    return _altered(problem, ", tiny beta", beta=problem.beta * float(TINY))


@cache
def held_at(problem: Any, variance: Any) -> Any:
    """The same instance with eta_dec^2 held at a value."""
    if isinstance(problem, ExactProblem):
        return _given(_with_scalars(problem, f" at {variance}", eta_dec=sympy.sqrt(variance)))
    return _altered(problem, f", eta_dec^2 = {variance}", learned_decoder=False, eta_dec=float(np.sqrt(variance)))


def _altered(problem: Any, name: str, **fields: Any) -> Any:
    found = replace(problem, name=problem.name + name, **fields)
    return replace(found, regimes=regimes_of(found)) if isinstance(found, Problem) else found


def _with_scalars(problem: ExactProblem, name: str, **scalars: sympy.Expr) -> ExactProblem:
    data = problem.data
    changed = ExactData(replace(data.scalars, **scalars), data.matrices, data.points)
    return _altered(problem, name, data=changed)


@cache
def near_variances(layer: DescentLayer) -> dict[int, float]:
    """eta_dec^2 where descent ended for the instances near thresholds, by id; without those where half eta_dec does as well."""
    minima = [layer.minimum(problem) for problem in family(layer, NEAR)]
    kept = [minimum for minimum in minima if not minimum.diverged]
    halves = [held_at(minimum.problem, (minimum.eta_dec / 2) ** 2) for minimum in kept]
    layer.descend(halves)
    found = {id(minimum.problem): 0.0 for minimum in minima if minimum.diverged}
    for minimum, half in zip(kept, halves, strict=True):
        loss = layer.least_loss(half) + minimum.problem.d2 * float(np.log(half.eta_dec))
        if not layer.difference("the loss", half, loss, minimum.loss).agrees:
            found[id(minimum.problem)] = minimum.eta_dec**2
    return found
