"""Layers on mechanisms: what they compute is what it says, and what is wrong they refute."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from sympy import Eq, Gt, Lt

from derivations import constant_output, input_variance, regression, saddle
from derivations.constant_output import output
from derivations.ledger import claims_by_id
from numerics.evidence import gather, refutes
from numerics.exact import exact_loss
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer, parameters
from numerics.objective import Statistics, vae_loss
from numerics.observables import input_variance as families
from numerics.observables import mechanisms
from numerics.observables import regression as module
from numerics.observables.input_variance import descended, tried
from numerics.observables.regression import ascent_excess, exact_excess, float_excess, regressions
from numerics.points import assembled
from numerics.problems import random_problems
from numerics.quasi_newton import lowest
from numerics.rational import exact_problems
from numerics.tolerances import DESCENT_INVARIANT, FLOAT64_IDENTITY

NAMES = ("s4.5.regression", "app-c.input-variance", "s6.constant-output", "thm-3.saddle")
BROKEN = {
    "s4.5.regression": Gt(regression.excess, 0),
    "app-c.input-variance": Gt(input_variance.gap, 0),
    "s6.constant-output": Eq(constant_output.output, 0),
    "thm-3.saddle": Lt(saddle.gap, 0),
}
PLANTED = [problem for problem in random_problems(40, 3) if problem.learned]


@pytest.fixture(scope="module")
def layers():
    return ExactLayer(), FloatLayer(), DescentLayer(0, count=24, real_data=False)


@pytest.fixture(autouse=True)
def few_instances(monkeypatch):
    monkeypatch.setattr(families, "MOST", 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_agree_with_what_stands_and_refute_what_does_not(name, layers):
    claim = claims_by_id()[name]
    for layer in layers:
        rows = gather(claim, claim.standing.formula, layer)
        assert rows and all(row.passed for row in rows), layer.name
        assert refutes(claim, BROKEN[name], layer), layer.name
        assert claim.corrected is None or refutes(claim, claim.printed.formula, layer), layer.name


# ---------------------------------------------------------------------------------------------- regression
def test_the_posterior_mode_is_that_of_ridge_regression():
    """C (A + s^2/(N tau^2) I)^-1, with whole numbers and therefore exact zeros."""
    seen = set()
    for data in regressions(24, 0):
        points = data.x.shape[1]
        A, C = data.x @ data.x.T / points, data.y @ data.x.T / points
        mode = C @ np.linalg.inv(A + data.noise**2 / (points * data.prior**2) * np.eye(len(A)))
        gained = (
            float(np.sum(mode * C)) * points / (2 * data.noise**2)
        )  # half the linear term at the maximum of a quadratic
        for concave, found in (exact_excess(data), float_excess(data), (True, ascent_excess(data, 0, 1.0))):
            assert concave and float(found) == pytest.approx(gained, rel=DESCENT_INVARIANT.value)
            assert (found == 0) == (gained == 0)
        seen.add((gained == 0, bool(np.any(data.y))))
    assert seen == {(True, True), (True, False), (False, True)}


def test_ascent_ends_where_it_climbs_to(monkeypatch):
    """A deliberate break: a climb that does not leave its start ends lower than the origin."""
    data = next(each for each in regressions(24, 0) if float_excess(each)[1] > 0)
    ascent_excess.cache_clear()
    monkeypatch.setattr(module, "lowest", lambda loss, start, tolerance: (float(loss(start)), start))
    try:
        assert ascent_excess(data, 0, 10.0) < 0
    finally:
        ascent_excess.cache_clear()


def test_descent_of_a_quadratic_ends_at_its_minimum():
    centre = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    value, at = lowest(
        lambda p: ((p - centre) ** 2 * torch.arange(1, 4)).sum(), torch.zeros(3, dtype=torch.float64), 0.0
    )
    assert value <= FLOAT64_IDENTITY.value and float((at - centre).norm()) <= DESCENT_INVARIANT.value


# -------------------------------------------------------------------------------------------- input variance
def point_of(problem):
    return assembled(claims_by_id()["thm-2.minimum"].standing.formula, problem)


def test_with_constant_variances_the_loss_input_by_input_is_the_loss():
    for problem in exact_problems("learned")[:5]:
        point = point_of(problem)
        constant = np.array([point.variance] * len(problem.data.points))
        difference = families._exact_loss(problem, point, constant) - exact_loss(problem, point)
        assert sympy.simplify(difference) == 0
    for problem in PLANTED[:8]:
        point, statistics = point_of(problem), Statistics.of(problem)
        at = parameters(point)
        expected = float(vae_loss(*at, *statistics))
        constant = np.outer(np.ones(problem.d0 + 1), point.variance)
        assert families._float_loss(problem, point, constant) == pytest.approx(expected)
        each = vae_loss(at.W, at.U, torch.log(torch.tensor(constant)), *families._of_each_point(problem))
        assert float(each.mean()) == pytest.approx(expected)


def test_the_families_on_trial_cover_what_a_statement_can_say():
    outcomes = {(o.has_constants, o.gap > 0, o.spread > 0) for p in exact_problems("learned")[:8] for o in tried(p)}
    assert outcomes == {(True, False, False), (False, True, True), (False, False, False)}


def test_an_uneven_variance_costs_what_jensens_inequality_leaves():
    """With the same mean it costs the mean logarithm alone; a multiple of it, more."""
    for problem in PLANTED[:8]:
        _, multiples, *prior = tried(problem)
        shape = 1 + (families._float_inputs(problem) ** 2).sum(0)
        uneven = shape / shape.mean()
        assert multiples.gap == pytest.approx(-problem.beta * problem.d1 * np.log(uneven).mean() / 2)
        assert multiples.spread == pytest.approx(uneven.max() - 1)
        assert [outcome.gap for outcome in prior] == [0.0] * (not np.any(point_of(problem).U))


def test_the_priors_variance_costs_what_theorem_1_says_of_it():
    seen = set()
    for problem in PLANTED:
        if problem.D0 * problem.d1 > 4 or problem.regimes & {"at-threshold", "real-data"}:
            continue
        least = float(vae_loss(*parameters(point_of(problem)), *Statistics.of(problem)))
        held = FloatLayer().least_loss(replace(problem, sigma=np.full(problem.d1, problem.eta_enc)))
        *_, prior = descended(problem, least, 0)
        assert prior.gap == pytest.approx(held - least, rel=DESCENT_INVARIANT.value, abs=FLOAT64_IDENTITY.value)
        seen.add(prior.gap > 0)
    assert seen == {True, False}


def test_descent_over_families_finds_the_same_minimum_as_over_constants_or_a_higher_one():
    problem = next(
        p for p in PLANTED if p.D0 * p.d1 <= 4 and {"above-threshold"} <= p.regimes and "at-threshold" not in p.regimes
    )
    least = float(vae_loss(*parameters(point_of(problem)), *Statistics.of(problem)))
    everything, multiples, prior = descended(problem, least, 0)
    assert everything.gap == everything.spread == 0.0
    assert multiples.gap > 0 and multiples.spread > 0
    assert prior.gap > 0 and prior.spread == 0.0


def test_descent_over_families_knows_no_units(monkeypatch):
    """Outputs, and codes, in other units: it begins as far from the prior's variance, and goes on for as little."""
    told = []
    monkeypatch.setattr(
        families, "lowest", lambda loss, start, worthwhile: told.append((start, worthwhile)) or (0.0, start)
    )
    for problem in PLANTED[:6]:
        begin = torch.linspace(-1, 1, problem.d1, dtype=torch.float64).expand(problem.d0 + 1, -1)
        units = {
            "C": 5 * problem.C,
            "y2": 25 * problem.y2,
            "eta_dec": 5 * problem.eta_dec,
            "zeta": 5 * problem.spectrum,
        }
        for scaled in (problem, replace(problem, **units, eta_enc=3 * problem.eta_enc)):
            families._descended(scaled, 0, begin, lambda free: free)
        (here, little), (there, as_little) = told[-2:]
        apart = (there - here)[-begin.numel() :]
        assert apart.numpy() == pytest.approx(2 * np.log(3)) and as_little == pytest.approx(little)
        assert (here[-begin.numel() :] - begin.flatten()).numpy() == pytest.approx(2 * np.log(problem.eta_enc))


