"""Random instances stay away from thresholds that they are not to meet."""

import numpy as np
import pytest

from numerics.decoder_problems import _Plan, _well_apart

BETA, VARIANCE, LATENTS, OUTPUTS = 0.5, 2.0, 2, 5
LEVEL = BETA * VARIANCE


@pytest.mark.parametrize(
    ("ratio", "apart"), [(0.5, True), (0.94, True), (0.96, False), (1.0, False), (1.04, False), (1.06, True), (2, True)]
)
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_mode_within_a_twentieth_of_the_level_is_near_its_threshold(ratio: float, apart: bool, factor: float) -> None:
    """Three modes for two latents, the first far above, the last at the level or below: none reaches it, and it may be there."""
    squares = np.array([9.0, ratio * LEVEL, min(ratio, 1.0) * LEVEL])
    left = LEVEL + min(squares[1], LEVEL) + squares[2]
    plan = _Plan(factor * squares, factor * (OUTPUTS * VARIANCE - left), BETA)
    assert _well_apart(plan, LATENTS, OUTPUTS) is apart
    if apart:
        # with fewer modes than latents, and with zeros among them
        fewer = _Plan(np.append(plan.squares[:2], 0.0), plan.residual + plan.squares[2], BETA)
        assert _well_apart(fewer, LATENTS + 2, OUTPUTS)
