"""The numeric layer: float64 instances over every regime, with derivatives of the loss by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from derivations.ledger import claims_by_id
from numerics.certificates import Certificate, certify, certify_large
from numerics.decoder_problems import decoder_problems
from numerics.decoder_profile import DecoderOptimum, least_over_decoder
from numerics.descent import objective_of
from numerics.draws import Draw, float_draws
from numerics.layers.base import Finding
from numerics.objective import Parameters, Statistics, vae_loss
from numerics.points import Point, assembled
from numerics.problem import Problem
from numerics.problems import random_problems
from numerics.tolerances import CLOSED_FORM_CURVATURE, CLOSED_FORM_GRADIENT, FLOAT64_IDENTITY, Tolerance

COUNT, DECODERS = 120, 66
"""Instances with a fixed decoder variance, and with a learned one."""
LARGE = 300
"""Parameters from which on the Hessian is not formed in full."""


def kind_of(problem: Problem) -> str:
    """ "learned", "prior" (all standard deviations at the prior's), "fixed", or "decoder" (the decoder's is learned too)."""
    if problem.learned_decoder:
        return "decoder"
    if problem.sigma is None:
        return "learned"
    return "prior" if bool(np.all(problem.sigma == problem.eta_enc)) else "fixed"


def by_kind(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    """The instances by kind, but those of learned decoders; "fixed" includes those at the prior's value."""
    found: dict[str, list[Problem]] = {"learned": [], "prior": [], "fixed": []}
    for problem in problems:
        kind = kind_of(problem)
        found[kind].append(problem)
        if kind == "prior":
            found["fixed"].append(problem)
    return found


