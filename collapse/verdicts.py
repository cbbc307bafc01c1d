"""What the difference between a trained VAE and the linear optimum says, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse.codes import CORRELATED, SPENT, Codes
from collapse.level_fit import AGREEING, FAR, WAVERING, Fit

__all__ = ["Finding", "Setting", "verdict_of"]

SETTLED = 0.1
"""Share by which E[m²] + E[σ²] of the latents may be off the prior's variance once training has settled. At any optimum it is that
variance, since scaling a latent costs the decoder nothing; 1,000 samples of other data leave 4 % of a latent's."""
MIXED = 0.3
"""Correlation of two means from which on training has not told modes apart. It turns latents of nearly equal variance last, at
hardly a gain, and leaves 0.1 to 0.2 when all else has settled; where it stopped early, latents share modes and have far more.
Without data, where latents stand for modes, "other-beta" asks for less than `CORRELATED`."""
ELSEWHERE = 0.15
"""Share of the information that may lie elsewhere than at the linear optimum, where no one level explains it; and of the rate that
may be spent for nothing."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What was meant: the level, the linear optimum's KLs and information there (nats, by mode), how many latents and features, and
    the largest ζ²."""

    believed: float
    predicted: np.ndarray
    information: np.ndarray
    features: int | None
    largest: float


@dataclass(frozen=True)
class Finding:
    """A verdict, the sentence that gives its reason, and whether training has come to an optimum of some level, as far as codes
    tell: False exactly where the sentence says that it has not, None where nothing tells."""

    verdict: str
    conclusion: str
    settled: bool | None


def _unsettled(codes: Codes) -> str:
    """Why training has not come to an optimum of any level; empty if the scales of the latents do not speak against it."""
    if codes.held is not None or codes.stray <= SETTLED or not np.any(codes.kl > SPENT):
        return ""  # where nothing is spent, everything collapsed, which is an optimum
    worst = int(np.argmax(np.abs(codes.second_moment - 1)))
    return (
        "training has not settled: E[m²] + E[σ²] of the used latents is off the prior's variance, which it equals at an optimum "
        f"of any level, by {codes.stray:.0%} of what they carry (latent {worst + 1}: {codes.second_moment[worst]:.3g} times)"
    )


def _mixed(codes: Codes, most: float) -> str:
    """Why latents are not those of a linear optimum, though their scales may be; empty if nothing speaks against it."""
    if codes.correlated is not None and not codes.rotated and codes.correlated[2] > most:
        one, other, value = codes.correlated
        return (
            f"training has not settled: the means of latents {one + 1} and {other + 1} have correlation {value:.2f}, which is 0 at "
            "an optimum with learned variances"
        )
    return ""


MUTE = "with one mode in use and variances that are held, nothing tells whether training has settled"


def _is_mute(codes: Codes) -> bool:
    """Whether nothing in the codes could speak against an optimum of some level."""
    return codes.held is not None and int(np.sum(codes.information > SPENT)) == 1


