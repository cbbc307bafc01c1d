"""What linear algebra is told before it is loaded, in every process that computes."""

from __future__ import annotations

import os

__all__ = ["settle"]


def settle() -> None:
    """One thread, and the same digits wherever in memory a matrix lies, unless the environment says otherwise.

    Matrices this small gain nothing from more threads, and waiting ones take the workers' time. MKL_CBWR is what
    `numerics.descent.minimise` says of it; it costs nothing that could be measured.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("MKL_CBWR", "AUTO")
