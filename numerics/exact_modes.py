"""Exact instances in the singular bases of Z: points given mode by mode, and the curvature of the loss there."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from numerics.layers.base import Layer
from numerics.points import Point

__all__ = ["curvatures", "eigenvalues", "exact_point", "mode_point", "unit"]


def unit(problem: Any, mode: int, latent: int) -> Any:
    """1 at (mode, latent), of shape (dstar, d1)."""
    entries = np.full((problem.dstar, problem.d1), sympy.S.Zero, dtype=object)
    entries[mode, latent] = sympy.S.One
    return entries


def mode_point(problem: Any, decoder: Any, encoder: Any, variance: Any = None) -> Point:
    """U = F Lambda, V = G Theta and W = P_A Phi^(-1/2) V, of which Lambda and Theta have these leading rows, (dstar, d1)."""
    return exact_point(
        problem, problem.F[:, : problem.dstar] @ decoder, problem.G[:, : problem.dstar] @ encoder, variance
    )


def exact_point(problem: Any, U: Any, V: Any, variance: Any = None) -> Point:
    """The point with this U, (d2, d1), and V, (d0, d1), and the given variances or the instance's own."""
    roots = np.array([sympy.sqrt(value) for value in problem.phi], dtype=object)
    return Point(problem.P_A @ (V / roots[:, None]), U, V, problem.sigma**2 if variance is None else variance)


def curvatures(layer: Layer, problem: Any, decoder: Any, encoder: Any, mode: int, latent: int) -> tuple[Any, Any, Any]:
    """The Hessian of L_VAE in (U, V) at a point, between x = (f_i, 0) and y = (0, g_i) in one latent: (x x, y y, x y).

    From values of the loss alone, which along a line is a polynomial of fourth order.
    """
    step = unit(problem, mode, latent)

    def second(u: int, v: int) -> Any:
        before, at, after = (
            [layer.loss(problem, mode_point(problem, decoder + s * u * step, encoder + s * v * step)) for s in places]
            for places in ((-2, -1), (0,), (1, 2))
        )
        once, twice = after[0] + before[1] - 2 * at[0], after[1] + before[0] - 2 * at[0]
        return (16 * once - twice) / 12

    one, other, both = second(1, 0), second(0, 1), second(1, 1)
    return one, other, (both - one - other) / 2


def eigenvalues(one: Any, other: Any, between: Any) -> tuple[Any, Any]:
    """The smaller and the larger one of a symmetric 2 x 2 matrix with this diagonal."""
    root = sympy.sqrt(((one - other) / 2) ** 2 + between**2)
    return (one + other) / 2 - root, (one + other) / 2 + root
