"""The origin: local curvature decides globally (§4.5, Theorem 3), for every fixed Sigma; sigma_i = eta_enc is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Equivalent, Expr, Ge, MatrixSymbol, Not, Symbol
from sympy.core.relational import Relational

from derivations.claim import Claim, Decision, Statement, Step, conclude, refuted, undecided
from derivations.instances import Instance, instances, tidy
from derivations.least_loss import REDUCED
from derivations.matrix_calculus import differential, gradient
from derivations.notation import (
    D0,
    P_A,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    Z,
    d0,
    d1,
    d2,
    inverse_root_Phi,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, margin, nonnegative, positive, same, true, zero
from derivations.proposition_1_reduction import LINK, SPECTRAL
from derivations.proposition_2_fixed_variance import least_loss
from derivations.theorem_1_prior_variance import prior_instances

smallest_eigenvalue = Symbol("h_min", real=True)
"""The smallest eigenvalue of the Hessian of the reduced loss at U = V = 0."""
gap = Symbol("gap", real=True)
"""The least value of the loss minus its value at the origin: 0 iff the origin is a global minimum."""
is_local, is_global = sympy.symbols("locally_least globally_least")
"""Whether the origin is a local, and a global, minimum of Eq 6."""

_rise, _fall, _depth = sympy.symbols("h_up h_down depth", positive=True)
SIGNS: tuple[Mapping[Symbol, Basic], ...] = (
    {smallest_eigenvalue: _rise, gap: sympy.S.Zero},
    {smallest_eigenvalue: sympy.S.Zero, gap: sympy.S.Zero},
    {smallest_eigenvalue: -_fall, gap: -_depth},
)
"""The signs that occur."""

# ------------------------------------------------------------------------------------------ as printed
THEOREM_3 = Equivalent(Ge(smallest_eigenvalue, 0), Eq(gap, 0))
NO_MIDDLE = Not(And(is_local, Not(is_global)))

# -------------------------------------------------------------------------------- from the definitions
du, dv, dw, f, g, a = (
    MatrixSymbol("dU", d2, d1),
    MatrixSymbol("dV", d0, d1),
    MatrixSymbol("dW", D0, d1),
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


@lru_cache(maxsize=1)
def layer_steps() -> tuple[Step, ...]:
    """From U and W to U and V: the form of Eq 5 at U = W = 0 is that of Eq 6 along dV = Phi^(1/2) P_A^T dW, which is any dV."""
    in_layers = REDUCED.subs(V, LINK).doit()
    second = differential(differential(in_layers, {U: du, W: dw}), {U: du, W: dw})
    return (
        equal(
            "the second differential in U and W at 0 is that in U and V along dV = Phi^(1/2) P_A^T dW",
            second.subs({U: 0 * U, W: 0 * W}).doit(),
            hessian_form().subs(dv, LINK.subs(W, dw)),
            SPECTRAL,
        ),
        equal("every dV is that of some dW", LINK.subs(W, P_A * inverse_root_Phi * dv), dv, SPECTRAL),
    )


def smallest_curvature(singular: Expr, deviation: Expr, c: Expr) -> Expr:
    """The smaller eigenvalue of the block of one mode: sigma^2 + c - sqrt((sigma^2 - c)^2 + 4 zeta^2)."""
    return deviation**2 + c - sympy.sqrt((deviation**2 - c) ** 2 + 4 * singular**2)


@lru_cache(maxsize=1)
def origin_steps() -> tuple[Step, ...]:
    """The loss minus its value at the origin is |U V^T|^2 plus half the Hessian form, for every fixed Sigma.

    A nonnegative form thus makes the origin a global minimum; a negative direction lowers the loss at small steps, since
    |U V^T|^2 is of fourth order. Neither direction needs the spectrum, which is derived as well: a latent direction `a` along
    which Sigma is s^2 and a pair of singular vectors of Z span a block of their own.
    """
    form = hessian_form()
    at_origin = SquaredNorm(Z)
    along = {du: U, dv: V}
    scale = Symbol("s", positive=True)
    quartic = REDUCED.subs({U: scale * U, V: scale * V}).doit()
    drop, fourth = sympy.symbols("drop fourth", positive=True)
    eigenvalue = Symbol("h", real=True)
    block = sympy.Matrix([[2 * _s**2, -2 * _z], [-2 * _z, 2 * _c]])
    characteristic = sympy.expand((block - eigenvalue * sympy.eye(2)).det())
    roots = [_s**2 + _c + sign * sympy.sqrt((_s**2 - _c) ** 2 + 4 * _z**2) for sign in (1, -1)]
    mode = {du: f * a.T, dv: g * a.T}
    pair = (
        (Sigma * a, _s**2 * a),
        (Z * g, _z * f),
        (Z.T * f, _z * g),
    )
    lone = {du: f * a.T, dv: 0 * g * a.T}, {du: 0 * f * a.T, dv: g * a.T}
    alone = (
        (Sigma * a, _s**2 * a),
        (Z * g, 0 * f),
        (Z.T * f, 0 * g),
    )
    slope_u, slope_v = (gradient(form.subs(weight, _c), variable) for variable in (du, dv))
    return (
        *layer_steps(),
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
            "half the gradient of the form in dU, at (f a^T, g a^T)",
            slope_u.subs(mode) / 2,
            (2 * _s**2 - 2 * _z) * f * a.T,
            pair,
        ),
        equal(
            "half the gradient of the form in dV, at (f a^T, g a^T)",
            slope_v.subs(mode) / 2,
            (2 * _c - 2 * _z) * g * a.T,
            pair,
        ),
        equal(
            "where Z^T f = 0 the direction (f a^T, 0) stands alone",
            slope_u.subs(lone[0]) / 2,
            2 * _s**2 * f * a.T,
            alone,
        ),
        positive("and where Z g = 0 (0, g a^T) does, with c: both are positive", _c),
        *(
            zero(f"{which} eigenvalue of one mode's block", characteristic, {eigenvalue: root})
            for which, root in zip(("the larger", "the smaller"), roots, strict=True)
        ),
    )


def just_above() -> tuple[Instance, ...]:
    """One mode a little above the threshold, where the eigenvalue is about -2/n and the gap -1/n^2 for zeta_1 = 1 + 1/n."""
    one = sympy.S.One
    return tuple(Instance((1 + one / n,), (one,), one, one, one, 1, 1) for n in (100, 10**6))


@lru_cache(maxsize=1)
def attainable() -> tuple[tuple[Instance, Expr, Expr], ...]:
    """(instance, smallest eigenvalue, gap) at exact instances, on both sides of and at the threshold.

    With a diagonal Sigma the form splits over latents and modes; the smallest eigenvalue is that of zeta_1 with the smallest sigma.
    """
    found = []
    for instance in (*prior_instances(), *instances(), *just_above()):
        eigenvalue = instance.value(smallest_curvature(zeta[1], sigma_sorted[1], weight))
        found.append((instance, tidy(eigenvalue), least_loss(instance) - sum(value**2 for value in instance.zeta)))
    return tuple(found)


@lru_cache(maxsize=1)
def sign_steps() -> tuple[Step, ...]:
    """The signs that occur: the smallest eigenvalue is negative iff zeta_1 > sigma_(1) sqrt(c), the threshold of the gap."""
    more, less = Symbol("rise", nonnegative=True), Symbol("fall", nonnegative=True)
    determinant = _s**2 * _c - _z**2
    relations: dict[str, type[Relational]] = {"negative": sympy.Lt, "zero": Eq, "positive": sympy.Gt}
    total = _s**2 + _c
    return (
        *(
            true(
                f"a quarter of the block's determinant is {sign} {where}",
                relations[sign](determinant, 0, evaluate=False),
                {_z: value},
            )
            for where, sign, value in (
                ("above the threshold", "negative", _s * sympy.sqrt(_c) * (1 + margin)),
                ("at the threshold", "zero", _s * sympy.sqrt(_c)),
                ("below the threshold", "positive", _s * sympy.sqrt(_c) / (1 + margin)),
            )
        ),
        same(
            "the smaller eigenvalue is S - sqrt(S^2 - determinant) with S > 0: it has the determinant's sign",
            smallest_curvature(_z, _s, _c),
            total - sympy.sqrt(sympy.expand(total**2 - 4 * determinant)),
        ),
        nonnegative(
            "a latent with a larger sigma and a mode with a smaller zeta have no smaller determinant",
            (_s**2 + more) * _c - (_z - less) ** 2 - determinant,
            {_z: less + margin},
        ),
    )


def relates_hessian_and_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of the smallest Hessian eigenvalue and the gap: does it hold for every problem?"""
    found = false_at(formula, attainable())
    if found is not None:
        return found
    return conclude([*origin_steps(), *sign_steps(), *truth_steps(formula, *SIGNS)])


