"""The proofs themselves can fail: a mutant is not proved even where no exact instance is looked at."""

import pytest

from derivations import (
    corollary_1_profile,
    elbo,
    proposition_1_reduction,
    proposition_2_fixed_variance,
    proposition_3_mode_variance,
    rotation_witnesses,
    rotations,
    rotations_learned,
    theorem_1_prior_variance,
    theorem_2_learned_variance,
    theorem_3_origin,
)
from derivations.claim import Verdict
from derivations.mutants import mutants

SAMPLE = 4
WITNESSES = (
    (elbo, "data_instances"),
    (proposition_1_reduction, "data_instances"),
    (proposition_2_fixed_variance, "data_instances"),
    (proposition_2_fixed_variance, "instances"),
    (corollary_1_profile, "instances"),
    (theorem_1_prior_variance, "prior_instances"),
    (proposition_3_mode_variance, "instances"),
    (theorem_2_learned_variance, "instances"),
    (rotation_witnesses, "_cases"),
    (theorem_3_origin, "attainable"),
)
SPINE = tuple(
    claim
    for module in dict.fromkeys((*(module for module, _ in WITNESSES), rotations, rotations_learned))
    for claim in getattr(module, "CLAIMS", ())
)
CACHED = (proposition_3_mode_variance.reduces_to_modes, theorem_2_learned_variance.minimises_learned_variance)


def forget() -> None:
    for decide in CACHED:
        decide.cache_clear()


@pytest.fixture
def no_instances(monkeypatch):
    """Judge by derivation alone: every source of exact instances is empty."""
    for module, name in WITNESSES:
        monkeypatch.setattr(module, name, lambda: ())
    forget()
    yield
    forget()


@pytest.mark.parametrize("claim", SPINE, ids=[claim.id for claim in SPINE])
def test_no_wrong_statement_is_proved_without_instances(claim, no_instances, request):
    assert claim.standing.decide(claim.standing.formula).verdict is Verdict.PROVED
    found = mutants(claim.standing.formula)
    verdicts = {
        mutant: claim.standing.decide(mutant.formula).verdict for mutant in found[:: max(1, len(found) // SAMPLE)]
    }
    assert Verdict.UNDECIDED in verdicts.values()
    request.getfixturevalue("monkeypatch").undo()
    forget()
    for mutant, verdict in verdicts.items():
        judged = claim.standing.decide(mutant.formula).verdict
        assert verdict is not Verdict.PROVED or judged is Verdict.PROVED, mutant.change
        assert judged is not Verdict.UNDECIDED, mutant.change
