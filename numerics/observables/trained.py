"""Trained ReLU networks as experimental evidence for Figure 1: five random starts each, of 16 hidden units.

The criterion: at each β the loss of every one of the five starts is within TRAINED_NETWORK of what is stated, and a completely
collapsed model (no latent above `USED` nats) is found in every start or in none, as is stated. β η_dec² is 3.4, where only models
with three modes or more are that near, and 11.5 and 15, between which lies the threshold of complete collapse alone. With the
paper's 8 units training misses modes too often for that (README).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from sympy import Basic

from numerics.datasets import synthetic_regression
from numerics.grids import Setting
from numerics.lambdified import evaluate
from numerics.layers.base import Finding
from numerics.sweeps import Sweep, sweep
from numerics.tolerances import EXACT, TRAINED_NETWORK
from numerics.training import Schedule

__all__ = ["SETTING", "trained_networks", "training_findings"]

ETA_DEC = 0.8
"""Not 1, so that its powers tell."""
SETTING = Setting(
    "relu",
    betas=tuple(level / ETA_DEC**2 for level in (3.4, 11.5, 15.0)),
    seeds=(0, 1, 2, 3, 4),
    d1=5,
    schedule=Schedule((1e-2, 1e-3), every=250, patience=3, progress=1e-3, most=1_500),
    hidden=16,
    batch=64,
    draws=4,
    eta_dec=ETA_DEC,
)


@lru_cache(maxsize=2)
def trained_networks(seed: int) -> Sweep:
    """The networks, on the synthetic regression of that seed; training reads no spectrum."""
    return sweep(synthetic_regression(seed), SETTING)


def training_findings(formula: Basic, seed: int) -> Iterator[Finding]:
    """(least L_VAE, condition for complete collapse) against what training found."""
    found = trained_networks(seed)
    stated_loss, condition = formula.args
    for beta, losses, used in zip(SETTING.betas, found.measured.loss, found.used, strict=True):
        name = f"five ReLU networks, beta = {beta:.4g}, seed {seed}"
        scales = {"beta": beta, "eta_dec": SETTING.eta_dec, "eta_enc": SETTING.eta_enc}
        values: dict[Any, Any] = found.levels.values(SETTING.d1, **scales)
        apart = np.max(np.abs(losses - evaluate(stated_loss, values)) / losses)
        yield Finding("loss of trained networks, worst of five", name, float(apart), TRAINED_NETWORK)
        collapsed = {bool(count == 0) for count in used}
        yield Finding(
            "collapse of trained networks", name, float(collapsed != {bool(evaluate(condition, values))}), EXACT
        )
