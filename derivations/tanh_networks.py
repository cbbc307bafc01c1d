"""Tanh networks come as near to a linear model as one likes: tanh(e x) / e tends to x (Appendix A.1)."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import sympy
from sympy import Basic, Expr, Max, Min, Rational, Symbol, Tuple, cosh, oo, tanh

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, refuted, undecided
from derivations.proof import nonnegative, zero
from derivations.rate_distortion import converse_steps, g, gain_steps, network_limit_steps, normal

scale = Symbol("e", positive=True)
"""The weights before a hidden layer are e times the linear model's, those behind it 1/e times."""
width = Symbol("s", positive=True)
"""The standard deviation of what enters a hidden unit."""

# ------------------------------------------------------------------------------------------ as printed
SIMILAR = Tuple(
    Rational(5, 3) * scale**4 * width**6 - Rational(28, 3) * scale**6 * width**8,
    Rational(5, 3) * scale**4 * width**6,
)
"""Bounds on E (tanh(e x) / e - x)^2 for x ~ N(0, s^2): it vanishes with e, and just as e^4."""

# -------------------------------------------------------------------------------- from the definitions
_u = Symbol("u", positive=True)
_CUBIC = _u - _u**3 / 3
_QUINTIC = _CUBIC + Rational(2, 15) * _u**5
"""Partial sums of tanh at 0."""

_SQUARE_BELOW = _u**6 / 9 - Rational(4, 45) * _u**8
_SQUARE_ABOVE = (_u**3 / 3) ** 2
"""Bounds on (tanh u - u)^2, an even function of u."""


@lru_cache(maxsize=1)
def activation_steps() -> tuple[Step, ...]:
    """u - u^3/3 <= tanh u <= u - u^3/3 + 2u^5/15 for u >= 0, each from the slope 1 - tanh^2; then the square of tanh u - u."""
    value, least, gap = sympy.symbols("tanh_u least gap", nonnegative=True)
    slope = sympy.diff(tanh(_u), _u).subs(tanh(_u), value)
    shortfall = _u - _QUINTIC
    return (
        zero("tanh is 0 at 0", tanh(sympy.S.Zero)),
        *(zero("and so are its bounds", bound.subs(_u, 0)) for bound in (_u, _CUBIC, _QUINTIC)),
        zero("tanh is odd", tanh(-_u) + tanh(_u)),
        zero("1 - tanh^2 = 1 / cosh^2 > 0", (1 - tanh(_u) ** 2 - cosh(_u) ** -2).rewrite(sympy.exp)),
        nonnegative("tanh u <= u, for its slope is at most 1", 1 - slope),
        nonnegative(
            "u - u^3/3 <= tanh u, for its slope is less where u = tanh u + gap",
            sympy.expand((slope - sympy.diff(_CUBIC, _u)).subs(_u, value + gap)),
        ),
        zero(
            "the fifth order rises faster than 1 - (u - u^3/3)^2, by u^6/9",
            sympy.diff(_QUINTIC, _u) - (1 - _CUBIC**2) - _u**6 / 9,
        ),
        nonnegative(
            "and so than tanh, where tanh u = (u - u^3/3) + gap with both at least 0",
            sympy.expand((1 - least**2) - (1 - (least + gap) ** 2)),
        ),
        nonnegative(
            "where u - u^3/3 < 0, that is u^2 = 3 + gap, it rises by more than 1",
            sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(3 + gap))),
        ),
        nonnegative("0 <= u - tanh u <= u^3/3 bounds the square above", sympy.expand((least + gap) ** 2 - least**2)),
        nonnegative(
            "where u^3/3 - 2u^5/15 >= 0 its square is at least the bound below",
            sympy.expand(shortfall**2 - _SQUARE_BELOW),
        ),
        nonnegative(
            "elsewhere, u^2 = 5/2 + gap, that bound is not positive",
            -sympy.factor((_SQUARE_BELOW / _u**6).subs(_u, sympy.sqrt(Rational(5, 2) + gap))),
        ),
        zero("u^3/3 - 2u^5/15 is 0 at u^2 = 5/2", shortfall.subs(_u, sympy.sqrt(Rational(5, 2)))),
    )


