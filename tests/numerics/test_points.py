"""Points assembled from closed forms, in float64 and in exact numbers."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from sympy import Identity, Tuple

from derivations import notation as n
from derivations.errors import AssumptionViolated
from derivations.ledger import claims_by_id
from numerics.exact import ExactProblem
from numerics.objective import Statistics, vae_loss
from numerics.points import assembled, backend_of, lengths, padded, symbol_values, variances_for
from numerics.problem import Problem
from numerics.problems import random_problems
from numerics.rational import exact_problems
from numerics.tolerances import EXACT, FLOAT64_IDENTITY

FIXED = claims_by_id()["prop-2.minimum"].standing.formula
LEARNED = claims_by_id()["thm-2.minimum"].standing.formula
FLOATS = random_problems(60, 3)
EXACTS = [*exact_problems("fixed"), *exact_problems("learned"), *exact_problems("prior")]
EVERY: list[Problem | ExactProblem] = [*FLOATS, *EXACTS]


def formula_for(problem: Problem | ExactProblem) -> Tuple:
    return FIXED if problem.sigma is not None else LEARNED


def close(left: Any, right: Any) -> bool:
    """Exactly equal for exact numbers, else within the rounding of an identity."""
    left, right = np.asarray(left), np.asarray(right)
    allowed = EXACT.value if object in (left.dtype, right.dtype) else FLOAT64_IDENTITY.value
    size = max(1.0, *(float(np.abs(side.astype(float)).max(initial=0)) for side in (left, right)))
    return left.shape == right.shape and bool(np.all(np.abs(left - right).astype(float) <= allowed * size))


def test_padded() -> None:
    assert padded(np.array([3.0, 2.0]), 4, 0.5).tolist() == [3, 2, 0.5, 0.5]
    assert padded(np.array([3.0]), 1, 0.0).tolist() == [3]
    exact = padded(np.array([sympy.Rational(1, 3)], dtype=object), 2, sympy.S.Zero)
    assert exact.dtype == object and exact.tolist() == [sympy.Rational(1, 3), 0]


def test_backend_of() -> None:
    assert {backend_of(problem) for problem in FLOATS} == {"numpy"}
    assert {backend_of(problem) for problem in EXACTS} == {"exact"}


@pytest.mark.parametrize("problems", [FLOATS, EXACTS], ids=["float64", "exact"])
def test_symbol_values_go_one_beyond_the_last_mode_and_latent(problems: list[Any]) -> None:
    more_latents = more_modes = 0
    for problem in problems:
        values = symbol_values(problem)
        size = max(problem.d1, problem.dstar) + 1
        assert len(values[n.zeta]) == size
        assert close(values[n.zeta][: problem.dstar], problem.spectrum)
        assert all(entry == 0 for entry in values[n.zeta][problem.dstar :])
        if problem.sigma is None:
            assert n.sigma not in values and n.Sigma not in values
            continue
        for symbol in (n.sigma, n.sigma_sorted):
            assert len(values[symbol]) == size
            assert all(entry == problem.eta_enc for entry in values[symbol][problem.d1 :])
        assert values[n.sigma][: problem.d1].tolist() == problem.sigma.tolist()
        assert values[n.sigma_sorted][: problem.d1].tolist() == sorted(problem.sigma)
        more_latents += problem.d1 > problem.dstar
        more_modes += problem.d1 < problem.dstar
    assert more_latents > 0 and more_modes > 0


@pytest.mark.parametrize("problems", [FLOATS, EXACTS], ids=["float64", "exact"])
def test_the_sorting_permutation_sorts(problems: list[Any]) -> None:
    moved = 0
    for problem in problems:
        if problem.sigma is None:
            continue
        values = symbol_values(problem)
        sort = values[n.P_sort]
        assert close(sort @ sort.T, np.eye(problem.d1, dtype=int).astype(sort.dtype))
        assert close(sort @ values[n.Sigma] @ sort.T, values[n.Sigma_sorted])
        assert close(values[n.Sigma], np.diag([value * value for value in problem.sigma]))
        assert np.all(np.diff(values[n.Sigma_sorted].diagonal()) >= 0)
        moved += not bool(np.all(sort == np.eye(problem.d1)))
    assert moved > 0, "no instance whose deviations are out of order"


def test_symbol_values_can_be_replaced_without_harm() -> None:
    problem = FLOATS[0]
    symbol_values(problem)[n.zeta] = None
    assert symbol_values(problem)[n.zeta] is not None


@pytest.mark.parametrize("problems", [FLOATS, EXACTS], ids=["float64", "exact"])
def test_the_spectral_matrices_are_what_they_are_called(problems: list[Any]) -> None:
    deficient = 0
    for problem in problems:
        values = symbol_values(problem)
        assert close(values[n.P_A] @ values[n.Phi] @ values[n.P_A].T, problem.A)
        diagonal = problem.F.T @ values[n.Z] @ problem.G
        expected = np.zeros_like(diagonal) + 0 * diagonal
        expected[range(problem.dstar), range(problem.dstar)] = problem.spectrum
        assert close(diagonal, expected)
        deficient += len(problem.A) > problem.d0
    assert deficient > 0


@pytest.mark.parametrize("problems", [FLOATS, EXACTS], ids=["float64", "exact"])
def test_an_assembled_point_has_the_singular_values_of_its_closed_form(problems: list[Any]) -> None:
    collapsed = active = cut = 0
    for problem in problems:
        formula = formula_for(problem)
        decoder, encoder = lengths(formula, problem)
        assert len(decoder) == len(encoder) == problem.d1
        point = assembled(formula, problem)
        for matrix, expected in ((point.U, decoder), (point.V, encoder)):
            reach = min(len(matrix), problem.d1)
            found = np.linalg.svd(matrix.astype(float), compute_uv=False)
            assert close(found, np.sort(np.array(expected[:reach], dtype=float))[::-1])
        root = problem.phi**0.5 if backend_of(problem) == "numpy" else [sympy.sqrt(value) for value in problem.phi]
        assert close(np.array(root)[:, None] * (problem.P_A.T @ point.W), point.V)
        assert point.variance.shape == (problem.d1,)
        active += bool(np.any(decoder > 0))
        collapsed += bool(np.any(decoder[: problem.dstar] == 0))
        cut += problem.d1 > min(problem.d0, problem.d2)
    assert active > 0 and collapsed > 0 and cut > 0


def test_a_rotation_turns_latent_space_alone() -> None:
    problem = next(p for p in FLOATS if p.d1 == 2 and p.learned and "no-collapse" in p.regimes)
    plain = assembled(LEARNED, problem)
    swap = np.array([[0.0, 1.0], [-1.0, 0.0]])
    turned = assembled(LEARNED, problem, swap)
    assert close(turned.U, plain.U @ swap) and close(turned.V, plain.V @ swap) and close(turned.W, plain.W @ swap)
    assert close(turned.variance, plain.variance[::-1])
    assert not close(turned.U, plain.U)


def test_a_third_component_is_the_rotation() -> None:
    problem = next(
        p for p in FLOATS if {"fixed-variance", "above-threshold"} <= p.regimes and np.any(np.diff(p.sigma) < 0)
    )
    sort = symbol_values(problem)[n.P_sort]
    without = Tuple(*FIXED.args[:2])
    assert close(assembled(FIXED, problem).U, assembled(without, problem, sort).U)
    assert close(assembled(Tuple(*FIXED.args[:2], Identity(n.d1)), problem).U, assembled(without, problem).U)
    assert not close(assembled(FIXED, problem).U, assembled(without, problem).U)


@pytest.mark.parametrize("problems", [FLOATS, EXACTS], ids=["float64", "exact"])
@pytest.mark.parametrize(
    "formula",
    [
        Tuple(-sympy.S.One, sympy.S.One),
        Tuple(sympy.S.One, -n.eta_enc),
        Tuple(sympy.sqrt(n.zeta[n.i] - n.zeta[1] - n.beta), sympy.S.One),
        Tuple(sympy.S.One, 1 / n.zeta[n.i]),
        Tuple(n.eta_dec**2 - sympy.log(n.zeta[n.i]), sympy.S.One),
    ],
    ids=["negative", "negative encoder", "root of a negative", "infinite", "logarithm of 0"],
)
def test_what_is_no_length_is_refused(formula: Tuple, problems: list[Any]) -> None:
    problem = next(p for p in problems if p.d1 > 1 and np.any(p.spectrum[: p.d1] == 0))
    with pytest.raises(AssumptionViolated, match="no lengths"):
        assembled(formula, problem)


def test_constant_lengths_hold_for_every_latent() -> None:
    for problem in (FLOATS[4], EXACTS[4]):
        decoder, encoder = lengths(Tuple(sympy.Integer(2), sympy.S.Zero), problem)
        assert [float(entry) for entry in decoder] == [2.0] * problem.d1
        assert [float(entry) for entry in encoder] == [0.0] * problem.d1


def test_the_best_variances_are_stationary_and_lower_than_their_neighbours() -> None:
    seen = 0
    for index, problem in enumerate(p for p in FLOATS if p.learned):
        rng = np.random.default_rng(index)
        U = rng.standard_normal((problem.d2, problem.d1))
        W = torch.tensor(rng.standard_normal((problem.D0, problem.d1)))
        variance = variances_for(problem, U)
        log_variance = torch.tensor(np.log(variance), requires_grad=True)
        loss = vae_loss(W, torch.tensor(U), log_variance, *Statistics.of(problem))
        (slope,) = torch.autograd.grad(loss, log_variance)
        assert float(slope.abs().max()) <= FLOAT64_IDENTITY.value * max(1.0, loss.item())
        for factor in (0.9, 1.1):
            assert vae_loss(W, torch.tensor(U), torch.tensor(np.log(variance * factor)), *Statistics.of(problem)) > loss
        seen += 1
    assert seen > 10


def test_the_best_variance_of_a_latent_without_decoder_is_the_priors() -> None:
    for problem in EXACTS:
        if problem.sigma is None:
            U = np.full((problem.d2, problem.d1), sympy.S.Zero, dtype=object)
            assert variances_for(problem, U).tolist() == [problem.eta_enc**2] * problem.d1


def test_fixed_variances_are_kept() -> None:
    for problem in EVERY:
        if problem.sigma is not None:
            assert assembled(FIXED, problem).variance.tolist() == (problem.sigma**2).tolist()
