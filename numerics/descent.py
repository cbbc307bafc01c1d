"""Minima of L_VAE by descent from random starts: no closed form, no singular value decomposition of Z."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from derivations.errors import DataError
from numerics.certificates import Certificate, certify, certify_large
from numerics.newton import newton_descent
from numerics.objective import Parameters, Statistics, vae_loss
from numerics.problem import Problem, checked_scale
from numerics.starts import Scales, random_start
from numerics.tolerances import STEP_CURVATURE
from numerics.truncated_newton import truncated_newton_descent

__all__ = ["Minimum", "minimise", "resolve_device"]

_DENSE_PARAMETERS = 100  # up to here a full Hessian and its eigenvectors cost less than iterating without them
_DENSE_CERTIFICATE = 1200  # up to here the full Hessian fits in memory and a second
_ESCAPES = 5  # from a stationary point whose Hessian has a negative eigenvalue, before it is returned as it is
_ESCAPE_LENGTH = 1e-2  # in the metric of DiagonalBlocks, relative to the square root of the loss


@dataclass(frozen=True, eq=False)
class Minimum:
    """The end of one descent, with its certificate and the observables that the theory speaks of.

    W and U are encoder and decoder; sigma holds the encoder's standard deviations (the fixed ones where they are
    fixed); loss is L_VAE of Eq. 5 in nats, without the decoder's partition function.
    """

    problem: Problem
    W: Float[np.ndarray, "D0 d1"]
    U: Float[np.ndarray, "d2 d1"]
    sigma: Float[np.ndarray, " d1"]
    loss: float
    certificate: Certificate

    @cached_property
    def V(self) -> Float[np.ndarray, "d0 d1"]:
        """V = Φ^{1/2} P_Aᵀ W (Proposition 1)."""
        return np.sqrt(self.problem.phi)[:, None] * (self.problem.P_A.T @ self.W)

    @cached_property
    def product(self) -> Float[np.ndarray, "d2 d0"]:
        """U Vᵀ, the map from whitened x to the reconstruction."""
        return self.U @ self.V.T

    @cached_property
    def product_singular_values(self) -> Float[np.ndarray, " dstar"]:
        """Singular values of U Vᵀ, non-increasing."""
        return np.linalg.svd(self.product, compute_uv=False)

    @cached_property
    def kl_per_latent(self) -> Float[np.ndarray, " d1"]:
        """E_x KL(q(z_i|x) ‖ p(z_i)) of each latent dimension, in nats, in the order of the columns of W."""
        prior = self.problem.eta_enc**2
        ratio = self.sigma**2 / prior
        return (ratio - 1 - np.log(ratio) + np.sum(self.V**2, axis=0) / prior) / 2

    def active(self, threshold: float) -> int:
        """Number of singular values of U Vᵀ above a threshold."""
        return int(np.sum(self.product_singular_values > threshold))


def minimise(
    problems: Sequence[Problem],
    *,
    seed: int,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
    start_scale: float = 1.0,
) -> list[Minimum]:
    """Minimise L_VAE for every instance from one random start each.

    Instances of equal shape descend side by side; each result depends on its instance and the seed alone.

    Args:
        problems: the instances.
        seed: non-negative seed of the starts; the same seed gives the same minima.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        progress: called with the number of instances that have just ended, as they end.
        start_scale: distance of the starts from the origin W = U = 0 and σ = η_enc, relative to the usual one.

    Returns:
        One Minimum per instance, in order.

    Raises:
        DataError: an unknown or absent device, a negative seed, or a start_scale that is not positive.
    """
    if seed < 0:
        raise DataError(f"seed must not be negative, got {seed}.")
    checked_scale("start_scale", start_scale)
    where = resolve_device(device)
    report = progress or (lambda count: None)
    groups: dict[tuple[int, int, int, bool], list[int]] = defaultdict(list)
    for index, problem in enumerate(problems):
        groups[problem.D0, problem.d2, problem.d1, problem.learned].append(index)
    minima: dict[int, Minimum] = {}
    with _one_thread():
        for group in groups.values():
            members = [problems[index] for index in group]
            starts = [random_start(problem, seed, start_scale) for problem in members]
            descend = _descend_together if _parameter_count(members[0]) <= _DENSE_PARAMETERS else _descend_one_by_one
            minima.update(zip(group, descend(members, starts, where, report), strict=True))
    return [minima[index] for index in range(len(problems))]


def resolve_device(device: str) -> torch.device:
    """The torch device of a name, "cpu", "cuda" or "auto".

    Raises:
        DataError: the name is another, or cuda is asked for and absent.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise DataError(f"device must be 'auto', 'cpu' or 'cuda', got {device!r}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise DataError(
            "device 'cuda' was asked for, but torch finds none: use 'cpu', or 'auto' to take what is there."
        )
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: matrices this small gain nothing from more, and waiting threads slow each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _parameter_count(problem: Problem) -> int:
    return (problem.D0 + problem.d2 + int(problem.learned)) * problem.d1


