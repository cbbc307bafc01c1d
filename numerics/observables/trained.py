"""Trained ReLU networks as experimental evidence for Figure 1: five random starts each, of the paper's size.

The criterion: at each β the median loss is within TRAINED_NETWORK of what is stated, and a completely collapsed model (no latent
above `USED` nats) is found in every start or in none, as is stated. The two β are 0.61 and 1.07 of the threshold of complete
collapse: nearer below it, short training does not always find the one mode that pays.
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

SETTING = Setting(
    "relu",
    betas=(8.5, 15.0),
    seeds=(0, 1, 2, 3, 4),
    d1=5,
    schedule=Schedule((3e-3, 3e-4), every=250, patience=3, progress=1e-3, most=2_000),
    hidden=8,
    batch=64,
    draws=4,
)


@lru_cache(maxsize=2)
def trained_networks(seed: int) -> Sweep:
    """The networks, on the synthetic regression of that seed; training reads no spectrum."""
    return sweep(synthetic_regression(seed), SETTING)


def training_findings(formula: Basic, seed: int) -> Iterator[Finding]:
    """(least L_VAE, condition for complete collapse) against what training found."""
    found = trained_networks(seed)
    stated_loss, condition = formula.args
    losses = np.median(found.measured.loss, axis=1)
    for beta, loss, used in zip(SETTING.betas, losses, found.used, strict=True):
        name = f"five ReLU networks, beta = {beta}, seed {seed}"
        values: dict[Any, Any] = found.levels.values(
            SETTING.d1, beta=beta, eta_dec=SETTING.eta_dec, eta_enc=SETTING.eta_enc
        )
        yield Finding(
            "median loss of trained networks", name, abs(loss - evaluate(stated_loss, values)) / loss, TRAINED_NETWORK
        )
        collapsed = {bool(count == 0) for count in used}
        yield Finding(
            "collapse of trained networks", name, float(collapsed != {bool(evaluate(condition, values))}), EXACT
        )
