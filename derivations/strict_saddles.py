"""No stationary point of Eq 6 but the global minima is a local one where all sigma_i are the prior's: each has a way down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Identity, MatrixSymbol, Symbol, Trace

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.instances import Instance, is_exactly_zero, tidy
from derivations.least_loss import c, deviation, least_loss_steps, least_mode_loss
from derivations.matrix_calculus import Facts, differential, gradient
from derivations.notation import SquaredNorm, U, V, Z, d0, d1, d2, eta_enc, i, root_water, weight, zeta
from derivations.proof import equal, margin, positive, same, zero
from derivations.stationary_points import (
    ALIKE,
    CHOSEN,
    alike_at_another_variance,
    direction,
    length,
    singular_pair_steps,
)
from derivations.theorem_1_prior_variance import PRIOR, prior_instances

level = Symbol("level", positive=True)
"""The least zeta_i of the modes chosen, or sqrt(beta) eta_dec where a latent is left over."""

# ------------------------------------------------------------------------------------------- as stated
_ratio = eta_enc**2 / root_water
CURVATURE = level * (_ratio + 1 / _ratio) - sympy.sqrt(level**2 * (_ratio - 1 / _ratio) ** 2 + 4 * zeta[i] ** 2)

# -------------------------------------------------------------------------------- from the definitions
_z, _level = sympy.symbols("zeta level", positive=True)


def finds_negative_curvature(formula: Basic) -> Decision:
    """Judge the least eigenvalue of the Hessian of Eq 6 at a strict saddle, in `level` and the largest zeta_i not chosen."""
    found = _other_curvature(formula, prior_instances())
    if found is not None:
        return found
    _, smaller = _eigenvalues(zeta[i], level, eta_enc, weight)
    return conclude(
        [
            *singular_pair_steps(),
            *split_steps(),
            *block_steps(),
            same("the smaller eigenvalue of the block", formula, smaller),
            *least_loss_steps(),
            *(
                same(
                    f"where no mode left out is above the level the loss is the least: what a mode adds, {name}",
                    least_mode_loss(zeta[i], eta_enc),
                    adds,
                    {zeta[i]: value},
                )
                for name, value, adds in (
                    (
                        "above the threshold, all chosen or the d1 largest of them",
                        root_water * (1 + margin),
                        CHOSEN.args[1],
                    ),
                    ("at the threshold, none chosen", root_water, zeta[i] ** 2),
                    ("below it, none chosen", root_water / (1 + margin), zeta[i] ** 2),
                    ("without a signal", sympy.S.Zero, zeta[i] ** 2),
                )
            ),
        ]
    )


def _hessian_form(objective: Expr, along_u: Expr, along_v: Expr) -> Expr:
    """The second differential along (dU, dV), which are constant."""
    du, dv = MatrixSymbol("dU", d2, d1), MatrixSymbol("dV", d0, d1)
    second = differential(differential(objective, {U: du, V: dv}), {U: du, V: dv})
    return second.subs({du: along_u, dv: along_v})


@lru_cache(maxsize=1)
def _outside() -> tuple[Expr, Facts, dict[str, MatrixSymbol]]:
    """What the Hessian form adds along the singular vectors that are not chosen, the facts, and the letters.

    Where none is left out on one side (p or q is 0), X or Y is not there, and neither are its terms.
    """
    p, q = sympy.symbols("p q", integer=True, positive=True)
    shapes = {
        "F_o": (d2, p),
        "G_o": (d0, q),
        "S_o": (p, q),
        "Z_S": (d2, d0),
        "B": (d2, d1),
        "D": (d0, d1),
        "X": (p, d1),
        "Y": (q, d1),
    }
    of = {name: MatrixSymbol(name, *shape) for name, shape in shapes.items()}
    left, right, X, Y = of["F_o"], of["G_o"], of["X"], of["Y"]
    facts: Facts = (
        (left.T * left, Identity(p)),
        (right.T * right, Identity(q)),
        *((left.T * other, 0 * left.T * other) for other in (U, of["B"], of["Z_S"])),
        *((right.T * other, 0 * right.T * other) for other in (V, of["D"])),
        (of["Z_S"] * right, 0 * of["Z_S"] * right),
    )
    added = (
        2 * SquaredNorm(X * V.T)
        + 2 * SquaredNorm(U * Y.T)
        - 4 * Trace(of["S_o"].T * X * Y.T)
        + 2 * deviation**2 * SquaredNorm(X)
        + 2 * c * SquaredNorm(Y)
    )
    return added, facts, of


@lru_cache(maxsize=1)
def split_steps() -> tuple[Step, ...]:
    """Z = Z_S + F_o S_o G_o^T, Z_S being what the chosen modes make: the Hessian form falls into that for Z_S, and one outside."""
    added, facts, of = _outside()
    whole = ALIKE.subs(Z, of["Z_S"] + of["F_o"] * of["S_o"] * of["G_o"].T)
    inner = _hessian_form(ALIKE.subs(Z, of["Z_S"]), of["B"], of["D"])
    return (
        equal(
            "the form along dU = B + F_o X, dV = D + G_o Y is that for Z_S alone along B and D, and one in X and Y",
            _hessian_form(whole, of["B"] + of["F_o"] * of["X"], of["D"] + of["G_o"] * of["Y"]),
            inner + added,
            facts,
        ),
        same(
            "for Z_S the point is a global minimum, since it attains the least loss: its form is nowhere negative",
            least_mode_loss(zeta[i], eta_enc),
            CHOSEN.args[1],
            {zeta[i]: root_water * (1 + margin)},
        ),
    )


def _eigenvalues(singular: Expr, at: Expr, spread: Expr, ratio: Expr) -> tuple[Expr, Expr]:
    """The larger and the smaller eigenvalue of the block of a mode left out with a latent of level `at`; sigma and c are given."""
    one, other = at * spread / sympy.sqrt(ratio), at * sympy.sqrt(ratio) / spread
    root = sympy.sqrt((one - other) ** 2 + 4 * singular**2)
    return one + other + root, one + other - root


@lru_cache(maxsize=1)
def block_steps() -> tuple[Step, ...]:
    """The form outside: a block for each pair of a mode left out and an eigenvector a of U^T U, with its eigenvalues."""
    added, _, of = _outside()
    X, Y, S_o = of["X"], of["Y"], of["S_o"]
    f, g = MatrixSymbol("f", X.shape[0], 1), MatrixSymbol("g", Y.shape[0], 1)
    theta = Symbol("theta", positive=True)
    pair: Facts = (
        (U.T * U * direction, length**2 * direction),
        (V.T * V * direction, theta**2 * direction),
        (S_o * g, _z * f),
        (S_o.T * f, _z * g),
    )
    x, y, eigenvalue = sympy.symbols("x y h", real=True)
    at = {X: x * f * direction.T, Y: y * g * direction.T}
    slope_x, slope_y = (gradient(added, variable).subs(at) / 4 for variable in (X, Y))
    # lambda^2 and theta^2 of a chosen mode with zeta = level; of a latent left over, at the threshold, both are 0
    squares = {
        length: sympy.sqrt(_level * sympy.sqrt(c) / deviation - c),
        theta: sympy.sqrt(_level * deviation / sympy.sqrt(c) - deviation**2),
    }
    block = 2 * sympy.Matrix([[theta**2 + deviation**2, -_z], [-_z, length**2 + c]]).subs(squares)
    larger, smaller = _eigenvalues(_z, _level, deviation, c)
    threshold = {_level: deviation * sympy.sqrt(c)}
    return (
        equal("a quarter of the slope in X at (x f a^T, y g a^T)", slope_x,
              ((theta**2 + deviation**2) * x - _z * y) * f * direction.T, pair),
        equal("a quarter of the slope in Y there", slope_y, ((length**2 + c) * y - _z * x) * g * direction.T, pair),
        zero("c theta^2 = sigma^2 lambda^2", (c * theta**2 - deviation**2 * length**2).subs(squares)),
        zero("and lambda theta + sigma sqrt(c), which is the chosen zeta, is the level",
             (deviation * length**2 / sympy.sqrt(c) + deviation * sympy.sqrt(c)).subs(squares) - _level),
        zero("a latent left over has lambda = 0", squares[length].subs(threshold)),
        zero("and theta = 0", squares[theta].subs(threshold)),
        *(
            zero(f"the {name} eigenvalue of the block", (block - eigenvalue * sympy.eye(2)).det().subs(eigenvalue, value))
            for name, value in (("larger", larger), ("smaller", smaller))
        ),
        positive("their sum", larger + smaller),
        zero("their product is 4 (level^2 - zeta^2): one is negative exactly where zeta > level",
             larger * smaller - 4 * (_level**2 - _z**2)),
        positive("the smaller falls as zeta rises", -sympy.diff(smaller, _z)),
        *(
            positive(f"and rises with the level: so does entry {k} of the diagonal", sympy.diff(block[k - 1, k - 1], _level))
            for k in (1, 2)
        ),
        *(positive(f"entry {k}, which stands alone for a singular vector without a partner", block[k - 1, k - 1]) for k in (1, 2)),
    )  # fmt: skip


def _latents(instance: Instance, mode: int) -> Iterator[tuple[Expr, Expr]]:
    """(level as stated, level as it is) of a latent left over and of those of the other modes."""
    threshold = instance.sigma[0] * sympy.sqrt(instance.value(weight))
    yield instance.value(root_water), threshold
    others = (each for k, each in enumerate(instance.zeta, 1) if k != mode)
    yield from ((each, each) for each in others if (each**2 > threshold**2) is sympy.true)


def _other_curvature(formula: Basic, chosen: Iterable[Instance]) -> Decision | None:
    for instance in chosen:
        for k, singular in enumerate(instance.zeta, 1):
            for named, at in _latents(instance, k):
                _, true = _eigenvalues(singular, at, instance.sigma[0], instance.value(weight))
                stated = instance.value(formula, k, {level: named})
                if not is_exactly_zero(stated - true):
                    where = instance.named() | {"i": k, "level": named}
                    return refuted(where, f"the eigenvalue is {tidy(true)}, the formula gives {tidy(stated)}")
    return None


CLAIMS = (
    Claim(
        "x.no-spurious-minima",
        "beyond the paper: every stationary point",
        "with sigma_i = eta_enc every stationary point of Eq 6 that is no global minimum is a strict saddle: let zeta_i be the "
        "largest left out of S, and the level the least of S, or sqrt(beta) eta_dec where S is less than d1; where zeta_i > level "
        "this is the least eigenvalue of the Hessian, and negative; elsewhere the point is a global minimum",
        printed=Statement(CURVATURE, finds_negative_curvature),
        observable="saddle_curvature",
        uses=("x.stationary-points", "thm-1.minimum"),
        assumptions=(
            Assumption(PRIOR, lambda formula: needed(_other_curvature(formula, alike_at_another_variance()))),
        ),
    ),
)
