"""How far ζ_i² of a sample may be from those of what it was drawn from, by drawing rows again: whatever the data's distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from numerics.scales import inverse_scales, variances_of
from numerics.spectra import whitened_cross
from numerics.tolerances import FLOAT64_IDENTITY
from numerics.uncertainty import LEVEL, are_apart

__all__ = ["REPLICATES", "bootstrap_intervals"]

REPLICATES = 200
"""Resamples: the ends of a 95 % interval are then the fifth of them from either side."""
APART = 3.5
"""Of its own deviations, by which a mode's neighbours have to differ from it: more than by formulas, since resamples of equal modes
seem farther apart than they are, the more so for short tails."""
BIASED = 0.5
"""Standard deviations by which resamples of a mode may be off on average. Twice that, as among equal modes or where features are as
many as samples, and the interval covers as little as two times in three."""


def bootstrap_intervals(
    x: Float[np.ndarray, "n inputs"],
    modes: int,
    *,
    y: Float[np.ndarray, "n outputs"] | None = None,
    centre: bool = True,
    scale: str | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
    level: float = LEVEL,
) -> Float[np.ndarray, "modes 2"]:
    """Percentile intervals of leading ζ_i², rows drawn with replacement.

    Leading ζ_i² of a sample are too large on average, and those of a resample once more. Therefore the percentiles are of λ²/λ*,
    the resample's relative error turned about. nan where a resample has no such mode, as beyond its distinct rows, where resamples
    are off on average, and where modes are nearer to each other than resamples tell apart.

    Args:
        x: float64, shape (n, inputs).
        modes: how many.
        y: targets, shape (n, outputs); None for an autoencoder.
        centre, scale: as in `numerics.spectra.spectrum_of`; scales are those of each resample.
        replicates: resamples.
        seed: of the draws.
        level: of the intervals.
    """
    n = len(x)
    rng = np.random.default_rng(seed)
    rows = x if y is None else np.concatenate([x, y], 1)
    rows = rows - rows.mean(0) if centre else rows
    squares = _autoencoder(rows, centre, scale) if y is None else _conditional(rows, x.shape[1], centre, scale)
    # with one more, the last has a neighbour
    whole = squares(np.full(n, 1 / n), modes + 1)
    found = np.stack([squares(rng.multinomial(n, np.full(n, 1 / n)) / n, modes + 1) for _ in range(replicates)])
    there = (found > np.finfo(np.float64).eps * n * found[:, :1]).all(0)
    relative = np.where(there, found / np.where(there, whole, 1.0), 1.0)
    off, deviations = relative.mean(0) - 1, np.log(relative).std(0)
    # resamples that are all the same leave rounding
    told = there & are_apart(whole, deviations, APART) & (np.abs(off) <= BIASED * deviations + FLOAT64_IDENTITY.value)
    turned = np.where(told, whole**2 / np.where(there, found, 1.0), np.nan)
    return np.quantile(turned, [(1 - level) / 2, (1 + level) / 2], axis=0).T[:modes]


Squares = Callable[[np.ndarray, int], np.ndarray]
"""Weights of the rows, and how many modes, to the leading ζ_i²."""


def _autoencoder(rows: np.ndarray, centre: bool, scale: str | None) -> Squares:
    def squares(weights: np.ndarray, modes: int) -> np.ndarray:
        drawn = weights > 0
        some, root = rows[drawn], np.sqrt(weights[drawn])[:, None]
        mean = weights[drawn] @ some
        spreads = _spreads(some, weights[drawn])
        weighted = (some - mean if centre else some) * root * inverse_scales(spreads, scale)
        # with fewer rows than features, the products of rows have the same eigenvalues
        gram = weighted @ weighted.T if len(weighted) < weighted.shape[1] else weighted.T @ weighted
        return _padded(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0), modes)

    return squares


def _conditional(rows: np.ndarray, D0: int, centre: bool, scale: str | None) -> Squares:
    def squares(weights: np.ndarray, modes: int) -> np.ndarray:
        drawn = weights > 0
        some = rows[drawn]
        mean = weights[drawn] @ some
        moment = (some * weights[drawn][:, None]).T @ some
        spreads = _spreads(some, weights[drawn])
        inputs = spreads[:D0] if centre else moment.diagonal()[:D0]
        moment = moment - np.outer(mean, mean) * centre
        Z, _ = whitened_cross(moment, D0, inverse_scales(inputs, "standard"), inverse_scales(spreads[D0:], scale))
        return _padded(np.linalg.svd(Z, compute_uv=False) ** 2, modes)

    return squares


def _spreads(some: np.ndarray, weights: np.ndarray) -> np.ndarray:
    about = some - some.mean(0)  # so that a constant feature has no variance from rounding
    return variances_of(weights @ about**2, weights @ about)


def _padded(squares: np.ndarray, modes: int) -> np.ndarray:
    return np.pad(squares[:modes], (0, max(0, modes - len(squares))))
