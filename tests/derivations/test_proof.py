"""Steps decide what is true, refuse what is false, and are never wrong where they answer: evaluated with plain fractions."""

import operator
import pickle
from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sympy import And, Eq, Ge, Gt, Le, Lt, Max, Min, Ne, Not, Or, Piecewise, Trace, log, sqrt

from derivations.claim import Step, Verdict
from derivations.notation import U, V, beta, eta_dec, eta_enc, i, sigma, zeta
from derivations.proof import (
    equal,
    holds,
    is_zero,
    margin,
    nonnegative,
    positive,
    resolved,
    sign_is,
    zero,
)

real = sympy.Symbol("q", real=True)
PROVED, UNDECIDED = Verdict.PROVED, Verdict.UNDECIDED
LEAVES = (beta, eta_dec, margin, zeta[i], sigma[i], real, sympy.S.Zero, sympy.S.One, sympy.Integer(2))
COMPARE = {Gt: operator.gt, Ge: operator.ge, Lt: operator.lt, Le: operator.le, Eq: operator.eq, Ne: operator.ne}
SQUARE = beta**2 - 2 * beta * eta_dec + eta_dec**2
"""A square whose sign SymPy sees only once it is factored."""
SIGNS = {
    "positive": lambda v: v > 0,
    "negative": lambda v: v < 0,
    "nonnegative": lambda v: v >= 0,
    "nonpositive": lambda v: v <= 0,
}

# ------------------------------------------------------------------------------- evaluation in plain fractions


def evaluated(node: Any, point: dict) -> Any:
    """The value of a tree at a point whose values are squares of fractions: ints, Fractions and bools only."""
    if node in point:
        return point[node]
    if node in (sympy.true, sympy.false):
        return node is sympy.true
    if node.is_Rational:
        return Fraction(int(node.p), int(node.q))
    if isinstance(node, Piecewise):
        return next(evaluated(value, point) for value, condition in node.args if evaluated(condition, point))
    parts = [evaluated(part, point) for part in node.args]
    match node:
        case sympy.Add():
            return sum(parts)
        case sympy.Mul():
            return reduce(operator.mul, parts)
        case sympy.Pow():
            base, exponent = parts
            if exponent.denominator == 2:
                base, exponent = exact_root(base), 2 * exponent
            return base ** int(exponent)
        case Max() | Min():
            return (max if isinstance(node, Max) else min)(parts)
        case And() | Or():
            return (all if isinstance(node, And) else any)(parts)
        case Not():
            return not parts[0]
    return COMPARE[type(node)](*parts)


def exact_root(square: Fraction) -> Fraction:
    root = Fraction(*(sympy.integer_nthroot(abs(part), 2)[0] for part in square.as_integer_ratio()))
    assume(root**2 == square)
    return root


magnitudes = st.builds(Fraction, st.integers(1, 12), st.integers(1, 12))
# Squares, so that the roots of single symbols stay rational; a singular value may be 0, a real symbol negative.
points = st.fixed_dictionaries(
    {symbol: st.builds(lambda m: m**2, magnitudes) for symbol in (beta, eta_dec, eta_enc, margin, sigma[i])}
    | {zeta[i]: st.one_of(st.just(Fraction(0)), st.builds(lambda m: m**2, magnitudes))}
    | {real: st.builds(lambda m, s: m * s, magnitudes, st.sampled_from((-1, 0, 1)))}
)

