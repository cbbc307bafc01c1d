"""Exact arithmetic: instances with rational minima in every regime, and a certificate that says no where it should."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from sympy import Rational

from derivations import notation as n
from derivations.exact_data import ExactData, exact_data
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from numerics.exact import ExactProblem, density_kl, exact_loss, has_negative_curvature, hessian, stationarity
from numerics.objective import Statistics, vae_loss
from numerics.points import Point, assembled
from numerics.problem import Problem
from numerics.rational import exact_problems
from numerics.tolerances import FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

KINDS = ("learned", "prior", "fixed")
MINIMA = {"learned": "thm-2.minimum", "prior": "thm-1.minimum", "fixed": "prop-2.minimum"}


def minimum_of(problem: ExactProblem, kind: str) -> Point:
    return assembled(claims_by_id()[MINIMA[kind]].standing.formula, problem)


def origin_of(problem: ExactProblem) -> Point:
    W, U, V = (
        np.full((rows, problem.d1), sympy.S.Zero, dtype=object) for rows in (len(problem.A), problem.d2, problem.d0)
    )
    variance = np.full(problem.d1, problem.eta_enc**2, dtype=object) if problem.learned else problem.sigma**2
    return Point(W, U, V, variance)


def thresholds(problem: ExactProblem) -> list[sympy.Expr]:
    """Of the reachable modes: the i-th singular value meets the i-th smallest deviation; the prior's where it is learned."""
    deviations = [problem.eta_enc] * problem.d1 if problem.learned else sorted(problem.sigma)
    level = sympy.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc
    return [level * deviation for deviation in deviations[: problem.dstar]]


@pytest.mark.parametrize("kind", KINDS)
def test_instances_cover_the_regimes(kind: str) -> None:
    problems = exact_problems(kind)
    assert len(problems) == len({problem.name for problem in problems}) == 18
    modes = [(z, t) for p in problems for z, t in zip(p.spectrum, thresholds(p), strict=False)]
    counts = {
        "d1 below": sum(p.d1 < p.dstar for p in problems),
        "d1 at": sum(p.d1 == p.dstar for p in problems),
        "d1 above": sum(p.d1 > p.dstar for p in problems),
        "wide": sum(p.d0 > p.d2 for p in problems),
        "tall": sum(p.d0 < p.d2 for p in problems),
        "above": sum(bool(z > t) for z, t in modes),
        "at": sum(bool(z == t) for z, t in modes),
        "below": sum(bool(z < t) for z, t in modes),
        "complete collapse": sum(
            all(z <= t for z, t in zip(p.spectrum, thresholds(p), strict=False)) for p in problems
        ),
        "zero mode": sum(bool(np.any(p.spectrum == 0)) for p in problems),
        "null space": sum(len(p.A) > p.d0 for p in problems),
        "full rank": sum(len(p.A) == p.d0 for p in problems),
        "r zero": sum(p.r == 0 for p in problems),
        "r positive": sum(bool(p.r > 0) for p in problems),
    }
    assert min(counts.values()) > 0, counts


def test_instances_cover_ties_and_deviations_out_of_order() -> None:
    for kind in ("learned", "prior"):
        tied = [
            p for p in exact_problems(kind) if any(a == b > 0 for a, b in zip(p.spectrum, p.spectrum[1:], strict=False))
        ]
        assert tied, kind
        assert any(p.spectrum[1] > thresholds(p)[-1] for p in tied if p.d1 > 1), f"{kind}: no tie of active modes"
    fixed = [p for p in exact_problems("fixed") if p.d1 > 1]
    assert fixed and all(list(p.sigma) != sorted(p.sigma) for p in fixed)
    assert all(list(p.sigma) == [p.eta_enc] * p.d1 for p in exact_problems("prior"))
    assert all(p.sigma is None for p in exact_problems("learned"))


