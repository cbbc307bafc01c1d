"""The option --learn-eta-dec: the decoder's variance that a loss comes to, and what to say of it."""

from __future__ import annotations

import numpy as np

from derivations.errors import DataError
from numerics.learned_decoder import LearnedDecoder, learned_decoder
from numerics.prediction import Levels

__all__ = ["learned_for"]


def learned_for(levels: Levels, latents: int, beta: float) -> tuple[LearnedDecoder, list[str]]:
    """The learned decoder variance, and lines that say what it is.

    Raises:
        DataError: the loss has no lower bound.
    """
    found = learned_decoder(levels, latents, beta)
    if found.variance == 0:
        raise DataError(
            f"--learn-eta-dec: at beta = {beta:g} the loss has no lower bound, since {latents} latents can explain everything and "
            f"beta is below {found.bound:.6g}: give fewer latents, a larger beta, or hold eta_dec fixed."
        )
    notes = [
        f"the decoder's variance is learned: η_dec² = {found.variance:.6g}; the loss has its (d2/2) log η_dec²",
        "each critical β is where the mode collapses while η_dec is learned",
    ]
    if not found.level:
        return found, notes
    rank = int(np.sum(levels.zeta_squared > 0))
    return found, [
        *notes,
        f"at β = {found.bound:.6g} there is no one optimum: the loss is level, with any η_dec² from 0 to {found.variance:.6g}",
        f"what is shown is the upper end of these; at any smaller η_dec² all {rank} modes are kept",
    ]
