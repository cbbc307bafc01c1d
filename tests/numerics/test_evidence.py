"""Evidence: agreement needs at least one instance, finite residuals, and every finding within its tolerance."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from derivations import situations
from derivations.claim import Claim
from derivations.ledger import CLAIMS
from derivations.notation import eta_enc
from numerics.evidence import MINIMA, OBSERVABLES, Evidence, collect, descend_for, gather, layers_of, refutes
from numerics.layers import floating
from numerics.layers.base import Finding
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.tolerances import DESCENT_GAP, EXACT, FLOAT64_IDENTITY

NAN, INF = float("nan"), float("inf")


def evidence(instances: int = 3, residual: float = 0.0, tolerance: float = 0.0) -> Evidence:
    return Evidence("numeric", "loss", instances, residual, tolerance, "random-0-1")


@pytest.mark.parametrize(
    ("row", "passed"),
    [
        (evidence(), True),
        (evidence(residual=FLOAT64_IDENTITY.value / 2, tolerance=FLOAT64_IDENTITY.value), True),
        (evidence(residual=FLOAT64_IDENTITY.value, tolerance=FLOAT64_IDENTITY.value), True),
        (evidence(residual=FLOAT64_IDENTITY.value * 2, tolerance=FLOAT64_IDENTITY.value), False),
        (evidence(residual=5e-324), False),
        (evidence(instances=0), False),
        (evidence(instances=0, residual=1.0), False),
        (evidence(residual=NAN), False),
        (evidence(residual=NAN, tolerance=1.0), False),
        (evidence(residual=INF, tolerance=1.0), False),
    ],
)
def test_when_evidence_passes(row: Evidence, passed: bool) -> None:
    assert row.passed is passed


def findings(*residuals: float, quantity: str = "loss") -> Iterator[Finding]:
    return (Finding(quantity, f"problem-{k}", residual, FLOAT64_IDENTITY) for k, residual in enumerate(residuals))


def test_the_worst_finding_of_each_quantity_counts() -> None:
    rows = collect("exact", iter([*findings(0.0, 2.0, 1.0), *findings(3.0, quantity="gradient"), *findings(4.0)]))
    assert [(row.quantity, row.worst_residual, row.worst_instance) for row in rows] == [
        ("loss", 4.0, "problem-0"),
        ("gradient", 3.0, "problem-0"),
    ]
    assert all(row.layer == "exact" and row.tolerance == FLOAT64_IDENTITY.value for row in rows)


def test_instances_are_counted_once() -> None:
    (row,) = collect("numeric", iter([*findings(0.0, 0.0), *findings(0.0)]))
    assert row.instances == 2


@pytest.mark.parametrize("residuals", [(0.0, NAN, 1e-20), (NAN, 0.0), (0.0, INF), (INF, NAN, 0.0), (0.0, 0.0, NAN)])
def test_no_finding_hides_an_undefined_one(residuals: tuple[float, ...]) -> None:
    (row,) = collect("numeric", findings(*residuals))
    assert not row.passed


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_lenient_finding_does_not_hide_a_strict_one(order: tuple[int, int]) -> None:
    """Two tolerances of one quantity: the exact comparison fails, whatever the other is allowed."""
    pair = [
        Finding("loss", "strict", DESCENT_GAP.value / 100, EXACT),
        Finding("loss", "lenient", DESCENT_GAP.value / 2, DESCENT_GAP),
    ]
    assert not all(row.passed for row in collect("numeric", iter([pair[k] for k in order])))


def test_no_finding_is_no_evidence() -> None:
    assert collect("numeric", iter(())) == []


@pytest.fixture(autouse=True)
def few_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the numeric layer: the shapes once each."""
    monkeypatch.setattr(floating, "COUNT", 12)


class Blind(FloatLayer):
    """A layer without an instance."""

    def problems(self, kind: str) -> Sequence[Any]:
        return ()

    def sweeps(self) -> Sequence[Sequence[Any]]:
        return ()

    def draws(self) -> Sequence[Any]:
        return ()


def checks_of(claim: Claim) -> str:
    """The module of observables that tests a claim."""
    check: Any = OBSERVABLES[claim.observable]["numeric"]
    while isinstance(check, partial):
        check = check.func
    return str(check.__module__).rpartition(".")[2]


