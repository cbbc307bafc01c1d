"""What makes the eigenvalues of Z Z^T large for a linear target y = gamma M x (§4.1, after Eq 9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import And, Basic, Eq, Equivalent, Expr, Ge, Gt, ImmutableDenseMatrix, Implies, Integer, Or, Symbol, Trace

from derivations.alignment import DEFINED_Z, M, data_on_a_rectangle, gamma, linear_targets
from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted, undecided
from derivations.exact_data import ExactData, with_target
from derivations.notation import P_A, A, Phi, SquaredNorm, root_Phi, x, y
from derivations.proof import equal, margin, nonnegative, true
from derivations.proposition_1_reduction import SPECTRAL

total = Symbol("sum_of_eigenvalues", nonnegative=True)
"""Tr Z Z^T: where it is small, every eigenvalue of Z Z^T is."""
bound = Symbol("bound", positive=True)
"""What is called large is at least this, a number from 1 on."""
ALIGNMENT = Trace(M * A * M.T)
"""How well M aligns with A: the sum of phi_k |M p_k|^2, at most phi_1 for |M| = 1."""

aligned, aligned_there = sympy.symbols("alignment alignment_there", nonnegative=True)
"""Tr(M A M^T) here, and there: with another gamma, another M or both, and the same inputs."""
gamma_there, total_there = Symbol("gamma_there", positive=True), Symbol("sum_of_eigenvalues_there", nonnegative=True)

# ------------------------------------------------------------------------------------------ as printed
EITHER = Implies(Or(Ge(gamma, bound), Ge(ALIGNMENT, bound)), Ge(total, bound))

STRONGER, BETTER = And(Gt(gamma_there, gamma), Eq(aligned_there, aligned)), Gt(aligned_there, aligned)
GROWS = And(
    Implies(STRONGER, Gt(total_there, total)),
    Implies(And(Eq(gamma_there, gamma), BETTER), Gt(total_there, total)),
)

# ------------------------------------------------------------------------------------------ as corrected
PRODUCT = Eq(total, gamma**2 * ALIGNMENT)
GROWS_WHERE_SEEN = And(
    Implies(STRONGER, Equivalent(Gt(total_there, total), Gt(aligned, 0))),
    Implies(Eq(gamma_there, gamma), Equivalent(Gt(total_there, total), BETTER)),
)


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


def _sum_of_eigenvalues(data: ExactData) -> Expr:
    """Of Z Z^T: its trace, with Z by its definition on the points."""
    defined = data.value(DEFINED_Z)
    return (defined * defined.T).trace()


def adds_up(formula: Basic) -> Decision:
    """Judge a Boolean of gamma, Tr(M A M^T), the sum of the eigenvalues of Z Z^T, and a bound from 1 on."""
    for data, strength, matrix in targets():
        known = ExactData(data.scalars, {**data.matrices, M: matrix}, data.points)
        values = {trace: known.value(trace) for trace in formula.atoms(Trace)}
        found = _sum_of_eigenvalues(data)
        for large in (Integer(1), Integer(2)):
            if formula.xreplace({**values, gamma: strength, total: found, bound: large}) != sympy.true:
                where = {"gamma": strength, "M": matrix.tolist(), "A": data.matrices[A].tolist()}
                where |= {"bound": large} if formula.has(bound) else {}
                aligned = known.value(ALIGNMENT)
                return refuted(where, f"the eigenvalues of Z Z^T add up to {found}, and Tr(M A M^T) is {aligned}")
    if not isinstance(formula, Eq):
        return undecided("only an equation is derived")
    return conclude(sum_steps(formula))


def sum_steps(formula: Eq) -> tuple[Step, ...]:
    """An equation of the sum of the eigenvalues of Z Z^T, and the sign of Tr(M A M^T)."""
    defined = DEFINED_Z.xreplace({y: gamma * M * x})
    left, right = (side.xreplace({total: Trace(defined * defined.T)}) for side in formula.args)
    seen = SquaredNorm(M * P_A * root_Phi)
    return (
        equal("the trace of Z Z^T, the sum of its eigenvalues, from Z = E[y x_white^T]", left, right, SPECTRAL),
        equal("Tr(M A M^T) is 0 iff M P_A is", ALIGNMENT, seen, ((A, P_A * Phi * P_A.T),)),
        nonnegative("and never negative", seen),
    )


def _changes(strength: Expr, matrix: ImmutableDenseMatrix) -> Iterator[tuple[Expr, ImmutableDenseMatrix]]:
    """Other gamma and M: more, less and as much of either, and a target that sees nothing."""
    for factor, stretch in ((2, 1), (1, 2), (1, 1), (Integer(1) / 2, 1), (1, Integer(1) / 2), (1, 0), (2, 2), (2, 0)):
        yield strength * factor, matrix * stretch


def grows(formula: Basic) -> Decision:
    """Judge a Boolean of gamma, Tr(M A M^T) and the sum of the eigenvalues of Z Z^T, here and there: does it hold always?"""
    for data, strength, matrix in targets():
        known = ExactData(data.scalars, {**data.matrices, M: matrix}, data.points)
        here = {gamma: strength, aligned: known.value(ALIGNMENT), total: _sum_of_eigenvalues(data)}
        for strength_there, matrix_there in _changes(strength, matrix):
            other = with_target(
                ExactData(data.scalars, {**data.matrices, M: matrix_there}, data.points), strength_there * matrix_there
            )
            there = {
                gamma_there: strength_there,
                aligned_there: other.value(ALIGNMENT),
                total_there: _sum_of_eigenvalues(other),
            }
            if formula.xreplace({**here, **there}) != sympy.true:
                where = {"gamma": strength, "M": matrix.tolist(), "A": data.matrices[A].tolist()}
                where |= {"gamma there": strength_there, "M there": matrix_there.tolist()}
                return refuted(
                    where,
                    f"the eigenvalues of Z Z^T add up to {here[total]} and there to {there[total_there]}, Tr(M A M^T) is "
                    f"{here[aligned]} and there {there[aligned_there]}",
                )
    product = PRODUCT.rhs.xreplace({ALIGNMENT: aligned})
    sums = {total: product, total_there: product.xreplace({gamma: gamma_there, aligned: aligned_there})}
    truths = (
        true(
            f"true for gamma {stronger}, {better}",
            formula.xreplace(sums),
            {gamma_there: strength, aligned: here, aligned_there: there},
        )
        for stronger, strength in _about(gamma)
        for better, here, there in _alignments()
    )
    return conclude([*sum_steps(PRODUCT), *truths])


def _about(value: Expr) -> tuple[tuple[str, Expr], ...]:
    return ("more", value * (1 + margin)), ("the same", value), ("less", value / (1 + margin))


def _alignments() -> Iterator[tuple[str, Expr, Expr]]:
    """Tr(M A M^T) here and there, 0 included."""
    some = Symbol("a", positive=True)
    yield from ((f"some alignment, {more} there", some, there) for more, there in _about(some))
    yield "no alignment there", some, sympy.S.Zero
    yield "no alignment here", sympy.S.Zero, some
    yield "no alignment", sympy.S.Zero, sympy.S.Zero


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
    Claim(
        "s4.1.larger-eigenvalues",
        "§4.1, after Eq 9",
        "the same read as a trend: the sum of the eigenvalues of Z Z^T grows with gamma at the same Tr(M A M^T), and with "
        "Tr(M A M^T) at the same gamma",
        printed=Statement(GROWS, grows),
        corrected=Statement(GROWS_WHERE_SEEN, grows),
        observable="signal_growth",
        uses=("eq-9.alignment",),
        erratum=Erratum(
            printed="the eigenvalues are large if either gamma is large or M aligns well with A",
            holds="their sum grows with gamma iff M A M^T is not 0; with Tr(M A M^T) it always does",
            severity=Severity.CONDITION,
        ),
    ),
)
