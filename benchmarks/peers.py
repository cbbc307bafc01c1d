"""The instances that descend, and the methods that minimise them: this project's routes in batches, and its peers one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

from numerics.closed_forms import least_losses
from numerics.falsify import certified
from numerics.fast_descent import fast_minima
from numerics.newton import newton_descent
from numerics.objective import LEARNED_VARIANCES, Parameters, Statistics, vae_loss
from numerics.starts import Scales
from numerics.tolerances import DESCENT_GAP
from numerics.volume import Block


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
