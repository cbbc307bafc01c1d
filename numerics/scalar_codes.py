"""Encoders and decoders of one Gaussian mode that are not linear: what they lose is to be compared with a bound on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from sympy import Basic, Rational

from derivations import notation as n

__all__ = ["Code", "one_bit_codes", "smooth_codes"]

_REACH = 8.0
"""Standard deviations that the grids of quadrature reach out to; beyond lies 1e-15 of the mass."""
_INPUTS, _LATENTS = 641, 801


@dataclass(frozen=True)
class Code:
    """One mode y = zeta g with g standard normal, scales (standard deviations but for beta), and the L_VAE of some VAE on it."""

    name: str
    zeta: Any
    beta: Any
    eta_dec: Any
    eta_enc: Any
    loss: Any

    @property
    def values(self) -> dict[Basic, Any]:
        """What the symbols of a formula stand for."""
        kind = object if isinstance(self.zeta, Basic) else np.float64
        singular = np.array([self.zeta, 0 * self.zeta], dtype=kind)
        sizes: dict[Basic, Any] = dict.fromkeys((n.D0, n.d0, n.d1, n.d2, n.dstar), 1)
        return sizes | {n.zeta: singular, n.beta: self.beta, n.eta_dec: self.eta_dec, n.eta_enc: self.eta_enc}


@lru_cache(maxsize=1)
def one_bit_codes() -> tuple[Code, ...]:
    """The half of the prior on g's side of 0 as encoder, which costs log 2, and the mean of y given its sign as decoder: exact."""
    scales = [Rational(1, 4), Rational(1, 2), sympy.S.One, Rational(2), Rational(3)]
    found = []
    for zeta in scales:
        for beta in scales:
            eta_dec = Rational(2) / 3
            error = zeta**2 * (1 - 2 / sympy.pi)
            loss = error / (2 * eta_dec**2) + beta * sympy.log(2)
            found.append(Code(f"one bit, zeta = {zeta}, beta = {beta}", zeta, beta, eta_dec, sympy.S.One, loss))
    return tuple(found)


@lru_cache(maxsize=4)
def smooth_codes(seed: int, count: int = 30) -> Sequence[Code]:
    """Random smooth encoders, each with its own mean and deviation as functions of g, and the best decoder for each."""
    return [_smooth_code(np.random.default_rng([seed, index]), index) for index in range(count)]


def _smooth_code(generator: np.random.Generator, index: int) -> Code:
    """Near the encoder that is best among the linear ones, and further away for every second code."""
    zeta, eta_dec, eta_enc = (float(value) for value in np.exp(generator.uniform(-0.7, 0.7, 3)))
    ratio = float(np.exp(generator.uniform(-1, 2)))  # zeta^2 over the level
    beta = zeta**2 / ratio / eta_dec**2
    amplitude = 0.1 if index % 2 else 0.6
    g = np.linspace(-_REACH, _REACH, _INPUTS)
    bend, shift, steep, wave = generator.uniform(-1, 1, 4)
    mean = np.sqrt(max(0.0, 1 - 1 / ratio)) * g + amplitude * (bend * np.tanh(2 * steep * g + shift) + 0.2)
    deviation = np.sqrt(min(1.0, 1 / ratio)) * np.exp(amplitude * wave * np.cos(g))
    divergence = _mean(g, (deviation**2 + mean**2 - 1) / 2 - np.log(deviation))
    error = zeta**2 * _least_squared_error(g, mean, deviation)
    loss = error / (2 * eta_dec**2) + beta * divergence
    return Code(f"smooth-{index}, zeta^2 = {ratio:.3g} level", zeta, beta, eta_dec, eta_enc, loss)


def _weights(g: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    return np.exp(-(g**2) / 2) / np.sqrt(2 * np.pi) * (g[1] - g[0])


def _mean(g: Float[np.ndarray, " k"], values: Float[np.ndarray, " k"]) -> float:
    return float(_weights(g) @ values)


def _least_squared_error(
    g: Float[np.ndarray, " k"], mean: Float[np.ndarray, " k"], deviation: Float[np.ndarray, " k"]
) -> float:
    """E (g - E[g | z])^2 for z ~ N(mean(g), deviation(g)^2), in units of the prior."""
    inside = np.abs(g) < _REACH
    edge = float((np.abs(mean) + _REACH * deviation)[inside].max())
    z = np.linspace(-edge, edge, _LATENTS)
    density = np.exp(-(((z[:, None] - mean) / deviation) ** 2) / 2) / (np.sqrt(2 * np.pi) * deviation)
    joint = density * _weights(g)
    mass = joint.sum(1)
    read = np.divide(joint @ g, mass, out=np.zeros_like(mass), where=mass > 0)
    return 1.0 - float((mass * read**2).sum() * (z[1] - z[0]))
