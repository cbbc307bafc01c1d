"""What the layers know of the figures: they uphold what stands and refute mutants; codes, Tanh units and networks by quadrature."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Rational

from derivations.claim import Claim, Verdict
from derivations.errors import DataUnavailable
from derivations.ledger import claims_by_id
from derivations.mutants import mutants
from derivations.rate_distortion import THEORY_CURVE
from numerics import scalar_codes
from numerics.evidence import gather, layers_of, refutes
from numerics.lambdified import evaluate
from numerics.layers.base import Finding
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.mnist import image_moments
from numerics.observables import figures
from numerics.scalar_codes import one_bit_codes, smooth_codes
from numerics.tolerances import FLOAT64_DERIVATIVE

WITHOUT_DATA = ("s5.linear-agreement", "fig-1.thresholds", "app-a.tanh")
ON_MNIST = ("fig-2.thresholds", "fig-3.spectrum", "fig-3.modes")
has_images = pytest.mark.skipif(
    not (Path(os.environ.get("COLLAPSE_DATA", "")) / "mnist.npz").is_file(),
    reason="COLLAPSE_DATA names no folder with mnist.npz",
)


@pytest.fixture(scope="module")
def layers() -> Iterator[dict[str, Any]]:
    descent = DescentLayer(seed=0, count=60, real_data=False)
    yield {"exact": ExactLayer(0), "numeric": FloatLayer(0), "descent": descent}


def check(claim: Claim, layer: Any) -> None:
    """The standing statement is upheld; the printed one, if another, and every mutant that is not proved are refuted."""
    rows = gather(claim, claim.standing.formula, layer)
    assert rows and [row for row in rows if not row.passed] == []
    if claim.corrected is not None:
        assert refutes(claim, claim.printed.formula, layer)
    for mutant in mutants(claim.standing.formula):
        verdict = claim.standing.decide(mutant.formula).verdict
        assert refutes(claim, mutant.formula, layer) is (verdict is Verdict.REFUTED), mutant.change


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_the_layers_agree_with_the_derivation(name: str, layers: dict[str, Any]) -> None:
    claim = claims_by_id()[name]
    assert len(layers_of(claim)) == (2 if name == "app-a.tanh" else 3)
    for layer in layers_of(claim):
        check(claim, layers[layer])


@has_images
@pytest.mark.parametrize("layer", ["exact", "numeric"])
@pytest.mark.parametrize("name", ON_MNIST)
def test_the_layers_agree_with_the_derivation_on_mnist(name: str, layer: str, layers: dict[str, Any]) -> None:
    check(claims_by_id()[name], layers[layer])


@has_images
@pytest.mark.slow
def test_descent_agrees_with_the_derivation_on_mnist() -> None:
    layer = DescentLayer(seed=0, count=1)
    for name in ON_MNIST:
        check(claims_by_id()[name], layer)


def test_descent_leaves_mnist_out_with_the_other_real_data(layers: dict[str, Any]) -> None:
    claim = claims_by_id()["fig-3.modes"]
    with pytest.raises(DataUnavailable, match="left out"):
        gather(claim, claim.standing.formula, layers["descent"])


@has_images
def test_other_numbers_of_the_derivation_are_noticed(monkeypatch: pytest.MonkeyPatch, layers: dict[str, Any]) -> None:
    claim = claims_by_id()["fig-3.spectrum"]
    for changed in (
        replace(figures.MNIST, trace=figures.MNIST.trace + 1),
        replace(figures.MNIST, enclosures=figures.MNIST.enclosures[1:]),
    ):
        monkeypatch.setattr(figures, "MNIST", changed)
        assert any(not row.passed for row in gather(claim, claim.standing.formula, layers["exact"]))


def test_what_the_layers_read_off_images_encloses_their_spectrum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any images: the roots are rational, and lie outside the enclosures by no more than their last digit."""
    images = np.random.default_rng(0).integers(0, 256, (200, 7)).astype(np.uint8)
    moments = image_moments(images * np.array([1, 1, 1, 1, 1, 1, 0], dtype=np.uint8))
    monkeypatch.setattr(figures, "mnist_moments", lambda: moments)
    readings = (figures._enclosed, figures._computed)
    for reading in readings:
        reading.cache_clear()
    (lower, upper), computed = (reading() for reading in readings)
    for reading in readings:
        reading.cache_clear()
    assert len(lower.zeta) == len(upper.zeta) == len(computed.zeta) == 8
    bounds = zip(moments.enclosures, lower.zeta[:-1], upper.zeta[:-1], computed.zeta[:-1], strict=True)
    for (low, high), below, above, middle in bounds:
        assert below**2 <= low < (below + Rational(1, 10**8)) ** 2 or below == 0 >= low
        assert (above - Rational(1, 10**8)) ** 2 <= high < above**2
        assert below <= middle <= above
    spectrum = np.linalg.eigvalsh(np.cov(images[:, :6].T / 255.0, bias=True))[::-1]
    assert np.allclose(computed.zeta[:6] ** 2, spectrum, rtol=0, atol=FLOAT64_DERIVATIVE.value)
    for reading in (lower, upper, computed):
        levels = [0.0, *((spectrum[1:] + spectrum[:-1]) / 2), 2 * spectrum[0]]
        assert [reading.remaining(level) for level in levels] == [5, 1, 2, 3, 4, 5, 0]


