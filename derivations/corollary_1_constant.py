"""The constant of Eq 11 (§4.3): what the least loss keeps as Sigma tends to 0, and when there is any."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Gt, Implies, Lt, Sum, Symbol, Tuple

from derivations.claim import Claim, Decision, Statement, conclude, refuted
from derivations.instances import Instance, instances, is_exactly_zero
from derivations.least_loss import least_loss_steps, least_mode_loss
from derivations.notation import d1, dstar, i, sigma_sorted, weight, zeta
from derivations.proof import sums_equal, true
from derivations.proposition_2_fixed_variance import least_loss

rest = Symbol("rest", real=True)
"""The value of the constant."""

# ------------------------------------------------------------------------------------------ as printed
CONSTANT = Tuple(Sum(zeta[i] ** 2, (i, d1 + 1, dstar)), Implies(Gt(rest, 0), Lt(d1, dstar)))


# -------------------------------------------------------------------------------- from the definitions
@lru_cache(maxsize=256)
def constant_of(instance: Instance) -> Expr:
    """The least value of Eq 6 at Sigma = 0, from three small Sigma: while every mode is active it is a parabola in sigma."""
    active = [value for value in instance.zeta if value > 0] or [sympy.S.One]
    step = min(active) / (4 * sympy.sqrt(instance.value(weight)))
    values = [least_loss(replace(instance, sigma=(k * step,) * instance.d1)) for k in (1, 2, 3)]
    return sympy.expand(3 * values[0] - 3 * values[1] + values[2])


@lru_cache(maxsize=1)
def _candidates() -> tuple[Instance, ...]:
    """Exact instances, one with d1 < d* and no signal beyond the first d1 modes among them."""
    found = instances()[:30]
    return (*found, replace(found[0], zeta=(sympy.Integer(3), sympy.S.Zero), sigma=(sympy.S.One,)))


def is_constant_of_profile(formula: Basic) -> Decision:
    """Judge (the constant of Eq 11, a Boolean of its value, d1 and dstar)."""
    stated, statement = formula.args
    for instance in _candidates():
        here, there = instance.value(stated), constant_of(instance)
        if not is_exactly_zero(here - there):
            return refuted(
                instance.named(), f"the least loss tends to {there} with Sigma, and the formula gives {here}"
            )
        if instance.value(statement.subs(rest, there)) != sympy.true:
            return refuted(instance.named(), f"the constant is {there}, where the statement {statement} is false")
    profile = Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
    surplus = Symbol("surplus", integer=True, positive=True)
    positive_rest = Symbol("value", positive=True)
    return conclude(
        [
            *least_loss_steps(),
            sums_equal(
                "the least loss as Sigma tends to 0", stated, profile.xreplace({sigma_sorted[i]: sympy.S.Zero}).doit()
            ),
            true("its number of terms is not positive where d1 = d*", _is_empty(stated), {d1: dstar}),
            true("nor where d1 > d*", _is_empty(stated), {d1: dstar + surplus}),
            *(
                true(f"the statement is true where {name}", statement, case)
                for name, case in (
                    ("d1 = d*, without constant", {d1: dstar, rest: 0}),
                    ("d1 > d*, without constant", {d1: dstar + surplus, rest: 0}),
                    ("d1 < d*, with constant 0", {dstar: d1 + surplus, rest: 0}),
                    ("d1 < d*, with a constant that is not 0", {dstar: d1 + surplus, rest: positive_rest}),
                )
            ),
        ]
    )


def _is_empty(total: Expr) -> Basic:
    """That a sum ends before it begins, so that it is 0."""
    if not isinstance(total, Sum):
        return sympy.false
    _, start, end = total.limits[0]
    return sympy.Le(end - start + 1, 0, evaluate=False)


CLAIMS = (
    Claim(
        "cor-1.constant",
        "§4.3, after Eq 11",
        "the constant of Eq 11, which does not depend on Sigma, is other than 0 only if d1 < d*",
        printed=Statement(CONSTANT, is_constant_of_profile),
        observable="profile_constant",
        uses=("cor-1.profile",),
    ),
)
