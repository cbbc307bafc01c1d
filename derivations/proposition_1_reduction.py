"""From the loss to matrix factorisation (§3 Notation, Proposition 1): whitening, and L_VAE as Eq 6 plus a constant."""

from __future__ import annotations

import sympy
from sympy import Basic, Eq, Identity, MatrixExpr, MatrixSymbol, Trace, Tuple, ZeroMatrix

from derivations.claim import Claim, Decision, Statement, Step, Verdict, conclude, refuted
from derivations.elbo import negative_elbo
from derivations.exact_data import ExactData, data_instances
from derivations.instances import is_exactly_zero
from derivations.matrix_calculus import MOMENTS, Facts, trace_normal_form
from derivations.notation import (
    P_A,
    A,
    C,
    Mean,
    MeanMatrix,
    Phi,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    Z,
    beta,
    d0,
    eta_dec,
    eta_enc,
    inverse_root_Phi,
    root_Phi,
    x,
    x_white,
    y,
)
from derivations.proof import equal

# ------------------------------------------------------------------------------------------ as printed
WHITENING = Tuple(
    Eq(MeanMatrix(x_white * x_white.T), Identity(d0), evaluate=False),
    Eq(x, P_A * root_Phi * x_white, evaluate=False),
    Eq(Z, MeanMatrix(y * x.T * P_A * inverse_root_Phi), evaluate=False),
)
EQUATION_6 = SquaredNorm(U * V.T - Z) + Trace(U * Sigma * U.T) + beta * eta_dec**2 / eta_enc**2 * SquaredNorm(V)
LINK = root_Phi * P_A.T * W

# -------------------------------------------------------------------------------- from the definitions
DEFINITIONS = {x_white: inverse_root_Phi * P_A.T * x}
"""The whitened input (§3). Z is E[y x_white^T]."""
SPECTRAL: Facts = ((P_A.T * P_A, Identity(d0)), (A, P_A * Phi * P_A.T))
"""The eigenvalue decomposition of A on its range."""
CROSS_MOMENT: Facts = (*SPECTRAL, (C, Z * root_Phi * P_A.T))
"""E[y x^T] through Z, since x = P_A Phi^(1/2) x_white almost surely."""


def whitens(formula: Basic) -> Decision:
    """Judge equations about the whitened input: between moments, or, for x itself, in mean square over the data."""
    defined_z = MeanMatrix(y * DEFINITIONS[x_white].T)
    residuals = [(equation.lhs - equation.rhs).subs(DEFINITIONS).subs(Z, defined_z).doit() for equation in formula.args]
    for data in data_instances():
        for equation, residual in zip(formula.args, residuals, strict=True):
            if is_exactly_zero(data.value(_square(residual))) is isinstance(equation, sympy.Ne):
                return refuted(data.named(), f"{equation} fails by {data.value(_square(residual))} in squared norm")
    return conclude(
        _moment_step(residual)
        if _is_moment(residual)
        else equal("in mean square over the data", _square(residual), 0, SPECTRAL)
        for residual in (sympy.sympify(r) for r in residuals)
    )


def _is_moment(residual: MatrixExpr) -> bool:
    return residual.shape[1] != 1


def _moment_step(residual: MatrixExpr) -> Step:
    return equal("second moments of the whitened input", residual, ZeroMatrix(*residual.shape), SPECTRAL)


def _square(residual: MatrixExpr) -> sympy.Expr:
    return SquaredNorm(residual) if _is_moment(residual) else Mean(SquaredNorm(residual))


def reduces_objective(formula: Basic) -> Decision:
    """Judge (reduced objective of U and V, V as a function of W): same minimisers as L_VAE for a fixed Sigma.

    They are the same if 2 eta_dec^2 L_VAE(U, W) - L(U, V(W)) depends on neither U nor W, and every V is some V(W).
    """
    objective, link = formula.args
    difference = 2 * eta_dec**2 * negative_elbo() - objective.subs(V, link)
    preimage = P_A * inverse_root_Phi * V
    for data in data_instances():
        values = [moved.value(difference) for moved in _moved(data)]
        for value in values[1:]:
            if not is_exactly_zero(value - values[0]):
                return refuted(
                    data.named(), f"2 eta_dec^2 L_VAE - L changes by {sympy.simplify(value - values[0])} with (U, W)"
                )
        if data.value(link.subs(W, preimage)) != data.matrices[V]:
            return refuted(
                data.named(), f"V = {data.matrices[V].tolist()} is not reached by the W that solves the linear equation"
            )
    return conclude(
        [
            equal(
                "the cross moment through Z",
                MeanMatrix(y * (P_A * root_Phi * DEFINITIONS[x_white]).T),
                Z * root_Phi * P_A.T,
                CROSS_MOMENT,
            ),
            _independent("2 eta_dec^2 L_VAE(U, W) - L(U, V(W)) depends on neither U nor W", difference, (U, W)),
            equal("every V is reached by some W", link.subs(W, preimage), V, SPECTRAL),
        ]
    )


def _moved(data: ExactData) -> list[ExactData]:
    u, w = data.matrices[U], data.matrices[W]
    ones_u, ones_w = sympy.ones(*u.shape), sympy.ones(*w.shape)
    pairs = ((u, w), (2 * u + ones_u, w), (u, 2 * w + ones_w), (ones_u - u, w - 3 * ones_w))
    return [data.replaced(U=sympy.ImmutableDenseMatrix(a), W=sympy.ImmutableDenseMatrix(b)) for a, b in pairs]


def _independent(text: str, scalar: sympy.Expr, variables: tuple[MatrixSymbol, ...]) -> Step:
    terms = trace_normal_form(scalar, MOMENTS + CROSS_MOMENT)
    left = [
        word
        for word, factor in terms.items()
        if sympy.simplify(factor) != 0 and any(l.base.has(*variables) for l in word)
    ]
    return Step(text, scalar, Verdict.UNDECIDED if left else Verdict.PROVED)


CLAIMS = (
    Claim(
        "notation.whitening",
        "§3, Notation",
        "second moments of the whitened input, its inverse (almost surely, for x drawn from the data), and Z",
        printed=Statement(WHITENING, whitens),
        observable="whitening",
        assumptions=("A = P_A Phi P_A^T with P_A^T P_A = I and Phi > 0",),
    ),
    Claim(
        "prop-1.reduction",
        "§4.1, Proposition 1, Eq 6",
        "for fixed Sigma 2 eta_dec^2 L_VAE is Eq 6 at V = Phi^(1/2) P_A^T W plus a constant: their minimisers correspond",
        printed=Statement(Tuple(EQUATION_6, LINK), reduces_objective),
        observable="reduction",
        uses=("eq-4.elbo", "notation.whitening"),
        assumptions=("Sigma is fixed",),
    ),
)
