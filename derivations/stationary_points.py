"""Every stationary point of Eq 6 where all sigma_i are the prior's: a choice of modes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, MatrixSymbol, Tuple

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.gradient_flow import mode_steps
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import REDUCED, c, candidate_step, deviation, mode_loss, u, v
from derivations.matrix_calculus import Facts, gradient
from derivations.notation import I_latent, P, Sigma, U, V, Z, d1, eta_enc, i, root_water, weight, zeta
from derivations.proof import equal, margin, positive, same, zero
from derivations.theorem_1_prior_variance import PRIOR, prior_instances

# ------------------------------------------------------------------------------------------- as stated
CHOSEN = Tuple(zeta[i] - root_water, root_water * (2 * zeta[i] - root_water))
"""u_i v_i of a mode that is chosen, and what it adds to Eq 6."""

# -------------------------------------------------------------------------------- from the definitions
length = sympy.Symbol("lambda", positive=True)
"""A singular value of U that is not 0."""
direction, other_direction = (MatrixSymbol(name, d1, 1) for name in "ab")
"""Of latent space, at right angles."""
ALIKE = REDUCED.subs(Sigma, deviation**2 * I_latent).subs(weight, c)
"""Eq 6 with Sigma = sigma^2 I and the weight c."""


def lengths(product: Expr, spread: Expr, ratio: Expr) -> tuple[Expr, Expr]:
    """(u, v) with u v = `product` and c v^2 = sigma^2 u^2, at the standard deviation `spread` and c = `ratio`."""
    return sympy.sqrt(product * sympy.sqrt(ratio) / spread), sympy.sqrt(product * spread / sympy.sqrt(ratio))


def lists_stationary_points(formula: Basic) -> Decision:
    """Judge (u_i v_i, what it adds to Eq 6) of a chosen mode."""
    found = _not_stationary(formula, prior_instances())
    if found is not None:
        return found
    above = {zeta[i]: root_water * (1 + margin)}
    product, loss = formula.args
    at = dict(zip((u, v), lengths(root_water * margin, eta_enc, weight), strict=True))
    own = mode_loss(u, v, zeta[i], eta_enc, weight)
    return conclude(
        [
            *singular_pair_steps(),
            same("so that u v is zeta - sqrt(beta) eta_dec", product, zeta[i] - eta_enc * sympy.sqrt(weight)),
            positive("which is a product of lengths above the threshold", product, above),
            *mode_steps(),
            *rotation_steps(),
            *(zero(f"the slope in {part} of a mode at these lengths", sympy.diff(own, part), {**above, **at}) for part in (u, v)),
            zero("and at u = v = 0, for a mode that is not chosen", sympy.diff(own, u).subs({u: 0, v: 0})),
            candidate_step(),
            same("what a chosen mode adds to the loss", own, loss, {**above, **at}),
        ]
    )  # fmt: skip


@lru_cache(maxsize=1)
def singular_pair_steps() -> tuple[Step, ...]:
    """At a stationary point a with U^T U a = lambda^2 a, lambda > 0, gives a pair of singular vectors of Z, U a and V a.

    Eigenvectors of U^T U with lambda = 0 are in the kernel of U and of V. At most d1 pairs are left; they are orthogonal, and a
    singular value decomposition of Z contains them.
    """
    slope_u, slope_v = (gradient(ALIKE, variable) / 2 for variable in (U, V))
    along, other = direction, other_direction
    theta = deviation * length / sympy.sqrt(c)
    facts: Facts = ((U.T * U * along, length**2 * along), (V.T * V * along, theta**2 * along))
    pair = (length**2 + c) * theta / length
    return (
        equal(
            "the two slopes combine to sigma^2 U^T U = c V^T V, so that V^T V a = theta^2 a with theta = sigma lambda/sqrt(c)",
            U.T * slope_u - (V.T * slope_v).T,
            deviation**2 * U.T * U - c * V.T * V,
        ),
        zero("and c theta^2 = sigma^2 lambda^2", c * theta**2 - deviation**2 * length**2),
        equal("the slope in U at a: Z V a is a multiple of U a", slope_u * along,
              (theta**2 + deviation**2) * U * along - Z * V * along, facts),
        equal("the slope in V at a: Z^T U a is one of V a", slope_v * along, (length**2 + c) * V * along - Z.T * U * along, facts),
        zero("U a/lambda and V a/theta are a pair of one singular value", (theta**2 + deviation**2) * length / theta - pair),
        zero("which is lambda theta + sigma sqrt(c)", pair - length * theta - deviation * sympy.sqrt(c)),
        positive("and so above sigma sqrt(c)", length * theta),
        equal("another eigenvector b, a^T b = 0, gives another pair: U b is orthogonal to U a", other.T * U.T * U * along,
              length**2 * other.T * along, facts),
        equal("and V b to V a", other.T * V.T * V * along, theta**2 * other.T * along, facts),
    )  # fmt: skip


@lru_cache(maxsize=1)
def rotation_steps() -> tuple[Step, ...]:
    """Rotating latent space rotates the slopes, so that it leaves a stationary point one."""
    orthogonal: Facts = ((P.T * P, I_latent), (P * P.T, I_latent))
    rotated = {U: U * P, V: V * P}
    return tuple(
        equal(
            f"the slope in {variable} at (U P, V P) is that at (U, V), times P",
            slope.subs(rotated).doit(),
            slope * P,
            orthogonal,
        )
        for variable, slope in ((U, gradient(ALIKE, U)), (V, gradient(ALIKE, V)))
    )


def _not_stationary(formula: Basic, chosen: Iterable[Instance], *, above: bool = True) -> Decision | None:
    """A refutation: an exact mode above its threshold (or below) at which the loss has a slope, or another value."""
    for instance in chosen:
        spread, ratio = instance.sigma[0], instance.value(weight)
        for k, singular in enumerate(instance.zeta, 1):
            if (singular**2 > instance.value(root_water) ** 2) is not sympy.true if above else singular == 0:
                continue
            product, loss = (instance.value(part, k) for part in formula.args)
            where = instance.named() | {"i": k}
            if not (product.is_finite and product.is_nonnegative):
                return refuted(where, f"u v = {tidy(product)} is no product of lengths")
            at = dict(zip((u, v), lengths(product, spread, ratio), strict=True))
            own = mode_loss(u, v, singular, spread, ratio)
            for part in (u, v):
                slope = sympy.diff(own, part).subs(at)
                if not is_exactly_zero(slope):
                    return refuted(where, f"the slope of Eq 6 in {part}_i is {tidy(slope)}")
            if not is_exactly_zero(own.subs(at) - loss):
                return refuted(where, f"the mode adds {tidy(own.subs(at))} to Eq 6, the formula gives {tidy(loss)}")
    return None


# ------------------------------------------------------------------------------ without the assumptions
def alike_at_another_variance() -> tuple[Instance, ...]:
    """All sigma_i alike, but not the prior's."""
    return tuple(replace(instance, sigma=(2 * instance.eta_enc,) * instance.d1) for instance in instances())


CLAIMS = (
    Claim(
        "x.stationary-points",
        "beyond the paper: every stationary point",
        "with sigma_i = eta_enc Eq 6 is stationary exactly where, with some singular vectors f_i, g_i of Z and orthonormal p_i, "
        "U = sum over S of u_i f_i p_i^T and V = sum over S of v_i g_i p_i^T, c v_i^2 = eta_enc^2 u_i^2, S being at most d1 modes "
        "with zeta_i > sqrt(beta) eta_dec: (u_i v_i, what mode i adds to Eq 6; zeta_i^2 where it is not in S)",
        printed=Statement(CHOSEN, lists_stationary_points),
        observable="stationary_points",
        uses=("prop-1.reduction", "prop-2.minimum"),
        assumptions=(
            Assumption(PRIOR, lambda formula: needed(_not_stationary(formula, alike_at_another_variance()))),
            Assumption(
                "zeta_i > sqrt(beta) eta_dec",
                lambda formula: needed(_not_stationary(formula, prior_instances(), above=False)),
            ),
        ),
    ),
)
