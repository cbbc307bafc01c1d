"""The least losses that the ledger has proved, for many instances of one shape at once, from planted singular values."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from sympy import Basic

from derivations import notation as n
from derivations.decoder_limits import HELD_PIECE, held_line, held_rest
from derivations.decoder_variance import kept
from derivations.ledger import claims_by_id
from numerics.decoder_objective import DecoderParameters, decoder_loss
from numerics.lambdified import evaluate
from numerics.objective import Parameters, Statistics, vae_loss
from numerics.volume import Block

__all__ = ["least_losses"]


def least_losses(block: Block) -> Float[np.ndarray, " count"]:
    """The minimum of the block's objective, instance by instance; minus infinity where the loss has no lower bound.

    The closed forms of Proposition 2, or of Theorem 2 and Proposition 3, are put into the loss in the basis of the singular
    vectors, where A = I and C is diagonal; a learned η_dec² is the one of the learned decoder variance's closed form, or where σ is
    held the least zero of a slope's pieces.
    """
    statistics = Statistics(*(value.cpu() for value in block.statistics))
    noise = statistics.eta_dec.numpy() ** 2
    if block.learned_decoder:
        noise = _decoder_variances(block) if block.sigma is None else _held_decoder_variances(block)
    bounded = noise > 0
    eta_dec = np.sqrt(np.where(bounded, noise, 1.0))
    size = max(block.shape[2], block.zeta.shape[1])
    U, W, sigma = _point(block, eta_dec, size)
    diagonal = torch.diag_embed(torch.tensor(_padded(block.zeta, size, 0.0)))
    identity = torch.eye(size, dtype=torch.float64).expand(len(noise), size, size)
    held = Statistics(identity, diagonal, *statistics[2:])._replace(eta_dec=torch.tensor(eta_dec))
    at = Parameters(*map(torch.tensor, (W, U, 2 * np.log(sigma))))
    if not block.learned_decoder:
        return np.asarray(vae_loss(*at, *held))
    # (d2/2) log η_dec² is of the true d2, not of the basis's size
    found = np.asarray(decoder_loss(*DecoderParameters(*at, torch.tensor(np.log(eta_dec**2))), *held))
    return np.where(bounded, found + (block.shape[1] - size) / 2 * np.log(eta_dec**2), -np.inf)


def _point(block: Block, eta_dec: Float[np.ndarray, " count"], size: int) -> Any:
    """U and W in that basis, and the standard deviations, smallest first where they are fixed."""
    _, _, d1 = block.shape
    eta_enc = block.statistics.eta_enc.cpu().numpy()
    fixed = block.sigma is not None
    claims = claims_by_id()
    lengths: Basic = claims["prop-2.minimum" if fixed else "thm-2.minimum"].standing.formula
    sigma = np.sort(block.sigma, 1) if block.sigma is not None else np.repeat(eta_enc[:, None], d1, 1)
    values = {
        n.zeta: _padded(block.zeta, size + 1, 0.0),
        n.sigma_sorted: np.concatenate([sigma, np.repeat(eta_enc[:, None], size + 1 - d1, 1)], 1),
        n.beta: block.statistics.beta.cpu().numpy()[:, None],
        n.eta_dec: eta_dec[:, None],
        n.eta_enc: eta_enc[:, None],
    }
    decoder, encoder = (
        np.broadcast_to(found, (len(eta_dec), size + 1))[:, :d1]
        for found in evaluate(sympy.Tuple(*lengths.args[:2]), values)
    )
    if not fixed:
        learned = evaluate(claims["prop-3.variance"].standing.formula, values)
        sigma = np.broadcast_to(learned, (len(eta_dec), size + 1))[:, :d1]
    U, W = (np.zeros((len(eta_dec), size, d1)) for _ in range(2))
    U[:, range(d1), range(d1)], W[:, range(d1), range(d1)] = decoder, encoder
    return U, W, sigma


def _decoder_variances(block: Block) -> Float[np.ndarray, " count"]:
    """η_dec² at the minimum; 0 where the loss has no lower bound."""
    _, d2, d1 = block.shape
    count, dstar = block.zeta.shape
    formula = claims_by_id()["x.decoder-variance-exact"].standing.formula
    values = {
        n.zeta: _padded(block.zeta, dstar + 1, 0.0),
        n.beta: block.statistics.beta.cpu().numpy(),
        n.residual: block.residual,
        n.d2: d2,
        n.dstar: dstar,
    }
    least = np.full(count, np.inf)
    for active in range(min(d1, dstar) + 1):
        value, admitted = evaluate(formula.xreplace({kept: sympy.Integer(active)}), values)
        least = np.minimum(least, np.where(admitted, value, np.inf))
    return least


def _held_decoder_variances(block: Block) -> Float[np.ndarray, " count"]:
    """η_dec² at the minimum where σ is held: where s = η_dec² is at its best, d2 s is r plus what each mode leaves.

    By Proposition 2 that is ζ_i min(ζ_i, c_i √(β s)) with c_i = σ_(i)/η_enc (`derivations.decoder_limits`). The slope is the
    largest of the pieces with k active modes, each below 0 up to its zero: s is the least of these.
    """
    assert block.sigma is not None
    _, d2, d1 = block.shape
    statistics, reached = block.statistics, min(d1, block.zeta.shape[1])
    ratios = np.sort(block.sigma, 1) / statistics.eta_enc.cpu().numpy()[:, None]
    lines = block.zeta[:, :reached] * ratios[:, :reached]
    known = {n.beta: statistics.beta.cpu().numpy(), n.d2: d2}
    zeros = []
    for active in range(reached + 1):
        rest = block.residual + (block.zeta[:, active:] ** 2).sum(1)
        zeros.append(evaluate(HELD_PIECE, known | {held_rest: rest, held_line: lines[:, :active].sum(1)}))
    return np.asarray(np.min(zeros, 0))


def _padded(rows: Float[np.ndarray, "count old"], size: int, value: float) -> Float[np.ndarray, "count size"]:
    return np.pad(rows, ((0, 0), (0, max(0, size - rows.shape[1]))), constant_values=value)[:, :size]
