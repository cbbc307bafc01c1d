"""Explicit matrices and random words for the tests of the matrix calculus: entries, which know nothing of words and letters.

Values are NumPy arrays of Python integers, fractions or SymPy entries: exact throughout. Where two expressions must differ, every
dimension is at least the length of the words, so that no identity of small matrices can make them agree.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import sympy
from hypothesis import strategies as st
from sympy import Identity, Inverse, MatMul, MatPow, MatrixSymbol, Rational, Trace, Transpose, ZeroMatrix

from derivations import notation as n
from derivations.notation import (
    D0,
    P_A,
    C,
    Lambda,
    P,
    Phi,
    S_y,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    Z,
    beta,
    d0,
    d1,
    d2,
    eta_enc,
    inverse_root_Phi,
    root_Phi,
)

Sizes = Mapping[sympy.Symbol, int]
Values = Mapping[MatrixSymbol, np.ndarray]

SMALL: Sizes = {D0: 3, d0: 2, d1: 2, d2: 3}
# As many linearly independent choices as there are dimensions: traces of identities agree only if they are the same.
LARGE: tuple[Sizes, ...] = tuple(
    dict(zip((D0, d0, d1, d2), sizes, strict=True))
    for sizes in ((5, 5, 6, 7), (7, 6, 5, 5), (6, 5, 5, 6), (5, 7, 5, 5))
)
SCALARS = {beta: sympy.Integer(4), eta_enc: sympy.Integer(3)}
half = Rational(1, 2)


def explicit(node: Any, values: Values, sizes: Sizes) -> Any:
    """The value of an expression at explicit matrices: entries multiplied and added, nothing else."""

    def value(part: Any) -> Any:
        return explicit(part, values, sizes)

    match node:
        case sympy.Number() | sympy.Symbol():
            return sizes.get(node, SCALARS.get(node, node))
        case MatrixSymbol():
            return values[node]
        case Identity():
            return np.identity(sizes[node.shape[0]], dtype=object)
        case ZeroMatrix():
            return np.zeros([sizes[size] for size in node.shape], dtype=object)
        case Transpose():
            return value(node.arg).T
        case MatPow():
            if isinstance(node.base, Transpose):
                return value(MatPow(node.base.arg, node.exp)).T
            return power(value(node.base), values.get(MatrixSymbol(f"root_{node.base}", 1, 1)), node.exp)
        case Trace():
            return np.trace(value(node.arg))
        case SquaredNorm():
            return (value(node.args[0]) ** 2).sum()
        case sympy.Add() | sympy.MatAdd():
            return sum((value(part) for part in node.args[1:]), value(node.args[0]))
        case sympy.Mul() | MatMul():
            total = value(node.args[0])
            for part in node.args[1:]:
                factor = value(part)
                both = isinstance(total, np.ndarray) and isinstance(factor, np.ndarray)
                total = total @ factor if both else total * factor
            return total
        case sympy.Pow():
            return value(node.base) ** node.exp
    raise NotImplementedError(type(node))


def power(matrix: np.ndarray, root: np.ndarray | None, exponent: sympy.Rational) -> np.ndarray:
    """matrix^exponent; a half-integer one through the root that `matrix` was squared from."""
    if not exponent.is_Integer:
        assert root is not None and (2 * exponent).is_Integer
        matrix, exponent = root, 2 * exponent
    if exponent < 0:
        inverse = sympy.Matrix(matrix).inv()
        matrix, exponent = np.array(inverse.tolist(), dtype=object), -exponent
    return np.linalg.matrix_power(matrix, int(exponent))


@cache
def generic(position: int, small: bool = False) -> tuple[Values, Sizes]:
    """Integer matrices for every symbol: Phi = R R with R symmetric, and R, P, Sigma with integer inverses."""
    sizes = SMALL if small else LARGE[position]
    generator = np.random.default_rng(position)

    def integers(rows: int, columns: int) -> np.ndarray:
        return generator.integers(-9, 10, (rows, columns)).astype(object)

    def unit_lower(size: int) -> np.ndarray:
        return np.tril(integers(size, size), -1) // 4 + np.identity(size, dtype=object)

    root, lower = unit_lower(sizes[d0]), unit_lower(sizes[d1])
    root = root @ root.T
    values = {
        symbol: integers(*(sizes[size] for size in symbol.shape)) for symbol in (U, V, W, Z, C, P_A, n.A, S_y, Lambda)
    }
    values |= {n.A: values[n.A] + values[n.A].T, S_y: values[S_y] + values[S_y].T, Sigma: lower @ lower.T}
    values |= {P: unit_lower(sizes[d1]) @ unit_lower(sizes[d1]).T @ lower, Phi: root @ root}
    values[MatrixSymbol("root_Phi", 1, 1)] = root
    return values, sizes


def agree(left: Any, right: Any) -> bool:
    """Whether two expressions have the same values at all generic matrices."""
    for position in range(len(LARGE)):
        one, other = (explicit(sympy.sympify(side), *generic(position)) for side in (left, right))
        if np.any(sympy.Matrix(np.atleast_2d(one - other)) if _has_symbols(one - other) else one != other):
            return False
    return True


def _has_symbols(value: Any) -> bool:
    return isinstance(value, sympy.Expr) and bool(value.free_symbols)


FACTORS = (U, V, W, Z, C, P_A, P, Sigma, Phi, n.A, root_Phi, inverse_root_Phi, Inverse(P), Inverse(Sigma), Phi**-1)
BOTH_WAYS = tuple(factor for plain in FACTORS for factor in (plain, Transpose(plain)))
LEAVING = {size: tuple(f for f in BOTH_WAYS if f.shape[0] == size) for size in (D0, d0, d1, d2)}
TO_LATENT = {D0: (W,), d0: (V,), d1: (), d2: (U,)}
COEFFICIENTS = (
    sympy.Integer(1),
    sympy.Integer(-2),
    Rational(1, 3),
    beta,
    -beta / eta_enc**2,
)

Factors = tuple[Any, ...]


@st.composite
def words(draw: st.DrawFn, start: Any = None, end: Any = None, longest: int = 3, allowed: Any = None) -> Factors:
    """Factors whose shapes fit, from dimension `start` to `end` (closed where no end is given): at most longest + 2."""
    start = draw(st.sampled_from(sorted(LEAVING, key=str))) if start is None else start
    here, factors = start, []
    for _ in range(draw(st.integers(1, longest))):
        factors.append(draw(st.sampled_from([f for f in LEAVING[here] if allowed is None or f in allowed])))
        here = factors[-1].shape[1]
    end = start if end is None else end
    if here != end:
        factors += [*TO_LATENT[here], *(Transpose(f) for f in TO_LATENT[end])]
    return tuple(factors)


@st.composite
def polynomials(draw: st.DrawFn, **kinds: Any) -> list[tuple[Any, Factors]]:
    """Coefficients with words, one to three of them."""
    return draw(st.lists(st.tuples(st.sampled_from(COEFFICIENTS), words(**kinds)), min_size=1, max_size=3))


def matrix(factors: Factors) -> Any:
    """The product as SymPy keeps it, unsimplified."""
    return MatMul(*factors, evaluate=False) if len(factors) > 1 else factors[0]


def transposed(factors: Factors) -> Factors:
    return tuple(f.arg if isinstance(f, Transpose) else Transpose(f) for f in reversed(factors))


def trace_of(terms: list[tuple[Any, Factors]]) -> Any:
    return sympy.Add(*(coefficient * Trace(matrix(factors)) for coefficient, factors in terms))
