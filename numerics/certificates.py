"""Certificates of a minimum: gradient norm and smallest Hessian eigenvalue, where many descend by automatic differentiation, and
overlap of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from numerics.blocks import DiagonalBlocks
from numerics.columns import overlap
from numerics.decoder_objective import DecoderParameters, HeldParameters
from numerics.objective import (
    FIXED_VARIANCES,
    LEARNED_VARIANCES,
    Objective,
    Parameters,
    Statistics,
    vae_loss,
)
from numerics.tolerances import LANCZOS

__all__ = ["Certificate", "certify", "certify_large", "certify_lone", "gap"]

_LANCZOS_VECTORS = 60  # kept between restarts: the eigenvalue zero of the symmetric directions is many times repeated


@dataclass(frozen=True)
class Certificate:
    """What is known of a point that claims to be a minimum, in its free parameters (W, U and, if learned, log σ², log η_dec²).

    gradient_norm is the Euclidean norm of the gradient of the loss; smallest_hessian_eigenvalue that of its Hessian, or
    for large instances a lower bound of it; overlap is what the decoder's columns cost by not being orthogonal where they must
    be, in nats (`numerics.columns`).
    """

    gradient_norm: float
    smallest_hessian_eigenvalue: float
    overlap: float


def gap(loss: float, reference: float) -> float:
    """Signed gap (loss − reference) relative to max(1, |reference|), the loss being in nats; negative is below."""
    return (loss - reference) / max(1.0, abs(reference))


def certify(
    at: Parameters | DecoderParameters | HeldParameters, statistics: Statistics, objective: Objective
) -> list[Certificate]:
    """Certificates of a batch of small instances, with the Hessian formed in full.

    The derivatives are torch's own, taken of the loss itself: they share nothing with the analytic ones that the
    descent steps by.

    Args:
        at: parameters with one batch dimension.
        statistics: of the same instances.
        objective: the loss, and which of the parameters are free.
    """
    free, given = at[: objective.free], (*at[objective.free :], *statistics)
    shapes = [value.shape[1:] for value in free]
    point = objective.flat(at).detach().requires_grad_()
    parts = point.split([shape.numel() for shape in shapes], dim=1)
    losses = objective.loss(*(part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)), *given)
    # No instance enters another's loss, so that the gradient of the sum holds the gradient of each.
    (gradient,) = torch.autograd.grad(losses.sum(), point, create_graph=True)
    directions = torch.eye(point.shape[1], dtype=point.dtype, device=point.device)[:, None].expand(-1, *point.shape)
    (rows,) = torch.autograd.grad(gradient, point, directions, is_grads_batched=True)
    hessian = rows.transpose(0, 1)
    norms = torch.linalg.vector_norm(gradient.detach(), dim=1)
    lowest = torch.linalg.eigvalsh((hessian + hessian.mT) / 2)[:, 0]
    found = zip(norms.tolist(), lowest.tolist(), overlap(at, statistics, objective).tolist(), strict=True)
    return [Certificate(*values) for values in found]


def certify_lone(at: Any, statistics: Statistics, objective: Objective) -> Certificate:
    """Certificate of one small instance, given without a batch and in NumPy, with the Hessian formed in full.

    The derivatives are the analytic ones in the original parameters. The fast route, which this is for, does not step by them.

    Args:
        at: parameters.
        statistics: of the instance.
        objective: the loss, and which of the parameters are free.
    """
    gradient = objective.flat(objective.gradient(*at, *statistics), batch=0)
    hessian = objective.hessian(*at, *statistics)[: len(gradient), : len(gradient)]
    lowest = np.linalg.eigvalsh(hessian)[0]
    return Certificate(float(np.linalg.norm(gradient)), float(lowest), float(overlap(at, statistics, objective)))


def certify_large(at: Parameters, statistics: Statistics, *, learned: bool) -> tuple[Certificate, Parameters]:
    """Certificate of one instance too large for a full Hessian, and the direction of its least curvature.

    Lanczos' method finds the smallest eigenvalue μ of Tᵀ H T, where H is the Hessian and Tᵀ M T = I for the positive
    definite M of `DiagonalBlocks`. Then H ⪰ μ M, so that μ times the largest eigenvalue of M (the smallest, where
    μ > 0) bounds the smallest eigenvalue of H from below. Near zero, H itself has too dense a spectrum for Lanczos.

    Args:
        at: parameters, unbatched.
        statistics: of the instance, unbatched.
        learned: whether log σ² is a parameter.
    """
    blocks = DiagonalBlocks.at(at, statistics)
    free = 3 if learned else 2
    shapes = [value.shape for value in at[:free]]
    point = [value.clone().requires_grad_() for value in at[:free]]
    fixed = [] if learned else [at.log_variance]
    loss = vae_loss(*Parameters._make(point + fixed), *statistics)
    gradient = torch.autograd.grad(loss, point, create_graph=True)

    def shaped(flat: np.ndarray) -> Parameters:
        parts = torch.tensor(flat, device=at.W.device).split([shape.numel() for shape in shapes])
        values = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return Parameters._make(values + [torch.zeros_like(value) for value in fixed])

    def product(flat: np.ndarray) -> np.ndarray:
        along = blocks.from_metric(shaped(flat.ravel()))
        curved = torch.autograd.grad(gradient, point, grad_outputs=along[:free], retain_graph=True)
        scaled = blocks.to_metric(Parameters._make([*curved, *(torch.zeros_like(value) for value in fixed)]))
        return torch.cat([value.flatten() for value in scaled[:free]]).cpu().numpy()

    size = sum(shape.numel() for shape in shapes)
    start = np.random.default_rng(size).standard_normal(size)
    # Shifted by a bound on the spectrum: a tolerance relative to an eigenvalue near zero could not be met.
    (top,) = eigsh(
        LinearOperator((size, size), product, dtype=np.float64),
        k=1, which="LA", v0=start, tol=1 / 100, return_eigenvectors=False,
    )  # fmt: skip
    shifted = LinearOperator((size, size), lambda flat: 2 * top * flat.ravel() - product(flat), dtype=np.float64)
    (found,), vectors = eigsh(
        shifted, k=1, which="LA", v0=start, tol=LANCZOS.value, ncv=min(size, _LANCZOS_VECTORS)
    )  # fmt: skip
    lowest = float(2 * top - found)
    smallest, largest = blocks.extent()
    norm = float(torch.cat([value.flatten() for value in gradient]).norm().detach())
    batch = (Parameters(*(value[None] for value in at)), Statistics(*(value[None] for value in statistics)))
    cost = float(overlap(*batch, LEARNED_VARIANCES if learned else FIXED_VARIANCES))
    certificate = Certificate(norm, lowest * (largest if lowest < 0 else smallest), cost)
    return certificate, blocks.from_metric(shaped(vectors[:, 0]))
