"""What the origin is where it is not a global minimum (§4.5, before Theorem 3): a strict saddle, for any fixed Sigma."""

from __future__ import annotations

from functools import lru_cache

from sympy import And, Basic, MatrixSymbol, Not, Or, Symbol, Trace, false, true

from derivations import proof
from derivations.ablation import noise_steps
from derivations.claim import Claim, Decision, Statement, Step, conclude, refuted
from derivations.least_loss import REDUCED
from derivations.matrix_calculus import gradient
from derivations.notation import Sigma, U, V
from derivations.proof import equal
from derivations.theorem_3_origin import attainable, du, dv, hessian_form, is_global, origin_steps, sign_steps

is_saddle = Symbol("origin_is_strict_saddle")
"""Stationary, with a Hessian of both signs: neither a minimum nor a maximum, and so to second order."""

# ------------------------------------------------------------------------------------------ as printed
EITHER_OR = Or(And(is_saddle, Not(is_global)), And(is_global, Not(is_saddle)))


# -------------------------------------------------------------------------------- from the definitions
@lru_cache(maxsize=1)
def rising_steps() -> tuple[Step, ...]:
    """The origin is stationary and no local maximum: the loss rises with U alone."""
    origin = {U: 0 * U, V: 0 * V}
    along_u = hessian_form().subs(dv, 0 * dv).doit()
    rise = 2 * Trace(du * Sigma * du.T)
    return (
        *(_stationary(variable, origin) for variable in (U, V)),
        equal("along dU alone the Hessian form is 2 Tr(dU Sigma dU^T)", along_u, rise),
        *noise_steps(),
    )


def _stationary(variable: MatrixSymbol, origin: dict[MatrixSymbol, Basic]) -> Step:
    return equal(
        f"the origin is stationary in {variable}", gradient(REDUCED, variable).subs(origin).doit(), 0 * variable
    )


# -------------------------------------------------------------------------------------------- verdicts
def relates_saddle_and_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of "the origin is a strict saddle" and "it is a global minimum": does it hold for every problem?"""
    for instance, eigenvalue, difference in attainable():
        # a direction in which the loss rises there always is
        truth = {is_saddle: true if eigenvalue < 0 else false, is_global: true if difference == 0 else false}
        if formula.subs(truth) == false:
            where = instance.named() | {"smallest eigenvalue": eigenvalue, "gap": difference}
            return refuted(where, f"strict saddle: {truth[is_saddle]}, global minimum: {truth[is_global]}")
    return conclude(
        [
            *origin_steps(),
            *sign_steps(),
            *rising_steps(),
            proof.true(
                "it holds where the smallest eigenvalue is negative", formula, {is_saddle: true, is_global: false}
            ),
            proof.true("and where it is not", formula, {is_saddle: false, is_global: true}),
        ]
    )


CLAIMS = (
    Claim(
        "thm-3.saddle",
        "§4.5, before Theorem 3",
        "for any fixed Sigma the origin is either a strict saddle (stationary, with a Hessian of both signs) or a global minimum, "
        "and not both: it is never a local maximum, and never a degenerate point that is no global minimum",
        printed=Statement(EITHER_OR, relates_saddle_and_minimum),
        observable="origin_saddle",
        uses=("prop-1.reduction", "thm-3.hessian"),
    ),
)
