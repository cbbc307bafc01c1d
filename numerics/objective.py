"""L_VAE on sufficient statistics, in the original parameters (W, U, log σ²), with its derivatives. Batched, in torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.problem import Problem

__all__ = [
    "FIXED_VARIANCES",
    "LEARNED_VARIANCES",
    "Objective",
    "Parameters",
    "Statistics",
    "curvature_product",
    "vae_gradient",
    "vae_hessian",
    "vae_loss",
]


class Parameters(NamedTuple):
    """Encoder W, decoder U and the logarithm of the encoder's variances, or derivatives with respect to them."""

    W: Float[Tensor, "*batch D0 d1"]
    U: Float[Tensor, "*batch d2 d1"]
    log_variance: Float[Tensor, "*batch d1"]


class Statistics(NamedTuple):
    """What the loss needs to know of the data and the scales; the arguments of `vae_loss` after the parameters."""

    A: Float[Tensor, "*batch D0 D0"]
    C: Float[Tensor, "*batch d2 D0"]
    y2: Float[Tensor, "*batch"]
    beta: Float[Tensor, "*batch"]
    eta_dec: Float[Tensor, "*batch"]
    eta_enc: Float[Tensor, "*batch"]

    @classmethod
    def of(cls, problem: Problem, device: str | torch.device = "cpu") -> Statistics:
        """Those of one instance, as float64 tensors on a device."""
        values = (problem.A, problem.C, problem.y2, problem.beta, problem.eta_dec, problem.eta_enc)
        return cls(*(torch.tensor(value, dtype=torch.float64, device=device) for value in values))


