"""Predictions from a spectrum, against descent that knows no closed form, and inverse questions against the forward ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.errors import DataError
from numerics.certificates import gap
from numerics.decoder_problems import decoder_problems
from numerics.decoder_profile import least_over_decoder
from numerics.descent import minimise
from numerics.learned_decoder import learned_decoder
from numerics.minimum import FAST
from numerics.prediction import (
    Levels,
    Optimum,
    level_for_explained,
    level_for_nats,
    levels_of_active,
)
from numerics.problem import Problem
from numerics.tolerances import DESCENT_GAP, DESCENT_INVARIANT, FLOAT64_IDENTITY, SPECTRUM

spectra = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8).map(lambda v: np.array(sorted(v, reverse=True)))


def levels(squares: np.ndarray, residual: float = 0.0, outputs: int | None = None, remaining: float = 0.0) -> Levels:
    return Levels(squares, remaining, residual, len(squares) if outputs is None else outputs)


def problem(rng: np.random.Generator, squares: np.ndarray, d1: int, **scales: float) -> Problem:
    """Data with these ζ², in random bases and with correlated inputs; three outputs and inputs more than modes."""
    size = len(squares) + 2
    F, G, P = (np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(3))
    phi = rng.uniform(0.3, 3, size)
    Z = (F[:, : len(squares)] * np.sqrt(squares)) @ G[:, : len(squares)].T
    A = (P * phi) @ P.T
    C = Z @ (P * np.sqrt(phi)).T
    residual = scales.pop("residual", 0.7)
    learned = bool(scales.pop("learned_decoder", False))
    return Problem((A + A.T) / 2, C, float(squares.sum()) + residual, d1, learned_decoder=learned, **scales)


@pytest.mark.parametrize("d1", [1, 2, 3, 5])
@pytest.mark.parametrize("beta", [0.05, 0.6, 2.5])
def test_the_optimum_is_where_descent_ends(beta: float, d1: int) -> None:
    squares = np.array([4.1, 1.3, 0.4])
    scales = {"beta": beta, "eta_dec": 0.8, "eta_enc": 1.7}
    given_ = problem(np.random.default_rng(3), squares, d1, **scales)
    (minimum,) = minimise([given_], seed=0)
    stated = Optimum(levels(squares, 0.7, 5), d1, **scales)
    assert abs(gap(minimum.loss, stated.loss)) <= DESCENT_GAP.value
    deviations = np.append(stated.encoder_std[stated.reached], [stated.spare_std] * max(0, d1 - 3))
    assert np.sort(minimum.sigma) == pytest.approx(np.sort(deviations), abs=DESCENT_INVARIANT.value)
    # the KL of where descent ended, by the moments of its own encoder
    prior, variance = given_.eta_enc**2, minimum.sigma**2
    spent = (np.diag(minimum.W.T @ given_.A @ minimum.W) + variance) / prior - 1 - np.log(variance / prior)
    assert stated.rate_nats == pytest.approx(spent.sum() / 2, abs=DESCENT_INVARIANT.value)
    error = minimum.U @ minimum.W.T @ given_.A @ minimum.W @ minimum.U.T
    squared = given_.y2 - 2 * np.trace(given_.C @ minimum.W @ minimum.U.T) + np.trace(error)
    noise = ((minimum.U**2).sum(0) * variance).sum()
    assert stated.distortion == pytest.approx(squared + noise, abs=DESCENT_INVARIANT.value)
    assert stated.active.sum() == minimum.active(DESCENT_INVARIANT.value)


def test_a_mode_at_its_threshold_is_collapsed() -> None:
    stated = Optimum(levels(np.array([4.0, 1.0])), 2, 1.0, 1.0)
    assert stated.active.tolist() == [True, False]
    assert stated.kl_nats[1] == 0 and stated.encoder_std[1] == 1
    assert stated.critical_beta.tolist() == [4, 1] and stated.critical_eta_dec.tolist() == [2, 1]
    assert stated.kl_nats[0] == pytest.approx(np.log(4) / 2, rel=FLOAT64_IDENTITY.value)


@given(spectra, st.floats(1e-3, 1e3), st.integers(1, 10), st.floats(0, 10))
def test_modes_that_are_not_computed_change_nothing(squares: np.ndarray, beta: float, d1: int, rest: float) -> None:
    whole = Optimum(levels(np.append(squares, np.full(3, 1e-4)), rest, 20), min(d1, len(squares)), beta, 1.0)
    part = Optimum(levels(squares, rest, 20, remaining=3e-4), min(d1, len(squares)), beta, 1.0)
    for name in ("loss", "distortion", "rate_nats", "explained"):
        assert getattr(part, name) == pytest.approx(getattr(whole, name), rel=SPECTRUM.value, abs=SPECTRUM.value)
    assert part.active.tolist() == whole.active[: len(squares)].tolist()


@given(spectra, st.integers(1, 10), st.floats(0.01, 20))
def test_so_many_nats(squares: np.ndarray, d1: int, nats: float) -> None:
    level = level_for_nats(levels(squares), d1, nats)
    assert Optimum(levels(squares), d1, level, 1.0).rate_nats == pytest.approx(nats, rel=SPECTRUM.value)


@given(spectra, st.integers(1, 10), st.floats(0.01, 0.99), st.floats(0, 10))
def test_so_much_explained(squares: np.ndarray, d1: int, share: float, rest: float) -> None:
    data = levels(squares, rest)
    wanted = share * squares[:d1].sum() / data.variance
    level = level_for_explained(data, d1, wanted)
    assert Optimum(data, d1, level, 1.0).explained == pytest.approx(wanted, rel=SPECTRUM.value)
    with pytest.raises(DataError, match="--explained must lie between 0 and"):
        level_for_explained(data, d1, squares[:d1].sum() / data.variance * 1.001)


@given(spectra, st.integers(1, 10), st.integers(0, 7), st.floats(0, 10))
def test_what_a_threshold_gives_leads_back_to_it(squares: np.ndarray, d1: int, mode: int, rest: float) -> None:
    """Rate and share at t = ζ_k², where one mode more or less is a matter of rounding."""
    data, level = levels(squares, rest), float(squares[min(mode, len(squares) - 1)])
    at = Optimum(data, d1, level, 1.0)
    if at.rate_nats > SPECTRUM.value:
        assert level_for_nats(data, d1, at.rate_nats) == pytest.approx(level, rel=SPECTRUM.value)
    if at.explained > SPECTRUM.value:
        found = level_for_explained(data, d1, at.explained)
        assert Optimum(data, d1, found, 1.0).explained == pytest.approx(at.explained, rel=SPECTRUM.value)


@given(spectra, st.integers(1, 10), st.integers(0, 10))
def test_exactly_so_many_modes(squares: np.ndarray, d1: int, count: int) -> None:
    data, most = levels(squares), min(d1, len(squares))
    if count > most or (0 < count < most and squares[count] > squares[count - 1] * (1 - 10**-6)):
        if count > most or squares[count] == squares[count - 1]:
            with pytest.raises(DataError, match="--active"):
                levels_of_active(data, d1, count)
        return
    low, high = levels_of_active(data, d1, count)
    # a level at a mode's ζ² to the last bit may fall on either side of it
    inside = [low * (1 + SPECTRUM.value) or high / 10**6, min(high, 1e9) * (1 - SPECTRUM.value)]
    assert [int(Optimum(data, d1, level, 1.0).active.sum()) for level in inside] == [count, count]
    if count > 0:
        assert Optimum(data, d1, high * (1 + SPECTRUM.value), 1.0).active.sum() < count
    if low > 0:
        assert Optimum(data, d1, low * (1 - SPECTRUM.value), 1.0).active.sum() > count


@settings(max_examples=30)
@given(spectra, st.integers(1, 6), st.floats(0.05, 20), st.floats(0.1, 5))
def test_the_learned_decoder_variance_has_the_least_loss(
    squares: np.ndarray, d1: int, beta: float, rest: float
) -> None:
    data = levels(squares, rest, len(squares) + 2)
    found = learned_decoder(data, d1, beta).variance

    def cost(variance: float) -> float:
        return Optimum(data, d1, beta, float(np.sqrt(variance))).loss + data.outputs / 2 * float(np.log(variance))

    assert all(cost(found) <= cost(found * factor) + SPECTRUM.value for factor in (0.5, 0.9, 0.999, 1.001, 1.1, 2))


def test_the_learned_decoder_variance_of_the_audit() -> None:
    squares = np.array([4.0, 1.5, 0.3])
    for beta in (0.3, 1.0, 4.0):
        given_ = problem(
            np.random.default_rng(1), squares, 2, beta=beta, eta_dec=1.0, eta_enc=1.0, learned_decoder=True
        )
        stated = learned_decoder(levels(squares, 0.7, 5), 2, beta).variance
        assert stated == pytest.approx(least_over_decoder(given_).variance, rel=SPECTRUM.value)


def test_the_level_is_beta_times_the_decoder_s_variance() -> None:
    assert Optimum(levels(np.ones(2)), 2, 3.0, 0.5).level == pytest.approx(0.75, rel=SPECTRUM.value)


def test_without_a_bound_the_learned_variance_is_zero() -> None:
    assert learned_decoder(levels(np.array([2.0, 1.0])), 2, 0.5).variance == 0


def test_questions_without_an_answer_are_refused() -> None:
    nothing = levels(np.zeros(2), 1.0)
    with pytest.raises(DataError, match="nothing to encode"):
        level_for_nats(nothing, 2, 1.0)
    for nats in (-1.0, 0.0, np.inf, np.nan):
        with pytest.raises(DataError, match="positive number of nats"):
            level_for_nats(levels(np.ones(2)), 2, nats)
    with pytest.raises(DataError, match="same"):
        levels_of_active(levels(np.ones(2)), 2, 1)


@pytest.mark.slow
def test_descent_over_all_parameters_ends_at_the_learned_decoder_variance() -> None:
    """On more than 200 instances to nine digits, in every regime; in a valley many variances do equally well."""
    problems = [each for each in decoder_problems(300, 0) if "decoder-valley" not in each.regimes]
    close, met = 0, set()
    for given_, minimum in zip(problems, minimise(problems, seed=0, route=FAST), strict=True):
        stated = learned_decoder(Levels(given_.spectrum**2, 0.0, given_.r, given_.d2), given_.d1, given_.beta).variance
        if minimum.diverged or stated == 0:
            assert minimum.diverged and stated == 0
            continue
        if abs(minimum.eta_dec**2 - stated) <= DESCENT_GAP.value * stated:
            close += 1
            met |= given_.regimes
        assert minimum.eta_dec**2 == pytest.approx(stated, rel=DESCENT_INVARIANT.value)
    assert close >= 200
    assert {"r-zero", "r-positive", "d1-below", "d1-at", "d1-above", "at-threshold", "complete-collapse"} <= met
    assert {"beta-below-ratio", "beta-at-ratio", "beta-above-ratio"} <= met


@pytest.mark.parametrize("beta", [0.5, 1.2, 3.0])
def test_what_no_mode_is_computed_of_stays_in_the_learned_variance(beta: float) -> None:
    """Two latents of two modes that are computed, and two that are not: these are left over, so that the loss has a lower bound."""
    squares = np.array([5.0, 3.0, 0.6, 0.4])
    part = learned_decoder(levels(squares[:2], outputs=4, remaining=1.0), 2, beta)
    whole = learned_decoder(levels(squares), 2, beta)
    assert whole.variance > 0 and (part.bound, part.level) == (whole.bound, whole.level) == (0.0, False)
    assert part.variance == pytest.approx(whole.variance, rel=FLOAT64_IDENTITY.value)
    assert part.critical_beta == pytest.approx(whole.critical_beta[:2], rel=FLOAT64_IDENTITY.value)
