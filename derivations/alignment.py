"""What Z Z^T is (§4.1, after Proposition 2, Eq 9): its eigenvalues, its form for a linear target, and for a VAE."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Ge, ImmutableDenseMatrix, MatrixExpr, MatrixSymbol, Symbol, Trace, Tuple

from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, conclude, needed, refuted
from derivations.exact_data import ExactData, data_instances, with_target
from derivations.first_moments import CENTRED, COVARIANCE, Cov_x, about_means, mu_x, on_a_line, with_means
from derivations.instances import is_exactly_zero
from derivations.least_loss import ORTHOGONAL
from derivations.notation import (
    D0,
    P_A,
    S_Z,
    A,
    F,
    MeanMatrix,
    Phi,
    SquaredNorm,
    Z,
    d0,
    d2,
    i,
    inverse_root_Phi,
    sigma,
    x,
    y,
    zeta,
)
from derivations.proof import equal, nonnegative
from derivations.proposition_1_reduction import SPECTRAL
from derivations.setting import quadratic_form, truths

gamma = Symbol("gamma", positive=True)
"""Strength of a linear target y = gamma M x."""
M, M_square = MatrixSymbol("M", d2, D0), MatrixSymbol("M", D0, D0)
"""Orientation of a linear target; the square one for d2 = D0."""

# ------------------------------------------------------------------------------------------ as printed
EQUATION_9 = gamma**2 * M_square.T * A * M_square
"""Z Z^T is d2 x d2 and this is D0 x D0: they can be equal for a square M only, which is how it is typed."""
b = MatrixSymbol("b", d2, 1)  # any direction of output space
SEMIDEFINITE = Tuple(Trace(b.T * Z * Z.T * b), Ge(quadratic_form, 0))
VAE_SPECTRUM = Tuple(A, zeta[i] ** 2)

# -------------------------------------------------------------------------------- from the definitions
DEFINED_Z = MeanMatrix(y * (inverse_root_Phi * P_A.T * x).T)
"""Z = E[y x_white^T]."""


def eigenvalues(matrix: sympy.MatrixBase) -> list[Expr]:
    """The eigenvalues of an explicit symmetric matrix, non-increasing, as roots of its characteristic polynomial.

    Raises:
        ValueError: they are not all rational.
    """
    found = sympy.Matrix(matrix).charpoly().ground_roots()
    if sum(found.values()) != matrix.rows:
        raise ValueError(f"{matrix.tolist()} has eigenvalues that are not rational.")
    return sorted((root for root, times in found.items() for _ in range(times)), reverse=True)


def _outer(data: ExactData) -> ImmutableDenseMatrix:
    """Z Z^T, with Z by its definition on the points."""
    defined = data.value(DEFINED_Z)
    return ImmutableDenseMatrix(defined * defined.T)


def _points(data: ExactData) -> list[list[Expr]]:
    return [list(px) for px, _ in data.points]


# ------------------------------------------------------------------------------------ eigenvalues of Z Z^T
def is_eigenvalue(formula: Basic) -> Decision:
    """Judge the i-th largest eigenvalue of Z Z^T, for all i <= d2 (zeta_i = 0 beyond d*)."""
    for no_eigenvalue_at_all in (True, False):
        for data in data_instances():
            matrix = data.matrices[Z]
            spectrum = eigenvalues(matrix * matrix.T)
            for place, eigenvalue in enumerate(spectrum, 1):
                stated = data.scalars.value(formula, place)
                others = spectrum if no_eigenvalue_at_all else [eigenvalue]
                if not any(is_exactly_zero(stated - other) for other in others):
                    values = data.scalars.named() | {"Z": matrix.tolist(), "i": place}
                    return refuted(values, f"the formula gives {stated}, the eigenvalues of Z Z^T are {spectrum}")
    unit, unit_there = MatrixSymbol("e", d2, 1), MatrixSymbol("e_there", d0, 1)
    diagonal = ((S_Z.T * unit, zeta[i] * unit_there), (S_Z * unit_there, zeta[i] * unit))
    drop = Symbol("drop", nonnegative=True)
    return conclude(
        [
            equal("Z Z^T is S_Z S_Z^T in the basis F", F.T * Z * Z.T * F, S_Z * S_Z.T, ORTHOGONAL),
            equal("S_Z S_Z^T is diagonal: its i-th unit vector", S_Z * S_Z.T * unit, formula * unit, diagonal),
            nonnegative("the squares are in the order of the singular values", (zeta[i] + drop) ** 2 - zeta[i] ** 2),
        ]
    )


# --------------------------------------------------------------------------------------- a linear target
@lru_cache(maxsize=2)
def linear_targets(square: bool) -> tuple[tuple[ExactData, Expr, ImmutableDenseMatrix], ...]:
    """(data with y = gamma M x, gamma, M): M of norm 1 on two points of the plane, then random M of every shape."""
    generator = random.Random(9)
    plane = data_on_a_rectangle()
    found = [(plane, sympy.Integer(2), ImmutableDenseMatrix([[0, 1], [0, 0]]))]
    for k, data in enumerate(data_instances()):
        columns = data.matrices[P_A].rows
        rows = columns if square else data.scalars.d2
        found.append(
            (data, sympy.Integer(k % 3 + 1), ImmutableDenseMatrix(rows, columns, lambda *_: generator.randint(-2, 2)))
        )
    return tuple((with_target(data, strength * matrix), strength, matrix) for data, strength, matrix in found)


def data_on_a_rectangle() -> ExactData:
    """The inputs (1, 2) and (1, -2), equally likely: A = diag(1, 4)."""
    points = tuple((ImmutableDenseMatrix([1, s]), ImmutableDenseMatrix([1, s])) for s in (2, -2))
    matrices = {A: sympy.diag(1, 4), Phi: sympy.diag(1, 4), P_A: sympy.eye(2)}
    scalars = next(data.scalars for data in data_instances() if data.scalars.d0 == data.scalars.d2 == 2)
    return ExactData(scalars, {symbol: ImmutableDenseMatrix(matrix) for symbol, matrix in matrices.items()}, points)


def equals_alignment(formula: Basic) -> Decision:
    """Judge an expression of Z Z^T for y = gamma M x; M is d2 x D0, or D0 x D0 where the formula has it so."""
    orientation = M_square if formula.has(M_square) else M
    for data, strength, matrix in linear_targets(orientation == M_square):
        known = ExactData(data.scalars, {**data.matrices, orientation: matrix}, data.points)
        stated, found = known.value(formula.subs(gamma, strength)), _outer(data)
        if stated != found:
            values = {"gamma": strength, "M": matrix.tolist(), "x": _points(data), "A": data.matrices[A].tolist()}
            return refuted(values, f"Z Z^T is {found.tolist()}, and the formula gives {stated.tolist()}")
    defined = DEFINED_Z.xreplace({y: gamma * orientation * x})
    return conclude([equal("Z Z^T from Z = E[y x_white^T]", defined * defined.T, formula, SPECTRAL)])


def is_semidefinite(formula: Basic) -> Decision:
    """Judge (the value of b^T Z Z^T b, a Boolean of it) for every b != 0."""
    form, statement = formula.args
    for data in data_instances():
        defined = data.value(DEFINED_Z)
        some = ImmutableDenseMatrix([(-1) ** k * (k + 1) for k in range(defined.rows)])
        for direction in (some, *map(ImmutableDenseMatrix, defined.T.nullspace())):
            stated = ExactData(data.scalars, {**data.matrices, b: direction}, data.points).value(form)
            found = sum(entry**2 for entry in defined.T * direction)
            values: dict[str, object] = {"Z": defined.tolist(), "b": list(direction)}
            if not is_exactly_zero(stated - found):
                return refuted(values, f"|Z^T b|^2 is {found}, and the formula gives {stated}")
            if statement.subs(quadratic_form, found) != sympy.true:
                return refuted(values, f"b^T Z Z^T b is {found}, where the formula says {statement}")
    return conclude(
        [
            equal("b^T Z Z^T b is a squared length", form, SquaredNorm(Z.T * b)),
            nonnegative("a squared length is nonnegative", SquaredNorm(Z.T * b)),
            *truths(statement, quadratic_form),
        ]
    )


# ------------------------------------------------------------------------------------------ y = x, the VAE
@lru_cache(maxsize=1)
def autoencoders() -> tuple[ExactData, ...]:
    """Exact data with y = x."""
    lines = [on_a_line((1, 1), (7, 7)), on_a_line((3, 3), (-3, -3))]
    return (
        *lines,
        *(with_means(with_target(data, sympy.eye(data.matrices[P_A].rows))) for data in data_instances()),
    )


def _differing_spectrum(formula: Basic, candidates: Iterable[ExactData]) -> Decision | None:
    """A refutation of (Z Z^T, i-th eigenvalue of A) by data."""
    matrix, eigenvalue = formula.args
    for data in candidates:
        found, stated = _outer(data), data.value(matrix)
        if found != stated:
            values: dict[str, object] = {"x": _points(data), "y": [list(py) for _, py in data.points]}
            return refuted(values, f"Z Z^T is {found.tolist()}, and the formula gives {stated.tolist()}")
        defined = data.value(DEFINED_Z)
        singular = [sympy.sqrt(square) for square in eigenvalues(ImmutableDenseMatrix(defined.T * defined))]
        scalars = replace(data.scalars, zeta=tuple(singular))
        for place, value in enumerate(eigenvalues(data.matrices[A]), 1):
            if not is_exactly_zero(scalars.value(eigenvalue, place) - value):
                return refuted(
                    {"x": _points(data), "zeta": scalars.zeta, "i": place},
                    f"the formula gives {scalars.value(eigenvalue, place)}, the eigenvalue of A is {value}",
                )
    return None


def gives_vae_spectrum(formula: Basic) -> Decision:
    """Judge (Z Z^T, i-th largest eigenvalue of A in terms of the singular values of Z) for y = x and all i <= D0."""
    found = _differing_spectrum(formula, autoencoders())
    if found is not None:
        return found
    defined = DEFINED_Z.xreplace({y: x})
    # for y = x there are d2 = D0 rows
    z, left, right = MatrixSymbol("Z", D0, d0), MatrixSymbol("f", D0, 1), MatrixSymbol("g", d0, 1)
    singular = ((A, z * z.T), (z.T * left, zeta[i] * right), (z * right, zeta[i] * left))
    return conclude(
        [
            equal("Z Z^T for y = x", defined * defined.T, formula.args[0], SPECTRAL),
            equal("Z Z^T for y = x is A, with its null space", defined * defined.T, A, SPECTRAL),
            equal("a left singular vector of Z is an eigenvector of A", A * left, formula.args[1] * left, singular),
        ]
    )


def _other_targets(formula: Basic) -> Decision:
    others = [on_a_line((1, 1), (7, 3)), *(data for data, _, _ in linear_targets(True))]
    return needed(_differing_spectrum(formula, others))


def equals_vae_outer_product(formula: MatrixExpr) -> Decision:
    """Judge an expression of Z Z^T for y = x, where x may have a mean."""
    for data in autoencoders():
        found, stated = _outer(data), data.value(formula)
        if found != stated:
            values: dict[str, object] = {"x": _points(data), "E x": list(data.matrices[mu_x])}
            return refuted(values, f"Z Z^T is {found.tolist()}, and the formula gives {stated.tolist()}")
    defined = DEFINED_Z.xreplace({y: x})
    second_moment = MeanMatrix(x * x.T)
    return conclude(
        [
            equal("Z Z^T for y = x is the second moment", defined * defined.T, second_moment, SPECTRAL),
            equal(
                "the second moment about the mean",
                about_means(second_moment),
                about_means(formula.xreplace({Cov_x: COVARIANCE})),
                CENTRED,
            ),
        ]
    )


CLAIMS = (
    Claim(
        "s4.1.eigenvalue",
        "§4.1, after Proposition 2",
        "the i-th largest eigenvalue of Z Z^T",
        printed=Statement(sigma[i], is_eigenvalue),
        corrected=Statement(zeta[i] ** 2, is_eigenvalue),
        observable="outer_product_eigenvalue",
        erratum=Erratum(
            printed="sigma_i is the eigenvalue of Z Z^T",
            holds="zeta_i^2 is; sigma_i is the encoder's standard deviation",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "eq-9.alignment",
        "§4.1, Eq 9",
        "Z Z^T for y = gamma M x with any M (as printed the shapes fit for square M only: typed for d2 = D0)",
        printed=Statement(EQUATION_9, equals_alignment),
        corrected=Statement(gamma**2 * M * A * M.T, equals_alignment),
        observable="alignment",
        uses=("notation.whitening",),
        erratum=Erratum(
            printed="Z Z^T = gamma^2 M^T A M",
            holds="Z Z^T = gamma^2 M A M^T, for M of shape d2 x D0",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "eq-9.semidefinite",
        "§4.1, after Eq 9",
        "Z Z^T is positive semidefinite: b^T Z Z^T b >= 0 for every b != 0 (0 occurs where Z has fewer than d2 modes)",
        printed=Statement(SEMIDEFINITE, is_semidefinite),
        observable="outer_product_form",
        uses=("notation.whitening",),
    ),
    Claim(
        "s4.1.vae-spectrum",
        "§4.1, after Eq 9",
        "for y = x: Z Z^T is A, whose i-th largest eigenvalue is zeta_i^2 for all i <= D0 (0 beyond d0)",
        printed=Statement(VAE_SPECTRUM, gives_vae_spectrum),
        observable="vae_spectrum",
        uses=("notation.whitening", "s4.1.eigenvalue"),
        assumptions=(Assumption("y = x", _other_targets),),
    ),
    Claim(
        "s4.1.covariance",
        "§4.1, after Eq 9",
        "for y = x: Z Z^T is the covariance of x, E (x - E x)(x - E x)^T, whatever the mean of x",
        printed=Statement(Cov_x, equals_vae_outer_product),
        corrected=Statement(Cov_x + mu_x * mu_x.T, equals_vae_outer_product),
        observable="vae_covariance",
        uses=("s4.1.vae-spectrum",),
        erratum=Erratum(
            printed="Z Z^T = A is the covariance of the input",
            holds="A is the second moment, A = Cov(x) + (E x)(E x)^T: the covariance only if x is centred",
            severity=Severity.CONDITION,
        ),
    ),
)
