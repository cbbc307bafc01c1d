"""A learned decoder variance: its objective, its instances, descent to a minimum, into a valley or for ever, and the layers."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational
from torch import Tensor

import numerics.decoder_descent
import numerics.decoder_objective
from derivations import notation as n
from derivations.errors import DataError
from derivations.instances import is_exactly_zero
from derivations.ledger import claims_by_id
from numerics.decoder_objective import (
    DecoderParameters,
    decoder_gradient,
    decoder_hessian,
    decoder_loss,
)
from numerics.decoder_pieces import exact_least_over_decoder
from numerics.decoder_problems import decoder_problems
from numerics.decoder_profile import least_over_decoder
from numerics.descent import Minimum, minimise
from numerics.evidence import collect
from numerics.exact import ExactProblem, exact_loss
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer, collapsed_loss, kind_of, relative_distance, variance_findings
from numerics.moments import digits_conditional, second_moments
from numerics.objective import Statistics
from numerics.oracle import elbo_by_sigma_points
from numerics.points import assembled, symbol_values
from numerics.problem import Problem
from numerics.problems import planted_problem, random_problems, regime_counts
from numerics.rational_decoder import exact_decoder_problems
from numerics.tolerances import (
    DECODER_CURVATURE,
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    EXACT,
    FLOAT64_DERIVATIVE,
    FLOAT64_IDENTITY,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
    Tolerance,
)

drawn = cache(decoder_problems)
EVERY_FAMILY = 44  # instances: each family four times


@cache
def found(seed: int) -> list[Minimum]:
    return minimise(drawn(EVERY_FAMILY, seed), seed=seed)


def least_at(s: float, squares: list[float], r: float, beta: float, d1: int, d2: int) -> float:
    """The least L_VAE + (d2/2) log s at decoder variance s, written here anew: one mode after another."""
    left = r
    for index, square in enumerate(squares):
        active = index < d1 and square > beta * s
        left += beta * s * (1 + math.log(square / (beta * s))) if active else square
    return left / (2 * s) + d2 / 2 * math.log(s)


def best_variance(problem: Problem) -> float | None:
    """The best decoder variance by trying every number of active modes; 0 if the loss is unbounded, None in a valley."""
    squares = [float(value) ** 2 for value in problem.spectrum]
    for active in range(min(problem.d1, sum(square > 0 for square in squares)), -1, -1):
        left, factor = problem.r + sum(squares[active:]), problem.d2 - active * problem.beta
        if left == 0:
            if factor >= 0:
                return 0.0 if factor > 0 else None
            continue
        if factor > 0:
            s = left / factor
            slack = 1e-12 * s * problem.beta
            above = active == 0 or squares[active - 1] >= problem.beta * s - slack
            below = active >= min(problem.d1, len(squares)) or squares[active] <= problem.beta * s + slack
            if above and below:
                return s
    raise AssertionError(f"no stationary point: {problem.name}")


def small(zeta: list[float], beta: float, r: float, d1: int = 1, d2: int | None = None, **others: Any) -> Problem:
    """A square instance with these singular values; d2 > d0 adds targets without signal."""
    rng = np.random.default_rng(0)
    singular = np.array(zeta)
    fields: dict[str, Any] = {"eta_dec": 1.0, "eta_enc": 1.0} | others
    return planted_problem(
        rng, D0=len(zeta), d2=d2 or len(zeta), d1=d1, zeta=singular, phi=np.ones(len(zeta)), residual=r, beta=beta,
        learned_decoder=True, name="small", **fields,
    )  # fmt: skip


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


# ------------------------------------------------------------------------------------------ the instances
def test_instances_are_the_same_for_the_same_seed_and_a_shorter_list_begins_a_longer() -> None:
    first, again, longer = decoder_problems(30, 5), decoder_problems(30, 5), decoder_problems(40, 5)
    for a, b, c in zip(first, again, longer, strict=False):
        assert a.A.tobytes() == b.A.tobytes() == c.A.tobytes()
        assert (
            (a.beta, a.y2, a.eta_dec, a.regimes)
            == (b.beta, b.y2, b.eta_dec, b.regimes)
            == (c.beta, c.y2, c.eta_dec, c.regimes)
        )
    assert {problem.beta for problem in first} != {problem.beta for problem in decoder_problems(30, 6)}


@pytest.mark.parametrize("seed", range(2))
def test_instances_are_in_every_regime_of_section_4_4(seed: int) -> None:
    problems = drawn(300, seed)
    assert all(problem.learned_decoder and problem.learned and kind_of(problem) == "decoder" for problem in problems)
    counts = regime_counts(problems)
    assert counts["learned-decoder"] == 300
    wanted = {
        "decoder-diverges",
        "decoder-valley",
        "beta-below-ratio",
        "beta-at-ratio",
        "beta-above-ratio",
        "at-threshold",
    }
    wanted |= {"complete-collapse", "partial-collapse", "no-collapse", "ties", "zero-mode", "rank-deficient-A"}
    wanted |= {"d1-below", "d1-at", "d1-above", "wide", "square", "tall", "r-zero", "r-positive"}
    assert {name: counts[name] for name in wanted if counts[name] < 20} == {}
    for ratio in ("beta-below-ratio", "beta-at-ratio", "beta-above-ratio"):
        within = regime_counts(problem for problem in problems if ratio in problem.regimes)
        assert (
            min(within["complete-collapse"], within["partial-collapse"] + within["no-collapse"], within["r-zero"]) >= 5
        )


@pytest.mark.parametrize("seed", range(2))
def test_the_collapse_threshold_is_met_exactly(seed: int) -> None:
    met = 0
    for problem in drawn(300, seed):
        balance = problem.d2 * problem.spectrum[0] ** 2 - problem.beta * (
            problem.r + float(np.sum(problem.spectrum**2))
        )
        if {"at-threshold", "complete-collapse"} <= problem.regimes:
            assert balance == 0
            met += 1
        elif not problem.regimes & {"decoder-valley", "at-threshold"}:
            assert bool(balance < 0) is ("complete-collapse" in problem.regimes)
            assert abs(balance) > DESCENT_INVARIANT.value * problem.y2
    assert met > 20


@pytest.mark.parametrize("seed", range(2))
def test_tags_say_what_the_best_variance_does(seed: int) -> None:
    for problem in drawn(300, seed):
        s = best_variance(problem)
        assert (s == 0) is ("decoder-diverges" in problem.regimes), problem.name
        assert (s is None) is ("decoder-valley" in problem.regimes), problem.name
        if s:
            reachable = problem.spectrum[: problem.d1] ** 2 / (problem.beta * s)
            off = np.abs(reachable - 1) > FLOAT64_IDENTITY.value
            assert bool(np.all(off)) is ("at-threshold" not in problem.regimes), problem.name
            assert np.all(np.abs(reachable[off] - 1) > 0.02), problem.name
            active = int(np.sum(reachable[off] > 1))
            assert (active == 0) is ("complete-collapse" in problem.regimes)


def test_other_kinds_of_instances_hold_the_decoder_fixed() -> None:
    assert not any(problem.learned_decoder for problem in random_problems(60, 0))
    minimum = minimise(random_problems(1, 0), seed=0)[0]
    assert (minimum.eta_dec, minimum.diverged) == (minimum.problem.eta_dec, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learned_decoder": 1}, "learned_decoder must be True or False"),
        ({"sigma": np.ones(1)}, "sigma is held fixed and eta_dec learned"),
        ({"y2": 0.0, "C": np.zeros((1, 1))}, "y2 must be positive"),
    ],
)
def test_what_is_no_instance_is_refused(change: dict[str, Any], message: str) -> None:
    one = np.ones((1, 1))
    fields: dict[str, Any] = {
        "A": one, "C": one, "y2": 1.0, "d1": 1, "beta": 1.0, "eta_dec": 1.0, "eta_enc": 1.0, "learned_decoder": True,
    }  # fmt: skip
    with pytest.raises(DataError, match=message):
        Problem(**fields | change)


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(DataError, match="has 2601 parameters"):
        minimise([digits_conditional(40, 1.0, learned_decoder=True)], seed=0)


# ------------------------------------------------------------------------------------------ descent
@pytest.mark.parametrize("seed", range(2))
def test_descent_reaches_the_global_minimum_or_falls_for_ever(seed: int) -> None:
    ends = {"minimum": 0, "diverged": 0, "valley": 0}
    for minimum in found(seed):
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
        curvature = DECODER_CURVATURE if s is None else HESSIAN_EIGENVALUE
        assert minimum.certificate.smallest_hessian_eigenvalue >= -curvature.value, problem.name
        if s is None:
            assert minimum.eta_dec**2 <= place * (1 + DESCENT_INVARIANT.value), problem.name
        else:
            assert abs(minimum.eta_dec**2 - s) <= DESCENT_INVARIANT.value * s, problem.name
        ends["valley" if s is None else "minimum"] += 1
    assert min(ends.values()) >= 3, ends


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


# ------------------------------------------------------------------------------------------ the layers
@pytest.fixture(scope="module")
def descent() -> DescentLayer:
    layer = DescentLayer(seed=0, count=2 * EVERY_FAMILY, real_data=False)
    assert layer.problems("decoder")[5].beta == drawn(EVERY_FAMILY, 0)[5].beta
    return layer


@pytest.fixture(scope="module")
def layers(descent: DescentLayer) -> list[Any]:
    return [ExactLayer(0), FloatLayer(0), descent]


def test_the_search_over_the_variance_agrees_with_descent(descent: DescentLayer) -> None:
    compared = 0
    for problem in descent.problems("decoder"):
        optimum = least_over_decoder(problem)
        assert (optimum.variance == 0) is descent.unbounded(problem), problem.name
        assert (optimum.variance is None) is (descent.decoder_variance(problem) is None), problem.name
        assert descent.collapses_completely(problem) is (
            optimum.variance != 0 and abs(optimum.loss - collapsed_loss(problem)) <= DESCENT_GAP.value
        )
        if optimum.variance != 0:
            gap = abs(descent.least_loss(problem) - optimum.loss)
            assert gap <= DESCENT_GAP.value * max(1.0, abs(optimum.loss)), problem.name
            compared += 1
    assert compared >= 36


def test_minima_are_certified_and_divergence_is_not(descent: DescentLayer) -> None:
    ended = [descent.minimum(problem) for problem in descent.problems("decoder")]
    rows = collect("descent", descent.certificate_findings())
    assert all(row.passed for row in rows)
    certified = sum(row.instances for row in rows if row.quantity == "negative curvature")
    assert certified == sum(not minimum.diverged for minimum in ended) < len(ended)


def test_every_layer_answers_for_every_instance(layers: list[Any]) -> None:
    for layer in layers:
        kinds = {"unbounded": 0, "valley": 0, "collapsed": 0, "active": 0}
        for problem in layer.problems("decoder"):
            s, unbounded = layer.decoder_variance(problem), layer.unbounded(problem)
            collapsed, least = layer.collapses_completely(problem), layer.least_loss(problem)
            assert (s == 0) is unbounded is bool(least == -math.inf), problem.name
            assert not (unbounded and collapsed)
            kinds["unbounded"] += unbounded
            kinds["valley"] += s is None
            kinds["collapsed"] += collapsed
            kinds["active"] += not collapsed and not unbounded
            assert all(finding.agrees for finding in layer.decoder_variance_findings(problem, s or 0)) or s is None
            if s is not None:
                wrong = list(layer.decoder_variance_findings(problem, 2 * s + int(s == 0)))
                assert len(wrong) == 1 and not wrong[0].agrees
            values = symbol_values(problem)
            assert (values[n.residual] == 0) is bool(problem.r == 0)
            assert layer.difference("least loss", problem, least, least).agrees
            assert not layer.difference("least loss", problem, least, -least).agrees or least == 0
        assert min(kinds.values()) >= 2, (layer.name, kinds)


def as_float(problem: ExactProblem) -> Problem:
    arrays = {name: np.array(getattr(problem, name), dtype=np.float64) for name in ("A", "C")}
    zeta = np.array(problem.spectrum, dtype=np.float64)
    return Problem(
        **arrays, y2=float(problem.r) + float(np.sum(zeta**2)), d1=problem.d1, beta=float(problem.beta),
        eta_dec=float(problem.eta_dec), eta_enc=float(problem.eta_enc), zeta=zeta, learned_decoder=True,
    )  # fmt: skip


def test_the_exact_optimum_is_that_of_the_search_in_floats() -> None:
    for problem in exact_decoder_problems():
        exact, found = exact_least_over_decoder(problem), least_over_decoder(as_float(problem))
        assert (exact.variance is None) is (found.variance is None), problem.name
        if exact.variance is not None:
            assert abs(float(exact.variance) - found.variance) <= FLOAT64_IDENTITY.value * max(1, float(exact.variance))
            assert exact.variance.is_Rational
        assert relative_distance(float(exact.loss), found.loss) <= FLOAT64_IDENTITY.value, problem.name


def test_the_exact_least_loss_is_attained_on_the_data() -> None:
    """L_VAE from the log densities on the data points, at Theorem 2's minimum for the best variance."""
    lengths = claims_by_id()["thm-2.minimum"].standing.formula
    attained = 0
    for problem in exact_decoder_problems():
        optimum = exact_least_over_decoder(problem)
        if optimum.variance and not ExactLayer(0).collapses_completely(problem):
            scalars = type(problem.data.scalars)(
                **vars(problem.data.scalars) | {"eta_dec": sympy.sqrt(optimum.variance)}
            )
            held = ExactProblem(
                type(problem.data)(scalars, problem.data.matrices, problem.data.points), True, problem.name
            )
            loss = exact_loss(held, assembled(lengths, held)) + Rational(problem.d2, 2) * sympy.log(optimum.variance)
            assert is_exactly_zero(loss - optimum.loss), problem.name
            attained += 1
    assert attained >= 4


