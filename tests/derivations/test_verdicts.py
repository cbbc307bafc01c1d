"""Every claim is decided, what is refuted has an exact witness and a proved correction, and wrong neighbours are refuted.

Which verdict a claim gets is for the suite to find; only the three that the project's first issue names are asserted.
"""

import random
import zlib
from functools import cache

import pytest

from derivations.claim import Claim, Decision, Verdict
from derivations.ledger import CLAIMS, claims_by_id
from derivations.mutants import Mutant, mutants

MUTANTS_A_CLAIM = 10
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


@cache
def printed(name: str) -> Decision:
    statement = claims_by_id()[name].printed
    return statement.decide(statement.formula)


@cache
def standing(name: str) -> Decision:
    statement = claims_by_id()[name].standing
    return statement.decide(statement.formula)


@cache
def sample(name: str) -> tuple[Mutant, ...]:
    """A few mutants of the standing statement, the same every time; the audit takes them all."""
    found = mutants(claims_by_id()[name].standing.formula)
    generator = random.Random(zlib.crc32(name.encode()))
    return tuple(generator.sample(found, min(MUTANTS_A_CLAIM, len(found))))


@cache
def judged(name: str, place: int) -> Decision:
    return claims_by_id()[name].standing.decide(sample(name)[place].formula)


@each_claim
def test_the_printed_statement_is_decided(claim):
    assert printed(claim.id).verdict in (Verdict.PROVED, Verdict.REFUTED), printed(claim.id).missing


@each_claim
def test_a_refuted_statement_has_an_exact_witness_and_a_proved_correction(claim):
    decision = printed(claim.id)
    if decision.verdict is Verdict.PROVED:
        assert claim.corrected is None and decision.witness is None
        return
    assert decision.witness is not None and decision.witness.values and decision.witness.failure
    assert not any("." in value for _, value in decision.witness.values), "a witness is exact: no decimal points"
    assert claim.corrected is not None and claim.corrected.formula != claim.printed.formula
    assert standing(claim.id).verdict is Verdict.PROVED


@each_claim
def test_both_statements_are_judged_by_one_procedure(claim):
    assert claim.standing.decide is claim.printed.decide


@each_claim
def test_the_standing_statement_is_proved_by_steps_that_are_all_proved(claim):
    decision = standing(claim.id)
    assert decision.verdict is Verdict.PROVED, decision.missing
    assert decision.steps
    assert all(step.verdict is Verdict.PROVED and step.text for step in decision.steps)
    assert all(step.lemma in decision.scope for step in decision.steps if step.lemma)
    assert decision.scope and decision.witness is None and decision.missing == ""


@each_claim
def test_a_decision_is_the_same_again(claim):
    again = claim.printed.decide(claim.printed.formula)
    assert (again.verdict, again.witness) == (printed(claim.id).verdict, printed(claim.id).witness)


@pytest.mark.parametrize("name", ["prop-2.rotation", "thm-2.rotation", "thm-2.extra-latents"])
def test_the_three_that_the_issue_names_are_refuted_as_printed(name):
    assert printed(name).verdict is Verdict.REFUTED


SAMPLED = [(claim, place) for claim in CLAIMS for place in range(len(sample(claim.id)))]


@pytest.mark.parametrize(("claim", "place"), SAMPLED, ids=[f"{claim.id}-{place}" for claim, place in SAMPLED])
def test_a_mutant_is_refuted_or_proved_to_hold_as_well(claim: Claim, place: int):
    mutant, decision = sample(claim.id)[place], judged(claim.id, place)
    assert decision.verdict is not Verdict.UNDECIDED, f"{mutant.change}: {decision.missing}"
    if decision.verdict is Verdict.REFUTED:
        assert decision.witness is not None and decision.witness.failure
        assert not any("." in value for _, value in decision.witness.values)
    else:
        assert decision.steps and all(step.verdict is Verdict.PROVED for step in decision.steps)


@each_claim
def test_most_mutants_of_the_sample_are_refuted(claim):
    """A procedure that proves whatever it is shown is no evidence."""
    verdicts = [judged(claim.id, place).verdict for place in range(len(sample(claim.id)))]
    assert verdicts.count(Verdict.REFUTED) > len(verdicts) / 2
