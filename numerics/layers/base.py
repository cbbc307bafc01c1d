"""What every layer answers, so that each observable is checked by one body of code on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from numerics.draws import Draw
from numerics.points import Point
from numerics.tolerances import Tolerance


@dataclass(frozen=True)
class Finding:
    """One comparison: what was compared, on which instance, how far apart, and how far apart it may be.

    A residual that is not finite counts as beyond every tolerance.
    """

    quantity: str
    instance: str
    residual: float
    tolerance: Tolerance

    @property
    def agrees(self) -> bool:
        """Whether the residual is within the tolerance."""
        return bool(self.residual <= self.tolerance.value)


@runtime_checkable
class Layer(Protocol):
    """One kind of evidence.

    Problems are of kind "learned", "prior" (sigma_i = eta_enc), "fixed" (any standard deviations) or "decoder": the encoder's
    and the decoder's variances are learned, the loss is L_VAE + (d2/2) log eta_dec^2, and no layer reads a problem's eta_dec.
    """

    name: str

    def __hash__(self) -> int: ...

    def problems(self, kind: str) -> Sequence[Any]:
        """The instances of a kind."""

    def sweeps(self) -> Sequence[Sequence[Any]]:
        """Groups of instances with fixed variances that differ in Sigma alone."""

    def draws(self) -> Sequence[Draw]:
        """Raw data with arbitrary parameters."""

    def stationary_encoder_findings(self, problem: Any, encoder: Callable[[Any], Any]) -> Iterator[Finding]:
        """How far V = encoder(U) is from where the loss is stationary in V, for this layer's U."""

    def rotations(self, problem: Any) -> Sequence[Any]:
        """Matrices P to try on latent space, orthogonal and not."""

    def loss(self, problem: Any, point: Point) -> Any:
        """L_VAE at a point."""

    def least_loss(self, problem: Any) -> Any:
        """The minimum of L_VAE, as this layer knows it; kind "decoder": of L_VAE + (d2/2) log eta_dec^2, or minus infinity."""

    def minimum_findings(self, problem: Any, point: Point) -> Iterator[Finding]:
        """How far a point is from being a global minimum."""

    def difference(self, quantity: str, problem: Any, left: Any, right: Any) -> Finding:
        """The comparison of two numbers or arrays."""

    def origin_eigenvalue(self, problem: Any) -> Any:
        """The smallest Hessian eigenvalue at U = W = 0, or a number of its sign; 0 within rounding is 0."""

    def origin_gap(self, problem: Any) -> Any:
        """The least loss minus the loss at U = W = 0; 0 within the layer's precision is 0."""

    def origin_is_local_minimum(self, problem: Any) -> bool:
        """Whether U = W = 0 is a local minimum, as this layer sees it."""

    def decoder_variance(self, problem: Any) -> Any:
        """eta_dec^2 at the global minimum of a problem of kind "decoder".

        0 where the loss falls without bound as eta_dec^2 tends to 0; None where every eta_dec^2 up to some value does equally well.
        """

    def decoder_variance_findings(self, problem: Any, stated: Any) -> Iterator[Finding]:
        """How far a stated eta_dec^2 (0 where the loss is unbounded) is from `decoder_variance`; nothing where that is None."""

    def unbounded(self, problem: Any) -> bool:
        """Whether the loss of a problem of kind "decoder" falls without bound."""

    def collapses_completely(self, problem: Any) -> bool:
        """Whether U = W = 0, at the best eta_dec^2 for it, attains the least loss of a problem of kind "decoder"."""
