"""What section 5 says of MNIST: the spectrum, how many modes remain at which beta, and where everything has collapsed.

The facts about the images are few exact numbers, which the numeric layers compute anew from the images where those are at hand.
Statements are judged on them in ball arithmetic, so that every comparison that is decided is decided rigorously.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Abs, And, Basic, Eq, Gt, Identity, Le, Piecewise, Rational, Sum
from sympy.core.relational import Relational

from derivations.claim import (
    Assumption,
    Claim,
    Decision,
    Erratum,
    Severity,
    Statement,
    Step,
    Verdict,
    conclude,
    refuted,
    undecided,
)
from derivations.enclosures import Remaining, Setting
from derivations.notation import P_A, Phi, d0, d1, i, inverse_root_Phi, root_Phi, root_water, zeta
from derivations.proof import equal, margin, positive, resolved, zero
from derivations.theorem_2_learned_variance import EQUATION_17_18

SCOPE = "numeric only, from the 60,000 training images"


# ------------------------------------------------------------------------------------------ as printed
TOP_FIVE = tuple(Rational(hundredths, 100) for hundredths in (512, 374, 325, 284, 257))
DECIMALS = Rational(1, 200)
"""Half a unit of the second decimal."""


def two_decimals(power: int) -> And:
    """zeta_i^power is the i-th printed number to two decimals, for i = 1 to 5."""
    return And(*(Le(Abs(zeta[k] ** power - value), DECIMALS) for k, value in enumerate(TOP_FIVE, 1)))


def above(beta: Rational) -> Sum:
    """How many of the first d1 singular values have zeta_i^2 > beta."""
    return Sum(Piecewise((1, zeta[i] ** 2 > beta), (0, True)), (i, 1, d1))


FIRST, SECOND = Rational(7, 2), Rational(6)
REMAINING = And(
    Eq(Remaining(FIRST), 2),
    Eq(Remaining(SECOND), 0),
    Eq(Remaining(FIRST), above(FIRST)),
    Eq(Remaining(SECOND), above(SECOND)),
)
ABOUT_FIVE = And(
    Gt(Remaining(Rational(9, 2)), 0), Eq(Remaining(Rational(11, 2)), 0), Le(Abs(zeta[1] ** 2 - 5), Rational(1, 2))
)


# ---------------------------------------------------------------------------------------- facts and definitions
@dataclass(frozen=True)
class Images:
    """Exact numbers measured on images with integer pixels from 0 to `white`.

    With S = n X^T X - s s^T for the pixels X and their sums s, the covariance of pixels divided by white is S / (n white)^2.

    Args:
        n: how many images.
        pixels: of each.
        trace: tr S.
        squares: tr S^2.
        sums: |s|^2.
        enclosures: bounds on the largest eigenvalues of the covariance, non-increasing.
    """

    n: int
    pixels: int
    trace: int
    squares: int
    sums: int
    enclosures: tuple[tuple[Rational, Rational], ...]
    white: int = 255

    @property
    def unit(self) -> int:
        """(n white)^2."""
        return (self.n * self.white) ** 2

    def named(self) -> dict[str, object]:
        """What a reader needs to see of them."""
        bounds = {f"zeta_{k}^2": f"[{low}, {high}]" for k, (low, high) in enumerate(self.enclosures, 1)}
        return {"images": self.n, "tr A": Rational(self.trace, self.unit)} | bounds


def _ten_thousandths(*numbers: int) -> tuple[tuple[Rational, Rational], ...]:
    return tuple((Rational(number, 10**4), Rational(number + 1, 10**4)) for number in numbers)


MNIST = Images(
    n=60_000,
    pixels=784,
    trace=12_342_403_559_054_241,
    squares=4_963_086_774_053_941_912_368_118_806_081,
    sums=8_213_044_449_765_759,
    enclosures=_ten_thousandths(51167, 37413, 32526, 28415, 25670, 22736),
)


def five_latents(images: Images, eta_dec: Rational = sympy.S.One) -> Setting:
    """The setting of section 5."""
    return Setting(images.enclosures, images.pixels, 5, eta_dec)


def judged(formula: Basic, setting: Setting, named: Mapping[str, object]) -> Decision | None:
    """A refutation, or that the bounds are too wide; None if the formula holds."""
    answer = setting.holds(formula)
    if answer:
        return None
    if answer is None:
        return undecided("the bounds on the eigenvalues are too wide")
    parts = formula.args if isinstance(formula, And) else (formula,)
    wrong = next(part for part in parts if setting.holds(part) is False or len(parts) == 1)
    return refuted(dict(named), f"{wrong} is false{_sides(wrong, setting)}")


def _sides(wrong: Basic, setting: Setting) -> str:
    if not isinstance(wrong, Relational):
        return ""
    left, right = (setting.ball(side).str(8, radius=False) for side in wrong.args)
    return f": the left side is {left}, the right side {right}"


def holds_on_mnist(formula: Basic) -> Decision:
    """Judge a Boolean of the singular values and of the remaining modes of MNIST."""
    setting = five_latents(MNIST)
    found = judged(formula, setting, MNIST.named())
    if found is not None:
        return found
    verdict = Verdict.PROVED if setting.holds(formula) else Verdict.UNDECIDED
    return conclude([*spectrum_steps(), *pruning_steps(), Step("it holds within the bounds", formula, verdict)], SCOPE)


def spectrum_steps() -> list[Step]:
    """y = x makes zeta_i^2 the eigenvalues of A; the bounds agree with the traces of A and of A^2."""
    facts = ((P_A.T * P_A, Identity(d0)),)
    Z = P_A * root_Phi
    low = [bound for bound, _ in MNIST.enclosures]
    trace, squares = Rational(MNIST.trace, MNIST.unit), Rational(MNIST.squares, MNIST.unit**2)
    return [
        equal("Z of y = x", P_A * Phi * P_A.T * P_A * inverse_root_Phi, Z, facts),
        equal("Z Z^T = A, so that zeta_i^2 are its eigenvalues", Z * Z.T, P_A * Phi * P_A.T),
        positive("the eigenvalues' lower bounds sum to less than tr A", trace - sum(low)),
        positive("and their squares to less than tr A^2", squares - sum(bound**2 for bound in low)),
        positive("the largest is at most (tr A^2)^(1/2)", squares - low[0] ** 2),
    ]


def pruning_steps() -> list[Step]:
    """At the minimum of Theorem 2 the product lambda_i theta_i is positive where zeta_i^2 > beta eta_dec^2, and else 0."""
    product = EQUATION_17_18.args[0] * EQUATION_17_18.args[1]
    cases = (("at the threshold", root_water), ("below it", root_water / (1 + margin)), ("zeta = 0", sympy.S.Zero))
    return [
        positive(
            "a mode above the threshold remains", resolved(product.subs(zeta[i], root_water * sympy.sqrt(1 + margin)))
        ),
        *(zero(f"a mode {name} does not", resolved(product.subs(zeta[i], value))) for name, value in cases),
    ]


# ---------------------------------------------------------------------------------------- without an assumption
def with_raw_pixels(formula: Basic) -> Decision:
    """Pixels from 0 to 255: every eigenvalue is 255^2 times as large."""
    raw = replace(
        MNIST, enclosures=tuple((low * MNIST.white**2, high * MNIST.white**2) for low, high in MNIST.enclosures)
    )
    return judged(formula, five_latents(raw), raw.named()) or undecided("it holds of raw pixels")


def without_centring(formula: Basic) -> Decision:
    """Second moments about 0: A + m m^T with the mean image m has |m|^2 <= zeta_1^2, and its spectrum interlaces with A's."""
    bounds, mean = MNIST.enclosures, Rational(MNIST.sums, MNIST.unit)
    first = (max(mean, bounds[0][0]), mean + bounds[0][1])
    later = tuple((low, bounds[k][1]) for k, (low, _) in enumerate(bounds[1:]))
    shifted = replace(MNIST, enclosures=(first, *later))
    return judged(formula, five_latents(shifted), shifted.named()) or undecided("it holds about 0")


