"""The decoder's variance learned as well: what it comes to, where modes collapse as β grows, and where there is no minimum (§4.4).

The ledger's x.decoder-variance-exact: the learned η_dec² is the least R_k/(d2 − k β) over the k with k β < d2, where
R_k = r + Σ_{i>k} ζ_i². So β η_dec² never falls as β grows, and mode k collapses at the β at which it reaches ζ_k². Where r = 0 and
there are latents for all modes, the loss has no lower bound for β < d2/rank Z; at β = d2/rank Z it is level: any η_dec² up to a
largest one is optimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy
from jaxtyping import Float
from sympy import Expr, Symbol

from derivations import notation as n
from derivations.decoder_variance import CLOSED_FORM, kept
from derivations.elbo import PARTITION
from numerics.lambdified import evaluate
from numerics.prediction import Levels
from numerics.tolerances import FLOAT64_IDENTITY, RESIDUAL_MOMENT

__all__ = ["LearnedDecoder", "learned_decoder", "partition"]

_level = Symbol("level", positive=True)


@lru_cache(maxsize=1)
def _critical_beta() -> Expr:
    """The β at which k modes with a learned η_dec² have this level β η_dec²."""
    (found,) = sympy.solve(sympy.Eq(n.beta * CLOSED_FORM.args[0], _level), n.beta)
    return found


@dataclass(frozen=True, eq=False)
class LearnedDecoder:
    """A learned decoder variance.

    Args:
        variance: η_dec²; 0 where the loss has no lower bound; the largest where there are many.
        level: whether there are many: any smaller η_dec² > 0 has the same loss.
        critical_beta: the β from which on a mode is collapsed, shape (modes,); nan where no latent reaches.
        bound: the β below which the loss has no lower bound; 0 if it always has one.
    """

    variance: float
    level: bool
    critical_beta: Float[np.ndarray, " modes"]
    bound: float


def learned_decoder(levels: Levels, latents: int, beta: float) -> LearnedDecoder:
    """What η_dec² comes to where it is learned, at a weight β of the Kullback–Leibler term."""
    unexplained = levels.residual + levels.remaining
    rank = int(np.sum(levels.zeta_squared > 0))
    everything = unexplained <= RESIDUAL_MOMENT.value * levels.variance and 0 < rank <= latents
    bound = levels.outputs / rank if everything else 0.0
    flat = everything and abs(beta - bound) <= FLOAT64_IDENTITY.value * bound
    if everything and beta < bound and not flat:
        variance = 0.0
    else:
        # of a level loss the largest η_dec² is that of fewer modes
        variance = _least(levels, latents, beta, rank - 1 if everything else latents)
    return LearnedDecoder(variance, flat, _critical(levels, latents), bound)


def partition(levels: Levels, variance: float) -> float:
    """(d2/2) log η_dec² in nats, what the partition function adds to the loss but for a constant."""
    change = sympy.expand_log(PARTITION - PARTITION.subs(n.eta_dec, 1))
    return float(evaluate(change, {n.d2: levels.outputs, n.eta_dec: np.sqrt(variance)}))


def _least(levels: Levels, latents: int, beta: float, most: int) -> float:
    values = levels.values(latents, beta=beta)
    found = []
    for count in range(min(values[n.d1], most) + 1):
        value, admitted = evaluate(CLOSED_FORM, values | {kept: np.float64(count)}, "numpy")
        if bool(admitted):
            found.append(float(value))
    return max(0.0, min(found))


def _critical(levels: Levels, latents: int) -> Float[np.ndarray, " modes"]:
    squares = levels.zeta_squared
    values = levels.values(latents)
    critical = np.full(len(squares), np.nan)
    for k in range(min(latents, len(squares))):
        at = {kept: np.float64(k + 1), _level: squares[k]}
        critical[k] = evaluate(_critical_beta(), values | at, "numpy") if squares[k] > 0 else 0.0
    return critical
