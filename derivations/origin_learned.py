"""Theorem 3 read with a learned Sigma: the Hessian in U, W and Sigma where U = W = 0 and every sigma_i is eta_enc (§4.5)."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Expr, MatrixSymbol, S, Trace

from derivations.claim import Claim, Decision, Statement, Step, conclude
from derivations.instances import Instance, instances, tidy
from derivations.matrix_calculus import differential
from derivations.notation import Sigma, U, d1, eta_enc, i, sigma_sorted, weight, zeta
from derivations.proof import equal, positive, same, zero
from derivations.proposition_3_mode_variance import (
    equation_13,
    mode_objective,
    mode_objective_steps,
    reduces_to_modes,
    s,
    variance_regimes,
)
from derivations.theorem_2_learned_variance import least_learned_loss
from derivations.theorem_3_origin import (
    SIGNS,
    THEOREM_3,
    du,
    false_at,
    just_above,
    origin_steps,
    sign_steps,
    smallest_curvature,
    truth_steps,
)

_dS = MatrixSymbol("dS", d1, d1)


# -------------------------------------------------------------------------------- from the definitions
@lru_cache(maxsize=1)
def variance_curvature() -> Expr:
    """The second derivative of 2 eta_dec^2 L_VAE in one sigma_i where U = W = 0, at sigma_i = eta_enc."""
    return sympy.simplify(sympy.diff(mode_objective(S.Zero, s), s, 2).subs(s, eta_enc))


@lru_cache(maxsize=1)
def block_steps() -> tuple[Step, ...]:
    """The Hessian there is that in U and W at Sigma = eta_enc^2 I, beside a positive block for each sigma_i."""
    noise = Trace(U * Sigma * U.T)  # the one term of the loss in which Sigma meets another variable
    mixed = differential(differential(noise, {Sigma: _dS}), {U: du})
    cost = mode_objective(S.Zero, s)
    return (
        equal(
            "the mixed second derivative in U and Sigma is linear in U: there is none where U = 0",
            mixed,
            Trace(U * _dS * du.T) + Trace(du * _dS * U.T),
        ),
        zero("U = W = 0 is stationary in each sigma_i at eta_enc", sympy.diff(cost, s), {s: eta_enc}),
        positive("and is curved upwards in it", variance_curvature()),
    )


@lru_cache(maxsize=1)
def least_steps() -> tuple[Step, ...]:
    """Where no zeta_i exceeds sqrt(beta) eta_dec nothing lies below the origin: each mode is best collapsed, at eta_enc."""
    return (
        *reduces_to_modes(equation_13(sigma_sorted[i])).steps,
        *mode_objective_steps(),
        *(
            same(
                f"its least is that at the origin ({name})",
                mode_objective(zeta[i], s),
                zeta[i] ** 2,
                {**case, s: eta_enc},
            )
            for name, case, active in variance_regimes()
            if not active
        ),
    )


@lru_cache(maxsize=1)
def attainable() -> tuple[tuple[Instance, Expr, Expr], ...]:
    """(instance, smallest eigenvalue, gap) at exact instances, on both sides of and at the threshold."""
    found = []
    for instance in (*instances(), *just_above()):
        modes = instance.value(smallest_curvature(zeta[1], eta_enc, weight))
        lowest = sympy.Min(modes, instance.value(variance_curvature()))
        collapsed = sum(value**2 for value in instance.zeta)
        found.append((instance, tidy(lowest), tidy(least_learned_loss(instance) - collapsed)))
    return tuple(found)


# -------------------------------------------------------------------------------------------- verdicts
def relates_hessian_and_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of the smallest Hessian eigenvalue and the gap: does it hold for every problem with a learned Sigma?"""
    found = false_at(formula, attainable(), learned=True)
    if found is not None:
        return found
    return conclude([*origin_steps(), *sign_steps(), *block_steps(), *least_steps(), *truth_steps(formula, *SIGNS)])


CLAIMS = (
    Claim(
        "thm-3.hessian-learned",
        "§4.5, Theorem 3",
        "the same with a learned Sigma: where U = W = 0 and sigma_i = eta_enc, which is stationary, the Hessian of Eq 5 in U, W "
        "and Sigma is positive semidefinite iff that is a global minimum",
        printed=Statement(THEOREM_3, relates_hessian_and_minimum),
        observable="origin_curvature_learned",
        uses=("thm-3.hessian", "eq-13.reduced", "prop-3.variance"),
    ),
)
