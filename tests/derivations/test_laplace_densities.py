"""Bayesian regression with a Laplace prior or Laplace noise: how steeply the posterior density rises from the origin."""

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import Le

from derivations import regression
from derivations.ledger import claims_by_id
from numerics.tolerances import DIFFERENCE_QUOTIENT


def steepest(density, shape):
    """The largest difference quotient of a density of weights at 0, along each weight and against it."""
    origin, tiny, rises = np.full(shape, Fraction(0)), Fraction(1, 10**9), []
    for place in np.ndindex(*shape):
        for sign in (1, -1):
            step = origin.copy()
            step[place] = sign * tiny
            rises.append((density(step) - density(origin)) / tiny)
    return max(rises)


@pytest.mark.parametrize("data", regression.regression_data())
def test_the_rise_from_the_origin_with_a_laplace_prior_or_laplace_noise(data):
    """Of the log density itself, with scales other than 1 and targets that are 0 among the data."""
    x, y = (
        np.vectorize(lambda entry: Fraction(str(entry)), otypes=[object])(part) for part in (data.inputs, data.targets)
    )
    noise, tau, shape = Fraction(str(data.eta_dec)), Fraction(str(data.tau)), (len(y), len(x))

    def with_prior(B):
        return -np.sum((y - B @ x) ** 2) / (2 * noise**2) - np.abs(B).sum() / tau

    def with_noise(B):
        return -np.abs(y - B @ x).sum() / noise - np.sum(B**2) / (2 * tau**2)

    found = Fraction(str(regression.laplace_prior_rise(data)))
    assert abs(found - steepest(with_prior, shape)) <= DIFFERENCE_QUOTIENT.value
    stated = regression.laplace_noise_rise(data)
    assert (stated is None) == (shape != (1, 1))
    if stated is not None:
        assert abs(Fraction(str(stated)) - steepest(with_noise, shape)) <= DIFFERENCE_QUOTIENT.value


def test_several_targets_of_one_input_by_hand():
    """E[y x^T] of (1, (3, 0)) and (2, (4, 1)); with Laplace noise only one target's rise is told."""
    inputs, targets = sympy.ImmutableMatrix([[1, 2]]), sympy.ImmutableMatrix([[3, 4], [0, 1]])
    data = regression.RegressionData(inputs, targets, sympy.Rational(1), sympy.Rational(1))
    assert data.correlation == sympy.ImmutableMatrix([[sympy.Rational(11, 2)], [1]])
    assert regression.laplace_noise_rise(data) is None


@pytest.mark.parametrize("stated", [regression.NEVER, Le(regression.excess, 0)], ids=["never", "always"])
def test_a_laplace_density_is_refuted_by_what_the_origin_is(stated):
    for assumption in claims_by_id()["s4.5.regression"].assumptions[1:]:
        failure = assumption.without(stated).witness.failure
        (rate,) = re.findall(r"at a rate of (\S+) at most", failure)
        rises = Fraction(rate) > 0
        assert rises == (stated != regression.NEVER) and f"the origin {'is not' if rises else 'is'} its" in failure