expressions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(operator.add, inner, inner),
        st.builds(operator.sub, inner, inner),
        st.builds(operator.mul, inner, inner),
        st.builds(lambda a: a**2, inner),
        st.builds(lambda a, b: a / (1 + b**2), inner, inner),
        st.builds(lambda a, s: a * sqrt(s), inner, st.sampled_from((beta, eta_dec, zeta[i]))),
        st.builds(lambda a, s: a / s, inner, st.sampled_from((beta, eta_dec, margin))),
    ),
    max_leaves=6,
)
relations = st.builds(
    lambda kind, a, b: kind(a, b, evaluate=False), st.sampled_from(list(COMPARE)), expressions, expressions
)
booleans = st.recursive(
    relations,
    lambda inner: st.one_of(
        st.builds(lambda a, b: And(a, b), inner, inner),
        st.builds(lambda a, b: Or(a, b), inner, inner),
        st.builds(Not, inner),
    ),
    max_leaves=3,
)
signed = st.sampled_from((beta, eta_dec, margin, zeta[i], sigma[i]))
simple = st.builds(lambda a, b, k: a + k * b, *[st.sampled_from(LEAVES)] * 2, st.sampled_from((-2, -1, 0, 1, margin)))
conditions = st.builds(lambda kind, a: kind(a, 0), st.sampled_from((Gt, Ge, Lt, Le)), simple)
branches = st.one_of(
    st.builds(Max, simple, simple),
    st.builds(Min, simple, simple),
    # Sides that differ by something of one sign, which SymPy itself does not see.
    st.builds(lambda kind, a, b, c: kind(c, c + a**2 - 2 * a * b + b**2), st.sampled_from((Max, Min)), *[signed] * 3),
    st.builds(lambda a, b, c: Piecewise((a, c * (1 + b) > c), (b, True)), simple, simple, signed),
    st.builds(lambda a, b, c: Piecewise((a, c * (1 + b**2) < c), (b, True)), simple, simple, signed),
    st.builds(lambda a, b, r: Piecewise((a, r), (b, True)), simple, simple, conditions),
)
branching = st.one_of(
    st.builds(operator.add, branches, simple),
    st.builds(operator.mul, branches, branches),
    st.builds(lambda a, b, r: Piecewise((a, r), (b, True)), branches, simple, conditions),
    st.builds(Max, branches, simple),
)

# --------------------------------------------------------------------------------------------- never wrong


@given(expressions, st.sampled_from(sorted(SIGNS)), st.lists(points, min_size=3, max_size=6))
@settings(max_examples=150)
@example(zeta[i], "positive", [])
def test_a_sign_is_never_claimed_wrongly(expression, kind, where):
    answer = sign_is(expression, kind)
    if answer is not None:
        assert all(SIGNS[kind](evaluated(expression, point)) is answer for point in where)
    elif not expression.free_symbols:
        pytest.fail(f"the sign of the number {expression} was not found")


@given(booleans, st.lists(points, min_size=3, max_size=6))
@settings(max_examples=50)
def test_a_boolean_is_never_claimed_wrongly(boolean, where):
    answer = holds(boolean)
    if answer is not None:
        assert all(evaluated(boolean, point) is answer for point in where)


@given(branching, st.lists(points, min_size=3, max_size=6))
@settings(max_examples=60)
def test_resolving_branches_changes_no_value(expression, where):
    found = resolved(expression)
    assert all(evaluated(found, point) == evaluated(expression, point) for point in where)


@given(expressions, expressions, st.lists(points, min_size=3, max_size=6))
@settings(max_examples=30)
def test_nothing_is_called_zero_that_is_not(first, second, where):
    if is_zero(first - second):
        assert all(evaluated(first, point) == evaluated(second, point) for point in where)
    binomial = (first + second) ** 2 - first**2 - 2 * first * second
    assert is_zero(binomial - second**2)


# ------------------------------------------------------------------------------------------ what is decided


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ((beta + 1) ** 2 - beta**2 - 2 * beta - 1, PROVED),
        (log(4 * beta) - 2 * log(2) - log(beta), PROVED),
        (sqrt(zeta[i] ** 2) - zeta[i], PROVED),
        (Max(0, margin) - margin, PROVED),
        (Max(0, -margin), PROVED),
        (Piecewise((1, beta > 0), (2, True)) - 1, PROVED),
        (beta - eta_dec, UNDECIDED),
        (sqrt(real**2) - real, UNDECIDED),
        (Max(0, beta - eta_dec), UNDECIDED),
        (sympy.Function("unknown")(beta), UNDECIDED),
    ],
    ids=str,
)
def test_a_scalar_identity(expression, verdict):
    assert zero("an identity", expression).verdict is verdict


