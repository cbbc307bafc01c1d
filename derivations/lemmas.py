"""Cited lemmas: the few classical theorems that a derivation takes from the literature instead of proving them.

A step that rests on one names it (`Step(..., lemma=NAME)`), and `conclude` carries the name into the verdict's scope. Every lemma
says which part of it the machine checks, and has a stress test that looks for a counterexample among seeded instances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

MOST_LEMMAS = 5
"""In all: a proof that needs more of them is no proof by machine."""


@dataclass(frozen=True)
class Stress:
    """What a stress test found: how many instances it tried, and the first at which the lemma fails, if any.

    A test that tried nothing has not passed.
    """

    instances: int
    counterexample: str | None = None

    @property
    def passed(self) -> bool:
        """Whether something was tried and nothing failed."""
        return self.instances > 0 and self.counterexample is None


@dataclass(frozen=True)
class Lemma:
    """A theorem taken from the literature.

    Args:
        name: what a step's `lemma` says.
        source: where it is proved: author, work, number of the theorem.
        statement: what it says, in plain text.
        checked: the part of it that the machine checks; "nothing" if none.
        stress: tries to refute it on instances drawn from a nonnegative seed.
    """

    name: str
    source: str
    statement: str
    checked: str
    stress: Callable[[int], Stress]


def stress_outcome(outcomes: Iterable[str | None]) -> Stress:
    """The outcome of a stress test from one entry an instance: None where the lemma holds, else how it fails there."""
    tried = 0
    for failure in outcomes:
        tried += 1
        if failure is not None:
            return Stress(tried, failure)
    return Stress(tried)


LEMMAS: tuple[Lemma, ...] = ()
"""Every lemma that some claim's proof names, and no other."""


def lemmas_by_name() -> dict[str, Lemma]:
    """The lemmas under their names."""
    return {lemma.name: lemma for lemma in LEMMAS}
