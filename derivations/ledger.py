"""All claims in the paper's order, and the graph of which claim uses which: complete and without a cycle."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from graphlib import TopologicalSorter
from types import ModuleType

from derivations.census import ORDER
from derivations.claim import Claim
from derivations.errors import DataError


def _modules() -> Iterator[ModuleType]:
    """Every module of this package that makes claims."""
    import derivations

    for found in pkgutil.iter_modules(derivations.__path__, "derivations."):
        if found.name != __name__:
            module = importlib.import_module(found.name)
            if hasattr(module, "CLAIMS"):
                yield module


CLAIMS: tuple[Claim, ...] = tuple(
    sorted((claim for module in _modules() for claim in module.CLAIMS), key=lambda claim: ORDER.index(claim.id))
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