def test_variances_do_not_descend_at_thresholds(layers):
    """Where descent leaves lengths of 1e-3 in place of 0, and evenness cannot be told."""
    *_, descent = layers
    regimes = {problem.name: problem.regimes for problem in descent.problems("learned")}
    names = {row.instance.split(",")[0] for row in families.by_descent(descent, sympy.true)}
    assert len(names) == families.MOST and not any("at-threshold" in regimes[name] for name in names)
    assert any("at-threshold" in tags for tags in regimes.values())


def test_descent_without_the_logarithm_would_not_find_constants(monkeypatch):
    """A deliberate break: the cost of the variances taken at their mean, so that nothing keeps them even."""

    def blind(W, U, log_variance, *statistics):
        return vae_loss(W, U, log_variance.exp().mean(0).log().expand(log_variance.shape), *statistics)

    problem = next(p for p in PLANTED if p.D0 * p.d1 <= 4 and "at-threshold" not in p.regimes)
    least = float(vae_loss(*parameters(point_of(problem)), *Statistics.of(problem)))
    descended.cache_clear()
    monkeypatch.setattr(families, "vae_loss", blind)
    assert descended(problem, least, 0)[0].spread > 0
    descended.cache_clear()


# ---------------------------------------------------------------------------------- the output and the origin
@pytest.mark.parametrize("kind", ["learned", "prior"])
def test_the_exact_output_is_that_of_second_moments(kind):
    for problem in exact_problems(kind)[:8]:
        claim = claims_by_id()["thm-2.minimum" if kind == "learned" else "thm-1.minimum"]
        point = assembled(claim.standing.formula, problem)
        inner = point.W.T @ problem.A @ point.W + np.diag(point.variance)
        assert sympy.simplify(((point.U @ inner) * point.U).sum() - mechanisms.squared_output(problem)) == 0


def test_descent_finds_the_output_of_the_proved_minimum(layers, monkeypatch):
    found = []
    monkeypatch.setattr(mechanisms, "evaluate", lambda formula, values, backend: found.append(values[output]) or True)
    names = [finding.instance for finding in mechanisms.constant_output(layers[-1], sympy.true)]
    problems = [problem for kind in ("learned", "prior") for problem in layers[-1].problems(kind)]
    assert names == [problem.name for problem in problems] and len(problems) > 12
    seen = set()
    for problem, power in zip(problems, found, strict=True):
        stated = mechanisms.squared_output(problem)
        if "at-threshold" not in problem.regimes:
            assert abs(power - stated) <= DESCENT_INVARIANT.value * problem.y2
            seen.add((problem.learned, stated > 0))
    assert len(seen) == 4


def test_the_loss_rises_with_the_decoder_alone(layers):
    """By what the noise costs: a latent with decoder column u passes on |u|^2 sigma^2."""
    exact, floating, _ = layers
    for layer in (exact, floating):
        for problem in layer.problems("fixed")[:6]:
            passed_on = problem.d2 * float(sum(problem.sigma**2)) / (2 * float(problem.eta_dec) ** 2)
            assert float(mechanisms._rise(problem, layer.loss)) == pytest.approx(passed_on) != 0
