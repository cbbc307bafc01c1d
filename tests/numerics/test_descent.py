"""Descent from random starts reaches the global minimum, whatever the regime; certificates and observables agree."""

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch

import numerics.descent
from derivations.errors import DataError
from numerics.certificates import gap
from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise, resolve_device
from numerics.minimum import FAST, PLAIN, Minimum
from numerics.moments import real_problems
from numerics.objective import Parameters, Statistics
from numerics.oracle import gaussian_kl
from numerics.problem import Problem
from numerics.problems import planted_problem, random_problems
from numerics.starts import random_start
from numerics.tolerances import (
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    FLOAT64_IDENTITY,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
)
from numerics.truncated_newton import truncated_newton_descent


def water_levels(problem: Problem) -> np.ndarray:
    """√β η_dec σ/η_enc for the reachable modes, smallest σ first; σ = η_enc where it is learned."""
    sigma = np.full(problem.d1, problem.eta_enc) if problem.sigma is None else np.sort(problem.sigma)
    return np.sqrt(problem.beta) * problem.eta_dec / problem.eta_enc * sigma[: min(problem.d1, problem.dstar)]


def least_loss(problem: Problem) -> float:
    """Global minimum of L_VAE, written here anew, apart from derivations: one mode after another.

    Fixed σ: a mode loses (ζ − level)₊² of its ζ². Learned σ: an active mode is left with t (1 + log(ζ²/t)), t = β η_dec².
    """
    zeta, levels = problem.spectrum, water_levels(problem)
    left = zeta**2
    for i, level in enumerate(levels):
        if zeta[i] > level:
            learned = level**2 * (1 + 2 * np.log(zeta[i] / level))
            left[i] = learned if problem.sigma is None else zeta[i] ** 2 - (zeta[i] - level) ** 2
    ratio = np.ones(problem.d1) if problem.sigma is None else (problem.sigma / problem.eta_enc) ** 2
    prior = problem.beta / 2 * np.sum(ratio - 1 - np.log(ratio))
    return float((problem.r + np.sum(left)) / (2 * problem.eta_dec**2) + prior)


def best_product(problem: Problem) -> np.ndarray:
    """Singular values of U Vᵀ at the minimum: soft thresholding for fixed σ, the garrote for learned σ."""
    zeta, levels = problem.spectrum, water_levels(problem)
    product = np.zeros_like(zeta)
    for i, level in enumerate(levels):
        if zeta[i] > level:
            product[i] = zeta[i] - (level**2 / zeta[i] if problem.sigma is None else level)
    return np.sort(product)[::-1]


@cache
def random_minima(seed: int, route: str) -> list[Minimum]:
    return minimise(random_problems(105, seed), seed=seed, route=route)


def assert_global(minima: Sequence[Minimum]) -> None:
    assert minima
    for minimum in minima:
        above = gap(minimum.loss, least_loss(minimum.problem))
        assert -DESCENT_BELOW.value <= above <= DESCENT_GAP.value, (minimum.problem.name, above)
        certificate = minimum.certificate
        assert certificate.gradient_norm <= GRADIENT_NORM.value, (minimum.problem.name, certificate)
        assert certificate.smallest_hessian_eigenvalue >= -HESSIAN_EIGENVALUE.value, (minimum.problem.name, certificate)


@pytest.mark.parametrize("route", [PLAIN, FAST])
@pytest.mark.parametrize("seed", range(3))
def test_random_problems_reach_their_global_minimum(seed: int, route: str) -> None:
    assert_global(random_minima(seed, route))
    assert {minimum.route for minimum in random_minima(seed, route)} == {route}


def test_the_routes_agree_with_a_learned_decoder_and_on_where_the_loss_is_unbounded() -> None:
    problems = decoder_problems(60, seed=1)
    pairs = list(zip(minimise(problems, seed=0), minimise(problems, seed=1, route=FAST), strict=True))
    assert 0 < sum(plain.diverged for plain, _ in pairs) < 60
    for plain, fast in pairs:
        assert plain.diverged == fast.diverged
        assert plain.diverged or abs(gap(fast.loss, plain.loss)) <= DESCENT_GAP.value
        assert plain.diverged or fast.certificate.gradient_norm <= GRADIENT_NORM.value


def test_on_the_fast_route_neither_order_nor_company_change_a_bit() -> None:
    problems = 2 * (random_problems(40, seed=3) + decoder_problems(20, seed=3))  # none is the only one of its shape
    whole, reverse = (minimise(chosen, seed=4, route=FAST) for chosen in (problems, problems[::-1]))
    for first, second in zip(whole, reversed(reverse), strict=True):
        other = minimise([first.problem] * 2, seed=4, route=FAST)[1]
        assert first.U.tobytes() == second.U.tobytes() == other.U.tobytes()
        assert first.loss == second.loss == other.loss


