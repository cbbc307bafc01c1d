"""What layers sample, and how they form residuals."""

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
import torch

from numerics.decoder_problems import decoder_problems
from numerics.layers import floating
from numerics.layers.base import Finding
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import (
    FloatLayer,
    certificate_at,
    curvature_scale,
    kind_of,
    origin_of,
    parameters,
    relative_distance,
    rotated_candidates,
    smallest_origin_eigenvalue,
    snapped,
)
from numerics.objective import Statistics, vae_loss
from numerics.points import Point
from numerics.problems import random_problems, regime_counts
from numerics.regimes import REGIMES
from numerics.tolerances import EXACT, FLOAT64_IDENTITY, HESSIAN_EIGENVALUE, Tolerance

LAYERS = ("exact", "numeric", "descent")


@pytest.fixture(scope="session")
def exact() -> ExactLayer:
    return ExactLayer(0)


@pytest.fixture(scope="session")
def numeric() -> FloatLayer:
    layer = FloatLayer(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floating, "COUNT", 60)  # each shape five times
        assert layer.problems("learned")
    return layer


@pytest.fixture(scope="session")
def descent() -> DescentLayer:
    return DescentLayer(seed=0, count=60, real_data=False)


@pytest.fixture(scope="session")
def layers(exact: ExactLayer, numeric: FloatLayer, descent: DescentLayer) -> dict[str, Any]:
    return {"exact": exact, "numeric": numeric, "descent": descent}


def test_random_instances_are_in_every_regime() -> None:
    counts = regime_counts([*random_problems(600, 0), *decoder_problems(300, 0)])
    assert set(counts) == set(REGIMES)
    assert min(counts.values()) > 0, counts


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", ["learned", "prior", "fixed"])
def test_problems_are_of_their_kind(kind: str, name: str, layers: dict[str, Any]) -> None:
    problems = layers[name].problems(kind)
    assert len(problems) >= 12
    for problem in problems:
        assert (problem.sigma is None) is (kind == "learned")
        if kind == "prior":
            assert all(deviation == problem.eta_enc for deviation in problem.sigma)
    if kind == "fixed":
        assert any(len(set(problem.sigma.tolist())) > 1 for problem in problems)
        assert any(list(problem.sigma) != sorted(problem.sigma) for problem in problems)


@pytest.mark.parametrize("name", LAYERS)
def test_sweeps_change_sigma_alone(name: str, layers: dict[str, Any]) -> None:
    sweeps = layers[name].sweeps()
    assert len(sweeps) >= 12
    reordered = 0
    for first, *others in sweeps:
        assert len(others) >= 2
        for problem in others:
            assert np.array_equal(problem.A, first.A) and np.array_equal(problem.C, first.C)
            assert (problem.beta, problem.eta_dec, problem.eta_enc, problem.r, problem.d1) == (
                first.beta, first.eta_dec, first.eta_enc, first.r, first.d1,
            )  # fmt: skip
            reordered += sorted(problem.sigma) == sorted(first.sigma) and list(problem.sigma) != list(first.sigma)
    assert reordered > 0


@pytest.mark.parametrize("name", LAYERS)
def test_rotations_are_orthogonal_and_not(name: str, layers: dict[str, Any]) -> None:
    problem = next(problem for problem in layers[name].problems("fixed") if problem.d1 == 3)
    products = [np.array(P @ P.T, dtype=float) for P in layers[name].rotations(problem)]
    orthogonal = [bool(np.abs(product - np.eye(3)).max() <= FLOAT64_IDENTITY.value) for product in products]
    assert 0 < sum(orthogonal) < len(orthogonal)
    dense = [P for P in layers[name].rotations(problem) if np.count_nonzero(np.array(P, dtype=float)) > 3]
    assert dense, "permutations and reflections only"


@pytest.mark.parametrize("size", [1, 2, 5])
def test_rotated_candidates(size: int) -> None:
    found = rotated_candidates(size, 0)
    assert all(P.shape == (size, size) for P in found)
    orthogonal = [float(np.abs(P @ P.T - np.eye(size)).max()) <= FLOAT64_IDENTITY.value for P in found]
    assert 0 < sum(orthogonal) < len(found)
    assert all(np.array_equal(a, b) for a, b in zip(found, rotated_candidates(size, 0), strict=True))


