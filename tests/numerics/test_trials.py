"""Trials: each criterion is met by what it asks for, and not by anything less."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats

import numerics.trials as trials
from derivations.census import ORDER
from derivations.errors import DataError, DataUnavailable
from numerics.grids import Setting
from numerics.sweeps import IMAGE_SCHEDULE
from numerics.training import Schedule
from numerics.trials import TRIALS, Outcome, Part, counted, relative_difference, tried


def by_claim(claim: str) -> trials.Trial:
    return next(trial for trial in TRIALS if trial.claim == claim)


def test_every_claim_about_trained_models_has_a_trial() -> None:
    assert len({trial.claim for trial in TRIALS}) == len(TRIALS) and {trial.claim for trial in TRIALS} <= set(ORDER)
    shown = {claim for claim in ORDER if claim.startswith(("fig-", "app-a", "s5.", "s6."))}
    # of trained networks in its own evidence; of the data; of linear models, proved
    assert shown - {trial.claim for trial in TRIALS} == {"fig-1.thresholds", "fig-3.spectrum", "fig-3.variation"}


@pytest.mark.parametrize(("starts", "did", "wanted", "met"), [(5, 4, 4, True), (5, 3, 4, False), (0, 0, 0, False)])
def test_a_part_counts_starts(starts: int, did: int, wanted: int, met: bool) -> None:
    part = counted("", np.arange(starts) < did, wanted, "seen")
    assert part.met is met
    assert Outcome((Part("", True, ""), part)).met is met


def test_counts_come_with_their_interval() -> None:
    """Of five of five, at least 0.025^(1/5) = 48 % of all would (Clopper & Pearson 1934)."""
    assert counted("", np.ones(5, dtype=bool), 5, "all").seen == "5 of 5 starts (48 to 100 %; 5 wanted), all"


def test_no_parts_meet_nothing() -> None:
    assert not Outcome(()).met


def test_the_interval_covers_the_difference_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).standard_normal((2, 3000, 5))
    inside = 0
    for ours, theirs in zip(draws[0] * 0.3 + 11, draws[1] * 0.1 + 10, strict=True):
        low, high = relative_difference(ours, theirs)
        inside += low <= 0.1 <= high
    assert scipy.stats.binomtest(inside, 3000, 0.95).pvalue > 1e-3
    assert relative_difference(np.full(5, 2.0), np.full(5, 4.0)) == (-0.5, -0.5)


@pytest.mark.parametrize(
    ("apart", "met"), [([1e-7, -1e-8, 0, 0, 9e-7], True), ([0, 0, 2e-6, 0, 0], False), ([0, 0, -2e-6, 0, 0], False)]
)
def test_linear_models_agree_within_a_millionth(apart: list[float], met: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(relative_loss=np.array([[0.0] * 5, apart]))
    monkeypatch.setattr(trials, "sweep", lambda data, setting: found)
    outcome = by_claim("s5.linear-agreement").run(0)
    assert outcome.met is met
    assert ["5 of 5 starts" in part.seen for part in outcome.parts] == [True, met]


@pytest.fixture
def on_mnist(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Networks on MNIST that use so many latents, a row for each beta."""

    def of(*used: list[int]) -> None:
        setting = SimpleNamespace(betas=trials.MNIST_BETAS)
        found = SimpleNamespace(used=np.array(used), setting=setting)
        monkeypatch.setattr(trials, "_on_mnist", lambda seed: found)

    return of


NONE, TWO, ONE = [0] * 5, [2] * 5, [1] * 5


@pytest.mark.parametrize(
    ("at_4_5", "at_5_5", "met"),
    [
        (ONE, NONE, True),
        ([0, 1, 1, 1, 2], NONE, True),
        ([0, 0, 1, 1, 2], NONE, False),
        (ONE, [0, 0, 0, 0, 1], False),
    ],
)
def test_complete_collapse_is_counted(on_mnist: Any, at_4_5: list[int], at_5_5: list[int], met: bool) -> None:
    on_mnist(TWO, at_4_5, at_5_5, NONE)
    assert by_claim("fig-2.thresholds").run(0).met is met


