"""How statements about minima are held beside those that descent found."""

import numpy as np
import pytest
import sympy

from derivations import notation as n
from derivations.ledger import claims_by_id
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import origin_of
from numerics.observables.minima import _is_deviation, reduction_at_minima


def test_a_reduced_slope_is_told_relative_to_the_loss_and_the_point() -> None:
    """And the gain over the origin in the reduced objective's units, 2 eta_dec^2 L_VAE."""
    layer = DescentLayer(0, count=24, real_data=False)
    _, link = claims_by_id()["prop-1.reduction"].standing.formula.args
    found = list(reduction_at_minima(layer, sympy.Tuple(sympy.Trace(n.V * n.V.T), link)))
    for problem, slope, gain in zip(layer.problems("fixed"), found[::2], found[1::2], strict=True):
        minimum = layer.minimum(problem)
        u, v = (float(np.sum(matrix**2)) for matrix in (minimum.U, minimum.V))
        assert slope.residual == pytest.approx(2 * np.sqrt(v) / (1 + v + u + v))
        change = 2 * problem.eta_dec**2 * (minimum.loss - layer.loss(problem, origin_of(problem)))
        assert gain.residual == pytest.approx(abs(v - change) / max(1, v, abs(change)))


def test_a_standard_deviation_is_a_positive_number() -> None:
    for number, is_one in ((sympy.sqrt(2), True), (0, False), (-1, False), (sympy.I, False), (sympy.oo, False)):
        assert _is_deviation(sympy.sympify(number)) is is_one
    for value, is_one in ((2.0, True), (0.0, False), (-1.0, False), (np.inf, False), (np.nan, False)):
        assert _is_deviation(np.float64(value)) is is_one
