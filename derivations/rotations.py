"""Which rotations P of latent space keep the minimum for a fixed Sigma (§4.1, Proposition 2).

A condition on P is judged as an equivalence: it must hold for exactly those P at which (F Lambda P, G Theta P) is a minimum. The
lengths lambda_i and theta_i are those of the proved minima.
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Expr, ImmutableDenseMatrix, MatrixExpr, Trace, diag

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, Verdict, conclude
from derivations.instances import Instance
from derivations.least_loss import candidate_step
from derivations.matrix_calculus import matrix_normal_form
from derivations.notation import (
    I_latent,
    Lambda,
    P,
    Sigma,
    Sigma_sorted,
    i,
    sigma_sorted,
    weight,
    zeta,
)
from derivations.proof import equal, margin, same, written_out
from derivations.proposition_2_fixed_variance import CORRECTED_8
from derivations.rotation_witnesses import refuting_rotation
from derivations.uniqueness import stationarity_steps

# ------------------------------------------------------------------------------------------ as printed
ARBITRARY = Eq(P * P.T, I_latent, evaluate=False)
"""P is an arbitrary orthogonal matrix."""
CORRECTED_FIXED = And(
    ARBITRARY, Eq(Lambda.T * Lambda * P * Sigma * P.T, Lambda.T * Lambda * Sigma_sorted, evaluate=False)
)


# -------------------------------------------------------------------------------- from the definitions
def keeps_fixed_minimum(formula: Basic) -> Decision:
    """Judge a condition on P for (F Lambda P, G Theta P) to minimise Eq 6, with lambda_i, theta_i of the corrected Eq 8.

    Only Tr(U Sigma U^T) depends on P.
    """
    found = refuted_for_fixed_variance(formula)
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
            *every_rotation_steps(),
            *conjunct_steps(formula, required),
        ]
    )


def refuted_for_fixed_variance(formula: Basic) -> Decision | None:
    """A refutation: a rational P that meets the condition and is no minimum of Eq 6, or the reverse."""

    def cost(instance: Instance, squares: list[Expr], rotation: ImmutableDenseMatrix) -> Expr:
        rotated = rotation * diag(*(s**2 for s in instance.sigma)) * rotation.T
        return sum((square * rotated[k, k] for k, square in enumerate(squares)), sympy.S.Zero)

    return refuting_rotation(formula, CORRECTED_8, cost, "Tr(U Sigma U^T)", learned=False)


@lru_cache(maxsize=1)
def mode_balance_steps() -> tuple[Step, ...]:
    """c theta_i^2 = sigma_(i)^2 lambda_i^2 for the lengths of the corrected Eq 8, in every regime."""
    lengths = CORRECTED_8.args
    threshold = sigma_sorted[i] * sympy.sqrt(weight)
    return tuple(
        same(
            f"c theta^2 = sigma^2 lambda^2 ({name})",
            weight * lengths[1] ** 2,
            sigma_sorted[i] ** 2 * lengths[0] ** 2,
            {zeta[i]: value},
        )
        for name, value in (
            ("above the threshold", threshold * (1 + margin**2)),
            ("at the threshold", threshold),
            ("below the threshold", threshold / (1 + margin)),
        )
    )


@lru_cache(maxsize=1)
def every_rotation_steps() -> tuple[Step, ...]:
    """Every orthogonal P meets the condition iff Sigma = s^2 I or Lambda = 0: an active latent can be turned with any other."""
    one, other, cosine, sine, common = sympy.symbols("v_1 v_j c s s^2", positive=True)
    turn = sympy.Matrix([[cosine, -sine], [sine, cosine]])
    turned = (turn * sympy.diag(one, other) * turn.T)[0, 1]
    return (
        equal(
            "where Sigma = s^2 I every orthogonal P meets the condition",
            Lambda.T * Lambda * P * (common * I_latent) * P.T,
            Lambda.T * Lambda * common * I_latent,
            ((P * P.T, I_latent),),
        ),
        written_out(
            "a turn of an active latent and another leaves an entry of P Sigma P^T beside the diagonal, which is 0 iff their "
            "variances agree",
            turned,
            cosine * sine * (one - other),
        ),
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


CLAIMS = (
    Claim(
        "prop-2.rotation",
        "§4.1, Proposition 2",
        "(F Lambda P, G Theta P) minimises Eq 6 for every orthogonal P (a P that is not orthogonal is not admitted)",
        printed=Statement(ARBITRARY, keeps_fixed_minimum),
        corrected=Statement(CORRECTED_FIXED, keeps_fixed_minimum),
        observable="fixed_rotation",
        uses=("prop-2.minimum",),
        erratum=Erratum(
            "P is an arbitrary orthogonal matrix",
            "P is orthogonal with ΛᵀΛ P Σ Pᵀ = ΛᵀΛ Σ_sorted; every orthogonal P iff Σ = σ²I or Λ = 0",
            Severity.CONCLUSION,
        ),
    ),
)
