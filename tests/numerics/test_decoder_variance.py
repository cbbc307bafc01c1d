"""A learned decoder variance: its objective, and descent to a minimum, into a valley or for ever."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from decoder_reference import EVERY_FAMILY, best_variance, drawn, found, least_at, small
from torch import Tensor

import numerics.decoder_descent
import numerics.decoder_objective
from derivations.errors import DataError
from numerics.decoder_descent import _off_the_edge, decoder_descent
from numerics.decoder_objective import (
    LEARNED_DECODER,
    DecoderParameters,
    decoder_gradient,
    decoder_hessian,
    decoder_loss,
)
from numerics.decoder_profile import least_over_decoder
from numerics.descent import minimise
from numerics.minimum import FAST, PLAIN
from numerics.moments import digits_conditional, second_moments
from numerics.newton import newton_descent
from numerics.objective import Statistics
from numerics.oracle import elbo_by_sigma_points
from numerics.problem import Problem
from numerics.starts import Scales
from numerics.tolerances import (
    DECODER_SLOPE,
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    FLOAT64_DERIVATIVE,
    FLOAT64_IDENTITY,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
    STEP_CURVATURE,
    Tolerance,
)


# ------------------------------------------------------------------------------------------ the objective
def random_point(problem: Problem, seed: int) -> DecoderParameters:
    generator = torch.Generator().manual_seed(seed)
    shapes: list[tuple[int, ...]] = [(problem.D0, problem.d1), (problem.d2, problem.d1), (problem.d1,), ()]
    return DecoderParameters(*(torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes))


def flat(parameters: DecoderParameters) -> Tensor:
    return torch.cat([value.flatten() for value in parameters])


@pytest.mark.parametrize("problem", drawn(12, 3), ids=lambda problem: problem.name)
def test_gradient_and_hessian_are_those_of_the_loss(problem: Problem) -> None:
    point, statistics = random_point(problem, 1), Statistics.of(problem)

    def loss(vector: Tensor) -> Tensor:
        parts = vector.split([value.numel() for value in point])
        return decoder_loss(*(part.reshape(v.shape) for part, v in zip(parts, point, strict=True)), *statistics)

    gradient, hessian = torch.func.grad(loss)(flat(point)), torch.func.jacrev(torch.func.grad(loss))(flat(point))
    assert gradient[-1] != 0 and (hessian[-1, :-1] != 0).any()
    analytic = flat(decoder_gradient(*point, *statistics))
    assert (analytic - gradient).abs().max() <= FLOAT64_DERIVATIVE.value * gradient.abs().max()
    analytic = decoder_hessian(*point, *statistics)
    assert analytic.shape == hessian.shape == (len(gradient), len(gradient))
    assert (analytic - hessian).abs().max() <= FLOAT64_DERIVATIVE.value * hessian.abs().max()


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_is_the_negative_elbo_with_its_partition_function_but_for_its_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    problem = second_moments(x, y, centre=False).problem(2, 1.7, eta_dec=5.0, eta_enc=0.8, learned_decoder=True)
    point = random_point(problem, seed)
    scale = float((point.log_decoder / 2).exp())
    samples = torch.tensor(x), torch.tensor(y)
    oracle = elbo_by_sigma_points(*samples, point.W, point.U, (point.log_variance / 2).exp(), 1.7, scale, 0.8)
    loss = decoder_loss(*point, *Statistics.of(problem)) + problem.d2 / 2 * math.log(2 * math.pi)
    assert abs(loss - oracle) <= FLOAT64_IDENTITY.value * abs(oracle)


def test_batches_equal_their_members() -> None:
    alike = [problem for problem in drawn(120, 0) if (problem.D0, problem.d2, problem.d1) == (4, 6, 2)]
    points = [random_point(problem, k) for k, problem in enumerate(alike)]
    together = DecoderParameters(*(torch.stack(values) for values in zip(*points, strict=True)))
    statistics = Statistics(*(torch.stack(v) for v in zip(*map(Statistics.of, alike), strict=True)))
    hessians, gradients = decoder_hessian(*together, *statistics), decoder_gradient(*together, *statistics)
    assert len(alike) > 3
    for k, (problem, point) in enumerate(zip(alike, points, strict=True)):
        alone = decoder_hessian(*point, *Statistics.of(problem))
        assert torch.allclose(hessians[k], alone, rtol=FLOAT64_IDENTITY.value)
        assert torch.allclose(gradients.log_decoder[k], decoder_gradient(*point, *Statistics.of(problem)).log_decoder)


# ------------------------------------------------------------------------------------------ descent
MANY = 5 * EVERY_FAMILY
KINDS = (
    ("r-zero", "r-positive"),
    ("d1-below", "d1-at", "d1-above"),
    ("beta-below-ratio", "beta-at-ratio", "beta-above-ratio"),
)


@pytest.mark.parametrize(("seed", "count"), [(0, MANY), (1, EVERY_FAMILY)])
def test_descent_reaches_the_global_minimum_or_falls_for_ever(seed: int, count: int) -> None:
    assert DESCENT_GAP.value <= 1e-9
    met = Counter(
        kinds for problem in drawn(count, seed) for kinds in product(*KINDS) if problem.regimes.issuperset(kinds)
    )
    if count == MANY:
        assert len(met) == 18 and sum(met.values()) == count >= 200, met
    ends = {"minimum": 0, "diverged": 0, "valley": 0}
    for minimum in found(seed, count):
        problem, s = minimum.problem, best_variance(minimum.problem)
        squares = [float(value) ** 2 for value in problem.spectrum]
        if s == 0:
            assert (minimum.diverged, minimum.loss, minimum.eta_dec) == (True, -math.inf, 0.0), problem.name
            ends["diverged"] += 1
            continue
        assert not minimum.diverged and minimum.eta_dec > 0, problem.name
        place = s or min(square for square in squares if square > 0) / problem.beta
        least = least_at(place, squares, problem.r, problem.beta, problem.d1, problem.d2)
        above = (minimum.loss - least) / max(1.0, abs(least))
        assert -DESCENT_BELOW.value <= above <= DESCENT_GAP.value, (problem.name, above)
        assert minimum.certificate.gradient_norm <= GRADIENT_NORM.value
        assert minimum.certificate.smallest_hessian_eigenvalue >= -HESSIAN_EIGENVALUE.value, problem.name
        if s is None:
            assert minimum.eta_dec**2 <= place * (1 + DESCENT_INVARIANT.value), problem.name
        else:
            assert abs(minimum.eta_dec**2 - s) <= DESCENT_INVARIANT.value * s, problem.name
        ends["valley" if s is None else "minimum"] += 1
    assert min(ends.values()) >= 3, ends


def test_the_learned_variance_is_the_closed_form_to_nine_digits() -> None:
    """By the fast route, which ends more sharply; at an exact threshold the loss is quartic in the mode that stands there."""
    met = Counter[tuple[str, ...]]()
    for minimum in minimise(drawn(8 * EVERY_FAMILY, 2), seed=2, route=FAST):
        problem, s = minimum.problem, best_variance(minimum.problem)
        if s:
            at_threshold = "at-threshold" in problem.regimes
            allowed = DESCENT_INVARIANT if at_threshold else DESCENT_GAP
            assert abs(minimum.eta_dec**2 - s) <= allowed.value * s, problem.name
            met.update(kinds for kinds in product(*KINDS) if problem.regimes.issuperset(kinds) and not at_threshold)
    # without a residual and with latents for every mode the loss falls for ever below the ratio, and is level at it
    without = {("r-zero", width, f"beta-{at}-ratio") for width in ("d1-at", "d1-above") for at in ("below", "at")}
    assert set(met) == set(product(*KINDS)) - without and sum(met.values()) >= 200, met


def test_same_seed_same_minima_and_starts_do_not_matter() -> None:
    problems = drawn(EVERY_FAMILY, 0)[:22]
    again, other = minimise(problems, seed=0), minimise(problems, seed=9)
    for first, second in zip(found(0), minimise(drawn(EVERY_FAMILY, 0), seed=0), strict=True):
        assert (first.loss, first.eta_dec, first.certificate) == (second.loss, second.eta_dec, second.certificate)
        assert first.W.tobytes() == second.W.tobytes()
    for first, second in zip(again, other, strict=True):
        assert first.diverged is second.diverged
        assert first.diverged or abs(first.loss - second.loss) <= DESCENT_GAP.value * max(1.0, abs(first.loss))
    moved = [not np.allclose(first.W, second.W) for first, second in zip(again, other, strict=True)]
    assert sum(moved) > 5


@pytest.mark.parametrize("start", [1e-4, 1.0, 1e4])
def test_the_given_eta_dec_does_not_matter(start: float) -> None:
    expected = best_variance(small([2.0, 1.0], 0.5, 0.3, d1=2))
    (minimum,) = minimise([small([2.0, 1.0], 0.5, 0.3, d1=2, eta_dec=start)], seed=0)
    assert expected and abs(minimum.eta_dec**2 - expected) <= DESCENT_INVARIANT.value * expected


@pytest.mark.parametrize("r", [1e-2, 1e-3, 1e-4])
def test_a_minimum_at_a_small_variance_is_no_divergence(r: float) -> None:
    """One mode, one latent: the loss is unbounded at r = 0, and has its minimum at r/(1 − β) else."""
    falling, minimum = minimise([small([1.0], 0.5, 0.0), small([1.0], 0.5, r)], seed=0)
    assert falling.diverged and not minimum.diverged
    assert abs(minimum.eta_dec**2 - 2 * r) <= DESCENT_INVARIANT.value * 2 * r


@pytest.mark.parametrize(("beta", "ends"), [(0.97, "diverged"), (1.0, "valley"), (1.03, "minimum")])
def test_what_happens_turns_at_beta_equal_to_the_dimension_of_y_over_the_rank_of_z(beta: float, ends: str) -> None:
    problem = small([1.5, 1.0], beta, 0.0, d1=3)
    (minimum,) = minimise([problem], seed=0)
    assert minimum.diverged is (ends == "diverged")
    optimum = least_over_decoder(problem)
    assert (optimum.variance is None) is (ends == "valley")
    assert (optimum.variance == 0) is (ends == "diverged")
    if ends == "minimum":
        assert optimum.variance and abs(minimum.eta_dec**2 / optimum.variance - 1) <= DESCENT_INVARIANT.value


def test_the_loss_of_a_diverging_instance_does_fall_for_ever() -> None:
    """Along Theorem 2's minima at smaller and smaller η_dec² it falls by (d2 − kβ)/2 for each factor e, at any depth."""
    seen = 0
    for minimum in found(0):
        if minimum.diverged:
            problem, squares = minimum.problem, [float(value) ** 2 for value in minimum.problem.spectrum]
            places = [problem.y2 * math.exp(-k) for k in (20, 40, 80)]
            losses = [least_at(s, squares, problem.r, problem.beta, problem.d1, problem.d2) for s in places]
            assert losses[0] > losses[1] > losses[2]
            rate = (problem.d2 - problem.beta * sum(square > 0 for square in squares)) / 2
            assert abs(losses[1] - losses[2] - 40 * rate) <= FLOAT64_IDENTITY.value * abs(losses[2])
            seen += 1
    assert seen > 3


