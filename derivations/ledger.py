"""All claims in the paper's order, and the graph of which claim uses which: complete and without a cycle."""

from __future__ import annotations

from graphlib import TopologicalSorter

from derivations import (
    elbo,
    proposition_1_reduction,
    proposition_2_fixed_variance,
    proposition_3_mode_variance,
    rotations,
    theorem_1_prior_variance,
    theorem_2_learned_variance,
    theorem_3_origin,
)
from derivations.claim import Claim
from derivations.errors import DataError

ORDER = (
    "eq-4.elbo",
    "eq-5.decomposition",
    "notation.whitening",
    "notation.gaussian-kl",
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
"""The claims as the paper makes them."""

MODULES = (
    elbo,
    proposition_1_reduction,
    proposition_2_fixed_variance,
    proposition_3_mode_variance,
    rotations,
    theorem_1_prior_variance,
    theorem_2_learned_variance,
    theorem_3_origin,
)
CLAIMS: tuple[Claim, ...] = tuple(
    sorted((claim for module in MODULES for claim in module.CLAIMS), key=lambda claim: ORDER.index(claim.id))
)


def claims_by_id(claims: tuple[Claim, ...] = CLAIMS) -> dict[str, Claim]:
    """The claims under their IDs, in the paper's order; raises ValueError if an ID occurs twice."""
    found = {claim.id: claim for claim in claims}
    if len(found) != len(claims):
        raise ValueError("two claims have the same ID")
    return found


def ordered_by_use(claims: tuple[Claim, ...] = CLAIMS) -> tuple[str, ...]:
    """The IDs so that every claim comes after those it uses.

    Raises:
        ValueError: a claim uses an ID that is not in the ledger, or claims use each other in a cycle (graphlib.CycleError).
    """
    known = claims_by_id(claims)
    missing = {used for claim in claims for used in claim.uses} - known.keys()
    if missing:
        raise ValueError(f"claims use IDs that the ledger does not have: {', '.join(sorted(missing))}")
    return tuple(TopologicalSorter({claim.id: claim.uses for claim in claims}).static_order())


def selected(ids: list[str] | None) -> tuple[Claim, ...]:
    """The claims with these IDs, in the paper's order; all of them if none is named.

    Raises:
        DataError: an ID that the ledger does not have.
    """
    known = claims_by_id()
    unknown = [name for name in ids or () if name not in known]
    if unknown:
        raise DataError(f"no claim has the ID {', '.join(map(repr, unknown))}; the IDs are: {', '.join(known)}")
    return tuple(claim for claim in CLAIMS if not ids or claim.id in ids)