def false_at(formula: Basic, found: Iterable[tuple[Instance, Expr, Expr]], *, learned: bool = False) -> Decision | None:
    """A refutation: an instance where a Boolean of the smallest Hessian eigenvalue and the gap is false, or has no truth."""
    for instance, eigenvalue, difference in found:
        stated = formula.subs({smallest_eigenvalue: eigenvalue, gap: difference})
        if stated not in (sympy.true, sympy.false):
            return undecided(f"the truth of {stated}")
        if stated == sympy.false:
            where = instance.named(learned=learned) | {"smallest eigenvalue": eigenvalue, "gap": difference}
            return refuted(where, "the statement is false here")
    return None


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
    both, neither = ({is_local: truth, is_global: truth} for truth in (sympy.true, sympy.false))
    return conclude([*origin_steps(), *sign_steps(), *truth_steps(formula, both, neither)])


def truth_steps(formula: Basic, *cases: Mapping[Symbol, Basic]) -> list[Step]:
    """The statement is true in every combination that can occur. A number is a positive letter: more than its sign is not known."""
    return [true(f"true where {', '.join(f'{k} = {v}' for k, v in case.items())}", formula, case) for case in cases]


CLAIMS = (
    Claim(
        "thm-3.hessian",
        "§4.5, Theorem 3",
        "the Hessian of Eq 5 at U = W = 0 is positive semidefinite iff 0 is a global minimum, for every fixed Sigma",
        printed=Statement(THEOREM_3, relates_hessian_and_minimum),
        observable="origin_curvature",
        uses=("prop-1.reduction", "prop-2.minimum"),
    ),
    Claim(
        "thm-3.no-middle",
        "§4.5, after Theorem 3",
        "the origin U = W = 0 is never a local minimum that is not global, for every fixed Sigma",
        printed=Statement(NO_MIDDLE, relates_local_and_global),
        observable="origin_minimum",
        uses=("thm-3.hessian",),
    ),
)
