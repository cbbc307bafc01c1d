"""A grid of β and seeds as a task for training: linear models on second moments, networks on batches of samples (§5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivations.errors import DataError
from numerics.datasets import DataSet
from numerics.networks import ACTIVATIONS, Linear, Network, Stack
from numerics.training import Schedule

__all__ = ["ARCHITECTURES", "Grid", "LinearGrid", "NetworkGrid", "Setting", "grid_of"]

ARCHITECTURES = ("linear", *ACTIVATIONS)
_ROWS = 1 << 19
"""Numbers that one layer's output may hold in a look: samples are taken in pieces."""


@dataclass(frozen=True)
class Setting:
    """What is trained, and how.

    Args:
        architecture: "linear" (variances that do not depend on x, expectations exact), "relu" or "tanh".
        betas: weights of the KL term.
        seeds: of the random starts.
        d1: latents.
        hidden: d_h, for networks.
        batch: samples a step, for networks.
        schedule: rates and when to stop.
        looked: samples that a look takes, at most; draws: of the noise for each sample in the final measurement.
        single: float32 instead of float64, for networks.
        eta_dec, eta_enc: standard deviations of decoder and prior.
    """

    architecture: str
    betas: tuple[float, ...]
    seeds: tuple[int, ...]
    d1: int
    schedule: Schedule
    hidden: int = 0
    batch: int = 0
    looked: int = 4096
    draws: int = 8
    single: bool = False
    eta_dec: float = 1.0
    eta_enc: float = 1.0

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise DataError(f"there is no architecture {self.architecture!r}; give one of {', '.join(ARCHITECTURES)}.")
        if not self.betas or not all(np.isfinite(beta) and beta > 0 for beta in self.betas):
            raise DataError(f"betas must be positive numbers, got {self.betas!r}.")
        if list(self.betas) != sorted(set(self.betas)):
            raise DataError(f"betas must rise, got {self.betas!r}.")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise DataError(f"seeds must be different whole numbers, at least 0; got {self.seeds!r}.")


