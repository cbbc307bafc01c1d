"""The counterexamples once more, with plain fractions: only their numbers are read from the suite, nothing is evaluated by it.

Where a root is needed it must be rational; logarithms cancel.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import permutations

from derivations.claim import Verdict
from derivations.ledger import claims_by_id

NUMBER = re.compile(r"-?\d+(?:/\d+)?")
Matrix = list[list[Fraction]]


@cache
def witness(name: str) -> dict[str, str]:
    statement = claims_by_id()[name].printed
    decision = statement.decide(statement.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    return dict(decision.witness.values)


def numbers(text: str) -> list[Fraction]:
    return [Fraction(number) for number in NUMBER.findall(text)]


def root(square: Fraction) -> Fraction:
    found = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
    assert found**2 == square, f"{square} is no square of a rational"
    return found


@dataclass(frozen=True)
class Point:
    """The numbers of a witness (no sigma where it is learned); `water` is sqrt(beta) eta_dec, `c` the weight of |V|^2."""

    zeta: list[Fraction]
    sigma: list[Fraction]
    beta: Fraction
    eta_dec: Fraction
    eta_enc: Fraction

    @property
    def water(self) -> Fraction:
        return root(self.beta) * self.eta_dec

    @property
    def c(self) -> Fraction:
        return self.water**2 / self.eta_enc**2

    def singular(self, mode: int) -> Fraction:
        return self.zeta[mode] if mode < len(self.zeta) else Fraction(0)


def point(name: str) -> Point:
    values = witness(name)
    scalars = (numbers(values[key])[0] for key in ("beta", "eta_dec", "eta_enc"))
    return Point(numbers(values["zeta"]), numbers(values.get("sigma", "")), *scalars)


def lengths(p: Point, mode: int, deviation: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """lambda^2, theta^2 and lambda theta of Eq 8 with this deviation."""
    excess = max(Fraction(0), p.singular(mode) - p.water * deviation / p.eta_enc)
    scale = p.water / (deviation * p.eta_enc)
    return scale * excess, excess / scale, excess


def loss_of_modes(p: Point, used: Sequence[Fraction], met: Sequence[Fraction]) -> Fraction:
    """Eq 6 at U = F Lambda P, V = G Theta P: lengths made for the deviations `used`, where P Sigma P^T has diagonal `met`^2."""
    total = Fraction(0)
    for mode, (deviation, actual) in enumerate(zip(used, met, strict=True)):
        u, v, product = lengths(p, mode, deviation)
        total += (product - p.singular(mode)) ** 2 + actual**2 * u + p.c * v
    return total + sum((value**2 for value in p.zeta[len(used) :]), Fraction(0))


def loss_in_some_order(p: Point, order: Sequence[Fraction]) -> Fraction:
    """Eq 6 at a point that is there to be taken: P the permutation that puts the deviations in this order."""
    assert sorted(order) == sorted(p.sigma)
    return loss_of_modes(p, order, order)


def times(left: Matrix, right: Matrix) -> Matrix:
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)] for row in left
    ]


def transpose(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def diagonal(entries: Sequence[Fraction]) -> Matrix:
    return [
        [entry if row == column else Fraction(0) for column in range(len(entries))] for row, entry in enumerate(entries)
    ]


def rotation(name: str, size: int) -> Matrix:
    entries = numbers(witness(name)["P"])
    assert len(entries) == size**2
    found = [entries[row * size : (row + 1) * size] for row in range(size)]
    assert times(found, transpose(found)) == diagonal([Fraction(1)] * size), "the printed condition: P is orthogonal"
    return found


def test_the_printed_minimum_is_above_a_point_with_other_latents_used_first():
    p = point("prop-2.minimum")
    candidates = [loss_in_some_order(p, order) for order in permutations(p.sigma)]
    assert loss_in_some_order(p, p.sigma) > min(candidates)
    assert loss_in_some_order(p, sorted(p.sigma)) == min(candidates)


def test_the_printed_profile_is_above_a_value_that_is_attained():
    p = point("cor-1.profile")
    printed = Fraction(0)
    for mode, deviation in enumerate(p.sigma):
        shift = p.water * deviation / p.eta_enc
        gain = (p.singular(mode) - shift) ** 2 if p.singular(mode) > shift else Fraction(0)
        printed += p.singular(mode) ** 2 - gain
    printed += sum((value**2 for value in p.zeta[len(p.sigma) :]), Fraction(0))
    assert loss_in_some_order(p, sorted(p.sigma)) < printed


def test_a_rotation_raises_the_loss_of_a_fixed_variance():
    p = point("prop-2.rotation")
    order = sorted(p.sigma)
    P = rotation("prop-2.rotation", len(order))
    rotated = times(times(P, diagonal([s**2 for s in p.sigma])), transpose(P))
    at_best = loss_in_some_order(p, order)
    excess = sum(lengths(p, k, s)[0] * (rotated[k][k] - s**2) for k, s in enumerate(order))
    at_rotated = at_best + excess
    assert at_rotated > at_best


def test_a_rotation_raises_the_loss_of_a_learned_variance():
    """With the best Sigma the part of the loss that P enters is t sum_k log(1 + eta_enc^2 |u_k|^2 / t), t = beta eta_dec^2."""
    p = point("thm-2.rotation")
    size, t = int(witness("thm-2.rotation")["d1"]), p.beta * p.eta_dec**2
    P = rotation("thm-2.rotation", size)
    squares = [max(Fraction(0), p.singular(k) ** 2 - t) / p.eta_enc**2 for k in range(size)]
    gram = times(times(transpose(P), diagonal(squares)), P)

    def exponential(norms: Sequence[Fraction]) -> Fraction:
        return math.prod((1 + p.eta_enc**2 * norm / t for norm in norms), start=Fraction(1))

    assert sum(squares) == sum(gram[k][k] for k in range(size))
    assert exponential([gram[k][k] for k in range(size)]) > exponential(squares)


def test_the_printed_reduced_objective_changes_where_the_minimum_cannot():
    """Renumbering the latents of U, V and Sigma together changes no loss, and the logarithms add up to the same."""
    p = point("eq-13.reduced")
    other = numbers(witness("eq-13.reduced")["other sigma"])
    assert sorted(other) == sorted(p.sigma) and other != p.sigma

    def printed(deviations: Sequence[Fraction]) -> Fraction:
        total = Fraction(0)
        for mode, deviation in enumerate(deviations):
            shift = p.water * deviation / p.eta_enc
            gain = (p.singular(mode) - shift) ** 2 if p.singular(mode) > shift else Fraction(0)
            total += p.singular(mode) ** 2 - gain + p.water**2 * (deviation**2 / p.eta_enc**2 - 1)
        return total / (2 * p.eta_dec**2)

    assert printed(p.sigma) != printed(other)

    def loss(u: Matrix, v: Matrix, deviations: Sequence[Fraction]) -> Fraction:
        product = times(u, transpose(v))
        misfit = sum(
            (product[a][b] - (p.singular(a) if a == b else 0)) ** 2 for a in range(len(u)) for b in range(len(v))
        )
        spread = sum(row[k] ** 2 * s**2 for row in u for k, s in enumerate(deviations))
        return misfit + spread + p.c * sum(entry**2 for row in v for entry in row)

    latents = len(p.sigma)
    order = next(o for o in permutations(range(latents)) if [p.sigma[k] for k in o] == other)
    u, v = (
        [[Fraction(a * row + b * column + 1, 3) for column in range(latents)] for row in range(len(p.zeta))]
        for a, b in ((2, -1), (1, 3))
    )
    renumbered = ([[row[k] for k in order] for row in matrix] for matrix in (u, v))
    assert loss(u, v, p.sigma) == loss(*renumbered, other)
    assert loss(u, v, p.sigma) != loss(u, v, other)


def test_the_printed_variance_is_not_stationary():
    """Slope of l_i where the mode is active: 2 zeta w/eta_enc - 2 w^2/sigma, zero iff zeta sigma = w eta_enc."""
    p = point("prop-3.variance")
    mode = int(witness("prop-3.variance")["i"]) - 1
    singular = p.singular(mode)
    assert p.water**2 < singular**2, "the first branch of Eq 14"
    printed_square = p.beta * p.eta_dec * p.eta_enc**2 / singular**2
    active = printed_square < singular**2 / p.c
    stationary_square = (p.water * p.eta_enc / singular) ** 2 if active else p.eta_enc**2
    assert printed_square != stationary_square

    sigma = root(printed_square)
    w, slope_of_spread = p.water, 2 * p.water**2 * (sigma / p.eta_enc**2 - 1 / sigma)
    slope = slope_of_spread + (2 * (singular - w * sigma / p.eta_enc) * w / p.eta_enc if active else 0)
    assert slope != 0
