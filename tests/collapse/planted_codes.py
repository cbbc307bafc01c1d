"""Codes of linear VAEs whose truth is known: built at the optimum of a level, spoiled on purpose, or trained by gradient steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from collapse.diagnosis import Diagnosis, diagnose
from numerics.objective import vae_loss

Arrays = tuple[np.ndarray, np.ndarray]
"""Means and log-variances, (n, latents) each."""
LATENTS, KEPT = 6, 4
SEEDS = range(6)
LEFT = 0.02
"""Relative errors that training leaves."""

both = pytest.mark.parametrize("with_data", [True, False], ids=["data", "order"])
every_seed = pytest.mark.parametrize("seed", SEEDS)


@dataclass
class Planted:
    """Gaussian data of a random spectrum, centred, with their own principal components (columns) and ζ²."""

    x: np.ndarray
    zeta_squared: np.ndarray
    components: np.ndarray
    rng: np.random.Generator


def planted(seed: int, *, features: int = 12, n: int = 1500) -> Planted:
    """ζ² over two decades, drawn anew for each seed, neighbours at least a fifth apart."""
    rng = np.random.default_rng(seed)
    ratios = rng.uniform(1.2, 2.0, features)
    squares = 10 * np.cumprod(1 / ratios)
    basis = np.linalg.qr(rng.standard_normal((features, features)))[0]
    x = rng.standard_normal((n, features)) * np.sqrt(squares) @ basis.T
    x -= x.mean(0)
    values, vectors = np.linalg.eigh(x.T @ x / n)
    return Planted(x, values[::-1], vectors[:, ::-1], rng)


def level_keeping(data: Planted, modes: int) -> float:
    """A level between two ζ², so that so many modes are kept."""
    high = data.zeta_squared[modes - 1] if modes else 2 * data.zeta_squared[0]
    return float(np.sqrt(high * data.zeta_squared[modes]))


def optimum(
    data: Planted, latents: int, level: float, *, dead: Sequence[int] = (), noise: float = 0.0, order: bool = True
) -> Arrays:
    """The codes of the linear optimum, latents in any order and of any sign.

    Args:
        data: planted.
        latents: how many.
        level: β η_dec² that was applied.
        dead: modes, counted from 0, that are left without a latent; no other mode takes it.
        noise: relative errors of directions and variances, as training leaves them.
        order: whether latents are put in random order.
    """
    n, features = data.x.shape
    W, variance = np.zeros((features, latents)), np.ones(latents)
    for k in range(min(latents, features)):
        square = data.zeta_squared[k]
        if square > level and k not in dead:
            W[:, k] = np.sqrt(1 - level / square) / np.sqrt(square) * data.components[:, k]
            variance[k] = level / square
    W *= 1 + noise * data.rng.standard_normal(W.shape)
    variance *= np.exp(noise * data.rng.standard_normal(latents))
    places = data.rng.permutation(latents) if order else np.arange(latents)
    signs = data.rng.choice([-1.0, 1.0], latents)
    return data.x @ (W * signs)[:, places], np.tile(np.log(variance[places]), (n, 1))


def held_and_rotated(data: Planted, latents: int, level: float, deviation: float) -> Arrays:
    """The optimum with all standard deviations held at one (Proposition 2, prior 1), under a random rotation of the latents."""
    n, features = data.x.shape
    W = np.zeros((features, latents))
    for k in range(min(latents, features)):
        zeta = np.sqrt(data.zeta_squared[k])
        power = max(0.0, deviation * zeta / np.sqrt(level) - deviation**2)
        W[:, k] = np.sqrt(power) / zeta * data.components[:, k]
    rotation = np.linalg.qr(data.rng.standard_normal((latents, latents)))[0]
    return data.x @ W @ rotation, np.full((n, latents), 2 * np.log(deviation))


def gradient_steps(
    data: Planted, latents: int, level: float, stages: Sequence[int], *, rate: float = 0.01, scale: float = 0.1
) -> list[Arrays]:
    """Codes after each of these numbers of Adam's steps on the exact loss, from a random start."""
    generator = torch.Generator().manual_seed(int(data.rng.integers(2**31)))
    n, features = data.x.shape
    x = torch.tensor(data.x)
    A, one = x.T @ x / n, torch.tensor(1.0, dtype=torch.float64)

    def start() -> Tensor:
        drawn = torch.randn((features, latents), generator=generator, dtype=torch.float64)
        return drawn.mul(scale).requires_grad_()

    W, U = start(), start()
    log_variance = torch.zeros(latents, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([W, U, log_variance], lr=rate)
    found: list[Arrays] = []
    for step in range(max(stages) + 1):
        if step in stages:
            codes = (x @ W).detach().numpy(), log_variance.detach().expand(n, latents).numpy().copy()
            found.append(codes)
        optimiser.zero_grad()
        vae_loss(W, U, log_variance, A, A, A.trace(), one * level, one, one).backward()
        optimiser.step()
    return found


def diagnosed(data: Planted, codes: Arrays, believed: float, *, with_data: bool = True) -> Diagnosis:
    return diagnose(
        *codes, data.zeta_squared, beta_eta_dec_squared=believed, features=data.x.shape[1],
        data=data.x if with_data else None,
    )  # fmt: skip
