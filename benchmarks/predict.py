"""Spectra for `collapse predict` beside NumPy and scikit-learn, in one process; `make bench-predict`.

Images are MNIST's where COLLAPSE_DATA names a folder with mnist.npz, else random bytes of that size. The large file holds float32
of decaying spectrum in a temporary folder; a pass is its sum, chunk by chunk.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.decomposition import PCA

from collapse.files import open_named
from collapse.reading import open_rows
from numerics.spectra import spectrum_of

REPEATS = 3
ROWS, COLUMNS, MODES = 50_000, 10_000, 64
BLOCK = 1_000


def timed(run: Callable[[], object]) -> float:
    """The least seconds of some runs, after one to warm up."""
    run()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def images() -> tuple[str, np.ndarray]:
    """(name, bytes in rows)."""
    folder = os.environ.get("COLLAPSE_DATA")
    if folder:
        return "MNIST", next(iter(open_named("mnist", None).blocks(0)))
    return "random bytes", np.random.default_rng(0).integers(0, 256, (60_000, 784), dtype=np.uint8)


def bare(x: np.ndarray) -> np.ndarray:
    """The Gram product and the eigensolver, of centred float64."""
    return np.linalg.eigvalsh(x.T @ x / len(x))


def small() -> str:
    """A table of one pass over images."""
    name, pixels = images()
    x = pixels / 255.0
    centred = x - x.mean(0)
    rows = [
        ("bare Gram product and eigvalsh, float64 at hand", timed(lambda: bare(centred))),
        ("this project, from bytes", timed(lambda: spectrum_of(open_rows(pixels)))),
        ("this project, from float64", timed(lambda: spectrum_of(open_rows(x)))),
        ("scikit-learn PCA, covariance_eigh, float64", timed(lambda: PCA(svd_solver="covariance_eigh").fit(x))),
        (
            "the same from bytes, conversion included",
            timed(lambda: PCA(svd_solver="covariance_eigh").fit(pixels / 255.0)),
        ),
        ("scikit-learn PCA, full, float64", timed(lambda: PCA(svd_solver="full").fit(x))),
    ]
    base = rows[0][1]
    lines = [f"### {name}, 60,000 x 784", "", "| method | s | times bare |", "| --- | ---: | ---: |"]
    return "\n".join([*lines, *(f"| {what} | {seconds:.2f} | {seconds / base:.2f} |" for what, seconds in rows)])


def large(folder: Path) -> str:
    """A table of leading modes from a file that is larger than the memory allowed."""
    path = folder / "large.npy"
    rng = np.random.default_rng(0)
    file = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, COLUMNS))
    strength = np.geomspace(10, 0.1, COLUMNS).astype(np.float32)
    for start in range(0, ROWS, BLOCK):
        file[start : start + BLOCK] = rng.standard_normal((BLOCK, COLUMNS), dtype=np.float32) * strength
    file.flush()
    del file
    start = time.perf_counter()
    mapped = np.load(path, mmap_mode="r")
    for first in range(0, ROWS, BLOCK):
        mapped[first : first + BLOCK].sum(dtype=np.float64)
    one_pass = time.perf_counter() - start
    peak = Peak()
    start = time.perf_counter()
    spectrum_of(open_rows(path), modes=MODES)
    seconds = time.perf_counter() - start
    return (
        f"### {ROWS:,} x {COLUMNS:,} float32 from a memory map, {MODES} leading modes\n\n"
        f"{seconds:.0f} s, {seconds / one_pass:.0f} times one pass over the file ({one_pass:.1f} s, cached); peak of anonymous "
        f"memory {peak.stop() / 2**20:.0f} MiB."
    )


class Peak:
    """The largest anonymous memory of this process, which the mapped file is no part of, looked at fifty times a second."""

    def __init__(self) -> None:
        self.bytes, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.over.wait(1 / 50):
            lines = Path("/proc/self/status").read_text().splitlines()
            self.bytes = max(self.bytes, *(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")))

    def stop(self) -> int:
        """Look no further."""
        self.over.set()
        self.thread.join()
        return self.bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="the large file instead; needs 2 GB of disk")
    if parser.parse_args().large:
        with tempfile.TemporaryDirectory() as folder:
            print(large(Path(folder)))
    else:
        print(small())
    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    print(f"\n{os.cpu_count()} cores, {platform.machine()}; Python {sys.version.split()[0]}, {versions}.")


if __name__ == "__main__":
    main()
