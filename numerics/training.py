"""Training of a whole ensemble by Adam until it has settled by a rule, with checkpoints from which a killed run goes on.

The KL term may be warmed up: its weight then rises from 0 to beta over the first steps, as is usual (Bowman et al. 2016, Sønderby
et al. 2016). The rule: every so many steps the loss of each member is looked at, always on the same samples and noise. A member has
settled when its best loss has not fallen by a given share for some looks after that. When all have, or a rate has had its most
steps, the next learning rate comes; after the last the training ends. Nothing here knows of the theory.
"""

from __future__ import annotations

import io
import math
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from derivations.errors import DataError
from numerics.networks import Stack

__all__ = ["Look", "Schedule", "Task", "Trained", "train"]

SAVED_EVERY = 5.0
"""Seconds between checkpoints, about: a killed run repeats no more than that."""


@dataclass(frozen=True)
class Schedule:
    """When to look, to slow down and to stop.

    Args:
        rates: learning rates of Adam, one after another.
        every: steps from look to look.
        patience: looks without progress after which a member counts as settled.
        progress: share by which the best loss must fall to count.
        most: steps that each rate may take at most.
        warm_up: steps over which the weight of the KL term rises from 0 to beta, fewer than `most`; 0: it is beta throughout.

    Raises:
        DataError: warm_up is negative, or not less than most.
    """

    rates: tuple[float, ...]
    every: int
    patience: int
    progress: float
    most: int
    warm_up: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.warm_up < self.most:
            raise DataError(
                f"warm_up must be fewer steps than the {self.most} of a rate, and not negative; got {self.warm_up}."
            )

    def share(self, steps: int) -> float:
        """Of beta, after so many steps."""
        return min(1.0, steps / self.warm_up) if self.warm_up else 1.0


@runtime_checkable
class Task(Protocol):
    """What is trained."""

    @property
    def members(self) -> int:
        """How many models."""

    @property
    def settings(self) -> dict[str, Any]:
        """All that the outcome depends on besides the schedule, for checkpoints and provenance."""

    def initial(self) -> Stack:
        """Random starts."""

    def generator(self) -> torch.Generator:
        """Of batches and noise."""

    def loss(self, stack: Stack, generator: torch.Generator, share: float) -> Float[Tensor, " members"]:
        """L_VAE of each member on a batch, to differentiate, with this share of its beta."""

    def look(self, stack: Stack) -> Float[Tensor, " members"]:
        """L_VAE of each member, on the same samples and noise every time."""


@dataclass(frozen=True)
class Look:
    """How far training has come: steps, learning rate, and how many members have settled at it."""

    steps: int
    rate: float
    settled: int
    members: int


@dataclass(frozen=True)
class Trained:
    """Where training ended: the parameters, steps taken, and which members had settled at the last rate."""

    stack: Stack
    steps: int
    settled: Bool[Tensor, " members"]


