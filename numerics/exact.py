"""Instances in exact numbers, and the exact certificate of a minimum: gradient 0 and no negative curvature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, product
from typing import Any

import flint
import mpmath
import numpy as np
import sympy
from jaxtyping import Shaped
from sympy import MatrixSymbol, Rational, Symbol, Trace

from derivations import notation as n
from derivations.elbo import kl_parts, negative_elbo
from derivations.exact_data import ExactData
from derivations.instances import is_exactly_zero, tidy
from derivations.matrix_calculus import differential, gradient, trace_normal_form
from derivations.matrix_calculus import product as word_product
from numerics.lambdified import evaluate
from numerics.points import Point
from numerics.tolerances import FIFTY_DIGITS


@dataclass(frozen=True, eq=False)
class ExactProblem:
    """One instance with its data in exact rational numbers; the attributes are those of `numerics.problem.Problem`."""

    data: ExactData
    learned: bool
    name: str
    learned_decoder: bool = False

    def _matrix(self, symbol: MatrixSymbol) -> Shaped[np.ndarray, "rows columns"]:
        return np.array(self.data.matrices[symbol].tolist(), dtype=object)

    @cached_property
    def d1(self) -> int:
        """The number of latent dimensions."""
        return self.data.scalars.d1

    @cached_property
    def d0(self) -> int:
        """The rank of A."""
        return self.data.scalars.d0

    @cached_property
    def d2(self) -> int:
        """The dimension of y."""
        return self.data.scalars.d2

    @cached_property
    def dstar(self) -> int:
        """min(d0, d2)."""
        return min(self.d0, self.d2)

    @cached_property
    def beta(self) -> Rational:
        """The weight of the Kullback-Leibler term."""
        return self.data.scalars.beta

    @cached_property
    def eta_dec(self) -> sympy.Expr:
        """The decoder's standard deviation."""
        return self.data.scalars.eta_dec

    @cached_property
    def eta_enc(self) -> Rational:
        """The prior's standard deviation."""
        return self.data.scalars.eta_enc

    @cached_property
    def r(self) -> Rational:
        """The second moment of y that x does not explain."""
        return self.data.scalars.residual

    @cached_property
    def sigma(self) -> Shaped[np.ndarray, " d1"] | None:
        """The encoder's standard deviations where they are fixed, (d1,)."""
        return None if self.learned else np.array(self.data.scalars.sigma, dtype=object)

    @cached_property
    def spectrum(self) -> Shaped[np.ndarray, " dstar"]:
        """The singular values of Z, (dstar,)."""
        return np.array(self.data.scalars.zeta, dtype=object)

    @cached_property
    def A(self) -> Shaped[np.ndarray, "D0 D0"]:
        """E[x x^T], (D0, D0)."""
        return self._matrix(n.A)

    @cached_property
    def C(self) -> Shaped[np.ndarray, "d2 D0"]:
        """E[y x^T], (d2, D0)."""
        return self._matrix(n.C)

    @cached_property
    def Z(self) -> Shaped[np.ndarray, "d2 d0"]:
        """E[y x_white^T], (d2, d0)."""
        return self._matrix(n.Z)

    @cached_property
    def F(self) -> Shaped[np.ndarray, "d2 d2"]:
        """Left singular vectors of Z, (d2, d2)."""
        return self._matrix(n.F)

    @cached_property
    def G(self) -> Shaped[np.ndarray, "d0 d0"]:
        """Right singular vectors of Z, (d0, d0)."""
        return self._matrix(n.G)

    @cached_property
    def P_A(self) -> Shaped[np.ndarray, "D0 d0"]:
        """Eigenvectors of A on its range, (D0, d0)."""
        return self._matrix(n.P_A)

    @cached_property
    def phi(self) -> Shaped[np.ndarray, " d0"]:
        """Positive eigenvalues of A, (d0,)."""
        return self._matrix(n.Phi).diagonal()


