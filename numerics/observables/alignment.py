"""What Z Z^T is, with Z from raw data by its definition and eigenvalues from the matrix itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from sympy import Basic

from derivations import notation as n
from derivations.alignment import M, M_square, b, gamma
from derivations.first_moments import Cov_x, mu_x
from derivations.setting import quadratic_form
from derivations.signal_strength import aligned, aligned_there, bound, gamma_there, total, total_there
from numerics.booleans import truth as holds
from numerics.draws import Draw
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.floating import snapped
from numerics.observables.base import Check, without_descent
from numerics.observables.minima import truth
from numerics.observables.setting import directions
from numerics.points import padded
from numerics.tolerances import EXACT, FLOAT64_IDENTITY


def _outer(draw: Draw, target: Any) -> tuple[Any, Any]:
    """Z = E[y x_white^T] and Z Z^T for targets in columns, one for each of the draw's."""
    white = draw.values[n.x_white]
    Z = target @ white.T / white.shape[1]
    return Z, Z @ Z.T


def eigenvalues(matrix: Any) -> Any:
    """Of a symmetric matrix, non-increasing; exact ones are the rational roots of its characteristic polynomial."""
    if matrix.dtype != object:
        return np.linalg.eigvalsh(matrix)[::-1]
    roots = sympy.Matrix(matrix).charpoly().ground_roots()
    found = sorted((root for root, times in roots.items() for _ in range(times)), reverse=True)
    if len(found) != len(matrix):
        raise ValueError("a matrix with eigenvalues that are not rational has no exact ones here.")
    return np.array(found, dtype=object)


def _at_modes(formula: Basic, values: dict[Basic, Any], draw: Draw, size: int) -> Any:
    """A formula of the i-th mode at i = 1, ..., `size`; beyond the last mode as it is next to it."""
    vector = np.broadcast_to(np.asarray(evaluate(formula, values, draw.backend)), len(values[n.zeta]))
    return vector[:size] if len(vector) >= size else padded(vector, size, vector[-1])