@pytest.mark.parametrize("kind", KINDS)
def test_instances_are_exact_and_reproducible(kind: str) -> None:
    same, other = exact_problems(kind, 6, 5), exact_problems(kind, 6, 6)
    exact_problems.cache_clear()
    again = exact_problems(kind, 6, 5)
    assert all(np.array_equal(p.A, q.A) and np.array_equal(p.C, q.C) for p, q in zip(same, again, strict=True))
    assert not all(p.A.shape == q.A.shape and np.array_equal(p.A, q.A) for p, q in zip(same, other, strict=True))
    for problem in exact_problems(kind):
        for array in (
            problem.A,
            problem.C,
            problem.Z,
            problem.spectrum,
            problem.F,
            problem.G,
            problem.P_A,
            problem.phi,
        ):
            assert array.dtype == object and all(entry.is_Rational for entry in array.flat)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_are_those_of_the_points(kind: str) -> None:
    for problem in exact_problems(kind):
        X, Y = (np.array([list(point[k]) for point in problem.data.points], dtype=object).T for k in (0, 1))
        count = X.shape[1]
        assert np.array_equal(X @ X.T / count, problem.A)
        assert np.array_equal(Y @ X.T / count, problem.C)
        assert sum(y**2 for y in Y.flat) / count == sum(z**2 for z in problem.spectrum) + problem.r


@pytest.mark.parametrize("kind", KINDS)
def test_the_minimum_is_rational_and_certified_exactly(kind: str) -> None:
    active = 0
    for problem in exact_problems(kind):
        point = minimum_of(problem, kind)
        assert all(entry.is_Rational for array in (point.W, point.U, point.variance) for entry in array.flat)
        assert stationarity(problem, point) == 0, problem.name
        assert not has_negative_curvature(problem, point), problem.name
        active += any(entry != 0 for entry in point.U.flat)
    assert active > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_perturbed_point_is_not_stationary(kind: str) -> None:
    small = Rational(1, 10**12)
    moved = 0
    for problem in exact_problems(kind):
        point = minimum_of(problem, kind)
        if problem.learned:
            assert stationarity(problem, replace(point, variance=point.variance + small)) != 0
        # where the decoder, or the encoder, is not 0, the other one's length is isolated
        if any(entry != 0 for entry in point.U.flat):
            assert stationarity(problem, replace(point, W=point.W * (1 + small))) != 0
            assert stationarity(problem, replace(point, U=point.U * (1 - small))) != 0
            assert stationarity(problem, replace(point, U=-point.U)) != 0
            moved += 1
    assert moved >= 6


@pytest.mark.parametrize("kind", KINDS)
def test_the_origin_is_a_saddle_exactly_above_the_threshold(kind: str) -> None:
    seen = {True: 0, False: 0}
    for problem in exact_problems(kind):
        origin = origin_of(problem)
        assert stationarity(problem, origin) == 0
        above = bool(problem.spectrum[0] > thresholds(problem)[0])
        assert has_negative_curvature(problem, origin) is above, problem.name
        assert bool(exact_loss(problem, minimum_of(problem, kind)) - exact_loss(problem, origin) < 0) is above
        seen[above] += 1
    assert min(seen.values()) > 0, seen


def with_modes_reversed(problem: ExactProblem) -> ExactProblem:
    """The same data; the closed forms, taking modes in the order they come, spend their latents on the wrong ones."""
    matrices = dict(problem.data.matrices)
    modes = problem.dstar
    for symbol in (n.F, n.G):
        size = matrices[symbol].cols
        matrices[symbol] = matrices[symbol].extract(range(size), [*range(modes)[::-1], *range(modes, size)])
    scalars = replace(problem.data.scalars, zeta=problem.data.scalars.zeta[::-1])
    return ExactProblem(ExactData(scalars, matrices, problem.data.points), problem.learned, problem.name)


def planted(zeta: tuple[int, ...], d1: int, beta: Rational, learned: bool) -> ExactProblem:
    one = sympy.S.One
    singular = tuple(sympy.Integer(value) for value in zeta)
    scalars = Instance(singular, (one,) * d1, beta, one, one, len(zeta), len(zeta), one)
    return ExactProblem(exact_data(scalars, seed=11, kernel=1), learned, "planted")


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("beta", [Rational(1), Rational(2)], ids=["rational", "irrational"])
def test_the_wrong_mode_is_a_saddle(beta: Rational, learned: bool) -> None:
    problem = planted((5, 2), 1, beta, learned)
    kind = "learned" if learned else "prior"
    right, wrong = minimum_of(problem, kind), minimum_of(with_modes_reversed(problem), kind)
    assert all(entry.is_Rational for entry in right.U.flat) is (beta == 1 and not learned)
    assert stationarity(problem, right) == stationarity(problem, wrong) == 0
    assert not has_negative_curvature(problem, right)
    assert has_negative_curvature(problem, wrong)
    assert exact_loss(problem, wrong) - exact_loss(problem, right) > 0