@pytest.mark.parametrize(
    ("at_3_5", "at_6", "met"),
    [
        (TWO, NONE, True),
        ([2, 2, 1, 2, 2], NONE, True),
        ([2, 2, 1, 3, 2], NONE, False),
        (ONE, NONE, False),
        ([3] * 5, NONE, False),
        (TWO, [0, 0, 0, 0, 1], False),
    ],
)
def test_remaining_modes_are_counted(on_mnist: Any, at_3_5: list[int], at_6: list[int], met: bool) -> None:
    on_mnist(at_3_5, ONE, NONE, at_6)
    assert by_claim("fig-3.modes").run(0).met is met


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Networks on the synthetic regression that were not trained, with the losses and numbers of latents that are given."""

    def of(losses: dict[str, Any], used: Any, zeroed: str = "", where: Any = ()) -> None:
        betas = tuple(level / trials.SETTING.eta_dec**2 for level in trials.LEVELS)

        def networks(architecture: str, seed: int) -> Any:
            setting = replace(trials.SETTING, architecture=architecture, betas=betas)
            grid = trials.NetworkGrid(trials.synthetic_regression(seed), setting, "cpu")
            stack = {name: value * 3 for name, value in grid.initial().items()}
            if zeroed:
                stack[zeroed][np.asarray(where).ravel()] = 0
            measured = SimpleNamespace(loss=np.asarray(losses.get(architecture, np.ones((4, 5)))))
            return SimpleNamespace(setting=setting, measured=measured, used=np.asarray(used), stack=stack)

        monkeypatch.setattr(trials, "_networks", networks)

    return of


@pytest.mark.parametrize("architecture", ["relu", "tanh"])
def test_networks_are_trained_at_their_levels_from_starts_of_their_own(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Schedule((1e-2,), every=1, patience=1, progress=1e-3, most=2)
    monkeypatch.setattr(trials, "SETTING", replace(trials.SETTING, schedule=few))
    one, other = (trials._networks.__wrapped__(architecture, seed) for seed in (0, 1))
    for found in (one, other):
        assert np.allclose(np.array(found.setting.betas) * found.setting.eta_dec**2, trials.LEVELS)
        assert found.setting.architecture == architecture and found.measured.loss.shape == (4, 5)
        assert len(np.unique(found.measured.loss)) == 20
    assert not np.isin(one.measured.loss, other.measured.loss).any()


def test_mnist_is_trained_as_figure_2_is_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Setting]] = []

    def seen(data: str, setting: Setting) -> None:
        asked.append((data, setting))
        raise DataError("nothing is trained")

    monkeypatch.setattr(trials, "data_set", lambda name: name)
    monkeypatch.setattr(trials, "sweep", seen)
    with pytest.raises(DataError, match="nothing is trained"):
        trials._on_mnist.__wrapped__(2)
    ((data, setting),) = asked
    assert (data, setting.betas, setting.seeds) == ("mnist", trials.MNIST_BETAS, (10, 11, 12, 13, 14))
    assert (setting.architecture, setting.hidden, setting.schedule) == ("relu", 64, IMAGE_SCHEDULE)


ALIVE_THEN_DEAD = [[4] * 5, [3] * 5, [1] * 5, [0] * 5]
NOISE = np.array([-1, 1, -1, 1, 0]) * 1e-3


@pytest.mark.parametrize(
    ("tanh", "relu", "used", "met"),
    [
        (1 + NOISE, 1 - NOISE, ALIVE_THEN_DEAD, True),
        (1.05 + NOISE, 1 + NOISE, ALIVE_THEN_DEAD, False),
        (0.95 + NOISE, 1 + NOISE, ALIVE_THEN_DEAD, False),
        (1 + 30 * NOISE, 1 + NOISE, ALIVE_THEN_DEAD, False),
        (1 + NOISE, 1 + 300 * NOISE, ALIVE_THEN_DEAD, False),
        (np.ones(5), np.array([0.7, 1.3, 1.0, 0.6, 1.4]), ALIVE_THEN_DEAD, False),
        (1 + NOISE, 1 + NOISE, [*ALIVE_THEN_DEAD[:3], [0, 0, 0, 0, 1]], False),
        (1 + NOISE, 1 + NOISE, [*ALIVE_THEN_DEAD[:2], [1, 1, 1, 1, 0], [0] * 5], True),
        (1 + NOISE, 1 + NOISE, [*ALIVE_THEN_DEAD[:2], [1, 1, 1, 0, 0], [0] * 5], False),
    ],
)
def test_tanh_is_compared_with_relu(networks: Any, tanh: Any, relu: Any, used: Any, met: bool) -> None:
    networks({"tanh": np.tile(tanh, (4, 1)), "relu": np.tile(relu, (4, 1))}, used)
    assert by_claim("app-a.tanh").run(0).met is met


DEAD = np.array(ALIVE_THEN_DEAD) == 0
NO_DECODER, NO_MEAN = "decoder.1.weight", "mean.2.weight"


def but(used: Any, level: int, start: int, value: Any) -> Any:
    found = np.array(used)
    found[level, start] = value
    return found


@pytest.mark.parametrize(
    ("used", "zeroed", "where", "met"),
    [
        (ALIVE_THEN_DEAD, NO_DECODER, DEAD, (True, True, True)),
        (ALIVE_THEN_DEAD, NO_DECODER, DEAD & False, (False, False, True)),
        (ALIVE_THEN_DEAD, NO_MEAN, DEAD, (False, False, True)),  # constant in x, not in the noise
        (ALIVE_THEN_DEAD, NO_DECODER, DEAD | True, (True, True, False)),
        (ALIVE_THEN_DEAD, NO_DECODER, but(DEAD, 0, 2, True), (True, True, False)),
        (but(ALIVE_THEN_DEAD, 2, 1, 0), NO_DECODER, DEAD, (True, False, True)),
        (but(ALIVE_THEN_DEAD, 3, 4, 1), NO_DECODER, DEAD, (False, True, False)),
        (but(ALIVE_THEN_DEAD, 3, 4, 1), NO_DECODER, but(DEAD, 3, 4, False), (False, True, True)),
        (np.zeros((4, 5), dtype=int), NO_DECODER, DEAD | True, (True, True, False)),
        (np.ones((4, 5), dtype=int), NO_DECODER, DEAD & False, (False, False, True)),
    ],
)
def test_the_output_of_collapsed_networks_is_looked_at(
    networks: Any, used: Any, zeroed: str, where: Any, met: tuple[bool, ...]
) -> None:
    networks({}, used, zeroed, where)
    outcome = by_claim("s6.constant-output").run(0)
    assert tuple(part.met for part in outcome.parts) == met and outcome.met is all(met)


def test_trials_of_one_source_run_together_and_absent_data_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(seed: int) -> Outcome:
        raise DataUnavailable("there is no such file")

    met = Outcome((Part("", True, ""),))
    ran = (trials.Trial("a", "mnist", "", "", absent), trials.Trial("b", "mnist", "", "", lambda seed: met))
    monkeypatch.setattr(trials, "TRIALS", (*ran, trials.Trial("c", "digits", "", "", lambda seed: met)))
    assert tried("mnist", ("a", "b", "c"), 0) == {"a": "there is no such file", "b": met}
    assert tried("mnist", ("b",), 0) == {"b": met} and tried("digits", ("b",), 0) == {}


def test_training_that_diverges_is_not_met_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(seed: int) -> Outcome:
        raise DataError("training diverged")

    monkeypatch.setattr(trials, "TRIALS", (trials.Trial("a", "mnist", "", "", diverging),))
    assert tried("mnist", ("a",), 0) == {"a": Outcome((Part("training ends", False, "training diverged"),))}


def test_other_seeds_have_other_starts() -> None:
    assert not set(trials._starts(0)) & set(trials._starts(1)) and len(trials._starts(3)) == trials.STARTS