def verdict_of(codes: Codes, fit: Fit, setting: Setting) -> Finding:
    """The verdict, the sentence that gives its reason, and whether training has settled."""
    scales = _unsettled(codes)
    restless = scales or _mixed(codes, MIXED)
    used, wanted = len(fit.modes), int(np.sum(setting.information > SPENT))
    if wanted and not codes.active_units:
        return Finding("dead-encoder", _dead(setting, wanted) + (f"; {scales}" if scales else ""), not scales)
    if not used:
        if not wanted:
            text = "everything collapses, as the linear optimum does at this β η_dec²: lower β, or η_dec"
            return Finding("expected", text + (f"; {scales}" if scales else ""), not scales)
        return Finding(
            "more-collapsed",
            "the codes tell nearly nothing though means vary: training has not settled, and has hardly begun",
            False,
        )
    settled = None if _is_mute(codes) else not restless
    doubted = scales if fit.told_by_data else restless  # with data, modes are told however latents mix them
    waste = _waste(codes, setting)
    thrifty = waste <= ELSEWHERE * float(setting.predicted.sum()) + SPENT
    if fit.level is not None and 1 / AGREEING <= fit.level / setting.believed <= AGREEING:
        if fit.missing and (fit.told_by_data or not (doubted or _is_mute(codes))):
            text = (
                f"{_named(fit.missing)} no latent, though worth "
                f"{', '.join(f'{setting.predicted[each]:.3g}' for each in fit.missing[:3])} nats; what the others spend fits the "
                f"β η_dec² that was meant: dead latents, or training that has not found every mode yet{_neighbours(fit)}"
            )
            return Finding("more-collapsed", _so_far(restless) + text, settled)
        if not fit.missing and not thrifty:
            text = (
                f"the codes tell what those of the linear optimum do, and spend {waste:.3g} nats more on it: steps are left to "
                "take, or the prior's standard deviation is another than was meant"
            )
            return Finding("less-collapsed", _so_far(restless) + text, settled)
        if not fit.missing:
            text = f"as the linear optimum: {_modes(used)}, and β η_dec² is what it was meant to be"
            return Finding("expected", text + (f"; {restless}" if restless else ""), settled)
    elif fit.level is not None:
        factor = fit.level / setting.believed
        # without data latents stand for modes, and have to be told apart
        mixed = restless if fit.told_by_data else scales or _mixed(codes, CORRELATED)
        restless, settled = mixed, None if _is_mute(codes) else not mixed
        agreed = fit.spread <= max(np.log(AGREEING), abs(np.log(factor)) / FAR)
        gains = factor < 1 and codes.wavering > WAVERING  # as of a smaller level, at the one that was meant
        if not fit.missing and not mixed and not _is_mute(codes) and agreed and not gains:
            text = (
                f"your β is not the one applied: the KLs agree on β η_dec² = {fit.level:.4g}, {factor:.3g} times what was meant"
                f"{_suspicion(factor, codes, setting)}{_or_else(fit)}"
            )
            return Finding("other-beta", text, settled)
    elif thrifty and not doubted and not _is_mute(codes) and not fit.missing and _alike(fit, setting):
        text = f"nearly as the linear optimum: {_modes(used)}, on the whole as much as was meant"
        return Finding("expected", text + (f"; {restless}" if restless else ""), settled)
    if fit.noise_level is not None and not scales:
        return Finding("other-beta", _so_far(restless) + _by_noise(codes, fit.noise_level, setting), settled)
    return Finding(*_by_rate(codes, fit, setting, MUTE if _is_mute(codes) else restless), settled)


def _so_far(restless: str) -> str:
    return f"{restless}; so far " if restless else ""


def _dead(setting: Setting, wanted: int) -> str:
    return (
        f"the encoder's means do not depend on the data, though {wanted} modes are worth encoding at this β η_dec²: look for a "
        "detached encoder, a learning rate that is too high, or a KL weight that was larger early on; or a β η_dec² above "
        f"{setting.largest:.4g} is applied, where everything collapses{_averaged(setting)}"
    )


def _by_noise(codes: Codes, level: float, setting: Setting) -> str:
    factor = level / setting.believed
    return (
        f"your β is not the one applied: for what they explain of the data the latents' noise fits β η_dec² near {level:.3g}, "
        f"{factor:.2g} times what was meant, though latents are not yet turned to single modes{_suspicion(factor, codes, setting)}"
    )


