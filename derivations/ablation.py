"""Which term causes collapse (§4.5): delete one term from Eq 5 and solve again; here l_mean, for a fixed and a learned Sigma.

Lower bound: |U V^T - Z|^2 is what Eq 6 tends to as its two weights tend to 0, so that it is at least the limit of Eq 6's least
value, the residual of the best fit of rank d1. Upper bound: a family of points along which all other terms vanish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, MatrixSymbol, Sum, Symbol, Trace, Tuple

from derivations.claim import (
    Assumption,
    Claim,
    Decision,
    Statement,
    Step,
    Verdict,
    conclude,
    refuted,
    undecided,
)
from derivations.elbo import kl_parts
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import ORTHOGONAL, REDUCED, c, deviation, least_loss_steps, least_mode_loss, singular, u, v
from derivations.notation import (
    S_Z,
    F,
    G,
    I_latent,
    Lambda,
    Sigma,
    SquaredNorm,
    Theta,
    U,
    V,
    Z,
    d1,
    dstar,
    eta_enc,
    i,
    sigma,
    weight,
    zeta,
)
from derivations.proof import equal, margin, nonnegative, positive, sums_equal, true, zero

# ------------------------------------------------------------------------------------------ as printed
RESIDUAL = Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
WITHOUT_MEAN = Tuple(RESIDUAL, Eq(zeta[1], 0))

# -------------------------------------------------------------------------------- from the definitions
FIT, SPREAD, MEAN = SquaredNorm(U * V.T - Z), Trace(U * Sigma * U.T), weight * SquaredNorm(V)
"""The terms of Eq 6; where Sigma is learned, l_var joins them."""

run = Symbol("a", positive=True)
"""The scale of the points that run to an infimum."""
_root, _inverse_root = MatrixSymbol("R", d1, d1), MatrixSymbol("R_inverse", d1, d1)
"""A root of Sigma, and its inverse."""


@lru_cache(maxsize=1)
def fit_steps() -> tuple[Step, ...]:
    """|U V^T - Z|^2 >= sum over i > d1 of zeta_i^2, for all U and V, as a limit of the least value of Eq 6."""
    threshold = deviation * sympy.sqrt(c)
    small, norms, fit = sympy.symbols("epsilon norms fit", positive=True)
    regimes = {"above": threshold * (1 + margin), "at": threshold, "below": threshold / (1 + margin)}
    return (
        *least_loss_steps(),
        *(
            nonnegative(
                f"a mode adds nothing negative to the least value of Eq 6 ({name} the threshold)",
                least_mode_loss(singular, deviation, c),
                {singular: value},
            )
            for name, value in regimes.items()
        ),
        equal("Eq 6 has three terms, two of them with a weight", REDUCED, FIT + SPREAD + MEAN),
        tends(
            "with both weights going to 0 the first remains, and inherits the bound",
            fit + small * norms,
            (small, sympy.S.Zero),
            fit,
        ),
    )


@lru_cache(maxsize=1)
def variance_cost_steps() -> tuple[Step, ...]:
    """l_var is nonnegative, and 0 at the prior's variance."""
    cost = kl_parts()[1]
    slope = sympy.factor(sympy.diff(cost, sigma[i]))
    return (
        zero("l_var is 0 at sigma_i = eta_enc", cost, {sigma[i]: eta_enc}),
        positive("it rises beyond", slope, {sigma[i]: eta_enc * (1 + margin)}),
        positive("and falls before", -slope, {sigma[i]: eta_enc / (1 + margin)}),
    )


