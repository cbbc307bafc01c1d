"""The objective (§3, Eq 2-5): the KL between encoder and prior, and the loss as reconstruction, mean and variance terms.

Derived from the definitions: Gaussian log densities, expectations under them, and second moments of the data.
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, Rational, Sum, Trace, Tuple, log, oo, pi, sqrt

from derivations.claim import Assumption, Claim, Decision, Statement, Step, Verdict, conclude, needed, refuted
from derivations.correlated import correlated_data, entangled_data, kl_divergence, latents_named
from derivations.exact_data import data_instances
from derivations.instances import is_exactly_zero, tidy
from derivations.notation import (
    A,
    Mean,
    Sigma,
    SquaredNorm,
    U,
    W,
    beta,
    d1,
    d2,
    eta_dec,
    eta_enc,
    i,
    mean,
    noise,
    sigma,
    x,
    y,
)
from derivations.proof import equal, is_zero, same, sums_equal

# ------------------------------------------------------------------------------------------ as printed
KL_PRINTED = Sum(
    (sigma[i] ** 2 / eta_enc**2 + mean[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)) / 2, (i, 1, d1)
)

VARIANCE_TERM = Sum(beta / 2 * (sigma[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)), (i, 1, d1))
MEAN_TERM = beta * eta_dec**2 / eta_enc**2 * Trace(W.T * A * W)

EQUATION_4 = (
    1
    / (2 * eta_dec**2)
    * Mean(SquaredNorm(U * (W.T * x + noise) - y) + beta * eta_dec**2 / eta_enc**2 * SquaredNorm(W.T * x))
    + VARIANCE_TERM
)
EQUATION_5 = (
    1 / (2 * eta_dec**2) * (Mean(SquaredNorm(U * W.T * x - y)) + Trace(U * Sigma * U.T) + MEAN_TERM) + VARIANCE_TERM
)
PARTITION = d2 / 2 * log(2 * pi * eta_dec**2)

# -------------------------------------------------------------------------------- from the definitions
RECONSTRUCTION = Mean(SquaredNorm(U * (W.T * x + noise) - y))
_noise = sympy.Symbol("e", real=True)
_DENSITY = sympy.exp(-(_noise**2) / 2) / sqrt(2 * pi)


def log_normal_density(value: Expr, centre: Expr, deviation: Expr) -> Expr:
    """The log density of N(centre, deviation^2) at a real number."""
    return -((value - centre) ** 2) / (2 * deviation**2) - log(2 * pi * deviation**2) / 2


def standard_normal_mean(expression: Expr) -> Expr:
    """The expectation over e ~ N(0, 1) of a polynomial in e, monomial by monomial, by integration."""
    terms = sympy.Poly(sympy.expand(expression), _noise).terms()
    return sympy.Add(
        *(factor * sympy.integrate(_noise**power * _DENSITY, (_noise, -oo, oo)) for (power,), factor in terms)
    )


def _log_ratio() -> Expr:
    """log q - log p at z = m + sigma e, for one latent."""
    sample = mean[i] + sigma[i] * _noise
    return log_normal_density(sample, mean[i], sigma[i]) - log_normal_density(sample, sympy.S.Zero, eta_enc)


@lru_cache(maxsize=1)
def kl_of_one_latent() -> Expr:
    """E log q - log p over z = m + sigma e: one latent of the KL from N(m, sigma^2) to N(0, eta_enc^2)."""
    return standard_normal_mean(_log_ratio())


@lru_cache(maxsize=1)
def kl_parts() -> tuple[Expr, Expr]:
    """The KL of one latent as a m^2 + b: the coefficient a of the squared mean, and b, which the mean does not enter."""
    polynomial = sympy.Poly(sympy.expand(kl_of_one_latent()), mean[i])
    return polynomial.coeff_monomial(mean[i] ** 2), polynomial.coeff_monomial(1)


@lru_cache(maxsize=1)
def expected_kl() -> tuple[Expr, Expr]:
    """E_x KL(q(z|x) | p(z)) as (mean part, variance part); densities of independent latents multiply, so their KLs add."""
    per_square, rest = kl_parts()
    return per_square * Mean(SquaredNorm(W.T * x)), Sum(rest, (i, 1, d1))


@lru_cache(maxsize=1)
def negative_elbo() -> Expr:
    """E_x[-E_q log p(y|z) + beta KL], the objective of Eq 3, the decoder's partition function included.

    The d2 coordinates of y are independent given z, so that -log p(y|z) = |U z - y|^2/(2 eta_dec^2) + d2/2 log(2 pi eta_dec^2).
    """
    mean_part, variance_part = expected_kl()
    likelihood = RECONSTRUCTION / (2 * eta_dec**2) + d2 * log(2 * pi * eta_dec**2) / 2
    return likelihood + beta * mean_part + beta * variance_part


# -------------------------------------------------------------------------------------------- verdicts
@lru_cache(maxsize=1)
def kl_steps() -> tuple[Step, ...]:
    """The steps that lead from densities to the KL of one latent."""
    target, predicted = sympy.symbols("y_1 u_1", real=True)
    per_square, rest = kl_parts()
    density = sympy.exp(-((target - predicted) ** 2) / (2 * eta_dec**2)) / sqrt(2 * pi * eta_dec**2)
    return (
        _averages_to("moments of the standard normal by integration", (_noise + 2) ** 2, sympy.Integer(5)),
        _averages_to("the KL of one latent is quadratic in its mean", _log_ratio(), per_square * mean[i] ** 2 + rest),
        same(
            "one coordinate of the negative log likelihood",
            -log(density),
            -log_normal_density(target, predicted, eta_dec),
        ),
    )


def _averages_to(text: str, expression: Expr, value: Expr) -> Step:
    """The expectation over the standard normal, monomial by monomial, is this value."""
    integral = sympy.Integral(expression * _DENSITY, (_noise, -oo, oo))
    agrees = is_zero(standard_normal_mean(expression) - value)
    return Step(text, Eq(integral, value, evaluate=False), Verdict.PROVED if agrees else Verdict.UNDECIDED)


def equals_gaussian_kl(formula: Basic) -> Decision:
    """Judge a closed form of KL(N(m, diag sigma^2) | N(0, eta_enc^2 I))."""
    defined = Sum(kl_of_one_latent(), (i, 1, d1))
    for data in data_instances():
        if not is_exactly_zero(data.value(formula) - data.value(defined)):
            return refuted(
                data.scalars.named() | {"m": data.scalars.mean}, f"{data.value(formula)} is not {data.value(defined)}"
            )
    return conclude([*kl_steps(), sums_equal("the closed form, latent by latent", formula, defined)])


def equals_negative_elbo(formula: Basic) -> Decision:
    """Judge an expression of Eq 3 up to the decoder's partition function."""
    return _equals_objective(formula, "expectation over data and noise, with KLs added over the latents")


