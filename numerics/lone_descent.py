"""The fast route for one small instance, in NumPy: with matrices this small, calling torch takes longer than the arithmetic.

The formulas are those of `projection` and the steps those of `levenberg_marquardt`, to which goes what has not ended within
`_MAX_STEPS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg.lapack import dposv

from numerics.levenberg_marquardt import CALMER, CALMING, FACTOR, FIRST_DAMPING, GOOD, PATIENCE, POOR, QUIET, WORTHLESS
from numerics.orbits import turned_left, turned_right
from numerics.projection import Eliminated, Projection
from numerics.tolerances import (
    PROJECTED_DAMPING,
    PROJECTED_DECREASE,
    PROJECTED_LEVEL,
    PROJECTED_ROUNDING,
    PROJECTED_STEEPNESS,
)

__all__ = ["LoneDerivatives", "LoneProjection", "lone_descent"]

_ALTERNATIONS = 6
"""Each takes half as long as a step: more save fewer steps than they cost."""
_STRAIGHT = 10
"""Steps before turning is tried, each then taking twice as long."""
_MAX_STEPS = 1000
"""Most end within thirty; singular values of ten thousand thresholds take ninety, near ties some hundred."""


class LoneDerivatives(NamedTuple):
    """Loss, gradient (vec X, rows first) and Hessian, and the misfit (where η_dec is given, the trace)."""

    loss: float
    gradient: Float[np.ndarray, " p"]
    hessian: Float[np.ndarray, "p p"]
    misfit: float


@dataclass(frozen=True)
class LoneProjection:
    """One instance of a `Projection`, with the identities of its decoder's rows and columns."""

    Y: Float[np.ndarray, "d2 d0"]
    rows: Float[np.ndarray, "d2 d2"]
    columns: Float[np.ndarray, "d1 d1"]
    deviations: Float[np.ndarray, " d1"] | None
    ratio: float | None
    rest: float

    # Run-time checkers cannot tell the fields of two instances apart.
    __no_type_check__ = True

    @classmethod
    def of(cls, projection: Projection, d1: int) -> LoneProjection:
        """The same instance, given without a batch and in NumPy, with d1 latents."""
        Y, deviations, ratio, rest = projection.Y, projection.deviations, projection.ratio, projection.rest
        ratio = None if ratio is None else float(ratio)
        return cls(Y, np.eye(len(Y)), np.eye(d1), deviations, ratio, 0.0 if rest is None else float(rest))

    def eliminated(self, X: Float[np.ndarray, "d2 d1"]) -> Eliminated:
        """As `Projection.eliminated`."""
        _, inverse, _ = dposv(self.columns + X.T @ X, self.columns)
        A = X @ inverse
        V = self.Y.T @ A
        error = self.Y - X @ V.T
        return Eliminated(inverse, A, V, error, float(np.vdot(error, error) + np.vdot(V, V)))

    def misfit(self, X: Float[np.ndarray, "d2 d1"]) -> float:
        """As `Projection.misfit`."""
        return self.eliminated(X).trace + self.rest

    def loss(self, X: Float[np.ndarray, "d2 d1"]) -> float:
        """As `Projection.loss`."""
        misfit, lengths = self.misfit(X), (X * X).sum(0)
        price = np.log1p(lengths).sum() if self.deviations is None else self.deviations @ lengths
        return float(price) + (misfit if self.ratio is None else self.ratio * float(np.log(misfit)))

    def derivatives(self, X: Float[np.ndarray, "d2 d1"]) -> LoneDerivatives:
        """As `Projection.derivatives`."""
        inverse, A, V, error, trace = self.eliminated(X)
        misfit = trace + self.rest
        slope = -(error @ V)
        H = (self.rows - A @ X.T)[:, None, :, None] * (V.T @ V)[:, None, :]
        crossed = A[:, None, None, :] * slope.T[:, :, None]
        H -= crossed
        H -= crossed.transpose(2, 3, 0, 1)
        H -= (error @ error.T)[:, None, :, None] * inverse[:, None, :]
        loss = misfit
        if self.ratio is not None:
            H -= slope[:, :, None, None] * (slope * (2 / misfit))
            weight = self.ratio / misfit
            H *= weight
            slope *= weight
            loss = self.ratio * float(np.log(misfit))
        lengths = (X * X).sum(0)
        price = self._noise(lengths)
        priced = X * price
        own = self.rows[:, None, :, None] * price[:, None, None]  # of one column of X with itself
        if self.deviations is None:
            own = own - priced[:, :, None, None] * (2 * priced)
            loss += float(np.log1p(lengths).sum())
        else:
            loss += float(price @ lengths)
        H += own * self.columns[:, None, :]
        slope += priced
        return LoneDerivatives(loss, 2 * slope.ravel(), 2 * H.reshape(X.size, X.size), misfit)

    def alternated(self, X: Float[np.ndarray, "d2 d1"]) -> Float[np.ndarray, "d2 d1"]:
        """As `Projection.alternated`."""
        _, _, V, _, trace = self.eliminated(X)
        noise = self._noise((X * X).sum(0))
        if self.ratio is not None:
            noise = noise * ((trace + self.rest) / self.ratio)
        _, further, info = dposv(V.T @ V + self.columns * noise, (self.Y @ V).T)
        return further.T if info == 0 else X

    def _noise(self, lengths: np.ndarray) -> np.ndarray:
        """The best σ_i²/η_enc², or the given ones."""
        return 1 / (1 + lengths) if self.deviations is None else self.deviations


