"""What each layer answers about a learned decoder variance, against the others and against every other variance."""

import math
from typing import Any

import numpy as np
import pytest
import sympy
from decoder_reference import EVERY_FAMILY, drawn, least_at, small
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from derivations import notation as n
from derivations.instances import is_exactly_zero
from derivations.ledger import claims_by_id
from numerics.decoder_pieces import exact_least_over_decoder
from numerics.decoder_profile import least_over_decoder
from numerics.evidence import collect
from numerics.exact import ExactProblem, exact_loss
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer, collapsed_loss, relative_distance, variance_findings
from numerics.points import assembled, symbol_values
from numerics.problem import Problem
from numerics.rational_decoder import exact_decoder_problems
from numerics.tolerances import (
    DESCENT_GAP,
    EXACT,
    FLOAT64_IDENTITY,
)


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
            assert layer.difference("least loss", problem, least, least).agrees is not unbounded
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
        apart = relative_distance(float(exact.loss), found.loss)
        assert exact.loss == found.loss == -math.inf or apart <= FLOAT64_IDENTITY.value, problem.name


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
