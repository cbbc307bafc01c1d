"""What collapse is likened to and what it looks like: statements typed once more, verdicts, and witnesses in plain fractions."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import Eq, Equivalent, Ge, Le, Lt, Ne, false, true

from derivations import constant_output, input_variance, regression, saddle
from derivations.claim import Claim, Severity, Verdict
from derivations.elbo import kl_parts
from derivations.instances import instances, is_exactly_zero
from derivations.ledger import claims_by_id
from derivations.notation import Mean, MeanMatrix, SquaredNorm, beta, eta_dec, eta_enc, i, sigma, x, y, zeta

NUMBER = re.compile(r"-?\d+(?:/\d+)?")
VERDICTS = {
    "s4.5.regression": Verdict.REFUTED,
    "app-c.input-variance": Verdict.REFUTED,
    "s6.constant-output": Verdict.PROVED,
    "thm-3.saddle": Verdict.PROVED,
}


def claim(name: str) -> Claim:
    return claims_by_id()[name]


def decision(name: str, which: str = "standing"):
    statement = getattr(claim(name), which)
    return statement.decide(statement.formula)


def witness(name: str) -> dict[str, str]:
    return dict(decision(name, "printed").witness.values)


def numbers(text: str) -> list[Fraction]:
    return [Fraction(number) for number in NUMBER.findall(text)]


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdicts(name):
    assert decision(name, "printed").verdict is VERDICTS[name]
    found = decision(name)
    assert found.verdict is Verdict.PROVED and "conditional" not in found.scope
    assert (claim(name).erratum is not None) == (VERDICTS[name] is Verdict.REFUTED)
    if claim(name).erratum is not None:
        assert claim(name).erratum.severity is Severity.CONDITION


@pytest.mark.parametrize("name", VERDICTS)
def test_each_assumption_is_needed(name):
    for assumption in claim(name).assumptions:
        found = assumption.without(claim(name).standing.formula)
        assert found.verdict is Verdict.REFUTED and found.witness.failure


# ---------------------------------------------------------------------------------------------- regression
def test_the_printed_sentence_on_regression_is_never():
    """Next to the origin something always lies above it."""
    formula = claim("s4.5.regression").printed.formula
    assert formula.subs(regression.excess, 0) == false and formula.subs(regression.excess, 1) == true


def test_the_corrected_sentence_on_regression_by_its_truth_table():
    formula = claim("s4.5.regression").corrected.formula
    for signal in (0, 3):
        for excess in (0, 2):
            values = {SquaredNorm(MeanMatrix(y * x.T)): sympy.Integer(signal), regression.excess: sympy.Integer(excess)}
            assert bool(formula.xreplace(values)) == ((excess == 0) == (signal == 0))


def test_the_origin_is_the_maximum_of_the_posterior_at_the_witness():
    """Log posterior of one weight w, up to a constant: -sum (y - w x)^2 / (2 s^2) - w^2 / (2 tau^2)."""
    values = witness("s4.5.regression")
    xs, ys = numbers(values["x"]), numbers(values["y"])
    noise, prior = numbers(values["eta_dec"])[0], numbers(values["tau"])[0]

    def log_posterior(w: Fraction) -> Fraction:
        misfit = sum((b - w * a) ** 2 for a, b in zip(xs, ys, strict=True))
        return -misfit / (2 * noise**2) - w**2 / (2 * prior**2)

    assert any(ys), "a target that is not 0"
    for step in (Fraction(1, 1000), Fraction(1), Fraction(50)):
        assert log_posterior(step) < log_posterior(Fraction(0)) > log_posterior(-step)


def test_with_correlation_the_origin_is_not_even_stationary():
    data = regression.regression_data()
    slopes = {item.correlation.is_zero_matrix: item.slope() for item in data}
    assert slopes[True].is_zero_matrix and not slopes[False].is_zero_matrix
    wrong = Equivalent(Eq(regression.excess, 0), Ne(SquaredNorm(MeanMatrix(y * x.T)), 0))
    assert regression.characterises_maximum(wrong).verdict is Verdict.REFUTED


def steepest(density, shape):
    """The largest difference quotient of a density of weights at 0, along each weight and against it."""
    origin, tiny, rises = np.zeros(shape), 1e-6, []
    for place in np.ndindex(*shape):
        for sign in (1, -1):
            step = origin.copy()
            step[place] = sign * tiny
            rises.append((density(step) - density(origin)) / tiny)
    return max(rises)


@pytest.mark.parametrize("data", regression.regression_data())
def test_the_rise_from_the_origin_with_a_laplace_prior_or_laplace_noise(data):
    """Of the log density itself, with scales other than 1 and targets that are 0 among the data."""
    x, y = (np.array(part.tolist(), dtype=float) for part in (data.inputs, data.targets))
    noise, tau, shape = float(data.eta_dec), float(data.tau), (len(y), len(x))

    def with_prior(B):
        return -np.sum((y - B @ x) ** 2) / (2 * noise**2) - np.abs(B).sum() / tau

    def with_noise(B):
        return -np.abs(y - B @ x).sum() / noise - np.sum(B**2) / (2 * tau**2)

    assert abs(float(regression.laplace_prior_rise(data)) - steepest(with_prior, shape)) < 1e-3
    stated = regression.laplace_noise_rise(data)
    assert (stated is None) == (shape != (1, 1))
    if stated is not None:
        assert abs(float(stated) - steepest(with_noise, shape)) < 1e-3


def test_several_targets_of_one_input_by_hand():
    """E[y x^T] of (1, (3, 0)) and (2, (4, 1)); with Laplace noise only one target's rise is told."""
    inputs, targets = sympy.ImmutableMatrix([[1, 2]]), sympy.ImmutableMatrix([[3, 4], [0, 1]])
    data = regression.RegressionData(inputs, targets, sympy.Rational(1), sympy.Rational(1))
    assert data.correlation == sympy.ImmutableMatrix([[sympy.Rational(11, 2)], [1]])
    assert regression.laplace_noise_rise(data) is None


