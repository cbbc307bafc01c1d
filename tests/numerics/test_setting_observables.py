"""The setting, Z Z^T, shapes, biases, the manifold of encoders: each layer upholds what stands and sees a break of our own."""

from itertools import cycle
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Basic, Tuple

from derivations import notation as n
from derivations.accuracy_and_complexity import OBJECTIVE, complexity, some_factor
from derivations.alignment import M, b, gamma
from derivations.claim import Claim, Verdict
from derivations.corollary_1_constant import rest
from derivations.first_moments import Cov_x, mu_x, mu_y
from derivations.ledger import claims_by_id
from derivations.proposition_1_manifold import dimension
from derivations.setting import a, quadratic_form
from numerics.evidence import gather, layers_of, refutes
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.observables import alignment, biases
from numerics.observables.profile_constant import _constants, _rounded
from numerics.observables.setting import directions, log_partition, log_partition_function, second_moment
from numerics.observables.solution_manifold import _flat_directions, _null_space, _problems
from numerics.tolerances import DESCENT_GAP, FLOAT64_IDENTITY, RANK_CUTOFF

LEDGER = claims_by_id()
BROKEN: dict[str, Basic] = {
    "eq-1.objective": Tuple(*OBJECTIVE.args[:2], complexity > 0),
    "s2.expressivity": n.residual + sympy.Sum(n.zeta[n.i] ** 2, (n.i, n.d1, n.dstar)),
    "s4.5.weights": Tuple(1 / (2 * n.eta_dec**2), n.beta * n.eta_dec**2),
    "notation.variables": Tuple(n.d0, n.d2, n.d1),
    "notation.latent-variance": 2 * n.sigma[n.i],
    "notation.second-moment": Tuple(sympy.Trace(a.T * n.A * n.A * a), quadratic_form >= 0),
    "s4.1.eigenvalue": n.zeta[n.i],
    "eq-9.alignment": gamma**2 * M * n.A * n.A * M.T,
    "eq-9.semidefinite": Tuple(sympy.Trace(b.T * n.Z * n.Z.T * n.Z * n.Z.T * b), quadratic_form >= 0),
    "s4.1.vae-spectrum": Tuple(n.A, n.zeta[n.i]),
    "s4.1.covariance": Cov_x - mu_x * mu_x.T,
    "prop-1.manifold": Tuple(n.d1 * (n.D0 - n.d0), dimension > 0),
    "cor-1.constant": Tuple(sympy.Sum(n.zeta[n.i] ** 2, (n.i, n.d1, n.dstar)), rest >= 0),
    "thm-2.shapes": Tuple(n.d2, n.d1, n.d1, n.d0),
    "s4.4.partition": n.d2 * sympy.log(2 * sympy.pi * n.eta_dec**2),
    "app-b.bias": Tuple(n.x - mu_x, n.y - mu_y, -n.W.T * mu_x, 0 * mu_y),
}
PAIRS = [(LEDGER[name], layer) for name in BROKEN for layer in layers_of(LEDGER[name])]
pairs = pytest.mark.parametrize(("claim", "name"), PAIRS, ids=[f"{claim.id}-{name}" for claim, name in PAIRS])


@pytest.fixture(scope="module")
def layers() -> dict[str, Any]:
    return {
        "exact": ExactLayer(0),
        "numeric": FloatLayer(0),
        "descent": DescentLayer(seed=0, count=60, real_data=False),
    }


def test_minima_are_where_descent_is_asked() -> None:
    assert {claim.id for claim, name in PAIRS if name == "descent"} == {
        "prop-1.manifold",
        "cor-1.constant",
        "app-b.bias",
        "s2.expressivity",
    }


@pairs
def test_what_stands_agrees(claim: Claim, name: str, layers: dict[str, Any]) -> None:
    rows = gather(claim, claim.standing.formula, layers[name])
    assert rows and all(row.passed for row in rows), rows
    assert all(row.instances >= 6 for row in rows)


@pairs
def test_what_is_printed_wrongly_and_what_we_break_is_seen(claim: Claim, name: str, layers: dict[str, Any]) -> None:
    assert refutes(claim, BROKEN[claim.id], layers[name])
    if claim.corrected is not None:
        assert refutes(claim, claim.printed.formula, layers[name])


@pytest.mark.parametrize("name", BROKEN)
def test_what_we_break_is_refuted_by_derivation(name: str) -> None:
    decision = LEDGER[name].standing.decide(BROKEN[name])
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None


