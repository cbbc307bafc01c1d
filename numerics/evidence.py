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


def _everywhere(check: Check) -> dict[str, Check]:
    return dict.fromkeys(("exact", "numeric", "descent"), check)


def _without_descent(check: Check) -> dict[str, Check]:
    return dict.fromkeys(("exact", "numeric"), check)


OBSERVABLES: dict[str, dict[str, Check]] = {
    "gaussian_kl": _without_descent(identities.gaussian_kl),
    "objective": _without_descent(identities.objective),
    "decomposition": _without_descent(identities.decomposition),
    "whitening": _without_descent(identities.whitening),
    "reduction": _without_descent(identities.reduction) | {"descent": minima.reduction_at_minima},
    "stationary_encoder": _everywhere(minima.stationary_encoder),
    "fixed_minimiser": _everywhere(partial(minima.minimiser, kind="fixed")),
    "prior_minimiser": _everywhere(partial(minima.minimiser, kind="prior")),
    "learned_minimiser": _everywhere(partial(minima.minimiser, kind="learned")),
    "encoder_std": _everywhere(partial(minima.encoder_std, extra=False)),
    "extra_encoder_std": _everywhere(partial(minima.encoder_std, extra=True)),
    "profile": _everywhere(minima.profile),
    "reduced_objective": _everywhere(minima.reduced_objective),
    "complete_collapse": _everywhere(minima.complete_collapse),
    "fixed_rotation": _everywhere(partial(conditions.rotation, learned=False)),
    "learned_rotation": _everywhere(partial(conditions.rotation, learned=True)),
    "origin_curvature": _everywhere(conditions.origin_curvature),
    "origin_minimum": _everywhere(conditions.origin_minimum),
}
"""For each observable how each layer that can test it does so."""


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
