"""Lengths that are none are named, every one of them and no other."""

from sympy import Identity, Rational, Tuple, sqrt

from derivations.instances import Instance
from derivations.notation import d1, i, zeta
from derivations.proposition_2_fixed_variance import impossible_length, minimises_fixed_variance, mode_values

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
