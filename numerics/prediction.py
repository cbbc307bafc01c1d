"""What the linear VAE does with a spectrum: which modes it keeps, what they cost, and which setting keeps how much.

All formulas are the ledger's, lambdified: Theorem 2 (Eq 17-19), the least L_VAE, the KL of one latent, the learned η_dec².
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from jaxtyping import Bool, Float

from derivations import notation as n
from derivations.elbo import KL_PRINTED
from derivations.errors import DataError
from derivations.linear_agreement import LEVEL, LINEAR_LOSS
from derivations.theorem_2_learned_variance import CORRECTED_EXTRA_LATENTS, EQUATION_17_18, EQUATION_19
from numerics.lambdified import evaluate

__all__ = ["Levels", "Optimum", "level_for_explained", "level_for_nats", "levels_of_active"]

# unsimplified, which spares an import of SymPy's units
(CRITICAL_BETA,) = sympy.solve(sympy.Eq(LEVEL, n.zeta[n.i] ** 2), n.beta, simplify=False)
"""The β from which on mode i is collapsed, at a given η_dec."""
(CRITICAL_ETA_DEC,) = sympy.solve(sympy.Eq(LEVEL, n.zeta[n.i] ** 2), n.eta_dec, simplify=False)
"""The same for η_dec, a standard deviation, at a given β."""


@dataclass(frozen=True, eq=False)
class Levels:
    """What the theory needs of data: the leading squared singular values of Z, and the rest.

    Args:
        zeta_squared: the leading ζ_i², non-increasing, shape (modes,); for an autoencoder eigenvalues of the covariance of x.
        remaining: the sum of all further ζ_i².
        residual: r = E‖y‖² − Σ ζ_i², what no linear function of x explains; 0 for an autoencoder.
        outputs: d2, the dimension of y.
    """

    zeta_squared: Float[np.ndarray, " modes"]
    remaining: float
    residual: float
    outputs: int

    @cached_property
    def variance(self) -> float:
        """E‖y‖², about the mean where the data were centred."""
        return float(self.zeta_squared.sum()) + self.remaining + self.residual

    def values(self, latents: int, **scales: float) -> dict[Any, Any]:
        """What the symbols of a closed form stand for; modes that are not among the leading ones count as residual, which they
        are as long as no latent reaches them."""
        size = max(latents, len(self.zeta_squared)) + 1
        zeta = np.zeros(size)
        zeta[: len(self.zeta_squared)] = np.sqrt(self.zeta_squared)
        known = {getattr(n, name): value for name, value in scales.items()}
        return known | {
            n.zeta: zeta,
            n.residual: self.residual + self.remaining,
            n.d1: min(latents, len(self.zeta_squared)),
            n.d2: self.outputs,
            n.dstar: len(self.zeta_squared),
        }


@dataclass(frozen=True, eq=False)
class Optimum:
    """The global minimum of L_VAE with learned encoder variances, by mode.

    Args:
        levels: of the data.
        latents: d1.
        beta: weight of the Kullback–Leibler term.
        eta_dec, eta_enc: standard deviations of decoder and prior.
    """

    levels: Levels
    latents: int
    beta: float
    eta_dec: float
    eta_enc: float = 1.0

    @cached_property
    def _values(self) -> dict[Any, Any]:
        return self.levels.values(self.latents, beta=self.beta, eta_dec=self.eta_dec, eta_enc=self.eta_enc)

    def _at_modes(self, formula: Any) -> Float[np.ndarray, " modes"]:
        """A formula of mode i at the leading modes."""
        found = np.asarray(evaluate(formula, self._values, "numpy"), dtype=np.float64)
        return np.broadcast_to(found, self._values[n.zeta].shape)[: len(self.levels.zeta_squared)]

    @property
    def level(self) -> float:
        """β η_dec², with which ζ_i² is compared."""
        return float(evaluate(LEVEL, self._values))

    @cached_property
    def reached(self) -> Bool[np.ndarray, " modes"]:
        """Which modes have a latent."""
        return np.arange(len(self.levels.zeta_squared)) < self.latents

    @cached_property
    def critical_beta(self) -> Float[np.ndarray, " modes"]:
        """The β from which on a mode is collapsed."""
        return self._at_modes(CRITICAL_BETA)

    @cached_property
    def critical_eta_dec(self) -> Float[np.ndarray, " modes"]:
        """The decoder's standard deviation from which on a mode is collapsed."""
        return self._at_modes(CRITICAL_ETA_DEC)

    @cached_property
    def active(self) -> Bool[np.ndarray, " modes"]:
        """Which modes the model keeps: those with U Vᵀ ≠ 0."""
        decoder, encoder = (self._at_modes(part) for part in EQUATION_17_18.args)
        return self.reached & (decoder * encoder > 0)

    @cached_property
    def encoder_std(self) -> Float[np.ndarray, " modes"]:
        """σ_i of the latent of each mode (Eq 19); nan where no latent reaches."""
        return np.where(self.reached, self._at_modes(EQUATION_19), np.nan)

    @property
    def spare_std(self) -> float:
        """σ_i of a latent without a mode."""
        return float(evaluate(CORRECTED_EXTRA_LATENTS, self._values))

    @cached_property
    def kl_nats(self) -> Float[np.ndarray, " modes"]:
        """KL of the latent of each mode from the prior, averaged over the data, in nats; 0 where no latent reaches."""
        _, encoder = (self._at_modes(part) for part in EQUATION_17_18.args)
        deviation = self._at_modes(EQUATION_19)
        values = self._values | {n.sigma: deviation, n.mean: encoder}
        found = evaluate(KL_PRINTED.function, values)
        # below the threshold it is 0 but for rounding
        return np.where(self.active, np.maximum(found, 0.0), 0.0)

    @property
    def rate_nats(self) -> float:
        """The KL of all latents."""
        return float(self.kl_nats.sum())

    @cached_property
    def loss(self) -> float:
        """The least L_VAE in nats, without the decoder's partition function (Eq 5)."""
        return float(evaluate(LINEAR_LOSS, self._values))

    @cached_property
    def distortion(self) -> float:
        """E‖y − ŷ‖² in squared units of the data: what is left of 2 η_dec² L_VAE without the rate."""
        return 2 * self.eta_dec**2 * (self.loss - self.beta * self.rate_nats)

    @property
    def explained(self) -> float:
        """1 − E‖y − ŷ‖²/E‖y‖²; the encoder's noise counts as error."""
        return 1 - self.distortion / self.levels.variance


