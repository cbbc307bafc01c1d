"""Problem refuses what is not an instance; the random ones are what they are planted to be, in every regime."""

import dataclasses
import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from derivations.errors import DataError
from numerics.decoder_problems import decoder_problems
from numerics.problem import Problem
from numerics.problems import REGIMES, planted_problem, random_problems, regime_counts, regimes_of
from numerics.regimes import misfit, mode_thresholds
from numerics.tolerances import FLOAT64_IDENTITY, PLANTED_SPECTRUM

drawn = cache(random_problems)

GOOD: dict[str, Any] = {
    "A": np.diag([4.0, 1.0]),
    "C": np.array([[2.0, 0.5], [0.0, 0.5], [1.0, 0.0]]),
    "y2": 3.0,
    "d1": 2,
    "beta": 0.5,
    "eta_dec": 2.0,
    "eta_enc": 3.0,
}


def not_a_number(array: np.ndarray) -> np.ndarray:
    broken = array.copy()
    broken[-1, 0] = np.nan
    return broken


BAD: list[tuple[dict[str, Any], str]] = [
    ({"A": not_a_number(GOOD["A"])}, r"^A has a NaN.*\(1, 0\)"),
    ({"C": not_a_number(GOOD["C"])}, r"^C has a NaN.*\(2, 0\)"),
    ({"A": GOOD["A"] + np.inf}, "^A has a NaN or an infinity"),
    ({"A": GOOD["A"][:1]}, "^A must be square"),
    ({"A": GOOD["A"].ravel()}, "^A must have 2 dimension"),
    ({"A": np.zeros((0, 0))}, "^A is empty"),
    ({"A": np.zeros((2, 2)), "C": np.zeros((3, 2))}, "^A is zero"),
    ({"A": np.array([[4.0, 0.1], [0.0, 1.0]])}, "^A must be symmetric.*symmetrise"),
    ({"A": np.diag([4.0, -1.0])}, "^A must be positive semidefinite"),
    ({"A": GOOD["A"].astype(np.float32)}, r"^A has dtype float32.*astype\(numpy.float64\)"),
    ({"A": GOOD["A"].astype(int)}, r"^A has dtype int64.*astype\(numpy.float64\)"),
    ({"A": GOOD["A"] + 1j}, "^A is complex"),
    ({"A": GOOD["A"].tolist()}, "^A must be a numpy array, got list"),
    ({"C": GOOD["C"].T}, "^C must be E.*Transpose"),
    ({"C": GOOD["C"][:0]}, "^C is empty"),
    ({"C": GOOD["C"] * 1j}, "^C is complex"),
    ({"C": GOOD["C"].astype(np.float32)}, "^C has dtype float32"),
    ({"eta_dec": 1e-170}, "^eta_dec is a standard deviation whose square float64 cannot hold"),
    ({"eta_enc": 1e160}, "^eta_enc is a standard deviation whose square float64 cannot hold"),
    ({"A": np.diag([4.0, 0.0])}, "^C has a part of norm 0.707 outside the range of A"),
    ({"y2": 1.7}, r"^y2 = 1.7 is smaller than ‖Z‖² = 1.75"),
    ({"y2": -1.0}, "^y2 must be zero or positive"),
    ({"y2": math.nan}, "^y2 must be finite"),
    ({"y2": 1j}, "^y2 must be a real number"),
    ({"y2": np.complex128(3.0)}, "^y2 must be a real number"),
    ({"beta": True}, "^beta must be a real number"),
    ({"d1": 0}, "^d1 must be a whole number"),
    ({"d1": True}, "^d1 must be a whole number"),
    ({"d1": 2.5}, "^d1 must be a whole number"),
    ({"beta": 0.0}, "^beta must be positive.*no minimiser exists"),
    ({"beta": -1.0}, "^beta must be positive"),
    ({"beta": math.inf}, "^beta must be finite"),
    ({"eta_dec": 0.0}, "^eta_dec must be positive.*standard deviation of the decoder"),
    ({"eta_dec": -2.0}, "^eta_dec must be positive"),
    ({"eta_enc": 0.0}, "^eta_enc must be positive.*standard deviation of the prior"),
    ({"eta_enc": math.nan}, "^eta_enc must be finite"),
    ({"sigma": np.array([1.0, 0.0])}, "^sigma .*must be positive"),
    ({"sigma": np.array([1.0, -1.0])}, "^sigma .*must be positive"),
    ({"sigma": np.array([1.0])}, "^sigma must hold d1 = 2"),
    ({"sigma": np.array([])}, "^sigma is empty"),
    ({"sigma": np.array([1.0, np.nan])}, "^sigma has a NaN"),
    ({"zeta": np.array([1.0, 2.0])}, r"^zeta must hold d\* = 2 non-increasing"),
    ({"zeta": np.array([1.0])}, r"^zeta must hold d\* = 2 non-increasing"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=lambda value: None if isinstance(value, dict) else value[:24])
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    Problem(**GOOD)
    with pytest.raises(DataError, match=message):
        Problem(**GOOD | changes)


def test_good_input_is_reduced() -> None:
    problem = Problem(**GOOD)
    assert (problem.D0, problem.d0, problem.d2, problem.dstar, problem.learned) == (2, 2, 3, 2, True)
    np.testing.assert_array_equal(problem.phi, [4.0, 1.0])
    # Z = C Φ^{-1/2} up to the signs of the eigenvectors
    np.testing.assert_array_equal(np.abs(problem.Z), [[1.0, 0.5], [0.0, 0.5], [0.5, 0.0]])
    assert problem.r == 3.0 - 1.75


def test_fields_cannot_be_changed() -> None:
    problem = Problem(**GOOD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.beta = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        problem.A[0, 0] = 1.0


def test_later_changes_of_the_input_do_not_reach_the_problem() -> None:
    A = GOOD["A"].copy()
    problem = Problem(**GOOD | {"A": A})
    A[0, 0] = 100.0
    assert problem.A[0, 0] == 4.0


def test_singular_vectors_are_those_of_Z() -> None:
    for problem in random_problems(60, seed=1):
        middle = np.zeros((problem.d2, problem.d0))
        np.fill_diagonal(middle, problem.spectrum)
        error = np.abs(problem.F @ middle @ problem.G.T - problem.Z).max()
        assert error <= PLANTED_SPECTRUM.value * max(problem.spectrum[0], 1.0)


def test_planted_spectrum_is_that_of_the_moments() -> None:
    for problem in random_problems(120, seed=2):
        assert problem.zeta is not None
        computed = dataclasses.replace(problem, zeta=None).spectrum
        assert computed is not problem.zeta
        assert np.abs(computed - problem.zeta).max() <= PLANTED_SPECTRUM.value * max(problem.zeta[0], 1.0)


def test_moments_are_those_of_some_data() -> None:
    """[[A, Cᵀ], [C, B]] is a second moment for some B with trace y2: that is what r ≥ 0 says."""
    for problem in random_problems(60, seed=3):
        explained = problem.C @ np.linalg.pinv(problem.A, hermitian=True) @ problem.C.T
        assert abs(np.trace(explained) + problem.r - problem.y2) <= FLOAT64_IDENTITY.value * max(problem.y2, 1.0)


def test_same_seed_same_problems() -> None:
    for first, second in zip(random_problems(30, seed=5), random_problems(40, seed=5)[:30], strict=True):
        assert first.name == second.name
        assert first.A.tobytes() == second.A.tobytes()
        assert first.C.tobytes() == second.C.tobytes()
        assert (first.beta, first.y2, first.regimes) == (second.beta, second.y2, second.regimes)
    assert random_problems(1, seed=6)[0].A.tobytes() != random_problems(1, seed=7)[0].A.tobytes()


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1)])
def test_negative_count_or_seed_is_refused(count: int, seed: int) -> None:
    with pytest.raises(DataError, match="must not be negative"):
        random_problems(count, seed)


