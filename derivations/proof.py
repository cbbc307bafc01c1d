"""Steps that the machine decides: identities of matrices, traces and scalars, signs, and branches fixed by a sign.

A sign is decided for all values of the symbols at once, from their assumptions. Regimes are written as substitutions with a
positive margin, such as zeta = sqrt(beta) eta_dec (1 + margin), so that deciding every regime decides every case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Expr, Implies, Max, Min, Piecewise
from sympy.core.relational import GreaterThan, LessThan, Relational, StrictGreaterThan, StrictLessThan

from derivations.claim import Step, Verdict
from derivations.matrix_calculus import Facts, differs
from derivations.notation import d1, i, sigma, sigma_sorted

margin = sympy.Symbol("margin", positive=True)
"""Distance to a threshold, relative; its square root is avoided by writing thresholds with margin**2 where roots occur."""

Case = Mapping[Basic, Expr]
"""What symbols stand for in a regime, such as zeta_i = sqrt(beta) eta_dec (1 + margin)."""


def equal(text: str, left: Basic, right: Basic, facts: Facts = ()) -> Step:
    """An identity between matrices or trace polynomials, by normal form, for all dimensions."""
    verdict = Verdict.UNDECIDED if differs(left, right, facts) else Verdict.PROVED
    return Step(text, Eq(left, right, evaluate=False), verdict)


def zero(text: str, expression: Expr, case: Case | None = None) -> Step:
    """A scalar identity expression = 0 for all values of its symbols, or for those of a case."""
    return same(text, expression, sympy.S.Zero, case)


def same(text: str, left: Expr, right: Expr, case: Case | None = None) -> Step:
    """A scalar identity for all values of its symbols, or for those of a case: shown before the case is put in."""
    return _decided(text, Eq(left, right, evaluate=False), is_zero(_at(left, case) - _at(right, case)), case)


def written_out(text: str, left: Expr, right: Expr) -> Step:
    """A scalar identity whose left side is shown as it was built, of explicit matrices, and multiplied out to be decided."""
    agree = is_zero(left.doit() - right)
    return _decided(text, Eq(left, right, evaluate=False), agree, None)


def in_size(size: str, step: Step) -> Step:
    """A step that was decided for matrices of one size, such as "2 x 2", and is taken for any: the scope of the verdict says so."""
    return replace(step, text=f"{step.text} (written out in {size})", size=size)


def nonnegative(text: str, expression: Expr, case: Case | None = None) -> Step:
    """A scalar inequality expression >= 0 for all values of its symbols, or for those of a case."""
    answer = sign_is(_at(expression, case), "nonnegative")
    return _decided(text, sympy.Ge(expression, 0, evaluate=False), answer, case)


def positive(text: str, expression: Expr, case: Case | None = None) -> Step:
    """A scalar inequality expression > 0 for all values of its symbols, or for those of a case."""
    answer = sign_is(_at(expression, case), "positive")
    return _decided(text, sympy.Gt(expression, 0, evaluate=False), answer, case)


def true(text: str, condition: Basic, case: Case | None = None) -> Step:
    """A condition for all values of its symbols, or for those of a case."""
    try:
        answer = holds(_at(condition, case))
    except TypeError:  # a comparison with a complex number
        answer = None
    return _decided(text, condition, answer, case)


def _at(statement: Basic, case: Case | None) -> Basic:
    """A statement in a case, its branches chosen."""
    return statement if case is None else resolved(sympy.sympify(statement).xreplace(dict(case)))


def _decided(text: str, statement: Basic, answer: bool | None, case: Case | None) -> Step:
    """A step that shows the statement, with the case it is decided in as its premise."""
    if case:
        premises = [Eq(symbol, value, evaluate=False) for symbol, value in case.items()]
        premise = And(*premises, evaluate=False) if len(premises) > 1 else premises[0]
        statement = Implies(premise, statement, evaluate=False)
    return Step(text, statement, Verdict.PROVED if answer else Verdict.UNDECIDED)


def is_zero(expression: Expr) -> bool:
    """Whether a scalar vanishes identically; False means only that this was not shown."""
    expression = resolved(expression)
    if expression == 0:
        return True
    expanded = sympy.expand(sympy.expand_log(sympy.expand(expression), factor=True))
    return expanded == 0 or sympy.simplify(expanded) == 0


def sign_is(expression: Expr, kind: str) -> bool | None:
    """Whether an expression is "positive", "negative", "nonnegative" or "nonpositive" for all values; None if not shown."""
    expression = sympy.sympify(expression)
    for form in (lambda e: e, _factored, lambda e: _factored(sympy.powdenest(e))):
        answer = getattr(form(expression), f"is_{kind}")
        if answer is not None:
            return bool(answer)
    return None


@lru_cache(maxsize=1 << 14)
def _factored(expression: Expr) -> Expr:
    """Over a common denominator, in factors."""
    return sympy.factor(expression)


def holds(relation: Basic) -> bool | None:
    """Whether a Boolean of inequalities holds for all values of its symbols; None if neither it nor its negation was shown."""
    if relation is sympy.true or relation is sympy.false:
        return relation is sympy.true
    if isinstance(relation, sympy.Not):
        inner = holds(relation.args[0])
        return None if inner is None else not inner
    if isinstance(relation, sympy.Implies):
        premise, conclusion = relation.args
        given = holds(premise)
        if given is False:
            return True
        then = holds(conclusion)
        return then if given or then else None
    if isinstance(relation, sympy.Equivalent):
        known = [holds(part) for part in relation.args]
        return True if len(known) < 2 else None if None in known else len(set(known)) == 1
    if isinstance(relation, sympy.And | sympy.Or):
        decisive = isinstance(relation, sympy.Or)
        answer: bool | None = not decisive
        for part in relation.args:
            found = holds(part)
            if found is decisive:
                return decisive
            answer = None if found is None else answer
        return answer
    if isinstance(relation, Relational):
        difference = relation.lhs - relation.rhs
        kinds = {
            StrictGreaterThan: "positive",
            StrictLessThan: "negative",
            GreaterThan: "nonnegative",
            LessThan: "nonpositive",
        }
        differences = [difference]
        if any(part.exp == sympy.S.Half for part in relation.atoms(sympy.Pow)) and all(
            sign_is(side, "nonnegative") for side in relation.args
        ):
            differences = [relation.lhs**2 - relation.rhs**2]  # of lengths, which are roots
        if type(relation) in kinds:
            answers = (sign_is(each, kinds[type(relation)]) for each in differences)
            return next((answer for answer in answers if answer is not None), None)
        nonzero = any(sign_is(each, kind) for each in differences for kind in ("positive", "negative"))
        if not nonzero and is_zero(difference):
            return isinstance(relation, Eq)
        return isinstance(relation, sympy.Ne) if nonzero else None
    return None


def resolved(expression: Basic) -> Basic:
    """The expression with every Max, Min and Piecewise replaced by the branch that the signs single out."""
    if not expression.has(Max, Min, Piecewise):
        return expression
    if isinstance(expression, Piecewise):
        for value, condition in expression.args:
            answer = holds(resolved(condition))
            if answer is None:
                return expression
            if answer:
                return resolved(value)
    parts = [resolved(part) for part in expression.args]
    if isinstance(expression, Max | Min):
        kind = "nonnegative" if isinstance(expression, Max) else "nonpositive"
        for part in parts:
            if all(sign_is(part - other, kind) for other in parts):
                return part
    return expression.func(*parts)


def sums_equal(text: str, left: Expr, right: Expr, case: Case | None = None) -> Step:
    """Equality of linear combinations of sums: for each range, the summands agree term by term.

    A sum over all latents does not depend on their order, so that a term of the sorted deviations alone may be written unsorted.
    """
    put_in = dict(case or {})
    agree = sums_agree(left.xreplace(put_in) - right.xreplace(put_in))
    return _decided(text, Eq(left, right, evaluate=False), agree, case)


def sums_agree(difference: Expr) -> bool:
    """Whether a linear combination of sums vanishes term by term; False means only that this was not shown."""
    summands: dict[Basic, list[Expr]] = {}
    rest = sympy.S.Zero
    for term in sympy.Add.make_args(difference):
        factor, sums = term.as_independent(sympy.Sum)
        if not isinstance(sums, sympy.Sum):
            rest += term
            continue
        if factor.free_symbols & set(sums.bound_symbols):
            return False  # the factor's index is not the bound one
        summands.setdefault(sums.limits, []).append(factor * _unsorted(sums))
    return is_zero(rest) and all(is_zero(sympy.Add(*parts)) for parts in summands.values())


def _unsorted(total: sympy.Sum) -> Expr:
    """The summand, a term of sigma_sorted[i] and of nothing else that depends on i being written with sigma[i]."""
    if total.limits != (sympy.Tuple(i, 1, d1),):
        return total.function
    terms = []
    entry, any_deviation = sigma_sorted[i], sympy.Dummy(positive=True)
    for term in sympy.Add.make_args(sympy.expand(sympy.expand_log(total.function))):
        alone = term.has(entry) and i not in term.xreplace({entry: any_deviation}).free_symbols
        terms.append(term.xreplace({entry: sigma[i]}) if alone else term)
    return sympy.Add(*terms)
