"""A linear VAE trained with a library's loss is the theory's: gradients, and where the collapsed point turns unstable."""

import math

import pytest
import torch
from library_losses import LOSSES, spread
from torch import Tensor

from collapse.conventions import effective_water
from collapse.libraries import LIBRARIES
from numerics.objective import vae_gradient
from numerics.tolerances import FLOAT64_IDENTITY

LATENTS = 3
GAUSSIAN = [name for name, loss in LIBRARIES.items() if loss.likelihood == "gaussian"]
BERNOULLI = [name for name, loss in LIBRARIES.items() if loss.likelihood == "bernoulli"]


def network(name: str, theta: Tensor, x: Tensor, centre: float | None = None) -> Tensor:
    """The library's loss of a linear VAE, its noise averaged; with a centre p, of a sigmoid of the linear output about p.

    Args:
        theta: W, U and log σ², flattened.
        x: centred data, (N, D).
    """
    D = x.shape[1]
    W, U = (part.reshape(D, LATENTS) for part in theta[: 2 * D * LATENTS].split(D * LATENTS))
    mu, log_var = x @ W, theta[-LATENTS:].expand(len(x), LATENTS)
    output = (spread(mu, log_var) @ U.T).flatten(0, 1)
    data = x if centre is None else x + centre
    if centre is not None:
        output = torch.sigmoid(output + math.log(centre / (1 - centre)))
    copies = 2 * LATENTS
    weight = LIBRARIES[name].weight
    return LOSSES[name](data.repeat(copies, 1), output, mu.repeat(copies, 1), log_var.repeat(copies, 1), weight)


def centred_data(features: int, noise: float) -> Tensor:
    """Twelve centred samples (12, D): one pattern of equal pixels, and noise; the largest eigenvalue of E[x xᵀ] is 1."""
    generator = torch.Generator().manual_seed(1)
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(6)[:, None]
    x = signs + noise * (torch.rand(12, features, generator=generator, dtype=torch.float64) - 0.5)
    x = x - x.mean(dim=0)
    return x / torch.linalg.matrix_norm(x, 2) * math.sqrt(len(x))


@pytest.mark.parametrize("name", GAUSSIAN)
def test_the_gradient_is_a_multiple_of_the_theorys(name: str) -> None:
    x = centred_data(4, 3.0)
    N, D = x.shape
    A = x.T @ x / N
    theta = torch.randn(2 * D * LATENTS + LATENTS, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    loss = LIBRARIES[name]
    translation = effective_water(loss, D, LATENTS)
    assert translation.effective is not None
    theirs = torch.func.grad(lambda at: network(name, at, x))(theta)
    W, U = (part.reshape(D, LATENTS) for part in theta[: 2 * D * LATENTS].split(D * LATENTS))
    for beta, noise in ((translation.effective, 1.0), (1.0, translation.effective), (4.0, translation.effective / 4)):
        scales = (torch.tensor(value, dtype=torch.float64) for value in (beta, math.sqrt(noise), 1.0))
        parts = vae_gradient(W, U, theta[-LATENTS:], A, A, A.trace(), *scales)
        ours = torch.cat([part.flatten() for part in parts]) * translation.b / beta
        assert float((theirs - ours).norm()) <= FLOAT64_IDENTITY.value * float(theirs.norm())


def lowest_curvature(name: str, x: Tensor, centre: float | None = None) -> float:
    """Lowest eigenvalue of the loss's Hessian where all is collapsed, relative to the largest; W and U only."""
    parameters = 2 * x.shape[1] * LATENTS
    origin = torch.zeros(parameters + LATENTS, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda at: network(name, at, x, centre), origin)
    eigenvalues = torch.linalg.eigvalsh(hessian[:parameters, :parameters])
    return float(eigenvalues[0] / eigenvalues[-1])


@pytest.mark.parametrize("name", [name for name in GAUSSIAN if not LIBRARIES[name].condition])
def test_the_collapsed_point_turns_unstable_at_the_effective_water(name: str) -> None:
    x = centred_data(4, 3.0)
    water = effective_water(LIBRARIES[name], x.shape[1], LATENTS).effective
    assert water is not None
    below, above = (math.sqrt(water * ratio) * x for ratio in (0.99, 1.01))
    assert lowest_curvature(name, below) > 0 > lowest_curvature(name, above)


@pytest.mark.parametrize("centre", [0.5, 0.2])
@pytest.mark.parametrize("name", BERNOULLI)
def test_a_cross_entropy_turns_unstable_at_its_local_estimate(name: str, centre: float) -> None:
    x = centred_data(30, 0.1)  # pixels stay in [0, 1]
    upper = effective_water(LIBRARIES[name], x.shape[1], LATENTS).effective
    assert upper is not None
    water = 4 * centre * (1 - centre) * upper
    below, above = (math.sqrt(water * ratio) * x for ratio in (0.99, 1.01))
    rounding = FLOAT64_IDENTITY.value  # the data's null space has curvature 0
    assert lowest_curvature(name, below, centre) > -rounding > lowest_curvature(name, above, centre)
