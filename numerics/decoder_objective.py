"""L_VAE with the decoder's variance learned too (section 4.4): its derivatives in (W, U, log σ², log η_dec²). Batched.

The decoder's partition function is (d2/2) log(2π η_dec²); its constant (d2/2) log 2π is dropped here, as Eq. 5 drops all of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from numerics.objective import Objective, Statistics, vae_gradient, vae_hessian, vae_loss
from numerics.tolerances import DECODER_CUTOFF

__all__ = [
    "LEARNED_DECODER",
    "LEARNED_DECODER_ALONE",
    "DecoderParameters",
    "HeldParameters",
    "decoder_gradient",
    "decoder_hessian",
    "decoder_loss",
]

_LONGEST = 1.0  # change of log η_dec² in one step: the loss may be flat in it, or fall for ever


class DecoderParameters(NamedTuple):
    """Encoder W, decoder U, log σ² and log η_dec² (logarithms of variances), or derivatives with respect to them."""

    W: Float[Tensor, "*batch D0 d1"]
    U: Float[Tensor, "*batch d2 d1"]
    log_variance: Float[Tensor, "*batch d1"]
    log_decoder: Float[Tensor, "*batch"]


class HeldParameters(NamedTuple):
    """The same, where the encoder's variances are held: last, behind all that descent may change."""

    W: Float[Tensor, "*batch D0 d1"]
    U: Float[Tensor, "*batch d2 d1"]
    log_decoder: Float[Tensor, "*batch"]
    log_variance: Float[Tensor, "*batch d1"]

    @classmethod
    def of(cls, at: DecoderParameters) -> HeldParameters:
        """The same point."""
        return cls(at.W, at.U, at.log_decoder, at.log_variance)


def decoder_loss(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    log_decoder: Float[Tensor, "*#batch"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*#batch"]:
    """L_VAE (Eq. 5) plus (d2/2) log η_dec², without (d2/2) log 2π; eta_dec itself is not read.

    Args:
        W, U, log_variance: as in `vae_loss`.
        log_decoder: log η_dec², the logarithm of the decoder's variance.
        A, C, y2, beta, eta_enc: as in `vae_loss`.
        eta_dec: ignored; it is among the statistics.

    Returns:
        The loss in nats. Leading dimensions broadcast.
    """
    found = vae_loss(W, U, log_variance, A, C, y2, beta, (log_decoder / 2).exp(), eta_enc)
    return found + U.shape[-2] / 2 * log_decoder


def decoder_gradient(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    log_decoder: Float[Tensor, "*#batch"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> DecoderParameters:
    """Gradient of `decoder_loss`, by hand; same arguments."""
    scale = (log_decoder / 2).exp()
    # At β = 0 nothing is left but the reconstruction error over 2 η_dec².
    error = vae_loss(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    others = vae_gradient(W, U, log_variance, A, C, y2, beta, scale, eta_enc)
    return DecoderParameters(*others, U.shape[-2] / 2 - error)


def decoder_hessian(
    W: Float[Tensor, "*#batch D0 d1"],
    U: Float[Tensor, "*#batch d2 d1"],
    log_variance: Float[Tensor, "*#batch d1"],
    log_decoder: Float[Tensor, "*#batch"],
    A: Float[Tensor, "*#batch D0 D0"],
    C: Float[Tensor, "*#batch d2 D0"],
    y2: Float[Tensor, "*#batch"],
    beta: Float[Tensor, "*#batch"],
    eta_dec: Float[Tensor, "*#batch"],
    eta_enc: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*#batch p p"]:
    """Hessian of `decoder_loss` in the flattened parameters (W, U, log σ², log η_dec²), rows first, by hand.

    Returns:
        Shape (..., p, p) with p = (D0 + d2 + 1) d1 + 1.
    """
    scale = (log_decoder / 2).exp()
    inner = vae_hessian(W, U, log_variance, A, C, y2, beta, scale, eta_enc)
    error = vae_loss(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    slope = vae_gradient(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    border = -torch.cat([slope.W.flatten(-2), slope.U.flatten(-2), slope.log_variance], dim=-1)
    border = border.expand(*inner.shape[:-2], -1)
    corner = error.expand(inner.shape[:-2])[..., None, None]
    above = torch.cat([inner, border[..., None]], dim=-1)
    return torch.cat([above, torch.cat([border[..., None, :], corner], dim=-1)], dim=-2)


class _DecoderObjective(Objective):
    """The loss with η_dec² among its parameters, which may fall for ever as η_dec² tends to 0."""

    def size(
        self, at: DecoderParameters | HeldParameters, statistics: Statistics, usual: Float[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]:
        """By the present η_dec²: the terms of the loss grow as it falls."""
        return statistics.y2 / (2 * at.log_decoder.exp()) + statistics.beta

    def shortened(self, steps: Float[Tensor, "batch ladder p"]) -> Float[Tensor, "batch ladder p"]:
        """Steps that change log η_dec² by little enough for the next point to tell whether to go on."""
        return steps * (_LONGEST / steps[..., -1:].abs()).clamp(max=1)

    def escaped(self, at: DecoderParameters | HeldParameters, statistics: Statistics) -> Bool[Tensor, " batch"]:
        """Whether η_dec² is below the cut-off, where rounding would soon drown the loss."""
        return at.log_decoder < (DECODER_CUTOFF.value * statistics.y2 / statistics.C.shape[-2]).log()


class _HeldObjective(_DecoderObjective):
    """The same with the encoder's variances held: an active mode then costs more than is won as η_dec² falls, and there is a
    minimum for any y that is not 0."""

    def escaped(self, at: DecoderParameters | HeldParameters, statistics: Statistics) -> Bool[Tensor, " batch"]:
        """None."""
        return Objective.escaped(self, at, statistics)


def _held_loss(W: Tensor, U: Tensor, log_decoder: Tensor, log_variance: Tensor, *statistics: Tensor) -> Tensor:
    return decoder_loss(W, U, log_variance, log_decoder, *statistics)


def _held_gradient(
    W: Tensor, U: Tensor, log_decoder: Tensor, log_variance: Tensor, *statistics: Tensor
) -> HeldParameters:
    return HeldParameters.of(decoder_gradient(W, U, log_variance, log_decoder, *statistics))


def _held_hessian(W: Tensor, U: Tensor, log_decoder: Tensor, log_variance: Tensor, *statistics: Tensor) -> Tensor:
    """Without the rows and columns of log σ²."""
    whole = decoder_hessian(W, U, log_variance, log_decoder, *statistics)
    kept = [*range((W.shape[-2] + U.shape[-2]) * W.shape[-1]), whole.shape[-1] - 1]
    return whole[..., kept, :][..., kept]


LEARNED_DECODER = _DecoderObjective(decoder_loss, decoder_gradient, decoder_hessian, free=4)
LEARNED_DECODER_ALONE = _HeldObjective(_held_loss, _held_gradient, _held_hessian, free=3)
