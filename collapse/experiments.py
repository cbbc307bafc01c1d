"""The paper's experiments as sweeps: which data, models, grids and schedules each figure has, and how they are run (§5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from collapse.workers import Backlog, workers
from derivations.errors import DataError
from numerics.datasets import SOURCES, data_set
from numerics.grids import Setting
from numerics.mnist import IMAGE_SETS
from numerics.sweeps import IMAGE_SCHEDULE, IMAGE_SIZES, LINEAR_SCHEDULE, Sweep, straddling, sweep
from numerics.training import Look, Schedule

__all__ = ["FIGURES", "Effort", "Experiment", "experiments_of", "run"]

LATENTS = 5


class Effort(StrEnum):
    """How much is trained."""

    QUICK = "quick"
    DEFAULT = "default"
    FULL = "full"


@dataclass(frozen=True)
class Figure:
    """What a figure is of: its data by default, and the models it plots."""

    data: str
    architectures: tuple[str, ...]


FIGURES = {
    "1": Figure("synthetic", ("relu", "linear")),
    "2": Figure("mnist", ("relu", "linear")),
    "3": Figure("mnist", ("relu",)),
    "a1": Figure("synthetic", ("tanh", "linear")),
}
SYNTHETIC_BETAS = tuple(0.75 * k for k in range(1, 22))
"""On both sides of every threshold of the synthetic regression, 0.75 apart."""

_LINEAR = {
    Effort.QUICK: Schedule((1e-1, 1e-2, 1e-3), every=100, patience=2, progress=1e-6, most=2_000),
    Effort.DEFAULT: LINEAR_SCHEDULE,
    Effort.FULL: replace(LINEAR_SCHEDULE, most=100_000),
}
_WIDE = (1e-2, 1e-3, 1e-4)
"""Rates for linear models of 784 pixels: the more inputs, the smaller an entry of W."""
_SYNTHETIC = {
    Effort.QUICK: Schedule((1e-3, 1e-4), every=250, patience=4, progress=1e-3, most=3_000),
    Effort.DEFAULT: Schedule((1e-3, 1e-4), every=500, patience=4, progress=1e-4, most=14_000),
    Effort.FULL: Schedule((1e-3, 1e-4), every=1_000, patience=10, progress=1e-4, most=100_000),
}
_WARM_UP = {Effort.QUICK: 1_500, Effort.DEFAULT: 6_000, Effort.FULL: 6_000}
"""Steps of networks on the synthetic regression over which the KL term's weight rises to beta. Without, networks of eight units
leave modes unlearned that pay (README)."""
_IMAGES = {
    Effort.QUICK: Schedule((1e-3,), every=100, patience=2, progress=1e-3, most=400),
    Effort.DEFAULT: IMAGE_SCHEDULE,
    Effort.FULL: Schedule((1e-4,), every=1_000, patience=10, progress=1e-4, most=100_000),
}
_SIZES = {
    Effort.QUICK: {"hidden": 32, "batch": 64, "seeds": (0,), "looked": 1024, "draws": 1},
    Effort.DEFAULT: {**IMAGE_SIZES, "seeds": (0, 1, 2)},
    Effort.FULL: {"hidden": 2048, "batch": 128, "seeds": (0, 1, 2, 3, 4), "looked": 4096, "draws": 1},
}
_SAMPLES = {Effort.QUICK: 5_000, Effort.DEFAULT: None, Effort.FULL: None}


@dataclass(frozen=True)
class Experiment:
    """One sweep of a figure: the data set's name, how many of its samples (None: all), and the setting."""

    data: str
    samples: int | None
    setting: Setting
    effort: Effort

    @property
    def name(self) -> str:
        """For files and messages."""
        width = f"-{self.setting.hidden}" if self.setting.hidden else ""
        return f"{self.data}-{self.setting.architecture}{width}-{self.effort}"

    @property
    def checkpoint(self) -> str:
        """The file of its checkpoint: another setting has another, so that both may lie in one folder."""
        digest = hashlib.blake2b(repr((self.samples, self.setting)).encode(), digest_size=4).hexdigest()
        return f"{self.name}-{digest}.pt"

    @property
    def of_the_paper(self) -> bool:
        """Whether d_h, d1 and the first learning rate are those of section 5, the KL term has its weight from the first step on,
        and training is not shortened."""
        s, images = self.setting, self.data != "synthetic"
        sizes = (s.hidden, s.d1, s.schedule.rates[0])
        return (
            self.effort is not Effort.QUICK
            and s.schedule.warm_up == 0
            and sizes == (2048 if images else 8, LATENTS, 1e-4 if images else 1e-3)
        )


