"""Eq 5 without one of its terms: the printed statements typed once more, the verdicts, and the witnesses in plain fractions."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from derivations import ablation, variance_term
from derivations.claim import Claim, Severity, Verdict
from derivations.exact_data import data_instances
from derivations.instances import instances
from derivations.ledger import claims_by_id
from derivations.notation import Sigma, Theta, U, W, d1, dstar, i, root_water, weight, zeta

NUMBER = re.compile(r"-?\d+(?:/\d+)?")
NAMES = ("s4.5.mean-term", "s4.5.variance-term-fixed", "s4.5.variance-term-learned")


def claim(name: str) -> Claim:
    return claims_by_id()[name]


def decision(name: str, which: str = "standing"):
    statement = getattr(claim(name), which)
    return statement.decide(statement.formula)


def witness(name: str) -> dict[str, str]:
    return dict(decision(name, "printed").witness.values)


def numbers(text: str) -> list[Fraction]:
    return [Fraction(number) for number in NUMBER.findall(text)]


@pytest.mark.parametrize("name", NAMES)
def test_the_standing_statement_is_proved_without_a_cited_lemma(name):
    found = decision(name)
    assert found.verdict is Verdict.PROVED and "conditional" not in found.scope
    assert all(step.verdict is Verdict.PROVED for step in found.steps)


def test_ignoring_the_variance_term_is_refuted_for_a_learned_sigma_alone():
    assert decision("s4.5.variance-term-learned", "printed").verdict is Verdict.REFUTED
    assert claim("s4.5.variance-term-learned").erratum.severity is Severity.CONCLUSION
    for name in NAMES[:2]:
        assert claim(name).corrected is None and claim(name).erratum is None


def test_the_four_cases_of_the_ablation_are_all_recorded():
    texts = [step.text for name in NAMES for step in decision(name).steps]
    for case in (
        "Sigma fixed, without l_mean",
        "Sigma learned, without l_mean",
        "Sigma learned, without l_var",
        "what is deleted",
        "without Tr(U Sigma U^T) instead",
    ):
        assert any(text.startswith(case) for text in texts), case


def loss_of_modes(z, u, v, s, c, *, mean=True):
    """Eq 6 on diagonal U, V: what remains of 2 eta_dec^2 L - r without l_var, and without l_mean if asked."""
    total = sum(
        ((a * b - w) ** 2 + s_i**2 * a**2 + (c * b**2 if mean else 0)) for w, a, b, s_i in zip(z, u, v, s, strict=False)
    )
    return total + sum(w**2 for w in z[len(u) :])


def test_a_point_without_the_variance_term_lies_below_what_is_printed():
    """lambda = a sqrt(zeta), theta = sqrt(zeta) / a, sigma = 1 / a^2: products and squares alone enter the loss."""
    values = witness("s4.5.variance-term-learned")
    z = numbers(values["zeta"])
    t = numbers(values["beta"])[0] * numbers(values["eta_dec"])[0] ** 2
    c, latents = t / numbers(values["eta_enc"])[0] ** 2, int(values["d1"])
    # log x >= 1 - 1/x makes the printed value at least t (2 - t / zeta^2) for each active mode
    printed_at_least = sum(t * (2 - t / w**2) if w**2 > t else w**2 for w in z[:latents]) + sum(
        w**2 for w in z[latents:]
    )
    a = Fraction(2)
    while True:
        at_point = sum(w / a**2 + c * w / a**2 for w in z[:latents]) + sum(w**2 for w in z[latents:])
        if at_point < printed_at_least:
            break
        a *= 2
    assert a < 2**10
    # the same point through Eq 6, with zeta_1 a square: a = 2, zeta = 4 gives lambda = 4, theta = 1, sigma = 1/4
    four = Fraction(4)
    assert loss_of_modes([four], [four], [Fraction(1)], [Fraction(1, 4)], c) == four / 4 + c * four / 4


def test_without_the_mean_term_the_loss_falls_to_the_residual():
    z, s = [Fraction(7), Fraction(5)], [Fraction(1, 3)]
    losses = [loss_of_modes(z, [z[0] / a], [a], s, Fraction(1), mean=False) for a in (1, 10, 100)]
    assert losses[0] > losses[1] > losses[2] > 25
    assert losses[2] - 25 == Fraction(49, 9) / 100**2


def test_without_noise_the_infimum_is_attained():
    values = dict(claim("s4.5.mean-term").assumptions[0].without(ablation.WITHOUT_MEAN).witness.values)
    z = numbers(values["zeta"])
    assert z[0] > 0 and values["Sigma"] == "0"
    attained = loss_of_modes(z, z[: int(values["d1"])], [1] * int(values["d1"]), [0] * len(z), 1, mean=False)
    assert attained == sum(w**2 for w in z[int(values["d1"]) :])


@pytest.mark.parametrize("name", NAMES)
def test_each_assumption_is_needed(name):
    assert claim(name).assumptions
    for assumption in claim(name).assumptions:
        found = assumption.without(claim(name).standing.formula)
        assert found.verdict is Verdict.REFUTED and found.witness.failure
        assert not any("." in value for _, value in found.witness.values)


def test_what_is_said_to_stay_is_the_least_loss_and_the_condition_of_theorem_1():
    value, condition = claim("s4.5.variance-term-learned").printed.formula.args
    for instance in instances()[:40]:
        t = float(instance.beta * instance.eta_dec**2)
        expected = 0.0
        for k, singular in enumerate(float(entry) for entry in instance.zeta):
            kept = k < instance.d1 and singular**2 > t
            expected += t * (1 + sympy.log(singular**2 / t)) if kept else singular**2
        assert float(instance.value(value)) == pytest.approx(float(expected))
        assert bool(instance.value(condition)) == (instance.zeta[0] ** 2 <= instance.beta * instance.eta_dec**2)


def test_the_printed_objective_without_its_last_sum():
    """Written out for one-dimensional data: D0 = d0 = d1 = d2 = 1, x and y from a two-point distribution."""
    formula = claim("s4.5.variance-term-fixed").printed.formula
    data = next(d for d in data_instances() if (d.scalars.d0, d.scalars.d1, d.scalars.d2) == (1, 1, 1))
    w, u = list(data.matrices[W]), data.matrices[U][0, 0]
    b, dec, enc = data.scalars.beta, data.scalars.eta_dec, data.scalars.eta_enc
    codes = [(sum(a * k for a, k in zip(w, x, strict=True)), y[0]) for x, y in data.points]
    misfit = sum((u * code - y) ** 2 for code, y in codes) / len(codes)
    mean = b * dec**2 / enc**2 * sum(code**2 for code, _ in codes) / len(codes)
    spread = u**2 * data.scalars.sigma[0] ** 2
    assert data.value(formula) == (misfit + spread + mean) / (2 * dec**2)


def test_a_wrong_family_is_not_taken_for_a_proof():
    """A deliberate break: U and V both shrink, and the misfit does not stay."""
    wrong = ablation.family_steps("broken", ablation.FIT + ablation.MEAN, 2 * weight * ablation.SquaredNorm(Theta), 1)
    assert wrong[0].verdict is Verdict.UNDECIDED
    right = ablation.family_steps("right", ablation.FIT + ablation.MEAN, weight * ablation.SquaredNorm(Theta), 1)
    assert right[0].verdict is Verdict.PROVED
    assert (
        ablation.tends("broken", 1 + 1 / ablation.run, (ablation.run, sympy.oo), sympy.S.Zero).verdict
        is not Verdict.PROVED
    )


def test_a_wrong_infimum_is_refuted_by_a_point_below_it():
    formula = sympy.Tuple(zeta[1] ** 2, sympy.Eq(zeta[1], 0))
    found = variance_term.describes_loss_without_variance(formula)
    assert found.verdict is Verdict.REFUTED and "the loss is" in found.witness.failure


def test_the_truth_of_an_instance_knows_its_residual():
    instance = replace(instances()[0], zeta=(sympy.Integer(5), sympy.Integer(3)), sigma=(sympy.Integer(2),))
    truth = ablation.without_mean(instance)
    assert truth.infimum == 9 and truth.excess == 100 and not truth.condition
    assert truth.below(sympy.Integer(9)) == "no point lies below that"


def test_a_mode_is_looked_at_above_at_and_below_its_threshold():
    shown = [step.latex for step in ablation.fit_steps() if "adds nothing negative" in step.text]
    assert len(shown) == len(set(shown)) == 3


def test_a_wrong_condition_is_shown_with_the_loss_at_the_origin():
    statement = claim("s4.5.mean-term").standing
    infimum, condition = statement.formula.args
    witness = statement.decide(sympy.Tuple(infimum, sympy.Not(condition))).witness
    signals = numbers(dict(witness.values)["zeta"])
    (origin,) = numbers(re.search(r"the loss is (\S+) at U = V = 0", witness.failure)[1])
    assert any(value not in (0, 1) for value in signals)
    assert origin == sum(value**2 for value in signals)


def test_what_doubling_sigma_adds_is_the_term_that_is_left_out(monkeypatch):
    """beta times sum_i 3 sigma_i^2 / (2 eta_enc^2) - log 2, on data with several standard deviations."""
    data = next(each for each in data_instances() if len({1, *each.scalars.sigma}) > 2)
    monkeypatch.setattr(variance_term, "data_instances", lambda: (data,))
    (assumption,) = claim("s4.5.variance-term-fixed").assumptions
    failure = assumption.without(claim("s4.5.variance-term-fixed").standing.formula).witness.failure
    without, whole = (sympy.sympify(part) for part in re.findall(r"changes by (.*), L_VAE by (.*)", failure)[0])
    scalars = data.scalars
    kl = sum(3 * s**2 / (2 * scalars.eta_enc**2) - sympy.log(2) for s in scalars.sigma)
    assert sympy.simplify(whole - without - scalars.beta * kl) == 0
    assert without == sympy.Rational(3, 2) * (data.matrices[U] * data.matrices[Sigma] * data.matrices[U].T).trace() / (
        scalars.eta_dec**2
    )


def test_with_a_bounded_variance_the_loss_is_that_of_theorem_1_up_to_the_threshold_and_at_it():
    thresholded = sympy.Max(0, zeta[i] - root_water) ** 2
    least = sympy.Sum(zeta[i] ** 2 - thresholded, (i, 1, d1)) + sympy.Sum(zeta[i] ** 2, (i, d1 + 1, dstar))
    (assumption,) = claim("s4.5.variance-term-learned").assumptions
    for condition, expected in ((zeta[1] <= root_water, Verdict.UNDECIDED), (zeta[1] < root_water, Verdict.REFUTED)):
        assert assumption.without(sympy.Tuple(least, condition)).verdict is expected
