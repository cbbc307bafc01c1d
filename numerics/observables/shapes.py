"""Dimensions: what the raw arrays have, and which products of them exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sympy import Basic

from derivations import notation as n
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.observables.base import Check, without_descent
from numerics.points import backend_of, symbol_values
from numerics.tolerances import EXACT


def variables(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Dimensions of (x, y, z): those of the raw input, of the raw target, and of the code that the encoder gives."""
    for draw in layer.draws():
        stated = evaluate(formula, draw.values, draw.backend)
        x, y, noise = (draw.values[symbol] for symbol in (n.x, n.y, n.noise))
        code = draw.values[n.W].T @ x + noise
        for name, here, found in zip("xyz", stated, (x, y, code), strict=True):
            yield _agreement(f"dimension of {name}", draw, int(here) == len(found))


def factor_shapes(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Rows and columns of Lambda and Theta: F Lambda P and G Theta P exist, as decoder and as whitened encoder."""
    for problem in layer.problems("learned"):
        shapes = [int(size) for size in evaluate(formula, symbol_values(problem), backend_of(problem))]
        P = np.eye(problem.d1)
        for name, left, shape, needed in (
            ("Lambda", problem.F, shapes[:2], (problem.d2, problem.d1)),
            ("Theta", problem.G, shapes[2:], (problem.d0, problem.d1)),
        ):
            yield _agreement(f"shape of {name}", problem, _product_shape(left, shape, P) == needed)


def _product_shape(left: Any, shape: list[int], right: Any) -> tuple[int, ...] | None:
    try:
        return (left @ np.zeros(shape) @ right).shape
    except ValueError:  # no such array, or no such product
        return None


def _agreement(quantity: str, problem: Any, agrees: bool) -> Finding:
    return Finding(quantity, problem.name, float(not agrees), EXACT)


CHECKS: dict[str, dict[str, Check]] = {
    "variables": without_descent(variables),
    "factor_shapes": without_descent(factor_shapes),
}
