"""How training leaves the origin, and how a mode grows: gradient flow of Eq 6 in U and V, theta' = -grad/2, for a fixed Sigma."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Rational, Symbol

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.correlated import correlated_instance, correlated_named, principal
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import ORTHOGONAL, REDUCED, mode_loss, u, v
from derivations.matrix_calculus import gradient
from derivations.notation import (
    S_Z,
    F,
    G,
    Lambda,
    Sigma,
    Theta,
    U,
    V,
    eta_enc,
    i,
    root_water,
    sigma,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, nonnegative, positive, same, zero
from derivations.proposition_2_fixed_variance import DIAGONAL
from derivations.theorem_3_origin import origin_steps, sign_steps, smallest_curvature

product = Symbol("m", nonnegative=True)
"""A singular value of U V^T."""

# ------------------------------------------------------------------------------------------- as stated
GROWTH = -(sigma_sorted[1] ** 2 + weight) / 2 + sympy.sqrt((sigma_sorted[1] ** 2 - weight) ** 2 / 4 + zeta[1] ** 2)
VELOCITY = 2 * product * (zeta[i] - sigma[i] * root_water / eta_enc - product)

# -------------------------------------------------------------------------------- from the definitions
_s, _c, _z = sympy.symbols("s c zeta", positive=True)
_PRODUCTS = (Rational(1), Rational(2, 3))


def grows(formula: Basic) -> Decision:
    """Judge the largest rate at which small U and V grow."""
    found = _other_growth(formula, instances())
    if found is not None:
        return found
    rate = -smallest_curvature(zeta[1], sigma_sorted[1], weight) / 2
    return conclude(
        [*origin_steps(), *sign_steps(), *growth_steps(), same("the rate of the fastest direction", formula, rate)]
    )


def _other_growth(formula: Basic, chosen: tuple[Instance, ...]) -> Decision | None:
    for instance in chosen:
        rate = instance.value(-smallest_curvature(zeta[1], sigma_sorted[1], weight) / 2)
        stated = instance.value(formula)
        if not is_exactly_zero(stated - rate):
            return refuted(instance.named(), f"the fastest growth is {tidy(rate)}, the formula gives {tidy(stated)}")
    return None


@lru_cache(maxsize=1)
def growth_steps() -> tuple[Step, ...]:
    """The fastest direction is that of the largest zeta and the least sigma; it slows down to a halt at the threshold."""
    variance = Symbol("V", positive=True)
    rate = -smallest_curvature(_z, sympy.sqrt(variance), _c) / 2
    root = sympy.sqrt((variance - _c) ** 2 + 4 * _z**2)
    threshold = _s * sympy.sqrt(_c)
    halt = (root**2).subs(variance, _s**2) - (_s**2 + _c) ** 2
    return (
        positive("the rate rises with zeta", sympy.diff(rate, _z)),
        zero("its slope in sigma^2", sympy.diff(rate, variance) - ((variance - _c) / root - 1) / 2),
        nonnegative("is not positive, since the root is no less than |sigma^2 - c|", root**2 - (variance - _c) ** 2),
        zero(
            "at the threshold the root is sigma^2 + c, so that the rate is 0: critical slowing down",
            halt,
            {_z: threshold},
        ),
    )


def moves(formula: Basic) -> Decision:
    """Judge m' where sigma_i^2 = c, U = F sqrt(m) and V = G sqrt(m), m being diagonal."""
    found = _other_velocity(formula)
    if found is not None:
        return found
    slopes = _flow()
    root = sympy.sqrt(product)
    balanced = {u: root, v: root}
    velocity = (slopes[0] * v + u * slopes[1]).subs(_c, _s**2)
    stated = formula.xreplace({eta_enc: root_water / _s, sigma[i]: _s, sigma_sorted[i]: _s, zeta[i]: _z})
    return conclude(
        [
            *mode_steps(),
            zero("with u = v and sigma^2 = c both change alike, and stay equal", (slopes[0] - slopes[1]).subs(_c, _s**2), balanced),
            same("the velocity of m = u v", stated, velocity, balanced),
        ]
    )  # fmt: skip


