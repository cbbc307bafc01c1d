"""Mutants: distinct, well-formed, never the statement itself, the same in every process, and one for every kind of change."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import sympy
from sympy import (
    And,
    Eq,
    Equivalent,
    Implies,
    MatAdd,
    MatMul,
    MatrixExpr,
    Max,
    Min,
    Not,
    Or,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    Trace,
    Transpose,
    Tuple,
    sqrt,
)

from derivations.ledger import CLAIMS
from derivations.mutants import mutants
from derivations.notation import (
    I_latent,
    Mean,
    P,
    P_sort,
    Sigma,
    Sigma_sorted,
    SquaredNorm,
    U,
    V,
    Z,
    beta,
    d0,
    d1,
    d2,
    dstar,
    eta_dec,
    eta_enc,
    i,
    root_Phi,
    sigma,
    sigma_sorted,
    zeta,
)

ROOT = Path(__file__).resolve().parents[2]
a, b = sympy.symbols("a b", real=True)
p, q = sympy.symbols("p q")
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


def formulas(statement: sympy.Basic) -> list[sympy.Basic]:
    return [mutant.formula for mutant in mutants(statement)]


def by_branch(strict: bool) -> Piecewise:
    condition = beta < zeta[i] if strict else beta <= zeta[i]
    return Piecewise((eta_dec / zeta[i], condition), (eta_enc, True))


CHANGES = [
    ("sign of a term", beta + eta_dec, beta - eta_dec),
    ("sign of the whole", sqrt(beta) * eta_dec, -sqrt(beta) * eta_dec),
    ("sign of a component", Tuple(beta, zeta[i]), Tuple(beta, -zeta[i])),
    ("factor 2 of a term", beta + eta_dec, beta + 2 * eta_dec),
    ("factor 2 of the whole", sqrt(beta) * eta_dec, 2 * sqrt(beta) * eta_dec),
    ("factor 2 of a trace", beta * Trace(P), 2 * beta * Trace(P)),
    ("factor 2 of a norm", beta * SquaredNorm(V), 2 * beta * SquaredNorm(V)),
    ("factor 2 of a mean", beta * Mean(SquaredNorm(V)), 2 * beta * Mean(SquaredNorm(V))),
    ("exponent halved", beta**2 + 1, beta + 1),
    ("exponent doubled", sqrt(beta) + 1, beta + 1),
    ("exponent negated", sqrt(beta) + 1, 1 / sqrt(beta) + 1),
    ("exponent of a number negated", sqrt(2) * beta, beta / sqrt(2)),
    ("exponent of a matrix negated", root_Phi * V, root_Phi**-1 * V),
    ("squared", zeta[i] - eta_dec, zeta[i] ** 2 - eta_dec),
    ("dropped term", beta + eta_dec, beta),
    ("dropped factor", beta * eta_dec**2 + 1, eta_dec**2 + 1),
    ("dropped beta", beta / eta_enc, 1 / eta_enc),
    ("dropped matrix", Trace(P * Sigma * P.T), Trace(P * P.T)),
    ("eta swapped", eta_dec / zeta[i], eta_enc / zeta[i]),
    ("sigma swapped for the sorted one", sigma[i] * beta, sigma_sorted[i] * beta),
    ("sorted sigma swapped for sigma", sigma_sorted[i] * beta, sigma[i] * beta),
    ("beta swapped for the decoder's variance", beta / eta_enc, eta_dec**2 / eta_enc),
    ("beta swapped under a root", sqrt(beta) / zeta[i], eta_dec / zeta[i]),
    ("Sigma swapped for the sorted one", Trace(P * Sigma * P.T), Trace(P * Sigma_sorted * P.T)),
    ("sorted Sigma swapped for Sigma", Trace(P * Sigma_sorted * P.T), Trace(P * Sigma * P.T)),
    ("deviations for variances", Trace(P * Sigma * P.T), Trace(P * Sigma ** Rational(1, 2) * P.T)),
    ("no permutation", Tuple(zeta[i], P_sort), Tuple(zeta[i], I_latent)),
    ("the inverse permutation", Tuple(zeta[i], P_sort), Tuple(zeta[i], Transpose(P_sort))),
    ("d2 for d0", beta < d0 / d1, beta < d2 / d1),
    ("d0 for d2", beta < d2 / d1, beta < d0 / d1),
    ("dstar for d1", beta < d0 / d1, beta < d0 / dstar),
    ("d1 for dstar", beta < d0 / dstar, beta < d0 / d1),
    ("another dimension in an index", zeta[d1 + 1] / beta, zeta[dstar + 1] / beta),
    ("another dimension at the end of a range", Sum(zeta[i], (i, 1, d1)), Sum(zeta[i], (i, 1, dstar))),
    ("another dimension at its start", Sum(zeta[i], (i, d1 + 1, d0)), Sum(zeta[i], (i, dstar + 1, d0))),
    ("one dimension of two", Sum(zeta[i], (i, 1, Min(d1, dstar))), Sum(zeta[i], (i, 1, d1))),
    ("branches swapped", by_branch(True), Piecewise((eta_enc, beta < zeta[i]), (eta_dec / zeta[i], True))),
    ("always the first branch", by_branch(True), eta_dec / zeta[i]),
    ("always the second branch", by_branch(True), eta_enc),
    ("strictness of a branch", by_branch(True), by_branch(False)),
    ("Max for Min", sqrt(Max(0, a)), sqrt(Min(0, a))),
    ("Max always one side", sqrt(Max(0, a)), sqrt(a)),
    ("strictness", a <= 0, a < 0),
    ("strictness, the other way", a > 0, a >= 0),
    ("relation negated", a <= 0, a > 0),
    ("index raised", zeta[i] / beta, zeta[i + 1] / beta),
    ("index raised in a condition", zeta[1] <= beta, zeta[2] <= beta),
    ("transpose of a square matrix", Trace(P * Sigma * P), Trace(P * Sigma * P.T)),
    ("transpose dropped", P.T * Sigma * P, P * Sigma * P),
    ("range from later", Sum(zeta[i], (i, 1, d1)), Sum(zeta[i], (i, 2, d1))),
    ("range ends earlier", Sum(zeta[i], (i, 1, d1)), Sum(zeta[i], (i, 1, d1 - 1))),
    (
        "a matrix equation's right side",
        Eq(P * P.T, I_latent, evaluate=False),
        Eq(P * P.T, 2 * I_latent, evaluate=False),
    ),
    ("one conjunct dropped", And(p, q), p),
    ("and for or", And(p, q), Or(p, q)),
    ("or for and", Or(p, q), And(p, q)),
    ("one direction only", Equivalent(p, q), Implies(p, q)),
    ("the other direction only", Equivalent(p, q), Implies(q, p)),
    ("implication reversed", Implies(p, q), Implies(q, p)),
    ("premise negated", Implies(p, q), Implies(Not(p), q)),
    ("negation dropped", Not(p), p),
]


@pytest.mark.parametrize(("statement", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_each_kind_of_change_is_made_where_it_can_be(statement, expected):
    assert expected != statement
    assert expected in formulas(statement)


def test_a_change_deep_in_the_tree_is_made_there():
    statement = Sum(zeta[i] ** 2 - sqrt(Max(0, zeta[i] - sqrt(beta) * sigma[i])), (i, 1, d1)) + U[0, 0]
    expected = Sum(zeta[i] ** 2 - sqrt(Max(0, zeta[i] + sqrt(beta) * sigma[i])), (i, 1, d1)) + U[0, 0]
    assert expected in formulas(statement)


def test_names_say_what_was_changed():
    changes = {mutant.formula: mutant.change for mutant in mutants(beta + eta_dec)}
    assert changes[beta - eta_dec] == "sign of eta_dec"
    assert changes[beta] == "dropped term of eta_dec"
    assert changes[beta + eta_enc] == "eta_dec swapped for eta_enc"


@pytest.mark.parametrize("symmetric", [Trace(Sigma * P), Trace(Sigma)], ids=str)
def test_a_symmetric_matrix_is_not_transposed(symmetric):
    assert not any(part.arg == Sigma for formula in formulas(symmetric) for part in formula.atoms(Transpose))


def test_shapes_that_do_not_fit_are_not_generated():
    found = formulas(U * V.T - Z)
    assert found
    assert not any(MatMul(U, V, evaluate=False) in formula.args or formula == U * V.T * Z for formula in found)
    assert {formula.shape for formula in formulas(U)} == {U.shape}
    assert formulas(Trace(U * V.T * Z.T)) and all(is_consistent(f) for f in formulas(Trace(U * V.T * Z.T)))


def test_shapes_and_bound_indices_are_not_changed():
    tail = Sum(zeta[i], (i, d1 + 1, dstar))
    sizes = {node.shape for formula in formulas(Trace(U * V.T * Z.T)) for node in formula.atoms(sympy.MatrixSymbol)}
    assert sizes == {U.shape, V.shape, Z.shape}
    assert {formula.limits[0][0] for formula in formulas(tail) if isinstance(formula, Sum)} == {i}
    assert Sum(zeta[i], (i, d1 + 1, d1)) not in formulas(tail), "an empty sum is the term dropped"
    assert zeta[1 - d1] not in formulas(zeta[d1 + 1]), "entries are counted from 1"


@each_claim
def test_mutants_of_a_claim_are_distinct_and_none_is_the_statement(claim):
    statement = claim.standing.formula
    found = mutants(statement)
    assert found and all(mutant.change for mutant in found)
    assert len({mutant.formula for mutant in found}) == len(found)
    assert not {statement, sympy.true, sympy.false} & {mutant.formula for mutant in found}


@each_claim
def test_mutants_of_a_claim_are_the_same_again(claim):
    assert mutants(claim.standing.formula) == mutants(claim.standing.formula)


@each_claim
def test_mutants_of_a_claim_have_consistent_shapes(claim):
    assert is_consistent(claim.standing.formula)
    assert all(is_consistent(mutant.formula) for mutant in mutants(claim.standing.formula))


def is_consistent(node: sympy.Basic) -> bool:
    matrices = [part for part in node.args if isinstance(part, MatrixExpr)]
    shapes = [part.shape for part in matrices]
    fits = True
    if isinstance(node, MatMul):
        fits = all(left[1] == right[0] for left, right in pairwise(shapes))
    elif isinstance(node, MatAdd | Eq | sympy.Ne):
        fits = all(shape == shapes[0] for shape in shapes)
    elif isinstance(node, Trace | sympy.MatPow):
        fits = shapes[0][0] == shapes[0][1]
    return fits and all(is_consistent(part) for part in node.args)


LISTING = """
from derivations.ledger import claims_by_id
from derivations.mutants import mutants
for name in ("prop-2.minimum", "prop-2.rotation", "thm-2.minimum", "thm-3.hessian", "prop-1.reduction"):
    for mutant in mutants(claims_by_id()[name].standing.formula):
        print(name, mutant.change, mutant.formula)
"""


def test_mutants_are_the_same_in_every_process():
    """Hash seeds reorder sets, and SymPy's lattice operations keep their arguments in one."""
    listings = [
        subprocess.run(
            [sys.executable, "-c", LISTING],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert listings[0].count("\n") > 100
    assert listings[0] == listings[1]


def test_there_is_no_mutant_of_a_mere_truth_value():
    assert mutants(sympy.true) == []
    assert [mutant.formula for mutant in mutants(Symbol("truth"))]
