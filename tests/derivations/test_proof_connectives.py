"""Equivalences and comparisons of roots, decided for all values of their symbols."""

import pytest
import sympy
from sympy import Equivalent, Ge, Gt, Implies, Le, Lt, sqrt, symbols

from derivations.proof import holds

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