def with_another_decoder(formula: Basic) -> Decision:
    """eta_dec = 1/2, a quarter of the level."""
    setting = five_latents(MNIST, Rational(1, 2))
    return judged(formula, setting, MNIST.named() | {"eta_dec": "1/2"}) or undecided("it holds at eta_dec = 1/2")


SCALED = (
    Assumption("pixels are scaled to [0, 1]", with_raw_pixels),
    Assumption("the images are centred, as by biases", without_centring),
)
UNIT_DECODER = Assumption("eta_dec = 1", with_another_decoder)

CLAIMS = (
    Claim(
        "fig-2.thresholds",
        "§5, Figure 2",
        "MNIST collapses completely at about beta = 5: the linear model with a learned Sigma does at 5.5 and does not at 4.5 "
        "(of ReLU networks' training `collapse audit --training` tells)",
        printed=Statement(ABOUT_FIVE, holds_on_mnist),
        observable="mnist",
        uses=("fig-3.spectrum", "thm-2.minimum"),
        assumptions=(*SCALED, UNIT_DECODER),
    ),
    Claim(
        "fig-3.spectrum",
        "§5, Figure 3",
        "MNIST's five largest singular values zeta_i of Z, to two decimals",
        printed=Statement(two_decimals(1), holds_on_mnist),
        corrected=Statement(two_decimals(2), holds_on_mnist),
        observable="mnist",
        uses=("notation.whitening",),
        assumptions=SCALED,
        erratum=Erratum(
            printed="the top-5 zeta_i are [5.12, 3.74, 3.25, 2.84, 2.57]",
            holds="these are zeta_i^2, eigenvalues of MNIST's covariance; were they zeta_i, all five would remain at beta = 6",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "fig-3.modes",
        "§5, Figure 3",
        "of five modes on MNIST 2 remain at beta = 3.5 and 0 at beta = 6, as many as have zeta_i^2 > beta, in the linear model "
        "with a learned Sigma (of ReLU networks' training `collapse audit --training` tells)",
        printed=Statement(REMAINING, holds_on_mnist),
        observable="mnist",
        uses=("fig-3.spectrum", "thm-2.minimum"),
        assumptions=(*SCALED, UNIT_DECODER),
    ),
)
