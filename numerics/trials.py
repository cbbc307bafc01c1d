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

from derivations.errors import DataUnavailable
from numerics.datasets import data_set, synthetic_regression
from numerics.grids import NetworkGrid, Setting
from numerics.observables.trained import SETTING
from numerics.sweeps import USED, Sweep, sweep
from numerics.tolerances import CONSTANT_OUTPUT, TRAINED_LINEAR, TRAINED_NETWORK
from numerics.training import Schedule

__all__ = ["TRIALS", "Outcome", "Part", "Trial", "confidence_interval", "tried"]

STARTS = 5
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Part:
    """One thing that a criterion asks for: of how many starts it is asked, how many did it, how many have to, and what was seen."""

    asked: str
    starts: int
    did: int
    wanted: int
    seen: str

    @property
    def met(self) -> bool:
        """Whether enough did; of no starts, none is enough."""
        return self.starts > 0 and self.did >= self.wanted


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
    """Training as evidence for a claim.

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


def confidence_interval(values: Float[np.ndarray, " starts"]) -> tuple[float, float]:
    """Student's interval for the mean of independent starts, at 95 %; of starts that all agree, a point."""
    import scipy.stats  # imported late: it takes half a second, and trials are seldom asked for

    mean, error = float(np.mean(values)), float(scipy.stats.sem(values))
    if error == 0.0:
        return mean, mean
    low, high = scipy.stats.t.interval(CONFIDENCE, len(values) - 1, loc=mean, scale=error)
    return float(low), float(high)


def _starts(seed: int) -> tuple[int, ...]:
    return tuple(range(STARTS * seed, STARTS * (seed + 1)))


# ------------------------------------------------------------------------------------------ synthetic regression
LEVELS = (3.4, 7.0 * 0.8, 11.5, 15.0)
"""β η_dec² with 4, 3, 1 and 0 modes above it."""


@lru_cache(maxsize=4)
def _networks(architecture: str, seed: int) -> Sweep:
    """Networks of 16 hidden units at these levels, on the synthetic regression of this seed."""
    betas = tuple(level / SETTING.eta_dec**2 for level in LEVELS)
    setting = replace(SETTING, architecture=architecture, betas=betas, seeds=_starts(seed))
    return sweep(synthetic_regression(seed), setting)


def tanh_like_relu(seed: int) -> Outcome:
    """Whether Tanh networks end where ReLU networks do."""
    tanh, relu = _networks("tanh", seed), _networks("relu", seed)
    parts = []
    for k, level in enumerate(LEVELS):
        low, high = confidence_interval(tanh.measured.loss[k] / np.mean(relu.measured.loss[k]) - 1)
        inside = -TRAINED_NETWORK.value <= low and high <= TRAINED_NETWORK.value
        seen = f"{100 * low:+.2f} % to {100 * high:+.2f} %"
        parts.append(
            Part(f"mean loss beside ReLU's, beta eta_dec^2 = {level:g}", STARTS, STARTS * inside, STARTS, seen)
        )
    return Outcome(
        (*parts, *_collapse_parts(tanh.setting.betas, tanh.used, LEVELS.index(11.5), LEVELS.index(15.0), STARTS))
    )


def constant_when_collapsed(seed: int) -> Outcome:
    """Whether the output of collapsed networks is the same for every input, and that of others is not."""
    found = _networks("relu", seed)
    data = synthetic_regression(seed)
    with torch.no_grad():
        grid = NetworkGrid(data, found.setting, "cpu")
        outputs = grid.model.decoded(found.stack, grid.model.codes(found.stack, grid.x).mean)
        spread = outputs.var(1, correction=0).sum(-1) / grid.y.var(0, correction=0).sum()
    shares = spread.numpy().reshape(len(LEVELS), STARTS)
    collapsed, alive = shares[found.used == 0], shares[0]
    bound = CONSTANT_OUTPUT.value
    return Outcome(
        (
            _share(
                f"where no latent is used, at most {bound:g} of the target's variance", collapsed, collapsed <= bound
            ),
            _share(f"at beta eta_dec^2 = {LEVELS[0]:g}, more", alive, alive > bound),
        )
    )


def _share(asked: str, values: Float[np.ndarray, " starts"], did: Bool[np.ndarray, " starts"]) -> Part:
    seen = f"{values.min():.1e} to {values.max():.1e}" if len(values) else "there is none"
    return Part(asked, len(values), int(did.sum()), len(values), seen)


def _collapse_parts(
    betas: tuple[float, ...], all_used: Int[np.ndarray, "betas starts"], alive: int, dead: int, wanted: int
) -> tuple[Part, Part]:
    """No complete collapse at one place of the grid, and one at another, counted over starts."""
    parts = []
    for place, asked, enough in ((alive, "some latent is used", wanted), (dead, "no latent is used", None)):
        used = all_used[place]
        did = int(((used == 0) if enough is None else (used > 0)).sum())
        parts.append(Part(f"{asked} at beta = {betas[place]:.4g}", len(used), did, enough or len(used), _counts(used)))
    return parts[0], parts[1]


