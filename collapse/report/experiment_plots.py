"""Figures 1 to 3 and A.1: loss and σ̄ against β with the linear theory's curves and thresholds, and images drawn from the prior."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from collapse.experiments import Experiment
from collapse.report.experiments import caption
from derivations.errors import DataError
from numerics.grids import grid_of
from numerics.networks import Stack
from numerics.sweeps import Sweep

__all__ = ["blank", "figure_of_curves", "figure_of_images"]

SHOWN = 8
"""Images a model."""
MARKERS = "osD^v"
FINE = 200
"""Points of the theory's curves."""
LONGEST_WORD = 10
"""Letters by which a line of a caption may exceed its even share."""


def blank(width: float, height: float) -> Any:
    """A matplotlib figure of that size in inches.

    Raises:
        DataError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DataError(
            "collapse figures needs matplotlib: install this project with its extra, pip install '.[notebooks]'."
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def figure_of_curves(experiments: list[Experiment], sweeps: list[Sweep]) -> Any:
    """A row for each sweep: the loss, and σ̄ of each latent, medians over seeds with their whole range as bars."""
    figure = blank(9.5, 3.6 * len(sweeps))
    for part, experiment, sweep in zip(
        np.atleast_1d(figure.subfigures(len(sweeps), 1)), experiments, sweeps, strict=True
    ):
        left, right = row = part.subplots(1, 2)
        betas = np.asarray(sweep.setting.betas)
        fine = np.linspace(betas[0], betas[-1], FINE)
        optima = [sweep.optimum(float(beta)) for beta in fine]
        left.plot(fine, [each.loss for each in optima], color="0.6", label="least loss of a linear model")
        _bars(left, betas, sweep.measured.loss, "o", "measured")
        left.set(xlabel="β", ylabel="L (nats)", title=f"{sweep.data}, {sweep.setting.architecture}: loss")
        reach = min(sweep.setting.d1, len(sweep.levels.zeta_squared))
        curves = np.array([each.encoder_std[:reach] for each in optima])
        for k in range(reach):
            right.plot(fine, curves[:, k], color="0.6", label="linear theory" if k == 0 else None)
            _bars(right, betas, sweep.measured.deviation[:, :, k], MARKERS[k % len(MARKERS)], f"latent {k + 1}")
        right.set(xlabel="β", ylabel="σ̄ (standard deviation)", title="encoder noise, latents by rising σ̄")
        for axes in row:
            label: str | None = "threshold ζ²/η_dec²"
            for threshold in sweep.thresholds:
                axes.axvline(threshold, color="0.75", linestyle="--", linewidth=0.8, label=label)
                label = None
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, fontsize=7)
        part.supxlabel(_lines(caption(experiment, sweep), 150), fontsize=7)
    return figure


def _lines(text: str, most: int) -> str:
    """Wrapped into lines of about equal length."""
    return textwrap.fill(text, len(text) // (len(text) // most + 1) + LONGEST_WORD)


def _bars(axes: Any, betas: np.ndarray, values: np.ndarray, marker: str, label: str) -> None:
    middle = np.median(values, axis=1)
    spread = np.abs(np.stack([values.min(1), values.max(1)]) - middle)
    axes.errorbar(
        betas,
        middle,
        spread,
        fmt=marker,
        color="black",
        markersize=3.5,
        markerfacecolor="white",
        linewidth=0.8,
        label=label,
    )


def figure_of_images(experiment: Experiment, sweep: Sweep, data: Any, device: str) -> Any:
    """For each β images decoded from draws of the prior by the first seed's model: the same draws for every β."""
    setting = sweep.setting
    grid, stack = grid_of(data, setting, device), sweep.stack
    z = grid.tensor(np.random.default_rng(0).standard_normal((SHOWN, setting.d1)) * setting.eta_enc)
    members = [row * len(setting.seeds) for row in range(len(setting.betas))]
    chosen: Stack = {name: value[members] for name, value in stack.items()}
    images = grid.model.decoded(chosen, z.expand(len(members), *z.shape)).detach().cpu().double().numpy()
    side = round(images.shape[-1] ** 0.5)
    figure = blank(1.0 * SHOWN + 1.6, 1.05 * len(members) + 0.5)
    predicted = [int(sweep.optimum(beta).active.sum()) for beta in setting.betas]
    for row, (panels, beta) in enumerate(
        zip(figure.subplots(len(members), SHOWN, squeeze=False), setting.betas, strict=True)
    ):
        for axes, image in zip(panels, images[row], strict=True):
            axes.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        text = f"β = {beta:g}\nused {sweep.used[row, 0]}\npredicted {predicted[row]}"
        panels[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8)
    figure.suptitle(_lines(f"{caption(experiment, sweep)}; images of seed {setting.seeds[0]}", 140), fontsize=7)
    return figure
