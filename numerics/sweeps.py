"""A grid of β and seeds trained at once, measured, and held beside the linear theory: what Figures 1 and 2 plot (§5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from numerics.datasets import DataSet
from numerics.grids import Setting, grid_of
from numerics.networks import Stack
from numerics.prediction import Levels, Optimum
from numerics.threads import one_thread
from numerics.training import SAVED_EVERY, Look, Schedule, train

__all__ = ["IMAGE_SCHEDULE", "IMAGE_SIZES", "LINEAR_SCHEDULE", "Measured", "Sweep", "straddling", "sweep"]

LINEAR_SCHEDULE = Schedule((1e-1, 1e-2, 1e-3), every=250, patience=4, progress=1e-8, most=10_000)
"""Of linear models; exact expectations bear larger steps than the paper's 1e-3: the minimum does not depend on them."""
IMAGE_SCHEDULE = Schedule((1e-3, 1e-4), every=250, patience=3, progress=1e-3, most=3_000)
"""Of networks on images, cut down for two cores."""
IMAGE_SIZES = {"hidden": 64, "batch": 128, "looked": 2048, "draws": 1}
"""And their sizes, as arguments of `Setting`."""
USED = 0.01
"""Nats from which on a latent counts as used: an optimal mode less than 2 % above its threshold does not yet."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of each member on all samples, averaged over them.

    Args:
        loss: L_VAE in nats, shape (betas, seeds).
        deviation: σ̄_i, standard deviations of the encoder in rising order, shape (betas, seeds, d1).
        kl: KL of each latent in nats, falling, shape (betas, seeds, d1).
        settled: whether training ended by its rule, shape (betas, seeds).
        steps: how many were taken.
    """

    loss: Float[np.ndarray, "betas seeds"]
    deviation: Float[np.ndarray, "betas seeds d1"]
    kl: Float[np.ndarray, "betas seeds d1"]
    settled: Bool[np.ndarray, "betas seeds"]
    steps: int

    __no_type_check__ = True  # the dimensions of its fields differ from sweep to sweep


@dataclass(frozen=True, eq=False)
class Sweep:
    """A setting, what was measured, and the levels of the data from which the theory is computed."""

    data: str
    setting: Setting
    measured: Measured
    levels: Levels
    stack: Stack

    def optimum(self, beta: float) -> Optimum:
        """Of the linear theory."""
        return Optimum(self.levels, self.setting.d1, beta, self.setting.eta_dec, self.setting.eta_enc)

    @cached_property
    def stated_loss(self) -> Float[np.ndarray, " betas"]:
        """The least L_VAE of a linear model."""
        return np.array([self.optimum(beta).loss for beta in self.setting.betas])

    @cached_property
    def stated_deviation(self) -> Float[np.ndarray, "betas d1"]:
        """σ_i at its minimum; the prior's for latents without a mode."""
        found = np.full((len(self.setting.betas), self.setting.d1), self.setting.eta_enc)
        reach = min(self.setting.d1, len(self.levels.zeta_squared))
        for row, beta in zip(found, self.setting.betas, strict=True):
            row[:reach] = self.optimum(beta).encoder_std[:reach]
        return found

    @property
    def thresholds(self) -> Float[np.ndarray, " modes"]:
        """β = ζ_i²/η_dec² of the modes that have a latent."""
        return self.optimum(self.setting.betas[0]).critical_beta[: self.setting.d1]

    @cached_property
    def relative_loss(self) -> Float[np.ndarray, "betas seeds"]:
        """The measured loss over the stated one, minus 1."""
        return self.measured.loss / self.stated_loss[:, None] - 1

    @cached_property
    def used(self) -> Int[np.ndarray, "betas seeds"]:
        """How many latents spend more than `USED` nats."""
        return (self.measured.kl > USED).sum(-1)

    @cached_property
    def predicted_deaths(self) -> Int[np.ndarray, " modes"]:
        """For each mode the place in the grid from which on β is at least its threshold."""
        return np.searchsorted(np.asarray(self.setting.betas), self.thresholds)

    @cached_property
    def _alive(self) -> Bool[np.ndarray, "modes betas seeds"]:
        """Where at least so many latents are used."""
        order = np.arange(1, len(self.thresholds) + 1)
        return self.used[None] >= order[:, None, None]

    @cached_property
    def measured_deaths(self) -> Int[np.ndarray, "modes seeds"]:
        """For each mode k and seed the place in the grid from which on fewer than k latents are used; 0 where they always are."""
        betas = len(self.setting.betas)
        after_the_last = betas - np.argmax(self._alive[:, ::-1], axis=1)
        return np.where(self._alive.any(1), after_the_last, 0)

    @cached_property
    def missing(self) -> Int[np.ndarray, "modes seeds"]:
        """For each mode k and seed at how many β below its threshold fewer than k latents are used: training has missed a mode."""
        below = np.arange(len(self.setting.betas))[None, :, None] < self.predicted_deaths[:, None, None]
        return (below & ~self._alive).sum(1)

    @cached_property
    def away(self) -> Bool[np.ndarray, " betas"]:
        """Which β lie further from every threshold than half the grid's step there."""
        betas = np.asarray(self.setting.betas)
        if len(betas) == 1:
            return np.ones(1, dtype=bool)
        steps = np.gradient(betas) / 2
        return np.all(np.abs(betas[:, None] - self.thresholds[None, :]) > steps[:, None], axis=1)


def straddling(thresholds: Float[np.ndarray, " modes"]) -> tuple[float, ...]:
    """A grid with a β below, between and above thresholds, three significant digits each."""
    t = np.unique(np.asarray(thresholds)[np.asarray(thresholds) > 0])
    middle = np.sqrt(t[1:] * t[:-1])
    grid = np.concatenate([t[0] * np.array([0.4, 0.85]), middle, t[-1] * np.array([1.1, 1.4])])
    return tuple(float(f"{beta:.3g}") for beta in grid)


def sweep(
    data: DataSet,
    setting: Setting,
    *,
    device: torch.device | str = "cpu",
    path: Path | None = None,
    watched: Callable[[Look], None] = lambda look: None,
    saved_every: float = SAVED_EVERY,
) -> Sweep:
    """Train the grid, and measure where it ended.

    Args:
        data: samples; networks see them as they are, linear models about their means.
        setting: what is trained, and how.
        device: where.
        path: of a checkpoint, see `train`.
        watched: told at each look.
        saved_every: seconds between checkpoints.

    Raises:
        DataError: training diverged, or the checkpoint cannot be used.
    """
    with one_thread():
        grid = grid_of(data, setting, device)
        ended = train(grid, setting.schedule, path=path, watched=watched, saved_every=saved_every)
        with torch.no_grad():
            loss, deviation, kl = grid.measure(ended.stack)
    shape = (len(setting.betas), len(setting.seeds))

    def shaped(values: Tensor, *last: int) -> np.ndarray:
        return values.cpu().double().numpy().reshape(*shape, *last)

    measured = Measured(
        shaped(loss),
        np.sort(shaped(deviation, setting.d1)),
        -np.sort(-shaped(kl, setting.d1)),
        ended.settled.numpy().reshape(shape),
        ended.steps,
    )
    return Sweep(data.name, setting, measured, data.levels, ended.stack)
