"""Exact instances with a learned decoder variance, on both sides of every case distinction of section 4.4 and at each."""

from __future__ import annotations

import random
from functools import lru_cache

import sympy
from sympy import Rational

from derivations.exact_data import exact_data
from derivations.instances import Instance
from numerics.exact import ExactProblem

__all__ = ["exact_decoder_problems"]

# (d0, d2, d1): every aspect ratio, d1 on every side of d*.
_SHAPES = ((1, 1, 1), (2, 2, 1), (1, 3, 2), (2, 3, 2), (3, 3, 1), (2, 1, 1), (3, 2, 2), (2, 4, 1), (3, 3, 2), (2, 2, 3))
_FAMILIES = (
    "at-collapse",
    "diverging",
    "active",
    "unreached",
    "valley",
    "interior",
    "at-threshold",
    "partial",
    "at-ratio",
    "bounded",
    "zero-mode",
)
_SINGULAR = tuple(Rational(k, 2) for k in range(1, 9))
_ROOTS = (Rational(1, 2), Rational(1), Rational(3, 2), Rational(2))


@lru_cache(maxsize=16)
def exact_decoder_problems(count: int = 33, seed: int = 0) -> tuple[ExactProblem, ...]:
    """Exact instances whose best decoder variance is rational, since beta, r and the squared singular values are."""
    generator = random.Random(f"decoder{seed}")
    found = []
    for index in range(count):
        scalars = _scalars(generator, _FAMILIES[index % len(_FAMILIES)], *_SHAPES[index % len(_SHAPES)])
        data = exact_data(scalars, seed=seed * 1000 + index, kernel=index % 2)
        found.append(ExactProblem(data, True, f"exact-decoder-{index}", learned_decoder=True))
    return tuple(found)


def _scalars(generator: random.Random, family: str, d0: int, d2: int, d1: int) -> Instance:
    dstar = min(d0, d2)
    reachable = min(d1, dstar)
    explained = family in ("diverging", "valley", "bounded", "unreached")
    zeta = sorted((generator.choice(_SINGULAR) for _ in range(dstar)), reverse=True)
    if explained and family != "unreached":
        zeta[reachable if family == "valley" else generator.randint(1, reachable) :] = []
    elif family == "partial":
        zeta[1:] = [value / 8 for value in zeta[1:]]
    elif family == "zero-mode":
        zeta[generator.randint(0, dstar - 1) :] = []
    rank = len(zeta)
    zeta += [sympy.S.Zero] * (dstar - rank)
    residual = sympy.S.Zero if explained else generator.choice(_ROOTS) ** 2
    second_moment = residual + sum(value**2 for value in zeta)
    above = reachable - 1 if family == "at-threshold" else 0
    edge = zeta[above]
    beta = {
        "diverging": Rational(d2, max(rank, 1)) * generator.choice((Rational(1, 4), Rational(2, 3), Rational(9, 10))),
        "valley": Rational(d2, max(rank, 1)),
        "bounded": Rational(d2, max(rank, 1)) * generator.choice((Rational(11, 10), Rational(3, 2), Rational(3))),
        "at-collapse": d2 * zeta[0] ** 2 / second_moment,
        # beta s = edge^2, where d2 s is what the modes above leave, r and the squares of the others
        "at-threshold": d2 * edge**2 / (second_moment - sum(value**2 - edge**2 for value in zeta[:above])),
        "at-ratio": Rational(d2, dstar),
        "active": Rational(d2, dstar) * generator.choice((Rational(1, 10), Rational(1, 5), Rational(1, 3))),
    }.get(
        family, Rational(d2, dstar) * generator.choice((Rational(1, 5), Rational(1, 2), Rational(5, 4), Rational(5, 2)))
    )
    eta_dec, eta_enc = generator.choice(_ROOTS), generator.choice(_ROOTS)
    return Instance(tuple(zeta), (eta_enc,) * d1, beta, eta_dec, eta_enc, d0, d2, residual)
