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
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import audit
import numpy as np
import scipy
import torch
import training
from scipy.optimize import minimize

from numerics.certificates import certify_lone
from numerics.closed_forms import least_losses
from numerics.descent import minimise
from numerics.falsify import certified
from numerics.fast_descent import fast_minima, lone_minimum
from numerics.minimum import FAST
from numerics.newton import newton_descent
from numerics.objective import LEARNED_VARIANCES, Parameters, Statistics, vae_loss
from numerics.problem import Problem
from numerics.starts import Scales
from numerics.tolerances import DESCENT_GAP, GRADIENT_NORM, HESSIAN_EIGENVALUE
from numerics.volume import Block

SIZES = (5, 10)
COUNTS = {
    5: {"fast": 4096, "plain": 512, "scipy": 96, "torch": 12},
    10: {"fast": 512, "plain": 32, "scipy": 24, "torch": 4},
}
SMALL, SMALL_COUNT = (1, 2, 3, 4, 5), 100
TIED, TIES, TIED_COUNT = (2, 3, 5), (1e-3, 1e-5), 20
PAPER_STEPS = 20_000


@cache
def block(size: int, count: int, seed: int = 0, tie: float | None = None) -> Block:
    """The instances, with random starts; with all singular values within a relative distance of 3, if one is given."""
    generator = torch.Generator().manual_seed(seed)
    normal = partial(torch.randn, dtype=torch.float64, generator=generator)
    Z = 2 * normal(count, size, size)
    if tie is not None:
        near = 3 * (1 + tie * (2 * torch.rand(count, size, dtype=torch.float64, generator=generator) - 1))
        left, _, right = torch.linalg.svd(Z)
        Z = (left * near[:, None, :]) @ right
    beta = 0.05 + 6 * torch.rand(count, dtype=torch.float64, generator=generator)
    one = torch.ones(count, dtype=torch.float64)
    A = torch.eye(size, dtype=torch.float64).repeat(count, 1, 1)
    statistics = Statistics(A, Z, Z.square().sum((-2, -1)), beta, one, one)
    start = Parameters(normal(count, size, size), normal(count, size, size), normal(count, size) / 2)
    scales = Scales(one, one, statistics.y2 / 2 + beta)
    zeta = torch.linalg.svdvals(Z).numpy()
    return Block(0, "spread", "learned", zeta, np.zeros(count), None, size, statistics, start, scales)


@dataclass(frozen=True)
class Row:
    """One method on one size: seconds an instance, and how its losses lie relative to the closed form."""

    method: str
    instances: int
    seconds: float
    worst_gap: float
    within: float


def row(method: str, instances: Block, count: int, run: Callable[[], Any]) -> Row:
    """Time a method; `run` returns the losses where it ended."""
    begin = time.perf_counter()
    losses = np.asarray(run())
    seconds = (time.perf_counter() - begin) / count
    stated = least_losses(instances)[:count]
    gaps = (losses - stated) / np.abs(stated)
    worst = float(gaps[np.abs(gaps).argmax()])
    return Row(method, count, seconds, worst, float(np.mean(np.abs(gaps) <= DESCENT_GAP.value)))


def fast(instances: Block) -> np.ndarray:
    """The fast route with its certificates."""
    end = _ended(instances)
    if not certified(instances, end).all():
        raise SystemExit("the fast route left an instance without a certificate")
    return vae_loss(*end, *instances.statistics).numpy()


def descended(instances: Block) -> np.ndarray:
    """The fast route without certificates."""
    return vae_loss(*_ended(instances), *instances.statistics).numpy()


def _ended(instances: Block) -> Any:
    return fast_minima(instances.start, instances.statistics, instances.scales, LEARNED_VARIANCES)[0]


def one_by_one(instances: Block, count: int, *, certificate: bool = True) -> list[float]:
    """The fast route, each instance by itself: in NumPy, or where that hands over, in torch."""
    losses = []
    for place in range(count):
        statistics = Statistics(*(np.asarray(value[place]) for value in instances.statistics))
        start = Parameters(*(value[place].numpy() for value in instances.start))
        end = lone_minimum(start, statistics, LEARNED_VARIANCES)
        if end is None:
            losses.append(float((fast if certificate else descended)(chosen(instances, torch.tensor([place])))[0]))
            continue
        losses.append(float(vae_loss(*end, *statistics)))
        if certificate:
            found = certify_lone(end, statistics, LEARNED_VARIANCES)
            if (
                found.gradient_norm > GRADIENT_NORM.value
                or found.smallest_hessian_eigenvalue < -HESSIAN_EIGENVALUE.value
            ):
                raise SystemExit("the fast route left an instance without a certificate")
    return losses


