"""One more layer in the decoder or the encoder: what the Hessian at the origin sees then, and what the origin is (beyond §4.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Equivalent, Expr, Le, MatrixSymbol, Rational, Symbol, Trace, Tuple

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.correlated import correlated_instance, correlated_named, principal
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import REDUCED
from derivations.matrix_calculus import differential
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
    i,
    root_water,
    sigma,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, margin, positive, same, true
from derivations.proposition_2_fixed_variance import DIAGONAL
from derivations.theorem_1_prior_variance import prior_instances
from derivations.theorem_3_origin import (
    hessian_form,
    is_local,
    just_above,
    origin_steps,
    sign_steps,
    smallest_curvature,
)

# ------------------------------------------------------------------------------------------- as stated
CURVATURES = Tuple(2 * weight, 2 * sigma[i] ** 2)
"""What is not 0 of the Hessian of Eq 6 at the origin: with a decoder, and with an encoder, of two layers."""
LOCAL = Equivalent(is_local, Le(zeta[1], sigma_sorted[1] * root_water / eta_enc))

# -------------------------------------------------------------------------------- from the definitions
_width, _other_width = sympy.symbols("h k", integer=True, positive=True)
_outer, _inner = MatrixSymbol("U_2", d2, _width), MatrixSymbol("U_1", _width, d1)
_first, _second = MatrixSymbol("V_2", d0, _other_width), MatrixSymbol("V_1", _other_width, d1)
_LAYERS = (_outer, _inner, _first, _second)
_directions = tuple(MatrixSymbol(f"d{letter.name}", *letter.shape) for letter in _LAYERS)
_dU, _dV = MatrixSymbol("dU", d2, d1), MatrixSymbol("dV", d0, d1)
DECODER, ENCODER = {U: _outer * _inner}, {V: _first * _second}
"""Two layers in place of one, with any number of units between them."""
DERIVED = {"decoder": 2 * weight, "encoder": 2 * sigma[i] ** 2}
"""The diagonal of the forms that `blind_steps` derives."""


def _form_at_zero(put_in: dict[Basic, Expr]) -> Expr:
    """The second differential at the origin of Eq 6 with these layers put in."""
    along = {letter: direction for letter, direction in zip((*_LAYERS, U, V), (*_directions, _dU, _dV), strict=True)}
    second = differential(differential(REDUCED.subs(put_in), along), along)
    return second.subs({letter: 0 * letter for letter in along}).doit()


@lru_cache(maxsize=1)
def blind_steps() -> tuple[Step, ...]:
    """A product of two layers is of second order, and so is what it adds to Z's term: nothing of Z is left in the Hessian."""
    return (
        equal(
            "U = U_2 U_1: the form at the origin is 2c |dV|^2", _form_at_zero(DECODER), 2 * weight * SquaredNorm(_dV)
        ),
        equal(
            "V = V_2 V_1: the form at the origin is 2 Tr(dU Sigma dU^T)",
            _form_at_zero(ENCODER),
            2 * Trace(_dU * Sigma * _dU.T),
        ),
        equal("both: it is 0", _form_at_zero(DECODER | ENCODER), 0 * Trace(_dU.T * _dU)),
        positive("with two layers of the decoder V bends upwards by 2c", DERIVED["decoder"]),
        positive("with two of the encoder U by 2 sigma_i^2, an entry of the diagonal of 2 Sigma", DERIVED["encoder"]),
    )


@lru_cache(maxsize=1)
def path_steps() -> tuple[Step, ...]:
    """Factors of order s make products of order s^2, any small one among them, and the loss is that of the products."""
    s = Symbol("s", positive=True)
    short = {letter: s * letter for letter in _LAYERS}
    product = {U: _outer * _inner, V: _first * _second}
    form = hessian_form().subs({MatrixSymbol("dU", d2, d1): product[U], MatrixSymbol("dV", d0, d1): product[V]})
    fourth, drop = sympy.symbols("fourth drop", positive=True)
    return (
        equal(
            "with four layers of order s the loss minus that of the origin is s^4 times half the form of one layer each, and s^8",
            REDUCED.subs({name: value.subs(short) for name, value in product.items()}).doit() - SquaredNorm(Z),
            s**8 * SquaredNorm(product[U] * product[V].T) + s**4 * form / 2,
        ),
        positive(
            "where the form is negative, along f a^T and g a^T, which are products of one unit, the loss is lower at small s",
            -(s**8 * fourth - s**4 * drop).subs(s, (drop / (2 * fourth)) ** Rational(1, 4)),
        ),
    )


