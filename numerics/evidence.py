"""Evidence for a statement from one layer, and whether a layer refutes a mutant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sympy import Basic

from derivations.claim import Claim
from numerics.layers.base import Finding, Layer
from numerics.observables import conditions, identities, minima

Check = Callable[[Layer, Basic], Iterator[Finding]]

OBSERVABLES: dict[str, tuple[tuple[str, ...], Check]] = {
    "gaussian_kl": (("exact", "numeric"), identities.gaussian_kl),
    "objective": (("exact", "numeric"), identities.objective),
    "decomposition": (("exact", "numeric"), identities.decomposition),
    "whitening": (("exact", "numeric"), identities.whitening),
    "reduction": (("exact", "numeric"), identities.reduction),
    "stationary_encoder": (("exact", "numeric", "descent"), minima.stationary_encoder),
    "fixed_minimiser": (("exact", "numeric", "descent"), partial(minima.minimiser, kind="fixed")),
    "prior_minimiser": (("exact", "numeric", "descent"), partial(minima.minimiser, kind="prior")),
    "learned_minimiser": (("exact", "numeric", "descent"), partial(minima.minimiser, kind="learned")),
    "encoder_std": (("exact", "numeric", "descent"), partial(minima.encoder_std, extra=False)),
    "extra_encoder_std": (("exact", "numeric", "descent"), partial(minima.encoder_std, extra=True)),
    "profile": (("exact", "numeric", "descent"), minima.profile),
    "reduced_objective": (("exact", "numeric", "descent"), minima.reduced_objective),
    "complete_collapse": (("exact", "numeric", "descent"), minima.complete_collapse),
    "fixed_rotation": (("exact", "numeric", "descent"), partial(conditions.rotation, learned=False)),
    "learned_rotation": (("exact", "numeric", "descent"), partial(conditions.rotation, learned=True)),
    "origin_curvature": (("exact", "numeric", "descent"), conditions.origin_curvature),
    "origin_minimum": (("exact", "numeric", "descent"), conditions.origin_minimum),
}
"""For each observable the layers that can test it, and how."""


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
    return OBSERVABLES[claim.observable][0]


def gather(claim: Claim, formula: Basic, layer: Layer) -> list[Evidence]:
    """All findings of a layer about a formula, one row a quantity."""
    return collect(layer.name, OBSERVABLES[claim.observable][1](layer, formula))


def collect(layer: str, findings: Iterator[Finding]) -> list[Evidence]:
    """Findings by quantity, with the worst of each."""
    by_quantity: dict[str, list[Finding]] = {}
    for finding in findings:
        by_quantity.setdefault(finding.quantity, []).append(finding)
    rows = []
    for quantity, found in by_quantity.items():
        worst = max(
            found, key=lambda finding: finding.residual if finding.residual == finding.residual else float("inf")
        )
        count = len({finding.instance for finding in found})
        rows.append(Evidence(layer, quantity, count, float(worst.residual), worst.tolerance.value, worst.instance))
    return rows


def refutes(claim: Claim, formula: Basic, layer: Layer) -> bool:
    """Whether the layer finds one instance at which the formula, a mutant or a printed statement, fails."""
    return any(not finding.agrees for finding in OBSERVABLES[claim.observable][1](layer, formula))
