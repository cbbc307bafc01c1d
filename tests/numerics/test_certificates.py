"""Certificates tell minima from saddles and slopes, with the full Hessian and by Lanczos."""

import math

import numpy as np
import pytest
import torch

from numerics.certificates import certify, certify_large, gap
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Parameters, Statistics, vae_gradient, vae_hessian
from numerics.problem import Problem
from numerics.problems import random_problems
from numerics.tolerances import FLOAT64_DERIVATIVE, GRADIENT_NORM, HESSIAN_EIGENVALUE


def batch(point: Parameters, problem: Problem) -> tuple[Parameters, Statistics]:
    return Parameters(*(v[None] for v in point)), Statistics(*(v[None] for v in Statistics.of(problem)))


def origin(problem: Problem) -> Parameters:
    """W = U = 0 at the prior's variance: stationary for every problem."""
    prior = torch.full((problem.d1,), 2 * math.log(problem.eta_enc), dtype=torch.float64)
    W, U = (torch.zeros(rows, problem.d1, dtype=torch.float64) for rows in (problem.D0, problem.d2))
    return Parameters(W, U, prior)


def scalar_problem(zeta: float, beta: float, sigma: float | None = None) -> Problem:
    one = np.ones((1, 1))
    fixed = None if sigma is None else np.array([sigma])
    return Problem(A=one, C=zeta * one, y2=zeta**2, d1=1, beta=beta, eta_dec=1.0, eta_enc=1.0, sigma=fixed)


@pytest.mark.parametrize(("zeta", "sign"), [(0.5, 1), (2.0, -1)])
def test_the_origin_of_one_mode(zeta: float, sign: int) -> None:
    """Hessian [[β, −ζ], [−ζ, 1]] of (w, u) at σ = η_dec = η_enc = 1, and β/2 for log σ²."""
    beta = 1.0
    (found,) = certify(*batch(origin(scalar_problem(zeta, beta)), scalar_problem(zeta, beta)), LEARNED_VARIANCES)
    expected = min(1 - zeta, beta / 2)
    assert abs(found.smallest_hessian_eigenvalue - expected) <= FLOAT64_DERIVATIVE.value
    assert math.copysign(1, found.smallest_hessian_eigenvalue) == sign
    assert found.gradient_norm == 0


def test_fixed_variances_are_no_parameters() -> None:
    problem = scalar_problem(0.5, 1.0, sigma=2.0)
    point = origin(problem)._replace(log_variance=torch.tensor([2 * math.log(2.0)], dtype=torch.float64))
    (free,) = certify(*batch(point, problem), LEARNED_VARIANCES)
    (fixed,) = certify(*batch(point, problem), FIXED_VARIANCES)
    assert fixed.gradient_norm == 0 < free.gradient_norm
    # [[1, −1/2], [−1/2, 4]]
    assert abs(fixed.smallest_hessian_eigenvalue - (5 - math.sqrt(10)) / 2) <= FLOAT64_DERIVATIVE.value


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("problem", random_problems(24, seed=3), ids=lambda problem: problem.name)
def test_certificates_agree_with_the_analytic_derivatives(problem: Problem, learned: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    point = Parameters(*(v + torch.randn(v.shape, dtype=v.dtype, generator=generator) for v in origin(problem)))
    (found,) = certify(*batch(point, problem), LEARNED_VARIANCES if learned else FIXED_VARIANCES)
    parts = vae_gradient(*point, *Statistics.of(problem))
    size = sum(value.numel() for value in point[: 3 if learned else 2])
    gradient = torch.cat([value.flatten() for value in parts])[:size]
    spectrum = torch.linalg.eigvalsh(vae_hessian(*point, *Statistics.of(problem))[:size, :size])
    assert abs(found.gradient_norm - gradient.norm()) <= FLOAT64_DERIVATIVE.value * gradient.norm()
    scale = spectrum.abs().max()
    assert abs(found.smallest_hessian_eigenvalue - spectrum[0]) <= FLOAT64_DERIVATIVE.value * scale


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize(
    "problem",
    [problem for problem in random_problems(120, seed=4) if min(problem.D0, problem.d2) > 2][:12],
    ids=lambda problem: problem.name,
)
def test_the_large_certificate_bounds_the_small_one(problem: Problem, learned: bool) -> None:
    """At the origin: a lower bound, of the same sign, with a direction that shows a saddle."""
    point, statistics = origin(problem), Statistics.of(problem)
    (exact,) = certify(*batch(point, problem), LEARNED_VARIANCES if learned else FIXED_VARIANCES)
    found, direction = certify_large(point, statistics, learned=learned)
    small = HESSIAN_EIGENVALUE.value
    assert max(found.gradient_norm, exact.gradient_norm) <= GRADIENT_NORM.value
    assert found.smallest_hessian_eigenvalue <= exact.smallest_hessian_eigenvalue + small
    assert (found.smallest_hessian_eigenvalue < -small) == (exact.smallest_hessian_eigenvalue < -small)
    if exact.smallest_hessian_eigenvalue < -small:
        size = sum(value.numel() for value in point[: 3 if learned else 2])
        along = torch.cat([value.flatten() for value in direction])[:size]
        assert along @ vae_hessian(*point, *statistics)[:size, :size] @ along < 0


def test_the_large_certificate_meets_saddles_and_minima() -> None:
    chosen = [problem for problem in random_problems(120, seed=4) if min(problem.D0, problem.d2) > 2][:12]
    found = [certify(*batch(origin(p), p), LEARNED_VARIANCES)[0].smallest_hessian_eigenvalue for p in chosen]
    negative = [value < -HESSIAN_EIGENVALUE.value for value in found]
    assert 2 < sum(negative) < 10


def test_gap_is_signed_and_relative() -> None:
    assert gap(3.0, 2.0) == 0.5
    assert gap(1.0, 2.0) == -0.5
    assert gap(0.5, 0.25) == 0.25  # below one nat: absolute
    assert gap(0.0, 0.0) == 0.0
