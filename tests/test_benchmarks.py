"""The benchmarks still run, on little: descent reaches the closed form, loop and ensemble train the same model."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from numerics.grids import grid_of
from numerics.tolerances import FLOAT64_IDENTITY

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On the path, and forgotten afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in ("descent", "alone", "peers", "audit", "training", "sections"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("benchmarks")
def test_descent_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    import descent

    monkeypatch.setitem(descent.COUNTS, 5, {"fast": 8, "plain": 2, "scipy": 2, "torch": 1})
    monkeypatch.setattr(descent, "PAPER_STEPS", 20)
    found = descent.rows(5, lambda text: None)
    shown = descent.table(5, found).splitlines()
    assert [row.within for row in found] == [1.0] * (len(found) - 1) + [0.0]
    assert len(shown) == len(found) + 4 and "| 1 |" in shown[4]


@pytest.mark.usefixtures("benchmarks")
def test_single_instances_are_timed_and_certified() -> None:
    import alone

    small = alone.small_table(4).splitlines()
    assert [line.split("|")[1].strip() for line in small[4:]] == ["1", "2", "3", "4", "5"]
    assert all(abs(float(gap)) < 1e-9 for line in small[4:] for gap in line.split("|")[-4:-1])
    tied = alone.tied_table(2).splitlines()
    assert [line.split("|")[1].strip() for line in tied[6:]] == ["2", "2", "3", "3", "5", "5"]
    assert all(abs(float(line.split("|")[-2])) < 1e-9 for line in tied[6:])


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max().detach())


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("architecture", ["relu", "linear"])
def test_the_loop_has_the_losses_of_the_ensemble(architecture: str) -> None:
    import training

    data, setting = training.task(architecture, betas=(0.75, 6.0), seeds=(0, 1))
    grid = grid_of(data, setting, "cpu")
    modules: list[Any] = training.modules(data, setting, grid.members)
    together = grid.loss(grid.initial(), grid.generator())
    if architecture == "linear":
        moments = grid.model.A, grid.model.C, grid.model.y2
        alone = [model.loss(beta, *moments) for model, beta in zip(modules, grid.beta, strict=True)]
    else:
        generator = grid.generator()
        rows = torch.randint(len(grid.x), (setting.batch,), generator=generator)
        noise = torch.randn(grid.members, setting.batch, setting.d1, dtype=grid.dtype, generator=generator)
        drawn = zip(modules, grid.beta, noise, strict=True)
        alone = [model.loss(beta, grid.x[rows], grid.y[rows], own) for model, beta, own in drawn]
    assert together.min() > 1 and together.max() > together.min()
    assert _apart(torch.stack(alone), together) <= FLOAT64_IDENTITY.value * float(together.max())


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("architecture", ["relu", "linear"])
@pytest.mark.parametrize("fused", [False, True])
def test_the_loop_ends_where_an_ensemble_of_one_does(architecture: str, fused: bool) -> None:
    import training

    data, setting = training.task(architecture, betas=(0.75,), seeds=(0,), steps=30)
    (model,), ended = training.loop(data, setting, 1, fused), training.ensemble(data, setting)
    (start,), (expected,) = training.modules(data, setting, 1), training.modules(data, setting, 1)
    expected.take(ended, 0)
    for before, own, other in zip(start.parameters(), model.parameters(), expected.parameters(), strict=True):
        assert _apart(own, other) <= FLOAT64_IDENTITY.value
        assert _apart(own, before) > training.RATE  # it has moved


@pytest.mark.usefixtures("benchmarks")
def test_training_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    import training

    monkeypatch.setattr(training, "task", lambda architecture, make=training.task: make(architecture, steps=2))
    shown = training.table().splitlines()
    table = [line for line in shown if line.startswith("| ReLU") or line.startswith("| linear")]
    assert shown[0] == training.TITLE and len(table) == 8
    assert [line.split(" | ")[4] for line in table if "one by one" in line] == ["1", "1"]
    assert all(float(line.split(" | ")[3]) > 0 for line in table)


@pytest.mark.usefixtures("benchmarks")
def test_a_section_is_written_in_its_place(tmp_path: Path) -> None:
    from sections import put

    readme = tmp_path / "README.md"
    readme.write_text("# All\n\n### A\n\nold\n\ntwo\n\n### C\n\nc\n\nhardware\n", encoding="utf-8")
    put(readme, "### A", "### A\n\nnew")
    put(readme, "### B", "### B\n\nb", before="### C")
    put(readme, "### D", "### D\n\nd")
    put(readme, "### C", "### C\n\ncc")
    expected = ["# All", "### A", "new", "### B", "b", "### C", "cc", "### D", "d", "hardware"]
    assert readme.read_text(encoding="utf-8").strip().split("\n\n") == expected