def levels_of_active(levels: Levels, latents: int, count: int) -> tuple[float, float]:
    """[low, high): the β η_dec² at which exactly `count` modes are kept.

    Raises:
        DataError: no such level exists.
    """
    most = min(latents, int(np.sum(levels.zeta_squared > 0)))
    if not 0 <= count <= most:
        raise DataError(
            f"--active: {count} modes cannot be kept; the data and {latents} latents allow 0 to {most}. Give another number."
        )
    high = float(levels.zeta_squared[count - 1]) if count else np.inf
    # latents that reach further modes, or beyond the data's rank: any smaller level keeps no more
    low = float(levels.zeta_squared[count]) if count < most else 0.0
    if low == high:
        raise DataError(
            f"--active: modes {count} and {count + 1} have the same ζ² = {high:.6g}, so that no level keeps exactly {count}; "
            "give another number."
        )
    return low, high


def level_for_nats(levels: Levels, latents: int, nats: float) -> float:
    """The β η_dec² at which the rate is so many nats: with k modes active it is Σ_{i ≤ k} ½ log(ζ_i²/t).

    As many are as have a smaller rate at t = ζ_i²; where rounding makes it one more or less, t is the same.

    Raises:
        DataError: the rate is not positive or too large, or no latent has anything to encode.
    """
    squares = _reachable(levels, latents, "--nats")
    if not (np.isfinite(nats) and nats > 0):
        raise DataError(f"--nats must be a positive number of nats, got {nats!r}.")
    logarithms = np.log(squares)
    rates = (np.cumsum(logarithms) - np.arange(1, len(squares) + 1) * logarithms) / 2
    kept = max(1, int(np.sum(rates < nats)))
    level = float(np.exp((logarithms[:kept].sum() - 2 * nats) / kept))
    if level < np.finfo(np.float64).tiny:
        raise DataError(f"--nats {nats:g} is more than float64 can tell of {kept} modes: give a smaller number.")
    return level


def level_for_explained(levels: Levels, latents: int, share: float) -> float:
    """The β η_dec² at which 1 − E‖y − ŷ‖²/E‖y‖² is this share: the error is r + Σ min(ζ_i², t) over the latents + the rest.

    As many modes are active as leave a larger error at t = ζ_i²; where rounding makes it one more or less, t is the same.

    Raises:
        DataError: the share is not between 0 and what the latents can explain.
    """
    squares = _reachable(levels, latents, "--explained")
    most = float(squares.sum()) / levels.variance
    if not 0 < share < most:
        raise DataError(
            f"--explained must lie between 0 and {most:.6g}, what {latents} latents can explain of the variance; got {share!r}."
        )
    lost = (most - share) * levels.variance
    behind = np.append(np.cumsum(squares[::-1])[-2::-1], 0.0)  # of the modes after each, the least first
    errors = np.arange(1, len(squares) + 1) * squares + behind
    kept = max(1, int(np.sum(errors > lost)))
    return float((lost - behind[kept - 1]) / kept)


def _reachable(levels: Levels, latents: int, option: str) -> Float[np.ndarray, " modes"]:
    squares = levels.zeta_squared[:latents]
    squares = squares[squares > 0]
    if not len(squares):
        raise DataError(f"{option}: there is nothing to encode, every ζ² is 0.")
    return squares
