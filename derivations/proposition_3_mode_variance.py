"""The objective as a function of Sigma alone, and the best standard deviation of one mode (§4.3, Eq 12-14, Proposition 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Max, Piecewise, Sum, Symbol, log

from derivations.claim import (
    Assumption,
    Claim,
    Decision,
    Erratum,
    Severity,
    Statement,
    Step,
    conclude,
    needed,
    refuted,
)
from derivations.corollary_1_profile import profile_steps
from derivations.correlated import correlated_instance, correlated_named, principal
from derivations.elbo import kl_parts, kl_steps
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import least_loss_steps, least_mode_loss
from derivations.notation import beta, constant, d1, eta_dec, eta_enc, i, root_water, sigma, sigma_sorted, weight, zeta
from derivations.proof import margin, nonnegative, positive, resolved, same, zero
from derivations.proposition_2_fixed_variance import DIAGONAL


# ------------------------------------------------------------------------------------------ as printed
def equation_13(deviation: Expr) -> Expr:
    """The right side of Eq 13 with the encoder standard deviation that is paired with zeta_i."""
    shift = sympy.sqrt(beta) * deviation * eta_dec / eta_enc
    gain = Piecewise(((zeta[i] - shift) ** 2, zeta[i] > shift), (0, True))
    variance_cost = beta * eta_dec**2 * (deviation**2 / eta_enc**2 - 1 - log(deviation**2 / eta_enc**2))
    return Sum(zeta[i] ** 2 - gain + variance_cost, (i, 1, d1)) / (2 * eta_dec**2) + constant


def by_regime(active: Expr) -> Piecewise:
    """An encoder standard deviation that is `active` where beta eta_dec^2 < zeta_i^2 and eta_enc elsewhere."""
    return Piecewise((active, beta * eta_dec**2 < zeta[i] ** 2), (eta_enc, True))


EQUATION_14 = by_regime(sympy.sqrt(beta * eta_dec) / zeta[i] * eta_enc)
CORRECTED_14 = by_regime(sympy.sqrt(beta) * eta_dec / zeta[i] * eta_enc)

# -------------------------------------------------------------------------------- from the definitions
s, _z = sympy.symbols("s zeta", positive=True)
"""A standard deviation, and a singular value of Z."""


@lru_cache(maxsize=64)
def mode_objective(singular: Expr, deviation: Expr) -> Expr:
    """2 eta_dec^2 L_VAE of one mode with U and V minimised out, as a function of its encoder standard deviation."""
    variance_cost = kl_parts()[1].subs(sigma[i], deviation)
    return least_mode_loss(singular, deviation) + 2 * eta_dec**2 * beta * variance_cost


@lru_cache(maxsize=4096)
def slopes(singular: Expr) -> tuple[Expr, Expr]:
    """The derivative of `mode_objective` in s where the mode is active (s below zeta/sqrt(c)) and where it is collapsed."""
    objective = mode_objective(singular, s)
    gain = Max(0, singular - s * sympy.sqrt(weight))
    active = sympy.diff(objective.subs(gain, singular - s * sympy.sqrt(weight)), s)
    return active, sympy.diff(objective.subs(gain, 0), s)


@lru_cache(maxsize=1)
def mode_objective_steps() -> tuple[Step, ...]:
    """One stationary point on each side of the threshold, with the slope's sign everywhere: it is the global minimum."""
    further = Symbol("delta", nonnegative=True)
    above, below = root_water * (1 + margin), root_water / (1 + further)
    edge = 1 / sympy.sqrt(weight)
    active_above, collapsed_above = slopes(above)
    active_below, collapsed_below = slopes(below)
    best = root_water * eta_enc / above
    t = Symbol("delta_2", positive=True)
    return (
        *kl_steps(),
        same("the slopes of the two sides meet where the mode collapses", *slopes(_z), {s: _z * edge}),
        positive("zeta > threshold: the candidate lies on the active side", above * edge - best),
        zero("zeta > threshold: it is stationary", active_above, {s: best}),
        positive(
            "zeta > threshold: the slope is positive beyond it", sympy.simplify(active_above.subs(s, best * (1 + t)))
        ),
        positive("zeta > threshold: and negative before it", sympy.simplify(-active_above.subs(s, best / (1 + t)))),
        positive(
            "zeta > threshold: the slope is positive where the mode is collapsed",
            sympy.simplify(collapsed_above.subs(s, above * edge * (1 + further))),
        ),
        nonnegative("zeta <= threshold: eta_enc lies on the collapsed side", eta_enc - below * edge),
        zero("zeta <= threshold: eta_enc is stationary", collapsed_below, {s: eta_enc}),
        positive(
            "zeta <= threshold: the slope is positive beyond it",
            sympy.simplify(collapsed_below.subs(s, eta_enc * (1 + t))),
        ),
        positive(
            "zeta <= threshold: and negative before it", sympy.simplify(-collapsed_below.subs(s, eta_enc / (1 + t)))
        ),
        positive(
            "zeta <= threshold: the slope is negative where the mode is active",
            sympy.simplify(-active_below.subs(s, below * edge / (1 + t))),
        ),
    )


