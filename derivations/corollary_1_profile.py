"""The least value of Eq 6 as a function of Sigma (§4.3, Corollary 1)."""

from __future__ import annotations

import sympy
from sympy import Basic, Expr, Piecewise, Sum

from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, Step, conclude, needed, refuted
from derivations.correlated import correlated_instance, correlated_named, principal
from derivations.instances import instances, is_exactly_zero
from derivations.least_loss import least_loss_steps, least_mode_loss
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, sigma, sigma_sorted, zeta
from derivations.proof import sums_equal
from derivations.proposition_2_fixed_variance import DIAGONAL, REGIMES, least_loss, regimes


# ------------------------------------------------------------------------------------------ as printed
def equation_11(deviation: Expr) -> Expr:
    """The right side of Eq 11 with the encoder standard deviation that is paired with zeta_i."""
    shift = sympy.sqrt(beta) * deviation * eta_dec / eta_enc
    gain = Piecewise(((zeta[i] - shift) ** 2, zeta[i] > shift), (0, True))
    return Sum(zeta[i] ** 2 - gain, (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))


# -------------------------------------------------------------------------------- from the definitions
def equals_least_loss(formula: Basic) -> Decision:
    """Judge a closed form of min over U, V of Eq 6 as a function of Sigma."""
    for instance in instances():
        value = instance.value(formula)
        if not is_exactly_zero(value - least_loss(instance)):
            return refuted(instance.named(), f"the formula gives {value}, the minimum is {least_loss(instance)}")
    derived = Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
    return conclude([*least_loss_steps(), *profile_steps(formula, derived)])


def profile_steps(formula: Expr, derived: Expr) -> list[Step]:
    """Two sums over modes agree, in every regime of a mode (the sorted deviation being the one paired with zeta_i)."""
    return [
        sums_equal(f"the sums agree mode by mode ({name})", formula, derived, case)
        for name, case in zip(REGIMES, regimes(sigma_sorted[i]), strict=True)
    ]


# ------------------------------------------------------------------------------ without the assumptions
def least_loss_for_correlated_latents(formula: Basic) -> Decision:
    """Judge a closed form of min over U, V of Eq 6 where Sigma is not diagonal."""
    instance = correlated_instance()
    stated, least = instance.value(formula), least_loss(principal(instance))
    if is_exactly_zero(stated - least):
        return needed(None)
    return refuted(correlated_named(instance), f"the formula gives {stated}, the minimum is {least}")


def least_loss_with_more_signal(formula: Basic) -> Decision:
    """Judge a closed form of min over U, V of Eq 6 where zeta_i beyond the singular values of Z is not read as 0."""
    for instance in instances():
        last = instance.zeta[-1]
        stated = instance.value(formula, more={zeta: (instance.zeta, last)})
        if not is_exactly_zero(stated - least_loss(instance)):
            where = instance.named() | {"zeta_i beyond": last}
            return refuted(where, f"the formula gives {stated}, the minimum is {least_loss(instance)}")
    return needed(None)


CLAIMS = (
    Claim(
        "cor-1.profile",
        "§4.3, Corollary 1, Eq 11",
        "min over U, V of Eq 6 as a function of Sigma",
        printed=Statement(equation_11(sigma[i]), equals_least_loss),
        corrected=Statement(equation_11(sigma_sorted[i]), equals_least_loss),
        observable="profile",
        uses=("prop-2.minimum",),
        assumptions=(
            Assumption(DIAGONAL, least_loss_for_correlated_latents),
            Assumption("zeta_i is 0 for i > dstar", least_loss_with_more_signal),
        ),
        erratum=Erratum(
            "the i-th term takes ζ_i and σ_i, in the order in which the latents happen to be numbered",
            "the i-th term takes the i-th largest ζ and the i-th smallest σ",
            Severity.CONDITION,
        ),
    ),
)