@pytest.mark.parametrize("seed", range(2))
def test_every_regime_is_sampled(seed: int) -> None:
    counts = regime_counts([*drawn(600, seed), *decoder_problems(300, seed)])
    assert set(counts) == set(REGIMES)
    assert {name: count for name, count in counts.items() if count < 20} == {}


def test_regimes_meet_each_kind_of_encoder() -> None:
    """Every position of the spectrum occurs with learned, prior and other fixed variances."""
    problems = drawn(600, 0)
    for encoder in ("learned-variance", "prior-variance", "fixed-variance"):
        counts = regime_counts(problem for problem in problems if encoder in problem.regimes)
        spectra = ("at-threshold", "complete-collapse", "partial-collapse", "no-collapse", "ties", "zero-mode")
        assert {name: counts[name] for name in spectra if counts[name] < 4} == {}


def test_regime_counts_lists_what_is_missing() -> None:
    counts = regime_counts([])
    assert set(counts) == set(REGIMES)
    assert set(counts.values()) == {0}


def test_few_shapes_every_aspect_ratio() -> None:
    problems = drawn(600, 0)
    assert len({(p.D0, p.d2, p.d1, p.learned) for p in problems}) <= 24
    assert {(p.D0 > p.d2) - (p.D0 < p.d2) for p in problems} == {-1, 0, 1}
    assert max(max(p.D0, p.d2, p.d1) for p in problems) == 6


