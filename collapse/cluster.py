"""Workers on a Dask cluster, in the place of processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from collapse.linear_algebra import settle
from derivations.errors import DataError

_PATIENCE = 10
"""Seconds to wait for a scheduler."""


class _Pool(Executor):
    """A Dask client as an executor. Dask's own asks a future for its state after its value has come, and takes the value for an
    exception where the worker was lost in between (distributed 2026.8.0, cfexecutor.py)."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Have a worker do it; another does, if the first is lost."""
        ours: Future[Any] = Future()

        def settle(theirs: Any) -> None:
            try:
                ours.set_result(theirs.result())
            except Exception as error:
                ours.set_exception(error)

        self.client.submit(work, *arguments, pure=False, **named).add_done_callback(settle)
        return ours


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """A pool of the cluster's workers, and how many threads they have; what a lost worker had in hand is done by another.

    Args:
        address: of the scheduler, such as tcp://192.168.0.1:8786.

    Raises:
        DataError: Dask is not installed, or no scheduler or no worker answers.
    """
    if not address:
        raise DataError("--scheduler: the address is empty; name a Dask scheduler, such as tcp://192.168.0.1:8786.")
    try:
        from distributed import Client
    except ImportError:
        raise DataError(
            "--scheduler needs Dask: install this project with its extra, pip install '.[cluster]'."
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise DataError(
            f"--scheduler: no Dask scheduler answers at {address} ({type(error).__name__}). Start one with `dask scheduler`, and "
            "workers with `dask worker ADDRESS`, in this same environment."
        ) from None
    with client:
        client.register_worker_callbacks(settle)  # those that join later, too
        threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
        if not threads:
            raise DataError(
                f"--scheduler: the scheduler at {address} has no workers. Start some with `dask worker {address}`."
            )
        yield _Pool(client), threads
