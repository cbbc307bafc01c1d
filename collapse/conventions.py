"""Loss conventions: what a VAE's loss, as it is written in code, amounts to in the theory's β η_dec².

Training losses sum or average over features and over latents, with or without the 1/2, and scale the Kullback–Leibler
(KL) term by a weight. Up to a factor that moves no minimum, each is

    mean over samples of [ a S + b KL ],

S the squared error summed over features, KL in nats, summed over latents, from the prior N(0, I). The theory's loss
(Eq. 4) is a = 1/(2 η_dec²), b = β; so β η_dec² = b / (2a), which a mode's ζ_i² has to exceed to escape collapse (Theorem 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Literal

from derivations.errors import DataError

__all__ = [
    "CHOICES",
    "LARGEST",
    "MOST",
    "NUMBERS",
    "SMALLEST",
    "Convention",
    "Translation",
    "effective_water",
    "weight_for",
]

CHOICES: dict[str, tuple[str, ...]] = {
    "reconstruction": ("sum", "mean"),
    "kl": ("sum", "mean"),
    "batch": ("sum", "mean"),
    "likelihood": ("gaussian", "bernoulli", "categorical", "laplace", "counts"),
}
"""Fields of a convention that are one of a few words, and these words."""

NUMBERS = ("factor", "weight", "decoder_std")
"""Fields of a convention that are positive numbers."""

SMALLEST, LARGEST = 1e-30, 1e30
"""Range of those numbers: far beyond any use, and no product of a few of them overflows."""
MOST = 10**15
"""Most features or latents."""

_TERM = {
    "gaussian": "squared error",
    "bernoulli": "binary cross-entropy",
    "categorical": "cross-entropy",
    "laplace": "absolute error",
    "counts": "negative log-likelihood",
}
# η_dec² of a Gaussian decoder whose loss is the term with a = 1: exactly, or at most and near the collapsed point.
# S itself is |y − ŷ|²/(2 · 1/2). A cross-entropy's curvature by the mean it predicts is the inverse of that mean's
# covariance: p(1 − p) a pixel, at most 1/4; diag(p) − p pᵀ a one-hot vector, with eigenvalues of at most 1/2.
_NOISE = {"gaussian": 1 / 2, "bernoulli": 1 / 4, "categorical": 1 / 2}
_WARNING = {
    "bernoulli": "Bernoulli likelihood: the theory is for a Gaussian one and is indicative only. Near a constant prediction p the "
    "cross-entropy of a pixel is (y - p)²/(2 p(1 - p)), as if eta_dec² = p(1 - p), which is at most 1/4, at p = 1/2. This is "
    "a local estimate, and the figure its upper end: pixels that are mostly dark or mostly bright have less.",
    "categorical": "categorical likelihood: the theory is for a Gaussian one and is indicative only. Near constant probabilities p "
    "the cross-entropy of a one-hot vector is as if the noise had covariance diag(p) - p pᵀ, whose eigenvalues are at most 1/2. "
    "This is a local estimate, and the figure its upper end.",
    "laplace": "Laplace likelihood: the theory is for a Gaussian one and does not reach this. The absolute error has a kink where "
    "the squared error has a curvature, so no eta_dec stands for it, not even near one point.",
    "counts": "likelihood of counts: the theory is for a Gaussian one and does not reach this. The variance of a count grows with "
    "its mean without bound, so no one eta_dec stands for it.",
}


@dataclass(frozen=True)
class Convention:
    """How a loss is put together: reconstruction term + weight × KL term, each summed or averaged.

    The reconstruction term is factor × S / decoder_std² for a Gaussian likelihood, factor × the negative log-likelihood
    (binary cross-entropy, absolute error, …) for another. KL is in nats.

    Args:
        name: what to call it in a message.
        reconstruction: "sum" or "mean" over features.
        factor: number on the squared error: 1/2, 1 or another; on the negative log-likelihood where it is not Gaussian.
        kl: "sum" or "mean" over latents.
        weight: number on the KL term, without unit: the product of all the knobs that multiply it.
        decoder_std: η_dec, a standard deviation in the data's units, whose square divides the squared error; 1 if the code
            has none, since a number on the squared error is `factor`.
        batch: "sum" or "mean" over samples. For the record: it scales both terms, so it moves no minimum, only what a
            learning rate means.
        likelihood: "gaussian", "bernoulli", "categorical" (one-hot vectors), "laplace" or "counts".
        knob: the user's own name for the weight; empty if the code has none.
        condition: when the loss is this; empty if always.
        source: the code read: repository, file, commit.
        notes: what else a user should know.

    Raises:
        DataError: a field is not what it must be; the message names the field and what is allowed.
    """

    name: str
    reconstruction: Literal["sum", "mean"]
    factor: float
    kl: Literal["sum", "mean"]
    weight: float = 1.0
    decoder_std: float = 1.0
    batch: Literal["sum", "mean"] = "mean"
    likelihood: Literal["gaussian", "bernoulli", "categorical", "laplace", "counts"] = "gaussian"
    knob: str = ""
    condition: str = ""
    source: str = ""
    notes: str = ""

    # Run-time checkers of annotations leave the fields to __post_init__, whose errors say what to do.
    __no_type_check__ = True

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if (value := getattr(self, field)) not in allowed:
                raise DataError(f"loss {self.name}: {field} must be one of {', '.join(allowed)}; got {value!r}.")
        for field in NUMBERS:
            object.__setattr__(self, field, _positive(f"loss {self.name}: {field}", getattr(self, field)))
        if self.likelihood != "gaussian" and self.decoder_std != 1:
            raise DataError(
                f"loss {self.name}: decoder_std is of a Gaussian likelihood, and this one is {self.likelihood}; leave it out."
            )

    @property
    def formula(self) -> str:
        """The loss of one sample, in a line."""
        reconstruction = f"{self.factor:g} × {self.reconstruction} over features of {_TERM[self.likelihood]}"
        return f"{reconstruction}{_per_variance(self)} + {self.weight:g} × {self.kl} over latents of KL"


@dataclass(frozen=True)
class Translation:
    """A loss in the theory's terms.

    Args:
        effective: β η_dec², in squared data units, for data as the loss sees them (pixels in [−1, 1] instead of [0, 1]:
            4 times as large for the same picture); an upper estimate for a cross-entropy; None where there is none.
        a: number on the reconstruction term, summed over features.
        b: number on KL, summed over latents.
        arithmetic: the steps to `effective`, one a line.
        exact: whether the loss is the theory's up to a factor: Gaussian, and without a condition.
        warning: why it is not exact; empty if it is.
    """

    effective: float | None
    a: float
    b: float
    arithmetic: tuple[str, ...]
    exact: bool
    warning: str


def effective_water(convention: Convention, features: int, latents: int) -> Translation:
    """β η_dec² of a loss, the square of the theory's √β η_dec (Theorem 1), and how it comes about.

    Args:
        convention: the loss.
        features: D, dimension of a sample: channels × height × width of an image.
        latents: K, number of latent dimensions.

    Raises:
        DataError: a number is not a count; the message names it.
    """
    D, K = _count("features", features), _count("latents", latents)
    a, on_a = _coefficient(convention.factor, convention.decoder_std, convention.reconstruction, D)
    b, on_b = _coefficient(convention.weight, 1.0, convention.kl, K)
    term = _TERM[convention.likelihood]
    over_D = _over(convention.reconstruction, f"D = {D} features")
    over_K = _over(convention.kl, f"K = {K} latents")
    lines = [
        f"reconstruction: {_show(convention.factor)} × {term}{_per_variance(convention)}, {over_D}, so a = {on_a}",
        f"KL: {_show(convention.weight)} × KL, {over_K}, so b = {on_b}",
    ]
    noise = _NOISE.get(convention.likelihood)
    if noise is None:
        lines.append(f"beta eta_dec² = none: no eta_dec stands for the {term}")
        return Translation(None, a, b, tuple(lines), False, _warning(convention))
    effective = b * noise / a
    sign, multiple = ("=" if convention.likelihood == "gaussian" else "<="), _show(1 / noise)
    lines.append(
        f"beta eta_dec² {sign} b / ({multiple} a) = {_show(b)} / ({multiple} × {_show(a)}) = {_show(effective)}, "
        "in squared units of the data as the loss sees them"
    )
    warning = _warning(convention)
    return Translation(effective, a, b, tuple(lines), not warning, warning)


def weight_for(convention: Convention, effective: float | int, features: int, latents: int) -> float:
    """The weight on KL, the user's own knob, that gives a wanted β η_dec²; the convention's own weight does not matter.

    Args:
        convention: the loss.
        effective: the wanted β η_dec², in squared data units; as in `effective_water`, an upper estimate for a cross-entropy.
        features: D, dimension of a sample.
        latents: K, number of latent dimensions.

    Raises:
        DataError: a number is not what it must be, or no η_dec stands for the likelihood.
    """
    wanted = _positive("effective beta eta_dec²", effective)
    at_one = effective_water(replace(convention, weight=1.0), features, latents).effective
    if at_one is None:
        raise DataError(
            f"loss {convention.name}: no weight gives a beta eta_dec², since no eta_dec stands for the "
            f"{_TERM[convention.likelihood]}; use a loss with a squared error or a cross-entropy."
        )
    return _positive(f"loss {convention.name}: the weight for beta eta_dec² = {_show(wanted)}", wanted / at_one)


def _coefficient(factor: float, std: float, reduction: str, count: int) -> tuple[float, str]:
    """A term's number once it is summed, and the arithmetic that leads to it."""
    steps = [_show(factor)]
    if std != 1:
        steps.append(f"{_show(std)}²")
    if reduction == "mean":
        steps.append(str(count))
    value = factor / std**2 / (count if reduction == "mean" else 1)
    return value, f"{' / '.join(steps)} = {_show(value)}" if len(steps) > 1 else _show(value)


def _per_variance(convention: Convention) -> str:
    return f" / eta_dec² with eta_dec = {_show(convention.decoder_std)}" if convention.decoder_std != 1 else ""


def _over(reduction: str, what: str) -> str:
    return f"{'mean' if reduction == 'mean' else 'summed'} over {what}"


def _warning(convention: Convention) -> str:
    """Why the loss is not the theory's; empty if it is."""
    parts = [_WARNING.get(convention.likelihood, "")]
    if convention.condition:
        parts.append(
            f"This loss is a fixed multiple of KL only {convention.condition}; elsewhere the figure does not hold."
        )
    return " ".join(filter(None, parts))


def _show(value: float) -> str:
    return f"{value:.6g}"


def _positive(name: str, value: object) -> float:
    """A positive number in range, or a DataError."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise DataError(f"{name} must be a number, got {value!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not SMALLEST <= number <= LARGEST:
        raise DataError(f"{name} must be positive, from {SMALLEST:g} to {LARGEST:g}; got {number:g}.")
    return number


def _count(name: str, value: object) -> int:
    """A number of features or latents, or a DataError."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= MOST:
        raise DataError(f"{name} must be a whole number from 1 to {MOST:g}; got {value!r}.")
    return int(value)
