"""Diagnoses of training that is rough, stopped early, or at another scale than the prior's, which is no other beta."""

import math

import numpy as np
import pytest
from planted_codes import (
    KEPT,
    LATENTS,
    LEFT,
    both,
    diagnosed,
    every_seed,
    gradient_steps,
    held_and_rotated,
    level_keeping,
    optimum,
    planted,
)

from collapse.codes import SPENT
from collapse.diagnosis import Diagnosis
from collapse.level_fit import SMALLER
from collapse.reading import open_rows
from numerics.measured import TELLING, resolved
from numerics.tolerances import SPECTRUM


@both
@pytest.mark.parametrize("held", [False, True], ids=["learned", "held"])
@pytest.mark.parametrize(("scale", "verdict"), [(1.03, "expected"), (1.5, "less-collapsed"), (0.5, "less-collapsed")])
def test_latents_of_another_scale_than_the_prior_s_are_not_as_expected(
    scale: float, verdict: str, held: bool, with_data: bool
) -> None:
    """They tell the same of the data and spend more, as with another prior than was meant."""
    data = planted(0)
    level = level_keeping(data, KEPT)
    mean, log_variance = held_and_rotated(data, LATENTS, level, 0.6) if held else optimum(data, LATENTS, level)
    found = diagnosed(data, (scale * mean, log_variance + 2 * math.log(scale)), level, with_data=with_data)
    assert held or (found.verdict, "nats more" in found.conclusion) == (verdict, verdict != "expected")
    assert found.verdict != "expected" or found.rate_nats == pytest.approx(found.predicted_rate_nats, rel=1 / 6)


