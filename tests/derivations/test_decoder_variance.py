"""The learned decoder variance: the statements typed a second time, facts by plain fractions, and breaks that must show."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy
from decoder_model import CLAIMS, Model

from derivations import decoder_cases, decoder_collapse, decoder_variance
from derivations.claim import Verdict
from derivations.decoder_collapse import CONDITIONS
from derivations.decoder_instances import (
    all_kept,
    autoencoder_instances,
    carried,
    collapse_fixed,
    collapse_learned,
    decoder_instance,
    decoder_instances,
    held_slope,
    largest_minimiser,
    left_out,
    unbounded,
    vanishes,
    weakest,
)
from derivations.decoder_variance import CLOSED_FORM, gives_learned_variance, kept, slope_steps, stated_variance
from derivations.notation import beta, d1, d2, dstar, residual
from numerics.tolerances import DIFFERENCE_QUOTIENT, FLOAT64_IDENTITY

REFUTED = {
    "s4.4.threshold",
    "s4.4.threshold-partial",
    "s4.4.vae",
    "s4.4.vae-vanilla",
    "s4.4.vae-every-data-set",
    "s4.4.no-causal-relation",
    "s4.4.underparametrized",
    "s4.4.parametrization",
    "s4.4.small-beta",
    "s4.5.decoder-variance",
}
each_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)


# --------------------------------------------------------------------------------- instances and facts
def test_the_facts_of_the_instances_agree_with_plain_fractions():
    seen = set()
    for instance in (*decoder_instances(), *autoencoder_instances()):
        model, facts = Model.of(instance), (collapse_learned, collapse_fixed, unbounded, vanishes)
        found = [instance.value(symbol) == sympy.true for symbol in facts]
        assert found == [model.collapses, model.collapses_at_the_given_decoder, model.unbounded, model.vanishes]
        assert Fraction(str(largest_minimiser(instance))) == model.last_minimiser()
        seen.add(tuple(found))
    assert len(seen) >= 6


def test_the_slope_is_that_of_the_loss_and_the_minimiser_is_one():
    checked = 0
    for instance in decoder_instances():
        model = Model.of(instance)
        best = float(model.last_minimiser())
        for s in (0.03, 0.4, 1.7, 6.0):
            step = 1e-6 * s
            slope = (model.loss(s + step) - model.loss(s - step)) / (2 * step)
            stated = float(model.slope(Fraction(s))) / (2 * s * s)
            assert abs(slope - stated) <= DIFFERENCE_QUOTIENT.value * max(1, abs(stated))
            if best:
                assert model.loss(best) <= model.loss(s) + FLOAT64_IDENTITY.value / 10
                checked += 1
            else:
                assert model.loss(s * 1e-3) < model.loss(s)
    assert checked > 100


def test_every_kind_of_instance_occurs():
    instances = decoder_instances()
    zero_slope = [Model.of(each) for each in instances if Model.of(each).last_minimiser() > 0]
    assert any(model.slope(model.last_minimiser() / 2) == 0 for model in zero_slope), "a valley"
    assert any(Model.of(each).unbounded for each in instances)
    assert {len(set(each.zeta)) < len(each.zeta) for each in instances} == {True, False}
    assert {(each.d1 > len(each.zeta)) - (each.d1 < len(each.zeta)) for each in instances} == {-1, 0, 1}
    assert all(each.residual > 0 or max(each.zeta) > 0 for each in instances), "y is not zero"
    assert all(each.d2 == each.D0 and each.residual == 0 and min(each.zeta) > 0 for each in autoencoder_instances())


# ------------------------------------------------------------------------------- a second transcription
def test_the_closed_form_typed_again():
    for instance in decoder_instances():
        squares = [Fraction(str(z)) ** 2 for z in instance.zeta]
        weight, r = Fraction(str(instance.beta)), Fraction(str(instance.residual))
        most = min(instance.d1, instance.d0, instance.d2)
        values = [
            (r + sum(squares[k:])) / (instance.d2 - k * weight) for k in range(most + 1) if k * weight < instance.d2
        ]
        assert Fraction(str(stated_variance(CLOSED_FORM, instance))) == min(values)


def typed_again(name, m, instance):
    """The printed statements, as truths of numbers."""
    weight, d1_, d2_, modes = m.weight, m.d1, m.d2, len(m.squares)
    total = m.r + sum(m.squares)
    ratio = Fraction(d2_, modes)
    return {
        "s4.4.still-collapses": m.collapses == (d2_ * m.squares[0] <= weight * total),
        "s4.4.threshold": not (weight < ratio and m.collapses),
        "s4.4.threshold-vae": not (weight < ratio and m.collapses),
        "s4.4.threshold-partial": weight >= ratio or m.keeps_all,
        "s4.4.parametrization-vae": m.vanishes == (d1_ >= modes),
        "s4.4.small-beta-vae": d1_ < modes or weight >= ratio or m.unbounded,
        "s4.4.tight": weight < ratio or m.collapses,
        "s4.4.vae": ratio == 1,
        "s4.4.vae-vanilla": m.collapses == (weight >= 1),
        "s4.4.no-causal-relation": m.collapses_at_the_given_decoder == m.collapses,
        "s4.4.vae-every-data-set": m.collapses,
        "s4.4.underparametrized": d1_ >= modes or not m.vanishes,
        "s4.4.parametrization": d1_ < modes or m.vanishes,
        "s4.4.small-beta": d1_ < modes or weight >= ratio or m.unbounded,
        "s2.four-cases": (m.collapses_at_the_given_decoder == (weight * m.eta_dec**2 >= m.squares[0]))
        and (m.collapses == (weight * total >= d2_ * m.squares[0])),
        "s4.5.decoder-variance": m.collapses_at_the_given_decoder and not m.collapses,
        "s4.5.decoder-variance-influence": (m.collapses_at_the_given_decoder and not m.collapses)
        == (m.last_minimiser() < m.squares[0] / weight <= m.eta_dec**2),
    }[name]


@pytest.mark.parametrize("name", [name for name in CLAIMS if name != "x.decoder-variance-exact"])
def test_the_printed_statements_typed_again(name):
    seen = set()
    for instance in (*decoder_instances(), *autoencoder_instances()):
        stated = instance.value(CLAIMS[name].printed.formula)
        expected = typed_again(name, Model.of(instance), instance)
        assert stated == (sympy.true if expected else sympy.false), instance
        seen.add(expected)
    always = {"s4.4.still-collapses", "s2.four-cases", "s4.5.decoder-variance-influence"}
    assert seen == ({True} if name in always else {True, False})


# ------------------------------------------------------------------------------------------- verdicts
@each_claim
def test_the_printed_verdict_and_the_correction(claim):
    decision = claim.printed.decide(claim.printed.formula)
    assert decision.verdict is (Verdict.REFUTED if claim.id in REFUTED else Verdict.PROVED), decision.missing
    standing = claim.standing.decide(claim.standing.formula)
    assert standing.verdict is Verdict.PROVED, standing.missing
    assert all(step.verdict is Verdict.PROVED for step in standing.steps)
    assert (claim.corrected is None) == (claim.erratum is None) == (claim.id not in REFUTED)


@each_claim
def test_no_statement_survives_without_its_assumptions(claim):
    for assumption in claim.assumptions:
        decision = assumption.without(claim.standing.formula)
        assert decision.verdict is Verdict.REFUTED and decision.witness is not None, assumption.text


# --------------------------------------------------------------------------------- breaks that must show
def test_a_maximum_for_the_minimum_shows():
    wrong = [
        instance
        for instance in decoder_instances()
        if max(
            (instance.value(CLOSED_FORM.args[0].xreplace({kept: sympy.Integer(k)})), k)
            for k in range(min(instance.d1, len(instance.zeta)) + 1)
            if k * instance.beta < instance.d2
        )[0]
        != largest_minimiser(instance)
    ]
    assert len(wrong) > 20


def test_a_wrong_slope_leaves_the_closed_form_unproved(monkeypatch):
    slope_steps.cache_clear()
    monkeypatch.setattr(decoder_variance, "taken", lambda square: sympy.Max(square, beta * decoder_variance.s))
    assert gives_learned_variance(CLOSED_FORM).verdict is Verdict.UNDECIDED
    slope_steps.cache_clear()


def test_beyond_the_zero_of_a_piece_its_sign_is_strict():
    """Where g is merely not negative the loss might be level, and the minimum no single one."""
    shown = {step.text: step.latex for step in decoder_variance.sign_steps()}
    strict = [latex for text, latex in shown.items() if "is positive" in text]
    assert len(strict) == 2 and all("> 0" in latex and r"\geq 0" not in latex for latex in strict)


def test_a_wrong_condition_leaves_the_threshold_unproved(monkeypatch):
    claim = CLAIMS["s4.4.threshold"]
    decoder_collapse.truths_in.cache_clear()
    wrong = sympy.Le(CONDITIONS[collapse_learned].lhs - beta * d2, 0)
    monkeypatch.setitem(CONDITIONS, collapse_learned, wrong)
    assert claim.corrected.decide(claim.corrected.formula).verdict is Verdict.UNDECIDED
    decoder_collapse.truths_in.cache_clear()


def test_what_happens_at_exact_instances_is_what_the_conditions_say():
    """On either side: what is found from the slope of the profile, and the conditions that proofs go by."""
    for happening, condition in CONDITIONS.items():
        found = [
            (instance.value(happening), instance.value(condition))
            for instance in (*decoder_instances(), *autoencoder_instances())
        ]
        assert all(fact == stated for fact, stated in found), happening
        assert {fact for fact, _ in found} == {sympy.true, sympy.false}, happening


def test_at_the_ratio_the_threshold_fails():
    at = sympy.Implies(sympy.And(sympy.Le(beta, d2 / dstar), sympy.Eq(residual, 0)), sympy.Not(collapse_learned))
    decision = CLAIMS["s4.4.threshold"].corrected.decide(at)
    assert decision.verdict is Verdict.REFUTED and "zeta = (1,), beta = 1," in str(decision.witness)


def test_the_input_has_the_dimension_of_its_second_moment_and_of_its_kernel():
    assert [decoder_instance([2, 1], 0, 1).D0, decoder_instance([2, 1], 0, 1, d0=3, kernel=2).D0] == [2, 5]


def test_singular_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        decoder_instance([1, 1], 0, 1, d0=1)


@pytest.mark.parametrize(
    ("ratios", "first", "second"), [((1, 1), 1, 1), ((2, 2), 2, 2), (("3/2", "1/4"), "1/4", "3/2")]
)
def test_the_slope_with_deviations_held(ratios, first, second):
    """zeta = (3, 2), beta s = 1/4: mode i takes zeta_i c_i / 2 off where that is less than zeta_i^2, the first with the least c."""
    instance = decoder_instance([3, 2], 5, "1/40", d1=2)
    held = replace(instance, eta_enc=sympy.Integer(3), sigma=tuple(3 * sympy.Rational(ratio) for ratio in ratios))
    taken = min(9, 3 * sympy.Rational(first) / 2) + min(4, 2 * sympy.Rational(second) / 2)
    assert held_slope(held, sympy.Integer(10)) == instance.d2 * 10 - 5 - taken
    collapsed = replace(held, beta=sympy.Integer(100))
    assert held_slope(collapsed, sympy.Integer(10)) == instance.d2 * 10 - 5 - 9 - 4


def test_all_modes_with_a_latent_are_kept_or_not_by_hand():
    """s is learned: zeta = (2, 1), r = 1, d1 = 2, beta = 1/2 has s = (1)/(2 - 2 beta) = 1, so that both are above beta s = 1/2; at
    beta = 1 it is (1 + 1)/(2 - 1) = 2 and the second is not."""
    for weight, expected in (("1/2", True), (1, False)):
        instance = decoder_instance([2, 1], 1, weight, d1=2)
        assert instance.value(all_kept) == sympy.sympify(expected)
        assert [instance.value(each) for each in (carried, weakest, left_out)] == [2, 1, 0]
    alone = decoder_instance([2, 1, 0], 1, 1, d1=1)
    assert [alone.value(each) for each in (carried, weakest, left_out)] == [1, 4, 1]
    nothing = decoder_instance([0], 1, 1)
    assert [nothing.value(each) for each in (all_kept, carried, weakest)] == [sympy.true, 0, 0]


def test_modes_beyond_the_latents_count_whole_whatever_their_size():
    """zeta = (4, 3), one latent: 3^2 is left, in the slope with deviations at the prior's and in what an erratum says."""
    instance = decoder_instance([4, 3], 5, "1/2", d1=1)
    expected = instance.d2 * 2 - 5 - 4 - 9
    assert sympy.simplify(held_slope(instance, sympy.Integer(2)) - expected) == 0
    for happening in (unbounded, vanishes):
        assert (
            decoder_collapse.deciding(happening, instance) == "r and the zeta_i^2 beyond d1 add up to 14, rank Z is 2"
        )


