"""Every symbol of the theory once, with its shape, its sign and whether it is a standard deviation or a variance.

The letters are the paper's (§3). Scales written eta and sigma are standard deviations; Sigma and Phi hold variances.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Identity, IndexedBase, MatrixExpr, MatrixSymbol, Rational, Symbol

# Dimensions: input D0, rank of the input d0, latent d1, target d2, and dstar = min(d0, d2).
D0, d0, d1, d2 = sympy.symbols("D_0 d_0 d_1 d_2", integer=True, positive=True)
dstar = Symbol("d_*", integer=True, positive=True)
i = Symbol("i", integer=True, positive=True)

# Scalars: KL weight; standard deviations of the decoder and of the prior.
beta, eta_dec, eta_enc = sympy.symbols("beta eta_dec eta_enc", positive=True)
# A term that does not depend on the variable in question (Eq 13).
constant = Symbol("constant", real=True)
# r = E|y|^2 - |Z|^2, the second moment of the target that no linear function of the input explains: constant in L_VAE at a
# fixed eta_dec, not once eta_dec is learned (§4.4).
residual = Symbol("r", nonnegative=True)

# Per mode: singular values of Z (non-increasing; 0 beyond dstar), encoder standard deviations in the latents' own order,
# the same in non-decreasing order, and the mean of one latent.
zeta = IndexedBase("zeta", nonnegative=True)
sigma = IndexedBase("sigma", positive=True)
sigma_sorted = IndexedBase("sigma_sorted", positive=True)
mean = IndexedBase("m", real=True)

# Data: one draw of the input, the target, and the encoder's noise.
x, y, noise = MatrixSymbol("x", D0, 1), MatrixSymbol("y", d2, 1), MatrixSymbol("epsilon", d1, 1)

# The whitened and rotated input, x_white := Phi^(-1/2) P_A^T x (§3).
x_white = MatrixSymbol("x_white", d0, 1)

# Parameters and their reductions (§4.1).
W, U, V = MatrixSymbol("W", D0, d1), MatrixSymbol("U", d2, d1), MatrixSymbol("V", d0, d1)
Sigma, Sigma_sorted = MatrixSymbol("Sigma", d1, d1), MatrixSymbol("Sigma_sorted", d1, d1)

# Second moments: A = E[x x^T] = P_A Phi P_A^T; C = E[y x^T]; S_y = E[y y^T]; Z = E[y x_white^T] = F S_Z G^T.
A, P_A, Phi = MatrixSymbol("A", D0, D0), MatrixSymbol("P_A", D0, d0), MatrixSymbol("Phi", d0, d0)
C, S_y, Z = MatrixSymbol("C", d2, D0), MatrixSymbol("S_y", d2, d2), MatrixSymbol("Z", d2, d0)
F, S_Z, G = MatrixSymbol("F", d2, d2), MatrixSymbol("S_Z", d2, d0), MatrixSymbol("G", d0, d0)
root_Phi, inverse_root_Phi = Phi ** Rational(1, 2), Phi ** Rational(-1, 2)

# Singular-value form of the minimum (Eq 7): U = F Lambda P, V = G Theta P.
Lambda, Theta, P = MatrixSymbol("Lambda", d2, d1), MatrixSymbol("Theta", d0, d1), MatrixSymbol("P", d1, d1)
# The permutation with P_sort Sigma P_sort^T in non-decreasing order.
P_sort = MatrixSymbol("P_sort", d1, d1)

I_latent = Identity(d1)
SYMMETRIC = frozenset({A, Phi, Sigma, Sigma_sorted, S_y})

# The water level's root t^(1/2) with t = beta eta_dec^2, and the weight c of |V|^2 in Eq 6.
root_water = sympy.sqrt(beta) * eta_dec
weight = beta * eta_dec**2 / eta_enc**2


class Mean(sympy.Expr):
    """Expectation over the training data and the encoder's noise of a scalar, quadratic in x, y and noise together."""

    is_commutative = True
    is_real = True

    def _latex(self, printer: Any) -> str:
        return rf"\mathbb{{E}}\left[{printer._print(self.args[0])}\right]"


class MeanMatrix(MatrixExpr):
    """Expectation over the training data of a matrix, quadratic in x and y."""

    @property
    def shape(self) -> tuple[sympy.Expr, sympy.Expr]:
        """The shape of the matrix averaged."""
        rows, columns = self.args[0].shape
        return rows, columns

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> sympy.Expr:
        return Mean(self.args[0][i, j])

    def _latex(self, printer: Any) -> str:
        return rf"\mathbb{{E}}\left[{printer._print(self.args[0])}\right]"


class SquaredNorm(sympy.Expr):
    """Squared Frobenius norm of a matrix (squared Euclidean norm of a column): Tr(M^T M)."""

    is_commutative = True
    is_nonnegative = True

    def _latex(self, printer: Any) -> str:
        return rf"\left\|{printer._print(self.args[0])}\right\|^2"
