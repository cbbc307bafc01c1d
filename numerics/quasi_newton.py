"""Descent of any differentiable function of one vector: limited-memory quasi-Newton steps, restarted while that pays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["lowest"]

_RESTARTS = 8
_MAX_EVALUATIONS = 100
_MEMORY = 30


def lowest(
    loss: Callable[[Float[Tensor, " p"]], Float[Tensor, ""]], start: Float[Tensor, " p"], worthwhile: float
) -> tuple[float, Float[Tensor, " p"]]:
    """Where descent ends, and how low.

    Args:
        loss: of a float64 vector, differentiable.
        start: where it begins.
        worthwhile: another restart, with nothing remembered, follows one that lowered the loss by more than this.

    Returns:
        The loss and the point.
    """
    import scipy.optimize  # imported late: it takes a while

    def value_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.tensor(flat, requires_grad=True)
        value = loss(point)
        (slope,) = torch.autograd.grad(value, point)
        return float(value.detach()), slope.numpy()

    limits = {"maxfun": _MAX_EVALUATIONS, "ftol": 0.0, "gtol": 0.0, "maxcor": _MEMORY}
    value, at = np.inf, start.detach().numpy()
    for _ in range(_RESTARTS):
        found = scipy.optimize.minimize(value_and_slope, at, jac=True, method="L-BFGS-B", options=limits)
        gained, value, at = value - float(found.fun), min(value, float(found.fun)), found.x
        if not gained > worthwhile:
            break
    return value, torch.tensor(at)