@pytest.mark.parametrize("name", LAYERS)
def test_the_origin_curves_down_exactly_above_the_threshold(name: str, layers: dict[str, Any]) -> None:
    layer, signs = layers[name], set()
    for problem in layer.problems("prior"):
        excess = float(problem.spectrum[0]) - float(np.sqrt(float(problem.beta)) * float(problem.eta_dec))
        above = excess > FLOAT64_IDENTITY.value
        assert (float(layer.origin_gap(problem)) < 0) is above, problem.name
        assert (float(layer.origin_gap(problem)) == 0) is not above, problem.name
        assert (float(layer.origin_eigenvalue(problem)) < 0) is above, problem.name
        assert layer.origin_is_local_minimum(problem) is not above, problem.name
        signs.add(int(np.sign(float(layer.origin_eigenvalue(problem)))))
    assert signs == {-1, 0, 1}


def test_kinds() -> None:
    found = {kind_of(problem) for problem in random_problems(30, 0)}
    assert found == {"learned", "prior", "fixed"}


# ------------------------------------------------------------------------------------ how residuals are formed
@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.0], [1.0, 2.5], 0.2),
        ([0.5], [0.25], 0.25),
        ([100.0], [-100.0], 2.0),
        ([np.nan], [0.0], np.inf),
        ([1.0], [np.inf], np.inf),
        ([np.nan], [np.nan], np.inf),
        ([np.inf], [np.inf], np.inf),
    ],
)
def test_relative_distance(left: list[float], right: list[float], distance: float) -> None:
    found = relative_distance(np.array(left), np.array(right))
    assert found == distance or abs(found - distance) <= FLOAT64_IDENTITY.value


def test_snapped() -> None:
    assert snapped(FLOAT64_IDENTITY.value / 2, 1.0) == 0
    assert snapped(-FLOAT64_IDENTITY.value * 5, 10.0) == 0
    assert snapped(FLOAT64_IDENTITY.value * 2, 1.0) > 0
    assert snapped(-FLOAT64_IDENTITY.value * 2, 0.1) < 0


def test_exact_differences_are_exact(exact: ExactLayer) -> None:
    problem = exact.problems("fixed")[0]
    tiny = sympy.Rational(1, 10**400)
    for left, right, agree in (
        (sympy.sqrt(8), 2 * sympy.sqrt(2), True),
        ((1 + sympy.sqrt(2)) ** 2, 3 + 2 * sympy.sqrt(2), True),
        (sympy.log(6), sympy.log(2) + sympy.log(3), True),
        (tiny, 0, False),
        (sympy.nan, 0, False),
        (sympy.zoo, sympy.zoo, False),
        (sympy.I, 0, False),
    ):
        finding = exact.difference("number", problem, left, right)
        assert finding.agrees is agree, (left, right, finding)
        assert finding.tolerance is EXACT and finding.instance == problem.name
    for left, right, residual in ((1, 3, 2), (2 * sympy.I, 0, 2), (tiny, 0, 1e-300), (sympy.oo, 0, np.inf)):
        assert exact.difference("number", problem, [left, 5], [right, 5]).residual == residual
    rows, other = np.array([[1, 2], [3, 4]], dtype=object), np.array([[1, 2], [3, 4 + tiny]], dtype=object)
    assert exact.difference("array", problem, rows, rows).agrees
    assert not exact.difference("array", problem, rows, other).agrees


@pytest.mark.parametrize("residual", [float("nan"), float("inf"), -float("inf")])
def test_a_residual_that_is_not_finite_disagrees(residual: float) -> None:
    finding = Finding("number", "somewhere", residual, Tolerance("anything", 1.0, "for a test"))
    assert finding.agrees is (residual == -float("inf"))


@pytest.mark.parametrize("name", LAYERS)
def test_a_variance_of_zero_is_no_minimum(name: str, layers: dict[str, Any]) -> None:
    layer = layers[name]
    problem = next(p for p in layer.problems("fixed") if "at-threshold" not in getattr(p, "regimes", ()))
    shapes = [(len(problem.A), problem.d1), (problem.d2, problem.d1), (problem.d0, problem.d1)]
    zeros = [np.zeros(shape, dtype=problem.A.dtype) + 0 * problem.sigma[0] for shape in shapes]
    findings = list(layer.minimum_findings(problem, Point(*zeros, 0 * problem.sigma)))
    assert any(not finding.agrees for finding in findings)
    if name != "descent":
        assert [(finding.quantity, finding.residual) for finding in findings] == [("gradient", float("inf"))]


