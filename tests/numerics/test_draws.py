"""Raw data with arbitrary parameters: what the densities give, against the same quantities written out here by hand."""

import math
from typing import Any

import numpy as np
import pytest
import sympy

from derivations import notation as n
from derivations.elbo import EQUATION_4, EQUATION_5
from derivations.instances import is_exactly_zero
from numerics.draws import Draw, exact_draws, float_draws
from numerics.lambdified import evaluate
from numerics.rational import exact_problems
from numerics.tolerances import FLOAT64_IDENTITY

EXACT_DRAWS = exact_draws(exact_problems("fixed"))
FLOAT_DRAWS = float_draws(0)
EVERY = [*EXACT_DRAWS, *FLOAT_DRAWS]


def agrees(left: Any, right: Any) -> bool:
    """Exactly for exact numbers, else within the rounding of an identity."""
    if isinstance(left - right, sympy.Basic):
        return is_exactly_zero(left - right)
    return abs(left - right) <= FLOAT64_IDENTITY.value * max(1.0, abs(left), abs(right))


def data_of(draw: Draw) -> tuple[Any, Any]:
    """One column a data point: each is repeated for the draws of its noise."""
    repeats = 2**draw.problem.d1 if draw.backend == "exact" else 2 * draw.problem.d1
    return draw.values[n.x][:, ::repeats], draw.values[n.y][:, ::repeats]


def kl_by_hand(draw: Draw, mean: Any) -> Any:
    """Of one code: half the sum of s^2/eta^2 + m^2/eta^2 - 1 - log(s^2/eta^2)."""
    log = sympy.log if draw.backend == "exact" else math.log
    prior = draw.problem.eta_enc**2
    terms = [s**2 / prior + m**2 / prior - 1 - log(s**2 / prior) for s, m in zip(draw.problem.sigma, mean, strict=True)]
    return sum(terms) / 2


def loss_by_hand(draw: Draw, W: Any, U: Any) -> Any:
    """Data point by data point: squared error, the decoder's image of the noise, and beta times the divergence."""
    X, Y = data_of(draw)
    count, total = X.shape[1], 0
    noise = sum((U[k, j] * draw.problem.sigma[j]) ** 2 for k in range(U.shape[0]) for j in range(U.shape[1]))
    for column in range(count):
        code = [sum(W[a, j] * X[a, column] for a in range(len(W))) for j in range(W.shape[1])]
        errors = [sum(U[k, j] * code[j] for j in range(len(code))) - Y[k, column] for k in range(len(U))]
        total += (sum(e**2 for e in errors) + noise) / (2 * draw.problem.eta_dec**2)
        total += draw.problem.beta * kl_by_hand(draw, code)
    return total / count


@pytest.mark.parametrize("draws", [EXACT_DRAWS, FLOAT_DRAWS], ids=["exact", "float64"])
def test_the_objective_is_the_one_written_out(draws: list[Draw]) -> None:
    for draw in draws:
        W, U = draw.values[n.W], draw.values[n.U]
        for w, u in ((W, U), (0 * W, U), (-W, 1 + U)):
            assert agrees(draw.objective(w, u), loss_by_hand(draw, w, u)), draw.name


@pytest.mark.parametrize("draws", [EXACT_DRAWS, FLOAT_DRAWS], ids=["exact", "float64"])
def test_the_divergences_are_those_written_out(draws: list[Draw]) -> None:
    varied = 0
    for draw in draws:
        d1 = draw.problem.d1
        mean = draw.values[n.mean]
        assert all(entry == 0 for entry in mean[d1:]) and any(entry != 0 for entry in mean[:d1])
        assert agrees(draw.kl, kl_by_hand(draw, mean[:d1]))
        assert agrees(draw.kl_variance, kl_by_hand(draw, [0 * mean[0]] * d1))
        X, _ = data_of(draw)
        codes = (draw.values[n.W].T @ X).T
        averaged = sum(kl_by_hand(draw, code) for code in codes) / len(codes)
        assert agrees(draw.kl_mean, averaged - kl_by_hand(draw, [0 * mean[0]] * d1))
        varied += bool(draw.kl_mean > 0)
    assert varied >= len(draws) - 1, "codes that are all 0 test nothing"