def called(problems: Sequence[Problem]) -> list[float]:
    """`minimise`, called for one instance after another: with a random start of its own, and the certificate."""
    return [minimise([problem], seed=0, route=FAST)[0].loss for problem in problems]


def problems_of(instances: Block) -> list[Problem]:
    """The same instances as minimise takes them."""
    A, C, y2, beta, eta_dec, eta_enc = (value.numpy() for value in instances.statistics)
    return [
        Problem(A[k], C[k], float(y2[k]), instances.shape[2], float(beta[k]), float(eta_dec[k]), float(eta_enc[k]))
        for k in range(len(A))
    ]


def chosen(whole: Block, index: torch.Tensor) -> Block:
    """Some of the instances."""
    statistics, start = (type(part)(*(value[index] for value in part)) for part in (whole.statistics, whole.start))
    zeta, residual = whole.zeta[index.numpy()], whole.residual[index.numpy()]
    return Block(0, "spread", "learned", zeta, residual, None, whole.d0, statistics, start, whole.scales.rows(index))


def plain(instances: Block, count: int) -> list[float]:
    """The plain route."""
    start, statistics = (type(p)(*(value[:count] for value in p)) for p in (instances.start, instances.statistics))
    scales = instances.scales.rows(torch.arange(count))
    end: Any = newton_descent(start, statistics, scales, LEARNED_VARIANCES)
    return vae_loss(*end, *statistics).tolist()


def with_scipy(instances: Block, count: int, ends: list[np.ndarray] | None = None) -> list[float]:
    """SciPy's L-BFGS-B, one instance after another, with an analytic gradient in NumPy; `ends` takes the points."""
    losses = []
    for place in range(count):
        Z, beta = instances.statistics.C[place].numpy(), float(instances.statistics.beta[place])
        d2, d0 = Z.shape
        d1 = instances.shape[2]

        def value_and_slope(
            flat: np.ndarray, Z: np.ndarray = Z, beta: float = beta, shape: tuple = (d0, d2, d1)
        ) -> Any:
            d0, d2, d1 = shape
            W, U = flat[: d0 * d1].reshape(d0, d1), flat[d0 * d1 : (d0 + d2) * d1].reshape(d2, d1)
            logarithm = flat[(d0 + d2) * d1 :]
            variance = np.exp(logarithm)
            error = U @ W.T - Z
            lengths = (U * U).sum(0)
            loss = (
                (error**2).sum() + lengths @ variance + beta * (variance - 1 - logarithm).sum() + beta * (W**2).sum()
            ) / 2
            slopes = (error.T @ U + beta * W, error @ W + U * variance, (variance * (lengths + beta) - beta) / 2)
            return loss, np.concatenate([slope.ravel() for slope in slopes])

        start = np.concatenate([value[place].numpy().ravel() for value in instances.start])
        limits = {"maxiter": 10**5, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-10}
        found = minimize(value_and_slope, start, jac=True, method="L-BFGS-B", options=limits)
        losses.append(found.fun)
        if ends is not None:
            ends.append(found.x)
    return losses


def certified_share(instances: Block, ends: Sequence[np.ndarray]) -> float:
    """How many of such points have the certificate that `collapse falsify` asks for."""
    D0, d2, d1 = instances.shape
    W, U, log_variance = torch.tensor(np.array(ends)).split([D0 * d1, d2 * d1, d1], dim=1)
    points = Parameters(W.reshape(-1, D0, d1), U.reshape(-1, d2, d1), log_variance)
    return float(certified(chosen(instances, torch.arange(len(ends))), points).double().mean())


def with_torch(instances: Block, count: int) -> list[float]:
    """torch.optim.LBFGS with a strong Wolfe line search, one instance after another."""
    losses = []
    for place in range(count):
        point = [value[place].clone().requires_grad_() for value in instances.start]
        statistics = [value[place] for value in instances.statistics]
        optimiser = torch.optim.LBFGS(
            point,
            max_iter=10_000,
            tolerance_grad=1e-10,
            tolerance_change=1e-15,
            history_size=30,
            line_search_fn="strong_wolfe",
        )

        def closure(point: list = point, statistics: list = statistics, optimiser: Any = optimiser) -> Any:
            optimiser.zero_grad()
            loss = vae_loss(*point, *statistics)
            loss.backward()
            return loss

        optimiser.step(closure)
        losses.append(float(vae_loss(*(value.detach() for value in point), *statistics)))
    return losses


