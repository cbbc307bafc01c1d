"""Minimisation of one instance with many parameters: trust-region Newton steps by conjugate gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
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

    step: Parameters
    length: float
    promise: float


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
    at, radius = start, loss_scale**0.5
    loss = float(vae_loss(*at, *statistics))
    gradient = _free(vae_gradient(*at, *statistics), learned)
    for _ in range(_MAX_STEPS):
        norm = _dot(gradient, gradient) ** 0.5
        solve = _steihaug(at, gradient, statistics, radius, loss_scale, learned)
        drowned = solve.promise <= STEP_DECREASE.value * loss_scale
        if drowned and norm <= STEP_GRADIENT.value:
            break
        trial = _plus(at, 1.0, solve.step)
        trial_loss = float(vae_loss(*trial, *statistics))
        trial_gradient = _free(vae_gradient(*trial, *statistics), learned)
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
    return at


def _steihaug(
    at: Parameters, gradient: Parameters, statistics: Statistics, radius: float, loss_scale: float, learned: bool
) -> _Solve:
    """Minimise the quadratic model within the trust region by preconditioned conjugate gradients, loosely at first.

    Lengths in the metric are kept by recurrence (Conn, Gould & Toint, Trust-Region Methods, Algorithm 7.5.1).
    """
    blocks = DiagonalBlocks.at(at, statistics)
    step, residual = _scaled(at, 0.0), gradient
    direction = _scaled(blocks.solve(residual), -1.0)
    size = first = -_dot(residual, direction)  # the residual's squared norm in the inverse metric, in nats
    step_step, step_direction, direction_direction = 0.0, 0.0, size
    promise = 0.0
    target = first * min(0.1, (first / loss_scale) ** 0.25) ** 2
    for _ in range(_MAX_PRODUCTS):
        if size <= target:
            break
        curved = _free(curvature_product(at, direction, statistics), learned)
        curvature = _dot(direction, curved)
        if abs(curvature) <= STEP_FLATNESS.value * direction_direction:
            break
        alpha = size / curvature if curvature > 0 else float("inf")
        longer = step_step + alpha * (2 * step_direction + alpha * direction_direction)
        if curvature <= 0 or longer >= radius**2:
            room = step_direction**2 + direction_direction * (radius**2 - step_step)
            tau = (room**0.5 - step_direction) / direction_direction
            return _Solve(_plus(step, tau, direction), radius, promise + tau * size - tau**2 * curvature / 2)
        step = _plus(step, alpha, direction)
        residual = _plus(residual, alpha, curved)
        promise += alpha * size / 2
        preconditioned = blocks.solve(residual)
        size, previous = _dot(residual, preconditioned), size
        ratio = size / previous
        step_step = longer
        step_direction = ratio * (step_direction + alpha * direction_direction)
        direction_direction = size + ratio**2 * direction_direction
        direction = _plus(_scaled(preconditioned, -1.0), ratio, direction)
    return _Solve(step, step_step**0.5, promise)


def _free(derivative: Parameters, learned: bool) -> Parameters:
    """The derivative with respect to the free parameters: zero for log σ² where σ is fixed."""
    return derivative if learned else derivative._replace(log_variance=torch.zeros_like(derivative.log_variance))


def _dot(one: Parameters, other: Parameters) -> float:
    terms: list[Tensor] = [(a * b).sum() for a, b in zip(one, other, strict=True)]
    return float(sum(terms[1:], terms[0]))


def _plus(one: Parameters, factor: float, other: Parameters) -> Parameters:
    return Parameters(*(a + factor * b for a, b in zip(one, other, strict=True)))


def _scaled(one: Parameters, factor: float) -> Parameters:
    return Parameters(*(factor * value for value in one))
