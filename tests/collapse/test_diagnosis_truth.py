"""Diagnoses of codes whose truth is known, over random spectra: linear optima of any level, spoiled and rotated."""

import math

import numpy as np
import pytest
import torch
from planted_codes import (
    KEPT,
    LATENTS,
    LEFT,
    Planted,
    both,
    diagnosed,
    every_seed,
    held_and_rotated,
    level_keeping,
    optimum,
    planted,
)
from torch.utils.data import DataLoader

from collapse.diagnosis import diagnose
from collapse.level_fit import AGREEING
from collapse.report.diagnosis import lines
from derivations.errors import DataError
from numerics.tolerances import FLOAT64_IDENTITY, SPECTRUM


@both
@every_seed
@pytest.mark.parametrize("latents", [3, LATENTS])
def test_the_optimum_is_expected_and_each_latent_has_its_mode(seed: int, latents: int, with_data: bool) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, latents, level, noise=LEFT), level, with_data=with_data)
    assert found.verdict == "expected" and found.missing_modes == () and found.settled
    assert found.modes_told_by == ("data" if with_data else "order")
    # raw KLs, in the order of the latents
    clean = optimum(planted(seed), latents, level, order=False)
    spent = diagnosed(data, clean, level, with_data=with_data)
    assert spent.kl_nats == pytest.approx(spent.predicted_kl_nats, abs=FLOAT64_IDENTITY.value * 100)
    assert [each.second_moment for each in spent.latents] == pytest.approx([1] * latents, rel=SPECTRUM.value)
    told = [each.mode for each in spent.latents]
    assert told == [k + 1 if k < KEPT else None for k in range(latents)]


@both
@every_seed
@pytest.mark.parametrize("factor", [2, 1 / 2, 1 / LATENTS, 1 / 12, 12])
def test_another_beta_is_told_with_its_level(seed: int, factor: float, with_data: bool) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, LATENTS, factor * level, noise=LEFT / 2), level, with_data=with_data)
    if factor * level > data.zeta_squared[0]:
        assert found.verdict == "dead-encoder" and "averaged over the features" in found.conclusion
        return
    assert found.verdict == "other-beta"
    estimated = found.estimated_beta_eta_dec_squared
    assert estimated is not None and abs(math.log(estimated / (factor * level))) < math.log(AGREEING) / 2


@pytest.mark.parametrize(
    ("factor", "features", "words"),
    [
        (3, 12, "both terms are averaged, over features and over latents"),
        (1 / 3, 12, None),
        (4, 12, "the KL is summed over the latents where an average was counted"),
        (1 / 4, 12, "the KL is averaged over the latents"),
        (12, 12, "the squared error is averaged over the features"),
        (1 / 12, 12, "the squared error is summed over features where an average was counted"),
        (12, None, None),
    ],
)
def test_a_factor_is_told_by_what_makes_it(factor: float, features: int | None, words: str | None) -> None:
    """Four latents, twelve features; the KLs are the optimum's at the level that was applied."""
    squares, latents, applied = 200 * 2.0 ** -np.arange(12), 4, 10.0
    variance = applied / squares[:latents]
    angles = 2 * np.pi * np.outer(np.arange(64) + 0.5, np.arange(1, latents + 1)) / 64
    codes = np.sqrt(2 * (1 - variance)) * np.cos(angles), np.tile(np.log(variance), (64, 1))
    found = diagnose(*codes, squares, beta_eta_dec_squared=applied / factor, features=features)
    assert found.verdict == "other-beta"
    assert (f"it looks as if {words}" in found.conclusion) if words else ("looks as if" not in found.conclusion)


@both
@every_seed
def test_a_level_ten_times_off_is_told_from_rough_training_too(seed: int, with_data: bool) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, LATENTS, level / 10, noise=3 * LEFT), level, with_data=with_data)
    assert found.verdict == "other-beta"


