"""A learned decoder variance at the edge of its bound, to the last bit."""

import numpy as np
import pytest

from numerics.learned_decoder import learned_decoder
from numerics.prediction import Levels
from numerics.tolerances import FLOAT64_IDENTITY

SQUARES = np.array([4.0, 2.0, 1.0])
OUTPUTS = 7


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_the_loss_is_level_where_beta_is_the_bound_but_for_rounding(ulps: int) -> None:
    """d2/rank = 7/3 is no float: a bit below it the loss has as little reason to be unbounded as at it."""
    beta = OUTPUTS / len(SQUARES)
    for _ in range(abs(ulps)):
        beta = float(np.nextafter(beta, np.inf if ulps > 0 else 0.0))
    found = learned_decoder(Levels(SQUARES, 0.0, 0.0, OUTPUTS), 3, beta)
    # the largest: that of two modes, of which 1 is left
    assert found.level and found.variance == pytest.approx(1 / (OUTPUTS - 2 * beta), rel=FLOAT64_IDENTITY.value)


@pytest.mark.parametrize(("share", "unbounded"), [(0.999, True), (1.001, False)])
def test_beside_the_bound_the_loss_is_not_level(share: float, unbounded: bool) -> None:
    found = learned_decoder(Levels(SQUARES, 0.0, 0.0, OUTPUTS), 3, share * OUTPUTS / 3)
    assert (found.level, found.variance == 0, found.bound) == (False, unbounded, OUTPUTS / 3)


@pytest.mark.parametrize(("latents", "residual"), [(2, 0.0), (3, 1.0)])
def test_with_a_rest_that_no_latent_explains_there_is_no_bound(latents: int, residual: float) -> None:
    found = learned_decoder(Levels(SQUARES, 0.0, residual, OUTPUTS), latents, 0.001)
    assert found.variance > 0 and found.bound == 0 and not found.level