@pytest.mark.parametrize("draws", [EXACT_DRAWS, FLOAT_DRAWS], ids=["exact", "float64"])
def test_the_columns_have_the_moments_they_stand_for(draws: list[Draw]) -> None:
    for draw in draws:
        X, Y, noise, white = (draw.values[symbol] for symbol in (n.x, n.y, n.noise, n.x_white))
        count, problem = draw.draws, draw.problem
        assert X.shape[1] == Y.shape[1] == noise.shape[1] == count
        expectations = {
            "input": (X @ X.T, problem.A),
            "cross": (Y @ X.T, draw.values[n.C]),
            "cross of the problem": (Y @ X.T, problem.C),
            "target": (Y @ Y.T, draw.values[n.S_y]),
            "noise": (noise @ noise.T, draw.values[n.Sigma]),
            "noise and input": (noise @ X.T, 0 * (noise @ X.T)),
            "noise and target": (noise @ Y.T, 0 * (noise @ Y.T)),
            "whitened": (white @ white.T, np.eye(problem.d0)),
            "Z": (Y @ white.T, draw.values[n.Z]),
        }
        for name, (moment, expected) in expectations.items():
            for a, b in zip((moment / count).flat, np.asarray(expected).flat, strict=True):
                assert agrees(a, sympy.Integer(int(b)) if draw.backend == "exact" and isinstance(b, float) else b), name
        assert all(agrees(total, 0 * total) for total in noise.sum(1))


def test_draws_cover_every_rank() -> None:
    assert len(FLOAT_DRAWS) == 40 and len(EXACT_DRAWS) == 18
    for draws in (EXACT_DRAWS, FLOAT_DRAWS):
        ranks = [(draw.problem.d0, len(draw.problem.A)) for draw in draws]
        assert any(d0 < D0 for d0, D0 in ranks) and any(d0 == D0 for d0, D0 in ranks)
        assert any(draw.problem.d1 > draw.problem.dstar for draw in draws)
        assert any(draw.problem.d1 < draw.problem.dstar for draw in draws)
        assert all(draw.problem.sigma is not None for draw in draws)
        assert len({draw.name for draw in draws}) == len(draws)
    assert all(draw.backend == "exact" for draw in EXACT_DRAWS)
    assert all(draw.backend == "numpy" for draw in FLOAT_DRAWS)


@pytest.mark.parametrize("formula", [EQUATION_4, EQUATION_5], ids=["equation 4", "equation 5"])
def test_the_bridge_takes_expectations_as_the_exact_data_do(formula: sympy.Expr) -> None:
    for draw in EXACT_DRAWS:
        found = evaluate(formula, draw.values, "exact", draws=draw.draws)
        assert is_exactly_zero(found - draw.problem.data.value(formula)), draw.name


def test_the_seed_chooses_the_draws() -> None:
    again, other = float_draws(0, 3), float_draws(1, 3)
    assert all(np.array_equal(a.values[n.x], b.values[n.x]) for a, b in zip(again, FLOAT_DRAWS, strict=False))
    assert not any(
        a.values[n.x].shape == b.values[n.x].shape and np.array_equal(a.values[n.x], b.values[n.x])
        for a, b in zip(again, other, strict=True)
    )


@pytest.mark.parametrize("draws", [EXACT_DRAWS, FLOAT_DRAWS], ids=["exact", "float64"])
def test_the_objective_on_other_data_is_that_of_the_draw_on_its_own(draws: list[Draw]) -> None:
    """And unchanged by an input that is 0 throughout, whatever the encoder makes of it."""
    for draw in draws:
        W, U = draw.values[n.W], draw.values[n.U]
        x, y = (draw.values[symbol][:, :: draw.repeats] for symbol in (n.x, n.y))
        own = draw.objective(W, U)
        assert agrees(draw.objective_on(x, y, W, U), own), draw.name
        wider = np.vstack([W, 1 + 0 * W[:1]])
        assert agrees(draw.objective_on(np.vstack([x, 0 * x[:1]]), y, wider, U), own), draw.name
        assert not agrees(draw.objective_on(x, 1 + y, W, U), own), draw.name