@both
@pytest.mark.parametrize("seed", [20, 22, 25, 27, 53])
def test_weak_modes_that_agree_on_a_level_are_told_from_rough_training(seed: int, with_data: bool) -> None:
    """Twice the level leaves two or three weak modes, whose scales are off by a tenth of what they carry."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, LATENTS, 2 * level, noise=2 * LEFT), level, with_data=with_data)
    assert len(found.encoded_modes) > 1 and found.verdict == "other-beta"


@every_seed
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_training_that_stopped_early_is_no_other_beta(seed: int, scale: float) -> None:
    data = planted(seed, n=400)
    level = level_keeping(data, KEPT)
    stages = [0, 10, 20, 40, 80, 150, 300]
    for codes in gradient_steps(data, LATENTS, level, stages, scale=scale):
        for with_data in (True, False):
            assert diagnosed(data, codes, level, with_data=with_data).verdict != "other-beta"


@pytest.mark.parametrize("seed", [1003, 1005, 1006, 1010])
def test_nor_where_latents_still_share_modes_and_all_scales_are_right(seed: int) -> None:
    """Found among some thousand early stops: one level for both modes, scales as at an optimum, and means far from uncorrelated."""
    data = planted(seed, features=6, n=300)
    level = level_keeping(data, 2)
    for codes in gradient_steps(data, 4, level, [20, 30, 40, 60], rate=0.02, scale=0.02):
        assert diagnosed(data, codes, level).verdict != "other-beta"


def test_training_comes_to_be_as_expected() -> None:
    data = planted(0, n=400)
    level = level_keeping(data, KEPT)
    first, last = gradient_steps(data, LATENTS, level, [100, 2500], scale=0.3)
    early = diagnosed(data, first, level)
    assert not early.settled and "training has not settled" in early.conclusion
    assert early.verdict in ("more-collapsed", "less-collapsed")
    assert diagnosed(data, last, level).verdict == "expected"


def agrees(found: Diagnosis) -> bool:
    """Whether `settled` is what the sentence says."""
    return (found.settled is False) == ("has not settled" in found.conclusion)


@both
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("scale", [0.02, 1.0])
def test_settled_is_what_the_sentence_says(seed: int, scale: float, with_data: bool) -> None:
    data = planted(seed, n=400)
    for modes in (0, 2, KEPT):
        level = level_keeping(data, modes)
        stages = [0, 10, 40, 100, 300]
        for codes in gradient_steps(data, LATENTS, level, stages, scale=scale):
            for believed in (level, 2 * level, level / 2):
                found = diagnosed(data, codes, believed, with_data=with_data)
                assert agrees(found), (found.settled, found.conclusion)


@both
@every_seed
def test_complete_collapse_has_settled(seed: int, with_data: bool) -> None:
    """What training leaves of the means, a thousandth, is no unrest: there is nothing that it could be a share of."""
    data = planted(seed)
    level = 1.2 * data.zeta_squared[0]
    left = data.rng.standard_normal(data.x.shape[1] * LATENTS).reshape(-1, LATENTS) / 1000
    codes = data.x @ left, data.rng.standard_normal(LATENTS) / 100 * np.ones((len(data.x), 1))
    found = diagnosed(data, codes, level, with_data=with_data)
    assert (found.verdict, found.settled) == ("expected", True) and agrees(found)


def test_what_has_hardly_begun_has_not_settled() -> None:
    """Means vary by more than a hundredth, and tell nearly nothing."""
    data = planted(0)
    waves = np.sqrt(0.015) * data.x @ data.components[:, :LATENTS] / np.sqrt(data.zeta_squared[:LATENTS])
    found = diagnosed(data, (waves, np.zeros((len(data.x), LATENTS))), level_keeping(data, KEPT))
    assert (found.verdict, found.settled, found.active_units) == ("more-collapsed", False, LATENTS) and agrees(found)


def test_one_mode_with_held_variances_tells_nothing() -> None:
    data = planted(0)
    level = level_keeping(data, 1)
    codes = held_and_rotated(data, 1, level / 3, 0.8)
    found = diagnosed(data, codes, level)
    assert found.settled is None and "nothing tells" in found.conclusion and found.document()["settled"] is None


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("factor", [1 / 2, 1 / 10])
def test_a_smaller_beta_is_told_after_moderate_training(seed: int, factor: float) -> None:
    """2,000 steps of Adam at 0.001, at a half and a tenth of the β that was meant: latents are not turned to modes, and at a tenth
    their scales have not settled either, so that it is told as one of two explanations."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    (codes,) = gradient_steps(data, LATENTS, factor * level, [2000], rate=0.001)
    found, blind = diagnosed(data, codes, level), diagnosed(data, codes, level, with_data=False)
    assert agrees(found) and agrees(blind)
    if factor == 1 / 2:
        assert found.verdict == "other-beta" and "your β is not the one applied" in found.conclusion
        assert "the latents' noise fits" in found.conclusion
    else:
        assert "what noise the latents have speaks for" in found.conclusion
    for each in (found, blind):
        assert each.verdict == "other-beta" or "a smaller β η_dec² is applied than was meant" in each.conclusion


@every_seed
def test_noise_is_that_of_the_level(seed: int) -> None:
    """At the optimum of a level each used latent's noise is that level's."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level)
    found = resolved(mean, np.exp(log_variance[0]), open_rows(data.x), centre=True, least=SPENT)
    weak = 1 - np.exp(log_variance[0]) <= TELLING
    assert np.isnan(found.noise_levels[weak]).all()
    assert found.noise_levels[~weak] == pytest.approx(level, rel=SPECTRUM.value * 10) and (~weak).sum() >= 3


def test_codes_that_are_not_linear_are_not_told_by_their_noise() -> None:
    """Sines of the linear optimum explain little of the data, as of a smaller level, at any noise."""
    data = planted(2)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level, order=False)
    mean[:, :KEPT] = np.sin(3 * mean[:, :KEPT])
    mean *= np.sqrt((1 - np.exp(log_variance[0])) / np.maximum((mean**2).mean(0), np.finfo(np.float64).tiny))
    found = diagnosed(data, (mean, log_variance), level)
    assert found.verdict != "other-beta"
    levels = resolved(mean, np.exp(log_variance[0]), open_rows(data.x), centre=True, least=SPENT).noise_levels
    assert np.nanmax(levels) < level / SMALLER