def parameters(point: Point) -> Parameters:
    """A point as float64 tensors; a variance of 0 becomes a logarithm of minus infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        arrays = (point.W, point.U, np.log(point.variance))
    return Parameters(*(torch.tensor(np.asarray(array, dtype=np.float64)) for array in arrays))


def rotated_candidates(size: int, seed: int) -> list[Float[np.ndarray, "d1 d1"]]:
    """The identity, permutations, sign changes, a plane rotation, random rotations, and a matrix that is not orthogonal."""
    generator = np.random.default_rng(seed)
    identity = np.eye(size)
    plane = np.eye(size)
    if size > 1:
        plane[:2, :2] = [[0.6, -0.8], [0.8, 0.6]]
    random = [np.linalg.qr(generator.standard_normal((size, size)))[0] for _ in range(2)]
    orders = [identity[generator.permutation(size)] for _ in range(3)]
    cycle = np.roll(identity, 1, axis=0)
    flips = np.diag((-1.0) ** np.arange(size))
    stretched = np.diag([1.0] * (size - 1) + [2.0])
    found = [
        identity,
        cycle,
        cycle.T,
        cycle @ flips,
        plane,
        plane @ cycle,
        cycle @ plane,
        *orders,
        *random,
        2 * identity,
    ]
    return [*found, stretched, *(stretched @ order for order in orders), identity[::-1], identity[::-1] @ plane]


class FloatLayer:
    """Closed forms against the loss and its derivatives at random float64 instances."""

    name = "numeric"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._answers: dict[tuple[str, int], tuple[Problem, Any]] = {}

    @cached_property
    def _problems(self) -> dict[str, list[Problem]]:
        return by_kind(random_problems(COUNT, self.seed + 1))

    @cached_property
    def _decoders(self) -> Sequence[Problem]:
        return decoder_problems(DECODERS, self.seed + 1)

    def problems(self, kind: str) -> Sequence[Problem]:
        """Random instances of a kind."""
        return self._decoders if kind == "decoder" else self._problems[kind]

    def sweeps(self) -> Sequence[Sequence[Problem]]:
        """Instances with fixed variances, in other orders and at other scales."""
        return self._sweeps

    @cached_property
    def _sweeps(self) -> Sequence[Sequence[Problem]]:
        return [sweep_of(problem) for problem in self.problems("fixed")]

    def draws(self) -> Sequence[Draw]:
        """Random data with random parameters."""
        return _draws(self.seed)

    def stationary_encoder_findings(self, problem: Problem, encoder: Callable[[Any], Any]) -> Iterator[Finding]:
        """The gradient of L_VAE in W at a random U."""
        U = np.random.default_rng([self.seed, problem.d1]).standard_normal((problem.d2, problem.d1))
        V = encoder(U)
        if not np.all(np.isfinite(V)):
            yield Finding("gradient in W", problem.name, float("inf"), CLOSED_FORM_GRADIENT)
            return
        W = problem.P_A @ (V / np.sqrt(problem.phi)[:, None])
        assert problem.sigma is not None
        at = parameters(Point(W, U, V, problem.sigma**2))
        at.W.requires_grad_()
        (slope,) = torch.autograd.grad(vae_loss(*at, *Statistics.of(problem)), at.W)
        size = curvature_scale(problem) * float((1 + np.linalg.norm(W)) * (1 + np.linalg.norm(U)) ** 2)
        yield Finding("gradient in W", problem.name, float(slope.norm()) / size, CLOSED_FORM_GRADIENT)

    def rotations(self, problem: Problem) -> Sequence[Float[np.ndarray, "d1 d1"]]:
        """Candidates for P."""
        return rotated_candidates(problem.d1, self.seed)

    def loss(self, problem: Problem, point: Point) -> float:
        """L_VAE on sufficient statistics."""
        return float(vae_loss(*parameters(point), *Statistics.of(problem)))

    def least_loss(self, problem: Problem) -> float:
        """L_VAE at the proved minimum; kind "decoder": the least of that over eta_dec^2."""
        if problem.learned_decoder:
            return float(self._over_decoder(problem).loss)
        return float(self._once("least loss", problem, lambda: self.loss(problem, closed_form_minimum(problem))))

    def minimum_findings(self, problem: Problem, point: Point) -> Iterator[Finding]:
        """Gradient norm and smallest Hessian eigenvalue in the original parameters, relative to the problem's scale."""
        if not (np.all(np.isfinite(point.variance)) and np.all(point.variance > 0)):
            yield Finding("gradient", problem.name, float("inf"), CLOSED_FORM_GRADIENT)
            return
        scale = curvature_scale(problem)
        size = 1 + float(np.linalg.norm(point.W) + np.linalg.norm(point.U))
        slope = Finding("gradient", problem.name, gradient_norm(problem, point) / (scale * size), CLOSED_FORM_GRADIENT)
        yield slope
        if slope.agrees:
            lowest = max(0.0, -certificate_at(problem, point).smallest_hessian_eigenvalue)
            yield Finding("curvature", problem.name, lowest / scale, CLOSED_FORM_CURVATURE)

    def difference(self, quantity: str, problem: Any, left: Any, right: Any) -> Finding:
        """The largest distance relative to the largest entry (at least 1)."""
        return Finding(quantity, problem.name, relative_distance(left, right), FLOAT64_IDENTITY)

    def origin_eigenvalue(self, problem: Problem) -> float:
        """By automatic differentiation."""
        return self._once("origin eigenvalue", problem, lambda: smallest_origin_eigenvalue(problem))

    def origin_gap(self, problem: Problem) -> float:
        """By the proved minimum."""
        at_origin = self.loss(problem, origin_of(problem))
        return snapped(self.least_loss(problem) - at_origin, at_origin)

    def origin_is_local_minimum(self, problem: Problem) -> bool:
        """No negative curvature: what the loss adds to its second-order part at the origin is |U V^T|^2."""
        return self.origin_eigenvalue(problem) >= 0

    def decoder_variance(self, problem: Problem) -> float | None:
        """By minimising the proved least loss at given eta_dec^2 over that."""
        return self._over_decoder(problem).variance

    def decoder_variance_findings(self, problem: Problem, stated: Any) -> Iterator[Finding]:
        """Their distance relative to the larger."""
        yield from variance_findings(problem, stated, self.decoder_variance(problem), FLOAT64_IDENTITY)

    def unbounded(self, problem: Problem) -> bool:
        """By the slope at a tiny eta_dec^2."""
        return self.least_loss(problem) == -np.inf

    def collapses_completely(self, problem: Problem) -> bool:
        """By the least losses."""
        collapsed = collapsed_loss(problem)
        return snapped(self.least_loss(problem) - collapsed, collapsed) == 0

    def _over_decoder(self, problem: Problem) -> DecoderOptimum:
        found: DecoderOptimum = self._once("decoder", problem, lambda: least_over_decoder(problem))
        return found

    def _once(self, question: str, problem: Problem, answer: Callable[[], Any]) -> Any:
        """The answer about an instance, computed when first asked for and kept with it, so that no other instance has its id."""
        key = question, id(problem)
        if key not in self._answers:
            self._answers[key] = problem, answer()
        return self._answers[key][1]


