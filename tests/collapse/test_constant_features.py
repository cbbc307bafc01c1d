"""What is said of constant features, against data without them."""

import numpy as np
import pytest

from collapse import predict
from numerics.tolerances import FLOAT64_IDENTITY

VARYING, CONSTANT = 6, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, VARYING)) * [5, 4, 3, 2, 1, 0.5]
WITH = np.concatenate([X[:, :2], np.full((300, CONSTANT), 7.0), X[:, 2:]], 1)


def said(*data: np.ndarray, **settings: object) -> str:
    (line,) = [note for note in predict(*data, latents=3, intervals="none", **settings).notes if "constant:" in note]
    return line


def quoted(line: str) -> float:
    """The number that a line ends with."""
    return float(line.rpartition(" ")[2])


def test_where_errors_are_summed_they_change_nothing() -> None:
    assert said(WITH, beta=2.0) == (
        "3 of 9 features are constant: no mode is theirs, and where errors are summed they change nothing"
    )
    one, other = (predict(x, beta=2.0, latents=3) for x in (WITH, X))
    assert one.loss == pytest.approx(other.loss, rel=FLOAT64_IDENTITY.value)
    assert one.optimum.level == other.optimum.level and one.optimum.kl_nats[:3] == pytest.approx(
        other.optimum.kl_nats[:3]
    )


def test_where_the_error_is_averaged_they_move_the_level() -> None:
    loss = "reconstruction=mean,factor=1,kl=sum"
    line = said(WITH, loss=loss, beta=0.5)
    assert "the error is averaged over all 9; without them the same weight would mean β η_dec² = " in line
    one, other = (predict(x, loss=loss, beta=0.5, latents=3) for x in (WITH, X))
    assert one.optimum.level == pytest.approx(9 / 6 * other.optimum.level, rel=FLOAT64_IDENTITY.value)
    assert quoted(line) == pytest.approx(other.optimum.level, rel=10**-5)


def test_where_the_decoder_s_variance_is_learned_they_lower_it() -> None:
    line = said(WITH, beta=1.2, learn_eta_dec=True)
    assert "but all 9 make the learned η_dec² what it is; without them η_dec² would be " in line
    one, other = (predict(x, beta=1.2, latents=3, learn_eta_dec=True).learned for x in (WITH, X))
    assert one is not None and other is not None and one.variance < 0.9 * other.variance
    assert quoted(line) == pytest.approx(other.variance, rel=10**-5)


def test_inputs_and_targets_are_told_apart() -> None:
    y = np.concatenate([X[:, :2] @ RNG.standard_normal((2, 4)), np.ones((300, 1))], 1)
    loss = "reconstruction=mean,factor=1,kl=sum"
    notes = predict(WITH, y, loss=loss, beta=0.1, latents=2).notes
    assert "3 of 9 features are constant, and do nothing as inputs" in notes
    (line,) = [note for note in notes if "targets" in note]
    assert line.startswith("1 of 5 targets is constant: no mode is theirs, but the error is averaged over all 5")
    assert quoted(line) == pytest.approx(predict(X, y[:, :4], loss=loss, beta=0.1, latents=2).optimum.level, rel=10**-5)
    few = predict(np.ones((4, 7)) * [1, 2, 3, 4, 5, 6, 7] + np.diag([1.0] * 7)[:4], y[:4], latents=1)
    assert (few.spectrum.constant, few.spectrum.constant_outputs) == (3, 1)


def test_a_feature_of_a_small_unit_is_not_constant() -> None:
    small = X * np.array([1, 1, 1, 1, 1, 1e-9])
    found = predict(small, scale="standard")
    assert found.spectrum.constant == 0 and not any("constant" in note for note in found.notes)
    assert found.spectrum.total == pytest.approx(6)
