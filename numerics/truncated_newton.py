"""Minimisation of one instance with many parameters: trust-region Newton steps by conjugate gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.blocks import DiagonalBlocks
from numerics.objective import Parameters, Statistics, curvature_product, vae_gradient, vae_loss
from numerics.tolerances import STEP_DECREASE, STEP_FLATNESS, STEP_GRADIENT, STEP_ROUNDING

__all__ = ["truncated_newton_descent"]

_MAX_STEPS = 2000
_CALMER = 0.9  # once the loss drowns in rounding, a step must lower the gradient norm by this factor
_MAX_PRODUCTS = 1000  # of the Hessian with a direction, within one step


class _Solve(NamedTuple):
    """Outcome of one trust-region problem: the step, its length in the metric, and the decrease the model promises."""

    step: Float[Tensor, " p"]
    length: float
    promise: float


class _Instance:
    """One instance's loss and derivatives as functions of all parameters in one vector, which makes for few operations a step."""

    def __init__(self, start: Parameters, statistics: Statistics, *, learned: bool) -> None:
        self.statistics, self.learned = statistics, learned
        self._shapes = [value.shape for value in start]
        self._sizes = [value.numel() for value in start]

    def shaped(self, flat: Float[Tensor, " p"]) -> Parameters:
        """A vector's parts as parameters."""
        parts = zip(flat.split(self._sizes), self._shapes, strict=True)
        return Parameters(*(part.view(shape) for part, shape in parts))

    def flat(self, parts: Parameters) -> Float[Tensor, " p"]:
        """Parameters, or derivatives by them, as a vector; 0 for log σ² where that is fixed."""
        W, U, log_variance = parts
        return torch.cat([W.flatten(), U.flatten(), log_variance if self.learned else torch.zeros_like(log_variance)])

    def loss(self, at: Float[Tensor, " p"]) -> float:
        """In nats."""
        return float(vae_loss(*self.shaped(at), *self.statistics))

    def gradient(self, at: Float[Tensor, " p"]) -> Float[Tensor, " p"]:
        """Of the loss by what is free."""
        return self.flat(vae_gradient(*self.shaped(at), *self.statistics))


def truncated_newton_descent(
    start: Parameters, statistics: Statistics, loss_scale: float, *, learned: bool
) -> Parameters:
    """Minimise `vae_loss` of one instance from a given start.

    Steihaug's truncated conjugate gradients follow negative curvature to the edge of the trust region, so that saddles
    repel. Preconditioner and metric are the diagonal blocks of the Hessian.

    Args:
        start: parameters, unbatched.
        statistics: of the instance, unbatched.
        loss_scale: typical size of the loss, in nats.
        learned: whether log σ² is a parameter; else it stays at its start.

    Returns:
        The parameters at the end; whether that is a minimum is for the certificate to say.
    """
    instance = _Instance(start, statistics, learned=learned)
    at, radius = torch.cat([value.flatten() for value in start]), loss_scale**0.5
    loss, gradient = instance.loss(at), instance.gradient(at)
    for _ in range(_MAX_STEPS):
        norm = _dot(gradient, gradient) ** 0.5
        solve = _steihaug(instance, at, gradient, radius, loss_scale)
        drowned = solve.promise <= STEP_DECREASE.value * loss_scale
        if drowned and norm <= STEP_GRADIENT.value:
            break
        trial = at + solve.step
        trial_loss, trial_gradient = instance.loss(trial), instance.gradient(trial)
        if drowned:  # in rounding: the loss no longer tells the points apart, the gradient does
            calmer = _dot(trial_gradient, trial_gradient) ** 0.5 < _CALMER * norm
            if not calmer or trial_loss > loss + STEP_ROUNDING.value * loss_scale:
                break
            agreement = 1.0
        else:
            agreement = (loss - trial_loss) / solve.promise
        if not agreement >= 1 / 4:
            radius = min(radius, solve.length) / 4
        elif agreement > 3 / 4 and solve.length > radius / 2:
            radius *= 2
        if agreement > 1 / 100:
            at, loss, gradient = trial, trial_loss, trial_gradient
    return instance.shaped(at)


def _steihaug(
    instance: _Instance, at: Float[Tensor, " p"], gradient: Float[Tensor, " p"], radius: float, loss_scale: float
) -> _Solve:
    """Minimise the quadratic model within the trust region by preconditioned conjugate gradients, loosely at first.

    Lengths in the metric are kept by recurrence (Conn, Gould & Toint, Trust-Region Methods, Algorithm 7.5.1).
    """
    point = instance.shaped(at)
    blocks = DiagonalBlocks.at(point, instance.statistics)

    def preconditioned(residual: Float[Tensor, " p"]) -> Float[Tensor, " p"]:
        return instance.flat(blocks.solve(instance.shaped(residual)))

    step, residual = torch.zeros_like(at), gradient
    direction = -preconditioned(residual)
    size = first = -_dot(residual, direction)  # the residual's squared norm in the inverse metric, in nats
    step_step, step_direction, direction_direction = 0.0, 0.0, size
    promise = 0.0
    target = first * min(0.1, (first / loss_scale) ** 0.25) ** 2
    for _ in range(_MAX_PRODUCTS):
        if size <= target:
            break
        curved = instance.flat(curvature_product(point, instance.shaped(direction), instance.statistics))
        curvature = _dot(direction, curved)
        if abs(curvature) <= STEP_FLATNESS.value * direction_direction:
            break
        alpha = size / curvature if curvature > 0 else float("inf")
        longer = step_step + alpha * (2 * step_direction + alpha * direction_direction)
        if curvature <= 0 or longer >= radius**2:
            room = step_direction**2 + direction_direction * (radius**2 - step_step)
            tau = (room**0.5 - step_direction) / direction_direction
            return _Solve(step + tau * direction, radius, promise + tau * size - tau**2 * curvature / 2)
        step = step + alpha * direction
        residual = residual + alpha * curved
        promise += alpha * size / 2
        towards = preconditioned(residual)
        size, previous = _dot(residual, towards), size
        ratio = size / previous
        step_step = longer
        step_direction = ratio * (step_direction + alpha * direction_direction)
        direction_direction = size + ratio**2 * direction_direction
        direction = ratio * direction - towards
    return _Solve(step, step_step**0.5, promise)


def _dot(one: Float[Tensor, " p"], other: Float[Tensor, " p"]) -> float:
    return float(one @ other)
