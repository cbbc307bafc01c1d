"""Claims and decisions that are what a test needs them to be."""

from dataclasses import replace
from typing import Any

import sympy

from collapse.errata import Entry
from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, Verdict, Witness, undecided
from derivations.lemmas import Lemma, Stress

SYMBOL = sympy.Symbol("zeta")
PROVED = Decision(Verdict.PROVED, (Step("it holds", sympy.true, Verdict.PROVED),))
REFUTED = Decision(
    Verdict.REFUTED,
    witness=Witness(
        (("zeta", "(2, 1)"), ("sigma", "(2, 1)"), ("beta", "1"), ("eta_dec", "1"), ("d0", "1"), ("i", "1")),
        "sqrt(beta)*eta_dec is 1 | 2, not zeta[i]**2",
    ),
)
UNDECIDED = undecided("a lemma")
ERRATUM = Erratum("sigma_i <= sqrt(beta) eta_dec", "sigma_i = 2*zeta_i", Severity.CONDITION)


def a_lemma(name: str = "a lemma", **changed: Any) -> Lemma:
    """A lemma whose stress test finds nothing wrong."""
    return replace(Lemma(name, "Somebody, Some Book", "it is so", "nothing", lambda seed: Stress(seed + 3)), **changed)


def proved_with(*lemmas: str) -> Decision:
    """Proved by one step for each lemma."""
    return Decision(Verdict.PROVED, tuple(Step("it holds", sympy.true, Verdict.PROVED, name) for name in lemmas))


def a_claim(name: str = "test.claim", **changed: Any) -> Claim:
    """A claim that is refuted as printed, and proved as corrected."""
    printed = Statement(sympy.Le(SYMBOL, 1), lambda formula: REFUTED)
    corrected = Statement(sympy.Le(SYMBOL, 2), lambda formula: PROVED)
    claim = Claim(name, "§0, Eq 0", "a title", printed, "none", corrected, uses=("thm-0.other",), erratum=ERRATUM)
    return replace(claim, **changed)


def an_entry(claim: Claim | None = None, printed: Decision = REFUTED, corrected: Decision | None = PROVED) -> Entry:
    """A sound entry of the errata, but for what is given."""
    return Entry(claim or a_claim(), printed, corrected)
