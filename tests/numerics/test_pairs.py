"""Pairs of instances: which ones descent is asked about."""

from dataclasses import replace

import numpy as np
import pytest

from derivations.situations import PRIOR
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import FloatLayer
from numerics.pairs import BASES, pairs

CHANGE = "beta and eta_dec"


@pytest.mark.parametrize(
    "layer", [DescentLayer(seed=7, count=120, real_data=False), FloatLayer(7)], ids=["descent", "numeric"]
)
def test_descent_is_not_asked_about_changes_that_it_cannot_see(layer: FloatLayer) -> None:
    """Half a mode's threshold may lie a fraction of a percent from an instance's own level: lambda_i has its maximum there."""
    near = next(
        problem for problem in layer.problems(PRIOR)[: BASES[layer.name]] if problem.d1 > 2 and problem.spectrum[0] > 1
    )
    level = float(near.spectrum[0]) / 2 * 0.997
    base = replace(near, beta=(level / near.eta_dec) ** 2)
    layer._problems[PRIOR][layer._problems[PRIOR].index(near)] = base
    changes = [
        abs(np.sqrt(there.beta) * there.eta_dec / (np.sqrt(here.beta) * here.eta_dec) - 1)
        for here, there in pairs(layer, PRIOR, PRIOR, CHANGE)
        if here is base
    ]
    assert len(changes) > 5
    assert any(1e-5 < change < 0.02 for change in changes) is (layer.name == "numeric")
