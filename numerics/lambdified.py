"""The bridge from the formulas of derivations/ to numbers: NumPy, torch, or exact numbers, from the same expression.

Formulas of one mode are evaluated for all modes at once: `zeta[i]` is the vector of singular values, `zeta[i + 1]` the vector
moved up by one, `zeta[1]` its first entry. Vectors are padded (see `Values`), so that sums may reach beyond the last mode.

Each branch of a Piecewise is evaluated at the entries where it applies and at 1 elsewhere, and the slope of a root at 0 is taken
as 0, so that torch gradients are finite on both sides of a threshold and at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Indexed, MatrixSymbol, Symbol
from sympy.printing.lambdarepr import LambdaPrinter

from numerics.backends import BACKENDS

Values = Mapping[Basic, Any]
"""What each symbol stands for: numbers, vectors over the modes (IndexedBase) or matrices (MatrixSymbol; columns x, y and noise
as matrices with one column a draw)."""


class _Printer(LambdaPrinter):
    """Prints an expression as calls to the functions of a backend."""

    def _call(self, name: str, *parts: Basic | str) -> str:
        return f"{name}({', '.join(part if isinstance(part, str) else self._print(part) for part in parts)})"

    def _print_Indexed(self, node: Basic) -> str:
        vector, (index,) = _name(node.base), node.indices
        if index.is_Integer:
            return f"{vector}[..., {int(index) - 1}]"
        return vector if _shift(index) == 0 else f"{vector}_moved_{_shift(index)}"

    def _print_MatrixSymbol(self, node: Basic) -> str:
        return _name(node)

    def _print_Symbol(self, node: Basic) -> str:
        return _name(node)

    def _print_Rational(self, node: Basic) -> str:
        return f"rational({node.p}, {node.q})"

    def _print_Pow(self, node: Basic, **_: Any) -> str:
        if node.exp == sympy.S.Half:
            return self._call("root", node.base)
        if node.exp.is_Integer:
            return f"({self._print(node.base)})**({int(node.exp)})"
        if (2 * node.exp).is_Integer:
            return f"({self._call('root', node.base)})**({int(2 * node.exp)})"
        return self._call("power", node.base, node.exp)

    def _print_Max(self, node: Basic) -> str:
        return self._fold("maximum", node)

    def _print_Min(self, node: Basic) -> str:
        return self._fold("minimum", node)

    def _fold(self, name: str, node: Basic) -> str:
        first, *rest = (self._print(part) for part in node.args)
        for part in rest:
            first = f"{name}({first}, {part})"
        return first

    def _print_log(self, node: Basic) -> str:
        return self._call("log", *node.args)

    def _print_Piecewise(self, node: Basic) -> str:
        inputs = ", ".join(sorted(_leaves(node)))
        cases = (f"(lambda {inputs}: {self._print(c)}, lambda {inputs}: {self._print(v)})" for v, c in node.args)
        return f"piecewise([{', '.join(cases)}], [{inputs}])"

    def _print_Sum(self, node: Basic) -> str:
        _, start, end = node.limits[0]
        return self._call("total", node.function, start, end)

    def _print_BooleanTrue(self, _: Basic) -> str:
        return "True"

    def _print_BooleanFalse(self, _: Basic) -> str:
        return "False"

    def _print_Tuple(self, node: Basic) -> str:
        return f"({', '.join(self._print(part) for part in node.args)},)"

    def _print_And(self, node: Basic) -> str:
        return "(" + " & ".join(f"({self._print(part)})" for part in node.args) + ")"

    def _print_Or(self, node: Basic) -> str:
        return "(" + " | ".join(f"({self._print(part)})" for part in node.args) + ")"

    def _print_Not(self, node: Basic) -> str:
        return f"(({self._print(node.args[0])}) == False)"

    def _print_Implies(self, node: Basic) -> str:
        return f"((({self._print(node.args[0])}) == False) | ({self._print(node.args[1])}))"

    def _print_Equivalent(self, node: Basic) -> str:
        first, *rest = (f"({self._print(part)})" for part in node.args)
        return "(" + " & ".join(f"({first} == {other})" for other in rest) + ")" if rest else "True"

    def _print_Relational(self, node: Basic) -> str:
        if isinstance(node.args[0], sympy.MatrixExpr):
            return ("different" if isinstance(node, sympy.Ne) else "same") + self._call("", *node.args)
        return f"(({self._print(node.args[0])}) {node.rel_op} ({self._print(node.args[1])}))"

    def _print_Identity(self, node: Basic) -> str:
        return self._call("identity", node.shape[0])

    def _print_ZeroMatrix(self, node: Basic) -> str:
        return self._call("zeros", *node.shape)

    def _print_MatAdd(self, node: Basic) -> str:
        return "(" + " + ".join(self._print(part) for part in node.args) + ")"

    def _print_MatMul(self, node: Basic) -> str:
        factor, matrices = node.as_coeff_matrices()
        printed = " @ ".join(f"({self._print(part)})" for part in matrices)
        return f"({printed})" if factor == 1 else f"(({self._print(factor)}) * ({printed}))"

    def _print_Transpose(self, node: Basic) -> str:
        return self._call("transpose", node.args[0])

    def _print_MatPow(self, node: Basic) -> str:
        return self._call("matrix_power", node.base, node.exp)

    _print_Inverse = _print_MatPow

    def _print_Trace(self, node: Basic) -> str:
        return self._call("trace", node.args[0])

    def _print_SquaredNorm(self, node: Basic) -> str:
        return self._call("squared_norm", node.args[0])

    def _print_Mean(self, node: Basic) -> str:
        return f"({self._print(node.args[0])}) / draws"

    def _print_MeanMatrix(self, node: Basic) -> str:
        return f"({self._print(node.args[0])}) / draws"

    def _print_DiagonalMatrix(self, node: Basic) -> str:
        return self._call("diagonal", node.args[0])


@lru_cache(maxsize=256)
def _name(symbol: Basic) -> str:
    return "v_" + str(symbol).replace("*", "star").replace("\\", "")


def _shift(index: sympy.Expr) -> int:
    """k of an index i + k."""
    return int(index - next(iter(index.free_symbols)))


def _leaves(node: Basic) -> set[str]:
    """The names of the symbols, vectors and matrices that a formula is made of; indices and shapes are not among them."""
    if isinstance(node, Indexed):
        (index,) = node.indices
        moved = not index.is_Integer and _shift(index) != 0
        return {f"{_name(node.base)}_moved_{_shift(index)}" if moved else _name(node.base)}
    if isinstance(node, MatrixSymbol | Symbol):
        return {_name(node)}
    if isinstance(node, sympy.Sum):
        summand, (_, start, end) = node.function, node.limits[0]
        return _leaves(summand) | _leaves(start) | _leaves(end)
    return set().union(*(_leaves(part) for part in node.args))


@lru_cache(maxsize=8192)
def _source(formula: Basic) -> tuple[str, tuple[tuple[str, str, int], ...]]:
    """The formula as the source of a function, and the vectors it needs moved: (name, name of the vector, by how much)."""
    body = _Printer({"fully_qualified_modules": False, "allow_unknown_functions": False}).doprint(formula)
    shifts = {
        (entry.base, _shift(entry.indices[0])) for entry in formula.atoms(Indexed) if not entry.indices[0].is_Integer
    }
    moved = tuple((f"{_name(base)}_moved_{by}", _name(base), by) for base, by in shifts if by)
    return f"lambda {', '.join(sorted(_leaves(formula) | {'draws'}))}, **_: {body}", moved


@lru_cache(maxsize=32768)
def _compiled(source: str, backend: str) -> Callable[..., Any]:
    function: Callable[..., Any] = eval(source, dict(BACKENDS[backend]))  # printed from our own expression tree
    return function


def evaluate(formula: Basic, values: Values, backend: str = "numpy", *, draws: int = 1) -> Any:
    """The value of a formula.

    Args:
        formula: an expression, Boolean, matrix expression, or Tuple of such.
        values: what its symbols stand for; see `Values`.
        backend: "numpy" (float64), "torch" (float64 tensors, differentiable) or "exact" (SymPy numbers in object arrays).
        draws: how many columns x, y and noise have; an expectation is the sum over columns divided by it.

    Returns:
        A number, an array over the modes, a matrix, a Boolean, or a tuple of such.
    """
    source, moved = _source(formula)
    named = {_name(symbol): value for symbol, value in values.items()}
    named |= {name: BACKENDS[backend]["moved"](named[vector], by) for name, vector, by in moved}
    with np.errstate(all="ignore"):
        return _compiled(source, backend)(draws=sympy.Integer(draws) if backend == "exact" else draws, **named)
