"""Raw data with arbitrary parameters: what the identities of section 3 and Proposition 1 are evaluated on.

Each data point is repeated with noise of mean zero and covariance Sigma, one column a draw, so that an expectation is a mean over
columns. The quantities that formulas are compared with are computed from densities and raw points, never from second moments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float, Shaped
from sympy import Basic

from derivations import notation as n
from derivations.exact_data import ExactData
from numerics.exact import ExactProblem, density_kl, exact_loss
from numerics.moments import second_moments
from numerics.oracle import elbo_by_sigma_points, gaussian_kl
from numerics.points import Point, backend_of, symbol_values
from numerics.problem import Problem


@dataclass(frozen=True, eq=False)
class Draw:
    """Data, parameters and noise on one instance.

    `values` are those of the symbols, columns x, y and noise being (dimension, draws); `objective(W, U)` is L_VAE from the
    densities, `kl_mean` and `kl_variance` the two parts of the KL averaged over the data: beyond, and at, mean 0.
    `objective_on(x, y, W, U)` is L_VAE of other data, in columns, and `repeats` how many draws one data point makes.
    """

    problem: Any
    values: dict[Basic, Any]
    draws: int
    objective: Callable[[Any, Any], Any]
    kl: Any
    kl_mean: Any
    kl_variance: Any
    objective_on: Callable[[Any, Any, Any, Any], Any]
    repeats: int
    name: str = field(default="")

    @property
    def backend(self) -> str:
        """Of the numbers in `values`."""
        return backend_of(self.problem)

    @property
    def points(self) -> tuple[Any, Any]:
        """The data points x (D0, n) and y (d2, n), each once."""
        return self.values[n.x][:, :: self.repeats], self.values[n.y][:, :: self.repeats]


def exact_draws(problems: Sequence[ExactProblem]) -> list[Draw]:
    """Rational data with integer parameters."""
    return [_exact_draw(problem) for problem in problems]


def _exact_draw(problem: ExactProblem) -> Draw:
    data = problem.data
    matrices = {
        symbol: np.array(data.matrices[symbol].tolist(), dtype=object) for symbol in (n.W, n.U, n.V, n.C, n.S_y)
    }
    patterns = [np.array(signs, dtype=object) * problem.sigma for signs in product((-1, 1), repeat=problem.d1)]
    columns = [(x, y, noise) for x, y in data.points for noise in patterns]
    X, Y, noise = (
        np.array([np.array(list(column[k]), dtype=object) for column in columns], dtype=object).T for k in range(3)
    )
    assert problem.sigma is not None
    variance, mean = problem.sigma**2, np.array(data.scalars.mean, dtype=object)
    zero = 0 * mean

    def objective(W: Shaped[np.ndarray, "D0 d1"], U: Shaped[np.ndarray, "d2 d1"]) -> sympy.Expr:
        return exact_loss(problem, Point(W, U, 0 * matrices[n.V], variance))

    def objective_on(
        x: Shaped[np.ndarray, "k n"],
        y: Shaped[np.ndarray, "d2 n"],
        W: Shaped[np.ndarray, "k d1"],
        U: Shaped[np.ndarray, "d2 d1"],
    ) -> sympy.Expr:
        points = tuple((sympy.ImmutableMatrix(a), sympy.ImmutableMatrix(b)) for a, b in zip(x.T, y.T, strict=True))
        moved = ExactProblem(ExactData(data.scalars, data.matrices, points), problem.learned, problem.name)
        return exact_loss(moved, Point(W, U, 0 * matrices[n.V], variance))

    codes = [matrices[n.W].T @ np.array(list(x), dtype=object) for x, _ in data.points]
    at_zero = density_kl(zero, variance, problem.eta_enc)
    averaged = sum(density_kl(code, variance, problem.eta_enc) for code in codes) / len(codes)
    return Draw(
        problem,
        _values(problem, X, Y, noise, mean, matrices),
        len(columns),
        objective,
        density_kl(mean, variance, problem.eta_enc),
        averaged - at_zero,
        at_zero,
        objective_on,
        len(patterns),
        problem.name,
    )


def float_draws(seed: int, count: int = 40) -> list[Draw]:
    """Gaussian data of every rank, as raw points, with random parameters."""
    return [_float_draw(np.random.default_rng([seed, index]), index) for index in range(count)]


def _float_draw(generator: np.random.Generator, index: int) -> Draw:
    D0, d2, d1 = generator.integers(1, 6, size=3)
    rank = int(generator.integers(1, D0 + 1))
    points = 9
    # orthonormal directions: a product of two Gaussian matrices may be as good as singular, and whitening then loses its digits
    directions = np.linalg.qr(generator.standard_normal((D0, rank)))[0]
    X = 2 * directions @ generator.standard_normal((rank, points))
    Y = generator.standard_normal((d2, points)) + generator.standard_normal((d2, D0)) @ X
    beta, eta_dec, eta_enc = (float(value) for value in np.exp(generator.uniform(-1, 1, size=3)))
    sigma = np.exp(generator.uniform(-1, 1, size=d1))
    moments = second_moments(X.T, Y.T, centre=False)
    problem = moments.problem(int(d1), beta, eta_dec=eta_dec, eta_enc=eta_enc, sigma=sigma, name=f"draw-{index}")
    matrices = {
        n.W: generator.standard_normal((D0, d1)),
        n.U: generator.standard_normal((d2, d1)),
        n.V: generator.standard_normal((problem.d0, d1)),
        n.C: Y @ X.T / points,
        n.S_y: Y @ Y.T / points,
    }
    offsets = np.concatenate([np.diag(sigma), -np.diag(sigma)], axis=1) * np.sqrt(d1)
    mean = generator.standard_normal(d1)
    x, y, deviations = (torch.tensor(array) for array in (X.T, Y.T, sigma))

    def objective(W: Float[np.ndarray, "D0 d1"], U: Float[np.ndarray, "d2 d1"]) -> float:
        w, u = (torch.tensor(np.ascontiguousarray(array)) for array in (W, U))
        return float(elbo_by_sigma_points(x, y, w, u, deviations, beta, eta_dec, eta_enc, partition=False))

    def objective_on(
        x: Float[np.ndarray, "k n"],
        y: Float[np.ndarray, "d2 n"],
        W: Float[np.ndarray, "k d1"],
        U: Float[np.ndarray, "d2 d1"],
    ) -> float:
        a, b, w, u = (torch.tensor(np.ascontiguousarray(array)) for array in (x.T, y.T, W, U))
        return float(elbo_by_sigma_points(a, b, w, u, deviations, beta, eta_dec, eta_enc, partition=False))

    def kl(means: Float[np.ndarray, "k d1"]) -> float:
        return float(gaussian_kl(torch.tensor(means), deviations.expand(len(means), -1), eta_enc).mean())

    at_zero = kl(np.zeros((1, d1)))
    return Draw(
        problem,
        _values(problem, np.repeat(X, 2 * d1, 1), np.repeat(Y, 2 * d1, 1), np.tile(offsets, points), mean, matrices),
        points * 2 * int(d1),
        objective,
        kl(mean[None]),
        kl(X.T @ matrices[n.W]) - at_zero,
        at_zero,
        objective_on,
        2 * int(d1),
        problem.name,
    )


def _values(
    problem: ExactProblem | Problem,
    X: Shaped[np.ndarray, "D0 draws"],
    Y: Shaped[np.ndarray, "d2 draws"],
    noise: Shaped[np.ndarray, "d1 draws"],
    mean: Shaped[np.ndarray, " d1"],
    matrices: dict[Basic, Any],
) -> dict[Basic, Any]:
    """Values of all symbols; the whitened input and Z from the raw points by their definitions."""
    values = symbol_values(problem)
    size = len(values[n.zeta])
    roots = values[n.Phi].diagonal() ** (sympy.S.Half if backend_of(problem) == "exact" else 0.5)
    white = (problem.P_A.T @ X) / roots[:, None]
    Z = Y @ white.T / X.shape[1]
    padding = [0 * mean[0]] * (size - len(mean))
    return (
        values
        | matrices
        | {n.x: X, n.y: Y, n.noise: noise, n.x_white: white, n.Z: Z, n.mean: np.array([*mean, *padding])}
    )
