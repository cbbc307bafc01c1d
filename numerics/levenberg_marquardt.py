"""Levenberg–Marquardt descent of many projected instances at once, each with its own damping, until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.orbits import turned_left, turned_right
from numerics.projection import Derivatives, Projection
from numerics.tolerances import (
    PROJECTED_DAMPING,
    PROJECTED_DECREASE,
    PROJECTED_LEVEL,
    PROJECTED_ROUNDING,
    PROJECTED_STEEPNESS,
)

__all__ = ["largest_curvature", "newton_step", "projected_descent"]

_MAX_STEPS = 30_000
"""Most instances end within fifty; four modes and four standard deviations, each tied to 1e-9, have taken 12,800."""
_ALTERNATIONS = 20
"""Cheap first steps: decoder and encoder in turn, each the best for the other."""
FIRST_DAMPING, FACTOR = 0.1, 3.0
"""Damping relative to the largest curvature (at least 1) at first, and the factor by which it falls and rises (Nielsen)."""
GOOD, POOR, WORTHLESS = 0.75, 0.25, 1e-3
"""Shares of the promised decrease: beyond which damping falls, below which it rises, and below which a step is not taken."""
CALMER = 0.9
"""Once decreases drown in rounding, a step should lower the least gradient norm by this factor."""
PATIENCE = 10
"""How many such steps in a row may fail to."""
QUIET = 100
"""How many steps an instance may spend with a gradient of mere rounding, where it cannot tell whether to go on."""
CALMING = 1e-6
"""Damping of a very last step, relative to the largest curvature."""
_STRAIGHT = 30
"""Steps before turning is tried: most instances have ended by then."""


def projected_descent(
    X: Float[Tensor, "batch d2 d1"],
    projection: Projection,
    *,
    finished: Callable[[int], None] = lambda count: None,
    ended: Callable[[Tensor, Projection], Tensor] | None = None,
    most: int = _MAX_STEPS,
    turn: bool = True,
) -> tuple[Float[Tensor, "batch d2 d1"], Tensor]:
    """Minimise the projected loss from given starts.

    A step solves (H + μ) D = −g by Cholesky; where H + μ is not positive definite μ rises. From step `_STRAIGHT` on the straight
    step competes with the same step turned (see `orbits`). An instance has ended when H is positive definite up to rounding, the
    decrease promised is below rounding, or steps no longer lower the gradient, and in any case after `QUIET` steps with a gradient
    of mere rounding; then comes a last step, see `_calmed`.

    Args:
        X: starts.
        projection: of the same instances.
        finished: told how many instances have just ended.
        ended: which instances may leave early, and count as finished.
        most: how many steps at most.
        turn: whether steps may turn.

    Returns:
        The points, and how many steps each took; `most` where it did not end by itself.
    """
    for _ in range(_ALTERNATIONS):
        X = projection.alternated(X)
    result, steps = X.clone(), torch.zeros(len(X), dtype=torch.long, device=X.device)
    alive = torch.arange(len(X), device=X.device)
    state = _State.first(X, projection)
    for count in range(most):
        if len(alive) == 0:
            break
        state, done = _step(state, projection, turn=turn and count >= _STRAIGHT)
        if ended is not None:
            done |= ended(state.X, projection)
        steps[alive] += 1
        if done.any():
            result[alive[done]] = _calmed(state.rows(done), projection.rows(done))
            finished(int(done.sum()))
            left = ~done
            state, projection, alive = state.rows(left), projection.rows(left), alive[left]
    result[alive] = state.X
    finished(len(alive))  # the certificate tells whether these are minima
    return result, steps


@dataclass(frozen=True)
class _State:
    """Points with their derivatives and damping; the smallest gradient norm since decreases drown in rounding, and for how many
    steps nothing came of it; how many steps were spent with a gradient of mere rounding."""

    X: Tensor
    at: Derivatives
    damping: Tensor
    calmest: Tensor
    idle: Tensor
    quiet: Tensor

    @classmethod
    def first(cls, X: Tensor, projection: Projection) -> _State:
        """At the beginning."""
        one = torch.ones_like(X[:, 0, 0])
        return cls(X, projection.derivatives(X), FIRST_DAMPING * one, torch.inf * one, 0 * one, 0 * one)

    def rows(self, index: Tensor) -> _State:
        """Those of some instances."""
        kept = (each[index] for each in (self.damping, self.calmest, self.idle, self.quiet))
        return _State(self.X[index], self.at.rows(index), *kept)


def newton_step(at: Derivatives, added: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The step (H + added) D = −g as a vector, the decrease it promises, and where H + added is positive definite; 0 where not."""
    damped = at.hessian.clone()
    damped.diagonal(dim1=1, dim2=2).add_(added[:, None])
    lower, info = torch.linalg.cholesky_ex(damped)
    definite = info == 0
    half = torch.linalg.solve_triangular(lower, at.gradient[..., None], upper=False)
    step = -torch.linalg.solve_triangular(lower.mT, half, upper=True)[..., 0]
    step = torch.where(definite[:, None], step, 0.0)
    promise = torch.where(definite, (half.square().sum((-2, -1)) + added * step.square().sum(-1)) / 2, 0.0)
    return step, promise, definite


