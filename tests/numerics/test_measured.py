"""What codes tell of modes and levels: inverses of the optimum's own formulas, and regressions that no mixing changes."""

import numpy as np
import pytest

from collapse.reading import from_array, open_rows
from derivations.errors import DataError
from numerics.measured import held_optimum, log_level, resolved
from numerics.prediction import Levels, Optimum
from numerics.tolerances import SPECTRUM

SQUARES = np.array([7.0, 4.0, 2.5, 0.8])


@pytest.mark.parametrize("level", [0.3, 2.0])
def test_levels_are_read_off_the_learned_optimum(level: float) -> None:
    optimum = Optimum(Levels(SQUARES, 0.0, 0.0, 4), 4, level, 1.0)
    found = log_level(SQUARES[optimum.active], optimum.kl_nats[optimum.active], None)
    assert np.exp(found) == pytest.approx(level, rel=SPECTRUM.value)


@pytest.mark.parametrize("scale", [0.4, 5.0])
@pytest.mark.parametrize("deviation", [0.3, 0.8])
def test_levels_are_read_off_the_noise_of_a_latent(scale: float, deviation: float) -> None:
    """Where sigma^-2 = 1 + |u|^2/t in units of the prior; means v g of variance 1 - sigma^2 have the decoder s v for data s g."""
    g = np.random.default_rng(0).standard_normal((400, 1))
    g = (g - g.mean()) / g.std()
    encoder = np.sqrt(1 - deviation**2)
    data = open_rows(scale * g * np.array([[0.6, 0.8]]))
    found = resolved(encoder * g, np.array([deviation**2]), data, centre=True, least=1e-3)
    level = (scale * encoder) ** 2 / (deviation**-2 - 1)
    assert found.noise_levels == pytest.approx([level], rel=SPECTRUM.value)


@pytest.mark.parametrize("variance", [1.0, 0.3])
@pytest.mark.parametrize("level", [0.3, 2.0])
def test_levels_are_read_off_the_optimum_with_held_variances(level: float, variance: float) -> None:
    kl, information = held_optimum(SQUARES, 6, level, variance)
    kept = information > 0
    assert kept.tolist() == [*(SQUARES > level * variance).tolist(), False, False]
    assert np.exp(log_level(SQUARES[kept[:4]], information[kept], variance)) == pytest.approx(level, rel=SPECTRUM.value)
    # a latent without a mode still costs its distance from the prior
    assert kl[-1] == pytest.approx((variance - 1 - np.log(variance)) / 2, rel=SPECTRUM.value, abs=SPECTRUM.value)


def test_held_variances_at_the_prior_collapse_at_the_same_levels_as_learned_ones() -> None:
    for level in SQUARES * 0.99:
        _, information = held_optimum(SQUARES, 4, float(level), 1.0)
        learned = Optimum(Levels(SQUARES, 0.0, 0.0, 4), 4, float(level), 1.0)
        assert (information > 0).tolist() == learned.active.tolist()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("centre", [True, False])
def test_explained_variances_are_those_of_the_spanned_modes_under_any_mixing(seed: int, centre: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((300, 5)) * [4, 3, 2, 1, 0.5] + (0 if centre else 1)
    moment = np.cov(x, rowvar=False, bias=True) if centre else x.T @ x / len(x)
    values, vectors = np.linalg.eigh(moment)
    chosen = [4, 2, 1]  # all but the second best and the last
    mixing = rng.standard_normal((3, 3)) + 2 * np.eye(3)
    means = (x - x.mean(0) * centre) @ vectors[:, chosen] @ mixing
    shift = 100.0 if centre else 0.0
    found = resolved(means + shift, np.full(3, 0.01), open_rows(x + shift), centre=centre, least=0.0)
    assert found.explained == pytest.approx(values[chosen], rel=SPECTRUM.value)
    assert found.shares.sum(1) == pytest.approx(np.ones(3), rel=SPECTRUM.value)
    # a rotation of latents with equal noise changes nothing
    turned = means @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    again = resolved(turned, np.full(3, 0.01), open_rows(x), centre=centre, least=0.0)
    assert again.information == pytest.approx(found.information, rel=SPECTRUM.value)


def test_codes_that_tell_nothing_are_left_out() -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    found = resolved(np.zeros((50, 2)), np.ones(2), open_rows(x), centre=True, least=0.01)
    assert found.explained.shape == (0,) and found.shares.shape == (2, 0)


@pytest.mark.parametrize("centre", [True, False])
def test_what_unrelated_codes_would_explain_is_in_squared_units_of_the_data(centre: bool) -> None:
    rng = np.random.default_rng(3)
    x, means = rng.standard_normal((60, 3)) + 2, rng.standard_normal((60, 2))
    rows, variance = from_array(10 * x, "tens", factor=0.1), np.full(2, 0.1)
    found, scaled = (resolved(means, variance, y, centre=centre, least=0.0) for y in (open_rows(x), rows))
    assert found.noise == pytest.approx(((x - x.mean(0) * centre) ** 2).sum() / 60**2, rel=SPECTRUM.value)
    assert scaled.noise == pytest.approx(found.noise, rel=SPECTRUM.value)
    assert scaled.explained == pytest.approx(found.explained, rel=SPECTRUM.value)
    # the share of the variance of y that a regression on the codes leaves unexplained
    codes, y = (values - values.mean(0) * centre for values in (means, x))
    left = y - codes @ np.linalg.lstsq(codes, y, rcond=None)[0]
    assert found.explained.sum() == pytest.approx(((y**2).sum() - (left**2).sum()) / 60, rel=SPECTRUM.value)


@pytest.mark.parametrize(("samples", "message"), [(49, "has more"), (51, "has 50")])
def test_as_many_codes_as_samples_are_asked_for(samples: int, message: str) -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    with pytest.raises(DataError, match=message):
        resolved(np.ones((samples, 2)), np.ones(2), open_rows(x), centre=True, least=0.01)
