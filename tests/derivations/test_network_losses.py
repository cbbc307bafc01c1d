"""The least losses of linear, ReLU and Tanh models: second transcriptions, witnesses in plain numbers, and breaks."""

import math
from fractions import Fraction
from itertools import product

import pytest
import sympy
from sympy import Max, Rational, Sum

from derivations import rate_distortion, tanh_networks
from derivations.claim import Verdict
from derivations.instances import instances
from derivations.linear_agreement import CLAIMS as LINEAR
from derivations.linear_agreement import stated_loss
from derivations.mutants import mutants
from derivations.notation import beta, d1, dstar, eta_dec, i, residual, zeta
from derivations.rate_distortion import CLAIMS as RELU
from derivations.rate_distortion import bounded_cost, converse, g, gaussian_instances, guess, reconstruction_bound
from derivations.tanh_networks import CLAIMS as TANH
from derivations.tanh_networks import scale, width

CLAIMS = (*LINEAR, *RELU, *TANH)
LEDGER = {claim.id: claim for claim in CLAIMS}
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


# ----------------------------------------------------------------------------------------------- transcription
def theory(instance, latents, residual):
    """L_VAE at Theorem 2's minimum: each mode's error, penalty on the mean and variance term, written out."""
    b, dec, enc = (float(value) for value in (instance.beta, instance.eta_dec, instance.eta_enc))
    total = residual / (2 * dec**2)
    for k, z in enumerate(float(value) for value in instance.zeta):
        if k < latents and z**2 > b * dec**2:
            length = math.sqrt(z**2 - b * dec**2)
            lam, theta, sigma = length / enc, enc * length / z, math.sqrt(b) * dec * enc / z
            total += ((lam * theta - z) ** 2 + sigma**2 * lam**2 + b * dec**2 / enc**2 * theta**2) / (2 * dec**2)
            total += b / 2 * (sigma**2 / enc**2 - 1 - math.log(sigma**2 / enc**2))
        else:
            total += z**2 / (2 * dec**2)
    return total


def test_the_linear_loss_is_that_of_theorem_2():
    formula = LEDGER["s5.linear-agreement"].printed.formula
    for instance in instances():
        expected = theory(instance, instance.d1, float(instance.residual))
        assert float(stated_loss(formula, instance)) == pytest.approx(expected)


def test_the_theory_curve_of_figure_1():
    curve, condition = LEDGER["fig-1.thresholds"].printed.formula.args
    seen = set()
    for instance in gaussian_instances():
        assert float(instance.value(curve)) == pytest.approx(theory(instance, instance.d1, 0.0))
        collapsed = float(instance.zeta[0]) ** 2 <= float(instance.beta * instance.eta_dec**2)
        assert bool(instance.value(condition)) is collapsed
        seen.add(collapsed)
    assert seen == {True, False}


def test_the_bounds_on_a_tanh_unit():
    low, high = LEDGER["app-a.tanh"].printed.formula.args
    for e, s in product((Fraction(1, 3), Fraction(2)), (Fraction(1, 2), Fraction(3))):
        point = {scale: Rational(e.numerator, e.denominator), width: Rational(s.numerator, s.denominator)}
        found = [Fraction(int(value.p), int(value.q)) for value in (low.subs(point), high.subs(point))]
        # (x^3/3)^2 and 2 (x^3/3)(2 x^5/15) with the moments 15 s^6 and 105 s^8
        upper = Fraction(15, 9) * e**4 * s**6
        assert found == [upper - Fraction(2 * 2 * 105, 3 * 15) * e**6 * s**8, upper]


# ---------------------------------------------------------------------------------------------------- verdicts
@each_claim
def test_the_printed_statement_is_proved(claim):
    decision = claim.printed.decide(claim.printed.formula)
    assert decision.verdict is Verdict.PROVED, decision.missing or decision.witness
    assert claim.corrected is None and "conditional" not in decision.scope


@each_claim
def test_every_mutant_is_decided_and_nearly_all_are_refuted(claim):
    verdicts = [claim.standing.decide(mutant.formula).verdict for mutant in mutants(claim.standing.formula)]
    assert set(verdicts) == {Verdict.PROVED, Verdict.REFUTED}
    assert verdicts.count(Verdict.REFUTED) > 30 and verdicts.count(Verdict.PROVED) <= 6


@each_claim
def test_no_assumption_can_be_left_out(claim):
    assert claim.assumptions
    for assumption in claim.assumptions:
        decision = assumption.without(claim.standing.formula)
        assert decision.verdict is Verdict.REFUTED and decision.witness.values, assumption.text


# ------------------------------------------------------------------------------------- witnesses in plain numbers
def test_a_code_for_two_points_is_below_the_formula():
    """x = y = -1 or 1, level t = 1/100: encoder N(x, 1/25), decoder sign(z), against t (1 + log(1/t)), both halved."""
    t, variance = 0.01, 1 / 25
    wrong = math.erfc(5 / math.sqrt(2)) / 2
    loss = (4 * wrong + t * (1 + variance - 1 - math.log(variance))) / 2
    assert loss < 0.6 * t * (1 + math.log(1 / t)) / 2
    assert wrong < Fraction(1, 2**19)


def test_a_target_without_input_costs_its_variance():
    claim = LEDGER["fig-1.thresholds"]
    decision = claim.assumptions[1].without(claim.standing.formula)
    assert dict(decision.witness.values)["r"] == "1" and "below 1/2" in decision.witness.failure


def test_one_latent_does_not_carry_two_modes():
    """zeta = (3, 2), t = 1: one latent leaves the second mode's 4, two cost it 1 + log 4."""
    one, two = 1 + math.log(9) + 4, 1 + math.log(9) + 1 + math.log(4)
    assert one > two + 1


