"""How far ζ_i² of a sample may be from those of what it was drawn from. For autoencoders.

Gaussian data and well separated eigenvalues: √n (log λ_i − log ℓ_i) tends to N(0, 2) (Anderson 1963). For others:
`numerics.bootstrap`.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError

__all__ = ["FEWEST", "LEVEL", "delta_intervals"]

LEVEL = 0.95
"""Of intervals."""
FEWEST = 30
"""Samples from which on an asymptotic interval is given."""


def delta_intervals(
    zeta_squared: Float[np.ndarray, " modes"], n: int, level: float = LEVEL
) -> Float[np.ndarray, "modes 2"]:
    """Intervals by the delta method: λ exp(± z √(2/n)), for Gaussian data with distinct eigenvalues.

    Args:
        zeta_squared: λ_i, in squared units.
        n: samples.
        level: the probability of covering ℓ_i, mode by mode.

    Raises:
        DataError: too few samples.
    """
    if n < FEWEST:
        raise DataError(f"intervals need at least {FEWEST} samples, got {n}: give more, or none are shown.")
    spread = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(2 / n)
    return np.stack([zeta_squared * np.exp(-spread), zeta_squared * np.exp(spread)], 1)
