"""`--scheduler`: a real cluster of processes, one of which is killed midway."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collapse import predict
from collapse.cluster import cluster
from derivations.errors import DataError
from numerics import streaming

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

INSTANCES = 1000  # four blocks
COMMAND = [sys.executable, "-m", "collapse.cli", "falsify", "--instances", str(INSTANCES), "--json", "-"]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a scheduler with two workers, each a process of its own, whose environment says nothing of linear algebra."""
    for name in ("MKL_CBWR", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as started:
        yield started.scheduler_address


def workers_of(address: str) -> list[int]:
    with distributed.Client(address) as client:
        return list(client.run(os.getpid).values())


@pytest.mark.slow
def test_a_lost_worker_loses_nothing_and_counts_nothing_twice(address: str, tmp_path: Path) -> None:
    here = subprocess.run([*COMMAND, "--workers", "1"], capture_output=True, text=True, check=True)
    victim = workers_of(address)[0]
    kept = tmp_path / "attempts.jsonl"
    there = subprocess.Popen(
        [*COMMAND, "--scheduler", address, "--resume", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while there.poll() is None and not (kept.exists() and kept.stat().st_size):
        time.sleep(1 / 100)
    assert there.poll() is None, "all was done before a worker could be killed"
    os.kill(victim, signal.SIGKILL)
    output, _ = there.communicate()
    assert there.returncode == 0
    assert victim not in workers_of(address)
    blocks = sorted(json.loads(line)["block"] for line in kept.read_text().splitlines())
    assert blocks == list(range(4))
    documents = [json.loads(text) for text in (here.stdout, output)]
    for document in documents:
        assert document.pop("seconds") > 0
    assert documents[0] == documents[1]


def test_workers_of_a_cluster_compute_as_those_here(address: str) -> None:
    with cluster(address), distributed.Client(address) as client:
        assert list(client.run(os.getenv, "MKL_CBWR").values()) == ["AUTO", "AUTO"]


class Killing(Executor):
    """A pool that kills a worker while the pool is at work."""

    def __init__(self, pool: Executor, victim: int) -> None:
        self.pool, self.victim, self.count = pool, victim, 0

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.count += 1
        found = self.pool.submit(function, *arguments, **named)
        if self.count == 20:
            os.kill(self.victim, signal.SIGKILL)
        return found


@pytest.mark.slow
def test_a_prediction_survives_a_lost_worker_to_the_last_bit(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 8 * 30 * 200)  # fifty chunks
    x = np.random.default_rng(0).standard_normal((10_000, 30)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    here = predict(tmp_path / "x.npy", beta=0.5)
    victim = workers_of(address)[0]
    with cluster(address) as (pool, _):
        killing = Killing(pool, victim)
        there = predict(tmp_path / "x.npy", beta=0.5, pool=killing)
    assert killing.count == 49 and victim not in workers_of(address)
    assert np.array_equal(here.spectrum.zeta_squared, there.spectrum.zeta_squared)


@pytest.mark.slow
def test_a_value_that_has_come_is_kept_though_its_worker_is_lost_just_then(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(address) as (pool, _):
        with pytest.raises(ValueError, match="invalid literal"):
            pool.submit(int, "seven").result(timeout=60)
        monkeypatch.setattr(distributed.Future, "status", property(lambda self: "lost"))
        assert pool.submit(range, 1, 7, 2).result(timeout=60) == range(1, 7, 2)


def test_no_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collapse.cluster._PATIENCE", 1)
    with (
        pytest.raises(DataError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        cluster("tcp://127.0.0.1:9"),
    ):
        pass
    with pytest.raises(DataError, match="no Dask scheduler answers at nonsense"), cluster("nonsense://x"):
        pass


def test_workers_and_a_scheduler_exclude_each_other() -> None:
    command = [*COMMAND, "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "give one of them" in found.stderr