def bends(formula: Basic) -> Decision:
    """Judge (2c, 2 sigma_i^2): the diagonal of the Hessian in the layer that is alone, of V and of latent i of U."""
    found = _other_bends(formula, instances())
    if found is not None:
        return found
    pairs = zip(DERIVED.items(), formula.args, strict=True)
    return conclude(
        [
            *blind_steps(),
            *(same(f"with two layers of the {name}", stated, derived) for (name, derived), stated in pairs),
        ]
    )


def _other_bends(formula: Basic, chosen: Iterable[Instance]) -> Decision | None:
    for instance in chosen:
        for k in range(1, instance.d1 + 1):
            for (name, derived), stated in zip(DERIVED.items(), formula.args, strict=True):
                true_value, value = instance.value(derived, k), instance.value(stated, k)
                if not is_exactly_zero(value - true_value):
                    where = instance.named() | {"i": k}
                    failure = f"with two layers of the {name} it is {tidy(true_value)}, the formula gives {tidy(value)}"
                    return refuted(where, failure)
    return None


def characterises_local_minima(formula: Basic) -> Decision:
    """Judge a condition for the origin to be a local minimum with two layers each, as a Boolean that always holds."""
    for instance in (*prior_instances(), *instances(), *just_above()):
        found = _misjudged(formula, instance, instance)
        if found is not None:
            return found
    threshold = sigma_sorted[1] * root_water / eta_enc
    cases = (
        ("above the threshold", threshold * (1 + margin), sympy.false),
        ("at the threshold", threshold, sympy.true),
        ("below the threshold", threshold / (1 + margin), sympy.true),
        ("without a signal", sympy.S.Zero, sympy.true),
    )
    return conclude(
        [
            *origin_steps(),
            *sign_steps(),
            *path_steps(),
            *(true(f"true {name}", formula, {zeta[1]: value, is_local: local}) for name, value, local in cases),
        ]
    )


def _misjudged(formula: Basic, instance: Instance, own: Instance) -> Decision | None:
    """A refutation, where `own` has the eigenvalues of the instance's Sigma as its variances."""
    curvature = own.value(smallest_curvature(zeta[1], sigma_sorted[1], weight))
    local = sympy.true if curvature >= 0 else sympy.false
    if instance.value(formula.subs(is_local, local)) != sympy.false:
        return None
    named = instance.named() if own is instance else correlated_named(instance)
    is_one = "a" if local else "no"
    return refuted(named, f"the origin is {is_one} local minimum, and the statement is false")


# ------------------------------------------------------------------------------ without the assumptions
def bends_for_correlated_latents(formula: Basic) -> Decision:
    """Judge the formula where Sigma is not diagonal: the Hessian in U has its eigenvalues, twice."""
    instance = correlated_instance()
    for k, own in enumerate(principal(instance).sigma, 1):
        value = instance.value(formula.args[1], k)
        if not is_exactly_zero(value - 2 * own**2):
            failure = f"an eigenvalue is {tidy(2 * own**2)}, the formula gives {tidy(value)}"
            return refuted(correlated_named(instance) | {"i": k}, failure)
    return needed(None)


def local_for_correlated_latents(formula: Basic) -> Decision:
    """Judge the condition where Sigma is not diagonal, the sigma_i being the roots of its diagonal."""
    instance = replace(correlated_instance(), zeta=(Rational(1, 2), Rational(1, 4)))
    return needed(_misjudged(formula, instance, principal(instance)))


CLAIMS = (
    Claim(
        "x.depth",
        "beyond the paper: depth",
        "with two layers of the decoder, U = U_2 U_1, the Hessian of Eq 6 at the origin is 2c in V and else 0; with two of the "
        "encoder 2 sigma_i^2 in latent i of U and else 0; with both 0. It does not see Z, and is positive semidefinite whether or "
        "not the origin is a minimum: Theorem 3 fails. (2c, 2 sigma_i^2)",
        printed=Statement(CURVATURES, bends),
        observable="depth_curvature",
        uses=("prop-1.reduction",),
        assumptions=(Assumption(DIAGONAL, bends_for_correlated_latents),),
    ),
    Claim(
        "x.depth-threshold",
        "beyond the paper: depth",
        "with two layers of the decoder, the encoder or both, of any width, the origin is a local minimum of Eq 6 iff zeta_1 <= "
        "sigma_(1) sqrt(beta) eta_dec/eta_enc, and then a global one: elsewhere it is a saddle that the Hessian does not show",
        printed=Statement(LOCAL, characterises_local_minima),
        observable="depth_minimum",
        uses=("thm-3.hessian",),
        assumptions=(Assumption(DIAGONAL, local_for_correlated_latents),),
    ),
)
