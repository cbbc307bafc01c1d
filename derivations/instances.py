"""Exact instances of the theory's scalars: where statements are refuted, by rational numbers and their roots and logarithms."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr, ImmutableDenseMatrix, Integer, Rational
from sympy.core.relational import Relational

from derivations.evaluation import exact_value
from derivations.notation import beta, d0, d1, d2, dstar, eta_dec, eta_enc, i, mean, sigma, sigma_sorted, zeta


@dataclass(frozen=True)
class Instance:
    """Singular values (non-increasing) and encoder standard deviations (in the latents' order), with the scalars.

    `residual` is r, the second moment of the target that no linear function of the input explains.
    """

    zeta: tuple[Rational, ...]
    sigma: tuple[Rational, ...]
    beta: Rational
    eta_dec: Rational
    eta_enc: Rational
    d0: int
    d2: int
    residual: Rational = sympy.S.Zero

    @property
    def d1(self) -> int:
        """The number of latent dimensions."""
        return len(self.sigma)

    @property
    def size(self) -> int:
        """How much there is to write: numerators, denominators and dimensions, all added up."""
        numbers = (*self.zeta, *self.sigma, self.beta, self.eta_dec, self.eta_enc, self.residual)
        parts = (part for number in numbers for part in number.atoms(Rational))
        return sum(part.p + part.q for part in parts) + self.d0 + self.d2

    @property
    def sorting_permutation(self) -> ImmutableDenseMatrix:
        """The permutation that brings the standard deviations into non-decreasing order."""
        order = sorted(range(self.d1), key=lambda k: self.sigma[k])
        return ImmutableDenseMatrix(self.d1, self.d1, lambda a, b: int(order[a] == b))

    @property
    def mean(self) -> tuple[Rational, ...]:
        """Some mean of the latents: 1, -2, 3, ..."""
        return tuple(Rational((-1) ** k * (k + 1)) for k in range(self.d1))

    def value(self, formula: Basic, index: int | None = None, more: Mapping[Basic, Any] | None = None) -> Basic:
        """The exact value of a formula of scalars (at mode `index`, where it has one); nan where it is undefined.

        `more` gives the values of further symbols, and of further sequences as (entries, what is beyond them).
        """
        known = {**self._known, **({} if index is None else {i: Integer(index)}), **(more or {})}
        try:
            return exact_value(formula, known)
        except (TypeError, ValueError):  # a comparison with an infinite or complex number
            return sympy.nan

    @cached_property
    def _known(self) -> Mapping[Basic, Any]:
        """Beyond its end a singular value is 0, a deviation the prior's."""
        sizes = {d0: self.d0, d1: self.d1, d2: self.d2, dstar: min(self.d0, self.d2)}
        return {
            beta: self.beta,
            eta_dec: self.eta_dec,
            eta_enc: self.eta_enc,
            **{symbol: Integer(size) for symbol, size in sizes.items()},
            zeta: (self.zeta, sympy.S.Zero),
            sigma: (self.sigma, self.eta_enc),
            sigma_sorted: (tuple(sorted(self.sigma)), self.eta_enc),
            mean: (self.mean, sympy.S.Zero),
        }

    def named(self, *, learned: bool = False) -> dict[str, object]:
        """The values under the names a reader knows; without Sigma where it is learned."""
        values: dict[str, object] = {"zeta": self.zeta} | ({} if learned else {"sigma": self.sigma})
        values |= {"beta": self.beta, "eta_dec": self.eta_dec}
        values |= {"eta_enc": self.eta_enc, "d0": self.d0, "d1": self.d1, "d2": self.d2}
        return values | ({"r": self.residual} if self.residual else {})


@lru_cache(maxsize=1 << 14)
def tidy(number: Expr) -> Expr:
    """An exact number with its roots and the logarithms of its prime factors collected."""
    return sympy.expand(sympy.expand_log(sympy.expand(number), factor=True))


def why_false(formula: Basic, value: Callable[[Basic], Basic], happening: Iterable[str] = ()) -> str:
    """What makes a statement false somewhere: what the sides of its relations are there, and what happens."""
    relations = sorted(formula.atoms(Relational), key=sympy.default_sort_key)
    sides = dict.fromkeys(side for relation in relations for side in relation.args if not side.is_number)
    parts = [*(f"{side} = {tidy(value(side))}" for side in sides), *happening]
    return f"false, since {', '.join(parts)}" if parts else "false"


def is_exactly_zero(number: Expr) -> bool:
    """Whether an exact number (rationals, roots, logarithms) is 0; an infinite or undefined one is not."""
    number = sympy.sympify(number)
    return number is sympy.S.Zero if number.is_Rational else _vanishes(number)  # most are, and the rest takes long


@lru_cache(maxsize=1 << 14)
def _vanishes(number: Expr) -> bool:
    if number is sympy.nan:
        return False
    if not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10**6):
        return False
    return bool(sympy.simplify(tidy(number)) == 0)


