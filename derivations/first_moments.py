"""Means of the data: x = x_c + E x and y = y_c + E y, with the constant 1 as a column, so that first moments become second ones.

An expectation of second order is then read off a product: what has mean zero drops out beside the constant, and 1 1^T is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Basic, Identity, ImmutableDenseMatrix, MatrixExpr, MatrixSymbol, ZeroMatrix

from derivations.exact_data import ExactData
from derivations.instances import Instance
from derivations.matrix_calculus import Facts, matrix_normal_form, trace_normal_form
from derivations.notation import D0, P_A, A, Mean, MeanMatrix, Phi, Sigma, U, W, Z, d1, d2, noise, x, y

mu_x, mu_y = MatrixSymbol("mu_x", D0, 1), MatrixSymbol("mu_y", d2, 1)
"""E x and E y."""
Cov_x = MatrixSymbol("Cov_x", D0, D0)
"""The covariance of the input."""
COVARIANCE = MeanMatrix((x - mu_x) * (x - mu_x).T)
b_enc, b_dec = MatrixSymbol("b_enc", d1, 1), MatrixSymbol("b_dec", d2, 1)
"""Biases of the encoder and of the decoder (Appendix B)."""
x_c, y_c, one = MatrixSymbol("x_c", D0, 1), MatrixSymbol("y_c", d2, 1), MatrixSymbol("one", 1, 1)
"""The input and the target about their means, and the constant 1 in every draw."""

COLUMNS = (x_c, y_c, noise, one)


def _uncorrelated(first: MatrixExpr, second: MatrixExpr) -> tuple[MatrixExpr, MatrixExpr]:
    return first * second.T, ZeroMatrix(first.shape[0], second.shape[0])


CENTRED: Facts = (
    (one * one.T, Identity(1)),
    (noise * noise.T, Sigma),
    _uncorrelated(x_c, one),
    _uncorrelated(y_c, one),
    _uncorrelated(noise, one),
    _uncorrelated(noise, x_c),
    _uncorrelated(noise, y_c),
)
"""Expectations of products of two columns; those of x_c and y_c among themselves stay as they are."""


def about_means(formula: Basic) -> Basic:
    """The formula with every expectation written as a product of columns, to be compared by means of the facts `CENTRED`.

    Raises:
        ValueError: an expectation is not of second order in the columns, so that their second moments do not give it.
    """
    columns = {x: x_c + mu_x * one, y: y_c + mu_y * one} | {
        vector: vector * one for vector in (mu_x, mu_y, b_enc, b_dec)
    }
    written = formula.replace(lambda node: isinstance(node, Mean | MeanMatrix), lambda node: node.args[0])
    written = written.xreplace(columns)
    read = matrix_normal_form if isinstance(written, MatrixExpr) else trace_normal_form
    for word in read(written):
        if sum(letter.base in COLUMNS for letter in word) not in (0, 2):
            raise ValueError(f"{formula} is not of second order in x, y, the noise and the constant 1.")
    return written


def with_means(data: ExactData) -> ExactData:
    """The same data with E x, E y and the covariance of x among its matrices."""
    count = len(data.points)
    inputs, targets = (
        sympy.Matrix.hstack(*(sympy.Matrix(column) for column in columns)) for columns in zip(*data.points, strict=True)
    )
    ones = sympy.ones(count, 1)
    means = {mu_x: inputs * ones / count, mu_y: targets * ones / count}
    centred = inputs - means[mu_x] * ones.T
    found = means | {Cov_x: centred * centred.T / count}
    explicit = {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in found.items()}
    return ExactData(data.scalars, {**data.matrices, **explicit}, data.points)


def on_a_line(*points: tuple[int, int]) -> ExactData:
    """Numbers x and y, equally likely, with E x y >= 0, one latent, and 1 for all scales and for W and U."""
    one_by_one = {
        A: sympy.Rational(sum(px**2 for px, _ in points), len(points)),
        Z: sympy.Rational(sum(px * py for px, py in points), len(points)),
    }
    one_by_one |= {Phi: one_by_one[A], Z: one_by_one[Z] / sympy.sqrt(one_by_one[A])}
    one_by_one |= dict.fromkeys((P_A, Sigma, W, U), sympy.S.One)
    matrices = {symbol: ImmutableDenseMatrix([[entry]]) for symbol, entry in one_by_one.items()}
    unit = sympy.S.One
    scalars = Instance((one_by_one[Z],), (unit,), unit, unit, unit, d0=1, d2=1)
    pairs: Sequence[tuple[ImmutableDenseMatrix, ImmutableDenseMatrix]] = [
        (ImmutableDenseMatrix([[px]]), ImmutableDenseMatrix([[py]])) for px, py in points
    ]
    return with_means(ExactData(scalars, matrices, tuple(pairs)))
