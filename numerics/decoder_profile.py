"""The least L_VAE at a given decoder variance, as Theorem 2 or Proposition 2 has it, minimised over that variance: in float64, by
its slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from sympy import Tuple

from derivations import notation as n
from derivations.ledger import claims_by_id
from derivations.theorem_2_learned_variance import best_variance
from numerics.decoder_objective import DecoderParameters, decoder_gradient, decoder_loss
from numerics.lambdified import evaluate
from numerics.objective import Statistics
from numerics.points import symbol_values
from numerics.problem import Problem
from numerics.tolerances import DECODER_SLOPE, STEP_ROUNDING

__all__ = ["DecoderOptimum", "least_over_decoder"]

_LOWEST, _HIGHEST, _PLACES = 1e-6, 2.0, 40  # where the slope is looked at, relative to E‖y‖²/d2
_LOWEST_HELD = 1e-12  # where σ is held: there is a minimum, but it falls with β
_squared_length = sympy.Symbol("squared_length", nonnegative=True)


@dataclass(frozen=True)
class DecoderOptimum:
    """Where L_VAE + (d2/2) log η_dec² is least, and how low.

    variance is η_dec²: 0 where the loss falls without bound as η_dec² tends to 0, None where every η_dec² up to some value
    does equally well.
    """

    variance: Any
    loss: Any


def least_over_decoder(problem: Problem) -> DecoderOptimum:
    """The minimum over all decoder variances, among the zeros of the slope.

    At U and W of Theorem 2, or of Proposition 2 where σ is held, the loss is stationary in everything else, so that the slope along
    them is the partial one.
    """
    from scipy.optimize import brentq  # imported late: it takes a while

    natural = problem.y2 / problem.d2
    places = natural * np.geomspace(_LOWEST if problem.sigma is None else _LOWEST_HELD, _HIGHEST, _PLACES)
    losses, slopes = _profile(problem, places)
    if slopes[0] > DECODER_SLOPE.value:
        return DecoderOptimum(0.0, -np.inf)
    if abs(slopes[0]) <= DECODER_SLOPE.value:
        level = int(np.argmin(np.abs(slopes) <= DECODER_SLOPE.value))
        return DecoderOptimum(None, float(losses[max(level - 2, 0)]))

    def slope(logarithm: float) -> float:
        return float(_profile(problem, np.exp([logarithm]))[1][0])

    turns = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    found = np.exp(
        [
            brentq(slope, *np.log(places[turn : turn + 2]), xtol=STEP_ROUNDING.value, rtol=4 * np.finfo(float).eps)
            for turn in turns
        ]
    )
    least, _ = _profile(problem, found)
    return DecoderOptimum(float(found[least.argmin()]), float(least.min()))


def _profile(
    problem: Problem, variances: Float[np.ndarray, " places"]
) -> tuple[Float[np.ndarray, " places"], Float[np.ndarray, " places"]]:
    """The least loss at each decoder variance, and its slope in log η_dec²."""
    at, statistics = _minima(problem, variances), Statistics.of(problem)
    return decoder_loss(*at, *statistics).numpy(), decoder_gradient(*at, *statistics).log_decoder.numpy()


def _minima(problem: Problem, variances: Float[np.ndarray, " places"]) -> DecoderParameters:
    """The proved minimum at each decoder variance, as a batch."""
    fixed = problem.sigma is not None
    formula = claims_by_id()["prop-2.minimum" if fixed else "thm-2.minimum"].standing.formula
    values = symbol_values(problem) | {n.eta_dec: np.sqrt(variances)[:, None]}
    size = max(problem.d1, problem.dstar) + 1
    decoder, encoder = (
        np.broadcast_to(lengths, (len(variances), size))[:, : problem.d1]
        for lengths in evaluate(Tuple(*formula.args[:2]), values)
    )
    U = _scaled(problem.F, decoder)
    V = _scaled(problem.G, encoder)
    W = problem.P_A @ (V / np.sqrt(problem.phi)[:, None])
    if problem.sigma is not None:  # the i-th mode meets the i-th smallest
        variance = np.broadcast_to(np.sort(problem.sigma) ** 2, (len(variances), problem.d1)).copy()
    else:
        variance = evaluate(best_variance(_squared_length), values | {_squared_length: (U**2).sum(1)})
    return DecoderParameters(*map(torch.tensor, (W, U, np.log(variance), np.log(variances))))


def _scaled(
    basis: Float[np.ndarray, "rows rows"], lengths: Float[np.ndarray, "places d1"]
) -> Float[np.ndarray, "places rows d1"]:
    """A basis times the rectangular diagonal matrices with these entries."""
    places, d1 = lengths.shape
    reach = min(len(basis), d1)
    product = np.zeros((places, len(basis), d1))
    product[:, :, :reach] = basis[:, :reach] * lengths[:, None, :reach]
    return product