def test_the_least_loss_at_the_prior_s_variance_is_another():
    """Soft-thresholded at w = sqrt(beta) eta_dec a mode costs zeta^2 - (zeta - w)^2: of Sigma held there, this is not refuted."""
    water = sympy.sqrt(beta) * eta_dec
    mode = zeta[i] ** 2 - Max(0, zeta[i] - water) ** 2
    held = (residual + Sum(mode, (i, 1, d1)) + Sum(zeta[i] ** 2, (i, d1 + 1, dstar))) / (2 * eta_dec**2)
    claim = LEDGER["s5.linear-agreement"]
    (assumption,) = claim.assumptions
    assert assumption.without(held).verdict is Verdict.UNDECIDED
    assert claim.printed.decide(held).verdict is Verdict.REFUTED


def test_two_points_are_no_gaussian_unit():
    e, s = Fraction(1, 10), Fraction(1)
    exact = (1 - math.tanh(0.1) / 0.1) ** 2
    most, stated = e**4 * s**6 / 9, Fraction(5, 3) * e**4 * s**6 - Fraction(28, 3) * e**6 * s**8
    assert exact <= most < stated
    claim = LEDGER["app-a.tanh"]
    witness = claim.assumptions[0].without(claim.standing.formula).witness
    assert dict(witness.values) == {"x": "-1 or 1, evenly", "e": str(e), "s": str(s)}
    assert witness.failure == f"the mean square is at most {most}, the lower bound is {stated}"


def test_two_equal_errors_that_go_the_linear_one_s_way_reach_the_bound():
    """a of the linear model, u the decoder, e each error: (a + 2 u e)^2, where a = 2 u e / k is the worst."""
    for u, e, k in product((Fraction(3), Fraction(1, 2)), (Fraction(1, 5), Fraction(2)), (Fraction(1, 3), Fraction(4))):
        a = 2 * u * e / k
        arguments = (Rational(str(value)) for value in (a**2, u**2, e**2, k))
        assert Fraction(str(reconstruction_bound(*arguments))) == (a + 2 * u * e) ** 2


# ------------------------------------------------------------------------------------- the converse, and breaks
def test_the_cost_is_a_constant_and_squares_at_numbers():
    """With the trial density of zeta = 3, beta eta_dec^2 = 4, by hand: N(guess / 3, 4/9)."""
    cost = bounded_cost(Rational(3), active=True).as_expr().subs({beta: 1, eta_dec: 2})
    for x, y in ((Rational(1, 2), Rational(-2)), (Rational(0), Rational(1))):
        gain = -sympy.log(Rational(4, 9)) / 2 - (x - y / 3) ** 2 / (2 * Rational(4, 9)) + x**2 / 2
        by_hand = (3 * x - y) ** 2 + 8 * gain
        assert sympy.simplify(cost.subs({g: x, guess: y}) - by_hand) == 0


def test_the_converse_is_the_least_over_rates():
    """min over R >= 0 of zeta^2 exp(-2R) + 2 t R, on a grid."""
    rates = [k / 1000 for k in range(4000)]
    for singular, active in ((3, True), (1, False)):
        bound = float(converse(Rational(singular), active=active).subs({beta: 1, eta_dec: 2}))
        least = min(singular**2 * math.exp(-2 * rate) + 8 * rate for rate in rates)
        assert bound <= least < bound * (1 + 1 / 1000)


def test_gibbs_inequality_is_an_equation_only_where_the_densities_agree():
    """log u < u - 1 on both sides of 1: the slopes are shown to be positive there, not merely not negative."""
    signs = [
        step.latex for step in rate_distortion.gibbs_steps() if step.latex.endswith(" 0") and " = " not in step.latex
    ]
    assert len(signs) == 2 and all(sign.endswith("> 0") for sign in signs)
    assert all(math.log(u) < u - 1 for u in (0.5, 0.99, 1.01, 2.0))


@pytest.fixture
def fresh_steps():
    caches = (rate_distortion.converse, rate_distortion.converse_steps, rate_distortion.least_of_all)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_wrong_trial_density_proves_nothing(monkeypatch, fresh_steps):
    right = rate_distortion.trial_density
    monkeypatch.setattr(rate_distortion, "trial_density", lambda z, active: (right(z, active=active)[0], sympy.S.One))
    steps = {step.text: step.verdict for step in rate_distortion.converse_steps()}
    assert steps["the guess meets g in no other term (above the threshold)"] is Verdict.UNDECIDED
    formula = LEDGER["fig-1.thresholds"].printed.formula
    with pytest.raises(ValueError, match="does not attain the bound"):
        LEDGER["fig-1.thresholds"].printed.decide(formula)


def test_a_wrong_expansion_of_tanh_proves_nothing(monkeypatch):
    tanh_networks.activation_steps.cache_clear()
    u = sympy.Symbol("u", positive=True)
    monkeypatch.setattr(tanh_networks, "_CUBIC", u - u**3 / 6)
    steps = tanh_networks.activation_steps()
    tanh_networks.activation_steps.cache_clear()
    assert any(step.verdict is Verdict.UNDECIDED for step in steps)


@pytest.mark.parametrize("answer", [lambda truth: None, lambda truth: truth if truth is None else not truth])
def test_a_condition_that_is_not_decided_or_the_other_way_round_proves_nothing(monkeypatch, answer):
    right = rate_distortion.holds
    monkeypatch.setattr(rate_distortion, "holds", lambda formula: answer(right(formula)))
    claim = LEDGER["fig-1.thresholds"]
    decision = claim.printed.decide(claim.printed.formula)
    assert decision.verdict is Verdict.UNDECIDED and "the condition is" in decision.missing
