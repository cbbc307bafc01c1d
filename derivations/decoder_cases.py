"""Every problem with a learned decoder variance (§4.4), case by case: what the scalars are in terms of positive symbols."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import sympy
from sympy import Expr, Sum, Symbol

from derivations.decoder_instances import carried, learned_variance, left_out, rank, weakest
from derivations.notation import D0, beta, d0, d1, d2, dstar, eta_dec, i, residual, zeta
from derivations.proof import Case, margin

squares = Sum(zeta[i] ** 2, (i, 1, dstar))
"""The squared norm of Z."""

first, rest, explained = Symbol("zeta_1", positive=True), Symbol("rest", nonnegative=True), Symbol("E", positive=True)
"""zeta_1, the sum of the other zeta_i^2, and r + |Z|^2 = E|y|^2."""
_excess, _spare, _more = sympy.symbols("excess spare more", nonnegative=True)
_further, _unequal, _unexplained = sympy.symbols("further unequal r", positive=True)

Named = tuple[str, Case]
"""A case: what distinguishes it, and what the scalars are in terms of positive and nonnegative symbols."""


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
