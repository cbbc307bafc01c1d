"""The benchmark of descent still runs, on few instances: every method but the paper's own reaches the closed form."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def test_descent_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import descent

    monkeypatch.setitem(descent.COUNTS, 5, {"fast": 8, "plain": 2, "scipy": 2, "torch": 1})
    monkeypatch.setattr(descent, "PAPER_STEPS", 20)
    try:
        found = descent.rows(5, lambda text: None)
        shown = descent.table(5, found).splitlines()
    finally:
        for name in ("descent", "audit"):
            sys.modules.pop(name, None)
    assert [row.within for row in found] == [1.0] * (len(found) - 1) + [0.0]
    assert len(shown) == len(found) + 4 and "| 1 |" in shown[4]
