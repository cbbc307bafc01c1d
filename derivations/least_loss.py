"""The least value of Eq 6 over U and V for any fixed diagonal Sigma, proved for all dimensions and without a cited lemma.

Eliminating V and writing U = Q Lambda P by its singular values leaves two traces, one rotated by Q and one by P. Each is
sum_ij a_i b_j O_ij^2 with O orthogonal, so that (O_ij^2) has unit row and column sums. Potentials p, q with p_i + q_j <= a_i b_j
and equality at i = j certify that it is at least sum_i a_i b_i when a does not increase and b does not decrease. What remains
is one scalar problem per mode: singular value zeta_i of Z with the i-th smallest encoder standard deviation.
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Expr, Identity, Inverse, MatMul, Matrix, MatrixExpr, MatrixSymbol, Max, Symbol, Trace, diag

from derivations.claim import Step
from derivations.matrix_calculus import Facts, gradient
from derivations.notation import (
    S_Z,
    F,
    G,
    I_latent,
    Lambda,
    P,
    P_sort,
    Sigma,
    Sigma_sorted,
    SquaredNorm,
    Theta,
    U,
    V,
    Z,
    d0,
    d2,
    weight,
)
from derivations.proof import equal, in_size, margin, nonnegative, written_out, zero

REDUCED = SquaredNorm(U * V.T - Z) + Trace(U * Sigma * U.T) + weight * SquaredNorm(V)
"""Eq 6 as the reduction of the loss derives it."""

u, v, singular, deviation, c = sympy.symbols("u v zeta sigma c", positive=True)
"""One mode: entries of U and V (real of any sign in the statements below), singular value, standard deviation, weight of V."""

Q = MatrixSymbol("Q", d2, d2)
"""Left singular vectors of an arbitrary U."""

ORTHOGONAL: Facts = (
    (F.T * F, Identity(d2)),
    (F * F.T, Identity(d2)),
    (G.T * G, Identity(d0)),
    (G * G.T, Identity(d0)),
    (P.T * P, I_latent),
    (P * P.T, I_latent),
    (P_sort.T * P_sort, I_latent),
    (P_sort * P_sort.T, I_latent),
    (Z, F * S_Z * G.T),
)


def mode_loss(u: Expr, v: Expr, singular: Expr, deviation: Expr, c: Expr) -> Expr:
    """Eq 6 restricted to one mode: (u v - zeta)^2 + sigma^2 u^2 + c v^2."""
    return (u * v - singular) ** 2 + deviation**2 * u**2 + c * v**2


@lru_cache(maxsize=4096)
def least_mode_loss(singular: Expr, deviation: Expr, c: Expr = weight) -> Expr:
    """The minimum of `mode_loss` over real u and v: zeta^2 - max(0, zeta - sigma sqrt(c))^2."""
    return singular**2 - Max(0, singular - deviation * sympy.sqrt(c)) ** 2


@lru_cache(maxsize=1)
def least_mode_steps() -> tuple[Step, ...]:
    """The minimum over one mode, for every sign of u v and both sides of the threshold."""
    root = sympy.sqrt(c)
    balance = (deviation * u - root * v) ** 2
    product = Symbol("m", nonnegative=True)
    threshold = deviation * root
    excess = (product - singular) ** 2 + 2 * threshold * product
    opposite = (-product - singular) ** 2 + 2 * threshold * product
    return (
        zero(
            "a mode's loss is a square plus a function of the product m = u v",
            mode_loss(u, v, singular, deviation, c) - balance - ((u * v - singular) ** 2 + 2 * threshold * u * v),
        ),
        zero(
            "above the threshold that function is a square plus the least value",
            excess - (product - singular + threshold) ** 2 - least_mode_loss(singular, deviation, c),
            {singular: threshold * (1 + margin)},
        ),
        nonnegative(
            "below it, it does not go below its value at m = 0",
            excess - least_mode_loss(singular, deviation, c),
            {singular: threshold / (1 + margin)},
        ),
        nonnegative(
            "at it, it does not go below its value at m = 0",
            excess - least_mode_loss(singular, deviation, c),
            {singular: threshold},
        ),
        nonnegative("u and v of opposite signs do no better", opposite - excess),
    )


@lru_cache(maxsize=1)
def encoder_steps() -> tuple[Step, ...]:
    """V eliminated: the loss is a positive square plus the profile in U."""
    kernel = Inverse(U.T * U + weight * I_latent)
    facts = kernel_facts(kernel)
    best = Z.T * U * kernel
    square = Trace((V - best) * (U.T * U + weight * I_latent) * (V - best).T)
    profile = Trace(Z * Z.T) - Trace(Z.T * U * kernel * U.T * Z) + Trace(U * Sigma * U.T)
    return (
        equal("half the gradient with respect to V", gradient(REDUCED, V) / 2, (V * U.T - Z.T) * U + weight * V),
        equal("the loss is a nonnegative square in V plus its profile", REDUCED, square + profile, facts),
    )


def kernel_facts(kernel: Inverse) -> Facts:
    """kernel (U^T U + c I) = I, used to eliminate U^T U next to the kernel."""
    return ((kernel * U.T * U, I_latent - weight * kernel), (U.T * U * kernel, I_latent - weight * kernel))


@lru_cache(maxsize=1)
def rearrangement_steps() -> tuple[Step, ...]:
    """sum_ij a_i b_j O_ij^2 >= sum_i a_i b_i for orthogonal O, a non-increasing and b non-decreasing, by linear duality.

    With q_(j+1) - q_j = a_(j+1) (b_(j+1) - b_j) and p_i = a_i b_i - q_i the slack s_ij = a_i b_j - p_i - q_j vanishes at i = j and
    changes by (a_i - a_(j+1)) (b_(j+1) - b_j) from j to j + 1: it grows away from the diagonal in both directions.
    """
    a_later, b_next, a_drop, b_rise, q = sympy.symbols("a b delta_a delta_b q", nonnegative=True)
    entries = Matrix(3, 3, sympy.symbols("o:9", real=True))
    a, b = sympy.symbols("a:3", real=True), sympy.symbols("b:3", real=True)
    double_sum = sum(a[row] * b[column] * entries[row, column] ** 2 for row in range(3) for column in range(3))

    share = Symbol("o", real=True)
    squares = ((share, 1 - share), (1 - share, share))
    potentials, others = sympy.symbols("p:2", real=True), sympy.symbols("r:2", real=True)

    def slack(a_i: Expr, b_i: Expr, q_i: Expr, b_j: Expr, q_j: Expr) -> Expr:
        return a_i * b_j - (a_i * b_i - q_i) - q_j

    b_i, q_i, a_i = sympy.symbols("b_i q_i a_i", nonnegative=True)
    rightwards = slack(a_later + a_drop, b_i, q_i, b_next + b_rise, q + a_later * b_rise) - slack(
        a_later + a_drop, b_i, q_i, b_next, q
    )
    leftwards = slack(a_i, b_i, q_i, b_next, q) - slack(a_i, b_i, q_i, b_next + b_rise, q + (a_i + a_drop) * b_rise)
    return (
        in_size(
            "3 x 3",
            written_out(
                "the trace of two diagonal matrices and a rotation",
                Trace(MatMul(diag(*a), entries, diag(*b), entries.T, evaluate=False)),
                double_sum,
            ),
        ),
        in_size(
            "2 x 2",
            zero(
                "unit row and column sums make the potentials add up to their sums",
                sum(
                    (p + r) * o
                    for p, row in zip(potentials, squares, strict=True)
                    for r, o in zip(others, row, strict=True)
                )
                - sum(potentials)
                - sum(others),
            ),
        ),
        zero("the slack vanishes on the diagonal", slack(a_i, b_i, q_i, b_next, q), {b_next: b_i, q: q_i}),
        nonnegative("to the right of the diagonal the slack does not fall", rightwards),
        nonnegative("to the left of the diagonal the slack does not fall", leftwards),
    )


@lru_cache(maxsize=1)
def profile_in_singular_values_steps() -> tuple[Step, ...]:
    """The profile at U = Q Lambda P: one trace rotated by Q, one by P, and diagonal matrices in opposite and equal order."""
    inner = Inverse(Lambda.T * Lambda + weight * I_latent)
    facts = (
        (Q.T * Q, Identity(d2)),
        (P * P.T, I_latent),
        (P.T * P, I_latent),
        (inner * Lambda.T * Lambda, I_latent - weight * inner),
        (Lambda.T * Lambda * inner, I_latent - weight * inner),
    )
    kernel = P.T * inner * P
    at = Q * Lambda * P
    shrunk = Identity(d2) - Lambda * inner * Lambda.T
    length, rise = Symbol("lambda_squared", nonnegative=True), Symbol("rise", nonnegative=True)
    return (
        equal(
            "the kernel of U = Q Lambda P is that of Lambda, rotated by P",
            kernel * (P.T * Lambda.T * Lambda * P + weight * I_latent),
            I_latent,
            facts,
        ),
        equal(
            "the profile at U = Q Lambda P is a trace rotated by Q plus one rotated by P",
            Trace(Z * Z.T * Q * Q.T) - Trace(Z.T * at * kernel * at.T * Z) + Trace(at * Sigma * at.T),
            Trace(Z * Z.T * Q * shrunk * Q.T) + Trace(Lambda.T * Lambda * P * Sigma * P.T),
            facts,
        ),
        zero("the shrunk diagonal has entries c / (lambda^2 + c)", 1 - length / (length + c) - c / (length + c)),
        nonnegative("they do not fall as lambda falls", c / (length + c) - c / (length + rise + c)),
    )


@lru_cache(maxsize=1)
def profile_mode_steps() -> tuple[Step, ...]:
    """With V eliminated, one mode costs at least its least loss, whatever its lambda."""
    w = Symbol("w", positive=True)
    length, short = Symbol("lambda_squared", nonnegative=True), Symbol("short", nonnegative=True)
    below = deviation * sympy.sqrt(c) / (1 + short)
    profile = singular**2 * c / (length + c) + length * deviation**2
    return (
        zero(
            "a mode costs a square more than its least loss above the threshold, w = lambda^2 + c",
            (singular**2 * c / w + (w - c) * deviation**2)
            - (sympy.sqrt(w) * deviation - singular * sympy.sqrt(c) / sympy.sqrt(w)) ** 2
            - (2 * singular * deviation * sympy.sqrt(c) - c * deviation**2),
        ),
        nonnegative(
            "at or below the threshold it costs at least its value at lambda = 0",
            profile - singular**2,
            {singular: below},
        ),
        nonnegative("and so it does without signal", profile - singular**2, {singular: sympy.S.Zero}),
    )


@lru_cache(maxsize=1)
def candidate_step() -> Step:
    """The loss at the candidate U = F Lambda P, V = G Theta P."""
    modes = SquaredNorm(Lambda * Theta.T - S_Z) + weight * SquaredNorm(Theta)
    return equal(
        "the loss at U = F Lambda P, V = G Theta P, where P enters one term",
        REDUCED.subs({U: F * Lambda * P, V: G * Theta * P}),
        modes + Trace(Lambda.T * Lambda * P * Sigma * P.T),
        ORTHOGONAL,
    )


def least_loss_steps() -> tuple[Step, ...]:
    """min over U, V of Eq 6 = sum over i <= d1 of least_mode_loss(zeta_i, sigma_(i)) + the other zeta_i^2."""
    return (
        *encoder_steps(),
        *rearrangement_steps(),
        *profile_in_singular_values_steps(),
        *profile_mode_steps(),
        candidate_step(),
        *least_mode_steps(),
        *sorting_steps(P_sort),
    )


def sorting_steps(rotation: MatrixExpr) -> tuple[Step, ...]:
    """P = `rotation` is orthogonal and attains the bound on the rotated term."""
    facts = (*ORTHOGONAL, (P_sort * Sigma * P_sort.T, Sigma_sorted))
    rotated, bound = Trace(Lambda.T * Lambda * rotation * Sigma * rotation.T), Trace(Lambda.T * Lambda * Sigma_sorted)
    return (
        equal("P is orthogonal", rotation * rotation.T, I_latent, facts),
        equal("with this P the bound on the rotated term is attained", rotated, bound, facts),
    )
