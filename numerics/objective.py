"""L_VAE on sufficient statistics, in the original parameters (W, U, log σ²), with its derivatives. Batched, in torch or NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.arrays import Array, namespace
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

    W: Float[Array, "*batch D0 d1"]
    U: Float[Array, "*batch d2 d1"]
    log_variance: Float[Array, "*batch d1"]


class Statistics(NamedTuple):
    """What the loss needs to know of the data and the scales; the arguments of `vae_loss` after the parameters."""

    A: Float[Array, "*batch D0 D0"]
    C: Float[Array, "*batch d2 D0"]
    y2: Float[Array, "*batch"]
    beta: Float[Array, "*batch"]
    eta_dec: Float[Array, "*batch"]
    eta_enc: Float[Array, "*batch"]

    @classmethod
    def of(cls, problem: Problem, device: str | torch.device = "cpu") -> Statistics:
        """Those of one instance, as float64 tensors on a device."""
        return cls(*(torch.tensor(value, dtype=torch.float64, device=device) for value in cls.arrays_of(problem)))

    @classmethod
    def arrays_of(cls, problem: Problem) -> Statistics:
        """Those of one instance, in NumPy."""
        scalars = (problem.y2, problem.beta, problem.eta_dec, problem.eta_enc)
        return cls(problem.A, problem.C, *map(np.float64, scalars))


def vae_loss(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> Float[Array, "*#batch"]:
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
    xp = namespace(W)
    code = W.mT @ _times(A, W)  # E[m mᵀ] of the encoder's means m = Wᵀx
    variance = xp.exp(log_variance)
    prior = xp.square(eta_enc)
    reconstruction = (
        ((U @ code) * U).sum((-2, -1))
        - 2 * (_times(C, W) * U).sum((-2, -1))
        + y2
        + (xp.square(U).sum(-2) * variance).sum(-1)
    )
    ratio = variance / prior[..., None]
    divergence = (ratio - 1 - log_variance + xp.log(prior)[..., None]).sum(-1)
    divergence = divergence + xp.diagonal(code, 0, -2, -1).sum(-1) / prior
    return reconstruction / (2 * xp.square(eta_dec)) + beta / 2 * divergence


def _times(moments: Float[Array, "*#batch rows D0"], W: Float[Array, "*#batch D0 d1"]) -> Array:
    """Their product; moments that a whole batch shares are not multiplied with each W anew, which takes three times as long."""
    shared = moments.ndim == 2 and W.ndim > 2
    return namespace(W).einsum("ij,...jk->...ik", moments, W) if shared else moments @ W


def vae_gradient(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> Parameters:
    """Gradient of `vae_loss` with respect to W, U and log σ², by hand; same arguments."""
    xp = namespace(W)
    noise, weight = xp.square(eta_dec), beta / xp.square(eta_enc)
    AW = A @ W
    variance = xp.exp(log_variance)
    to_W = AW @ (U.mT @ U) - C.mT @ U
    to_U = U @ (W.mT @ AW) - C @ W + U * variance[..., None, :]
    to_log_variance = variance * (xp.square(U).sum(-2) / noise[..., None] + weight[..., None])
    return Parameters(
        to_W / noise[..., None, None] + weight[..., None, None] * AW,
        to_U / noise[..., None, None],
        (to_log_variance - beta[..., None]) / 2,
    )


def vae_hessian(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> Float[Array, "*#batch p p"]:
    """Hessian of `vae_loss` in the flattened parameters (W, U, log σ²), rows first, by hand; same arguments.

    Returns:
        Shape (..., p, p) with p = (D0 + d2 + 1) d1. The leading (D0 + d2) d1 block is the Hessian where σ is fixed.
    """
    D0, d1 = W.shape[-2:]
    d2 = U.shape[-2]
    xp = namespace(W)
    noise, prior = xp.square(eta_dec), xp.square(eta_enc)
    identity = xp.eye(d1, dtype=W.dtype, device=W.device)
    AW = A @ W
    variance = xp.exp(log_variance)
    gram = U.mT @ U + (beta * noise / prior)[..., None, None] * identity
    code = W.mT @ AW + identity * variance[..., None, :]
    WW = A[..., :, None, :, None] * gram[..., None, :, None, :]
    UU = xp.eye(d2, dtype=W.dtype, device=W.device)[:, None, :, None] * code[..., None, :, None, :]
    WU = AW[..., :, None, None, :] * U.mT[..., None, :, :, None]
    WU = WU + (AW @ U.mT - C.mT)[..., :, None, :, None] * identity[:, None, :]
    Ul = (U * variance[..., None, :])[..., None] * identity
    ll = variance / 2 * (xp.square(U).sum(-2) + (beta * noise / prior)[..., None])

    lead = xp.broadcast_shapes(WU.shape[:-4], noise.shape)
    sizes = (D0 * d1, d2 * d1, d1)
    H = xp.zeros((*lead, sum(sizes), sum(sizes)), dtype=W.dtype, device=W.device)
    w, u, s = (slice(sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(3))
    H[..., w, w] = WW.reshape(*WW.shape[:-4], sizes[0], sizes[0])
    H[..., u, u] = UU.reshape(*UU.shape[:-4], sizes[1], sizes[1])
    H[..., w, u] = WU.reshape(*WU.shape[:-4], sizes[0], sizes[1])
    H[..., u, w] = H[..., w, u].mT
    H[..., u, s] = Ul.reshape(*Ul.shape[:-3], sizes[1], sizes[2])
    H[..., s, u] = H[..., u, s].mT
    H[..., s, s] = identity * ll[..., None, :]
    return H / noise[..., None, None]


@dataclass(frozen=True)
class Objective:
    """A loss and its derivatives, functions of (*parameters, *statistics), and how many of the parameters are free.

    The parameters are a named tuple whose first `free` fields descent may change.
    """

    loss: Callable[..., Float[Array, " ..."]]
    gradient: Callable[..., Any]
    hessian: Callable[..., Float[Array, " ..."]]
    free: int

    def frees(self, parameters: Any, name: str) -> bool:
        """Whether a field is there, and one that descent may change."""
        return name in parameters._fields[: self.free]

    def flat(self, parameters: Any, batch: int = 1) -> Float[Array, "*batch p"]:
        """The free parameters (or derivatives by them) as vectors behind `batch` dimensions."""
        free = parameters[: self.free]
        return namespace(free[0]).concatenate([value.reshape(*value.shape[:batch], -1) for value in free], -1)

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
