"""Bayesian linear regression (§4.5): when the origin is a maximum of the posterior density of the weights.

y = B x + noise with independent Gaussian noise of standard deviation eta_dec in each coordinate, and an independent Gaussian
prior N(0, tau^2) on each entry of the d2 x D0 matrix B; d2 = 1 is the textbook's w^T x. The expectation is over the N data points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import (
    Basic,
    Eq,
    Equivalent,
    Expr,
    Gt,
    ImmutableDenseMatrix,
    Le,
    MatrixSymbol,
    Rational,
    Symbol,
    Trace,
    symbols,
)

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
from derivations.elbo import log_normal_density
from derivations.matrix_calculus import differential, gradient
from derivations.notation import D0, C, Mean, MeanMatrix, SquaredNorm, d2, eta_dec, x, y
from derivations.proof import equal, positive, same, true

excess = Symbol("excess", real=True)
"""The highest log posterior density next to B = 0 less that at B = 0: 0 iff the origin is a local maximum.

The density is log-concave, so that its sign is the same however far around one looks: a local maximum is the global one.
"""

# ------------------------------------------------------------------------------------------ as printed
NEVER = Gt(excess, 0)
WITHOUT_CORRELATION = Equivalent(Le(excess, 0), Eq(SquaredNorm(MeanMatrix(y * x.T)), 0))

# -------------------------------------------------------------------------------- from the definitions
B, dB = MatrixSymbol("B", d2, D0), MatrixSymbol("dB", d2, D0)
prior_deviation, count = Symbol("tau", positive=True), Symbol("N", integer=True, positive=True)
"""Standard deviation of the prior on each weight, and the number of data points."""
_target, _predicted, _weight = symbols("y_k b_k b", real=True)


def log_posterior() -> Expr:
    """Log likelihood plus log prior of B, up to a constant: coordinates of y and entries of B are independent."""
    likelihood = -count / (2 * eta_dec**2) * Mean(SquaredNorm(y - B * x))
    return likelihood - SquaredNorm(B) / (2 * prior_deviation**2)


@lru_cache(maxsize=1)
def posterior_steps() -> tuple[Step, ...]:
    """The log posterior is its value at 0, plus a term linear in B with coefficient E[y x^T], minus a positive form."""
    objective = log_posterior()
    linear = count / eta_dec**2 * Trace(C * B.T)
    form = count / (2 * eta_dec**2) * Mean(SquaredNorm(B * x)) + SquaredNorm(B) / (2 * prior_deviation**2)
    at_origin = objective.subs(B, 0 * B).doit()
    small, signal, curvature = symbols("epsilon signal curvature", positive=True)
    slope = gradient(objective, B).subs(B, 0 * B).doit()
    second = differential(differential(objective, {B: dB}), {B: dB})
    gain = small * signal - small**2 * curvature
    return (
        *(
            same(
                f"the log density of {name}: how it depends on the weights",
                log_normal_density(value, centre, deviation) - log_normal_density(value, sympy.S.Zero, deviation),
                (value**2 - (value - centre) ** 2) / (2 * deviation**2),
            )
            for name, value, centre, deviation in (
                ("one coordinate of a target", _target, _predicted, eta_dec),
                ("one weight", sympy.S.Zero, _weight, prior_deviation),
            )
        ),
        equal("the gradient at B = 0", slope, count / eta_dec**2 * C),
        equal("the Hessian form is minus twice a sum of squared norms", second, -2 * form.subs(B, dB)),
        equal("the log posterior, split at B = 0", objective, at_origin + linear - form),
        positive("with E[y x^T] = 0 it falls off from 0 in every direction", form_sign()),
        equal(
            "along B = E[y x^T] the linear term is a squared norm",
            linear.subs(B, C),
            count / eta_dec**2 * SquaredNorm(C),
        ),
        positive(
            "so that with E[y x^T] != 0 it rises next to 0: a small step epsilon gains",
            gain.subs(small, signal / (2 * curvature)) / small,
        ),
    )


def form_sign() -> Expr:
    """The form in terms of the squared norms of B x (averaged, at least 0) and of B (positive unless B = 0)."""
    predicted, length = Symbol("mean_squared_prediction", nonnegative=True), Symbol("squared_length", positive=True)
    return count / (2 * eta_dec**2) * predicted + length / (2 * prior_deviation**2)


# -------------------------------------------------------------------------------------------- verdicts
@dataclass(frozen=True)
class RegressionData:
    """Data points as columns of inputs and targets, and the standard deviations of the noise and of the prior."""

    inputs: ImmutableDenseMatrix
    targets: ImmutableDenseMatrix
    eta_dec: Rational
    tau: Rational

    @property
    def correlation(self) -> ImmutableDenseMatrix:
        """E[y x^T]."""
        return self.targets * self.inputs.T / self.inputs.cols

    def slope(self, prior_mean: Rational = sympy.S.Zero) -> ImmutableDenseMatrix:
        """The gradient of the log posterior at B = 0: by differences, exact since it is quadratic."""
        rows, columns = self.targets.rows, self.inputs.rows

        def entry(row: int, column: int) -> Expr:
            step = sympy.zeros(rows, columns)
            step[row, column] = 1
            return (self.log_density(step, prior_mean) - self.log_density(-step, prior_mean)) / 2

        return ImmutableDenseMatrix(rows, columns, entry)

    def log_density(self, weights: ImmutableDenseMatrix, prior_mean: Rational = sympy.S.Zero) -> Expr:
        """Log likelihood plus log prior, up to a constant, point by point and weight by weight."""
        misfit = self.targets - weights * self.inputs
        likelihood = sum(entry**2 for entry in misfit) / (2 * self.eta_dec**2)
        return -likelihood - sum((entry - prior_mean) ** 2 for entry in weights) / (2 * self.tau**2)

    def value(self, formula: Basic, above: Expr) -> Basic:
        """The truth of a statement about these data, `above` being the excess."""
        signal = sum((entry**2 for entry in self.correlation), sympy.S.Zero)
        return formula.xreplace({SquaredNorm(MeanMatrix(y * x.T)): signal, excess: above})

    def named(self) -> dict[str, object]:
        """What a reader needs to repeat the evaluation."""
        points = {"x": self.inputs.T.tolist(), "y": self.targets.T.tolist()}
        return points | {"eta_dec": self.eta_dec, "tau": self.tau}


@lru_cache(maxsize=1)
def regression_data() -> tuple[RegressionData, ...]:
    """Small data sets with and without correlation between input and target, the smallest first."""
    points: tuple[tuple[Any, Any], ...] = (
        ([[1, -1]], [[1, 1]]),
        ([[1, 2]], [[1, 1]]),
        ([[1, 2]], [[0, 0]]),
        ([[1, 2, -1]], [["1/2", 1, "5/2"]]),
        ([[1, 1, -1, -1], [1, -1, 1, -1]], [[2, -1, -1, 2]]),
        ([[1, 1, -1, -1], [1, -1, 1, -1]], [[2, 1, 0, 2], [1, -1, -1, 1]]),
        ([[1, 1, -1, -1], [1, -1, 1, -1]], [[3, -2, -2, 3], [1, -1, -1, 1]]),
        ([[1, 0], [0, 0]], [[0, 4]]),
        ([[1, 1]], [[2, -1]]),
    )
    scales = ((1, 1), (2, "1/2"), ("1/3", 3))
    return tuple(
        RegressionData(_matrix(inputs), _matrix(targets), Rational(noise), Rational(tau))
        for inputs, targets in points
        for noise, tau in scales
    )


def _matrix(rows: Sequence[Sequence[Any]]) -> ImmutableDenseMatrix:
    return ImmutableDenseMatrix([[Rational(entry) for entry in row] for row in rows])


def _failures(formula: Basic, prior_mean: Rational) -> Iterator[Decision]:
    for data in regression_data():
        slope = data.slope(prior_mean)
        # strictly concave: the excess is 0 iff the slope is, and has the sign of the slope's square
        above = sum((entry**2 for entry in slope), sympy.S.Zero)
        if data.value(formula, above) != sympy.true:
            shown = (
                f"E[y x^T] = {data.correlation.tolist()}, the gradient of the log posterior at 0 is {slope.tolist()}"
            )
            verb = "is not" if above else "is"
            values = data.named() | ({"prior mean": prior_mean} if prior_mean else {})
            yield refuted(values, f"{shown}; since it is strictly concave, the origin {verb} its maximum")


def characterises_maximum(formula: Basic) -> Decision:
    """Judge a Boolean of the excess and of E[y x^T]: does it hold for all data?"""
    for failure in _failures(formula, sympy.S.Zero):
        return failure
    signal, above = SquaredNorm(MeanMatrix(y * x.T)), Symbol("above", positive=True)
    return conclude(
        [
            *posterior_steps(),
            true("it holds without correlation", formula, {signal: sympy.S.Zero, excess: sympy.S.Zero}),
            true("and with correlation", formula, {signal: Symbol("signal", positive=True), excess: above}),
        ]
    )


def _with_shifted_prior(formula: Basic) -> Decision:
    """The prior's mean is 1 instead of 0."""
    return needed(next(_failures(formula, sympy.S.One), None))