def test_a_slope_in_w_is_told_relative_to_the_curvature_and_the_point(numeric: FloatLayer) -> None:
    for problem in numeric.problems("fixed"):
        V = np.ones((problem.d0, problem.d1))
        (finding,) = numeric.stationary_encoder_findings(problem, lambda U, V=V: V)
        U = np.random.default_rng([numeric.seed, problem.d1]).standard_normal((problem.d2, problem.d1))
        W = problem.P_A @ (V / np.sqrt(problem.phi)[:, None])
        slope = (problem.A @ W @ U.T @ U - problem.C.T @ U) / problem.eta_dec**2
        slope += problem.beta / problem.eta_enc**2 * problem.A @ W
        size = curvature_scale(problem) * (1 + np.linalg.norm(W)) * (1 + np.linalg.norm(U)) ** 2
        assert finding.residual == pytest.approx(np.linalg.norm(slope) / size)


def test_many_parameters_are_certified_as_few_are(numeric: FloatLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the whole Hessian from some size on: a lower bound of its least eigenvalue, of the same sign."""
    few = [p for kind in ("learned", "fixed") for p in numeric.problems(kind) if p.d1 == 3 and p.D0 > 2][:12]
    points = [origin_of(problem) for problem in few]
    whole = [certificate_at(problem, point) for problem, point in zip(few, points, strict=True)]
    monkeypatch.setattr(floating, "LARGE", 0)
    least = HESSIAN_EIGENVALUE.value
    for problem, point, expected in zip(few, points, whole, strict=True):
        found = certificate_at(problem, point)
        assert abs(found.gradient_norm - expected.gradient_norm) <= least
        assert found.smallest_hessian_eigenvalue <= expected.smallest_hessian_eigenvalue + least
        assert (found.smallest_hessian_eigenvalue < -least) is (expected.smallest_hessian_eigenvalue < -least)
    assert {certificate.smallest_hessian_eigenvalue < -least for certificate in whole} == {True, False}


def test_the_scale_of_curvature_is_that_of_the_largest_at_the_origin(numeric: FloatLayer) -> None:
    """Of its blocks in W, in U and between the two, which two of together may do twice as much; at least 1/eta_dec^2."""
    least = set()
    for problem in (*numeric.problems("learned"), *numeric.problems("fixed")):
        W, U, log_variance = parameters(origin_of(problem))

        def loss(flat: torch.Tensor, problem: Any = problem, W: Any = W, U: Any = U, kept: Any = log_variance) -> Any:
            w, u = flat.split([W.numel(), U.numel()])
            return vae_loss(w.reshape(W.shape), u.reshape(U.shape), kept, *Statistics.of(problem))

        hessian = torch.func.jacrev(torch.func.grad(loss))(torch.cat([W.flatten(), U.flatten()]))
        largest, scale = float(torch.linalg.matrix_norm(hessian, 2)), curvature_scale(problem)
        above_least = scale * problem.eta_dec**2 > 1 + FLOAT64_IDENTITY.value
        assert largest <= 2 * scale * (1 + FLOAT64_IDENTITY.value)
        assert not above_least or scale <= largest * (1 + FLOAT64_IDENTITY.value)
        least.add(above_least)
    assert least == {True, False}


def test_the_numeric_layer_sees_the_saddle_at_the_origin(numeric: FloatLayer) -> None:
    seen = 0
    for problem in numeric.problems("prior"):
        if "complete-collapse" not in problem.regimes:
            findings = list(numeric.minimum_findings(problem, origin_of(problem)))
            assert [(finding.quantity, finding.agrees) for finding in findings] == [
                ("gradient", True),
                ("curvature", False),
            ]
            assert smallest_origin_eigenvalue(problem) < 0
            seen += 1
    assert seen > 0


def test_an_instance_is_kept_with_its_answers() -> None:
    """They go by its id, which another may have once it is gone."""
    layer = FloatLayer(0)
    problem = replace(layer.problems("fixed")[0], name="made for one question")
    assert layer._once("a question", problem, lambda: 42) == 42
    kept = weakref.ref(problem)
    del problem
    gc.collect()
    found = kept()
    assert found is not None and layer._once("a question", found, lambda: 43) == 42