def variance_regimes() -> tuple[tuple[str, dict[Basic, Expr], bool], ...]:
    """(name, zeta_i, whether the mode is active) for every case of a learned mode."""
    cases = (
        ("above the threshold", root_water * sympy.sqrt(1 + margin**2), True),
        ("at the threshold", root_water, False),
        ("below the threshold", root_water / (1 + margin), False),
    )
    return tuple(
        (name, {zeta[i]: value}, active) for name, value, active in (*cases, ("zeta = 0", sympy.S.Zero, False))
    )


def minimises_mode_objective(formula: Basic) -> Decision:
    """Judge an encoder standard deviation per mode: is it the minimiser of l_i(sigma) over sigma > 0?"""
    found = non_stationary_instance(formula)
    if found is not None:
        return found
    return conclude([*mode_objective_steps(), *deviation_steps(formula)])


def non_stationary_instance(
    formula: Basic,
    meets: Callable[[Instance, int], int] = lambda _, latent: latent,
    latents: Callable[[Instance], range] = lambda instance: range(1, instance.d1 + 1),
) -> Decision | None:
    """A refutation: an exact instance and latent where the formula is no positive zero of the slope of l_i.

    Args:
        formula: sigma_i.
        meets: which mode of Z a latent meets; the i-th the i-th.
        latents: those that the formula is about.
    """
    for instance in instances():
        for k in latents(instance):
            mode = meets(instance, k)
            value, singular = instance.value(formula, k), instance.value(zeta[i], mode)
            where = instance.named(learned=True) | {"i": k} | ({"its mode": mode} if mode != k else {})
            if not (value.is_real and value.is_positive):
                return refuted(where, f"the formula gives sigma_i = {value}, but l_i is finite only for sigma_i > 0")
            active, collapsed = (instance.value(slope.subs(s, value)) for slope in slopes(singular))
            is_active = bool(singular > value * instance.value(sympy.sqrt(weight)))
            slope = active if is_active else collapsed
            if not is_exactly_zero(slope):
                return refuted(where, f"the formula gives sigma_i = {value}, where l_i has slope {tidy(slope)}, not 0")
    return None


def deviation_steps(formula: Expr) -> list[Step]:
    """The formula satisfies the equation of the stationary point, on its side of the edge, in every regime."""
    steps = []
    for name, case, active in variance_regimes():
        case = case | {s: resolved(formula.xreplace(case))}
        slope = slopes(_z)[0 if active else 1].xreplace({_z: zeta[i]})
        inside = (zeta[i] - s * sympy.sqrt(weight)) * (1 if active else -1)
        steps += [
            zero(f"sigma_i is stationary ({name})", slope, case),
            nonnegative(f"sigma_i lies on its side of the edge ({name})", inside, case),
        ]
    return steps


@lru_cache(maxsize=2048)
def least_objective(instance: Instance) -> Expr:
    """min over U, W of 2 eta_dec^2 L_VAE for the Sigma of an instance, r included."""
    modes = [instance.value(mode_objective(zeta[i], sigma_sorted[i]), k) for k in range(1, instance.d1 + 1)]
    return sympy.Add(*modes, instance.residual, *(value**2 for value in instance.zeta[instance.d1 :]))


