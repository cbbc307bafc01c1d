"""What a trained VAE's codes say of the level t = β η_dec² that training had, mode by mode, and of the modes they encode.

A code of variance p with noise s tells ½ log(1 + p/s) nats of a Gaussian. Where the encoder's variances are learned, that is the KL
of the latent at the optimum, ½ log(ζ_i²/t) (Theorem 2); where they are held at σ², p is what Proposition 2 says. Both are solved
for t here, from the ledger's own formulas. Unlike a KL, this information stays where latents are scaled, rotated or mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy
from jaxtyping import Float
from sympy import Expr, Max, Symbol

from derivations import notation as n
from derivations.elbo import KL_PRINTED
from derivations.errors import DataError
from derivations.proposition_2_fixed_variance import equation_8
from derivations.theorem_2_learned_variance import EQUATION_17_18, EQUATION_19
from numerics.lambdified import evaluate
from numerics.streaming import Samples, nonempty, rows_of, shift_of, shifted

__all__ = ["Resolved", "held_optimum", "log_level", "resolved"]

_t, _measured = sympy.symbols("t measured", positive=True)


def _solved(formula: Expr) -> Expr:
    """log t for the level t at which an active mode's formula has the measured value."""
    active = formula.replace(sympy.Piecewise, lambda *cases: cases[0][0]).replace(Max, lambda *parts: sum(parts))
    at_level = sympy.simplify(active.subs(n.beta, _t / n.eta_dec**2))
    (found,) = sympy.solve(sympy.Eq(sympy.expand_log(at_level, force=True), _measured), _t)
    return sympy.expand_log(sympy.log(found), force=True)


@lru_cache(maxsize=1)
def _log_level_learned() -> Expr:
    zeta = Symbol("zeta", positive=True)
    deviation = EQUATION_19.subs(n.zeta[n.i], zeta)
    return _solved(_information(EQUATION_17_18.args[1].subs(n.zeta[n.i], zeta), deviation)).subs(zeta, n.zeta[n.i])


@lru_cache(maxsize=1)
def _log_level_held() -> Expr:
    zeta, sigma = sympy.symbols("zeta sigma", positive=True)
    found = _solved(_information(equation_8(sigma)[1].subs(n.zeta[n.i], zeta), sigma))
    return found.subs({zeta: n.zeta[n.i], sigma: n.sigma[n.i]})


def _information(encoder: Expr, deviation: Expr) -> Expr:
    """Of a latent with mean encoder · x, E x² = 1, in nats."""
    return sympy.log(1 + encoder**2 / deviation**2) / 2


@lru_cache(maxsize=1)
def _noise_level() -> Expr:
    """The level at whose optimum a latent has its variance, given its decoder and whatever its encoder: η_dec² L_VAE as far as it
    depends on σ, the decoder's share ‖u‖² σ²/2 (Eq. 6) and the KL, is stationary."""
    sigma, mean, length = sympy.symbols("sigma mean length", positive=True)
    kl = KL_PRINTED.function.subs({n.eta_enc: 1, n.sigma[n.i]: sigma, n.mean[n.i]: mean})
    (found,) = sympy.solve(sympy.diff(length**2 * sigma**2 / 2 + _t * kl, sigma), _t)
    return found.subs({length: _measured, sigma: n.sigma[n.i]})


def log_level(
    zeta_squared: Float[np.ndarray, " modes"], information: Float[np.ndarray, " modes"], held: float | None
) -> Float[np.ndarray, " modes"]:
    """log t for the t at whose optimum the codes tell so much of each mode.

    Args:
        zeta_squared: of the modes.
        information: in nats.
        held: the encoder's variance in units of the prior's, where it is not learned; else None.
    """
    values = {n.zeta: np.sqrt(zeta_squared), _measured: information, n.eta_enc: 1.0}
    if held is None:
        return np.asarray(evaluate(_log_level_learned(), values))
    return np.asarray(evaluate(_log_level_held(), values | {n.sigma: np.sqrt(held)}))


def held_optimum(
    zeta_squared: Float[np.ndarray, " modes"], latents: int, level: float, variance: float
) -> tuple[Float[np.ndarray, " latents"], Float[np.ndarray, " latents"]]:
    """KL and information of each latent, in nats, at the optimum with all encoder variances held at one (Proposition 2).

    Args:
        zeta_squared: non-increasing.
        latents: how many there are; those beyond the modes encode nothing.
        level: β η_dec².
        variance: of the encoder, in units of the prior's.
    """
    zeta = np.zeros(latents)
    reach = min(latents, len(zeta_squared))
    zeta[:reach] = np.sqrt(zeta_squared[:reach])
    deviation = np.full(latents, np.sqrt(variance))
    values = {n.zeta: zeta, n.sigma: deviation, n.beta: level, n.eta_dec: 1.0, n.eta_enc: 1.0}
    encoder = np.broadcast_to(evaluate(equation_8(n.sigma[n.i])[1], values), latents)
    kl = evaluate(KL_PRINTED.function, values | {n.mean: encoder})
    information = evaluate(_information(n.mean[n.i], n.sigma[n.i]), values | {n.mean: encoder})
    return np.broadcast_to(kl, latents).copy(), np.broadcast_to(information, latents).copy()


