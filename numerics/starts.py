"""Random starts of a descent, and the typical sizes of its parameters. Neither uses any of the theory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.arrays import Array, namespace
from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.objective import Parameters, Statistics
from numerics.problem import Problem

__all__ = ["Scales", "random_decoder_start", "random_start"]


@dataclass(frozen=True)
class Scales:
    """Typical sizes, one per instance: of the entries of W and U, and of the loss in nats.

    They only make step lengths and roundings dimensionless: W maps x to a latent of the prior's standard deviation,
    U maps such a latent to y.
    """

    W: Float[Array, "*batch"]
    U: Float[Array, "*batch"]
    loss: Float[Array, "*batch"]

    @classmethod
    def of(cls, problem: Problem, device: str | torch.device = "cpu") -> Scales:
        """Those of one instance."""
        return cls.from_moments(Statistics.of(problem, device), learned_decoder=problem.learned_decoder)

    @classmethod
    def from_moments(cls, statistics: Statistics, *, learned_decoder: bool) -> Scales:
        """Those of one instance or a batch, from the traces of the second moments."""
        A, C, y2, beta, eta_dec, eta_enc = statistics
        d2 = C.shape[-2]
        xp = namespace(A)
        noise = y2 / d2 if learned_decoder else xp.square(eta_dec)
        return cls(
            eta_enc / xp.sqrt(xp.diagonal(A, 0, -2, -1).mean(-1)),
            xp.sqrt((y2 + beta * noise) / d2) / eta_enc,
            y2 / (2 * noise) + beta,
        )

    def rows(self, index: Int[Tensor, " rows"]) -> Scales:
        """Those of some instances of a batch."""
        return Scales(self.W[index], self.U[index], self.loss[index])

    def flat(self, like: Parameters | DecoderParameters | HeldParameters, free: int) -> Float[Tensor, "batch p"]:
        """One size per entry of the first `free` parameters; logarithms have no unit."""
        sizes = [self.W[:, None, None], self.U[:, None, None]] + [torch.ones_like(self.W)] * (free - 2)
        parts = [
            size.reshape(-1, *[1] * (value.ndim - 1)).expand(value.shape)
            for size, value in zip(sizes, like, strict=False)
        ]
        return torch.cat([part.reshape(len(part), -1) for part in parts], dim=-1)


def random_start(problem: Problem, seed: int, distance: float = 1.0) -> Parameters:
    """A random point of a sensible size, on the CPU; it depends on the instance's numbers and the seed alone.

    Args:
        problem: the instance.
        seed: non-negative seed.
        distance: from the origin W = U = 0 and σ = η_enc, relative to the usual one.
    """
    return Parameters(*random_decoder_start(problem, seed, distance)[:3])


def random_decoder_start(problem: Problem, seed: int, distance: float = 1.0) -> DecoderParameters:
    """The same with a random decoder variance around E‖y‖²/d2; same arguments."""
    content = problem.A.tobytes() + problem.C.tobytes() + np.array([problem.beta, problem.eta_dec]).tobytes()
    generator = torch.Generator().manual_seed(zlib.crc32(content, zlib.crc32(str(seed).encode())))
    normal = partial(torch.randn, dtype=torch.float64, generator=generator)
    with np.errstate(all="ignore"):  # scales that overflow make a start that descent cannot certify
        scales = Scales.from_moments(Statistics.arrays_of(problem), learned_decoder=problem.learned_decoder)
        level = np.log(problem.y2 / problem.d2)
    W = distance * normal(problem.D0, problem.d1) * scales.W / np.sqrt(problem.D0)
    U = distance * normal(problem.d2, problem.d1) * scales.U / np.sqrt(problem.d1)
    if problem.sigma is None:
        log_variance = distance * normal(problem.d1) / 2 + 2 * np.log(problem.eta_enc)
    else:
        log_variance = torch.tensor(2 * np.log(problem.sigma), dtype=torch.float64)
    return DecoderParameters(W, U, log_variance, distance * normal(()) + level)
