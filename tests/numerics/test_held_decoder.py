"""A learned decoder variance with the encoder's variances held: both routes against the profile over it, written here anew."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from numerics.decoder_profile import least_over_decoder
from numerics.descent import minimise
from numerics.layers.descent import certificate_findings
from numerics.minimum import FAST, PLAIN, Minimum
from numerics.problem import Problem
from numerics.problems import planted_problem
from numerics.tolerances import DESCENT_GAP, DESCENT_INVARIANT

SHAPES = [(1, 1, 1), (3, 3, 2), (2, 4, 3), (4, 2, 1), (3, 3, 5)]  # D0, d2, d1


def left_over(problem: Problem, s: float) -> float:
    """What the data and an encoder held to its noise leave at the decoder variance s, mode by mode (Proposition 2)."""
    assert problem.sigma is not None
    ratios = np.sort(problem.sigma) / problem.eta_enc
    left = problem.r
    for index, zeta in enumerate(problem.spectrum):
        length = ratios[index] * math.sqrt(problem.beta * s) if index < problem.d1 else math.inf
        left += 2 * zeta * length - length**2 if zeta > length else zeta**2
    return left


def loss_at(problem: Problem, s: float) -> float:
    assert problem.sigma is not None
    ratios = problem.sigma**2 / problem.eta_enc**2
    divergence = problem.beta / 2 * float(np.sum(ratios - 1 - np.log(ratios)))
    return left_over(problem, s) / (2 * s) + problem.d2 / 2 * math.log(s) + divergence


def least(problem: Problem) -> tuple[float, float]:
    """The least loss and the decoder variance it is at: convex in the logarithm about the minimum, which a grid brackets."""
    grid = math.log(problem.y2 / problem.d2) + np.linspace(-25, 3, 400)
    at = int(np.argmin([loss_at(problem, math.exp(x)) for x in grid]))
    found = minimize_scalar(
        lambda x: loss_at(problem, math.exp(x)), bounds=(grid[at - 1], grid[at + 1]), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return float(found.fun), math.exp(found.x)


@cache
def problems() -> list[Problem]:
    rng = np.random.default_rng(4)
    found = []
    for index in range(40):
        D0, d2, d1 = SHAPES[index % len(SHAPES)]
        zeta = np.sort(rng.uniform(0.2, 3.0, min(D0, d2)))[::-1].copy()
        if index % 7 == 0:
            zeta[-1] = 0.0 if len(zeta) > 1 else zeta[-1]
        prior = rng.uniform(0.5, 2.0)
        found.append(
            planted_problem(
                rng, D0=D0, d2=d2, d1=d1, zeta=zeta, phi=rng.uniform(0.3, 2.0, D0),
                residual=0.0 if index % 3 == 0 else rng.uniform(0.1, 1.0), beta=10 ** rng.uniform(-2, 1), eta_dec=1.0,
                eta_enc=prior, sigma=np.full(d1, prior) if index % 4 == 0 else rng.uniform(0.3, 2.0, d1),
                learned_decoder=True, name=f"held {index}",
            )
        )  # fmt: skip
    return found


@cache
def minima(route: str) -> list[Minimum]:
    return minimise(problems(), seed=0, route=route)


@pytest.mark.parametrize("route", [PLAIN, FAST])
def test_descent_ends_where_the_profile_is_least(route: str) -> None:
    kinds = set()
    for minimum in minima(route):
        loss, variance = least(minimum.problem)
        assert abs(minimum.loss - loss) <= DESCENT_GAP.value * max(1.0, abs(loss)), minimum.problem.name
        assert minimum.eta_dec**2 == pytest.approx(variance, rel=DESCENT_INVARIANT.value)
        assert not minimum.diverged and minimum.route == route
        assert all(finding.agrees for finding in certificate_findings(minimum)), list(certificate_findings(minimum))
        assert np.array_equal(minimum.sigma, minimum.problem.sigma)
        kinds.add(minimum.active(1e-4) > 0)
    assert kinds == {True, False}, "some collapse completely"


def test_the_numeric_layers_minimum_over_the_decoder_is_the_profiles() -> None:
    """With unequal standard deviations too, each latent's own."""
    for problem in problems()[:6]:
        loss, variance = least(problem)
        found = least_over_decoder(problem)
        assert abs(found.loss - loss) <= DESCENT_GAP.value * max(1.0, abs(loss)), problem.name
        assert found.variance == pytest.approx(variance, rel=DESCENT_INVARIANT.value)


def test_the_best_decoder_variance_is_what_is_left_per_output() -> None:
    """d2 s is the reconstruction error, noise of the latents included."""
    for minimum in minima(FAST):
        problem = minimum.problem
        error = float(np.linalg.norm(minimum.product - problem.Z) ** 2 + np.sum(minimum.U**2 * minimum.sigma**2))
        assert problem.d2 * minimum.eta_dec**2 == pytest.approx(error + problem.r, rel=DESCENT_INVARIANT.value)


def test_a_tiny_residual_does_not_matter_here() -> None:
    """With learned variances of the encoder it is refused: descent could not tell it from 0, where the loss has no bound."""
    rng = np.random.default_rng(0)
    fields = {"D0": 1, "d2": 1, "d1": 1, "zeta": np.array([1.0]), "phi": np.ones(1), "beta": 0.1, "eta_dec": 1.0}
    losses = []
    for residual in (0.0, 1e-9):
        problem = planted_problem(
            rng, **fields, residual=residual, eta_enc=1.0, sigma=np.ones(1), learned_decoder=True, name="tiny"
        )
        (minimum,) = minimise([problem], seed=0)
        losses.append(minimum.loss)
    assert losses[0] < losses[1] < losses[0] + 1e-7


def test_regimes_are_those_of_where_it_ends() -> None:
    """A mode is above its threshold iff zeta_i > c_i sqrt(beta) eta_dec at the end of descent."""
    seen = set()
    for minimum in minima(FAST):
        problem = minimum.problem
        assert problem.sigma is not None
        reached = min(problem.d1, problem.dstar)
        levels = np.sort(problem.sigma)[:reached] / problem.eta_enc * math.sqrt(problem.beta) * minimum.eta_dec
        above = problem.spectrum[:reached] > levels
        tags = {"no-collapse": above.all(), "complete-collapse": not above.any()}
        tags["partial-collapse"] = not any(tags.values())
        for tag, holds in tags.items():
            assert (tag in problem.regimes) == holds, (problem.name, tag)
        assert "learned-decoder" in problem.regimes and "decoder-diverges" not in problem.regimes
        seen |= {tag for tag, holds in tags.items() if holds}
    assert seen == {"no-collapse", "complete-collapse", "partial-collapse"}
