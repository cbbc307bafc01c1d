"""Equivalences and comparisons of roots, decided for all values of their symbols."""

import pytest
import sympy
from sympy import Equivalent, Ge, Gt, Implies, Le, Lt, sqrt, symbols

from derivations.proof import holds, nonnegative, positive

a, b, rise = symbols("a b rise", positive=True)
real = symbols("real", real=True)
TRUE, FALSE, OPEN = (Gt(a + b, a, evaluate=False), Lt(a + b, a, evaluate=False), Gt(real, a, evaluate=False))


def equivalent(*parts: sympy.Basic) -> sympy.Basic:
    return Equivalent(*parts, evaluate=False)


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ((TRUE, Gt(b, 0, evaluate=False)), True),
        ((FALSE, Lt(b, 0, evaluate=False)), True),
        ((TRUE, FALSE), False),
        ((TRUE, OPEN), None),
        ((FALSE, OPEN), None),
        ((TRUE, Gt(b, 0, evaluate=False), FALSE), False),
        ((TRUE, Gt(b, 0, evaluate=False), Gt(a, 0, evaluate=False)), True),
        ((TRUE, FALSE, OPEN), None),
    ],
)
def test_an_equivalence(parts, answer):
    assert holds(equivalent(*parts)) is answer


@pytest.mark.parametrize(
    ("premise", "conclusion", "answer"),
    [
        (FALSE, TRUE, True),
        (FALSE, FALSE, True),
        (FALSE, OPEN, True),
        (TRUE, TRUE, True),
        (TRUE, FALSE, False),
        (TRUE, OPEN, None),
        (OPEN, TRUE, True),
        (OPEN, FALSE, None),
        (OPEN, OPEN, None),
    ],
)
def test_an_implication(premise, conclusion, answer):
    assert holds(Implies(premise, conclusion, evaluate=False)) is answer


@pytest.mark.parametrize(
    ("relation", "answer"),
    [
        (Ge(sqrt(a**2 + b**2), a), True),
        (Lt(sqrt(a**2 + b**2), a), False),
        (Le(sqrt(a), sqrt(a + rise)), True),
        (Gt(sqrt(a), sqrt(a + rise)), False),
        (Le(sqrt(a) * sqrt(b), (a + b)), True),
    ],
    ids=str,
)
def test_lengths_compare_as_their_squares_do(relation, answer):
    assert holds(relation) is answer


def test_a_conjunction_holds_where_all_its_parts_do_and_a_disjunction_where_one_does() -> None:
    also_true, also_false = Gt(a + b, b, evaluate=False), Lt(a + b, b, evaluate=False)
    for connective, decisive, others in (
        (sympy.And, FALSE, (TRUE, also_true)),
        (sympy.Or, TRUE, (FALSE, also_false)),
    ):
        both = connective(*others, evaluate=False)
        assert len(both.args) == 2
        assert holds(both) is (others[0] is TRUE)
        for other in (others[0], OPEN):
            assert holds(connective(other, decisive, evaluate=False)) is (decisive is TRUE)
        assert holds(connective(OPEN, others[0], evaluate=False)) is None


def test_a_step_shows_the_relation_that_was_decided() -> None:
    assert nonnegative("", a - 1).formula == Ge(a - 1, 0, evaluate=False)
    assert positive("", a + 1).formula == Gt(a + 1, 0, evaluate=False)