def experiments_of(
    figure: str,
    *,
    data: str | None = None,
    effort: Effort = Effort.DEFAULT,
    hidden: int | None = None,
    seeds: int | None = None,
    warm_up: bool = True,
) -> list[Experiment]:
    """The sweeps behind a figure.

    Args:
        figure: a key of `FIGURES`.
        data: another data set, a key of `numerics.datasets.SOURCES`.
        effort: how much is trained.
        hidden: units of a hidden layer, instead of the effort's.
        seeds: how many random starts, instead of the effort's.
        warm_up: whether networks on the synthetic regression start with a KL term of weight 0, which rises to beta.

    Raises:
        DataError: there is no such figure or data set, the data are not at hand, or figure 3 is asked of what are no images.
    """
    if figure not in FIGURES:
        raise DataError(f"--figure: there is no figure {figure}; give one of {', '.join(FIGURES)}.")
    chosen = data or FIGURES[figure].data
    if chosen not in SOURCES:
        raise DataError(f"--data: there is no data set {chosen}; give one of {', '.join(SOURCES)}.")
    if figure == "3" and chosen == "synthetic":
        raise DataError("--figure 3 shows images, and the synthetic regression has none; give --data digits or mnist.")
    return [_experiment(chosen, each, effort, hidden, seeds, warm_up) for each in FIGURES[figure].architectures]


def _experiment(
    data: str, architecture: str, effort: Effort, hidden: int | None, seeds: int | None, warm_up: bool
) -> Experiment:
    sizes: dict[str, Any] = dict(_SIZES[effort])
    samples = _SAMPLES[effort]
    if data == "synthetic":
        betas = SYNTHETIC_BETAS[:: 4 if effort is Effort.QUICK else 1]
        many = (0, 1) if effort is Effort.QUICK else (0, 1, 2, 3, 4)
        sizes |= {"hidden": 8, "batch": 64, "seeds": many, "draws": 8}
        samples, schedule = None, replace(_SYNTHETIC[effort], warm_up=_WARM_UP[effort] if warm_up else 0)
    else:
        betas = straddling(data_set(data).first(samples).levels.zeta_squared[:LATENTS])
        betas = betas[::3] if effort is Effort.QUICK else betas
        schedule, sizes["single"] = _IMAGES[effort], True
    if seeds is not None:
        sizes["seeds"] = tuple(range(seeds))
    if hidden is not None:
        sizes["hidden"] = hidden
    if architecture == "linear":  # no batch, no noise, no hidden layer: second moments
        sizes = {"seeds": sizes["seeds"]}
        schedule = _LINEAR[effort] if data not in IMAGE_SETS else replace(_LINEAR[effort], rates=_WIDE)
    return Experiment(data, samples, Setting(architecture, betas, d1=LATENTS, schedule=schedule, **sizes), effort)


def run(
    experiments: list[Experiment],
    *,
    directory: Path | None = None,
    device: str = "cpu",
    watched: Callable[[str, Look], None] = lambda name, look: None,
    finished: Callable[[str], None] = lambda name: None,
) -> list[Sweep]:
    """Train them all, side by side where there are cores; on a GPU one after another.

    Args:
        experiments: which.
        directory: where checkpoints are kept: a run that was killed goes on from them, and ends with the same numbers.
        device: "cpu" or "cuda".
        watched: told how far the one in this process has come.
        finished: told of each that has ended.

    Raises:
        DataError: training diverged, or a checkpoint cannot be used.
    """
    found: dict[str, Sweep] = {}
    if device != "cpu":
        for each in experiments:
            found[each.name] = _swept(each, directory, device, watched)
            finished(each.name)
        return [found[each.name] for each in experiments]
    with workers(len(experiments), ["numerics.sweeps"]) as pool:
        backlog = Backlog(pool, [(each.name, _swept, (each, directory, device)) for each in experiments[1:]])
        found[experiments[0].name] = _swept(experiments[0], directory, device, watched)
        finished(experiments[0].name)
        for name, ended in backlog.rest():
            found[name] = ended
            finished(name)
    return [found[each.name] for each in experiments]


def _swept(
    experiment: Experiment,
    directory: Path | None,
    device: str,
    watched: Callable[[str, Look], None] = lambda name, look: None,
) -> Sweep:
    path = None if directory is None else directory / experiment.checkpoint
    data = data_set(experiment.data).first(experiment.samples)
    return sweep(
        data, experiment.setting, device=device, path=path, watched=lambda look: watched(experiment.name, look)
    )