def _exact(*numbers: object) -> tuple[Rational, ...]:
    return tuple(sympy.Rational(number) for number in numbers)


def random_instance(generator: random.Random) -> Instance:
    """Small random rationals: dimensions up to 4, singular values up to 6 with ties and zeros, scales from 1/3 to 3."""
    d0, d1, d2 = (generator.randint(1, 3) for _ in range(3))
    scales = [Rational(k, m) for k in (1, 2, 3) for m in (1, 2, 3)]
    singular = sorted((Rational(generator.randint(0, 12), 2) for _ in range(min(d0, d2))), reverse=True)
    deviations = tuple(generator.choice(scales) for _ in range(d1))
    weight, decoder, prior = (generator.choice(scales) for _ in range(3))
    return Instance(tuple(singular), deviations, weight**2, decoder, prior, d0, d2, Rational(generator.randint(0, 3)))


@lru_cache(maxsize=1)
def instances() -> tuple[Instance, ...]:
    """The chosen instances, small first, then random ones: the order in which a witness is looked for."""
    generator = random.Random(2022)
    return (*chosen_instances(), *(random_instance(generator) for _ in range(80)))


@lru_cache(maxsize=1)
def smallest_instances() -> tuple[Instance, ...]:
    """A mode without signal, one with a level between ζ² and ζ, one with ζ < level² < ζ², and two modes for one latent."""
    one = sympy.S.One
    plain = Instance((one,), (one,), one, one, one, 1, 1)
    return (
        replace(plain, zeta=(sympy.S.Zero,)),
        replace(plain, zeta=(one / 2,), beta=one / 9),
        replace(plain, zeta=(3 * one,), beta=4 * one),
        replace(plain, zeta=(2 * one, one), d0=2, d2=2),
    )


def chosen_instances() -> tuple[Instance, ...]:
    """Exact instances in every regime: above, at and below thresholds, ties, zero modes, d1 below, at and above dstar."""
    one = sympy.S.One
    small = Instance(_exact(3, 1), _exact(1, 2), one, one, one, d0=2, d2=2)
    return (
        small,
        replace(small, zeta=_exact(2, 1), sigma=_exact(2, 1)),
        replace(small, zeta=_exact(2), sigma=_exact(1, 1), d0=1, d2=1),
        replace(small, zeta=_exact(5), sigma=_exact(1), eta_dec=Rational(4), d0=1, d2=1),
        replace(small, zeta=_exact("9/20"), sigma=_exact(1), beta=Rational(1, 9), d0=1, d2=1),
        replace(small, zeta=_exact(3, 2), sigma=_exact(2, 1)),
        replace(small, beta=Rational(1, 4), sigma=_exact(2, "1/2"), eta_dec=Rational(3)),
        replace(small, zeta=_exact(5, 2), beta=Rational(4), eta_dec=Rational(1, 2), eta_enc=Rational(3)),
        replace(
            small, zeta=_exact(6, 4, 1), d0=3, d2=4, sigma=_exact(3, "1/2"), eta_dec=Rational(2), eta_enc=Rational(1, 2)
        ),
        replace(small, zeta=_exact(6), d0=1, d2=3, sigma=_exact(3, 1, 2), beta=Rational(9, 4), residual=Rational(5)),
        replace(
            small, zeta=_exact(2, 2, 0), d0=3, d2=3, sigma=_exact(1, 3, 1), eta_dec=Rational(2), eta_enc=Rational(3)
        ),
        replace(
            small,
            zeta=_exact(7, 5),
            sigma=_exact("1/3"),
            beta=Rational(9),
            eta_dec=Rational(1, 3),
            residual=Rational(2),
        ),
        replace(small, zeta=_exact("5/2", "1/3"), sigma=_exact(4, 4), beta=Rational(4), eta_enc=Rational(2)),
        replace(small, zeta=_exact(1, "1/2"), sigma=_exact(1, 1), beta=Rational(2), eta_dec=Rational(3)),
        replace(small, zeta=_exact(0), sigma=_exact(2), d0=1, d2=1, beta=Rational(1, 9), eta_enc=Rational(2)),
        replace(small, zeta=_exact(2), sigma=_exact("1/2", 3), d0=1, d2=2),
    )
