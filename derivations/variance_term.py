"""Whether l_var can be ignored (§4.5): Eq 5 without it, for a fixed Sigma and for a learned one."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, Le, Piecewise, Sum, Trace, Tuple, log

from derivations.ablation import Truth, attained_steps, failure_of, family_steps, fit_steps, judged, residual_of, run
from derivations.claim import (
    Assumption,
    Claim,
    Decision,
    Erratum,
    Severity,
    Statement,
    Step,
    Verdict,
    conclude,
    refuted,
    undecided,
)
from derivations.elbo import PARTITION, expected_kl, kl_steps, negative_elbo
from derivations.exact_data import ExactData, data_instances
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import REDUCED, c, deviation, least_mode_loss, singular
from derivations.notation import (
    A,
    I_latent,
    Lambda,
    Mean,
    Sigma,
    SquaredNorm,
    Theta,
    U,
    W,
    beta,
    d1,
    dstar,
    eta_dec,
    eta_enc,
    i,
    root_water,
    weight,
    x,
    y,
    zeta,
)
from derivations.proof import equal, margin, zero
from derivations.proposition_2_fixed_variance import least_loss

# ------------------------------------------------------------------------------------------ as printed
EQUATION_5_WITHOUT_VARIANCE = (
    1
    / (2 * eta_dec**2)
    * (
        Mean(SquaredNorm(U * W.T * x - y))
        + Trace(U * Sigma * U.T)
        + beta * eta_dec**2 / eta_enc**2 * Trace(W.T * A * W)
    )
)

RESIDUAL = Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
_level = beta * eta_dec**2
UNCHANGED = Tuple(
    Sum(Piecewise((_level * (1 + log(zeta[i] ** 2 / _level)), _level < zeta[i] ** 2), (zeta[i] ** 2, True)), (i, 1, d1))
    + RESIDUAL,
    Le(zeta[1] - sympy.sqrt(beta) * eta_dec, 0),
)
"""What ignoring l_var is said to leave as it is: the least 2 eta_dec^2 L_VAE - r, and the condition of complete collapse."""
CHANGED = Tuple(RESIDUAL, Eq(zeta[1], 0))

# -------------------------------------------------------------------------------- from the definitions


@lru_cache(maxsize=1)
def objective_without_variance() -> Expr:
    """The objective of Eq 3 without the part of its KL that the encoder's mean does not enter, up to the partition function."""
    return negative_elbo() - PARTITION - beta * expected_kl()[1]


def leaves_minimisers(formula: Basic) -> Decision:
    """Judge an objective for a fixed Sigma: does it change with (U, W) exactly as that of Eq 3 does?"""
    for data in data_instances():
        stated = data.value(formula) - _at_origin(data).value(formula)
        true = _change_of_objective(data)
        if not is_exactly_zero(stated - true):
            return refuted(data.named(), f"from U = W = 0 to this point it changes by {tidy(stated)}, L_VAE by {true}")
    over_latents = sympy.Add(*(term for term in sympy.Add.make_args(formula) if term.has(Sum)))
    independent = not (over_latents + expected_kl()[1]).has(U, W)
    return conclude(
        [
            *kl_steps(),
            Step(
                "what is deleted, as any sum over the latents that is kept, does not contain U or W",
                expected_kl()[1],
                Verdict.PROVED if independent else Verdict.UNDECIDED,
            ),
            equal("the rest is that of the objective of Eq 3", formula - over_latents, objective_without_variance()),
        ]
    )


@lru_cache(maxsize=64)
def _change_of_objective(data: ExactData) -> Expr:
    defined = negative_elbo() - PARTITION
    return tidy(data.value(defined) - _at_origin(data).value(defined))


@lru_cache(maxsize=64)
def _at_origin(data: ExactData) -> ExactData:
    return data.replaced(**{str(symbol): 0 * data.matrices[symbol] for symbol in (U, W)})


