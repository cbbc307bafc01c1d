"""What makes the eigenvalues of Z Z^T large: the trend typed a second time, and the other targets that it is tried at."""

from itertools import product

import pytest
import sympy
from sympy import And, Eq, Ge, Gt, Implies, Lt

from derivations.alignment import gamma
from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from derivations.signal_strength import (
    ALIGNMENT,
    aligned,
    aligned_there,
    bound,
    gamma_there,
    grows,
    total,
    total_there,
)

LEDGER = claims_by_id()


def test_signs_of_what_the_sum_of_eigenvalues_is_compared_with():
    """A sum of squares of singular values may be 0; a number that counts as large may not."""
    assert total.is_nonnegative and total.is_positive is None and bound.is_positive
    assert LEDGER["s4.1.large-eigenvalues"].printed.formula.subs({gamma: 0, ALIGNMENT: 0}) == sympy.true


def test_the_trend_typed_again():
    """More of the one at as much of the other has a larger sum: one that is as large is not enough."""
    printed = LEDGER["s4.1.larger-eigenvalues"].printed.formula
    letters = (gamma, gamma_there, aligned, aligned_there, total, total_there)
    for numbers in product((1, 2), repeat=len(letters)):
        strength, stronger, fit, better, here, there = numbers
        more = (stronger > strength and better == fit) or (stronger == strength and better > fit)
        assert bool(printed.subs(dict(zip(letters, numbers, strict=True)))) is (not more or there > here), numbers


@pytest.mark.parametrize(
    "change",
    [
        And(Lt(gamma_there, gamma), Eq(aligned_there, aligned)),
        And(Eq(gamma_there, gamma), Lt(aligned_there, aligned), Gt(aligned_there, 0)),
        And(Eq(gamma_there, gamma), Eq(aligned_there, 0)),
    ],
    ids=["a weaker signal", "a worse alignment", "none"],
)
def test_with_less_of_either_the_sum_is_smaller_somewhere(change):
    decision = grows(Implies(change, Ge(total_there, total)))
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
