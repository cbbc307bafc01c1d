"""Many attempts to break the theory, block after block on all workers, kept on disk so that a killed run goes on."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from itertools import count as numbers
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import derivations
import numerics
from collapse.store import opened
from derivations.errors import DataError
from numerics.descent import resolve_device
from numerics.falsify import Attempt, attempt

Listener = Callable[[Attempt, bool], None]
"""Told an attempt, and whether it has just been made."""

BLOCK = 256
"""Instances of a block; a run's last block may be smaller."""
_AHEAD = 2
"""Blocks in the hands of each worker: the one it works on, and the next."""


class Kind(NamedTuple):
    """What is counted apart: how instances are hard, which encoder they have, and how they were searched, "random" or "local"."""

    hardship: str
    encoder: str
    search: str


@dataclass(frozen=True)
class Tally:
    """What all descents of a kind come to: counts, and gaps, each as a number of at least 0."""

    instances: int = 0
    certified: int = 0
    diverged: int = 0
    loose: int = 0
    above: float = 0.0
    below: float = 0.0
    allowed: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """Both together, in either order."""
        return Tally(
            self.instances + other.instances,
            self.certified + other.certified,
            self.diverged + other.diverged,
            self.loose + other.loose,
            max(self.above, other.above),
            max(self.below, other.below),
            max(self.allowed, other.allowed),
        )

    @classmethod
    def of(cls, one: Attempt) -> Tally:
        """An attempt's."""
        above, below = max(0.0, one.worst_above[0]), max(0.0, -one.worst_below[0])
        return cls(one.instances, one.certified, one.diverged, one.loose, above, below, one.allowed)


@dataclass
class Outcome:
    """What all attempts say together; the same for the same blocks, in whatever order and by however many workers they came.

    Of attempts without a finding only sums and extremes are kept, so that it takes no more room for more of them.
    """

    seed: int
    device: str
    tallies: dict[Kind, Tally] = field(default_factory=dict)
    telling: dict[int, Attempt] = field(default_factory=dict)

    def take(self, one: Attempt) -> None:
        """Take in one more attempt."""
        kind = Kind(one.hardship, one.encoder, one.search)
        self.tallies[kind] = self.tallies.get(kind, Tally()) + Tally.of(one)
        if one.against or one.uncertified:
            self.telling[one.block] = one

    @property
    def whole(self) -> Tally:
        """All kinds together; `allowed` is the largest gap that passes for rounding, and more than the usual one at `loose`
        instances."""
        return sum(self.tallies.values(), Tally())

    @property
    def against(self) -> list[tuple[Attempt, int, float]]:
        """Every instance that speaks against the theory: its block, its place there, and its gap."""
        return [(one, place, gap) for _, one in sorted(self.telling.items()) for place, gap in one.against]

    @property
    def unsettled(self) -> list[tuple[Attempt, int]]:
        """The descents that ended without a certificate, each by its block and its place there: they prove nothing either way."""
        return [(one, place) for _, one in sorted(self.telling.items()) for place in one.uncertified]

    @property
    def passed(self) -> bool:
        """Whether something was tried, nothing speaks against the theory, and every descent ended as a certified minimum or
        where the loss is unbounded."""
        return self.whole.instances > 0 and not self.against and not self.unsettled

    def by(self, name: str) -> dict[str, int]:
        """Instances by "hardship", "encoder" or "search"."""
        counts: dict[str, int] = {}
        for kind, tally in self.tallies.items():
            counts[getattr(kind, name)] = counts.get(getattr(kind, name), 0) + tally.instances
        return dict(sorted(counts.items()))

    def worst_by_hardship(self, search: str) -> dict[str, float]:
        """The largest gap, in size, of each hardship that was searched so, "random" or "local"."""
        worst: dict[str, float] = {}
        for kind, tally in self.tallies.items():
            if kind.search == search:
                worst[kind.hardship] = max(tally.above, tally.below, worst.get(kind.hardship, 0.0))
        return dict(sorted(worst.items()))


def fingerprint() -> str:
    """Of all source files that an attempt rests on: another one, other attempts."""
    found = hashlib.sha256()
    for package in (derivations, numerics):
        folder = Path(next(iter(package.__path__)))
        for path in sorted(folder.rglob("*.py")):
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def surroundings(device: str) -> dict[str, str]:
    """What attempts depend on where they are made: the device's name resolved, the code, the libraries."""
    where = str(resolve_device(device))
    return {"device": where, "code": fingerprint(), "torch": torch.__version__, "numpy": np.__version__}


def falsify(
    pool: Executor,
    *,
    seed: int,
    instances: int | None,
    minutes: float | None,
    device: str,
    workers: int,
    directory: Path | None,
    listener: Listener = lambda attempt, fresh: None,
) -> Outcome:
    """Attempt blocks until there are enough instances, or the time is over; blocks that the folder holds are not done again.

    Args:
        pool: workers.
        seed: of all blocks.
        instances: how many descents; None for as many as the time allows.
        minutes: how long; None for as long as it takes.
        device: "auto", "cpu" or "cuda", as the workers have it.
        workers: how many the pool has.
        directory: where attempts are kept; None to keep none.
        listener: told every attempt, and whether it is fresh; those found in the folder come first.

    Raises:
        DataError: the folder cannot be used or holds another run, minutes are no number, or a worker is lost or of another make.
    """
    if minutes is not None and not math.isfinite(minutes):
        raise DataError(f"--minutes must be finite, got {minutes!r}.")
    there = _result(pool.submit(surroundings, device), "no worker could begin", None)
    mine = surroundings("cpu") | {"device": there["device"]}
    if there != mine:
        name = next(name for name in mine if there.get(name) != mine[name])
        raise DataError(
            f"the workers have {name} = {there.get(name)!r}, this machine {mine[name]!r}: install the same on both."
        )
    outcome, done = Outcome(seed, there["device"]), set[int]()

    def take(one: Attempt, fresh: bool) -> None:
        done.add(one.block)
        outcome.take(one)
        listener(one, fresh)

    with opened(directory, {"seed": seed, "block": BLOCK} | there) as store:
        for one in store.kept():
            if one.block not in done and one.instances == _size(one.block, instances):
                take(one, False)
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        open_: dict[Future[Attempt], tuple[int, int]] = {}
        todo = ((number, count) for number, count in _blocks(instances) if number not in done)
        while True:
            late = deadline is not None and time.monotonic() >= deadline
            while not late and len(open_) < _AHEAD * workers and (block := next(todo, None)) is not None:
                open_[pool.submit(attempt, seed, *block, there["device"])] = block
            if not open_:
                break
            for future in wait(open_, return_when=FIRST_COMPLETED).done:
                number, _ = open_.pop(future)
                one = _result(future, f"block {number} could not be finished", directory)
                store.keep(one)
                take(one, True)
    return outcome


def _result(future: Future[Any], failing: str, directory: Path | None) -> Any:
    """A worker's result; what befell the worker, in one line."""
    try:
        return future.result()
    except DataError:
        raise
    except Exception as error:
        kept = f"; what is done is kept in {directory}" if directory else ""
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise DataError(f"{failing} ({reason}). Fewer workers may do, if memory ran out{kept}.") from error


def _blocks(instances: int | None) -> Iterator[tuple[int, int]]:
    """Numbers and sizes of the blocks that make up so many instances."""
    for number in numbers():
        if (count := _size(number, instances)) <= 0:
            return
        yield number, count


def _size(number: int, instances: int | None) -> int:
    """How many of so many instances the block of a number has; not positive beyond the last block."""
    return BLOCK if instances is None else min(BLOCK, instances - number * BLOCK)