@lru_cache(maxsize=1)
def _flow() -> tuple[Expr, Expr]:
    """(u', v') of one mode."""
    loss = mode_loss(u, v, _z, _s, _c)
    return -sympy.diff(loss, u) / 2, -sympy.diff(loss, v) / 2


@lru_cache(maxsize=1)
def mode_steps() -> tuple[Step, ...]:
    """In the singular bases of Z the modes move each by itself: the flow leaves U = F Lambda and V = G Theta diagonal."""
    at = {U: F * Lambda, V: G * Theta}
    missing = S_Z - Lambda * Theta.T
    slope_u, slope_v = (gradient(REDUCED, variable) / 2 for variable in (U, V))
    first, second = _flow()
    return (
        equal("U' at U = F Lambda, V = G Theta", -slope_u.subs(at), F * (missing * Theta - Lambda * Sigma), ORTHOGONAL),
        equal("V' there", -slope_v.subs(at), G * (missing.T * Lambda - weight * Theta), ORTHOGONAL),
        zero("an entry of the first is u' of its mode", first - ((_z - u * v) * v - u * _s**2)),
        zero("and of the second v'", second - ((_z - u * v) * u - _c * v)),
    )


def _other_velocity(formula: Basic, *, unlike: bool = False, unbalanced: bool = False) -> Decision | None:
    """A refutation: an exact mode that moves otherwise. `unlike`: sigma^2 is not c; `unbalanced`: u is not v."""
    for instance in instances():
        root = instance.value(root_water)
        prior = instance.eta_enc if unlike else root / instance.sigma[0]  # c = beta eta_dec^2/eta_enc^2
        here = replace(instance, eta_enc=prior, sigma=(instance.sigma[0],) * instance.d1)
        for m in _PRODUCTS:
            long = 2 if unbalanced else 1
            at = {u: long * sympy.sqrt(m), v: sympy.sqrt(m) / long}
            numbers = {_z: here.zeta[0], _s: here.sigma[0], _c: here.value(weight)}
            slopes = [part.subs(at | numbers) for part in _flow()]
            velocity = sympy.expand(slopes[0] * at[v] + at[u] * slopes[1])
            stated = here.value(formula.xreplace({product: m}), 1)
            if not is_exactly_zero(stated - velocity):
                where = here.named() | {"m": m, "u": at[u], "v": at[v], "i": 1}
                return refuted(where, f"m' is {tidy(velocity)}, the formula gives {tidy(stated)}")
    return None


# ------------------------------------------------------------------------------ without the assumptions
def grows_with_correlated_latents(formula: Basic) -> Decision:
    """Judge the formula where Sigma is not diagonal: its eigenvalues take the place of the sigma_i^2."""
    instance = correlated_instance()
    rate = principal(instance).value(-smallest_curvature(zeta[1], sigma_sorted[1], weight) / 2)
    stated = instance.value(formula)
    if is_exactly_zero(stated - rate):
        return needed(None)
    return refuted(correlated_named(instance), f"the fastest growth is {tidy(rate)}, the formula gives {tidy(stated)}")


CLAIMS = (
    Claim(
        "x.gradient-flow",
        "beyond the paper: dynamics",
        "for a fixed Sigma the flow theta' = -grad(Eq 6)/2 leaves the origin at this rate, that of zeta_1 and the least sigma; it "
        "is positive, 0 or negative as zeta_1 - sqrt(beta) eta_dec sigma_(1)/eta_enc is",
        printed=Statement(GROWTH, grows),
        observable="growth",
        uses=("thm-3.hessian",),
        assumptions=(Assumption(DIAGONAL, grows_with_correlated_latents),),
    ),
    Claim(
        "x.gradient-flow-balanced",
        "beyond the paper: dynamics",
        "where sigma_i^2 = c = beta eta_dec^2/eta_enc^2 and u_i = v_i, a mode's m = u_i v_i grows logistically: m' is this",
        printed=Statement(VELOCITY, moves),
        observable="velocity",
        uses=("prop-1.reduction",),
        assumptions=(
            Assumption("sigma_i^2 = c", lambda formula: needed(_other_velocity(formula, unlike=True))),
            Assumption("u_i = v_i", lambda formula: needed(_other_velocity(formula, unbalanced=True))),
        ),
    ),
)
