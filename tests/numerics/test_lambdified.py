"""The bridge: one formula, the same values in SymPy, NumPy, torch and exact numbers."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Basic, Expr, MatrixSymbol, Max, Min, Piecewise, Rational, Sum, Symbol

from derivations import notation as n
from derivations.claim import Claim
from derivations.instances import Instance, instances, is_exactly_zero
from derivations.ledger import CLAIMS
from derivations.notation import Mean, MeanMatrix, SquaredNorm, beta, eta_dec, eta_enc, i, sigma, zeta
from numerics.lambdified import evaluate
from numerics.tolerances import FLOAT64_IDENTITY

COLUMN = MatrixSymbol("v", 2, 1)
INSTANCES = instances()[:14]
SEQUENCES = {n.zeta, n.sigma, n.sigma_sorted, n.mean}
SIZES = {n.d0, n.d1, n.d2, n.dstar}


def scalar_parts(claim: Claim) -> list[Basic]:
    """The components of the standing formula that are made of the scalars of an instance alone."""
    formula = claim.standing.formula
    known = {beta, eta_dec, eta_enc, i, n.constant, *SIZES, *(base.label for base in SEQUENCES)}
    parts = formula.args if isinstance(formula, sympy.Tuple) else (formula,)
    return [
        part
        for part in parts
        if not part.has(sympy.MatrixExpr, Mean) and part.free_symbols - part.atoms(sympy.Indexed) <= known
    ]


ON_MNIST = {
    "fig-2.thresholds",
    "fig-3.spectrum",
    "fig-3.modes",
}  # about one spectrum of many entries: test_figure_observables
SCALAR = [(claim, place) for claim in CLAIMS if claim.id not in ON_MNIST for place in range(len(scalar_parts(claim)))]


def sequences(instance: Instance) -> dict[Basic, list[Expr]]:
    """Each sequence and what lies behind its end: no signal, the prior's deviation, mean zero."""
    size = max(instance.d1, len(instance.zeta)) + 1
    known = {
        n.zeta: (instance.zeta, sympy.S.Zero),
        n.sigma: (instance.sigma, instance.eta_enc),
        n.sigma_sorted: (tuple(sorted(instance.sigma)), instance.eta_enc),
        n.mean: (instance.mean, sympy.S.Zero),
    }
    return {base: [*entries, *[fill] * (size - len(entries))] for base, (entries, fill) in known.items()}


def scalars(instance: Instance) -> dict[Basic, Any]:
    sizes = {n.d0: instance.d0, n.d1: instance.d1, n.d2: instance.d2, n.dstar: min(instance.d0, instance.d2)}
    return sizes | {beta: instance.beta, eta_dec: instance.eta_dec, eta_enc: instance.eta_enc, n.constant: Rational(7)}


def by_substitution(formula: Basic, instance: Instance) -> list[Basic]:
    """The value at every mode, or the one value: sums written out, then symbols and entries replaced."""
    written_out = formula.xreplace({size: sympy.Integer(scalars(instance)[size]) for size in SIZES}).doit()
    vectors = sequences(instance)
    found = []
    for mode in range(1, len(vectors[n.zeta]) + 1):
        here = written_out.xreplace({i: sympy.Integer(mode)})
        entries = {entry: vectors[entry.base][int(entry.indices[0]) - 1] for entry in here.atoms(sympy.Indexed)}
        found.append(here.xreplace(entries).xreplace(scalars(instance)))
    return found


def values_for(instance: Instance, backend: str) -> dict[Basic, Any]:
    if backend == "exact":
        return scalars(instance) | {
            base: np.array(entries, dtype=object) for base, entries in sequences(instance).items()
        }
    as_float: dict[Basic, Any] = {
        base: np.array([float(entry) for entry in entries]) for base, entries in sequences(instance).items()
    }
    if backend == "torch":
        as_float = {base: torch.tensor(vector) for base, vector in as_float.items()}
    return {
        symbol: value if symbol in SIZES else float(value) for symbol, value in scalars(instance).items()
    } | as_float


