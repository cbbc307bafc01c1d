"""The oracle against definitions that use no distributions: an integral, sampling, and the constant it may drop."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from numerics.oracle import elbo_by_sigma_points, gaussian_kl
from numerics.tolerances import FLOAT64_IDENTITY


def case(seed: int, D0: int, d2: int, d1: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(5, D0), (5, d2), (D0, d1), (d2, d1), (d1,)]
    x, y, W, U, s = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes)
    return x, y, W, U, s.exp()


@pytest.mark.parametrize(("m", "sigma", "eta_enc"), [(0.7, 0.5, 1.3), (-2.0, 1.5, 0.4), (0.0, 3.0, 3.0)])
def test_gaussian_kl_is_the_integral(m: float, sigma: float, eta_enc: float) -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)  # exact: the log ratio of densities is quadratic
    z = m + sigma * nodes
    log_ratio = -(nodes**2) / 2 - math.log(sigma) + z**2 / (2 * eta_enc**2) + math.log(eta_enc)
    integral = float(weights @ log_ratio / weights.sum())
    found = float(
        gaussian_kl(torch.tensor([m], dtype=torch.float64), torch.tensor([sigma], dtype=torch.float64), eta_enc)
    )
    assert abs(found - integral) <= FLOAT64_IDENTITY.value * max(1.0, integral)
    assert (integral > 1 / 100) == (sigma != eta_enc)


def test_kl_adds_over_latents() -> None:
    m, sigma = torch.tensor([[0.5, -1.0, 2.0], [0.3, 1.0, 2.0]], dtype=torch.float64)
    parts = [gaussian_kl(m[i : i + 1], sigma[i : i + 1], 1.5) for i in range(3)]
    total = gaussian_kl(m, sigma, 1.5)
    assert abs(total - sum(parts)) <= FLOAT64_IDENTITY.value * total
    assert min(parts) > 0


@pytest.mark.parametrize("d1", [1, 2, 5])
def test_sigma_points_are_exact(d1: int) -> None:
    """The reconstruction term is quadratic in the noise, so Gauss–Hermite rules of any order give the same number."""
    x, y, W, U, sigma = case(d1, 3, 2, d1)
    eta_dec = 0.7
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = torch.tensor(np.stack(np.meshgrid(*[nodes] * d1), -1).reshape(-1, d1))
    weight = torch.tensor(np.prod(np.stack(np.meshgrid(*[weights / weights.sum()] * d1), -1).reshape(-1, d1), -1))
    z = (x @ W)[:, None, :] + grid * sigma
    error = ((z @ U.T - y[:, None, :]) ** 2).sum(-1) @ weight
    expected = error.mean() / (2 * eta_dec**2) + 2.0 * gaussian_kl(x @ W, sigma.expand(5, d1), 1.2).mean()
    found = elbo_by_sigma_points(x, y, W, U, sigma, 2.0, eta_dec, 1.2, partition=False)
    assert abs(found - expected) <= FLOAT64_IDENTITY.value * expected


@pytest.mark.parametrize("eta_dec", [0.3, 1.0, 2.5])
def test_partition_function(eta_dec: float) -> None:
    x, y, W, U, sigma = case(0, 2, 3, 2)
    whole = elbo_by_sigma_points(x, y, W, U, sigma, 1.0, eta_dec, 1.0)
    without = elbo_by_sigma_points(x, y, W, U, sigma, 1.0, eta_dec, 1.0, partition=False)
    constant = 3 / 2 * math.log(2 * math.pi * eta_dec**2)
    assert abs(whole - without - constant) <= FLOAT64_IDENTITY.value * abs(whole)
    assert constant != 0


def test_beta_weighs_the_divergence_alone() -> None:
    x, y, W, U, sigma = case(1, 3, 2, 2)
    one, two, four = (float(elbo_by_sigma_points(x, y, W, U, sigma, beta, 0.8, 1.1)) for beta in (1.0, 2.0, 4.0))
    divergence = float(gaussian_kl(x @ W, sigma.expand(5, 2), 1.1).mean())
    assert divergence > 0
    assert abs(two - one - divergence) <= FLOAT64_IDENTITY.value * abs(four)
    assert abs(four - two - 2 * divergence) <= FLOAT64_IDENTITY.value * abs(four)


def test_the_elbo_is_below_the_evidence() -> None:
    """At β = 1 the bound holds: log p(y) is that of N(0, η_enc² UUᵀ + η_dec² I), whatever the encoder."""
    x, y, W, U, sigma = case(2, 3, 2, 2)
    covariance = 1.1**2 * U @ U.T + 0.8**2 * torch.eye(2, dtype=torch.float64)
    solved = torch.linalg.solve(covariance, y.T).T
    log_evidence = -((y * solved).sum(-1) + torch.logdet(2 * math.pi * covariance)) / 2
    assert elbo_by_sigma_points(x, y, W, U, sigma, 1.0, 0.8, 1.1) > -log_evidence.mean()