def _by_rate(codes: Codes, fit: Fit, setting: Setting, restless: str) -> tuple[str, str]:
    rate, due = float(codes.kl.sum()), float(setting.predicted.sum())
    start = _so_far(restless)
    tail = f"; {_named(fit.missing)} no latent{_neighbours(fit)}" if fit.missing else ""
    if fit.level is not None:
        factor = fit.level / setting.believed
        looks = "" if codes.wavering > WAVERING else _suspicion(factor, codes, setting)
        tail += f"; what the codes tell fits β η_dec² = {fit.level:.4g}{looks}"
    elif fit.told_by_data and np.isfinite(fit.levels).any():
        low, high = np.nanmin(fit.levels), np.nanmax(fit.levels)
        tail += f"; what the codes tell of single modes fits β η_dec² between {low:.4g} and {high:.4g}"
    if rate < due:
        wanted = int(np.sum(setting.information > SPENT))
        return "more-collapsed", (
            f"{start}{_modes(len(fit.modes))} at {rate:.3g} nats where the linear optimum spends {due:.3g} on {wanted}: "
            "optimisation stopped short (learning rate, too few steps, a KL weight that was larger early on, dead latents)"
            f"{tail}"
        )
    smaller = "a smaller β η_dec² is applied than was meant"
    if fit.noise_level is not None:
        reason = f"; {smaller}, which what noise the latents have speaks for ({fit.noise_level:.3g}), or steps are left to take"
    elif restless:
        reason = f"; steps are left to take, or {smaller}: these codes do not tell which"
    else:
        reason = f": a non-linear encoder or decoder gains more from a latent than a linear one, or {smaller}"
    return "less-collapsed", (
        f"{start}more is encoded ({rate:.3g} nats) than by the linear optimum ({due:.3g}){reason}{tail}"
    )


def _waste(codes: Codes, setting: Setting) -> float:
    """Nats spent beyond what the codes tell, less those of the linear optimum, which spends some where variances are held alone.

    With s = E[m²] + E[σ²] of a latent it is ½ (s − 1 − log s), which another scale of that latent would save."""
    spent, told = codes.kl.sum() - codes.information.sum(), setting.predicted.sum() - setting.information.sum()
    return float(spent - told)


def _or_else(fit: Fit) -> str:
    """The other explanation, where KLs alone do not tell."""
    if not fit.otherwise:
        return ""
    return f"; or else it is, and {_named(fit.otherwise)} no latent: the KLs alone do not tell, the data do"


def _neighbours(fit: Fit) -> str:
    """What the names of missing modes are worth without data: where ζ² lie close, rough training moves a gap by one."""
    return "" if fit.told_by_data else "; by the KLs alone, which may mean a neighbouring mode: data would tell"


def _alike(fit: Fit, setting: Setting) -> bool:
    """Whether the codes tell what those of the optimum do but for a share of the whole."""
    size = max(len(fit.information), len(setting.information))
    measured, meant = (np.sort(np.pad(each, (0, size - len(each)))) for each in (fit.information, setting.information))
    return bool(np.abs(measured - meant).sum() <= ELSEWHERE * meant.sum() + SPENT)


def _modes(count: int) -> str:
    return "1 mode is encoded" if count == 1 else f"{count} modes are encoded"


def _named(missing: tuple[int, ...]) -> str:
    """Modes as the subject of a sentence."""
    names = [str(each + 1) for each in missing]
    if len(names) == 1:
        return f"mode {names[0]} has"
    if len(names) > 3:
        return f"modes {', '.join(names[:3])} and {len(names) - 3} more have"
    return f"modes {', '.join(names[:-1])} and {names[-1]} have"


def _averaged(setting: Setting) -> str:
    """The commonest slip, where it would collapse everything."""
    enough = setting.features is not None and setting.features * setting.believed >= setting.largest
    return ", as it does if the squared error is averaged over the features" if enough else ""


def _suspicion(factor: float, codes: Codes, setting: Setting) -> str:
    """What a factor between the levels looks like."""
    latents, features = len(codes.kl), setting.features
    known = [
        (1 / latents, "the KL is averaged over the latents"),
        (1 / 2, "the squared error is without its factor 1/2"),
        (2.0, "the squared error has a factor 1/2 that was not counted, or the KL none"),
        (float(latents), "the KL is summed over the latents where an average was counted"),
    ]
    if features is not None:
        known += [
            (float(features), "the squared error is averaged over the features"),
            (1 / features, "the squared error is summed over features where an average was counted"),
            (features / latents, "both terms are averaged, over features and over latents"),
        ]
    near = [text for value, text in known if value != 1 and 1 / AGREEING <= factor / value <= AGREEING]
    return f"; it looks as if {near[0]}" if near else ""