@pytest.mark.parametrize("backend", ["numpy", "torch", "exact"])
@pytest.mark.parametrize(("claim", "place"), SCALAR, ids=[f"{claim.id}-{place}" for claim, place in SCALAR])
def test_a_backend_agrees_with_substitution(claim: Claim, place: int, backend: str) -> None:
    formula = scalar_parts(claim)[place]
    for instance in INSTANCES:
        expected = by_substitution(formula, instance)
        found = evaluate(formula, values_for(instance, backend), backend)
        assert len(expected) > 1
        for mode, value in enumerate(expected):
            here = found if getattr(found, "ndim", 0) == 0 else found[mode]
            if isinstance(value, sympy.logic.boolalg.BooleanAtom):
                assert bool(here) is bool(value), (instance, mode)
            elif backend == "exact":
                assert is_exactly_zero(here - value), (instance, mode, here, value)
            else:
                distance = abs(float(here) - float(value))
                assert distance <= FLOAT64_IDENTITY.value * max(1.0, abs(float(value))), (instance, mode, here, value)


def test_the_claims_with_scalar_formulas_are_those_about_modes() -> None:
    covered = {claim.id for claim, _ in SCALAR}
    assert covered >= {
        "notation.gaussian-kl", "prop-2.minimum", "cor-1.profile", "thm-1.minimum", "thm-1.complete-collapse",
        "eq-13.reduced", "prop-3.variance", "thm-2.minimum", "thm-2.variance", "thm-2.extra-latents",
    }  # fmt: skip
    both = [values_for(instance, "numpy") for instance in INSTANCES]
    level = [value[zeta][0] - np.sqrt(value[beta]) * value[eta_dec] for value in both]
    assert min(level) < 0 < max(level), "instances on one side of the threshold only"


# ---------------------------------------------------------------------------------------- indices and sums
ENTRIES = {"numpy": np.array([3.0, 2.0, 1.0]), "torch": torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)}
ENTRIES["exact"] = np.array([sympy.Integer(k) for k in (3, 2, 1)], dtype=object)


@pytest.mark.parametrize("backend", ENTRIES)
def test_indices(backend: str) -> None:
    values = {zeta: ENTRIES[backend]}
    assert [float(entry) for entry in evaluate(zeta[i], values, backend)] == [3, 2, 1]
    assert float(evaluate(zeta[2], values, backend)) == 2
    # beyond the last mode the padding goes on
    assert [float(entry) for entry in evaluate(zeta[i + 1], values, backend)] == [2, 1, 1]
    assert [float(entry) for entry in evaluate(zeta[i + 2] - zeta[i], values, backend)] == [-2, -1, 0]


@pytest.mark.parametrize("backend", ENTRIES)
def test_one_entry_at_a_number_or_a_dimension(backend: str) -> None:
    values = {zeta: ENTRIES[backend], n.d1: 2, n.dstar: 1}
    for entry, expected in ((zeta[n.d1], 2), (zeta[n.d1 + 1], 1), (zeta[Min(n.d1, n.dstar)], 3), (zeta[9], 1)):
        found = evaluate(entry, values, backend)
        assert float(found) == expected and getattr(found, "ndim", 0) == 0
    # the entries where a branch does not apply are set to 1, but not the one that another branch reads
    relative = Piecewise((zeta[i] / zeta[1], zeta[i] < zeta[1]), (zeta[n.d1], True))
    assert [3 * float(entry) for entry in evaluate(relative, values, backend)] == pytest.approx([6, 2, 1])


@pytest.mark.parametrize("backend", ENTRIES)
def test_there_is_nothing_before_the_first_entry(backend: str) -> None:
    values = {zeta: ENTRIES[backend], n.d1: 1}
    for index in (sympy.S.Zero, sympy.Integer(-1), i - 1):
        with pytest.raises(ValueError, match="counted from 1"):
            evaluate(zeta[index], values, backend)
    assert np.isnan(float(evaluate(zeta[n.d1 - 1], values, backend)))
    assert instances()[0].value(zeta[0]) is instances()[0].value(zeta[i - 1], 1) is sympy.nan


@pytest.mark.parametrize("backend", ENTRIES)
@pytest.mark.parametrize(
    ("first", "last", "total"),
    [(1, 3, 6), (2, 3, 3), (3, 3, 1), (3, 2, 0), (4, 3, 0), (1, 0, 0), (2, -1, 0), (1, 9, 6)],
)
def test_sums(backend: str, first: int, last: int, total: int) -> None:
    values = {zeta: ENTRIES[backend], n.d1: last}
    assert float(evaluate(Sum(zeta[i], (i, first, n.d1)), values, backend)) == total


