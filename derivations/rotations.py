"""Which rotations P of latent space keep the minimum (§4.1, Proposition 2; §4.3, Theorem 2).

A condition on P is judged as an equivalence: it must hold for exactly those P at which (F Lambda P, G Theta P) is a minimum. The
lengths lambda_i and theta_i are those of the proved minima.
"""

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
    MatrixExpr,
    MatrixSymbol,
    Trace,
    ZeroMatrix,
    diag,
)

from derivations.claim import Claim, Decision, Statement, Step, Verdict, conclude
from derivations.instances import Instance
from derivations.least_loss import ORTHOGONAL, REDUCED, candidate_step
from derivations.matrix_calculus import Facts, gradient, matrix_normal_form
from derivations.notation import (
    I_latent,
    Lambda,
    P,
    Sigma,
    Sigma_sorted,
    Theta,
    U,
    V,
    d1,
    eta_enc,
    i,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, margin, zero
from derivations.proposition_2_fixed_variance import CORRECTED_8
from derivations.rotation_witnesses import refuting_rotation
from derivations.theorem_2_learned_variance import (
    EQUATION_17_18,
    best_variance,
    best_variance_steps,
    minimises_learned_variance,
    water,
)

# ------------------------------------------------------------------------------------------ as printed
ARBITRARY = Eq(P * P.T, I_latent, evaluate=False)
"""P is an arbitrary orthogonal matrix."""
CORRECTED_FIXED = And(
    ARBITRARY, Eq(Lambda.T * Lambda * P * Sigma * P.T, Lambda.T * Lambda * Sigma_sorted, evaluate=False)
)
GRAM = P.T * Lambda.T * Lambda * P
CORRECTED_LEARNED = And(ARBITRARY, Eq(GRAM, DiagonalMatrix(GRAM), evaluate=False))

# -------------------------------------------------------------------------------- from the definitions
STATIONARY: Facts = (*ORTHOGONAL, (Theta.T * Theta, Lambda.T * Lambda * Sigma_sorted / weight))
"""Where every mode is stationary, c theta_i^2 = sigma_(i)^2 lambda_i^2."""


def keeps_fixed_minimum(formula: Basic) -> Decision:
    """Judge a condition on P for (F Lambda P, G Theta P) to minimise Eq 6, with lambda_i, theta_i of the corrected Eq 8.

    Only Tr(U Sigma U^T) depends on P.
    """

    def cost(instance: Instance, squares: list[Expr], rotation: ImmutableDenseMatrix) -> Expr:
        rotated = rotation * diag(*(s**2 for s in instance.sigma)) * rotation.T
        return sum((square * rotated[k, k] for k, square in enumerate(squares)), sympy.S.Zero)

    found = refuting_rotation(formula, CORRECTED_8, cost, "Tr(U Sigma U^T)", learned=False)
    if found is not None:
        return found
    required = Lambda.T * Lambda * P * Sigma * P.T - Lambda.T * Lambda * Sigma_sorted
    return conclude(
        [
            *stationarity_steps(),
            candidate_step(),
            equal(
                "where the condition holds, the rotated term is at its bound",
                Trace(Lambda.T * Lambda * P * Sigma * P.T),
                Trace(Lambda.T * Lambda * Sigma_sorted),
                ((Lambda.T * Lambda * P * Sigma * P.T, Lambda.T * Lambda * Sigma_sorted),),
            ),
            *mode_balance_steps(),
            *conjunct_steps(formula, required),
        ]
    )


@lru_cache(maxsize=1)
def stationarity_steps() -> tuple[Step, ...]:
    """At every stationary point U^T U Sigma = c V^T V; at U = F Lambda P, V = G Theta P this is the condition on P."""
    difference = U.T * gradient(REDUCED, U) - (V.T * gradient(REDUCED, V)).T
    gram = P.T * Lambda.T * Lambda * P
    return (
        equal(
            "the two gradients combine to U^T U Sigma = c V^T V", difference, 2 * (U.T * U * Sigma - weight * V.T * V)
        ),
        equal(
            "rotated back by P this is Lambda^T Lambda P Sigma P^T = c Theta^T Theta = Lambda^T Lambda Sigma_sorted",
            P * (gram * Sigma - weight * P.T * Theta.T * Theta * P) * P.T,
            Lambda.T * Lambda * P * Sigma * P.T - Lambda.T * Lambda * Sigma_sorted,
            STATIONARY,
        ),
    )


@lru_cache(maxsize=1)
def mode_balance_steps() -> tuple[Step, ...]:
    """c theta_i^2 = sigma_(i)^2 lambda_i^2 for the lengths of the corrected Eq 8, in every regime."""
    lengths = CORRECTED_8.args
    threshold = sigma_sorted[i] * sympy.sqrt(weight)
    return tuple(
        zero(
            f"c theta^2 = sigma^2 lambda^2 ({name})",
            (weight * lengths[1] ** 2 - sigma_sorted[i] ** 2 * lengths[0] ** 2).xreplace({zeta[i]: value}),
        )
        for name, value in (
            ("above the threshold", threshold * (1 + margin**2)),
            ("at the threshold", threshold),
            ("below the threshold", threshold / (1 + margin)),
        )
    )


def conjunct_steps(formula: Basic, required: MatrixExpr) -> list[Step]:
    """The condition says exactly: P is orthogonal, and `required` vanishes."""
    conjuncts = formula.args if isinstance(formula, And) else (formula,)
    equations = [part for part in conjuncts if isinstance(part, Eq)]
    found = [part for part in equations if _same_equation(part, required)]
    orthogonal = [
        part for part in equations if any(_same_equation(part, gram - I_latent) for gram in (P * P.T, P.T * P))
    ]
    exact = isinstance(formula, And) and len(conjuncts) == 2 and len(found) == len(orthogonal) == 1
    return [
        Step(
            "the condition is this equation, for orthogonal P", formula, Verdict.PROVED if exact else Verdict.UNDECIDED
        )
    ]


def _same_equation(equation: Eq, required: MatrixExpr) -> bool:
    """Whether an equation between matrices is a nonzero multiple of required = 0."""
    residual, target = matrix_normal_form(equation.lhs - equation.rhs), matrix_normal_form(required)
    if residual.keys() != target.keys():
        return False
    return len({sympy.simplify(residual[word] / target[word]) for word in target}) == 1


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
        zero(
            "c theta^2 (1/eta_enc^2 + lambda^2/t) = lambda^2 for an active mode, 0 = 0 for a collapsed one",
            (weight * lengths[1] ** 2 * (1 / eta_enc**2 + lengths[0] ** 2 / water) - lengths[0] ** 2).xreplace(active),
        ),
        equal(
            "c V^T V (I/eta_enc^2 + X/t) = X",
            weight * encoder_gram * (I_latent / eta_enc**2 + gram / water),
            gram,
            (*ORTHOGONAL, weighted),
        ),
        equal("c V^T V is symmetric, so that X Sigma = Sigma X", (V.T * V).T, V.T * V),
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
        zero(
            "Tr X (X - D) is the sum of the squared off-diagonal entries (written out in 3 x 3)",
            (X * (X - D)).trace() - off_diagonal,
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
        zero(
            "a rotation keeps the determinant (written out in 2 x 2)", rest.det() - rotation.det() ** 2 * square.det()
        ),
        zero("the best variance of a collapsed column is the prior's", best_variance(sympy.S.Zero) - eta_enc**2),
    )


CLAIMS = (
    Claim(
        "prop-2.rotation",
        "§4.1, Proposition 2",
        "(F Lambda P, G Theta P) minimises Eq 6 for every orthogonal P: read as, exactly when P is orthogonal",
        printed=Statement(ARBITRARY, keeps_fixed_minimum),
        corrected=Statement(CORRECTED_FIXED, keeps_fixed_minimum),
        observable="fixed_rotation",
        uses=("prop-2.minimum",),
        assumptions=("Sigma is fixed, diagonal and positive",),
    ),
    Claim(
        "thm-2.rotation",
        "§4.3, Theorem 2",
        "(F Lambda P, G Theta P) is a global minimum with some diagonal Sigma for every orthogonal P",
        printed=Statement(ARBITRARY, keeps_learned_minimum),
        corrected=Statement(CORRECTED_LEARNED, keeps_learned_minimum),
        observable="learned_rotation",
        uses=("thm-2.minimum",),
        assumptions=("Sigma is learned, diagonal",),
    ),
)
