"""What the figures show: the least loss of linear models and of all models on Gaussian data, Tanh units, and MNIST."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import flint
import numpy as np
import sympy
from jaxtyping import Float
from sympy import Basic, Rational, Symbol

from derivations import notation as n
from derivations.enclosures import Remaining
from derivations.errors import DataUnavailable
from derivations.figures import MNIST
from derivations.tanh_networks import scale, width
from numerics.descent import minimise
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer, certificate_findings, loss_findings
from numerics.layers.floating import FloatLayer
from numerics.minimum import Minimum
from numerics.mnist import mnist_moments, mnist_problem
from numerics.observables.base import Check, everywhere
from numerics.observables.minima import truth
from numerics.observables.trained import training_findings
from numerics.points import backend_of, symbol_values
from numerics.problem import Problem
from numerics.scalar_codes import one_bit_codes, smooth_codes
from numerics.tolerances import DESCENT_INVARIANT, EXACT

_REGRESSIONS = 24


# ------------------------------------------------------------------------------------------------- linear models
def linear_least_loss(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A closed form of the least L_VAE with learned variances; by descent also on regressions like those of section 5."""
    for problem in layer.problems("learned"):
        yield from _compared(layer, problem, _loss(formula, problem), layer.least_loss(problem))
    if isinstance(layer, DescentLayer):
        for minimum in _regressions(layer.seed, layer.device):
            yield from _compared(layer, minimum.problem, _loss(formula, minimum.problem), minimum.loss)
            yield from certificate_findings(minimum)


def _compared(layer: Layer, problem: Any, stated: Any, found: Any) -> Iterator[Finding]:
    """Descent may end above the least loss by what it leaves undone, below it by rounding only."""
    if isinstance(layer, DescentLayer) and np.isfinite(stated):
        yield from loss_findings(problem.name, found, stated)
    else:
        yield layer.difference("least L_VAE", problem, stated, found)


def _loss(formula: Basic, problem: Any) -> Any:
    return evaluate(formula, symbol_values(problem) | {n.residual: problem.r}, backend_of(problem))


@lru_cache(maxsize=2)
def _regressions(seed: int, device: str) -> list[Minimum]:
    """Descent on y = M x with d0 = d1 = d2 = 5, eta_dec = eta_enc = 1 and random A, M and beta: no spectrum is planted."""
    return minimise([_regression(seed, index) for index in range(_REGRESSIONS)], seed=seed, device=device)


def _regression(seed: int, index: int) -> Problem:
    generator = np.random.default_rng([seed, index])
    half, M = generator.standard_normal((5, 20)), generator.standard_normal((5, 5))
    A = half @ half.T / 20
    A = (A + A.T) / 2
    y2 = float(np.trace(M @ A @ M.T))
    beta = float(10 ** generator.uniform(-1.5, 1.5))
    return Problem(A=A, C=M @ A, y2=y2, d1=5, beta=beta, eta_dec=1.0, eta_enc=1.0, name=f"regression-{seed}-{index}")


