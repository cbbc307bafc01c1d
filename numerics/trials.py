"""Trials: what training finds of a claim about the examples of section 5, by a criterion that is stated beforehand.

A layer of evidence has to refute every mutant, which noisy training of a few networks cannot; a trial only has to be met. Starts
are random and training reads no spectrum; what is measured is then held against the linear theory's numbers. Figure 1's networks
are a layer's evidence besides (`numerics.observables.trained`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from derivations.errors import DataError, DataUnavailable
from numerics.datasets import data_set, synthetic_regression
from numerics.grids import NetworkGrid, Setting
from numerics.observables.trained import SETTING
from numerics.sweeps import IMAGE_SCHEDULE, IMAGE_SIZES, LINEAR_SCHEDULE, USED, Sweep, sweep
from numerics.threads import one_thread
from numerics.tolerances import CONSTANT_OUTPUT, TRAINED_LINEAR, TRAINED_NETWORK

__all__ = ["TRIALS", "Outcome", "Part", "Trial", "counted", "relative_difference", "tried"]

STARTS = 5
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Part:
    """One thing that a criterion asks for, whether it is met, and what was seen."""

    asked: str
    met: bool
    seen: str


@dataclass(frozen=True)
class Outcome:
    """What a trial found: its criterion's parts, all of which have to be met."""

    parts: tuple[Part, ...]

    @property
    def met(self) -> bool:
        """Whether there are parts and each is met."""
        return bool(self.parts) and all(part.met for part in self.parts)


@dataclass(frozen=True)
class Trial:
    """Training as evidence for what a claim's sentence says of trained models; the formula judged is of linear ones, or an infimum.

    Args:
        claim: its ID.
        trained: what is trained, on what.
        criterion: what has to come out, of how many starts.
        data: what it needs; trials of the same data share their networks.
        run: trains from the starts that belong to a nonnegative seed, and compares; DataUnavailable where its data are absent.
    """

    claim: str
    data: str
    trained: str
    criterion: str
    run: Callable[[int], Outcome]


def counted(asked: str, did: Bool[np.ndarray, " starts"], wanted: int, seen: str) -> Part:
    """A part that so many starts have to do, with Clopper and Pearson's interval for the share of all starts that would."""
    import scipy.stats  # imported late: it takes half a second, and trials are seldom asked for

    count, starts = int(did.sum()), len(did)
    if not starts:
        return Part(asked, False, f"of no starts; {wanted} wanted")
    share = scipy.stats.binomtest(count, starts).proportion_ci(CONFIDENCE)
    interval = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
    return Part(asked, count >= wanted, f"{count} of {starts} starts ({interval}; {wanted} wanted), {seen}")


def relative_difference(
    values: Float[np.ndarray, " starts"], others: Float[np.ndarray, " starts"]
) -> tuple[float, float]:
    """Welch's interval, at 95 %, for how much the mean of one sample is above that of another, relative to the other's."""
    import scipy.stats

    mean, difference = float(np.mean(others)), float(np.mean(values) - np.mean(others))
    squares = [float(np.var(sample, ddof=1)) / len(sample) for sample in (values, others)]
    if sum(squares) == 0:
        return difference / mean, difference / mean
    sizes = len(values), len(others)
    freedom = sum(squares) ** 2 / sum(square**2 / (n - 1) for square, n in zip(squares, sizes, strict=True))
    reach = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * sum(squares) ** 0.5
    return (difference - reach) / mean, (difference + reach) / mean


def _starts(seed: int) -> tuple[int, ...]:
    return tuple(range(STARTS * seed, STARTS * (seed + 1)))


# ------------------------------------------------------------------------------------------ synthetic regression
LEVELS = (3.4, 5.6, 11.5, 15.0)
"""β η_dec² with 4, 3, 1 and 0 modes above it."""
MOST = 4
"""Starts of five: a mode beside its threshold gains little, and training may miss it."""