def test_divergence_is_not_claimed_where_the_loss_does_not_fall_at_the_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cut-off far above the minimum, descent is past it, but the loss rises as η_dec² falls."""
    problem = small([1.0], 0.5, 1.0)
    (minimum,) = minimise([problem], seed=0)
    monkeypatch.setattr(
        numerics.decoder_objective, "DECODER_CUTOFF", Tolerance("DECODER_CUTOFF", 10.0, "far too large")
    )
    monkeypatch.setattr(numerics.decoder_descent, "_SETTLINGS", 2)
    (stopped,) = minimise([small([1.0], 0.5, 1.0, eta_dec=0.1)], seed=0)
    assert not stopped.diverged
    assert stopped.certificate.gradient_norm > GRADIENT_NORM.value >= minimum.certificate.gradient_norm


def side_by_side(*problems: Problem) -> tuple[Statistics, Scales]:
    scales = [Scales.of(problem) for problem in problems]
    return (
        Statistics(*map(torch.stack, zip(*map(Statistics.of, problems), strict=True))),
        Scales(*(torch.stack([getattr(each, name) for each in scales]) for name in ("W", "U", "loss"))),
    )


def at_the_origin(*log_decoder: float) -> DecoderParameters:
    count = len(log_decoder)
    W, U = (torch.zeros(count, 1, 1, dtype=torch.float64) for _ in range(2))
    return DecoderParameters(W, U, W[:, 0], torch.tensor(log_decoder, dtype=torch.float64))


def test_divergence_is_not_claimed_of_what_has_not_ended_beside_what_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two steps the loss of both still falls with η_dec², but only one has passed the cut-off."""
    monkeypatch.setattr(
        numerics.decoder_descent, "newton_descent", lambda *at, **given: newton_descent(*at, **{"most": 2} | given)
    )
    statistics, scales = side_by_side(small([1.0], 0.5, 0.0), small([1.0], 0.5, 1.0))
    end, diverged = decoder_descent(
        at_the_origin(-20.0, 8.0), statistics, scales, LEARNED_DECODER, finished=lambda count: None
    )
    slopes = LEARNED_DECODER.gradient(*end, *statistics).log_decoder
    assert (slopes > DECODER_SLOPE.value).all() and end.log_decoder[1] > 5
    assert diverged.tolist() == [True, False]


