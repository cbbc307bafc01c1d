"""The census of the paper: every numbered result, figure and appendix topic has a claim, and every claim a place.

What the paper holds is written down here a second time, apart from `derivations/census.py`.
"""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from derivations.census import CENSUS, ORDER
from derivations.claim import Claim
from derivations.ledger import CLAIMS, claims_by_id

NUMBERED = {"Equation": 19, "Proposition": 3, "Corollary": 1, "Theorem": 3, "Figure": 3}
SECTIONS = ("§2", "§3", "§4", "§4.1", "§4.2", "§4.3", "§4.4", "§4.5", "§5")
APPENDICES = ("Appendix A.1", "Appendix B", "Appendix C", "Appendix D")

# Every sentence of the paper that was listed as true or false before the first of them was judged.
STATED = """
    eq-1.objective eq-4.elbo eq-5.decomposition notation.whitening notation.gaussian-kl prop-1.reduction
    prop-1.manifold prop-2.stationarity prop-2.minimum prop-2.rotation s4.1.eigenvalue eq-9.alignment
    s4.1.vae-spectrum thm-1.minimum thm-1.complete-collapse thm-1.partial-collapse thm-1.small-beta thm-1.beta-eta
    thm-1.prior-independence thm-1.norm-trend thm-1.divergence cor-1.profile eq-13.reduced prop-3.variance
    prop-3.prior-value thm-2.minimum thm-2.rotation thm-2.variance thm-2.extra-latents thm-2.same-conditions
    thm-2.bounded-norm thm-2.pruning-level thm-2.pruned-count thm-2.shrinkage s4.4.still-collapses s4.4.threshold
    s4.4.tight s4.4.vae s4.4.parametrization s4.5.latent-variance s4.5.prior-variance s4.5.decoder-variance
    s4.5.mean-term s4.5.beta-versus-eta s4.5.sparse-learning s4.5.stability thm-3.hessian thm-3.no-middle
    s4.5.regression app-b.bias app-c.input-variance s5.linear-agreement fig-1.thresholds fig-2.thresholds
    fig-3.spectrum fig-3.modes app-a.tanh s6.constant-output
""".split()
BEYOND_THE_PAPER = ("x.decoder-variance-exact", "x.rate-distortion", "x.transition-order", "x.gradient-flow")

PLACE = re.compile(r"§\d|Eq\w* \d|Figure \d|Appendix [A-D]|^beyond the paper: \w+")


def places() -> set[str]:
    """Where the census has been, each place by itself."""
    return {part for item in CENSUS for part in item.place.split(" and ")}


def numbers_in(source: str, kind: str) -> Iterator[int]:
    """The numbers of one kind that a source names: "Eq 2-4, 7" are 2, 3, 4 and 7."""
    short = {"Equation": r"(?:Equations?|Eqs?\.?)", "Figure": r"(?:Figures?|Figs?\.?)"}.get(kind, f"{kind}s?")
    for found in re.findall(rf"{short} ((?:\d+(?:[-–]\d+)?(?:, | and )?)+)", source):
        for first, last in re.findall(r"(\d+)(?:[-–](\d+))?", found):
            yield from range(int(first), int(last or first) + 1)


# ------------------------------------------------------------------------------------------- the paper's parts
@pytest.mark.parametrize(
    ("kind", "number"), [(kind, k) for kind, last in NUMBERED.items() for k in range(1, last + 1)], ids=str
)
def test_every_numbered_result_is_in_the_census(kind: str, number: int) -> None:
    assert f"{kind} {number}" in places()


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, k) for kind, last in NUMBERED.items() for k in range(1, last + 1)], ids=str
)
def test_every_numbered_result_has_a_claim_that_says_so(kind: str, number: int) -> None:
    """Its source names the number, among the claims that the census puts there."""
    known = claims_by_id()
    there = [name for item in CENSUS if f"{kind} {number}" in item.place.split(" and ") for name in item.claims]
    sources = {name: known[name].source for name in there if name in known}
    assert any(number in numbers_in(source, kind) for source in sources.values()), sources


def test_nothing_is_numbered_that_the_paper_does_not_have() -> None:
    for kind, last in NUMBERED.items():
        named = [int(number) for item in CENSUS for number in re.findall(rf"{kind} (\d+)", item.place)]
        assert set(named) == set(range(1, last + 1))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_in_the_census(section: str) -> None:
    assert any(re.match(rf"{re.escape(section)}(?![.\d])", place) for place in places())


@pytest.mark.parametrize("appendix", APPENDICES)
def test_every_appendix_is_in_the_census(appendix: str) -> None:
    assert any(place.startswith(appendix) for place in places())


def test_every_listed_sentence_is_in_the_census() -> None:
    assert len(set(STATED)) == len(STATED) == 58
    assert [name for name in (*STATED, *BEYOND_THE_PAPER) if name not in ORDER] == []


# ---------------------------------------------------------------------------------------------- and the ledger
def test_every_item_of_the_census_has_a_claim() -> None:
    known = claims_by_id()
    assert [item for item in CENSUS if not item.claims] == []
    missing = {item.place: [name for name in item.claims if name not in known] for item in CENSUS}
    assert {place: names for place, names in missing.items() if names} == {}


def test_every_claim_is_in_the_census_and_the_reverse() -> None:
    ledger = [claim.id for claim in CLAIMS]
    assert set(ledger) - set(ORDER) == set(), "not in the census"
    assert set(ORDER) - set(ledger) == set(), "not in the ledger"
    assert ledger == [name for name in ORDER if name in ledger]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_says_where_it_is_printed(claim: Claim) -> None:
    assert claim.source == claim.source.strip() and PLACE.search(claim.source), claim.source


def test_items_are_told_apart() -> None:
    twice = [item for item, count in Counter((item.place, item.content) for item in CENSUS).items() if count > 1]
    assert twice == []
    assert all(item.content.strip() for item in CENSUS)


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("§3, Eq 2-4", "Equation", [2, 3, 4]),
        ("§4.3, Theorem 2, Eq 15-18", "Theorem", [2]),
        ("§4.1, Eq 7, 9", "Equation", [7, 9]),
        ("§5 and Figure 3", "Figure", [3]),
        ("§4.2", "Equation", []),
        ("§4.3, Equations 12 and 13", "Equation", [12, 13]),
    ],
)
def test_numbers_are_read_off_a_source(source: str, kind: str, expected: list[int]) -> None:
    assert list(numbers_in(source, kind)) == expected
