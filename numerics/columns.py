"""What it costs that a decoder's columns are not orthogonal where they must be, or not in the order of the encoder's variances."""

from __future__ import annotations

from jaxtyping import Float

from numerics.arrays import Array, ascending, namespace
from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.objective import Objective, Parameters, Statistics

__all__ = ["overlap"]


def overlap(
    at: Parameters | DecoderParameters | HeldParameters, statistics: Statistics, objective: Objective
) -> Float[Array, "*batch"]:
    """How far the loss falls, in nats, when encoder and decoder are turned together, W P and U P with P orthogonal.

    Such a turn changes nothing but ‖u_i‖² in Eq. 5. Where σ is learned, its best values leave (β/2) sum_i log(‖u_i‖² + t) with
    t = β η_dec²/η_enc², which is least where the columns are orthogonal (Hadamard's inequality for UᵀU + t). Where σ is held,
    sum_i σ_i² ‖u_i‖²/(2 η_dec²) is least where columns of different σ are orthogonal and the longest has the least σ
    (rearrangement). Zero at a minimum, and anywhere a lower bound of the height above it, once σ is the best for U.

    Args:
        at: parameters, with any batch dimensions.
        statistics: of the same instances.
        objective: the loss, and which of the parameters are free.

    Returns:
        What is to be gained, none negative but for rounding.
    """
    xp = namespace(at.U)
    noise = xp.square(statistics.eta_dec) if isinstance(at, Parameters) else xp.exp(at.log_decoder)
    lengths = xp.square(at.U).sum(-2)
    turned = xp.clip(xp.linalg.eigvalsh(at.U.mT @ at.U), 0, None)
    if not objective.frees(at, "log_variance"):
        variance = xp.exp(at.log_variance)
        least = (-ascending(-variance) * turned).sum(-1)
        return ((variance * lengths).sum(-1) - least) / (2 * noise)
    level = (statistics.beta * noise / xp.square(statistics.eta_enc))[..., None]
    return statistics.beta / 2 * (xp.log(lengths + level) - xp.log(turned + level)).sum(-1)
