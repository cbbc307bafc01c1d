"""What the printed formulas call in each backend: roots, branches, matrices, Booleans, and what is undefined."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from sympy import Basic, Eq, Expr, Identity, Inverse, MatrixSymbol, Max, Piecewise, Rational, Symbol, Trace

from derivations.ledger import claims_by_id
from derivations.mutants import mutants
from derivations.notation import SquaredNorm, beta, eta_dec, eta_enc, i, zeta
from numerics.lambdified import evaluate
from numerics.tolerances import FLOAT64_IDENTITY

M, N = MatrixSymbol("M", 2, 2), MatrixSymbol("N", 2, 2)


def is_undefined(value: Any) -> bool:
    return not value.is_real if isinstance(value, Basic) else bool(np.isnan(float(value)))


BELOW = {
    backend: {symbol: number(value) for symbol, value in {beta: 4, eta_dec: 1, eta_enc: 2}.items()} | {zeta: vector}
    for backend, number, vector in (
        ("numpy", float, np.array([3.0, 1.0])),
        ("torch", float, torch.tensor([3.0, 1.0], dtype=torch.float64)),
        ("exact", sympy.Integer, np.array([sympy.Integer(3), sympy.Integer(1)], dtype=object)),
    )
}


@pytest.mark.parametrize("backend", BELOW)
@pytest.mark.parametrize("claim", ["thm-1.minimum", "thm-2.minimum"])
def test_a_dropped_max_is_not_clamped(claim: str, backend: str) -> None:
    dropped = [
        mutant.formula
        for mutant in mutants(claims_by_id()[claim].standing.formula)
        if mutant.change.startswith("Max always") and mutant.change != "Max always 0"
    ]
    assert len(dropped) == 2
    undefined = 0
    for formula in dropped:
        for vector in evaluate(formula, BELOW[backend], backend):
            assert not is_undefined(vector[0]), "zeta = 3 is above the threshold"
            undefined += is_undefined(vector[1])
    assert undefined == 2


_a, _b = Symbol("a", real=True), Symbol("b", real=True)
MINUS = {"numpy": np.float64(-1), "torch": torch.tensor(-1.0, dtype=torch.float64), "exact": sympy.Integer(-1)}


@pytest.mark.parametrize("backend", MINUS)
@pytest.mark.parametrize(
    "formula",
    [
        sympy.sqrt(_a),
        1 / sympy.sqrt(_a),
        _a ** Rational(3, 2),
        sympy.log(_a),
        2 + sympy.sqrt(_a),
        Max(0, sympy.sqrt(_a)),
    ],
    ids=str,
)
def test_roots_and_logarithms_of_negative_numbers(backend: str, formula: Expr) -> None:
    assert is_undefined(evaluate(formula, {_a: MINUS[backend]}, backend))


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize("formula", [sympy.sqrt(1 + sympy.sqrt(_a)), sympy.sqrt(sympy.log(_a))], ids=str)
def test_a_root_of_what_is_undefined_is_undefined(backend: str, formula: Expr) -> None:
    assert is_undefined(evaluate(formula, {_a: MINUS[backend]}, backend))


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(Rational(3, 2), 64), (2, 256), (-2, 1 / 256), (Rational(-1, 2), 1 / 4), (Rational(1, 4), 2)],
)
def test_powers(backend: str, exponent: Any, expected: float) -> None:
    base = {"numpy": 16.0, "torch": torch.tensor(16.0, dtype=torch.float64), "exact": sympy.Integer(16)}[backend]
    assert float(evaluate(_a**exponent, {_a: base}, backend)) == expected


@pytest.mark.parametrize("backend", MINUS)
def test_the_branch_of_a_piecewise_that_does_not_apply_is_not_seen(backend: str) -> None:
    formula = Piecewise((sympy.sqrt(_a), _a > 0), (1 / (_a + 2), True))
    assert float(evaluate(formula, {_a: MINUS[backend]}, backend)) == 1
    undefined = Piecewise((sympy.sqrt(_a), _a < 0), (_a, True))
    assert is_undefined(evaluate(undefined, {_a: MINUS[backend]}, backend))


# --------------------------------------------------------------------------------------------------- matrices
DENSE = np.array([[2.0, 1.0], [4.0, 3.0]])


def in_backend(array: np.ndarray, backend: str) -> Any:
    if backend == "torch":
        return torch.tensor(array)
    return array if backend == "numpy" else np.array([[Rational(x) for x in row] for row in array], dtype=object)


def as_float(value: Any) -> np.ndarray:
    return np.array(value.tolist() if hasattr(value, "tolist") else value, dtype=float)


MATRIX_FORMULAS = {
    "product": (M * N.T * M, DENSE @ DENSE @ DENSE),
    "sum": (2 * M - N + Identity(2), 2 * DENSE - DENSE.T + np.eye(2)),
    "inverse": (Inverse(M), np.linalg.inv(DENSE)),
    "power": (M**2, DENSE @ DENSE),
    "trace": (Trace(M * N), np.trace(DENSE @ DENSE.T)),
    "scaled trace": (3 * Trace(M) / 2, 7.5),
    "squared norm": (SquaredNorm(M - N), 18.0),
    "diagonal": (sympy.DiagonalMatrix(M), np.diag([2.0, 3.0])),
    "zero": (sympy.ZeroMatrix(2, 2) + M, DENSE),
}


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize("name", MATRIX_FORMULAS)
def test_matrices(name: str, backend: str) -> None:
    formula, expected = MATRIX_FORMULAS[name]
    found = as_float(evaluate(formula, {M: in_backend(DENSE, backend), N: in_backend(DENSE.T, backend)}, backend))
    assert found.shape == np.shape(expected)
    assert np.abs(found - expected).max() <= FLOAT64_IDENTITY.value


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize("formula", [Inverse(M), M**-2, N + Inverse(M * M.T)], ids=str)
def test_the_inverse_of_a_singular_matrix_is_undefined(backend: str, formula: Basic) -> None:
    values = {M: in_backend(np.ones((2, 2)), backend), N: in_backend(DENSE, backend)}
    assert np.isnan(as_float(evaluate(formula, values, backend))).all()


@pytest.mark.parametrize("backend", ["numpy", "exact"])
def test_matrix_equations(backend: str) -> None:
    values = {M: in_backend(DENSE, backend), N: in_backend(DENSE, backend)}
    other = {**values, N: in_backend(DENSE + np.diag([0, 0.25]), backend)}
    for equation, held, broken in ((Eq, True, False), (sympy.Ne, False, True)):
        assert evaluate(equation(M, N, evaluate=False), values, backend) is held
        assert evaluate(equation(M, N, evaluate=False), other, backend) is broken
    undefined = {**values, N: in_backend(np.full((2, 2), np.nan), "numpy")} if backend == "numpy" else None
    assert undefined is None or evaluate(Eq(M, N, evaluate=False), undefined) is False


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
def test_a_root_of_a_diagonal_matrix_squares_to_it(backend: str) -> None:
    values = {M: in_backend(np.diag([4.0, 9.0]), backend)}
    assert as_float(evaluate(M ** Rational(1, 2), values, backend)).tolist() == [[2, 0], [0, 3]]
    assert as_float(evaluate(M ** Rational(-1, 2), values, backend)).tolist() == [[1 / 2, 0], [0, 1 / 3]]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_next_mode_of_each_in_a_batch_is_its_own(backend: str) -> None:
    values = {zeta: in_backend(np.array([[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]), backend)}
    assert as_float(evaluate(zeta[i + 1], values, backend)).tolist() == [[2, 1, 1], [5, 4, 4]]


# --------------------------------------------------------------------------------------------------- Booleans
P, Q = sympy.symbols("p q")
CONNECTIVES = {
    "And": (sympy.And(P, Q), lambda p, q: p and q),
    "Or": (sympy.Or(P, Q), lambda p, q: p or q),
    "Not": (sympy.Not(P), lambda p, q: not p),
    "Implies": (sympy.Implies(P, Q), lambda p, q: not p or q),
    "Equivalent": (sympy.Equivalent(P, Q), lambda p, q: p is q),
    "nested": (sympy.Not(sympy.And(P, sympy.Not(Q))), lambda p, q: not p or q),
    "three": (sympy.Equivalent(P, Q, sympy.true), lambda p, q: p and q),
}


@pytest.mark.parametrize("kind", ["numpy", "python", "exact"])
@pytest.mark.parametrize("name", CONNECTIVES)
def test_truth_tables(name: str, kind: str) -> None:
    formula, expected = CONNECTIVES[name]
    known = {"numpy": np.bool_, "python": bool, "exact": lambda p: sympy.true if p else sympy.false}[kind]
    for p, q in product((False, True), repeat=2):
        found = evaluate(formula, {P: known(p), Q: known(q)}, "exact" if kind == "exact" else "numpy")
        assert bool(found) is expected(p, q), (p, q)


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize("name", CONNECTIVES)
def test_truth_tables_of_relations(name: str, backend: str) -> None:
    formula, expected = CONNECTIVES[name]
    formula = formula.xreplace({P: sympy.Gt(_a, 0), Q: sympy.Le(_b, 1)})
    for a, b in product((-1, 0, 1), (0, 1, 2)):
        values = {_a: a, _b: b}
        if backend != "numpy":
            values = {k: sympy.Integer(v) if backend == "exact" else torch.tensor(v) for k, v in values.items()}
        assert bool(evaluate(formula, values, backend)) is expected(a > 0, b <= 1), (a, b)
