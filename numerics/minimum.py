"""Minimum: where one descent ended, with its certificate and the observables that the theory speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from numerics.certificates import Certificate
from numerics.problem import Problem

__all__ = ["FAST", "PLAIN", "Minimum"]

PLAIN, FAST = "plain", "fast"
"""The routes of descent: all original parameters together, or the decoder alone with the best of everything else."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """The end of one descent, with its certificate and the observables that the theory speaks of.

    W and U are encoder and decoder; sigma holds the encoder's standard deviations (the fixed ones where they are
    fixed) and eta_dec the decoder's; loss is L_VAE of Eq. 5 in nats, without the decoder's partition function, or where
    eta_dec is learned, with it but for (d2/2) log 2π; route is the one that descent took.

    Where the loss fell without bound as eta_dec did, diverged is set, loss is minus infinity and eta_dec 0; W, U, sigma
    and certificate are then those of the last point, which is no minimum.
    """

    problem: Problem
    W: Float[np.ndarray, "D0 d1"]
    U: Float[np.ndarray, "d2 d1"]
    sigma: Float[np.ndarray, " d1"]
    eta_dec: float
    loss: float
    certificate: Certificate
    diverged: bool = False
    route: str = PLAIN

    @cached_property
    def V(self) -> Float[np.ndarray, "d0 d1"]:
        """V = Φ^{1/2} P_Aᵀ W (Proposition 1)."""
        return np.sqrt(self.problem.phi)[:, None] * (self.problem.P_A.T @ self.W)

    @cached_property
    def product(self) -> Float[np.ndarray, "d2 d0"]:
        """U Vᵀ, the map from whitened x to the reconstruction."""
        return self.U @ self.V.T

    @cached_property
    def U_singular_values(self) -> Float[np.ndarray, " modes"]:
        """Singular values of U, non-increasing."""
        return np.linalg.svd(self.U, compute_uv=False)

    @cached_property
    def V_singular_values(self) -> Float[np.ndarray, " modes"]:
        """Singular values of V, non-increasing."""
        return np.linalg.svd(self.V, compute_uv=False)

    @cached_property
    def product_singular_values(self) -> Float[np.ndarray, " dstar"]:
        """Singular values of U Vᵀ, non-increasing."""
        return np.linalg.svd(self.product, compute_uv=False)

    @cached_property
    def kl_per_latent(self) -> Float[np.ndarray, " d1"]:
        """E_x KL(q(z_i|x) ‖ p(z_i)) of each latent dimension, in nats, in the order of the columns of W."""
        prior = self.problem.eta_enc**2
        ratio = self.sigma**2 / prior
        return (ratio - 1 - np.log(ratio) + np.sum(self.V**2, axis=0) / prior) / 2

    def active(self, threshold: float) -> int:
        """Number of singular values of U Vᵀ above a threshold."""
        return int(np.sum(self.product_singular_values > threshold))
