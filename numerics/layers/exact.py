"""The exact layer: rational instances, where a residual is exactly 0 or the statement is refuted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from jaxtyping import Shaped

from derivations import notation as n
from derivations.exact_data import ExactData
from derivations.instances import is_exactly_zero
from derivations.ledger import claims_by_id
from derivations.rotation_witnesses import rotations
from numerics.decoder_pieces import collapsed_loss, exact_least_over_decoder
from numerics.draws import Draw, exact_draws
from numerics.exact import ExactProblem, exact_loss, has_negative_curvature, smallest_eigenvalue_sign, stationarity
from numerics.layers.base import Finding
from numerics.points import Point, assembled
from numerics.rational import exact_problems
from numerics.rational_decoder import exact_decoder_problems
from numerics.tolerances import EXACT

SEEDED = 6
"""Instances that a seed other than 0 adds."""


class ExactLayer:
    """Instances in exact numbers with rational minima."""

    name = "exact"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def problems(self, kind: str) -> Sequence[ExactProblem]:
        """Rational instances of a kind: a fixed set, on which every mutant shows, and a few more for another seed than 0."""
        return _problems(kind, self.seed)

    def sweeps(self) -> Sequence[Sequence[ExactProblem]]:
        """Each fixed instance with its standard deviations in another order and at another scale."""
        return _sweeps(self.seed)

    def draws(self) -> Sequence[Draw]:
        """Rational data with integer parameters."""
        return _draws(self.seed)

    def stationary_encoder_findings(self, problem: ExactProblem, encoder: Callable[[Any], Any]) -> Iterator[Finding]:
        """The gradient of L_VAE in W at W = P_A Phi^(-1/2) V, by exact central differences: the loss is quadratic in W."""
        U = np.array(problem.data.matrices[n.U].tolist(), dtype=object)
        V = encoder(U)
        W = problem.P_A @ (V / np.array([sympy.sqrt(value) for value in problem.phi], dtype=object)[:, None])
        slopes = []
        for place in np.ndindex(W.shape):
            step = np.full(W.shape, sympy.S.Zero, dtype=object)
            step[place] = sympy.S.One
            ahead, behind = (
                exact_loss(problem, Point(W + sign * step, U, V, fixed_variances(problem))) for sign in (1, -1)
            )
            slopes.append(ahead - behind)
        yield self.difference("gradient in W", problem, np.array(slopes, dtype=object), 0)

    def rotations(self, problem: ExactProblem) -> Sequence[Any]:
        """Rational matrices, orthogonal but for a few."""
        return [np.array(matrix.tolist(), dtype=object) for matrix in rotations(problem.d1)]

    def loss(self, problem: ExactProblem, point: Point) -> sympy.Expr:
        """L_VAE by enumeration of data and noise."""
        return exact_loss(problem, point)

    def least_loss(self, problem: ExactProblem) -> sympy.Expr:
        """L_VAE at the proved minimum; kind "decoder": the least of that over eta_dec^2."""
        return exact_least_over_decoder(problem).loss if problem.learned_decoder else _least_loss(problem)

    def minimum_findings(self, problem: ExactProblem, point: Point) -> Iterator[Finding]:
        """The gradient, exactly; then the curvature, exactly."""
        if not all(bool(s.is_positive) for s in point.variance):
            yield Finding("gradient", problem.name, float("inf"), EXACT)
            return
        slope = stationarity(problem, point)
        yield Finding("gradient", problem.name, float(slope), EXACT)
        if slope == 0:
            yield Finding("curvature", problem.name, float(has_negative_curvature(problem, point)), EXACT)

    def difference(self, quantity: str, problem: Any, left: Any, right: Any) -> Finding:
        """0 if all entries agree exactly, else the largest distance."""
        pairs = np.broadcast(np.asarray(left, dtype=object), np.asarray(right, dtype=object))
        distances = [sympy.sympify(a) - sympy.sympify(b) for a, b in pairs]
        wrong = [distance for distance in distances if not is_exactly_zero(distance)]
        residual = max((abs(complex(d)) if d.is_finite else float("inf") for d in wrong), default=0.0)
        return Finding(quantity, problem.name, max(residual, 1e-300) if wrong else 0.0, EXACT)

    def origin_eigenvalue(self, problem: ExactProblem) -> sympy.Integer:
        """-1, 0 or 1; 0 also where A has a null space."""
        return sympy.Integer(_origin_sign(problem))

    def origin_gap(self, problem: ExactProblem) -> sympy.Expr:
        """Exact."""
        return _origin_gap(problem)

    def origin_is_local_minimum(self, problem: ExactProblem) -> bool:
        """No negative curvature: what the loss adds to its second-order part at the origin is |U V^T|^2."""
        return _origin_sign(problem) >= 0

    def decoder_variance(self, problem: ExactProblem) -> sympy.Expr | None:
        """The best of exact candidates."""
        return exact_least_over_decoder(problem).variance

    def decoder_variance_findings(self, problem: ExactProblem, stated: Any) -> Iterator[Finding]:
        """Their exact difference."""
        found = self.decoder_variance(problem)
        if found is not None:
            yield self.difference("decoder variance", problem, stated, found)

    def unbounded(self, problem: ExactProblem) -> bool:
        """By the slope next to eta_dec^2 = 0."""
        return self.least_loss(problem) == -sympy.oo

    def collapses_completely(self, problem: ExactProblem) -> bool:
        """By the least losses."""
        return is_exactly_zero(self.least_loss(problem) - collapsed_loss(problem))


def fixed_variances(problem: ExactProblem) -> Shaped[np.ndarray, " d1"]:
    """Sigma's diagonal where it is fixed."""
    assert problem.sigma is not None
    return problem.sigma**2


