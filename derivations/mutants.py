"""Mutants: wrong neighbours of a statement, generated from its expression tree, that the suite must refute.

Each operator changes one node: a sign, a factor 2, an exponent, a dropped or swapped symbol or dimension, one matrix for another
(sorted or not, variances or standard deviations, a permutation or none), a branch, a strictness, an index, a range, a transpose, a
logical connective. Mutants that are no well-formed statement (shapes that do not fit) are not generated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import sympy
from sympy import (
    Add,
    And,
    Basic,
    Equivalent,
    Identity,
    Implies,
    Indexed,
    MatAdd,
    MatMul,
    MatPow,
    MatrixExpr,
    MatrixSymbol,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Piecewise,
    Pow,
    Rational,
    Sum,
    Trace,
    Transpose,
    Tuple,
    ZeroMatrix,
)
from sympy.core.relational import Relational
from sympy.matrices.exceptions import ShapeError

from derivations.notation import (
    SYMMETRIC,
    Mean,
    Sigma,
    Sigma_sorted,
    SquaredNorm,
    beta,
    d0,
    d1,
    d2,
    dstar,
    eta_dec,
    eta_enc,
    sigma,
    sigma_sorted,
)

SIZES: dict[Basic, Basic] = {d0: d2, d2: d0, d1: dstar, dstar: d1}
SWAPS: dict[Basic, Basic] = SIZES | {
    eta_dec: eta_enc,
    eta_enc: eta_dec,
    beta: eta_dec**2,
    sigma: sigma_sorted,
    sigma_sorted: sigma,
    Sigma: Sigma_sorted,
    Sigma_sorted: Sigma,
}
VARIANCES = (Sigma, Sigma_sorted)
NEGATED = {"<": sympy.Ge, "<=": sympy.Gt, ">": sympy.Le, ">=": sympy.Lt, "==": sympy.Ne, "!=": sympy.Eq}
STRICTNESS = {"<": sympy.Le, "<=": sympy.Lt, ">": sympy.Ge, ">=": sympy.Gt}


@dataclass(frozen=True)
class Mutant:
    """A changed statement and what was changed."""

    change: str
    formula: Basic


def mutants(formula: Basic) -> list[Mutant]:
    """All distinct well-formed mutants of a formula, each one change away from it."""
    found: dict[Basic, Mutant] = {}
    for change, mutated in (*_root_mutations(formula), *_mutations(formula)):
        if mutated not in (formula, sympy.true, sympy.false) and _is_well_formed(mutated):
            found.setdefault(mutated, Mutant(change, mutated))
    return list(found.values())


def _is_well_formed(node: Basic) -> bool:
    """Whether the shapes of all sums, products and traces fit, for all dimensions."""
    parts = [part for part in node.args if isinstance(part, MatrixExpr)]
    if isinstance(node, MatMul) and any(a.shape[1] != b.shape[0] for a, b in pairwise(parts)):
        return False
    if isinstance(node, MatAdd | Relational) and len({part.shape for part in parts}) > 1:
        return False
    if isinstance(node, Trace | MatPow) and parts[0].shape[0] != parts[0].shape[1]:
        return False
    return all(_is_well_formed(part) for part in node.args)


def _mutations(node: Basic) -> Iterator[tuple[str, Basic]]:
    yield from _own_mutations(node)
    if isinstance(node, MatrixSymbol | Identity | ZeroMatrix | Indexed):
        return  # a shape is no part of the statement, and an index has changes of its own
    for place, part in enumerate(node.args):
        if isinstance(node, Pow | MatPow) and place == 1:
            continue
        if isinstance(part, Tuple) and isinstance(node, Sum):
            continue
        for change, mutated in _mutations(part):
            rebuilt = _rebuilt(node, [*node.args[:place], mutated, *node.args[place + 1 :]])
            if rebuilt is not None:
                yield change, rebuilt


def _rebuilt(node: Basic, parts: list[Basic]) -> Basic | None:
    try:
        if isinstance(node, Relational):
            return node.func(*parts, evaluate=False)
        return node.func(*parts)
    except (ShapeError, ValueError, TypeError, AttributeError):
        return None


def _root_mutations(formula: Basic) -> Iterator[tuple[str, Basic]]:
    """A scalar statement as a whole, or a component of a tuple of scalars."""
    if isinstance(formula, Tuple):
        for place, part in enumerate(formula.args):
            for change, mutated in _root_mutations(part):
                yield (
                    f"{change} in component {place + 1}",
                    Tuple(*formula.args[:place], mutated, *formula.args[place + 1 :]),
                )
    elif isinstance(formula, sympy.Expr):
        yield "sign", -formula
        yield "factor 2", 2 * formula
        if not isinstance(formula, MatrixExpr):
            yield "squared", formula**2
        elif isinstance(formula, MatrixSymbol) and formula.shape[0] == formula.shape[1]:
            yield f"{formula} left out", Identity(formula.shape[0])


def _own_mutations(node: Basic) -> Iterator[tuple[str, Basic]]:
    if isinstance(node, Add | MatAdd):
        for place, term in enumerate(node.args):
            others = [*node.args[:place], *node.args[place + 1 :]]
            for change, mutated in (("sign", -term), ("factor 2", 2 * term), ("dropped term", None)):
                yield f"{change} of {term}", node.func(*others, *([] if mutated is None else [mutated]))
    if isinstance(node, Mul | MatMul):
        for place, factor in enumerate(node.args):
            remaining = _rebuilt(node, [*node.args[:place], *node.args[place + 1 :]]) if len(node.args) > 1 else None
            if remaining is not None and factor != -1 and _shape(remaining) == _shape(node):
                yield f"dropped factor {factor}", remaining
    if isinstance(node, Pow):
        for change, exponent in (("halved", node.exp / 2), ("doubled", node.exp * 2), ("negated", -node.exp)):
            yield f"exponent of {node.base} {change}", Pow(node.base, exponent)
    if isinstance(node, MatPow):
        for change, exponent in (("doubled", node.exp * 2), ("negated", -node.exp)):
            yield f"exponent of {node.base} {change}", MatPow(node.base, exponent).doit()
    if node in SWAPS:
        yield f"{node} swapped for {SWAPS[node]}", SWAPS[node]
    if isinstance(node, Indexed):
        if node.base in SWAPS:
            yield f"{node.base} swapped for {SWAPS[node.base]}", SWAPS[node.base][node.indices]
        (index,) = node.indices
        for moved in (index + 1, *_other_sizes(index)):
            yield f"index of {node} raised" if moved == index + 1 else f"index of {node} is {moved}", node.base[moved]
        yield f"{node} squared", node**2
    if isinstance(node, Max | Min):
        yield "Max and Min swapped", (Min if isinstance(node, Max) else Max)(*node.args)
        for part in node.args:
            yield f"{node.func.__name__} always {part}", part
    if isinstance(node, Piecewise) and len(node.args) == 2:
        (first, condition), (second, _) = node.args
        yield "branches swapped", Piecewise((second, condition), (first, True))
        yield "always the first branch", first
        yield "always the second branch", second
    if isinstance(node, Relational):
        if node.rel_op in STRICTNESS:
            yield "strictness", STRICTNESS[node.rel_op](node.lhs, node.rhs, evaluate=False)
        if isinstance(node.lhs, MatrixExpr):
            yield "sign of the right side", node.func(node.lhs, -node.rhs, evaluate=False)
            yield "factor 2 of the right side", node.func(node.lhs, 2 * node.rhs, evaluate=False)
        yield "relation negated", NEGATED[node.rel_op](node.lhs, node.rhs, evaluate=False)
    if isinstance(node, Sum):
        (variable, start, end) = node.limits[0]
        others = [(start + 1, end), (start, end - 1)]
        others += [(first, end) for first in _other_sizes(start)] + [(start, last) for last in _other_sizes(end)]
        for first, last in others:
            if last - first != -1:  # not empty for all sizes
                yield f"range {first} to {last}", Sum(node.function, (variable, first, last))
    if isinstance(node, Transpose):
        yield f"transpose of {node.arg} dropped", node.arg
    if isinstance(node, MatrixSymbol) and node not in SYMMETRIC and node.shape[0] == node.shape[1]:
        yield f"{node} transposed", Transpose(node)
    if node in VARIANCES:
        yield f"standard deviations for {node}", MatPow(node, Rational(1, 2))
    if isinstance(node, Trace | SquaredNorm | Mean):
        yield f"factor 2 of {node}", 2 * node
    yield from _logical_mutations(node)


def _other_sizes(number: Basic) -> list[Basic]:
    """An index or the end of a range with one dimension taken for another."""
    return [number.xreplace({size: other}) for size, other in SIZES.items() if number.has(size)]


def _shape(node: Basic) -> tuple | None:
    return node.shape if isinstance(node, MatrixExpr) else None


def _logical_mutations(node: Basic) -> Iterator[tuple[str, Basic]]:
    if isinstance(node, And | Or | Equivalent):
        for part in node.args:
            yield f"dropped {part}", node.func(*(other for other in node.args if other != part))
        yield "connective", (Or if isinstance(node, And) else And)(*node.args)
    if isinstance(node, Equivalent):
        first, second = node.args
        yield "one direction only", Implies(first, second)
        yield "the other direction only", Implies(second, first)
    if isinstance(node, Implies):
        yield "implication reversed", Implies(*reversed(node.args))
        yield "premise negated", Implies(Not(node.args[0]), node.args[1])
        yield "conclusion negated", Implies(node.args[0], Not(node.args[1]))
    if isinstance(node, Not):
        yield "negation dropped", node.args[0]