@lru_cache(maxsize=4)
def _networks(architecture: str, seed: int) -> Sweep:
    """Networks of 16 hidden units at these levels, on the synthetic regression of this seed."""
    betas = tuple(level / SETTING.eta_dec**2 for level in LEVELS)
    setting = replace(SETTING, architecture=architecture, betas=betas, seeds=_starts(seed))
    return sweep(synthetic_regression(seed), setting)


def tanh_like_relu(seed: int) -> Outcome:
    """Whether Tanh networks end where ReLU networks do, and collapse where they should."""
    tanh, relu = _networks("tanh", seed), _networks("relu", seed)
    parts = []
    for level, ours, theirs in zip(LEVELS, tanh.measured.loss, relu.measured.loss, strict=True):
        low, high = relative_difference(ours, theirs)
        met = -TRAINED_NETWORK.value <= low and high <= TRAINED_NETWORK.value
        asked = f"mean loss beside ReLU's, beta eta_dec^2 = {level:g}"
        parts.append(Part(asked, met, f"{100 * low:+.2f} to {100 * high:+.2f} %, {STARTS} starts each"))
    places = LEVELS.index(11.5), LEVELS.index(15.0)
    return Outcome((*parts, *_collapse_parts(tanh.setting.betas, tanh.used, *places)))


def constant_when_collapsed(seed: int) -> Outcome:
    """Whether the output of collapsed networks is the same for every input and noise, and that of others is not."""
    found = _networks("relu", seed)
    with one_thread(), torch.no_grad():
        grid = NetworkGrid(synthetic_regression(seed), found.setting, "cpu")
        codes = grid.model.codes(found.stack, grid.x)
        noise = torch.randn(codes.mean.shape, dtype=codes.mean.dtype, generator=torch.Generator().manual_seed(seed))
        outputs = grid.model.decoded(found.stack, codes.mean + codes.deviation * noise)
        spread = outputs.var(1, correction=0).sum(-1) / grid.y.var(0, correction=0).sum()
    shares, collapsed = spread.numpy().reshape(len(LEVELS), STARTS), found.used == 0
    bound, last = CONSTANT_OUTPUT.value, shares[-1]
    dead, alive = shares[collapsed], shares[~collapsed]
    at_last = f"at beta eta_dec^2 = {LEVELS[-1]:g} at most {bound:g} of the target's variance"
    return Outcome(
        (
            counted(at_last, (last <= bound) & collapsed[-1], STARTS, _range(last)),
            counted(f"at most {bound:g} of it wherever no latent is used", dead <= bound, len(dead), _range(dead)),
            counted("more wherever one is used", alive > bound, len(alive), _range(alive)),
        )
    )


def _range(values: Float[np.ndarray, " starts"]) -> str:
    return f"{values.min():.1e} to {values.max():.1e}" if len(values) else "none"


def _collapse_parts(
    betas: tuple[float, ...], all_used: Int[np.ndarray, "betas starts"], alive: int, dead: int
) -> tuple[Part, Part]:
    """No complete collapse at one place of the grid, and one at another, counted over starts."""
    here, there = all_used[alive], all_used[dead]
    return (
        counted(f"some latent is used at beta = {betas[alive]:.4g}", here > 0, MOST, _counts(here)),
        counted(f"no latent is used at beta = {betas[dead]:.4g}", there == 0, STARTS, _counts(there)),
    )


def _counts(used: Int[np.ndarray, " starts"]) -> str:
    return f"{', '.join(str(int(count)) for count in used)} used"


# ------------------------------------------------------------------------------------------ digits and MNIST
def linear_models_agree(seed: int) -> Outcome:
    """Whether linear models end at the least loss of the theory, on the digits."""
    setting = Setting("linear", (0.3, 0.6), _starts(seed), d1=5, schedule=LINEAR_SCHEDULE)
    found = sweep(data_set("digits"), setting)
    parts = []
    for beta, apart in zip(setting.betas, np.abs(found.relative_loss), strict=True):
        asked = f"loss within {TRAINED_LINEAR.value:g} of the theory's, beta = {beta:g}"
        parts.append(counted(asked, apart <= TRAINED_LINEAR.value, STARTS, f"{apart.max():.1e} at worst"))
    return Outcome(tuple(parts))


