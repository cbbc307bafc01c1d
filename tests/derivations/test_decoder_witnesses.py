"""The exact points that refute §4.4 and its like, evaluated again in plain fractions."""

import math
from fractions import Fraction

import pytest
from decoder_model import CLAIMS, Model, witness


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