def test_parameters_are_counted_as_they_are_free() -> None:
    for problem in [*random_problems(12, seed=3), *decoder_problems(4, seed=3)]:
        start = numerics.descent._start(problem, 0, 1.0)
        free = sum(value.numel() for value in start[: numerics.descent.objective_of(problem).free])
        assert numerics.descent._parameter_count(problem) == free


def test_what_is_too_large_for_the_fast_route_takes_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = random_problems(12, seed=3)
    monkeypatch.setattr(numerics.descent, "MOST_UNKNOWNS", 6)
    for minimum in minimise(problems, seed=0, route=FAST):
        assert minimum.route == (FAST if minimum.problem.d2 * minimum.problem.d1 <= 6 else PLAIN)


def test_a_learned_decoder_variance_descends_with_its_full_hessian_however_many_parameters_there_are() -> None:
    problem = planted_problem(
        np.random.default_rng(1), D0=7, d2=7, d1=8, zeta=np.linspace(3, 0.5, 7), phi=np.ones(7), residual=2.0, beta=0.5,
        eta_dec=1.0, eta_enc=1.0, learned_decoder=True,
    )  # fmt: skip
    assert numerics.descent._parameter_count(problem) > numerics.descent._DENSE_PARAMETERS
    plain, fast = (minimise([problem], seed=0, route=route)[0] for route in (PLAIN, FAST))
    assert plain.route == PLAIN
    assert abs(gap(plain.loss, fast.loss)) <= DESCENT_GAP.value
    assert plain.eta_dec == pytest.approx(fast.eta_dec, rel=DESCENT_INVARIANT.value)


def test_real_problems_reach_their_global_minimum() -> None:
    assert_global(minimise(real_problems(), seed=0))


def test_the_route_for_large_problems_reaches_the_same_minima(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numerics.descent, "_DENSE_PARAMETERS", 0)
    assert_global(minimise(random_problems(42, seed=0), seed=0))


def test_the_large_route_leaves_saddles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started at the origin, where the gradient is zero, it ends at the minimum all the same."""
    monkeypatch.setattr(numerics.descent, "_DENSE_PARAMETERS", 0)
    problems = [problem for problem in random_problems(60, seed=1) if "above-threshold" in problem.regimes][:15]
    assert_global(minimise(problems, seed=0, start_scale=1e-12))


def test_the_large_route_leaves_a_saddle_from_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started at the minimum of one latent, with a second one that is off: from the origin one would first have to rise."""
    monkeypatch.setattr(numerics.descent, "_DENSE_PARAMETERS", 0)
    rng = np.random.default_rng(0)
    fields = {"D0": 3, "d2": 3, "zeta": np.array([3.0, 2.0, 0.5]), "phi": np.ones(3), "residual": 0.5}
    problem = planted_problem(rng, **fields, d1=2, beta=1.0, eta_dec=1.0, eta_enc=1.0, sigma=np.ones(2), name="two")
    (one,) = minimise([dataclasses.replace(problem, d1=1, sigma=np.ones(1))], seed=0)
    off = Parameters(*(torch.tensor(np.hstack([value, 0 * value])) for value in (one.W, one.U)), torch.zeros(2))
    monkeypatch.setattr(numerics.descent, "_start", lambda *_: off._replace(log_variance=off.log_variance.double()))
    (minimum,) = minimise([problem], seed=0)
    assert_global([minimum])
    assert one.loss - minimum.loss > 0.1


def test_the_small_route_leaves_saddles() -> None:
    problems = [problem for problem in random_problems(60, seed=1) if "above-threshold" in problem.regimes]
    assert len(problems) > 20
    assert_global(minimise(problems, seed=0, start_scale=1e-12))


@pytest.mark.parametrize("seed", range(3))
def test_products_are_those_of_the_theory(seed: int) -> None:
    for minimum in random_minima(seed, PLAIN):
        problem = minimum.problem
        scale = max(problem.spectrum[0], np.sqrt(problem.beta) * problem.eta_dec)
        error = np.abs(minimum.product_singular_values - best_product(problem)).max()
        assert error <= DESCENT_INVARIANT.value * scale, problem.name


def test_learned_deviations_are_the_best_for_their_decoder() -> None:
    """sigma^-2 = |u|^2/(beta eta_dec^2) + eta_enc^-2 for each latent."""
    learned = [minimum for minimum in random_minima(0, PLAIN) if minimum.problem.learned]
    assert len(learned) > 20
    for minimum in learned:
        problem = minimum.problem
        precision = (minimum.U**2).sum(0) / (problem.beta * problem.eta_dec**2) + problem.eta_enc**-2
        assert minimum.sigma == pytest.approx(precision**-0.5, rel=DESCENT_INVARIANT.value), problem.name


def test_starts_do_not_matter_but_arguments_move() -> None:
    problems = random_problems(36, seed=2)
    first, second = minimise(problems, seed=1), minimise(problems, seed=2)
    differences = [abs(gap(a.loss, b.loss)) for a, b in zip(first, second, strict=True)]
    assert max(differences) <= DESCENT_GAP.value
    moved = [not np.allclose(a.W, b.W) for a, b in zip(first, second, strict=True)]
    assert sum(moved) > 18