@lru_cache(maxsize=4)
def _draws(seed: int) -> Sequence[Draw]:
    return float_draws(seed)


def sweep_of(problem: Problem) -> list[Problem]:
    """The same data under other standard deviations of the encoder."""
    sigma = problem.sigma
    assert sigma is not None
    variants = (sigma, sigma[::-1].copy(), 2 * sigma, sigma * np.linspace(0.5, 1.5, len(sigma)))
    names = [problem.name, *(f"{problem.name} with Sigma {k}" for k in range(1, len(variants)))]
    return [replace(problem, sigma=variant, name=name) for variant, name in zip(variants, names, strict=True)]


def origin_of(problem: Problem) -> Point:
    """U = W = 0, and where sigma is learned, at the prior's."""
    zeros = [np.zeros((rows, problem.d1)) for rows in (problem.D0, problem.d2, problem.d0)]
    sigma = np.full(problem.d1, problem.eta_enc) if problem.sigma is None else problem.sigma
    return Point(zeros[0], zeros[1], zeros[2], sigma**2)


def smallest_origin_eigenvalue(problem: Problem) -> float:
    """Of the Hessian of L_VAE in (W, U and, if learned, log sigma^2), snapped to 0 within rounding."""
    return snapped(certificate_at(problem, origin_of(problem)).smallest_hessian_eigenvalue, curvature_scale(problem))


def collapsed_loss(problem: Problem) -> float:
    """The least L_VAE + (d2/2) log eta_dec^2 with U = W = 0, at eta_dec^2 = E|y|^2/d2."""
    return problem.d2 / 2 * (1 + float(np.log(problem.y2 / problem.d2)))


def variance_findings(problem: Problem, stated: Any, found: float | None, tolerance: Tolerance) -> Iterator[Finding]:
    """A stated variance against one found, relative to the larger; nothing where none was found."""
    if found is None:
        return
    larger = max(abs(stated), found)
    residual = abs(stated - found) / larger if np.isfinite(larger) and larger > 0 else float(larger)
    yield Finding("decoder variance", problem.name, float(residual), tolerance)


def gradient_norm(problem: Problem, point: Point) -> float:
    """Of L_VAE in (W, U and, if learned, log variance), by automatic differentiation."""
    at = parameters(point)
    free = [value.requires_grad_() for value in at[: 3 if problem.learned else 2]]
    slopes = torch.autograd.grad(vae_loss(*at, *Statistics.of(problem)), free)
    return float(torch.cat([slope.flatten() for slope in slopes]).norm())


def certificate_at(problem: Problem, point: Point) -> Certificate:
    """Gradient norm and smallest Hessian eigenvalue of L_VAE at a point, by automatic differentiation."""
    at, statistics = parameters(point), Statistics.of(problem)
    if point.W.size + point.U.size + problem.d1 > LARGE:
        return certify_large(at, statistics, learned=problem.learned)[0]
    batched = Parameters(*(value[None] for value in at)), Statistics(*(value[None] for value in statistics))
    return certify(*batched, objective_of(problem))[0]


def closed_form_minimum(problem: Problem) -> Point:
    """The proved minimum: Theorem 2 where the variances are learned, Proposition 2 as corrected where they are fixed."""
    claim = claims_by_id()["thm-2.minimum" if problem.learned else "prop-2.minimum"]
    return assembled(claim.standing.formula, problem)


def curvature_scale(problem: Problem) -> float:
    """The size of the second derivatives of the loss."""
    variance = problem.eta_enc**2 if problem.sigma is None else float((problem.sigma**2).max())
    regulariser = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
    top = float(np.linalg.norm(problem.A, 2))
    return max(variance, regulariser * top, float(problem.spectrum[0]) * np.sqrt(top), 1.0) / problem.eta_dec**2


def snapped(value: float, scale: float) -> float:
    """0 for a value that is 0 within rounding at this scale."""
    return 0.0 if abs(value) <= FLOAT64_IDENTITY.value * max(1.0, abs(scale)) else value


def relative_distance(left: Any, right: Any) -> float:
    """The largest distance of two arrays relative to the largest entry of either (at least 1); infinite where undefined."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not (np.all(np.isfinite(left)) and np.all(np.isfinite(right))):
        return float("inf")
    size = max(1.0, float(np.abs(left).max(initial=0)), float(np.abs(right).max(initial=0)))
    return float(np.abs(left - right).max(initial=0)) / size
