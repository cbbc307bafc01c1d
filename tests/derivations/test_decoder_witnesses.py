"""The exact points that refute §4.4 and its like, evaluated again in plain fractions."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from decoder_model import CLAIMS, NUMBER, Model, witness
from sympy import Rational

from derivations.decoder_collapse import deciding
from derivations.decoder_instances import (
    all_kept,
    at_held_deviations,
    collapse_fixed,
    collapse_learned,
    decoder_instance,
    decoder_instances,
    learned_variance,
    unbounded,
    vanishes,
)


def test_collapse_below_the_threshold():
    m = Model.witnessed("s4.4.threshold")
    assert m.weight < Fraction(m.d2, len(m.squares)) and m.r > 0
    edge = max(m.squares) / m.weight
    assert m.collapses and m.last_minimiser() == edge and m.slope(edge / 2) < 0, "the loss falls until all collapsed"
    further = Model([1], m.r + 1, m.weight, m.d1, m.d2)
    assert further.squares == m.squares and further.slope(edge) < 0, "with a larger r it still falls there"


def test_a_learned_decoder_that_collapses_where_the_given_one_does_not():
    m = Model.witnessed("s4.4.no-causal-relation")
    assert m.collapses and not m.collapses_at_the_given_decoder


def test_a_vanilla_autoencoder_with_equal_eigenvalues_and_without_a_minimum():
    m = Model.witnessed("s4.4.vae-vanilla")
    assert m.weight == 1 and m.r == 0 and set(m.squares) == {1} and len(m.squares) < m.d2 and m.unbounded


def test_an_autoencoder_with_another_ratio():
    values = witness("s4.4.vae")
    assert values["d2"] == values["D0"] != values["d0"] and values["r"] == "0"


def test_a_vanilla_autoencoder_that_does_not_collapse():
    m = Model.witnessed("s4.4.vae-every-data-set")
    best = m.last_minimiser()
    assert m.weight == 1 and m.r == 0 and len(m.squares) == m.d2
    assert best > 0 and max(m.squares) > m.weight * best and m.slope(best / 2) < 0 == m.slope(best)


def test_few_latents_and_no_decoder_variance():
    m = Model.witnessed("s4.4.underparametrized")
    assert m.d1 < len(m.squares) and m.vanishes and m.slope(Fraction(1, 10**6)) >= 0


def test_many_latents_and_a_decoder_variance():
    m = Model.witnessed("s4.4.parametrization")
    small = Model([math.isqrt(int(q)) for q in m.squares], m.r, Fraction(1, 10**6), m.d1, m.d2)
    assert m.d1 >= len(m.squares) and not m.vanishes and small.last_minimiser() >= m.r / m.d2 > 0


def test_many_latents_a_small_beta_and_a_minimum():
    m = Model.witnessed("s4.4.small-beta")
    assert m.d1 >= len(m.squares) and m.weight * len(m.squares) < m.d2 and m.last_minimiser() > 0


def test_one_mode_that_collapses_below_the_ratio():
    m = Model.witnessed("s4.4.threshold-partial")
    assert m.weight * len(m.squares) < m.d2 and m.r > 0 and not m.keeps_all


def test_collapse_with_a_learned_decoder_only():
    m = Model.witnessed("s4.5.decoder-variance")
    assert m.collapses and not m.collapses_at_the_given_decoder


@pytest.mark.parametrize(
    "name", [name for name, claim in CLAIMS.items() if claim.corrected is not None and name != "s4.4.vae"]
)
def test_the_failure_shows_the_numbers_that_decide(name):
    failure = CLAIMS[name].printed.decide(CLAIMS[name].printed.formula).witness.failure
    m = Model.witnessed(name)
    first, end = m.squares[0], m.last_minimiser()
    if "with_a_learned_decoder" in failure:
        water = f"zeta_1^2 = {first} and beta eta_dec^2 = {m.weight * end}, with the learned eta_dec^2 = {end}"
        assert f"learned_decoder is {m.collapses} ({water if end else 'there is no minimum'}" in failure
    if "at_the_given_decoder" in failure:
        held = m.eta_dec**2
        water = f"zeta_1^2 = {first} and beta eta_dec^2 = {m.weight * held}, with the given eta_dec^2 = {held}"
        assert f"at_the_given_decoder is {m.collapses_at_the_given_decoder} ({water})" in failure
    if "vanishes" in failure:
        sums = f"add up to {m.r + sum(m.squares[m.d1 :])}, rank Z is {sum(q > 0 for q in m.squares)}"
        assert f"decoder_variance_vanishes is {m.vanishes} (r and the zeta_i^2 beyond d1 {sums})" in failure
    assert "(" in failure


@pytest.mark.parametrize("ratios", [(2,), (Rational(1, 2),), (3, Rational(1, 2))])
def test_what_happens_with_sigma_held(ratios):
    """Each profile over s = eta_dec^2 by hand, in float64, on a grid: where it is least, and which modes are then active."""
    for instance in decoder_instances()[:30]:
        held, facts = at_held_deviations(instance, tuple(map(sympy.sympify, ratios)))
        levels = np.sort(np.resize([float(each) for each in ratios], instance.d1)) ** 2 * float(instance.beta)
        modes = [float(value) for value in instance.zeta]
        kept, lost = modes[: instance.d1], modes[instance.d1 :]
        grid = np.geomspace(1e-4, 1e3, 4001)
        costs = [
            np.where(z > np.sqrt(level * grid), 2 * z * np.sqrt(level * grid) - level * grid, z**2)
            for z, level in zip(kept, levels, strict=False)
        ]
        rest = float(instance.residual) + sum(z**2 for z in lost)
        profile = (sum(costs) + rest) / (2 * grid) + instance.d2 / 2 * np.log(grid)
        least, first, level = grid[profile.argmin()], modes[0] ** 2, levels[0]
        assert [s / instance.eta_enc for s in held.sigma] == [ratios[k % len(ratios)] for k in range(instance.d1)]
        margins = [z**2 / (c * least) - 1 for z, c in zip(kept, levels, strict=False) if z > 0]
        if all(abs(margin) > 1e-2 for margin in margins):
            assert facts[all_kept] == sympy.sympify(all(margin > 0 for margin in margins)), instance
        assert not facts[unbounded], "y is not zero, and a mode that is kept costs more the smaller s is"
        assert facts[vanishes] == sympy.sympify(rest == 0)
        assert facts[collapse_fixed] == sympy.sympify(first <= level * float(instance.eta_dec) ** 2)
        if abs(first - level * least) > 1e-2 * first:
            assert facts[collapse_learned] == sympy.sympify(bool(first < level * least)), instance
        if facts[collapse_learned]:
            assert float(facts[learned_variance]) == pytest.approx(least, rel=0.01)


def test_the_learned_decoder_variance_is_not_stationary_at_the_priors_sigma():
    """Held at eta_enc an active mode takes zeta_i sqrt(beta s) off the slope, which is less than zeta_i^2."""
    claim = CLAIMS["x.decoder-variance-exact"]
    decision = claim.assumptions[0].without(claim.standing.formula)
    values = {name: [Fraction(each) for each in NUMBER.findall(text)] for name, text in decision.witness.values}
    (weight,), (r,), (latents,), (outputs,) = (values[name] for name in ("beta", "r", "d1", "d2"))
    stated, slope = re.findall(r"value (\S+) the slope is (\S+)/", decision.witness.failure)[0]
    root = math.isqrt(int(weight * Fraction(stated)))
    assert root**2 == weight * Fraction(stated)
    kept, lost = values["zeta"][: int(latents)], values["zeta"][int(latents) :]
    expected = outputs * Fraction(stated) - r - sum(z * min(z, root) for z in kept) - sum(z * z for z in lost)
    assert Fraction(slope) == expected != 0


def test_what_decides_is_told_with_the_square():
    said = deciding(collapse_fixed, decoder_instance([2], 0, "1/2", eta_dec=3))
    assert said == "zeta_1^2 = 4 and beta eta_dec^2 = 9/2, with the given eta_dec^2 = 9"