def test_same_seed_same_minima_and_the_batch_does_not_matter() -> None:
    problems = random_problems(24, seed=3)
    whole, again, reverse = (minimise(chosen, seed=4) for chosen in (problems, problems, problems[::-1]))
    alone = minimise(problems[7:8], seed=4)[0]
    for first, second, third in zip(whole, again, reverse[::-1], strict=True):
        assert (first.loss, first.certificate) == (second.loss, second.certificate)
        assert first.W.tobytes() == second.W.tobytes()
        assert abs(gap(first.loss, third.loss)) <= DESCENT_BELOW.value
    assert alone.problem is problems[7]
    assert abs(gap(alone.loss, whole[7].loss)) <= DESCENT_BELOW.value


def test_starts_are_random_and_reproducible() -> None:
    problem, other = random_problems(2, seed=0)
    a, b = random_start(problem, 0), random_start(problem, 0)
    assert torch.equal(a.W, b.W)
    assert not torch.equal(a.W, random_start(problem, 1).W)
    assert random_start(other, 0).W.shape == (other.D0, other.d1)
    near = random_start(problem, 0, distance=1e-3)
    assert torch.allclose(near.U, a.U / 1000)


def test_results_come_in_order_with_fixed_variances_untouched() -> None:
    problems = random_problems(48, seed=5)
    for problem, minimum in zip(problems, minimise(problems, seed=0), strict=True):
        assert minimum.problem is problem
        assert (minimum.W.shape, minimum.U.shape) == ((problem.D0, problem.d1), (problem.d2, problem.d1))
        assert minimum.W.dtype == minimum.U.dtype == minimum.sigma.dtype == np.float64
        if problem.sigma is not None:
            assert minimum.sigma.tobytes() == problem.sigma.tobytes()


def test_observables() -> None:
    for minimum in random_minima(0, PLAIN)[:40]:
        problem = minimum.problem
        assert np.abs(minimum.V.T @ minimum.V - minimum.W.T @ problem.A @ minimum.W).max() <= (
            FLOAT64_IDENTITY.value * max(1.0, float(np.abs(minimum.V.T @ minimum.V).max()))
        )
        # E_x KL: the mean of m² is that of a sample of two, ±√(E m²)
        spread = torch.tensor(np.sqrt(np.sum(minimum.V**2, axis=0)))[:, None]
        sigma = torch.tensor(minimum.sigma)[:, None]
        expected = gaussian_kl(spread, sigma, problem.eta_enc).numpy()
        assert np.abs(minimum.kl_per_latent - expected).max() <= FLOAT64_IDENTITY.value * max(1.0, expected.max())
        if not {"at-threshold"} & problem.regimes:
            active = int(np.sum(problem.spectrum[: len(water_levels(problem))] > water_levels(problem)))
            assert minimum.active(np.sqrt(problem.beta) * problem.eta_dec / 1000) == active


def test_progress_counts_every_problem_once() -> None:
    counts: list[int] = []
    minimise(random_problems(30, seed=0), seed=0, progress=counts.append)
    assert sum(counts) == 30
    counts.clear()
    minimise(real_problems()[:1], seed=0, progress=counts.append)
    assert counts == [1]


def test_no_problems_no_minima() -> None:
    assert minimise([], seed=0) == []


def test_the_number_of_threads_is_restored() -> None:
    before = torch.get_num_threads()
    minimise(random_problems(1, seed=0), seed=0)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "gpu"}, "device must be"),
        ({"device": "cuda:1"}, "device must be"),
        ({"route": "short"}, "route must be 'plain' or 'fast', got 'short'"),
        ({"seed": -1}, "seed must not be negative"),
        ({"start_scale": 0.0}, "start_scale must be positive"),
        ({"start_scale": float("nan")}, "start_scale must be finite"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        minimise(random_problems(1, seed=0), **{"seed": 0} | arguments)  # type: ignore[arg-type]


def test_an_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(DataError, match="torch finds none: use 'cpu'"):
        minimise(random_problems(1, seed=0), seed=0, device="cuda")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_reaches_the_same_minima() -> None:
    for route in (PLAIN, FAST):
        assert_global(minimise(random_problems(120, seed=0), seed=0, device="cuda", route=route))
    assert_global(minimise(real_problems()[:4], seed=0, device="cuda"))


def test_truncated_newton_stays_at_a_minimum() -> None:
    minimum = minimise([random_problems(1, seed=0)[0]], seed=0)[0]
    problem = minimum.problem
    point = Parameters(*(torch.tensor(v) for v in (minimum.W, minimum.U, 2 * np.log(minimum.sigma))))
    after = truncated_newton_descent(point, Statistics.of(problem), 1.0, learned=problem.learned)
    assert np.abs(after.W.numpy() - minimum.W).max() <= DESCENT_INVARIANT.value * max(1.0, np.abs(minimum.W).max())
