"""Whether two linear layers express what linear regression does (§2): the least squared error over encoder and decoder."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Expr, Sum, Symbol

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted
from derivations.corollary_1_constant import constant_of
from derivations.instances import Instance, instances, is_exactly_zero, smallest_instances
from derivations.least_loss import least_loss_steps, least_mode_loss
from derivations.notation import SquaredNorm, U, V, d1, dstar, i, residual, sigma_sorted, weight, zeta
from derivations.proof import nonnegative, same, sums_equal

# ------------------------------------------------------------------------------------------ as printed
ERROR_OF_REGRESSION = residual
"""The least E|B x - y|^2 over all matrices B."""

# ------------------------------------------------------------------------------------------ as corrected
ERROR_OF_TWO_LAYERS = residual + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))


# -------------------------------------------------------------------------------- from the definitions
def least_error(instance: Instance) -> Expr:
    """The least E|U W^T x - y|^2 at an instance: r, and what Eq 6 keeps as Sigma tends to 0."""
    return instance.residual + constant_of(instance)


@lru_cache(maxsize=1)
def error_steps() -> tuple[Step, ...]:
    """The infimum of |U V^T - Z|^2 is the limit of the least value of Eq 6 as Sigma = s^2 I tends to 0."""
    s, a = Symbol("s", positive=True), Symbol("a", positive=True)
    decoder, encoder = SquaredNorm(U), SquaredNorm(V)
    penalty = s**2 * decoder + weight * encoder
    rescaled = s**2 * decoder / a**2 + weight * a**2 * encoder
    return (
        *least_loss_steps(),
        nonnegative("Eq 6 is nowhere below the error", penalty),
        same(
            "U / a and a V, of the same product, pay a penalty of",
            rescaled,
            s * (decoder + weight * encoder),
            {a: sympy.sqrt(s)},
        ),
        same("at a^2 = s, which vanishes with s", s * (decoder + weight * encoder), sympy.S.Zero, {s: sympy.S.Zero}),
    )


def is_least_error(formula: Basic) -> Decision:
    """Judge the least E|U W^T x - y|^2 over W and U."""
    for instance in (*smallest_instances(), *instances()):
        here, there = instance.value(formula, None, {residual: instance.residual}), least_error(instance)
        if not is_exactly_zero(here - there):
            failure = f"two linear layers leave an error of {there} at least, and the formula gives {here}"
            return refuted(instance.named(learned=True), failure)
    profile = Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
    limit = profile.xreplace({sigma_sorted[i]: sympy.S.Zero}).doit()
    return conclude([*error_steps(), sums_equal("the error, mode by mode", formula, residual + limit)])


CLAIMS = (
    Claim(
        "s2.expressivity",
        "§2, Linear Networks",
        "linear nets express what linear regression does: the least E|U W^T x - y|^2 over W and U is the r that regression leaves, "
        "at every d1",
        printed=Statement(ERROR_OF_REGRESSION, is_least_error),
        corrected=Statement(ERROR_OF_TWO_LAYERS, is_least_error),
        observable="least_error",
        uses=("prop-1.reduction", "prop-2.minimum"),
        erratum=Erratum(
            printed="linear nets are the same as linear regression in expressivity",
            holds="U W^T has rank d1 at most: the least error is r + sum over i > d1 of zeta_i^2, which is r iff d1 >= rank Z, and "
            "for all data iff d1 >= min(d0, d2)",
            severity=Severity.CONDITION,
        ),
    ),
)