@pytest.mark.parametrize("stated", [regression.NEVER, Le(regression.excess, 0)], ids=["never", "always"])
def test_a_laplace_density_is_refuted_by_what_the_origin_is(stated):
    for assumption in claim("s4.5.regression").assumptions[1:]:
        failure = assumption.without(stated).witness.failure
        (rate,) = re.findall(r"at a rate of (\S+) at most", failure)
        rises = Fraction(rate) > 0
        assert rises == (stated != regression.NEVER) and f"the origin {'is not' if rises else 'is'} its" in failure


def test_the_steps_on_regression_notice_another_posterior(monkeypatch):
    """A deliberate break: a prior that the weights do not feel."""
    assert decision("s4.5.regression").verdict is Verdict.PROVED
    regression.posterior_steps.cache_clear()
    flat = -regression.count / 2 * Mean(SquaredNorm(y - regression.B * x))
    monkeypatch.setattr(regression, "log_posterior", lambda: flat)
    try:
        assert any(step.verdict is not Verdict.PROVED for step in regression.posterior_steps())
    finally:
        regression.posterior_steps.cache_clear()


# -------------------------------------------------------------------------------------------- input variance
def test_the_printed_sentence_on_input_variance_is_about_every_family():
    formula = claim("app-c.input-variance").printed.formula
    assert input_variance.has_constants not in formula.free_symbols
    for gap in (0, 1):
        for spread in (0, 1):
            found = formula.subs({input_variance.gap: gap, input_variance.spread: spread})
            assert bool(found) == (gap == spread == 0)


def test_the_family_of_the_witness_loses_by_jensen():
    """sigma(x)^2 = s h with h = 1 or 4: at any mean m the log costs log m - (log(2m/5) + log(8m/5)) / 2 = log(5/4) a latent."""
    values = witness("app-c.input-variance")
    assert values["family"] == "sigma_i(x) = s_i |x|, x = 1 or 2"
    m = Fraction(7, 3)
    h = (Fraction(1), Fraction(4))
    mean = sum(h) / 2
    assert sum(m * k / mean for k in h) / 2 == m
    assert m**2 / math.prod(m * k / mean for k in h) == Fraction(5, 4) ** 2
    assert max(m * k / mean for k in h) / m - 1 == Fraction(3, 5)
    expected = float(numbers(values["beta"])[0]) / 2 * int(values["d1"]) * math.log(5 / 4)
    _, found = input_variance.families()[0]
    assert float(found.gap) == pytest.approx(expected)
    assert found.spread == sympy.Rational(3, 5)