def test_no_accidental_degeneracy() -> None:
    problems = drawn(600, 1)
    distances = []
    for problem in problems:
        zeta, thresholds = problem.spectrum, mode_thresholds(problem)
        ratio = zeta[: len(thresholds)] / thresholds
        distances.extend(np.abs(ratio[ratio != 1] - 1))
        pairs = pairwise(zeta)
        distances.extend(larger / smaller - 1 for larger, smaller in pairs if larger > smaller > 0)
    assert len(distances) > 1000
    assert min(distances) > 0.015


def test_fixed_variances_come_in_no_order() -> None:
    fixed = [p.sigma for p in drawn(600, 0) if "fixed-variance" in p.regimes and p.d1 > 1]
    assert len(fixed) > 30
    assert any(np.any(np.diff(sigma) > 0) and np.any(np.diff(sigma) < 0) for sigma in fixed if sigma is not None)
    assert all(len(set(sigma)) == len(sigma) for sigma in fixed if sigma is not None)


def test_tags_follow_the_numbers() -> None:
    def planted(**changes: Any) -> frozenset[str]:
        given: dict[str, Any] = {
            "D0": 3,
            "d2": 2,
            "d1": 2,
            "zeta": np.array([2.0, 1.0]),
            "phi": np.ones(3),
            "residual": 0.0,
            "beta": 1.0,
            "eta_dec": 1.0,
            "eta_enc": 1.0,
        }
        return planted_problem(np.random.default_rng(0), **given | changes).regimes

    learned = {"learned-variance", "above-threshold", "at-threshold", "partial-collapse", "d1-at", "wide", "r-zero"}
    assert planted() == learned
    assert planted(residual=1.0) == learned - {"r-zero"} | {"r-positive"}
    assert planted(sigma=np.ones(2)) == learned - {"learned-variance"} | {"prior-variance"}
    # The smallest σ belongs to the largest ζ: thresholds 1/2 and 1, wherever the σ stand.
    assert planted(sigma=np.array([1.0, 0.5])) == learned - {"learned-variance"} | {"fixed-variance"}
    assert planted(sigma=np.array([0.5, 3.0])) == (
        learned - {"learned-variance", "at-threshold"} | {"fixed-variance", "below-threshold"}
    )
    assert planted(d1=1) == learned - {"at-threshold", "partial-collapse", "d1-at"} | {"no-collapse", "d1-below"}


