"""Complete collapse and unboundedness with a learned decoder variance (§4.4): when they happen, and statements judged by it.

With g the slope of the loss in s = eta_dec^2 (`decoder_variance`): the origin is part of a global minimum iff the last minimiser s*
leaves no mode active, zeta_1^2 <= beta s*, and that is g(zeta_1^2/beta) <= 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import sympy
from sympy import And, Basic, Derivative, Eq, Expr, Gt, Le, Lt, Min, Or, Symbol, log
from sympy.core.relational import Relational

from derivations.claim import Assumption, Decision, Step, Verdict, conclude, needed, refuted
from derivations.decoder_cases import Named, explained, first, squares
from derivations.decoder_instances import (
    DecoderInstance,
    all_kept,
    at_held_deviations,
    carried,
    collapse_fixed,
    collapse_learned,
    decoder_instance,
    decoder_instances,
    learned_variance,
    left_out,
    rank,
    unbounded,
    vanishes,
    weakest,
)
from derivations.decoder_variance import s, sign_steps, slope_steps
from derivations.instances import why_false
from derivations.notation import beta, d1, d2, eta_dec, residual, zeta
from derivations.proof import holds, margin, nonnegative, positive, same, written_out, zero

CONDITIONS: dict[Basic, Basic] = {
    collapse_fixed: Le(zeta[1] ** 2 - beta * eta_dec**2, 0),
    collapse_learned: Le(d2 * zeta[1] ** 2 - beta * (residual + squares), 0),
    unbounded: And(Eq(residual, 0), Le(rank, d1), Lt(beta * rank, d2)),
    vanishes: And(Eq(residual, 0), Le(rank, d1)),
    all_kept: Or(Eq(carried, 0), Gt(d2 * weakest - beta * (residual + carried * weakest + left_out), 0)),
}
"""When each of these happens, as `collapse_steps`, `kept_steps` and the steps of `decoder_limits` derive it (y not zero where the
origin is concerned)."""


def _stated(happening: Basic) -> Expr:
    """The number of whose sign `CONDITIONS` makes it depend whether something happens."""
    condition = CONDITIONS[happening]
    (relation,) = (part for part in condition.atoms(Relational) if part.rhs == 0 and part.lhs.has(beta))
    return relation.lhs


@lru_cache(maxsize=1)
def collapse_steps() -> tuple[Step, ...]:
    """The origin is part of a global minimum iff g(zeta_1^2/beta) <= 0, which is the condition of `CONDITIONS`."""
    drop, square, largest = (Symbol(name, nonnegative=True) for name in ("drop", "q", "q_1"))
    collapsed = explained / (2 * s) + d2 * log(s) / 2
    level, best, slope = first**2 / beta, explained / d2, Derivative(collapsed, s)
    return (
        *slope_steps(),
        *sign_steps(),
        same(
            "at s = zeta_1^2/beta a mode with zeta_i^2 = q takes all of it off g, as q is at most q_1 = zeta_1^2",
            Min(square, largest),
            square,
            {largest: square + drop},
        ),
        same(
            "so g is there, times beta, with E|y|^2 = E",
            beta * (d2 * s - explained),
            d2 * first**2 - beta * explained,
            {s: level},
        ),
        same(
            "which is the condition's",
            d2 * first**2 - beta * (residual + squares),
            _stated(collapse_learned),
            {zeta[1]: first},
        ),
        written_out("the slope of the loss at the origin", 2 * s**2 * slope, d2 * s - explained),
        zero("vanishes at s = E/d2", d2 * s - explained, {s: best}),
        positive("is positive beyond", d2 * s - explained, {s: best * (1 + margin)}),
        positive("and negative before", explained - d2 * s, {s: best / (1 + margin)}),
        same("that s leaves mode 1 collapsed iff g(zeta_1^2/beta) <= 0", d2 * (level - best), d2 * level - explained),
    )


@lru_cache(maxsize=1)
def kept_steps() -> tuple[Step, ...]:
    """All modes with a latent are kept iff the weakest is, and that iff g > 0 at s = zeta_k^2/beta, beyond the last minimiser."""
    rise = Symbol("rise", nonnegative=True)
    return (
        *slope_steps(),
        *sign_steps(),
        same(
            "at s = zeta_k^2/beta each of the k modes takes zeta_k^2 off g",
            Min(weakest + rise, beta * s),
            weakest,
            {beta: weakest / s},
        ),
        same(
            "so g is there, times beta, with the squares of what has no latent",
            beta * (d2 * s - residual - carried * weakest - left_out),
            _stated(all_kept),
            {s: weakest / beta},
        ),
        nonnegative("a stronger mode reaches its threshold at no smaller s", (weakest + rise) / beta - weakest / beta),
    )


# --------------------------------------------------------------------------------------------------- decisions
@dataclass(frozen=True)
class Everywhere:
    """The decision whether a Boolean of the scalars and of what happens holds at every problem of a kind.

    Args:
        instances: exact instances of that kind, small first.
        cases: all its cases.
        steps: what the truths in `CONDITIONS` rest on, and whatever else the statement says.
    """

    instances: Callable[[], Iterable[DecoderInstance]]
    cases: Callable[[], Iterable[Named]]
    steps: Callable[[], Iterable[Step]] = collapse_steps

    def __call__(self, formula: Basic) -> Decision:
        """Judge a statement."""
        for instance in self.instances():
            if instance.value(formula) != sympy.true:
                return refuted(instance.named(), failure(formula, instance))
        happening = [symbol for symbol in CONDITIONS if formula.has(symbol)]
        truths = (truths_in(self.cases, symbol) for symbol in happening)
        steps = list(self.steps())
        for (name, case), *known in zip(every_case(self.cases), *truths, strict=True):
            decided = {symbol: truth for symbol, truth in zip(happening, known, strict=True) if truth is not None}
            true = holds(formula.xreplace({**case, **decided}))
            steps.append(Step(name, formula, Verdict.PROVED if true else Verdict.UNDECIDED))
        return conclude(steps)


@dataclass(frozen=True)
class HeldDeviations:
    """The same question where every sigma_i is held at twice eta_enc, at half of it, or at each in turn: only an exact instance is
    looked for."""

    instances: Callable[[], Iterable[DecoderInstance]]

    def __call__(self, formula: Basic) -> Decision:
        """Judge a statement."""
        more, less = sympy.Integer(2), sympy.S.Half
        for ratios, instance in product(((more,), (less,), (more, less)), self.instances()):
            held, facts = at_held_deviations(instance, ratios)
            if held.value(formula, None, facts) == sympy.false:
                happening = sorted(formula.atoms(Symbol) & CONDITIONS.keys(), key=str)
                said = ", ".join(f"{symbol} is {facts[symbol]}" for symbol in happening)
                return refuted(held.named(learned=False), f"the statement is false where {said}")
        return needed(None)


@dataclass(frozen=True)
class ForEverySigma:
    """The decision whether a statement holds where Sigma is learned, and where it is held."""

    learned: Everywhere
    held_steps: Callable[[], Iterable[Step]]

    def __call__(self, formula: Basic) -> Decision:
        """Judge a statement."""
        found, held = self.learned(formula), HeldDeviations(self.learned.instances)(formula)
        for decision in (found, held):
            if decision.verdict is Verdict.REFUTED:
                return decision
        return conclude([*found.steps, *self.held_steps()])


def learned_sigma(instances: Callable[[], Iterable[DecoderInstance]]) -> Assumption:
    """Of a statement on problems of a kind."""
    return Assumption("Sigma is learned", HeldDeviations(instances))


@lru_cache(maxsize=16)
def every_case(cases: Callable[[], Iterable[Named]]) -> tuple[Named, ...]:
    """All cases, made once."""
    return tuple(cases())


@lru_cache(maxsize=64)
def truths_in(cases: Callable[[], Iterable[Named]], symbol: Basic) -> tuple[Basic | None, ...]:
    """Whether something happens, case by case; None where its condition is not decided."""
    truths = (holds(CONDITIONS[symbol].xreplace(dict(case))) for _, case in every_case(cases))
    return tuple(None if truth is None else sympy.true if truth else sympy.false for truth in truths)


def failure(formula: Basic, instance: DecoderInstance) -> str:
    """What makes a statement false at an instance: both sides of its relations, and what happens and why."""
    happening = sorted(formula.atoms(Symbol) & CONDITIONS.keys(), key=str)
    said = [f"{symbol} is {instance.value(symbol)} ({deciding(symbol, instance)})" for symbol in happening]
    return why_false(formula, instance.value, said)


def deciding(happening: Basic, instance: DecoderInstance) -> str:
    """The numbers that decide whether something happens at an instance."""
    variance = instance.value(learned_variance)
    if happening in (unbounded, vanishes):
        left = instance.value(residual) + sum(value**2 for value in instance.zeta[instance.d1 :])
        return f"r and the zeta_i^2 beyond d1 add up to {left}, rank Z is {instance.value(rank)}"
    if happening == collapse_learned and variance == 0:
        return "there is no minimum: the loss falls without bound as eta_dec tends to 0"
    if happening == all_kept:
        least = min((value**2 for value in instance.zeta[: instance.d1] if value > 0), default=sympy.S.Zero)
        return f"the least positive zeta_i^2 with i <= d1 is {least}, and beta eta_dec^2 is {instance.beta * variance}"
    held, which = (variance, "learned") if happening == collapse_learned else (instance.eta_dec**2, "given")
    water = instance.beta * held
    return f"zeta_1^2 = {instance.zeta[0] ** 2} and beta eta_dec^2 = {water}, with the {which} eta_dec^2 = {held}"


def found_at(text: str, instance: DecoderInstance, formula: Basic) -> Step:
    """That something happens at an explicit instance."""
    return Step(text, formula, Verdict.PROVED if instance.value(formula) == sympy.true else Verdict.UNDECIDED)


def without_signal() -> tuple[DecoderInstance, ...]:
    """The excluded y = 0, where no minimum exists although the origin is the best point at every eta_dec."""
    return (decoder_instance([0], 0, 1), *decoder_instances())
