"""Minima of the linear VAE: by the usual optimisers, one instance after another, and by this project's two routes; `make bench`.

Every method minimises the same instances (Z = 2 randn, beta uniform in (0.05, 6.05), A = I, all scales 1, learned variances) from
the same random starts (a call of `minimise` draws its own), in one process on one core; the fast route then once more in two
processes. Times of the fast route include its certificates. Gaps are relative to the closed form, negative
below it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import alone
import audit
import numpy as np
import scipy
import torch
import training
from peers import Row, as_the_paper, block, chosen, fast, plain, row, with_scipy, with_torch

SIZES = (5, 10)
COUNTS = {
    5: {"fast": 4096, "plain": 512, "scipy": 96, "torch": 12},
    10: {"fast": 512, "plain": 32, "scipy": 24, "torch": 4},
}
PAPER_STEPS = 20_000


def _part(size: int, count: int, first: int, last: int) -> np.ndarray:
    torch.set_num_threads(1)
    return fast(chosen(block(size, count), torch.arange(first, last)))


def rows(size: int, note: Callable[[str], None]) -> list[Row]:
    """Every method on one size, after a warm-up of each."""
    counts, found = COUNTS[size], []
    instances = block(size, counts["fast"])
    note(f"{size} x {size} x {size}: warm-up")
    fast(block(size, 32, seed=1)), plain(instances, 4), with_scipy(instances, 2), with_torch(instances, 1)
    methods: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        ("SciPy L-BFGS-B, analytic gradient, one by one", "scipy", lambda: with_scipy(instances, counts["scipy"])),
        ("torch.optim.LBFGS, one by one", "torch", lambda: with_torch(instances, counts["torch"])),
        ("this project, fast route, one by one", "scipy", lambda: alone.one_by_one(instances, counts["scipy"])),
        ("this project, plain route, batched", "plain", lambda: plain(instances, counts["plain"])),
        ("this project, fast route, batched", "fast", lambda: fast(instances)),
    )
    for name, key, run in methods:
        note(f"{size} x {size} x {size}: {name}")
        found.append(row(name, instances, counts[key], run))
    half = counts["fast"] // 2
    # each process draws the instances before it is timed, as this one does
    with ProcessPoolExecutor(2, get_context("spawn"), block, (size, counts["fast"])) as pool:
        parts = [(size, counts["fast"], 0, half), (size, counts["fast"], half, counts["fast"])]
        run = lambda: np.concatenate(list(pool.map(_part, *zip(*parts, strict=True))))  # noqa: E731
        run()  # warm-up: of less the process that starts first would do both halves
        found.append(row("the same in two processes", instances, counts["fast"], run))
    if size == SIZES[0]:
        note("the paper's protocol")
        steps = PAPER_STEPS
        found.append(
            row(f"the paper's protocol, {steps} steps", instances, 2, lambda: as_the_paper(instances, 2, steps))
        )
    return found


def table(size: int, found: list[Row]) -> str:
    """A Markdown table with ratios to SciPy's loop."""
    base = found[0].seconds
    lines = [
        f"### d0 = d1 = d2 = {size}",
        "",
        "| method | instances | ms an instance | times as fast as SciPy | worst gap | within 1e-9 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for r in found:
        times = f"{1000 * r.seconds:.3g} | {base / r.seconds:.3g}"
        lines.append(f"| {r.method} | {r.instances} | {times} | {r.worst_gap:.1e} | {100 * r.within:.4g} % |")
    return "\n".join(lines)


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "README.md")
    output = parser.parse_args().output
    torch.set_num_threads(1)
    note = (lambda text: print(text, file=sys.stderr)) if sys.stderr.isatty() else (lambda text: None)
    note("small instances")
    tables = [*(table(size, rows(size, note)) for size in SIZES), alone.small_table(), alone.tied_table()]
    hardware = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    introduction = "Written by `make bench`. " + (__doc__ or "").split("\n\n")[1].strip()
    note("the training of grids, and the audit's stages")
    text = "\n\n".join(
        ["# Benchmarks", introduction, *tables, training.table(), audit.table(), f"{hardware}; {versions}."]
    )
    output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
