"""L_VAE with the decoder's variance learned too (section 4.4): its derivatives in (W, U, log σ², log η_dec²). Batched.

The decoder's partition function is (d2/2) log(2π η_dec²); its constant (d2/2) log 2π is dropped here, as Eq. 5 drops all of it.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor

from numerics.arrays import Array, namespace
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

    W: Float[Array, "*batch D0 d1"]
    U: Float[Array, "*batch d2 d1"]
    log_variance: Float[Array, "*batch d1"]
    log_decoder: Float[Array, "*batch"]


class HeldParameters(NamedTuple):
    """The same, where the encoder's variances are held: last, behind all that descent may change."""

    W: Float[Array, "*batch D0 d1"]
    U: Float[Array, "*batch d2 d1"]
    log_decoder: Float[Array, "*batch"]
    log_variance: Float[Array, "*batch d1"]

    @classmethod
    def of(cls, at: DecoderParameters) -> HeldParameters:
        """The same point."""
        return cls(at.W, at.U, at.log_decoder, at.log_variance)


def decoder_loss(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    log_decoder: Float[Array, "*#batch"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> Float[Array, "*#batch"]:
    """L_VAE (Eq. 5) plus (d2/2) log η_dec², without (d2/2) log 2π; eta_dec itself is not read.

    Args:
        W, U, log_variance: as in `vae_loss`.
        log_decoder: log η_dec², the logarithm of the decoder's variance.
        A, C, y2, beta, eta_enc: as in `vae_loss`.
        eta_dec: ignored; it is among the statistics.

    Returns:
        The loss in nats. Leading dimensions broadcast.
    """
    found = vae_loss(W, U, log_variance, A, C, y2, beta, namespace(W).exp(log_decoder / 2), eta_enc)
    return found + U.shape[-2] / 2 * log_decoder


def decoder_gradient(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    log_decoder: Float[Array, "*#batch"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> DecoderParameters:
    """Gradient of `decoder_loss`, by hand; same arguments."""
    scale = namespace(W).exp(log_decoder / 2)
    # At β = 0 nothing is left but the reconstruction error over 2 η_dec².
    error = vae_loss(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    others = vae_gradient(W, U, log_variance, A, C, y2, beta, scale, eta_enc)
    return DecoderParameters(*others, U.shape[-2] / 2 - error)


def decoder_hessian(
    W: Float[Array, "*#batch D0 d1"],
    U: Float[Array, "*#batch d2 d1"],
    log_variance: Float[Array, "*#batch d1"],
    log_decoder: Float[Array, "*#batch"],
    A: Float[Array, "*#batch D0 D0"],
    C: Float[Array, "*#batch d2 D0"],
    y2: Float[Array, "*#batch"],
    beta: Float[Array, "*#batch"],
    eta_dec: Float[Array, "*#batch"],
    eta_enc: Float[Array, "*#batch"],
) -> Float[Array, "*#batch p p"]:
    """Hessian of `decoder_loss` in the flattened parameters (W, U, log σ², log η_dec²), rows first, by hand.

    Returns:
        Shape (..., p, p) with p = (D0 + d2 + 1) d1 + 1.
    """
    xp = namespace(W)
    scale = xp.exp(log_decoder / 2)
    inner = vae_hessian(W, U, log_variance, A, C, y2, beta, scale, eta_enc)
    error = vae_loss(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    slope = vae_gradient(W, U, log_variance, A, C, y2, 0 * beta, scale, eta_enc)
    border = -xp.concatenate([part.reshape(*part.shape[: error.ndim], -1) for part in slope], -1)
    border = xp.broadcast_to(border, inner.shape[:-1])
    corner = xp.broadcast_to(error, inner.shape[:-2])[..., None, None]
    above = xp.concatenate([inner, border[..., None]], -1)
    return xp.concatenate([above, xp.concatenate([border[..., None, :], corner], -1)], -2)


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


def _held_loss(W: Array, U: Array, log_decoder: Array, log_variance: Array, *statistics: Array) -> Array:
    return decoder_loss(W, U, log_variance, log_decoder, *statistics)


def _held_gradient(W: Array, U: Array, log_decoder: Array, log_variance: Array, *statistics: Array) -> HeldParameters:
    return HeldParameters.of(decoder_gradient(W, U, log_variance, log_decoder, *statistics))


def _held_hessian(W: Array, U: Array, log_decoder: Array, log_variance: Array, *statistics: Array) -> Array:
    """Without the rows and columns of log σ²."""
    whole = decoder_hessian(W, U, log_variance, log_decoder, *statistics)
    kept = [*range((W.shape[-2] + U.shape[-2]) * W.shape[-1]), whole.shape[-1] - 1]
    return whole[..., kept, :][..., kept]


LEARNED_DECODER = _DecoderObjective(decoder_loss, decoder_gradient, decoder_hessian, free=4)
LEARNED_DECODER_ALONE = _HeldObjective(_held_loss, _held_gradient, _held_hessian, free=3)
