"""Exact instances for a learned decoder variance (§4.4), and what happens at each: found from the slope of the profile alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import sympy
from sympy import Basic, Expr, Rational, Symbol

from derivations.instances import Instance
from derivations.notation import D0, residual

collapse_fixed, collapse_learned = sympy.symbols("collapses_at_the_given_decoder collapses_with_a_learned_decoder")
"""Whether U = V = 0 is part of a global minimum: at the given eta_dec, and with eta_dec learned too (Sigma learned in both)."""
unbounded = Symbol("loss_is_unbounded")
"""Whether the loss tends to minus infinity, as it does with the learned decoder variance tending to 0."""
vanishes = Symbol("decoder_variance_vanishes")
"""Whether the learned decoder variance tends to 0 as beta tends to 0 and nothing else changes."""
learned_variance = Symbol("s_learned", nonnegative=True)
"""eta_dec^2 at the global minimum, the largest if there are several; 0 where the loss is unbounded."""
rank = Symbol("rank_Z", integer=True, nonnegative=True)
"""How many singular values of Z are not 0."""

all_kept = Symbol("every_mode_with_a_latent_is_kept")
"""Whether no mode i <= d1 with zeta_i > 0 is collapsed at the global minimum, or as the loss falls without bound."""
carried, weakest, left_out = (
    Symbol("modes_with_a_latent", integer=True, nonnegative=True),
    Symbol("zeta_of_the_weakest_squared", nonnegative=True),
    Symbol("squares_without_a_latent", nonnegative=True),
)
"""k = min(d1, rank Z), zeta_k^2 (0 for k = 0), and the sum of zeta_i^2 over i > k."""

_TINY = Rational(1, 10**6)


@dataclass(frozen=True)
class DecoderInstance(Instance):
    """An instance whose eta_dec is where it is held if it is not learned; D0 >= d0 is the dimension of the input."""

    D0: int = 1

    def named(self, *, learned: bool = True) -> dict[str, object]:
        """The values under the names a reader knows, r and D0 among them."""
        return super().named(learned=learned) | {"r": self.residual, "D0": self.D0}

    @cached_property
    def _known(self) -> Mapping[Basic, Any]:
        return {**super()._known, **_facts(self)}


def slope_sign(instance: Instance, variance: Expr) -> Expr:
    """g(s): 2 s^2 times the slope of the loss in s = eta_dec^2, U, W and Sigma minimised out."""
    modes = [min(value**2, instance.beta * variance) for value in instance.zeta[: instance.d1]]
    beyond = [value**2 for value in instance.zeta[instance.d1 :]]
    return instance.d2 * variance - instance.residual - sum(modes, sympy.S.Zero) - sum(beyond, sympy.S.Zero)


@lru_cache(maxsize=4096)
def largest_minimiser(instance: Instance) -> Expr:
    """The largest s up to which the loss does not rise, from g at its kinks zeta_i^2/beta; 0 where it rises from the start."""
    kinks = sorted({sympy.S.Zero, *(value**2 / instance.beta for value in instance.zeta[: instance.d1])})
    last = max(kink for kink in kinks if slope_sign(instance, kink) <= 0)
    following = next((kink for kink in kinks if kink > last), last + 1)
    here, there = slope_sign(instance, last), slope_sign(instance, following)
    return last - here * (following - last) / (there - here)


@lru_cache(maxsize=4096)
def _facts(instance: DecoderInstance) -> dict[Basic, Expr]:
    variance, small = largest_minimiser(instance), largest_minimiser(replace(instance, beta=instance.beta * _TINY))
    first = max(instance.zeta) ** 2
    truths = {
        collapse_fixed: first <= instance.beta * instance.eta_dec**2,
        collapse_learned: variance > 0 and first <= instance.beta * variance,
        unbounded: variance == 0,
        vanishes: small == 0,
        all_kept: all(value**2 > instance.beta * variance for value in instance.zeta[: instance.d1] if value > 0),
    }
    with_latent = [value**2 for value in instance.zeta[: instance.d1] if value > 0]
    scalars: dict[Basic, Expr] = {
        residual: instance.residual,
        learned_variance: variance,
        D0: sympy.Integer(instance.D0),
        rank: sympy.Integer(sum(1 for value in instance.zeta if value > 0)),
        carried: sympy.Integer(len(with_latent)),
        weakest: min(with_latent, default=sympy.S.Zero),
        left_out: sum((value**2 for value in instance.zeta[len(with_latent) :]), sympy.S.Zero),
    }
    return scalars | {symbol: sympy.true if truth else sympy.false for symbol, truth in truths.items()}


def held_slope(instance: Instance, variance: Expr) -> Expr:
    """g(s) with the sigma_i of the instance held: by Proposition 2 an active mode takes zeta_i c_i sqrt(beta s) off, with
    c_i = sigma_(i)/eta_enc, the i-th smallest."""
    level = sympy.sqrt(instance.beta * variance)
    ratios = [deviation / instance.eta_enc for deviation in sorted(instance.sigma)]
    modes = [value * sympy.Min(value, ratio * level) for value, ratio in zip(instance.zeta, ratios, strict=False)]
    beyond = [value**2 for value in instance.zeta[instance.d1 :]]
    return instance.d2 * variance - instance.residual - sympy.Add(*modes, *beyond)


def at_held_deviations(instance: DecoderInstance, ratios: Sequence[Expr]) -> tuple[DecoderInstance, dict[Basic, Any]]:
    """The instance with the sigma_i held at these multiples of eta_enc, in turn, and what happens then.

    g (`held_slope`) is convex, not positive at 0, and vanishes once beyond: mode i is active there iff g > 0 where it would be at
    its threshold. Where U = V = 0 at that zero it is at s = E|y|^2/d2; the learned variance is given there only. It vanishes with
    beta if at a tiny beta the zero is below a tiny s.
    """
    held = replace(instance, sigma=tuple(ratios[k % len(ratios)] * instance.eta_enc for k in range(instance.d1)))
    least = min(held.sigma) / held.eta_enc
    squares, first = [value**2 for value in instance.zeta], max(instance.zeta) ** 2
    mean, level = (instance.residual + sum(squares)) / instance.d2, least**2 * instance.beta
    bounded = instance.residual + sum(squares) > 0
    small = held_slope(replace(held, beta=instance.beta * _TINY**4), _TINY)
    truths = {
        collapse_fixed: first <= level * instance.eta_dec**2,
        collapse_learned: bounded and first <= level * mean,
        unbounded: not bounded,
        vanishes: bool(small > 0),
        all_kept: all(held_slope(held, place) > 0 for place in _thresholds(held)),
    }
    facts: dict[Basic, Any] = {key: sympy.true if truth else sympy.false for key, truth in truths.items()}
    return held, facts | {learned_variance: mean if truths[collapse_learned] else sympy.nan}


def _thresholds(held: Instance) -> list[Expr]:
    """The s at which each mode that has a latent and a zeta_i is at its threshold."""
    pairs = zip(held.zeta, sorted(held.sigma), strict=False)
    return [(value * held.eta_enc / deviation) ** 2 / held.beta for value, deviation in pairs if value > 0]


def decoder_instance(
    zeta: Iterable[object],
    r: object,
    beta: object,
    *,
    d1: int = 1,
    d0: int | None = None,
    d2: int | None = None,
    kernel: int = 0,
    eta_dec: object = 1,
) -> DecoderInstance:
    """An instance; d0 and d2 are the number of singular values unless one is larger, and D0 = d0 + kernel."""
    singular = tuple(Rational(value) for value in zeta)
    rows, columns = d0 or len(singular), d2 or len(singular)
    if min(rows, columns) != len(singular):
        raise ValueError(f"{len(singular)} singular values do not fit d0 = {rows} and d2 = {columns}")
    return DecoderInstance(
        singular, (sympy.S.One,) * d1, Rational(beta), Rational(eta_dec), sympy.S.One, rows, columns, Rational(r),
        rows + kernel,
    )  # fmt: skip


@lru_cache(maxsize=1)
def decoder_instances() -> tuple[DecoderInstance, ...]:
    """Instances with y not zero, small first: interior minima, losses without bound, valleys, and both sides of every threshold."""
    chosen = (
        decoder_instance([1], 1, "1/2"),
        decoder_instance([2], 1, 1),
        decoder_instance([1], 0, "1/2"),
        decoder_instance([1], 0, 1),
        decoder_instance([1], 0, 2),
        decoder_instance([0], 1, 1),
        decoder_instance([1], 3, 1),
        decoder_instance([1], 3, "1/2"),
        decoder_instance([2], 0, "1/2", eta_dec=3),
        decoder_instance([2, 1], 0, 1),
        decoder_instance([1, 0], 0, 1),
        decoder_instance([1, 1], 0, 1),
        decoder_instance([1, 1], 0, "3/2"),
        decoder_instance([1, 1], 0, 1, d1=2),
        decoder_instance([2, 1], 0, 1, d1=2, eta_dec=2),
        decoder_instance([2, 1], 0, "3/4", d1=2, eta_dec="1/2"),
        decoder_instance([2, 1], 0, "3/2", eta_dec=2),
        decoder_instance([3, 1], 5, "1/2", d1=2),
        decoder_instance([3, 1], 0, "5/4", d1=2, eta_dec=2),
        decoder_instance([3, 0], 0, "3/2", d1=2),
        decoder_instance([3], 0, "3/2", d2=2, eta_dec=3),
        decoder_instance([3], 0, "3/2", d0=2, eta_dec=3),
        decoder_instance([1], 0, 2, d2=2, d1=2),
        decoder_instance([1], 0, 1, d2=2, d1=2, kernel=1),
        decoder_instance([2], 4, "1/2", d2=3, d1=2, eta_dec="1/3"),
        decoder_instance([2, 1], 3, 1, d2=3, d1=1),
        decoder_instance([3, 2, 1], 0, "1/2", d1=2),
        decoder_instance([2, 2, 0], 0, 1, d1=2),
        decoder_instance([2, 2, 0], 0, "3/2", d1=3),
        decoder_instance([2, 1, 0], 0, "3/2", d1=3, eta_dec=2),
        decoder_instance([3, 2, 2], 2, "2/3", d1=3, d2=4),
        decoder_instance([4, 2, 1], 1, 2, d1=3, d0=5),
        decoder_instance(["1/2", "1/4"], "1/8", "5/2", d1=4, eta_dec="1/3"),
        decoder_instance(["1/2", "1/2"], 0, "1/4", d1=1, d2=3, kernel=2),
    )
    return (*chosen, *(_random_instance(random.Random(seed)) for seed in range(60)))


def _random_instance(generator: random.Random) -> DecoderInstance:
    """Small rationals with y not zero; a third at the threshold of complete collapse, a third with r = 0."""
    d0, d2, d1 = (generator.randint(1, 3) for _ in range(3))
    singular = sorted((Rational(generator.randint(0, 8), 2) for _ in range(min(d0, d2))), reverse=True)
    squares = sum(value**2 for value in singular)
    r = generator.choice([sympy.S.Zero, sympy.S.Zero, Rational(generator.randint(1, 8), 2)]) if squares else sympy.S.One
    weights = [Rational(a, b) for a in (1, 2, 3, 5) for b in (1, 2, 3)]
    weight = generator.choice(weights)
    if generator.random() < 1 / 3 and squares:
        weight = d2 * singular[0] ** 2 / (r + squares)
    return decoder_instance(
        singular, r, weight, d1=d1, d0=d0, d2=d2, kernel=generator.randint(0, 1), eta_dec=generator.choice(weights)
    )


@lru_cache(maxsize=1)
def autoencoder_instances() -> tuple[DecoderInstance, ...]:
    """y = x: the singular values are the square roots of the positive eigenvalues of A, r = 0 and d2 = D0."""
    spectra: list[list[object]] = [
        [1],
        [2, 1],
        [1, 1],
        [3],
        [2, 2],
        [2, 1, 1],
        [1, 1, 1],
        ["1/2"],
        ["1/2", "1/2"],
        ["1/3", "1/4"],
    ]
    weights: list[object] = [1, "1/2", 2, "2/3", "3/2", 3]
    return tuple(
        decoder_instance(spectrum, 0, weight, d1=d1, d0=len(spectrum), d2=len(spectrum) + kernel, kernel=kernel)
        for weight, kernel, spectrum, d1 in product(weights, (0, 1, 2), spectra, (1, 2))
    )