def _equals_objective(formula: Basic, text: str) -> Decision:
    defined = negative_elbo() - PARTITION
    for data in data_instances():
        if not is_exactly_zero(data.value(formula) - data.value(defined)):
            return refuted(data.named(), f"{data.value(formula)} is not {data.value(defined)}")
    variance = beta * expected_kl()[1]
    return conclude(
        [
            *kl_steps(),
            sums_equal("the part that depends on Sigma alone", _sums(formula), variance),
            equal(text, formula - _sums(formula), defined - variance),
        ]
    )


def _sums(formula: Expr) -> Expr:
    """The terms of an expanded formula that are sums over the latents."""
    return sympy.Add(*(term for term in sympy.Add.make_args(formula) if term.has(Sum)))


def decomposes_objective(formula: Basic) -> Decision:
    """Judge (loss, its mean term, its variance term): the loss is Eq 3's, and the two terms are the KL's two parts."""
    total, mean_term, variance_term = formula.args
    objective = _equals_objective(total, "expectation of the reconstruction over data and noise")
    if objective.witness is not None:
        return objective
    mean_part, variance_part = expected_kl()
    for data in data_instances():
        for term, part in ((mean_term, beta * mean_part), (variance_term, beta * variance_part)):
            if not is_exactly_zero(data.value(term) - data.value(part)):
                return refuted(data.named(), f"{data.value(term)} is not {data.value(part)}")
    split = [
        equal("the part of the KL that regularises the mean", mean_term, beta * mean_part),
        sums_equal("the part of the KL that regularises the variance", variance_term, beta * variance_part),
    ]
    return conclude([*objective.steps, *split])


