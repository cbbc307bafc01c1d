"""MNIST's training images and their second moments in exact integers, with eigenvalues enclosed without rounding.

With X the pixels of n images, 0 to 255, and s their sums, S = n X^T X - s s^T is a matrix of integers, and S / (255 n)^2 is the
covariance of pixels in [0, 1]. An autoencoder's Z has Z Z^T equal to it, so that zeta_i^2 are its eigenvalues.
"""

from __future__ import annotations

import math
import os
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import flint
import numpy as np
from jaxtyping import Float, Int, UInt8
from sympy import Rational

from derivations.errors import DataError, DataUnavailable
from numerics.moments import Moments
from numerics.problem import Problem

__all__ = ["ImageMoments", "image_moments", "mnist_moments", "mnist_problem", "training_images"]

FOLDER = "COLLAPSE_DATA"
"""The environment variable that names the folder with mnist.npz."""
IMAGE_SETS = {"mnist": ("mnist.npz", "mnist_784"), "fashion-mnist": ("fashion_mnist.npz", "Fashion-MNIST")}
"""Sets of this form: the file in that folder, and the name at OpenML."""
IMAGES, PIXELS, WHITE = 60_000, 784, 255
_BATCH = 4_000
_FRACTION_BITS = 30
"""Eigenvectors are rounded to this many binary places before exact arithmetic starts."""


def training_images(
    folder: str | None, file: str = "mnist.npz", dataset: str = "mnist_784"
) -> UInt8[np.ndarray, "60000 784"]:
    """The 60,000 training images of MNIST, or of a set of the same form, one a row.

    Args:
        folder: holds the file, with them as x_train; where it does not, scikit-learn fetches them from OpenML.
        file: in the folder.
        dataset: its name at OpenML.

    Raises:
        DataUnavailable: neither is at hand.
        DataError: the file holds something else.
    """
    path = Path(folder) / file if folder else None
    images = _from_file(path) if path is not None and path.is_file() else _from_openml(path, file, dataset)
    if images.dtype != np.uint8 or images.shape != (IMAGES, PIXELS):
        raise DataError(
            f"{file}: x_train must be {IMAGES} rows of {PIXELS} pixels, uint8; got {images.dtype} of shape {images.shape}."
        )
    return images


def _from_file(path: Path) -> Any:
    try:
        with np.load(path) as arrays:
            images = arrays["x_train"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} must be an .npz file with x_train, the training images: {error}") from error
    return images.reshape(len(images), -1) if images.ndim else images


def _from_openml(path: Path | None, file: str, dataset: str) -> Any:
    from sklearn.datasets import fetch_openml  # imported late: it takes a second

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each failed attempt warns
            pixels = fetch_openml(dataset, version=1, as_frame=False, parser="liac-arff", n_retries=1, delay=0.1).data
    except Exception as error:  # whatever the network or its absence raises
        where = f"there is no {path}" if path is not None else f"{FOLDER} names no folder with {file}"
        raise DataUnavailable(f"{file} is not at hand: {where}, and OpenML cannot be reached ({error})") from error
    return pixels[:IMAGES].astype(np.uint8)


