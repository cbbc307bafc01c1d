"""Instances by the thousand: blocks of one shape each, planted near and at what makes descent hard, drawn side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.regimes import misfit
from numerics.starts import Scales

__all__ = ["ENCODERS", "HARDSHIPS", "LARGEST", "Block", "disturbed_block", "draw_block"]

HARDSHIPS: dict[str, str] = {
    "spread": "singular values on both sides of their thresholds, over two decades",
    "near ties": "two or more singular values, all within 1e-1 to 1e-12 of each other, relative",
    "ties": "equal singular values in pairs",
    "near thresholds": "within 1e-1 to 1e-12 of their thresholds, relative, on either side: all, or one where sigma is fixed",
    "at thresholds": "the same up to rounding",
    "zero modes": "some singular values are zero",
    "six decades of beta": "beta from 1e-3 to 1e3, whatever the singular values",
    "rank-deficient A": "d0 < D0",
    "ill-conditioned A": "eigenvalues of A from 1 down to 1e-8; A is diagonal, so that its inverse root is known to rounding",
}
ENCODERS: dict[str, str] = {
    "learned": "the encoder's variances are learned",
    "fixed": "they are held at random values, some nearly equal",
    "decoder": "they and the decoder's variance are learned",
    "prior": "they are held at the prior's",
    "held": "they are held at random values, and the decoder's variance is learned",
}
_LEARNED_DECODERS = ("decoder", "held")
LARGEST = 12
"""Largest dimension."""


@dataclass(frozen=True)
class Block:
    """Instances of one shape, kind of encoder and hardship, with random starts.

    zeta holds the planted singular values, non-increasing; residual is r; sigma holds fixed standard deviations, else None; d0 is
    the rank of A.
    """

    number: int
    hardship: str
    encoder: str
    zeta: Float[np.ndarray, "count dstar"]
    residual: Float[np.ndarray, " count"]
    sigma: Float[np.ndarray, "count d1"] | None
    d0: int
    statistics: Statistics
    start: Parameters | DecoderParameters | HeldParameters
    scales: Scales

    # The dimensions of its fields differ from block to block.
    __no_type_check__ = True

    @property
    def learned_decoder(self) -> bool:
        """Whether the decoder's variance is learned."""
        return self.encoder in _LEARNED_DECODERS

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        if self.learned_decoder:
            return LEARNED_DECODER if self.sigma is None else LEARNED_DECODER_ALONE
        return LEARNED_VARIANCES if self.sigma is None else FIXED_VARIANCES

    @property
    def shape(self) -> tuple[int, int, int]:
        """D0, d2, d1."""
        return self.start.W.shape[1], *self.start.U.shape[1:]


def draw_block(seed: int, number: int, count: int, device: str | torch.device = "cpu") -> Block:
    """The block of a number, the same for the same seed and count; every hardship meets every kind of encoder in turn."""
    rng = np.random.default_rng([seed, number])
    hardship = list(HARDSHIPS)[number % len(HARDSHIPS)]
    encoder = list(ENCODERS)[number % len(ENCODERS)]
    least = 2 if "ties" in hardship or "A" in hardship else 1
    D0, d2 = (least + int((LARGEST + 1 - least) * rng.random() ** 3) for _ in range(2))
    d1 = 1 + int(LARGEST * rng.random() ** 3)
    d0 = int(rng.integers(1, D0)) if hardship == "rank-deficient A" else D0
    dstar = min(d0, d2)

    eta_dec, eta_enc = 10 ** rng.uniform(-0.5, 0.5, (2, count))
    beta = _betas(rng, hardship, encoder, count, d2 / dstar)
    has_residual = rng.random(count) < 1 / 2
    if encoder == "decoder":
        beta = np.where(has_residual, beta, _off_the_ratios(beta, d2, min(d1, dstar)))
    sigma = _deviations(rng, encoder, eta_enc, d1)
    zeta = _spectrum(rng, hardship, np.sqrt(beta) * eta_dec, sigma, eta_enc, dstar)
    explained = np.sum(zeta**2, 1)
    residual = np.where(has_residual, rng.uniform(0.05, 2, count) * (explained + beta * eta_dec**2), 0.0)
    if encoder in _LEARNED_DECODERS and "thresholds" in hardship:  # the r with which eta_dec is where the loss is least
        ratios = None if sigma is None else np.sort(sigma, 1) / eta_enc[:, None]
        if ratios is not None:  # all zeta_i are multiples of sqrt(beta): a smaller one leaves some
            taken = 1 - misfit(eta_dec**2, zeta**2, 0.0, beta, d1, d2, ratios) / (d2 * eta_dec**2)
            less = np.minimum(1.0, rng.uniform(0.1, 0.9, count) / taken)
            beta, zeta = beta * less, zeta * np.sqrt(less)[:, None]
        residual = misfit(eta_dec**2, zeta**2, 0.0, beta, d1, d2, ratios)
    residual = np.where(explained > 0, residual, 1.0)
    return _planted(
        rng, number, hardship, encoder, (D0, d0, d2, d1), zeta, residual, sigma, (beta, eta_dec, eta_enc), device
    )


