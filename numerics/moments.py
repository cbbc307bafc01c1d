"""Instances from data: second moments of samples, and the digits bundled with scikit-learn."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from derivations.errors import DataError
from numerics.problem import Problem, checked_array
from numerics.regimes import regimes_of

__all__ = ["Moments", "digits_autoencoder", "digits_conditional", "real_problems", "second_moments"]

_REAL_DATA = "real-data"


@dataclass(frozen=True, eq=False)
class Moments:
    """A = E[x xᵀ], C = E[y xᵀ], y2 = E‖y‖² over n samples, about the mean if they were centred."""

    A: Float[np.ndarray, "D0 D0"]
    C: Float[np.ndarray, "d2 D0"]
    y2: float
    n: int

    def problem(self, d1: int, beta: float, **others: Any) -> Problem:
        """The instance with these moments, tagged with its regimes; further arguments as in Problem."""
        problem = Problem(A=self.A, C=self.C, y2=self.y2, d1=d1, beta=beta, **others)
        return replace(problem, regimes=regimes_of(problem) | problem.regimes)


def second_moments(
    x: Shaped[np.ndarray, " ..."], y: Shaped[np.ndarray, " ..."] | None = None, *, centre: bool = True
) -> Moments:
    """Second moments of samples, all that a linear VAE sees of them.

    Centring is what optimal encoder and decoder biases do (Appendix B).

    Args:
        x: inputs, float64, shape (n, D0).
        y: targets, float64, shape (n, d2); None for an autoencoder, y = x.
        centre: whether to subtract the mean of each column first.

    Raises:
        DataError: not float64, not finite, empty, not two-dimensional, or x and y differ in number of samples.
    """
    inputs = checked_array("x", x, 2)
    targets = inputs if y is None else checked_array("y", y, 2)
    n = len(inputs)
    if len(targets) != n:
        raise DataError(f"x and y must hold the same samples; got {n} rows in x and {len(targets)} in y.")
    if centre and n == 1:
        raise DataError("x holds one sample, which centring turns into zero: give more samples, or centre=False.")
    if centre:
        inputs = inputs - inputs.mean(axis=0)
        targets = targets - targets.mean(axis=0) if y is not None else inputs
    A = inputs.T @ inputs / n
    A = (A + A.T) / 2
    C = A if y is None else targets.T @ inputs / n
    return Moments(A, C, float(np.sum(targets**2)) / n, n)


def digit_images() -> Float[np.ndarray, "n 8 8"]:
    """The digits that scikit-learn bundles, grey values from 0 to 16; read without importing scikit-learn, which takes a second."""
    found = importlib.util.find_spec("sklearn")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            return np.loadtxt(path, delimiter=",")[:, :-1].reshape(-1, 8, 8)
    from sklearn.datasets import load_digits

    return load_digits().images


@cache
def _digits() -> tuple[Moments, Moments]:
    """Moments of the 1797 digits of 8 × 8 pixels in [0, 1]: as they are, and from left half to right half."""
    images = digit_images() / 16
    left, right = images[:, :, :4].reshape(-1, 32), images[:, :, 4:].reshape(-1, 32)
    return second_moments(images.reshape(-1, 64)), second_moments(left, right)


def digits_autoencoder(d1: int, beta: float, *, eta_dec: float = 1.0, eta_enc: float = 1.0, **others: Any) -> Problem:
    """The digits as an autoencoder, y = x; centred, so that three constant pixels leave A with rank 61 of 64.

    Args:
        d1, beta, eta_dec, eta_enc: as in Problem; standard deviations, of pixels in [0, 1].
    """
    name = f"digits autoencoder, d1 = {d1}, beta = {beta}"
    fields: dict[str, Any] = {"name": name, "regimes": frozenset({_REAL_DATA})} | others
    return _digits()[0].problem(d1, beta, eta_dec=eta_dec, eta_enc=eta_enc, **fields)


def digits_conditional(d1: int, beta: float, *, eta_dec: float = 1.0, eta_enc: float = 1.0, **others: Any) -> Problem:
    """The right half of each digit from its left half: y ≠ x and r > 0.

    Args:
        d1, beta, eta_dec, eta_enc: as in Problem; standard deviations, of pixels in [0, 1].
    """
    name = f"digits left to right, d1 = {d1}, beta = {beta}"
    fields: dict[str, Any] = {"name": name, "regimes": frozenset({_REAL_DATA})} | others
    return _digits()[1].problem(d1, beta, eta_dec=eta_dec, eta_enc=eta_enc, **fields)


def real_problems() -> list[Problem]:
    """The digits, as an autoencoder and conditional, over sizes of the latent and both sides of the thresholds.

    Each √β η_dec lies between two singular values of Z (or beyond them all), at least 2 % from either.
    """
    return [
        digits_autoencoder(2, 1.0),
        digits_autoencoder(2, 0.667),
        digits_autoencoder(2, 0.47, eta_enc=2.0),
        digits_autoencoder(8, 0.5, eta_dec=0.5),
        digits_autoencoder(8, 0.75, eta_dec=0.5),
        digits_autoencoder(8, 0.47, sigma=np.full(8, 1.0)),
        digits_autoencoder(8, 1.5, eta_dec=0.5, eta_enc=0.5, sigma=np.linspace(0.9, 0.2, 8)),
        digits_autoencoder(64, 0.8),
        digits_autoencoder(64, 0.47),
        digits_autoencoder(64, 0.5, eta_dec=0.5, eta_enc=1.5),
        digits_conditional(4, 0.05),
        digits_conditional(4, 0.1),
        digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=0.7),
        digits_conditional(40, 0.05),
    ]
