"""Biases (Appendix B): the loss of an encoder and a decoder with biases, minimised over them, against the bias-free loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from sympy import Basic

from derivations import notation as n
from derivations.biases import change
from derivations.first_moments import mu_x, mu_y
from numerics.booleans import truth as holds
from numerics.descent import minimise
from numerics.draws import Draw
from numerics.lambdified import evaluate
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.layers.floating import snapped
from numerics.moments import second_moments
from numerics.objective import vae_loss
from numerics.observables.base import Check, without_descent
from numerics.observables.minima import truth
from numerics.tolerances import EXACT, FLOAT64_IDENTITY, RANK_CUTOFF, STEP_GRADIENT

MOST_BIASES = {"exact": 3, "numpy": 10}
"""Entries of both biases together: the least loss takes a number of evaluations that is quadratic in it."""
MOST_DRAWS = {"exact": 8, "numpy": 12, "descent": 6}
MOST_SPECTRA = 12
MOST_WEIGHTS = 20
"""Of encoder and decoder, where descent takes part: enough for two latents and more."""
STARTS = 3


def centring(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """(x', y', biases): the bias-free loss of x' and y', and the loss at the biases, are the least loss over the biases."""
    for draw in _draws(layer):
        W, U = draw.values[n.W], draw.values[n.U]
        least = _least_over_biases(draw)
        yield from _compared(layer, formula, draw, W, U, least)


def _draws(layer: Layer) -> list[Draw]:
    backend = layer.draws()[0].backend
    small = [draw for draw in layer.draws() if draw.problem.d1 + draw.problem.d2 <= MOST_BIASES[backend]]
    return small[: MOST_DRAWS[backend]]


def _compared(layer: Layer, formula: Basic, draw: Draw, W: Any, U: Any, least: Any) -> Iterator[Finding]:
    (inputs, targets), (encoder_bias, decoder_bias) = _stated(formula, draw, W)
    yield layer.difference("bias-free loss", draw, draw.objective_on(inputs, targets, W, U), least)
    yield layer.difference("loss at the biases", draw, biased_loss(draw, W, U, encoder_bias, decoder_bias), least)


def _stated(formula: Basic, draw: Draw, W: Any) -> tuple[list[Any], list[Any]]:
    """x' and y' in columns, and the two biases as vectors."""
    x, y = draw.points
    means = {mu_x: (x.sum(axis=1) / x.shape[1])[:, None], mu_y: (y.sum(axis=1) / y.shape[1])[:, None]}
    inputs, targets, *biases = evaluate(formula, draw.values | means | {n.x: x, n.y: y, n.W: W}, draw.backend)
    data = [np.broadcast_to(stated, raw.shape) for stated, raw in ((inputs, x), (targets, y))]
    return data, [bias[:, 0] for bias in biases]


def biased_loss(draw: Draw, W: Any, U: Any, encoder_bias: Any, decoder_bias: Any) -> Any:
    """L_VAE with biases, from the densities: the encoder's is a weight of the constant 1, the decoder's is taken from y."""
    x, y = draw.points
    return draw.objective_on(_with_ones(x), y - decoder_bias[:, None], np.vstack([W, encoder_bias[None]]), U)


def _with_ones(x: Any) -> Any:
    one = sympy.S.One if x.dtype == object else 1.0
    return np.vstack([x, np.full((1, x.shape[1]), one, dtype=x.dtype)])


@lru_cache(maxsize=256)
def _least_over_biases(draw: Draw) -> Any:
    """The least loss over both biases, at the draw's W and U: a quadratic function, known from its values at a few points."""
    W, U = draw.values[n.W], draw.values[n.U]
    split = draw.problem.d1
    size = split + draw.problem.d2
    exact = draw.backend == "exact"
    identity = np.array(sympy.eye(size).tolist(), dtype=object) if exact else np.eye(size)

    def loss(both: Any) -> Any:
        return biased_loss(draw, W, U, both[:split], both[split:])

    at_zero = loss(0 * identity[0])
    ahead, behind = ([loss(sign * unit) for unit in identity] for sign in (1, -1))
    slope = [(a - b) / 2 for a, b in zip(ahead, behind, strict=True)]
    curvature = np.diag([a + b - 2 * at_zero for a, b in zip(ahead, behind, strict=True)])
    for j, k in combinations(range(size), 2):
        curvature[j, k] = curvature[k, j] = loss(identity[j] + identity[k]) - ahead[j] - ahead[k] + at_zero
    if not exact:
        return loss(-np.linalg.solve(curvature, slope))
    best = -sympy.Matrix(sympy.expand(sympy.Matrix(curvature))).LUsolve(sympy.expand(sympy.Matrix(slope)))
    return loss(np.array(list(best), dtype=object))