def disturbed_block(
    rng: np.random.Generator, block: Block, places: Int[np.ndarray, " count"], device: str | torch.device = "cpu"
) -> Block:
    """Instances like those at some places of a block, a little off: singular values, β, r and fixed σ each by a factor between
    1 ± 1e-1 and 1 ± 1e-12, or not at all; bases and starts are drawn anew."""
    count = len(places)
    beta, eta_dec, eta_enc = (value.cpu().numpy()[places] for value in block.statistics[3:])
    zeta = -np.sort(-block.zeta[places] * _near_one(rng, *block.zeta[places].shape), 1)
    beta = beta * _near_one(rng, count)
    residual = block.residual[places] * _near_one(rng, count)
    sigma = None
    if block.sigma is not None:
        sigma = block.sigma[places] * (1.0 if block.encoder == "prior" else _near_one(rng, *block.sigma[places].shape))
    D0, d2, d1 = block.shape
    if block.encoder == "decoder":
        off = _off_the_ratios(beta, d2, min(d1, zeta.shape[1]))
        beta = np.where(residual > 0, beta, off)
    sizes = (D0, block.d0, d2, d1)
    scales = (beta, eta_dec, eta_enc)
    return _planted(rng, block.number, block.hardship, block.encoder, sizes, zeta, residual, sigma, scales, device)


def _near_one(rng: np.random.Generator, *shape: int) -> Float[np.ndarray, " ..."]:
    return 1 + _tiny(rng, *shape) * rng.choice([-1.0, 0.0, 1.0], shape)


def _planted(
    rng: np.random.Generator,
    number: int,
    hardship: str,
    encoder: str,
    sizes: tuple[int, int, int, int],
    zeta: Float[np.ndarray, "count dstar"],
    residual: Float[np.ndarray, " count"],
    sigma: Float[np.ndarray, "count d1"] | None,
    scalars: tuple[Float[np.ndarray, " count"], Float[np.ndarray, " count"], Float[np.ndarray, " count"]],
    device: str | torch.device,
) -> Block:
    """The block with these singular values, r, σ and (β, η_dec, η_enc), of sizes D0, d0, d2, d1."""
    D0, d0, d2, d1 = sizes
    A, C = _moments(rng, hardship, zeta, D0, d0, d2)
    arrays = (A, C, np.sum(zeta**2, 1) + residual, *scalars)
    statistics = Statistics(*(torch.tensor(array, dtype=torch.float64) for array in arrays))
    learned = encoder in _LEARNED_DECODERS
    scales = Scales.from_moments(statistics, learned_decoder=learned)
    start = _start(rng, statistics, scales, sigma, d1, learned_decoder=learned)
    statistics = Statistics(*(value.to(device) for value in statistics))
    start = type(start)(*(value.to(device) for value in start))
    scales = Scales(*(getattr(scales, name).to(device) for name in ("W", "U", "loss")))
    return Block(number, hardship, encoder, zeta, residual, sigma, d0, statistics, start, scales)


def _betas(
    rng: np.random.Generator, hardship: str, encoder: str, count: int, ratio: float
) -> Float[np.ndarray, " count"]:
    """beta; with a learned decoder variance on both sides of `ratio` = d2/d*, or below it where thresholds have to be met."""
    if hardship == "six decades of beta":
        return 10 ** rng.uniform(-3, 3, count)
    if encoder == "decoder":
        return ratio * 10 ** rng.uniform(-1, -0.05 if "thresholds" in hardship else 1, count)
    return 10 ** rng.uniform(-1.3, 0.8, count)


def _off_the_ratios(beta: Float[np.ndarray, " count"], d2: int, modes: int) -> Float[np.ndarray, " count"]:
    """The same, but no nearer than 2 % to where k modes make the loss level in η_dec²: with r = 0 it falls or rises for ever there,
    so slowly that descent cannot tell."""
    ratios = d2 / np.arange(1, modes + 1)
    while (near := np.abs(beta[:, None] / ratios - 1).min(1) < 1 / 50).any():
        beta = np.where(near, beta * (1 + 1 / 20), beta)
    return beta


def _deviations(
    rng: np.random.Generator, encoder: str, eta_enc: Float[np.ndarray, " count"], d1: int
) -> Float[np.ndarray, "count d1"] | None:
    """Fixed standard deviations, half of the time nearly equal; None where they are learned."""
    if encoder in ("learned", "decoder"):
        return None
    if encoder == "prior":
        return np.repeat(eta_enc[:, None], d1, 1)
    count = len(eta_enc)
    spread = 10 ** rng.uniform(-0.5, 0.5, (count, d1))
    close = spread[:, :1] * (1 + _tiny(rng, count, 1) * rng.uniform(-1, 1, (count, d1)))
    return eta_enc[:, None] * np.where(rng.random((count, 1)) < 1 / 2, close, spread)


