"""The data of the paper's examples as samples: the synthetic regression of Figure 1, and images (§5)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.mnist import FOLDER, IMAGE_SETS, WHITE, training_images
from numerics.moments import Moments, digit_images, second_moments
from numerics.prediction import Levels
from numerics.problem import Problem

__all__ = ["SOURCES", "SYNTHETIC_SQUARES", "DataSet", "data_set", "synthetic_regression"]

SYNTHETIC_SQUARES = (14.0, 10.0, 7.0, 4.4, 2.6)
"""ζ_i² of the synthetic regression: the paper gives neither its A nor its M, but a complete collapse at about β = 14."""
SYNTHETIC_SAMPLES = 2048


@dataclass(frozen=True, eq=False)
class DataSet:
    """Inputs and targets, one sample a row, float64.

    Args:
        name: of the data set.
        x, y: shapes (n, d0) and (n, d2); y is x for an autoencoder.
    """

    name: str
    x: Float[np.ndarray, "n d0"]
    y: Float[np.ndarray, "n d2"]

    # Run-time checkers take the dimensions of all instances for the same.
    __no_type_check__ = True

    @property
    def autoencoder(self) -> bool:
        """Whether inputs are reconstructed."""
        return self.y is self.x

    @cached_property
    def moments(self) -> Moments:
        """About the means, as biases make them (Appendix B)."""
        return second_moments(self.x, None if self.autoencoder else self.y)

    @cached_property
    def levels(self) -> Levels:
        """ζ_i² and r; the scales and d1 of the problem do not enter."""
        m = self.moments
        problem = Problem(A=m.A, C=m.C, y2=m.y2, d1=1, beta=1.0, eta_dec=1.0, eta_enc=1.0)
        return Levels(problem.spectrum**2, 0.0, problem.r, self.y.shape[1])

    def first(self, n: int | None) -> DataSet:
        """The first n samples; all for None."""
        if n is None or n >= len(self.x):
            return self
        x = self.x[:n]
        return DataSet(f"{self.name}, first {n} samples", x, x if self.autoencoder else self.y[:n])


def synthetic_regression(seed: int = 0, n: int = SYNTHETIC_SAMPLES) -> DataSet:
    """x ~ N(0, A) and y = M x with d0 = d2 = 5, A and M random but for `SYNTHETIC_SQUARES`.

    The sample is linearly corrected to have exactly the second moments that were drawn, so that theory and training speak of the
    same numbers.
    """
    generator = np.random.default_rng([seed, n])
    d = len(SYNTHETIC_SQUARES)
    g = generator.standard_normal((n, d))
    g -= g.mean(0)
    g = g @ np.linalg.inv(np.linalg.cholesky(g.T @ g / n)).T
    one, other, third = (np.linalg.qr(generator.standard_normal((d, d)))[0] for _ in range(3))
    scales = np.exp(generator.uniform(-1, 1, d) / 2)
    return DataSet("synthetic", g * scales @ one.T, g @ (other * np.sqrt(SYNTHETIC_SQUARES)) @ third.T)


def _digits() -> DataSet:
    x = digit_images().reshape(-1, 64) / 16
    return DataSet("digits", x, x)


def _images(name: str) -> DataSet:
    x = training_images(os.environ.get(FOLDER), *IMAGE_SETS[name]) / WHITE
    return DataSet(name, x, x)


SOURCES: dict[str, Callable[[], DataSet]] = {
    "synthetic": synthetic_regression,
    "digits": _digits,
    **{name: partial(_images, name) for name in IMAGE_SETS},
}
"""Data sets by name, pixels in [0, 1]."""


def data_set(name: str) -> DataSet:
    """A data set by its name.

    Raises:
        DataError: there is none of this name.
        DataUnavailable: its images are not at hand.
    """
    if name not in SOURCES:
        raise DataError(f"there is no data set {name}; give one of {', '.join(SOURCES)}.")
    return SOURCES[name]()
