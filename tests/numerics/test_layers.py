"""Every layer of evidence upholds what stands, and refutes what does not: printed statements and mutants."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from derivations.claim import Claim, Verdict
from derivations.ledger import CLAIMS
from derivations.mutants import Mutant, mutants
from numerics.evidence import Evidence, gather, layers_of, refutes
from numerics.layers import floating
from numerics.layers.descent import DescentLayer
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.observables import conditions

ON_MNIST = {
    "fig-2.thresholds",
    "fig-3.spectrum",
    "fig-3.modes",
}  # see test_figure_observables: not every machine has the images
TRAINED = {("fig-1.thresholds", "descent")}  # there too, with every mutant: networks are trained for it
PAIRS = [
    (claim, layer)
    for claim in CLAIMS
    if claim.id not in ON_MNIST
    for layer in layers_of(claim)
    if (claim.id, layer) not in TRAINED
]
CORRECTED = [(claim, layer) for claim, layer in PAIRS if claim.corrected is not None]
SAMPLED = 8
LAYERS = ("exact", "numeric", "descent")


def named(pairs: list[tuple[Claim, str]]) -> list[str]:
    return [f"{claim.id}-{layer}" for claim, layer in pairs]


@pytest.fixture(scope="session")
def exact() -> ExactLayer:
    return ExactLayer(0)


@pytest.fixture(scope="session")
def numeric() -> FloatLayer:
    layer = FloatLayer(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floating, "COUNT", 60)  # each shape five times
        assert layer.problems("learned")
    return layer


@pytest.fixture(scope="session")
def descent() -> DescentLayer:
    return DescentLayer(seed=0, count=120, real_data=False)


@pytest.fixture(scope="session")
def layers(exact: ExactLayer, numeric: FloatLayer, descent: DescentLayer) -> dict[str, Any]:
    return {"exact": exact, "numeric": numeric, "descent": descent}


@pytest.fixture(autouse=True)
def few_rotated_problems(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A rotation is tried on every candidate of every problem: fewer problems than the audit's will do here."""
    monkeypatch.setattr(conditions, "MOST_PROBLEMS", 6)
    yield


def complaints(rows: list[Evidence]) -> list[str]:
    return [f"{row.quantity}: {row.worst_residual} at {row.worst_instance}" for row in rows if not row.passed]


# -------------------------------------------------------------------------------- what stands, and what does not
@pytest.mark.parametrize(("claim", "layer"), PAIRS, ids=named(PAIRS))
def test_the_standing_statement_agrees(claim: Claim, layer: str, layers: dict[str, Any]) -> None:
    rows = gather(claim, claim.standing.formula, layers[layer])
    assert rows, "nothing was looked at"
    assert complaints(rows) == []
    assert all(row.layer == layer and row.instances > 0 for row in rows)


@pytest.mark.parametrize(("claim", "layer"), CORRECTED, ids=named(CORRECTED))
def test_the_printed_statement_is_refuted_where_it_is_corrected(
    claim: Claim, layer: str, layers: dict[str, Any]
) -> None:
    assert refutes(claim, claim.printed.formula, layers[layer])


def sampled(claim: Claim) -> list[Mutant]:
    """Evenly spaced over the statement's mutants, so that every part of the statement is changed."""
    found = mutants(claim.standing.formula)
    return [found[round(k)] for k in np.linspace(0, len(found) - 1, min(SAMPLED, len(found)))]


@pytest.mark.parametrize("claim", dict.fromkeys(claim for claim, _ in PAIRS), ids=lambda claim: claim.id)
def test_mutants_are_refuted_by_every_layer_unless_they_are_proved(claim: Claim, layers: dict[str, Any]) -> None:
    chosen = sampled(claim)
    assert len({mutant.formula for mutant in chosen}) == len(chosen) > 0
    killed = 0
    for mutant in chosen:
        verdicts = {name: refutes(claim, mutant.formula, layers[name]) for name in layers_of(claim)}
        if all(verdicts.values()):
            killed += 1
            continue
        assert claim.standing.decide(mutant.formula).verdict is Verdict.PROVED, (mutant.change, verdicts)
        assert not any(verdicts.values()), f"{mutant.change} is proved to hold, and refuted: {verdicts}"
    assert killed > 0


IDENTITIES = (
    "eq-1.",
    "eq-4.",
    "eq-5.",
    "eq-9.",
    "notation.",
    "s3.",
    "s4.1.",
    "s4.4.partition",
    "s4.4.vae",
    "s4.5.weights",
    "thm-2.shapes",
    "app-a.",
)


def test_every_claim_is_tested_by_exact_numbers_and_by_floats_and_those_of_minima_by_descent() -> None:
    assert len(PAIRS) > 2 * len(CLAIMS)
    assert all({"exact", "numeric"} <= set(layers_of(claim)) <= set(LAYERS) for claim in CLAIMS)
    without = {claim.id for claim in CLAIMS if "descent" not in layers_of(claim)}
    # x.depth is about one point, and no minimum
    assert all(name.startswith(IDENTITIES) or name == "x.depth" for name in without)