def family_steps(case: str, kept: Expr, rest: Expr, power: int, variances: Basic = Sigma) -> tuple[Step, ...]:
    """Along U = a^power F Lambda, V = a^-power G Theta the kept terms tend to the misfit, and so to the infimum."""
    along = {U: run**power * F * Lambda, V: run**-power * G * Theta, Sigma: variances}
    size = Symbol("size", positive=True)
    return (
        equal(
            f"{case}: the loss at U = a^{power} F Lambda, V = a^{-power} G Theta",
            kept.subs(along),
            SquaredNorm(Lambda * Theta.T - S_Z) + rest / run**2,
            ORTHOGONAL,
        ),
        tends(f"{case}: all but the misfit vanishes as a grows", size / run**2, (run, sympy.oo), sympy.S.Zero),
        zero(
            f"{case}: lambda_i = zeta_i, theta_i = 1 fits a mode i <= d1",
            u * v - singular,
            {u: singular, v: sympy.S.One},
        ),
    )


def tends(text: str, expression: Expr, to: tuple[Symbol, Expr], value: Expr) -> Step:
    """The limit of a scalar as a positive symbol goes to 0 or to infinity."""
    limit = sympy.Limit(expression, *to, "+" if to[1] == 0 else "-")
    return Step(text, Eq(limit, value, evaluate=False), Verdict.PROVED if limit.doit() == value else Verdict.UNDECIDED)


@lru_cache(maxsize=1)
def noise_steps() -> tuple[Step, ...]:
    """Tr(U Sigma U^T) is nonnegative, and 0 only at U = 0, since every sigma_i is positive."""
    rooted = ((_root * _root.T, Sigma), (_root * _inverse_root, I_latent))
    return (
        equal("Tr(U Sigma U^T) = |U R|^2 with R R^T = Sigma", SPREAD, SquaredNorm(U * _root), rooted),
        equal("it vanishes only at U = 0, which is (U R) R^-1", U, U * _root * _inverse_root, rooted),
    )


@lru_cache(maxsize=1)
def attained_steps() -> tuple[Step, ...]:
    """A kept Tr(U Sigma U^T) or c |V|^2 is 0 only where U = 0 or V = 0, where the loss is at least |Z|^2."""
    first, others = Symbol("zeta_1", positive=True), Symbol("others", nonnegative=True)
    return (
        *noise_steps(),
        equal("where U = 0, the misfit is the origin's", FIT.subs(U, 0 * U).doit(), SquaredNorm(Z)),
        equal("where V = 0, too", FIT.subs(V, 0 * V).doit(), SquaredNorm(Z)),
        equal("which is the sum of all zeta_i^2", SquaredNorm(Z), SquaredNorm(S_Z), ORTHOGONAL),
        positive("and above the infimum if zeta_1 > 0, since d1 >= 1", first**2 + others),
    )


@lru_cache(maxsize=1)
def without_mean_steps() -> tuple[Step, ...]:
    """l_mean deleted: Sigma fixed, then learned. Tr(U Sigma U^T) deleted, for comparison, has the same infimum."""
    prior = eta_enc**2 * I_latent
    return (
        *fit_steps(),
        *family_steps("Sigma fixed, without l_mean", FIT + SPREAD, Trace(Lambda.T * Lambda * Sigma), -1),
        *variance_cost_steps(),
        *family_steps("Sigma learned, without l_mean", FIT + SPREAD, eta_enc**2 * SquaredNorm(Lambda), -1, prior),
        *attained_steps(),
        *family_steps("without Tr(U Sigma U^T) instead", FIT + MEAN, weight * SquaredNorm(Theta), 1),
    )


# -------------------------------------------------------------------------------------------- verdicts
@dataclass(frozen=True)
class Truth:
    """What an ablated objective does at an instance.

    Args:
        infimum: of 2 eta_dec^2 L - r (without l_var, where that is constant or deleted).
        condition: whether the second component of a formula should hold.
        excess: what the loss at `points` exceeds the infimum by, times a^2.
        points: the family that runs to the infimum, in words.
    """

    infimum: Expr
    condition: bool
    excess: Expr
    points: str

    def below(self, level: Expr) -> str:
        """A point of the family whose loss is below a level, or that there is none."""
        if not bool(level > self.infimum):
            return "no point lies below that"
        scale = sympy.S.One
        while not bool(self.infimum + self.excess / scale**2 < level):
            scale *= 2
        return f"the loss is {tidy(self.infimum + self.excess / scale**2)} at {self.points}, a = {scale}"


