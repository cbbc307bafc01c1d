"""Variable projection against the loss it comes from, torch's derivatives, and what the derivations prove stationary."""

import numpy as np
import pytest
import torch
from sympy import Symbol

from derivations.theorem_2_learned_variance import best_variance
from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.fast_descent import lifted
from numerics.lambdified import evaluate
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.points import symbol_values
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.projection import Projection, whitened
from numerics.tolerances import FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

OBJECTIVES = {
    "fixed": FIXED_VARIANCES,
    "learned": LEARNED_VARIANCES,
    "decoder": LEARNED_DECODER,
    "held": LEARNED_DECODER_ALONE,
}
SHAPES = [(3, 4, 2), (4, 3, 5), (1, 2, 1), (5, 1, 3)]  # D0, d2, d1
COUNT = 6


@pytest.mark.parametrize("scale", [1 / 10**10, 10**10])
def test_what_is_the_null_space_of_the_input_does_not_depend_on_its_units(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    M, C = (torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator) for shape in ((4, 3), (2, 3)))
    one = torch.ones(COUNT, dtype=torch.float64)
    Z, _ = whitened(Statistics(M @ M.mT, C @ M.mT, one, one, one, one))
    scaled, _ = whitened(Statistics(scale * M @ M.mT, scale**0.5 * C @ M.mT, one, one, one, one))
    expected = Z @ Z.mT
    assert (scaled @ scaled.mT - expected).abs().max() <= FLOAT64_DERIVATIVE.value * expected.abs().max()


def problems(kind: str, shape: tuple[int, int, int]) -> list[Problem]:
    rng, (D0, d2, d1) = np.random.default_rng(sum(shape)), shape
    rank = max(1, D0 - 1)
    return [
        planted_problem(
            rng, D0=D0, d2=d2, d1=d1,
            zeta=np.sort(rng.uniform(0.2, 3.0, min(rank, d2)))[::-1].copy(), phi=rng.uniform(0.2, 2.0, rank),
            residual=rng.uniform(0.1, 1.0), beta=rng.uniform(0.1, 3.0),
            eta_dec=rng.uniform(0.5, 2.0), eta_enc=rng.uniform(0.5, 2.0),
            sigma=rng.uniform(0.3, 2.0, d1) if kind in ("fixed", "held") else None,
            learned_decoder=kind in ("decoder", "held"),
        )
        for _ in range(COUNT)
    ]  # fmt: skip


def batch(
    kind: str, shape: tuple[int, int, int]
) -> tuple[Projection, DecoderParameters | HeldParameters | Parameters, Statistics, torch.Tensor]:
    """The projection, a start that holds the fixed variances, the statistics, and random points X."""
    members, (D0, d2, d1) = problems(kind, shape), shape
    statistics = Statistics(*map(torch.stack, zip(*map(Statistics.of, members), strict=True)))
    log_variance = torch.stack(
        [torch.tensor(np.log(p.sigma**2) if p.sigma is not None else np.zeros(d1)) for p in members]
    )
    zeros = torch.zeros(COUNT, D0, d1, dtype=torch.float64), torch.zeros(COUNT, d2, d1, dtype=torch.float64)
    start: DecoderParameters | HeldParameters | Parameters = Parameters(*zeros, log_variance)
    if kind in ("decoder", "held"):
        start = DecoderParameters(*start, torch.zeros(COUNT, dtype=torch.float64))
    if kind == "held":
        start = HeldParameters.of(start)
    X = torch.randn(COUNT, d2, d1, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    return Projection.of(start, statistics, OBJECTIVES[kind]), start, statistics, X


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_loss_is_the_original_one_but_for_a_constant(kind: str, shape: tuple[int, int, int]) -> None:
    projection, start, statistics, X = batch(kind, shape)
    objective: Objective = OBJECTIVES[kind]
    losses = [
        objective.loss(*lifted(at, projection, start, statistics, objective), *statistics) for at in (X, 2 * X + 1)
    ]
    change = statistics.beta / 2 * (projection.loss(2 * X + 1) - projection.loss(X))
    assert (losses[1] - losses[0] - change).abs().max() <= FLOAT64_IDENTITY.value * max(
        map(lambda loss: loss.abs().max(), losses)
    )
    assert change.abs().min() > 1 / 1000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_what_is_eliminated_is_stationary(kind: str, shape: tuple[int, int, int]) -> None:
    projection, start, statistics, X = batch(kind, shape)
    objective = OBJECTIVES[kind]
    slope = objective.gradient(*lifted(X, projection, start, statistics, objective), *statistics)
    scale = slope.U.abs().max()
    assert scale > 1 / 100
    eliminated = {"W": slope.W, "log_variance": torch.zeros(1) if kind in ("fixed", "held") else slope.log_variance}
    if kind in ("decoder", "held"):  # at given X, where U grows as η_dec does
        U = lifted(X, projection, start, statistics, objective).U
        eliminated["log_decoder"] = slope.log_decoder + (slope.U * U).sum((-2, -1)) / 2
    for name, value in eliminated.items():
        assert value.abs().max() <= FLOAT64_DERIVATIVE.value * max(1.0, float(scale)), name


def test_the_eliminated_variances_are_those_that_the_derivation_proves() -> None:
    shape = (3, 4, 2)
    projection, start, statistics, X = batch("learned", shape)
    found = lifted(X, projection, start, statistics, LEARNED_VARIANCES)
    length = Symbol("squared_length", nonnegative=True)
    for problem, U, log_variance in zip(problems("learned", shape), found.U, found.log_variance, strict=True):
        expected = evaluate(best_variance(length), symbol_values(problem) | {length: (U.numpy() ** 2).sum(0)})
        assert np.allclose(np.exp(log_variance.numpy()), expected, rtol=FLOAT64_IDENTITY.value, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_derivatives_are_torchs(kind: str, shape: tuple[int, int, int]) -> None:
    projection, _, _, X = batch(kind, shape)
    found = projection.derivatives(X)
    for k in range(COUNT):
        one = projection.rows(slice(k, k + 1))

        def loss(flat: torch.Tensor, one: Projection = one, like: torch.Tensor = X[:1]) -> torch.Tensor:
            return one.loss(flat.reshape(like.shape))[0]

        at = X[k].flatten()
        size = max(1.0, float(found.hessian[k].abs().max()))
        assert abs(float(found.loss[k] - loss(at))) <= FLOAT64_IDENTITY.value * size
        slope, curvature = torch.autograd.functional.jacobian(loss, at), torch.autograd.functional.hessian(loss, at)
        assert (found.gradient[k] - slope).abs().max() <= FLOAT64_DERIVATIVE.value * size
        assert (found.hessian[k] - curvature).abs().max() <= FLOAT64_DERIVATIVE.value * size


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", OBJECTIVES)
def test_alternation_lowers_the_loss(kind: str, shape: tuple[int, int, int]) -> None:
    projection, _, _, X = batch(kind, shape)
    before, after = projection.loss(X), projection.loss(projection.alternated(X))
    assert (after < before).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_at_a_minimum_the_projected_hessian_has_the_inertia_of_the_full_one(shape: tuple[int, int, int]) -> None:
    """Haynsworth: as many negative eigenvalues as the Hessian in all parameters, everywhere on the manifold of best encoders."""
    projection, start, statistics, X = batch("learned", shape)
    full = LEARNED_VARIANCES.hessian(*lifted(X, projection, start, statistics, LEARNED_VARIANCES), *statistics)
    negative = [(torch.linalg.eigvalsh(H) < -1 / 10**6).sum(-1) for H in (full, projection.derivatives(X).hessian)]
    assert torch.equal(*negative)
