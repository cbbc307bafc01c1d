"""Which regimes of the theory an instance belongs to: tags computed from its numbers, never from how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float

from numerics.problem import Problem

__all__ = ["REGIMES", "misfit", "mode_thresholds", "regime_counts", "regimes_of"]

REGIMES: dict[str, str] = {
    "learned-variance": "the encoder's diagonal variance is learned",
    "prior-variance": "it is held at the prior's",
    "fixed-variance": "it is held at other values",
    "above-threshold": "a reachable mode lies above its threshold",
    "below-threshold": "a reachable mode lies below its threshold",
    "at-threshold": "a reachable mode lies exactly at its threshold",
    "complete-collapse": "no reachable mode lies above its threshold",
    "partial-collapse": "some reachable modes lie above their threshold, and not all",
    "no-collapse": "every reachable mode lies above its threshold",
    "ties": "two singular values of Z are equal and not zero",
    "zero-mode": "a singular value of Z is zero",
    "rank-deficient-A": "d0 < D0",
    "d1-below": "d1 < d*",
    "d1-at": "d1 = d*",
    "d1-above": "d1 > d*",
    "wide": "d0 > d2",
    "square": "d0 = d2",
    "tall": "d0 < d2",
    "r-zero": "a linear function of x explains y exactly",
    "r-positive": "it does not",
    "autoencoder": "y = x",
    "small-beta": "beta < 1/10",
    "large-beta": "beta > 10",
    "learned-decoder": "the decoder's variance is learned too",
    "decoder-diverges": "it is, and the loss falls without bound as it tends to 0",
    "decoder-valley": "it is, and every decoder variance up to some value does equally well",
    "beta-below-ratio": "the decoder's variance is learned, and beta < d2/d*",
    "beta-at-ratio": "it is, and beta = d2/d*",
    "beta-above-ratio": "it is, and beta > d2/d*",
}


def mode_thresholds(problem: Problem) -> Float[np.ndarray, " modes"]:
    """The value at which each reachable mode, i ≤ min(d1, d*), is expected to collapse.

    It serves to place and to tag samples on both sides; no verdict rests on it. The i-th largest singular value meets
    the i-th smallest encoder standard deviation σ, at √β η_dec σ/η_enc; where σ is learned, σ = η_enc. η_dec is the given one.
    """
    reachable = min(problem.d1, problem.dstar)
    sigma = np.full(problem.d1, problem.eta_enc) if problem.sigma is None else np.sort(problem.sigma)
    return np.sqrt(problem.beta) * problem.eta_dec * (sigma[:reachable] / problem.eta_enc)


def misfit(
    variance: Any,
    squares: Float[np.ndarray, "*batch modes"],
    residual: Any,
    beta: Any,
    d1: int,
    d2: int,
    ratios: Float[np.ndarray, "*batch d1"] | None = None,
) -> Any:
    """d2 times a decoder variance, less the squared error that the best encoder and decoder leave at it: positive above the best.

    Args:
        variance: η_dec².
        squares: ζ_i², non-increasing.
        residual: r.
        beta, d1, d2: as in Problem. Scalars may have the batch dimensions of squares.
        ratios: sigma_i/eta_enc where they are held, non-decreasing; then it is what an active mode leaves less its share of the
            noise that the encoder is held to.
    """
    level = np.asarray(beta * variance)[..., None]
    reached = squares[..., :d1]
    if ratios is not None:
        level = np.sqrt(reached * level) * ratios[..., : reached.shape[-1]]
    modes = np.minimum(reached, level).sum(-1) + squares[..., d1:].sum(-1)
    return d2 * variance - (residual + modes)


def _fall(problem: Problem) -> float:
    """Where the decoder's variance is learned: the slope of twice the loss in log η_dec² as that tends to 0."""
    signals = problem.spectrum > 0
    if problem.sigma is not None or problem.r > 0 or np.any(signals[problem.d1 :]):
        return -np.inf
    return problem.d2 - problem.beta * float(np.sum(signals))


def _positions(problem: Problem) -> Float[np.ndarray, " modes"]:
    """1, 0 or -1 for every reachable mode: above, at or below its threshold."""
    if not problem.learned_decoder:
        thresholds = mode_thresholds(problem)
        return np.sign(problem.spectrum[: len(thresholds)] - thresholds)
    squares, scalars = problem.spectrum**2, (problem.r, problem.beta, problem.d1, problem.d2)
    reachable = squares[: problem.d1]
    if _fall(problem) >= 0:  # η_dec² as small as you like
        return np.where(reachable > 0, 1.0, -1.0)
    # A mode is above its threshold if the η_dec² at which it would be there is too large.
    ratios = None if problem.sigma is None else np.sort(problem.sigma) / problem.eta_enc
    places = reachable / problem.beta if ratios is None else reachable / problem.beta / ratios[: len(reachable)] ** 2
    found = np.array([np.sign(misfit(float(place), squares, *scalars, ratios)) for place in places])
    return np.where(reachable > 0, found, -1.0)


def regimes_of(problem: Problem) -> frozenset[str]:
    """The tags of REGIMES that hold for an instance, with exact comparisons on its planted or computed spectrum."""
    zeta = problem.spectrum
    positions = _positions(problem)
    active = int(np.sum(positions > 0))
    ratio = problem.d2 / problem.dstar
    learned = problem.sigma is None
    at_prior = problem.sigma is not None and bool(np.all(problem.sigma == problem.eta_enc))
    holds = {
        "learned-variance": learned,
        "prior-variance": at_prior,
        "fixed-variance": not learned and not at_prior,
        "above-threshold": active > 0,
        "below-threshold": bool(np.any(positions < 0)),
        "at-threshold": bool(np.any(positions == 0)),
        "complete-collapse": active == 0,
        "partial-collapse": 0 < active < len(positions),
        "no-collapse": active == len(positions),
        "ties": bool(np.any((zeta[1:] == zeta[:-1]) & (zeta[1:] > 0))),
        "zero-mode": bool(np.any(zeta == 0)),
        "rank-deficient-A": problem.d0 < problem.D0,
        "d1-below": problem.d1 < problem.dstar,
        "d1-at": problem.d1 == problem.dstar,
        "d1-above": problem.d1 > problem.dstar,
        "wide": problem.d0 > problem.d2,
        "square": problem.d0 == problem.d2,
        "tall": problem.d0 < problem.d2,
        "r-zero": problem.r == 0,
        "r-positive": problem.r > 0,
        "autoencoder": problem.A.shape == problem.C.shape and bool(np.all(problem.A == problem.C)),
        "small-beta": problem.beta < 1 / 10,
        "large-beta": problem.beta > 10,
        "learned-decoder": problem.learned_decoder,
        "decoder-diverges": problem.learned_decoder and _fall(problem) > 0,
        "decoder-valley": problem.learned_decoder and _fall(problem) == 0,
        "beta-below-ratio": problem.learned_decoder and problem.beta < ratio,
        "beta-at-ratio": problem.learned_decoder and problem.beta == ratio,
        "beta-above-ratio": problem.learned_decoder and problem.beta > ratio,
    }
    return frozenset(name for name in REGIMES if holds[name])


def regime_counts(problems: Iterable[Problem]) -> dict[str, int]:
    """How many instances carry each tag; a regime that none carries is listed with 0."""
    counts = Counter(tag for problem in problems for tag in problem.regimes)
    return {name: counts.pop(name, 0) for name in REGIMES} | dict(sorted(counts.items()))
