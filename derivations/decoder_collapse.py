"""Complete collapse and unboundedness with a learned decoder variance (§4.4): when they happen, and statements judged by it.

With g the slope of the loss in s = eta_dec^2 (`decoder_variance`): the origin is part of a global minimum iff the last minimiser s*
leaves no mode active, zeta_1^2 <= beta s*, and that is g(zeta_1^2/beta) <= 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import sympy
from sympy import And, Basic, Derivative, Eq, Expr, Gt, Le, Lt, Min, Or, Sum, Symbol, log, sqrt

from derivations.claim import Assumption, Decision, Step, Verdict, conclude, needed, refuted
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
from derivations.decoder_variance import CLOSED_FORM, kept, least_mode, s, sign_steps, singular, slope_steps
from derivations.instances import why_false
from derivations.notation import D0, beta, d0, d1, d2, dstar, eta_dec, eta_enc, i, residual, zeta
from derivations.proof import Case, holds, is_zero, margin, nonnegative, positive, same, written_out, zero

squares = Sum(zeta[i] ** 2, (i, 1, dstar))
"""The squared norm of Z."""

CONDITIONS: dict[Basic, Basic] = {
    collapse_fixed: Le(zeta[1] ** 2 - beta * eta_dec**2, 0),
    collapse_learned: Le(d2 * zeta[1] ** 2 - beta * (residual + squares), 0),
    unbounded: And(Eq(residual, 0), Le(rank, d1), Lt(beta * rank, d2)),
    vanishes: And(Eq(residual, 0), Le(rank, d1)),
    all_kept: Or(Eq(carried, 0), Gt(d2 * weakest - beta * (residual + carried * weakest + left_out), 0)),
}
"""When each of these happens, as `collapse_steps`, `vanishing_steps` and `kept_steps` derive it (y not zero where the origin is
concerned)."""

first, rest, explained = Symbol("zeta_1", positive=True), Symbol("rest", nonnegative=True), Symbol("E", positive=True)
"""zeta_1, the sum of the other zeta_i^2, and r + |Z|^2 = E|y|^2."""
_excess, _spare, _more = sympy.symbols("excess spare more", nonnegative=True)
_further, _unequal, _unexplained = sympy.symbols("further unequal r", positive=True)

Named = tuple[str, Case]
"""A case: what distinguishes it, and what the scalars are in terms of positive and nonnegative symbols."""


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
        written_out("the slope of the loss at the origin", 2 * s**2 * slope, d2 * s - explained),
        zero("vanishes at s = E/d2", d2 * s - explained, {s: best}),
        positive("is positive beyond", d2 * s - explained, {s: best * (1 + margin)}),
        positive("and negative before", explained - d2 * s, {s: best / (1 + margin)}),
        same("that s leaves mode 1 collapsed iff g(zeta_1^2/beta) <= 0", d2 * (level - best), d2 * level - explained),
    )


@lru_cache(maxsize=1)
def vanishing_steps() -> tuple[Step, ...]:
    """The least of the closed form is 0 iff R_k = 0 for some k <= d1 with k beta < d2; and its limit as beta tends to 0."""
    modes, size, left = Symbol("k", nonnegative=True), Symbol("d_2", positive=True), Symbol("R", nonnegative=True)
    more, gap, next_square = Symbol("l", nonnegative=True), Symbol("gap", positive=True), Symbol("q", positive=True)
    tail = CLOSED_FORM.args[0].atoms(Sum).pop()
    piece = CLOSED_FORM.args[0].xreplace({tail: left - residual, kept: modes, d2: size})
    limit = sympy.limit(piece, beta, 0, "+")
    return (
        *slope_steps(),
        *sign_steps(),
        positive("R_k > 0 where r > 0", _unexplained + rest),
        positive("R_k > 0 for k < rank Z, since q = zeta_(k+1)^2 > 0", residual + next_square + rest),
        nonnegative("the least k with R_k = 0 asks least of beta in k beta < d2", (modes + more) * beta - modes * beta),
        Step(
            "as beta tends to 0 a value of the closed form tends to R_k/d2",
            Eq(sympy.Limit(piece, beta, 0), left / size, evaluate=False),
            Verdict.PROVED if is_zero(limit - left / size) else Verdict.UNDECIDED,
        ),
        nonnegative("it is never below that", piece - left / size, {size: gap + modes * beta}),
        nonnegative("R_k falls with k, so that the least limit is that of k = min(d1, d*)", (left + more) - left),
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
            d2 * weakest - beta * (residual + carried * weakest + left_out),
            {s: weakest / beta},
        ),
        nonnegative("a stronger mode reaches its threshold at no smaller s", (weakest + rise) / beta - weakest / beta),
    )


@lru_cache(maxsize=1)
def held_vanishing_steps() -> tuple[Step, ...]:
    """For every fixed Sigma too the learned s tends to R/d2 as beta tends to 0, R = r + sum of zeta_i^2 beyond d1.

    g(s) = d2 s - R - sum over i <= d1 of zeta_i min(zeta_i, c_i sqrt(beta s)), c_i = sigma_(i)/eta_enc, is convex, and not positive
    at 0: it vanishes once beyond, where s is R/d2 or more, and E|y|^2/d2 at most.
    """
    deviation, count = Symbol("sigma_i", positive=True), Symbol("n", positive=True)
    unit = deviation / eta_enc
    active, collapsed = (least_mode(active=on, held=deviation) for on in (True, False))
    line, edge = singular * unit * sqrt(beta * s), singular**2 / (unit**2 * s)
    taken = singular * Min(singular, unit * sqrt(beta * s))
    bound = count * line.subs(s, explained / d2)
    limit = sympy.limit(bound, beta, 0, "+")
    steps = [
        written_out("2 s^2 times the slope of an active mode's least loss", 2 * s**2 * Derivative(active, s), -line),
        written_out("and of a collapsed one's", 2 * s**2 * Derivative(collapsed, s), -(singular**2)),
    ]
    for name, level, part in (
        ("active", edge / (1 + margin) ** 2, line),
        ("at its threshold", edge, line),
        ("collapsed", edge * (1 + margin) ** 2, singular**2),
    ):
        steps += [
            same(f"what a mode takes off g at a held sigma_i ({name})", taken, part, {beta: level}),
            nonnegative(f"never less than nothing, so that s is R/d2 or more ({name})", part, {beta: level}),
            nonnegative(
                f"never more than zeta_i^2: s is E|y|^2/d2 at most ({name})", singular**2 - part, {beta: level}
            ),
            nonnegative(f"never more than zeta_i c_i sqrt(beta s) ({name})", line - part, {beta: level}),
        ]
    return (
        *steps,
        nonnegative("g is convex: the lesser of a number and a concave line is taken off", -sympy.diff(line, s, 2)),
        Step(
            "n modes take off a sum that tends to 0 with beta, at any s up to E|y|^2/d2",
            Eq(sympy.Limit(bound, beta, 0), 0, evaluate=False),
            Verdict.PROVED if limit == 0 else Verdict.UNDECIDED,
        ),
    )


# ------------------------------------------------------------------------------------------------- every case
def levels(threshold: Expr, distance: Expr = margin) -> tuple[tuple[str, Expr], ...]:
    """Above, at and below a positive threshold."""
    return (("above", threshold * (1 + distance)), ("at", threshold), ("below", threshold / (1 + distance)))


def problem_cases() -> Iterator[Named]:
    """Every problem with y not zero: r = 0 or not, beta about the threshold of collapse with a learned eta_dec."""
    for unexplained, total in ((sympy.S.Zero, first**2 + rest), (_unexplained, _unexplained + first**2 + rest)):
        sizes = {dstar: 1 + rest / first**2 + _spare, d2: 1 + rest / first**2 + _spare + _more}
        scalars = {zeta[1]: first, squares: first**2 + rest, residual: unexplained, **sizes}
        for place, weight in levels(sizes[d2] * first**2 / total):
            yield f"r = {unexplained}, beta {place} its threshold", scalars | {beta: weight}
    nothing = {zeta[1]: sympy.S.Zero, squares: sympy.S.Zero, residual: _unexplained}
    yield "Z = 0, r > 0", nothing | {dstar: 1 + _spare, d2: 1 + _spare + _more}


def decoder_cases() -> Iterator[Named]:
    """Every problem with y not zero: the given eta_dec and d2 zeta_1^2 about their thresholds, s* on its side of zeta_1^2/beta."""
    root, other, size = sympy.symbols("b eta_dec d_2", positive=True)
    unexplained, beyond = Symbol("r_any", nonnegative=True), Symbol("beyond", positive=True)
    for how, largest in levels(root * other):
        total = unexplained + largest**2 + rest
        level = largest**2 / root**2
        learned = (level * _spare / (1 + _spare), level, level * (1 + beyond))
        scalars = {zeta[1]: largest, squares: largest**2 + rest, residual: unexplained, beta: root**2, eta_dec: other}
        about = levels(root**2 * total / largest**2, _further)
        for (place, dimension), variance in zip(about, learned, strict=True):
            name = f"zeta_1 {how} sqrt(beta) eta_dec, d2 zeta_1^2 {place} beta E|y|^2"
            yield name, scalars | {d2: dimension, learned_variance: variance}
    nothing = {zeta[1]: sympy.S.Zero, squares: sympy.S.Zero, residual: _unexplained, d2: size}
    yield "Z = 0, r > 0", nothing | {learned_variance: _unexplained / size}


def equal_cases() -> Iterator[Named]:
    """All zeta_i equal and positive, any r."""
    size = (1 + _excess) ** 2
    for unexplained in (sympy.S.Zero, _unexplained):
        scalars = {zeta[1]: first, squares: size * first**2, residual: unexplained, dstar: size, d2: size + _more}
        for place, weight in levels((size + _more) * first**2 / (unexplained + size * first**2)):
            yield f"all zeta_i equal, r = {unexplained}, beta {place} its threshold", scalars | {beta: weight}


def autoencoder_cases(*, equal: bool = False, weight: Expr | None = None) -> Iterator[Named]:
    """y = x: d2 = D0 = d0 + kernel, d* = d0, r = 0; all positive eigenvalues of A equal, or at beta = `weight` any."""
    for kernel, unequal in product((0, _further), (0, _unequal)):
        if equal and unequal:
            continue
        size = (1 + _excess) ** 2 if equal else 1 + rest / first**2 + unequal
        total = size * first**2 if equal else first**2 + rest
        scalars = {zeta[1]: first, squares: total, residual: sympy.S.Zero, dstar: size, d0: size}
        scalars |= {D0: size + kernel, d2: size + kernel}
        name = f"d0 = D0 - {kernel}, d0 zeta_1^2 - |Z|^2 = {sympy.factor(size * first**2 - total)}"
        if weight is not None:
            yield name, scalars | {beta: weight}
            continue
        for place, level in levels(scalars[d2] * first**2 / total):
            yield f"{name}, beta {place} its threshold", scalars | {beta: level}


def rank_cases() -> Iterator[Named]:
    """Every relation of rank Z to d1, r to 0 and beta to d2/rank Z."""
    some, size = Symbol("rank", positive=True), Symbol("d_2", positive=True)
    for unexplained in (sympy.S.Zero, _unexplained):
        yield f"r = {unexplained}, rank Z = 0", {residual: unexplained, rank: sympy.S.Zero, d2: size}
        for name, latents, modes in (("<= d1", some + _excess, some), ("> d1", some, some + _further)):
            for place, weight in levels(size / modes):
                scalars = {residual: unexplained, rank: modes, d1: latents, d2: size, beta: weight}
                yield f"r = {unexplained}, rank Z {name}, beta {place} d2/rank Z", scalars


def kept_cases() -> Iterator[Named]:
    """Every problem: r = 0 or not, beta about the threshold of the weakest of k modes with a latent; or no such mode.

    No mode without a latent has a larger square than the weakest with one, so that d* is k, their number and some more.
    """
    others, share = sympy.symbols("others share", nonnegative=True)
    count, square = 1 + others, Symbol("q", positive=True)
    for unexplained in (sympy.S.Zero, _unexplained):
        modes = count + share + _spare
        scalars = {carried: count, weakest: square, left_out: share * square, dstar: modes, d2: modes + _more}
        scalars |= {residual: unexplained}
        for place, weight in levels((modes + _more) * square / (unexplained + (count + share) * square)):
            yield f"r = {unexplained}, beta {place} the threshold of the weakest mode", scalars | {beta: weight}
        yield f"r = {unexplained}, no mode has a latent", {residual: unexplained, carried: sympy.S.Zero}


def autoencoder_rank_cases() -> Iterator[Named]:
    """y = x: r = 0, rank Z = d* = d0 <= D0 = d2; every relation of d1 to d*, and of beta to d2/d*."""
    modes = 1 + Symbol("others", nonnegative=True)
    scalars: Case = {residual: sympy.S.Zero, rank: modes, dstar: modes, d0: modes}
    for kernel in (sympy.S.Zero, _further):
        size = {D0: modes + kernel, d2: modes + kernel}
        for name, latents in (("<", modes / (1 + margin)), ("=", modes), (">", modes + margin)):
            for place, weight in levels((modes + kernel) / modes, _unequal):
                case = {**scalars, **size, d1: latents, beta: weight}
                yield f"d0 = D0 - {kernel}, d1 {name} d*, beta {place} d2/d*", case


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
