"""Variable projection: L_VAE as a function of the decoder alone, in units in which only one matrix is left of the problem.

With X = η_enc U/(√β η_dec) and Y = Z/(√β η_dec) (`whitened`, no singular value decomposition), the loss at the best encoder is

    2 L_VAE/β = Tr[Y Yᵀ (X Xᵀ + I)⁻¹] + Σ_i ρ(|x_i|²) + terms without X,

where ρ(n) = log(1 + n) at the best σ_i² = η_enc²/(1 + |x_i|²), and (σ_i²/η_enc²) n where σ_i is fixed. Where η_dec is learned,
Y is Z over the root of E‖y‖² instead, and at the best η_dec² the trace T enters as (d2/β) log(T + r/E‖y‖²). Tests hold what is
eliminated here against what the derivations prove stationary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.arrays import Array, namespace
from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.objective import Objective, Parameters, Statistics
from numerics.tolerances import RANK_CUTOFF, RESIDUAL_MOMENT

__all__ = ["Derivatives", "Eliminated", "Projection", "whitened"]


class Eliminated(NamedTuple):
    """What the best encoder leaves: inverse = (I + XᵀX)⁻¹, A = X inverse, V = Yᵀ A, error = Y − X Vᵀ, and the trace T."""

    inverse: Float[Array, "*batch d1 d1"]
    A: Float[Array, "*batch d2 d1"]
    V: Float[Array, "*batch d0 d1"]
    error: Float[Array, "*batch d2 d0"]
    trace: Float[Array, "*batch"]


class Derivatives(NamedTuple):
    """Loss, gradient (vec X, rows first) and Hessian."""

    loss: Float[Tensor, " batch"]
    gradient: Float[Tensor, "batch p"]
    hessian: Float[Tensor, "batch p p"]

    def rows(self, index: Tensor) -> Derivatives:
        """Those of some instances."""
        return Derivatives(*(value[index] for value in self))


def whitened(statistics: Statistics) -> tuple[Float[Array, "*batch d2 D0"], Float[Array, "*batch D0 D0"]]:
    """Z = C B and B = P_A Φ^{-1/2}, with columns of zeros for the null space of A (section 3)."""
    xp = namespace(statistics.A)
    phi, P = xp.linalg.eigh(statistics.A)
    kept = phi > RANK_CUTOFF.value * xp.clip(phi[..., -1:], 0, None)
    whitening = P * (kept / xp.sqrt(xp.where(kept, phi, 1.0)))[..., None, :]
    return statistics.C @ whitening, whitening


@dataclass(frozen=True)
class Projection:
    """A batch of instances in these units; `deviations` holds σ_i²/η_enc² where they are fixed, `ratio` d2/β and `rest`
    r/E‖y‖² where the decoder's variance is learned. One instance in NumPy, without a batch, is for `lone_descent`."""

    Y: Float[Array, "*batch d2 d0"]
    deviations: Float[Array, "*batch d1"] | None = None
    ratio: Float[Array, "*batch"] | None = None
    rest: Float[Array, "*batch"] | None = None

    # Run-time checkers cannot tell the fields of two batches apart.
    __no_type_check__ = True

    @classmethod
    def of(
        cls, at: Parameters | DecoderParameters | HeldParameters, statistics: Statistics, objective: Objective
    ) -> Projection:
        """The instances of a batch, or one; of the parameters only fixed variances are read."""
        Z, _ = whitened(statistics)
        xp, fixed = namespace(Z), None
        if not objective.frees(at, "log_variance"):
            fixed = xp.exp(at.log_variance) / xp.square(statistics.eta_enc)[..., None]
        if objective.frees(at, "log_decoder"):
            Y = Z / xp.sqrt(statistics.y2)[..., None, None]
            rest = 1 - xp.square(Y).sum((-2, -1))
            return cls(Y, fixed, Z.shape[-2] / statistics.beta, xp.where(rest > RESIDUAL_MOMENT.value, rest, 0.0))
        return cls(Z / (xp.sqrt(statistics.beta) * statistics.eta_dec)[..., None, None], fixed)

    def rows(self, index: Int[Tensor, " rows"] | Tensor | slice) -> Projection:
        """Some instances of the batch."""
        fields = (self.Y, self.deviations, self.ratio, self.rest)
        return Projection(*[None if value is None else value[index] for value in fields])

    def eliminated(self, X: Float[Tensor, "*more batch d2 d1"]) -> Eliminated:
        """The best encoder for a decoder; its error does not suffer from the square of Y's condition number."""
        inverse, A, V = self._encoder(X)
        error = self.Y - X @ V.mT
        return Eliminated(inverse, A, V, error, error.square().sum((-2, -1)) + V.square().sum((-2, -1)))

    def misfit(self, X: Float[Tensor, "*more batch d2 d1"]) -> Float[Tensor, "*more batch"]:
        """The trace and r/E‖y‖², where η_dec is learned: d2 times the best η_dec², over E‖y‖²."""
        assert self.rest is not None
        return self.eliminated(X).trace + self.rest

    def loss(self, X: Float[Tensor, "*more batch d2 d1"]) -> Float[Tensor, "*more batch"]:
        """2/β times the loss at the best of everything else, without terms that do not depend on X."""
        return self._traded(self.eliminated(X).trace) + self._price(X.square().sum(-2))

    def derivatives(self, X: Float[Tensor, "batch d2 d1"]) -> Derivatives:
        """The loss with its gradient and Hessian in X, by hand.

        With K = (X Xᵀ + I)⁻¹, G = K Y Yᵀ K, P = VᵀV and B = G X, half the Hessian of the trace takes D to
        K D P + A Dᵀ B + B Dᵀ A − G D (I + XᵀX)⁻¹.
        """
        count, d2, d1 = X.shape
        inverse, A, V, error, trace = self.eliminated(X)
        identity = torch.eye(d2, dtype=X.dtype, device=X.device)
        K, G, P, B = identity - A @ X.mT, error @ error.mT, V.mT @ V, error @ V

        H = _outer(K, P, -G, inverse).reshape(count, d2, d2, d1, d1).permute(0, 1, 3, 2, 4).contiguous()
        H += _outer(A, B, B, A).reshape(count, d2, d1, d2, d1).permute(0, 1, 4, 3, 2)
        slope = -B
        if self.rest is not None:
            weight = self._weight(trace)
            curved = weight / (trace + self.rest)
            H = H * weight[:, None, None, None, None]
            H -= 2 * curved[:, None, None, None, None] * B[:, :, :, None, None] * B[:, None, None, :, :]
            slope = slope * weight[:, None, None]
        lengths = X.square().sum(-2)
        price, bend = self._slopes(lengths)
        diagonal = H.diagonal(dim1=2, dim2=4)  # the blocks of one column of X with itself: (batch, d2, d2, d1)
        diagonal += identity[:, :, None] * price[:, None, None, :]
        if bend is not None:
            diagonal -= 2 * (X * bend[:, None, :])[:, :, None, :] * X[:, None, :, :]
        slope = slope + X * price[:, None, :]
        loss = self._traded(trace) + self._price(lengths)
        return Derivatives(loss, 2 * slope.reshape(count, -1), H.reshape(count, d2 * d1, d2 * d1).mul_(2))

    def alternated(self, X: Float[Tensor, "batch d2 d1"]) -> Float[Tensor, "batch d2 d1"]:
        """The best decoder for the best encoder, variances (and decoder variance) of this one."""
        noise, _ = self._slopes(X.square().sum(-2))
        if self.rest is not None:
            noise = noise / self._weight(self.eliminated(X).trace)[:, None]
        _, _, V = self._encoder(X)
        return (self.Y @ V) @ torch.linalg.inv_ex(V.mT @ V + torch.diag_embed(noise))[0]

    def _encoder(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """inverse, A and V of `Eliminated`."""
        identity = torch.eye(X.shape[-1], dtype=X.dtype, device=X.device)
        inverse = torch.linalg.inv_ex(identity + X.mT @ X)[0]
        A = X @ inverse
        return inverse, A, self.Y.mT @ A

    def _traded(self, trace: Tensor) -> Tensor:
        """What the trace adds to the loss."""
        return trace if self.ratio is None or self.rest is None else self.ratio * torch.log(trace + self.rest)

    def _weight(self, trace: Tensor) -> Tensor:
        """The derivative of that; 1 where η_dec is given."""
        return torch.ones_like(trace) if self.ratio is None or self.rest is None else self.ratio / (trace + self.rest)

    def _price(self, lengths: Tensor) -> Tensor:
        """Σ_i ρ(|x_i|²)."""
        return torch.log1p(lengths).sum(-1) if self.deviations is None else (self.deviations * lengths).sum(-1)

    def _slopes(self, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """ρ', and −ρ'' where it is not zero; ρ' is also the best σ_i²/η_enc²."""
        if self.deviations is not None:
            return self.deviations, None
        slope = 1 / (1 + lengths)
        return slope, slope.square()


def _outer(one: Tensor, other: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
    """one ⊗ other + third ⊗ fourth, a product of matrices with two columns each."""
    left = torch.stack([one.flatten(1), third.flatten(1)], 2)
    return left @ torch.stack([other.flatten(1), fourth.flatten(1)], 1)
