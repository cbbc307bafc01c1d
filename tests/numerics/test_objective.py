"""The loss against the oracle on raw samples; its hand-made derivatives against automatic ones."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from numerics.moments import second_moments
from numerics.objective import Parameters, Statistics, curvature_product, vae_gradient, vae_hessian, vae_loss
from numerics.oracle import elbo_by_sigma_points
from numerics.problem import Problem
from numerics.problems import random_problems
from numerics.tolerances import FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

PROBLEMS = random_problems(24, seed=0)


def random_point(problem: Problem, seed: int) -> Parameters:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(problem.D0, problem.d1), (problem.d2, problem.d1), (problem.d1,)]
    return Parameters(*(torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes))


def flat(parameters: Parameters) -> Tensor:
    return torch.cat([value.flatten() for value in parameters])


def loss_of_flat(problem: Problem) -> Any:
    like, statistics = random_point(problem, 0), Statistics.of(problem)

    def loss(point: Tensor) -> Tensor:
        parts = point.split([value.numel() for value in like])
        return vae_loss(*(part.reshape(value.shape) for part, value in zip(parts, like, strict=True)), *statistics)

    return loss


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("autoencoder", [False, True])
def test_loss_is_the_negative_elbo_of_the_samples(seed: int, autoencoder: bool) -> None:
    rng = np.random.default_rng(seed)
    D0, d2, d1 = (int(value) for value in rng.integers(1, 5, 3))
    beta, eta_dec, eta_enc = (float(value) for value in rng.uniform(0.3, 3.0, 3))
    x = rng.standard_normal((7, D0))
    y = x if autoencoder else rng.standard_normal((7, d2))
    moments = second_moments(x, None if autoencoder else y, centre=False)
    problem = moments.problem(d1, beta, eta_dec=eta_dec, eta_enc=eta_enc)
    point = random_point(problem, seed)
    samples = torch.tensor(x), torch.tensor(y)
    sigma = (point.log_variance / 2).exp()
    oracle = elbo_by_sigma_points(*samples, point.W, point.U, sigma, beta, eta_dec, eta_enc, partition=False)
    loss = vae_loss(*point, *Statistics.of(problem))
    assert abs(loss - oracle) <= FLOAT64_IDENTITY.value * oracle
    # β and both η count, or the agreement above would say little about them.
    for changes in ({"beta": 2 * beta}, {"eta_dec": 2 * eta_dec}, {"eta_enc": 2 * eta_enc}):
        scales = {"beta": beta, "eta_dec": eta_dec, "eta_enc": eta_enc} | changes
        other = elbo_by_sigma_points(*samples, point.W, point.U, sigma, **scales, partition=False)
        assert abs(loss - other) > oracle / 1000


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_gradient_and_hessian_are_those_of_the_loss(problem: Problem) -> None:
    point, statistics, loss = random_point(problem, 1), Statistics.of(problem), loss_of_flat(problem)
    gradient, hessian = torch.func.grad(loss)(flat(point)), torch.func.jacrev(torch.func.grad(loss))(flat(point))
    analytic = flat(vae_gradient(*point, *statistics))
    assert (analytic - gradient).abs().max() <= FLOAT64_DERIVATIVE.value * gradient.abs().max()
    analytic = vae_hessian(*point, *statistics)
    assert analytic.shape == hessian.shape
    assert (analytic - hessian).abs().max() <= FLOAT64_DERIVATIVE.value * hessian.abs().max()


@pytest.mark.parametrize("problem", PROBLEMS[:12], ids=lambda problem: problem.name)
def test_curvature_product_is_the_hessian_times_a_direction(problem: Problem) -> None:
    point, along, statistics = random_point(problem, 1), random_point(problem, 2), Statistics.of(problem)
    product = torch.func.jacrev(torch.func.grad(loss_of_flat(problem)))(flat(point)) @ flat(along)
    assert product.abs().max() > 0
    error = (flat(curvature_product(point, along, statistics)) - product).abs().max()
    assert error <= FLOAT64_DERIVATIVE.value * product.abs().max()


def test_batches_equal_their_members() -> None:
    """Leading dimensions of the parameters and of the statistics broadcast against each other."""
    alike = [problem for problem in random_problems(120, seed=0) if (problem.D0, problem.d2, problem.d1) == (6, 2, 4)]
    assert len(alike) >= 4
    statistics = [Statistics.of(problem) for problem in alike]
    points = [[random_point(problem, 10 * i + k) for k in range(3)] for i, problem in enumerate(alike)]
    stacked = Statistics(*(torch.stack(values)[:, None] for values in zip(*statistics, strict=True)))
    point = Parameters(*(torch.stack([torch.stack([p[j] for p in row]) for row in points]) for j in range(3)))
    losses, gradients = vae_loss(*point, *stacked), vae_gradient(*point, *stacked)
    hessians = vae_hessian(*point, *stacked)
    assert losses.shape == (len(alike), 3)
    for i, row in enumerate(points):
        for k, member in enumerate(row):
            loss, hessian = vae_loss(*member, *statistics[i]), vae_hessian(*member, *statistics[i])
            assert abs(losses[i, k] - loss) <= FLOAT64_IDENTITY.value * loss
            assert (hessians[i, k] - hessian).abs().max() <= FLOAT64_IDENTITY.value * hessian.abs().max()
            gradient = flat(vae_gradient(*member, *statistics[i]))
            found = flat(Parameters(*(value[i, k] for value in gradients)))
            assert (found - gradient).abs().max() <= FLOAT64_IDENTITY.value * gradient.abs().max()


def test_everything_is_float64() -> None:
    problem = PROBLEMS[0]
    point, statistics = random_point(problem, 0), Statistics.of(problem)
    found = [vae_loss(*point, *statistics), vae_hessian(*point, *statistics), *vae_gradient(*point, *statistics)]
    assert {value.dtype for value in [*statistics, *found]} == {torch.float64}
    assert torch.get_default_dtype() == torch.float32


def test_the_null_space_of_A_does_not_matter() -> None:
    problem = next(problem for problem in random_problems(60, seed=0) if problem.d0 < problem.D0)
    point, statistics = random_point(problem, 0), Statistics.of(problem)
    null = torch.eye(problem.D0, dtype=torch.float64) - torch.tensor(problem.P_A @ problem.P_A.T)
    assert null.norm() > 1 / 2
    moved = point._replace(W=point.W + null @ torch.ones_like(point.W))
    loss = vae_loss(*point, *statistics)
    assert abs(vae_loss(*moved, *statistics) - loss) <= FLOAT64_IDENTITY.value * loss
