"""How an observable is checked, and by which layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Basic

from numerics.layers.base import Finding, Layer

Check = Callable[[Layer, Basic], Iterator[Finding]]
"""What a layer finds about a formula of one observable."""


def everywhere(check: Check) -> dict[str, Check]:
    """The same check on exact instances, on float64 instances and on minima found by descent."""
    return dict.fromkeys(("exact", "numeric", "descent"), check)


def without_descent(check: Check) -> dict[str, Check]:
    """The same check on exact and on float64 instances."""
    return dict.fromkeys(("exact", "numeric"), check)