class Grid:
    """Members in the order of β, then of seeds."""

    def __init__(self, data: DataSet, setting: Setting, device: torch.device | str) -> None:
        self.data, self.setting = data, setting
        self.dtype = torch.float32 if setting.single and setting.architecture != "linear" else torch.float64
        self.device = torch.device(device)
        self.beta = self.tensor(np.repeat(setting.betas, len(setting.seeds)))
        self.members = len(self.beta)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the outcome depends on, for the checkpoint; the data by their digest."""
        digest = hashlib.blake2b(self.data.x.tobytes(), digest_size=16)
        if not self.data.autoencoder:
            digest.update(self.data.y.tobytes())
        chosen = asdict(self.setting) | {"device": self.device.type, "torch": str(torch.__version__)}
        chosen |= {"data": self.data.name, "digest": digest.hexdigest()}
        return {name: value for name, value in chosen.items() if name != "schedule"}

    def tensor(self, values: Any) -> Tensor:
        """On this device, in this precision."""
        return torch.tensor(np.asarray(values), dtype=self.dtype, device=self.device)

    def generator(self) -> torch.Generator:
        """Of batches and noise."""
        return _seeded(self.device, 1, *self.setting.seeds)

    def starts(self) -> list[torch.Generator]:
        """One for each member."""
        s = self.setting
        return [_seeded("cpu", 0, seed, place) for place in range(len(s.betas)) for seed in s.seeds]


def _seeded(device: torch.device | str, *numbers: int) -> torch.Generator:
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator(device).manual_seed(seed)


class LinearGrid(Grid):
    """Linear models on second moments: no batch, no noise."""

    def __init__(self, data: DataSet, setting: Setting, device: torch.device | str) -> None:
        super().__init__(data, setting, device)
        m = data.moments
        self.model = Linear(
            self.tensor(m.A), self.tensor(m.C), self.tensor(m.y2), setting.d1, setting.eta_dec, setting.eta_enc
        )

    def initial(self) -> Stack:
        return self.model.initial(self.starts())

    def loss(self, stack: Stack, generator: torch.Generator, share: float = 1.0) -> Tensor:
        return self.model.loss(stack, share * self.beta)

    def look(self, stack: Stack) -> Tensor:
        return self.model.loss(stack, self.beta)

    def measure(self, stack: Stack) -> tuple[Tensor, Tensor, Tensor]:
        """L_VAE, σ̄ and KL of each member; the mean square of the encoder's means is that of the data's second moment."""
        prior, variance = self.setting.eta_enc**2, stack["log_variance"].exp()
        second = ((self.model.A @ stack["W"]) * stack["W"]).sum(-2)
        kl = ((second + variance) / prior - 1 - (variance / prior).log()) / 2
        return self.look(stack), variance.sqrt(), kl


class NetworkGrid(Grid):
    """Networks on samples: batches, and noise drawn anew at each step."""

    def __init__(self, data: DataSet, setting: Setting, device: torch.device | str) -> None:
        super().__init__(data, setting, device)
        self.x = self.tensor(data.x)
        self.y = self.x if data.autoencoder else self.tensor(data.y)
        d0, d2 = self.x.shape[1], self.y.shape[1]
        self.model = Network(d0, setting.d1, d2, setting.hidden, setting.architecture, setting.eta_dec, setting.eta_enc)

    def initial(self) -> Stack:
        return self.model.initial(self.starts(), self.dtype, self.device)

    def loss(self, stack: Stack, generator: torch.Generator, share: float = 1.0) -> Tensor:
        rows = torch.randint(len(self.x), (self.setting.batch,), generator=generator, device=self.device)
        noise = self._noise(len(rows), generator)
        return self.model.loss(stack, share * self.beta, self.x[rows], self.y[rows], noise)

    def look(self, stack: Stack) -> Tensor:
        return self._mean_loss(stack, min(self.setting.looked, len(self.x)), 1, _seeded(self.device, 2))

    def measure(self, stack: Stack) -> tuple[Tensor, Tensor, Tensor]:
        """L_VAE, σ̄ and KL of each member on all samples, noise drawn `draws` times for each."""
        deviation = kl = torch.zeros((), dtype=torch.float64, device=self.device)
        for x, _ in self._pieces(len(self.x)):
            codes = self.model.codes(stack, x)
            deviation = deviation + codes.deviation.double().sum(1)
            prior = self.setting.eta_enc**2
            variance = codes.deviation.double().square() / prior
            kl = kl + ((codes.mean.double().square() / prior + variance - 1 - variance.log()) / 2).sum(1)
        loss = self._mean_loss(stack, len(self.x), self.setting.draws, _seeded(self.device, 3))
        n = len(self.x)
        return loss, deviation / n, kl / n

    def _mean_loss(self, stack: Stack, n: int, draws: int, generator: torch.Generator) -> Tensor:
        total = torch.zeros(self.members, dtype=torch.float64, device=self.device)
        for x, y in self._pieces(n):
            for _ in range(draws):
                noise = self._noise(len(x), generator)
                total += self.model.loss(stack, self.beta, x, y, noise).double() * (len(x) / (n * draws))
        return total

    def _pieces(self, n: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The first n samples, in pieces."""
        widest = max(self.setting.hidden, self.x.shape[1], self.y.shape[1]) * self.members
        rows = max(1, _ROWS // widest)
        return ((self.x[k : min(k + rows, n)], self.y[k : min(k + rows, n)]) for k in range(0, n, rows))

    def _noise(self, n: int, generator: torch.Generator) -> Tensor:
        shape = (self.members, n, self.setting.d1)
        return torch.randn(shape, generator=generator, dtype=self.dtype, device=self.device)


def grid_of(data: DataSet, setting: Setting, device: torch.device | str) -> LinearGrid | NetworkGrid:
    """The task of a setting."""
    return (LinearGrid if setting.architecture == "linear" else NetworkGrid)(data, setting, device)
