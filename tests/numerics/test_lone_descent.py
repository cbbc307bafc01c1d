"""One instance in NumPy: the same derivatives, minima and certificates as many in torch."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from numerics import descent, levenberg_marquardt
from numerics import fast_descent as fast_descent_module
from numerics import lone_descent as lone_descent_module
from numerics.certificates import certify, certify_lone
from numerics.closed_forms import least_losses
from numerics.columns import overlap
from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.decoder_problems import decoder_problems
from numerics.descent import minimise, objective_of
from numerics.fast_descent import lone_minimum, projected
from numerics.levenberg_marquardt import projected_descent
from numerics.lone_descent import LoneProjection, lone_descent
from numerics.minimum import FAST
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.problems import planted_problem, random_problems
from numerics.projection import Projection, whitened
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

COUNT = 6
OBJECTIVES = {
    "fixed": FIXED_VARIANCES,
    "learned": LEARNED_VARIANCES,
    "decoder": LEARNED_DECODER,
    "held": LEARNED_DECODER_ALONE,
}
each_objective = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


def drawn(objective: Objective, d2: int = 3, d1: int = 2) -> tuple[Any, Statistics]:
    """A batch of points and data, every scale another one, x without one of its directions."""
    generator = torch.Generator().manual_seed(d2 + d1)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M = normal(4, 3)
    C = normal(d2, 3) @ M.mT
    y2 = 1 + (C @ torch.linalg.pinv(M @ M.mT, hermitian=True) @ C.mT).diagonal(dim1=-2, dim2=-1).sum(-1)
    at: Any = Parameters(normal(4, d1), normal(d2, d1), normal(d1))
    if objective in (LEARNED_DECODER, LEARNED_DECODER_ALONE):
        at = DecoderParameters(*at, normal())
    if objective is LEARNED_DECODER_ALONE:
        at = HeldParameters.of(at)
    return at, Statistics(M @ M.mT, C, y2, *(normal().exp() for _ in range(3)))


def lone(batch: Any, place: int) -> Any:
    """One of a batch's points or statistics, in NumPy."""
    return type(batch)(*(value[place].numpy() if value[place].ndim else np.float64(value[place]) for value in batch))


def close(found: Any, expected: Any, relative: float) -> bool:
    expected = np.asarray(expected)
    return bool(np.abs(np.asarray(found) - expected).max() <= relative * max(1.0, np.abs(expected).max()))


@each_objective
def test_the_original_objective_is_the_same_in_numpy(objective: Objective) -> None:
    at, statistics = drawn(objective)
    for place in range(COUNT):
        one = (*lone(at, place), *lone(statistics, place))
        for name in ("loss", "hessian"):
            whole = getattr(objective, name)(*at, *statistics)[place]
            found = getattr(objective, name)(*one)
            assert found.shape == whole.shape
            assert close(found, whole, FLOAT64_IDENTITY.value)
        slope = objective.flat(objective.gradient(*one), batch=0)
        assert close(slope, objective.flat(objective.gradient(*at, *statistics))[place], FLOAT64_IDENTITY.value)
        cost = overlap(lone(at, place), lone(statistics, place), objective)
        assert close(cost, overlap(at, statistics, objective)[place], FLOAT64_IDENTITY.value)
        Z, _ = whitened(lone(statistics, place))
        assert close(Z @ Z.T, (whitened(statistics)[0] @ whitened(statistics)[0].mT)[place], FLOAT64_IDENTITY.value)


@each_objective
@pytest.mark.parametrize(("d2", "d1"), [(1, 1), (3, 2), (2, 4)])
def test_derivatives_are_those_of_the_projected_loss(objective: Objective, d2: int, d1: int) -> None:
    at, statistics = drawn(objective, d2, d1)
    X, whole = projected(at, statistics, objective), Projection.of(at, statistics, objective)
    further = whole.alternated(X)
    for place in range(COUNT):
        row = whole.rows(slice(place, place + 1))
        one = LoneProjection.of(Projection.of(lone(at, place), lone(statistics, place), objective), d1)
        # LAPACK may give the axes of A, and with them the columns of Y, other signs
        assert close(one.Y @ one.Y.T, row.Y[0] @ row.Y[0].mT, FLOAT64_IDENTITY.value)

        def loss(flat: torch.Tensor, row: Projection = row) -> torch.Tensor:
            return row.loss(flat.reshape(1, d2, d1))[0]

        flat = X[place].flatten()
        found = one.derivatives(X[place].numpy())
        assert close(found.loss, loss(flat), FLOAT64_IDENTITY.value)
        assert close(found.gradient, torch.autograd.functional.jacobian(loss, flat), FLOAT64_DERIVATIVE.value)
        assert close(found.hessian, torch.autograd.functional.hessian(loss, flat), FLOAT64_DERIVATIVE.value)
        assert close(one.alternated(X[place].numpy()), further[place], FLOAT64_IDENTITY.value)
        if whole.rest is not None:
            assert close(one.misfit(X[place].numpy()), whole.misfit(X)[place], FLOAT64_IDENTITY.value)