OF_THE_LAYER = {"identities", "minima", "conditions", "setting", "alignment", "solution_manifold"}
"""Modules that look at nothing but the layer's own instances; others bring families, pairs or data of their own."""
SEEN = [claim for claim in CLAIMS if checks_of(claim) in OF_THE_LAYER]


@pytest.mark.parametrize("claim", SEEN, ids=lambda claim: claim.id)
def test_a_layer_without_instances_gives_no_evidence_and_refutes_nothing(claim: Claim) -> None:
    assert gather(claim, claim.standing.formula, Blind()) == []
    assert refutes(claim, claim.standing.formula, Blind()) is False


@pytest.mark.parametrize(
    "claim", [claim for claim in CLAIMS if checks_of(claim) == "situations"], ids=lambda claim: claim.id
)
def test_without_a_pair_of_instances_there_is_no_evidence_either(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situations, "spread", lambda: ())
    assert gather(claim, claim.standing.formula, Blind()) == []
    assert refutes(claim, claim.standing.formula, Blind()) is False


def test_every_kind_of_claim_of_the_minimum_is_among_them() -> None:
    assert {"eq-4.elbo", "prop-1.reduction", "prop-2.minimum", "thm-2.variance", "thm-3.hessian"} <= {
        c.id for c in SEEN
    }


class Undefined(FloatLayer):
    """A layer whose comparisons are all undefined."""

    def difference(self, quantity: str, problem: Any, left: Any, right: Any) -> Finding:
        return Finding(quantity, problem.name, NAN, FLOAT64_IDENTITY)

    def minimum_findings(self, problem: Any, point: Any) -> Iterator[Finding]:
        yield Finding("gradient", problem.name, NAN, FLOAT64_IDENTITY)

    def stationary_encoder_findings(self, problem: Any, encoder: Any) -> Iterator[Finding]:
        yield Finding("gradient in W", problem.name, NAN, FLOAT64_IDENTITY)


OF_BOOLEANS = (".rotation", ".complete-collapse", ".hessian", ".hessian-learned", "-middle", "-eigenvalues")
UNDEFINED = [claim for claim in SEEN if not claim.id.endswith(OF_BOOLEANS)]


@pytest.mark.parametrize("claim", UNDEFINED, ids=lambda claim: claim.id)
def test_undefined_comparisons_are_no_evidence(claim: Claim) -> None:
    rows = gather(claim, claim.standing.formula, Undefined())
    assert rows and not all(row.passed for row in rows)
    assert refutes(claim, claim.standing.formula, Undefined())


def test_every_observable_of_the_ledger_has_a_check_and_layers() -> None:
    assert {claim.observable for claim in CLAIMS} == set(OBSERVABLES)
    for claim in CLAIMS:
        assert set(layers_of(claim)) <= {"exact", "numeric", "descent"} and len(set(layers_of(claim))) >= 2


@pytest.mark.parametrize("layer", [ExactLayer(0), FloatLayer(0)], ids=["exact", "numeric"])
def test_what_cannot_be_a_deviation_is_refuted_and_named(layer: Any) -> None:
    claim = next(claim for claim in CLAIMS if claim.id == "thm-2.extra-latents")
    for impossible in (-eta_enc, 0 * eta_enc, (eta_enc - 2 * eta_enc) ** 3):
        rows = gather(claim, impossible, layer)
        assert [(row.quantity, row.worst_residual, row.passed) for row in rows] == [
            ("a length or standard deviation", INF, False)
        ]
        assert refutes(claim, impossible, layer)
    assert not refutes(claim, eta_enc, layer)


def test_minima_are_asked_for_together_where_a_claim_asks_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = [claim for claim in CLAIMS if claim.observable in MINIMA][:2]
    silent = [claim for claim in CLAIMS if claim.observable not in MINIMA][:2]
    assert len(asking) == len(silent) == 2
    asked: list[Any] = []

    layer = DescentLayer(seed=0, count=1, real_data=False)
    monkeypatch.setattr(layer, "descend", lambda problems: asked.append(list(problems)))
    for claim in asking:
        monkeypatch.setitem(MINIMA, claim.observable, lambda *given: [(*given, 1), (*given, 2)])
    descend_for([silent[0], *asking, silent[1]], layer)
    assert asked == [[(layer, claim.standing.formula, k) for claim in asking for k in (1, 2)]]
