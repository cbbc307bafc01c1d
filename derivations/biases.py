"""Learnable biases (§3, Appendix B): the best ones turn the loss into the bias-free loss of the centred data.

With z = W^T x + b_enc + epsilon and U z + b_dec as the decoder's mean, and for every U, W and Sigma.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, ImmutableDenseMatrix, Implies, MatrixSymbol, Sum, Symbol, Tuple

from derivations.alignment import DEFINED_Z
from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, Step, conclude, needed, refuted
from derivations.elbo import kl_parts, negative_elbo
from derivations.exact_data import ExactData, data_instances
from derivations.first_moments import CENTRED, about_means, b_dec, b_enc, mu_x, mu_y, on_a_line, with_means, x_c, y_c
from derivations.instances import is_exactly_zero
from derivations.notation import (
    P_A,
    Mean,
    MeanMatrix,
    SquaredNorm,
    U,
    W,
    beta,
    d1,
    d2,
    eta_dec,
    i,
    inverse_root_Phi,
    noise,
    weight,
    x,
    y,
)
from derivations.proof import equal, positive, true

# ------------------------------------------------------------------------------------------ as printed
CENTRED_DATA = Tuple(x - mu_x, y - mu_y)
BIASES = Tuple(-W.T * mu_x, mu_y)
"""Ours: with them W^T x + b_enc is W^T (x - E x), and U z + b_dec - y is U z - (y - E y), which is what centring does."""

change = Symbol("change_of_Z", nonnegative=True)
"""|Z Z^T - Z_c Z_c^T|^2, Z_c being that of the centred data: 0 iff the zeta_i and the left singular vectors are the same."""
NO_CHANGE = Eq(change, 0)

# ------------------------------------------------------------------------------------------ as corrected
NO_CHANGE_IF_CENTRED = Implies(Eq(SquaredNorm(mu_x), 0), Eq(change, 0))

# -------------------------------------------------------------------------------- from the definitions
SHIFT_OF_CODE = W.T * mu_x + b_enc
"""The mean of the latents over the data."""
SHIFT_OF_OUTPUT = U * SHIFT_OF_CODE + b_dec - mu_y
"""The mean error of the reconstruction."""
BEST_ENCODER_BIAS, BEST_DECODER_BIAS = -W.T * mu_x, mu_y


@lru_cache(maxsize=1)
def biased_objective() -> Expr:
    """The objective of Eq 3, the partition function included, of an encoder and a decoder with biases."""
    per_square, rest = kl_parts()
    latent = W.T * x + b_enc
    return (
        Mean(SquaredNorm(U * (latent + noise) + b_dec - y)) / (2 * eta_dec**2)
        + d2 * sympy.log(2 * sympy.pi * eta_dec**2) / 2
        + beta * per_square * Mean(SquaredNorm(latent))
        + beta * Sum(rest, (i, 1, d1))
    )


def bias_free_objective(data: Basic) -> Expr:
    """The objective of Eq 3 with (x, y) replaced by functions of them."""
    return negative_elbo().xreplace({x: data.args[0], y: data.args[1]})


@lru_cache(maxsize=1)
def least_over_biases_steps() -> tuple[Step, ...]:
    """The loss with biases is the bias-free loss of the centred data plus two squares, both 0 at one pair of biases only.

    Away from -W^T E x by delta_enc and from E y by delta_dec they are |delta_enc|^2 and |U delta_enc + delta_dec|^2: both 0 only
    where both distances are.
    """
    per_square = kl_parts()[0]
    squares = SquaredNorm(SHIFT_OF_OUTPUT) / (2 * eta_dec**2) + beta * per_square * SquaredNorm(SHIFT_OF_CODE)
    centred = negative_elbo().replace(lambda node: isinstance(node, Mean), lambda node: node.args[0])
    far_enc, far_dec = MatrixSymbol("delta_enc", d1, 1), MatrixSymbol("delta_dec", d2, 1)
    away = {b_enc: BEST_ENCODER_BIAS + far_enc, b_dec: BEST_DECODER_BIAS + far_dec}
    return (
        equal(
            "the loss with biases is the bias-free loss of x - E x, y - E y plus two squares",
            _without_sums(about_means(biased_objective())),
            _without_sums(centred.xreplace({x: x_c, y: y_c})) + about_means(squares),
            CENTRED,
        ),
        positive("the squared mean error counts", 1 / (2 * eta_dec**2)),
        positive("the squared mean of the latents counts", beta * per_square),
        equal("the mean of the latents is how far b_enc is from -W^T E x", SHIFT_OF_CODE.xreplace(away), far_enc),
        equal(
            "the mean error follows, with how far b_dec is from E y",
            SHIFT_OF_OUTPUT.xreplace(away),
            U * far_enc + far_dec,
        ),
    )


def _without_sums(objective: Expr) -> Expr:
    """The terms that depend on the data: the sum over latents depends on Sigma alone and is the same in both losses."""
    return sympy.Add(*(term for term in sympy.Add.make_args(objective) if not term.has(Sum)))


@lru_cache(maxsize=1)
def instances_with_means() -> tuple[ExactData, ...]:
    """Exact data whose input and target have means that are not 0."""
    found = [on_a_line((1, 1), (7, 3)), *(with_means(data) for data in data_instances())]
    return tuple(d for d in found if not d.matrices[mu_x].is_zero_matrix and not d.matrices[mu_y].is_zero_matrix)


def at_biases(data: ExactData, encoder: Basic, decoder: Basic) -> Expr:
    """The loss with these biases."""
    biases = {b_enc: encoder, b_dec: decoder}
    explicit = {symbol: ImmutableDenseMatrix(data.value(bias)) for symbol, bias in biases.items()}
    return ExactData(data.scalars, {**data.matrices, **explicit}, data.points).value(biased_objective())


def with_both(data: ExactData) -> Expr:
    """The least loss over both biases."""
    return at_biases(data, BEST_ENCODER_BIAS, BEST_DECODER_BIAS)


def without_encoder_bias(data: ExactData) -> Expr:
    """The least loss over the decoder's bias at b_enc = 0, where the mean error is still 0."""
    return at_biases(data, 0 * b_enc, mu_y - U * W.T * mu_x)