@each_objective
@pytest.mark.parametrize("turn", [False, True], ids=["straight", "turned"])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_steps_are_those_taken_in_torch(
    objective: Objective, scale: float, turn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step, from where the damping falls, rises and refuses, as long as rounding has not taken over."""
    for of in (levenberg_marquardt, lone_descent_module):
        monkeypatch.setattr(of, "_ALTERNATIONS", 0)
        monkeypatch.setattr(of, "_STRAIGHT", 0 if turn else 99)
    at, statistics = drawn(objective)
    statistics = statistics._replace(C=scale * statistics.C, y2=scale**2 * statistics.y2)
    X, whole = 3 * projected(at, statistics, objective), Projection.of(at, statistics, objective)
    moved = refused = 0
    many = [projected_descent(X, whole, most=most)[0] for most in range(1, 13)]
    for place in range(COUNT):
        one, before = LoneProjection.of(numpy_row(whole, place), X.shape[2]), X[place].numpy()
        for most, expected in enumerate(many, 1):
            found, ended = lone_descent(X[place].numpy(), one, most=most)
            if ended:
                break
            # a nearly singular damped Hessian enlarges rounding
            assert close(found, expected[place], DESCENT_INVARIANT.value)
            same = np.array_equal(found, before)
            moved, refused, before = moved + (not same), refused + same, found
    assert moved > 5 * COUNT
    assert refused > 0


def test_large_signals_end_too() -> None:
    """Terms of the loss as large as zeta^2 = 1e6 cancel, and rounding is relative to them."""
    generator = torch.Generator().manual_seed(0)
    for place in range(40):
        Y = 10**3 * torch.randn(3, 3, dtype=torch.float64, generator=generator)
        start = torch.randn(3, 3, dtype=torch.float64, generator=generator)
        _, ended = lone_descent(start.numpy(), LoneProjection.of(Projection(Y.numpy()), 3))
        assert ended, place


def test_the_last_step_lowers_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken where it does, and not where it does not."""
    at, statistics = drawn(LEARNED_VARIANCES)
    whole, lower = Projection.of(at, statistics, LEARNED_VARIANCES), 0
    for place in range(COUNT):
        one = LoneProjection.of(numpy_row(whole, place), 2)
        start = projected(at, statistics, LEARNED_VARIANCES)[place].numpy()
        calmed, _ = lone_descent(start, one)
        with monkeypatch.context() as patched:
            patched.setattr(lone_descent_module, "_calmed", lambda X, at, of: X)
            bare, _ = lone_descent(start, one)
        calm, steep = (np.linalg.norm(one.derivatives(X).gradient) for X in (calmed, bare))
        assert calm <= steep
        lower += calm < steep / 2
    assert lower > 0
    raised = one.derivatives(start)
    assert np.array_equal(lone_descent_module._calmed(start, raised._replace(gradient=0 * raised.gradient), one), start)


def numpy_row(whole: Projection, place: int) -> Projection:
    """One instance of a batch, in NumPy."""
    fields = (whole.Y, whole.deviations, whole.ratio, whole.rest)
    return Projection(*(None if value is None else value[place].numpy() for value in fields))


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


def test_a_single_instance_is_reported_once() -> None:
    ended: list[int] = []
    minimise(random_problems(1, seed=0), seed=0, route=FAST, progress=ended.append)
    assert ended == [1]


def test_a_saddle_is_left() -> None:
    """From next to the saddle with the second mode in the first one's place, and next to the origin."""
    of = LoneProjection.of(Projection(np.diag([3.0, 2.0])), 1)
    for start in ([[0.0], [3**0.5]], [[0.0], [0.0]]):
        for sign in (1, -1):
            X, ended = lone_descent(np.array(start) + sign * 1e-9, of)
            assert ended
            # an active mode costs 1 + log of its square, the other one its square
            assert abs(of.derivatives(X).loss - (1 + np.log(9) + 4)) <= FLOAT64_IDENTITY.value


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


@pytest.mark.parametrize("seed", range(3))
def test_near_ties_end_in_numpy_by_turning(seed: int) -> None:
    """Straight steps would take thousands; SciPy leaves 1e-7 at the first of these."""
    rng = np.random.default_rng(seed)
    for tie in (1e-3, 1e-5):
        zeta = 2 * (1 + tie * np.array([1.0, 0.3, -0.6]))
        left, right = (np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2))
        of = LoneProjection.of(Projection((left * zeta) @ right.T), 3)
        X, ended = lone_descent(rng.standard_normal((3, 3)), of)
        assert ended
        # an active mode costs 1 + log of its square
        assert abs(of.derivatives(X).loss - (3 + 2 * np.log(zeta).sum())) <= FLOAT64_IDENTITY.value
        assert np.abs(np.linalg.svd(X)[1] - np.sqrt(zeta**2 - 1)).max() <= DESCENT_INVARIANT.value


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_extreme_scales_warn_no_more_than_many_instances_do(scale: float) -> None:
    """Warnings are errors here: where NumPy overflows, a single instance goes on in torch."""
    for learned_decoder in (False, True):
        for eta_dec, start_scale in ((scale, 1.0), (1.0, 1e6)):
            problem = planted_problem(
                np.random.default_rng(0), D0=2, d2=2, d1=2, zeta=np.array([2.0, 1.0]), phi=np.ones(2), residual=1.0, beta=1.0,
                eta_dec=eta_dec, eta_enc=1.0, learned_decoder=learned_decoder,
            )  # fmt: skip
            alone = minimise([problem], seed=0, route=FAST, start_scale=start_scale)
            assert len(alone) == 1


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
