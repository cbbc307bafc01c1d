"""A diagnosis on a terminal: totals, a row a latent, a row a mode, notes, and the verdict."""

from __future__ import annotations

from collapse.diagnosis import Diagnosis
from collapse.report.figures import INDICATIVE


def lines(found: Diagnosis, *, indicative: bool = False) -> list[str]:
    """Totals, latents, modes, notes and verdict, a line each; `indicative` where the likelihood is not Gaussian."""
    estimated = found.estimated_beta_eta_dec_squared
    return [
        f"{'':<22}{'measured':>12}{'predicted':>12}",
        f"{'active units':<22}{found.active_units:>12}{found.predicted_active_modes:>12}",
        f"{'rate, nats':<22}{found.rate_nats:>12.4f}{found.predicted_rate_nats:>12.4f}",
        f"{'β η_dec²':<22}{'–' if estimated is None else f'{estimated:.5g}':>12}"
        f"{found.believed_beta_eta_dec_squared:>12.5g}",
        "",
        *_latents(found),
        "",
        *_modes(found),
        *(f"note: {note}" for note in found.notes),
        f"{found.verdict}{INDICATIVE if indicative else ''}: {found.conclusion}",
    ]


def _latents(found: Diagnosis) -> list[str]:
    rows = [f"{'latent':>6}{'KL, nats':>12}{'E[m²]+E[σ²]':>14}  encodes"]
    for k, each in enumerate(found.latents):
        share = "" if each.share is None else f" ({100 * each.share:.0f} %)"
        name = "–" if each.mode is None else f"mode {each.mode}{share}"
        rows.append(f"{k + 1:>6}{each.kl_nats:>12.4f}{each.second_moment:>14.3f}  {name}")
    return rows


def _modes(found: Diagnosis) -> list[str]:
    """Modes in order, each with what codes tell of it, then directions of no single mode; missing ones are marked."""
    theirs = found.predicted_kl_nats
    known = {each.mode: each for each in found.encoded_modes if each.mode is not None}
    last = max([*known, *(k + 1 for k, value in enumerate(theirs) if value > 0)], default=0)
    rows = [f"{'mode':>6}{'codes tell, nats':>18}{'predicted KL':>14}{'β η_dec²':>12}"]
    for mode in range(1, last + 1):
        mine = known.get(mode)
        predicted = theirs[mode - 1] if mode <= len(theirs) else 0.0
        if mine is None and not predicted:
            continue
        told = "–" if mine is None else f"{mine.information_nats:.4f}"
        level = "–" if mine is None or mine.level is None else f"{mine.level:.4g}"
        mark = "  has no latent" if mode in found.missing_modes else ""
        rows.append(f"{mode:>6}{told:>18}{predicted:>14.4f}{level:>12}{mark}")
    rows += [
        f"{'?':>6}{each.information_nats:>18.4f}{'–':>14}{'–':>12}" for each in found.encoded_modes if each.mode is None
    ]
    return rows if len(rows) > 1 else []