# ------------------------------------------------------------------------------ without the assumptions
def kl_of_correlated_latents(formula: Basic) -> Decision:
    """Judge a closed form of the KL where the latents are correlated given x."""
    data = correlated_data()
    latents = sympy.Matrix(data.scalars.mean)
    defined = kl_divergence(latents, data.matrices[Sigma], data.scalars.eta_enc)
    stated = data.value(formula)
    if is_exactly_zero(stated - defined):
        return needed(None)
    where = {"m": data.scalars.mean, "Sigma": data.matrices[Sigma].tolist(), "eta_enc": data.scalars.eta_enc}
    return refuted(where, f"{tidy(stated)} is not {tidy(defined)}")


def objective_of_correlated_latents(formula: Basic) -> Decision:
    """Judge an expression of Eq 3, or the first of several, where the latents are correlated given x."""
    total, data = formula.args[0] if isinstance(formula, Tuple) else formula, correlated_data()
    scale, prior = (data.scalars.value(symbol) for symbol in (beta, eta_enc))
    means = [data.matrices[W].T * point for point, _ in data.points]
    kl = sum(kl_divergence(latents, data.matrices[Sigma], prior) for latents in means) / len(means)
    defined = data.value(RECONSTRUCTION / (2 * eta_dec**2)) + scale * kl
    stated = data.value(total)
    if is_exactly_zero(stated - defined):
        return needed(None)
    return refuted(latents_named(data), f"{tidy(stated)} is not {tidy(defined)}")


def objective_of_entangled_noise(formula: Basic) -> Decision:
    """Judge (an expression of Eq 3, ...) where the noise has the right mean and variance, but goes with the data."""
    data = entangled_data()
    stated, defined = (data.value(expression) for expression in (formula.args[0], negative_elbo() - PARTITION))
    if is_exactly_zero(stated - defined):
        return needed(None)
    return refuted(latents_named(data), f"{tidy(stated)} is not {tidy(defined)}")


DIAGONAL = "the latents are uncorrelated given x: Sigma is diagonal"

CLAIMS = (
    Claim(
        "notation.gaussian-kl",
        "§3",
        "closed form of the KL between the encoder N(m, Sigma) and the prior N(0, eta_enc^2 I)",
        printed=Statement(KL_PRINTED, equals_gaussian_kl),
        observable="gaussian_kl",
        assumptions=(Assumption(DIAGONAL, kl_of_correlated_latents),),
    ),
    Claim(
        "eq-4.elbo",
        "§3, Eq 2-4",
        "Eq 3 equals Eq 4, up to the decoder's partition function",
        printed=Statement(EQUATION_4, equals_negative_elbo),
        observable="objective",
        uses=("notation.gaussian-kl",),
        assumptions=(Assumption(DIAGONAL, objective_of_correlated_latents),),
    ),
    Claim(
        "eq-5.decomposition",
        "§3, Eq 5",
        "Eq 4 equals Eq 5; the KL splits into a mean and a variance term (the first: what stands over its brace, over 2 eta_dec^2)",
        printed=Statement(
            Tuple(EQUATION_5, MEAN_TERM * Rational(1, 2) / eta_dec**2, VARIANCE_TERM), decomposes_objective
        ),
        observable="decomposition",
        uses=("notation.gaussian-kl", "eq-4.elbo"),
        assumptions=(
            Assumption("the encoder's noise is uncorrelated with x and y", objective_of_entangled_noise),
            Assumption(DIAGONAL, objective_of_correlated_latents),
        ),
    ),
)
