"""The minimum when every encoder standard deviation is the prior's (§4.2, Theorem 1), by a dual certificate."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Identity, Le, MatrixSymbol, Max, Trace, Tuple

from derivations.claim import Claim, Decision, Statement, Step, Verdict, conclude, refuted
from derivations.instances import Instance, instances
from derivations.least_loss import REDUCED, c, deviation, least_loss_steps, least_mode_loss, singular
from derivations.notation import (
    I_latent,
    Sigma,
    SquaredNorm,
    U,
    V,
    Z,
    beta,
    d0,
    d1,
    d2,
    eta_dec,
    eta_enc,
    i,
    root_water,
    weight,
    zeta,
)
from derivations.proof import equal, holds, margin, nonnegative, zero
from derivations.proposition_2_fixed_variance import least_loss, mode_minimum_steps, worse_instance

# ------------------------------------------------------------------------------------------ as printed
EQUATION_10 = Tuple(
    sympy.sqrt(Max(0, sympy.sqrt(beta) * eta_dec / eta_enc**2 * (zeta[i] - sympy.sqrt(beta) * eta_dec))),
    sympy.sqrt(Max(0, eta_enc**2 / (sympy.sqrt(beta) * eta_dec) * (zeta[i] - sympy.sqrt(beta) * eta_dec))),
)
COMPLETE_COLLAPSE = Le(zeta[1] - sympy.sqrt(beta) * eta_dec, 0)

# -------------------------------------------------------------------------------- from the definitions
M, N = MatrixSymbol("M", d2, d0), MatrixSymbol("N", d2, d0)
"""The candidate product M = U V^T of the minimum, and the rest N = Z - M."""


@lru_cache(maxsize=1)
def prior_instances() -> tuple[Instance, ...]:
    """The exact instances with sigma_i = eta_enc."""
    return tuple(replace(instance, sigma=(instance.eta_enc,) * instance.d1) for instance in instances())


@lru_cache(maxsize=1)
def certificate_steps() -> tuple[Step, ...]:
    """Eq 6 with Sigma = sigma^2 I is at least its value at M, the soft-thresholded Z, for every d1; attained if d1 >= rank M.

    N = Z - M has singular values n_i = min(zeta_i, sigma sqrt(c)), so the bracket is a nonnegative quadratic form.
    """
    objective = REDUCED.subs(Sigma, deviation**2 * I_latent).subs(weight, c)
    bracket = deviation**2 * SquaredNorm(U) + c * SquaredNorm(V) - 2 * Trace(U * V.T * N.T)
    split = SquaredNorm(U * V.T - M) + bracket + 2 * Trace(M.T * N) + SquaredNorm(N)
    squares = SquaredNorm(deviation * U - N * V / deviation) + Trace(
        V.T * (c * Identity(d0) - N.T * N / deviation**2) * V
    )
    threshold = deviation * sympy.sqrt(c)
    steps = [
        equal("the loss, split around any M + N = Z", objective, split, ((Z, M + N),)),
        equal("the bracket as a square and a quadratic form in V", bracket, squares),
    ]
    for name, case in (
        ("above the threshold", threshold * (1 + margin)),
        ("at the threshold", threshold),
        ("below the threshold", threshold / (1 + margin)),
    ):
        kept = Max(0, case - threshold)
        rest = case - kept
        bound = (2 * kept * rest + rest**2 - least_mode_loss(singular, deviation, c)).subs(singular, case)
        steps += [
            nonnegative(f"eigenvalue of the quadratic form, {name}", sympy.simplify(c - rest**2 / deviation**2)),
            zero(f"the constant is the least loss of a mode, {name}", bound),
        ]
    return tuple(steps)


def minimises_prior_variance(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i) at sigma_i = eta_enc: by the certificate, and for d1 < rank M by the bound of Proposition 2."""
    found = worse_instance(formula, Identity(d1), prior_instances())
    if found is not None:
        return found
    return conclude([*certificate_steps(), *least_loss_steps(), *mode_minimum_steps(formula, eta_enc)])


def characterises_complete_collapse(formula: Basic) -> Decision:
    """Judge a condition for U = V = 0 to be the global minimum at sigma_i = eta_enc, as an equivalence."""
    for instance in prior_instances():
        collapsed = least_loss(instance) == sum(value**2 for value in instance.zeta)
        stated = instance.value(formula)
        if stated not in (sympy.true, sympy.false) or bool(stated) != collapsed:
            verb = "is" if collapsed else "is not"
            return refuted(instance.named(), f"the origin {verb} a global minimum, but the condition is {stated}")
    cases = (
        ("above the threshold", root_water * (1 + margin)),
        ("at the threshold", root_water),
        ("below the threshold", root_water / (1 + margin)),
        ("zeta = 0", sympy.S.Zero),
    )
    steps = [*certificate_steps(), *least_loss_steps()]
    for name, value in cases:
        gain = (value**2 - least_mode_loss(value, eta_enc)).subs(weight * eta_enc**2, root_water**2)
        collapsed = name != "above the threshold"
        stated = holds(formula.subs(zeta[1], value))
        steps += [
            zero(
                f"what the largest mode gains over the origin, {name}",
                gain - (0 if collapsed else (root_water * margin) ** 2),
            ),
            Step(
                f"the condition is {collapsed}, {name}",
                formula,
                Verdict.PROVED if stated is collapsed else Verdict.UNDECIDED,
            ),
        ]
    return conclude(steps)


CLAIMS = (
    Claim(
        "thm-1.minimum",
        "§4.2, Theorem 1, Eq 10",
        "a global minimum has these singular values of U and V when sigma_i = eta_enc",
        printed=Statement(EQUATION_10, minimises_prior_variance),
        observable="prior_minimiser",
        uses=("prop-1.reduction", "prop-2.minimum"),
        assumptions=("sigma_i = eta_enc for all i",),
    ),
    Claim(
        "thm-1.complete-collapse",
        "§4.2",
        "U = V = 0 is the global minimum iff max zeta_i - sqrt(beta) eta_dec <= 0",
        printed=Statement(COMPLETE_COLLAPSE, characterises_complete_collapse),
        observable="complete_collapse",
        uses=("thm-1.minimum",),
        assumptions=("sigma_i = eta_enc for all i",),
    ),
)
