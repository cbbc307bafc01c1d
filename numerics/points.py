"""Points in parameter space assembled from closed forms, in float64 or in exact numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import sympy
from jaxtyping import Shaped
from sympy import Basic, Identity, Tuple

from derivations import notation as n
from derivations.errors import AssumptionViolated
from derivations.theorem_2_learned_variance import best_variance
from numerics.lambdified import Values, evaluate


@runtime_checkable
class Spectral(Protocol):
    """What a closed form needs of an instance: its scales and the singular value decomposition of Z.

    Arrays hold float64 or, in object arrays, exact numbers. Scales and sigma are standard deviations; sigma is None where learned.
    """

    @property
    def A(self) -> Any: ...
    @property
    def beta(self) -> Any: ...
    @property
    def eta_dec(self) -> Any: ...
    @property
    def eta_enc(self) -> Any: ...
    @property
    def sigma(self) -> Any: ...
    @property
    def P_A(self) -> Any: ...
    @property
    def phi(self) -> Any: ...
    @property
    def spectrum(self) -> Any: ...
    @property
    def F(self) -> Any: ...
    @property
    def G(self) -> Any: ...
    @property
    def Z(self) -> Any: ...
    @property
    def r(self) -> Any: ...
    @property
    def d0(self) -> int: ...
    @property
    def d1(self) -> int: ...
    @property
    def d2(self) -> int: ...
    @property
    def dstar(self) -> int: ...
    def __hash__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Point:
    """Encoder W (D0, d1), decoder U (d2, d1), and the encoder's variances (d1,), with V = Phi^(1/2) P_A^T W (d0, d1)."""

    W: Shaped[np.ndarray, "D0 d1"]
    U: Shaped[np.ndarray, "d2 d1"]
    V: Shaped[np.ndarray, "d0 d1"]
    variance: Shaped[np.ndarray, " d1"]


def backend_of(problem: Spectral) -> str:
    """ "exact" for an instance in exact numbers, else "numpy"."""
    return "exact" if np.asarray(problem.A).dtype == object else "numpy"


def padded(vector: Shaped[np.ndarray, " n"], size: int, fill: Any) -> Shaped[np.ndarray, {size}]:
    """The vector with `fill` behind it up to `size` entries."""
    vector = np.asarray(vector)
    return np.concatenate([vector, np.full(size - len(vector), fill, dtype=vector.dtype)])


def symbol_values(problem: Spectral) -> dict[Basic, Any]:
    """The scalars, the vectors over the modes (padded beyond the last mode and latent) and the spectral matrices."""
    return dict(_symbol_values(problem))


@lru_cache(maxsize=4096)
def _symbol_values(problem: Spectral) -> dict[Basic, Any]:
    size = max(problem.d1, problem.dstar) + 1
    exact = backend_of(problem) == "exact"
    zero = sympy.S.Zero if exact else 0.0
    values: dict[Basic, Any] = {
        n.zeta: padded(problem.spectrum, size, zero),
        n.beta: problem.beta,
        n.eta_dec: problem.eta_dec,
        n.eta_enc: problem.eta_enc,
        n.residual: problem.r,
        n.d0: problem.d0,
        n.d1: problem.d1,
        n.d2: problem.d2,
        n.dstar: problem.dstar,
        n.D0: len(problem.A),
        n.P_A: problem.P_A,
        n.Phi: np.where(np.eye(problem.d0, dtype=bool), problem.phi, zero),
        n.A: problem.A,
        n.Z: problem.Z,
    }
    if problem.sigma is not None:
        order = np.argsort(problem.sigma.astype(float), kind="stable")
        one = sympy.S.One if exact else 1.0
        sorting = np.full((problem.d1, problem.d1), zero)
        sorting[np.arange(problem.d1), order] = one
        variances = problem.sigma**2
        values |= {
            n.sigma: padded(problem.sigma, size, problem.eta_enc),
            n.sigma_sorted: padded(problem.sigma[order], size, problem.eta_enc),
            n.P_sort: sorting,
            n.Sigma: np.where(np.eye(problem.d1, dtype=bool), variances, zero),
            n.Sigma_sorted: np.where(np.eye(problem.d1, dtype=bool), variances[order], zero),
        }
    return values


def lengths(formula: Basic, problem: Spectral) -> tuple[Shaped[np.ndarray, " d1"], Shaped[np.ndarray, " d1"]]:
    """(lambda_i) and (theta_i) of a closed form at the first d1 modes.

    Raises:
        AssumptionViolated: an entry is no finite nonnegative number.
    """
    size = max(problem.d1, problem.dstar) + 1
    found = evaluate(Tuple(*formula.args[:2]), symbol_values(problem), backend_of(problem))
    vectors = [np.broadcast_to(np.asarray(vector), size)[: problem.d1] for vector in found]
    for vector in vectors:
        if not all(_is_length(entry) for entry in vector):
            raise AssumptionViolated(f"{list(vector)} are no lengths")
    return vectors[0], vectors[1]


def _is_length(entry: Any) -> bool:
    if isinstance(entry, Basic):
        return bool(entry.is_nonnegative)  # real and finite, too
    return bool(np.isfinite(entry) and entry >= 0)


def assembled(formula: Basic, problem: Spectral, rotation: Shaped[np.ndarray, "d1 d1"] | None = None) -> Point:
    """U = F Lambda P, V = G Theta P, W = P_A Phi^(-1/2) V from (lambda_i, theta_i) or (lambda_i, theta_i, P).

    Args:
        formula: Tuple of the closed forms, per mode; the third component, if any, is P.
        problem: the instance; where it learns the encoder's variances, they take their best value for this U.
        rotation: P, if the formula has none; the identity by default.

    Raises:
        AssumptionViolated: the closed form gives no lengths here.
    """
    decoder_lengths, encoder_lengths = lengths(formula, problem)
    identity = evaluate(Identity(n.d1), {n.d1: problem.d1}, backend_of(problem))
    if len(formula.args) > 2:
        rotation = evaluate(formula.args[2], symbol_values(problem), backend_of(problem))
    P = identity if rotation is None else rotation
    U = problem.F @ rectangular(decoder_lengths, problem.d2) @ P
    V = problem.G @ rectangular(encoder_lengths, problem.d0) @ P
    root_phi = evaluate(n.beta**sympy.S.Half, {n.beta: problem.phi}, backend_of(problem))
    variance = problem.sigma**2 if problem.sigma is not None else variances_for(problem, U)
    return Point(problem.P_A @ (V / root_phi[:, None]), U, V, variance)


_squared_length = sympy.Symbol("squared_length", nonnegative=True)


def variances_for(problem: Spectral, U: Shaped[np.ndarray, "d2 d1"]) -> Shaped[np.ndarray, " d1"]:
    """The encoder's variances at which the loss is stationary for this U (section 4.3), shape (d1,)."""
    values: Values = symbol_values(problem) | {_squared_length: (U**2).sum(0)}
    return evaluate(best_variance(_squared_length), values, backend_of(problem))


def rectangular(diagonal: Shaped[np.ndarray, " d1"], rows: int) -> Shaped[np.ndarray, "{rows} d1"]:
    """The rows x d1 matrix with this diagonal, as far as it reaches."""
    matrix = np.zeros((rows, len(diagonal)), dtype=diagonal.dtype) + 0 * diagonal[:1]
    for k in range(min(matrix.shape)):
        matrix[k, k] = diagonal[k]
    return matrix