@every_seed
@pytest.mark.parametrize("correlation", [0.2, 0.6])
def test_latents_that_share_a_mode_a_little_are_no_unrest(seed: int, correlation: float) -> None:
    """Training takes modes apart last; early stops leave far more. At a level three times off, scales being settled, the levels of
    modes tell it where latents share little, and the latents' noise where they share more."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level / 3, order=False)
    power = np.sqrt((mean**2).mean(0))
    mean[:, 2] = power[2] * (
        math.sqrt(1 - correlation**2) * mean[:, 2] / power[2] + correlation * mean[:, 3] / power[3]
    )
    found = diagnosed(data, (mean, log_variance), level)
    assert found.verdict == "other-beta" and found.settled == (correlation < 1 / 2)
    assert (
        ("the latents' noise fits" in found.conclusion)
        == ("have correlation 0.60" in found.conclusion)
        == (correlation > 1 / 2)
    )


@every_seed
@pytest.mark.parametrize("dead", [(0,), (1,), (0, 2)])
def test_a_dead_latent_is_no_other_beta(seed: int, dead: tuple[int, ...]) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, LATENTS, level, dead=dead, noise=LEFT), level)
    missing = tuple(mode + 1 for mode in dead)
    assert (found.verdict, found.missing_modes) == ("more-collapsed", missing)
    assert " and ".join(map(str, missing)) in found.conclusion and "neighbouring" not in found.conclusion
    assert sum("has no latent" in line for line in lines(found)) == len(dead) + (len(dead) == 1)


@every_seed
@pytest.mark.parametrize("dead", [0, 1])
def test_without_data_a_dead_latent_is_told_by_the_gap_it_leaves(seed: int, dead: int) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    found = diagnosed(data, optimum(data, LATENTS, level, dead=(dead,), noise=LEFT / 4), level, with_data=False)
    assert (found.verdict, found.missing_modes) == ("more-collapsed", (dead + 1,))
    assert "may mean a neighbouring mode" in found.conclusion


@both
@every_seed
@pytest.mark.parametrize("predicted", [0, 1, 3])
def test_one_used_latent_tells_another_beta_both_ways(seed: int, predicted: int, with_data: bool) -> None:
    data = planted(seed)
    applied = level_keeping(data, 1)
    believed = {0: 1.3 * level_keeping(data, 0), 1: applied / 1.2, 3: level_keeping(data, 3)}[predicted]
    found = diagnosed(data, optimum(data, LATENTS, applied), believed, with_data=with_data)
    assert found.verdict == "other-beta"
    assert found.estimated_beta_eta_dec_squared == pytest.approx(applied, rel=SPECTRUM.value)


@every_seed
def test_of_one_used_latent_only_the_data_tell_whether_it_has_the_best_mode(seed: int) -> None:
    """Mode 2 at the believed level, or mode 1 at another: without data both explain the KL, and both are named."""
    data = planted(seed)
    level = level_keeping(data, 2)
    codes = optimum(data, LATENTS, level, dead=(0,))
    found = diagnosed(data, codes, level)
    assert (found.verdict, found.missing_modes) == ("more-collapsed", (1,))
    assert [each.mode for each in found.encoded_modes] == [2]
    blind = diagnosed(data, codes, level, with_data=False)
    assert blind.verdict == "more-collapsed" or "or else it is, and mode 1 has no latent" in blind.conclusion


def held_rate(data: Planted, level: float, deviation: float) -> float:
    """The KL of all latents before they are rotated; a rotation at equal variance leaves the sum."""
    mean, log_variance = held_and_rotated(data, LATENTS, level, deviation)
    return float(((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0).sum())


@every_seed
def test_levels_that_differ_by_a_fifth_are_not_one_other_beta(seed: int) -> None:
    """Settled codes whose modes have levels 1.2 times above and below their mean: no β does that, and early stops do."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    alternating = 2 * level / 3 * 1.2 ** np.array([1, -1, 1, -1])
    parts = [optimum(data, LATENTS, float(each), order=False) for each in alternating]
    mean, log_variance = parts[0]
    for k in range(LATENTS):
        keep = k < KEPT
        mean[:, k], log_variance[:, k] = (parts[k][0][:, k], parts[k][1][:, k]) if keep else (0.0, 0.0)
    found = diagnosed(data, (mean, log_variance), level)
    assert found.settled and found.verdict == "less-collapsed"


@both
@every_seed
@pytest.mark.parametrize("deviation", [1.0, 0.6])
@pytest.mark.parametrize("factor", [1, 1 / 2])
def test_held_variances_under_any_rotation(seed: int, deviation: float, factor: float, with_data: bool) -> None:
    data = planted(seed)
    level = level_keeping(data, KEPT)
    codes = held_and_rotated(data, LATENTS, factor * level, deviation)
    found = diagnosed(data, codes, level, with_data=with_data)
    assert found.rotated and found.held_variance
    assert found.verdict == ("expected" if factor == 1 else "other-beta")
    assert found.estimated_beta_eta_dec_squared == pytest.approx(factor * level, rel=SPECTRUM.value)
    if factor == 1:
        assert found.predicted_rate_nats == pytest.approx(held_rate(data, level, deviation), rel=SPECTRUM.value)
    # KLs are the latents' own, not those of turned directions
    mean, log_variance = codes
    own = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0)
    assert found.kl_nats == pytest.approx(own, rel=FLOAT64_IDENTITY.value)
    assert found.rate_nats == pytest.approx(float(own.sum()), rel=FLOAT64_IDENTITY.value)


