"""Which rotations P of latent space keep the minimum with a learned Sigma (§4.3, Theorem 2); see `rotations`."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import (
    And,
    Basic,
    DiagonalMatrix,
    Eq,
    Expr,
    ImmutableDenseMatrix,
    MatMul,
    MatrixSymbol,
    Symbol,
    Trace,
    Transpose,
    ZeroMatrix,
    diag,
    eye,
)

from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, Step, conclude, needed
from derivations.instances import Instance
from derivations.least_loss import ORTHOGONAL
from derivations.notation import I_latent, Lambda, P, Sigma, Sigma_sorted, Theta, V, d1, eta_enc, i, weight, zeta
from derivations.proof import equal, in_size, margin, same, written_out
from derivations.rotation_witnesses import refuting_rotation
from derivations.rotations import ARBITRARY, conjunct_steps, refuted_for_fixed_variance
from derivations.theorem_2_learned_variance import (
    EQUATION_17_18,
    best_variance,
    best_variance_steps,
    minimises_learned_variance,
    water,
)
from derivations.uniqueness import stationarity_steps

# ------------------------------------------------------------------------------------------ as printed
GRAM = P.T * Lambda.T * Lambda * P
CORRECTED_LEARNED = And(ARBITRARY, Eq(GRAM, DiagonalMatrix(GRAM), evaluate=False))

# -------------------------------------------------------------------------------- from the definitions
_length = Symbol("n", nonnegative=True)
"""The squared norm of one column of U."""


def keeps_learned_minimum(formula: Basic) -> Decision:
    """Judge a condition on P for (F Lambda P, G Theta P) to minimise L_VAE with some diagonal Sigma, lengths of Eq 17-18.

    With the best Sigma the loss depends on P through prod_i (1 + eta_enc^2 |u_i|^2 / t), u_i the columns of U.
    """

    def cost(instance: Instance, squares: list[Expr], rotation: ImmutableDenseMatrix) -> Expr:
        scale = instance.value(eta_enc**2 / water)
        gram = rotation.T * diag(*squares) * rotation
        return sympy.Mul(*(1 + scale * gram[k, k] for k in range(instance.d1)))

    product = "prod_i (1 + eta_enc^2 |u_i|^2 / t)"
    found = refuting_rotation(formula, EQUATION_17_18, cost, product, learned=True)
    if found is not None:
        return found
    return conclude(
        [
            *minimises_learned_variance(EQUATION_17_18).steps,
            *best_variance_steps(),
            *stationarity_steps()[:1],
            *orthogonal_column_steps(),
            *conjunct_steps(formula, GRAM - DiagonalMatrix(GRAM)),
        ]
    )


@lru_cache(maxsize=1)
def orthogonal_column_steps() -> tuple[Step, ...]:
    """X = U^T U, D its diagonal: a minimum has X (X - D) = 0, hence X = D; and X = D suffices.

    Sigma^-1 = I/eta_enc^2 + D/t and X Sigma = c V^T V, which is symmetric, so X commutes with Sigma and D. Since V = G Theta P has
    c V^T V (I/eta_enc^2 + X/t) = X, it follows that X Sigma (X - D) = 0.
    """
    weighted = (
        Theta.T * Theta * Lambda.T * Lambda,
        water / weight * Lambda.T * Lambda - water / eta_enc**2 * Theta.T * Theta,
    )
    gram, encoder_gram = GRAM, P.T * Theta.T * Theta * P
    lengths = EQUATION_17_18.args
    active = {zeta[i]: sympy.sqrt(water) * sympy.sqrt(1 + margin**2)}
    X = sympy.Matrix(3, 3, lambda a, b: sympy.Symbol(f"x_{min(a, b)}{max(a, b)}", real=True))
    D = diag(*(X[k, k] for k in range(3)))
    off_diagonal = 2 * sum(X[a, b] ** 2 for a in range(3) for b in range(a))
    gram_symbol, diagonal, best = (MatrixSymbol(name, d1, d1) for name in ("X", "D", "S"))
    inverse_scale = water / eta_enc**2
    stationary = (
        (gram_symbol * Sigma * gram_symbol, water * gram_symbol - inverse_scale * gram_symbol * Sigma),
        (Sigma * diagonal, water * I_latent - inverse_scale * Sigma),
    )
    best_for_lengths = (best * Lambda.T * Lambda, water * I_latent - inverse_scale * best)
    rotation = sympy.Matrix(2, 2, sympy.symbols("p:4", real=True))
    square = sympy.Matrix(2, 2, sympy.symbols("q:4", real=True))
    rest = rotation.T * square * rotation
    return (
        same(
            "c theta^2 (1/eta_enc^2 + lambda^2/t) = lambda^2 for an active mode; a collapsed one has lambda = theta = 0",
            weight * lengths[1] ** 2 * (1 / eta_enc**2 + lengths[0] ** 2 / water),
            lengths[0] ** 2,
            active,
        ),
        equal(
            "c V^T V (I/eta_enc^2 + X/t) = X",
            weight * encoder_gram * (I_latent / eta_enc**2 + gram / water),
            gram,
            (*ORTHOGONAL, weighted),
        ),
        equal("c V^T V is symmetric, so that X Sigma = Sigma X", Transpose(V.T * V), V.T * V),
        equal(
            "X Sigma (I/eta_enc^2 + X/t) = X and Sigma (I/eta_enc^2 + D/t) = I give X Sigma (X - D) = 0",
            gram_symbol * Sigma * (gram_symbol - diagonal),
            ZeroMatrix(d1, d1),
            stationary,
        ),
        equal(
            "hence Sigma X (X - D) = 0, and X (X - D) = 0 since Sigma is invertible",
            gram_symbol * Sigma * (gram_symbol - diagonal),
            Sigma * gram_symbol * (gram_symbol - diagonal),
            ((gram_symbol * Sigma, Sigma * gram_symbol),),
        ),
        in_size(
            "3 x 3",
            written_out(
                "Tr X (X - D) is the sum of the squared off-diagonal entries",
                Trace(MatMul(X, X - D, evaluate=False)),
                off_diagonal,
            ),
        ),
        equal(
            "if X is diagonal, Sigma = P^T S P with S the best one for Lambda costs the same",
            Trace(Lambda * P * Sigma * P.T * Lambda.T),
            Trace(Lambda * Sigma_sorted * Lambda.T),
            (*ORTHOGONAL, (Sigma, P.T * Sigma_sorted * P)),
        ),
        equal(
            "this Sigma is the inverse of I/eta_enc^2 + X/t, hence diagonal if X is",
            (P.T * best * P) * (I_latent / eta_enc**2 + gram / water),
            I_latent,
            (*ORTHOGONAL, best_for_lengths),
        ),
        equal("and its trace is that of S", Trace(P.T * best * P), Trace(best), ORTHOGONAL),
        in_size("2 x 2", same("a rotation keeps the determinant", rest.det(), rotation.det() ** 2 * square.det())),
        same(
            "the best variance of a collapsed column is the prior's",
            best_variance(_length),
            eta_enc**2,
            {_length: sympy.S.Zero},
        ),
    )


# ------------------------------------------------------------------------------ without the assumptions
def keeps_any_fixed_minimum(formula: Basic) -> Decision:
    """Judge a condition on P where Sigma is not learned, with the lengths of that minimum."""
    return needed(refuted_for_fixed_variance(formula))


def keeps_minimum_of_any_covariance(formula: Basic) -> Decision:
    """Judge a condition on P where Sigma need not be diagonal: the best one for U is (I/eta_enc^2 + U^T U/t)^-1.

    With it the loss depends on P through det(I + eta_enc^2 U^T U / t), hence not at all where P is orthogonal.
    """

    def cost(instance: Instance, squares: list[Expr], rotation: ImmutableDenseMatrix) -> Expr:
        gram = rotation.T * diag(*squares) * rotation
        return (eye(instance.d1) + instance.value(eta_enc**2 / water) * gram).det()

    return needed(refuting_rotation(formula, EQUATION_17_18, cost, "det(I + eta_enc^2 U^T U / t)", learned=True))


CLAIMS = (
    Claim(
        "thm-2.rotation",
        "§4.3, Theorem 2",
        "(F Lambda P, G Theta P) is a global minimum with some diagonal Sigma for every orthogonal P",
        printed=Statement(ARBITRARY, keeps_learned_minimum),
        corrected=Statement(CORRECTED_LEARNED, keeps_learned_minimum),
        observable="learned_rotation",
        uses=("thm-2.minimum",),
        assumptions=(
            Assumption("Sigma is learned", keeps_any_fixed_minimum),
            Assumption("Sigma is diagonal", keeps_minimum_of_any_covariance),
        ),
        erratum=Erratum(
            "P is an arbitrary orthogonal matrix",
            "P is orthogonal with PᵀΛᵀΛP diagonal: the columns of U stay orthogonal, and the σ_i of Eq 19 move with them",
            Severity.CONCLUSION,
        ),
    ),
)
