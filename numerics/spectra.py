"""The squared singular values of Z from samples in chunks: one pass with bounded memory, or a few for leading modes only.

For an autoencoder they are the eigenvalues of the covariance of x (1/n), else of Z = E[y x̃ᵀ] with whitened x̃ (§3). Sums are in
float64 whatever the samples are; partial sums are added in the order of the chunks, however many workers there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.krylov import leading_eigenvalues
from numerics.scales import constant_among, inverse_scales, refuse_constant, variances_of
from numerics.streaming import HELD, Samples, Sums, added, nonempty, refuse_large, rows_of, shift_of, shifted, summed
from numerics.tolerances import RANK_CUTOFF, SPECTRUM

__all__ = ["Spectrum", "spectrum_of", "whitened_cross"]

DENSE = 4096
"""Features, or rows, up to which all eigenvalues are computed although only the leading ones are asked for."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What the theory sees of samples.

    Args:
        zeta_squared: ζ_i², non-increasing, none negative, in squared units of y.
        total: the sum of all ζ_i².
        residual: r = E‖y‖² − total, what no linear function of x explains; 0 for an autoencoder.
        n, inputs, outputs, rank: samples, D0, d2, and d0, the rank of A (of what is known of it where not complete).
        autoencoder: whether y is x.
        centred: whether means were taken off.
        complete: whether all ζ_i² are there, d* of them, or only leading ones.
        constant, constant_outputs: how many features of x, and of y, are constant.
    """

    zeta_squared: Float[np.ndarray, " modes"]
    total: float
    residual: float
    n: int
    inputs: int
    outputs: int
    rank: int
    autoencoder: bool
    centred: bool
    complete: bool
    constant: int = 0
    constant_outputs: int = 0


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused
def spectrum_of(
    x: Samples,
    y: Samples | None = None,
    *,
    centre: bool = True,
    scale: str | None = None,
    modes: int | None = None,
    pool: Executor | None = None,
) -> Spectrum:
    """The spectrum of samples.

    Args:
        x: inputs.
        y: targets, one for each input in the same order; None for an autoencoder.
        centre: whether encoder and decoder have biases (Appendix B).
        scale: "standard" to divide each feature of x and y by its standard deviation, which is about the mean whether that is taken
            off or not; constant ones left at 0. Or None.
        modes: how many leading ζ_i²; None for all.
        pool: workers for the products of chunks; None for this process.

    Raises:
        DataError: no samples, a single one while centring, nothing varies, x and y differ in number, or it takes too much memory.
    """
    if modes is not None and modes < 1:
        raise DataError(f"--modes must be at least 1, got {modes}.")
    if scale not in (None, "standard"):
        raise DataError(f"scale must be None or 'standard', got {scale!r}.")
    n, features = x.shape
    if y is not None:
        return _leading(_conditional(x, y, centre, scale, pool), modes)
    size = min(features, n or features)
    dense = modes is None or (size <= DENSE and 8 * features * size <= HELD)
    advice = "ask for leading modes only by --modes" if modes is None else "ask for fewer --modes"
    refuse_large(8 * features * (size if dense else modes or 0), x.name, advice)
    if n is not None and n < features and dense:
        return _leading(_by_rows(x, centre, scale), modes)
    if dense:
        found, shift = summed(x, pool)
        return _leading(_autoencoder(x, found, shift, centre, scale), modes)
    assert modes is not None
    return _matrix_free(x, centre, scale, modes)


def _leading(found: Spectrum, modes: int | None) -> Spectrum:
    if modes is None or modes >= len(found.zeta_squared):
        return found
    kept = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return Spectrum(**kept | {"zeta_squared": found.zeta_squared[:modes], "complete": False})


# ---------------------------------------------------------------------------------------------- moments
def _moment(found: Sums, shift: np.ndarray, centre: bool, name: str) -> np.ndarray:
    """E x xᵀ, about the mean or not."""
    if centre and found.n == 1:
        raise DataError(f"{name} holds one sample, which centring turns into zero: give more rows, or --no-centre.")
    mean = found.sum / found.n
    products = found.products / found.n
    products -= np.outer(mean, mean)
    return products if centre else products + np.outer(mean + shift, mean + shift)


def _spreads(found: Sums) -> np.ndarray:
    return variances_of(found.products.diagonal() / found.n, found.sum / found.n)


def _autoencoder(x: Samples, found: Sums, shift: np.ndarray, centre: bool, scale: str | None) -> Spectrum:
    moment = _moment(found, shift, centre, x.name) * x.factor**2
    variances = _spreads(found) * x.factor**2 if centre or scale else moment.diagonal().copy()
    refuse_constant(float(variances.max(initial=0.0)), x.name, centre or scale is not None)
    if scale is not None:
        inverse = inverse_scales(variances, scale)
        moment = moment * inverse * inverse[:, None]
    eigenvalues = np.maximum(np.linalg.eigvalsh(moment)[::-1], 0.0)
    return _of_autoencoder(eigenvalues, float(np.trace(moment)), found.n, len(shift), centre, variances, complete=True)


def _of_autoencoder(
    eigenvalues: np.ndarray, total: float, n: int, features: int, centre: bool, variances: np.ndarray, *, complete: bool
) -> Spectrum:
    rounding = np.finfo(np.float64).eps * min(n, features) * eigenvalues[0]
    eigenvalues = np.where(eigenvalues > rounding, eigenvalues, 0.0)
    rank = int(np.sum(eigenvalues > RANK_CUTOFF.value * eigenvalues[0]))
    modes = min(features, n) if complete else len(eigenvalues)
    still = constant_among(variances)
    return Spectrum(eigenvalues[:modes], total, 0.0, n, features, features, rank, True, centre, complete, still, still)


# ------------------------------------------------------------------------------------ more features than rows
def _by_rows(x: Samples, centre: bool, scale: str | None) -> Spectrum:
    """By the n x n matrix of products of rows, which has the same eigenvalues but for zeros."""
    rows, variances = _prepared(x, centre, scale)
    refuse_constant(float(variances.max(initial=0.0)), x.name, centre or scale is not None)
    n, features = rows.shape
    eigenvalues = np.maximum(np.linalg.eigvalsh(rows @ rows.T / n)[::-1], 0.0)
    total = float(np.vdot(rows, rows)) / n
    return _of_autoencoder(eigenvalues, total, n, features, centre, variances, complete=True)


def _prepared(x: Samples, centre: bool, scale: str | None) -> tuple[np.ndarray, np.ndarray]:
    """All rows, centred and scaled as asked, and the variances (or second moments, if neither) of the features before scaling."""
    chunks = list(nonempty(x.chunks(rows_of(x.shape[1])), x.name))
    shift = shift_of(chunks[0])
    rows = np.concatenate([shifted(chunk, shift) for chunk in chunks])
    if centre and len(rows) == 1:
        raise DataError(f"{x.name} holds one sample, which centring turns into zero: give more rows, or --no-centre.")
    second, mean = np.einsum("ij,ij->j", rows, rows) / len(rows), rows.mean(0)
    rows += -mean if centre else shift
    rows *= x.factor
    variances = variances_of(second, mean) * x.factor**2
    if not (centre or scale):
        variances = np.einsum("ij,ij->j", rows, rows) / len(rows)
    if scale is not None:
        rows *= inverse_scales(variances, scale)
    return rows, variances


# ------------------------------------------------------------------------------------------- leading modes only
def _matrix_free(x: Samples, centre: bool, scale: str | None, modes: int) -> Spectrum:
    """Leading eigenvalues by a block Krylov method: a pass for means and variances, then one for each step."""
    rows = rows_of(x.shape[1])
    chunks = nonempty(x.chunks(rows), x.name)
    first = next(chunks)
    shift, n = shift_of(first), 0
    total, squares = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for chunk in chain([first], chunks):
        moved = shifted(chunk, shift)
        n += len(moved)
        total += moved.sum(0)
        squares += np.einsum("ij,ij->j", moved, moved)
    mean = total / n
    spreads = variances_of(squares / n, mean) * x.factor**2
    moments = spreads + (0 if centre else 1) * ((mean + shift) * x.factor) ** 2
    variances = spreads if centre or scale else moments
    refuse_constant(float(variances.max(initial=0.0)), x.name, centre or scale is not None)
    inverse = inverse_scales(variances, scale) * x.factor
    about = shift + mean if centre else np.zeros_like(mean)

    def product(block: np.ndarray) -> np.ndarray:
        scaled, found = inverse[:, None] * block, np.zeros_like(block)
        offset = about @ scaled
        weights = np.zeros(block.shape[1])
        for chunk in x.chunks(rows):
            values = chunk.astype(np.float64, copy=False)
            projected = values @ scaled - offset
            found += values.T @ projected
            weights += projected.sum(0)
        return inverse[:, None] * (found - np.outer(about, weights)) / n

    eigenvalues = leading_eigenvalues(product, x.shape[1], modes)
    whole = float((moments * (inverse / x.factor) ** 2).sum())
    return _of_autoencoder(eigenvalues, whole, n, x.shape[1], centre, variances, complete=False)


# --------------------------------------------------------------------------------------------- two data sets
def _paired(x: Samples, y: Samples) -> Iterator[np.ndarray]:
    """Chunks of x and y side by side, in one array of float64.

    Raises:
        DataError: one ends before the other.
    """
    rows = rows_of(x.shape[1] + y.shape[1])
    left, right = x.chunks(rows), y.chunks(rows)
    a, b = next(left, None), next(right, None)
    seen = 0
    while a is not None and b is not None:
        size = min(len(a), len(b))
        yield np.concatenate([a[:size] * np.float64(x.factor), b[:size] * np.float64(y.factor)], 1)
        seen += size
        a = a[size:] if len(a) > size else next(left, None)
        b = b[size:] if len(b) > size else next(right, None)
    if a is not None or b is not None:
        longer = x.name if a is not None else y.name
        raise DataError(f"x and y must hold the same samples: {longer} goes on after row {seen}, where the other ends.")


def _conditional(x: Samples, y: Samples, centre: bool, scale: str | None, pool: Executor | None) -> Spectrum:
    if None not in (x.shape[0], y.shape[0]) and x.shape[0] != y.shape[0]:
        raise DataError(
            f"x and y must hold the same samples; got {x.shape[0]} rows in {x.name} and {y.shape[0]} in {y.name}."
        )
    D0, d2 = x.shape[1], y.shape[1]
    refuse_large(8 * (D0 + d2) * min(D0 + d2, x.shape[0] or D0 + d2), f"{x.name} with {y.name}", "give fewer features")
    if x.shape[0] is not None and x.shape[0] < D0:
        return _conditional_by_rows(x, y, centre, scale)
    found, shift = added(nonempty(_paired(x, y), x.name), pool)
    moment = _moment(found, shift, centre, x.name)
    spreads = _spreads(found)
    variances = spreads if centre else moment.diagonal().copy()
    refuse_constant(float(variances[:D0].max()), x.name, centre)
    refuse_constant(float((variances if scale is None else spreads)[D0:].max()), y.name, centre or scale is not None)
    Z, y2 = whitened_cross(moment, D0, inverse_scales(variances[:D0], "standard"), inverse_scales(spreads[D0:], scale))
    still = constant_among(variances[:D0]), constant_among((spreads if scale else variances)[D0:])
    return _of_pair(Z, y2, found.n, D0, d2, Z.shape[1], centre, still)


def whitened_cross(moment: np.ndarray, D0: int, inputs: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, float]:
    """Z = E[y x̃ᵀ], with as many columns as A has rank, and E‖y‖², from the moment of x and y side by side.

    Features are multiplied by `inputs` and `outputs` first. Whitening minds no unit of x: with each feature in units of its own
    deviation, the rank does not either.
    """
    inverse = np.concatenate([inputs, outputs])
    moment = moment * inverse * inverse[:, None]
    phi, P = np.linalg.eigh(moment[:D0, :D0])
    kept = phi > RANK_CUTOFF.value * phi[-1]
    return moment[D0:, :D0] @ P[:, kept] / np.sqrt(phi[kept]), float(np.trace(moment[D0:, D0:]))


def _conditional_by_rows(x: Samples, y: Samples, centre: bool, scale: str | None) -> Spectrum:
    """With fewer rows than features: X = √n L Φ^{1/2} P_Aᵀ by the products of rows, so that Z = Yᵀ L/√n."""
    (X, variances), (Y, others) = _prepared(x, centre, None), _prepared(y, centre, scale)
    if len(X) != len(Y):
        raise DataError(f"x and y must hold the same samples; got {len(X)} rows in {x.name} and {len(Y)} in {y.name}.")
    refuse_constant(float(variances.max()), x.name, centre)
    refuse_constant(float(others.max()), y.name, centre or scale is not None)
    X *= inverse_scales(variances, "standard")
    phi, L = np.linalg.eigh(X @ X.T / len(X))
    kept = phi > RANK_CUTOFF.value * phi[-1]
    Z = Y.T @ L[:, kept] / np.sqrt(len(Y))
    y2 = float(np.vdot(Y, Y)) / len(Y)
    still = constant_among(variances), constant_among(others)
    return _of_pair(Z, y2, len(X), X.shape[1], Y.shape[1], int(kept.sum()), centre, still)


def _of_pair(
    Z: np.ndarray, y2: float, n: int, D0: int, d2: int, rank: int, centre: bool, constant: tuple[int, int]
) -> Spectrum:
    singular = np.linalg.svd(Z, compute_uv=False)
    squares = np.where(
        singular > SPECTRUM.value * singular.max(initial=0.0), singular**2, 0.0
    )  # the others are rounding
    total = float(squares.sum())
    residual = max(0.0, y2 - total)
    return Spectrum(squares, total, residual, n, D0, d2, rank, False, centre, True, *constant)
