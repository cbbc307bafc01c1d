"""Random instances over every regime of the theory, planted so that their singular values are known by construction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.problem import Problem
from numerics.regimes import REGIMES, regime_counts, regimes_of

__all__ = ["REGIMES", "Problem", "planted_problem", "random_problems", "regime_counts", "regimes_of", "spread"]

# (D0, d2, d1). Few shapes, so that descent works in large batches; every aspect ratio, and d1 on every side of d*.
_SHAPES = (
    (1, 1, 1),
    (2, 1, 2),
    (1, 3, 1),
    (3, 3, 1),
    (2, 2, 2),
    (3, 5, 2),
    (5, 3, 3),
    (4, 4, 6),
    (2, 6, 1),
    (6, 2, 4),
    (4, 6, 4),
    (6, 5, 6),
)
# Cycle lengths 12, 7 and 5 share no factor: every combination occurs.
_SPECTRA = ("partial", "complete", "at-threshold", "none", "ties", "zero-mode", "any")
_ENCODERS = ("learned", "prior", "learned", "fixed", "learned")


@dataclass(frozen=True)
class _Plan:
    """The scales of an instance before its spectrum is drawn; standard deviations throughout."""

    beta: float
    eta_dec: float
    eta_enc: float
    sigma: Float[np.ndarray, " d1"] | None

    def thresholds(self, reachable: int) -> Float[np.ndarray, " modes"]:
        """Where to place samples on both sides, ascending (see regimes.mode_thresholds)."""
        ratio = np.ones(reachable) if self.sigma is None else np.sort(self.sigma)[:reachable] / self.eta_enc
        return np.sqrt(self.beta) * self.eta_dec * ratio


def random_problems(count: int, seed: int) -> list[Problem]:
    """Random instances over every regime of `REGIMES`, the same for the same seed.

    Away from exact thresholds and exact ties, every reachable ζ_i keeps at least 2 % from its threshold and from its
    neighbours, so that no instance is ill-conditioned by accident. The first n of a longer list are the shorter list.

    Args:
        count: how many.
        seed: non-negative seed.

    Raises:
        DataError: count or seed is negative.
    """
    if count < 0 or seed < 0:
        raise DataError(f"count and seed must not be negative; got count = {count}, seed = {seed}.")
    return [_random_problem(index, seed) for index in range(count)]


def _random_problem(index: int, seed: int) -> Problem:
    rng = np.random.default_rng([seed, index])
    D0, d2, d1 = _SHAPES[index % len(_SHAPES)]
    spectrum = _SPECTRA[index % len(_SPECTRA)]
    d0 = int(rng.integers(1, D0)) if D0 > 1 and rng.random() < 1 / 3 else D0
    plan = _random_plan(rng, d1, _ENCODERS[index % len(_ENCODERS)], exact=spectrum == "at-threshold")
    zeta = _random_spectrum(rng, spectrum, plan, d1, min(d0, d2))
    autoencoder = D0 == d2 and bool(zeta[-1] > 0) and rng.random() < 1 / 2
    explained = float(np.sum(zeta**2))
    residual = 0.0
    if not autoencoder and (explained == 0 or rng.random() < 1 / 2):
        residual = (explained + plan.beta * plan.eta_dec**2) * float(rng.uniform(0.05, 2))
    return planted_problem(
        rng,
        D0=D0,
        d2=d2,
        d1=d1,
        zeta=zeta,
        phi=zeta**2 if autoencoder else rng.uniform(0.3, 3, d0),
        residual=residual,
        autoencoder=autoencoder,
        beta=plan.beta,
        eta_dec=plan.eta_dec,
        eta_enc=plan.eta_enc,
        sigma=plan.sigma,
        name=f"random-{seed}-{index}",
    )


def planted_problem(
    rng: np.random.Generator,
    *,
    D0: int,
    d2: int,
    d1: int,
    zeta: Float[np.ndarray, " dstar"],
    phi: Float[np.ndarray, " d0"],
    residual: float,
    beta: float,
    eta_dec: float,
    eta_enc: float,
    sigma: Float[np.ndarray, " d1"] | None = None,
    learned_decoder: bool = False,
    autoencoder: bool = False,
    name: str = "",
) -> Problem:
    """An instance with given singular values ζ of Z and eigenvalues φ of A, and random singular and eigenvectors.

    Args:
        rng: source of the random orthogonal factors.
        D0, d2, d1: dimensions of x, y and the latent.
        zeta: singular values of Z, non-increasing, shape (min(d0, d2),).
        phi: positive eigenvalues of A, shape (d0,); ζ² for an autoencoder.
        residual: r = E‖y‖² − ‖Z‖².
        beta, eta_dec, eta_enc, sigma, learned_decoder: as in Problem; standard deviations.
        autoencoder: plant y = x, so that C = A.
        name: as in Problem.
    """
    d0 = len(phi)
    P = _random_orthogonal(rng, D0)[:, :d0]
    A = (P * phi) @ P.T
    A = (A + A.T) / 2
    if autoencoder:
        C, y2 = A, float(np.sum(phi))
    else:
        F, G = _random_orthogonal(rng, d2), _random_orthogonal(rng, d0)
        C = (F[:, : len(zeta)] * zeta) @ G[:, : len(zeta)].T @ (P * np.sqrt(phi)).T
        y2 = float(np.sum(zeta**2)) + residual
    problem = Problem(
        A=A, C=C, y2=y2, d1=d1, beta=beta, eta_dec=eta_dec, eta_enc=eta_enc, sigma=sigma, zeta=zeta,
        learned_decoder=learned_decoder, name=name,
    )  # fmt: skip
    return replace(problem, regimes=regimes_of(problem))


def _random_plan(rng: np.random.Generator, d1: int, encoder: str, *, exact: bool) -> _Plan:
    """Scales log-uniform over two decades of β and one of each η, or dyadic ones whose thresholds are exact floats."""
    sigma = None
    if exact:
        beta, eta_dec = 4.0 ** int(rng.integers(-2, 3)), float(rng.choice([0.5, 0.75, 1.25, 2.0]))
        eta_enc = float(rng.choice([0.5, 1.0, 2.0]))
        if encoder == "fixed":
            sigma = rng.choice(np.arange(3, 24), size=d1, replace=False) / 8
    else:
        beta = float(10 ** rng.uniform(-2, 2))
        eta_dec, eta_enc = (float(value) for value in 10 ** rng.uniform(-0.5, 0.5, 2))
        if encoder == "fixed":
            sigma = rng.permutation(eta_enc * spread(rng, d1, 0.3, 3.0))
    if encoder == "prior":
        sigma = np.full(d1, eta_enc)
    return _Plan(beta, eta_dec, eta_enc, sigma)


def _random_spectrum(
    rng: np.random.Generator, kind: str, plan: _Plan, d1: int, dstar: int
) -> Float[np.ndarray, " dstar"]:
    """Non-increasing singular values of the wanted kind, or as near to it as the shape allows."""
    reachable = min(d1, dstar)
    thresholds = plan.thresholds(reachable)
    if kind == "complete":
        above = 0
    elif kind == "none":
        above = reachable
    elif kind == "at-threshold":
        above = int(rng.integers(0, reachable))
    elif kind == "partial" and reachable > 1:
        above = int(rng.integers(1, reachable))
    else:
        above = int(rng.integers(0, reachable + 1))
    boundary = thresholds[min(above, reachable - 1)]
    upper = spread(rng, above, 1.02, 3.0) * boundary
    ceiling = upper[-1] if above == reachable else boundary
    zeta = np.concatenate([upper, spread(rng, dstar - above, 0.1, 0.98) * ceiling])
    if kind == "at-threshold":
        zeta[above : above + int(np.sum(thresholds[above : above + int(rng.integers(1, 3))] == boundary))] = boundary
    elif kind == "ties":
        pairs = [i for i in range(dstar - 1) if i + 1 != above or above == reachable]
        for i in sorted(rng.permutation(pairs)[:2]):
            zeta[i + 1] = zeta[i]
    elif kind == "zero-mode":
        zeta[int(rng.integers(0, dstar)) :] = 0
    return zeta


def spread(rng: np.random.Generator, count: int, low: float, high: float) -> Float[np.ndarray, " count"]:
    """Random values in [low, high], decreasing, spread in logarithm so that no two come near each other."""
    position = (np.arange(count)[::-1] + rng.uniform(0.02, 0.9, count)) / max(count, 1)
    return low * (high / low) ** position


def _random_orthogonal(rng: np.random.Generator, n: int) -> Float[np.ndarray, "n n"]:
    Q, R = np.linalg.qr(rng.standard_normal((n, n)))
    return Q * np.sign(np.diag(R))
