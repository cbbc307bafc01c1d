"""What makes the eigenvalues of Z Z^T large for a linear target y = gamma M x (§4.1, after Eq 9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Basic, Eq, Expr, Ge, ImmutableDenseMatrix, Implies, Integer, Or, Symbol, Trace

from derivations.alignment import DEFINED_Z, M, data_on_a_rectangle, gamma, linear_targets
from derivations.claim import Claim, Decision, Erratum, Severity, Statement, conclude, refuted, undecided
from derivations.exact_data import ExactData, with_target
from derivations.notation import P_A, A, Phi, SquaredNorm, root_Phi, x, y
from derivations.proof import equal, nonnegative
from derivations.proposition_1_reduction import SPECTRAL

total = Symbol("sum_of_eigenvalues", nonnegative=True)
"""Tr Z Z^T: where it is small, every eigenvalue of Z Z^T is."""
bound = Symbol("bound", positive=True)
"""What is called large is at least this, a number from 1 on."""
ALIGNMENT = Trace(M * A * M.T)
"""How well M aligns with A: the sum of phi_k |M p_k|^2, at most phi_1 for |M| = 1."""

# ------------------------------------------------------------------------------------------ as printed
EITHER = Implies(Or(Ge(gamma, bound), Ge(ALIGNMENT, bound)), Ge(total, bound))

# ------------------------------------------------------------------------------------------ as corrected
PRODUCT = Eq(total, gamma**2 * ALIGNMENT)


# -------------------------------------------------------------------------------------------- verdicts
def data_on_a_line() -> ExactData:
    """The inputs (1, 0) and (-1, 0), equally likely: A = diag(1, 0)."""
    plane = data_on_a_rectangle()
    points = tuple((ImmutableDenseMatrix([s, 0]), ImmutableDenseMatrix([s, 0])) for s in (1, -1))
    matrices = {A: sympy.diag(1, 0), Phi: sympy.eye(1), P_A: sympy.Matrix([1, 0])}
    dense = {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in matrices.items()}
    return ExactData(replace(plane.scalars, d0=1), dense, points)


def targets() -> Iterator[tuple[ExactData, Expr, ImmutableDenseMatrix]]:
    """(data with y = gamma M x, gamma, M): an M of norm 1 that sees none of the inputs first."""
    blind, line = ImmutableDenseMatrix([[0, 1], [0, 0]]), data_on_a_line()
    yield with_target(line, 2 * blind), Integer(2), blind
    yield from linear_targets(False)


def adds_up(formula: Basic) -> Decision:
    """Judge a Boolean of gamma, Tr(M A M^T), the sum of the eigenvalues of Z Z^T, and a bound from 1 on."""
    for data, strength, matrix in targets():
        known = ExactData(data.scalars, {**data.matrices, M: matrix}, data.points)
        defined = data.value(DEFINED_Z)
        values = {trace: known.value(trace) for trace in formula.atoms(Trace)}
        found = (defined * defined.T).trace()
        for large in (Integer(1), Integer(2)):
            if formula.xreplace({**values, gamma: strength, total: found, bound: large}) != sympy.true:
                where = {"gamma": strength, "M": matrix.tolist(), "A": data.matrices[A].tolist()}
                where |= {"bound": large} if formula.has(bound) else {}
                aligned = known.value(ALIGNMENT)
                return refuted(where, f"the eigenvalues of Z Z^T add up to {found}, and Tr(M A M^T) is {aligned}")
    if not isinstance(formula, Eq):
        return undecided("only an equation is derived")
    defined = DEFINED_Z.xreplace({y: gamma * M * x})
    left, right = (side.xreplace({total: Trace(defined * defined.T)}) for side in formula.args)
    seen = SquaredNorm(M * P_A * root_Phi)
    return conclude(
        [
            equal("the trace of Z Z^T, the sum of its eigenvalues, from Z = E[y x_white^T]", left, right, SPECTRAL),
            equal("Tr(M A M^T) is 0 iff M P_A is", ALIGNMENT, seen, ((A, P_A * Phi * P_A.T),)),
            nonnegative("and never negative", seen),
        ]
    )


CLAIMS = (
    Claim(
        "s4.1.large-eigenvalues",
        "§4.1, after Eq 9",
        "the eigenvalues of Z Z^T are large if either gamma is or M aligns well with A: their sum reaches any bound >= 1 that "
        "gamma or Tr(M A M^T) reaches",
        printed=Statement(EITHER, adds_up),
        corrected=Statement(PRODUCT, adds_up),
        observable="signal_strength",
        uses=("eq-9.alignment",),
        erratum=Erratum(
            printed="the eigenvalues are large if either gamma is large or M aligns well with A",
            holds="neither suffices: they add up to gamma^2 Tr(M A M^T) = gamma^2 times the sum of phi_k |M p_k|^2, which is 0 at "
            "every gamma if M A M^T = 0, and small at any alignment if gamma is",
            severity=Severity.CONDITION,
        ),
    ),
)