# ---------------------------------------------------------------------------- what the layers compare with
def test_the_partition_function_of_both_layers(layers: dict[str, Any]) -> None:
    exact = layers["exact"].problems("prior")[0]
    found = log_partition_function(exact, sympy.Rational(3, 2))
    assert sympy.simplify(found - exact.d2 * sympy.log(2 * sympy.pi * sympy.Rational(9, 4)) / 2) == 0
    problem = layers["numeric"].problems("prior")[0]
    stated = problem.d2 / 2 * np.log(2 * np.pi * 1.5**2)
    assert abs(log_partition_function(problem, 1.5) - stated) <= FLOAT64_IDENTITY.value


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_a_factor_that_is_left_open_is_fitted_once(name: str, layers: dict[str, Any]) -> None:
    """To the value at one eta_dec; the others tell whether there is any such factor."""
    of_scale = n.d2 * sympy.log(n.eta_dec)
    assert all(finding.agrees for finding in log_partition(layers[name], 2 * some_factor + of_scale))
    for wrong in (some_factor * of_scale, 2 * some_factor + 2 * of_scale, of_scale):
        assert not all(finding.agrees for finding in log_partition(layers[name], wrong))


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_a_direction_is_orthogonal_to_columns_up_to_the_cutoff_of_ranks(size: float) -> None:
    """The cutoff is of squared singular values, relative to the largest."""
    for factor, some_null in ((2.0, False), (0.5, True)):
        lengths = size * np.array([1.0, np.sqrt(factor * RANK_CUTOFF.value)])
        given, *null = directions(np.diag(lengths), "numpy")
        assert np.all(given != 0) and given.shape == (2, 1)
        assert [np.abs(vector[:, 0]).tolist() for vector in null] == [[0.0, 1.0]] * some_null


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_draws_have_a_null_space_and_means(name: str, layers: dict[str, Any]) -> None:
    """Else low rank, and centring, would not show."""
    draws = layers[name].draws()
    found = {bool(_null_space(draw)[0]) for draw in draws}
    assert found == {True, False}
    inputs, targets = draws[0].points
    assert abs(float(sum(inputs[0]))) > 0 and abs(float(sum(targets[0]))) > 0
    assert inputs.shape[1] == targets.shape[1] == draws[0].draws // draws[0].repeats


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_targets_are_stretched_and_shrunk_and_some_inputs_leave_a_direction_unseen(
    name: str, layers: dict[str, Any]
) -> None:
    """gamma below, at and above 1, of which max(gamma, 1) is made, and rows of M that see nothing of x."""
    strengths = {float(values[gamma]) for _, values, _ in alignment._linear_targets(layers[name], M)}
    assert strengths == {0.5, 1.0, 1.5}
    unseen = [(draw, direction) for draw in layers[name].draws() for direction in alignment._unseen(draw)]
    assert 0 < len(unseen) < len(layers[name].draws())
    for draw, direction in unseen:
        assert any(direction)
        assert abs(direction @ draw.values[n.x]).max() <= FLOAT64_IDENTITY.value


@pytest.mark.parametrize("name", ["exact", "numeric"])
@pytest.mark.parametrize(
    ("claim", "check"),
    [("eq-9.semidefinite", alignment.outer_product_form), ("notation.second-moment", second_moment)],
    ids=["eq-9", "second-moment"],
)
def test_a_form_is_0_in_directions_that_see_nothing(claim: str, check: Any, name: str, layers: dict[str, Any]) -> None:
    """And positive in others: that it is positive everywhere is refuted by rounding neither here nor there."""
    form, _ = LEDGER[claim].standing.formula.args
    found = [each.agrees for each in check(layers[name], Tuple(form, quadratic_form > 0)) if each.quantity == "truth"]
    without = [directions(_columns_of(claim, draw), draw.backend)[1:] for draw in layers[name].draws()]
    assert found.count(False) == sum(map(len, without)) > 0
    assert found.count(True) == len(without)


