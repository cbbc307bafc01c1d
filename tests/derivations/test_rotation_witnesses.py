"""The rational rotations at which conditions on P are tried: of every kind, and with a permutation its inverse."""

import pytest
from sympy import And, DiagonalMatrix, Eq, Identity, ImmutableDenseMatrix, Integer, Ne, Or, diag, eye
from watched_proofs import prove_watching

from derivations import rotation_witnesses
from derivations.claim import Verdict
from derivations.instances import Instance
from derivations.notation import P, Sigma, Sigma_sorted, beta, eta_dec, i, zeta
from derivations.proof import margin
from derivations.rotation_witnesses import _explicit, _holds, rotations
from derivations.rotations import ARBITRARY, keeps_fixed_minimum
from derivations.rotations_learned import CORRECTED_LEARNED, keeps_minimum_of_any_covariance


@pytest.mark.parametrize("size", [2, 3])
def test_rotations_of_every_kind_are_tried(size):
    found = rotations(size)
    orthogonal = [P for P in found if P * P.T == eye(size)]
    assert 0 < len(orthogonal) < len(found) and {P.det() for P in orthogonal} == {1, -1}
    assert all(entry.is_Rational for P in found for entry in P)
    assert any(all(entry != 0 for entry in P) for P in orthogonal), "one that mixes all latents"


@pytest.mark.parametrize("size", [3, 4])
def test_with_a_permutation_its_inverse_is_tried(size):
    """P Sigma P^T and P^T Sigma P sort by one and by the other."""
    permutations = {P for P in rotations(size) if all(entry in (0, 1) for entry in P) and P.det() != 0}
    assert {P.T for P in permutations} == permutations
    assert any(P != P.T for P in permutations)


def test_lengths_of_an_active_mode_are_related_at_any_distance_from_its_threshold():
    cases = []

    def keep(text, formula, answer, case):
        if "for an active mode; a collapsed one" in text:
            cases.append(case)

    prove_watching("thm-2.rotation", "_decided", keep)
    (case,) = cases
    excess = (case[zeta[i]] ** 2 - beta * eta_dec**2).expand()
    assert excess.is_positive and excess.has(margin)


def test_a_condition_that_asks_for_more_than_a_minimum_does_is_refuted():
    """Where a latent has collapsed its deviation may be at any place: P Sigma P^T need not be sorted."""
    stricter = And(ARBITRARY, Eq(P * Sigma * P.T, Sigma_sorted, evaluate=False))
    decision = keeps_fixed_minimum(stricter)
    assert decision.verdict is Verdict.REFUTED and "fails the condition" in decision.witness.failure


def test_the_determinant_of_any_covariance_by_hand(monkeypatch):
    """With the lengths of Theorem 2 it is the product of the zeta_i^2/t of active modes, whatever eta_enc and P are: 16 times 9."""
    one = Integer(1)
    case = Instance((Integer(4), Integer(3)), (one, Integer(2)), one, one, Integer(2), 2, 2)
    monkeypatch.setattr(rotation_witnesses, "_cases", lambda: [case])
    decision = keeps_minimum_of_any_covariance(CORRECTED_LEARNED)
    assert decision.verdict is Verdict.REFUTED
    assert decision.witness.failure.endswith("is 144 there and 144 at the minimum")


def test_equations_of_matrices_are_written_out():
    """Of a rotation by a right angle and a diagonal matrix, by hand."""
    turn, spread = ImmutableDenseMatrix([[0, -1], [1, 0]]), ImmutableDenseMatrix(diag(2, 3))
    values = {P: turn, Sigma: spread}
    one = Identity(P.rows)
    for expression, expected in (
        (P**2, -eye(2)),
        (P**-1, turn.T),
        (P * Sigma * P.T, diag(3, 2)),
        (2 * Sigma + P, ImmutableDenseMatrix([[4, -1], [1, 6]])),
        (DiagonalMatrix(Sigma + P), spread),
        (Sigma - one, diag(1, 2)),
    ):
        assert _explicit(expression, values) == expected, expression
    true, false = Eq(P.T * P, one), Eq(P * Sigma, Sigma * P)
    assert _holds(true, values) and not _holds(false, values)
    assert _holds(Ne(P * Sigma, Sigma * P), values) and not _holds(Ne(P.T * P, one), values)
    assert _holds(Or(true, false), values) and not _holds(And(true, false), values)