def lone_descent(
    X: Float[np.ndarray, "d2 d1"], of: LoneProjection, *, cutoff: float = 0.0, most: int = _MAX_STEPS
) -> tuple[Float[np.ndarray, "d2 d1"], bool]:
    """Minimise the projected loss of one instance.

    Args:
        X: start.
        of: the instance.
        cutoff: descent is given up with a misfit below it.
        most: how many steps at most.

    Returns:
        Where descent ended, and whether it did by itself.
    """
    for _ in range(_ALTERNATIONS):
        X = of.alternated(X)
    at, damping = of.derivatives(X), FIRST_DAMPING
    largest = 1 + float(np.sqrt(np.vdot(of.Y, of.Y)))
    calmest, idle, quiet = np.inf, 0, 0
    for count in range(most):
        if at.misfit < cutoff or not np.isfinite(at.loss):
            break
        step, promise = _newton_step(at, damping)
        if step is None:
            damping *= FACTOR
            continue
        D = step.reshape(X.shape)
        trial = X + D
        if count >= _STRAIGHT:
            trial = min((trial, turned_left(X, D), turned_right(X, D)), key=of.loss)
        there = of.derivatives(trial)
        size, fall = largest + abs(at.loss), at.loss - there.loss
        falling = promise <= PROJECTED_LEVEL.value * size
        level = falling and fall >= -PROJECTED_ROUNDING.value * size
        quiet += _norm(at) <= PROJECTED_STEEPNESS.value * size
        if level and damping <= PROJECTED_DAMPING.value:
            steepness = _norm(there)
            calmest, idle = (steepness, 0) if steepness < CALMER * calmest else (calmest, idle + 1)
            if promise <= PROJECTED_DECREASE.value * size or idle >= PATIENCE:
                return _calmed(X, at, of), True
        else:
            idle = 0
        if quiet >= QUIET:
            return _calmed(X, at, of), True
        if level or fall > WORTHLESS * promise:
            X, at = trial, there
            damping *= 1 / FACTOR if fall > GOOD * promise else 2 if fall < POOR * promise else 1
            damping = max(0.0 if falling else damping, PROJECTED_DAMPING.value)
        else:
            damping *= FACTOR
    return X, False


def _norm(at: LoneDerivatives) -> float:
    return float(np.sqrt(at.gradient @ at.gradient))


def _newton_step(at: LoneDerivatives, damping: float) -> tuple[Float[np.ndarray, " p"] | None, float]:
    """The step at a damping relative to the largest curvature, at least 1, and the decrease it promises; None where the damped
    Hessian is not positive definite."""
    damped = at.hessian.copy()
    diagonal = damped.ravel()[:: len(damped) + 1]
    added = damping * max(1.0, float(diagonal.max()))
    diagonal += added
    _, step, info = dposv(damped, -at.gradient)
    return (step, float(added * (step @ step) - at.gradient @ step) / 2) if info == 0 else (None, 0.0)


def _calmed(X: np.ndarray, at: LoneDerivatives, of: LoneProjection) -> np.ndarray:
    """The very last step of `levenberg_marquardt`, under the same conditions."""
    step, _ = _newton_step(at, CALMING)
    if step is None:
        return X
    further = X + step.reshape(X.shape)
    there = of.derivatives(further)
    calmer = _norm(there) < _norm(at)
    return further if calmer and _newton_step(there, PROJECTED_DAMPING.value)[0] is not None else X
