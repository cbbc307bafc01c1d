"""A trained VAE held against the linear optimum on its data: `collapse diagnose`.

The linear optimum keeps mode i iff ζ_i² > t with t = β η_dec², at KL_i = ½ log(ζ_i²/t) nats (Theorem 2). Measured KLs therefore
tell which t training really had: the one whose optimum spends as much in all, if it spends it on the latents likewise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from collapse.files import open_named
from derivations.errors import DataError
from numerics.prediction import Levels, Optimum, level_for_nats

__all__ = ["Diagnosis", "diagnose", "encode", "read_codes"]

ACTIVE_VARIANCE = 0.01
"""A unit is active if the variance of its mean over the data is larger (Burda et al. 2016), in units of the prior's variance."""
SPENT = 0.01
"""Nats from which on a latent counts as used: what a mode 1 % above its threshold spends is half of it."""
AGREEING = 1.15
"""Levels within this factor are the same: sampling noise of 1,000 rows is 4 % in ζ², and training stops a little short."""
MOST = 100.0
"""Of a log-variance in size: what is beyond is no encoder's."""
NEAR = 0.1
"""Share of the predicted rate by which the measured one may differ."""
ELSEWHERE = 0.15
"""Share of the rate that may be spent on other latents than a linear optimum spends it on, for its level to count as found."""


@dataclass(frozen=True)
class Diagnosis:
    """What was measured, what the linear optimum would be, and what the difference says.

    KLs and rates are in nats; levels β η_dec² in squared units of the data. verdict is "expected", "more-collapsed",
    "less-collapsed", "other-beta" or "dead-encoder".
    """

    active_units: int
    rate_nats: float
    kl_nats: tuple[float, ...]
    predicted_active_modes: int
    predicted_rate_nats: float
    predicted_kl_nats: tuple[float, ...]
    believed_beta_eta_dec_squared: float
    estimated_beta_eta_dec_squared: float | None
    rotated: bool
    verdict: str
    conclusion: str

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def lines(self) -> list[str]:
        """For a terminal."""
        estimated = self.estimated_beta_eta_dec_squared
        return [
            f"{'':<22}{'measured':>12}{'predicted':>12}",
            f"{'active units':<22}{self.active_units:>12}{self.predicted_active_modes:>12}",
            f"{'rate, nats':<22}{self.rate_nats:>12.4f}{self.predicted_rate_nats:>12.4f}",
            *(
                f"{f'KL of latent {k + 1}, nats':<22}{mine:>12.4f}{theirs:>12.4f}"
                for k, (mine, theirs) in enumerate(zip(self.kl_nats, self.predicted_kl_nats, strict=True))
            ),
            f"{'β η_dec²':<22}{'–' if estimated is None else f'{estimated:.5g}':>12}{self.believed_beta_eta_dec_squared:>12.5g}",
            *(["latents are rotated: KLs are of the principal directions of their means"] if self.rotated else []),
            f"{self.verdict}: {self.conclusion}",
        ]


