"""Exact instances outside the assumptions on the encoder's noise: correlated latents, and noise that goes with the data.

Probes of assumptions evaluate a formula here. The covariance of the latents has 1 on its diagonal and eigenvalues (7/5)^2 and
(1/5)^2, so that everything stays rational.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Expr, ImmutableDenseMatrix, Rational

from derivations import notation as n
from derivations.exact_data import ExactData
from derivations.instances import Instance

COVARIANCE = ImmutableDenseMatrix([[1, Rational(24, 25)], [Rational(24, 25), 1]])
"""Of two latents; the roots of its diagonal are their standard deviations."""
FACTOR = ImmutableDenseMatrix([[1, 0], [Rational(24, 25), Rational(7, 25)]])
"""FACTOR FACTOR^T = COVARIANCE."""
PRINCIPAL = (Rational(7, 5), Rational(1, 5))
"""The roots of its eigenvalues."""


def correlated_instance() -> Instance:
    """Two latents with covariance COVARIANCE; `sigma` holds the roots of its diagonal."""
    one = sympy.S.One
    return Instance((Rational(3), one), (one, one), one, one, one, d0=2, d2=2)


def principal(instance: Instance) -> Instance:
    """The same problem with the latents rotated to the eigenvectors of COVARIANCE, which neither Eq 6 nor the KL notices.

    (U, V, Sigma) and (U R, V R, R^T Sigma R) have the same U V^T, U Sigma U^T, |V|, trace and determinant of Sigma.
    """
    return replace(instance, sigma=PRINCIPAL)


def correlated_named(instance: Instance) -> dict[str, object]:
    """The values of an instance under the names a reader knows, with COVARIANCE for Sigma."""
    return instance.named() | {"Sigma": COVARIANCE.tolist()}


def _matrix(*rows: tuple[int, ...]) -> ImmutableDenseMatrix:
    return ImmutableDenseMatrix(rows)


ONE = _matrix((1,))
POINTS = ((ONE, ONE), (-ONE, -ONE))
"""x = y = 1 and x = y = -1."""


def _data(
    covariance: ImmutableDenseMatrix, W: ImmutableDenseMatrix, U: ImmutableDenseMatrix, draws: tuple
) -> ExactData:
    """The two points with these parameters and draws of (x, y, noise); the standard deviations are 1."""
    one = sympy.S.One
    scalars = Instance((one,), (one,) * covariance.rows, one, one, one, d0=1, d2=1)
    moments = dict.fromkeys((n.P_A, n.Phi, n.A, n.Z, n.F, n.S_Z, n.G, n.C, n.S_y), ONE)
    return ExactData(scalars, moments | {n.W: W, n.U: U, n.V: W, n.Sigma: covariance}, POINTS, draws)


@lru_cache(maxsize=1)
def correlated_data() -> ExactData:
    """Noise of covariance COVARIANCE, independent of the data."""
    signs = [_matrix((a,), (b,)) for a in (-1, 1) for b in (-1, 1)]
    draws = tuple((x, y, ImmutableDenseMatrix(FACTOR * sign)) for x, y in POINTS for sign in signs)
    return _data(COVARIANCE, _matrix((1, 0)), _matrix((1, 1)), draws)


@lru_cache(maxsize=1)
def entangled_data() -> ExactData:
    """Noise that is 1 where x is 1 and -1 where x is -1: of mean 0 and variance 1, as it should be."""
    return _data(ONE, ONE, 2 * ONE, tuple((x, y, x) for x, y in POINTS))


def latents_named(data: ExactData) -> dict[str, object]:
    """What a reader needs to repeat the evaluation: scales, parameters, and the data with the noise drawn at each point."""
    values: dict[str, object] = {"beta": 1, "eta_dec": 1, "eta_enc": 1}
    values |= {str(symbol): data.matrices[symbol].tolist() for symbol in (n.Sigma, n.W, n.U)}
    return values | {"(x, y, noise)": [tuple(tuple(part) for part in draw) for draw in data.draws or ()]}


def kl_divergence(mean: sympy.MatrixBase, covariance: sympy.MatrixBase, deviation: Expr) -> Expr:
    """KL from N(mean, covariance) to N(0, deviation^2 I), from the log densities: E z^T z, and E of the squared Mahalanobis norm.

    The latter is the trace of covariance^-1 covariance, the number of latents.
    """
    size = covariance.rows
    square = (mean.T * mean)[0, 0] + covariance.trace()
    log_densities = sympy.log(covariance.det()) / 2 - size * sympy.log(deviation)
    return (square / deviation**2 - size) / 2 - log_densities
