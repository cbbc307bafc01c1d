"""Every global minimum has the same singular values (Proposition 2, Theorems 1 and 2): where the bounds are strict.

A minimum attains each bound of `least_loss`: V is the best one for U; the i-th largest lambda minimises the profile of its mode,
which is strictly convex; and Tr(U Sigma U^T) is sum_i lambda_i^2 sigma_(i)^2. At a stationary point c V^T V = U^T U Sigma, so that
U^T U commutes with Sigma, and the squares of V's singular values are the products of their eigenvalues over c. No pair of products
may gain by an exchange: they are those of the sorted order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Expr, Ge, Symbol, Tuple

from derivations.claim import Step
from derivations.least_loss import ORTHOGONAL, REDUCED, v
from derivations.matrix_calculus import Facts, gradient
from derivations.notation import Lambda, P, Sigma, Sigma_sorted, Theta, U, V, i, weight, zeta
from derivations.proof import equal, positive, resolved, same, true, zero

_square = Symbol("lambda_squared", nonnegative=True)
_s, _c, _z = sympy.symbols("sigma c zeta", positive=True)


STATIONARY: Facts = (*ORTHOGONAL, (Theta.T * Theta, Lambda.T * Lambda * Sigma_sorted / weight))
"""Where every mode is stationary, c theta_i^2 = sigma_(i)^2 lambda_i^2."""


@lru_cache(maxsize=1)
def stationarity_steps() -> tuple[Step, ...]:
    """At every stationary point U^T U Sigma = c V^T V; at U = F Lambda P, V = G Theta P this is the condition on P."""
    difference = U.T * gradient(REDUCED, U) - (V.T * gradient(REDUCED, V)).T
    gram = P.T * Lambda.T * Lambda * P
    return (
        equal(
            "the two gradients combine to U^T U Sigma = c V^T V", difference, 2 * (U.T * U * Sigma - weight * V.T * V)
        ),
        equal(
            "rotated back by P this is Lambda^T Lambda P Sigma P^T = c Theta^T Theta = Lambda^T Lambda Sigma_sorted",
            P * (gram * Sigma - weight * P.T * Theta.T * Theta * P) * P.T,
            Lambda.T * Lambda * P * Sigma * P.T - Lambda.T * Lambda * Sigma_sorted,
            STATIONARY,
        ),
    )


def _profile(singular: Expr, deviation: Expr, c: Expr) -> Expr:
    """What a mode costs at lambda^2 with the best theta."""
    return singular**2 * c / (_square + c) + _square * deviation**2


@lru_cache(maxsize=1)
def strictness_steps() -> tuple[Step, ...]:
    """The profile of a mode has one minimiser, and an exchange of unequal eigenvalues in the wrong order lowers the trace."""
    slope = sympy.diff(_profile(_z, _s, _c), _square)
    low, more, small, rise = sympy.symbols("a delta_a b delta_b", positive=True)
    return (
        positive("a mode's profile is strictly convex in lambda^2 where zeta > 0", sympy.diff(slope, _square)),
        positive("and rises where zeta = 0", sympy.diff(_profile(sympy.S.Zero, _s, _c), _square)),
        stationarity_steps()[0],
        positive(
            "two eigenvalues of U^T U and two of Sigma, both larger ones together: exchanging lowers the trace",
            (low + more) * (small + rise) + low * small - (low + more) * small - low * (small + rise),
        ),
    )


def unique_length_steps(
    formula: Tuple, cases: Iterable[tuple[str, Mapping[Basic, Expr], Expr, bool]]
) -> tuple[Step, ...]:
    """(lambda_i, theta_i) are the lengths of every minimum.

    Args:
        formula: Tuple of lambda_i and theta_i.
        cases: (name, zeta_i, the standard deviation that meets it at the minimum, whether the mode is active) for each regime.
    """
    slope = sympy.diff(_profile(zeta[i], _s, weight), _square)
    steps = list(strictness_steps())
    for name, case, deviation, active in cases:
        squares = [sympy.powdenest(sympy.expand(resolved(part.xreplace(dict(case))) ** 2)) for part in formula.args[:2]]
        at = {**case, _s: deviation, _square: squares[0]}
        steps += [
            zero(f"lambda^2 is stationary ({name})", slope, at)
            if active
            else true(f"lambda = 0, where the profile does not fall ({name})", _at_zero(slope), at),
            same(f"c theta^2 = sigma^2 lambda^2 ({name})", weight * v**2, _s**2 * _square, {**at, v**2: squares[1]}),
        ]
    return tuple(steps)


def _at_zero(slope: Expr) -> Basic:
    return And(Eq(_square, 0, evaluate=False), Ge(slope, 0, evaluate=False), evaluate=False)