def _tiny(rng: np.random.Generator, *shape: int) -> Float[np.ndarray, " ..."]:
    return 10 ** -rng.uniform(1, 12, shape)


def _spectrum(
    rng: np.random.Generator,
    hardship: str,
    level: Float[np.ndarray, " count"],
    sigma: Float[np.ndarray, "count d1"] | None,
    eta_enc: Float[np.ndarray, " count"],
    dstar: int,
) -> Float[np.ndarray, "count dstar"]:
    """Singular values, non-increasing, about a level, √β η_dec: the threshold of every mode where σ_i is η_enc or learned.

    Where σ is fixed, it is that of one mode m: the m-th largest singular value meets the m-th smallest σ.
    """
    count = len(level)
    spread = 10 ** rng.uniform(-0.7, 1.3, (count, dstar))
    signs = rng.uniform(-1, 1, (count, dstar))
    met = np.zeros(count, dtype=int)
    if sigma is not None:
        met = rng.integers(0, min(dstar, sigma.shape[1]), count)
        level = level * np.sort(sigma, 1)[np.arange(count), met] / eta_enc
    levels = np.repeat(level[:, None], dstar, 1)
    if "thresholds" in hardship:
        close = levels * (1 + _tiny(rng, count, dstar) * np.sign(signs)) if hardship == "near thresholds" else levels
        if sigma is None or np.all(sigma == eta_enc[:, None]):
            return -np.sort(-close, 1)
        above, below = levels * rng.uniform(1.5, 10, (count, dstar)), levels * rng.uniform(0.1, 0.7, (count, dstar))
        place = np.arange(dstar)
        return -np.sort(-np.where(place < met[:, None], above, np.where(place > met[:, None], below, close)), 1)
    found = {
        "near ties": levels * spread[:, :1] * (1 + _tiny(rng, count, 1) * signs),
        "ties": (levels * spread)[:, np.arange(dstar) // 2],
        "zero modes": levels * spread * (rng.random((count, dstar)) < 1 / 2),
        "six decades of beta": spread,
    }.get(hardship, levels * spread)
    return -np.sort(-found, 1)


def _moments(
    rng: np.random.Generator, hardship: str, zeta: Float[np.ndarray, "count dstar"], D0: int, d0: int, d2: int
) -> tuple[Float[np.ndarray, "count D0 D0"], Float[np.ndarray, "count d2 D0"]]:
    """A and C with these singular values of Z, in random bases."""
    count, dstar = zeta.shape
    P, F, G = (_orthogonal(rng, count, size) for size in (D0, d2, d0))
    phi = rng.uniform(0.3, 3, (count, d0))
    if hardship == "ill-conditioned A":
        P, phi = np.broadcast_to(np.eye(D0), P.shape), 10 ** -rng.uniform(0, 8, (count, d0))
    P = P[:, :, :d0]
    A = (P * phi[:, None, :]) @ P.swapaxes(1, 2)
    Z = (F[:, :, :dstar] * zeta[:, None, :]) @ G[:, :, :dstar].swapaxes(1, 2)
    return (A + A.swapaxes(1, 2)) / 2, Z @ (P * np.sqrt(phi)[:, None, :]).swapaxes(1, 2)


def _orthogonal(rng: np.random.Generator, count: int, size: int) -> Float[np.ndarray, "count size size"]:
    return np.linalg.qr(rng.standard_normal((count, size, size)))[0]


def _start(
    rng: np.random.Generator,
    statistics: Statistics,
    scales: Scales,
    sigma: Float[np.ndarray, "count d1"] | None,
    d1: int,
    *,
    learned_decoder: bool,
) -> Parameters | DecoderParameters | HeldParameters:
    """Random points of those sizes."""
    _, C, y2, _, _, eta_enc = statistics
    count, d2, D0 = C.shape
    W, U = (torch.tensor(rng.standard_normal((count, size, d1))) for size in (D0, d2))
    W = W * (scales.W / D0**0.5)[:, None, None]
    U = U * (scales.U / d1**0.5)[:, None, None]
    log_variance = torch.tensor(rng.standard_normal((count, d1))) / 2 + 2 * eta_enc.log()[:, None]
    if sigma is not None:
        log_variance = torch.tensor(2 * np.log(sigma))
    if not learned_decoder:
        return Parameters(W, U, log_variance)
    at = DecoderParameters(W, U, log_variance, torch.tensor(rng.standard_normal(count)) + (y2 / d2).log())
    return at if sigma is None else HeldParameters.of(at)