def diagnose(
    means: Any,
    log_variances: Any,
    zeta_squared: Any,
    *,
    beta_eta_dec_squared: float,
    eta_enc: float = 1.0,
    features: int | None = None,
) -> Diagnosis:
    """Hold a trained VAE against the linear optimum.

    Args:
        means, log_variances: of the encoder on the data, shape (n, d1); arrays or tensors.
        zeta_squared: ζ_i² of the same data, shape (modes,), such as `predict(data).spectrum.zeta_squared`.
        beta_eta_dec_squared: the level that training was meant to have, such as `predict(...).optimum.level`.
        eta_enc: the prior's standard deviation.
        features: D, to recognise a loss that averages over features; None where unknown.

    Raises:
        DataError: shapes differ, something is not finite, or the level is not positive.
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
    if not (np.isfinite(beta_eta_dec_squared) and beta_eta_dec_squared > 0):
        raise DataError(f"beta_eta_dec_squared must be positive, got {beta_eta_dec_squared!r}.")
    squares = np.sort(np.asarray(zeta_squared, dtype=np.float64))[::-1]
    if squares.ndim != 1 or not len(squares) or not np.isfinite(squares).all() or squares[-1] < 0:
        raise DataError("zeta_squared must hold finite ζ² ≥ 0 in one dimension.")
    latents = mean.shape[1]
    measured, units, rotated = _measured(mean, log_variance, eta_enc)
    levels = Levels(squares, 0.0, 0.0, len(squares))
    optimum = Optimum(levels, latents, beta_eta_dec_squared, 1.0, eta_enc)
    predicted = np.zeros(latents)
    reach = min(latents, len(squares))
    predicted[:reach] = optimum.kl_nats[:reach]
    estimated, elsewhere = _estimated(measured, levels, latents)
    verdict, conclusion = _verdict(
        measured, predicted, units, estimated, elsewhere, beta_eta_dec_squared, latents, features
    )
    return Diagnosis(
        units, float(measured.sum()), tuple(map(float, measured)), int(optimum.active.sum()), optimum.rate_nats,
        tuple(map(float, predicted)), beta_eta_dec_squared, estimated, rotated, verdict, conclusion,
    )  # fmt: skip


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


def _measured(mean: np.ndarray, log_variance: np.ndarray, eta_enc: float) -> tuple[np.ndarray, int, bool]:
    """KL by latent, largest first; active units; and whether KLs are of principal directions.

    The linear optimum has uncorrelated means, up to rotations among latents of equal variance. Where the means are correlated,
    their covariance is turned to its principal directions, and each direction gets the average variance of the latents it mixes.
    """
    prior = eta_enc**2
    centred = (mean - mean.mean(0)) / eta_enc
    ratio = np.exp(log_variance) / prior
    units = int(np.sum(centred.var(0) > ACTIVE_VARIANCE))
    kl = ((mean**2 / prior + ratio - 1 - np.log(ratio)) / 2).mean(0)
    covariance = centred.T @ centred / len(centred)
    diagonal = np.sqrt(np.maximum(np.diag(covariance), ACTIVE_VARIANCE / 100))
    correlation = np.abs(covariance / np.outer(diagonal, diagonal) - np.diag(np.diag(covariance) / diagonal**2))
    if correlation.max(initial=0.0) <= 1 / 2:
        return np.sort(kl)[::-1], units, False
    values, directions = np.linalg.eigh(covariance)
    mixed = (directions**2).T @ ratio.mean(0)
    turned = (np.maximum(values, 0) + mixed - 1 - np.log(mixed)) / 2
    return np.sort(turned)[::-1], int(np.sum(values > ACTIVE_VARIANCE)), True


def _estimated(measured: np.ndarray, levels: Levels, latents: int) -> tuple[float | None, float]:
    """The level at which the linear optimum spends as much in all, and the share of that which it spends on other latents."""
    if not np.any(measured[: len(levels.zeta_squared)] > SPENT):
        return None, 0.0
    rate = float(measured.sum())
    level = level_for_nats(levels, latents, rate)
    there = Optimum(levels, latents, level, 1.0).kl_nats[:latents]
    expected = np.concatenate([there, np.zeros(latents - len(there))])
    return level, float(np.abs(measured - expected).sum() / rate)


def _verdict(
    measured: np.ndarray, predicted: np.ndarray, units: int, estimated: float | None, elsewhere: float, believed: float,
    latents: int, features: int | None,
) -> tuple[str, str]:  # fmt: skip
    wanted, used = int(np.sum(predicted > SPENT)), int(np.sum(measured > SPENT))
    if wanted and not units:
        return "dead-encoder", (
            f"the encoder's means do not depend on the data, though {wanted} modes are worth encoding at this β η_dec²: look for a "
            "detached encoder, a learning rate that is too high, or a KL weight that was larger early on"
        )
    if estimated is None:
        if not wanted:
            return "expected", "everything collapses, as the linear optimum does at this β η_dec²: lower β, or η_dec"
        return "more-collapsed", "the KL is nearly 0 though means vary: training has hardly begun"
    factor, rate, due = estimated / believed, float(measured.sum()), float(predicted.sum())
    agreed = elsewhere <= ELSEWHERE
    if agreed and 1 / AGREEING <= factor <= AGREEING:
        if abs(rate - due) <= NEAR * due + SPENT * latents:
            return (
                "expected",
                f"as the linear optimum: {used} latents are used, and β η_dec² is what it was meant to be",
            )
    elif agreed and (used > 1 or factor < 1):
        return "other-beta", (
            f"your β is not the one applied: the KLs agree on β η_dec² = {estimated:.4g}, {factor:.3g} times what was meant"
            + _suspicion(factor, latents, features)
        )
    if rate < due:
        return "more-collapsed", (
            f"{used} latents spend {rate:.3g} nats where the linear optimum spends {due:.3g} on {wanted}: optimisation stopped "
            "short (learning rate, too few steps, a KL weight that was larger early on, dead latents)"
        )
    return "less-collapsed", (
        f"more is encoded ({rate:.3g} nats) than by the linear optimum ({due:.3g}): a non-linear encoder or decoder gains more "
        "from a latent than a linear one"
    )


def _suspicion(factor: float, latents: int, features: int | None) -> str:
    """What a factor between the levels looks like."""
    known = [
        (1 / latents, "the KL is averaged over the latents"),
        (1 / 2, "the squared error is without its factor 1/2"),
        (2.0, "the squared error has a factor 1/2 that was not counted, or the KL none"),
        (float(latents), "the KL is summed over the latents where an average was counted"),
    ]
    if features is not None:
        known += [
            (float(features), "the squared error is averaged over the features"),
            (1 / features, "the squared error is summed over features where an average was counted"),
            (features / latents, "both terms are averaged, over features and over latents"),
        ]
    near = [text for value, text in known if 1 / AGREEING <= factor / value <= AGREEING]
    return f"; it looks as if {near[0]}" if near else ""
