"""The sign of the smallest eigenvalue of a Hessian, at matrices whose eigenvalues are known."""

import numpy as np
import pytest
import sympy

from numerics import exact
from numerics.exact import smallest_eigenvalue_sign
from numerics.points import Point
from numerics.rational import exact_problems

ROOT = sympy.sqrt(2)
MATRICES = [
    ([[2, 1], [1, 2]], 1),
    ([[1, 1], [1, 1]], 0),
    ([[1, 2], [2, 1]], -1),
    ([[0, 0], [0, 3]], 0),
    ([[-1, 0], [0, -1]], -1),
    ([[3, 0, 0], [0, 0, 0], [0, 0, -1]], -1),
    ([[ROOT, 1], [1, ROOT]], 1),
    ([[ROOT, 2], [2, ROOT]], -1),
    ([[ROOT, ROOT], [ROOT, ROOT]], 0),
    ([[ROOT, ROOT], [ROOT, ROOT - sympy.Rational(1, 10**20)]], -1),
]


@pytest.mark.parametrize(("rows", "sign"), MATRICES, ids=[str(rows) for rows, _ in MATRICES])
def test_the_sign_of_the_smallest_eigenvalue(
    rows: list[list[sympy.Expr]], sign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = exact_problems("fixed")[0]
    shapes = ((rows_, problem.d1) for rows_ in (len(problem.A), problem.d2, problem.d0))
    W, U, V = (np.full(shape, sympy.S.Zero, dtype=object) for shape in shapes)
    matrix = np.array([[sympy.sympify(entry) for entry in row] for row in rows], dtype=object)
    monkeypatch.setattr(exact, "hessian", lambda *_: matrix)
    assert smallest_eigenvalue_sign(problem, Point(W, U, V, problem.sigma**2)) == sign
