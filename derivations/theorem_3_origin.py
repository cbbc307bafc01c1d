"""The origin: local curvature decides globally (§4.5, Theorem 3), at sigma_i = eta_enc and in fact for any fixed Sigma."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Equivalent, Expr, Ge, MatrixSymbol, Not, Symbol

from derivations.claim import Claim, Decision, Statement, Step, Verdict, conclude, refuted, undecided
from derivations.instances import Instance, tidy
from derivations.least_loss import REDUCED
from derivations.matrix_calculus import differential, gradient
from derivations.notation import (
    Sigma,
    SquaredNorm,
    U,
    V,
    Z,
    d0,
    d1,
    d2,
    eta_enc,
    root_water,
    weight,
    zeta,
)
from derivations.proof import equal, holds, margin, positive, zero
from derivations.proposition_2_fixed_variance import least_loss
from derivations.theorem_1_prior_variance import prior_instances

smallest_eigenvalue = Symbol("h_min", real=True)
"""The smallest eigenvalue of the Hessian of the reduced loss at U = V = 0."""
gap = Symbol("gap", real=True)
"""The least value of the loss minus its value at the origin: 0 iff the origin is a global minimum."""
is_local, is_global = sympy.symbols("origin_is_local_minimum origin_is_global_minimum")

# ------------------------------------------------------------------------------------------ as printed
THEOREM_3 = Equivalent(Ge(smallest_eigenvalue, 0), Eq(gap, 0))
NO_MIDDLE = Not(And(is_local, Not(is_global)))

# -------------------------------------------------------------------------------- from the definitions
du, dv, f, g, a = (
    MatrixSymbol("dU", d2, d1),
    MatrixSymbol("dV", d0, d1),
    MatrixSymbol("f", d2, 1),
    MatrixSymbol("g", d0, 1),
    MatrixSymbol("a", d1, 1),
)
"""Directions, one pair of singular vectors of Z, and any direction of latent space."""
_u, _v, _s, _c, _z = sympy.symbols("alpha gamma s c zeta", positive=True)


def hessian_form() -> Expr:
    """The second differential of Eq 6 at U = V = 0 along (dU, dV), twice."""
    second = differential(differential(REDUCED, {U: du, V: dv}), {U: du, V: dv})
    return second.subs({U: 0 * U, V: 0 * V}).doit()


def smallest_curvature(singular: Expr, deviation: Expr, c: Expr) -> Expr:
    """The smaller eigenvalue of the block of one mode: sigma^2 + c - sqrt((sigma^2 - c)^2 + 4 zeta^2)."""
    return deviation**2 + c - sympy.sqrt((deviation**2 - c) ** 2 + 4 * singular**2)


@lru_cache(maxsize=1)
def origin_steps() -> tuple[Step, ...]:
    """The loss minus its value at the origin is |U V^T|^2 plus half the Hessian form, for every fixed Sigma.

    A nonnegative form thus makes the origin a global minimum; a negative direction lowers the loss at small steps, since
    |U V^T|^2 is of fourth order. Neither direction needs the spectrum, which is derived as well.
    """
    form = hessian_form()
    at_origin = SquaredNorm(Z)
    along = {du: U, dv: V}
    scale = Symbol("s", positive=True)
    quartic = REDUCED.subs({U: scale * U, V: scale * V}).doit()
    drop, fourth = sympy.symbols("drop fourth", positive=True)
    block = sympy.Matrix([[2 * _s**2, -2 * _z], [-2 * _z, 2 * _c]])
    roots = [_s**2 + _c + sign * sympy.sqrt((_s**2 - _c) ** 2 + 4 * _z**2) for sign in (1, -1)]
    mode = {du: f * a.T, dv: g * a.T}
    isotropic = form.subs(Sigma, _s**2 * sympy.Identity(d1)).subs(weight, _c)
    unit = (
        (f.T * f, sympy.Identity(1)),
        (g.T * g, sympy.Identity(1)),
        (Z * g, _z * f),
        (Z.T * f, _z * g),
        (a.T * a, sympy.Identity(1)),
    )
    slope_u, slope_v = (gradient(isotropic, variable) for variable in (du, dv))
    return (
        equal(
            "the loss minus its value at the origin", REDUCED - at_origin, SquaredNorm(U * V.T) + form.subs(along) / 2
        ),
        equal(
            "along a ray it has a term of second and one of fourth order only",
            quartic - at_origin,
            scale**4 * SquaredNorm(U * V.T) + scale**2 * form.subs(along) / 2,
        ),
        positive(
            "a negative direction lowers the loss: at s^2 = drop / (2 fourth) the change s^4 fourth - s^2 drop is negative",
            -(scale**4 * fourth - scale**2 * drop).subs(scale, sympy.sqrt(drop / (2 * fourth))),
        ),
        equal(
            "isotropic Sigma: half the gradient of the form in dU, at (f a^T, g a^T)",
            slope_u.subs(mode) / 2,
            (2 * _s**2 - 2 * _z) * f * a.T,
            unit,
        ),
        equal(
            "isotropic Sigma: half the gradient of the form in dV, at (f a^T, g a^T)",
            slope_v.subs(mode) / 2,
            (2 * _c - 2 * _z) * g * a.T,
            unit,
        ),
        *(
            zero("an eigenvalue of one mode's block", sympy.expand((block - root * sympy.eye(2)).det()))
            for root in roots
        ),
    )


@lru_cache(maxsize=1)
def attainable() -> tuple[tuple[Instance, Expr, Expr], ...]:
    """(instance, smallest eigenvalue, gap) at exact instances with sigma_i = eta_enc, on both sides of and at the threshold."""
    found = []
    for instance in prior_instances():
        eigenvalue = instance.value(smallest_curvature(zeta[1], eta_enc, weight))
        found.append((instance, tidy(eigenvalue), least_loss(instance) - sum(value**2 for value in instance.zeta)))
    return tuple(found)


@lru_cache(maxsize=1)
def sign_steps() -> tuple[Step, ...]:
    """The signs that can occur together: the smallest eigenvalue is negative iff zeta_1 > sqrt(t), where the gap is negative."""
    steps = []
    for name, singular in (
        ("above the threshold", root_water * (1 + margin)),
        ("at the threshold", root_water),
        ("below the threshold", root_water / (1 + margin)),
    ):
        # eigenvalue = S - sqrt(S^2 - product) with S > 0: it has the sign of the block's determinant
        product = (4 * eta_enc**2 * weight - 4 * singular**2).simplify()
        expected = {"above the threshold": "negative", "at the threshold": "zero", "below the threshold": "positive"}[
            name
        ]
        sign = {"negative": product < 0, "zero": Eq(product, 0), "positive": product > 0}[expected]
        steps.append(
            Step(
                f"the block's determinant is {expected} {name} the threshold",
                Eq(product, product, evaluate=False),
                _shown(sign),
            )
        )
    total, product = _s**2 + _c, 4 * _s**2 * _c - 4 * _z**2
    steps.append(
        zero(
            "the eigenvalue is S - sqrt(S^2 - determinant)",
            smallest_curvature(_z, _s, _c) - (total - sympy.sqrt(sympy.expand(total**2 - product))),
        )
    )
    return tuple(steps)


def _shown(relation: Basic) -> Verdict:
    return Verdict.PROVED if holds(relation) else Verdict.UNDECIDED


def relates_hessian_and_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of the smallest Hessian eigenvalue and the gap: does it hold for every problem?"""
    for instance, eigenvalue, difference in attainable():
        stated = formula.subs({smallest_eigenvalue: eigenvalue, gap: difference})
        if stated not in (sympy.true, sympy.false):
            return undecided(f"the truth of {stated}")
        if stated == sympy.false:
            where = instance.named() | {"smallest eigenvalue": eigenvalue, "gap": difference}
            return refuted(where, "the statement is false here")
    return conclude(
        [
            *origin_steps(),
            *sign_steps(),
            *_truth_steps(
                formula,
                {smallest_eigenvalue: 1, gap: 0},
                {smallest_eigenvalue: 0, gap: 0},
                {smallest_eigenvalue: -1, gap: -1},
            ),
        ]
    )


