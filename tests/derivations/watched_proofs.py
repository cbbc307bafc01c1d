"""Proofs, made again while something that they call is watched."""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from sympy import Basic

from derivations import proof
from derivations.claim import Verdict
from derivations.ledger import claims_by_id

WATCHED = ("differs", "_decided")


def forget_steps() -> None:
    """Steps are kept once they are found."""
    for name, module in list(sys.modules.items()):
        for kept in list(vars(module).values()) if name.startswith("derivations.") else ():
            if hasattr(kept, "cache_clear") and "_step" in getattr(kept, "__name__", ""):
                kept.cache_clear()


@cache
def calls_of(claim: str) -> dict[str, list[tuple[Any, ...]]]:
    """Prove a claim's standing statement from nothing: the arguments of what is watched in derivations.proof, call by call."""
    calls: dict[str, list[tuple[Any, ...]]] = {called: [] for called in WATCHED}

    def heard(called: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any) -> Any:
            calls[called].append(arguments)
            return original(*arguments)

        return calling

    with pytest.MonkeyPatch.context() as patch:
        for called in WATCHED:
            patch.setattr(proof, called, heard(called, getattr(proof, called)))
        forget_steps()
        standing = claims_by_id()[claim].standing
        decide = getattr(standing.decide, "__wrapped__", standing.decide)
        assert decide(standing.formula).verdict is Verdict.PROVED
    return calls


def prove_watching(claim: str, called: str, listener: Callable[..., None]) -> None:
    """Tell the listener the arguments of every call of `called` of derivations.proof in the proof of a claim."""
    for arguments in calls_of(claim)[called]:
        listener(*arguments)


@cache
def facts_of(name: str) -> frozenset[tuple[Basic, Basic]]:
    """The facts used in the proof of a claim's standing statement."""
    used: set[tuple[Basic, Basic]] = set()
    prove_watching(name, "differs", lambda left, right, facts=(): used.update(facts))
    return frozenset(used)
