"""Steps that the machine decides: identities of matrices, traces and scalars, signs, and branches fixed by a sign.

A sign is decided for all values of the symbols at once, from their assumptions. Regimes are written as substitutions with a
positive margin, such as zeta = sqrt(beta) eta_dec (1 + margin), so that deciding every regime decides every case.
"""

from __future__ import annotations

import sympy
from sympy import Basic, Eq, Expr, Max, Min, Piecewise
from sympy.core.relational import GreaterThan, LessThan, Relational, StrictGreaterThan, StrictLessThan

from derivations.claim import Step, Verdict
from derivations.matrix_calculus import Facts, differs
from derivations.notation import d1, i, sigma, sigma_sorted

margin = sympy.Symbol("margin", positive=True)
"""Distance to a threshold, relative; its square root is avoided by writing thresholds with margin**2 where roots occur."""


def equal(text: str, left: Basic, right: Basic, facts: Facts = ()) -> Step:
    """An identity between matrices or trace polynomials, by normal form, for all dimensions."""
    verdict = Verdict.UNDECIDED if differs(left, right, facts) else Verdict.PROVED
    return Step(text, Eq(left, right, evaluate=False), verdict)


def zero(text: str, expression: Expr) -> Step:
    """A scalar identity expression = 0 for all values of its symbols."""
    return Step(text, Eq(expression, 0, evaluate=False), Verdict.PROVED if is_zero(expression) else Verdict.UNDECIDED)


def nonnegative(text: str, expression: Expr) -> Step:
    """A scalar inequality expression >= 0 for all values of its symbols."""
    holds = sign_is(expression, "nonnegative")
    return Step(text, sympy.Ge(expression, 0, evaluate=False), Verdict.PROVED if holds else Verdict.UNDECIDED)


def positive(text: str, expression: Expr) -> Step:
    """A scalar inequality expression > 0 for all values of its symbols."""
    holds = sign_is(expression, "positive")
    return Step(text, sympy.Gt(expression, 0, evaluate=False), Verdict.PROVED if holds else Verdict.UNDECIDED)


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
    for form in (lambda e: e, lambda e: sympy.factor(sympy.together(e)), lambda e: sympy.factor(sympy.powdenest(e))):
        answer = getattr(form(expression), f"is_{kind}")
        if answer is not None:
            return bool(answer)
    return None


def holds(relation: Basic) -> bool | None:
    """Whether a Boolean of inequalities holds for all values of its symbols; None if neither it nor its negation was shown."""
    if relation in (sympy.true, sympy.false):
        return relation is sympy.true
    if isinstance(relation, sympy.Not):
        inner = holds(relation.args[0])
        return None if inner is None else not inner
    if isinstance(relation, sympy.And | sympy.Or):
        answers = [holds(part) for part in relation.args]
        decisive = isinstance(relation, sympy.Or)
        return decisive if decisive in answers else None if None in answers else not decisive
    if isinstance(relation, Relational):
        difference = relation.lhs - relation.rhs
        kinds = {
            StrictGreaterThan: "positive",
            StrictLessThan: "negative",
            GreaterThan: "nonnegative",
            LessThan: "nonpositive",
        }
        if type(relation) in kinds:
            return sign_is(difference, kinds[type(relation)])
        if is_zero(difference):
            return isinstance(relation, Eq)
        nonzero = sign_is(difference, "positive") or sign_is(difference, "negative")
        return isinstance(relation, sympy.Ne) if nonzero else None
    return None


def resolved(expression: Basic) -> Basic:
    """The expression with every Max, Min and Piecewise replaced by the branch that the signs single out."""
    if not expression.args or not expression.has(Max, Min, Piecewise):
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


def sums_equal(text: str, left: Expr, right: Expr) -> Step:
    """Equality of linear combinations of sums: for each range, the summands agree term by term.

    A sum over all latents does not depend on their order, so that a term of the sorted deviations alone may be written unsorted.
    """
    return Step(
        text, Eq(left, right, evaluate=False), Verdict.PROVED if _sums_agree(left - right) else Verdict.UNDECIDED
    )


def _sums_agree(difference: Expr) -> bool:
    summands: dict[Basic, Expr] = {}
    rest = sympy.S.Zero
    for term in sympy.Add.make_args(difference):
        factor, sums = term.as_independent(sympy.Sum)
        if not isinstance(sums, sympy.Sum):
            rest += term
            continue
        if factor.free_symbols & set(sums.bound_symbols):
            return False  # the factor's index is not the bound one
        summands[sums.limits] = summands.get(sums.limits, sympy.S.Zero) + factor * _unsorted(sums)
    return is_zero(rest) and all(is_zero(summand) for summand in summands.values())


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