def mean_square(bound: Expr) -> Expr:
    """The mean of bound(e x) / e^2 for x ~ N(0, s^2), of an even polynomial."""
    powers = sympy.Poly(bound, _u).terms()
    return sympy.Add(*(factor * scale ** (power - 2) * width**power * _moment(power) for (power,), factor in powers))


@lru_cache(maxsize=8)
def _moment(power: int) -> Expr:
    return sympy.integrate(g**power * normal(g, 0, 1), (g, -oo, oo))


@lru_cache(maxsize=1)
def mean_bounds() -> tuple[Expr, Expr, Expr]:
    """Of E (tanh(e x) / e - x)^2: one from below, and two from above, the last one for every e."""
    return mean_square(_SQUARE_BELOW), mean_square(_SQUARE_ABOVE), width**2


@lru_cache(maxsize=1)
def points() -> tuple[dict[Symbol, Rational], ...]:
    """Exact e and s, from small to large, with e s on both sides of 1."""
    scales = [Rational(*ratio) for ratio in ((1, 1), (1, 10), (10, 1), (1, 5000), (5000, 1))]
    arguments = [Rational(*ratio) for ratio in ((1, 1), (1, 5), (1, 20), (10, 1))]
    return tuple({scale: e, width: argument / e} for e, argument in product(scales, arguments))


def bounds_error(formula: Basic) -> Decision:
    """Judge (lower, upper) bound on E (tanh(e x) / e - x)^2, and whether both vanish with e."""
    low, high = formula.args
    below, above, always = mean_bounds()
    for point in points():
        stated = tuple(part.subs(point) for part in (low, high))
        least, most = Max(0, below.subs(point)), Min(above.subs(point), always.subs(point))
        where = {"e": point[scale], "s": point[width]}
        if not stated[0] <= most:
            return refuted(where, f"the mean square is at most {most}, the lower bound is {stated[0]}")
        if not stated[1] >= least:
            return refuted(where, f"the mean square is at least {least}, the upper bound is {stated[1]}")
    return conclude(
        [
            *activation_steps(),
            nonnegative("the lower bound is not above the derived one", sympy.expand(below - low)),
            nonnegative("the upper bound is not below the derived one", sympy.expand(high - above)),
            zero("the upper bound vanishes with e", sympy.limit(high, scale, 0)),
            *network_limit_steps(),
            *converse_steps(),
            *gain_steps(),
        ]
    )


def without_gaussian_units(formula: Basic) -> Decision:
    """x = s or -s with equal chance: the mean square is one value, (s - tanh(e s) / e)^2 <= e^4 s^6 / 9."""
    point = {scale: Rational(1, 10), width: sympy.S.One}
    stated, most = formula.args[0].subs(point), (_SQUARE_ABOVE / scale**2).subs(_u, scale * width).subs(point)
    if bool(stated > most):
        where = {"x": "-1 or 1, evenly", "e": point[scale], "s": point[width]}
        return refuted(where, f"the mean square is at most {most}, the lower bound is {stated}")
    return undecided("the lower bound holds for two points")


CLAIMS = (
    Claim(
        "app-a.tanh",
        "§5, Appendix A.1",
        "Tanh VAEs have the infimum of ReLU ones: tanh(e x)/e is as near to x ~ N(0, s^2) as these bounds say, in mean square "
        "(of training `collapse audit --training` tells)",
        printed=Statement(SIMILAR, bounds_error),
        observable="tanh_error",
        uses=("fig-1.thresholds",),
        assumptions=(Assumption("x is Gaussian", without_gaussian_units),),
    ),
)
