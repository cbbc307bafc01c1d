"""The ledger: every claim of the spine once, in the paper's order, and a graph of uses that is complete and has no cycle."""

import graphlib

import pytest
import sympy

from derivations.claim import Claim, Statement, undecided
from derivations.errors import DataError, VerificationError
from derivations.ledger import CLAIMS, claims_by_id, ordered_by_use, selected

# In the order in which the paper states them; the closed form of the KL has no place of its own in §3.
PRINTED_IN_ORDER = (
    "eq-4.elbo",
    "eq-5.decomposition",
    "notation.whitening",
    "prop-1.reduction",
    "prop-2.stationarity",
    "prop-2.minimum",
    "prop-2.rotation",
    "thm-1.minimum",
    "thm-1.complete-collapse",
    "cor-1.profile",
    "eq-13.reduced",
    "prop-3.variance",
    "thm-2.minimum",
    "thm-2.rotation",
    "thm-2.variance",
    "thm-2.extra-latents",
    "thm-3.hessian",
    "thm-3.no-middle",
)
WITHOUT_A_PLACE = "notation.gaussian-kl"
IDS = [claim.id for claim in CLAIMS]


def invented(name: str, *uses: str) -> Claim:
    return Claim(name, "§0", "invented", Statement(sympy.true, lambda formula: undecided("all")), "none", uses=uses)


@pytest.mark.parametrize("name", [*PRINTED_IN_ORDER, WITHOUT_A_PLACE])
def test_every_claim_of_the_spine_is_there_exactly_once(name):
    assert IDS.count(name) == 1


def test_the_claims_stand_in_the_papers_order():
    assert [name for name in IDS if name in PRINTED_IN_ORDER] == list(PRINTED_IN_ORDER)
    assert IDS.index(WITHOUT_A_PLACE) < IDS.index("prop-1.reduction")


def test_ids_are_unique():
    assert len(set(IDS)) == len(IDS) == len(claims_by_id())
    assert list(claims_by_id()) == IDS


def test_a_ledger_with_one_id_twice_is_refused():
    with pytest.raises(ValueError, match="same ID"):
        claims_by_id((invented("a"), invented("b"), invented("a")))


def test_every_claim_says_where_it_is_printed_and_what_descent_is_asked():
    for claim in CLAIMS:
        assert claim.source and claim.title and claim.observable


def test_each_claim_comes_after_those_it_uses():
    order = ordered_by_use()
    assert sorted(order) == sorted(IDS)
    for claim in CLAIMS:
        assert all(order.index(used) < order.index(claim.id) for used in claim.uses)
    assert sum(len(claim.uses) for claim in CLAIMS) >= len(CLAIMS) - 2


@pytest.mark.parametrize(
    "claims",
    [
        (invented("a", "a"),),
        (invented("a", "b"), invented("b", "a")),
        (invented("a"), invented("b", "a", "d"), invented("c", "b"), invented("d", "c")),
    ],
    ids=["itself", "each other", "a longer way round"],
)
def test_a_cycle_is_refused(claims):
    with pytest.raises(graphlib.CycleError):
        ordered_by_use(claims)


def test_an_order_is_found_whatever_the_order_of_the_claims():
    assert ordered_by_use((invented("c", "b"), invented("b", "a"), invented("a"))) == ("a", "b", "c")


def test_an_unknown_id_in_the_uses_is_refused_and_named():
    with pytest.raises(ValueError, match="nowhere"):
        ordered_by_use((invented("a"), invented("b", "a", "nowhere")))


def test_all_claims_are_selected_where_none_is_named():
    assert selected(None) == selected([]) == CLAIMS


def test_selected_claims_come_in_the_papers_order():
    assert [claim.id for claim in selected([IDS[5], IDS[2]])] == [IDS[2], IDS[5]]


@pytest.mark.parametrize("ids", [["thm-9.nothing"], [IDS[0], "thm-9.nothing"], [IDS[0].upper(), "thm-9.nothing"], [""]])
def test_an_unknown_id_is_refused_with_the_list_of_those_there_are(ids):
    with pytest.raises(DataError) as raised:
        selected(ids)
    assert repr(ids[-1]) in str(raised.value)
    assert all(name in str(raised.value) for name in IDS)
    assert isinstance(raised.value, VerificationError) and isinstance(raised.value, ValueError)