def _columns_of(claim: str, draw: Any) -> Any:
    if claim == "notation.second-moment":
        return draw.points[0]
    return draw.values[n.y] @ draw.values[n.x_white].T


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_no_biases_do_better_than_the_least_loss_over_them(name: str, layers: dict[str, Any]) -> None:
    generator = np.random.default_rng(0)
    for draw in biases._draws(layers[name])[:3]:
        W, U = draw.values[n.W], draw.values[n.U]
        least = biases._least_over_biases(draw)
        for _ in range(5):
            sizes = (draw.problem.d1, draw.problem.d2)
            tried = [generator.integers(-3, 4, size).astype(W.dtype) for size in sizes]
            assert float(biases.biased_loss(draw, W, U, *tried) - least) > 0


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_biases_change_Z_where_inputs_have_a_mean_and_targets_a_size(name: str, layers: dict[str, Any]) -> None:
    """The data as they are, with inputs of mean 0, and with targets of 0, in turn."""
    unchanged = LEDGER["s3.bias-results"].printed.formula
    found = [finding.agrees for finding in biases.bias_spectrum(layers[name], unchanged)]
    assert len(found) == 3 * min(biases.MOST_SPECTRA, len(layers[name].draws()))
    assert found == [False, True, True] * (len(found) // 3)


def test_biases_change_Z_where_what_is_more_and_what_is_less_cancel(
    layers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = np.array([[1.0, -1.0], [-1.0, 1.0]])
    outer = cycle([raw, 0 * raw])  # without and with the best biases
    monkeypatch.setattr(biases, "_outer", lambda x, y: next(outer))
    found = list(biases.bias_spectrum(layers["numeric"], LEDGER["s3.bias-results"].printed.formula))
    assert found and not any(finding.agrees for finding in found)


def test_descent_over_biases_takes_draws_with_few_weights(layers: dict[str, Any]) -> None:
    findings = biases.centring_at_minima(layers["descent"], LEDGER["app-b.bias"].standing.formula)
    names = {finding.instance for finding in findings}
    sizes = {draw.name: draw.values[n.W].size + draw.values[n.U].size for draw in layers["descent"].draws()}
    assert len(names) == biases.MOST_DRAWS["descent"]
    assert max(sizes[name] for name in names) <= biases.MOST_WEIGHTS < max(sizes.values())


def test_the_loss_without_biases_is_the_drawn_one(layers: dict[str, Any]) -> None:
    for name in ("exact", "numeric"):
        draw = layers[name].draws()[1]
        W, U = draw.values[n.W], draw.values[n.U]
        nothing = [np.zeros(size, dtype=W.dtype) for size in (draw.problem.d1, draw.problem.d2)]
        difference = biases.biased_loss(draw, W, U, *nothing) - draw.objective(W, U)
        assert abs(float(difference)) <= FLOAT64_IDENTITY.value


def test_minima_of_full_rank_have_no_flat_direction(layers: dict[str, Any]) -> None:
    descent, counts = layers["descent"], set()
    for problem in _problems(descent):
        minimum = descent.minimum(problem)
        flat, losses = _flat_directions(minimum)
        assert len(flat) == problem.d1 * (problem.D0 - problem.d0)
        assert losses[0] == pytest.approx(minimum.loss) and len(losses) == len(flat) + 2
        counts.add(len(flat))
    assert 0 in counts and len(counts) > 1


def test_a_constant_is_rounded_to_0_by_what_its_layer_resolves(layers: dict[str, Any]) -> None:
    for name, least in (("numeric", FLOAT64_IDENTITY.value), ("descent", DESCENT_GAP.value)):
        for size in (1.0, 50.0):
            assert _rounded(layers[name], least * size / 2, size) == 0
            assert _rounded(layers[name], 2 * least * size, size) == 2 * least * size
    tiny = sympy.Rational(1, 10**30)
    assert _rounded(layers["exact"], tiny, 1.0) == tiny
    assert _rounded(layers["exact"], sympy.sqrt(8) - 2 * sympy.sqrt(2), 1.0) == 0


@pytest.mark.parametrize("name", ["exact", "numeric", "descent"])
def test_constants_are_there_and_absent_on_both_sides_of_the_edge(name: str, layers: dict[str, Any]) -> None:
    """d1 < d* with and without signal beyond the first d1 modes, and d1 >= d*."""
    seen = set()
    for problem, found, size in _constants(layers[name]):
        signal = float(sum(value**2 for value in problem.spectrum[problem.d1 :]))
        assert abs(float(found) - signal) <= FLOAT64_IDENTITY.value * 100 * max(1, size)
        seen.add((problem.d1 < problem.dstar, signal > 0))
    assert seen == {(True, True), (True, False), (False, False)}