def without_decoder_bias(data: ExactData) -> Expr:
    """The least loss over the encoder's bias at b_dec = 0: the ridge regression of E y on U gives the mean of the latents."""
    u, target = data.matrices[U], data.matrices[mu_y]
    c = data.scalars.value(weight)
    latent = (u.T * u + c * sympy.eye(u.cols)).inv() * u.T * target
    found = ExactData(data.scalars, {**data.matrices, b_enc: ImmutableDenseMatrix(latent)}, data.points)
    return at_biases(found, b_enc - W.T * mu_x, 0 * b_dec)


def _differing(formula: Basic, least: Callable[[ExactData], Expr]) -> Decision | None:
    """A refutation: data at which the bias-free loss of the stated data is not the least loss over the biases."""
    stated = bias_free_objective(formula)
    for data in instances_with_means():
        here, there = data.value(stated), least(data)
        if not is_exactly_zero(here - there):
            return refuted(_shown(data), f"the bias-free loss is {here}, the least loss over the biases {there}")
    return None


def replaces_biases(formula: Basic) -> Decision:
    """Judge (x', y', biases): for all U, W, Sigma the bias-free loss of x' and y' is the least one, attained at these biases."""
    found = _differing(formula, with_both) or _above_least(formula)
    if found is not None:
        return found
    stated, centred = (about_means(bias_free_objective(data)) for data in (formula, CENTRED_DATA))
    return conclude(
        [
            *least_over_biases_steps(),
            equal(
                "the bias-free loss of these data is that of the centred data",
                _without_sums(stated),
                _without_sums(centred),
                CENTRED,
            ),
            equal("the encoder's bias is the best one", formula.args[2], BEST_ENCODER_BIAS),
            equal("the decoder's bias is the best one", formula.args[3], BEST_DECODER_BIAS),
        ]
    )


def outer_product(data: ExactData, *, centred: bool) -> ImmutableDenseMatrix:
    """Z Z^T = C A^+ C^T from the points, as they are or about their means."""
    x_, y_ = (
        sympy.Matrix.hstack(*(sympy.Matrix(column) for column in columns)) for columns in zip(*data.points, strict=True)
    )
    if centred:
        ones = sympy.ones(1, x_.cols)
        x_, y_ = (part - part * ones.T * ones / x_.cols for part in (x_, y_))
    cross = y_ * x_.T / x_.cols
    return ImmutableDenseMatrix(cross * (x_ * x_.T / x_.cols).pinv() * cross.T)


