"""The best decoder variance, written anew apart from derivations, and instances to try it on."""

import math
from functools import cache
from typing import Any

import numpy as np

from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise
from numerics.minimum import Minimum
from numerics.problem import Problem
from numerics.problems import planted_problem

drawn = cache(decoder_problems)
EVERY_FAMILY = 44  # instances: each family four times


@cache
def found(seed: int, count: int = EVERY_FAMILY) -> list[Minimum]:
    return minimise(drawn(count, seed), seed=seed)


def least_at(s: float, squares: list[float], r: float, beta: float, d1: int, d2: int) -> float:
    """The least L_VAE + (d2/2) log s at decoder variance s, written here anew: one mode after another."""
    left = r
    for index, square in enumerate(squares):
        active = index < d1 and square > beta * s
        left += beta * s * (1 + math.log(square / (beta * s))) if active else square
    return left / (2 * s) + d2 / 2 * math.log(s)


def best_variance(problem: Problem) -> float | None:
    """The best decoder variance by trying every number of active modes; 0 if the loss is unbounded, None in a valley."""
    squares = [float(value) ** 2 for value in problem.spectrum]
    for active in range(min(problem.d1, sum(square > 0 for square in squares)), -1, -1):
        left, factor = problem.r + sum(squares[active:]), problem.d2 - active * problem.beta
        if left == 0:
            if factor >= 0:
                return 0.0 if factor > 0 else None
            continue
        if factor > 0:
            s = left / factor
            slack = 1e-12 * s * problem.beta
            above = active == 0 or squares[active - 1] >= problem.beta * s - slack
            below = active >= min(problem.d1, len(squares)) or squares[active] <= problem.beta * s + slack
            if above and below:
                return s
    raise AssertionError(f"no stationary point: {problem.name}")


def small(zeta: list[float], beta: float, r: float, d1: int = 1, d2: int | None = None, **others: Any) -> Problem:
    """A square instance with these singular values; d2 > d0 adds targets without signal."""
    rng = np.random.default_rng(0)
    singular = np.array(zeta)
    fields: dict[str, Any] = {"eta_dec": 1.0, "eta_enc": 1.0} | others
    return planted_problem(
        rng, D0=len(zeta), d2=d2 or len(zeta), d1=d1, zeta=singular, phi=np.ones(len(zeta)), residual=r, beta=beta,
        learned_decoder=True, name="small", **fields,
    )  # fmt: skip
