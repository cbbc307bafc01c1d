"""Random instances with a learned decoder variance are in every regime, and in those that their tags name."""

from typing import Any

import numpy as np
import pytest
from decoder_reference import best_variance, drawn

from derivations.errors import DataError
from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise
from numerics.layers.floating import kind_of
from numerics.moments import digits_conditional
from numerics.problem import Problem
from numerics.problems import random_problems, regime_counts
from numerics.tolerances import (
    DESCENT_INVARIANT,
    FLOAT64_IDENTITY,
)


def test_instances_are_the_same_for_the_same_seed_and_a_shorter_list_begins_a_longer() -> None:
    first, again, longer = decoder_problems(30, 5), decoder_problems(30, 5), decoder_problems(40, 5)
    for a, b, c in zip(first, again, longer, strict=False):
        assert a.A.tobytes() == b.A.tobytes() == c.A.tobytes()
        assert (
            (a.beta, a.y2, a.eta_dec, a.regimes)
            == (b.beta, b.y2, b.eta_dec, b.regimes)
            == (c.beta, c.y2, c.eta_dec, c.regimes)
        )
    assert {problem.beta for problem in first} != {problem.beta for problem in decoder_problems(30, 6)}


@pytest.mark.parametrize("seed", range(2))
def test_instances_are_in_every_regime_of_section_4_4(seed: int) -> None:
    problems = drawn(300, seed)
    assert all(problem.learned_decoder and problem.learned and kind_of(problem) == "decoder" for problem in problems)
    counts = regime_counts(problems)
    assert counts["learned-decoder"] == 300
    wanted = {
        "decoder-diverges",
        "decoder-valley",
        "beta-below-ratio",
        "beta-at-ratio",
        "beta-above-ratio",
        "at-threshold",
    }
    wanted |= {"complete-collapse", "partial-collapse", "no-collapse", "ties", "zero-mode", "rank-deficient-A"}
    wanted |= {"d1-below", "d1-at", "d1-above", "wide", "square", "tall", "r-zero", "r-positive"}
    assert {name: counts[name] for name in wanted if counts[name] < 20} == {}
    for ratio in ("beta-below-ratio", "beta-at-ratio", "beta-above-ratio"):
        within = regime_counts(problem for problem in problems if ratio in problem.regimes)
        assert (
            min(within["complete-collapse"], within["partial-collapse"] + within["no-collapse"], within["r-zero"]) >= 5
        )


@pytest.mark.parametrize("seed", range(2))
def test_the_collapse_threshold_is_met_exactly(seed: int) -> None:
    met = 0
    for problem in drawn(300, seed):
        balance = problem.d2 * problem.spectrum[0] ** 2 - problem.beta * (
            problem.r + float(np.sum(problem.spectrum**2))
        )
        if {"at-threshold", "complete-collapse"} <= problem.regimes:
            assert balance == 0
            met += 1
        elif not problem.regimes & {"decoder-valley", "at-threshold"}:
            assert bool(balance < 0) is ("complete-collapse" in problem.regimes)
            assert abs(balance) > DESCENT_INVARIANT.value * problem.y2
    assert met > 20


@pytest.mark.parametrize("seed", range(2))
def test_tags_say_what_the_best_variance_does(seed: int) -> None:
    for problem in drawn(300, seed):
        s = best_variance(problem)
        assert (s == 0) is ("decoder-diverges" in problem.regimes), problem.name
        assert (s is None) is ("decoder-valley" in problem.regimes), problem.name
        if s:
            reachable = problem.spectrum[: problem.d1] ** 2 / (problem.beta * s)
            off = np.abs(reachable - 1) > FLOAT64_IDENTITY.value
            assert bool(np.all(off)) is ("at-threshold" not in problem.regimes), problem.name
            assert np.all(np.abs(reachable[off] - 1) > 0.02), problem.name
            active = int(np.sum(reachable[off] > 1))
            assert (active == 0) is ("complete-collapse" in problem.regimes)


def test_other_kinds_of_instances_hold_the_decoder_fixed() -> None:
    assert not any(problem.learned_decoder for problem in random_problems(60, 0))
    minimum = minimise(random_problems(1, 0), seed=0)[0]
    assert (minimum.eta_dec, minimum.diverged) == (minimum.problem.eta_dec, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learned_decoder": 1}, "learned_decoder must be True or False"),
        ({"y2": 0.0, "C": np.zeros((1, 1))}, "y2 must be positive"),
    ],
)
def test_what_is_no_instance_is_refused(change: dict[str, Any], message: str) -> None:
    one = np.ones((1, 1))
    fields: dict[str, Any] = {
        "A": one, "C": one, "y2": 1.0, "d1": 1, "beta": 1.0, "eta_dec": 1.0, "eta_enc": 1.0, "learned_decoder": True,
    }  # fmt: skip
    with pytest.raises(DataError, match=message):
        Problem(**fields | change)


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(DataError, match="has 2601 parameters"):
        minimise([digits_conditional(40, 1.0, learned_decoder=True)], seed=0)
