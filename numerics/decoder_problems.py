"""Random instances with a learned decoder variance, over every regime of section 4.4, planted like those of `problems`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.problem import Problem
from numerics.problems import planted_problem, spread
from numerics.regimes import misfit

__all__ = ["decoder_problems"]

# (D0, d2, d1): few shapes, every aspect ratio, d1 on every side of d*.
_SHAPES = (
    (1, 1, 1),
    (2, 1, 2),
    (1, 3, 1),
    (3, 3, 1),
    (2, 2, 2),
    (3, 5, 2),
    (5, 3, 3),
    (4, 4, 3),
    (2, 6, 1),
    (6, 2, 4),
    (4, 6, 2),
    (5, 4, 5),
)
# Cycle lengths 12, 11 and 5 share no factor: every combination occurs.
_FAMILIES = (
    "partial",
    "valley",
    "complete",
    "unreached",
    "at-collapse",
    "diverging",
    "none",
    "ties",
    "at-threshold",
    "bounded",
    "zero-mode",
)
_RATIOS = ("below", "at", "above", "below", "above")
_MARGIN = 1.05  # of every reachable ζ_i² to β η_dec² at the minimum, and of β to where the loss turns unbounded


@dataclass(frozen=True)
class _Plan:
    """Squared singular values, r and β of an instance; dyadic where thresholds have to be exact floats."""

    squares: Float[np.ndarray, " dstar"]
    residual: float
    beta: float


def decoder_problems(count: int, seed: int) -> list[Problem]:
    """Random instances with learned variances of encoder and decoder, the same for the same seed.

    Away from exact thresholds and exact ties, every reachable ζ_i² keeps at least 5 % from β η_dec² at the minimum; β is at
    least 5 % from where the loss turns unbounded, or exactly there. The first n of a longer list are the shorter list.

    Args:
        count: how many.
        seed: non-negative seed.

    Raises:
        DataError: count or seed is negative.
    """
    if count < 0 or seed < 0:
        raise DataError(f"count and seed must not be negative; got count = {count}, seed = {seed}.")
    return [_decoder_problem(index, seed) for index in range(count)]


def _decoder_problem(index: int, seed: int) -> Problem:
    rng = np.random.default_rng([seed, index, 1])  # apart from the streams of random_problems
    D0, d2, d1 = _SHAPES[index % len(_SHAPES)]
    family, ratio = _FAMILIES[index % len(_FAMILIES)], _RATIOS[index % len(_RATIOS)]
    d0 = int(rng.integers(1, D0)) if D0 > 1 and rng.random() < 1 / 4 else D0
    dstar = min(d0, d2)
    if family == "unreached" and d1 >= dstar:
        family = "bounded"
    exact = family.startswith("at-")
    if exact:
        plan = _at_threshold(rng, d1, d2, dstar, complete=family == "at-collapse")
    elif family in ("diverging", "valley", "bounded", "unreached"):
        plan = _explained(rng, family, ratio, d1, d2, dstar)
    else:
        plan = _interior(rng, family, ratio, d1, d2, dstar)
    scale = 1.0 if exact else float(10 ** rng.uniform(-0.5, 0.5))
    zeta = scale * np.sqrt(plan.squares)
    autoencoder = D0 == d2 and plan.residual == 0 and bool(zeta[-1] > 0) and len(zeta) == d0 and rng.random() < 1 / 2
    return planted_problem(
        rng,
        D0=D0,
        d2=d2,
        d1=d1,
        zeta=zeta,
        phi=zeta**2 if autoencoder else rng.uniform(0.3, 3, d0),
        residual=scale**2 * plan.residual,
        autoencoder=autoencoder,
        beta=plan.beta,
        eta_dec=scale * float(10 ** rng.uniform(-0.3, 0.3)),
        eta_enc=float(rng.choice([0.5, 1.0, 2.0]) if exact else 10 ** rng.uniform(-0.5, 0.5)),
        learned_decoder=True,
        name=f"decoder-{seed}-{index}",
    )


def _beta(rng: np.random.Generator, ratio: str, critical: float) -> float:
    """β below, exactly at, or above a critical value."""
    low, high = {"below": (0.05, 1 / _MARGIN), "at": (1.0, 1.0), "above": (_MARGIN, 4.0)}[ratio]
    return critical * float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _interior(rng: np.random.Generator, family: str, ratio: str, d1: int, d2: int, dstar: int) -> _Plan:
    """r > 0, at a minimum with η_dec² = 1 and a wanted number of modes above the threshold, as far as β allows it."""
    beta = _beta(rng, ratio, d2 / dstar)
    reachable = min(d1, dstar)
    most = min(reachable, int(np.ceil(d2 / (_MARGIN * beta))) - 1)
    if family == "complete":
        above = 0
    elif family == "none":
        above = most
    else:
        above = int(rng.integers(min(1, most), max(most, 1) + 1)) if most else 0
    squares = np.concatenate(
        [beta * spread(rng, above, _MARGIN, 9.0), beta / _MARGIN * spread(rng, dstar - above, 0.05, 1.0)]
    )
    if family == "ties":
        pairs = [i for i in range(dstar - 1) if i + 1 != above]
        for i in sorted(rng.permutation(pairs)[:2]):
            squares[i + 1] = squares[i]
    elif family == "zero-mode" and above < dstar:
        squares[int(rng.integers(above, dstar)) :] = 0
    # At the minimum d2 η_dec² is what is left: r, the modes that are not active, and β η_dec² of each that is.
    left = d2 - above * beta
    rest = float(np.sum(squares[above:]))
    if rest > 0.9 * left:
        squares[above:] *= float(rng.uniform(0.1, 0.9)) * left / rest
    return _Plan(squares, left - float(np.sum(squares[above:])), beta)


def _at_threshold(rng: np.random.Generator, d1: int, d2: int, dstar: int, *, complete: bool) -> _Plan:
    """One or two tied modes exactly at the threshold: ζ² = β η_dec² with η_dec² a power of 2, in dyadic numbers."""
    reachable = min(d1, dstar)
    above = 0 if complete or reachable == 1 else int(rng.integers(1, reachable))
    at = 2 if above + 2 <= reachable and rng.random() < 1 / 3 else 1
    beta = 2.0 ** (int(np.ceil(np.log2(d2 / (above + at)))) - int(rng.integers(1, 4)))
    decoder = 4.0 ** int(rng.integers(-1, 2))
    zeta = np.sqrt(beta * decoder * 2.0 ** (np.log2(beta) % 2)) * np.ones(dstar)  # a power of 2
    decoder = float(zeta[0] ** 2) / beta
    zeta[:above] *= 1 + np.sort(rng.choice(np.arange(1, 17), size=above, replace=False))[::-1] / 8
    zeta[above + at :] *= np.sort(rng.choice(np.arange(1, 8), size=dstar - above - at, replace=False))[::-1] / 16
    while (residual := (d2 - above * beta) * decoder - float(np.sum(zeta[above:] ** 2))) < 0:
        zeta[above + at :] /= 2
    return _Plan(zeta**2, residual, beta)


def _explained(rng: np.random.Generator, family: str, ratio: str, d1: int, d2: int, dstar: int) -> _Plan:
    """r = 0: with latents for every mode of Z, what happens turns at β = d2/rank Z; with fewer, a minimum always exists."""
    while True:
        rank = dstar if family == "unreached" else int(rng.integers(1, min(d1, dstar) + 1))
        where = {"diverging": "below", "valley": "at", "bounded": "above", "unreached": ratio}[family]
        beta = _beta(rng, where, d2 / rank)
        squares = np.concatenate([spread(rng, rank, 0.03, 1.0), np.zeros(dstar - rank)])
        if rank > 1 and rng.random() < 1 / 4:
            squares[1] = squares[0]
        plan = _Plan(squares, 0.0, beta)
        if where == "at" or family == "diverging" or _well_apart(plan, d1, d2):
            return plan


def _well_apart(plan: _Plan, d1: int, d2: int) -> bool:
    """Whether no reachable mode is near its threshold: the misfit, increasing at the minimum, changes sign between them."""

    def misfits(factor: float) -> Float[np.ndarray, " modes"]:
        places = factor * plan.squares[:d1][plan.squares[:d1] > 0] / plan.beta
        return np.array([misfit(float(place), plan.squares, plan.residual, plan.beta, d1, d2) for place in places])

    return bool(np.all(np.sign(misfits(_MARGIN)) == np.sign(misfits(1 / _MARGIN))))