def largest_curvature(at: Derivatives) -> Tensor:
    """The largest curvature in one entry, at least 1: what damping is relative to."""
    return at.hessian.diagonal(dim1=1, dim2=2).amax(-1).clamp(min=1)


def _calmed(state: _State, projection: Projection) -> Tensor:
    """The points after one more step, where that lowers the gradient and the Hessian stays as definite: damped enough not to move
    along level directions, along which the earlier steps amplified rounding."""
    step, _, _ = newton_step(state.at, CALMING * largest_curvature(state.at))
    further = state.X + step.reshape(state.X.shape)
    there = projection.derivatives(further)
    _, _, definite = newton_step(there, PROJECTED_DAMPING.value * largest_curvature(there))
    calmer = torch.linalg.vector_norm(there.gradient, dim=-1) < torch.linalg.vector_norm(state.at.gradient, dim=-1)
    return torch.where((definite & calmer)[:, None, None], further, state.X)


def _step(state: _State, projection: Projection, *, turn: bool) -> tuple[_State, Tensor]:
    """One step of every instance, and which have ended."""
    X, at = state.X, state.at
    step, promise, definite = newton_step(at, state.damping * largest_curvature(at))
    D = step.reshape(X.shape)
    trial = X + D
    if turn:
        candidates = torch.stack([trial, turned_left(X, D), turned_right(X, D)])
        losses = projection.loss(candidates).nan_to_num(nan=torch.inf)
        trial = candidates[losses.argmin(0), torch.arange(len(X), device=X.device)]
    there = projection.derivatives(trial)
    fall = at.loss - there.loss
    size = 1 + at.loss.abs() + torch.linalg.matrix_norm(projection.Y)
    level = definite & (promise <= PROJECTED_LEVEL.value * size) & (fall >= -PROJECTED_ROUNDING.value * size)
    share = fall / promise.clamp(min=torch.finfo(X.dtype).tiny)
    taken = definite & ((share > WORTHLESS) | level) & there.gradient.isfinite().all(-1)

    steepness = torch.linalg.vector_norm(there.gradient, dim=-1)
    level &= state.damping <= PROJECTED_DAMPING.value
    calmer = steepness < CALMER * state.calmest
    idle = torch.where(level & ~calmer, state.idle + 1, 0)
    done = level & ((promise <= PROJECTED_DECREASE.value * size) | (idle >= PATIENCE))
    quiet = state.quiet + (torch.linalg.vector_norm(at.gradient, dim=-1) <= PROJECTED_STEEPNESS.value * size)
    done |= quiet >= QUIET
    taken &= ~done  # here the Hessian is definite; `_calmed` sees whether it is further on

    factor = torch.where(share > GOOD, 1 / FACTOR, torch.where(share < POOR, 2.0, 1.0))
    falling = promise <= PROJECTED_LEVEL.value * size
    damping = torch.where(taken, torch.where(falling, 0.0, state.damping * factor), state.damping * FACTOR)
    after = Derivatives(
        torch.where(taken, there.loss, at.loss),
        torch.where(taken[:, None], there.gradient, at.gradient),
        torch.where(taken[:, None, None], there.hessian, at.hessian),
    )
    calmest = torch.where(level & calmer, steepness, state.calmest)
    X = torch.where(taken[:, None, None], trial, X)
    return _State(X, after, damping.clamp(min=PROJECTED_DAMPING.value), calmest, idle, quiet), done
