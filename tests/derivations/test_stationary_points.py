"""The list of stationary points against Eq 6 in NumPy: no closed form of a minimum, no SymPy."""

from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pytest
from scipy.optimize import root
from sympy import Identity, MatMul, Matrix, MatrixSymbol, Rational, Transpose, Tuple, ZeroMatrix, eye, zeros
from watched_proofs import facts_of

from derivations.claim import Verdict
from derivations.exact_data import rational_orthogonal
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from derivations.strict_saddles import level

ROUNDING, OF_A_DIFFERENCE = 1e-10, 1e-5
"""Of a slope at a point with entries of order 1; of second differences a thousandth apart."""
CHOSEN, CURVATURE = (claims_by_id()[name].standing for name in ("x.stationary-points", "x.no-spurious-minima"))

CASES = {
    "as many latents": ([5, 3, 2], 3, 4, 3, ("4", "1/2", "1/3")),
    "one latent": ([4, 3, 2], 3, 3, 1, ("1", "1", "2")),
    "two latents for three modes": ([6, 5, 2], 4, 3, 2, ("9/4", "1", "1/2")),
    "a tie, and a mode below the threshold": ([3, 3, 1], 3, 3, 2, ("4", "1", "3/2")),
}


class Example:
    """An instance of Eq 6 with random singular vectors."""

    def __init__(self, zeta: list[int], d2: int, d0: int, d1: int, scales: tuple[str, ...]) -> None:
        beta, eta_dec, eta_enc = (Rational(number) for number in scales)
        self.instance = Instance(
            tuple(Rational(number) for number in zeta), (eta_enc,) * d1, beta, eta_dec, eta_enc, d0=d0, d2=d2
        )
        self.threshold, self.variance = float(beta**0.5 * eta_dec), float(eta_enc**2)
        self.c = self.threshold**2 / self.variance
        rng = np.random.default_rng(sum(zeta))
        self.F, self.G = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in (d2, d0))
        self.zeta, self.shape = np.array(zeta, dtype=float), (d2, d0, d1)
        self.Z = self.F[:, : len(zeta)] * zeta @ self.G[:, : len(zeta)].T

    def loss(self, U: Any, V: Any) -> float:
        return float(((U @ V.T - self.Z) ** 2).sum() + self.variance * (U**2).sum() + self.c * (V**2).sum())

    def slope(self, U: Any, V: Any) -> Any:
        missing = U @ V.T - self.Z
        parts = (missing @ V + self.variance * U, missing.T @ U + self.c * V)
        return 2 * np.concatenate([part.ravel() for part in parts])

    def split(self, flat: Any) -> tuple[Any, Any]:
        d2, d0, d1 = self.shape
        return flat[: d2 * d1].reshape(d2, d1), flat[d2 * d1 :].reshape(d0, d1)

    def hessian(self, U: Any, V: Any) -> Any:
        flat, step = np.concatenate([U.ravel(), V.ravel()]), 1 / 1000
        rows = [
            self.slope(*self.split(flat + step * unit)) - self.slope(*self.split(flat - step * unit))
            for unit in np.eye(len(flat))
        ]
        return np.array(rows) / (2 * step)

    def stated(self, formula: Any, k: int, **more: Any) -> float:
        return float(self.instance.value(formula, k + 1, {level: more["level"]} if more else None))

    def choices(self) -> list[tuple[int, ...]]:
        above = [k for k, value in enumerate(self.zeta) if value > self.threshold]
        return [each for size in range(self.shape[2] + 1) for each in combinations(above, size)]

    def point(self, chosen: tuple[int, ...]) -> tuple[Any, Any]:
        d2, d0, d1 = self.shape
        U, V = np.zeros((d2, d1)), np.zeros((d0, d1))
        for latent, k in enumerate(chosen):
            product = self.stated(CHOSEN.formula.args[0], k)
            U[:, latent] = self.F[:, k] * (product * self.c**0.5 / self.variance**0.5) ** 0.5
            V[:, latent] = self.G[:, k] * (product * self.variance**0.5 / self.c**0.5) ** 0.5
        rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((d1, d1)))[0]
        return U @ rotation, V @ rotation


@pytest.mark.parametrize("case", CASES)
def test_every_choice_is_stationary_and_has_the_stated_loss(case: str) -> None:
    example = Example(*CASES[case])
    assert len(example.choices()) > 2
    for chosen in example.choices():
        U, V = example.point(chosen)
        assert np.abs(example.slope(U, V)).max() < ROUNDING
        adds = sum(example.stated(CHOSEN.formula.args[1], k) for k in chosen)
        rest = sum(value**2 for k, value in enumerate(example.zeta) if k not in chosen)
        assert example.loss(U, V) == pytest.approx(adds + rest, rel=ROUNDING)


@pytest.mark.parametrize("case", CASES)
def test_searches_end_at_choices_only(case: str) -> None:
    """Newton's method for a vanishing slope, from random starts."""
    example, rng, seen = Example(*CASES[case]), np.random.default_rng(1), set()
    products = {
        chosen: sorted(example.stated(CHOSEN.formula.args[0], k) for k in chosen) for chosen in example.choices()
    }
    for _ in range(40):
        d2, d0, d1 = example.shape
        found = root(
            lambda flat: example.slope(*example.split(flat)), rng.standard_normal((d2 + d0) * d1), method="lm",
            jac=lambda flat: example.hessian(*example.split(flat)),
        )  # fmt: skip
        U, V = example.split(found.x)
        if np.abs(example.slope(U, V)).max() > ROUNDING:
            continue
        values = np.linalg.svd(U @ V.T, compute_uv=False)
        values = np.sort(values[values > OF_A_DIFFERENCE])
        near = [chosen for chosen, stated in products.items() if values == pytest.approx(stated, abs=OF_A_DIFFERENCE)]
        assert near, values
        seen.add(near[0])
    assert len(seen) > 1


