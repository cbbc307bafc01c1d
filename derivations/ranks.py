"""How large the rank of the learned model is beside d1, d* and rank Z, in symbols for every case."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Basic, Expr, Symbol

from derivations.notation import d0, d1, dstar, i
from derivations.situations import OTHER, rank, rank_of_Z

Case = tuple[str, dict[Basic, Expr]]
"""What distinguishes it, and what the scalars are in terms of positive symbols."""


def rank_cases() -> Iterator[Case]:
    """At a sufficiently small beta the rank of the learned model is min(d1, rank Z): every order of d1, rank Z, dstar and d0."""
    c, e, more = sympy.symbols("c e b", integer=True, positive=True)
    full, width = Symbol("rank_Z", integer=True, nonnegative=True), Symbol("k", integer=True, positive=True)
    orders = {
        "d1 < rank Z = dstar": (width, width + c, width + c),
        "d1 < rank Z < dstar": (width, width + c, width + c + e),
        "d1 = rank Z = dstar": (width, width, width),
        "d1 = rank Z < dstar": (width, width, width + e),
        "rank Z = dstar < d1": (full + c, full, full),
        "rank Z < dstar < d1": (full + c + e, full, full + c),
        "rank Z < dstar = d1": (full + c, full, full + c),
        "rank Z < d1 < dstar": (full + c, full, full + c + e),
    }
    for name, (latents, of_Z, least) in orders.items():
        learned = latents if name.startswith("d1") else of_Z
        known = {d1: latents, rank_of_Z: of_Z, dstar: least, OTHER[rank]: learned}
        yield f"{name}, d0 <= d2", known | {d0: least}
        yield f"{name}, d0 > d2", known | {d0: least + more}


def ranks_about(alive: bool, with_data: bool, without_signal: bool) -> Iterator[Case]:
    """rank U V^T and d1 about a latent i <= d1: since singular values do not rise, the rank is at least i iff m_i > 0.

    Args:
        alive: whether m_i > 0.
        with_data: whether d* is asked for, too: the rank is d* at most.
        without_signal: whether zeta_i = 0, as it is beyond d*.
    """
    a, b, c = sympy.symbols("a b c", integer=True, nonnegative=True)
    if not with_data:
        yield "", {rank: i + a, d1: i + a + b} if alive else {rank: i - 1 - a, d1: i + b}
    elif alive:
        yield ", rank = i = dstar <= d1", {rank: i, dstar: i, d1: i + a}
        yield ", i < rank = dstar <= d1", {rank: i + 1 + a, dstar: i + 1 + a, d1: i + 1 + a + b}
        yield ", i <= rank < dstar <= d1", {rank: i + a, dstar: i + a + 1 + b, d1: i + a + 1 + b + c}
        yield ", i <= rank <= d1 < dstar", {rank: i + a, d1: i + a + b, dstar: i + a + b + 1 + c}
    else:
        fewer = {rank: i - 1 - a}
        yield ", rank < i = dstar <= d1", fewer | {dstar: i, d1: i + b}
        yield ", rank < i < dstar <= d1", fewer | {dstar: i + 1 + b, d1: i + 1 + b + c}
        yield ", rank < i <= d1 < dstar", fewer | {d1: i + b, dstar: i + b + 1 + c}
        if without_signal:
            yield ", rank <= dstar < i <= d1", {rank: i - 1 - b - a, dstar: i - 1 - b, d1: i + c}
