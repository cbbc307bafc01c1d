"""The global minimum when the encoder's variances are learned (§4.3, Theorem 2)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import sympy
from sympy import And, Basic, Expr, Ge, Identity, Max, Piecewise, Symbol, Tuple, log

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
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import mode_loss, u, v
from derivations.notation import beta, d1, eta_dec, eta_enc, i, root_water, sigma, sigma_sorted, weight, zeta
from derivations.proof import margin, positive, resolved, same, true, zero
from derivations.proposition_2_fixed_variance import impossible_length, mode_values, worse_instance
from derivations.proposition_3_mode_variance import (
    by_regime,
    deviation_steps,
    equation_13,
    mode_objective,
    mode_objective_steps,
    non_stationary_instance,
    reduces_to_modes,
    s,
    variance_regimes,
)
from derivations.theorem_1_prior_variance import prior_instances
from derivations.uniqueness import unique_length_steps

# ------------------------------------------------------------------------------------------ as printed
ROOT = sympy.sqrt(Max(0, zeta[i] ** 2 - beta * eta_dec**2))
EQUATION_17_18 = Tuple(1 / eta_enc * ROOT, Piecewise((eta_enc / zeta[i] * ROOT, zeta[i] ** 2 > 0), (0, True)))
EQUATION_19 = by_regime(sympy.sqrt(beta) * eta_dec / zeta[i] * eta_enc)
EXTRA_LATENTS = sympy.S.Zero
CORRECTED_EXTRA_LATENTS = eta_enc

# -------------------------------------------------------------------------------- from the definitions
water = root_water**2
_length = Symbol("n", nonnegative=True)
"""The squared norm of one column of U."""


def best_variance(squared_norm: Expr) -> Expr:
    """The variance sigma_i^2 that minimises the loss for a column of U with this squared norm."""
    return 1 / (1 / eta_enc**2 + squared_norm / water)


@lru_cache(maxsize=1)
def best_variance_steps() -> tuple[Step, ...]:
    """For a given U the loss in one variance is convex with a single stationary point."""
    variance = Symbol("V", positive=True)
    loss = _length * variance + water * (variance / eta_enc**2 - 1 - log(variance / eta_enc**2))
    return (
        zero(
            "the best variance for a given U is stationary",
            sympy.diff(loss, variance),
            {variance: best_variance(_length)},
        ),
        positive("the loss is convex in each variance", sympy.diff(loss, variance, 2)),
    )


@lru_cache(maxsize=2048)
def least_learned_loss(instance: Instance) -> Expr:
    """The minimum of 2 eta_dec^2 L_VAE - r over U, W and Sigma, at the minimisers of l_i."""
    modes = range(1, instance.d1 + 1)
    active = [bool(instance.value(zeta[i], k) > instance.value(root_water)) for k in modes]
    best = [
        instance.value(root_water * eta_enc / zeta[i] if is_active else eta_enc, k)
        for k, is_active in zip(modes, active, strict=True)
    ]
    at_best = replace(instance, sigma=tuple(best))
    total = sum((value**2 for value in instance.zeta[instance.d1 :]), sympy.S.Zero)
    return sum((at_best.value(mode_objective(zeta[i], sigma[i]), k) for k in modes), total)


def learned_mode_loss(u: Expr, v: Expr, singular: Expr) -> Expr:
    """2 eta_dec^2 L_VAE of one mode with its encoder variance at its best value for this u."""
    variance = best_variance(u**2)
    return mode_loss(u, v, singular, sympy.sqrt(variance), weight) + water * (
        variance / eta_enc**2 - 1 - log(variance / eta_enc**2)
    )


@lru_cache(maxsize=1)
def _one_mode() -> Expr:
    """The loss of mode i at any u and v."""
    return learned_mode_loss(u, v, zeta[i])


@lru_cache(maxsize=256)
def minimises_learned_variance(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i): is (F Lambda, G Theta), with the best Sigma for it, a global minimum of L_VAE?

    And has every global minimum these lengths? Each l_i has one minimiser, so that the sorted sigma_i of a minimum are known.
    """
    for instance in instances():
        entries = mode_values(formula, instance)
        if entries is None:
            return refuted(instance.named(learned=True), impossible_length(formula, instance))
        modes = [instance.value(_one_mode(), k, {u: a, v: b}) for k, (a, b) in enumerate(entries, 1)]
        loss, least = (
            sympy.Add(*modes, *(value**2 for value in instance.zeta[instance.d1 :])),
            least_learned_loss(instance),
        )
        if not is_exactly_zero(loss - least):
            return refuted(
                instance.named(learned=True),
                f"2 eta_dec^2 L_VAE - r is {tidy(loss)} at this point, its minimum {tidy(least)}",
            )
    steps = [*_reduction_steps(), *mode_objective_steps(), *best_variance_steps()]
    loss, least = _one_mode(), mode_objective(zeta[i], s)
    cases = []
    for name, case, active in variance_regimes():
        best = root_water * eta_enc / case[zeta[i]] if active else eta_enc
        cases.append((name, case, best, active))
        a, b = (resolved(part.xreplace(case)) for part in formula.args)
        at = {u: a, v: b}
        steps += [
            same(f"the least loss of a mode is attained ({name})", loss, least, {**case, **at, s: best}),
            true(f"both are lengths ({name})", And(Ge(u, 0, evaluate=False), Ge(v, 0, evaluate=False)), at),
        ]
    return conclude([*steps, *unique_length_steps(formula, cases)])


@lru_cache(maxsize=1)
def _reduction_steps() -> tuple[Step, ...]:
    """The objective in Sigma alone, mode by mode (Eq 13 as corrected)."""
    return reduces_to_modes(equation_13(sigma_sorted[i])).steps