def leaves_spectrum(formula: Basic) -> Decision:
    """Judge a Boolean of |E x|^2 and of how Z Z^T changes where the best biases centre the data."""
    line = [on_a_line((1, 1), (7, 7)), on_a_line((1, 0), (3, 0))]
    for data in (*line, *(with_means(data) for data in data_instances()[:8]), *(without_mean(data) for data in line)):
        raw, about = (outer_product(data, centred=centred) for centred in (False, True))
        size = sum((entry**2 for entry in raw - about), sympy.S.Zero)
        mean = sum((entry**2 for entry in data.matrices[mu_x]), sympy.S.Zero)
        if formula.xreplace({change: size, SquaredNorm(mu_x): mean}) != sympy.true:
            shown: dict[str, object] = {"points": [(px.T.tolist()[0], py.T.tolist()[0]) for px, py in data.points]}
            return refuted(shown, f"Z Z^T is {raw.tolist()} without biases and {about.tolist()} with the best ones")
    far, other = Symbol("mean", positive=True), Symbol("other", nonnegative=True)
    return conclude(
        [
            *least_over_biases_steps(),
            equal(
                "Z Z^T is made of E y x^T and of A = P_A Phi P_A^T alone",
                DEFINED_Z * DEFINED_Z.T,
                MeanMatrix(y * x.T) * P_A * inverse_root_Phi * inverse_root_Phi * P_A.T * MeanMatrix(y * x.T).T,
            ),
            *(
                equal(
                    f"E {name} is that about the means, if E x = 0",
                    _without_mean(about_means(MeanMatrix(moment))),
                    _without_mean(about_means(MeanMatrix(centred))),
                    CENTRED,
                )
                for name, moment, centred in (
                    ("y x^T", y * x.T, (y - mu_y) * (x - mu_x).T),
                    ("x x^T", x * x.T, (x - mu_x) * (x - mu_x).T),
                )
            ),
            true(
                "true where E x = 0: Z Z^T is made of these two",
                formula,
                {SquaredNorm(mu_x): sympy.S.Zero, change: sympy.S.Zero},
            ),
            true("true where E x is not 0, whatever it does", formula, {SquaredNorm(mu_x): far, change: other}),
        ]
    )


def _without_mean(expression: Basic) -> Basic:
    return expression.subs(mu_x, 0 * mu_x).doit()


def without_mean(data: ExactData) -> ExactData:
    """The same with every input's negative, at the same target: E x = 0."""
    points = tuple(point for px, py in data.points for point in ((px, py), (-px, py)))
    return with_means(ExactData(data.scalars, data.matrices, points))


def _above_least(formula: Basic) -> Decision | None:
    """A refutation: data at which other biases than the stated ones do better."""
    for data in instances_with_means():
        here, there = at_biases(data, *formula.args[2:]), with_both(data)
        if not is_exactly_zero(here - there):
            return refuted(_shown(data), f"the loss at these biases is {here}, the least loss over the biases {there}")
    return None


def _shown(data: ExactData) -> dict[str, object]:
    return data.named() | {"points": [(px.T.tolist()[0], py.T.tolist()[0]) for px, py in data.points]}


def _probe(least: Callable[[ExactData], Expr]) -> Callable[[Basic], Decision]:
    return lambda formula: needed(_differing(formula, least))


CLAIMS = (
    Claim(
        "app-b.bias",
        "§3 and Appendix B",
        "for every U, W, Sigma the least loss over the biases of encoder and decoder is the bias-free loss of these data, and is "
        "attained at these biases alone",
        printed=Statement(Tuple(*CENTRED_DATA, *BIASES), replaces_biases),
        observable="centring",
        uses=("eq-4.elbo",),
        assumptions=(
            Assumption("the encoder has a bias", _probe(without_encoder_bias)),
            Assumption("the decoder has a bias", _probe(without_decoder_bias)),
        ),
    ),
    Claim(
        "s3.bias-results",
        "§3",
        "biases do not affect the results, read of given data: Z Z^T, and with it which modes collapse, is the same with the best "
        "biases as without (read of the theory, which is then that of the centred data, it is app-b.bias)",
        printed=Statement(NO_CHANGE, leaves_spectrum),
        corrected=Statement(NO_CHANGE_IF_CENTRED, leaves_spectrum),
        observable="bias_spectrum",
        uses=("app-b.bias",),
        erratum=Erratum(
            "incorporating the bias terms does not affect the main results",
            "the results hold of the centred data; for given data Z Z^T, and with it the thresholds, is the same without biases if "
            "E x = 0, and another in general",
            Severity.CONDITION,
        ),
    ),
)