def _origin(problem: ExactProblem) -> Point:
    W, U, V = (
        np.full((rows, problem.d1), sympy.S.Zero, dtype=object) for rows in (len(problem.A), problem.d2, problem.d0)
    )
    prior = np.full(problem.d1, problem.eta_enc**2, dtype=object)
    return Point(W, U, V, prior if problem.learned else fixed_variances(problem))


@lru_cache(maxsize=1024)
def _origin_sign(problem: ExactProblem) -> int:
    return smallest_eigenvalue_sign(problem, _origin(problem))


@lru_cache(maxsize=1024)
def _origin_gap(problem: ExactProblem) -> sympy.Expr:
    return sympy.expand(_least_loss(problem) - exact_loss(problem, _origin(problem)))


@lru_cache(maxsize=16)
def _problems(kind: str, seed: int) -> tuple[ExactProblem, ...]:
    if kind == "decoder":
        return exact_decoder_problems() + (exact_decoder_problems(SEEDED, seed) if seed else ())
    return exact_problems(kind) + (exact_problems(kind, SEEDED, seed) if seed else ())


@lru_cache(maxsize=4)
def _sweeps(seed: int) -> Sequence[Sequence[ExactProblem]]:
    return [
        [problem, *(_with_sigma(problem, variant) for variant in _variants(problem.data.scalars.sigma))]
        for problem in _problems("fixed", seed)
    ]


@lru_cache(maxsize=4)
def _draws(seed: int) -> Sequence[Draw]:
    return exact_draws(_problems("fixed", seed))


def _variants(sigma: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [sigma[::-1], tuple(s * 4 for s in sigma), tuple(s / 9 for s in sigma[::-1])]


def _with_sigma(problem: ExactProblem, sigma: tuple[Any, ...]) -> ExactProblem:
    data = ExactData(replace(problem.data.scalars, sigma=sigma), problem.data.matrices, problem.data.points)
    return ExactProblem(data, problem.learned, problem.name)


@lru_cache(maxsize=1024)
def _least_loss(problem: ExactProblem) -> sympy.Expr:
    claim = claims_by_id()["thm-2.minimum" if problem.learned else "prop-2.minimum"]
    return exact_loss(problem, assembled(claim.standing.formula, problem))
