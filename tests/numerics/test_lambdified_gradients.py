"""Gradients of lambdified closed forms in torch: finite on both sides of every threshold and at it, and right."""

import numpy as np
import pytest
import sympy
import torch
from sympy import Basic, Max, Piecewise, Rational

from derivations.ledger import claims_by_id
from derivations.notation import beta, eta_dec, eta_enc, i, zeta
from numerics.lambdified import evaluate
from numerics.tolerances import FLOAT64_DERIVATIVE

THEOREMS = [
    ("thm-1.minimum", 0),
    ("thm-1.minimum", 1),
    ("thm-2.minimum", 0),
    ("thm-2.minimum", 1),
    ("thm-2.variance", 0),
]
# beta = 4 and eta_dec = 1/2 put the threshold at 1, exactly, in float64
AT = {beta: 4.0, eta_dec: 0.5, eta_enc: 1.5}
SINGULAR = [3.0, 1.25, 1.0, 0.75, 1e-12, 0.0]


def closed_form(claim: str, place: int) -> Basic:
    formula = claims_by_id()[claim].standing.formula
    return formula.args[place] if isinstance(formula, sympy.Tuple) else formula


def torch_slopes(formula: Basic) -> dict[Basic, list[float]]:
    """The derivative of the value at each mode in each variable."""
    inputs = {symbol: torch.tensor(value, dtype=torch.float64, requires_grad=True) for symbol, value in AT.items()}
    inputs[zeta] = torch.tensor(SINGULAR, dtype=torch.float64, requires_grad=True)
    slopes: dict[Basic, list[float]] = {symbol: [] for symbol in inputs}
    for mode, value in enumerate(evaluate(formula, inputs, "torch")):
        found = torch.autograd.grad(value, list(inputs.values()), retain_graph=True, allow_unused=True)
        for symbol, slope in zip(inputs, found, strict=True):
            entry = slope if slope is None or slope.ndim == 0 else slope[mode]
            slopes[symbol].append(0.0 if entry is None else entry.item())
    return slopes


@pytest.mark.parametrize(("claim", "place"), THEOREMS, ids=[f"{claim}-{place}" for claim, place in THEOREMS])
def test_torch_gradients_are_finite_on_both_sides_of_a_threshold_and_at_it(claim: str, place: int) -> None:
    slopes = torch_slopes(closed_form(claim, place))
    assert all(np.isfinite(slope).all() for slope in slopes.values()), slopes
    assert np.abs(slopes[zeta][:2]).min() > 0, "no gradient above the threshold either"


@pytest.mark.parametrize(("claim", "place"), THEOREMS, ids=[f"{claim}-{place}" for claim, place in THEOREMS])
def test_torch_gradients_are_the_derivatives_away_from_the_threshold(claim: str, place: int) -> None:
    formula = closed_form(claim, place)
    above = formula.replace(Max, lambda *parts: sympy.Add(*parts)).replace(Piecewise, lambda *cases: cases[0][0])
    below = formula.xreplace({zeta[i]: Rational(1, 10), beta: 4, eta_dec: Rational(1, 2)})
    for symbol, slopes in torch_slopes(formula).items():
        variable = zeta[i] if symbol == zeta else symbol
        for mode, singular in enumerate(SINGULAR):
            if singular == 1:
                continue
            analytic = sympy.diff(above if singular > 1 else below, variable)
            expected = float(analytic.subs({zeta[i]: Rational(singular), **{k: Rational(v) for k, v in AT.items()}}))
            assert abs(slopes[mode] - expected) <= FLOAT64_DERIVATIVE.value * max(1.0, abs(expected)), (symbol, mode)
