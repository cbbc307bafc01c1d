"""Predictions with a learned decoder variance: thresholds, loss, and the valley where there is no one optimum."""

import math

import numpy as np
import pytest

from collapse import predict
from collapse.prediction import Prediction
from collapse.report.prediction import summary
from derivations.errors import DataError
from numerics.tolerances import FLOAT64_IDENTITY, SPECTRUM


def white(squares: list[float], n: int = 64) -> np.ndarray:
    """Data with exactly these eigenvalues."""
    waves = np.sqrt(2) * np.cos(2 * np.pi * np.outer(np.arange(n) + 0.5, np.arange(1, len(squares) + 1)) / n)
    return waves * np.sqrt(squares)


def learned(squares: list[float], beta: float, latents: int, **settings: object) -> Prediction:
    return predict(white(squares), beta=beta, latents=latents, learn_eta_dec=True, intervals="none", **settings)


SQUARES = [5.0, 3.0, 2.0, 1.0, 0.5]


@pytest.mark.parametrize("latents", [2, 3, 5])
@pytest.mark.parametrize("with_target", [True, False])
def test_a_mode_collapses_at_its_critical_beta_while_the_decoder_adapts(latents: int, with_target: bool) -> None:
    noise = np.random.default_rng(0).standard_normal((64, 5)) / 2
    target = white(SQUARES) + noise if with_target else None
    beta = 3.0  # above the bound
    found = predict(white(SQUARES), target, beta=beta, latents=latents, learn_eta_dec=True)
    for k in range(latents):
        critical = float(found.critical_weights[k])
        if found.learned is not None and critical <= found.learned.bound * (1 + SPECTRUM.value):
            continue
        for factor, kept in ((1 - 10**-6, k + 1), (1 + 10**-6, k)):
            again = predict(white(SQUARES), target, beta=critical * factor, latents=latents, learn_eta_dec=True)
            assert again.active_modes == kept
    assert np.isnan(found.critical_weights[latents:]).all()


def test_the_first_threshold_is_that_of_complete_collapse() -> None:
    """Everything collapses iff d2 ζ_1² ≤ β E‖y‖² (s4.4.still-collapses)."""
    found = learned(SQUARES, 2.0, 5)
    assert found.critical_weights[0] == pytest.approx(5 * SQUARES[0] / sum(SQUARES), rel=SPECTRUM.value)


def test_the_loss_has_its_partition_function_and_is_the_least_over_the_decoder() -> None:
    found = learned(SQUARES, 1.7, 3)
    held = [
        predict(white(SQUARES), beta=1.7, latents=3, eta_dec=float(found.eta_dec) * factor).loss
        + 5 * math.log(found.eta_dec * factor)
        for factor in (1, 0.8, 0.99, 1.01, 1.3)
        if found.eta_dec is not None
    ]
    assert found.loss == pytest.approx(held[0], rel=FLOAT64_IDENTITY.value)
    assert all(other > held[0] for other in held[1:])


def test_advice_is_for_the_learned_case() -> None:
    found = learned(SQUARES, 1.7, 3)
    critical = found.critical_weights[found.active_modes]
    assert any(
        f"to keep mode {found.active_modes + 1} too: β below {critical:.6g} (η_dec follows)" in line
        for line in summary(found)
    )
    assert "critical β is" in summary(found)[1]
    mode = found.document()["modes"][0]
    assert mode["critical_eta_dec"] is None and mode["critical_beta"] == pytest.approx(float(found.critical_weights[0]))
    assert found.document()["modes"][4]["critical_beta"] is None  # no latent reaches it


@pytest.mark.parametrize("squares", [SQUARES, [2.0, 2.0, 2.0]])
def test_a_valley_is_said_to_be_one(squares: list[float]) -> None:
    """r = 0, latents for all modes, β = d2/rank: every smaller η_dec does as well."""
    found = learned(squares, 1.0, len(squares))
    assert found.document()["many_optima"] is True
    assert any("no one optimum" in note for note in found.notes)
    assert any(f"all {len(squares)} modes are kept" in note for note in found.notes)
    assert "at the upper end" in summary(found)[0] and "no one optimum" in summary(found)[-1]
    for factor in (1, 0.7, 0.1, 0.01):
        deviation = float(found.eta_dec or 0.0) * factor
        held = predict(white(squares), eta_dec=deviation, latents=len(squares))
        total = held.loss + len(squares) * math.log(deviation)
        assert total == pytest.approx(found.loss, rel=SPECTRUM.value)
        assert factor == 1 or held.active_modes == len(squares)
    assert not learned(squares, 1.1, len(squares)).document()["many_optima"]
    with pytest.raises(DataError, match="below 1:"):
        learned(squares, 0.99, len(squares))


def test_a_target_that_inputs_determine_has_no_residual_but_rounding() -> None:
    x = np.random.default_rng(1).standard_normal((200, 3))
    y = x @ np.random.default_rng(2).standard_normal((3, 3))
    assert predict(x, y, learn_eta_dec=True).document()["many_optima"] is True
    with pytest.raises(DataError, match="no lower bound"):
        predict(x, y, beta=0.9, learn_eta_dec=True)


def test_the_last_mode_needs_no_beta_below_the_bound() -> None:
    found = learned(SQUARES, 1.02, 5)
    assert found.active_modes == 4
    assert any("below β = 1 the loss has no lower bound" in line for line in summary(found))