MNIST_BETAS = (3.5, 4.5, 5.5, 6.0)


@lru_cache(maxsize=1)
def _on_mnist(seed: int) -> Sweep:
    """Networks and schedule of Figure 2 as `collapse figures` has it by default: with 32 units, batches of 64 and 2,000 steps at
    1e-3 alone, only 6 of ten starts used a latent at beta = 4.5."""
    setting = Setting("relu", MNIST_BETAS, _starts(seed), d1=5, schedule=IMAGE_SCHEDULE, single=True, **IMAGE_SIZES)
    return sweep(data_set("mnist"), setting)


def mnist_collapses_about_five(seed: int) -> Outcome:
    """Whether complete collapse lies between beta = 4.5 and 5.5."""
    places = MNIST_BETAS.index(4.5), MNIST_BETAS.index(5.5)
    return Outcome(_collapse_parts(MNIST_BETAS, _on_mnist(seed).used, *places))


def mnist_modes_remain(seed: int) -> Outcome:
    """Whether two modes remain at beta = 3.5 and none at 6."""
    used = _on_mnist(seed).used
    few, none = used[MNIST_BETAS.index(3.5)], used[MNIST_BETAS.index(6.0)]
    return Outcome(
        (
            counted("two latents are used at beta = 3.5", few == 2, MOST, _counts(few)),
            counted("no latent is used at beta = 6", none == 0, STARTS, _counts(none)),
        )
    )


_SYNTHETIC = "networks of 16 hidden units from five random starts each, on the synthetic regression"
_MNIST = f"ReLU networks cut down to {IMAGE_SIZES['hidden']} hidden units (the paper: 2048) from five random starts each, on MNIST"

TRIALS: tuple[Trial, ...] = (
    Trial(
        "s5.linear-agreement",
        "digits",
        "linear models with five latents from five random starts each, on the digits",
        f"every start ends within {TRAINED_LINEAR.value:g} of the theory's least loss, relative",
        linear_models_agree,
    ),
    Trial(
        "fig-2.thresholds",
        "mnist",
        _MNIST,
        f"at beta = 4.5 at least {MOST} of five starts use a latent (more than {USED} nats), at 5.5 none of five does",
        mnist_collapses_about_five,
    ),
    Trial(
        "fig-3.modes",
        "mnist",
        _MNIST,
        f"at beta = 3.5 at least {MOST} of five starts use two latents (more than {USED} nats), at 6 none of five uses any",
        mnist_modes_remain,
    ),
    Trial(
        "app-a.tanh",
        "synthetic",
        f"Tanh and ReLU {_SYNTHETIC}",
        f"Welch's {100 * CONFIDENCE:.0f} % interval for the difference of their mean losses lies within "
        f"{100 * TRAINED_NETWORK.value:g} % of ReLU's; Tanh's collapse is complete above the last threshold in all five, and not "
        f"below it in at least {MOST}",
        tanh_like_relu,
    ),
    Trial(
        "s6.constant-output",
        "synthetic",
        f"ReLU {_SYNTHETIC}",
        f"the output's variance over inputs and noise is at most {CONSTANT_OUTPUT.value:g} of the target's wherever no latent is "
        f"used, at beta eta_dec^2 = {LEVELS[-1]:g} in all five starts, and more wherever one is used",
        constant_when_collapsed,
    ),
)
"""Of every claim about what trained models do, but fig-1.thresholds, whose networks are a layer's evidence."""


def tried(data: str, claims: Sequence[str], seed: int) -> dict[str, Outcome | str]:
    """The trials of some claims on one source of data, run one after another: what came out, or why nothing was tried."""
    found: dict[str, Outcome | str] = {}
    for trial in TRIALS:
        if trial.data == data and trial.claim in claims:
            try:
                found[trial.claim] = trial.run(seed)
            except DataUnavailable as absent:
                found[trial.claim] = str(absent)
            except DataError as error:  # training diverged, or the data are broken: the rest of the audit is not lost
                found[trial.claim] = Outcome((Part("training ends", False, str(error)),))
    return found
