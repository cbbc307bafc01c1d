"""A prediction on a terminal: the setting, a row a mode, totals, and what to change."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from collapse.prediction import BITS, Prediction
from collapse.report.figures import INDICATIVE, percent, significant


def print_prediction(console: Console, found: Prediction, show: int) -> None:
    """Setting, table, totals and advice.

    Args:
        console: where to.
        found: what to print.
        show: how many rows of the table.
    """
    o, spectrum = found.optimum, found.spectrum
    kind = "autoencoder" if spectrum.autoencoder else f"{spectrum.inputs} features to {spectrum.outputs} targets"
    centred = "centred" if spectrum.centred else "not centred"
    console.print(
        f"{found.name}: {spectrum.n} samples, {spectrum.inputs} features, {kind}, {centred}; variance {o.levels.variance:.6g} "
        f"({found.squared_unit})"
    )
    for line in (*found.translation.arithmetic, *found.notes):
        console.print(f"  {line}")
    if found.translation.warning:
        console.print(f"  note: {found.translation.warning}")
    console.print(f"level β η_dec² = {o.level:.6g}{_doubt(found)}; {o.latents} latents\n")
    console.print(_table(found, show))
    hidden = len(o.levels.zeta_squared) - show
    if hidden > 0:
        console.print(f"({hidden} further modes: --show {len(o.levels.zeta_squared)}, or --json)")
    console.print("\n" + "\n".join(summary(found)))


def _table(found: Prediction, show: int) -> Table:
    o = found.optimum
    knob = "critical β" if found.eta_dec is not None else "critical weight"
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = ["mode", "ζ²", *(["95 % interval"] if found.intervals is not None else []), knob]
    names += ["critical η_dec"] if found.has_critical_eta_dec else []
    for name in (*names, "state", "encoder std", "KL nats", "KL bits", "variance"):
        table.add_column(name, justify="left" if name == "state" else "right")
    for k in range(min(show, len(o.levels.zeta_squared))):
        row = [str(k + 1), significant(o.levels.zeta_squared[k])]
        if found.intervals is not None:
            low, high = found.intervals[k]
            row += [f"{significant(low)}–{significant(high)}" if low == low else "–"]
        critical = found.critical_weights[k]
        row += [f"{critical:.5g}" if np.isfinite(critical) else "–"]
        if found.has_critical_eta_dec:
            row += [f"{o.critical_eta_dec[k] * (found.eta_dec or 1.0):.4g}"]
        state = "active" if o.active[k] else "collapsed" if o.reached[k] else "no latent"
        deviation = significant(o.encoder_std[k], 4) if o.reached[k] else "–"
        row += [state, deviation, f"{o.kl_nats[k]:.4f}", f"{o.kl_nats[k] / BITS:.4f}", percent(found.shares[k])]
        table.add_row(*row)
    return table


def summary(found: Prediction) -> list[str]:
    """Totals, the nearest threshold and advice, a line each."""
    o = found.optimum
    level = found.learned is not None and found.learned.level
    end = " at the upper end of η_dec²" if level else ""
    lines = [
        f"active modes {found.active_modes} of {o.latents}{end}; rate {o.rate_nats:.4f} nats ({o.rate_nats / BITS:.4f} bits); "
        f"distortion {o.distortion:.6g}; loss {found.loss:.6g}; explained variance {percent(o.explained)}"
        f"{_doubt(found)}"
    ]
    if level:
        return [
            *lines,
            "there is no one optimum at this β: with any larger one there is, and with any smaller no lower bound",
        ]
    mode, margin = found.nearest
    what, where = ("ζ²", "the level") if found.learned is None else ("critical β", "yours")
    side = "above" if margin > 0 else "below"
    size = f"{abs(100 * margin):.3g} %" if np.isfinite(margin) else "immeasurably far"
    lines.append(f"nearest threshold: mode {mode}, whose {what} is {size} {side} {where}{_doubt(found)}")
    return [*lines, *_advice(found)]


def _doubt(found: Prediction) -> str:
    return INDICATIVE if found.indicative else ""


def _advice(found: Prediction) -> list[str]:
    o, name = found.optimum, "β" if found.eta_dec is not None else found.convention.knob or "weight"
    if found.weights is not None:
        low, high = found.weights
        if low == high:
            return [f"answer{_doubt(found)}: {name} = {low:.6g}"]
        ends = f"{name} ≥ {low:.6g}" if high == np.inf else f"{low:.6g} ≤ {name} < {high:.6g}"
        ends = ends if low > 0 else f"{name} < {high:.6g}"
        count = {0: "no mode", 1: "exactly 1 mode"}.get(found.active_modes, f"exactly {found.active_modes} modes")
        return [f"answer{_doubt(found)}: {ends} keeps {count}"]
    reachable = found.critical_weights[: o.latents]
    reachable = reachable[reachable > 0]
    lines = []
    kept = found.active_modes
    if kept < len(reachable) and found.learned is not None and reachable[kept] <= found.learned.bound:
        lines.append(
            f"below β = {found.learned.bound:.6g} the loss has no lower bound: η_dec tends to 0, and all modes are kept"
        )
    elif kept < len(reachable):
        or_else = " (η_dec follows)" if found.learned is not None else " (or η_dec² smaller in proportion)"
        or_else = or_else if found.eta_dec is not None else ""  # a library's loss has no η_dec to set
        lines.append(f"to keep mode {kept + 1} too: {name} below {reachable[kept]:.6g}{or_else}{_doubt(found)}")
    if kept == 0:
        lines.append("everything collapses: at this setting the KL term outweighs every direction of the data")
    if kept == o.latents < int(np.sum(o.levels.zeta_squared > o.level)):
        more = int(np.sum(o.levels.zeta_squared > o.level))
        lines.append(f"more latents would be used: {more} modes lie above the level")
    if kept < o.latents:
        lines.append(
            f"{o.latents - kept} of {o.latents} latents stay at the prior: as many could be left out at this setting"
        )
    return lines
