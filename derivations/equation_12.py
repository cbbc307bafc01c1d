"""The first line of Eq 12: what the least L_VAE over U and W is in terms of the least value of Eq 6 (§4.3)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Sum, Symbol, Tuple, log, pi

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted
from derivations.elbo import kl_parts, kl_steps
from derivations.instances import Instance, instances, is_exactly_zero, smallest_instances, tidy
from derivations.notation import (
    Mean,
    SquaredNorm,
    U,
    W,
    Z,
    beta,
    d1,
    d2,
    eta_dec,
    eta_enc,
    i,
    residual,
    sigma,
    y,
)
from derivations.proof import equal, sums_equal
from derivations.proposition_1_reduction import EQUATION_6, LINK, excess, reduces_objective
from derivations.proposition_2_fixed_variance import least_loss
from derivations.proposition_3_mode_variance import least_objective

least_of_equation_6 = Symbol("L_min", nonnegative=True)
"""min over U and V of Eq 6."""

_VARIANCE = Sum(beta / 2 * (sigma[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)), (i, 1, d1))

# ------------------------------------------------------------------------------------------ as printed
EQUATION_12 = least_of_equation_6 / (2 * eta_dec**2) + _VARIANCE

# ------------------------------------------------------------------------------------------ as corrected
WITH_RESIDUAL = (least_of_equation_6 + residual) / (2 * eta_dec**2) + _VARIANCE


# -------------------------------------------------------------------------------- from the definitions
@lru_cache(maxsize=1)
def constant_steps() -> tuple[Step, ...]:
    """2 eta_dec^2 L_VAE, as Eq 4 has it without the partition function, exceeds Eq 6 by E|y|^2 - |Z|^2 and the variances' cost."""
    partition = eta_dec**2 * d2 * log(2 * pi * eta_dec**2)
    at_origin = excess(Tuple(EQUATION_6, LINK)).subs({U: 0 * U, W: 0 * W}).doit() - partition
    cost = 2 * eta_dec**2 * beta * Sum(kl_parts()[1], (i, 1, d1))
    return (
        *kl_steps(),
        *reduces_objective(Tuple(EQUATION_6, LINK)).steps,
        equal("that constant, at U = W = 0", at_origin, Mean(SquaredNorm(y)) - SquaredNorm(Z) + cost),
    )


def _instances() -> list[Instance]:
    return [
        replace(each, residual=r)
        for each in (*smallest_instances(), *instances()[:20])
        for r in (sympy.S.Zero, sympy.S.One)
    ]


# -------------------------------------------------------------------------------------------- verdicts
def is_least_objective(formula: Expr) -> Decision:
    """Judge the least L_VAE over U and W, for any fixed Sigma, as a function of Sigma and of the least value of Eq 6."""
    for instance in _instances():
        least = least_objective(instance) / (2 * instance.eta_dec**2)
        stated = instance.value(formula, None, _values(instance))
        if not is_exactly_zero(least - stated):
            where = instance.named() | {"r": instance.residual}
            return refuted(where, f"the formula gives {tidy(stated)}, the minimum is {tidy(least)}")
    derived = (least_of_equation_6 + residual) / (2 * eta_dec**2) + beta * Sum(kl_parts()[1], (i, 1, d1))
    return conclude(
        [*constant_steps(), sums_equal("the formula is the minimum, by r = E|y|^2 - |Z|^2", formula, derived)]
    )


def _values(instance: Instance) -> dict[Basic, Expr]:
    return {least_of_equation_6: least_loss(instance), residual: instance.residual}


CLAIMS = (
    Claim(
        "eq-12.least",
        "§4.3, Eq 12",
        "the least L_VAE (Eq 5) over U and W is the least value of Eq 6 over 2 eta_dec^2 plus what the variances cost, for every "
        "fixed Sigma",
        printed=Statement(EQUATION_12, is_least_objective),
        corrected=Statement(WITH_RESIDUAL, is_least_objective),
        observable="least_objective",
        uses=("prop-1.reduction", "notation.gaussian-kl"),
        erratum=Erratum(
            "min L_VAE = min L(U, V)/(2 eta_dec^2) + sum beta/2 (sigma_i^2/eta_enc^2 - 1 - log sigma_i^2/eta_enc^2)",
            "the least L_VAE is larger by r/(2 eta_dec^2), r = E|y|^2 - |Z|^2: a constant, 0 for a VAE; the next line has one",
            Severity.TYPO,
        ),
    ),
)
