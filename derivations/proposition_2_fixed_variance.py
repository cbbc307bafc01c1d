"""The minimum for any fixed diagonal Sigma (§4.1, Proposition 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import And, Basic, Expr, Ge, Identity, Inverse, MatrixExpr, MatrixSymbol, Max, Tuple

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
from derivations.correlated import correlated_instance, correlated_named, principal
from derivations.exact_data import data_instances
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.least_loss import (
    REDUCED,
    encoder_steps,
    kernel_facts,
    least_loss_steps,
    least_mode_loss,
    mode_loss,
    sorting_steps,
    u,
    v,
)
from derivations.matrix_calculus import gradient
from derivations.notation import (
    I_latent,
    P_sort,
    U,
    V,
    Z,
    beta,
    d1,
    eta_dec,
    eta_enc,
    i,
    sigma,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, margin, resolved, same, true
from derivations.uniqueness import unique_length_steps

# ------------------------------------------------------------------------------------------ as printed
STATIONARY_V = Z.T * U * Inverse(U.T * U + beta * eta_dec**2 / eta_enc**2 * I_latent)


def equation_8(deviation: Expr) -> tuple[Expr, Expr]:
    """lambda_i and theta_i of Eq 8 with the encoder standard deviation that is paired with zeta_i."""
    scale = sympy.sqrt(beta) * eta_dec / (deviation * eta_enc)
    excess = zeta[i] - sympy.sqrt(beta) * deviation * eta_dec / eta_enc
    return sympy.sqrt(Max(0, scale * excess)), sympy.sqrt(Max(0, excess / scale))


# -------------------------------------------------------------------------------- from the definitions
def minimises_over_encoder(formula: Basic) -> Decision:
    """Judge V as a function of U under the zero-gradient condition, by substitution into the gradient of Eq 6."""
    slope = gradient(REDUCED, V)
    for data in data_instances():
        residual = data.replaced(V=data.value(formula)).value(slope)
        if not residual.is_zero_matrix:
            return refuted(data.named(), f"the gradient with respect to V is {residual.tolist()}")
    kernel = Inverse(U.T * U + weight * I_latent)
    substituted = slope.subs(V, formula) if formula.has(MatrixSymbol) else slope
    return conclude(
        [
            *encoder_steps(),
            equal(
                "the gradient vanishes at this V, its only zero since c > 0", substituted, 0 * V, kernel_facts(kernel)
            ),
        ]
    )


@lru_cache(maxsize=2048)
def least_loss(instance: Instance) -> Expr:
    """The least value of Eq 6: the i-th largest singular value with the i-th smallest standard deviation."""
    modes = [instance.value(least_mode_loss(zeta[i], sigma_sorted[i]), k) for k in range(1, instance.d1 + 1)]
    return sympy.Add(*modes, *(value**2 for value in instance.zeta[instance.d1 :]))


REGIMES = ("above the threshold", "at the threshold", "below the threshold", "zeta = 0")


def regimes(deviation: Expr) -> tuple[dict[Basic, Expr], ...]:
    """Every case of one mode: above its threshold, at it, below it, and without signal."""
    threshold = deviation * sympy.sqrt(weight)
    return tuple(
        {zeta[i]: value} for value in (threshold * (1 + margin), threshold, threshold / (1 + margin), sympy.S.Zero)
    )


def impossible_length(formula: Basic, instance: Instance) -> str:
    """What is wrong with lengths for which `mode_values` finds none."""
    values = {
        f"{name}_{k}": instance.value(part, k)
        for k in range(1, instance.d1 + 1)
        for name, part in zip(("lambda", "theta"), formula.args, strict=False)
    }
    wrong = {name: value for name, value in values.items() if not (value.is_finite and value.is_nonnegative)}
    return "; ".join(f"{name} = {value}" for name, value in wrong.items()) + " is no length"


def mode_values(formula: Basic, instance: Instance) -> list[tuple[Expr, Expr]] | None:
    """(lambda_i, theta_i) of each mode of an instance, as far as the diagonals reach; None if one is not a length."""
    entries = []
    for k in range(1, instance.d1 + 1):
        pair = tuple(
            instance.value(part, k) if k <= size else sympy.S.Zero
            for part, size in zip(formula.args, (instance.d2, instance.d0), strict=False)
        )
        if not all(number.is_real and number.is_finite and number.is_nonnegative for number in pair):
            return None
        entries.append(pair)
    return entries


def rotated_deviations(rotation: MatrixExpr, instance: Instance) -> list[Expr]:
    """The square roots of the diagonal of P Sigma P^T: the deviation that each mode meets."""
    size = {d1: sympy.Integer(instance.d1)}
    explicit = rotation.xreplace(size).xreplace({P_sort.xreplace(size): instance.sorting_permutation})
    matrix = sympy.Matrix(explicit.doit())
    rotated = matrix * sympy.diag(*(s**2 for s in instance.sigma)) * matrix.T
    return [sympy.sqrt(rotated[k, k]) for k in range(instance.d1)]


def minimises_fixed_variance(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i, P): is (F Lambda P, G Theta P) a global minimum of Eq 6 for every diagonal Sigma?

    And has every global minimum these lengths?
    """
    rotation = formula.args[2]
    found = worse_instance(formula, rotation, instances())
    if found is not None:
        return found
    deviation = sigma_sorted[i]
    named = zip(REGIMES, regimes(deviation), strict=True)
    cases = [(name, case, deviation, name == REGIMES[0]) for name, case in named]
    return conclude(
        [
            *least_loss_steps(),
            *sorting_steps(rotation),
            *mode_minimum_steps(formula, deviation),
            *unique_length_steps(formula, cases),
        ]
    )


