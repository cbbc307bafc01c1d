"""The diagonal blocks of the Hessian, made positive definite: a metric in which large instances are well conditioned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.objective import Parameters, Statistics

__all__ = ["DiagonalBlocks"]

_RIDGE = 1e-6  # of the largest diagonal entry of A: its null space amplifies rounding a millionfold at most


@dataclass(frozen=True)
class DiagonalBlocks:
    """M = blockdiag((A + ridge) ⊗ (UᵀU + cI), I ⊗ (WᵀAW + Σ), diagonal) / η_dec², in factors; c = β η_dec²/η_enc².

    The blocks for W, U and log σ² are those of the Hessian of L_VAE but for the ridge. Any symmetric positive definite
    M would serve: it only decides how fast an iteration converges.
    """

    lower_A: Float[Tensor, "D0 D0"]
    lower_gram: Float[Tensor, "d1 d1"]
    lower_code: Float[Tensor, "d1 d1"]
    curvature: Float[Tensor, " d1"]
    eta_dec: Float[Tensor, ""]

    @classmethod
    def at(cls, point: Parameters, statistics: Statistics) -> DiagonalBlocks:
        """Those at a point, unbatched."""
        A, _, _, beta, eta_dec, eta_enc = statistics
        W, U, log_variance = point
        noise, prior = eta_dec.square(), eta_enc.square()
        variance = log_variance.exp()
        diagonal = torch.diag_embed(torch.full_like(A[0], float(_RIDGE * A.diagonal().max())))
        gram = U.mT @ U + torch.diag_embed((beta * noise / prior).expand(len(variance)))
        return cls(
            torch.linalg.cholesky(A + diagonal),
            torch.linalg.cholesky(gram),
            torch.linalg.cholesky(W.mT @ A @ W + torch.diag_embed(variance)),
            variance / 2 * (U.square().sum(0) / noise + beta / prior),
            eta_dec,
        )

    def solve(self, gradient: Parameters) -> Parameters:
        """M⁻¹ times a gradient."""
        W = torch.cholesky_solve(gradient.W, self.lower_A)
        return Parameters(
            self.eta_dec.square() * torch.cholesky_solve(W.mT, self.lower_gram).mT,
            self.eta_dec.square() * torch.cholesky_solve(gradient.U.mT, self.lower_code).mT,
            gradient.log_variance / self.curvature,
        )

    def from_metric(self, point: Parameters) -> Parameters:
        """T y, where Tᵀ M T = I: from coordinates in which M is the identity to the original ones."""
        solve = torch.linalg.solve_triangular
        W = solve(self.lower_A.mT, point.W, upper=True)
        return Parameters(
            self.eta_dec * solve(self.lower_gram, W, upper=False, left=False),
            self.eta_dec * solve(self.lower_code, point.U, upper=False, left=False),
            point.log_variance / self.curvature.sqrt(),
        )

    def to_metric(self, gradient: Parameters) -> Parameters:
        """Tᵀ g: the gradient in coordinates in which M is the identity."""
        solve = torch.linalg.solve_triangular
        W = solve(self.lower_A, gradient.W, upper=False)
        return Parameters(
            self.eta_dec * solve(self.lower_gram.mT, W, upper=True, left=False),
            self.eta_dec * solve(self.lower_code.mT, gradient.U, upper=True, left=False),
            gradient.log_variance / self.curvature.sqrt(),
        )

    def extent(self) -> tuple[float, float]:
        """Smallest and largest eigenvalue of M."""
        A, gram, code = (
            torch.linalg.svdvals(lower).square() for lower in (self.lower_A, self.lower_gram, self.lower_code)
        )
        noise = self.eta_dec.square()
        lowest = min(float(A[-1] * gram[-1] / noise), float(code[-1] / noise), float(self.curvature.min()))
        highest = max(float(A[0] * gram[0] / noise), float(code[0] / noise), float(self.curvature.max()))
        return lowest, highest
