"""Training the models of Figure 1 as one ensemble, and one after another by a plain PyTorch loop; `make bench-training`.

The synthetic regression with d_h = 8, batches of 64, one draw of the noise a step, Adam at 1e-3, float64: 21 beta and 5 seeds.
Linear models take expectations from second moments. The loops are written as one would without this project, in torch.nn
and torch.optim.Adam, on the same architecture, batches and noise. CPU time of one thread in one process, starts and the
ensemble's look at its losses included; medians of repeats that take turns, after a warm-up. The last column is extrapolated.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import audit
import torch
from sections import put
from torch import Tensor, nn

from numerics.datasets import DataSet, synthetic_regression
from numerics.grids import LinearGrid, NetworkGrid, Setting, grid_of
from numerics.networks import Stack
from numerics.training import Schedule, train

TITLE = "### Training a grid of models"
BETAS = tuple(0.75 * k for k in range(1, 22))
SEEDS = (0, 1, 2, 3, 4)
RATE = 1e-3
STEPS = 200
LOOPED = 4
REPEATS = 3
GRID_STEPS = 20_000
"""Of the extrapolation to the whole grid."""


class VAE(nn.Module):
    """One ReLU network as a user would write it."""

    def __init__(self, d0: int, d1: int, d2: int, hidden: int) -> None:
        super().__init__()
        self.mean, self.variance, self.decoder = (
            nn.Sequential(nn.Linear(first, hidden), nn.ReLU(), nn.Linear(hidden, last))
            for first, last in ((d0, d1), (d0, d1), (d1, d2))
        )

    def loss(self, beta: Tensor, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        """Negative evidence lower bound with one draw of the noise, eta_dec = eta_enc = 1."""
        mean, log_variance = self.mean(x), self.variance(x)
        output = self.decoder(mean + (log_variance / 2).exp() * noise)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
        return ((output - y).square().sum(-1) / 2 + beta * divergence).mean()

    def take(self, stack: Stack, member: int) -> VAE:
        """With the parameters of a member of an ensemble."""
        with torch.no_grad():
            for name in ("mean", "variance", "decoder"):
                net: Any = getattr(self, name)
                for layer, place in (("1", 0), ("2", 2)):
                    net[place].weight.copy_(stack[f"{name}.{layer}.weight"][member].T)
                    net[place].bias.copy_(stack[f"{name}.{layer}.bias"][member])
        return self


class LinearVAE(nn.Module):
    """One linear model, its expectations from E[x xᵀ], E[y xᵀ] and E‖y‖²."""

    def __init__(self, d0: int, d1: int, d2: int) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(d0, d1, bias=False), nn.Linear(d1, d2, bias=False)
        self.log_variance = nn.Parameter(torch.zeros(d1))

    def loss(self, beta: Tensor, A: Tensor, C: Tensor, y2: Tensor) -> Tensor:
        """Expected negative evidence lower bound, eta_dec = eta_enc = 1."""
        V, U, variance = self.encoder.weight, self.decoder.weight, self.log_variance.exp()
        codes = V @ A @ V.T
        error = y2 - 2 * (U.T @ C @ V.T).trace() + (U @ (codes + variance.diag()) @ U.T).trace()
        divergence = codes.trace() + (variance - 1 - self.log_variance).sum()
        return (error + beta * divergence) / 2

    def take(self, stack: Stack, member: int) -> LinearVAE:
        """With the parameters of a member of an ensemble."""
        with torch.no_grad():
            self.encoder.weight.copy_(stack["W"][member].T)
            self.decoder.weight.copy_(stack["U"][member])
            self.log_variance.copy_(stack["log_variance"][member])
        return self


def task(
    architecture: str, betas: tuple[float, ...] = BETAS, seeds: tuple[int, ...] = SEEDS, steps: int = STEPS
) -> Any:
    """Data and setting of an ensemble."""
    data = synthetic_regression()
    schedule = Schedule((RATE,), every=steps, patience=1, progress=RATE, most=steps)
    setting = Setting(architecture, betas, seeds, data.y.shape[1], schedule)
    return data, setting if architecture == "linear" else replace(setting, hidden=8, batch=64)


def ensemble(data: DataSet, setting: Setting) -> Stack:
    """All models at once."""
    return train(grid_of(data, setting, "cpu"), setting.schedule).stack


def modules(data: DataSet, setting: Setting, count: int) -> list[Any]:
    """The first members of the ensemble at their start, as modules."""
    d0, d2, stack = data.x.shape[1], data.y.shape[1], grid_of(data, setting, "cpu").initial()
    if setting.architecture == "linear":
        return [LinearVAE(d0, setting.d1, d2).double().take(stack, k) for k in range(count)]
    return [VAE(d0, setting.d1, d2, setting.hidden).double().take(stack, k) for k in range(count)]


def loop(data: DataSet, setting: Setting, count: int, fused: bool = False) -> list[Any]:
    """Some of the models, one after another; the first sees the batches of the ensemble, and its noise if that has one member."""
    grid, models = grid_of(data, setting, "cpu"), modules(data, setting, count)
    for model, beta in zip(models, grid.beta, strict=False):
        optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=fused)
        generator = grid.generator()
        for _ in range(setting.schedule.most):
            optimiser.zero_grad()
            model.loss(beta, *_seen(grid, generator)).backward()
            optimiser.step()
    return models


def _seen(grid: LinearGrid | NetworkGrid, generator: torch.Generator) -> tuple[Tensor, ...]:
    """What one step of one model is computed from."""
    if isinstance(grid, LinearGrid):
        return grid.model.A, grid.model.C, grid.model.y2
    rows = torch.randint(len(grid.x), (grid.setting.batch,), generator=generator)
    return (
        grid.x[rows],
        grid.y[rows],
        torch.randn(len(rows), grid.setting.d1, dtype=grid.dtype, generator=generator),
    )


@dataclass(frozen=True)
class Row:
    """One way on one architecture: models, and CPU seconds for one step of one model."""

    method: str
    models: int
    seconds: float


def rows(architecture: str) -> list[Row]:
    """Every way, in turns."""
    data, setting = task(architecture)
    alone = replace(setting, betas=setting.betas[:1], seeds=setting.seeds[:1])
    whole = len(BETAS) * len(SEEDS)
    methods: tuple[tuple[str, int, Callable[[], Any]], ...] = (
        ("torch.nn and torch.optim.Adam, one by one", LOOPED, lambda: loop(data, setting, LOOPED)),
        ("the same with fused=True", LOOPED, lambda: loop(data, setting, LOOPED, fused=True)),
        ("this project, an ensemble of one", 1, lambda: ensemble(data, alone)),
        ("this project, one ensemble", whole, lambda: ensemble(data, setting)),
    )
    times: list[list[float]] = [[] for _ in methods]
    for turn in range(REPEATS + 1):
        for found, (_, _, run) in zip(times, methods, strict=True):
            begin = time.process_time()
            run()
            if turn:  # the first is the warm-up
                found.append(time.process_time() - begin)
    return [
        Row(name, count, median(found) / (count * setting.schedule.most))
        for found, (name, count, _) in zip(times, methods, strict=True)
    ]


def table() -> str:
    """The section: a Markdown table with ratios to the plain loop."""
    whole = len(BETAS) * len(SEEDS)
    lines = [
        TITLE,
        "",
        " ".join((__doc__ or "").split("\n\n", 1)[1].split()),
        "",
        f"| architecture | method | models | µs a step of one model | times as fast | min for {whole} x {GRID_STEPS:,} steps |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for architecture, name in (("relu", "ReLU"), ("linear", "linear")):
        found = rows(architecture)
        for r in found:
            times = f"{1e6 * r.seconds:.{0 if r.seconds > 1e-4 else 1}f} | {found[0].seconds / r.seconds:.3g}"
            lines.append(f"| {name} | {r.method} | {r.models} | {times} | {r.seconds * whole * GRID_STEPS / 60:.2g} |")
    hardware = f"{STEPS} steps; {os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return "\n".join([*lines, "", f"{hardware}; Python {platform.python_version()}, torch {torch.__version__}."])


def main() -> None:
    """Measure anew, and put the table into README.md."""
    torch.set_num_threads(1)
    put(Path(__file__).parent / "README.md", TITLE, table(), before=audit.TITLE)


if __name__ == "__main__":
    main()
