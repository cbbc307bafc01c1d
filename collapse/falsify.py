"""Many attempts to break the theory, block after block on all workers, kept on disk so that a killed run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import asdict, dataclass, fields
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from derivations.errors import DataError
from numerics.falsify import Attempt, attempt

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
        return self.instances > 0 and not self.against and not self.uncertified

    @property
    def uncertified(self) -> int:
        """Descents that ended without a certificate: they prove nothing either way."""
        return sum(len(attempt.uncertified) for attempt in self.attempts)

    @property
    def certified(self) -> int:
        """Descents that ended with one."""
        return sum(attempt.certified for attempt in self.attempts)

    @property
    def diverged(self) -> int:
        """Descents along which the loss fell without bound."""
        return sum(attempt.diverged for attempt in self.attempts)

    def worst(self, side: str) -> tuple[float, Attempt | None, int]:
        """The largest gap "above" or "below" the closed form, the block and the place there."""
        found = [(getattr(attempt, f"worst_{side}"), attempt) for attempt in self.attempts]
        if not found:
            return 0.0, None, 0
        (gap, place), where = (max if side == "above" else min)(found, key=lambda pair: pair[0][0])
        return gap, where, place

    def by(self, name: str) -> dict[str, int]:
        """Instances by "hardship" or "encoder"."""
        counts: dict[str, int] = {}
        for one in self.attempts:
            counts[getattr(one, name)] = counts.get(getattr(one, name), 0) + one.instances
        return dict(sorted(counts.items()))

    def worst_by_hardship(self) -> dict[str, float]:
        """The largest gap, in size, of each hardship."""
        worst: dict[str, float] = {}
        for one in self.attempts:
            gaps = (one.worst_above[0], -one.worst_below[0], worst.get(one.hardship, 0.0))
            worst[one.hardship] = max(gaps)
        return dict(sorted(worst.items()))


class Store:
    """The attempts of a run on disk: one line each, written as they come. A line that a kill cut short is done again."""

    def __init__(self, directory: Path | None, settings: dict[str, Any]) -> None:
        """Open a folder, or none.

        Raises:
            DataError: it holds a run with other settings, or cannot be used.
        """
        self.path: Path | None = directory / "attempts.jsonl" if directory is not None else None
        self.found: dict[int, Attempt] = {}
        if directory is None:
            return
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._check(directory / "settings.json", settings)
            self._read(directory / "attempts.jsonl")
        except OSError as error:
            raise DataError(
                f"--resume: cannot use {directory}: {error.strerror}. Name a folder you can write to."
            ) from None

    def _check(self, path: Path, settings: dict[str, Any]) -> None:
        if path.exists():
            try:
                kept = dict(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                raise DataError(f"--resume: {path} is no JSON object; name another folder.") from None
            differing = [name for name in settings if kept.get(name) != settings[name]]
            if differing:
                name = differing[0]
                raise DataError(
                    f"--resume: {path.parent} holds a run with {name} = {kept.get(name)!r}, not {settings[name]!r}; name another "
                    f"folder, or give the run's own {name}."
                )
        path.write_text(json.dumps(settings) + "\n", encoding="utf-8")

    def _read(self, path: Path) -> None:
        whole = []
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                one = _attempt(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue  # cut short
            self.found[one.block] = one
            whole.append(line)
        path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")

    def keep(self, one: Attempt) -> None:
        """Take in an attempt."""
        self.found[one.block] = one
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(one)) + "\n")


def _attempt(document: dict[str, Any]) -> Attempt:
    values = {field.name: document[field.name] for field in fields(Attempt)}
    for name in ("shape", "worst_above", "worst_below", "uncertified"):
        values[name] = tuple(values[name])
    return Attempt(**values | {"against": tuple(tuple(pair) for pair in values["against"])})


def falsify(
    pool: Executor,
    *,
    seed: int,
    instances: int | None,
    minutes: float | None,
    device: str,
    workers: int,
    directory: Path | None,
    listener: Callable[[Attempt], None] = lambda attempt: None,
) -> Outcome:
    """Attempt blocks until there are enough instances, or the time is over; blocks that the folder holds are not done again.

    Args:
        pool: workers.
        seed: of all blocks.
        instances: how many descents; None for as many as the time allows.
        minutes: how long; None for as long as it takes.
        device: "cpu" or "cuda".
        workers: how many the pool has.
        directory: where attempts are kept; None to keep none.
        listener: told every attempt, those found in the folder first.

    Raises:
        DataError: the folder holds a run with other settings.
    """
    store = Store(directory, {"seed": seed, "block": BLOCK, "device": device, "torch": torch.__version__})
    reach = max(store.found, default=-1) + 1
    kept = [store.found[number] for number, count in islice(_blocks(instances), reach) if _holds(store, number, count)]
    for one in kept:
        listener(one)
    done = {one.block: one for one in kept}
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    open_: dict[Future[Attempt], tuple[int, int]] = {}
    todo = ((number, count) for number, count in _blocks(instances) if number not in done)
    while True:
        late = deadline is not None and time.monotonic() >= deadline
        while not late and len(open_) < _AHEAD * workers and (block := next(todo, None)) is not None:
            open_[pool.submit(attempt, seed, *block, device)] = block
        if not open_:
            break
        for future in wait(open_, return_when=FIRST_COMPLETED).done:
            del open_[future]
            one = future.result()
            store.keep(one)
            done[one.block] = one
            listener(one)
    return Outcome(seed, device, tuple(done[number] for number in sorted(done)))


def _holds(store: Store, number: int, count: int) -> bool:
    return number in store.found and store.found[number].instances == count


def _blocks(instances: int | None) -> Iterator[tuple[int, int]]:
    """Numbers and sizes of the blocks that make up so many instances."""
    for number in numbers():
        count = BLOCK if instances is None else min(BLOCK, instances - number * BLOCK)
        if count <= 0:
            return
        yield number, count


def shown(places: Sequence[tuple[Attempt, int, float]], seed: int, most: int = 10) -> list[str]:
    """The first instances that speak against the theory, each with what reproduces it."""
    return [
        f"gap {gap:.3e}: {one.hardship}, {one.encoder}, D0 x d2 x d1 = {' x '.join(map(str, one.shape))}; "
        f"draw_block({seed}, {one.block}, {one.instances}), instance {place}"
        for one, place, gap in places[:most]
    ]