def vae_loss(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*#batch"]:
    """L_VAE (Eq. 5), without the decoder's partition function; the expectation over data and noise is exact.

    Args:
        W: encoder, z = Wᵀx + ε.
        U: decoder, ŷ = Uz.
        log_variance: log σ², the logarithm of the encoder's variances.
        A, C, y2: E[x xᵀ], E[y xᵀ], E‖y‖².
        beta: weight of the Kullback–Leibler term.
        eta_dec, eta_enc: standard deviations of decoder and prior.

    Returns:
        The loss in nats. Leading dimensions broadcast.
    """
    code = W.mT @ _times(A, W)  # E[m mᵀ] of the encoder's means m = Wᵀx
    variance = log_variance.exp()
    prior = eta_enc.square()
    reconstruction = (
        ((U @ code) * U).sum((-2, -1))
        - 2 * (_times(C, W) * U).sum((-2, -1))
        + y2
        + (U.square().sum(-2) * variance).sum(-1)
    )
    ratio = variance / prior[..., None]
    divergence = (ratio - 1 - log_variance + prior.log()[..., None]).sum(-1)
    divergence = divergence + code.diagonal(dim1=-2, dim2=-1).sum(-1) / prior
    return reconstruction / (2 * eta_dec.square()) + beta / 2 * divergence


def _times(moments: Float[Tensor, "*#batch rows D0"], W: Float[Tensor, "*#batch D0 d1"]) -> Tensor:
    """Their product; moments that a whole batch shares are not multiplied with each W anew, which takes three times as long."""
    shared = moments.ndim == 2 and W.ndim > 2
    return torch.einsum("ij,...jk->...ik", moments, W) if shared else moments @ W


def vae_gradient(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> Parameters:
    """Gradient of `vae_loss` with respect to W, U and log σ², by hand; same arguments."""
    noise = eta_dec.square()
    AW = A @ W
    variance = log_variance.exp()
    to_W = AW @ (U.mT @ U) - C.mT @ U
    to_U = U @ (W.mT @ AW) - C @ W + U * variance[..., None, :]
    to_log_variance = variance * (U.square().sum(-2) / noise[..., None] + (beta / eta_enc.square())[..., None])
    return Parameters(
        to_W / noise[..., None, None] + (beta / eta_enc.square())[..., None, None] * AW,
        to_U / noise[..., None, None],
        (to_log_variance - beta[..., None]) / 2,
    )


def vae_hessian(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*#batch p p"]:
    """Hessian of `vae_loss` in the flattened parameters (W, U, log σ²), rows first, by hand; same arguments.

    Returns:
        Shape (..., p, p) with p = (D0 + d2 + 1) d1. The leading (D0 + d2) d1 block is the Hessian where σ is fixed.
    """
    D0, d1 = W.shape[-2:]
    d2 = U.shape[-2]
    noise, prior = eta_dec.square(), eta_enc.square()
    identity = torch.eye(d1, dtype=W.dtype, device=W.device)
    AW = A @ W
    variance = log_variance.exp()
    gram = U.mT @ U + (beta * noise / prior)[..., None, None] * identity
    code = W.mT @ AW + torch.diag_embed(variance)
    WW = torch.einsum("...ab,...ij->...aibj", A, gram)
    UU = torch.einsum("kl,...ij->...kilj", torch.eye(d2, dtype=W.dtype, device=W.device), code)
    WU = torch.einsum("...aj,...ki->...aikj", AW, U)
    WU = WU + torch.einsum("...ak,ij->...aikj", AW @ U.mT - C.mT, identity)
    Ul = torch.einsum("...ki,ij->...kij", U * variance[..., None, :], identity)
    ll = variance / 2 * (U.square().sum(-2) + (beta * noise / prior)[..., None])

    lead = torch.broadcast_shapes(WU.shape[:-4], noise.shape)
    sizes = (D0 * d1, d2 * d1, d1)
    H = W.new_zeros(*lead, sum(sizes), sum(sizes))
    w, u, s = (slice(sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(3))
    H[..., w, w] = WW.reshape(*WW.shape[:-4], sizes[0], sizes[0])
    H[..., u, u] = UU.reshape(*UU.shape[:-4], sizes[1], sizes[1])
    H[..., w, u] = WU.reshape(*WU.shape[:-4], sizes[0], sizes[1])
    H[..., u, w] = H[..., w, u].mT
    H[..., u, s] = Ul.reshape(*Ul.shape[:-3], sizes[1], sizes[2])
    H[..., s, u] = H[..., u, s].mT
    H[..., s, s] = torch.diag_embed(ll)
    return H / noise[..., None, None]


@dataclass(frozen=True)
class Objective:
    """A loss and its derivatives, functions of (*parameters, *statistics), and how many of the parameters are free.

    The parameters are a named tuple whose first `free` fields descent may change.
    """

    loss: Callable[..., Float[Tensor, " ..."]]
    gradient: Callable[..., Any]
    hessian: Callable[..., Float[Tensor, " ..."]]
    free: int

    def frees(self, parameters: Any, name: str) -> bool:
        """Whether a field is there, and one that descent may change."""
        return name in parameters._fields[: self.free]

    def flat(self, parameters: Any, batch: int = 1) -> Float[Tensor, "*batch p"]:
        """The free parameters (or derivatives by them) as vectors behind `batch` dimensions."""
        return torch.cat([value.reshape(*value.shape[:batch], -1) for value in parameters[: self.free]], dim=-1)

    def size(self, at: Any, statistics: Statistics, usual: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """The size of the loss's largest term, which rounding is relative to, given its usual one."""
        return usual

    def shortened(self, steps: Float[Tensor, "batch ladder p"]) -> Float[Tensor, "batch ladder p"]:
        """Steps in the free parameters, made shorter where they must not be long."""
        return steps

    def escaped(self, at: Any, statistics: Statistics) -> Bool[Tensor, " batch"]:
        """Which instances have left for where no minimum is."""
        return torch.zeros(len(at.W), dtype=torch.bool, device=at.W.device)


FIXED_VARIANCES = Objective(vae_loss, vae_gradient, vae_hessian, free=2)
LEARNED_VARIANCES = Objective(vae_loss, vae_gradient, vae_hessian, free=3)


def curvature_product(at: Parameters, along: Parameters, statistics: Statistics) -> Parameters:
    """Hessian of `vae_loss` at a point times a direction, by hand, without forming the Hessian (unbatched or batched).

    Args:
        at: the point.
        along: the direction, shaped like the point.
        statistics: the remaining arguments of `vae_loss`.
    """
    A, C, _, beta, eta_dec, eta_enc = statistics
    W, U, log_variance = at
    dW, dU, dl = along
    noise, weight = eta_dec.square()[..., None, None], (beta / eta_enc.square())[..., None, None]
    variance = log_variance.exp()[..., None, :]
    AW, AdW = A @ W, A @ dW
    cross = U.mT @ dU
    code = W.mT @ AdW
    to_W = AdW @ (U.mT @ U) + AW @ (cross + cross.mT) - C.mT @ dU
    to_U = dU @ (W.mT @ AW) + U @ (code + code.mT) - C @ dW + (dU + U * dl[..., None, :]) * variance
    per_latent = (2 * U * dU + U.square() * dl[..., None, :]).sum(-2) / noise[..., 0]
    to_log_variance = (per_latent + weight[..., 0] * dl) * variance[..., 0, :] / 2
    return Parameters(to_W / noise + weight * AdW, to_U / noise, to_log_variance)