@dataclass(frozen=True, eq=False)
class ImageMoments:
    """Counts, sums and products of images with pixels from 0 to 255, all exact.

    Args:
        n: how many images.
        sums: of each pixel, shape (p,).
        products: X^T X, shape (p, p).
    """

    n: int
    sums: Int[np.ndarray, " p"]
    products: Int[np.ndarray, "p p"]

    @cached_property
    def scatter(self) -> Int[np.ndarray, "p p"]:
        """S = n X^T X - s s^T."""
        return self.n * self.products - np.outer(self.sums, self.sums)

    @property
    def unit(self) -> int:
        """(255 n)^2, by which S is divided for pixels in [0, 1]."""
        return (WHITE * self.n) ** 2

    @cached_property
    def invariants(self) -> tuple[int, int, int]:
        """tr S, tr S^2 and |s|^2."""
        squares = sum(int(entry) ** 2 for entry in self.scatter.ravel())
        return int(np.trace(self.scatter)), squares, sum(int(entry) ** 2 for entry in self.sums)

    @cached_property
    def covariance(self) -> Float[np.ndarray, "p p"]:
        """The covariance of pixels in [0, 1], rounded to float64."""
        return self.scatter / float(self.unit)

    @cached_property
    def enclosures(self) -> tuple[tuple[Rational, Rational], ...]:
        """Bounds on each eigenvalue of the covariance, non-increasing; all arithmetic is exact.

        float64 only proposes columns v_j and values t_j. With V = 2^30 (v_j) and t_j rounded to integers, G = V^T V / 4^30 and
        E = S - V diag(t) V^T / 4^30: the nonzero eigenvalues of V diag(t) V^T / 4^30 are those of diag(t)^(1/2) G diag(t)^(1/2),
        within |G - I| t_j of t_j (Ostrowski), and those of S are within |E| of them (Weyl). The norms are at most the largest sum
        of a row and the Frobenius norm.
        """
        lit = np.flatnonzero(self.sums)  # pixels that are 0 in every image add eigenvalues 0
        S = self.scatter[np.ix_(lit, lit)]
        values, vectors = np.linalg.eigh(S.astype(np.float64))
        proposed = [max(0, int(value)) for value in np.rint(values)]
        columns = np.rint(vectors * 2.0**_FRACTION_BITS).astype(np.int64).tolist()
        V, one = flint.fmpz_mat(columns), 4**_FRACTION_BITS
        gram = (V.transpose() * V).tolist()
        strain = max(sum(abs(int(g) - one * (a == b)) for b, g in enumerate(row)) for a, row in enumerate(gram))
        scaled = flint.fmpz_mat([[v * t for v, t in zip(row, proposed, strict=True)] for row in columns])
        rest = one * flint.fmpz_mat(S.tolist()) - scaled * V.transpose()
        error = Rational(math.isqrt(sum(int(entry) ** 2 for entry in rest.entries())) + 1, one)
        relative = Rational(strain, one)
        found = [
            (((1 - relative) * t - error) / self.unit, ((1 + relative) * t + error) / self.unit)
            for t in sorted(proposed, reverse=True)
        ]
        return (*found, *[(Rational(0), error / self.unit)] * (len(self.sums) - len(lit)))

    def moments(self) -> Moments:
        """As an autoencoder's moments, y = x, of centred pixels in [0, 1]."""
        return Moments(self.covariance, self.covariance, float(np.trace(self.covariance)), self.n)


def image_moments(images: UInt8[np.ndarray, "n p"]) -> ImageMoments:
    """Exact moments of images; sums of products of bytes are exact in float64 below 2^53."""
    p = images.shape[1]
    products = np.zeros((p, p), dtype=np.int64)
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH].astype(np.float64)
        products += (batch.T @ batch).astype(np.int64)
    return ImageMoments(len(images), images.sum(0, dtype=np.int64), products)


def mnist_moments() -> ImageMoments:
    """Of MNIST's training images.

    Raises:
        DataUnavailable: they are not at hand.
        DataError: as in `training_images`.
    """
    found = _moments_in(os.environ.get(FOLDER))
    if isinstance(found, str):
        raise DataUnavailable(found)
    return found


@lru_cache(maxsize=2)
def _moments_in(folder: str | None) -> ImageMoments | str:
    """The moments, or why there are none: many checks ask, and each should not wait for the network anew."""
    try:
        return image_moments(training_images(folder))
    except DataUnavailable as reason:
        return str(reason)


@lru_cache(maxsize=8)
def mnist_problem(d1: int, beta: float) -> Problem:
    """The linear VAE on MNIST with eta_dec = eta_enc = 1, the setting of section 5.

    Args:
        d1: the number of latents.
        beta: the weight of the Kullback-Leibler term.
    """
    name, regimes = f"MNIST, d1 = {d1}, beta = {beta}", frozenset({"real-data"})
    moments = mnist_moments().moments()
    # without the tags of its regimes: they take a decomposition of Z, half a second at this size
    return Problem(moments.A, moments.C, moments.y2, d1, beta, eta_dec=1.0, eta_enc=1.0, name=name, regimes=regimes)