def _descend_together(
    problems: Sequence[Problem], starts: Sequence[Parameters], device: torch.device, report: Callable[[int], None]
) -> list[Minimum]:
    """Minima of small instances of one shape, in one batch."""
    learned = problems[0].learned
    start = Parameters(*(torch.stack(values).to(device) for values in zip(*starts, strict=True)))
    statistics = Statistics(*map(torch.stack, zip(*(Statistics.of(p, device) for p in problems), strict=True)))
    each = [Scales.of(problem, device) for problem in problems]
    scales = Scales(*(torch.stack([getattr(scale, name) for scale in each]) for name in ("W", "U", "loss")))
    end = newton_descent(start, statistics, scales, learned=learned, finished=report)
    losses = vae_loss(*end, *statistics)
    certificates = certify(end, statistics, learned=learned)
    points = (Parameters(*values) for values in zip(*end, strict=True))
    return [
        _minimum(problem, point, float(loss), certificate)
        for problem, point, loss, certificate in zip(problems, points, losses, certificates, strict=True)
    ]


def _descend_one_by_one(
    problems: Sequence[Problem], starts: Sequence[Parameters], device: torch.device, report: Callable[[int], None]
) -> list[Minimum]:
    """Minima of large instances."""
    minima = []
    for problem, start in zip(problems, starts, strict=True):
        statistics = Statistics.of(problem, device)
        scale = float(Scales.of(problem).loss)
        point = Parameters(*(value.to(device) for value in start))
        for attempts_left in reversed(range(_ESCAPES)):
            point = truncated_newton_descent(point, statistics, scale, learned=problem.learned)
            certificate, lowest = _certify_one(point, statistics, problem)
            if lowest is None or attempts_left == 0:
                break
            length = _ESCAPE_LENGTH * scale**0.5
            away = Parameters(*(value + length * along for value, along in zip(point, lowest, strict=True)))
            if vae_loss(*away, *statistics) >= vae_loss(*point, *statistics):
                break
            point = away
        minima.append(_minimum(problem, point, float(vae_loss(*point, *statistics)), certificate))
        report(1)
    return minima


def _certify_one(point: Parameters, statistics: Statistics, problem: Problem) -> tuple[Certificate, Parameters | None]:
    """The certificate of a large instance, and where its Hessian is not positive semidefinite, a direction that shows it."""
    if _parameter_count(problem) <= _DENSE_CERTIFICATE:
        batch = Parameters(*(value[None] for value in point)), Statistics(*(value[None] for value in statistics))
        (certificate,) = certify(*batch, learned=problem.learned)
        if certificate.smallest_hessian_eigenvalue >= -STEP_CURVATURE.value:
            return certificate, None
        return certificate, certify_large(point, statistics, learned=problem.learned)[1]
    certificate, lowest = certify_large(point, statistics, learned=problem.learned)
    return certificate, None if certificate.smallest_hessian_eigenvalue >= -STEP_CURVATURE.value else lowest


def _minimum(problem: Problem, point: Parameters, loss: float, certificate: Certificate) -> Minimum:
    W, U, log_variance = (value.cpu().numpy() for value in point)
    sigma = np.exp(log_variance / 2) if problem.sigma is None else problem.sigma
    return Minimum(problem=problem, W=W, U=U, sigma=sigma, loss=loss, certificate=certificate)
