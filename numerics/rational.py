"""Exact instances whose minima are rational, so that an exact residual is 0 as a rational number.

The closed forms' roots have to be rational: zeta/sqrt(t) = (1 + u^2)/(1 - u^2) for learned variances, zeta = sqrt(t) + q^2 for
sigma = eta_enc with sqrt(t) = p^2, and zeta = (k s)^2 + q^2 for sigma = s^2 with sqrt(c) = k^2.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import sympy
from sympy import Rational

from derivations.exact_data import exact_data
from derivations.instances import Instance
from numerics.exact import ExactProblem


@lru_cache(maxsize=16)
def exact_problems(kind: str, count: int = 18, seed: int = 0) -> tuple[ExactProblem, ...]:
    """Exact instances whose minima are rational: kind "learned", "prior" (sigma_i = eta_enc) or "fixed".

    They cover d1 below, at and above dstar, wide and tall Z, modes above, at and below their thresholds, zero modes, ties, a null
    space of A, and r zero and positive.
    """
    generator = random.Random(f"{kind}{seed}")
    shapes = [
        (1, 1, 1),
        (2, 1, 2),
        (1, 2, 2),
        (2, 2, 1),
        (2, 2, 2),
        (1, 3, 1),
        (2, 2, 3),
        (3, 2, 2),
        (2, 3, 2),
        (3, 3, 1),
        (1, 2, 3),
    ]
    found = []
    for index in range(count):
        d0, d2, d1 = shapes[index % len(shapes)]
        scalars = _rational_scalars(kind, index, generator, d0, d2, d1)
        data = exact_data(scalars, seed=seed * 1000 + index, kernel=index % 2)
        found.append(ExactProblem(data, kind == "learned", f"exact-{kind}-{index}"))
    return tuple(found)


def _rational_scalars(kind: str, index: int, generator: random.Random, d0: int, d2: int, d1: int) -> Instance:
    modes = min(d0, d2)
    small = [Rational(1, 2), Rational(1), Rational(2), Rational(3, 2), Rational(2, 3)]
    choose = generator.choice
    root = choose(small)  # p, or k
    if kind == "fixed":
        eta_enc = choose(small)
        eta_dec = choose(small) if index % 3 else root**2 * eta_enc / 4  # beta = 16 next to the thresholds
        beta = (root**2 * eta_enc / eta_dec) ** 2
        roots = sorted(generator.sample(small, d1))
        roots = [*roots[1:], roots[0]]  # never sorted already; for three latents sorted by a cycle, not by a swap
        sigma = tuple(s**2 for s in roots)
        thresholds = [root**2 * s**2 for s in sorted(roots)] + [root**2] * modes
        above = [thresholds[k] + choose(small) ** 2 for k in range(modes)]
    else:
        eta_enc, eta_dec = choose(small), choose(small)
        beta = (root**2 / eta_dec) ** 2
        sigma = (eta_enc,) * d1
        thresholds = [root**2] * modes
        if kind == "prior":
            above = [root**2 + choose(small) ** 2 for _ in range(modes)]
        else:
            ratios = [Rational(1, 3), Rational(1, 2), Rational(2, 3), Rational(1, 4)]
            above = [root**2 * (1 + u**2) / (1 - u**2) for u in (choose(ratios) for _ in range(modes))]
    # a third of the instances lies at or below every threshold, and in the others every fourth mode does
    fractions = [sympy.S.One, Rational(9, 10), sympy.S.Zero, Rational(3, 4), Rational(1, 2)]
    below = [thresholds[0] * fractions[(index // 3 + k) % 5] for k in range(modes)]
    zeta = [below[k] if index % 3 == 0 or (index + k) % 4 == 0 else above[k] for k in range(modes)]
    if index % 6 == 4 and modes > 1 and kind != "fixed":
        zeta = [above[0]] * modes
    zeta = sorted(zeta, reverse=True)
    residual = Rational(index % 3) ** 2
    if kind == "fixed" and not _has_rational_minimum(zeta, sorted(sigma), root):
        return _rational_scalars(kind, index, generator, d0, d2, d1)
    return Instance(tuple(zeta), sigma, beta, eta_dec, eta_enc, d0, d2, residual)


def _has_rational_minimum(zeta: list[Any], deviations: list[Any], root: Rational) -> bool:
    """Whether (zeta_i - sigma_(i) sqrt(c)) is a square wherever it is positive."""
    excesses = [z - s * root**2 for z, s in zip(zeta, deviations, strict=False)]
    return all(excess <= 0 or sympy.sqrt(excess).is_Rational for excess in excesses)
