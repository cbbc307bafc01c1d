"""Accuracy and complexity (§1, Eq 1), and the decoder's partition function (§4.4), from Gaussian densities."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import sympy
from sympy import Basic, Expr, Ge, ImmutableDenseMatrix, Sum, Symbol, Tuple, exp, log, oo, pi

from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted
from derivations.elbo import (
    DIAGONAL,
    PARTITION,
    RECONSTRUCTION,
    expected_kl,
    kl_steps,
    log_normal_density,
    negative_elbo,
    objective_of_correlated_latents,
)
from derivations.exact_data import ExactData, data_instances
from derivations.instances import is_exactly_zero, tidy
from derivations.notation import Mean, SquaredNorm, U, W, beta, d0, d1, d2, eta_dec, eta_enc, i, noise, sigma, x, y
from derivations.proof import equal, nonnegative, positive, same, sums_equal, zero
from derivations.setting import integrates_to, truths

# ------------------------------------------------------------------------------------------ as printed
complexity = Symbol("l_KL", real=True)
"""The value of the complexity term."""
OBJECTIVE = Tuple(
    Mean(SquaredNorm(U * (W.T * x + noise) - y)) / (2 * eta_dec**2) + d2 / 2 * log(2 * pi * eta_dec**2),
    Mean(SquaredNorm(W.T * x)) / (2 * eta_enc**2)
    + Sum((sigma[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)) / 2, (i, 1, d1)),
    Ge(complexity, 0),
)
some_factor = Symbol("k", real=True)
"""Any number that does not depend on eta_dec."""
PROPORTIONAL = some_factor * log(eta_dec**2)

WEIGHTS = Tuple(1 / (2 * eta_dec**2), beta)
"""Of E|U z - y|^2 and of E_x KL(q(z|x) | p(z)) in L_VAE."""

# -------------------------------------------------------------------------------- from the definitions
_v = Symbol("v", real=True)


@lru_cache(maxsize=1)
def log_partition() -> tuple[Expr, Expr]:
    """The logarithm of the integral of exp(-|y - U z|^2 / (2 eta_dec^2)) over y, d2 equal factors, and its value."""
    integral = sympy.Integral(exp(-(_v**2) / (2 * eta_dec**2)), (_v, -oo, oo))
    return d2 * log(integral), d2 * log(integral.doit())


@lru_cache(maxsize=1)
def accuracy_and_complexity() -> tuple[Expr, Expr]:
    """E_x[-E_q log p(y|z)], the d2 coordinates of y being independent given z, and E_x KL(q(z|x) | p(z))."""
    per_coordinate = sympy.Poly(-log_normal_density(_v, sympy.S.Zero, eta_dec), _v)
    per_square, rest = per_coordinate.coeff_monomial(_v**2), per_coordinate.coeff_monomial(1)
    return per_square * RECONSTRUCTION + d2 * rest, sympy.Add(*expected_kl())


@lru_cache(maxsize=1)
def values_of_terms() -> tuple[tuple[ExactData, tuple[Expr, Expr]], ...]:
    """Exact data with the values of both terms, at some W and at W = 0."""
    at_zero = (data.replaced(W=ImmutableDenseMatrix.zeros(*data.matrices[W].shape)) for data in data_instances())
    accuracy, divergence = accuracy_and_complexity()
    return tuple(
        (data, (tidy(data.value(accuracy)), tidy(data.value(divergence)))) for data in (*data_instances(), *at_zero)
    )


# -------------------------------------------------------------------------------------------- verdicts
def splits_objective(formula: Basic) -> Decision:
    """Judge (accuracy, complexity, a Boolean of the complexity's value) against the densities at beta = 1."""
    derived = accuracy_and_complexity()
    for data, values in values_of_terms():
        for name, stated, there in zip(("accuracy", "complexity"), formula.args[:2], values, strict=True):
            here = data.value(stated)
            if not is_exactly_zero(here - there):
                return refuted(data.named(), f"the {name} term is {there}, and the formula gives {tidy(here)}")
        if formula.args[2].subs(complexity, values[1]) != sympy.true:
            return refuted(data.named(), f"the complexity is {values[1]}, where the formula says {formula.args[2]}")
    rest, above = Symbol("t", positive=True), Symbol("delta", positive=True)
    per_latent = rest - 1 - log(rest)
    return conclude(
        [
            *kl_steps(),
            equal("E_x[-E_q log p(y|z)]", formula.args[0], derived[0]),
            *_same_divergence(formula.args[1], derived[1]),
            same("at beta = 1 the two terms add up to the objective", sum(derived), negative_elbo().subs(beta, 1)),
            zero("a latent's part is 0 at the prior's variance", per_latent, {rest: sympy.S.One}),
            positive("it rises beyond", per_latent.diff(rest), {rest: 1 + above}),
            positive("and falls before, so that it is nonnegative", -per_latent.diff(rest), {rest: 1 / (1 + above)}),
            nonnegative("the mean's part is an average of squares", SquaredNorm(W.T * x) / (2 * eta_enc**2)),
            *truths(formula.args[2], complexity),
        ]
    )


def _same_divergence(stated: Expr, derived: Expr) -> list[Step]:
    """Equality of the parts with and without a sum over latents."""
    sums = [sympy.Add(*(t for t in sympy.Add.make_args(side) if t.has(Sum))) for side in (stated, derived)]
    return [
        sums_equal("the complexity term's part in Sigma", *sums),
        equal("the complexity term's part in W", stated - sums[0], derived - sums[1]),
    ]


def weighs_terms(formula: Basic) -> Decision:
    """Judge (weight of E|U z - y|^2, weight of E_x KL) in the objective of Eq 3, and what weakens which of them."""
    reconstruction, prior = formula.args
    accuracy, _ = accuracy_and_complexity()
    likelihood, regularisation = accuracy - PARTITION, negative_elbo() - accuracy
    stated = reconstruction * RECONSTRUCTION, sympy.Add(*(prior * part for part in expected_kl()))
    for data, (value, kl) in values_of_terms():
        defined = value - data.value(PARTITION), data.value(negative_elbo()) - value
        shown = data.value(stated[0]), data.value(prior) * kl
        for name, here, there in zip(("reconstruction", "prior"), shown, defined, strict=True):
            if not is_exactly_zero(here - there):
                return refuted(data.named(), f"the {name} term is {tidy(there)}, and the weight makes it {tidy(here)}")
    return conclude(
        [
            *kl_steps(),
            equal("the reconstruction term by its weight", stated[0], likelihood),
            *_same_divergence(stated[1], regularisation),
            positive("a smaller beta weakens the prior term", prior.diff(beta)),
            zero("and leaves the reconstruction term", reconstruction.diff(beta)),
            positive("a larger eta_dec weakens the reconstruction term", -reconstruction.diff(eta_dec)),
            zero("and leaves the prior term", prior.diff(eta_dec)),
        ]
    )


def _sum_for_correlated_latents(formula: Basic) -> Decision:
    """Judge the sum of the two terms where the latents are correlated given x."""
    return objective_of_correlated_latents(formula.args[0] + formula.args[1] - PARTITION)


def is_log_partition(formula: Basic) -> Decision:
    """Judge the logarithm of the decoder's partition function as a function of eta_dec, up to the factor k if it has one."""
    shown, derived = log_partition()
    sizes = range(1, 4)
    for target, deviation in product(sizes, sizes):
        values = {d2: target, d0: target + 1, eta_dec: deviation, eta_enc: deviation + 1}
        stated, found = formula.xreplace(values), tidy(derived.xreplace(values))
        if stated.has(some_factor) or is_exactly_zero(stated - found):
            continue
        every = ", whatever k is" if formula.has(some_factor) else ""
        return refuted(
            {"d2": target, "eta_dec": deviation},
            f"the logarithm of the partition function is {found}, and the formula gives {stated}{every}",
        )
    if formula.has(some_factor):
        factor = sympy.simplify(derived / formula.coeff(some_factor))
        return conclude([zero("the factor does not depend on eta_dec", factor.diff(eta_dec))])
    remainder = accuracy_and_complexity()[0] - RECONSTRUCTION / (2 * eta_dec**2)
    return conclude(
        [
            integrates_to("the Gaussian integral over d2 independent coordinates", shown, derived, formula),
            same("what -log p(y|z) has beside the squared error, which Eq 5 leaves out", remainder, formula),
        ]
    )


CLAIMS = (
    Claim(
        "eq-1.objective",
        "§1, Eq 1",
        "at beta = 1 the objective, the decoder's partition function included, is the sum of an accuracy and a complexity "
        "term; for the densities of §3 they are these, and the second is nonnegative",
        printed=Statement(OBJECTIVE, splits_objective),
        observable="accuracy_and_complexity",
        uses=("notation.gaussian-kl",),
        assumptions=(Assumption(DIAGONAL, _sum_for_correlated_latents),),
    ),
    Claim(
        "s4.4.partition",
        "§4.4",
        "the logarithm of the decoder's partition function, which is to enter the objective, as a function of eta_dec "
        '("proportional" to the letter: a factor that does not depend on eta_dec, times log eta_dec^2)',
        printed=Statement(PROPORTIONAL, is_log_partition),
        corrected=Statement(d2 / 2 * log(2 * pi * eta_dec**2), is_log_partition),
        observable="log_partition",
        uses=("eq-1.objective",),
        erratum=Erratum(
            printed="the decoder's partition function is proportional to log eta_dec^2",
            holds="its logarithm is (d2/2) log(2 pi eta_dec^2): proportional to log eta_dec^2 up to an additive constant",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "s4.5.weights",
        "§4.5",
        "a small beta weakens the prior term and a large eta_dec the reconstruction term, each that one alone: of E|U z - y|^2 "
        "and of the KL L_VAE is the sum with these weights",
        printed=Statement(WEIGHTS, weighs_terms),
        observable="weights",
        uses=("eq-1.objective",),
    ),
)