@pytest.mark.parametrize("case", CASES)
def test_the_least_eigenvalue_is_the_stated_one_or_the_point_is_a_global_minimum(case: str) -> None:
    example = Example(*CASES[case])
    least = min(example.loss(*example.point(chosen)) for chosen in example.choices())
    saddles = 0
    for chosen in example.choices():
        U, V = example.point(chosen)
        lowest = np.linalg.eigvalsh(example.hessian(U, V))[0]
        at = example.zeta[max(chosen)] if len(chosen) == example.shape[2] else example.threshold
        outside = [k for k in range(len(example.zeta)) if k not in chosen]
        stated = example.stated(CURVATURE.formula, outside[0], level=Rational(str(at))) if outside else 0.0
        if outside and example.zeta[outside[0]] > at:
            assert lowest == pytest.approx(stated, abs=OF_A_DIFFERENCE) and stated < 0
            assert example.loss(U, V) > least + OF_A_DIFFERENCE
            saddles += 1
        else:
            assert lowest > -OF_A_DIFFERENCE and stated >= 0
            assert example.loss(U, V) == pytest.approx(least, rel=ROUNDING)
    assert saddles > 1


product, adds = CHOSEN.formula.args


@pytest.mark.parametrize(
    ("statement", "formula", "says"),
    [
        (CHOSEN, Tuple(8 * product / 7, adds), "the slope of Eq 6 in u_i is 16*sqrt(7)/49"),
        (CHOSEN, Tuple(-product, adds), "u v = -2 is no product of lengths"),
        (CHOSEN, Tuple(product, 8 * adds / 7), "the mode adds 5 to Eq 6, the formula gives 40/7"),
        (CURVATURE, CURVATURE.formula + 1, "the eigenvalue is -4, the formula gives -3"),
    ],
    ids=["product", "sign", "what it adds", "eigenvalue"],
)
def test_other_formulas_are_refuted_at_the_first_mode(statement: Any, formula: Any, says: str) -> None:
    """zeta = (3, 1), all scales 1, where u = v = sqrt(m) and the slope in u is 2 u (m - 2)."""
    decision = statement.decide(formula)
    assert decision.verdict is Verdict.REFUTED and decision.witness is not None
    assert says == decision.witness.failure
    values = dict(decision.witness.values)
    assert values["i"] == "1" and values["zeta"] == "(3, 1)"


def chosen_second() -> dict[str, Any]:
    """S = {2} of Z = F S_Z G^T with zeta = (5, 3, 2) and d2 = 4, in the first of two latents."""
    F, G = rational_orthogonal(4, 5), rational_orthogonal(3, 6)
    return {
        "U": F[:, 1] * Matrix([[NUMBERS["lambda"], 0]]),
        "V": G[:, 1] * Matrix([[NUMBERS["theta"], 0]]),
        "P": rational_orthogonal(2, 7),
        "a": Matrix([1, 0]),
        "b": Matrix([0, 1]),
        "Z_S": 3 * F[:, 1] * G[:, 1].T,
        "F_o": F[:, [0, 2, 3]],
        "G_o": G[:, [0, 2]],
        "S_o": Matrix([[5, 0], [0, 2], [0, 0]]),
        "B": F[:, 1] * Matrix([[4, -1]]),
        "D": G[:, 1] * Matrix([[2, 7]]),
        "f": Matrix([1, 0, 0]),
        "g": Matrix([1, 0]),
    }


NUMBERS = {"sigma": Rational(2), "c": Rational(9, 4), "lambda": Rational(3), "theta": Rational(4), "zeta": Rational(5)}
"""c theta^2 = sigma^2 lambda^2; zeta is that of f and g, the first of the modes left out."""


def explicit(side: Any, known: dict[str, Any]) -> Any:
    """A product of matrices and numbers at explicit ones."""
    if isinstance(side, MatrixSymbol):
        return known[side.name]
    if isinstance(side, Transpose):
        return explicit(side.arg, known).T
    if isinstance(side, MatMul):
        return prod((explicit(part, known) for part in side.args[1:]), start=explicit(side.args[0], known))
    return side.subs({symbol: NUMBERS[symbol.name] for symbol in side.free_symbols})


@pytest.mark.parametrize(("name", "count"), [("x.stationary-points", 2), ("x.no-spurious-minima", 13)])
def test_the_facts_of_the_proofs_about_chosen_modes_are_true(name: str, count: int) -> None:
    known, tried = chosen_second(), 0
    for left, right in facts_of(name) - facts_of("prop-2.minimum"):  # these: test_proof_facts
        found, tried = explicit(left, known), tried + 1
        if isinstance(right, Identity | ZeroMatrix):
            assert found == (eye(found.rows) if isinstance(right, Identity) else zeros(*found.shape)), (left, right)
        else:
            assert found == explicit(right, known), (left, right)
    assert tried == count
