"""The notation (§3): the variances in Sigma, and the second moment of the input."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, Ge, ImmutableDenseMatrix, MatrixSymbol, Symbol, Trace, Tuple, exp, log, oo, sqrt

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, Verdict, conclude, refuted
from derivations.elbo import kl_of_one_latent, log_normal_density
from derivations.exact_data import ExactData, data_instances
from derivations.instances import instances, is_exactly_zero
from derivations.notation import D0, P_A, A, Mean, Sigma, SquaredNorm, U, eta_enc, i, mean, noise, sigma, x
from derivations.proof import equal, is_zero, nonnegative, same, true

# ------------------------------------------------------------------------------------------ as printed
a = MatrixSymbol("a", D0, 1)
"""Any direction of input space."""
quadratic_form = Symbol("q", real=True)
"""The value of a^T A a."""
SECOND_MOMENT = Tuple(Trace(a.T * A * a), Ge(quadratic_form, 0))

# -------------------------------------------------------------------------------- from the definitions
_v = Symbol("v", real=True)
_s = Symbol("s", positive=True)


@lru_cache(maxsize=1)
def variance_of_deviation() -> tuple[Expr, Expr]:
    """The second moment of N(0, s^2): the integral and its value."""
    integral = sympy.Integral(_v**2 * exp(log_normal_density(_v, sympy.S.Zero, _s)), (_v, -oo, oo))
    return integral, integral.doit()


# -------------------------------------------------------------------------------------------- verdicts
def truths(statement: Basic, value: Symbol) -> list[Step]:
    """The statement is true of 0 and of every positive number, which are the values that occur."""
    some = Symbol("value", positive=True)
    return [
        true("the statement is true of 0", statement, {value: sympy.S.Zero}),
        true("the statement is true of every positive number", statement, {value: some}),
    ]


def integrates_to(text: str, integral: Expr, known: Expr, formula: Expr) -> Step:
    """A formula of an integral, shown as the integral and decided by its value."""
    verdict = Verdict.PROVED if is_zero(known - formula) else Verdict.UNDECIDED
    return Step(text, Eq(integral, formula, evaluate=False), verdict)


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
    integral, known = (expression.subs(_s, sigma[i]) for expression in variance_of_deviation())
    return conclude(
        [
            equal("Sigma is the second moment of the noise", Mean(SquaredNorm(U * noise)), Trace(U * Sigma * U.T)),
            integrates_to("the second moment of noise with standard deviation sigma_i", integral, known, formula),
            same("with this variance the KL of the densities is the last term of Eq 4, by beta", divergence, term / 2),
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
            *truths(statement, quadratic_form),
        ]
    )


def _directions(data: ExactData) -> list[ImmutableDenseMatrix]:
    """Some vector, and one of the null space of A where it has one."""
    basis = data.matrices[P_A]
    some = ImmutableDenseMatrix([(-1) ** k * (k + 1) for k in range(basis.rows)])
    outside = some - basis * basis.T * some
    return [some] if outside.is_zero_matrix else [some, ImmutableDenseMatrix(outside)]


CLAIMS = (
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
)