def exact_loss(problem: ExactProblem, point: Point) -> sympy.Expr:
    """L_VAE by enumeration of the data points and of noise with the right mean and covariance, from the log densities."""
    deviations = np.array([sympy.sqrt(s) for s in point.variance], dtype=object)
    data = [(np.array(list(x), dtype=object), np.array(list(y), dtype=object)) for x, y in problem.data.points]
    W, U, sigma, variance, eta_enc, *columns = quick_if_rational(
        point.W, point.U, deviations, point.variance, np.array(problem.eta_enc), *chain.from_iterable(data)
    )
    noises = [np.array(signs, dtype=object) * sigma for signs in product((-1, 1), repeat=problem.d1)]
    misfit = divergence = 0 * eta_enc
    for x, y in zip(columns[::2], columns[1::2], strict=True):
        code = W.T @ x
        misfit += sum(((U @ (code + noise) - y) ** 2).sum() for noise in noises)
        divergence += _quadratic_kl(code, variance, sigma, eta_enc)
    misfit, divergence = (as_sympy(part) / len(data) for part in (misfit, divergence))
    quadratic = misfit / len(noises) / (2 * problem.eta_dec**2) + problem.beta * divergence
    logarithmic = problem.beta * _logarithmic_kl(point.variance, problem.eta_enc)
    if quadratic.is_Rational and problem.beta.is_Rational:
        return quadratic + logarithmic  # tidy as it is
    return tidy(quadratic + logarithmic)


def density_kl(mean: Shaped[np.ndarray, " d1"], variance: Shaped[np.ndarray, " d1"], eta_enc: Rational) -> sympy.Expr:
    """The log ratio of the two densities, averaged over m - sigma and m + sigma: exact, since it is quadratic in the sample."""
    deviations = np.array([sympy.sqrt(s) for s in variance], dtype=object)
    return _quadratic_kl(mean, variance, deviations, eta_enc) + _logarithmic_kl(variance, eta_enc)


def _quadratic_kl(mean: Any, variance: Any, deviations: Any, eta_enc: Any) -> Any:
    total = 0 * eta_enc
    for m, s, deviation in zip(mean, variance, deviations, strict=True):
        ratios = [(m + e) ** 2 / (2 * eta_enc**2) - e**2 / (2 * s) for e in (deviation, -deviation)]
        total += sum(ratios) / 2
    return total


def _logarithmic_kl(variance: Any, eta_enc: Rational) -> sympy.Expr:
    return sum((tidy(sympy.log(eta_enc**2 / s)) / 2 for s in variance), sympy.S.Zero)


def quick_if_rational(*arrays: Shaped[np.ndarray, ...]) -> list[Any]:
    """The arrays in python-flint's rationals, which are quick, if all entries are rational; otherwise as they are."""
    if not all(sympy.sympify(entry).is_Rational for array in arrays for entry in array.flat):
        return list(arrays)
    rational = np.frompyfunc(lambda entry: flint.fmpq(int(entry.p), int(entry.q)), 1, 1)
    return [rational(np.frompyfunc(sympy.sympify, 1, 1)(array)) for array in arrays]


def as_sympy(number: Any) -> sympy.Expr:
    """A rational of python-flint, or a number of SymPy as it is, as one of SymPy's."""
    return Rational(int(number.p), int(number.q)) if isinstance(number, flint.fmpq) else sympy.sympify(number)


_dW, _dU, _dS = MatrixSymbol("dW", n.D0, n.d1), MatrixSymbol("dU", n.d2, n.d1), MatrixSymbol("dS", n.d1, n.d1)
_variance = Symbol("variance", positive=True)


@lru_cache(maxsize=1)
def _derivatives() -> dict[str, Any]:
    """Gradient of 2 eta_dec^2 L_VAE in (W, U, variances), and gradient of its second differential in the directions."""
    terms = trace_normal_form(2 * n.eta_dec**2 * negative_elbo())
    loss = sympy.Add(*(factor * Trace(word_product(word)) for word, factor in terms.items() if word))
    second = differential(differential(loss, {n.W: _dW, n.U: _dU, n.Sigma: _dS}), {n.W: _dW, n.U: _dU, n.Sigma: _dS})
    kl = 2 * n.eta_dec**2 * n.beta * kl_parts()[1].subs(n.sigma[n.i], sympy.sqrt(_variance))
    return {
        "W": gradient(loss, n.W),
        "U": gradient(loss, n.U),
        "Sigma": gradient(loss, n.Sigma),
        "dW": gradient(second, _dW) / 2,
        "dU": gradient(second, _dU) / 2,
        "dS": gradient(second, _dS) / 2,
        "kl": sympy.diff(kl, _variance),
        "kl twice": sympy.diff(kl, _variance, 2),
    }