def test_the_family_of_the_witness_by_brute_force():
    """Both least losses of one mode on a grid of variances: 2 eta_dec^2 L of the witness, without SymPy."""
    values = witness("app-c.input-variance")
    z, t, prior = (float(numbers(values[key])[0]) for key in ("zeta", "beta", "eta_enc"))
    t *= float(numbers(values["eta_dec"])[0]) ** 2
    c = t / prior**2

    def least(logs: float, singular: float) -> float:
        def loss(m: float) -> float:
            kept = max(0.0, singular - math.sqrt(c * m))
            return singular**2 - kept**2 + t * (m / prior**2 - 1 - (math.log(m / prior**2) - logs))

        return min(loss(math.exp(k / 500)) for k in range(-4000, 4000))

    modes = [z, *[0.0] * (int(values["d1"]) - 1)]
    difference = sum(least(math.log(5 / 4), mode) - least(0.0, mode) for mode in modes)
    _, family = input_variance.families()[0]
    assert difference / 2 / float(numbers(values["eta_dec"])[0]) ** 2 == pytest.approx(float(family.gap))


def test_gap_and_spread_come_from_the_functions():
    """A latent without signal pays t ((a + b)/2 - 1 - log(a b)/2) for values a and b times eta_enc^2 at its two inputs."""
    instance = next(each for each in instances() if each.zeta == (0,) and each.d1 == 1)
    t = instance.beta * instance.eta_dec**2
    for a, b in ((1, 1), (1, 3), (2, 2), (sympy.Rational(1, 2), 5)):
        values = [[instance.eta_enc**2 * a, instance.eta_enc**2 * b]]
        found = input_variance.family("", False, instance, values)
        expected = t * (sympy.Rational(a + b) / 2 - 1 - sympy.log(a * b) / 2) / (2 * instance.eta_dec**2)
        assert is_exactly_zero(found.gap - expected)
        assert found.spread == sympy.Rational(max(a, b) * 2, a + b) - 1


def test_the_family_with_the_constants_attains_their_minimum():
    found = [each for _, each in input_variance.families() if each.has_constants]
    assert found and all(each.gap == each.spread == 0 for each in found)


def test_the_logarithm_is_what_makes_constants_best(monkeypatch):
    """A deliberate break: a cost that is linear in the variance would see its mean alone."""
    input_variance.jensen_steps.cache_clear()
    linear = (kl_parts()[0], sigma[i] ** 2 / eta_enc**2)
    monkeypatch.setattr(input_variance, "kl_parts", lambda: linear)
    try:
        assert any(step.verdict is not Verdict.PROVED for step in input_variance.jensen_steps())
    finally:
        input_variance.jensen_steps.cache_clear()


def test_a_family_that_does_better_than_constants_would_refute(monkeypatch):
    better = input_variance.Family("impossible", True, sympy.Integer(-1), sympy.S.Zero)
    monkeypatch.setattr(input_variance, "families", lambda: ((instances()[0], better),))
    assert decision("app-c.input-variance").verdict is Verdict.REFUTED


# ---------------------------------------------------------------------------------- the output and the origin
def test_the_printed_sentence_on_the_output():
    formula = claim("s6.constant-output").printed.formula
    for instance in instances():
        collapsed = instance.zeta[0] ** 2 <= instance.beta * instance.eta_dec**2
        for power in (0, 2):
            found = instance.value(formula.subs(constant_output.output, power))
            assert bool(found) == (not collapsed or power == 0)


def test_the_squared_output_in_closed_form():
    """(zeta^2 - t)_+ a mode where Sigma is learned; zeta (zeta - sqrt(t))_+ where it is the prior's."""
    seen = set()
    for instance in constant_output.prior_instances():
        t = instance.beta * instance.eta_dec**2
        modes = instance.zeta[: instance.d1]
        learned = sum(max(sympy.S.Zero, z**2 - t) for z in modes)
        fixed = sum(z * max(sympy.S.Zero, z - sympy.sqrt(t)) for z in modes)
        assert sympy.simplify(constant_output.squared_output(instance, learned=True) - learned) == 0
        assert sympy.simplify(constant_output.squared_output(instance, learned=False) - fixed) == 0
        seen.add(bool(learned > 0))
    assert seen == {True, False}


