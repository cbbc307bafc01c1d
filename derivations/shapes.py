"""Which dimensions x, y and z have (§3, Notation), and which shapes Lambda and Theta need (§4.3, Theorem 2).

A statement is a tuple of dimensions. They are derived by multiplying: the encoder and the decoder say what fits where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import product

import sympy
from sympy import Basic, Expr, MatrixExpr, Tuple

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, conclude, refuted
from derivations.notation import D0, F, G, P, U, V, W, d0, d1, d2, dstar, noise, x
from derivations.proof import same

# ------------------------------------------------------------------------------------------ as printed
VARIABLES = Tuple(D0, d1, d2)
"""The dimensions of x, y, z in the order of §3, Notation: the input's, the latent's, the target's."""
SQUARE_DIAGONALS = Tuple(d1, d1, d1, d1)
"""Rows and columns of Lambda = diag(lambda_1, ..., lambda_d1), then of Theta."""

# -------------------------------------------------------------------------------- from the definitions
Sizes = Mapping[Basic, int]
Shaped = Mapping[str, MatrixExpr | sympy.MatrixBase]


def dimensions_of_variables(of: Shaped) -> tuple[Expr, ...]:
    """What W^T multiplies, what U z is to be compared with, and what the encoder z = W^T x + epsilon gives."""
    latent = of["W"].T * of["x"] + of["epsilon"]
    return of["W"].T.shape[1], (of["U"] * latent).shape[0], latent.shape[0]


def shapes_of_factors(of: Shaped) -> tuple[Expr, ...]:
    """The shapes of Lambda and Theta for which F Lambda P and G Theta P exist."""
    return of["F"].shape[1], of["P"].shape[0], of["G"].shape[1], of["P"].shape[0]


SYMBOLS: Shaped = {str(symbol): symbol for symbol in (W, U, V, F, G, P, x, noise)}


@lru_cache(maxsize=1)
def small_sizes() -> tuple[Sizes, ...]:
    """All dimensions up to 3 with d0 <= D0, the smallest first."""
    found = [dict(zip((D0, d0, d1, d2), sizes, strict=True)) for sizes in product((1, 2, 3), repeat=4)]
    allowed = [sizes | {dstar: min(sizes[d0], sizes[d2])} for sizes in found if sizes[d0] <= sizes[D0]]
    return tuple(sorted(allowed, key=lambda sizes: sum(sizes.values())))


def explicit(sizes: Sizes) -> Shaped:
    """Matrices of zeros in place of the symbols."""
    return {
        name: sympy.zeros(*(int(sizes[size]) if size in sizes else int(size) for size in symbol.shape))
        for name, symbol in SYMBOLS.items()
    }


def judged_by(derive: Callable[[Shaped], tuple[Expr, ...]], names: tuple[str, ...]) -> Callable[[Basic], Decision]:
    """The procedure that judges a tuple of dimensions, one for each name, against those that multiplication needs."""

    def decide(formula: Basic) -> Decision:
        for sizes in small_sizes():
            needed = derive(explicit(sizes))
            stated = [part.xreplace(dict(sizes)) for part in formula.args]
            for name, here, there in zip(names, stated, needed, strict=True):
                if here != there:
                    values: dict[str, object] = {
                        str(size).replace("_", ""): value for size, value in sizes.items() if size != dstar
                    }
                    return refuted(values, f"{name} is {there}, not {here}")
        return conclude(
            same(f"{name}, for all dimensions", part, dimension)
            for name, part, dimension in zip(names, formula.args, derive(SYMBOLS), strict=True)
        )

    return decide


judges_variables = judged_by(
    dimensions_of_variables, ("the dimension of the input x", "the dimension of the target y", "that of the latent z")
)
judges_factors = judged_by(
    shapes_of_factors,
    (
        "the number of rows of Lambda in U = F Lambda P",
        "the number of its columns",
        "the number of rows of Theta in V = G Theta P",
        "the number of its columns",
    ),
)

CLAIMS = (
    Claim(
        "notation.variables",
        "§3, Notation",
        "x, y, z are the input, latent and target variable: their dimensions, in this order, as encoder and decoder need them",
        printed=Statement(VARIABLES, judges_variables),
        corrected=Statement(Tuple(D0, d2, d1), judges_variables),
        observable="variables",
        erratum=Erratum(
            printed="x, y and z denote the input, latent and target variable, respectively",
            holds="y is the target variable and z the latent one: z = W^T x + epsilon, and U z is compared with y",
            severity=Severity.TYPO,
        ),
    ),
    Claim(
        "thm-2.shapes",
        "§4.3, Theorem 2",
        "rows and columns of Lambda, and of Theta, with which U = F Lambda P and V = G Theta P can be formed",
        printed=Statement(SQUARE_DIAGONALS, judges_factors),
        corrected=Statement(Tuple(d2, d1, d0, d1), judges_factors),
        observable="factor_shapes",
        erratum=Erratum(
            printed="Lambda = diag(lambda_1, ..., lambda_d1), Theta = diag(theta_1, ..., theta_d1): both d1 x d1",
            holds="Lambda is rectangular diagonal, d2 x d1, and Theta d0 x d1, as in Proposition 2; square only if d0 = d1 = d2",
            severity=Severity.TYPO,
        ),
    ),
)