def worse_instance(
    formula: Basic,
    rotation: MatrixExpr,
    candidates: Iterable[Instance],
    least: Callable[[Instance], Expr] = least_loss,
) -> Decision | None:
    """A refutation of (lambda_i, theta_i) with this P: the first instance at which Eq 6 is above its least value."""
    for instance in candidates:
        order = rotated_deviations(rotation, instance)
        entries = mode_values(formula, instance)
        if entries is None:
            return refuted(instance.named(), impossible_length(formula, instance))
        singular = [*instance.zeta, *[sympy.S.Zero] * instance.d1]
        c = instance.value(weight)
        modes = [
            mode_loss(a, b, s, deviation, c) for (a, b), s, deviation in zip(entries, singular, order, strict=False)
        ]
        loss = sympy.Add(*modes, *(value**2 for value in instance.zeta[instance.d1 :]))
        if not is_exactly_zero(loss - least(instance)):
            return refuted(instance.named(), f"Eq 6 is {tidy(loss)} at this point, but {least(instance)} is attained")
    return None


def mode_minimum_steps(formula: Basic, deviation: Expr) -> list[Step]:
    """(lambda_i, theta_i) are nonnegative and attain the least loss of their mode, in every regime."""
    steps = []
    loss, least = mode_loss(u, v, zeta[i], deviation, weight), least_mode_loss(zeta[i], deviation)
    for name, case in zip(REGIMES, regimes(deviation), strict=True):
        # force: all symbols here are positive, so that a root of a square is its base
        a, b = (sympy.powdenest(sympy.factor(resolved(part.xreplace(case))), force=True) for part in formula.args[:2])
        at = {u: a, v: b}
        steps += [
            same(f"the mode's least loss is attained ({name})", loss, least, case | at),
            true(f"both are lengths ({name})", And(Ge(u, 0, evaluate=False), Ge(v, 0, evaluate=False)), at),
        ]
    return steps


# ------------------------------------------------------------------------------ without the assumptions
def encoder_without_weight(formula: Basic) -> Decision:
    """Judge V as a function of U at beta = 0, where U may have dependent columns."""
    for data in data_instances():
        free = replace(data, scalars=replace(data.scalars, beta=sympy.S.Zero))
        without = free.replaced(U=0 * data.matrices[U])
        best = without.value(formula)
        if best.has(sympy.nan, sympy.zoo):
            where = {"beta": 0, "Z": without.matrices[Z].tolist(), "U": without.matrices[U].tolist()}
            return refuted(where, "the formula has no value: it inverts a singular matrix")
        residual = without.replaced(V=best).value(gradient(REDUCED, V))
        if not residual.is_zero_matrix:
            return refuted(without.named(), f"the gradient with respect to V is {residual.tolist()}")
    return needed(None)


def minimises_without_spread(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i, P) where one sigma_i is 0: the infimum of Eq 6 is then no minimum."""
    still = tuple(
        replace(instance, sigma=(sympy.S.Zero, *instance.sigma[1:])) for instance in instances() if instance.zeta[0]
    )
    return needed(worse_instance(formula, formula.args[2], still))


def minimises_for_correlated_latents(formula: Basic) -> Decision:
    """Judge (lambda_i, theta_i, P) where Sigma is not diagonal, the sigma_i being the roots of its diagonal."""
    found = worse_instance(
        formula, formula.args[2], [correlated_instance()], lambda instance: least_loss(principal(instance))
    )
    if found is None or found.witness is None:
        return needed(None)
    return refuted(correlated_named(correlated_instance()), found.witness.failure)


CORRECTED_8 = Tuple(*equation_8(sigma_sorted[i]), P_sort)

DIAGONAL = "Sigma is diagonal"

CLAIMS = (
    Claim(
        "prop-2.stationarity",
        "§4.1, Proposition 2",
        "V as a function of U under the zero-gradient condition: Z^T U (U^T U + c I)^-1, read from the proof sketch",
        printed=Statement(STATIONARY_V, minimises_over_encoder),
        observable="stationary_encoder",
        uses=("prop-1.reduction",),
        assumptions=(Assumption("beta > 0", encoder_without_weight),),
    ),
    Claim(
        "prop-2.minimum",
        "§4.1, Proposition 2, Eq 7-8",
        "for any given diagonal Sigma U = F Lambda P, V = G Theta P with Eq 8 is a minimum (judged at P = I), and every global "
        "minimum has these singular values",
        printed=Statement(Tuple(*equation_8(sigma[i]), Identity(d1)), minimises_fixed_variance),
        corrected=Statement(CORRECTED_8, minimises_fixed_variance),
        observable="fixed_minimiser",
        uses=("prop-1.reduction", "prop-2.stationarity"),
        assumptions=(
            Assumption(DIAGONAL, minimises_for_correlated_latents),
            Assumption("every sigma_i is positive", minimises_without_spread),
        ),
        erratum=Erratum(
            "ζ_i meets σ_i, in the order in which the latents happen to be numbered",
            "the i-th largest ζ meets the i-th smallest σ; P is the permutation that sorts Σ",
            Severity.CONDITION,
        ),
    ),
)