@pytest.mark.parametrize(
    ("expression", "kind", "answer"),
    [
        (beta**2 + 1, "positive", True),
        (-beta, "negative", True),
        (zeta[i] * beta, "nonnegative", True),
        (-zeta[i], "nonpositive", True),
        ((real - 1) ** 2, "nonnegative", True),
        (beta**2 - 2 * beta * eta_dec + eta_dec**2, "nonnegative", True),
        (beta / (beta + 1) - 1, "negative", True),
        (-beta, "positive", False),
        (beta, "nonpositive", False),
        (sympy.S.Zero, "positive", False),
        (sympy.S.Zero, "nonnegative", True),
        (zeta[i], "positive", None),
        (beta - eta_dec, "positive", None),
        (real, "nonnegative", None),
        (zeta[i] / zeta[1], "nonnegative", None),
        (sympy.nan, "positive", None),
    ],
    ids=str,
)
def test_a_sign(expression, kind, answer):
    assert sign_is(expression, kind) is answer


@pytest.mark.parametrize(
    ("relation", "answer"),
    [
        (Gt(beta, 0, evaluate=False), True),
        (Lt(beta, 0, evaluate=False), False),
        (Ge(zeta[i], 0, evaluate=False), True),
        (Le(zeta[i], -1, evaluate=False), False),
        (Gt(zeta[i], 0), None),
        (Eq(real, real, evaluate=False), True),
        (Ne(real, real, evaluate=False), False),
        (Eq(beta, -1 - eta_dec, evaluate=False), False),
        (Ne(beta, -1 - eta_dec, evaluate=False), True),
        (Eq(beta, eta_dec), None),
        (Not(real > 0), None),
        (And(Ge(real**2 + beta, 0, evaluate=False), real > 0), None),
        (And(Lt(beta, 0, evaluate=False), real > 0), False),
        (Or(Gt(beta, 0, evaluate=False), real > 0), True),
        (Or(real > 1, real < 0), None),
        (sympy.true, True),
        (sympy.false, False),
        (sympy.Symbol("truth"), None),
    ],
    ids=str,
)
def test_a_boolean(relation, answer):
    assert holds(relation) is answer


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Max(0, SQUARE), SQUARE),
        (Max(0, -SQUARE), 0),
        (Min(0, SQUARE), 0),
        (Max(0, beta - eta_dec), "itself"),
        (sqrt(Max(0, -SQUARE)) + 1, 1),
        (Piecewise((1, beta * (1 + margin) > beta), (2, True)), 1),
        (Piecewise((1, beta * (1 + margin) <= beta), (2, True)), 2),
        (Piecewise((1, zeta[i] > beta), (3, beta * (1 + margin) > beta), (2, True)), "itself"),
        (Piecewise((1, real > 0), (2, True)), "itself"),
        (Piecewise((Max(0, SQUARE), beta * (1 + margin) > beta), (2, True)), SQUARE),
    ],
    ids=str,
)
def test_resolving(expression, expected):
    assert resolved(expression) == (expression if expected == "itself" else expected)
    assert expression.has(Max, Min, Piecewise), "SymPy resolved it on construction: this tests nothing"


def test_inequalities_and_equations_become_steps():
    assert nonnegative("a square", (real - 1) ** 2).verdict is PROVED
    assert nonnegative("any real", real).verdict is UNDECIDED
    assert positive("a sum", beta + zeta[i]).verdict is PROVED
    assert positive("possibly 0", zeta[i]).verdict is UNDECIDED
    assert positive("a negative number", -beta).verdict is UNDECIDED
    assert equal("a transpose", (U * V.T).T, V * U.T).verdict is PROVED
    assert equal("two letters", U, 2 * U).verdict is UNDECIDED
    step = equal("named", Trace(U * V.T), Trace(V * U.T))
    again = pickle.loads(pickle.dumps(step))
    assert again == step and again.text == "named"
    assert "operatorname{tr}" in again.latex and "=" in again.latex, "the equation survives another process"
    trivial = pickle.loads(pickle.dumps(equal("rebuilt as true", U, U)))
    assert trivial.latex == "U = U"


def test_steps_are_equal_if_they_say_the_same():
    step = Step("text", beta + 1, PROVED)
    assert step == Step("text", 1 + beta, PROVED) and hash(step) == hash(Step("text", 1 + beta, PROVED))
    assert step == pickle.loads(pickle.dumps(step)) and hash(step) == hash(pickle.loads(pickle.dumps(step)))
    others = [Step("other", beta + 1, PROVED), Step("text", beta, PROVED), Step("text", beta + 1, UNDECIDED)]
    assert all(step != other for other in [*others, Step("text", beta + 1, PROVED, "a lemma"), "text"])
