"""The loss without one of its terms: its parts, the points that run to an infimum, and descent."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch

from derivations import notation as n
from derivations.ledger import claims_by_id
from numerics import ablated
from numerics.ablated import Terms, descend, exact_terms, float_terms, running
from numerics.evidence import gather, refutes
from numerics.exact import exact_loss
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer, parameters
from numerics.moments import second_moments
from numerics.objective import Statistics, vae_loss
from numerics.observables import ablation
from numerics.observables.ablation import FEW, approach, points_of
from numerics.problems import random_problems
from numerics.rational import exact_problems
from numerics.starts import random_start
from numerics.tolerances import DESCENT_INFIMUM, FLOAT64_IDENTITY

PROBLEMS = random_problems(24, 5)
DESCENT = DescentLayer(0, count=48, real_data=False)
NAMES = ("s4.5.mean-term", "s4.5.variance-term-learned", "s4.5.variance-term-fixed")


def residual(problem) -> float:
    return float(np.sum(problem.spectrum[problem.d1 :] ** 2))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_the_parts_add_up_to_the_objective(problem):
    start, statistics = random_start(problem, 1), Statistics.of(problem)
    terms = float_terms(*start[:3], statistics)
    whole = 2 * problem.eta_dec**2 * float(vae_loss(*start[:3], *statistics))
    assert float(sum(terms)) == pytest.approx(whole, rel=FLOAT64_IDENTITY.value)
    assert all(float(term) > 0 for term in terms[:3])


@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_the_exact_parts_add_up_to_the_objective(kind):
    for problem in exact_problems(kind)[:6]:
        for scale in (1, 3):
            point = running(problem, scale, "mean")
            difference = sum(exact_terms(problem, point)) - 2 * problem.eta_dec**2 * exact_loss(problem, point)
            assert sympy.simplify(difference) == 0


def test_a_deleted_term_is_left_out_and_a_constant_one_too():
    terms = Terms(1.0, 10.0, 100.0, 1000.0)
    assert terms.kept("mean", learned=True) == 1011
    assert terms.kept("mean", learned=False) == 11
    assert terms.kept("variance", learned=True) == terms.kept("variance", learned=False) == 111


@pytest.mark.parametrize("deleted", ["mean", "variance"])
def test_the_points_run_to_the_residual(deleted):
    for problem in (problem for problem in PROBLEMS if deleted == "mean" or problem.learned):
        losses = []
        for scale in (1, 10, 100):
            terms = float_terms(*parameters(running(problem, scale, deleted)), Statistics.of(problem))
            losses.append(float(terms.kept(deleted, learned=problem.learned)) - problem.r - residual(problem))
        assert losses[1] == pytest.approx(losses[0] / 100, rel=1 / 1000, abs=FLOAT64_IDENTITY.value * problem.y2)
        assert losses[2] <= losses[1] <= losses[0] or problem.spectrum[0] == 0


def test_without_the_variance_term_descent_from_a_large_sigma_stops_at_the_origin(monkeypatch):
    """A local minimum above the infimum: sigma_i sqrt(c) > zeta_1 there."""
    problem = next(p for p in PROBLEMS if p.learned and p.D0 * p.d1 <= 4 and 0.5 < p.spectrum[0])
    c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
    wide = 2 * np.log(problem.spectrum[0] / np.sqrt(c)) + 12
    near = descend(problem, "variance", 0)
    monkeypatch.setattr(ablated, "_NARROWING", (wide,))
    far = descend(problem, "variance", 0)
    assert near - problem.r - residual(problem) <= DESCENT_INFIMUM.value * problem.y2
    assert far == pytest.approx(problem.y2, rel=DESCENT_INFIMUM.value)


@pytest.mark.parametrize("problem", PROBLEMS[:12], ids=lambda problem: problem.name)
def test_the_points_have_the_instances_second_moments(problem):
    X, Y = points_of(problem)
    moments = second_moments(X.T.copy(), Y.T.copy(), centre=False)
    assert np.allclose(moments.A, problem.A) and np.allclose(moments.C, problem.C)
    assert moments.y2 == pytest.approx(problem.y2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layer", [ExactLayer(), FloatLayer(), DESCENT], ids=lambda layer: layer.name)
def test_the_layers_agree_with_what_stands_and_refute_what_does_not(name, layer):
    claim = claims_by_id()[name]
    rows = gather(claim, claim.standing.formula, layer)
    assert rows and all(row.passed for row in rows)
    assert claim.corrected is None or refutes(claim, claim.printed.formula, layer)
    broken = -claim.standing.formula if name.endswith("fixed") else sympy.Tuple(0, claim.standing.formula.args[1])
    assert refutes(claim, broken, layer)


def test_a_point_below_a_supposed_infimum_is_seen(monkeypatch):
    """A deliberate break: the points fit nothing, so that others lie below what they run to."""

    def collapsed(problem, scale, deleted):
        point = running(problem, scale, deleted)
        return type(point)(0 * point.W, 0 * point.U, 0 * point.V, point.variance)

    problem = next(p for p in exact_problems("fixed") if p.spectrum[0] > 0)
    assert approach(problem, "mean").unbeaten
    approach.cache_clear()
    monkeypatch.setattr(ablation, "_others", lambda p: iter([running(p, 5, "mean")]))
    monkeypatch.setattr(ablation, "running", collapsed)
    assert not approach(problem, "mean").unbeaten
    approach.cache_clear()


def test_float_terms_are_differentiable():
    problem = PROBLEMS[0]
    W, U, log_variance = (value.clone().requires_grad_() for value in random_start(problem, 0)[:3])
    total = sum(float_terms(W, U, log_variance, Statistics.of(problem)))
    assert all(bool(torch.isfinite(slope).all()) for slope in torch.autograd.grad(total, [W, U, log_variance]))


@pytest.mark.parametrize("gained", [-DESCENT_INFIMUM.value, DESCENT_INFIMUM.value / 2, 2 * DESCENT_INFIMUM.value])
def test_where_descent_comes_to_is_told_relative_to_the_targets(gained, monkeypatch):
    """Of E|y|^2; stated is that the origin is lowest, and descent ends lower by `gained` or, negative, higher."""
    origin = sympy.Tuple(sympy.Sum(n.zeta[n.i] ** 2, (n.i, 1, n.dstar)), sympy.true)
    monkeypatch.setattr(ablation, "_lowest", lambda p, deleted, seed: p.y2 - p.r - gained * p.y2)
    rows = list(ablation.reached(DESCENT, origin, kinds=("fixed", "learned"), deleted="mean"))
    assert len(rows) == 6 * ablation.DESCENTS
    for above, below, whether in zip(*[iter(rows)] * 3, strict=True):
        assert above.residual == pytest.approx(max(-gained, 0.0), abs=FLOAT64_IDENTITY.value)
        assert below.residual == pytest.approx(max(gained, 0.0), abs=FLOAT64_IDENTITY.value)
        assert whether.agrees is (gained <= DESCENT_INFIMUM.value)


def test_few_parameters_descend_without_a_term():
    for kind in ("fixed", "learned"):
        problems = DESCENT.problems(kind)
        chosen = ablation._small(problems)
        sizes = {problem.name: (problem.D0 + problem.d2 + 1) * problem.d1 for problem in problems}
        assert max(sizes.values()) > FEW >= max(sizes[problem.name] for problem in chosen)
        assert ablation._small([replace(problem, regimes=frozenset({"real-data"})) for problem in chosen]) == []


def test_a_slope_at_a_minimum_is_told_relative_to_the_loss_and_the_point():
    """A constant has none, and gains nothing over the origin."""
    problems = DESCENT.problems("fixed")
    slopes = list(ablation.change_at_minima(DESCENT, sympy.Trace(n.W * n.W.T)))[::2]
    assert len(slopes) == len(problems)
    for problem, slope in zip(problems, slopes, strict=True):
        found = DESCENT.minimum(problem)
        w, u = (float(np.sum(matrix**2)) for matrix in (found.W, found.U))
        assert slope.residual == pytest.approx(2 * np.sqrt(w) / (1 + 2 * w + u))
    constant = [finding.agrees for finding in ablation.change_at_minima(DESCENT, sympy.S.One)]
    assert all(constant[::2]) and not all(constant[1::2])
