"""The bridge from the formulas of derivations/ to numbers: NumPy, torch, or exact numbers, from the same expression.

Formulas of one mode are evaluated for all modes at once: `zeta[i]` is the vector of singular values, `zeta[i + 1]` the vector
moved up by one, `zeta[1]` its first entry, `zeta[d1]` the entry at the last latent. Vectors are padded (see `Values`), so that
sums may reach beyond the last mode; before the first entry there is nothing: nan, or an error where a formula says so itself.

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

from derivations.notation import D0, d0, d1, d2, dstar
from numerics.backends import functions_of

DIMENSIONS = frozenset({D0, d0, d1, d2, dstar})

Values = Mapping[Basic, Any]
"""What each symbol stands for: numbers, vectors over the modes (IndexedBase) or matrices (MatrixSymbol; columns x, y and noise
as matrices with one column a draw)."""


class _Printer(LambdaPrinter):
    """Prints an expression as calls to the functions of a backend."""

    def _print_Add(self, node: Basic, **_: Any) -> str:
        return "(" + " + ".join(self._print(part) for part in node.args) + ")"

    def _call(self, name: str, *parts: Basic | str) -> str:
        return f"{name}({', '.join(part if isinstance(part, str) else self._print(part) for part in parts)})"

    def _print_Indexed(self, node: Basic) -> str:
        return _vector(node)

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


def _vector(entry: Indexed) -> str:
    """The name under which `evaluate` gives a vector: as it is, moved up, or one entry of it."""
    name, (index,) = _name(entry.base), entry.indices
    if _is_place(index):
        return f"{name}_at_" + "".join(c if c.isalnum() or c == "_" else f"_{ord(c)}_" for c in str(index))
    return name if _shift(index) == 0 else f"{name}_moved_{_shift(index)}"


def _is_place(index: sympy.Expr) -> bool:
    """Whether an index is a number or a dimension: one entry, the same for all modes."""
    return index.free_symbols <= DIMENSIONS


def _shift(index: sympy.Expr) -> int:
    """k of an index i + k."""
    by = int(index - next(iter(index.free_symbols)))
    if by < 0:
        raise ValueError(f"an entry at {index} may lie before the first one; entries are counted from 1.")
    return by


def _entry(vector: Any, index: sympy.Expr, sizes: Mapping[Basic, Any]) -> Any:
    """The entry at a number or dimension, counted from 1; what the vector is padded with beyond its end."""
    if index.is_Integer and index < 1:
        raise ValueError(f"there is no entry {index}; entries are counted from 1.")
    place = int(index.xreplace({size: sympy.Integer(sizes[size]) for size in index.free_symbols}))
    if place >= 1:
        return vector[..., min(place, vector.shape[-1]) - 1]
    return sympy.nan if vector.dtype == object else vector[..., 0] * np.nan


def _leaves(node: Basic) -> set[str]:
    """The names of the symbols, vectors and matrices that a formula is made of; indices and shapes are not among them."""
    if isinstance(node, Indexed):
        return {_vector(node)}
    if isinstance(node, MatrixSymbol | Symbol):
        return {_name(node)}
    if isinstance(node, sympy.Sum):
        summand, (_, start, end) = node.function, node.limits[0]
        return _leaves(summand) | _leaves(start) | _leaves(end)
    return set().union(*(_leaves(part) for part in node.args))


@lru_cache(maxsize=8192)
def _source(formula: Basic) -> tuple[str, tuple[tuple[str, str, sympy.Expr], ...]]:
    """The formula as the source of a function, and the vectors it needs moved or one entry of: (name, name of vector, index)."""
    body = _Printer({"fully_qualified_modules": False, "allow_unknown_functions": False}).doprint(formula)
    entries = {entry for entry in formula.atoms(Indexed) if _vector(entry) != _name(entry.base)}
    made = tuple((_vector(entry), _name(entry.base), entry.indices[0]) for entry in entries)
    return f"lambda {', '.join(sorted(_leaves(formula) | {'draws'}))}, **_: {body}", made


@lru_cache(maxsize=32768)
def _compiled(source: str, backend: str) -> Callable[..., Any]:
    function: Callable[..., Any] = eval(source, dict(functions_of(backend)))  # printed from our own expression tree
    return function


def evaluate(formula: Basic, values: Values, backend: str = "numpy", *, draws: int = 1) -> Any:
    """The value of a formula.

    Args:
        formula: an expression, Boolean, matrix expression, or Tuple of such.
        values: what its symbols stand for; see `Values`.
        backend: "numpy" (float64), "torch" (float64 tensors, differentiable), "exact" (SymPy numbers in object arrays), or for
            formulas without roots and logarithms "rational" (python-flint's rationals in object arrays).
        draws: how many columns x, y and noise have; an expectation is the sum over columns divided by it.

    Returns:
        A number, an array over the modes, a matrix, a Boolean, or a tuple of such.
    """
    source, made = _source(formula)
    named = {_name(symbol): value for symbol, value in values.items()}
    sizes = {size: values[size] for size in DIMENSIONS if size in values}
    for name, vector, index in made:
        if _is_place(index):
            named[name] = _entry(named[vector], index, sizes)
        else:
            named[name] = functions_of(backend)["moved"](named[vector], _shift(index))
    with np.errstate(all="ignore"):
        return _compiled(source, backend)(draws=sympy.Integer(draws) if backend == "exact" else draws, **named)