def test_the_output_is_constant_only_where_collapse_is_complete():
    """Stronger than the sentence, and true: above the threshold something is learned."""
    below = Le(zeta[1] ** 2, beta * eta_dec**2)
    found = constant_output.is_constant_when_collapsed(Equivalent(below, Eq(constant_output.output, 0)))
    assert found.verdict is Verdict.PROVED


def test_a_posterior_at_the_prior_is_not_enough_for_a_constant_output():
    """W = 0, sigma = eta_enc and a decoder e_1 e_1^T: its mean is one latent, of the prior's variance, below the threshold."""
    (assumption,) = claim("s6.constant-output").assumptions
    found = assumption.without(claim("s6.constant-output").standing.formula)
    values = dict(found.witness.values)
    z, weight, decoder, prior = (numbers(values[key])[0] for key in ("zeta", "beta", "eta_dec", "eta_enc"))
    assert z**2 <= weight * decoder**2 and set(numbers(values["sigma"])) == {prior}
    assert numbers(found.witness.failure)[-1] == prior**2 > 0


def test_the_origin_is_one_thing_or_the_other():
    """Both signs, and something below: or not both signs, and nothing below."""
    formula = claim("thm-3.saddle").printed.formula
    for lowest in (-1, 0, 1):
        for highest in (-1, 0, 1):
            for gap in (-1, 0):
                values = {saddle.smallest_eigenvalue: lowest, saddle.largest_eigenvalue: highest, saddle.gap: gap}
                assert bool(formula.subs(values)) == ((lowest < 0 < highest) == (gap < 0))


@pytest.mark.parametrize(
    "wrong", [Ge(saddle.smallest_eigenvalue, 0), Lt(saddle.gap, 0), Lt(saddle.largest_eigenvalue, 0)]
)
def test_what_the_origin_is_not_always(wrong):
    assert saddle.relates_saddle_and_minimum(wrong).verdict is Verdict.REFUTED


def test_no_largest_eigenvalue_is_below_the_smallest():
    """Whatever stands for the largest: it is true of every symmetric matrix, and signs alone do not show it."""
    wrong, right = (relation(saddle.largest_eigenvalue, saddle.smallest_eigenvalue) for relation in (Lt, Ge))
    verdicts = [saddle.relates_saddle_and_minimum(statement).verdict for statement in (wrong, right)]
    assert verdicts == [Verdict.REFUTED, Verdict.UNDECIDED]


def test_the_saddle_of_a_two_by_two_problem_in_fractions():
    """zeta = 3, sigma = c = 1: along u = v = s the loss falls from 9 by 4 s^2 - s^4; along u alone it rises by s^2."""
    zeta, s = Fraction(3), Fraction(1, 10)

    def loss(u: Fraction, v: Fraction) -> Fraction:
        return (u * v - zeta) ** 2 + u**2 + v**2

    assert loss(s, s) - loss(0, 0) == s**4 - 4 * s**2 < 0 < loss(s, 0) - loss(0, 0) == s**2


def test_a_constant_output_is_asked_of_every_minimum():
    wrong = Eq(constant_output.output, 0)
    found = constant_output.is_constant_when_collapsed(wrong)
    assert found.verdict is Verdict.REFUTED and "E|U z|^2" in found.witness.failure


def test_the_gap_of_a_family_is_in_nats() -> None:
    """With sigma = s |x| only the mean of log sigma^2 falls, by log(5/4) a latent, and it has the weight beta/2 in the loss."""
    found = [(instance, family) for instance, family in input_variance.families() if family.name.startswith("sigma_i")]
    assert {instance.eta_dec for instance, _ in found} > {1}
    for instance, family in found:
        assert is_exactly_zero(family.gap - instance.beta / 2 * instance.d1 * sympy.log(sympy.Rational(5, 4)))


def test_the_slope_of_the_posterior_is_that_of_its_density() -> None:
    """Of -sum (y - b x)^2/8 - (b - m)^2/18 at b = 0: (3 1 + 5 2)/4 + m/9."""
    data = regression.RegressionData(
        sympy.ImmutableMatrix([[1, 2]]), sympy.ImmutableMatrix([[3, 5]]), sympy.Integer(2), sympy.Integer(3)
    )
    assert data.slope()[0, 0] == sympy.Rational(13, 4)
    assert data.slope(sympy.Integer(2))[0, 0] == sympy.Rational(13, 4) + sympy.Rational(2, 9)
