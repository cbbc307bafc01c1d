"""Rational rotations of latent space, and conditions on them evaluated exactly."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import And, Basic, DiagonalMatrix, Eq, Expr, ImmutableDenseMatrix, MatrixExpr, Rational, diag

from derivations.claim import Decision, refuted
from derivations.exact_data import rational_orthogonal
from derivations.instances import Instance, is_exactly_zero
from derivations.notation import Lambda, P, Sigma, Sigma_sorted

Cost = Callable[[Instance, list[Expr], ImmutableDenseMatrix], Expr]
"""What depends on the rotation P, given the squares of the lengths lambda_i: least at the minimum."""


def _cases() -> list[Instance]:
    """Instances with two active modes and a tie, a pair of equal standard deviations, a collapsed mode, and a lone latent."""
    one, two = Rational(1), Rational(2)
    pair = Instance((Rational(4), Rational(3)), (one, two), one, one, one, 2, 2)
    three = Instance((Rational(5), Rational(5), two), (one, Rational(1, 3), Rational(1, 2)), one, one, two, 3, 3)
    return [
        pair,  # sorted already, so that P = I is a minimum
        three,
        Instance((Rational(6), Rational(4), Rational(3)), (Rational(1, 2), one, one), one, one, one, 3, 4),
        Instance((Rational(4), Rational(1)), (two, one), one, Rational(3, 2), one, 2, 3),
        Instance((Rational(4),), (two, one, two), one, one, one, 1, 2),
        # collapsed latents of different deviations, which may be in any order
        Instance((Rational(4),), (two, one, Rational(3)), one, one, one, 1, 2),
    ]


def rotations(size: int) -> list[ImmutableDenseMatrix]:
    """Permutations, sign changes, rotations of one plane, rational rotations, their products, and some that are not orthogonal."""
    identity = sympy.eye(size)
    cycle = ImmutableDenseMatrix(size, size, lambda a, b: int((a + 1) % size == b))
    flips = diag(*((-1) ** k for k in range(size)))
    planes = []
    for first in range(size - 1):
        plane = sympy.eye(size)
        plane[first, first] = plane[first + 1, first + 1] = Rational(3, 5)
        plane[first, first + 1], plane[first + 1, first] = Rational(-4, 5), Rational(4, 5)
        planes.append(plane)
    swap = ImmutableDenseMatrix(size, size, lambda a, b: int({0: 1, 1: 0}.get(a, a) == b)) if size > 1 else identity
    found = [identity, *planes, cycle, cycle.T, swap, cycle * flips, rational_orthogonal(size, 7), 2 * identity]
    stretched = diag(*[1] * (size - 1), 2)
    found += [stretched * swap, stretched * cycle, stretched]
    found += [product for plane in planes for product in (plane * cycle, cycle * plane, swap * plane, plane * cycle.T)]
    return [ImmutableDenseMatrix(matrix) for matrix in found]


def _squares(instance: Instance, formula: Basic) -> list[Expr]:
    """lambda_i^2 of an instance."""
    return [
        instance.value(formula.args[0], k) ** 2 if k <= instance.d2 else sympy.S.Zero for k in range(1, instance.d1 + 1)
    ]


def _holds(formula: Basic, values: dict[MatrixExpr, ImmutableDenseMatrix]) -> bool:
    """The truth of a Boolean of matrix equations at explicit matrices."""
    if isinstance(formula, And | sympy.Or):
        return (all if isinstance(formula, And) else any)(_holds(part, values) for part in formula.args)
    if isinstance(formula, Eq | sympy.Ne):
        left, right = (_explicit(side, values) for side in (formula.lhs, formula.rhs))
        return (left == right) is isinstance(formula, Eq)
    return bool(formula)


def _explicit(node: MatrixExpr, values: dict[MatrixExpr, ImmutableDenseMatrix]) -> ImmutableDenseMatrix:
    if isinstance(node, DiagonalMatrix):
        inner = _explicit(node.args[0], values)
        return ImmutableDenseMatrix(diag(*(inner[k, k] for k in range(inner.rows))))
    size = values[P].rows
    if isinstance(node, sympy.Identity):
        return ImmutableDenseMatrix(sympy.eye(size))
    if isinstance(node, sympy.MatMul | sympy.MatAdd):
        parts = [_explicit(part, values) if isinstance(part, MatrixExpr) else part for part in node.args]
        total = parts[0]
        for part in parts[1:]:
            total = total * part if isinstance(node, sympy.MatMul) else total + part
        return total.applyfunc(sympy.expand)
    if isinstance(node, sympy.Transpose):
        return _explicit(node.arg, values).T
    if isinstance(node, sympy.MatPow):
        return _explicit(node.base, values) ** node.exp
    return values[node]


def refuting_rotation(formula: Basic, lengths: Basic, cost: Cost, quantity: str, *, learned: bool) -> Decision | None:
    """A refutation by a rational P at which the condition and the truth differ.

    Args:
        formula: the condition on P.
        lengths: (lambda_i, ...) of the minimum.
        cost: what depends on P; an orthogonal P keeps the minimum iff it costs what the sorting permutation costs.
        quantity: what `cost` is, for the witness.
        learned: whether the encoder's variances are learned.
    """
    for instance in _cases():
        squares = _squares(instance, lengths)
        deviations = [s**2 for s in instance.sigma]
        root = sympy.zeros(instance.d2, instance.d1)
        for k in range(min(root.shape)):
            root[k, k] = sympy.sqrt(squares[k])
        least = cost(instance, squares, instance.sorting_permutation)
        for rotation in rotations(instance.d1):
            values = {Lambda: root, P: rotation, Sigma: diag(*deviations), Sigma_sorted: diag(*sorted(deviations))}
            stated = _holds(formula, {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in values.items()})
            orthogonal = rotation * rotation.T == sympy.eye(instance.d1)
            here = cost(instance, squares, rotation)
            if stated != (orthogonal and is_exactly_zero(here - least)):
                meets = "meets" if stated else "fails"
                why = f"{quantity} is {here} there and {least} at the minimum" if orthogonal else "P is not orthogonal"
                where = instance.named(learned=learned) | {"P": rotation.tolist()}
                return refuted(where, f"P {meets} the condition, and {why}")
    return None
