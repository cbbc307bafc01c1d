"""A problem with a learned decoder variance, in plain fractions: the profile of its loss, and what follows from that alone."""

import math
import re
from fractions import Fraction

from derivations.decoder_instances import DecoderInstance
from derivations.decoder_limits import CLAIMS as LIMITS
from derivations.decoder_variance import CLAIMS as CLOSED_FORM_CLAIMS
from derivations.decoder_variance_causes import CLAIMS as CAUSES
from derivations.decoder_variance_claims import CLAIMS as SECTION

CLAIMS = {claim.id: claim for claim in (*CLOSED_FORM_CLAIMS, *SECTION, *LIMITS, *CAUSES)}
NUMBER = re.compile(r"-?\d+(?:/\d+)?")


def witness(name: str) -> dict[str, str]:
    decision = CLAIMS[name].printed.decide(CLAIMS[name].printed.formula)
    return dict(decision.witness.values)


class Model:
    """An instance in fractions, with the profile of its loss in s = eta_dec^2 and what follows from that alone."""

    def __init__(self, zeta, r, weight, d1, d2, eta_dec=Fraction(1)):
        self.squares = [Fraction(z) ** 2 for z in zeta]
        self.r, self.weight, self.d1, self.d2, self.eta_dec = Fraction(r), Fraction(weight), d1, d2, Fraction(eta_dec)

    @classmethod
    def of(cls, instance: DecoderInstance) -> "Model":
        zeta = [Fraction(str(z)) for z in instance.zeta]
        scalars = (Fraction(str(x)) for x in (instance.residual, instance.beta, instance.eta_dec))
        r, weight, eta_dec = scalars
        return cls(zeta, r, weight, instance.d1, instance.d2, eta_dec)

    @classmethod
    def witnessed(cls, name: str) -> "Model":
        values = {key: [Fraction(number) for number in NUMBER.findall(text)] for key, text in witness(name).items()}
        (r,), (weight,), (d1,), (d2_,), (eta,) = (values[key] for key in ("r", "beta", "d1", "d2", "eta_dec"))
        return cls(values["zeta"], r, weight, int(d1), int(d2_), eta)

    def loss(self, s: float) -> float:
        """The least L_VAE + (d2/2) log s over U, W and Sigma."""
        total = float(self.r)
        for place, square in enumerate(map(float, self.squares)):
            level = float(self.weight) * s
            active = place < self.d1 and square > level
            total += level * (1 + math.log(square / level)) if active else square
        return total / (2 * s) + self.d2 / 2 * math.log(s)

    def slope(self, s: Fraction) -> Fraction:
        """2 s^2 times its slope, from the slope of each mode's loss: -min(zeta^2, beta s)."""
        taken = [min(q, self.weight * s) if place < self.d1 else q for place, q in enumerate(self.squares)]
        return self.d2 * s - self.r - sum(taken)

    def last_minimiser(self) -> Fraction:
        """The end of the s at which the slope is not positive: one of the zeros of its pieces, found by trying them all."""
        ends = [Fraction(0)]
        for count in range(min(self.d1, len(self.squares)) + 1):
            rise = self.d2 - count * self.weight
            if rise > 0:
                ends.append((self.r + sum(self.squares[count:])) / rise)
        return max(end for end in ends if self.slope(end) <= 0)

    @property
    def unbounded(self) -> bool:
        return self.last_minimiser() == 0

    @property
    def collapses(self) -> bool:
        end = self.last_minimiser()
        return end > 0 and max(self.squares) <= self.weight * end

    @property
    def keeps_all(self) -> bool:
        """No mode with a latent and a signal is at its threshold or below it."""
        return all(q > self.weight * self.last_minimiser() for q in self.squares[: self.d1] if q > 0)

    @property
    def collapses_at_the_given_decoder(self) -> bool:
        return max(self.squares) <= self.weight * self.eta_dec**2

    @property
    def vanishes(self) -> bool:
        small = Model([], self.r, self.weight / 10**9, self.d1, self.d2)
        small.squares = self.squares
        return small.unbounded
