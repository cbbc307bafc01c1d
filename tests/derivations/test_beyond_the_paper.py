"""What is stated beyond the paper, against one mode minimised anew: no closed form of the minimum, no SymPy."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sympy import Eq, Piecewise, Rational

from derivations.claim import Verdict
from derivations.gradient_flow import product
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from derivations.notation import i

TOLERANCE = 1e-6
"""The square root of the precision of a loss of order 1, with a margin."""
OF_A_SLOPE, OF_AN_EXTRAPOLATION = 3 / 1000, 1 / 10_000
"""What that leaves of a slope from three values a hundredth apart, and of a parabola through them."""


def best_mode(
    singular: float, beta: float, eta_dec: float, eta_enc: float, *, learned: bool = True
) -> tuple[float, float, float]:
    """(L, KL, expected squared error) where the loss of one mode is least: (zeta g - u (v g + s eps))^2/(2 eta_dec^2) + beta KL."""

    def parts(at: Any) -> tuple[float, float, float]:
        u, v = at[:2]
        variance = math.exp(at[2]) if learned else eta_enc**2
        ratio = variance / eta_enc**2
        rate = (v**2 / eta_enc**2 + ratio - 1 - math.log(ratio)) / 2
        error = (singular - u * v) ** 2 + u**2 * variance
        return error / (2 * eta_dec**2) + beta * rate, rate, error

    start = np.array([1.0, 1.0, 2 * math.log(eta_enc) - 0.1])
    found = minimize(lambda at: parts(at)[0], start, method="BFGS", options={"gtol": 1e-9})
    return parts(found.x)


def value(formula: Any, instance: Instance, k: int = 1) -> float:
    return float(instance.value(formula, k))


def one_mode(singular: Any, beta: Any, eta_dec: Any, eta_enc: Any) -> Instance:
    numbers = [Rational(str(Fraction(number))) for number in (singular, beta, eta_dec, eta_enc)]
    return Instance((numbers[0],), (numbers[3],), *numbers[1:], d0=1, d2=1)


SCALES = [("3", "1", "1", "1"), ("5/2", "3", "1/2", "2"), ("1", "1/4", "3/2", "1/3"), ("1", "2", "1", "3")]


@pytest.mark.parametrize("scales", SCALES, ids="-".join)
def test_rate_and_error_are_those_of_the_best_code_of_a_mode(scales: tuple[str, ...]) -> None:
    rate, error = claims_by_id()["x.rate-distortion"].standing.formula.args
    instance = one_mode(*scales)
    _, nats, squared = best_mode(*(float(Fraction(number)) for number in scales))
    assert value(rate, instance) == pytest.approx(nats, abs=TOLERANCE)
    assert value(error, instance) == pytest.approx(squared, rel=TOLERANCE)


def test_no_other_level_with_the_same_error_is_cheaper() -> None:
    """Two modes that share a total error: by a grid over how, the cheapest is one level."""
    rate, _ = claims_by_id()["x.rate-distortion"].standing.formula.args
    variances, level = (9.0, 4.0), 1.5
    shares = np.linspace(0.05, 2 * level - 0.05, 2_000)
    costs = np.log(variances[0] / shares) / 2 + np.log(variances[1] / (2 * level - shares)) / 2
    assert shares[costs.argmin()] == pytest.approx(level, abs=0.01)
    instance = Instance(
        (Rational(3), Rational(2)), (Rational(1),) * 2, Rational(3, 2), Rational(1), Rational(1), d0=2, d2=2
    )
    assert sum(value(rate, instance, k) for k in (1, 2)) == pytest.approx(costs.min(), abs=TOLERANCE)


@pytest.mark.parametrize("learned", [True, False], ids=["learned", "prior"])
@pytest.mark.parametrize("scales", SCALES[:3], ids="-".join)
def test_the_curvature_jumps_as_the_rate_bends(scales: tuple[str, ...], learned: bool) -> None:
    """By the envelope theorem the slope of the least loss in beta is the KL, so that its curvature is the KL's slope."""
    name = "x.transition-order" if learned else "x.transition-order-prior"
    formula = claims_by_id()[name].standing.formula
    singular, _, eta_dec, eta_enc = (float(Fraction(number)) for number in scales)
    edge, step = (singular / eta_dec) ** 2, 1e-2
    below, above = (
        [best_mode(singular, edge * (1 + sign * k * step), eta_dec, eta_enc, learned=learned) for k in (1, 2, 3)]
        for sign in (-1, 1)
    )
    slopes = [
        (-2.5 * a[1] + 4 * b[1] - 1.5 * c[1]) / (sign * edge * step) for sign, (a, b, c) in ((-1, below), (1, above))
    ]
    jump = slopes[1] - slopes[0]
    stated = value(formula.args[2], one_mode(*scales))
    assert stated == pytest.approx(jump, rel=OF_A_SLOPE)
    assert formula.args[:2] == (0, 0)
    # the loss and the rate are continuous: both sides' extrapolations to the edge meet
    for quantity in (0, 1):
        ends = [3 * a[quantity] - 3 * b[quantity] + c[quantity] for a, b, c in (below, above)]
        assert ends[0] == pytest.approx(ends[1], abs=OF_AN_EXTRAPOLATION)


