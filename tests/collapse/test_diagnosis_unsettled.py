"""Diagnoses of training that is rough, stopped early, or at another scale than the prior's, which is no other beta."""

import math

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