def laplace_prior_rise(data: RegressionData) -> Expr:
    """The steepest slope of the log posterior at 0 along one weight b, where the prior density falls as exp(-|b|/tau): its kink
    holds the origin against a small slope of the likelihood (a Gaussian prior has none there)."""
    return max(abs(entry) for entry in data.slope()) - 1 / data.tau


def laplace_noise_rise(data: RegressionData) -> Expr | None:
    """The same where a target's density about b x falls as exp(-|y - b x|/eta_dec): signs of targets count, not sizes. For one
    weight only."""
    if data.inputs.rows > 1 or data.targets.rows > 1:
        return None
    points = list(zip(data.inputs, data.targets, strict=True))
    kinks = sum((abs(px) for px, py in points if py == 0), sympy.S.Zero)
    return (abs(sum(sympy.sign(py) * px for px, py in points)) - kinks) / data.eta_dec


def _with_laplace_prior(formula: Basic) -> Decision:
    return needed(_first_failure(formula, laplace_prior_rise, "prior"))


def _with_laplace_noise(formula: Basic) -> Decision:
    return needed(_first_failure(formula, laplace_noise_rise, "noise"))


def _first_failure(formula: Basic, rise: Callable[[RegressionData], Expr | None], changed: str) -> Decision | None:
    """A refutation where a log-concave density is a Laplace one: the steepest rise from the origin says whether it is a maximum."""
    for data in regression_data():
        steepest = rise(data)
        if steepest is not None and data.value(formula, max(steepest, sympy.S.Zero)) != sympy.true:
            verb = "is not" if steepest > 0 else "is"
            return refuted(
                data.named() | {"density": f"Laplace {changed}"},
                f"E[y x^T] = {data.correlation.tolist()}, the log posterior rises from 0 at a rate of {steepest} at most: "
                f"the origin {verb} its maximum",
            )
    return None


CLAIMS = (
    Claim(
        "s4.5.regression",
        "§4.5",
        "in Bayesian linear regression (Gaussian noise, Gaussian prior of mean 0 on the weights) the origin is a local maximum "
        "of the posterior density for no data",
        printed=Statement(NEVER, characterises_maximum),
        corrected=Statement(WITHOUT_CORRELATION, characterises_maximum),
        observable="posterior_maximum",
        assumptions=(
            Assumption("the prior on the weights has mean 0", _with_shifted_prior),
            Assumption("the prior on the weights is Gaussian", _with_laplace_prior),
            Assumption("the noise is Gaussian", _with_laplace_noise),
        ),
        erratum=Erratum(
            printed="the origin can never be a local maximum of the posterior",
            holds="it is one, and then the global one, exactly where E[y x^T] = 0; data in general position have "
            "E[y x^T] != 0, and then it is not even stationary",
            severity=Severity.CONDITION,
        ),
    ),
)
