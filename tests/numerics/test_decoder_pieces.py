"""The least loss over the decoder's variance, piece by piece, at minima worked out by hand."""

import pytest
import sympy
from sympy import Rational

from derivations.exact_data import exact_data
from derivations.instances import Instance
from numerics.decoder_pieces import exact_least_over_decoder
from numerics.exact import ExactProblem

ONE = sympy.S.One


@pytest.mark.parametrize(
    ("r", "variance"),
    [
        # with both modes active d2 s - r = 2 s, so that s = r / (3 - 2), in (0, 25/4)
        (Rational(5), Rational(5)),
        # with the first alone 3 s - r - 25/4 = s, in (25/4, 9)
        (Rational(9), Rational(61, 8)),
        # with none 3 s = r + 9 + 25/4, beyond 9
        (Rational(20), Rational(141, 12)),
    ],
)
def test_the_minimum_lies_in_the_piece_whose_modes_are_active_there(r: Rational, variance: Rational) -> None:
    """zeta = (3, 5/2), beta = 1: breakpoints 25/4 and 9; of larger modes no power but the square is the level."""
    scalars = Instance((Rational(3), Rational(5, 2)), (ONE, ONE), ONE, ONE, ONE, d0=2, d2=3, residual=r)
    problem = ExactProblem(exact_data(scalars, seed=1, kernel=0), True, "by hand", learned_decoder=True)
    assert exact_least_over_decoder(problem).variance == variance