def stationarity(problem: ExactProblem, point: Point) -> sympy.Expr:
    """The largest absolute entry of the gradient of 2 eta_dec^2 L_VAE in (W, U and, if learned, the variances)."""
    values, found = _values(problem, point), _derivatives()
    parts = [evaluate(found[name], values, "exact").ravel() for name in ("W", "U")]
    if problem.learned:
        slopes = evaluate(found["kl"], values, "exact")
        parts.append(evaluate(found["Sigma"], values, "exact").diagonal() + slopes)
    entries = [entry for entry in np.concatenate(parts) if not is_exactly_zero(entry)]
    return max((abs(entry) for entry in entries), key=lambda entry: entry.evalf(), default=sympy.S.Zero)


def has_negative_curvature(problem: ExactProblem, point: Point) -> bool:
    """Whether the Hessian in (W, U and, if learned, the variances) has a negative eigenvalue."""
    return smallest_eigenvalue_sign(problem, point) < 0


def smallest_eigenvalue_sign(problem: ExactProblem, point: Point) -> int:
    """-1, 0 or 1: the sign of the smallest eigenvalue of the Hessian.

    A symmetric matrix is positive semidefinite iff the characteristic polynomial of its negative has no negative coefficient, and
    then singular iff the last one is 0. Entries that are not rational, as a mutant may have them, are taken to 50 digits.
    """
    matrix = hessian(problem, point)
    if not all(entry.is_Rational for entry in matrix.flat):
        with mpmath.workdps(50):
            dense = mpmath.matrix([[mpmath.mpf(entry.evalf(50)) for entry in row] for row in matrix])
            lowest = min(mpmath.eigsy(dense, eigvals_only=True))
            return 0 if abs(lowest) < FIFTY_DIGITS.value else int(mpmath.sign(lowest))
    negative = [flint.fmpq(-int(entry.p), int(entry.q)) for entry in matrix.flat]
    coefficients = flint.fmpq_mat(len(matrix), len(matrix), negative).charpoly().coeffs()
    if any(coefficient < 0 for coefficient in coefficients):
        return -1
    return 0 if coefficients[0] == 0 else 1


def hessian(problem: ExactProblem, point: Point) -> Shaped[np.ndarray, "p p"]:
    """The Hessian of 2 eta_dec^2 L_VAE in (W, U and, if learned, the variances), column by column, exact."""
    values, found = _values(problem, point), _derivatives()
    quick = quick_if_rational(*(np.asarray(value) for value in values.values()))
    rational = isinstance(quick[0].flat[0], flint.fmpq)
    backend, one = ("rational", flint.fmpq(1)) if rational else ("exact", sympy.S.One)
    shapes = {"dW": point.W.shape, "dU": point.U.shape, "dS": (problem.d1, problem.d1)}
    curvature = evaluate(found["kl twice"], values, "exact")
    slots: list[tuple[str, tuple[int, int]]] = [("dW", place) for place in np.ndindex(point.W.shape)]
    slots += [("dU", place) for place in np.ndindex(point.U.shape)]
    slots += [("dS", (k, k)) for k in range(problem.d1)] if problem.learned else []
    names = [name for name in shapes if name != "dS" or problem.learned]
    at = dict(zip(values, quick, strict=True))
    columns = []
    for row, (slot, place) in enumerate(slots):
        directions = {name: np.full(shape, 0 * one, dtype=object) for name, shape in shapes.items()}
        directions[slot][place] = one
        along = at | {symbol: directions[str(symbol)] for symbol in (_dW, _dU, _dS)}
        slopes = {name: evaluate(found[name], along, backend) for name in names}
        column = [as_sympy(slopes[name][where]) for name, where in slots]
        if slot == "dS":
            column[row] += curvature[place[0]]
        columns.append([sympy.expand(entry) for entry in column])
    return np.array(columns, dtype=object)


def _values(problem: ExactProblem, point: Point) -> dict[Any, Any]:
    return {
        n.A: problem.A, n.C: problem.C, n.W: point.W, n.U: point.U, n.beta: problem.beta, n.eta_dec: problem.eta_dec,
        n.eta_enc: problem.eta_enc, _variance: point.variance,
        n.Sigma: np.where(np.eye(problem.d1, dtype=bool), point.variance, sympy.S.Zero),
    }  # fmt: skip
