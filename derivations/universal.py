"""Judging a statement that has to hold in every situation: exact situations first, then all cases of the scalars."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import sympy
from sympy import And, Basic, Expr, Implies, Not, Or, Piecewise, Symbol
from sympy.logic.boolalg import BooleanFunction

from derivations.claim import Decision, Step, Verdict, conclude, refuted
from derivations.instances import why_false
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, sigma_sorted, zeta
from derivations.proof import holds, resolved, sums_agree
from derivations.ranks import Case, rank_cases, ranks_about
from derivations.situations import (
    FIXED,
    LEARNED,
    OTHER,
    Situation,
    diverges,
    lam,
    limits,
    product,
    rank,
    situations,
    substituted,
    theta,
)

_level, _level_there, _signal = sympy.symbols("t t_other zeta_i", positive=True)
_sigma = Symbol("sigma_i", positive=True)
_p, _q, _share = sympy.symbols("p q w", positive=True)

Levels = tuple[Expr, Expr, Expr]
Items = tuple[tuple[Basic, Expr], ...]


@lru_cache(maxsize=64)
def placements(landmarks: tuple[Expr, ...], variables: int) -> tuple[tuple[str, tuple[Expr, ...]], ...]:
    """Every way in which one or two positive numbers lie among landmarks 0 < a_1 < a_2 < ..., in positive symbols."""
    bounds = (sympy.S.Zero, *landmarks)
    cells: list[tuple[str, Expr, Expr | None, bool]] = []
    for k, low in enumerate(bounds):
        high = bounds[k + 1] if k + 1 < len(bounds) else None
        if k:
            cells.append((f"at {low}", low, low, True))
        cells.append((f"between {low} and {high}" if high is not None else f"above {low}", low, high, False))

    def inside(low: Expr, high: Expr | None, share: Expr) -> Expr:
        if high is not None:
            return sympy.factor(low + (high - low) * share / (1 + share))  # a product, whose sign shows
        return low * (1 + share) if low != 0 else share

    def placed() -> Iterator[tuple[str, tuple[Expr, ...]]]:
        for name, low, high, exact in cells:
            first = low if exact else inside(low, high, _p)
            if variables == 1:
                yield name, (first,)
                continue
            for other, low_there, high_there, exact_there in cells:
                if (low_there, exact_there) != (low, exact):
                    there = low_there if exact_there else inside(low_there, high_there, _q)
                    yield f"{name}; there {other}", (first, there)
                elif exact:
                    yield f"{name} here and there", (first, first)
                else:
                    beyond = inside(first, high, _q)
                    yield f"{name}; there the same", (first, first)
                    yield f"{name}; there more", (first, beyond)
                    yield f"{name}; there less", (beyond, first)

    return tuple(placed())


@dataclass(frozen=True)
class Universal:
    """The decision whether a Boolean holds in all situations of a kind, for every latent.

    Args:
        kind: of the problem here.
        change: what differs there, of `situations.CHANGES`.
        kind_there: of the problem there; that here by default.
        landmarks: multiples of zeta_i at which the water level's root, sqrt(beta) eta_dec (times sigma_i/eta_enc where Sigma
            is fixed), changes what the statement says.
    """

    kind: str
    change: str = "nothing"
    kind_there: str = ""
    landmarks: tuple[Expr, ...] = (sympy.S.One,)

    @property
    def observable(self) -> str:
        """What the layers are asked for."""
        return f"{self.kind}, {self.change} changed, {self.kind_there or self.kind}"

    def __call__(self, formula: Basic) -> Decision:
        """Judge a statement."""
        asked = self.kind, self.kind_there or self.kind, self.change
        for place, situation in enumerate(situations(*asked)):
            for index in situation.modes if formula.has(i) else (None,):
                if _combined(formula, partial(_true_at, asked, place, index)) is not True:
                    where = situation.named() | ({} if index is None else {"i": index})
                    return refuted(where, _why_false(formula, situation, index))
        return conclude(
            Step(
                f"{name}{how}",
                formula,
                Verdict.PROVED
                if _combined(formula, partial(_true_in, asked[:2], tuple(entries.items()), tuple(case.items())))
                else Verdict.UNDECIDED,
            )
            for how, entries in self._next_modes(formula)
            for name, case in self.cases(formula)
        )

    def _next_modes(self, formula: Basic) -> Iterator[tuple[str, dict[Basic, Expr]]]:
        """What entries i + 1 are: the entry i or less, down to 0, since singular values do not rise."""
        falling = {zeta, lam, product} | (set() if self.kind == FIXED else {theta})
        falling |= {OTHER[base] for base in falling if base in OTHER}
        raised = {entry for entry in formula.atoms(sympy.Indexed) if entry.indices[0] == i + 1}
        following = [entry for entry in sorted(raised, key=sympy.default_sort_key) if entry.base in falling]
        if len(following) < len(raised) and zeta[i + 1] not in raised:
            following.append(zeta[i + 1])  # on which a standard deviation i + 1 depends
        shares = {"as large": sympy.S.One, "less": 1 / (1 + _share), "0": sympy.S.Zero}
        for chosen in itertools.product(shares, repeat=len(following)):
            entries = {entry: shares[share] * entry.base[i] for entry, share in zip(following, chosen, strict=True)}
            yield "".join(f", {entry} {share}" for entry, share in zip(following, chosen, strict=True)), entries

    def cases(self, formula: Basic) -> Iterator[Case]:
        """All cases of one mode: where the level lies relative to zeta_i, here and there, and zeta_i = 0."""
        if formula.has(OTHER[rank]):
            yield from rank_cases()
            return
        index = next((entry.indices[0] for entry in formula.atoms(sympy.Indexed) if entry.indices[0].is_Integer), i)
        for name, levels in self._levels():
            case = {zeta[index]: levels[0]} | self._case(index, levels)
            for how, ranks in self._ranks(case, formula.has(dstar)) if formula.has(rank) else (("", {}),):
                yield f"{name}{how}", case | ranks

    def _ranks(self, case: dict[Basic, Expr], with_data: bool) -> Iterator[Case]:
        """rank U V^T and d1 about a latent, and dstar where asked for."""
        alive = _true_in((self.kind, self.kind_there or self.kind), (), tuple(case.items()), sympy.Gt(product[i], 0))
        return ranks_about(bool(alive), with_data, case[zeta[i]] == 0)

    def _levels(self) -> Iterator[tuple[str, Levels]]:
        """zeta_i, the level here and the level there."""
        marks = tuple(mark * _signal for mark in self.landmarks)
        if self.change == "a sufficiently small beta":
            yield "zeta_i > 0", (_signal, _level, _signal / (1 + _p))
            yield "zeta_i = 0", (sympy.S.Zero, _level, _level_there)
        elif self.change == "a sufficiently large beta":
            yield "zeta_i > 0", (_signal, _level, _signal * (1 + _p))
            yield "zeta_i > 0, at the last such beta", (_signal, _level, _signal)
            yield "zeta_i = 0", (sympy.S.Zero, _level, _level_there)
        elif self.change in ("beta and eta_dec", "beta, eta_dec and eta_enc") or self.change == "Sigma":
            for name, (here, away) in placements(marks, 2):
                yield f"the level {name}", (_signal, here, away)
            for name, (here, away) in placements((), 2):
                yield f"zeta_i = 0, the level {name}", (sympy.S.Zero, here, away)
        else:
            for name, (level,) in placements(marks, 1):
                yield f"the level {name}", (_signal, level, level)
            yield "zeta_i = 0", (sympy.S.Zero, _level, _level)

    def _case(self, index: Expr, levels: Levels) -> dict[Basic, Expr]:
        """beta from the level, which is sqrt(beta) eta_dec, times sigma_i/eta_enc where Sigma is fixed; what is free stays free."""
        _, here, away = levels
        decoder = OTHER[eta_dec] if "eta_dec" in self.change else eta_dec
        prior = OTHER[eta_enc] if "eta_enc" in self.change else eta_enc
        standard = _sigma * away / here if self.change == "Sigma" else _sigma
        ratio, ratio_there = (_sigma / eta_enc, standard / prior) if self.kind == FIXED else (sympy.S.One, sympy.S.One)
        return {
            sigma_sorted[index]: _sigma,
            OTHER[sigma_sorted][index]: standard,
            OTHER[eta_dec]: decoder,
            OTHER[eta_enc]: prior,
            OTHER[d1]: OTHER[d1] if self.change == "d1" else d1,
            beta: (here / (ratio * eta_dec)) ** 2,
            OTHER[beta]: (away / (ratio_there * decoder)) ** 2,
        }


@dataclass(frozen=True)
class OverKinds:
    """The decision whether a Boolean holds in all situations of each of several kinds."""

    questions: tuple[Universal, ...]

    @property
    def observable(self) -> str:
        """What the layers are asked for."""
        return "; ".join(question.observable for question in self.questions)

    def __call__(self, formula: Basic) -> Decision:
        """Judge a statement: what refutes it for one kind refutes it."""
        decisions = [question(formula) for question in self.questions]
        for verdict in (Verdict.REFUTED, Verdict.UNDECIDED):
            for decision in decisions:
                if decision.verdict is verdict:
                    return decision
        return conclude(
            replace(step, text=f"{question.kind} Sigma: {step.text}")
            for question, decision in zip(self.questions, decisions, strict=True)
            for step in decision.steps
        )


def for_every_sigma(change: str) -> OverKinds:
    """The decision whether a Boolean holds for every fixed Sigma, and for a learned one."""
    return OverKinds((Universal(FIXED, change), Universal(LEARNED, change)))


def _combined(formula: Basic, truth: Callable[[Basic], bool | None]) -> bool | None:
    """A Boolean from the truth of its relations and symbols; None where that is not enough to tell."""
    if formula is sympy.true or formula is sympy.false:
        return formula is sympy.true
    if not isinstance(formula, BooleanFunction):
        return truth(formula)
    if isinstance(formula, Implies):
        premise, conclusion = formula.args
        given = _combined(premise, truth)
        if given is False:
            return True
        then = _combined(conclusion, truth)
        return then if given or then else None
    parts = (_combined(part, truth) for part in formula.args)
    if isinstance(formula, Not):
        (inner,) = parts
        return None if inner is None else not inner
    if isinstance(formula, And | Or):
        answer: bool | None = isinstance(formula, And)
        for part in parts:
            if part is isinstance(formula, Or):
                return part
            answer = None if part is None else answer
        return answer
    known = list(parts)  # of an equivalence
    return None if None in known else len(set(known)) < 2


@lru_cache(maxsize=1 << 18)
def _true_at(asked: tuple[str, str, str], place: int, index: int | None, relation: Basic) -> bool | None:
    """The truth of a relation at one of the exact situations; None where a side is undefined."""
    value = situations(*asked)[place].value(relation, index)
    return bool(value) if value is sympy.true or value is sympy.false else None


@lru_cache(maxsize=1 << 16)
def _true_in(kinds: tuple[str, str], entries: Items, case: Items, relation: Basic) -> bool | None:
    """The truth of a relation in a case, for all values of its symbols; an equation of sums holds if it does term by term."""
    scalars = dict(case)
    if relation in (diverges, OTHER[diverges]):
        signal = next(value for key, value in case if isinstance(key, sympy.Indexed) and key.base == zeta)
        return sympy.oo in limits(kinds[relation != diverges], signal, _sigma, eta_dec, eta_enc)
    followed = relation.xreplace(dict(entries))
    known = {entry: _value_in(kinds, entries, case, entry) for entry in followed.atoms(sympy.Indexed, Symbol)}
    here = resolved(followed.xreplace(known).xreplace(scalars))
    if isinstance(here, sympy.Eq) and here.has(sympy.Sum):
        return sums_agree(sympy.expand(here.lhs - here.rhs)) or None
    return holds(here)


@lru_cache(maxsize=1 << 14)
def _value_in(kinds: tuple[str, str], entries: Items, case: Items, entry: Basic) -> Expr:
    """An entry or a scalar in a case: its closed form, where it has one."""
    return resolved(_placed(substituted(entry, *kinds).xreplace(dict(entries)), dict(case)))


def _placed(expression: Basic, case: dict[Basic, Expr]) -> Basic:
    """An expression in a case, without what its conditions rule out there: such a branch may divide by 0."""
    if not expression.has(Piecewise):
        return expression.xreplace(case)
    if not isinstance(expression, Piecewise):
        return expression.func(*(_placed(part, case) for part in expression.args))
    branches = [(value, resolved(condition.xreplace(case))) for value, condition in expression.args]
    return Piecewise(
        *((_placed(value, case), condition) for value, condition in branches if holds(condition) is not False)
    )


def _why_false(formula: Basic, situation: Situation, index: int | None) -> str:
    """The values of a statement that fails, and where it speaks of a small beta, where the norms tend to."""
    happening = []
    for symbol, instance, kind in (
        (diverges, situation.here, situation.kind),
        (OTHER[diverges], situation.there, situation.kind_there),
    ):
        if formula.has(symbol):
            found = limits(kind, instance.zeta[0], min(instance.sigma), instance.eta_dec, instance.eta_enc)
            happening.append("lambda_1 tends to {} and theta_1 to {} as beta tends to 0".format(*found))
    return why_false(formula, lambda side: situation.value(side, index), happening)
