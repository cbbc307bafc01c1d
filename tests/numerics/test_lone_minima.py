"""The minimum of one instance in NumPy: where it lies, its certificate, and what is left to torch."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from single_instances import COUNT, OBJECTIVES, drawn, lone

from numerics import descent
from numerics import fast_descent as fast_descent_module
from numerics.certificates import certify, certify_lone
from numerics.closed_forms import least_losses
from numerics.decoder_objective import LEARNED_DECODER
from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise, objective_of
from numerics.fast_descent import lone_minimum, projected
from numerics.lone_descent import LoneProjection, lone_descent
from numerics.minimum import FAST
from numerics.objective import LEARNED_VARIANCES, Objective, Statistics
from numerics.problems import planted_problem, random_problems
from numerics.projection import Projection
from numerics.tolerances import (
    DECODER_CUTOFF,
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    FLOAT64_DERIVATIVE,
    FLOAT64_IDENTITY,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
)
from numerics.volume import ENCODERS, HARDSHIPS, Block, draw_block

each_objective = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


def small_blocks(hardship: str) -> Iterator[Block]:
    """Blocks of each kind of encoder, with at most 16 unknowns."""
    numbers = (number for number in range(10**4) if list(HARDSHIPS)[number % len(HARDSHIPS)] == hardship)
    wanted = list(ENCODERS)
    while wanted:
        block = draw_block(5, next(numbers), COUNT)
        if block.encoder in wanted and block.start.U[0].numel() <= 16:
            wanted.remove(block.encoder)
            yield block


@pytest.mark.parametrize("hardship", HARDSHIPS)
def test_hard_instances_end_at_the_minimum_or_are_handed_over(hardship: str) -> None:
    ended, many = 0, 0
    for block in small_blocks(hardship):
        stated = least_losses(block)
        for place in range(COUNT):
            statistics = lone(block.statistics, place)
            end = lone_minimum(lone(block.start, place), statistics, block.objective)
            if not np.isfinite(stated[place]):
                assert end is None  # the loss falls for ever
                continue
            many += 1
            if end is None:
                continue
            ended += 1
            size = max(1.0, float(block.scales.loss[place]), abs(stated[place]))
            loss = block.objective.loss(*end, *statistics)
            assert -DESCENT_BELOW.value * size <= loss - stated[place] <= DESCENT_GAP.value * size
            slope = block.objective.flat(block.objective.gradient(*end, *statistics), batch=0)
            assert np.linalg.norm(slope) <= GRADIENT_NORM.value * size
            of = LoneProjection.of(Projection.of(end, statistics, block.objective), end.U.shape[1])
            reduced = of.derivatives(projected(end, statistics, block.objective))
            assert np.linalg.norm(reduced.gradient) <= FLOAT64_IDENTITY.value * (
                1 + abs(reduced.loss) + np.linalg.norm(of.Y)
            )
    assert ended > many / 2


def test_a_single_instance_is_certified_as_one_of_many_is() -> None:
    single = 0
    for problem in random_problems(36, seed=8) + decoder_problems(12, seed=8):
        (alone,), (paired, _) = (minimise([problem] * count, seed=1, route=FAST) for count in (1, 2))
        assert alone.route == FAST
        assert alone.diverged == paired.diverged
        if alone.diverged:
            continue
        single += alone.loss != paired.loss  # NumPy rounds otherwise
        assert abs(alone.loss - paired.loss) <= DESCENT_BELOW.value * max(1.0, abs(alone.loss))
        assert alone.certificate.gradient_norm <= GRADIENT_NORM.value
        assert alone.certificate.smallest_hessian_eigenvalue >= -HESSIAN_EIGENVALUE.value
        if not problem.learned_decoder:  # the loss may be level in its logarithm
            apart = np.abs(alone.product_singular_values - paired.product_singular_values).max()
            assert apart <= DESCENT_INVARIANT.value * max(1.0, problem.spectrum[0])
    assert single > 10


@each_objective
def test_the_certificate_is_that_of_automatic_differentiation(objective: Objective) -> None:
    at, statistics = drawn(objective)
    negative = 0
    for place, expected in enumerate(certify(at, statistics, objective)):
        found = certify_lone(lone(at, place), lone(statistics, place), objective)
        for name in ("gradient_norm", "smallest_hessian_eigenvalue", "overlap"):
            size = abs(expected.gradient_norm) + abs(expected.smallest_hessian_eigenvalue)
            assert abs(getattr(found, name) - getattr(expected, name)) <= FLOAT64_DERIVATIVE.value * max(1.0, size)
        negative += found.smallest_hessian_eigenvalue < -0.1
    assert negative > 0


def test_what_takes_many_steps_goes_on_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_descent_module, "lone_descent", partial(lone_descent, most=1))
    ended: list[int] = []
    (problem,) = random_problems(9, seed=2)[8:]
    objective, statistics = objective_of(problem), Statistics.arrays_of(problem)
    start = descent._start(problem, 0, 1.0)
    assert lone_minimum(type(start)(*(value.numpy() for value in start)), statistics, objective) is None
    (handed,) = minimise([problem], seed=0, route=FAST, progress=ended.append)
    (pair, _) = minimise([problem] * 2, seed=0, route=FAST)
    assert (handed.U.tobytes(), handed.loss, sum(ended)) == (pair.U.tobytes(), pair.loss, 1)


def test_only_small_single_instances_are_taken_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def watched(start: Any, *others: Any) -> Any:
        seen.append(start.U.size)
        return lone_minimum(start, *others)

    monkeypatch.setattr(descent, "lone_minimum", watched)
    for d1 in (1, 8, 9):
        problem = planted_problem(
            np.random.default_rng(d1), D0=8, d2=8, d1=d1, zeta=np.linspace(3, 1, 8), phi=np.ones(8), residual=0.0, beta=1.0,
            eta_dec=1.0, eta_enc=1.0,
        )  # fmt: skip
        minimise([problem], seed=0, route=FAST)
    minimise([problem] * 2, seed=0, route=FAST)
    assert seen == [8, 64]


def test_what_is_no_number_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "lone_minimum", lambda start, *others: start._replace(U=np.nan * start.U))
    (problem,) = random_problems(1, seed=3)
    (alone,), (paired, _) = (minimise([problem] * count, seed=0, route=FAST) for count in (1, 2))
    assert alone.U.tobytes() == paired.U.tobytes()


def test_a_single_instance_is_reported_once() -> None:
    ended: list[int] = []
    minimise(random_problems(1, seed=0), seed=0, route=FAST, progress=ended.append)
    assert ended == [1]


def test_without_a_signal_a_single_instance_ends_at_the_origin() -> None:
    """The misfit is 0 at any decoder: only a learned decoder variance makes that a reason to leave."""
    problem = planted_problem(
        np.random.default_rng(0), D0=2, d2=2, d1=2, zeta=np.zeros(2), phi=np.ones(2), residual=1.0, beta=1.0, eta_dec=1.0,
        eta_enc=1.0,
    )  # fmt: skip
    start = descent._start(problem, 0, 1.0)
    arrays = type(start)(*(value.numpy() for value in start))
    end = lone_minimum(arrays, Statistics.arrays_of(problem), LEARNED_VARIANCES)
    assert end is not None
    assert np.abs(end.U).max() <= DESCENT_INVARIANT.value


def test_only_a_learned_decoder_variance_with_learned_ones_of_the_encoder_has_a_cutoff(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[float] = []

    def watched(X: Any, of: Any, *, cutoff: float) -> Any:
        seen.append(cutoff)
        return lone_descent(X, of, cutoff=cutoff)

    monkeypatch.setattr(fast_descent_module, "lone_descent", watched)
    for objective in OBJECTIVES.values():
        at, statistics = drawn(objective)
        lone_minimum(lone(at, 0), lone(statistics, 0), objective)
    assert seen == [0.0, 0.0, DECODER_CUTOFF.value, 0.0]
    of = LoneProjection.of(Projection(np.eye(2)), 2)
    X, ended = lone_descent(np.eye(2), of, cutoff=1e9)
    (again, _) = lone_descent(np.eye(2), of, most=0)
    assert not ended and np.array_equal(X, again)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_extreme_scales_warn_no_more_than_many_instances_do(scale: float) -> None:
    """Warnings are errors here: where NumPy overflows, a single instance goes on in torch."""
    for learned_decoder in (False, True):
        for eta_dec, start_scale in ((scale, 1.0), (1.0, 1e6)):
            problem = planted_problem(
                np.random.default_rng(0), D0=2, d2=2, d1=2, zeta=np.array([2.0, 1.0]), phi=np.ones(2), residual=1.0, beta=1.0,
                eta_dec=eta_dec, eta_enc=1.0, learned_decoder=learned_decoder,
            )  # fmt: skip
            (alone,), (paired, _) = (
                minimise([problem] * count, seed=0, route=FAST, start_scale=start_scale) for count in (1, 2)
            )
            size = max(1.0, abs(paired.loss), problem.y2 / eta_dec**2)
            assert abs(alone.loss - paired.loss) <= DESCENT_GAP.value * size


@pytest.mark.slow
def test_the_last_digits_do_not_depend_on_the_threads_of_blas() -> None:
    """At the largest decoder that is taken in NumPy."""
    code = (
        "import hashlib, numpy as np; from numerics.descent import minimise; from numerics.fast_descent import MOST_ALONE;"
        "from numerics.problem import Problem; size = int(MOST_ALONE**0.5);"
        "C = np.random.default_rng(0).standard_normal((size, size));"
        "p = Problem(np.eye(size), C, float((C**2).sum()), size, 0.5, 1.0, 1.0);"
        "(m,) = minimise([p], seed=0, route='fast');"
        "print(hashlib.sha256(m.U.tobytes() + np.float64(m.loss).tobytes()).hexdigest(), m.certificate.gradient_norm)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


def test_past_the_cutoff_of_a_learned_decoder_variance_descent_is_given_up() -> None:
    """y = x in one dimension, r = 0: below beta = 1 the loss falls for ever as eta_dec^2 does, above it has a minimum."""
    rng = np.random.default_rng(0)
    sizes = {"D0": 1, "d2": 1, "d1": 1, "zeta": np.ones(1), "phi": np.ones(1), "residual": 0.0}
    for beta in (0.5, 2.0):
        problem = planted_problem(rng, **sizes, beta=beta, eta_dec=1.0, eta_enc=1.0, learned_decoder=True)
        start = descent._start(problem, 0, 1.0)
        arrays = type(start)(*(value.numpy() for value in start))
        end = lone_minimum(arrays, Statistics.arrays_of(problem), LEARNED_DECODER)
        assert (end is None) == (beta < 1)
        assert end is None or np.exp(end.log_decoder) > DECODER_CUTOFF.value