@pytest.mark.parametrize("depth", [1e-8, 1e-7])
def test_what_ends_just_inside_the_edge_of_a_valley_is_moved_to_its_bottom(depth: float) -> None:
    """The mode is still off a little below where it begins, and the rest of the loss's fall there is rounding."""
    statistics, scales = side_by_side(small([1.0], 1.0, 0.0))
    edge = at_the_origin(-depth)
    further = _off_the_edge(edge, statistics, scales, LEARNED_DECODER)
    lowest = [torch.linalg.eigvalsh(LEARNED_DECODER.hessian(*at, *statistics))[0, 0] for at in (edge, further)]
    assert lowest[0] < -STEP_CURVATURE.value <= lowest[1]
    assert further.log_decoder < -0.5
    fall = LEARNED_DECODER.loss(*edge, *statistics) - LEARNED_DECODER.loss(*further, *statistics)
    assert fall.abs() <= FLOAT64_IDENTITY.value


@pytest.mark.parametrize("route", [PLAIN, FAST])
def test_a_residual_too_small_to_tell_from_none_is_refused(route: str) -> None:
    """The loss is bounded, at least by its value where U = 0 less a few logarithms of r, but descent would call it unbounded."""
    with pytest.raises(DataError, match=r"r/E\|y\|\^2 = .*e-0[89]: .* cannot tell r below 1e-07 E\|y\|\^2 from 0"):
        minimise([small([1.0], 0.5, 1e-8)], seed=0, route=route)
    (none,) = minimise([small([1.0], 0.5, 0.0)], seed=0, route=route)
    (some,) = minimise([small([1.0], 0.5, 1e-3)], seed=0, route=route)
    assert none.diverged and not some.diverged