def minimises_over_variance(formula: Basic) -> Decision:
    """Judge sigma_i at the global minimum for every latent: the minimiser of l_i, in the order of the modes."""
    found = non_stationary_instance(formula)
    if found is not None:
        return found
    return conclude([*_reduction_steps(), *mode_objective_steps(), *deviation_steps(formula)])


def minimises_extra_latents(formula: Basic) -> Decision:
    """Judge sigma_i at the global minimum for latents beyond min(d0, d2), where zeta_i = 0."""
    for instance in instances():
        extra = instance.d1 - min(instance.d0, instance.d2)
        if extra <= 0:
            continue
        deviation = instance.value(formula, instance.d1)
        where = instance.named(learned=True) | {"i": instance.d1}
        if deviation == 0:
            variance = Symbol("sigma", positive=True)
            limit = sympy.limit(instance.value(mode_objective(sympy.S.Zero, variance)), variance, 0)
            return refuted(where, f"L_VAE tends to {limit} as sigma_i tends to 0; it is finite at sigma_i = eta_enc")
        if not (deviation.is_real and deviation.is_positive):
            return refuted(where, f"sigma_i = {deviation} is no standard deviation")
        excess = instance.value(mode_objective(sympy.S.Zero, deviation))  # at eta_enc such a mode costs nothing
        if not is_exactly_zero(excess):
            return refuted(
                where,
                f"the loss at sigma_i = {deviation} exceeds that at sigma_i = eta_enc by {tidy(excess)} / (2 eta_dec^2)",
            )
    factor = Symbol("sigma", positive=True)
    slope = sympy.diff(mode_objective(sympy.S.Zero, factor), factor)
    return conclude(
        [
            *_reduction_steps(),
            zero("sigma_i is stationary where zeta_i = 0", slope, {factor: formula}),
            positive("it is positive", formula),
            positive(
                "the slope is positive beyond eta_enc", sympy.simplify(slope.subs(factor, eta_enc * (1 + margin)))
            ),
            positive("and negative before it", sympy.simplify(-slope.subs(factor, eta_enc / (1 + margin)))),
        ]
    )


# ------------------------------------------------------------------------------ without the assumptions
def minimises_prior_variance_too(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i) where Sigma is not learned but stays at the prior's: a minimum of Eq 6?"""
    return needed(worse_instance(formula, Identity(d1), prior_instances()))


def states_any_deviation(formula: Basic, *, extra: bool = False) -> Decision:
    """Judge sigma_i, or that of the latents beyond min(d0, d2), where Sigma is not learned: is it what it was fixed at?"""
    for instance in instances():
        for k in _extra_latents(instance) if extra else range(1, instance.d1 + 1):
            fixed, stated = instance.sigma[k - 1], instance.value(formula, k)
            if not is_exactly_zero(stated - fixed):
                return refuted(instance.named() | {"i": k}, f"sigma_i stays at {fixed}, the formula gives {stated}")
    return needed(None)


def _extra_latents(instance: Instance) -> range:
    return range(len(instance.zeta) + 1, instance.d1 + 1)


def _reversed(instance: Instance, latent: int) -> int:
    """The mode that a latent meets where they are numbered from the other end; the minimum allows every order."""
    return instance.d1 + 1 - latent


def minimises_over_renumbered_variance(formula: Basic) -> Decision:
    """Judge sigma_i at the global minimum that has the latents in the reverse order."""
    return needed(non_stationary_instance(formula, _reversed))


def minimises_renumbered_extra_latents(formula: Basic) -> Decision:
    """Judge sigma_i for i > min(d0, d2) at the global minimum that has the latents in the reverse order."""
    return needed(non_stationary_instance(formula, _reversed, _extra_latents))


LEARNED, NUMBERED = "Sigma is learned", "latents are numbered so that the i-th meets zeta_i"

CLAIMS = (
    Claim(
        "thm-2.minimum",
        "§4.3, Theorem 2, Eq 15-18",
        "every global minimum over U, W and diagonal Sigma has these singular values (Lambda, Theta rectangular), and there is one",
        printed=Statement(EQUATION_17_18, minimises_learned_variance),
        observable="learned_minimiser",
        uses=("eq-13.reduced", "prop-3.variance"),
        assumptions=(Assumption(LEARNED, minimises_prior_variance_too),),
    ),
    Claim(
        "thm-2.variance",
        "§4.3, Theorem 2, Eq 19",
        "the encoder standard deviations at the global minimum: not for i <= min(d0, d2) only, but for every i <= d1",
        printed=Statement(EQUATION_19, minimises_over_variance),
        observable="encoder_std",
        uses=("eq-13.reduced", "prop-3.variance"),
        assumptions=(
            Assumption(LEARNED, states_any_deviation),
            Assumption(NUMBERED, minimises_over_renumbered_variance),
        ),
    ),
    Claim(
        "thm-2.extra-latents",
        "§4.3, Theorem 2, after Eq 19",
        "the encoder standard deviations at the global minimum for i > min(d0, d2)",
        printed=Statement(EXTRA_LATENTS, minimises_extra_latents),
        corrected=Statement(CORRECTED_EXTRA_LATENTS, minimises_extra_latents),
        observable="extra_encoder_std",
        uses=("eq-13.reduced",),
        assumptions=(
            Assumption(LEARNED, partial(states_any_deviation, extra=True)),
            Assumption(NUMBERED, minimises_renumbered_extra_latents),
        ),
        erratum=Erratum(
            "σ_i = 0 for i > min(d0, d2), where the loss is infinite",
            "σ_i = η_enc: a latent without a mode stays at the prior",
            Severity.CONCLUSION,
        ),
    ),
)
