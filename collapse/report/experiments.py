"""Measured beside predicted: on a terminal, as CSV with a row for each model, and as JSON with where it all comes from."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from collapse.experiments import Effort, Experiment
from collapse.report.versions import SCHEMA_VERSION, versions
from numerics.sweeps import USED, Sweep

__all__ = ["as_csv", "caption", "deaths", "document", "print_sweep"]

PROVENANCE = ("effort", "samples", "rates", "warm_up", "steps", "batch", "device", "torch")


def caption(experiment: Experiment, sweep: Sweep) -> str:
    """What was trained, in one line: a figure must say so."""
    s = experiment.setting
    width = "" if s.architecture == "linear" else f", d_h = {s.hidden}, batches of {s.batch}"
    precision = "float32" if s.single else "float64"
    notes = []
    if experiment.effort is Effort.QUICK:
        notes.append("quick look: shortened")
    if s.architecture != "linear":
        if s.schedule.warm_up:
            notes.append(f"KL term warmed up over {s.schedule.warm_up:,} steps")
        same = experiment.of_the_paper
        notes.append("the paper's sizes, loss and first rate" if same else "not the paper's sizes, loss and first rate")
    if experiment.samples is not None:
        notes.append(f"{experiment.samples:,} samples at most")
    settled = f"{sweep.measured.settled.mean():.0%} settled after {sweep.measured.steps:,} steps"
    seeds = f"seed {s.seeds[0]}" if len(s.seeds) == 1 else f"seeds {s.seeds[0]} to {s.seeds[-1]}"
    rates = ", ".join(f"{rate:g}" for rate in s.schedule.rates)
    return f"{sweep.data}, {s.architecture}, d1 = {s.d1}{width}, {seeds}, Adam {rates}, {precision}; {'; '.join([*notes, settled])}"


def deaths(sweep: Sweep) -> list[dict[str, Any]]:
    """For each mode its predicted threshold; the grid's β from which on it is measured dead, None if it lives at the last; how many
    steps lie between; and at how many β below its threshold it is missing."""
    betas, found = sweep.setting.betas, []
    for k, threshold in enumerate(sweep.thresholds):
        places = sweep.measured_deaths[k]
        off = places - sweep.predicted_deaths[k]
        found.append(
            {
                "mode": k + 1,
                "predicted_beta": float(threshold),
                "measured_beta": [betas[place] if place < len(betas) else None for place in places],
                "grid_steps_off": [int(each) for each in off],
                "within_one_step": int(np.sum(np.abs(off) <= 1)),
                "missing_below": [int(each) for each in sweep.missing[k]],
                "betas_below": int(sweep.predicted_deaths[k]),
            }
        )
    return found


def losses(sweep: Sweep) -> dict[str, float | None]:
    """How the loss lies relative to the theory's, in shares: medians over seeds, away from thresholds and in all."""
    middle = np.median(sweep.relative_loss, axis=1)
    away = middle[sweep.away]
    return {
        "worst_median": float(np.abs(middle).max()),
        "worst_median_away_from_thresholds": float(np.abs(away).max()) if len(away) else None,
        "median": float(np.median(middle)),
        "lowest": float(sweep.relative_loss.min()),
        "highest": float(sweep.relative_loss.max()),
    }


def document(figure: str, experiments: list[Experiment], sweeps: list[Sweep], device: str) -> dict[str, Any]:
    """Settings, versions, device and the summary of all sweeps of a figure."""
    parts = []
    for experiment, sweep in zip(experiments, sweeps, strict=True):
        parts.append(
            {
                "name": experiment.name,
                "caption": caption(experiment, sweep),
                "data": experiment.data,
                "samples": experiment.samples,
                "effort": str(experiment.effort),
                "setting": asdict(experiment.setting),
                "steps": sweep.measured.steps,
                "settled": float(sweep.measured.settled.mean()),
                "zeta_squared": [float(each) for each in sweep.levels.zeta_squared[: sweep.setting.d1]],
                "relative_loss": losses(sweep),
                "modes": deaths(sweep),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "figure": figure,
        "used_above_nats": USED,
        "device": device,
        "versions": versions(),
        "sweeps": parts,
    }


def as_csv(experiments: list[Experiment], sweeps: list[Sweep], device: str) -> str:
    """A row for each model and where it comes from: losses and KLs (falling) in nats, σ̄ (standard deviations) in rising order."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    d1 = sweeps[0].setting.d1
    numbered = [f"{name}_{k + 1}" for name in ("deviation", "stated_deviation", "kl_nats") for k in range(d1)]
    writer.writerow(
        [
            *PROVENANCE,
            "data",
            "architecture",
            "hidden",
            "beta",
            "seed",
            "settled",
            "loss",
            "stated_loss",
            "used",
            *numbered,
        ]
    )
    torch = versions()["torch"]
    for experiment, sweep in zip(experiments, sweeps, strict=True):
        s, m = sweep.setting, sweep.measured
        rates = " ".join(f"{rate:g}" for rate in s.schedule.rates)
        origin = [
            experiment.effort,
            experiment.samples or "all",
            rates,
            s.schedule.warm_up,
            m.steps,
            s.batch,
            device,
            torch,
        ]
        for row, beta in enumerate(s.betas):
            for place, seed in enumerate(s.seeds):
                scalars = [*origin, sweep.data, s.architecture, s.hidden, beta, seed, int(m.settled[row, place])]
                numbers = [m.loss[row, place], sweep.stated_loss[row], sweep.used[row, place]]
                arrays = [*m.deviation[row, place], *sweep.stated_deviation[row], *m.kl[row, place]]
                writer.writerow([*scalars, *(f"{value:.12g}" for value in (*numbers, *arrays))])
    return file.getvalue()


def print_sweep(console: Console, experiment: Experiment, sweep: Sweep) -> None:
    """The caption, how the loss lies, and a row for each mode."""
    console.print(f"\n{caption(experiment, sweep)}")
    found = losses(sweep)
    away = found["worst_median_away_from_thresholds"]
    console.print(
        f"loss relative to the linear theory's: worst median over seeds {found['worst_median']:.1e}"
        + (f", away from thresholds {away:.1e}" if away is not None else "")
        + f"; single runs from {found['lowest']:+.1e} to {found['highest']:+.1e}"
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = (
        "mode",
        "predicted β",
        "gone from β (least, median, most)",
        "steps off",
        "within one step",
        "missing below",
    )
    for name in columns:
        table.add_column(name, justify="right")
    for row in deaths(sweep):
        betas = sorted(np.inf if each is None else each for each in row["measured_beta"])
        shown = ", ".join(
            "beyond" if not np.isfinite(each) else f"{each:.4g}"
            for each in (betas[0], betas[(len(betas) - 1) // 2], betas[-1])
        )
        off = sorted(row["grid_steps_off"])
        span = f"{off[0]:+d}" if off[0] == off[-1] else f"{off[0]:+d} to {off[-1]:+d}"
        count = f"{row['within_one_step']} of {len(off)} seeds"
        least, most = min(row["missing_below"]), max(row["missing_below"])
        missing = f"{least if least == most else f'{least} to {most}'} of {row['betas_below']} β"
        table.add_row(str(row["mode"]), f"{row['predicted_beta']:.4g}", shown, span, count, missing)
    console.print(table)
