"""Loss conventions: what a VAE's training loss means for β η_dec², which alone decides what collapses.

Any loss with a squared error is, up to a factor, mean_n [a ‖y − ŷ‖² + b KL]: sums over features and latents, KL in nats. The
theory's, ‖y − ŷ‖²/(2 η_dec²) + β KL, has a = 1/(2 η_dec²) and b = β, so that β η_dec² = b/(2a), in squared units of the data.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, replace

from derivations.errors import DataError

__all__ = ["Convention", "Translation", "effective_water", "parse_loss", "weight_for"]

REDUCTIONS = ("sum", "mean")
LIKELIHOODS = ("gaussian", "bernoulli", "laplace", "categorical", "counts")
_CAUTION = {
    "bernoulli": "a Bernoulli likelihood has no decoder variance; near a mean p its cross-entropy is (y − ŷ)²/(2 p (1 − p)), "
    "so that η_dec² is at most 1/4: the level here is that upper estimate, b/(4a). The theory is indicative only.",
    "laplace": "an absolute error has no decoder variance: the theory is indicative only, and the level that of the squared error.",
    "categorical": "a categorical likelihood has no decoder variance: the theory is indicative only.",
    "counts": "a likelihood of counts has no fixed decoder variance: the theory is indicative only.",
}
_MOST = 1e30
"""Of a number in a loss: what is beyond, or below its inverse, is a slip."""


@dataclass(frozen=True)
class Convention:
    """How a loss is put together.

    Args:
        name: of the library, or "custom".
        reconstruction: "sum" or "mean" of the error over features.
        factor: of the squared error: 1/2, 1 or another.
        kl: "sum" or "mean" of the KL over latents.
        weight: of the KL.
        decoder_std: η_dec, by whose square the error is divided.
        likelihood: "gaussian" for a squared error, or another.
        knob: what the weight is called.
        source: where the library's loss stands: repository, file, version or commit.
        notes: what else to know.

    Sum or mean over the batch multiplies both terms alike, and is no part of it.
    """

    name: str = "custom"
    reconstruction: str = "sum"
    factor: float = 0.5
    kl: str = "sum"
    weight: float = 1.0
    decoder_std: float = 1.0
    likelihood: str = "gaussian"
    knob: str = "β"
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Translation:
    """What a convention comes to.

    Args:
        effective: β η_dec², in squared units of the data.
        a, b: the weights of ‖y − ŷ‖² and of the KL.
        arithmetic: how it was found, a line a step.
        exact: whether the likelihood is Gaussian, as the theory has it.
        warning: what holds where it is not.
    """

    effective: float
    a: float
    b: float
    arithmetic: tuple[str, ...]
    exact: bool
    warning: str


def effective_water(convention: Convention, features: int, latents: int) -> Translation:
    """β η_dec² of a convention.

    Args:
        convention: the loss.
        features: d2, the dimension of what is reconstructed.
        latents: d1.
    """
    a = convention.factor / convention.decoder_std**2 / (features if convention.reconstruction == "mean" else 1)
    b = convention.weight / (latents if convention.kl == "mean" else 1)
    exact = convention.likelihood == "gaussian"
    divisor = 2 if exact or convention.likelihood != "bernoulli" else 4
    over = f"mean over {features} features" if convention.reconstruction == "mean" else "summed over features"
    per = f"mean over {latents} latents" if convention.kl == "mean" else "summed over latents"
    deviation = "" if convention.decoder_std == 1 else f" / {convention.decoder_std:.6g}²"
    lines = (
        f"loss: {convention.name}; error {over}, times {convention.factor:.6g}{deviation}: a = {a:.6g}",
        f"KL {per}, times {convention.knob} = {convention.weight:.6g}: b = {b:.6g}",
        f"β η_dec² = b/({divisor} a) = {b / (divisor * a):.6g}",
    )
    return Translation(b / (divisor * a), a, b, lines, exact, _CAUTION.get(convention.likelihood, ""))


def weight_for(convention: Convention, effective: float, features: int, latents: int) -> float:
    """The weight of the KL with which a convention has this β η_dec²."""
    at_one = effective_water(replace(convention, weight=1.0), features, latents).effective
    return effective / at_one


def parse_loss(text: str, weight: float | None = None) -> Convention:
    """A convention from its name, or from its parts, such as "reconstruction=mean,factor=1,kl=sum,weight=0.1".

    Args:
        text: a name of `collapse.libraries.LIBRARIES`, or parts; those left out are the theory's.
        weight: of the KL, in place of the convention's own.

    Raises:
        DataError: an unknown name, part or value; the message lists what there is.
    """
    from collapse.libraries import LIBRARIES

    if "=" in text:
        found = _from_parts(text)
    elif text in LIBRARIES:
        found = LIBRARIES[text]
    else:
        close = difflib.get_close_matches(text, LIBRARIES, 1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise DataError(
            f"--loss: there is no convention {text!r}; {hint}Known: {', '.join(LIBRARIES)}; or parts such as kl=mean."
        )
    return found if weight is None else replace(found, weight=_positive("--beta", weight))


_PARTS = {name: name for name in ("reconstruction", "factor", "kl", "weight", "likelihood")} | {
    "eta_dec": "decoder_std"
}
_CHOICES = {"reconstruction": REDUCTIONS, "kl": REDUCTIONS, "likelihood": LIKELIHOODS}


def _from_parts(text: str) -> Convention:
    values: dict[str, object] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in _PARTS:
            raise DataError(f"--loss: there is no part {name!r}; the parts are {', '.join(_PARTS)}.")
        if _PARTS[name] in values:
            raise DataError(f"--loss: {name} is given twice.")
        if name in _CHOICES:
            if value not in _CHOICES[name]:
                raise DataError(f"--loss: {name} must be {' or '.join(_CHOICES[name])}, got {value!r}.")
            values[name] = value
        else:
            values[_PARTS[name]] = _positive(f"--loss: {name}", value)
    return Convention(**values)  # type: ignore[arg-type]


def _positive(name: str, value: str | float) -> float:
    try:
        top, _, bottom = str(value).partition("/")
        number = float(top) / float(bottom) if bottom else float(top)
    except (ValueError, ZeroDivisionError):
        raise DataError(f"{name} must be a number, got {value!r}.") from None
    if not (math.isfinite(number) and 1 / _MOST < number < _MOST):
        raise DataError(f"{name} must be positive and of a sensible size, got {value!r}.")
    return number
