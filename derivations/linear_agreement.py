"""The least L_VAE of a linear model that learns a diagonal Sigma, in closed form (§5: linear models agree with the theory)."""

from __future__ import annotations

import sympy
from sympy import Basic, Expr, Piecewise, Sum, log

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, refuted, undecided
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, residual, root_water, zeta
from derivations.proof import resolved, sums_equal
from derivations.proposition_2_fixed_variance import least_loss
from derivations.proposition_3_mode_variance import (
    mode_objective,
    mode_objective_steps,
    variance_regimes,
)
from derivations.theorem_1_prior_variance import prior_instances
from derivations.theorem_2_learned_variance import least_learned_loss

# ------------------------------------------------------------------------------------------ as printed
LEVEL = beta * eta_dec**2
"""beta eta_dec^2, with which Theorem 2 compares zeta_i^2."""

MODE_AT_THEOREM_2 = Piecewise((LEVEL * (1 + log(zeta[i] ** 2 / LEVEL)), zeta[i] ** 2 > LEVEL), (zeta[i] ** 2, True))
"""2 eta_dec^2 L_VAE of mode i where Eq 17-19 put it."""

LINEAR_LOSS = (residual + Sum(MODE_AT_THEOREM_2, (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))) / (2 * eta_dec**2)


# -------------------------------------------------------------------------------- from the definitions
def stated_loss(formula: Basic, instance: Instance) -> Basic:
    """A closed form of L_VAE at an instance."""
    return instance.value(formula.xreplace({residual: instance.residual}))


def least_linear_loss(instance: Instance) -> Expr:
    """The minimum of L_VAE over U, W and a diagonal Sigma: Eq 13 at the minimisers of l_i."""
    return (least_learned_loss(instance) + instance.residual) / (2 * instance.eta_dec**2)


def wrong_at(formula: Basic, instance: Instance, least: Expr) -> Decision | None:
    """A refutation if the formula is not `least` at the instance."""
    stated = stated_loss(formula, instance)
    if is_exactly_zero(stated - least):
        return None
    return refuted(instance.named(learned=True), f"the least L_VAE is {tidy(least)}, the formula gives {tidy(stated)}")


def is_least_loss(formula: Basic) -> Decision:
    """Judge a closed form of the least L_VAE over U, W and a diagonal Sigma."""
    for instance in instances():
        found = wrong_at(formula, instance, least_linear_loss(instance))
        if found is not None:
            return found
    return conclude([*mode_objective_steps(), *_summand_steps(formula)])


def least_of_mode(singular: Expr, *, active: bool) -> Expr:
    """2 eta_dec^2 L_VAE of a mode at the minimiser of l_i, which lies on the active side above the threshold."""
    deviation = root_water * eta_enc / singular if active else eta_enc
    return resolved(mode_objective(singular, deviation))


def _summand_steps(formula: Expr) -> list[Step]:
    """Whatever regime each mode is in, the formula adds up the minima of Eq 13's summands, zeta_i^2 beyond d1, and r."""
    steps = []
    for name, case, active in variance_regimes():
        cost = least_of_mode(case[zeta[i]], active=active)
        derived = residual + Sum(cost, (i, 1, d1)) + Sum(case[zeta[i]] ** 2, (i, d1 + 1, dstar))
        stated = sympy.expand(2 * eta_dec**2 * formula).xreplace(case)
        steps.append(sums_equal(f"the least loss, summand by summand ({name})", stated, derived))
    return steps


def with_prior_variance(formula: Basic) -> Decision:
    """The formula where Sigma is held at the prior's, sigma_i = eta_enc."""
    for instance in prior_instances():
        least = (least_loss(instance) + instance.residual) / (2 * instance.eta_dec**2)
        found = wrong_at(formula, instance, least)
        if found is not None:
            return found
    return undecided("no exact instance tells a learned Sigma from one held at the prior's")


CLAIMS = (
    Claim(
        "s5.linear-agreement",
        "§5",
        "linear models agree with the theory: the least L_VAE over U, W and a diagonal Sigma is the loss of Theorem 2's minimum",
        printed=Statement(LINEAR_LOSS, is_least_loss),
        observable="linear_least_loss",
        uses=("thm-2.minimum", "prop-3.variance", "eq-13.reduced"),
        assumptions=(Assumption("Sigma is learned", with_prior_variance),),
    ),
)
