"""The minimum when every encoder standard deviation is the prior's (§4.2, Theorem 1), by a dual certificate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Identity, Le, MatrixSymbol, Max, Trace, Tuple

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.instances import Instance, instances, tidy
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
from derivations.proof import equal, margin, nonnegative, same, true
from derivations.proposition_2_fixed_variance import REGIMES, least_loss, mode_minimum_steps, regimes, worse_instance
from derivations.uniqueness import unique_length_steps

# ------------------------------------------------------------------------------------------ as printed
EQUATION_10 = Tuple(
    sympy.sqrt(Max(0, sympy.sqrt(beta) * eta_dec / eta_enc**2 * (zeta[i] - sympy.sqrt(beta) * eta_dec))),
    sympy.sqrt(Max(0, eta_enc**2 / (sympy.sqrt(beta) * eta_dec) * (zeta[i] - sympy.sqrt(beta) * eta_dec))),
)
COMPLETE_COLLAPSE = Le(zeta[1] - sympy.sqrt(beta) * eta_dec, 0)

# -------------------------------------------------------------------------------- from the definitions
ABOVE = REGIMES[0]
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
    kept = Max(0, singular - threshold)
    rest = singular - kept
    steps = [
        equal("the loss, split around any M + N = Z", objective, split, ((Z, M + N),)),
        equal("the bracket as a square and a quadratic form in V", bracket, squares),
    ]
    for name, value in (
        ("above the threshold", threshold * (1 + margin)),
        ("at the threshold", threshold),
        ("below the threshold", threshold / (1 + margin)),
    ):
        case = {singular: value}
        steps += [
            nonnegative(f"eigenvalue of the quadratic form, {name}", c - rest**2 / deviation**2, case),
            same(
                f"the constant is the least loss of a mode, {name}",
                2 * kept * rest + rest**2,
                least_mode_loss(singular, deviation, c),
                case,
            ),
        ]
    return tuple(steps)


def minimises_prior_variance(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i) at sigma_i = eta_enc: is there a global minimum with them, and has every one them?

    By the certificate, and for d1 < rank M by the bound of Proposition 2.
    """
    found = worse_instance(formula, Identity(d1), prior_instances())
    if found is not None:
        return found
    cases = [(name, case, eta_enc, name == ABOVE) for name, case in zip(REGIMES, regimes(eta_enc), strict=True)]
    return conclude(
        [
            *certificate_steps(),
            *least_loss_steps(),
            *mode_minimum_steps(formula, eta_enc),
            *unique_length_steps(formula, cases),
        ]
    )


def characterises_complete_collapse(formula: Basic) -> Decision:
    """Judge a condition for U = V = 0 to be the global minimum at sigma_i = eta_enc, as an equivalence."""
    found = misjudged_collapse(formula, prior_instances())
    if found is not None:
        return found
    cases = (
        ("above the threshold", root_water * (1 + margin)),
        ("at the threshold", root_water),
        ("below the threshold", root_water / (1 + margin)),
        ("zeta = 0", sympy.S.Zero),
    )
    steps = [*certificate_steps(), *least_loss_steps()]
    gain = zeta[1] ** 2 - least_mode_loss(zeta[1], eta_enc)
    for name, value in cases:
        case = {zeta[1]: value}
        above = name == ABOVE
        stands = "fails" if above else "holds"
        steps += [
            same(f"what the largest mode gains over the origin, {name}", gain, (root_water * margin) ** 2, case)
            if above
            else same(f"what the largest mode gains over the origin, {name}", gain, sympy.S.Zero, case),
            true(f"the condition {stands}, {name}", sympy.Not(formula, evaluate=False) if above else formula, case),
        ]
    return conclude(steps)


def misjudged_collapse(formula: Basic, candidates: Iterable[Instance]) -> Decision | None:
    """A refutation: an instance at which the condition holds and the origin is no global minimum of Eq 6, or the reverse."""
    for instance in candidates:
        at_origin = sum(value**2 for value in instance.zeta)
        collapsed = least_loss(instance) == at_origin
        stated = instance.value(formula)
        if stated != collapsed:
            losses = f"Eq 6 is {at_origin} at the origin and {tidy(least_loss(instance))} at its minimum"
            return refuted(instance.named(), f"{losses}, but the condition is {stated}")
    return None


# ------------------------------------------------------------------------------ without the assumptions
def minimises_any_variance(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i) for any Sigma."""
    return needed(worse_instance(formula, Identity(d1), instances()))


def characterises_collapse_at_any_variance(formula: Basic) -> Decision:
    """Judge a condition for the origin to be the global minimum for any Sigma."""
    return needed(misjudged_collapse(formula, instances()))


PRIOR = "sigma_i = eta_enc for all i"

CLAIMS = (
    Claim(
        "thm-1.minimum",
        "§4.2, Theorem 1, Eq 10",
        "every global minimum has these singular values of U and V when sigma_i = eta_enc, and there is one",
        printed=Statement(EQUATION_10, minimises_prior_variance),
        observable="prior_minimiser",
        uses=("prop-1.reduction", "prop-2.minimum"),
        assumptions=(Assumption(PRIOR, minimises_any_variance),),
    ),
    Claim(
        "thm-1.complete-collapse",
        "§4.2",
        "U = V = 0 is the global minimum iff max zeta_i - sqrt(beta) eta_dec <= 0",
        printed=Statement(COMPLETE_COLLAPSE, characterises_complete_collapse),
        observable="complete_collapse",
        uses=("thm-1.minimum",),
        assumptions=(Assumption(PRIOR, characterises_collapse_at_any_variance),),
    ),
)