@pytest.mark.parametrize(
    "tags", [("wide", "square", "tall"), ("d1-below", "d1-at", "d1-above"), ("r-zero", "r-positive")]
)
def test_exactly_one_of_tags_that_exclude_each_other_holds(tags: tuple[str, ...]) -> None:
    assert {len(regimes_of(problem) & set(tags)) for problem in random_problems(60, 0)} == {1}


def test_beta_is_beside_the_ratio_in_one_way_where_the_decoder_is_learned_and_in_none_where_it_is_given() -> None:
    tags = ["beta-below-ratio", "beta-at-ratio", "beta-above-ratio"]
    for problem in decoder_problems(60, seed=0):
        side = int(np.sign(problem.beta - problem.d2 / problem.dstar))
        assert regimes_of(problem) & set(tags) == {tags[side + 1]}, problem.name
        assert not regimes_of(dataclasses.replace(problem, learned_decoder=False)) & set(tags)


def test_tags_of_an_autoencoder_are_computed_from_its_moments() -> None:
    tags = regimes_of(
        Problem(A=np.diag([4.0, 1.0]), C=np.diag([4.0, 1.0]), y2=5.0, d1=3, beta=20.0, eta_dec=1.0, eta_enc=1.0)
    )
    assert {"autoencoder", "r-zero", "large-beta", "complete-collapse", "d1-above", "square"} <= tags


def test_what_only_looks_like_an_autoencoder_is_none() -> None:
    tags = regimes_of(
        Problem(A=np.diag([4.0, 1.0]), C=np.diag([4.0, 0.5]), y2=5.0, d1=3, beta=1.0, eta_dec=1.0, eta_enc=1.0)
    )
    assert "square" in tags and "autoencoder" not in tags


@pytest.mark.parametrize(
    ("beta", "tag"),
    [(0.09, {"small-beta"}), (1 / 10, set()), (10.0, set()), (10.1, {"large-beta"})],
)
def test_beta_is_small_or_large_beyond_a_tenth_and_ten(beta: float, tag: set[str]) -> None:
    problem = Problem(A=np.eye(1), C=np.eye(1), y2=1.0, d1=1, beta=beta, eta_dec=1.0, eta_enc=1.0)
    assert regimes_of(problem) & {"small-beta", "large-beta"} == tag


def test_the_misfit_of_a_batch_is_that_of_each() -> None:
    """d2 s less r, min(zeta^2, beta s) up to d1, and the zeta^2 beyond: 6 - (1/2 + 4 + 1 + 1/4) and 3 - (1/2 + 2 + 2 + 1)."""
    squares = np.array([[9.0, 1.0, 0.25], [9.0, 3.0, 1.0]])
    found = misfit(np.array([2.0, 1.0]), squares, 0.5, 2.0, 2, 3)
    assert found.tolist() == [6 - 5.75, 3 - 5.5]


def test_a_cross_moment_that_is_rounding_alone_has_no_direction() -> None:
    """x has rank 1, y is uncorrelated with it: what the sums of products leave of C may point anywhere."""
    A, rounding = np.diag([4.0, 0.0]), 1e-17
    problem = Problem(A=A, C=np.array([[0.0, rounding]]), y2=1.0, d1=1, beta=1.0, eta_dec=1.0, eta_enc=1.0)
    assert problem.spectrum.max() < 2 * rounding
    with pytest.raises(DataError, match="outside the range of A"):
        Problem(A=A / 1e12, C=np.array([[0.0, rounding]]), y2=1.0, d1=1, beta=1.0, eta_dec=1.0, eta_enc=1.0)
    with pytest.raises(DataError, match="outside the range of A"):
        Problem(
            A=A, C=np.array([[0.0, 100 * np.finfo(np.float64).eps]]), y2=1.0, d1=1, beta=1.0, eta_dec=1.0, eta_enc=1.0
        )