@lru_cache(maxsize=256)
def reduces_to_modes(formula: Basic) -> Decision:
    """Judge a closed form of min over U, W of L_VAE as a function of Sigma, up to a constant that Sigma does not enter."""
    for instance in instances()[:20]:
        variants = [
            instance,
            replace(instance, sigma=instance.sigma[::-1]),
            replace(instance, sigma=tuple(v * 2 for v in instance.sigma)),
        ]
        variants.append(replace(instance, sigma=tuple(v / 7 for v in instance.sigma)))
        differences = [least_objective(v) / (2 * v.eta_dec**2) - v.value(formula) for v in variants]
        changes = [
            (v, d) for v, d in zip(variants, differences, strict=True) if not is_exactly_zero(d - differences[0])
        ]
        if changes:
            (other, difference), values = changes[0], instance.named()
            shift = tidy(difference - differences[0])
            return refuted(
                values | {"other sigma": other.sigma}, f"minimum minus formula changes by {shift} with Sigma"
            )
        if not formula.has(constant) and not is_exactly_zero(differences[0]):
            return refuted(
                instance.named(), f"minimum minus formula is {tidy(differences[0])}, but no constant is named"
            )
    derived = Sum(mode_objective(zeta[i], sigma_sorted[i]), (i, 1, d1)) / (2 * eta_dec**2)
    own_constant = formula.coeff(constant)
    return conclude(
        [
            *kl_steps(),
            *least_loss_steps(),
            *profile_steps(formula - own_constant * constant, derived),
            *separation_steps(),
        ]
    )


def separation_steps() -> list[Step]:
    """Minimising mode by mode is allowed: the minimisers do not decrease in i, so that they are their own sorted order."""
    later, rise = Symbol("zeta_later", positive=True), Symbol("rise", nonnegative=True)
    ordered = root_water * eta_enc / later - root_water * eta_enc / (later + rise)
    capped = (eta_enc - root_water * eta_enc / later).subs(later, root_water * (1 + margin))
    return [
        nonnegative("a smaller zeta_i has a larger minimiser", ordered),
        nonnegative("no active minimiser exceeds eta_enc", capped),
    ]


# ------------------------------------------------------------------------------ without the assumptions
def reduces_to_modes_of_correlated_latents(formula: Basic) -> Decision:
    """Judge a closed form of min over U, W of L_VAE, up to a constant, between two Sigma with the same diagonal."""
    instance = correlated_instance()
    # rotated to its eigenvectors, the correlated Sigma is diagonal with other deviations; the formula has those of the diagonal
    leasts = [least_objective(variant) / (2 * instance.eta_dec**2) for variant in (instance, principal(instance))]
    differences = [least - instance.value(formula) for least in leasts]
    change = tidy(differences[1] - differences[0])
    if is_exactly_zero(change):
        return needed(None)
    where = correlated_named(instance) | {"other Sigma": sympy.eye(instance.d1).tolist()}
    return refuted(
        where, f"minimum minus formula changes by {change}; the minima are {tidy(leasts[1])} and {leasts[0]}"
    )


CLAIMS = (
    Claim(
        "eq-13.reduced",
        "§4.3, Eq 12-13",
        "min over U, W of L_VAE is a sum of independent l_i(sigma_i), as a function of Sigma, plus a constant (of any value)",
        printed=Statement(equation_13(sigma[i]), reduces_to_modes),
        corrected=Statement(equation_13(sigma_sorted[i]), reduces_to_modes),
        observable="reduced_objective",
        uses=("prop-1.reduction", "cor-1.profile", "notation.gaussian-kl"),
        assumptions=(Assumption(DIAGONAL, reduces_to_modes_of_correlated_latents),),
        erratum=Erratum(
            "l_i takes ζ_i and σ_i, for every Σ",
            "l_i takes ζ_i and the i-th smallest σ; the minimum over Σ is unaffected",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "prop-3.variance",
        "§4.3, Proposition 3, Eq 14",
        "the minimiser of l_i(sigma) over sigma > 0, both branches",
        printed=Statement(EQUATION_14, minimises_mode_objective),
        corrected=Statement(CORRECTED_14, minimises_mode_objective),
        observable="encoder_std",
        uses=("eq-13.reduced",),
        erratum=Erratum("σ_i = √(β η_dec) η_enc/ζ_i", "σ_i = √β η_dec η_enc/ζ_i, as in Eq 19", Severity.TYPO),
    ),
)