def test_exact_instances_meet_thresholds_exactly() -> None:
    positions = set()
    for problem in exact_decoder_problems():
        s = exact_least_over_decoder(problem).variance
        if s:
            positions |= {int(sympy.sign(value**2 - problem.beta * s)) for value in problem.spectrum[: problem.d1]}
    assert positions == {-1, 0, 1}
    added = [p for p in ExactLayer(7).problems("decoder") if p not in ExactLayer(0).problems("decoder")]
    assert len(added) == 6


@pytest.mark.parametrize(
    ("stated", "found", "residual"),
    [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (2.0, 1.0, 0.5), (0.0, 3.0, 1.0), (-1.0, 0.0, 1.0), (math.inf, 1.0, math.inf)],
)
def test_distances_of_variances(stated: float, found: float, residual: float) -> None:
    problem = drawn(1, 0)[0]
    (finding,) = variance_findings(problem, stated, found, FLOAT64_IDENTITY)
    assert finding.residual == residual


def test_undefined_variances_agree_with_none_and_a_valley_with_any() -> None:
    problem = drawn(1, 0)[0]
    (finding,) = variance_findings(problem, math.nan, 1.0, FLOAT64_IDENTITY)
    assert not finding.agrees
    assert list(variance_findings(problem, 5.0, None, EXACT)) == []


