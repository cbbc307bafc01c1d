"""From the loss to matrix factorisation (§3 Notation, Proposition 1): whitening, and L_VAE as Eq 6 plus a constant."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Basic, Eq, Identity, MatrixExpr, MatrixSymbol, Trace, Tuple, ZeroMatrix

from derivations.claim import Assumption, Claim, Decision, Statement, Step, Verdict, conclude, needed, refuted
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
    residuals = _residuals(formula)
    for data in data_instances():
        found = _failing_equation(formula, residuals, data)
        if found is not None:
            return found
    return conclude(
        _moment_step(residual)
        if _is_moment(residual)
        else equal("in mean square over the data", _square(residual), 0, SPECTRAL)
        for residual in (sympy.sympify(r) for r in residuals)
    )


def _residuals(formula: Basic) -> list[MatrixExpr]:
    """Left minus right side of each equation, the whitened input and Z written out."""
    defined_z = MeanMatrix(y * DEFINITIONS[x_white].T)
    return [(equation.lhs - equation.rhs).subs(DEFINITIONS).subs(Z, defined_z).doit() for equation in formula.args]


def _failing_equation(formula: Basic, residuals: list[MatrixExpr], data: ExactData) -> Decision | None:
    for equation, residual in zip(formula.args, residuals, strict=True):
        size = data.value(_square(residual))
        if is_exactly_zero(size) is isinstance(equation, sympy.Ne):
            where = {str(symbol): data.matrices[symbol].tolist() for symbol in (P_A, Phi)}
            where["(x, y)"] = [tuple(tuple(part) for part in point) for point in data.points]
            return refuted(where, f"{equation} fails by {size} in squared norm")
    return None


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
    link = formula.args[1]
    difference = excess(formula)
    preimage = P_A * inverse_root_Phi * V
    for data in data_instances():
        found = _changing(difference, data, _moved(data), "(U, W)")
        if found is not None:
            return found
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


def excess(formula: Basic) -> sympy.Expr:
    """2 eta_dec^2 L_VAE(U, W) - L(U, V(W))."""
    objective, link = formula.args
    return 2 * eta_dec**2 * negative_elbo() - objective.subs(V, link)


def _changing(difference: sympy.Expr, data: ExactData, moved: list[ExactData], variables: str) -> Decision | None:
    """A refutation: an instance at which a difference that should be constant is not."""
    values = [variant.value(difference) for variant in moved]
    for value in values[1:]:
        if not is_exactly_zero(value - values[0]):
            change = sympy.simplify(value - values[0])
            return refuted(data.named(), f"2 eta_dec^2 L_VAE - L changes by {change} with {variables}")
    return None


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


# ------------------------------------------------------------------------------ without the assumptions
def whitens_with_an_eigenvalue_left_out(formula: Basic) -> Decision:
    """Judge equations about the whitened input where Phi and P_A lack one positive eigenvalue of A with its eigenvector."""
    data = next(data for data in data_instances() if data.scalars.d0 > 1)
    kept = data.scalars.d0 - 1
    fewer = {P_A: data.matrices[P_A][:, :kept], Phi: data.matrices[Phi][:kept, :kept]}
    without = ExactData(replace(data.scalars, d0=kept), {**data.matrices, **fewer}, data.points)
    return needed(_failing_equation(formula, _residuals(formula), without))


def whitens_with_an_eigenvalue_zero(formula: Basic) -> Decision:
    """Judge equations about the whitened input where Phi has an eigenvalue 0 as well, and 0^(-1/2) is read as 0."""
    data = next(data for data in data_instances() if data.matrices[P_A].rows > data.scalars.d0)
    null = data.matrices[P_A].T.nullspace()[0]
    more = {P_A: data.matrices[P_A].row_join(null / null.norm()), Phi: sympy.diag(data.matrices[Phi], 0)}
    with_zero = {symbol: sympy.ImmutableDenseMatrix(matrix) for symbol, matrix in more.items()}
    roots = [1 / sympy.sqrt(value) if value else value for value in with_zero[Phi].diagonal()]
    pseudo = MatrixSymbol("Phi_pseudo_inverse_root", *Phi.shape)
    with_zero[pseudo] = sympy.ImmutableDenseMatrix(sympy.diag(*roots))
    residuals = [residual.xreplace({inverse_root_Phi: pseudo}) for residual in _residuals(formula)]
    scalars = replace(data.scalars, d0=data.scalars.d0 + 1)
    return needed(
        _failing_equation(formula, residuals, ExactData(scalars, {**data.matrices, **with_zero}, data.points))
    )


def reduces_objective_of_learned_variance(formula: Basic) -> Decision:
    """Judge (reduced objective, V as a function of W) with Sigma a variable too: the difference must not depend on it."""
    difference = excess(formula)
    for data in data_instances():
        scalars = replace(data.scalars, sigma=tuple(2 * s for s in data.scalars.sigma))
        wider = ExactData(scalars, {**data.matrices, Sigma: 4 * data.matrices[Sigma]}, data.points)
        found = _changing(difference, data, [data, wider], "Sigma, here doubled deviations,")
        if found is not None:
            return found
    return needed(None)


CLAIMS = (
    Claim(
        "notation.whitening",
        "§3, Notation",
        "second moments of the whitened input, its inverse (almost surely, for x drawn from the data), and Z",
        printed=Statement(WHITENING, whitens),
        observable="whitening",
        assumptions=(
            Assumption("Phi holds every positive eigenvalue of A", whitens_with_an_eigenvalue_left_out),
            Assumption("Phi holds no eigenvalue 0", whitens_with_an_eigenvalue_zero),
        ),
    ),
    Claim(
        "prop-1.reduction",
        "§4.1, Proposition 1, Eq 6",
        "for fixed Sigma 2 eta_dec^2 L_VAE is Eq 6 at V = Phi^(1/2) P_A^T W plus a constant: their minimisers correspond",
        printed=Statement(Tuple(EQUATION_6, LINK), reduces_objective),
        observable="reduction",
        uses=("eq-4.elbo", "notation.whitening"),
        assumptions=(Assumption("Sigma is fixed, no variable", reduces_objective_of_learned_variance),),
    ),
)
