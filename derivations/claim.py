"""What a claim is: a statement from a source, a decision procedure, a verdict with its steps and scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sympy

SYMBOLIC_DIMENSIONS = "symbolic dimensions"


class Verdict(StrEnum):
    """PROVED by steps the machine decided, REFUTED by an exact witness, or UNDECIDED: never counted as passed."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a derivation: what it says, the mathematics, whether the machine decided it, and what it does not settle itself:
    a cited lemma, or any size but the one of the matrices that were written out."""

    text: str
    formula: sympy.Basic | str = field(repr=False)
    verdict: Verdict
    lemma: str | None = None
    size: str | None = None

    @property
    def latex(self) -> str:
        """The mathematics as LaTeX."""
        return self.formula if isinstance(self.formula, str) else sympy.latex(self.formula)

    def _shown(self) -> tuple[str, str, Verdict, str | None, str | None]:
        return self.text, self.latex, self.verdict, self.lemma, self.size

    def __eq__(self, other: object) -> bool:
        return self._shown() == other._shown() if isinstance(other, Step) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._shown())

    def __reduce__(self) -> tuple[Any, ...]:
        # as text: an equation that holds may evaluate to "true" when it is rebuilt in another process
        return Step, self._shown()


@dataclass(frozen=True)
class Witness:
    """An exact point at which a statement fails: the values assigned (exact numbers) and what happens there."""

    values: tuple[tuple[str, str], ...]
    failure: str

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.values) + f": {self.failure}"


@dataclass(frozen=True)
class Decision:
    """The outcome of judging one formula."""

    verdict: Verdict
    steps: tuple[Step, ...] = ()
    scope: str = SYMBOLIC_DIMENSIONS
    witness: Witness | None = None
    missing: str = ""


@dataclass(frozen=True)
class Statement:
    """What is asserted (data, knowing nothing of the derivation) and how any formula of that shape is judged.

    `decide` knows nothing of what is printed: the same procedure judges the statement and all its mutants.
    """

    formula: sympy.Basic
    decide: Callable[[sympy.Basic], Decision]


@dataclass(frozen=True)
class Assumption:
    """What a statement silently or openly takes for granted, and how the statement fares without it.

    `without` judges a formula of the claim's shape where the assumption is dropped or negated, and nothing else is changed. An
    assumption that the standing statement survives is not needed, and does not belong to the claim.
    """

    text: str
    without: Callable[[sympy.Basic], Decision]


class Severity(StrEnum):
    """How much an erratum matters: a slip of notation, a condition that is missing or wrong, or a conclusion that is false."""

    TYPO = "typo"
    CONDITION = "condition"
    CONCLUSION = "conclusion"


@dataclass(frozen=True)
class Erratum:
    """What goes into the errata where the printed statement fails or is incomplete; plain text with the paper's letters.

    Args:
        printed: what is printed, as a formula or in our words.
        holds: what holds instead, or the assumption that is missing.
        severity: how much it matters.
    """

    printed: str
    holds: str
    severity: Severity


@dataclass(frozen=True)
class Claim:
    """One sentence of the paper that can be true or false.

    Args:
        id: permanent readable name, e.g. "thm-1.complete-collapse".
        source: where it is printed.
        title: what it says, in our words, with its precise reading.
        printed: typed to the letter of the paper.
        corrected: present exactly where the printed statement fails or is incomplete.
        observable: what the numeric layers are asked for, to compare with the lambdified formula.
        uses: the claims whose results the derivation relies on.
        assumptions: under which the statement is judged, each with a probe of what happens without it.
        erratum: present exactly where `corrected` is.
    """

    id: str
    source: str
    title: str
    printed: Statement
    observable: str
    corrected: Statement | None = None
    uses: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    erratum: Erratum | None = None

    @property
    def standing(self) -> Statement:
        """The statement that stands: the corrected one where there is one, else the printed one."""
        return self.corrected if self.corrected is not None else self.printed


def refuted(values: dict[str, object], failure: str) -> Decision:
    """A refutation by the exact point `values`."""
    return Decision(Verdict.REFUTED, witness=Witness(tuple((k, str(v)) for k, v in values.items()), failure))


def undecided(missing: str) -> Decision:
    """Neither proved nor refuted; `missing` says what would be needed."""
    return Decision(Verdict.UNDECIDED, missing=missing)


def conclude(steps: Iterable[Step], scope: str = SYMBOLIC_DIMENSIONS) -> Decision:
    """PROVED if every step is; otherwise UNDECIDED, naming the first step that is not. The scope names what steps leave open."""
    steps = tuple(steps)
    gaps = [step.text for step in steps if step.verdict is not Verdict.PROVED]
    if gaps or not steps:
        return Decision(Verdict.UNDECIDED, steps, scope, missing=gaps[0] if gaps else "no step was taken")
    lemmas = sorted({step.lemma for step in steps if step.lemma})
    sizes = ", ".join(sorted({step.size for step in steps if step.size}))
    scope += f"; steps in {sizes}" if sizes else ""
    return Decision(Verdict.PROVED, steps, scope + "".join(f"; conditional on {lemma}" for lemma in lemmas))


def needed(found: Decision | None) -> Decision:
    """The outcome of a probe of an assumption: what refutes the statement without it, or undecided if nothing does."""
    return found if found is not None else undecided("no instance at which the statement fails without the assumption")
