"""What the printed formulas call: the same functions for NumPy, torch and exact numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy

from numerics.tolerances import MATRIX_EQUATION

if TYPE_CHECKING:
    import torch

Cases = Sequence[tuple[Callable[..., Any], Callable[..., Any]]]


def _shared() -> dict[str, Any]:
    """Functions written once for arrays and tensors."""

    def total(summand: Any, start: Any, end: Any) -> Any:
        first, last = int(start) - 1, max(int(end), 0)
        if getattr(summand, "ndim", 0) == 0:
            return summand * max(last - first, 0)
        return summand[..., first:last].sum(-1)

    def transpose(matrix: Any) -> Any:
        return matrix.swapaxes(-1, -2)

    def trace(matrix: Any) -> Any:
        return diagonal_entries(matrix).sum(-1)

    def diagonal_entries(matrix: Any) -> Any:
        size = range(matrix.shape[-1])
        return matrix[..., size, size]

    return {"total": total, "transpose": transpose, "trace": trace, "squared_norm": lambda m: (m**2).sum((-1, -2))}


def _numpy() -> dict[str, Any]:
    def moved(vector: Any, by: int) -> Any:
        return np.concatenate([vector[..., by:], np.repeat(vector[..., -1:], by, -1)], -1)

    def piecewise(cases: Cases, inputs: Sequence[Any]) -> Any:
        arrays = np.broadcast_arrays(*inputs)
        result, open_ = np.full(arrays[0].shape, np.nan), np.ones(arrays[0].shape, dtype=bool)
        for condition, value in cases:
            here = open_ & np.broadcast_to(condition(*arrays), open_.shape)
            result = np.where(here, value(*(np.where(here, array, 1.0) for array in arrays)), result)
            open_ = open_ & ~here
        return result

    def matrix_power(matrix: Any, exponent: Any) -> Any:
        if float(exponent).is_integer():
            try:
                return np.linalg.matrix_power(matrix, int(exponent))
            except np.linalg.LinAlgError:  # singular
                return np.full_like(matrix, np.nan)
        return np.diag(np.diag(matrix) ** float(exponent))

    def same(left: Any, right: Any) -> bool:
        size = max(1.0, float(np.linalg.norm(left)), float(np.linalg.norm(right)))
        return bool(np.linalg.norm(left - right) <= MATRIX_EQUATION.value * size)

    return _shared() | {
        "rational": lambda p, q: p / q, "root": np.sqrt, "power": np.power, "log": np.log, "pi": np.pi,
        "maximum": np.maximum, "minimum": np.minimum, "moved": moved, "piecewise": piecewise,
        "identity": lambda size: np.eye(int(size)), "zeros": lambda *shape: np.zeros([int(size) for size in shape]),
        "matrix_power": matrix_power, "diagonal": lambda m: np.diag(np.diag(m)), "same": same,
        "different": lambda left, right: not same(left, right),
    }  # fmt: skip


def _torch() -> dict[str, Any]:
    import torch  # imported late: it takes seconds, and predictions do without

    def tensor(value: Any) -> torch.Tensor:
        return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)

    def root(value: Any) -> torch.Tensor:
        """The square root; its derivative is taken as 0 where the argument is 0, as below a threshold."""
        value = tensor(value)
        inside = value > 0
        return torch.where(inside, torch.where(inside, value, 1.0).sqrt(), torch.where(value == 0, 0.0, torch.nan))

    def moved(vector: torch.Tensor, by: int) -> torch.Tensor:
        return torch.cat([vector[..., by:], *[vector[..., -1:]] * by], -1)

    def piecewise(cases: Cases, inputs: Sequence[Any]) -> torch.Tensor:
        tensors = torch.broadcast_tensors(*(tensor(value) for value in inputs))
        result, open_ = torch.full_like(tensors[0], torch.nan), torch.ones_like(tensors[0], dtype=torch.bool)
        for condition, value in cases:
            here = open_ & torch.as_tensor(condition(*tensors), device=open_.device)
            chosen = tensor(value(*(torch.where(here, each, 1.0) for each in tensors)))
            result, open_ = torch.where(here, chosen, result), open_ & ~here
        return result

    def matrix_power(matrix: torch.Tensor, exponent: Any) -> torch.Tensor:
        if float(exponent).is_integer():
            try:
                return torch.linalg.matrix_power(matrix, int(exponent))
            except torch.linalg.LinAlgError:  # singular
                return torch.full_like(matrix, torch.nan)
        return torch.diag_embed(matrix.diagonal(dim1=-2, dim2=-1) ** float(exponent))

    return _shared() | {
        "rational": lambda p, q: p / q, "root": root, "power": lambda b, e: tensor(b) ** e, "pi": np.pi,
        "log": lambda value: torch.log(tensor(value)),
        "maximum": lambda a, b: torch.maximum(tensor(a), tensor(b)),
        "minimum": lambda a, b: torch.minimum(tensor(a), tensor(b)),
        "moved": moved, "piecewise": piecewise, "matrix_power": matrix_power,
        "identity": lambda size: torch.eye(int(size), dtype=torch.float64),
        "zeros": lambda *shape: torch.zeros([int(size) for size in shape], dtype=torch.float64),
        "diagonal": lambda matrix: torch.diag_embed(matrix.diagonal(dim1=-2, dim2=-1)),
    }  # fmt: skip


def _exact() -> dict[str, Any]:
    """Exact numbers in object arrays; comparisons of exact numbers are decided."""

    def each(function: Callable[..., Any], arity: int = 1) -> Callable[..., Any]:
        def one(*parts: Any) -> Any:
            try:
                return function(*(sympy.sympify(part) for part in parts))
            except (TypeError, ValueError):  # of an infinite or complex number
                return sympy.nan

        return np.frompyfunc(one, arity, 1)

    def extreme(among_rationals: Callable[..., Any], among_numbers: Callable[..., Any]) -> Callable[..., Any]:
        def one(left: Any, right: Any) -> Any:
            both = isinstance(left, sympy.Rational) and isinstance(right, sympy.Rational)
            return (among_rationals if both else among_numbers)(left, right)

        return each(one, 2)

    def moved(vector: Any, by: int) -> Any:
        return np.concatenate([vector[by:], np.repeat(vector[-1:], by)])

    def piecewise(cases: Cases, inputs: Sequence[Any]) -> Any:
        arrays = np.broadcast_arrays(*(np.asarray(value, dtype=object) for value in inputs))
        result = np.empty(arrays[0].shape, dtype=object)
        for place in np.ndindex(result.shape):
            entries = [array[place] for array in arrays]
            try:
                chosen = next((value for condition, value in cases if bool(condition(*entries))), None)
            except TypeError:  # a comparison with an infinite or complex number
                chosen = None
            result[place] = sympy.nan if chosen is None else sympy.sympify(chosen(*entries))
        return result[()]  # a number where the inputs are numbers

    def matrix_power(matrix: Any, exponent: Any) -> Any:
        exponent = sympy.sympify(exponent)
        dense = sympy.Matrix(matrix)
        if not exponent.is_Integer:
            dense = sympy.diag(*(dense[k, k] ** exponent for k in range(dense.rows)))
        elif exponent < 0 and dense.det() == 0:
            return np.full(matrix.shape, sympy.nan, dtype=object)
        else:
            dense = dense**exponent
        return np.array(dense.tolist(), dtype=object)

    def identity(size: Any) -> Any:
        return np.array(sympy.eye(int(size)).tolist(), dtype=object)

    def diagonal(matrix: Any) -> Any:
        return np.where(np.eye(len(matrix), dtype=bool), matrix, sympy.S.Zero)

    def same(left: Any, right: Any) -> bool:
        return all(sympy.expand(entry) == 0 for entry in (left - right).flat)

    return _shared() | {
        "rational": sympy.Rational, "root": each(sympy.sqrt), "power": each(sympy.Pow, 2), "log": each(sympy.log),
        "pi": sympy.pi, "maximum": extreme(max, sympy.Max), "minimum": extreme(min, sympy.Min), "moved": moved,
        "piecewise": piecewise, "identity": identity, "matrix_power": matrix_power, "diagonal": diagonal, "same": same,
        "different": lambda left, right: not same(left, right),
        "zeros": lambda *shape: np.full([int(size) for size in shape], sympy.S.Zero, dtype=object),
    }  # fmt: skip


def _rational() -> dict[str, Any]:
    """python-flint's rationals in object arrays, for formulas of sums, products and whole powers."""
    return _exact() | {"rational": flint.fmpq}


@cache
def functions_of(backend: str) -> dict[str, Any]:
    """The functions of a backend, "numpy", "torch", "exact" or "rational", by the names under which they are printed."""
    return {"numpy": _numpy, "torch": _torch, "exact": _exact, "rational": _rational}[backend]()
