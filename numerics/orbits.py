"""Steps that turn: a point moved along its own rotations as far as a direction agrees with them.

Where two singular values nearly tie, the loss has a valley that is level to their difference and curved: it follows the
rotations of one mode into the other. Straight steps must be short in it. Nothing of the
theory of minima enters: any point can be turned.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from numerics.arrays import Array, namespace

__all__ = ["turned_left", "turned_right"]

_TINY = float(np.finfo(np.float64).tiny)


def turned_left(X: Float[Array, "*batch d2 d1"], D: Float[Array, "*batch d2 d1"]) -> Float[Array, "*batch d2 d1"]:
    """To first order X + D, with the part of D of the form Ω X, Ω antisymmetric, taken as a rotation of the rows' space.

    Ω is the least-squares solution, Ω B + B Ω = D Xᵀ − X Dᵀ with B = X Xᵀ, damped where D is longer than X; the rotation is
    Cayley's (I − Ω/2)⁻¹ (I + Ω/2).
    """
    xp = namespace(X)
    lengths, basis = xp.linalg.eigh(X @ X.mT)
    spin = basis.mT @ (D @ X.mT - X @ D.mT) @ basis
    both = lengths[..., :, None] + lengths[..., None, :]
    far = xp.square(D).sum((-2, -1))[..., None, None]
    omega = basis @ (spin * both / (xp.square(both) + xp.square(far) + _TINY)) @ basis.mT / 2
    identity = xp.eye(X.shape[-2], dtype=X.dtype, device=X.device)
    solve = np.linalg.solve if xp is np else lambda left, right: torch.linalg.solve_ex(left, right)[0]
    return solve(identity - omega, (identity + omega) @ (X + D - 2 * omega @ X))


def turned_right(X: Float[Array, "*batch d2 d1"], D: Float[Array, "*batch d2 d1"]) -> Float[Array, "*batch d2 d1"]:
    """The same for rotations of latent space, X Ω."""
    return turned_left(X.mT, D.mT).mT
