"""Which latents of a linear VAE collapse on given data, at a given setting, and what to change: `collapse predict`."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from collapse.constant_features import remarks
from collapse.conventions import Convention, Translation, effective_water
from collapse.decoder_option import learned_for
from collapse.intervals import Sampling, sampling_of
from collapse.loss_option import parse_loss
from collapse.questions import question_of, weights_asked
from collapse.reading import is_shuffled, open_rows
from collapse.settings import THEORY, checked_beta, checked_deviation, checked_latents, checked_unit, deviation_of
from derivations.errors import DataError
from numerics.learned_decoder import LearnedDecoder, partition
from numerics.noise import FALSE_ALARM
from numerics.prediction import Levels, Optimum
from numerics.spectra import Spectrum, spectrum_of

__all__ = ["Prediction", "predict"]

BITS = float(np.log(2))
"""Nats in a bit."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The linear VAE's global minimum on some data, mode by mode.

    Args:
        name, unit: of the data; the unit is that of what is reconstructed.
        scale: "standard" if features were divided by their standard deviations; else None.
        spectrum: of the data.
        optimum: the minimum, at β η_dec² = `translation.effective` with η_dec = 1: only that product decides.
        convention, translation: the loss that is minimised, and what it comes to.
        weight: its weight of the KL term; β where the loss is the theory's.
        eta_dec: the decoder's standard deviation, where the loss has one.
        learned: how it comes about where it is learned; else None.
        notes: what else to know.
        weights: [low, high) of the weights that answer an inverse question; None if none was asked.
        sampling: what it leaves open of ζ_i².
    """

    name: str
    unit: str
    scale: str | None
    spectrum: Spectrum
    optimum: Optimum
    convention: Convention
    translation: Translation
    weight: float
    eta_dec: float | None
    learned: LearnedDecoder | None
    sampling: Sampling
    notes: tuple[str, ...]
    weights: tuple[float, float] | None = None

    @property
    def intervals(self) -> np.ndarray | None:
        """95 % intervals of ζ_i² from sampling, shape (modes, 2), nan where a mode has none; None without any."""
        return self.sampling.intervals

    @property
    def interval_method(self) -> str | None:
        """Either "asymptotic" or "bootstrap"; None without intervals."""
        return self.sampling.method

    @property
    def noise_edge(self) -> float | None:
        """The ζ² that noise of one variance in all features exceeds in 1 % of samples; None where that does not apply."""
        return self.sampling.edge

    @property
    def squared_unit(self) -> str:
        """That of ζ², of the variance and of β η_dec²."""
        return f"{self.unit}, squared" if " " in self.unit else f"{self.unit}²"

    @property
    def active_modes(self) -> int:
        """How many latents are kept."""
        return int(self.optimum.active.sum())

    @cached_property
    def critical_weights(self) -> np.ndarray:
        """The weight of the KL term from which on a mode is collapsed, all else being as it is; shape (modes,).

        A learned decoder variance moves with the weight; then it is nan where no latent reaches.
        """
        if self.learned is not None:
            return self.learned.critical_beta
        with np.errstate(over="ignore"):  # beyond float64 it is infinite
            return self.optimum.critical_beta * (self.weight / self.optimum.level)

    @property
    def loss(self) -> float:
        """The least loss in the loss's own units, without constants; with (d2/2) log η_dec² where η_dec is learned."""
        least = self.translation.a * self.optimum.distortion + self.translation.b * self.optimum.rate_nats
        return least if self.learned is None else least + partition(self.optimum.levels, self.learned.variance)

    @property
    def shares(self) -> np.ndarray:
        """Of E‖y‖², by mode."""
        return self.optimum.levels.zeta_squared / self.optimum.levels.variance

    @property
    def nearest(self) -> tuple[int, float]:
        """The mode nearest to its threshold, counted from 1, and its critical weight over the weight, − 1."""
        with np.errstate(divide="ignore", over="ignore"):
            ratios = self.critical_weights[: self.optimum.latents] / self.weight
            place = int(np.argmin(np.abs(np.log(ratios))))
        return place + 1, float(ratios[place] - 1)

    @property
    def indicative(self) -> bool:
        """Whether the likelihood is not Gaussian, so that all answers are local estimates."""
        return self.convention.likelihood != "gaussian"

    @property
    def has_critical_eta_dec(self) -> bool:
        """Whether η_dec is there to be set: the loss has one, and does not learn it."""
        return self.eta_dec is not None and self.learned is None

    def _interval(self, k: int, factor: float) -> list[float | None] | None:
        """The interval of a mode's ζ², times a factor; None without one."""
        if self.intervals is None or np.isnan(self.intervals[k]).any():
            return None
        return [_finite(float(value) * factor) for value in self.intervals[k]]

    def document(self) -> dict[str, Any]:
        """All of it, for JSON; infinities and what is undefined become None."""
        o, mode = self.optimum, self.nearest
        rows = [
            {
                "mode": k + 1,
                "zeta_squared": float(o.levels.zeta_squared[k]),
                "critical_beta": _finite(float(self.critical_weights[k])),
                "critical_eta_dec": None
                if not self.has_critical_eta_dec
                else float(o.critical_eta_dec[k] * (self.eta_dec or 1.0)),
                "active": bool(o.active[k]),
                "encoder_std": float(o.encoder_std[k]) if o.reached[k] else None,
                "kl_nats": float(o.kl_nats[k]),
                "kl_bits": float(o.kl_nats[k]) / BITS,
                "variance_share": float(self.shares[k]),
                "zeta_squared_interval": self._interval(k, 1.0),
                "critical_beta_interval": None if self.learned else self._interval(k, self.weight / o.level),
                "no_interval": self.sampling.reasons[k] or None,
            }
            for k in range(len(o.levels.zeta_squared))
        ]
        return {
            "data": self.name,
            "unit": self.unit,
            "squared_unit": self.squared_unit,
            "scale": self.scale,
            "samples": self.spectrum.n,
            "features": self.spectrum.inputs,
            "outputs": self.spectrum.outputs,
            "centred": self.spectrum.centred,
            "latents": o.latents,
            "loss_convention": self.convention.name,
            "beta": self.weight,
            "eta_dec": self.eta_dec,
            "eta_enc": o.eta_enc,
            "learned_eta_dec": self.learned is not None,
            "many_optima": self.learned is not None and self.learned.level,
            "effective_beta_eta_dec_squared": o.level,
            "exact": self.translation.exact,
            "indicative": self.indicative,
            "active_modes": self.active_modes,
            "rate_nats": o.rate_nats,
            "rate_bits": o.rate_nats / BITS,
            "distortion": o.distortion,
            "loss": self.loss,
            "explained": o.explained,
            "nearest_mode": mode[0],
            "nearest_margin": _finite(mode[1]),
            "beta_interval": None if self.weights is None else [_finite(value) for value in self.weights],
            "interval_method": self.interval_method,
            "noise_edge": self.noise_edge,
            "noise_false_alarm": None if self.noise_edge is None else FALSE_ALARM,
            "notes": list(self.notes),
            "modes": rows,
        }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def predict(
    data: Any,
    target: Any = None,
    *,
    key: str | None = None,
    target_key: str | None = None,
    beta: float | None = None,
    eta_dec: float | None = None,
    eta_enc: float = 1.0,
    latents: int | None = None,
    loss: str | None = None,
    learn_eta_dec: bool = False,
    active: int | None = None,
    nats: float | None = None,
    explained: float | None = None,
    centre: bool = True,
    scale: str | None = None,
    modes: int | None = None,
    intervals: str = "asymptotic",
    pool: Executor | None = None,
) -> Prediction:
    """What a linear VAE with learned encoder variances does with data at its global minimum.

    Args:
        data: x: an array, a tensor, a DataLoader or another iterable of batches, a Dask array, a path (.npy, .npz, .csv, .parquet,
            .zarr) or a bundled name ("digits", "mnist", ...); one sample a row.
        target: y, likewise; None for an autoencoder.
        key, target_key: names of the arrays in .npz files.
        beta: weight of the KL term; by default what the loss has, or 1.
        eta_dec: the decoder's standard deviation, by default 1; only where the loss is the theory's.
        eta_enc: the prior's standard deviation.
        latents: how many there are; by default as many as modes.
        loss: the loss's convention, see `collapse.conventions.parse_loss`; None for the theory's, E‖y − ŷ‖²/(2 η_dec²) + β KL.
        learn_eta_dec: whether η_dec is learned as well; critical weights are then those of the learned case.
        active, nats, explained: at most one: choose β such that so many modes are kept, the rate is so many nats, or so large a
            share of the variance is explained.
        centre: whether encoder and decoder have biases, which centres x and y.
        scale: None, or "standard" to divide each feature by its standard deviation first (about its mean, centred or not).
        modes: how many leading modes to compute; None for all.
        intervals: "asymptotic" (the delta method, for Gaussian data of an autoencoder), "bootstrap" (holds all rows) or "none".
        pool: workers for the pass over the data.

    Raises:
        DataError: the data, or the setting, cannot be used; one line says why.
    """
    checked_deviation("--eta-enc", eta_enc)
    if target is None and target_key is not None:
        raise DataError(
            f"--target-key {target_key} is of a target, and there is none: give --target too, or leave it out."
        )
    if target is not None and any(is_shuffled(each) for each in (data, target)):
        raise DataError("a shuffled DataLoader would pair x and y at random: give loaders with shuffle=False.")
    rows = open_rows(data, key)
    other = None if target is None else open_rows(target, target_key)
    if modes is not None and latents is not None:
        modes = max(modes, latents + 1)
    spectrum = spectrum_of(rows, other, centre=centre, scale=scale, modes=modes, pool=pool)
    levels = Levels(
        spectrum.zeta_squared,
        max(0.0, spectrum.total - float(spectrum.zeta_squared.sum())) if not spectrum.complete else 0.0,
        spectrum.residual,
        spectrum.outputs,
    )
    width = checked_latents(latents, len(levels.zeta_squared), complete=spectrum.complete)
    convention = parse_loss(THEORY if loss is None else loss)
    weight = convention.weight if beta is None else checked_beta(beta)
    convention = replace(convention, weight=weight)
    deviation = deviation_of(convention, loss, eta_dec, learn_eta_dec)
    notes: list[str] = []
    learned = None
    if learn_eta_dec:
        learned, lines = learned_for(levels, width, weight)
        deviation = float(np.sqrt(learned.variance))
        notes += lines
    if deviation is not None:
        convention = replace(convention, decoder_std=deviation)
    weights = None
    if question_of(
        active, nats, explained, fixed="--learn-eta-dec" if learn_eta_dec else "--beta" if beta is not None else None
    ):
        weights, weight = weights_asked(convention, levels, width, active, nats, explained)
        convention = replace(convention, weight=weight)
    translation = effective_water(convention, spectrum.outputs, width)
    if translation.effective is None:
        raise DataError(
            f"--loss: {translation.arithmetic[-1]}; the theory says nothing here. Choose a loss with a squared error."
        )
    checked_unit(float(levels.zeta_squared[0]), translation.effective)
    optimum = Optimum(levels, width, translation.effective, 1.0, eta_enc)
    notes += remarks(spectrum, levels, convention, width, learned)
    if latents is None and not spectrum.complete:
        notes.append(
            f"{len(levels.zeta_squared)} modes are computed, and as many latents assumed: --latents says how many"
        )
    sampling = sampling_of(intervals, spectrum, rows, other, centre, scale)
    unit = "units of each feature's standard deviation, about its mean" if scale else (other or rows).unit
    return Prediction(
        rows.name, unit, scale, spectrum, optimum, convention, translation, weight, deviation, learned,
        sampling, (*rows.notes, *(other.notes if other else ()), *notes, *sampling.notes), weights,
    )  # fmt: skip