@dataclass(frozen=True, eq=False)
class Resolved:
    """What codes tell of data, direction by direction of the code space, the best explained first.

    Args:
        explained: the part of E‖y‖² that a linear function of this direction of the means explains: ζ_i² for each mode i where the
            means span modes, however latents mix them; never more than the i-th largest ζ².
        information: what the codes tell of it, in nats.
        shares: of the variance of each latent's mean, by direction.
        noise: what codes that have nothing to do with the data would explain on average.
        noise_levels: by latent, the β η_dec² for which it has the noise it has, given the linear decoder that is the best for the
            codes; nan where its noise is nearly the prior's, which says nothing.
    """

    explained: Float[np.ndarray, " directions"]
    information: Float[np.ndarray, " directions"]
    shares: Float[np.ndarray, "latents directions"]
    noise: float
    noise_levels: Float[np.ndarray, " latents"]


TELLING = 0.1
"""Share of the prior's variance by which a latent's noise has to be less, to say anything of the level."""


def resolved(
    means: Float[np.ndarray, "n latents"],
    variance: Float[np.ndarray, " latents"],
    y: Samples,
    *,
    centre: bool,
    least: float,
) -> Resolved:
    """Regress data on codes: a pass over the data with bounded memory.

    Args:
        means, variance: of the encoder; the variance averaged over the samples.
        y: what is reconstructed, in the same order.
        centre: whether means are taken off.
        least: nats that a direction of the code space has to tell, to count.

    Raises:
        DataError: codes and data differ in number.
    """
    codes = (means - means.mean(0) if centre else means) / np.sqrt(variance)
    cross, whole = _cross_moment(codes, y, centre=centre)
    values, axes = np.linalg.eigh(codes.T @ codes / len(codes))
    telling = np.log1p(np.maximum(values, 0.0)) / 2 > least
    values, axes = values[telling], axes[:, telling]
    explained, turn = np.linalg.eigh(_gram((axes / np.sqrt(values)).T @ cross))
    explained, turn = np.maximum(explained[::-1], 0.0), turn[:, ::-1]
    parts = (axes * np.sqrt(values)) @ turn  # latents, in units of their noise, in terms of the directions
    power = np.maximum(np.einsum("ij,ij->j", codes, codes) / len(codes), np.finfo(np.float64).tiny)
    information = np.log1p((parts**2).sum(0)) / 2
    # codes in units of their noise: that adds the identity to their moment, and σ to the length of a decoder's column
    decoder = np.linalg.solve(codes.T @ codes / len(codes) + np.eye(len(variance)), cross)
    lengths = np.sqrt(np.einsum("ij,ij->i", decoder, decoder) / variance)
    told = (1 - variance > TELLING) & (np.log1p(power) / 2 > least)
    known = {_measured: lengths, n.sigma: np.sqrt(np.where(told, variance, 1 / 2))}
    levels = np.where(told, evaluate(_noise_level(), known), np.nan)
    return Resolved(explained, information, parts**2 / power[:, None], whole / len(codes), levels)


def _gram(rows: np.ndarray) -> np.ndarray:
    return rows @ rows.T


def _cross_moment(codes: np.ndarray, y: Samples, *, centre: bool) -> tuple[np.ndarray, float]:
    """E[code yᵀ], and E‖y‖² (about the mean where centred)."""
    shift: Float[np.ndarray, " features"] | None = None
    cross, total, squares, seen = np.zeros((codes.shape[1], y.shape[1])), np.zeros(y.shape[1]), 0.0, 0
    for chunk in nonempty(y.chunks(rows_of(y.shape[1])), y.name):
        if shift is None:
            # codes that are centred need no centred data
            shift = shift_of(chunk) if centre else np.zeros(y.shape[1])
        moved = shifted(chunk, shift)
        if seen + len(moved) > len(codes):
            raise DataError(f"there are codes of {len(codes)} samples, and {y.name} has more: encode these data.")
        cross += codes[seen : seen + len(moved)].T @ moved
        total += moved.sum(0)
        squares += float(np.vdot(moved, moved))
        seen += len(moved)
    if seen < len(codes):
        raise DataError(f"there are codes of {len(codes)} samples, and {y.name} has {seen}: encode these data.")
    whole = (squares / seen - float(total @ total) / seen**2 * centre) * y.factor**2
    return cross * (y.factor / seen), whole