def as_the_paper(instances: Block, count: int, steps: int) -> list[float]:
    """The paper's protocol: Adam 1e-3, batches of 16 samples of x, one sample of the noise each; y = Zx."""
    generator = torch.Generator().manual_seed(1)
    losses = []
    for place in range(count):
        W, U, log_variance = (value[place].clone().requires_grad_() for value in instances.start)
        Z, beta = instances.statistics.C[place], instances.statistics.beta[place]
        optimiser = torch.optim.Adam([W, U, log_variance], lr=1e-3)
        for _ in range(steps):
            x = torch.randn(16, Z.shape[1], dtype=torch.float64, generator=generator)
            mean = x @ W
            noise = torch.randn(mean.shape, dtype=torch.float64, generator=generator)
            error = (mean + (log_variance / 2).exp() * noise) @ U.T - x @ Z.T
            divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
            loss = (error.square().sum(-1) + beta * divergence).mean() / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        at = Parameters(*(value.detach() for value in (W, U, log_variance)))
        losses.append(float(vae_loss(*at, *(value[place] for value in instances.statistics))))
    return losses


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
        ("this project, fast route, one by one", "scipy", lambda: one_by_one(instances, counts["scipy"])),
        ("this project, plain route, batched", "plain", lambda: plain(instances, counts["plain"])),
        ("this project, fast route, batched", "fast", lambda: fast(instances)),
    )
    for name, key, run in methods:
        note(f"{size} x {size} x {size}: {name}")
        found.append(row(name, instances, counts[key], run))
    half = counts["fast"] // 2
    # each process draws the instances before it is timed, as this one does
    with ProcessPoolExecutor(2, get_context("spawn"), block, (size, counts["fast"])) as pool:
        list(pool.map(_part, *zip(*[(size, 32, 0, 16)] * 2, strict=True)))  # warm-up
        parts = [(size, counts["fast"], 0, half), (size, counts["fast"], half, counts["fast"])]
        run = lambda: np.concatenate(list(pool.map(_part, *zip(*parts, strict=True))))  # noqa: E731
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


def small_table(count: int) -> str:
    """A Markdown table of single small instances, one after another; SciPy gives no certificate."""
    lines = [
        "### One small instance at a time",
        "",
        "| d0 = d1 = d2 | SciPy, ms | fast route with its certificate, ms | times as fast as SciPy | without, ms | times as fast | "
        "a call of `minimise`, ms | times as fast | worst gap of SciPy | of the fast route | of `minimise` |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in SMALL:
        instances = block(size, count)
        problems = problems_of(instances)
        with_scipy(instances, 4), one_by_one(instances, 4), called(problems[:4])
        peer = row("SciPy", instances, count, lambda of=instances: with_scipy(of, count))
        ours = row("certified", instances, count, lambda of=instances: one_by_one(of, count))
        bare = row("uncertified", instances, count, lambda of=instances: one_by_one(of, count, certificate=False))
        whole = row("minimise", instances, count, lambda of=problems: called(of))
        times = [f"{1000 * peer.seconds:.3g}"]
        times += [f"{1000 * each.seconds:.3g} | {peer.seconds / each.seconds:.3g}" for each in (ours, bare, whole)]
        gaps = [f"{each.worst_gap:.1e}" for each in (peer, ours, whole)]
        lines.append(f"| {size} | {' | '.join(times + gaps)} |")
    return "\n".join(lines)


def tied_table(count: int) -> str:
    """The same where all singular values are nearly equal."""
    lines = [
        "### One small instance at a time, nearly tied",
        "",
        "All singular values of Z within a relative distance of 3. The fast route goes on until the tied modes are told apart.",
        "",
        "| d0 = d1 = d2 | distance | SciPy, ms | of its ends certified | fast route with its certificate, ms | times as fast as "
        "SciPy | worst gap of SciPy | of the fast route |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in TIED:
        for tie in TIES:
            instances = block(size, count, tie=tie)
            with_scipy(instances, 2), one_by_one(instances, 2)
            peer = row("SciPy", instances, count, lambda of=instances: with_scipy(of, count))
            ours = row("certified", instances, count, lambda of=instances: one_by_one(of, count))
            ends: list[np.ndarray] = []
            with_scipy(instances, count, ends)
            share = f"{100 * certified_share(instances, ends):.3g} %"
            times = (
                f"{1000 * peer.seconds:.3g} | {share} | {1000 * ours.seconds:.3g} | {peer.seconds / ours.seconds:.3g}"
            )
            lines.append(f"| {size} | {tie:g} | {times} | {peer.worst_gap:.1e} | {ours.worst_gap:.1e} |")
    return "\n".join(lines)


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "README.md")
    output = parser.parse_args().output
    torch.set_num_threads(1)
    note = (lambda text: print(text, file=sys.stderr)) if sys.stderr.isatty() else (lambda text: None)
    note("small instances")
    tables = [*(table(size, rows(size, note)) for size in SIZES), small_table(SMALL_COUNT), tied_table(TIED_COUNT)]
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