def without_mean(instance: Instance) -> Truth:
    """l_mean deleted, Sigma fixed; at the prior's Sigma this is the family for a learned Sigma, too."""
    excess = sympy.Add(*(value**2 * s**2 for value, s in zip(instance.zeta, instance.sigma, strict=False)))
    return Truth(residual_of(instance), instance.zeta[0] == 0, excess, "lambda_i = zeta_i / a, theta_i = a")


def residual_of(instance: Instance) -> Expr:
    """The residual of the best fit of rank d1."""
    return sympy.Add(*(value**2 for value in instance.zeta[instance.d1 :]))


def failure_of(formula: Basic, instance: Instance, truth: Truth, *, learned: bool) -> Decision | None:
    """The refutation of (infimum, condition) by one instance, if it is one."""
    value, condition = (instance.value(part) for part in formula.args)
    if not is_exactly_zero(value - truth.infimum):
        shown = f"the formula gives {tidy(value)}, the infimum is {truth.infimum}"
        return refuted(instance.named(learned=learned), f"{shown}: {truth.below(value)}" if value.is_real else shown)
    if condition not in (sympy.true, sympy.false) or bool(condition) != truth.condition:
        origin = sympy.Add(*(entry**2 for entry in instance.zeta))
        shown = f"the condition is {condition}; the loss is {origin} at U = V = 0, the infimum {truth.infimum}"
        return refuted(instance.named(learned=learned), f"{shown}: {truth.below(origin)}")
    return None


def judged(
    formula: Basic, truth: Callable[[Instance], Truth], steps: Callable[[], tuple[Step, ...]], *, learned: bool
) -> Decision:
    """Judge (infimum, condition) of an objective without one of its terms."""
    for instance in instances():
        found = failure_of(formula, instance, truth(instance), learned=learned)
        if found is not None:
            return found
    value, condition = formula.args
    signal, beyond = Symbol("zeta_1", positive=True), Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
    return conclude(
        [
            *steps(),
            sums_equal("the infimum is the sum over the modes beyond d1", value, beyond),
            true("the condition holds without signal", condition, {zeta[1]: sympy.S.Zero}),
            true("and only there", sympy.Not(condition), {zeta[1]: signal}),
        ]
    )


def describes_loss_without_mean(formula: Basic) -> Decision:
    """Judge (infimum, whether it is attained) of the objective without l_mean, for a fixed and for a learned Sigma."""
    return judged(formula, without_mean, without_mean_steps, learned=False)


def _without_noise(formula: Basic) -> Decision:
    """Sigma = 0: |U V^T - Z|^2 is all that is left, and U = F S_Z, V = G (first d1 columns) attain its infimum."""
    for instance in instances():
        truth = replace(without_mean(instance), condition=True, excess=sympy.S.Zero)
        found = failure_of(formula, instance, truth, learned=True)
        if found is not None and found.witness is not None:
            return refuted(dict(found.witness.values) | {"Sigma": 0}, found.witness.failure)
    return undecided("an instance with Sigma = 0 at which the formula fails")


CLAIMS = (
    Claim(
        "s4.5.mean-term",
        "§4.5",
        "without l_mean no signal collapses, for a fixed and for a learned Sigma: the infimum over U, V (and Sigma) of "
        "2 eta_dec^2 L - r, up to a constant l_var, is the residual of the best fit of rank d1, and is attained iff Z = 0",
        printed=Statement(WITHOUT_MEAN, describes_loss_without_mean),
        observable="loss_without_mean",
        uses=("eq-5.decomposition", "prop-1.reduction", "prop-2.minimum"),
        assumptions=(Assumption("every sigma_i is positive", _without_noise),),
    ),
)