# ---------------------------------------------------------------------------------------- all models on Gaussian data
def gaussian_least_loss(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(least L_VAE for r = 0, condition for collapse): linear models attain it, no code that is not linear is below it, and
    ReLU networks come near it in training."""
    stated_loss, condition = formula.args
    for problem in layer.problems("learned"):
        scales = 2 * problem.eta_dec**2
        if sum(problem.spectrum**2 > problem.beta * problem.eta_dec**2) > problem.d1:
            continue
        unexplained = problem.r / scales
        yield from _compared(layer, problem, _loss(stated_loss, problem) + unexplained, layer.least_loss(problem))
        least = layer.least_loss(problem) - unexplained
        at_origin = (problem.spectrum**2).sum() / scales
        collapsed = layer.difference("collapse", problem, least, at_origin).agrees
        yield truth(problem, bool(_loss(condition, problem)), collapsed)
    codes = smooth_codes(layer.seed) if isinstance(layer, FloatLayer) else one_bit_codes()
    for code in codes:
        stated = evaluate(stated_loss, code.values, "exact" if layer.name == "exact" else "numpy")
        yield Finding("codes below the least L_VAE", code.name, float(not _at_most(stated, code.loss)), EXACT)
    if isinstance(layer, DescentLayer):
        yield from training_findings(formula, layer.seed)


def _at_most(stated: Any, loss: Any) -> bool:
    """Whether a number is real and not above another."""
    if isinstance(stated, Basic):
        return bool(stated.is_real) and bool(stated <= loss)
    return bool(stated <= loss)


# --------------------------------------------------------------------------------------------------- Tanh units
@dataclass(frozen=True)
class _Unit:
    """A hidden unit's weight e and the standard deviation s of what enters it, with bounds on E (tanh(e x)/e - x)^2."""

    e: Rational
    s: Rational
    low: Any
    high: Any

    @property
    def name(self) -> str:
        return f"e = {self.e}, s = {self.s}"


def tanh_error(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(lower, upper) bound on E (tanh(e x)/e - x)^2 for x ~ N(0, s^2), against integrals."""
    exact = layer.name == "exact"
    for unit in _enclosed_units() if exact else _integrated_units():
        low, high = (part.subs({scale: unit.e, width: unit.s}) for part in formula.args)
        yield truth(unit, bool(low <= unit.low) and bool(high >= unit.high), True)


_SCALES = tuple(Rational(*ratio) for ratio in ((1, 1), (1, 7), (7, 1), (1, 900), (900, 1)))
_ARGUMENTS = tuple(Rational(*ratio) for ratio in ((1, 30), (1, 6), (3, 4), (3, 1), (40, 1)))
"""e s."""


@lru_cache(maxsize=1)
def _enclosed_units() -> list[_Unit]:
    """Ball arithmetic encloses the integral over [-16, 16]; beyond, the square is at most x^2, whose mean there is below 1e-50."""
    found = []
    for u in _ARGUMENTS:
        argument = flint.acb(flint.fmpq(u.p, u.q))

        def integrand(x: Any, _: Any, argument: Any = argument) -> Any:
            return ((argument * x).tanh() / argument - x) ** 2 * (-x * x / 2).exp()

        inside = (flint.acb.integral(integrand, -16, 16) / (2 * flint.acb.pi()).sqrt()).real
        low, high = (
            Rational(int(bound.p), int(bound.q)) for bound in (_fraction(inside.lower()), _fraction(inside.upper()))
        )
        found += [_Unit(e, u / e, (u / e) ** 2 * low, (u / e) ** 2 * (high + Rational(1, 10**50))) for e in _SCALES]
    return found


def _fraction(number: flint.arb) -> flint.fmpq:
    """A ball of radius 0 as a fraction."""
    mantissa, exponent = number.man_exp()
    return flint.fmpq(int(mantissa)) * flint.fmpq(2) ** int(exponent)


@lru_cache(maxsize=1)
def _integrated_units() -> list[_Unit]:
    """The trapezoidal rule in float64."""
    x = np.linspace(-12.0, 12.0, 24001)
    weights = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    found = []
    for u in _ARGUMENTS:
        error = float(weights @ (np.tanh(float(u) * x) / float(u) - x) ** 2)
        found += [_Unit(e, u / e, float(u / e) ** 2 * error, float(u / e) ** 2 * error) for e in _SCALES]
    return found


# -------------------------------------------------------------------------------------------------------- MNIST
@dataclass(frozen=True)
class _Reading:
    """The singular values of MNIST's Z as a layer knows them, padded with zeros, and the remaining modes at a beta."""

    name: str
    zeta: Any
    remaining: Any


def mnist(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of zeta_i and of the remaining modes of five latents: true of the training images.

    The exact layer takes both ends of enclosures without rounding, the numeric one eigenvalues in float64, and descent reads zeta_i
    off the learned standard deviations at beta = 1 and the remaining modes off U V^T.

    Raises:
        DataUnavailable: the images are not at hand, or the descent layer leaves real data out.
    """
    if layer.name == "exact":
        yield from _facts()
        readings, backend = _enclosed(), "exact"
    elif isinstance(layer, DescentLayer):
        if not layer.real_data:
            raise DataUnavailable("descent on MNIST is left out with the other real data")
        readings, backend = [_descended(layer.seed, layer.device)], "numpy"
    else:
        readings, backend = [_computed()], "numpy"
    ranks = {node: Symbol(f"remaining_{k}") for k, node in enumerate(sorted(formula.atoms(Remaining), key=str))}
    for reading in readings:
        values: dict[Basic, Any] = {n.zeta: reading.zeta, n.d1: 5, n.dstar: len(reading.zeta) - 1}
        values |= {symbol: reading.remaining(node.args[0]) for node, symbol in ranks.items()}
        yield truth(reading, bool(evaluate(formula.xreplace(ranks), values, backend)), True)
    if isinstance(layer, DescentLayer):
        for sizes in ((6, 1.0), *((5, float(node.args[0])) for node in ranks)):
            yield from certificate_findings(_minimum(*sizes, layer.seed, layer.device))


def _facts() -> Iterator[Finding]:
    """The derivation's numbers against the images."""
    found = mnist_moments()
    same = (found.n, len(found.sums), *found.invariants) == (
        MNIST.n,
        MNIST.pixels,
        MNIST.trace,
        MNIST.squares,
        MNIST.sums,
    )
    yield Finding("integers of the derivation", "MNIST", float(not same), EXACT)
    pairs = zip(MNIST.enclosures, found.enclosures, strict=False)
    inside = all(low <= inner_low and inner_high <= high for (low, high), (inner_low, inner_high) in pairs)
    yield Finding("bounds of the derivation", "MNIST", float(not inside), EXACT)


@lru_cache(maxsize=1)
def _enclosed() -> list[_Reading]:
    """Both ends of the enclosures, widened to rationals whose roots are rational."""
    ends = []
    for name, outward, end in (("lower ends", 0, 0), ("upper ends", 1, 1)):
        squares = [bounds[end] for bounds in mnist_moments().enclosures]
        roots = [Rational(math.isqrt(max(0, math.floor(value * 10**16))) + outward, 10**8) for value in squares]
        zeta = np.array([*roots, sympy.S.Zero], dtype=object)
        ends.append(_Reading(f"MNIST, {name}", zeta, _counted(zeta)))
    return ends


def _counted(zeta: Any) -> Any:
    """How many of five latents have zeta_i^2 > beta."""
    return lambda beta: int(sum(bool(value**2 > beta) for value in zeta[:5]))


@lru_cache(maxsize=1)
def _computed() -> _Reading:
    eigenvalues = np.linalg.eigvalsh(mnist_moments().covariance)[::-1]
    zeta = np.append(np.sqrt(np.maximum(eigenvalues, 0.0)), 0.0)
    return _Reading("MNIST, float64", zeta, _counted(zeta))


@lru_cache(maxsize=8)
def _minimum(d1: int, beta: float, seed: int, device: str) -> Minimum:
    return minimise([mnist_problem(d1, beta)], seed=seed, device=device)[0]


def _descended(seed: int, device: str) -> _Reading:
    """By sigma_i = sqrt(beta) eta_dec eta_enc / zeta_i of the modes that remain at beta = 1, all six of six."""
    deviations: Float[np.ndarray, " d1"] = _minimum(6, 1.0, seed, device).sigma

    def remaining(beta: Rational) -> int:
        return _minimum(5, float(beta), seed, device).active(DESCENT_INVARIANT.value)

    return _Reading("MNIST, descent", np.append(np.sort(1 / deviations)[::-1], 0.0), remaining)


CHECKS: dict[str, dict[str, Check]] = {
    "linear_least_loss": everywhere(linear_least_loss),
    "gaussian_least_loss": everywhere(gaussian_least_loss),
    "tanh_error": dict.fromkeys(("exact", "numeric"), tanh_error),
    "mnist": everywhere(mnist),
}
