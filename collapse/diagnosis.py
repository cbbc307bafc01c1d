"""A trained VAE held against the linear optimum on its data: `collapse diagnose`.

The linear optimum keeps mode i iff ζ_i² > t with t = β η_dec², at KL_i = ½ log(ζ_i²/t) nats (Theorem 2). So each mode that is
encoded tells, by what the codes tell of it, which t training really had; and at an optimum of any level the codes of a latent have
the prior's variance, so that they also tell whether training had settled.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from collapse.codes import SPENT, Codes, checked_codes, encode, measured, read_codes
from collapse.level_fit import Fit, fitted
from collapse.reading import is_shuffled, open_rows
from collapse.scaled_rows import standardised
from collapse.verdicts import Setting, verdict_of
from derivations.errors import DataError
from numerics.measured import Resolved, held_optimum, resolved
from numerics.prediction import Levels, Optimum

__all__ = ["Diagnosis", "EncodedMode", "Latent", "diagnose", "encode", "read_codes"]

TOLD = 0.5
"""Share of the variance of a latent's mean that one mode has, for the latent to be said to encode it."""


@dataclass(frozen=True)
class Latent:
    """A latent: its KL in nats, E[m²] + E[σ²] in units of the prior's variance, and the mode, counted from 1, that it encodes, with
    that mode's share of the variance of its mean; None where that is not told."""

    kl_nats: float
    second_moment: float
    mode: int | None
    share: float | None


@dataclass(frozen=True)
class EncodedMode:
    """What codes tell of a mode, in nats, and the β η_dec² at whose optimum they would; mode is None where codes are of no single
    mode, or it is not told which."""

    mode: int | None
    information_nats: float
    level: float | None


@dataclass(frozen=True)
class Diagnosis:
    """What was measured, what the linear optimum would be, and what the difference says.

    KLs and rates are in nats; levels β η_dec² in squared units of the data. kl_nats is by latent in the given order,
    predicted_kl_nats by mode. estimated_beta_eta_dec_squared is None where no one level explains what the codes tell.
    missing_modes, counted from 1, are due a latent and have none. settled is whether training has come to an optimum of some level,
    as far as codes tell: False exactly where the conclusion says that it has not, None where nothing tells. modes_told_by is
    "data", "order" or None. verdict is "expected", "more-collapsed", "less-collapsed", "other-beta" or "dead-encoder".
    """

    active_units: int
    rate_nats: float
    kl_nats: tuple[float, ...]
    predicted_active_modes: int
    predicted_rate_nats: float
    predicted_kl_nats: tuple[float, ...]
    believed_beta_eta_dec_squared: float
    estimated_beta_eta_dec_squared: float | None
    latents: tuple[Latent, ...]
    encoded_modes: tuple[EncodedMode, ...]
    missing_modes: tuple[int, ...]
    modes_told_by: str | None
    settled: bool | None
    rotated: bool
    held_variance: bool
    notes: tuple[str, ...]
    verdict: str
    conclusion: str

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def diagnose(
    means: Any,
    log_variances: Any,
    zeta_squared: Any,
    *,
    beta_eta_dec_squared: float,
    eta_enc: float = 1.0,
    features: int | None = None,
    data: Any = None,
    centre: bool = True,
    scale: str | None = None,
) -> Diagnosis:
    """Hold a trained VAE against the linear optimum.

    Args:
        means, log_variances: of the encoder on the data, shape (n, d1); arrays or tensors.
        zeta_squared: ζ_i² of the same data, shape (modes,), such as `predict(data).spectrum.zeta_squared`.
        beta_eta_dec_squared: the level that training was meant to have, such as `predict(...).optimum.level`.
        eta_enc: the prior's standard deviation.
        features: D, to recognise a loss that averages over features; None where unknown.
        data: what is reconstructed, in the order of the codes, as in `predict`: it tells which latent encodes which mode. None to
            tell them by their KLs alone.
        centre: whether the model has biases, as in `predict`; with `data`.
        scale: "standard" where features were divided by their standard deviations first, as in `predict`; with `data`.

    Raises:
        DataError: shapes differ, something is not finite, or the level is not positive.
    """
    mean, log_variance = checked_codes(means, log_variances)
    if not (np.isfinite(beta_eta_dec_squared) and beta_eta_dec_squared > 0):
        raise DataError(f"beta_eta_dec_squared must be positive, got {beta_eta_dec_squared!r}.")
    squares = np.sort(np.asarray(zeta_squared, dtype=np.float64))[::-1]
    if squares.ndim != 1 or not len(squares) or not np.isfinite(squares).all() or squares[-1] < 0:
        raise DataError("zeta_squared must hold finite ζ² ≥ 0 in one dimension.")
    codes = measured(mean, log_variance, eta_enc)
    if is_shuffled(data):
        raise DataError(
            "a shuffled DataLoader has the data in another order than the codes: give one with shuffle=False."
        )
    found = None
    if data is not None:
        if scale not in (None, "standard"):
            raise DataError(f"scale must be None or 'standard', got {scale!r}.")
        rows = open_rows(data) if scale is None else standardised(open_rows(data))
        found = resolved(codes.means, codes.variance, rows, centre=centre, least=SPENT)
    predicted, information, kept = _predicted(codes, squares, beta_eta_dec_squared, eta_enc)
    fit = fitted(codes, squares, beta_eta_dec_squared, found)
    setting = Setting(beta_eta_dec_squared, predicted, information, features, float(squares[0]))
    finding = verdict_of(codes, fit, setting)
    # modes are shown where they are told: by the data, or by a level that explains all
    told = fit.told_by_data or fit.level is not None
    return Diagnosis(
        active_units=codes.active_units,
        rate_nats=float(codes.kl.sum()),
        kl_nats=tuple(map(float, codes.kl)),
        predicted_active_modes=kept,
        predicted_rate_nats=float(predicted.sum()),
        predicted_kl_nats=tuple(map(float, predicted)),
        believed_beta_eta_dec_squared=beta_eta_dec_squared,
        estimated_beta_eta_dec_squared=fit.level,
        latents=_latents(codes, fit, found, told),
        encoded_modes=tuple(_encoded(fit, k, told) for k in range(len(fit.modes))),
        missing_modes=tuple(each + 1 for each in fit.missing),
        modes_told_by=("data" if fit.told_by_data else "order") if told and len(fit.modes) else None,
        settled=finding.settled,
        rotated=codes.rotated,
        held_variance=_is_held(codes),
        notes=tuple(_notes(codes, fit)),
        verdict=finding.verdict,
        conclusion=finding.conclusion,
    )


