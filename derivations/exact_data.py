"""Exact data sets: a few rational points whose second moments have a known rational singular value decomposition.

With Q a rational orthogonal matrix of four columns, X = 2 P_A Phi^(1/2) Q_1 and Y = 2 (Z Q_1 + R Q_2) have E[x x^T] =
P_A Phi P_A^T, E[y x_white^T] = Z and r = |R|^2, all rational. The encoder's noise takes the values -sigma_i and sigma_i with equal
weight in each latent, which has the mean and covariance of the Gaussian noise: exact for everything quadratic in the noise.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product

import sympy
from sympy import Basic, ImmutableDenseMatrix, MatAdd, MatMul, MatPow, MatrixSymbol, Rational, Trace, Transpose, diag

from derivations import notation as n
from derivations.instances import Instance, chosen_instances
from derivations.notation import Mean, MeanMatrix, SquaredNorm

POINTS = 4


def rational_orthogonal(size: int, seed: int) -> ImmutableDenseMatrix:
    """The Cayley transform (I - S)(I + S)^-1 of a random skew matrix S of small integers, with random signs of columns."""
    generator = random.Random(seed)
    skew = sympy.zeros(size)
    for row in range(size):
        for column in range(row):
            skew[row, column] = Rational(generator.randint(-2, 2), generator.randint(1, 2))
            skew[column, row] = -skew[row, column]
    signs = diag(*(generator.choice((-1, 1)) for _ in range(size)))
    identity = sympy.eye(size)
    return ImmutableDenseMatrix((identity - skew) * (identity + skew).inv() * signs)


@dataclass(frozen=True, eq=False)
class ExactData:
    """Scalars, explicit matrices for the symbols of `notation`, and the data points (x, y) they are the moments of.

    `draws` are the triples (x, y, noise) that expectations run over, where the noise is not the usual one.
    """

    scalars: Instance
    matrices: Mapping[MatrixSymbol, ImmutableDenseMatrix]
    points: tuple[tuple[ImmutableDenseMatrix, ImmutableDenseMatrix], ...]
    draws: tuple[tuple[ImmutableDenseMatrix, ImmutableDenseMatrix, ImmutableDenseMatrix], ...] | None = None
    _known: dict[Basic, Basic] = field(default_factory=dict, repr=False)

    def value(self, formula: Basic) -> Basic:
        """The exact value of a scalar or matrix formula, by expectation over the points and the noise."""
        return self._value(formula, self.matrices)

    def named(self) -> dict[str, object]:
        """The scalars and the matrices a reader needs to repeat the evaluation."""
        shown = (n.P_A, n.Phi, n.Z, n.W, n.U)
        return self.scalars.named() | {str(symbol): self.matrices[symbol].tolist() for symbol in shown}

    def replaced(self, **matrices: ImmutableDenseMatrix) -> ExactData:
        """The same data with other values for the named symbols."""
        changed = {symbol: matrices.get(str(symbol), matrix) for symbol, matrix in self.matrices.items()}
        return ExactData(self.scalars, changed, self.points, self.draws)

    def _value(self, node: Basic, env: Mapping[MatrixSymbol, ImmutableDenseMatrix]) -> Basic:
        if isinstance(node, MatrixSymbol):
            return env[node]
        if isinstance(node, Mean | MeanMatrix):
            if node not in self._known:
                draws = [self._value(node.args[0], {**env, **draw}) for draw in self._draws(node)]
                self._known[node] = sum(draws[1:], draws[0]) / len(draws)
            return self._known[node]
        if isinstance(node, SquaredNorm):
            return sum((entry**2 for entry in self._value(node.args[0], env)), sympy.S.Zero)
        if isinstance(node, Trace):
            return self._value(node.arg, env).trace()
        if isinstance(node, sympy.Identity):
            return ImmutableDenseMatrix(sympy.eye(self._size(node.args[0])))
        if isinstance(node, Transpose):
            return self._value(node.arg, env).T
        if isinstance(node, MatAdd | MatMul):
            parts = [self._value(part, env) for part in node.args]
            total = parts[0]
            for part in parts[1:]:
                total = total + part if isinstance(node, MatAdd) else total * part
            return total
        if isinstance(node, MatPow):
            base, exponent = self._value(node.base, env), node.exp
            if not exponent.is_Integer and not base.is_diagonal():
                raise ValueError(
                    f"{node} is a root of a matrix that is not diagonal; only roots of Phi are known exactly."
                )
            return base**exponent if exponent.is_Integer else diag(*(base[k, k] ** exponent for k in range(base.rows)))
        if node.has(Mean, SquaredNorm, Trace):
            return node.func(*(self._value(part, env) for part in node.args))
        return self.scalars.value(node)

    def _size(self, dimension: Basic) -> int:
        """The number that a dimension stands for."""
        return self.matrices[n.P_A].rows if dimension == n.D0 else int(self.scalars.value(dimension))

    def _draws(self, node: Basic) -> list[dict[MatrixSymbol, ImmutableDenseMatrix]]:
        if self.draws is not None:
            return [{n.x: x, n.y: y, n.noise: noise} for x, y, noise in self.draws]
        if not node.has(n.noise):
            return [{n.x: x, n.y: y} for x, y in self.points]
        noises = [ImmutableDenseMatrix(values) for values in product(*((-s, s) for s in self.scalars.sigma))]
        return [{n.x: x, n.y: y, n.noise: noise} for x, y in self.points for noise in noises]


def exact_data(scalars: Instance, seed: int, kernel: int = 1) -> ExactData:
    """Data with the given singular values and random rational factors; `kernel` = D0 - d0 directions carry no input.

    The residual r of the data is `scalars.residual`, which must be a square (0 included).
    """
    d0, d1, d2 = scalars.d0, scalars.d1, scalars.d2
    generator = random.Random(seed)

    def integers(rows: int, columns: int) -> ImmutableDenseMatrix:
        return ImmutableDenseMatrix(rows, columns, lambda *_: generator.randint(-2, 2))

    basis, target_basis, input_basis, mixing = (
        rational_orthogonal(size, seed * 10 + k) for k, size in enumerate((d0 + kernel, d2, d0, POINTS))
    )
    P_A = basis[:, :d0]
    Phi = diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0)))
    S_Z = ImmutableDenseMatrix(d2, d0, lambda a, b: scalars.zeta[a] if a == b else 0)
    Z = target_basis * S_Z * input_basis.T
    root = diag(*(sympy.sqrt(Phi[k, k]) for k in range(d0)))
    R = sympy.zeros(d2, POINTS - d0)
    R[0, 0] = sympy.sqrt(scalars.residual)
    X, Y = 2 * P_A * root * mixing[:d0, :], 2 * (Z * mixing[:d0, :] + R * mixing[d0:, :])
    sorting = scalars.sorting_permutation
    variances = diag(*(s**2 for s in scalars.sigma))
    matrices = {
        n.P_A: P_A, n.Phi: Phi, n.A: P_A * Phi * P_A.T, n.Z: Z, n.F: target_basis, n.S_Z: S_Z, n.G: input_basis,
        n.C: Z * root * P_A.T, n.S_y: Z * Z.T + R * R.T,
        n.W: integers(d0 + kernel, d1), n.U: integers(d2, d1), n.V: integers(d0, d1),
        n.Sigma: variances, n.Sigma_sorted: sorting * variances * sorting.T, n.P_sort: sorting,
    }  # fmt: skip
    points = tuple((ImmutableDenseMatrix(X[:, k]), ImmutableDenseMatrix(Y[:, k])) for k in range(POINTS))
    return ExactData(scalars, {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in matrices.items()}, points)


@lru_cache(maxsize=1)
def data_instances() -> tuple[ExactData, ...]:
    """Small exact data sets of every aspect ratio, with and without a null space of A and a residual."""
    chosen = [scalars for scalars in chosen_instances() if scalars.d0 < POINTS and scalars.d1 <= 2]
    squares = [Instance(**{**vars(scalars), "residual": Rational(k % 3) ** 2}) for k, scalars in enumerate(chosen)]
    return tuple(exact_data(scalars, seed=k, kernel=k % 2) for k, scalars in enumerate(squares))


def with_target(data: ExactData, target: sympy.MatrixBase) -> ExactData:
    """The same inputs with y = `target` x."""
    points = tuple((px, ImmutableDenseMatrix(target * px)) for px, _ in data.points)
    return ExactData(replace(data.scalars, d2=target.rows), data.matrices, points)