def outer_product_eigenvalue(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The i-th eigenvalue of Z Z^T."""
    for draw in layer.draws():
        _, outer = _outer(draw, draw.values[n.y])
        stated = _at_modes(formula, draw.values, draw, len(outer))
        yield layer.difference("eigenvalues of Z Z^T", draw, stated, eigenvalues(outer))


def alignment(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Z Z^T for y = gamma M x; M square where the formula has it so."""
    for draw, values, outer in _linear_targets(layer, M_square if formula.has(M_square) else M):
        yield layer.difference("Z Z^T for a linear target", draw, evaluate(formula, values, draw.backend), outer)


def signal_strength(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of gamma, Tr(M A M^T) and Tr(Z Z^T) for y = gamma M x, and for an M that sees nothing where A has a kernel."""
    tolerance = EXACT if layer.name == "exact" else FLOAT64_IDENTITY
    for draw, values, outer in _linear_targets(layer, M):
        known = values | {total: np.trace(outer), bound: max(values[gamma], 1)}
        yield truth(draw, bool(holds(formula, known, draw.backend, tolerance)), True)
        for direction in _unseen(draw):
            blind = np.ones((draw.problem.d2, 1), dtype=int).astype(direction.dtype) @ direction[None, :]
            _, outer = _outer(draw, known[gamma] * blind @ draw.values[n.x])
            known |= {M: blind, total: np.trace(outer)}
            yield truth(draw, bool(holds(formula, known, draw.backend, tolerance)), True)


def signal_growth(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of gamma, Tr(M A M^T) and Tr(Z Z^T), here and with more or less of either; for M of zeros too."""
    tolerance = EXACT if layer.name == "exact" else FLOAT64_IDENTITY
    for draw, values, _ in _linear_targets(layer, M):
        for matrix in (values[M], 0 * values[M]):
            here = dict(zip((aligned, total), _aligned_and_total(draw, values[gamma], matrix), strict=True))
            for factor, stretch in ((2, 1), (1, 2), (1, 1), (2, 0), (1, 0), (3, 2)):
                stronger, other = values[gamma] * factor, matrix * stretch
                found = _aligned_and_total(draw, stronger, other)
                there = dict(zip((aligned_there, total_there), found, strict=True)) | {gamma_there: stronger}
                known = values | here | there
                yield truth(draw, bool(holds(formula, known, draw.backend, tolerance)), True)


def _aligned_and_total(draw: Draw, strength: Any, matrix: Any) -> tuple[Any, Any]:
    """Tr(M A M^T) over the draw's inputs, and Tr(Z Z^T) for y = gamma M x."""
    seen = matrix @ draw.values[n.x]
    return (seen * seen).sum() / seen.shape[1], np.trace(_outer(draw, strength * seen)[1])


def _unseen(draw: Draw) -> list[Any]:
    """A direction of the input that A has no part of, where there is one."""
    A = draw.values[n.A]
    if draw.problem.d0 == len(A):
        return []
    if draw.backend == "exact":
        return [np.array(list(sympy.Matrix(A).nullspace()[0]), dtype=object)]
    return [np.linalg.eigh(A)[1][:, 0]]


def _linear_targets(layer: Layer, orientation: Basic) -> Iterator[tuple[Draw, dict[Basic, Any], Any]]:
    """A draw's inputs, the values with gamma and M, and Z Z^T for y = gamma M x."""
    for k, draw in enumerate(layer.draws()):
        inputs = draw.values[n.x]
        rows = len(inputs) if orientation == M_square else draw.problem.d2
        integers = np.random.default_rng(k).integers(-3, 4, (rows, len(inputs)))
        exact = draw.backend == "exact"
        matrix = np.array(sympy.Matrix(integers).tolist(), dtype=object) if exact else integers.astype(float)
        strength = sympy.Rational(k % 3 + 1, 2) if exact else (k % 3 + 1) / 2
        _, outer = _outer(draw, strength * matrix @ inputs)
        values = draw.values | {orientation: matrix, gamma: strength}
        yield draw, values, outer


def outer_product_form(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(b^T Z Z^T b, a Boolean of its value), for some b and one that is orthogonal to the columns of Z where there is one."""
    form, statement = formula.args
    for draw in layer.draws():
        Z, outer = _outer(draw, draw.values[n.y])
        for direction in directions(Z, draw.backend):
            found = ((Z.T @ direction) ** 2).sum()
            stated = evaluate(form, draw.values | {b: direction}, draw.backend)
            yield layer.difference("b^T Z Z^T b", draw, stated, found)
            value = found if draw.backend == "exact" else snapped(float(found), float(np.trace(outer)))
            yield truth(draw, bool(evaluate(statement, {quadratic_form: value}, draw.backend)), True)


def vae_spectrum(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(Z Z^T, i-th eigenvalue of A) for y = x, with the singular values of this Z."""
    matrix, eigenvalue = formula.args
    for draw in layer.draws():
        inputs, _ = draw.points
        A = inputs @ inputs.T / inputs.shape[1]
        Z, outer = _outer(draw, draw.values[n.x])
        yield layer.difference("Z Z^T for y = x", draw, evaluate(matrix, draw.values, draw.backend), outer)
        roots = _singular_values(Z)
        values = draw.values | {n.zeta: padded(roots, len(A) + 1, 0 * roots[0])}
        yield layer.difference("eigenvalues of A", draw, _at_modes(eigenvalue, values, draw, len(A)), eigenvalues(A))


def _singular_values(matrix: Any) -> Any:
    if matrix.dtype != object:
        return np.linalg.svd(matrix, compute_uv=False)
    return np.array([sympy.sqrt(value) for value in eigenvalues(matrix.T @ matrix)], dtype=object)


def vae_covariance(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """Z Z^T for y = x, where x is not centred."""
    for draw in layer.draws():
        inputs, _ = draw.points
        average = (inputs.sum(axis=1) / inputs.shape[1])[:, None]
        covariance = (inputs - average) @ (inputs - average).T / inputs.shape[1]
        _, outer = _outer(draw, draw.values[n.x])
        stated = evaluate(formula, draw.values | {mu_x: average, Cov_x: covariance}, draw.backend)
        yield layer.difference("Z Z^T for y = x", draw, stated, outer)


CHECKS: dict[str, dict[str, Check]] = {
    "outer_product_eigenvalue": without_descent(outer_product_eigenvalue),
    "alignment": without_descent(alignment),
    "signal_strength": without_descent(signal_strength),
    "signal_growth": without_descent(signal_growth),
    "outer_product_form": without_descent(outer_product_form),
    "vae_spectrum": without_descent(vae_spectrum),
    "vae_covariance": without_descent(vae_covariance),
}
