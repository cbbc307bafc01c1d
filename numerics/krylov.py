"""Leading eigenvalues of a symmetric positive semidefinite matrix that is known by its products with blocks of vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.tolerances import KRYLOV_RESIDUAL

__all__ = ["leading_eigenvalues"]

_OVERSAMPLING = 16
"""Columns of a block beyond the eigenvalues asked for."""
_BASIS_BYTES = 1 << 27
"""Of a basis, after which the method starts again from its best vectors; products with it take as much again."""
_MOST = 200
"""Products with a block."""


def leading_eigenvalues(
    product: Callable[[np.ndarray], np.ndarray], size: int, count: int, seed: int = 0
) -> Float[np.ndarray, " count"]:
    """The largest eigenvalues by a block Krylov method with full orthogonalisation and Rayleigh–Ritz (Golub & Van Loan, §10.3).

    Args:
        product: the matrix times a block, (size, columns) to (size, columns).
        size: of the matrix.
        count: how many eigenvalues.
        seed: of the first block.

    Returns:
        Eigenvalues, non-increasing; each has a residual |A v − λ v| of at most KRYLOV_RESIDUAL times the largest.

    Raises:
        DataError: they do not converge.
    """
    width = min(size, count + _OVERSAMPLING)
    start = np.random.default_rng(seed).standard_normal((size, width))
    block = np.linalg.qr(start)[0]
    basis, images = block, product(block)
    used = 1
    while True:
        small = basis.T @ images
        values, vectors = np.linalg.eigh((small + small.T) / 2)
        order = np.argsort(-values)[: min(width, len(values))]
        values, vectors = values[order], vectors[:, order]
        best, their_images = basis @ vectors, images @ vectors
        residuals = np.linalg.norm(their_images - best * values, axis=0)[:count]
        whole = basis.shape[1] >= size
        if whole or residuals.max() <= KRYLOV_RESIDUAL.value * values[0]:
            return np.maximum(values[:count], 0.0)
        if used >= _MOST:
            raise DataError(
                f"--modes: {count} leading modes do not converge after {used} passes; ask for fewer, or for all of them."
            )
        if 8 * size * (basis.shape[1] + width) > _BASIS_BYTES and basis.shape[1] > 2 * width:
            basis, images = best, their_images
        block = their_images if basis is best else images[:, -block.shape[1] :]
        block = _orthogonal_to(basis, block)[:, : size - basis.shape[1]]
        basis, images = np.concatenate([basis, block], 1), np.concatenate([images, product(block)], 1)
        used += 1


def _orthogonal_to(basis: np.ndarray, block: np.ndarray) -> np.ndarray:
    """The block's part that is orthogonal to a basis, orthonormalised; twice, since once leaves rounding."""
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
        block = np.linalg.qr(block)[0]
    return block