class _Run:
    """The state of a training; all of it goes into a checkpoint."""

    def __init__(self, task: Task, schedule: Schedule) -> None:
        self.task, self.schedule = task, schedule
        self.stack = {name: value.requires_grad_() for name, value in task.initial().items()}
        self.optimiser = torch.optim.Adam(list(self.stack.values()), lr=schedule.rates[0], fused=True)
        self.generator = task.generator()
        self.stage, self.steps, self.taken = 0, 0, 0
        self._afresh()

    def _afresh(self) -> None:
        """Nothing is known of the losses at this rate."""
        self.best = torch.full((self.task.members,), torch.inf, dtype=torch.float64)
        self.idle = torch.zeros(self.task.members, dtype=torch.long)

    @property
    def settled(self) -> Bool[Tensor, " members"]:
        """Which members have."""
        return self.idle >= self.schedule.patience

    @property
    def done(self) -> bool:
        """Whether the last rate is over."""
        return self.stage == len(self.schedule.rates)

    def step(self) -> bool:
        """One step of all members; whether a look is due."""
        self.optimiser.zero_grad()
        # members share no parameter: the gradient of the sum holds each one's own
        self.task.loss(self.stack, self.generator, self.schedule.share(self.steps)).sum().backward()
        self.optimiser.step()
        self.steps += 1
        self.taken += 1
        return self.taken % self.schedule.every == 0

    def judge(self) -> None:
        """Look at the losses: who has settled, and whether the next rate comes."""
        with torch.no_grad():
            losses = self.task.look(self.stack).cpu().double()
        if not bool(losses.isfinite().all()):
            raise DataError(
                f"training diverged: after {self.steps} steps the loss of member {int(losses.isfinite().long().argmin())} (from 0) "
                "is not finite. Lower the learning rate, or look at the data's scale."
            )
        if self.steps <= self.schedule.warm_up:
            return
        better = torch.isinf(self.best) | (losses < self.best - self.schedule.progress * self.best.abs())
        self.best = torch.where(better, losses, self.best)
        self.idle = torch.where(better, 0, self.idle + 1)
        if bool(self.settled.all()) or self.taken >= self.schedule.most:
            self.stage += 1
            if not self.done:
                self.taken = 0
                self._afresh()
                for group in self.optimiser.param_groups:
                    group["lr"] = self.schedule.rates[self.stage]

    def look(self) -> Look:
        """For those who watch."""
        rate = self.schedule.rates[min(self.stage, len(self.schedule.rates) - 1)]
        return Look(self.steps, rate, int(self.settled.sum()), self.task.members)

    def state(self) -> dict[str, Any]:
        """Everything, as torch.save takes it."""
        return {
            "settings": fingerprint(self.task, self.schedule),
            "stack": {name: value.detach() for name, value in self.stack.items()},
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "counts": (self.stage, self.steps, self.taken),
            "best": self.best,
            "idle": self.idle,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        with torch.no_grad():
            for name, value in self.stack.items():
                value.copy_(state["stack"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"].cpu())
        self.stage, self.steps, self.taken = state["counts"]
        self.best, self.idle = state["best"], state["idle"]


def fingerprint(task: Task, schedule: Schedule) -> dict[str, Any]:
    """What a run depends on."""
    return {"task": task.settings, "schedule": asdict(schedule)}


def train(
    task: Task,
    schedule: Schedule,
    *,
    path: Path | None = None,
    watched: Callable[[Look], None] = lambda look: None,
    saved_every: float = SAVED_EVERY,
) -> Trained:
    """Train until every member has settled at the last rate, or that has had its steps.

    Args:
        task: the models, their data and their random numbers.
        schedule: when to look, to slow down and to stop.
        path: a checkpoint: where there is one, training goes on from it; what it ends with does not depend on that.
        watched: told at each look.
        saved_every: seconds between checkpoints.

    Raises:
        DataError: the checkpoint is of another run, cannot be read or written; or a loss is not finite.
    """
    run = _Run(task, schedule)
    if path is not None and path.exists():
        _restore(run, path)
        watched(run.look())
    saved = -math.inf  # the first at once: whether the folder can be written shows at the beginning
    while not run.done:
        if run.step():
            run.judge()
            watched(run.look())
        if path is not None and time.monotonic() - saved >= saved_every:
            _write(path, run.state())
            saved = time.monotonic()
    if path is not None:
        try:
            _write(path, run.state())
        except DataError as error:  # what has been trained is not to be lost for that
            warnings.warn(f"{error} The training itself is complete.", stacklevel=2)
    return Trained({name: value.detach() for name, value in run.stack.items()}, run.steps, run.settled)


def _restore(run: _Run, path: Path) -> None:
    """Go on from a checkpoint."""
    settings = fingerprint(run.task, run.schedule)
    useless = DataError(f"{path} is no checkpoint of a training; remove it, or name another folder.")
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        found = state["settings"]
    except Exception:  # whatever a broken file makes torch raise
        raise useless from None
    if found != settings:
        differing = _differing(found, settings)
        raise DataError(
            f"{path} holds a training with other settings ({', '.join(differing)}); name another folder, or the same settings."
        )
    try:
        run.restore(state)
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise useless from None


def _differing(one: Any, other: Any, name: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            text
            for key in sorted(one.keys() | other.keys())
            for text in _differing(one.get(key), other.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if one == other else [name]


def _write(path: Path, state: dict[str, Any]) -> None:
    """In one go: a run that is killed meanwhile leaves the last checkpoint whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = io.BytesIO()  # torch's own writer says less of what went wrong
        torch.save(state, kept)
        partial.write_bytes(kept.getbuffer())
        os.replace(partial, path)
    except OSError as error:
        raise DataError(
            f"cannot write the checkpoint {path}: {error.strerror}. What was saved before is intact; make room and go on."
        ) from None
