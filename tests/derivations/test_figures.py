"""What section 5 and the figures say of MNIST: a second transcription, the counterexample in plain fractions, and breaks."""

from dataclasses import replace
from fractions import Fraction

import pytest
from sympy import Abs, And, Eq, Ge, Gt, Le, Lt, Ne, Not, Or, Piecewise, Rational, Sum

from derivations import figures
from derivations.claim import Verdict
from derivations.enclosures import Remaining, Setting
from derivations.figures import CLAIMS, MNIST
from derivations.mutants import mutants
from derivations.notation import d1, dstar, i, zeta

LEDGER = {claim.id: claim for claim in CLAIMS}
PRINTED_TOP_FIVE = ("5.12", "3.74", "3.25", "2.84", "2.57")
PRINTED_REMAINING = (("3.5", 2), ("6", 0))


def decided(name):
    statement = LEDGER[name].printed
    return statement.decide(statement.formula)


def witness(name):
    return dict(decided(name).witness.values)


# ----------------------------------------------------------------------------------------------- transcription
def test_the_printed_spectrum():
    conjuncts = LEDGER["fig-3.spectrum"].printed.formula.args
    expected = {
        Le(Abs(zeta[k] - Rational(value)), Rational("0.005")) for k, value in enumerate(PRINTED_TOP_FIVE, start=1)
    }
    assert set(conjuncts) == expected


def test_the_corrected_spectrum_is_the_printed_one_of_the_squares():
    printed, corrected = (LEDGER["fig-3.spectrum"].printed.formula, LEDGER["fig-3.spectrum"].standing.formula)
    assert corrected == printed.xreplace({zeta[k]: zeta[k] ** 2 for k in range(1, 6)}) != printed


def test_the_printed_modes():
    conjuncts = LEDGER["fig-3.modes"].printed.formula.args
    for beta, count in PRINTED_REMAINING:
        assert Eq(Remaining(Rational(beta)), count) in conjuncts


def test_about_five_is_within_a_half():
    conjuncts = set(LEDGER["fig-2.thresholds"].printed.formula.args)
    assert conjuncts == {
        Remaining(Rational("4.5")) > 0,
        Eq(Remaining(Rational("5.5")), 0),
        Le(Abs(zeta[1] ** 2 - 5), Rational("0.5")),
    }


# ---------------------------------------------------------------------------------------------------- verdicts
def test_the_verdicts():
    assert decided("fig-3.spectrum").verdict is Verdict.REFUTED
    assert [decided(name).verdict for name in ("fig-2.thresholds", "fig-3.modes")] == [Verdict.PROVED] * 2
    corrected = LEDGER["fig-3.spectrum"].standing
    assert corrected.decide(corrected.formula).verdict is Verdict.PROVED
    assert decided("fig-3.modes").scope == "numeric only, from the 60,000 training images"


def test_the_counterexample_in_plain_fractions():
    bounds = witness("fig-3.spectrum")["zeta_1^2"].strip("[]").split(", ")
    low, high = (Fraction(bound) for bound in bounds)
    assert 0 < low < high < (Fraction(PRINTED_TOP_FIVE[0]) - Fraction("0.005")) ** 2
    # and by the integers alone: zeta_1^4 <= tr A^2
    unit = (60_000 * 255) ** 2
    assert Fraction(MNIST.squares, unit**2) < (Fraction(PRINTED_TOP_FIVE[0]) - Fraction("0.005")) ** 4


def test_the_printed_spectrum_contradicts_the_printed_modes():
    assert sum(Fraction(value) ** 2 > Fraction("6") for value in PRINTED_TOP_FIVE) == 5 != PRINTED_REMAINING[1][1]
    for beta, count in PRINTED_REMAINING:  # as squares they do not
        assert sum(Fraction(value) > Fraction(beta) for value in PRINTED_TOP_FIVE) == count


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_mutant_is_decided_and_most_are_refuted(claim):
    verdicts = [claim.standing.decide(mutant.formula).verdict for mutant in mutants(claim.standing.formula)]
    assert set(verdicts) == {Verdict.PROVED, Verdict.REFUTED}
    assert verdicts.count(Verdict.REFUTED) > 10


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_assumption_can_be_left_out(claim):
    assert len(claim.assumptions) >= 2
    for assumption in claim.assumptions:
        decision = assumption.without(claim.standing.formula)
        assert decision.verdict is Verdict.REFUTED and decision.witness.values, assumption.text


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_where_nothing_fails_without_an_assumption_that_is_said(claim):
    """A covariance that is not 0 has a positive eigenvalue, of raw pixels, about 0 and at any eta_dec."""
    for assumption in claim.assumptions:
        decision = assumption.without(zeta[1] > 0)
        assert decision.verdict is Verdict.UNDECIDED and decision.missing, assumption.text