def _counts(used: Int[np.ndarray, " starts"]) -> str:
    return f"{', '.join(str(int(count)) for count in used)} used"


# ------------------------------------------------------------------------------------------ digits and MNIST
def linear_models_agree(seed: int) -> Outcome:
    """Whether linear models end at the least loss of the theory, on the digits."""
    schedule = Schedule((1e-1, 1e-2, 1e-3), every=250, patience=4, progress=1e-8, most=10_000)
    data = data_set("digits")
    setting = Setting("linear", (0.3, 0.6), _starts(seed), d1=5, schedule=schedule)
    found = sweep(data, setting)
    parts = []
    for beta, apart in zip(setting.betas, np.abs(found.relative_loss), strict=True):
        near = int((apart <= TRAINED_LINEAR.value).sum())
        asked = f"loss within {TRAINED_LINEAR.value:g} of the theory's, beta = {beta:g}"
        parts.append(Part(asked, STARTS, near, STARTS, f"{apart.max():.1e} at worst"))
    return Outcome(tuple(parts))


MNIST_BETAS = (3.5, 4.5, 5.5, 6.0)
MNIST_WIDTH = 64
MOST = 4
"""Starts of five: a mode beside its threshold gains little, and training may miss it."""


@lru_cache(maxsize=1)
def _on_mnist(seed: int) -> Sweep:
    """Networks and schedule of Figure 2 as `collapse figures` has it by default: with 32 units, batches of 64 and 2,000 steps at
    1e-3 alone, only 6 of ten starts used a latent at beta = 4.5."""
    schedule = Schedule((1e-3, 1e-4), every=250, patience=3, progress=1e-3, most=3_000)
    setting = Setting(
        "relu",
        MNIST_BETAS,
        _starts(seed),
        d1=5,
        schedule=schedule,
        hidden=MNIST_WIDTH,
        batch=128,
        looked=2048,
        draws=1,
        single=True,
    )
    return sweep(data_set("mnist"), setting)


def mnist_collapses_about_five(seed: int) -> Outcome:
    """Whether complete collapse lies between beta = 4.5 and 5.5."""
    places = MNIST_BETAS.index(4.5), MNIST_BETAS.index(5.5)
    return Outcome(_collapse_parts(MNIST_BETAS, _on_mnist(seed).used, *places, MOST))


def mnist_modes_remain(seed: int) -> Outcome:
    """Whether two modes remain at beta = 3.5 and none at 6."""
    used = _on_mnist(seed).used
    few, none = used[MNIST_BETAS.index(3.5)], used[MNIST_BETAS.index(6.0)]
    low, high = confidence_interval(few.astype(np.float64))
    starts, inside = len(few), 1 < low <= 2 <= high < 3
    return Outcome(
        (
            Part(
                "the mean number used at beta = 3.5 may be 2, and neither 1 nor 3",
                starts,
                starts * inside,
                starts,
                f"{low:.2f} to {high:.2f}: {_counts(few)}",
            ),
            Part("no latent is used at beta = 6", starts, int((none == 0).sum()), starts, _counts(none)),
        )
    )


_SYNTHETIC = "networks of 16 hidden units from five random starts each, on the synthetic regression"
_MNIST = (
    f"ReLU networks cut down to {MNIST_WIDTH} hidden units (the paper: 2048) from five random starts each, on MNIST"
)
_INTERVAL = f"{100 * CONFIDENCE:.0f} % confidence interval of the mean over starts"

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
        f"at beta = 4.5 at least {MOST} of five starts use a latent ({USED} nats or more), at 5.5 none of five does",
        mnist_collapses_about_five,
    ),
    Trial(
        "fig-3.modes",
        "mnist",
        _MNIST,
        f"at beta = 3.5 the {_INTERVAL} of the number of latents used holds 2 and neither 1 nor 3, at 6 none of five uses any",
        mnist_modes_remain,
    ),
    Trial(
        "app-a.tanh",
        "synthetic",
        f"Tanh and ReLU {_SYNTHETIC}",
        f"the {_INTERVAL} of Tanh's loss lies within {100 * TRAINED_NETWORK.value:g} % of ReLU's mean; collapse is complete above "
        "the last threshold and not below it, in all five",
        tanh_like_relu,
    ),
    Trial(
        "s6.constant-output",
        "synthetic",
        f"ReLU {_SYNTHETIC}",
        f"the output's variance over inputs is at most {CONSTANT_OUTPUT.value:g} of the target's in every start that uses no "
        f"latent, and more in every one at beta eta_dec^2 = {LEVELS[0]:g}",
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
    return found
