"""Which checks each module's mathematics is held against; and the modules that hold none, with the reason."""

from __future__ import annotations

from checks import Plan
from plans_numerics import NUMERICS
from plans_theory import THEORY

PLANS: dict[str, Plan] = THEORY | NUMERICS

WITHOUT_MATHEMATICS = {
    "derivations.census": "Lists the sentences of the paper in its order, and what becomes of each.",
    "derivations.errors": "Names what can go wrong; nothing is computed.",
    "derivations.ledger": "Gathers the claims of all modules and orders them; no formula is made or changed.",
    "numerics.layers.base": "Names what a layer answers; every answer is in the layers.",
    "numerics.observables.base": "Names what a checker of an observable is; every check is in the others.",
    "numerics.rational_decoder": "Chooses exact instances; tests ask that they meet every threshold, and any that do would serve.",
    "numerics.threads": "Sets how many threads torch takes.",
    "numerics.tolerances": "Numbers that are judgements, each with its reason beside it: a change is another judgement.",
}
"""Modules of derivations/ and numerics/ that are not changed."""
