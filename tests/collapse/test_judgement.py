"""One claim judged: what a layer says of the statement, of the printed one, and of every mutant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import sympy
from sympy import Le, Lt, S

from collapse.judgement import LAYERS, Examination, Judgement, examine, examine_without_descent, judge, mutants_of
from derivations.claim import Claim, Statement, Verdict, undecided
from derivations.ledger import CLAIMS, claims_by_id
from derivations.mutants import mutants
from derivations.notation import root_water, zeta
from numerics.layers.floating import FloatLayer
from numerics.problem import Problem
from numerics.problems import random_problems

COLLAPSE = Le(zeta[1], root_water)


@dataclass(eq=False)
class Origins(FloatLayer):
    """A layer that knows only on which of its problems no point lies below the origin."""

    chosen: Sequence[Problem]
    seed: int = 0
    name = "numeric"

    def problems(self, kind: str) -> Sequence[Problem]:
        return self.chosen if kind == "prior" else ()

    def origin_gap(self, problem: Problem) -> float:
        return -1.0 if "above-threshold" in problem.regimes else 0.0


def claim_of(printed: sympy.Basic, corrected: sympy.Basic | None = None) -> Claim:
    def decide(formula: sympy.Basic) -> Any:
        return undecided("nobody asks")

    return Claim(
        "test.collapse", "nowhere", "complete collapse", Statement(printed, decide), "complete_collapse",
        corrected=None if corrected is None else Statement(corrected, decide),
    )  # fmt: skip


@pytest.fixture(scope="module")
def both_sides() -> list[Problem]:
    """With the prior's variance: above, at and below the threshold."""
    found = [p for p in random_problems(84, 0) if "prior-variance" in p.regimes]
    tags = {tag for problem in found for tag in problem.regimes}
    assert {"above-threshold", "at-threshold", "below-threshold"} <= tags
    return found


def test_a_layer_is_asked_about_everything(both_sides: list[Problem]) -> None:
    claim = claim_of(Lt(zeta[1], root_water), COLLAPSE)
    found = examine(claim, Origins(both_sides))
    assert found.layer == "numeric"
    assert [row.passed for row in found.evidence] == [True]
    assert found.evidence[0].instances == len(both_sides)
    assert found.refutes_printed is True
    assert len(found.refuted) == len(mutants(COLLAPSE)) > 0 and all(found.refuted)


def test_a_layer_that_samples_one_side_misses_mutants(both_sides: list[Problem]) -> None:
    above = [problem for problem in both_sides if "above-threshold" in problem.regimes]
    found = examine(claim_of(Lt(zeta[1], root_water), COLLAPSE), Origins(above))
    assert found.evidence[0].passed
    assert found.refutes_printed is False
    assert not all(found.refuted) and any(found.refuted)


def test_a_printed_statement_that_stands_is_not_to_be_refuted(both_sides: list[Problem]) -> None:
    assert examine(claim_of(COLLAPSE), Origins(both_sides)).refutes_printed is None


def test_a_false_standing_statement_fails_its_evidence(both_sides: list[Problem]) -> None:
    found = examine(claim_of(Lt(zeta[1], root_water)), Origins(both_sides))
    assert [(row.passed, row.worst_residual) for row in found.evidence] == [(False, 1.0)]
    assert "at-threshold" in next(p for p in both_sides if p.name == found.evidence[0].worst_instance).regimes


def test_a_layer_without_instances_has_nothing_to_say() -> None:
    found = examine(claim_of(COLLAPSE), Origins([]))
    assert found == Examination("numeric", (), None, (False,) * len(mutants(COLLAPSE)))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_mutants_are_those_of_the_standing_statement(claim: Claim) -> None:
    found = [mutant.formula for mutant in mutants_of(claim)]
    assert found == [mutant.formula for mutant in mutants(claim.standing.formula)]
    assert found and claim.standing.formula not in found


def test_judge_decides_the_printed_and_the_corrected_statement_and_every_mutant() -> None:
    judgement = judge("thm-2.extra-latents")
    claim = claims_by_id()["thm-2.extra-latents"]
    assert claim.printed.formula is S.Zero
    assert judgement.printed.verdict is Verdict.REFUTED and judgement.printed.witness is not None
    assert judgement.corrected is not None and judgement.corrected.verdict is Verdict.PROVED
    assert judgement.mutants == (Verdict.REFUTED,) * len(mutants_of(claim)) != ()


def test_judge_sees_a_claim_that_needs_no_correction() -> None:
    judgement = judge("thm-3.no-middle")
    assert judgement.printed.verdict is Verdict.PROVED and judgement.corrected is None
    assert len(judgement.mutants) == len(mutants_of(claims_by_id()["thm-3.no-middle"]))


@pytest.mark.parametrize("name", ["exact", "numeric"])
def test_a_worker_examines_by_name(name: str) -> None:
    found = examine_without_descent("thm-2.extra-latents", name, 1)
    assert found.layer == name and found.refutes_printed is True and all(found.refuted)
    assert all(row.passed and row.instances > 0 for row in found.evidence) and found.evidence


@pytest.mark.parametrize("work", [judge, lambda claim_id: examine_without_descent(claim_id, "exact", 0)])
def test_an_unknown_claim_is_an_error(work: Any) -> None:
    with pytest.raises(KeyError, match=r"thm-9\.nothing"):
        work("thm-9.nothing")


def test_layers_begin_with_the_derivation() -> None:
    assert LAYERS == ("symbolic", "exact", "numeric", "descent")
    assert Judgement.__dataclass_params__.frozen and Examination.__dataclass_params__.frozen  # type: ignore[attr-defined]
