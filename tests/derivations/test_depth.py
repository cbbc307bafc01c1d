"""One more layer, against Eq 6 of two layers each in NumPy: the Hessian by differences, and by descent what is below the origin."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sympy import Rational, Tuple, false, true

from derivations.claim import Verdict
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from derivations.notation import i, zeta
from derivations.theorem_3_origin import is_local

CURVATURES, LOCAL = (claims_by_id()[name].standing for name in ("x.depth", "x.depth-threshold"))
OF_A_DIFFERENCE, OF_FOURTH_ORDER = 1e-5, 1e-3
"""What is more than rounding of a loss of order 1; what differences a hundredth apart leave of its terms of fourth order."""

ONE = Rational(1)
INSTANCE = Instance(
    (3 * ONE, ONE), (Rational(1, 2), 2 * ONE), Rational(3, 2), Rational(1, 2), Rational(4, 5), d0=2, d2=3
)


class Deep:
    """Eq 6 with U = U_2 U_1 and V = V_2 V_1, each of a width of its own, or with one layer."""

    def __init__(self, instance: Instance, *, decoder: bool, encoder: bool) -> None:
        self.variances = np.array([float(s) ** 2 for s in instance.sigma])
        self.c = float(instance.beta * instance.eta_dec**2 / instance.eta_enc**2)
        rng = np.random.default_rng(0)
        F, G = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in (instance.d2, instance.d0))
        self.Z = F[:, : len(instance.zeta)] * [float(z) for z in instance.zeta] @ G[:, : len(instance.zeta)].T
        d1 = instance.d1
        of_U = [(instance.d2, 1), (1, d1)] if decoder else [(instance.d2, d1)]
        of_V = [(instance.d0, 3), (3, d1)] if encoder else [(instance.d0, d1)]
        self.shapes, self.decoder, self.size = of_U + of_V, len(of_U), sum(a * b for a, b in of_U + of_V)

    def loss(self, flat: Any) -> float:
        places = np.cumsum([a * b for a, b in self.shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(np.split(flat, places), self.shapes, strict=True)]
        U, V = (
            np.linalg.multi_dot([*layers, np.eye(len(self.variances))])
            for layers in (parts[: self.decoder], parts[self.decoder :])
        )
        return float(((U @ V.T - self.Z) ** 2).sum() + (U**2 * self.variances).sum() + self.c * (V**2).sum())

    def hessian_at_zero(self) -> Any:
        step, units = 1 / 100, np.eye(self.size)
        values = [
            [
                self.loss(step * (a + b))
                + self.loss(-step * (a + b))
                - self.loss(step * (a - b))
                - self.loss(step * (b - a))
                for b in units
            ]
            for a in units
        ]
        return np.array(values) / (4 * step**2)


def test_the_hessian_at_the_origin_has_the_stated_entries_and_no_others() -> None:
    stated = [[float(INSTANCE.value(part, k)) for k in (1, 2)] for part in CURVATURES.formula.args]
    for which, alone, entries in (("decoder", 2, stated[0]), ("encoder", 3, stated[1])):
        deep = Deep(INSTANCE, decoder=which == "decoder", encoder=which == "encoder")
        found = deep.hessian_at_zero()
        expected = np.zeros(deep.size)
        place = slice(deep.size - 2 * alone, None) if which == "decoder" else slice(0, 2 * alone)
        expected[place] = np.tile(entries, alone)
        assert found == pytest.approx(np.diag(expected), abs=OF_FOURTH_ORDER)
    both = Deep(INSTANCE, decoder=True, encoder=True)
    assert both.hessian_at_zero() == pytest.approx(np.zeros((both.size, both.size)), abs=OF_FOURTH_ORDER)


@pytest.mark.parametrize("layers", [(True, False), (False, True), (True, True)], ids=["decoder", "encoder", "both"])
@pytest.mark.parametrize("ratio", ["1/2", "9/10", "1", "2", "3"])
def test_there_is_a_lower_point_exactly_above_the_threshold(layers: tuple[bool, bool], ratio: str) -> None:
    threshold = INSTANCE.sigma[0] * INSTANCE.eta_dec / INSTANCE.eta_enc
    signal = Rational(ratio) * threshold  # the root of beta is left out: beta = 1
    instance = replace(INSTANCE, beta=ONE, zeta=(signal, signal / 2))
    deep = Deep(instance, decoder=layers[0], encoder=layers[1])
    rng = np.random.default_rng(3)
    ends = [
        minimize(deep.loss, rng.standard_normal(deep.size) / 3, method="BFGS", options={"gtol": 0}).fun
        for _ in range(6)
    ]
    lower = min(ends) < deep.loss(np.zeros(deep.size)) - OF_A_DIFFERENCE
    assert lower == (Rational(ratio) > 1)
    assert instance.value(LOCAL.formula.subs(is_local, false if lower else true)) is true
    assert instance.value(LOCAL.formula.subs(is_local, true if lower else false)) is false


decoder, encoder = CURVATURES.formula.args


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        (Tuple(decoder + 1, encoder), "with two layers of the decoder it is 2, the formula gives 3"),
        (Tuple(decoder, 3 * encoder), "with two layers of the encoder it is 2, the formula gives 6"),
    ],
    ids=["decoder", "encoder"],
)
def test_other_curvatures_are_refuted_at_the_first_latent(formula: Any, says: str) -> None:
    found = CURVATURES.decide(formula)
    assert found.verdict is Verdict.REFUTED and found.witness is not None
    assert found.witness.failure == says and dict(found.witness.values)["i"] == "1"


def test_a_wrong_threshold_is_refuted_on_the_side_where_it_fails() -> None:
    left, right = LOCAL.formula.args
    relation = right if right != is_local else left
    for factor, says in ((2, "the origin is no local minimum"), (Rational(1, 2), "the origin is a local minimum")):
        found = LOCAL.decide(LOCAL.formula.subs(relation, relation.func(relation.lhs, factor * relation.rhs)))
        assert found.verdict is Verdict.REFUTED and found.witness is not None
        assert found.witness.failure == f"{says}, and the statement is false"


def test_probes_show_the_covariance_that_refutes_and_other_refutations_do_not() -> None:
    for name, failure in (
        ("x.depth", "an eigenvalue is 98/25, the formula gives 2"),
        ("x.depth-threshold", "the origin is no local minimum, and the statement is false"),
    ):
        claim = claims_by_id()[name]
        found = claim.assumptions[0].without(claim.standing.formula)
        assert found.witness is not None and found.witness.failure == failure
        assert "Sigma" in dict(found.witness.values)
    threshold = LOCAL.decide(LOCAL.formula.subs(zeta[1], zeta[1] ** 2))
    assert threshold.witness is not None and "Sigma" not in dict(threshold.witness.values)


def test_a_formula_of_the_right_eigenvalues_is_not_refuted_by_correlated_latents() -> None:
    own = (
        2 * (Rational(7, 5) - Rational(6, 5) * (i - 1)) ** 2
    )  # 7/5 and 1/5 are the roots of the covariance's eigenvalues
    (assumption,) = claims_by_id()["x.depth"].assumptions
    assert assumption.without(Tuple(decoder, own)).verdict is Verdict.UNDECIDED
    assert assumption.without(Tuple(decoder, own + 1)).verdict is Verdict.REFUTED
