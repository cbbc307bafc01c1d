"""The descent layer: closed forms against minima that descent found from random starts, knowing nothing of them.

The volume descends by the fast route; every `SAMPLE`-th random instance, the sweeps and the real data by the plain one, which uses
nothing but the loss.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise
from numerics.layers.base import Finding
from numerics.layers.floating import (
    FloatLayer,
    by_kind,
    collapsed_loss,
    origin_of,
    relative_distance,
    sweep_of,
    variance_findings,
)
from numerics.minimum import FAST, PLAIN, Minimum
from numerics.moments import real_problems
from numerics.points import Point
from numerics.problem import Problem
from numerics.problems import random_problems
from numerics.tolerances import (
    COLUMN_OVERLAP,
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
)

COUNT = 600
SWEEPS = 12
SAMPLE = 7
"""No divisor in common with the cycles in which instances are drawn: with 6 all fixed ones but one had the prior's variances."""


class DescentLayer(FloatLayer):
    """Minima of random instances over every regime, of sweeps over Sigma, and of real data."""

    name = "descent"

    def __init__(
        self,
        seed: int = 0,
        device: str = "cpu",
        count: int = COUNT,
        *,
        real_data: bool = True,
        pool: Executor | None = None,
    ) -> None:
        super().__init__(seed)
        self.device, self.count, self.real_data, self.pool = device, count, real_data, pool
        self.progress: Callable[[int], None] | None = None
        self._minima: dict[int, Minimum] = {}

    @cached_property
    def _random(self) -> dict[str, list[Problem]]:
        return by_kind(random_problems(self.count, self.seed))

    @cached_property
    def _decoders(self) -> Sequence[Problem]:
        return decoder_problems(self.count // 2, self.seed)

    @cached_property
    def _problems(self) -> dict[str, list[Problem]]:
        real = by_kind(real_problems() if self.real_data else [])
        return {kind: [*problems, *real[kind]] for kind, problems in self._random.items()}

    @cached_property
    def _sweeps(self) -> Sequence[Sequence[Problem]]:
        return [[base, *sweep_of(base)[1:]] for base in self._random["fixed"][:SWEEPS]]

    def minimum(self, problem: Problem) -> Minimum:
        """Where descent ended on one of this layer's instances; the instances of its group descend together, once."""
        if id(problem) not in self._minima:
            group = next(group for group in self.groups() if any(member is problem for member in group))
            self.descend(group)
        return self._minima[id(problem)]

    def groups(self) -> Iterator[Sequence[Problem]]:
        """The instances that descend together: learned variances, fixed ones, learned decoders, and the sweeps over Sigma."""
        yield from (self.problems(kind) for kind in ("learned", "fixed", "decoder"))
        yield [variant for sweep in self._sweeps for variant in sweep[1:]]

    def descend(self, problems: Sequence[Problem]) -> None:
        """Find and keep the minima not found yet; instances of real data are large and descend one by one, also in the pool."""
        group = list({id(problem): problem for problem in problems if id(problem) not in self._minima}.values())
        alone = [problem for problem in group if self.pool is not None and "real-data" in problem.regimes]
        plainly = {id(problem) for problem in self._plain}
        fast = [problem for problem in group if id(problem) not in plainly]
        together = [
            problem for problem in group if id(problem) in plainly and all(problem is not other for other in alone)
        ]
        handed = [(problem, self._handed_over(problem)) for problem in alone]
        found = {id(m.problem): m for m in (*self._descended(together), *self._descended(fast, FAST))}
        for problem, future in reversed(handed):
            if future.cancel():
                found |= {id(m.problem): m for m in self._descended([problem])}
        for problem, future in handed:
            if not future.cancelled():
                found[id(problem)] = replace(future.result()[0], problem=problem)
                self._tell(1)
        self._minima |= {id(problem): found[id(problem)] for problem in group}

    @cached_property
    def _plain(self) -> list[Problem]:
        """The instances that take the plain route."""
        random = [problem for problems in (*self._random.values(), self._decoders) for problem in problems[::SAMPLE]]
        real = [
            problem for problems in self._problems.values() for problem in problems if "real-data" in problem.regimes
        ]
        return [*random, *real, *(variant for sweep in self._sweeps for variant in sweep[1:])]

    def _descended(self, problems: Sequence[Problem], route: str = PLAIN) -> list[Minimum]:
        return minimise(problems, seed=self.seed, device=self.device, progress=self.progress, route=route)

    def _handed_over(self, problem: Problem) -> Future[list[Minimum]]:
        assert self.pool is not None
        return self.pool.submit(minimise, [problem], seed=self.seed, device=self.device)

    def _tell(self, count: int) -> None:
        if self.progress is not None:
            self.progress(count)

    def minima(self) -> list[Minimum]:
        """All minima found so far."""
        return list(self._minima.values())

    def least_loss(self, problem: Problem) -> float:
        """The loss where descent ended."""
        return self.minimum(problem).loss

    def minimum_findings(self, problem: Problem, point: Point) -> Iterator[Finding]:
        """The gap between the loss at the point and where descent ended, and, off the thresholds, the invariants of both."""
        found = self.minimum(problem)
        yield from loss_findings(problem.name, found.loss, self.loss(problem, point))
        if "at-threshold" in problem.regimes:
            return
        for quantity, mine, theirs in (
            ("singular values of U", found.U_singular_values, point.U),
            ("singular values of V", found.V_singular_values, point.V),
            ("singular values of U V^T", found.product_singular_values, point.U @ point.V.T),
        ):
            yield Finding(quantity, problem.name, relative_distance(mine, _spectrum(theirs)), DESCENT_INVARIANT)
        deviations = relative_distance(np.sort(found.sigma), np.sort(np.sqrt(point.variance)))
        yield Finding("encoder standard deviations", problem.name, deviations, DESCENT_INVARIANT)

    def stationary_encoder_findings(self, problem: Problem, encoder: Callable[[Any], Any]) -> Iterator[Finding]:
        """V of the minimum against V as a function of its U."""
        found = self.minimum(problem)
        residual = relative_distance(encoder(found.U), found.V)
        yield Finding("V as a function of U", problem.name, residual, DESCENT_INVARIANT)

    def difference(self, quantity: str, problem: Any, left: Any, right: Any) -> Finding:
        """The largest distance relative to the largest entry (at least 1)."""
        return Finding(quantity, problem.name, relative_distance(left, right), DESCENT_GAP)

    def origin_gap(self, problem: Problem) -> float:
        """By where descent ended."""
        at_origin = self.loss(problem, origin_of(problem))
        return within_descent(self.least_loss(problem) - at_origin, at_origin)

    def origin_is_local_minimum(self, problem: Problem) -> bool:
        """Whether descent from next to the origin returns to its loss."""
        at_origin = self.loss(problem, origin_of(problem))
        return within_descent(self.nearby_minima[id(problem)].loss - at_origin, at_origin) == 0

    def decoder_variance(self, problem: Problem) -> float | None:
        """Where descent ended; 0 where it diverged."""
        found = self.minimum(problem)
        return None if self._levels[id(problem)] else found.eta_dec**2

    def decoder_variance_findings(self, problem: Problem, stated: Any) -> Iterator[Finding]:
        """Their distance relative to the larger."""
        yield from variance_findings(problem, stated, self.decoder_variance(problem), DESCENT_INVARIANT)

    def unbounded(self, problem: Problem) -> bool:
        """Whether descent diverged."""
        return self.minimum(problem).diverged

    def collapses_completely(self, problem: Problem) -> bool:
        """By where descent ended."""
        collapsed = collapsed_loss(problem)
        return within_descent(self.least_loss(problem) - collapsed, collapsed) == 0

    @cached_property
    def _levels(self) -> dict[int, bool]:
        """Whether half the decoder's standard deviation at the minimum does as well, by descent with it held there."""
        found = [self.minimum(problem) for problem in self._decoders]
        level = {id(minimum.problem): False for minimum in found}
        chosen = [minimum for minimum in found if not minimum.diverged]
        held = [replace(minimum.problem, eta_dec=minimum.eta_dec / 2, learned_decoder=False) for minimum in chosen]
        for minimum, other in zip(chosen, minimise(held, seed=self.seed, device=self.device, route=FAST), strict=True):
            loss = other.loss + minimum.problem.d2 * float(np.log(other.eta_dec))
            level[id(minimum.problem)] = within_descent(loss - minimum.loss, loss) == 0
        return level

    @cached_property
    def nearby_minima(self) -> dict[int, Minimum]:
        """Where descent ends from random starts a thousandth as far out as the usual ones; fixed variances, random data only."""
        chosen = [problem for problem in self.problems("fixed") if "real-data" not in problem.regimes]
        found = minimise(chosen, seed=self.seed, device=self.device, start_scale=1 / 1000)
        return {id(minimum.problem): minimum for minimum in found}

    def certificate_findings(self) -> Iterator[Finding]:
        """What certifies the minima themselves, see `certificate_findings`; where the loss fell for ever there are none."""
        for minimum in self.minima():
            if not minimum.diverged:
                yield from certificate_findings(minimum)


def certificate_findings(minimum: Minimum) -> Iterator[Finding]:
    """Gradient norm, negative curvature and what overlapping columns cost relative to the loss, without any closed form."""
    certificate, name = minimum.certificate, minimum.problem.name
    yield Finding("gradient norm", name, certificate.gradient_norm, GRADIENT_NORM)
    yield Finding("negative curvature", name, max(0.0, -certificate.smallest_hessian_eigenvalue), HESSIAN_EIGENVALUE)
    cost = abs(certificate.overlap) / max(1.0, abs(minimum.loss))
    yield Finding("overlap of columns", name, cost, COLUMN_OVERLAP)


def within_descent(difference: float, loss: float) -> float:
    """0 for a difference of losses that descent does not resolve."""
    return 0.0 if abs(difference) <= DESCENT_GAP.value * max(1.0, abs(loss)) else difference


def loss_findings(name: str, found: float, stated: float) -> tuple[Finding, Finding]:
    """How far descent ended above the stated minimum, and how far below it, where one run refutes the theory; relative."""
    gap = float(found - stated) / max(
        abs(float(stated)), sys.float_info.min
    )  # of a float: infinite beside a mutant's 0, no warning
    above, below = (max(gap, 0.0), max(-gap, 0.0)) if np.isfinite(gap) else (np.inf, np.inf)
    return (
        Finding("loss above the closed form", name, above, DESCENT_GAP),
        Finding("loss below the closed form", name, below, DESCENT_BELOW),
    )


def _spectrum(matrix: np.ndarray) -> np.ndarray:
    return np.linalg.svd(matrix, compute_uv=False)
