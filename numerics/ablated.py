"""The loss without one of its terms: its parts, the points that run to its infimum, and descent to where it is small.

The parts are those of 2 eta_dec² L_VAE (Eq 5). Where an infimum is not attained, a scale that U is multiplied and W divided by is
one more parameter of the descent, so that running off to infinity takes few steps.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from numerics.exact import ExactProblem, density_kl
from numerics.objective import Statistics
from numerics.points import Point, Spectral, backend_of
from numerics.problem import Problem
from numerics.quasi_newton import lowest
from numerics.starts import random_start

__all__ = ["Terms", "descend", "exact_terms", "float_terms", "running"]

_WORTHWHILE = 1e-7  # descent goes on while a restart lowers the loss by more than this, relative to E‖y‖²
_NARROWING = (-4.0, -10.0)  # of log σ² at the starts without ℓ_var: from a large Σ descent may stop at the origin


class Terms(NamedTuple):
    """E‖UWᵀx − y‖², Tr(UΣUᵀ), ℓ_mean and 2 η_dec² ℓ_var: exact numbers, floats or tensors."""

    misfit: Any
    spread: Any
    mean: Any
    variance: Any

    def kept(self, deleted: str, *, learned: bool) -> Any:
        """Their sum without the one deleted, and without ℓ_var where that is a constant because Σ is fixed."""
        out = {deleted} if learned else {deleted, "variance"}
        return sum(part for name, part in self._asdict().items() if name not in out)


def float_terms(
    W: Float[Tensor, "D0 d1"], U: Float[Tensor, "d2 d1"], log_variance: Float[Tensor, " d1"], statistics: Statistics
) -> Terms:
    """The four parts on second moments; differentiable."""
    A, C, y2, beta, eta_dec, eta_enc = statistics
    code, variance = W.mT @ A @ W, log_variance.exp()
    water, prior = beta * eta_dec.square(), eta_enc.square()
    return Terms(
        ((U @ code) * U).sum() - 2 * ((C @ W) * U).sum() + y2,
        (U.square().sum(0) * variance).sum(),
        water / prior * code.trace(),
        water * (variance / prior - 1 - log_variance + prior.log()).sum(),
    )


def exact_terms(problem: ExactProblem, point: Point) -> Terms:
    """The four parts by enumeration of the data points and of the noise, and from the densities; exact."""
    codes = [
        (point.W.T @ np.array(list(x), dtype=object), np.array(list(y), dtype=object)) for x, y in problem.data.points
    ]
    deviations = np.array([sympy.sqrt(s) for s in point.variance], dtype=object)
    noises = [np.array(signs, dtype=object) * deviations for signs in product((-1, 1), repeat=problem.d1)]
    count, at_zero = len(codes), density_kl(0 * point.variance, point.variance, problem.eta_enc)
    misfit = sum(((point.U @ code - y) ** 2).sum() for code, y in codes) / count
    blurred = sum(((point.U @ (code + e) - y) ** 2).sum() for code, y in codes for e in noises) / (count * len(noises))
    divergence = sum(density_kl(code, point.variance, problem.eta_enc) for code, _ in codes) / count
    weight = 2 * problem.eta_dec**2 * problem.beta
    parts = (misfit, blurred - misfit, weight * (divergence - at_zero), weight * at_zero)
    return Terms(*(sympy.expand(part) for part in parts))


def running(problem: Spectral, scale: int, deleted: str) -> Point:
    """A point that fits the first d1 modes exactly and runs to the infimum without the deleted term as the scale grows.

    Without ℓ_mean U shrinks, W grows and Σ stays; without a learned ℓ_var U grows and W and Σ shrink.
    """
    number = sympy.Integer(scale) if backend_of(problem) == "exact" else float(scale)
    stretch = 1 / number if deleted == "mean" else number
    k = min(problem.d1, problem.dstar)
    zero = 0 * problem.eta_enc
    U, V = (np.full((rows, problem.d1), zero) for rows in (problem.d2, problem.d0))
    U[:, :k] = problem.F[:, :k] * problem.spectrum[:k] * stretch
    V[:, :k] = problem.G[:, :k] / stretch
    if deleted == "mean":
        variance = np.full(problem.d1, problem.eta_enc**2) if problem.sigma is None else problem.sigma**2
    else:
        variance = np.full(problem.d1, stretch**-4)
    roots = (
        np.array([sympy.sqrt(value) for value in problem.phi])
        if backend_of(problem) == "exact"
        else np.sqrt(problem.phi)
    )
    return Point(problem.P_A @ (V / roots[:, None]), U, V, variance)


def descend(problem: Problem, deleted: str, seed: int) -> float:
    """The lowest loss, 2 η_dec² L_VAE without a term, that descent comes to from a few random starts.

    Args:
        problem: the instance; its Σ is fixed or learned.
        deleted: "mean" or "variance".
        seed: of the starts.
    """
    starts = _NARROWING if deleted == "variance" else (0.0,)
    return min(_descend_from(problem, deleted, seed, narrowing) for narrowing in starts)


def _descend_from(problem: Problem, deleted: str, seed: int, narrowing: float) -> float:
    statistics, start, learned = Statistics.of(problem), random_start(problem, seed), problem.learned
    parts = [start.W, start.U, *([start.log_variance + narrowing] if learned else [])]

    def loss(flat: Float[Tensor, " p"]) -> Float[Tensor, ""]:
        *pieces, scale = flat.split([*(part.numel() for part in parts), 1])
        W, U, *rest = (piece.reshape(part.shape) for piece, part in zip(pieces, parts, strict=True))
        log_variance = rest[0] if learned else start.log_variance
        terms = float_terms(W * torch.exp(-scale), U * torch.exp(scale), log_variance, statistics)
        return terms.kept(deleted, learned=learned)

    begin = torch.cat([*(part.flatten() for part in parts), torch.zeros(1, dtype=torch.float64)])
    return lowest(loss, begin, _WORTHWHILE * problem.y2)[0]