def test_equal_infinities_agree() -> None:
    assert relative_distance(-np.inf, -np.inf) == 0
    assert relative_distance([1.0, np.inf], [1.0, np.inf]) == 0
    assert (
        relative_distance(-np.inf, np.inf) == relative_distance(-np.inf, 1.0) == relative_distance(np.nan, 0) == np.inf
    )


# ------------------------------------------------------------------------------------------ for any instance
instances = st.tuples(
    st.lists(st.integers(0, 12), min_size=1, max_size=4),
    st.integers(0, 8),
    st.integers(1, 24),
    st.integers(1, 4),
    st.integers(0, 2),
).filter(lambda drawn: any(drawn[0]))


@given(instances)
@settings(max_examples=40)
def test_no_variance_does_better_than_the_one_found(given_: tuple[list[int], int, int, int, int]) -> None:
    halves, quarters, eighths, d1, more = given_
    zeta = sorted((value / 2 for value in halves), reverse=True)
    r, beta, d2 = quarters / 4, eighths / 8, len(zeta) + more
    optimum = least_over_decoder(small(zeta, beta, r, d1=d1, d2=d2))
    squares = [value**2 for value in zeta]
    natural = (r + sum(squares)) / d2
    trials = [least_at(natural * math.exp(-k / 3), squares, r, beta, d1, d2) for k in range(-12, 30)]
    explained = r == 0 and sum(squares[d1:]) == 0
    slope = d2 - beta * sum(square > 0 for square in squares)
    assert (optimum.variance == 0) is (explained and slope > 0)
    assert (optimum.variance is None) is (explained and slope == 0)
    tolerance = FLOAT64_IDENTITY.value * max(map(abs, trials))
    assert min(trials) >= optimum.loss - tolerance
    if optimum.variance:
        assert abs(least_at(optimum.variance, squares, r, beta, d1, d2) - optimum.loss) <= tolerance


@given(st.integers(0, 299), st.floats(0.1, 10))
@settings(max_examples=25)
def test_the_best_variance_scales_with_y(index: int, factor: float) -> None:
    problem = drawn(300, 1)[index]
    scaled = Problem(
        A=problem.A, C=factor * problem.C, y2=factor**2 * problem.y2, d1=problem.d1, beta=problem.beta,
        eta_dec=problem.eta_dec, eta_enc=problem.eta_enc, zeta=factor * problem.spectrum, learned_decoder=True,
    )  # fmt: skip
    one, other = least_over_decoder(problem), least_over_decoder(scaled)
    if one.variance is None or one.variance == 0:
        assert other.variance == one.variance
        return
    assert other.variance is not None
    assert abs(other.variance / one.variance / factor**2 - 1) <= FLOAT64_IDENTITY.value
    shift = problem.d2 * math.log(factor)
    assert abs(other.loss - one.loss - shift) <= FLOAT64_IDENTITY.value * max(1.0, abs(one.loss), abs(shift))
