"""Many attempts to break the theory, block after block on all workers, kept on disk so that a killed run goes on."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

import derivations
import numerics
from collapse.store import Store, opened
from derivations.errors import DataError
from numerics.descent import resolve_device
from numerics.falsify import Attempt, attempt

Listener = Callable[[Attempt, bool], None]
"""Told an attempt, and whether it has just been made."""

BLOCK = 256
"""Instances of a block; a run's last block may be smaller."""
_AHEAD = 2
"""Blocks in the hands of each worker: the one it works on, and the next."""


@dataclass(frozen=True)
class Outcome:
    """What all attempts say together; the same for the same blocks, in whatever order and by however many workers they came."""

    seed: int
    device: str
    attempts: tuple[Attempt, ...]

    @property
    def instances(self) -> int:
        """How many descents."""
        return sum(attempt.instances for attempt in self.attempts)

    @property
    def against(self) -> list[tuple[Attempt, int, float]]:
        """Every instance that speaks against the theory: its block, its place there, and its gap."""
        return [(attempt, place, gap) for attempt in self.attempts for place, gap in attempt.against]

    @property
    def passed(self) -> bool:
        """Whether something was tried, nothing speaks against the theory, and every descent ended as a certified minimum or
        where the loss is unbounded."""
        return self.instances > 0 and not self.against and not self.unsettled

    @property
    def certified(self) -> int:
        """Descents that ended with one."""
        return sum(attempt.certified for attempt in self.attempts)

    @property
    def diverged(self) -> int:
        """Descents along which the loss fell without bound."""
        return sum(attempt.diverged for attempt in self.attempts)

    @property
    def unsettled(self) -> list[tuple[Attempt, int]]:
        """The descents that ended without a certificate, each by its block and its place there: they prove nothing either way."""
        return [(attempt, place) for attempt in self.attempts for place in attempt.uncertified]

    @property
    def worst_above(self) -> float:
        """The largest gap above a closed form, at least 0."""
        return max((0.0, *(attempt.worst_above[0] for attempt in self.attempts)))

    @property
    def worst_below(self) -> float:
        """The largest gap below a closed form, as a number of at least 0."""
        return max((0.0, *(-attempt.worst_below[0] for attempt in self.attempts)))

    @property
    def allowed(self) -> float:
        """The largest gap that passes for rounding."""
        return max((attempt.allowed for attempt in self.attempts), default=0.0)

    @property
    def loose(self) -> int:
        """At how many instances that is more than the usual tolerance."""
        return sum(attempt.loose for attempt in self.attempts)

    def by(self, name: str) -> dict[str, int]:
        """Instances by "hardship", "encoder" or "search"."""
        counts: dict[str, int] = {}
        for one in self.attempts:
            counts[getattr(one, name)] = counts.get(getattr(one, name), 0) + one.instances
        return dict(sorted(counts.items()))

    def worst_by_hardship(self, search: str) -> dict[str, float]:
        """The largest gap, in size, of each hardship that was searched so, "random" or "local"."""
        worst: dict[str, float] = {}
        for one in self.attempts:
            if one.search == search:
                gaps = (one.worst_above[0], -one.worst_below[0], worst.get(one.hardship, 0.0))
                worst[one.hardship] = max(gaps)
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
    there = _result(pool.submit(surroundings, device), "no worker could begin", directory)
    mine = surroundings("cpu") | {"device": there["device"]}
    if there != mine:
        name = next(name for name in mine if there.get(name) != mine[name])
        raise DataError(
            f"the workers have {name} = {there.get(name)!r}, this machine {mine[name]!r}: install the same on both."
        )
    with opened(directory, {"seed": seed, "block": BLOCK} | there) as store:
        done = _kept(store, instances)
        for one in done.values():
            listener(one, False)
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
                done[number] = one
                listener(one, True)
    return Outcome(seed, there["device"], tuple(done[number] for number in sorted(done)))


def _result(future: Future[Any], failing: str, directory: Path | None) -> Any:
    """A worker's result; what befell the worker, in one line."""
    try:
        return future.result()
    except DataError:
        raise
    except Exception as error:
        kept = f"what is done is kept in {directory}" if directory else "--resume DIR would have kept what was done"
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise DataError(f"{failing} ({reason}). Fewer workers may do, if memory ran out; {kept}.") from error


def _kept(store: Store, instances: int | None) -> dict[int, Attempt]:
    """The attempts of a store that are wanted."""
    reach = max(store.found, default=-1) + 1
    wanted = dict(islice(_blocks(instances), reach))
    return {n: store.found[n] for n, count in wanted.items() if n in store.found and store.found[n].instances == count}


def _blocks(instances: int | None) -> Iterator[tuple[int, int]]:
    """Numbers and sizes of the blocks that make up so many instances."""
    for number in numbers():
        count = BLOCK if instances is None else min(BLOCK, instances - number * BLOCK)
        if count <= 0:
            return
        yield number, count
