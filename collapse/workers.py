"""Worker processes: all cores but one, since the main process works too."""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from derivations.errors import DataError

_CANCELLING = 0.2
"""Seconds for the pool to forget what is cancelled: of workers that end before, it complains for every piece of work."""
_MOST_A_CORE = 4
"""Processes; each holds some 300 MB of libraries."""


class Idle(Executor):
    """A pool without workers: what is submitted is never begun, and so left to the main process."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """A future that nobody begins."""
        return Future()


@contextmanager
def workers(tasks: int, preload: Sequence[str] = (), count: int | None = None) -> Iterator[Executor]:
    """Workers, started from the main thread, that begin at once to import what they will need, while the main process does so too.

    They start afresh, since torch does not survive a fork. In the end they are ended, whatever they do.

    Args:
        tasks: how many there will be, about; no more workers are started, and none for a single task.
        preload: names of the modules to import.
        count: how many workers to start, where the main process does not work too.
    """
    if count is None:
        count = min((os.cpu_count() or 2) - 1, tasks - 1)
    if count < 1:
        yield Idle()
        return
    pool = ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=_set_up, initargs=(tuple(preload),)
    )
    try:
        with _uninterrupted():
            for _ in range(count):
                pool.submit(int)  # a pool starts its processes when work is submitted
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        time.sleep(_CANCELLING)
        raise
    finally:  # at once: a process that has imported much takes its time to leave by itself
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
            process.join()


@contextmanager
def started_here(count: int) -> Iterator[tuple[Executor, int]]:
    """So many workers, whose work is attempts to falsify, and their number.

    Raises:
        DataError: they are so many that the machine's memory would go to processes that wait for a core.
    """
    cores = os.cpu_count() or 1
    if count > _MOST_A_CORE * cores:
        raise DataError(
            f"--workers: {count} processes on {cores} cores gain nothing and fill the memory; give {cores}, or at most "
            f"{_MOST_A_CORE * cores}."
        )
    with workers(count, ["numerics.falsify"], count) as pool:
        yield pool, count


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started meanwhile ignore interrupts for good: those are the main process's to handle."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _set_up(preload: tuple[str, ...]) -> None:
    """Workers share the cores; matrices this small gain nothing from threads."""
    threading.Thread(target=_end_with_the_main_process, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported
    for name in preload:
        importlib.import_module(name)


def _end_with_the_main_process() -> None:
    """However that ended: a worker left behind would wait for work, and hold what it has open, for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


class Backlog:
    """Work that a pool has been given: one result for each item, and what no worker has begun can be done here."""

    def __init__(self, pool: Executor, work: Sequence[tuple[Any, Callable[..., Any], tuple[Any, ...]]]) -> None:
        """Submit work: (item, function, its arguments), the most urgent first."""
        self._open = {pool.submit(function, *given): (item, function, given) for item, function, given in work}

    def finished(self) -> Iterator[tuple[Any, Any]]:
        """Items with their results, as far as there are new ones; raises what a worker raised."""
        for future in [future for future in self._open if future.done()]:
            item, _, _ = self._open.pop(future)
            yield item, future.result()

    def rest(self) -> Iterator[tuple[Any, Any]]:
        """All items that are left with their results, as they come; this process takes its share, from the end."""
        while self._open:
            mine = next((future for future in reversed(self._open) if future.cancel()), None)
            if mine is None:
                wait(self._open, return_when=FIRST_COMPLETED)
            else:
                item, function, given = self._open.pop(mine)
                yield item, function(*given)
            yield from self.finished()
