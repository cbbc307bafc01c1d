"""Workers: processes that start at once, share the work with this one, and are gone in the end."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from collapse import workers as module
from collapse.workers import Backlog, Idle, started_here, workers
from derivations.errors import DataError


def names_of(prefix: str, count: int = 2) -> list[tuple[str, object, tuple[object, ...]]]:
    return [(f"{prefix}-{k}", str.upper, (f"{prefix}-{k}",)) for k in range(count)]


def test_what_nobody_begins_is_done_here_from_the_end() -> None:
    backlog = Backlog(Idle(), names_of("a", 3))
    assert list(backlog.finished()) == []
    assert list(backlog.rest()) == [("a-2", "A-2"), ("a-1", "A-1"), ("a-0", "A-0")]
    assert list(backlog.rest()) == []


def test_what_others_did_is_taken_once() -> None:
    with ThreadPoolExecutor(2) as pool:
        backlog = Backlog(pool, names_of("a"))
    assert list(backlog.finished()) == [("a-0", "A-0"), ("a-1", "A-1")]
    assert list(backlog.finished()) == list(backlog.rest()) == []


def test_both_share_the_work() -> None:
    class First(Idle):
        """Does the first piece of work that it is given, and no other."""

        used = False

        def submit(self, work, /, *arguments, **named):  # type: ignore[no-untyped-def]
            future: Future[object] = Future()
            if not self.used:
                future.set_running_or_notify_cancel()
                future.set_result(work(*arguments))
            self.used = True
            return future

    assert sorted(Backlog(First(), names_of("a", 4)).rest()) == [(f"a-{k}", f"A-{k}") for k in range(4)]


@pytest.mark.parametrize("pool", [Idle(), ThreadPoolExecutor(1)], ids=["here", "there"])
def test_an_error_in_the_work_is_raised(pool: Idle) -> None:
    with pytest.raises(ValueError, match="seven"):
        list(Backlog(pool, [("a", int, ("seven",))]).rest())


@pytest.mark.parametrize(("tasks", "cores"), [(1, 8), (0, 8), (5, 1)])
def test_no_process_is_started_for_nothing(tasks: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    with workers(tasks) as pool:
        assert isinstance(pool, Idle) and multiprocessing.active_children() == []


def test_more_processes_than_the_machine_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    @contextmanager
    def noted(tasks: int, preload: object, count: int) -> Iterator[Idle]:
        started.append(count)
        yield Idle()

    monkeypatch.setattr(module, "workers", noted)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with started_here(8) as (_, count):
        assert count == 8
    with pytest.raises(DataError, match=r"--workers: 9 processes on 2 cores .* at most 8"), started_here(9):
        pass
    assert started == [8]


def test_workers_work_elsewhere_and_are_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with workers(4, ["fractions"]) as pool:
        assert len(multiprocessing.active_children()) == 1
        found = {pool.submit(os.getpid).result() for _ in range(3)}
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
    assert len(found) == 1 and found != {os.getpid()}
    for _ in range(200):  # the pool's own thread may be the one that reaps them
        if not multiprocessing.active_children():
            break
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


def test_workers_are_ended_by_an_error_whatever_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt), workers(4) as pool:
        pool.submit(os.getpid).result()
        (process,) = multiprocessing.active_children()
        pool.submit(time.sleep, 600)
        raise KeyboardInterrupt
    process.join(10)
    assert not process.is_alive()
