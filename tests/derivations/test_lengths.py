"""Lengths that are none are named, every one of them and no other."""

from dataclasses import replace

import pytest
from sympy import Identity, Rational, Tuple, solve, sqrt

from derivations.claim import refuted
from derivations.instances import Instance, instances
from derivations.notation import beta, d1, eta_dec, eta_enc, i, zeta
from derivations.proof import margin
from derivations.proposition_2_fixed_variance import (
    CORRECTED_8,
    impossible_length,
    minimises_fixed_variance,
    minimises_without_spread,
    mode_values,
    regimes,
)

INSTANCE = Instance(
    tuple(Rational(value) for value in (3, 1)), (Rational(1), Rational(2)), *(Rational(1),) * 3, d0=2, d2=2
)


def test_negative_and_imaginary_lengths_are_named_with_their_values():
    assert impossible_length(Tuple(2 - zeta[i], zeta[i]), INSTANCE) == "lambda_1 = -1 is no length"
    assert impossible_length(Tuple(zeta[i], zeta[i] - 2), INSTANCE) == "theta_2 = -1 is no length"
    both = impossible_length(Tuple(-zeta[i], sqrt(2 - zeta[i])), INSTANCE)
    assert both == "lambda_1 = -3; theta_1 = I; lambda_2 = -1 is no length"


def test_lengths_are_read_off_as_far_as_the_diagonals_reach():
    wide = Instance(INSTANCE.zeta[:1], INSTANCE.sigma, *(Rational(1),) * 3, d0=2, d2=1)
    assert mode_values(Tuple(zeta[i] + 1, Rational(5)), INSTANCE) == [(4, 5), (2, 5)]
    assert mode_values(Tuple(Rational(4), Rational(5)), wide) == [(4, 5), (0, 5)]
    assert mode_values(Tuple(Rational(0), Rational(5)), INSTANCE) == [(0, 5), (0, 5)]
    assert mode_values(Tuple(2 - zeta[i], Rational(5)), INSTANCE) is None
    assert mode_values(Tuple(Rational(5), zeta[i] - 2), INSTANCE) is None


def test_a_length_that_is_none_refutes():
    decision = minimises_fixed_variance(Tuple(-1 - zeta[i], zeta[i], Identity(d1)))
    assert decision.witness is not None and decision.witness.failure.endswith("is no length")


@pytest.mark.parametrize("excess", [-1, Rational(-1, 1000), 0, Rational(1, 1000), 1, 1000], ids=str)
def test_every_singular_value_is_in_one_regime(excess):
    """A proof that goes through the regimes leaves out no mode, and treats none twice."""
    numbers = {beta: 4, eta_dec: 3, eta_enc: 2}
    threshold = 15  # of sigma = 5: 5 * 2 * 3 / 2
    values = [case[zeta[i]].subs(numbers) for case in regimes(Rational(5))]
    assert (
        sum(
            value == threshold * (1 + excess) or bool(solve(value - threshold * (1 + excess), margin))
            for value in values
        )
        == 1
    )


def test_without_spread_one_deviation_is_0_and_nothing_else_is_changed():
    decision = minimises_without_spread(CORRECTED_8)
    assert decision.witness is not None
    for instance in instances():
        sigma = (Rational(0), *instance.sigma[1:])
        spreadless = refuted(replace(instance, sigma=sigma).named(), decision.witness.failure)
        if spreadless.witness == decision.witness:
            return
    pytest.fail(f"no instance with one deviation set to 0 is {decision.witness.values}")
