"""The least L_VAE at a given decoder variance, minimised over that variance in exact numbers, piece by piece."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import sympy
from sympy import Expr, Max, Poly, Rational, Symbol, log

from derivations.instances import tidy
from derivations.notation import beta, eta_dec, eta_enc, root_water
from derivations.proposition_3_mode_variance import mode_objective
from numerics.decoder_profile import DecoderOptimum
from numerics.exact import ExactProblem

__all__ = ["collapsed_loss", "exact_least_over_decoder"]

_s, _z = Symbol("s", positive=True), Symbol("zeta", positive=True)
"""The decoder's variance, and a singular value."""


@lru_cache(maxsize=1)
def _active_mode() -> tuple[Expr, Expr]:
    """What an active mode adds to L_VAE at its best encoder variance, and 2 s² times the slope of that in s."""
    objective = mode_objective(_z, root_water * eta_enc / _z)
    (gain,) = objective.atoms(Max)
    share = tidy(objective.subs(gain, sum(gain.args)).subs(eta_dec, sympy.sqrt(_s)) / (2 * _s))
    return share, sympy.expand(sympy.simplify(2 * _s**2 * sympy.diff(share, _s)))


@lru_cache(maxsize=1024)
def exact_least_over_decoder(problem: ExactProblem) -> DecoderOptimum:
    """The minimum over all decoder variances s: the best of the breakpoints, of the pieces' stationary points, and of s -> 0.

    A mode is active where beta s < zeta^2. Between two breakpoints s = zeta^2/beta the set of active modes is fixed, and s^2
    times the slope of the loss is linear in s.
    """
    reachable = [value for value in problem.spectrum[: problem.d1] if value > 0]
    breaks = sorted({value**2 / problem.beta for value in reachable})
    constant, factor = _slope(problem, reachable)  # next to s = 0
    if constant == 0 and factor > 0:
        return DecoderOptimum(sympy.S.Zero, -sympy.oo)
    level = constant == factor == 0
    candidates = list(breaks)
    for low, high in pairwise([sympy.S.Zero, *breaks, sympy.oo]):
        constant, factor = _slope(problem, [value for value in reachable if value**2 / problem.beta >= high])
        if factor != 0 and low < -constant / factor < high:
            candidates.append(-constant / factor)
    best = min(candidates, key=lambda place: _loss(problem, place).evalf(30))
    return DecoderOptimum(None if level and best == breaks[0] else best, tidy(_loss(problem, best)))


def collapsed_loss(problem: ExactProblem) -> Expr:
    """The least loss with U = W = 0: its slope (d2 s - E|y|^2)/(2 s^2) vanishes at s = E|y|^2/d2 alone."""
    place = (problem.r + sum(value**2 for value in problem.spectrum)) / problem.d2
    return Rational(problem.d2, 2) * (1 + log(place))


def _slope(problem: ExactProblem, active: list[Rational]) -> tuple[Rational, Rational]:
    """a and b, where a + b s is 2 s^2 times the slope of the loss in s with these modes active."""
    _, slope = _active_mode()
    left = problem.r + sum(value**2 for value in problem.spectrum[len(active) :])
    total = sum((slope.subs({_z: value, beta: problem.beta}) for value in active), problem.d2 * _s - left)
    polynomial = Poly(total, _s)
    assert polynomial.degree() <= 1
    return polynomial.coeff_monomial(1), polynomial.coeff_monomial(_s)


def _loss(problem: ExactProblem, place: Rational) -> Expr:
    """The least L_VAE at decoder variance `place`, plus (d2/2) log of it."""
    share, _ = _active_mode()
    active = [value for value in problem.spectrum[: problem.d1] if value**2 > problem.beta * place]
    left = problem.r + sum(value**2 for value in problem.spectrum[len(active) :])
    modes = (share.subs({_z: value, beta: problem.beta, _s: place}) for value in active)
    return sum(modes, left / (2 * place) + Rational(problem.d2, 2) * log(place))