def relates_local_and_global(formula: Basic) -> Decision:
    """Judge a Boolean of "the origin is a local minimum" and "the origin is a global minimum": does it hold for every problem?"""
    for instance, eigenvalue, difference in attainable():
        # below the threshold and at it the form is nonnegative, hence a minimum; a negative direction excludes even a local one
        truth = {
            is_local: sympy.true if eigenvalue >= 0 else sympy.false,
            is_global: sympy.true if difference == 0 else sympy.false,
        }
        if formula.subs(truth) == sympy.false:
            where = instance.named() | {"smallest eigenvalue": eigenvalue, "gap": difference}
            return refuted(where, f"local minimum: {truth[is_local]}, global minimum: {truth[is_global]}")
    both, neither = {is_local: True, is_global: True}, {is_local: False, is_global: False}
    return conclude([*origin_steps(), *sign_steps(), *_truth_steps(formula, both, neither)])


def _truth_steps(formula: Basic, *cases: Mapping[Symbol, object]) -> list[Step]:
    """The statement is true in every combination of signs that can occur (eigenvalue and gap scaled to 1)."""
    return [
        Step(
            f"true where {', '.join(f'{k} = {v}' for k, v in case.items())}",
            formula,
            Verdict.PROVED if formula.subs(case) == sympy.true else Verdict.UNDECIDED,
        )
        for case in cases
    ]


CLAIMS = (
    Claim(
        "thm-3.hessian",
        "§4.5, Theorem 3",
        "the Hessian of Eq 5 at 0 is positive semidefinite iff 0 is the global minimum",
        printed=Statement(THEOREM_3, relates_hessian_and_minimum),
        observable="origin_curvature",
        uses=("prop-1.reduction", "thm-1.minimum"),
        assumptions=("sigma_i = eta_enc for all i",),
    ),
    Claim(
        "thm-3.no-middle",
        "§4.5, after Theorem 3",
        "the origin is never a local minimum that is not global",
        printed=Statement(NO_MIDDLE, relates_local_and_global),
        observable="origin_minimum",
        uses=("thm-3.hessian",),
        assumptions=("sigma_i = eta_enc for all i",),
    ),
)