# ------------------------------------------------------------------------------------------------------- codes
def bound(code: Any, backend: str) -> float:
    return float(evaluate(THEORY_CURVE.args[0], code.values, backend))


def test_codes_come_near_the_bound_and_stay_above() -> None:
    ratios = [code.loss / bound(code, "numpy") for code in smooth_codes(0)]
    assert 1 < min(ratios) < 1.001 and max(ratios) > 1.3
    assert all(float(code.loss) > bound(code, "exact") for code in one_bit_codes())


def test_a_code_below_the_bound_is_noticed(monkeypatch: pytest.MonkeyPatch, layers: dict[str, Any]) -> None:
    first, *others = smooth_codes(0)
    low = replace(first, loss=bound(first, "numpy") * 0.99)
    monkeypatch.setattr(figures, "smooth_codes", lambda seed: [low, *others])
    found = list(figures.gaussian_least_loss(layers["numeric"], THEORY_CURVE))
    assert [finding.instance for finding in found if not finding.agrees] == [low.name]


@pytest.mark.parametrize(("slope", "deviation"), [(1.0, 1.0), (0.8, 0.6), (2.0, 0.5)])
def test_the_least_squared_error_of_a_linear_encoder(slope: float, deviation: float) -> None:
    g = np.linspace(-8.0, 8.0, 641)
    found = scalar_codes._least_squared_error(g, slope * g, np.full_like(g, deviation))
    assert abs(found - deviation**2 / (slope**2 + deviation**2)) < FLOAT64_DERIVATIVE.value


def test_one_bit_of_a_gaussian_leaves_1_minus_2_over_pi() -> None:
    """By draws: the encoder keeps the sign of g, the decoder says the mean of the half."""
    g = np.random.default_rng(0).standard_normal(200_000)
    error = np.mean((g - np.sign(g) * np.sqrt(2 / np.pi)) ** 2)
    code = next(c for c in one_bit_codes() if c.zeta == 1 and c.beta == Rational(1, 4))
    at_numbers = (error / (2 * float(code.eta_dec) ** 2)) + float(code.beta) * np.log(2)
    assert abs(at_numbers - float(code.loss)) < 0.01


# ------------------------------------------------------------------------------------------------------- Tanh
def test_both_layers_integrate_the_same() -> None:
    pairs = list(zip(figures._enclosed_units(), figures._integrated_units(), strict=True))
    assert len(pairs) == 25
    for enclosed, integrated in pairs:
        assert enclosed.name == integrated.name
        assert 0 < enclosed.low <= enclosed.high
        assert abs(float(enclosed.low) / integrated.low - 1) < 1 / 10**8
        assert float(enclosed.high / enclosed.low) - 1 < 1 / 10**8


def tanh_network_loss(e: float, zeta: float, beta: float) -> float:
    """L_VAE (eta_dec = eta_enc = 1) of the linear minimum with tanh(e .)/e put into encoder and decoder, by quadrature."""
    lam, theta, sigma = np.sqrt(zeta**2 - beta), np.sqrt(zeta**2 - beta) / zeta, np.sqrt(beta) / zeta
    grid = np.linspace(-9.0, 9.0, 721)
    weights = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    mean = np.tanh(e * theta * grid) / e
    z = mean[:, None] + sigma * grid
    error = weights @ (lam * np.tanh(e * z) / e - zeta * grid[:, None]) ** 2 @ weights
    divergence = weights @ (mean**2 + sigma**2 - 1 - np.log(sigma**2)) / 2
    return float(error / 2 + beta * divergence)


def test_tanh_networks_approach_the_linear_minimum_from_above() -> None:
    zeta, beta = 2.0, 1.5
    least = beta * (1 + np.log(zeta**2 / beta)) / 2
    excess = [tanh_network_loss(e, zeta, beta) - least for e in (0.4, 0.2, 0.1, 0.05)]
    assert all(value > 0 for value in excess)
    # the square of the units' error e^2, for at the minimum a first-order change costs nothing
    assert all(8 < before / after < 17 for before, after in pairwise(excess))
    assert excess[-1] < 1 / 1000


def test_a_finding_of_the_layers_can_fail(layers: dict[str, Any]) -> None:
    low, high = claims_by_id()["app-a.tanh"].standing.formula.args
    for wrong in ((high, high), (low, low), (low, high / 2)):
        found: list[Finding] = list(
            figures.tanh_error(layers["exact"], claims_by_id()["app-a.tanh"].standing.formula.func(*wrong))
        )
        assert any(not finding.agrees for finding in found)


def test_regressions_lie_on_both_sides_of_the_thresholds() -> None:
    minima = figures._regressions(0, "cpu")
    active = [minimum.active(figures.DESCENT_INVARIANT.value) for minimum in minima]
    assert len(minima) == 24 and min(active) == 0 and max(active) == 5 and len(set(active)) >= 4
    assert {(m.problem.d0, m.problem.d1, m.problem.d2, m.problem.eta_dec, m.problem.eta_enc) for m in minima} == {
        (5, 5, 5, 1.0, 1.0)
    }
