"""Problem: one instance of the linear VAE, reduced to the second moments of its data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from derivations.errors import DataError
from numerics.tolerances import RANGE_OF_A, RANK_CUTOFF, RESIDUAL_MOMENT, SYMMETRY

__all__ = ["Problem", "checked_array", "checked_scale"]

_WHY_POSITIVE = {
    "beta": "beta = 0 removes the regulariser (c = beta eta_dec²/eta_enc² = 0): the encoder may shrink its noise to zero "
    "and no minimiser exists",
    "y2": "it is the mean square E‖y‖²",
    "eta_dec": "it is the standard deviation of the decoder",
    "eta_enc": "it is the standard deviation of the prior",
}


@dataclass(frozen=True, eq=False)
class Problem:
    """One instance: everything that L_VAE (Eq. 5) depends on, in float64, validated.

    Args:
        A: second moment E[x xᵀ], shape (D0, D0), positive semidefinite, possibly singular.
        C: cross moment E[y xᵀ], shape (d2, D0).
        y2: E‖y‖².
        d1: number of latent dimensions.
        beta: weight of the Kullback–Leibler term.
        eta_dec: standard deviation of the decoder.
        eta_enc: standard deviation of the prior.
        sigma: encoder standard deviations held fixed, shape (d1,); None when they are learned.
        zeta: singular values of Z known by construction, shape (d*,), non-increasing. Descent never reads them.
        learned_decoder: whether eta_dec is learned too; no search reads the given one then.
        name: what to call the instance in a message.
        regimes: tags of the regimes that the instance belongs to.

    Raises:
        DataError: a field is not what it must be; the message names the field and the remedy.
    """

    A: Float[np.ndarray, "D0 D0"]
    C: Float[np.ndarray, "d2 D0"]
    y2: float
    d1: int
    beta: float
    eta_dec: float
    eta_enc: float
    sigma: Float[np.ndarray, " d1"] | None = None
    zeta: Float[np.ndarray, " dstar"] | None = None
    learned_decoder: bool = False
    name: str = ""
    regimes: frozenset[str] = field(default_factory=frozenset)

    # Run-time checkers of annotations leave the fields to __post_init__, whose errors say what to do.
    __no_type_check__ = True

    def __post_init__(self) -> None:
        if not _is_whole(self.d1) or self.d1 < 1:
            raise DataError(f"d1 must be a whole number of latent dimensions, at least 1; got {self.d1!r}.")
        if not isinstance(self.learned_decoder, bool):
            raise DataError(f"learned_decoder must be True or False, got {self.learned_decoder!r}.")
        y2 = checked_scale("y2", self.y2, may_be_zero=not self.learned_decoder)
        fields: dict[str, Any] = {"d1": int(self.d1), "y2": y2}
        fields |= {name: checked_scale(name, getattr(self, name)) for name in ("beta", "eta_dec", "eta_enc")}
        for name in ("eta_dec", "eta_enc"):
            if not np.finfo(np.float64).tiny <= fields[name] * fields[name] < math.inf:
                raise DataError(
                    f"{name} is a standard deviation whose square float64 cannot hold; got {fields[name]!r}. "
                    "Give data and scales in other units."
                )
        fields |= {"A": checked_array("A", self.A, 2), "C": checked_array("C", self.C, 2)}
        if self.sigma is not None:
            fields["sigma"] = checked_array("sigma", self.sigma, 1)
        if self.zeta is not None:
            fields["zeta"] = checked_array("zeta", self.zeta, 1)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        self._check_shapes()
        self._check_moments()

    def _check_shapes(self) -> None:
        if self.A.shape[0] != self.A.shape[1]:
            raise DataError(f"A must be square, E[x xᵀ]; got shape {self.A.shape}.")
        if self.C.shape[1] != self.A.shape[0]:
            raise DataError(
                f"C must be E[y xᵀ], of shape (d2, D0) with D0 = {self.A.shape[0]} as in A; got {self.C.shape}. "
                "Transpose it if it is E[x yᵀ]."
            )
        if self.sigma is not None and self.sigma.shape != (self.d1,):
            raise DataError(f"sigma must hold d1 = {self.d1} standard deviations; got shape {self.sigma.shape}.")
        if self.sigma is not None and self.sigma.min() <= 0:
            raise DataError(
                f"sigma holds the encoder's standard deviations and must be positive; got {self.sigma.min()!r}."
            )

    def _check_moments(self) -> None:
        scale = float(np.abs(self.A).max())
        if np.abs(self.A - self.A.T).max() > SYMMETRY.value * scale:
            raise DataError("A must be symmetric, E[x xᵀ]; symmetrise it with (A + A.T) / 2 if only rounding differs.")
        lowest = float(self._eigenvalues.min())
        if lowest < -SYMMETRY.value * self.D0 * scale:
            raise DataError(f"A must be positive semidefinite, E[x xᵀ]; its smallest eigenvalue is {lowest!r}.")
        if self.d0 == 0:
            raise DataError("A is zero: x carries no information. Give x with a second moment that is not zero.")
        outside = float(np.linalg.norm(self.C - self.C @ self.P_A @ self.P_A.T))
        # a C that is 0 but for rounding has no direction; |C|^2 <= tr A E|y|^2
        rounding = self.D0 * np.finfo(np.float64).eps * float(np.sqrt(np.trace(self.A) * max(self.y2, 0.0)))
        if outside > RANGE_OF_A.value * float(np.linalg.norm(self.C)) + rounding:
            raise DataError(
                f"C has a part of norm {outside:.3g} outside the range of A, so no data has these moments. "
                "Compute A and C from the same samples, centred alike."
            )
        if self._residual < -RESIDUAL_MOMENT.value * self.y2:
            raise DataError(
                f"y2 = {self.y2!r} is smaller than ‖Z‖² = {self.y2 - self._residual!r}, the part of y that x explains, "
                "so no data has these moments. Compute y2, A and C from the same samples, centred alike."
            )
        if self.zeta is not None and (
            self.zeta.shape != (self.dstar,) or self.zeta.min() < 0 or np.any(np.diff(self.zeta) > 0)
        ):
            raise DataError(
                f"zeta must hold d* = {self.dstar} non-increasing singular values, none negative; got {self.zeta}."
            )

    @cached_property
    def _eigh(self) -> tuple[Float[np.ndarray, " D0"], Float[np.ndarray, "D0 D0"]]:
        """Eigenvalues of A, largest first, and its eigenvectors as columns."""
        eigenvalues, eigenvectors = np.linalg.eigh(self.A)
        return eigenvalues[::-1], eigenvectors[:, ::-1]

    @cached_property
    def _eigenvalues(self) -> Float[np.ndarray, " D0"]:
        return self._eigh[0]

    @cached_property
    def _residual(self) -> float:
        return self.y2 - float(np.sum(self.Z**2))

    @cached_property
    def D0(self) -> int:
        """Dimension of x as given."""
        return self.A.shape[0]

    @cached_property
    def d2(self) -> int:
        """Dimension of y."""
        return self.C.shape[0]

    @cached_property
    def d0(self) -> int:
        """Rank of A (eigenvalues above the relative cutoff)."""
        return int(np.sum(self._eigenvalues > RANK_CUTOFF.value * max(float(self._eigenvalues[0]), 0.0)))

    @cached_property
    def dstar(self) -> int:
        """d* = min(d0, d2)."""
        return min(self.d0, self.d2)

    @cached_property
    def P_A(self) -> Float[np.ndarray, "D0 d0"]:
        """Eigenvectors of A with positive eigenvalue, as columns (section 3)."""
        return self._eigh[1][:, : self.d0]

    @cached_property
    def phi(self) -> Float[np.ndarray, " d0"]:
        """Positive eigenvalues of A, largest first: the diagonal of Φ."""
        return self._eigenvalues[: self.d0]

    @cached_property
    def Z(self) -> Float[np.ndarray, "d2 d0"]:
        """Z = E[y x̃ᵀ] with whitened x̃ = Φ^{-1/2} P_Aᵀ x (section 3)."""
        return self.C @ self.P_A / np.sqrt(self.phi)

    @cached_property
    def r(self) -> float:
        """r = E‖y‖² − ‖Z‖² ≥ 0, the second moment of y that no linear function of x explains; ‖Z‖² is exact where planted."""
        residual = self._residual if self.zeta is None else self.y2 - float(np.sum(self.zeta**2))
        return 0.0 if abs(residual) <= RESIDUAL_MOMENT.value * self.y2 else residual

    @cached_property
    def _svd(
        self,
    ) -> tuple[Float[np.ndarray, "d2 d2"], Float[np.ndarray, " dstar"], Float[np.ndarray, "d0 d0"]]:
        F, zeta, Gt = np.linalg.svd(self.Z, full_matrices=True)
        return F, zeta, Gt.T

    @cached_property
    def spectrum(self) -> Float[np.ndarray, " dstar"]:
        """Singular values ζ of Z, non-increasing: the planted ones where known, else computed."""
        return self._svd[1] if self.zeta is None else self.zeta

    @cached_property
    def F(self) -> Float[np.ndarray, "d2 d2"]:
        """Left singular vectors of Z, all d2 of them."""
        return self._svd[0]

    @cached_property
    def G(self) -> Float[np.ndarray, "d0 d0"]:
        """Right singular vectors of Z, all d0 of them, as columns."""
        return self._svd[2]

    @cached_property
    def learned(self) -> bool:
        """Whether the encoder's variances are learned rather than held fixed."""
        return self.sigma is None


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def checked_array(name: str, value: object, ndim: int) -> Float[np.ndarray, " ..."]:
    """A read-only float64 copy of an array, or a DataError that says what is wrong with it."""
    if not isinstance(value, np.ndarray):
        raise DataError(f"{name} must be a numpy array, got {type(value).__name__}: convert it with numpy.asarray.")
    if np.iscomplexobj(value):
        raise DataError(f"{name} is complex; the theory is for real data. Pass {name}.real if the rest is zero.")
    if value.dtype != np.float64:
        raise DataError(
            f"{name} has dtype {value.dtype}; verification is in float64. Convert it with .astype(numpy.float64), "
            "before any sum over samples is taken."
        )
    if value.ndim != ndim:
        raise DataError(f"{name} must have {ndim} dimension(s), got shape {value.shape}.")
    if value.size == 0:
        raise DataError(f"{name} is empty, of shape {value.shape}: give at least one sample and one dimension.")
    if not np.isfinite(value).all():
        position = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        raise DataError(f"{name} has a NaN or an infinity, first at {position}: drop or impute such samples.")
    copy = value.copy()
    copy.flags.writeable = False
    return copy


def checked_scale(name: str, value: object, *, may_be_zero: bool = False) -> float:
    """A finite positive Python float (or zero where allowed), or a DataError."""
    if isinstance(value, (bool, complex, np.complexfloating)) or not isinstance(value, (int, float, np.number)):
        raise DataError(f"{name} must be a real number, got {value!r}.")
    if not math.isfinite(value):
        raise DataError(f"{name} must be finite, got {value!r}.")
    if value < 0 or (value == 0 and not may_be_zero):
        wanted = "zero or positive" if may_be_zero else "positive"
        reason = _WHY_POSITIVE.get(name, "it is a scale")
        raise DataError(f"{name} must be {wanted}, got {value!r}: {reason}.")
    return float(value)