def test_the_integers_of_the_images_fit_each_other():
    """S = n X^T X - s s^T: tr S is -|s|^2 and tr S^2 is |s|^4, but for multiples of n, and of 2n where n is even."""
    assert MNIST.n % 2 == 0
    assert (MNIST.trace + MNIST.sums) % MNIST.n == 0 != MNIST.sums % MNIST.n
    assert (MNIST.squares - MNIST.sums**2) % (2 * MNIST.n) == 0 != MNIST.squares % MNIST.n
    total = (MNIST.trace + MNIST.sums) // MNIST.n  # the sum of all squares of pixels
    assert MNIST.sums < MNIST.n * total < MNIST.n * 60_000 * 784 * 255**2
    assert MNIST.trace**2 // MNIST.pixels < MNIST.squares < MNIST.trace**2


# ------------------------------------------------------------------------------------------------------ breaks
def shifted(by):
    moved = tuple((low + by, high + by) for low, high in MNIST.enclosures)
    return replace(MNIST, enclosures=moved)


def test_another_spectrum_is_noticed(monkeypatch):
    claim = LEDGER["fig-3.spectrum"]
    monkeypatch.setattr(figures, "MNIST", shifted(Rational(1, 100)))
    assert claim.standing.decide(claim.standing.formula).verdict is Verdict.REFUTED


def test_bounds_that_are_too_wide_decide_nothing(monkeypatch):
    wide = tuple((low - Rational(1, 10), high + Rational(1, 10)) for low, high in MNIST.enclosures)
    monkeypatch.setattr(figures, "MNIST", replace(MNIST, enclosures=wide))
    claim = LEDGER["fig-3.spectrum"]
    decision = claim.standing.decide(claim.standing.formula)
    assert decision.verdict is Verdict.UNDECIDED and "too wide" in decision.missing


def test_bounds_that_contradict_the_traces_prove_nothing(monkeypatch):
    monkeypatch.setattr(figures, "MNIST", replace(MNIST, trace=MNIST.trace // 4))
    claim = LEDGER["fig-3.spectrum"]
    decision = claim.standing.decide(claim.standing.formula)
    assert decision.verdict is Verdict.UNDECIDED and "tr A" in decision.missing


# ------------------------------------------------------------------------------------------------ ball arithmetic
TWO = Setting(((Rational(4), Rational("4.41")), (Rational(1), Rational(1))), modes=3, d1=2)
"""zeta_1 in [2, 2.1], zeta_2 = 1, zeta_3 in [0, 1]."""


@pytest.mark.parametrize(
    ("formula", "answer"),
    [
        (zeta[1] > Rational("1.9"), True),
        (zeta[1] > Rational("2.05"), None),
        (zeta[1] > Rational("2.2"), False),
        (Le(zeta[1] ** 2, Rational("4.5")), True),
        (Ge(zeta[1] ** 2, 5), False),
        (Lt(zeta[1] ** 2 - zeta[2] ** 2, 4), True),
        (Abs(zeta[2] - 4) > 2, True),
        (Gt(zeta[3], Rational("0.5")), None),
        (Eq(Remaining(2), 1), True),
        (Ne(Remaining(2), 1), False),
        (Eq(Remaining(Rational("4.2")), 1), None),
        (Eq(Remaining(5), 0), True),
        (Eq(Sum(Piecewise((1, zeta[i] ** 2 > 2), (0, True)), (i, 1, d1)), 1), True),
        (Eq(Sum(Piecewise((1, zeta[i] ** 2 > 2), (0, True)), (i, 1, dstar)), 1), True),
        (Eq(Sum(Piecewise((1, zeta[i] ** 2 > Rational(1, 2)), (0, True)), (i, 1, dstar)), 1), False),
        (And(zeta[1] > 1, zeta[2] > 2), False),
        (And(zeta[1] > Rational("2.05"), zeta[2] > 2), False),
        (Or(zeta[1] > Rational("2.05"), zeta[2] > 2), None),
        (Or(zeta[1] > 1, zeta[2] > 2), True),
        (Not(zeta[1] > 1), False),
    ],
    ids=str,
)
def test_a_boolean_within_bounds(formula, answer):
    assert TWO.holds(formula) is answer


def test_the_decoder_moves_the_level():
    assert TWO.holds(Eq(Remaining(1), 1)) is True  # zeta_2^2 = 1 is not above it
    assert replace(TWO, eta_dec=Rational(1, 2)).holds(Eq(Remaining(1), 2)) is True
    assert replace(TWO, eta_dec=Rational(3)).holds(Eq(Remaining(1), 0)) is True
