"""The encoders W that belong to one (U*, V*) (§4.1, after Proposition 1): a manifold where the data have low rank."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Eq, Equivalent, Expr, Gt, Identity, Implies, Lt, MatrixSymbol, Symbol, Trace, Tuple

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted
from derivations.elbo import negative_elbo
from derivations.exact_data import ExactData, data_instances, exact_data
from derivations.notation import D0, P_A, Phi, V, W, d0, d1, d2, dstar, inverse_root_Phi
from derivations.proof import equal, same, true
from derivations.proposition_1_reduction import CROSS_MOMENT, LINK, SPECTRAL

dimension = Symbol("dimension", real=True)
"""The value of the dimension of the solutions W of Phi^(1/2) P_A^T W = V*."""

# ------------------------------------------------------------------------------------------ as printed
MANIFOLD = Tuple(d1 * (D0 - d0), Implies(Lt(d0, D0), Gt(dimension, 0)))
"""The dimension is ours: the sentence says that there is a manifold of them, of more than one point, where d0 < D0."""

THE_SOLUTION = Tuple(d1 * (D0 - d0), Eq(dimension, 0))

# ------------------------------------------------------------------------------------------ as corrected
ONE_SOLUTION = Tuple(d1 * (D0 - d0), Equivalent(Eq(dimension, 0), Eq(d0, D0)))

# -------------------------------------------------------------------------------- from the definitions
OUTSIDE = Identity(D0) - P_A * P_A.T
"""The projection onto the null space of A."""


@lru_cache(maxsize=1)
def low_and_full_rank() -> tuple[ExactData, ...]:
    """Exact data with null spaces of A of dimension 0, 1 and 2."""
    found = data_instances()
    small = found[0].scalars
    wide = replace(small, zeta=small.zeta[:1], d2=1)
    more = [exact_data(data.scalars, seed=20 + k, kernel=2) for k, data in enumerate(found[:4])]
    least = replace(wide, sigma=small.sigma[:1], d0=1)
    single = [exact_data(scalars, seed=30 + kernel, kernel=kernel) for scalars in (least, wide) for kernel in (0, 1)]
    return (*single, *found, *more)


@lru_cache(maxsize=64)
def nullity(data: ExactData) -> int:
    """The dimension of the null space of W -> Phi^(1/2) P_A^T W, by elimination in the matrix of this map."""
    basis = data.matrices[P_A]
    root = sympy.diag(*(sympy.sqrt(data.matrices[Phi][k, k]) for k in range(basis.cols)))
    one_column = sympy.Matrix(root * basis.T)
    everything = sympy.kronecker_product(one_column, sympy.eye(data.scalars.d1))
    return int(everything.cols - everything.rank())


@lru_cache(maxsize=1)
def solution_steps() -> tuple[Step, ...]:
    """The solutions are an affine space, one solution plus every N with P_A^T N = 0, and L_VAE is the same on all of it."""
    anywhere = MatrixSymbol("K", D0, d1)
    particular = P_A * inverse_root_Phi * V
    loss = sympy.Add(*(term for term in sympy.Add.make_args(negative_elbo()) if term.has(W)))
    return (
        equal(
            "P_A Phi^(-1/2) V + (I - P_A P_A^T) K solves the equation for every K",
            LINK.subs(W, particular + OUTSIDE * anywhere),
            V,
            SPECTRAL,
        ),
        equal("and every solution is of this form, with K = W", particular.subs(V, LINK) + OUTSIDE * W, W, SPECTRAL),
        equal("I - P_A P_A^T is a projection", OUTSIDE * OUTSIDE, OUTSIDE, SPECTRAL),
        equal("an orthogonal one, of rank its trace", OUTSIDE.T, OUTSIDE),
        equal("its trace", Trace(OUTSIDE), D0 - d0, SPECTRAL),
        equal(
            "the loss is the same at W + (I - P_A P_A^T) K", loss.subs(W, W + OUTSIDE * anywhere), loss, CROSS_MOMENT
        ),
    )


def counts_solutions(formula: Basic) -> Decision:
    """Judge (dimension of the solutions W, a Boolean of its value, d0 and D0)."""
    stated, statement = formula.args
    for data in low_and_full_rank():
        sizes = _sizes(data)
        here, there = stated.xreplace(sizes), nullity(data)
        shown = {str(size).replace("_", ""): sizes[size] for size in (D0, d0, d1, d2)}
        shown |= {"P_A": data.matrices[P_A].tolist(), "Phi": data.matrices[Phi].tolist()}
        if here != there:
            return refuted(shown, f"the solutions W have dimension {there}, and the formula gives {here}")
        if statement.subs(sizes | {dimension: there}) != sympy.true:
            return refuted(shown, f"the dimension is {there}, where the statement {statement} is false")
    surplus = Symbol("surplus", integer=True, positive=True)
    projected = d1 * (D0 - d0)
    cases: tuple[tuple[str, Expr], ...] = (("D0 = d0", d0), ("D0 > d0", d0 + surplus))
    return conclude(
        [
            *solution_steps(),
            same("one projection for each of the d1 columns of W", stated, projected),
            *(
                true(
                    f"the statement is true where {name}", statement, {D0: value, dimension: projected.subs(D0, value)}
                )
                for name, value in cases
            ),
        ]
    )


def _sizes(data: ExactData) -> dict[Basic, Expr]:
    found = {D0: data.matrices[P_A].rows, d0: data.scalars.d0, d1: data.scalars.d1, d2: data.scalars.d2}
    return {size: sympy.Integer(value) for size, value in (found | {dstar: min(found[d0], found[d2])}).items()}


CLAIMS = (
    Claim(
        "prop-1.manifold",
        "§4.1, after Proposition 1",
        "the W with Phi^(1/2) P_A^T W = V* are an affine space on which L_VAE is constant: its dimension, which is positive "
        "where the data have low rank, d0 < D0",
        printed=Statement(MANIFOLD, counts_solutions),
        observable="solution_manifold",
        uses=("prop-1.reduction",),
    ),
    Claim(
        "thm-2.solution",
        "§4.3, Theorem 2, Eq 16",
        "W* is the solution of Phi^(1/2) P_A^T W = V*: there is one only",
        printed=Statement(THE_SOLUTION, counts_solutions),
        corrected=Statement(ONE_SOLUTION, counts_solutions),
        observable="solution_manifold",
        uses=("prop-1.reduction",),
        erratum=Erratum(
            "W* is the solution of Phi^(1/2) P_A^T W = V*",
            "it is one solution of d1 (D0 - d0) dimensions of them, all as good (prop-1.manifold): the only one iff d0 = D0, "
            "that is if A has full rank",
            Severity.CONDITION,
        ),
    ),
)
