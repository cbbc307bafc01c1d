"""Minima of L_VAE by descent from random starts: no closed form, no singular value decomposition of Z.

There are two routes. The plain one moves all original parameters (W, U, log σ², log η_dec²) together and uses nothing but the
loss. The fast one moves the decoder alone and takes everything else from its stationary condition (`fast_descent`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivations.errors import DataError
from numerics.certificates import Certificate, certify, certify_large, certify_lone
from numerics.decoder_descent import decoder_descent
from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.fast_descent import MOST_ALONE, MOST_UNKNOWNS, fast_minima, lone_minimum
from numerics.minimum import FAST, PLAIN, Minimum
from numerics.newton import newton_descent
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics, vae_loss
from numerics.problem import Problem, checked_scale
from numerics.starts import Scales, random_decoder_start, random_start
from numerics.threads import one_thread
from numerics.tolerances import DECODER_CUTOFF, STEP_CURVATURE
from numerics.truncated_newton import truncated_newton_descent

__all__ = ["minimise", "objective_of", "resolve_device"]

_DENSE_PARAMETERS = 100  # up to here a full Hessian and its eigenvectors cost less than iterating without them
_DENSE_CERTIFICATE = 1200  # up to here the full Hessian fits in memory and a second
_ESCAPES = 5  # from a stationary point whose Hessian has a negative eigenvalue, before it is returned as it is
_ESCAPE_LENGTH = 1e-2  # in the metric of DiagonalBlocks, relative to the square root of the loss


def minimise(
    problems: Sequence[Problem],
    *,
    seed: int,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
    start_scale: float = 1.0,
    route: str = PLAIN,
) -> list[Minimum]:
    """Minimise the loss of every instance from one random start each: L_VAE, plus (d2/2) log η_dec² where that is learned.

    Instances of equal shape descend side by side; each result depends on its instance and the seed alone. On the fast route that
    holds to the last bit, but for a small instance that is the only one of its shape and kind, which on a CPU descends in NumPy and
    so ends at other last digits. It holds on processors where MKL rounds by where in memory a matrix lies if the environment has
    MKL_CBWR=AUTO before the first matrix product (conditional numerical reproducibility, oneMKL's developer guide); the
    commands see to it.

    Args:
        problems: the instances.
        seed: non-negative seed of the starts; the same seed gives the same minima.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        progress: called with the number of instances that have just ended, as they end.
        start_scale: distance of the starts from the origin W = U = 0 and σ = η_enc, relative to the usual one.
        route: PLAIN, or FAST where the decoder has at most `MOST_UNKNOWNS` entries; larger instances descend plainly.

    Returns:
        One Minimum per instance, in order.

    Raises:
        DataError: an unknown route, an unknown or absent device, a negative seed, a start_scale that is not positive, or an
            instance with a learned decoder variance that is too large, or whose r is positive and too small to show.
    """
    if seed < 0:
        raise DataError(f"seed must not be negative, got {seed}.")
    if route not in (PLAIN, FAST):
        raise DataError(f"route must be {PLAIN!r} or {FAST!r}, got {route!r}.")
    checked_scale("start_scale", start_scale)
    where = resolve_device(device)
    report = progress or (lambda count: None)
    groups: dict[tuple[int, int, int, bool, bool], list[int]] = defaultdict(list)
    for index, problem in enumerate(problems):
        _check_boundedness(problem)
        groups[problem.D0, problem.d2, problem.d1, problem.learned, problem.learned_decoder].append(index)
    minima: dict[int, Minimum] = {}
    with one_thread():
        for group in groups.values():
            members = [problems[index] for index in group]
            starts = [_start(problem, seed, start_scale) for problem in members]
            if route == FAST and members[0].d2 * members[0].d1 <= MOST_UNKNOWNS:
                found = _descend_fast(members, starts, where, report)
            else:
                descend = _descend_together if _is_dense(members[0]) else _descend_one_by_one
                found = descend(members, starts, where, report)
            minima.update(zip(group, found, strict=True))
    return [minima[index] for index in range(len(problems))]


def objective_of(problem: Problem) -> Objective:
    """What descent minimises for an instance, and in which parameters."""
    if problem.learned_decoder:
        return LEARNED_DECODER if problem.learned else LEARNED_DECODER_ALONE
    return LEARNED_VARIANCES if problem.learned else FIXED_VARIANCES


def _start(problem: Problem, seed: int, distance: float) -> Parameters | DecoderParameters | HeldParameters:
    if not problem.learned_decoder:
        return random_start(problem, seed, distance)
    start = random_decoder_start(problem, seed, distance)
    return start if problem.learned else HeldParameters.of(start)


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


def _check_boundedness(problem: Problem) -> None:
    """The loss is bounded below where r > 0, but descent ends at a η_dec² at which a tiny r does not show yet; where σ is held it
    is bounded whatever r is, and descent goes on."""
    if problem.learned_decoder and problem.learned and 0 < problem.r < DECODER_CUTOFF.value * problem.y2:
        raise DataError(
            f"{problem.name or 'the instance'} has r/E|y|^2 = {problem.r / problem.y2:.1e}: with a learned decoder variance "
            f"descent cannot tell r below {DECODER_CUTOFF.value:g} E|y|^2 from 0, where the loss has no lower bound. Give data "
            "whose targets vary more about their best linear prediction, or exactly follow it, or hold eta_dec fixed."
        )


def _parameter_count(problem: Problem) -> int:
    return (problem.D0 + problem.d2 + int(problem.learned)) * problem.d1 + int(problem.learned_decoder)


def _is_dense(problem: Problem) -> bool:
    """Whether an instance is small enough, or its loss of a kind, to descend with its full Hessian."""
    count = _parameter_count(problem)
    if problem.learned_decoder and count > _DENSE_CERTIFICATE:
        raise DataError(
            f"{problem.name or 'the instance'} has {count} parameters; with a learned decoder variance descent forms the "
            f"full Hessian and takes at most {_DENSE_CERTIFICATE}. Give fewer latents, or hold eta_dec fixed."
        )
    return count <= _DENSE_PARAMETERS or problem.learned_decoder


def _batch(problems: Sequence[Problem], starts: Sequence[Any], device: torch.device) -> tuple[Any, Statistics, Scales]:
    """Instances of one shape with their starts, side by side."""
    start = type(starts[0])(*(torch.stack(values).to(device) for values in zip(*starts, strict=True)))
    statistics = Statistics(*map(torch.stack, zip(*(Statistics.of(p, device) for p in problems), strict=True)))
    each = [Scales.of(problem, device) for problem in problems]
    return start, statistics, Scales(*(torch.stack([getattr(s, name) for s in each]) for name in ("W", "U", "loss")))


def _descend_together(
    problems: Sequence[Problem], starts: Sequence[Any], device: torch.device, report: Callable[[int], None]
) -> list[Minimum]:
    """Minima of small instances of one shape, in one batch, by the plain route."""
    start, statistics, scales = _batch(problems, starts, device)
    if problems[0].learned_decoder:
        end, diverged = decoder_descent(start, statistics, scales, objective_of(problems[0]), finished=report)
        return _certified(problems, end, statistics, diverged, PLAIN)
    end = newton_descent(start, statistics, scales, objective_of(problems[0]), finished=report)
    return _certified(problems, end, statistics, None, PLAIN)


def _descend_fast(
    problems: Sequence[Problem], starts: Sequence[Any], device: torch.device, report: Callable[[int], None]
) -> list[Minimum]:
    """The same by the fast route, which for a single instance on a CPU is taken in NumPy first."""
    if len(problems) == 1 and device.type == "cpu" and problems[0].d2 * problems[0].d1 <= MOST_ALONE:
        alone = _descend_alone(problems[0], starts[0])
        if alone is not None:
            report(1)
            return [alone]
    start, statistics, scales = _batch(problems, starts, device)
    end, diverged = fast_minima(start, statistics, scales, objective_of(problems[0]), finished=report)
    return _certified(problems, end, statistics, diverged, FAST)


def _descend_alone(problem: Problem, start: Any) -> Minimum | None:
    """The minimum of one instance, or None where that takes many steps."""
    objective, statistics = objective_of(problem), Statistics.arrays_of(problem)
    with np.errstate(all="ignore"):  # what overflows is left to torch, which does not warn
        end = lone_minimum(type(start)(*(value.numpy() for value in start)), statistics, objective)
        if end is None or not all(np.isfinite(value).all() for value in end):
            return None
        loss = float(objective.loss(*end, *statistics))
        return _minimum(problem, end, loss, certify_lone(end, statistics, objective), route=FAST)


def _certified(
    problems: Sequence[Problem], end: Any, statistics: Statistics, diverged: Tensor | None, route: str
) -> list[Minimum]:
    objective = objective_of(problems[0])
    losses = objective.loss(*end, *statistics)
    certificates = certify(end, statistics, objective)
    points = (type(end)(*values) for values in zip(*end, strict=True))
    unbounded = [False] * len(problems) if diverged is None else diverged.tolist()
    return [
        _minimum(problem, point, float(loss), certificate, diverged=fell, route=route)
        for problem, point, loss, certificate, fell in zip(
            problems, points, losses, certificates, unbounded, strict=True
        )
    ]


def _descend_one_by_one(
    problems: Sequence[Problem], starts: Sequence[Any], device: torch.device, report: Callable[[int], None]
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
        (certificate,) = certify(*batch, objective_of(problem))
        if certificate.smallest_hessian_eigenvalue >= -STEP_CURVATURE.value:
            return certificate, None
        return certificate, certify_large(point, statistics, learned=problem.learned)[1]
    certificate, lowest = certify_large(point, statistics, learned=problem.learned)
    return certificate, None if certificate.smallest_hessian_eigenvalue >= -STEP_CURVATURE.value else lowest


def _minimum(
    problem: Problem,
    point: Parameters | DecoderParameters | HeldParameters,
    loss: float,
    certificate: Certificate,
    *,
    diverged: bool = False,
    route: str = PLAIN,
) -> Minimum:
    at = {
        name: np.asarray(value.cpu() if isinstance(value, Tensor) else value) for name, value in point._asdict().items()
    }
    sigma = np.exp(at["log_variance"] / 2) if problem.sigma is None else problem.sigma
    eta_dec = float(np.exp(at["log_decoder"] / 2)) if problem.learned_decoder else problem.eta_dec
    if diverged:
        loss, eta_dec = -np.inf, 0.0
    return Minimum(problem, at["W"], at["U"], sigma, eta_dec, loss, certificate, diverged, route)