def _with_learned_variance(formula: Basic) -> Decision:
    """Sigma is learned: does the objective change with it as that of Eq 3 does, too?"""
    defined = negative_elbo() - PARTITION
    for data in data_instances():
        scalars = replace(data.scalars, sigma=tuple(2 * s for s in data.scalars.sigma))
        doubled = ExactData(scalars, {**data.matrices, Sigma: 4 * data.matrices[Sigma]}, data.points)
        stated, true = (tidy(doubled.value(part) - data.value(part)) for part in (formula, defined))
        if not is_exactly_zero(stated - true):
            return refuted(data.named(), f"as every sigma_i doubles it changes by {stated}, L_VAE by {true}")
    return undecided("data on which a change of Sigma shows")


@lru_cache(maxsize=1)
def without_variance_steps() -> tuple[Step, ...]:
    """l_var deleted where Sigma is learned; and where descent from a large Sigma may stop."""
    rest, variances = SquaredNorm(Lambda) + weight * SquaredNorm(Theta), run**-4 * I_latent
    return (
        *fit_steps(),
        *family_steps("Sigma learned, without l_var", REDUCED, rest, 1, variances),
        *attained_steps(),
        zero(
            "U = V = 0 with every sigma_i sqrt(c) > zeta_1 is a local minimum all the same: no Sigma nearby does better",
            least_mode_loss(singular, deviation, c) - singular**2,
            {singular: deviation * sympy.sqrt(c) / (1 + margin)},
        ),
    )


def without_variance(instance: Instance) -> Truth:
    """l_var deleted, Sigma learned."""
    excess = (1 + instance.value(weight)) * sympy.Add(*instance.zeta[: instance.d1])
    points = "lambda_i = a sqrt(zeta_i), theta_i = sqrt(zeta_i) / a, sigma_i = 1 / a^2"
    return Truth(residual_of(instance), instance.zeta[0] == 0, excess, points)


def describes_loss_without_variance(formula: Basic) -> Decision:
    """Judge (infimum, whether U = V = 0 is a global minimum) of the objective without l_var, for a learned Sigma."""
    return judged(formula, without_variance, without_variance_steps, learned=True)


def _with_bounded_variance(formula: Basic) -> Decision:
    """sigma_i >= eta_enc: without l_var the smallest Sigma is best, and the minimum is that of Theorem 1."""
    for instance in instances():
        at_prior = replace(instance, sigma=(instance.eta_enc,) * instance.d1)
        collapsed = bool(instance.zeta[0] <= instance.value(root_water))
        truth = Truth(least_loss(at_prior), collapsed, sympy.S.Zero, "the minimum of Theorem 1")
        found = failure_of(formula, at_prior, truth, learned=False)
        if found is not None:
            return found
    return undecided("an instance with sigma_i >= eta_enc at which the formula fails")


CLAIMS = (
    Claim(
        "s4.5.variance-term-fixed",
        "§4.5",
        "l_var can be ignored for a fixed Sigma: without it Eq 5 changes with (U, W) as L_VAE does, so that every minimiser, "
        "stationary point and difference of losses is the same",
        printed=Statement(EQUATION_5_WITHOUT_VARIANCE, leaves_minimisers),
        observable="change_without_variance",
        uses=("eq-5.decomposition",),
        assumptions=(Assumption("Sigma is fixed", _with_learned_variance),),
    ),
    Claim(
        "s4.5.variance-term-learned",
        "§4.5",
        "l_var can be ignored for a learned Sigma: without it the least 2 eta_dec^2 L - r over U, V and Sigma, and the "
        "condition for U = V = 0 to be a global minimum, are what they are with it",
        printed=Statement(UNCHANGED, describes_loss_without_variance),
        corrected=Statement(CHANGED, describes_loss_without_variance),
        observable="loss_without_variance",
        uses=("eq-5.decomposition", "prop-1.reduction", "prop-2.minimum"),
        assumptions=(Assumption("Sigma may come arbitrarily near 0", _with_bounded_variance),),
        erratum=Erratum(
            printed="l_var can be ignored in studying the mechanism of collapse, whether Sigma is fixed or learned",
            holds="l_var can be ignored for a fixed Sigma alone. Where Sigma is learned, nothing collapses without l_var: as "
            "Sigma -> 0, U -> infinity and V -> 0 the loss 2 eta_dec^2 L - r tends to the sum of zeta_i^2 over i > d1, which "
            "is attained only if Z = 0",
            severity=Severity.CONCLUSION,
        ),
    ),
)
