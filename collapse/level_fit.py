"""Which modes a trained VAE's codes encode, and whether one level β η_dec² explains how much they tell of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from collapse.codes import SPENT, Codes
from numerics.measured import Resolved, log_level

__all__ = ["AGREEING", "FAR", "WAVERING", "Fit", "fitted"]

AGREEING = 1.15
"""Levels within this factor are the same, and so are ζ²: sampling noise of 1,000 rows is 4 % in ζ², and training stops a little
short. A mode is due a latent where its ζ² exceeds the level by more than this: 0.07 nats, which training is slow to find."""
TOGETHER = 1.25
"""The levels of single modes go together where each is within this factor of their mean: 0.11 nats, a mode. Batches of 64 leave
nearly as much in a linear VAE that has come to its optimum but for noise."""
FAR = 4.0
"""They also go together where they are so many times nearer (in logarithms) to their mean than that is to the believed level."""
UNRELATED = 10.0
"""How many times as much as unrelated codes the best direction explains, at the least, where codes and data are in one order."""
TRAINED = 0.02
"""Deviation of log levels that training leaves even where all is well: a fit is no better than another for less."""
CLOSE = 0.05
"""Deviation of log levels up to which modes with gaps between them count as told: where the spectrum is dense, some choice of modes
fits anything to a third of their distance."""


LINEAR = 0.8
"""Share of what so many directions could explain of the data from which on codes are as good as linear in the leading modes."""

WAVERING = 0.12
"""Standard deviation over the samples of a used latent's log-variance from which on a model is not nearly linear. Two-layer ReLU
networks leave up to 0.09 on Gaussian data, where they gain nothing on linear models, and 0.2 to 0.44 on digits and MNIST, where
they do: their decoder is steeper than the linear one that is the best for their codes, and noise looks as of a smaller level."""

SMALLER = 1.6
"""How many times smaller than what was meant the level is that noise has to fit. Of 512 early stops at the right β, at rates and
from starts of all kinds, it fitted 0.81 times that at the least where scales had settled; half of it is told."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What explains the codes, direction by direction of those that tell something.

    Args:
        information: nats that a direction tells.
        modes: counted from 0; -1 where it is not told, or a direction is of no single mode.
        levels: t by its own mode; nan where that is not told.
        level: their geometric mean if all are known and near it; else None.
        spread: the largest |log t − log level|; infinite without a level.
        missing: modes that are due a latent at that level (or the believed one) and have none.
        told_by_data: whether modes were told by what directions explain of the data, and not by order.
        unrelated: whether codes and data seem to be in different orders.
        otherwise: modes that would be missing if the believed level were applied, where that explains the codes too.
        noise_level: the level that the noise of the latents fits, where each of them speaks for a smaller one than was meant.
    """

    information: np.ndarray
    modes: np.ndarray
    levels: np.ndarray
    level: float | None
    spread: float
    missing: tuple[int, ...]
    told_by_data: bool
    unrelated: bool = False
    otherwise: tuple[int, ...] = ()
    noise_level: float | None = None


def fitted(codes: Codes, squares: np.ndarray, believed: float, found: Resolved | None) -> Fit:
    """Tell modes by the data where they are given, else by what explains the codes best: the leading modes in order at any one
    level, or modes with gaps between them at the believed level.

    Args:
        codes: measured.
        squares: ζ_i², non-increasing.
        believed: the level that was meant.
        found: what codes tell of the data; None without data.
    """
    squares = squares[squares > 0]
    unrelated = found is not None and not np.any(found.explained > UNRELATED * found.noise)
    if found is not None and not unrelated:
        fit = _fit(codes, squares, believed, found.information, _by_data(found, squares), True)
        return replace(fit, noise_level=_by_noise(codes, squares, believed, found))
    information = np.sort(codes.information[codes.information > SPENT])[::-1]
    modes, otherwise = _by_order(codes, information, squares, believed)
    fit = _fit(codes, squares, believed, information, modes, False)
    return replace(fit, unrelated=unrelated and bool(len(information)), otherwise=otherwise)


def _fit(
    codes: Codes, squares: np.ndarray, believed: float, information: np.ndarray, modes: np.ndarray, told_by_data: bool
) -> Fit:
    logs = _log_levels(codes, information, squares, modes)
    level, spread = _common(logs, believed)
    due = _due(codes, squares, believed if level is None else level)
    # what no mode is told of may be of any
    known = (told_by_data or level is not None) and bool((modes >= 0).all())
    missing = tuple(int(each) for each in due if each not in modes) if known else ()
    return Fit(information, modes, np.exp(logs), level, spread, missing, told_by_data)


def _log_levels(codes: Codes, information: np.ndarray, squares: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """log t of each direction by its mode; nan without one."""
    known = modes >= 0
    logs = np.full(len(modes), np.nan)
    logs[known] = log_level(squares[modes[known]], information[known], codes.held)
    return logs


def _common(logs: np.ndarray, believed: float) -> tuple[float | None, float]:
    """The geometric mean of levels, if all are known and near it, and the farthest of them."""
    if not len(logs) or np.isnan(logs).any():
        return None, float("inf")
    spread = float(np.abs(logs - logs.mean()).max())
    near = max(np.log(TOGETHER), abs(logs.mean() - np.log(believed)) / FAR)
    return (float(np.exp(logs.mean())), spread) if spread <= near else (None, float("inf"))


def _by_noise(codes: Codes, squares: np.ndarray, believed: float, found: Resolved) -> float | None:
    """The level that the latents' noise fits, if each is of a smaller one than was meant.

    A latent's noise follows its decoder long before training has turned latents to modes. Where it lags it is larger, as of a
    larger level; so only a smaller one is told, and only of nearly linear codes: others explain too little for their noise, and
    where it depends on the sample it follows a steeper decoder.
    """
    levels = found.noise_levels[~np.isnan(found.noise_levels)]
    most = float(squares[: len(found.explained)].sum())
    if (
        codes.held is not None
        or codes.wavering > WAVERING
        or not len(levels)
        or float(found.explained.sum()) < LINEAR * most
    ):
        return None
    # each as it weighs in the KL's slope: the sum of σ² ‖u‖² over that of 1 − σ²
    weights = 1 - codes.variance[~np.isnan(found.noise_levels)]
    level = float(np.sum(levels * weights) / weights.sum())
    return level if levels.max() < believed / AGREEING and level < believed / SMALLER else None


def _due(codes: Codes, squares: np.ndarray, level: float) -> np.ndarray:
    """The modes that are clearly worth a latent."""
    return np.flatnonzero(squares[: len(codes.kl)] > AGREEING * level * (codes.held or 1.0))


def _assigned(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """For each value a place of its own, nearest in squares; -1 where places run out."""
    from scipy.optimize import linear_sum_assignment  # imported late: predictions do without

    chosen = np.full(len(values), -1)
    rows, columns = linear_sum_assignment((values[:, None] - places) ** 2)
    chosen[rows] = columns
    return chosen


def _by_data(found: Resolved, squares: np.ndarray) -> np.ndarray:
    """The modes whose ζ² directions explain."""
    modes = np.full(len(found.explained), -1)
    some = np.flatnonzero(found.explained > 0)
    chosen = _assigned(np.log(found.explained[some]), np.log(squares))
    for each, mode in zip(some, chosen, strict=True):
        if mode >= 0 and abs(np.log(found.explained[each] / squares[mode])) <= np.log(AGREEING):
            modes[each] = mode
    return modes


def _by_order(
    codes: Codes, information: np.ndarray, squares: np.ndarray, believed: float
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Modes by the information alone, and which modes would be missing by the other explanation where both explain it."""
    count = len(information)
    leading = np.where(np.arange(count) < len(squares), np.arange(count), -1)
    # at t = ζ² exp(−x) a direction belongs to the mode with ζ² = t exp(x)
    excess = -_log_levels(codes, information, np.ones(1), np.zeros(count, dtype=int))
    gapped = _assigned(np.log(believed) + excess, np.log(squares))
    plain, other = (_log_levels(codes, information, squares, modes) for modes in (leading, gapped))
    (level, _), (shifted, _) = _common(other, believed), _common(plain, believed)
    if level is None or not 1 / AGREEING <= level / believed <= AGREEING or np.std(other) > CLOSE:
        return leading, ()
    gaps = tuple(int(each) for each in _due(codes, squares, level) if each not in gapped)
    if len(gaps) > count:  # a few dead latents, and not most
        return leading, ()
    if shifted is None or not np.isin(_due(codes, squares, shifted), leading).all():
        return gapped, ()
    return (gapped, ()) if max(2 * np.std(other), TRAINED) < np.std(plain) else (leading, gaps)
