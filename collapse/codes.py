"""The codes of a trained VAE: read, checked, and measured latent by latent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from collapse.files import open_named
from derivations.errors import DataError

__all__ = ["Codes", "checked_codes", "encode", "measured", "read_codes"]

ACTIVE_VARIANCE = 0.01
"""A unit is active if the variance of its mean over the data is larger (Burda et al. 2016), in units of the prior's variance."""
SPENT = 0.01
"""Nats from which on a latent counts as used: what a mode 1 % above its threshold spends is half of it."""
MOST = 100.0
"""Of a log-variance in size: what is beyond is no encoder's."""
CORRELATED = 0.1
"""Correlation of two means from which on they are not those of different modes: at the optimum it is 0 on the data of training, and
on 1,000 others within 0.1 but for one in six hundred."""

ROUGH = 0.04
"""Of the prior's variance, what E[m²] + E[σ²] of a latent may be off it for nothing where several latents are used: 1,000 other
samples leave as much. Of weak modes it is a good part of what they carry, but that several modes agree on one level says more than
their scales. One mode agrees with itself early in training too."""


@dataclass(frozen=True, eq=False)
class Codes:
    """What codes show, in units of the prior's variance.

    Args:
        means: shape (n, d1).
        variance: of the encoder, latent by latent, the geometric mean over the samples.
        kl: KL of each latent in nats, averaged over the samples.
        second_moment: E[m²] + E[σ²] of each latent.
        stray: how far these are from 1 over all used latents (beyond `ROUGH`, of several), as a share of what makes a latent used:
            of E[m²], or of 1 − E[σ²] where that is larger.
        active_units: as Burda et al. count them.
        held: the encoder's variance where it is one number for all latents and samples, as where it is not learned; else None.
        correlated: the two latents whose means are the most correlated, with that correlation, if it is beyond `CORRELATED`.
        rotated: whether that is a rotation: variances are held at one number. Learned ones, where they tie, leave no correlation.
        information: nats that each latent's code tells, or where latents are rotated each principal direction of the means.
        wavering: standard deviation over the samples of a used latent's log-variance, the largest: 0 at any linear optimum.
    """

    means: np.ndarray
    variance: np.ndarray
    kl: np.ndarray
    second_moment: np.ndarray
    stray: float
    active_units: int
    held: float | None
    correlated: tuple[int, int, float] | None
    rotated: bool
    information: np.ndarray
    wavering: float

    @property
    def used(self) -> np.ndarray:
        """Which latents spend something."""
        return self.kl > SPENT


def measured(mean: np.ndarray, log_variance: np.ndarray, eta_enc: float) -> Codes:
    """Measure codes, shape (n, d1) each.

    The linear optimum has uncorrelated means where variances are learned, and any rotation of them where they are held at one
    number. There, a latent alone says nothing of a mode, and a principal direction of the means does.
    """
    mean = mean / eta_enc
    logs = log_variance - 2 * np.log(eta_enc)
    moment, ratio, variance = mean.T @ mean / len(mean), np.exp(logs).mean(0), np.exp(logs.mean(0))
    power = np.diag(moment)
    telling = np.log1p(power / variance) / 2 > SPENT
    length = np.sqrt(np.where(telling, power, np.inf))
    correlation = np.abs(moment / np.outer(length, length)) * ~np.eye(len(power), dtype=bool)
    one, other = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    correlated = None
    if correlation[one, other] > CORRELATED:
        correlated = (int(min(one, other)), int(max(one, other)), float(correlation[one, other]))
    held = float(ratio[0]) if np.ptp(log_variance) == 0 else None
    rotated = correlated is not None and held is not None
    along = np.maximum(np.linalg.eigvalsh(moment)[::-1], 0.0) if rotated else power
    kl = (power + ratio - 1 - logs.mean(0)) / 2
    some = kl > SPENT if np.any(kl > SPENT) else np.ones(len(kl), dtype=bool)
    signal = float(np.maximum(power, 1 - ratio)[some].sum())
    off = np.maximum(np.abs(power + ratio - 1) - ROUGH * (telling.sum() > 1), 0.0)[some]
    return Codes(
        means=mean,
        variance=variance,
        kl=kl,
        second_moment=power + ratio,
        stray=float(off.sum()) / signal if signal > 0 else 0.0,
        active_units=int(np.sum(mean.var(0) > ACTIVE_VARIANCE)),
        held=held,
        correlated=correlated,
        rotated=rotated,
        information=np.log1p(along / variance) / 2,
        wavering=float(logs[:, telling].std(0).max(initial=0.0)),
    )


def encode(batches: Iterable[Any], encoder: Callable[[Any], tuple[Any, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """(means, log-variances) of an encoder on all batches, each of shape (n, d1).

    Args:
        batches: such as a DataLoader; a batch is x, or a tuple that begins with x.
        encoder: x to (mean, log-variance), as tensors.
    """
    import torch  # imported late: arrays do without

    means, variances = [], []
    with torch.no_grad():
        for batch in batches:
            mean, variance = encoder(batch[0] if isinstance(batch, tuple | list) else batch)
            means.append(mean.detach().cpu().numpy())
            variances.append(variance.detach().cpu().numpy())
    if not means:
        raise DataError("there is no batch to encode.")
    return np.concatenate(means), np.concatenate(variances)


def read_codes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The arrays means and log_variances of an .npz file.

    Raises:
        DataError: it cannot be read, or they are not in it.
    """
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path} must be an .npz file with the arrays means and log_variances.")
    return tuple(next(open_named(str(path), name).chunks(sys.maxsize)) for name in ("means", "log_variances"))  # type: ignore[return-value]


def checked_codes(means: Any, log_variances: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64.

    Raises:
        DataError: shapes differ, something is not finite, or an encoder has diverged.
    """
    mean, log_variance = _checked("means", means), _checked("log_variances", log_variances)
    if mean.shape != log_variance.shape:
        raise DataError(
            f"means have shape {mean.shape} and log_variances {log_variance.shape}; give both of the same encoder."
        )
    if np.abs(log_variance).max() > MOST:
        row, column = np.argwhere(np.abs(log_variance) > MOST)[0]
        value = log_variance[row, column]
        raise DataError(
            f"log_variances has {value:.3g} at row {row}, column {column} (from 0): the encoder has diverged there."
        )
    if len(mean) < 2:
        raise DataError("diagnose needs the means of at least two samples.")
    return mean, log_variance


def _checked(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
        raise DataError(
            f"{name} must hold numbers of shape (samples, latents); got {array.dtype} of shape {array.shape}."
        )
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise DataError(
            f"{name} has {array[row, column]} at row {row}, column {column} (from 0): the encoder has diverged there."
        )
    return array.astype(np.float64)
