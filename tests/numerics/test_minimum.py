"""Observables of a point, by their definitions on the samples that its second moments are of."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from numerics.certificates import Certificate
from numerics.minimum import Minimum
from numerics.moments import second_moments
from numerics.tolerances import FLOAT64_IDENTITY

LATENTS, PRIOR = 3, 0.7


@pytest.fixture
def point() -> tuple[Minimum, np.ndarray]:
    """Any point, with samples of inputs that span four of five dimensions."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 4)) @ rng.standard_normal((4, 5))
    y = x @ rng.standard_normal((5, 2)) + rng.standard_normal((40, 2))
    problem = second_moments(x, y, centre=False).problem(LATENTS, 1.3, eta_dec=0.5, eta_enc=PRIOR)
    W, U, sigma = rng.standard_normal((5, LATENTS)), rng.standard_normal((2, LATENTS)), rng.uniform(0.1, 2, LATENTS)
    nothing = Certificate(*[float("nan")] * len(Certificate.__dataclass_fields__))
    return Minimum(problem, W, U, sigma, 0.5, 0.0, nothing), x


def close(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() <= FLOAT64_IDENTITY.value * np.abs(other).max())


def test_v_and_the_product_map_whitened_inputs_to_what_w_and_u_make_of_inputs(
    point: tuple[Minimum, np.ndarray],
) -> None:
    at, x = point
    problem = at.problem
    white = x @ problem.P_A / np.sqrt(problem.phi)
    assert close(white.T @ white / len(x), np.eye(problem.d0))
    assert close(white @ at.V, x @ at.W)
    assert close(white @ at.product.T, x @ at.W @ at.U.T)


def test_the_divergence_of_each_latent_is_its_average_over_samples(point: tuple[Minimum, np.ndarray]) -> None:
    at, x = point
    means = torch.tensor(x @ at.W)
    posterior, prior = Normal(means, torch.tensor(at.sigma).expand_as(means)), Normal(0 * means, PRIOR + 0 * means)
    assert close(at.kl_per_latent, kl_divergence(posterior, prior).mean(0).numpy())


def test_singular_values_are_those_of_u_of_v_and_of_their_product(point: tuple[Minimum, np.ndarray]) -> None:
    at, _ = point
    for found, matrix in (
        (at.U_singular_values, at.U),
        (at.V_singular_values, at.V),
        (at.product_singular_values, at.product),
    ):
        squares = np.linalg.eigvalsh(matrix @ matrix.T if len(matrix) <= len(matrix.T) else matrix.T @ matrix)[::-1]
        assert close(found**2, squares)
    first, second = at.product_singular_values
    assert [at.active(value) for value in (second / 2, second, (first + second) / 2, first)] == [2, 1, 1, 0]