def test_a_minimum_is_none_with_another_partition_function() -> None:
    """With d2 log η_dec² instead of half of it, the gradient where descent ended is d2/2 and not 0."""
    problem = small([2.0, 1.0], 0.5, 0.3, d1=2)
    (minimum,) = minimise([problem], seed=0)
    point = (minimum.W, minimum.U, 2 * np.log(minimum.sigma), np.array(2 * np.log(minimum.eta_dec)))
    slope = decoder_gradient(*map(torch.tensor, point), *Statistics.of(problem))
    assert float(flat(slope).norm()) <= GRADIENT_NORM.value
    assert abs(float(slope.log_decoder) + problem.d2 / 2) > 1e6 * GRADIENT_NORM.value


def test_real_data() -> None:
    """The digits' right halves from their left ones: the best variance is the mean squared error per pixel."""
    problem = digits_conditional(2, 1.0, learned_decoder=True)
    (minimum,) = minimise([problem], seed=0)
    expected = best_variance(problem)
    assert expected and abs(minimum.eta_dec**2 - expected) <= DESCENT_INVARIANT.value * expected
    error = problem.y2 + float(
        np.trace(minimum.U @ (minimum.W.T @ problem.A @ minimum.W + np.diag(minimum.sigma**2)) @ minimum.U.T)
        - 2 * np.trace(problem.C @ minimum.W @ minimum.U.T)
    )
    assert abs(error / problem.d2 - minimum.eta_dec**2) <= DESCENT_INVARIANT.value * expected