def test_the_cases_of_a_problem_hold_every_instance():
    """Each of many problems with y not zero is one of the cases, by r, Z and the side of the threshold on which beta lies."""
    names = [name for name, _ in decoder_cases.problem_cases()]
    told = set()
    for instance in (*decoder_instances(), *autoencoder_instances()):
        squares = sum(value**2 for value in instance.zeta)
        if squares == 0:
            told.add("Z = 0, r > 0")
            continue
        threshold = instance.d2 * instance.zeta[0] ** 2 / (instance.residual + squares)
        side = "above" if instance.beta > threshold else "at" if instance.beta == threshold else "below"
        unexplained = "0" if instance.residual == 0 else str(decoder_cases._unexplained)
        told.add(f"r = {unexplained}, beta {side} its threshold")
    assert told == set(names) and len(names) == len(told)


def test_cases_of_ranks_leave_open_what_they_do_not_name():
    """rank Z <= d1 may be less or the same; rank Z > d1 by any margin."""
    seen = set()
    for name, case in decoder_cases.rank_cases():
        if "<= d1" in name:
            spare = case[d1] - case[decoder_cases.rank]
            assert spare.is_nonnegative and spare.is_positive is None and spare.free_symbols
        elif "> d1" in name:
            assert (case[decoder_cases.rank] - case[d1]).is_positive
        seen.add(name.partition(",")[0])
    assert len(seen) == 2, "r = 0 and not"
