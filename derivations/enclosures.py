"""Booleans over singular values that are known within bounds: decided rigorously, in ball arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint
import sympy
from sympy import Abs, And, Basic, Indexed, Or, Piecewise, Rational, Sum
from sympy.core.relational import Relational

from derivations.notation import d1, dstar, i, zeta


class Remaining(sympy.Function):
    """How many modes remain at the global minimum with a learned Sigma at this beta: the rank of U V^T."""

    nargs = 1
    is_integer = True
    is_nonnegative = True

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{rank}} U V^{{\mathsf T}} |_{{\beta = {printer._print(self.args[0])}}}"


@dataclass(frozen=True)
class Setting:
    """What a statement is judged at.

    Args:
        squares: bounds on the largest zeta_i^2, non-increasing; the later ones are between 0 and the last bound.
        modes: how many singular values there are at most.
        d1: the number of latents.
        eta_dec: the decoder's standard deviation.
    """

    squares: Sequence[tuple[Rational, Rational]]
    modes: int
    d1: int
    eta_dec: Rational = sympy.S.One

    def ball(self, node: Basic) -> flint.arb:
        """A ball that holds the value of an expression."""
        if node.is_Rational:
            return flint.arb(flint.fmpq(int(node.p), int(node.q)))
        if isinstance(node, Indexed):
            place = int(node.indices[0]) - 1
            low, high = self.squares[place] if place < len(self.squares) else (sympy.S.Zero, self.squares[-1][1])
            return self.ball(low).sqrt().union(self.ball(high).sqrt())
        if isinstance(node, Remaining):
            level = node.args[0] * self.eta_dec**2
            return self._total(Piecewise((1, zeta[i] ** 2 > level), (0, True)), 1, self.d1)
        if isinstance(node, Sum):
            (_, start, end) = node.limits[0]
            return self._total(
                node.function, *(int(limit.subs({d1: self.d1, dstar: self.modes})) for limit in (start, end))
            )
        if isinstance(node, Piecewise):
            return self._piecewise(node)
        parts = [self.ball(part) for part in node.args]
        if isinstance(node, Abs):
            return abs(parts[0])
        if isinstance(node, sympy.Pow):
            return parts[0] ** parts[1]
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(node, sympy.Add) else total * part
        return total

    def _total(self, summand: Basic, start: int, end: int) -> flint.arb:
        """The sum, with one ball for all summands that see nothing but singular values beyond the known ones."""
        known = min(end, len(self.squares) + 1)
        total = sum((self.ball(summand.subs(i, k)) for k in range(start, known + 1)), flint.arb(0))
        return total if end == known else total + (end - known) * self.ball(summand.subs(i, end))

    def _piecewise(self, node: Piecewise) -> flint.arb:
        """The branch that applies, or all those that may."""
        possible = []
        for value, condition in node.args:
            answer = self.holds(condition)
            if answer is not False:
                possible.append(self.ball(value))
            if answer:
                break
        found = possible[0]
        for other in possible[1:]:
            found = found.union(other)
        return found

    def holds(self, formula: Basic) -> bool | None:
        """Whether a Boolean is true for all, or for no, values within the bounds; None if neither was found."""
        if formula in (sympy.true, sympy.false):
            return formula is sympy.true
        if isinstance(formula, And | Or):
            answers = [self.holds(part) for part in formula.args]
            decisive = isinstance(formula, Or)
            return decisive if decisive in answers else None if None in answers else not decisive
        assert isinstance(formula, Relational)
        left, right = self.ball(formula.lhs), self.ball(formula.rhs)
        outcomes = {
            ">": (left > right, left <= right),
            ">=": (left >= right, left < right),
            "<": (left < right, left >= right),
            "<=": (left <= right, left > right),
            "==": (left == right, left != right),
            "!=": (left != right, left == right),
        }
        sure, never = outcomes[formula.rel_op]
        return True if sure else False if never else None