def flow(Z: Any, variances: Any, c: float, U: Any, V: Any) -> tuple[Any, Any]:
    """-grad/2 of |U V^T - Z|^2 + Tr(U Sigma U^T) + c |V|^2."""
    missing = Z - U @ V.T
    return missing @ V - U * variances, missing.T @ U - c * V


@pytest.mark.parametrize("seed", range(4))
def test_the_fastest_growth_is_the_largest_eigenvalue_of_the_flow_at_the_origin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d2, d0, d1 = (int(size) for size in rng.integers(1, 4, 3))
    zeta, deviations = np.sort(rng.integers(1, 6, min(d0, d2)))[::-1], rng.integers(1, 4, d1)
    beta, eta_dec, eta_enc = rng.integers(1, 4, 3)
    F, G = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in (d2, d0))
    Z = F[:, : len(zeta)] * zeta @ G[:, : len(zeta)].T
    c, size = beta * eta_dec**2 / eta_enc**2, (d2 + d0) * d1
    columns = []
    for unit in np.eye(size):
        U, V = 1e-9 * unit[: d2 * d1].reshape(d2, d1), 1e-9 * unit[d2 * d1 :].reshape(d0, d1)
        columns.append(np.concatenate([part.ravel() for part in flow(Z, deviations**2, c, U, V)]) / 1e-9)
    fastest = np.linalg.eigvalsh(np.array(columns))[-1]
    numbers = [tuple(Rational(int(n)) for n in group) for group in (zeta, deviations, (beta, eta_dec, eta_enc))]
    instance = Instance(numbers[0], numbers[1], *numbers[2], d0=d0, d2=d2)
    assert value(claims_by_id()["x.gradient-flow"].standing.formula, instance) == pytest.approx(fastest, abs=TOLERANCE)


@pytest.mark.parametrize(("zeta", "deviation", "m"), [(3, 1, "1/2"), (3, 1, "5/2"), (1, 2, "2/3"), (4, 2, "1/9")])
def test_a_balanced_mode_grows_logistically(zeta: int, deviation: int, m: str) -> None:
    """m(t) = a m e^(2at)/(a + m (e^(2at) - 1)) with a = zeta - sigma sqrt(c), followed by small steps of the matrices' flow."""
    start = float(Fraction(m))
    U = V = np.array([[start**0.5]])
    step, count = 1e-4, 500
    for _ in range(count):
        first = flow(np.array([[zeta]]), deviation**2, deviation**2, U, V)
        second = flow(np.array([[zeta]]), deviation**2, deviation**2, U + step / 2 * first[0], V + step / 2 * first[1])
        U, V = U + step * second[0], V + step * second[1]
    net = zeta - deviation**2
    grown = math.exp(2 * net * step * count)
    logistic = start / (1 + start * 2 * step * count) if net == 0 else net * start * grown / (net + start * (grown - 1))
    assert (U @ V.T).item() == pytest.approx(logistic, rel=TOLERANCE)
    # c = beta eta_dec^2/eta_enc^2 = sigma^2, with other scales than 1
    instance = Instance(
        (Rational(zeta),), (Rational(deviation),), Rational(4), Rational(3 * deviation, 2), Rational(3), d0=1, d2=1
    )
    formula = claims_by_id()["x.gradient-flow-balanced"].standing.formula.xreplace({product: Rational(m)})
    assert value(formula, instance) == pytest.approx(2 * start * (net - start), rel=TOLERANCE)


@pytest.mark.parametrize("name", ["x.rate-distortion", "x.transition-order", "x.transition-order-prior"])
def test_neighbours_of_what_is_stated_are_refuted(name: str) -> None:
    claim = claims_by_id()[name]
    assert claim.standing.decide(claim.standing.formula).verdict is Verdict.PROVED
    for place, part in enumerate(claim.standing.formula.args):
        for other in (2 * part + 1, part + i):
            args = [*claim.standing.formula.args]
            args[place] = other
            changed = claim.standing.formula.func(*args)
            decision = claim.standing.decide(changed)
            assert decision.verdict is Verdict.REFUTED and decision.witness is not None
            assert "i" in dict(decision.witness.values)


@pytest.mark.parametrize("name", ["x.rate-distortion", "x.transition-order", "x.transition-order-prior"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_every_mode_is_looked_at(name: str, k: int) -> None:
    """Wrong at the k-th mode alone, the last one of some instance."""
    claim = claims_by_id()[name]
    args = [*claim.standing.formula.args]
    args[-1] = args[-1] + Piecewise((1, Eq(i, k)), (0, True))
    decision = claim.standing.decide(claim.standing.formula.func(*args))
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    assert dict(decision.witness.values)["i"] == str(k)


@pytest.mark.parametrize("name", ["x.rate-distortion", "x.transition-order", "x.transition-order-prior"])
def test_without_a_latent_of_its_own_a_mode_does_otherwise(name: str) -> None:
    claim = claims_by_id()[name]
    (narrow,) = (each for each in claim.assumptions if "d1" in each.text)
    decision = narrow.without(claim.standing.formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    where = dict(decision.witness.values)
    assert int(where["i"]) > int(where["d1"])
