"""Verdicts, steps and witnesses: what concludes to PROVED, and what never does."""

import pickle

import pytest
import sympy

from derivations.claim import (
    SYMBOLIC_DIMENSIONS,
    Claim,
    Statement,
    Step,
    Verdict,
    Witness,
    conclude,
    refuted,
    undecided,
)
from derivations.proof import in_size

x = sympy.Symbol("x")


def step(verdict: Verdict, text: str = "a step", lemma: str | None = None) -> Step:
    return Step(text, sympy.Eq(x, 1), verdict, lemma)


SHOWN, OPEN = step(Verdict.PROVED), step(Verdict.UNDECIDED, "the gap")


def test_steps_that_are_all_proved_conclude_to_proved():
    decision = conclude(iter([SHOWN, SHOWN]))
    assert decision.verdict is Verdict.PROVED
    assert decision.steps == (SHOWN, SHOWN)
    assert (decision.scope, decision.witness, decision.missing) == (SYMBOLIC_DIMENSIONS, None, "")


@pytest.mark.parametrize(
    "steps", [[OPEN], [SHOWN, OPEN], [OPEN, SHOWN], [SHOWN, OPEN, step(Verdict.UNDECIDED, "later")]]
)
def test_one_open_step_leaves_the_whole_undecided_and_is_named(steps):
    decision = conclude(steps)
    assert decision.verdict is Verdict.UNDECIDED
    assert decision.missing == "the gap"


def test_a_refuted_step_proves_nothing():
    assert conclude([SHOWN, step(Verdict.REFUTED)]).verdict is Verdict.UNDECIDED


def test_no_steps_prove_nothing():
    decision = conclude([])
    assert decision.verdict is Verdict.UNDECIDED
    assert decision.missing


def test_the_scope_names_every_lemma_once():
    cited = [step(Verdict.PROVED, lemma=name) for name in ("von Neumann", "Jensen", "von Neumann")]
    decision = conclude([SHOWN, *cited], "fixed dimensions 2, 3")
    assert decision.verdict is Verdict.PROVED
    assert decision.scope == "fixed dimensions 2, 3; conditional on Jensen; conditional on von Neumann"


def test_a_refutation_carries_its_exact_witness():
    decision = refuted({"beta": sympy.Rational(1, 3), "sigma": (1, 2)}, "1 is not 2")
    assert decision.verdict is Verdict.REFUTED
    assert decision.witness == Witness((("beta", "1/3"), ("sigma", "(1, 2)")), "1 is not 2")
    assert str(decision.witness) == "beta = 1/3, sigma = (1, 2): 1 is not 2"


def test_what_is_undecided_says_what_is_missing():
    decision = undecided("a sign")
    assert (decision.verdict, decision.missing, decision.witness) == (Verdict.UNDECIDED, "a sign", None)


def test_the_statement_that_stands_is_the_corrected_one_where_there_is_one():
    printed, corrected = (Statement(sympy.Integer(k), lambda formula: conclude([SHOWN])) for k in (1, 2))
    assert Claim("id", "§1", "title", printed, "observable").standing is printed
    assert Claim("id", "§1", "title", printed, "observable", corrected).standing is corrected


def test_verdicts_are_written_in_lower_case():
    assert [str(verdict) for verdict in Verdict] == ["proved", "refuted", "undecided"]


def test_a_step_is_shown_in_latex():
    assert SHOWN.latex == "x = 1"


def test_the_scope_names_the_sizes_in_which_steps_were_decided():
    steps = [in_size(size, Step("it holds", "x", Verdict.PROVED)) for size in ("3 x 3", "2 x 2", "3 x 3")]
    assert [step.text for step in steps] == [f"it holds (written out in {step.size})" for step in steps]
    assert conclude(steps).scope == "symbolic dimensions; steps in 2 x 2, 3 x 3"
    assert pickle.loads(pickle.dumps(steps[0])) == steps[0] != steps[1]
