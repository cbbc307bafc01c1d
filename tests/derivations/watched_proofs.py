"""Proofs, made again while something that they call is watched."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from derivations import proof
from derivations.claim import Verdict
from derivations.ledger import claims_by_id


def forget_steps() -> None:
    """Steps are kept once they are found."""
    for name, module in list(sys.modules.items()):
        for kept in list(vars(module).values()) if name.startswith("derivations.") else ():
            if hasattr(kept, "cache_clear") and "_step" in getattr(kept, "__name__", ""):
                kept.cache_clear()


def prove_watching(claim: str, called: str, listener: Callable[..., None]) -> None:
    """Prove a claim's standing statement; whenever `called` of derivations.proof is called, the listener hears the arguments."""
    original = getattr(proof, called)

    def heard(*arguments: Any) -> Any:
        listener(*arguments)
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, called, heard)
        forget_steps()
        standing = claims_by_id()[claim].standing
        decide = getattr(standing.decide, "__wrapped__", standing.decide)
        assert decide(standing.formula).verdict is Verdict.PROVED
