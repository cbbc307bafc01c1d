"""What the origin is where it is not a global minimum (§4.5, before Theorem 3): a strict saddle, for any fixed Sigma."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import And, Basic, Equivalent, Expr, Gt, Lt, Symbol, Trace, true

from derivations.ablation import noise_steps
from derivations.claim import Claim, Decision, Statement, Step, conclude, refuted
from derivations.instances import tidy
from derivations.notation import Sigma, weight, zeta
from derivations.proof import equal
from derivations.theorem_3_origin import (
    SIGNS,
    attainable,
    du,
    dv,
    gap,
    hessian_form,
    origin_steps,
    sign_steps,
    smallest_eigenvalue,
    truth_steps,
)

largest_eigenvalue = Symbol("h_max", real=True)
"""The largest eigenvalue of the Hessian of the reduced loss at U = V = 0."""

# ------------------------------------------------------------------------------------------ as printed
EITHER_OR = Equivalent(And(Lt(smallest_eigenvalue, 0), Gt(largest_eigenvalue, 0)), Lt(gap, 0))


# -------------------------------------------------------------------------------- from the definitions
def largest_curvature(singular: Expr, deviation: Expr, c: Expr) -> Expr:
    """The larger eigenvalue of one mode's block, see `origin_steps`: the largest of all for zeta_1 and the largest sigma."""
    return deviation**2 + c + sympy.sqrt((deviation**2 - c) ** 2 + 4 * singular**2)


@lru_cache(maxsize=1)
def rising_steps() -> tuple[Step, ...]:
    """The origin is no local maximum. That it is stationary shows in `origin_steps`: the loss has no term of first order there."""
    along_u = hessian_form().subs(dv, 0 * dv).doit()
    return (
        equal("along dU alone the Hessian form is 2 Tr(dU Sigma dU^T)", along_u, 2 * Trace(du * Sigma * du.T)),
        *noise_steps(),
    )


# -------------------------------------------------------------------------------------------- verdicts
def relates_saddle_and_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of the extreme Hessian eigenvalues and of the gap: does it hold for every problem?"""
    for instance, eigenvalue, difference in attainable():
        highest = tidy(instance.value(largest_curvature(zeta[1], max(instance.sigma), weight)))
        stated = formula.subs({smallest_eigenvalue: eigenvalue, largest_eigenvalue: highest, gap: difference})
        if stated != true:
            where = instance.named() | {"eigenvalues": f"from {eigenvalue} to {highest}", "gap": difference}
            return refuted(where, f"the statement is {stated} here")
    rise = {largest_eigenvalue: Symbol("rise", positive=True)}
    cases = [{**rise, **signs} for signs in SIGNS]
    return conclude([*origin_steps(), *sign_steps(), *rising_steps(), *truth_steps(formula, *cases)])


CLAIMS = (
    Claim(
        "thm-3.saddle",
        "§4.5, before Theorem 3",
        "for any fixed Sigma the origin, which is stationary, is a saddle (its Hessian has both signs) or a global minimum (the "
        "least loss is not below its own), and not both: it is no local maximum, and never a degenerate saddle",
        printed=Statement(EITHER_OR, relates_saddle_and_minimum),
        observable="origin_saddle",
        uses=("prop-1.reduction", "thm-3.hessian"),
    ),
)
