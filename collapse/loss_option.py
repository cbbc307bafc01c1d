"""The option --loss: a published loss by name, or a loss in parts; and the list of the published ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from collapse.conventions import CHOICES, NUMBERS, Convention
from collapse.libraries import LIBRARIES
from derivations.errors import DataError

__all__ = ["EXAMPLE", "describe", "parse_loss"]

EXAMPLE = "reconstruction=mean,factor=1,kl=sum,weight=0.00025"
"""A loss in parts."""

_FIELDS = {
    "reconstruction": "reconstruction",
    "factor": "factor",
    "kl": "kl",
    "weight": "weight",
    "likelihood": "likelihood",
    "eta_dec": "decoder_std",
    "batch": "batch",
}
"""What a part is called on the command line, and in `Convention`."""

_NEEDED = {
    "reconstruction": "sum or mean over features",
    "kl": "sum or mean over latents",
    "factor": "the number on the squared error: 1/2, 1 or another",
}


def parse_loss(text: str, weight: float | int | None = None) -> Convention:
    """The loss that a user names or takes apart.

    Args:
        text: a key of `LIBRARIES`, such as "pytorch-vae"; or parts, such as "reconstruction=mean,factor=1,kl=sum,weight=0.1":
            reconstruction and kl (sum or mean), factor (needed where the likelihood is Gaussian, else 1), weight (1),
            likelihood (gaussian), eta_dec (1, a standard deviation), batch (mean; without effect).
        weight: the user's own number on KL, in place of the loss's.

    Raises:
        DataError: a name, a part or a value is unknown or out of range; the message lists what is allowed.
    """
    text = text.strip()
    if "=" in text:
        loss = _from_parts(text)
    elif text in LIBRARIES:
        loss = LIBRARIES[text]
    else:
        raise DataError(
            f"--loss: no loss is called {text!r}{_nearest(text, LIBRARIES)}; "
            f"the names are {', '.join(LIBRARIES)}; or give the parts, as in {EXAMPLE}."
        )
    return loss if weight is None else replace(loss, weight=weight)


def describe() -> list[str]:
    """The published losses for a display, some lines each: formula, weight, source, notes."""
    lines = []
    for loss in LIBRARIES.values():
        lines += [loss.name, f"  loss    {loss.formula}"]
        lines.append(f"  weight  {loss.weight:g}, {f'the knob {loss.knob}' if loss.knob else 'fixed in the code'}")
        if loss.condition:
            lines.append(f"  holds   {loss.condition}")
        lines.append(f"  source  {loss.source}")
        if loss.notes:
            lines.append(f"  notes   {loss.notes}")
    return lines


def _from_parts(text: str) -> Convention:
    fields: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise DataError(f"--loss: {part.strip()!r} is not of the form part=value; write parts as in {EXAMPLE}.")
        if key not in _FIELDS:
            raise DataError(
                f"--loss: no part is called {key!r}{_nearest(key, _FIELDS)}; the parts are {', '.join(_FIELDS)}."
            )
        if _FIELDS[key] in fields:
            raise DataError(f"--loss: {key} is given twice; give it once.")
        fields[_FIELDS[key]] = _number(key, value) if _FIELDS[key] in NUMBERS else _word(key, value)
    if fields.get("likelihood", "gaussian") != "gaussian":
        fields.setdefault("factor", 1.0)
    for key, meaning in _NEEDED.items():
        if key not in fields:
            raise DataError(f"--loss: {key} is missing ({meaning}); write parts as in {EXAMPLE}.")
    return Convention(name=text, knob="weight", source="the command line", **fields)


def _number(key: str, text: str) -> float:
    """A number or a ratio, such as 1/2."""
    above, slash, below = text.partition("/")
    try:
        return float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        raise DataError(f"--loss: {key} must be a number, such as 0.5 or 1/2; got {text!r}.") from None


def _word(key: str, text: str) -> str:
    allowed = CHOICES[key]
    if text not in allowed:
        raise DataError(f"--loss: {key} must be one of {', '.join(allowed)}; got {text!r}{_nearest(text, allowed)}.")
    return text


def _nearest(text: str, known: Iterable[str]) -> str:
    """A guess at what was meant, as a clause; empty without one."""
    close = get_close_matches(text.lower(), list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