def _is_held(codes: Codes) -> bool:
    """Whether variances are held, and not all at the prior's because everything collapsed."""
    return codes.held is not None and bool(np.any(codes.information > SPENT))


def _predicted(codes: Codes, squares: np.ndarray, level: float, eta_enc: float) -> tuple[np.ndarray, np.ndarray, int]:
    """KL and information of each mode at the optimum, shape (d1,), and how many are kept."""
    latents = len(codes.kl)
    if codes.held is not None and _is_held(codes):
        kl, information = held_optimum(squares, latents, level, codes.held)
        return kl, information, int(np.sum(information > 0))
    optimum = Optimum(Levels(squares, 0.0, 0.0, len(squares)), latents, level, 1.0, eta_enc)
    reach = min(latents, len(squares))
    kl = np.zeros(latents)
    kl[:reach] = optimum.kl_nats[:reach]
    return kl, kl, int(optimum.active.sum())


def _encoded(fit: Fit, k: int, told: bool) -> EncodedMode:
    known = told and fit.modes[k] >= 0
    return EncodedMode(
        int(fit.modes[k]) + 1 if known else None,
        float(fit.information[k]),
        float(fit.levels[k]) if known else None,
    )


def _latents(codes: Codes, fit: Fit, found: Resolved | None, told: bool) -> tuple[Latent, ...]:
    """With data a latent's mode is the one that most of its variance is of; without, the order tells it if there is no rotation."""
    latents = []
    place = np.argsort(np.argsort(-codes.information, kind="stable"))
    for k in range(len(codes.kl)):
        mode, share = None, None
        if fit.told_by_data and found is not None and len(fit.modes):
            best = int(np.argmax(found.shares[k]))
            if codes.used[k] and found.shares[k, best] > TOLD and fit.modes[best] >= 0:
                mode, share = int(fit.modes[best]) + 1, float(found.shares[k, best])
        elif told and not codes.rotated and place[k] < len(fit.modes) and fit.modes[place[k]] >= 0:
            mode = int(fit.modes[place[k]]) + 1
        latents.append(Latent(float(codes.kl[k]), float(codes.second_moment[k]), mode, share))
    return tuple(latents)


def _notes(codes: Codes, fit: Fit) -> list[str]:
    notes = []
    if codes.rotated and codes.correlated is not None:
        one, other, value = codes.correlated
        notes.append(
            f"latents are rotated: means {one + 1} and {other + 1} have correlation {value:.2f}, which costs nothing where "
            "variances are held; modes are told by directions of the means"
        )
    if codes.held is not None and _is_held(codes):
        notes.append(
            f"the encoder's variance is {codes.held:.4g} times the prior's throughout: taken as held, not learned (Proposition 2)"
        )
    if fit.unrelated:
        notes.append("no latent goes with the data in this order: modes are told by the codes alone")
    return notes