# ------------------------------------------------------------------------------------ against float64
def as_float(array: np.ndarray) -> np.ndarray:
    return np.array([[float(entry) for entry in row] for row in np.atleast_2d(array)])


def float_problem(problem: ExactProblem) -> Problem:
    y2 = float(sum(value**2 for value in problem.spectrum) + problem.r)
    return Problem(
        A=as_float(problem.A), C=as_float(problem.C), y2=y2, d1=problem.d1, beta=float(problem.beta),
        eta_dec=float(problem.eta_dec), eta_enc=float(problem.eta_enc),
        sigma=None if problem.learned else as_float(problem.sigma)[0],
    )  # fmt: skip


def arbitrary_point(problem: ExactProblem) -> Point:
    matrices = (problem.data.matrices[symbol] for symbol in (n.W, n.U, n.V))
    variance = np.array([Rational(k + 2, 3) for k in range(problem.d1)], dtype=object)
    return Point(*(np.array(m.tolist(), dtype=object) for m in matrices), variance)


@pytest.mark.parametrize("kind", KINDS)
def test_the_exact_loss_is_the_float_loss(kind: str) -> None:
    for problem in exact_problems(kind)[:9]:
        statistics = Statistics.of(float_problem(problem))
        for point in (minimum_of(problem, kind), origin_of(problem), arbitrary_point(problem)):
            W, U = (torch.tensor(as_float(array)) for array in (point.W, point.U))
            found = float(vae_loss(W, U, torch.tensor(as_float(point.variance)[0]).log(), *statistics))
            expected = float(exact_loss(problem, point))
            assert abs(found - expected) <= FLOAT64_IDENTITY.value * max(1.0, abs(expected)), problem.name


def flat_loss(W: torch.Tensor, U: torch.Tensor, statistics: Statistics) -> Callable[[torch.Tensor], torch.Tensor]:
    """The loss of (W, U, variances) in one vector; the arguments give the shapes."""

    def loss(flat: torch.Tensor) -> torch.Tensor:
        w, u, variance = flat.tensor_split([W.numel(), W.numel() + U.numel()])
        return vae_loss(w.view(W.shape), u.view(U.shape), variance.log(), *statistics)

    return loss


@pytest.mark.parametrize("kind", ["learned", "fixed"])
def test_the_exact_derivatives_are_those_of_the_float_loss(kind: str) -> None:
    """Gradient and Hessian in (W, U and, if learned, the variances) by automatic differentiation, times 2 eta_dec^2."""
    for problem in exact_problems(kind)[:8]:
        statistics, point = Statistics.of(float_problem(problem)), arbitrary_point(problem)
        W, U, variance = (torch.tensor(as_float(array)) for array in (point.W, point.U, point.variance))
        loss = flat_loss(W, U, statistics)
        flat = torch.cat([W.flatten(), U.flatten(), variance.flatten()]).requires_grad_()
        count = len(flat) if problem.learned else len(flat) - problem.d1
        scale = 2 * float(problem.eta_dec) ** 2
        slope = float(torch.autograd.grad(loss(flat), flat)[0][:count].abs().max()) * scale
        assert abs(float(stationarity(problem, point)) - slope) <= FLOAT64_DERIVATIVE.value * max(1.0, slope)
        curvature = torch.autograd.functional.hessian(loss, flat.detach())[:count, :count].numpy() * scale
        found = as_float(hessian(problem, point))
        assert np.abs(found - curvature).max() <= FLOAT64_DERIVATIVE.value * max(1.0, np.abs(curvature).max())
        lowest = float(np.linalg.eigvalsh(curvature)[0])
        if abs(lowest) > FLOAT64_DERIVATIVE.value * np.abs(curvature).max():
            assert has_negative_curvature(problem, point) is (lowest < 0)


def test_the_divergence_of_two_gaussians() -> None:
    """The Gaussian KL, summed over latents: (sigma^2 + m^2)/(2 eta^2) - 1/2 - log(sigma/eta)."""
    mean, variance, prior = (
        np.array([sympy.Integer(2), sympy.S.Half]),
        np.array([sympy.Integer(3), sympy.S.One]),
        sympy.Integer(5),
    )
    expected = sum(
        (s + m**2) / (2 * prior**2) - sympy.S.Half - sympy.log(s / prior**2) / 2
        for m, s in zip(mean, variance, strict=True)
    )
    assert sympy.simplify(density_kl(mean, variance, prior) - expected) == 0
