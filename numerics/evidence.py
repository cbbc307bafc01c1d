"""Evidence for a statement from one layer, and whether a layer refutes a mutant."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sympy import Basic

from derivations.claim import Claim
from numerics import observables
from numerics.layers.base import Finding, Layer
from numerics.layers.descent import DescentLayer
from numerics.observables.base import Check


def _modules() -> Iterator[ModuleType]:
    """Every module of numerics.observables that checks observables."""
    for found in pkgutil.iter_modules(observables.__path__, f"{observables.__name__}."):
        module = importlib.import_module(found.name)
        if hasattr(module, "CHECKS"):
            yield module


OBSERVABLES: dict[str, dict[str, Check]] = {
    name: checks for module in _modules() for name, checks in module.CHECKS.items()
}
"""For each observable how each layer that can test it does so."""

MINIMA: dict[str, Callable[[Layer, Basic], list[Any]]] = {
    name: minima for module in _modules() for name, minima in getattr(module, "MINIMA", {}).items()
}
"""For some observables the instances of the descent layer whose minima they look at, besides the layer's own."""


@dataclass(frozen=True)
class Evidence:
    """What a layer found about one quantity of a statement: agreement needs at least one instance."""

    layer: str
    quantity: str
    instances: int
    worst_residual: float
    tolerance: float
    worst_instance: str

    @property
    def passed(self) -> bool:
        """Whether the layer looked at something and nothing was beyond the tolerance."""
        return self.instances > 0 and self.worst_residual <= self.tolerance


def layers_of(claim: Claim) -> tuple[str, ...]:
    """The layers that test this claim."""
    return tuple(OBSERVABLES[claim.observable])


def descend_for(claims: Sequence[Claim], layer: DescentLayer) -> None:
    """Find what minima the statements of these claims ask for, all together: side by side they descend faster."""
    asked = [(MINIMA[claim.observable], claim.standing.formula) for claim in claims if claim.observable in MINIMA]
    layer.descend([problem for minima, formula in asked for problem in minima(layer, formula)])


def gather(claim: Claim, formula: Basic, layer: Layer) -> list[Evidence]:
    """All findings of a layer about a formula, one row a quantity."""
    return collect(layer.name, OBSERVABLES[claim.observable][layer.name](layer, formula))


def collect(layer: str, findings: Iterator[Finding]) -> list[Evidence]:
    """Findings by quantity and tolerance, with the worst of each."""
    by_quantity: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        by_quantity.setdefault((finding.quantity, finding.tolerance.name), []).append(finding)
    rows = []
    for (quantity, _), found in by_quantity.items():
        worst = max(
            found, key=lambda finding: finding.residual if finding.residual == finding.residual else float("inf")
        )
        count = len({finding.instance for finding in found})
        rows.append(Evidence(layer, quantity, count, float(worst.residual), worst.tolerance.value, worst.instance))
    return rows


def refutes(claim: Claim, formula: Basic, layer: Layer) -> bool:
    """Whether the layer finds one instance at which the formula, a mutant or a printed statement, fails."""
    return any(not finding.agrees for finding in OBSERVABLES[claim.observable][layer.name](layer, formula))
