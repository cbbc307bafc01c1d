"""Every proof takes the steps that proofs.txt holds: one that lost a lemma or a case, or took a step that says less, would still be
a list of true steps.

A line holds what a step says, and a digest of the formula it decides, since a weaker inequality of the same name would pass too.
Where a proof was changed on purpose, `python tests/derivations/test_proofs.py` writes them anew; the difference is to be read.
"""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from derivations.claim import Claim
from derivations.ledger import CLAIMS

KEPT = Path(__file__).with_name("proofs.txt")
MARK, DIGEST = "# ", "  ~"
STRICT = re.compile(
    r"\bis positive\b|\bstrictly convex\b|\b(?:rises|falls) (?:beyond|before|off|next|where zeta|with k)"
)
WEAK = re.compile(r"\bnot positive\b|\bnot (?:rise|fall)\b|\bR_k\b")


def outline(claim: Claim) -> list[str]:
    """What the steps of a claim's standing statement say and decide, in their order."""
    standing = claim.standing
    return [
        step.text + DIGEST + sha256(step.latex.encode()).hexdigest()[:8]
        for step in standing.decide(standing.formula).steps
    ]


def kept() -> dict[str, list[str]]:
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith(MARK)]
    return {
        lines[first].removeprefix(MARK): lines[first + 1 : last]
        for first, last in zip(starts, [*starts[1:], len(lines)], strict=True)
    }


def test_every_claim_has_its_steps_kept() -> None:
    assert list(kept()) == [claim.id for claim in CLAIMS]
    assert all(kept().values())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_proof_takes_the_steps_it_is_known_to_take(claim: Claim) -> None:
    assert outline(claim) == kept()[claim.id]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_is_said_to_be_strict_is_shown_to_be(claim: Claim) -> None:
    standing = claim.standing
    for step in standing.decide(standing.formula).steps:
        if STRICT.search(step.text) and not WEAK.search(step.text):
            assert step.latex.rstrip().endswith("> 0"), step.text


if __name__ == "__main__":
    sections = [[MARK + claim.id, *outline(claim)] for claim in CLAIMS]
    KEPT.write_text("\n".join(line for section in sections for line in section) + "\n", encoding="utf-8")