@pytest.mark.parametrize("backend", ENTRIES)
def test_a_sum_of_a_constant_counts_its_range(backend: str) -> None:
    for last, count in ((4, 3), (2, 1), (1, 0), (0, 0)):
        two = sympy.Integer(2) if backend == "exact" else 2.0
        values = {n.d1: last, n.constant: two}
        assert float(evaluate(Sum(n.constant, (i, 2, n.d1)), values, backend)) == 2 * count


def test_a_gradient_reaches_every_term_of_a_sum_and_no_other() -> None:
    vector = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64, requires_grad=True)
    evaluate(Sum(zeta[i] ** 2, (i, 2, n.d1)), {zeta: vector, n.d1: 3}, "torch").backward()
    assert vector.grad is not None
    assert vector.grad.tolist() == [0, 4, 2]


def test_names_that_do_not_occur_are_ignored_and_missing_ones_are_not() -> None:
    assert evaluate(2 * beta, {beta: 3.0, eta_dec: float("nan"), n.A: None}) == 6
    with pytest.raises(TypeError, match="beta"):
        evaluate(2 * beta, {eta_dec: 1.0})


def test_an_expectation_is_the_mean_over_draws() -> None:
    X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]])
    moment, square = MeanMatrix(COLUMN * COLUMN.T), Mean(SquaredNorm(COLUMN))
    assert np.array_equal(evaluate(moment, {COLUMN: X}, draws=3), X @ X.T / 3)
    assert evaluate(square, {COLUMN: X}, draws=3) == 16 / 3
    exact = X.astype(int).astype(object)
    assert evaluate(square, {COLUMN: exact}, "exact", draws=3) == Rational(16, 3)
    assert evaluate(square, {COLUMN: torch.tensor(X)}, "torch", draws=3).item() == 16 / 3


# --------------------------------------------------------------------------------------------- any expression
_a, _b = Symbol("a", real=True), Symbol("b", real=True)
_LEAVES = st.sampled_from([_a, _b]) | st.sampled_from([Rational(k, m) for k in (-3, -1, 2, 5) for m in (1, 2, 3)])


def _grown(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Real on all real numbers, so that SymPy and floats must agree: roots and logarithms of squares plus 1 only."""
    pairs = st.tuples(parts, parts)
    relations = st.sampled_from([sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge])
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: Max(*p)),
        pairs.map(lambda p: Min(*p)),
        parts.map(lambda e: 1 / (e**2 + 1)),
        parts.map(lambda e: sympy.sqrt(e**2 + 1)),
        parts.map(lambda e: (e**2 + 1) ** Rational(-3, 2)),
        parts.map(lambda e: sympy.log(e**2 + 1)),
        parts.map(lambda e: e**3),
        st.tuples(parts, parts, relations).map(lambda p: Piecewise((p[0], p[2](_a, _b)), (p[1], True))),
    )


@given(
    formula=st.recursive(_LEAVES, _grown, max_leaves=7),
    a=st.integers(-16, 16).map(lambda k: Rational(k, 8)),
    b=st.integers(-16, 16).map(lambda k: Rational(k, 8)),
)
def test_any_scalar_expression_evaluates_alike(formula: Expr, a: Rational, b: Rational) -> None:
    at = {_a: a, _b: b}
    sizes = [abs(part.subs(at).evalf(20)) for part in sympy.preorder_traversal(formula) if isinstance(part, Expr)]
    assume(max(sizes) < 1000)
    expected = formula.subs(at).evalf(25)
    allowed = FLOAT64_IDENTITY.value * max(1.0, *(float(size) for size in sizes))
    floats = {symbol: float(value) for symbol, value in at.items()}
    tensors = {symbol: torch.tensor(value, dtype=torch.float64) for symbol, value in floats.items()}
    assert abs(float(evaluate(formula, floats)) - expected) <= allowed
    assert abs(float(evaluate(formula, tensors, "torch")) - expected) <= allowed
    assert abs(sympy.sympify(evaluate(formula, at, "exact")).evalf(25) - expected) <= allowed


def test_unsorted_and_sorted_deviations_are_two_sequences() -> None:
    values = {sigma: np.array([2.0, 1.0]), n.sigma_sorted: np.array([1.0, 2.0])}
    assert evaluate(sigma[i] / n.sigma_sorted[i], values).tolist() == [2.0, 0.5]
