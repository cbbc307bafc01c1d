"""What layers find of a learned decoder variance: their instances, what happens at each, and breaks that must show."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Equivalent, Not, Tuple

from derivations import notation as n
from derivations.decoder_instances import (
    all_kept,
    collapse_fixed,
    collapse_learned,
    learned_variance,
    rank,
    unbounded,
    vanishes,
)
from derivations.decoder_variance import CLOSED_FORM, kept
from derivations.ledger import claims_by_id
from numerics import decoder_families
from numerics.decoder_families import (
    EQUAL,
    NEAR,
    TINY,
    VAE,
    autoencoder_data,
    changed,
    family,
    held_at,
    held_limits,
    own,
    scalars_of,
)
from numerics.layers import floating
from numerics.layers.base import Finding
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.observables import decoder
from numerics.observables.decoder import HAPPENINGS, always, closed_form, limit, stated_variance
from numerics.tolerances import DESCENT_INVARIANT, FLOAT64_IDENTITY


@pytest.fixture(scope="module")
def exact() -> ExactLayer:
    return ExactLayer(0)


@pytest.fixture(scope="module")
def numeric() -> FloatLayer:
    layer = FloatLayer(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floating, "COUNT", 12)
        assert layer.problems("decoder")
    return layer


@pytest.fixture(scope="module")
def descent() -> Iterator[DescentLayer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder_families, "MOST_CHANGED", 6)
        yield DescentLayer(0, count=24, real_data=False)


def plain(problem: Any) -> dict[Any, Any]:
    """What happens at an exact instance, in plain fractions, from the slope of the least loss in s = eta_dec^2 alone."""
    squares = [Fraction(str(value)) ** 2 for value in problem.spectrum]
    r, weight, eta = (Fraction(str(value)) for value in (problem.r, problem.beta, problem.eta_dec))
    d1, d2 = problem.d1, problem.d2

    def last(beta: Fraction) -> Fraction:
        def slope(s: Fraction) -> Fraction:
            return d2 * s - r - sum(min(q, beta * s) if k < d1 else q for k, q in enumerate(squares))

        ends = [Fraction(0)]
        for active in range(min(d1, len(squares)) + 1):
            if d2 > active * beta:
                ends.append((r + sum(squares[active:])) / (d2 - active * beta))
        return max(end for end in ends if slope(end) <= 0)

    variance = last(weight)
    return {
        collapse_learned: variance > 0 and squares[0] <= weight * variance,
        collapse_fixed: squares[0] <= weight * eta**2,
        unbounded: variance == 0,
        vanishes: last(weight / 10**9) == 0,
        all_kept: all(square > weight * variance for square in squares[:d1] if square),
        learned_variance: variance,
        rank: sum(1 for square in squares if square),
    }


# ----------------------------------------------------------------------------------------- instances
def test_an_exact_autoencoder_is_one():
    scalars, kernel = next((each, k) for each, k in scalars_of(VAE) if each.d0 == 2 and k == 1)
    data = autoencoder_data(scalars, 3, kernel)
    matrices = data.matrices
    assert all(x == y for x, y in data.points)
    moment = sum((x * x.T for x, _ in data.points), sympy.zeros(3)) / len(data.points)
    assert moment == matrices[n.A] and matrices[n.P_A].T * matrices[n.P_A] == sympy.eye(2)
    white = matrices[n.Phi] ** sympy.Rational(-1, 2) * matrices[n.P_A].T
    defined = sum((y * (white * x).T for x, y in data.points), sympy.zeros(3, 2)) / len(data.points)
    assert defined == matrices[n.Z] == matrices[n.F] * matrices[n.S_Z] * matrices[n.G].T
    assert matrices[n.F] * matrices[n.F].T == sympy.eye(3)


@pytest.mark.parametrize("kind", [EQUAL, VAE, NEAR])
def test_the_layers_share_the_scalars(kind: str, exact: ExactLayer, numeric: FloatLayer):
    pairs = list(zip(family(exact, kind), family(numeric, kind), strict=True))
    assert len(pairs) == len(scalars_of(kind)) >= 18
    for rational, planted in pairs:
        assert [float(value) for value in rational.spectrum] == pytest.approx(planted.spectrum)
        for name in ("beta", "r", "eta_dec", "eta_enc"):
            assert float(getattr(rational, name)) == pytest.approx(
                getattr(planted, name), abs=FLOAT64_IDENTITY.value / 10
            )
        for name in ("d0", "d1", "d2", "dstar"):
            assert getattr(rational, name) == getattr(planted, name)
        assert rational.learned_decoder and planted.learned_decoder and len(rational.A) == planted.D0
        if kind == VAE:
            assert np.array_equal(planted.A, planted.C) and (rational.A == rational.C).all() and rational.r == 0


def test_a_tiny_beta_is_below_where_any_loss_is_unbounded(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        for problem in own(layer):
            count = HAPPENINGS[rank](layer, problem)
            tiny = changed(layer, "tiny beta")[id(problem)]
            assert tiny.beta == pytest.approx(float(problem.beta * float(TINY)))
            assert tiny.beta * count < problem.d2
            assert not changed(layer, "given decoder")[id(problem)].learned_decoder


# -------------------------------------------------------------------------------------- what happens
def test_what_the_exact_layer_finds_is_what_plain_fractions_say(exact: ExactLayer):
    seen = set()
    for problem in own(exact):
        expected = plain(problem)
        for symbol, find in HAPPENINGS.items():
            found = find(exact, problem)
            if found is None:
                assert symbol in (all_kept, learned_variance) and exact.decoder_variance(problem) is None
                continue
            assert found == expected[symbol], (symbol, problem.name)
        seen.add(tuple(expected[symbol] for symbol in (collapse_learned, collapse_fixed, unbounded)))
    assert len(seen) == 6, "everything but the two that exclude each other, with the given decoder collapsed and not"


@pytest.mark.parametrize("name", ["numeric", "descent"])
def test_the_other_layers_find_the_same_near_thresholds(name: str, exact: ExactLayer, request: pytest.FixtureRequest):
    layer = request.getfixturevalue(name)
    for rational, planted in zip(family(exact, NEAR), family(layer, NEAR), strict=True):
        expected = plain(rational)
        for symbol, find in HAPPENINGS.items():
            found = find(layer, planted)
            if found is None and symbol == all_kept:
                assert exact.decoder_variance(rational) is None
            elif symbol == learned_variance:
                assert (found is None) == (exact.decoder_variance(rational) is None)
                assert found is None or found == pytest.approx(float(expected[symbol]), rel=DESCENT_INVARIANT.value)
            else:
                assert found == expected[symbol], (symbol, planted.name)


def test_away_from_thresholds_the_variance_is_the_layers_own(descent: DescentLayer):
    problems = descent.problems("decoder")
    found = [HAPPENINGS[learned_variance](descent, problem) for problem in problems]
    assert found == [descent.decoder_variance(problem) for problem in problems]
    assert sum(value is None for value in found) < len(found) / 2


@pytest.mark.parametrize("name", ["numeric", "descent"])
def test_with_held_deviations_the_variance_falls_with_beta_where_latents_explain_everything(
    name: str, request: pytest.FixtureRequest
):
    limits = held_limits(request.getfixturevalue(name), NEAR)
    assert len(limits) == len(scalars_of(NEAR))
    for problem, falls in limits.values():
        assert problem.learned_decoder and problem.beta == 1e-3
        assert problem.d1 == len(set(problem.sigma)) < 4
        unexplained = problem.r + np.sum(problem.spectrum[problem.d1 :] ** 2)
        assert falls == (unexplained <= FLOAT64_IDENTITY.value), problem.name
    assert {falls for _, falls in limits.values()} == {True, False}


def test_statements_about_autoencoders_are_asked_where_they_are_meant(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        every = decoder.autoencoders(layer)
        for chosen, meant in (
            (decoder.equal_autoencoders(layer), lambda problem: min(problem.spectrum) == max(problem.spectrum)),
            (decoder.vanilla_autoencoders(layer), lambda problem: problem.beta == 1),
        ):
            assert [problem.name for problem in chosen] == [problem.name for problem in every if meant(problem)]
            assert 10 < len(chosen) < len(every)


# ----------------------------------------------------------------------------------- evidence and breaks
def test_every_claim_of_a_learned_decoder_is_tested_here():
    claims = [claim.id for claim in claims_by_id().values() if claim.observable in decoder.CHECKS]
    assert len(claims) == 18
    assert {claims_by_id()[name].observable for name in claims} == decoder.CHECKS.keys()


def failing(findings: Iterator[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.agrees]


def test_in_a_valley_only_the_last_minimiser_will_do(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        valleys = [problem for problem in layer.problems("decoder") if layer.decoder_variance(problem) is None]
        assert valleys
        halved = Tuple(CLOSED_FORM.args[0] / 2, CLOSED_FORM.args[1])
        failed = {finding.instance for finding in failing(closed_form(layer, halved))}
        assert {problem.name for problem in valleys} <= failed


def test_a_closed_form_without_a_number_fails(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        problem = layer.problems("decoder")[0]
        assert stated_variance(problem, Tuple(1 / kept, sympy.true)) is None
        assert stated_variance(problem, Tuple(n.beta, n.beta < 0)) is None
        assert failing(closed_form(layer, Tuple(n.beta, n.beta < 0)))


def test_a_wrong_finding_shows(exact: ExactLayer, monkeypatch: pytest.MonkeyPatch):
    claim = claims_by_id()["s4.4.still-collapses"]
    assert not failing(always(exact, claim.standing.formula, own))
    monkeypatch.setitem(HAPPENINGS, collapse_learned, lambda layer, problem: not layer.collapses_completely(problem))
    assert len(failing(always(exact, claim.standing.formula, own))) == len(own(exact))


def test_a_statement_that_happenings_contradict_is_refuted(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        assert failing(always(layer, Equivalent(collapse_learned, collapse_fixed), own))
        assert failing(always(layer, Not(unbounded), own))


def test_a_limit_is_asked_with_held_deviations_too_of_all_but_the_exact_layer(exact: ExactLayer, numeric: FloatLayer):
    limits = held_limits(numeric, NEAR).values()
    held, falling = {problem.name for problem, _ in limits}, {problem.name for problem, falls in limits if falls}
    assert not held & {problem.name for problem in own(numeric)}
    for layer, more, refuted in ((exact, set(), set()), (numeric, held, falling)):
        findings = list(limit(layer, Not(vanishes), own, NEAR))
        assert {finding.instance for finding in findings} == {problem.name for problem in own(layer)} | more
        assert {finding.instance for finding in failing(iter(findings))} & more == refuted


def test_an_instance_held_at_a_variance_is_kept(exact: ExactLayer, numeric: FloatLayer):
    for layer in (exact, numeric):
        problem = layer.problems("decoder")[0]
        assert held_at(problem, problem.beta) is held_at(problem, problem.beta)
        assert float(held_at(problem, problem.beta).eta_dec) ** 2 == pytest.approx(float(problem.beta))