@every_seed
def test_a_rotation_is_noticed_where_correlations_are_small(seed: int) -> None:
    """A turn of 0.15 leaves correlations well below 1/2."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level, order=False)
    turn = np.eye(LATENTS)
    turn[:2, :2] = [[math.cos(0.15), -math.sin(0.15)], [math.sin(0.15), math.cos(0.15)]]
    mean[:, :2] *= [1.0, 0.5]  # so that a turn does correlate them
    held = np.full_like(log_variance, -1.0)
    found = diagnosed(data, (mean @ turn, held), level)
    correlation = np.corrcoef((mean @ turn)[:, :2], rowvar=False)[0, 1]
    assert 0.1 < abs(correlation) < 0.5 and found.rotated
    learned = diagnosed(data, (mean @ turn, log_variance), level, with_data=False)
    assert not learned.rotated and learned.verdict != "other-beta"


@both
@every_seed
def test_non_linear_codes_are_less_collapsed(seed: int, with_data: bool) -> None:
    """Each latent is a sine of a linear code, with less noise than the optimum has, and scaled as at an optimum."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level, order=False)
    mean[:, :KEPT], log_variance[:, :KEPT] = np.sin(3 * mean[:, :KEPT]), log_variance[:, :KEPT] - 2
    mean *= np.sqrt((1 - np.exp(log_variance[0])) / np.maximum((mean**2).mean(0), np.finfo(np.float64).tiny))
    found = diagnosed(data, (mean, log_variance), level, with_data=with_data)
    assert found.settled and found.verdict == "less-collapsed"


@every_seed
def test_with_data_modes_are_told_however_latents_mix_them(seed: int) -> None:
    """A small mixing between modes, such as training leaves: means are correlated, and levels stay."""
    data = planted(seed)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level, order=False)
    generator = np.random.default_rng(seed)
    mixed = mean @ (np.eye(LATENTS) + 0.15 * generator.standard_normal((LATENTS, LATENTS)))
    mixed /= np.sqrt((mixed**2).mean(0) / np.maximum((mean**2).mean(0), np.exp(-9)))
    found = diagnosed(data, (mixed, log_variance), level)
    assert found.verdict in ("expected", "more-collapsed", "less-collapsed")
    assert [each.mode for each in found.encoded_modes][:KEPT] == [1, 2, 3, 4]


def test_data_in_another_order_are_noticed() -> None:
    data = planted(0)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level)
    shuffled = data.rng.permutation(len(mean))
    found = diagnosed(data, (mean[shuffled], log_variance), level)
    assert found.verdict == "expected" and found.modes_told_by == "order"
    assert any("no latent goes with the data in this order" in note for note in found.notes)


def test_data_come_in_batches_of_any_kind() -> None:
    data = planted(0)
    level = level_keeping(data, KEPT)
    codes = optimum(data, LATENTS, level, order=False)
    x = torch.tensor(data.x + 100)  # means are taken off
    whole = diagnosed(data, codes, level).document()
    loader = DataLoader(x, batch_size=100)
    parts = diagnose(*codes, data.zeta_squared, beta_eta_dec_squared=level, features=12, data=loader).document()
    assert parts["latents"][0]["share"] == pytest.approx(whole["latents"][0]["share"], rel=SPECTRUM.value)
    assert [each["mode"] for each in parts["latents"]] == [each["mode"] for each in whole["latents"]]
    for wrong, message in (
        (DataLoader(x, shuffle=True), "shuffle=False"),
        (x[:-1], "encode these data"),
        (torch.cat([x, x]), "encode these data"),
    ):
        with pytest.raises(DataError, match=message):
            diagnose(*codes, data.zeta_squared, beta_eta_dec_squared=level, data=wrong)


def test_the_prior_s_deviation_is_a_matter_of_units() -> None:
    data = planted(1)
    level = level_keeping(data, KEPT)
    mean, log_variance = optimum(data, LATENTS, level)
    one = diagnosed(data, (mean, log_variance), level)
    other = diagnose(
        3 * mean,
        log_variance + 2 * math.log(3),
        data.zeta_squared,
        beta_eta_dec_squared=level,
        eta_enc=3.0,
        data=data.x,
    )
    assert other.kl_nats == pytest.approx(one.kl_nats, abs=FLOAT64_IDENTITY.value * 100)
    assert other.verdict == one.verdict == "expected"