# ------------------------------------------------------------------------------------ what is to be learned
def bias_spectrum(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """A Boolean of |E x|^2 and of how Z Z^T changes where x and y are centred: for a draw's data as they are, for data whose inputs
    have mean 0, and for targets that are 0."""
    tolerance = EXACT if layer.name == "exact" else FLOAT64_IDENTITY
    for draw in layer.draws()[:MOST_SPECTRA]:
        x, y = draw.points
        for inputs, targets in ((x, y), (np.hstack([x, -x]), np.hstack([y, y])), (x, 0 * y)):
            mean = inputs.sum(axis=1) / inputs.shape[1]
            raw, about = (_outer(inputs - shift, targets - level) for shift, level in _shifts(inputs, targets))
            size, scale = ((raw - about) ** 2).sum(), (raw**2).sum()
            if draw.backend != "exact":
                size, mean = snapped(float(size), float(scale)), np.where(np.abs(mean) <= tolerance.value, 0.0, mean)
            known = draw.values | {change: size, mu_x: mean[:, None]}
            yield truth(draw, bool(holds(formula, known, draw.backend, tolerance)), True)


def _shifts(x: Any, y: Any) -> list[tuple[Any, Any]]:
    """What is taken from inputs and targets: nothing, and their means."""
    return [(0, 0), ((x.sum(axis=1) / x.shape[1])[:, None], (y.sum(axis=1) / y.shape[1])[:, None])]


def _outer(x: Any, y: Any) -> Any:
    """Z Z^T = C A^+ C^T."""
    A, C = x @ x.T / x.shape[1], y @ x.T / x.shape[1]
    if A.dtype == object:
        return np.array((sympy.Matrix(C) * sympy.Matrix(A).pinv() * sympy.Matrix(C).T).tolist(), dtype=object)
    return C @ np.linalg.pinv(A, rcond=RANK_CUTOFF.value, hermitian=True) @ C.T


# --------------------------------------------------------------------------------------------- by descent
@dataclass(frozen=True)
class BiasedMinimum:
    """Where descent over W, U and both biases ended."""

    W: Float[np.ndarray, "D0 d1"]
    U: Float[np.ndarray, "d2 d1"]
    loss: float


def centring_at_minima(layer: Layer, formula: Basic) -> Iterator[Finding]:
    """The same at minima over W, U and both biases; and descent on x' and y' without biases ends as low."""
    assert isinstance(layer, DescentLayer)
    small = [draw for draw in layer.draws() if draw.values[n.W].size + draw.values[n.U].size <= MOST_WEIGHTS]
    for draw in small[: MOST_DRAWS["descent"]]:
        found = _biased_minimum(draw, layer.seed)
        yield from _compared(layer, formula, draw, found.W, found.U, found.loss)
        (inputs, targets), _ = _stated(formula, draw, found.W)
        given = draw.problem
        problem = second_moments(inputs.T, targets.T, centre=False).problem(
            given.d1, given.beta, eta_dec=given.eta_dec, eta_enc=given.eta_enc, sigma=given.sigma, name=given.name
        )
        (bias_free,) = minimise([problem], seed=layer.seed, device=layer.device)
        yield layer.difference("least bias-free loss", draw, bias_free.loss, found.loss)


@lru_cache(maxsize=64)
def _biased_minimum(draw: Draw, seed: int) -> BiasedMinimum:
    """The lowest of a few descents from random starts, by a quasi-Newton method on the raw second moments of (x, 1) and y."""
    from scipy.optimize import minimize  # imported late: it takes a while

    x, y = draw.points
    (d2, _), d1, D1 = y.shape, draw.problem.d1, len(x) + 1
    loss = _loss_of_biased(draw)
    generator = np.random.default_rng([seed, D1, d1, d2])

    def value_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.tensor(flat, requires_grad=True)
        value = loss(at)
        (slope,) = torch.autograd.grad(value, at)
        return float(value.detach()), slope.numpy()

    ends = [
        minimize(
            value_and_slope,
            generator.standard_normal(D1 * d1 + d2 * d1 + d2),
            jac=True,
            method="BFGS",
            options={"gtol": STEP_GRADIENT.value},
        )
        for _ in range(STARTS)
    ]
    lowest = min(ends, key=lambda end: end.fun)
    return BiasedMinimum(
        lowest.x[: (D1 - 1) * d1].reshape(-1, d1), lowest.x[D1 * d1 : (D1 + d2) * d1].reshape(d2, d1), float(lowest.fun)
    )


def _loss_of_biased(draw: Draw) -> Callable[[torch.Tensor], torch.Tensor]:
    """L_VAE as a function of the flattened (W with b_enc as its last row, U, b_dec)."""
    x, y = (torch.tensor(np.ascontiguousarray(array)) for array in draw.points)
    ones = torch.cat([x, torch.ones_like(x[:1])])
    count, problem = x.shape[1], draw.problem
    scales = (torch.tensor(value, dtype=torch.float64) for value in (problem.beta, problem.eta_dec, problem.eta_enc))
    beta, eta_dec, eta_enc = scales
    log_variance = torch.tensor(2 * np.log(problem.sigma))
    moment = ones @ ones.T / count
    sizes = [len(ones) * problem.d1, len(y) * problem.d1, len(y)]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        W, U, bias = flat.split(sizes)
        rest = y - bias[:, None]
        return vae_loss(
            W.reshape(-1, problem.d1),
            U.reshape(-1, problem.d1),
            log_variance,
            moment,
            rest @ ones.T / count,
            rest.square().sum() / count,
            beta,
            eta_dec,
            eta_enc,
        )

    return loss


CHECKS: dict[str, dict[str, Check]] = {
    "centring": without_descent(centring) | {"descent": centring_at_minima},
    "bias_spectrum": without_descent(bias_spectrum),
}
