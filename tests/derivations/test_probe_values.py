"""What the probes of the objective's assumptions find, both sides evaluated once more with plain fractions."""

import math
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from sympy import Rational, sympify

from derivations import elbo
from derivations.claim import Verdict
from derivations.exact_data import data_instances
from derivations.ledger import claims_by_id
from derivations.proposition_1_reduction import whitens_with_an_eigenvalue_left_out

DIAGONAL = "Sigma is diagonal"
LEDGER = claims_by_id()


def probed(name: str) -> dict[str, str]:
    claim = LEDGER[name]
    (assumption,) = (each for each in claim.assumptions if each.text.endswith(DIAGONAL))
    decision = assumption.without(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    return dict(decision.witness.values) | {"failure": decision.witness.failure}


def fractions(text: str) -> list[Fraction]:
    return [Fraction(number) for number in re.findall(r"-?\d+(?:/\d+)?", text)]


def sides(values: dict[str, str]) -> tuple[float, float]:
    stated, defined = (float(eval(side, {"log": math.log})) for side in values["failure"].split(" is not "))
    return stated, defined


@pytest.mark.parametrize("name", ["eq-4.elbo", "eq-5.decomposition"])
def test_the_objective_of_correlated_latents(name):
    """E_x of half the squared error and of KL = (|m|^2 + tr Sigma - d1 - log det Sigma)/2, all scales being 1."""
    values = probed(name)
    assert values["beta"] == values["eta_dec"] == values["eta_enc"] == "1"
    w, u = fractions(values["W"]), fractions(values["U"])
    a, b, c, d = fractions(values["Sigma"])
    draws = list(zip(*[iter(fractions(values["(x, y, noise)"]))] * 4, strict=True))
    assert len(draws) == 8 and b == c != 0

    count = len(draws)
    noise = [(e, f) for _, _, e, f in draws]
    assert [sum(e * e for e, _ in noise), sum(e * f for e, f in noise), sum(f * f for _, f in noise)] == [
        count * a, count * b, count * d
    ]  # fmt: skip
    assert sum(e for e, _ in noise) == sum(f for _, f in noise) == 0
    assert sum(x * e for x, _, e, _ in draws) == sum(x * f for x, _, _, f in draws) == 0

    error = sum((u[0] * (w[0] * x + e) + u[1] * (w[1] * x + f) - y) ** 2 for x, y, e, f in draws) / count
    means = (w[0] ** 2 + w[1] ** 2) * sum(x * x for x, *_ in draws) / count
    without_determinant = (means + a + d - 2) / 2
    expected = float(error / 2 + without_determinant) - math.log(a * d - b * c) / 2
    separate = sum((u[0] * w[0] * x + u[1] * w[1] * x - y) ** 2 for x, y, *_ in draws) / count
    spread = u[0] ** 2 * a + u[1] ** 2 * d + 2 * u[0] * u[1] * b
    assert error == separate + spread, "Eq 5 knows the covariance in U Sigma U^T, and not in the logarithms"
    assert sides(values) == pytest.approx((float(error / 2 + without_determinant), expected))


def test_the_reduced_objective_of_correlated_latents():
    """The least loss over U, V of each Sigma, all scales being 1: the rows (1, 1) and (1, -1) over sqrt(2) diagonalise it."""
    values = probed("eq-13.reduced")
    assert values["beta"] == values["eta_dec"] == values["eta_enc"] == "1"
    (a, b, c, d), zeta = fractions(values["Sigma"]), fractions(values["zeta"])
    assert a == d and b == c != 0 and fractions(values["other Sigma"]) == [a, 0, 0, d]

    def least(variances: list[Fraction]) -> float:
        deviations = sorted(math.sqrt(v) for v in variances)
        gains = sum(z * z - max(0.0, float(z) - s) ** 2 for z, s in zip(zeta, deviations, strict=True))
        return float(gains + sum(v - 1 - math.log(v) for v in variances)) / 2

    numbers = re.search(r"changes by (.*); the minima are (.*) and (.*)", values["failure"])
    assert numbers is not None
    change, correlated, separate = (float(eval(text, {"log": math.log})) for text in numbers.groups())
    assert (correlated, separate) == pytest.approx((least([a + b, a - b]), least([a, d])))
    assert change == pytest.approx(correlated - separate) and change != 0


@pytest.mark.parametrize(("scale", "decoder", "prior"), [(4, 3, 1), (1, Fraction(1, 2), 2), (Fraction(9, 4), 1, 3)])
def test_the_objective_of_correlated_latents_at_any_scale(scale, decoder, prior, monkeypatch):
    """The probe's side, where its scales are not 1."""
    data, claim = elbo.correlated_data(), LEDGER["eq-4.elbo"]
    b, dec, enc = (Rational(str(value)) for value in (scale, decoder, prior))
    scaled = replace(data, scalars=replace(data.scalars, beta=b, eta_dec=dec, eta_enc=enc), _known={})
    monkeypatch.setattr(elbo, "correlated_data", lambda: scaled)
    decision = elbo.objective_of_correlated_latents(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None

    covariance = [Fraction(1), Fraction(24, 25)]
    error = Fraction(0)
    for x in (1, -1):
        for e, f in [(p, Fraction(24, 25) * p + Fraction(7, 25) * q) for p in (1, -1) for q in (1, -1)]:
            error += (x + e + f - x) ** 2
    error /= 8
    means = Fraction(1)
    quadratic = error / (2 * Fraction(decoder) ** 2) + scale * ((means + 2) / Fraction(prior) ** 2 - 2) / 2
    logarithms = 2 * math.log(prior**2) - math.log(covariance[0] ** 2 - covariance[1] ** 2)
    _, defined = sides({"failure": decision.witness.failure})
    assert defined == pytest.approx(float(quadratic) + float(scale) * logarithms / 2)


def test_one_eigenvalue_is_left_out():
    """The probe drops the last of the positive eigenvalues, and no more."""
    claim = LEDGER["notation.whitening"]
    decision = whitens_with_an_eigenvalue_left_out(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    values = dict(decision.witness.values)
    P_A, Phi = (sympify(values[name]) for name in ("P_A", "Phi"))
    data = next(data for data in data_instances() if data.scalars.d0 > 1)
    assert data.scalars.d0 == 2 and {len(row) for row in P_A} == {len(Phi)} == {1}
