"""The setting (§1, Eq 1; §3): accuracy and complexity, the variances in Sigma, the second moment, the partition function.

Derived from Gaussian densities by integration and from raw data.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import sympy
from sympy import Basic, Expr, Ge, ImmutableDenseMatrix, MatrixSymbol, Sum, Symbol, Trace, Tuple, exp, log, oo, pi, sqrt

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, Verdict, conclude, refuted
from derivations.elbo import expected_kl, kl_of_one_latent, kl_steps, log_normal_density, negative_elbo
from derivations.exact_data import ExactData, data_instances
from derivations.instances import instances, is_exactly_zero, tidy
from derivations.notation import (
    D0,
    P_A,
    A,
    Mean,
    Sigma,
    SquaredNorm,
    U,
    W,
    beta,
    d0,
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
from derivations.proof import equal, nonnegative, positive, sums_equal, zero

# ------------------------------------------------------------------------------------------ as printed
complexity = Symbol("l_KL", real=True)
"""The value of the complexity term."""
OBJECTIVE = Tuple(
    Mean(SquaredNorm(U * (W.T * x + noise) - y)) / (2 * eta_dec**2) + d2 / 2 * log(2 * pi * eta_dec**2),
    Mean(SquaredNorm(W.T * x)) / (2 * eta_enc**2)
    + Sum((sigma[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)) / 2, (i, 1, d1)),
    Ge(complexity, 0),
)
a = MatrixSymbol("a", D0, 1)
"""Any direction of input space."""
quadratic_form = Symbol("q", real=True)
"""The value of a^T A a."""
SECOND_MOMENT = Tuple(Trace(a.T * A * a), Ge(quadratic_form, 0))
some_factor = Symbol("k", real=True)
"""Any number that does not depend on eta_dec."""
PROPORTIONAL = some_factor * log(eta_dec**2)

# -------------------------------------------------------------------------------- from the definitions
SQUARED_ERROR = Mean(SquaredNorm(U * (W.T * x + noise) - y))
_v = Symbol("v", real=True)
_s = Symbol("s", positive=True)


@lru_cache(maxsize=1)
def variance_of_deviation() -> Expr:
    """The second moment of N(0, s^2), by integration."""
    return sympy.integrate(_v**2 * exp(log_normal_density(_v, sympy.S.Zero, _s)), (_v, -oo, oo))


@lru_cache(maxsize=1)
def log_partition() -> Expr:
    """The logarithm of the integral of exp(-|y - U z|^2 / (2 eta_dec^2)) over y: d2 equal factors."""
    return d2 * log(sympy.integrate(exp(-(_v**2) / (2 * _s**2)), (_v, -oo, oo)).subs(_s, eta_dec))


@lru_cache(maxsize=1)
def accuracy_and_complexity() -> tuple[Expr, Expr]:
    """E_x[-E_q log p(y|z)], the d2 coordinates of y being independent given z, and E_x KL(q(z|x) | p(z))."""
    per_coordinate = sympy.Poly(-log_normal_density(_v, sympy.S.Zero, eta_dec), _v)
    per_square, rest = per_coordinate.coeff_monomial(_v**2), per_coordinate.coeff_monomial(1)
    return per_square * SQUARED_ERROR + d2 * rest, sympy.Add(*expected_kl())


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
            zero("at beta = 1 the two terms add up to the objective", sum(derived) - negative_elbo().subs(beta, 1)),
            zero("a latent's part is 0 at the prior's variance, t = sigma^2/eta_enc^2 = 1", per_latent.subs(rest, 1)),
            positive("it rises beyond", per_latent.diff(rest).subs(rest, 1 + above)),
            positive("and falls before, so that it is nonnegative", -per_latent.diff(rest).subs(rest, 1 / (1 + above))),
            nonnegative("the mean's part is an average of squares", SquaredNorm(W.T * x) / (2 * eta_enc**2)),
            *_truths(formula.args[2], complexity),
        ]
    )


def _same_divergence(stated: Expr, derived: Expr) -> list[Step]:
    """Equality of the parts with and without a sum over latents."""
    sums = [sympy.Add(*(t for t in sympy.Add.make_args(side) if t.has(Sum))) for side in (stated, derived)]
    return [
        sums_equal("the complexity term's part in Sigma", *sums),
        equal("the complexity term's part in W", stated - sums[0], derived - sums[1]),
    ]


def _truths(statement: Basic, value: Symbol) -> list[Step]:
    """The statement is true of 0 and of every positive number, which are the values that occur."""
    cases = (("0", sympy.S.Zero), ("positive", Symbol("value", positive=True)))
    return [
        Step(
            f"the statement is true where the value is {name}",
            statement,
            Verdict.PROVED if statement.subs(value, number) == sympy.true else Verdict.UNDECIDED,
        )
        for name, number in cases
    ]


def is_variance(formula: Basic) -> Decision:
    """Judge the i-th diagonal entry of Sigma, where the i-th noise has standard deviation sigma_i."""
    for instance in instances():
        for place, deviation in enumerate(instance.sigma, 1):
            stated = instance.value(formula, place)
            found = ((-deviation) ** 2 + deviation**2) / 2
            if not is_exactly_zero(stated - found):
                return refuted(
                    {"sigma": instance.sigma, "eta_enc": instance.eta_enc, "i": place},
                    f"noise that is -sigma_i or sigma_i has second moment {found}, and the formula gives {stated}",
                )
    term = sigma[i] ** 2 / eta_enc**2 - 1 - log(sigma[i] ** 2 / eta_enc**2)
    divergence = kl_of_one_latent().subs({mean[i]: 0, sigma[i]: _s}).subs(_s, sqrt(formula))
    return conclude(
        [
            equal("Sigma is the second moment of the noise", Mean(SquaredNorm(U * noise)), Trace(U * Sigma * U.T)),
            zero("the second moment of N(0, sigma_i^2)", variance_of_deviation().subs(_s, sigma[i]) - formula),
            zero("with this variance the KL is the last term of Eq 4", divergence - term / 2),
        ]
    )


def is_second_moment(formula: Basic) -> Decision:
    """Judge (the value of a^T A a, a Boolean of it) for every a != 0."""
    form, statement = formula.args
    average = Mean(SquaredNorm(a.T * x))
    for data in data_instances():
        for direction in _directions(data):
            known = ExactData(data.scalars, {**data.matrices, a: direction}, data.points)
            stated, found = known.value(form), known.value(average)
            values: dict[str, object] = {"x": [list(px) for px, _ in data.points], "a": list(direction)}
            if not is_exactly_zero(stated - found):
                return refuted(values, f"E (a^T x)^2 is {found}, and the formula gives {stated}")
            if statement.subs(quadratic_form, found) != sympy.true:
                return refuted(values, f"a^T A a is {found}, where the formula says {statement}")
    share = Symbol("m", nonnegative=True)
    first, second = sympy.symbols("u v", real=True)
    return conclude(
        [
            equal("each x x^T is symmetric, hence A", x * x.T, (x * x.T).T),
            equal("a^T A a is an average of squares", form, average),
            nonnegative("a square is nonnegative", SquaredNorm(a.T * x)),
            nonnegative(
                "an average of squares stays so with every further point", (first**2 + share * second**2) / (1 + share)
            ),
            *_truths(statement, quadratic_form),
        ]
    )


def _directions(data: ExactData) -> list[ImmutableDenseMatrix]:
    """Some vector, and one of the null space of A where it has one."""
    basis = data.matrices[P_A]
    some = ImmutableDenseMatrix([(-1) ** k * (k + 1) for k in range(basis.rows)])
    outside = some - basis * basis.T * some
    return [some] if outside.is_zero_matrix else [some, ImmutableDenseMatrix(outside)]


def is_log_partition(formula: Basic) -> Decision:
    """Judge the logarithm of the decoder's partition function as a function of eta_dec, up to the factor k if it has one."""
    derived = log_partition()
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
    remainder = accuracy_and_complexity()[0] - SQUARED_ERROR / (2 * eta_dec**2)
    return conclude(
        [
            zero("the Gaussian integral over d2 independent coordinates", derived - formula),
            zero("what -log p(y|z) has beside the squared error, which Eq 5 leaves out", remainder - formula),
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
    ),
    Claim(
        "notation.latent-variance",
        "§3, Notation",
        "the diagonal entries of Sigma, where the noise of latent i has standard deviation sigma_i as in Eq 4",
        printed=Statement(sigma[i], is_variance),
        corrected=Statement(sigma[i] ** 2, is_variance),
        observable="latent_variance",
        erratum=Erratum(
            printed="the diagonal entries of Sigma are sigma_i",
            holds="they are sigma_i^2, as in Sigma = diag(sigma_1^2, ..., sigma_d1^2)",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "notation.second-moment",
        "§3, Notation",
        "A = E x x^T is positive semidefinite: a^T A a = E (a^T x)^2 >= 0 for every a != 0 (0 occurs where d0 < D0)",
        printed=Statement(SECOND_MOMENT, is_second_moment),
        observable="second_moment",
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
)
