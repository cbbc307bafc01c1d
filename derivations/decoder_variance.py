"""The decoder's variance learned as well (§4.4, Appendix D): the loss L_VAE + (d2/2) log s with s = eta_dec^2 among its parameters.

After minimising over U, W and Sigma (Theorem 2) the slope in s is g(s)/(2 s^2) with
g(s) = d2 s - r - sum_{i <= d1} min(zeta_i^2, beta s) - sum_{i > d1} zeta_i^2. Term by term the smaller of two lines is taken off,
so that g is the largest of its pieces g_k(s) = (d2 - k beta) s - R_k with R_k = r + sum_{i > k} zeta_i^2, k = 0 .. min(d1, d*).
Hence the loss does not rise up to the least zero of a piece that rises, and rises from there on.
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Derivative, Eq, Expr, Lt, Max, Min, Not, Sum, Symbol, Tuple, log, oo

from derivations.claim import Assumption, Claim, Decision, Statement, Step, Verdict, conclude, refuted
from derivations.decoder_instances import DecoderInstance, decoder_instances, held_slope, largest_minimiser
from derivations.elbo import PARTITION
from derivations.notation import beta, d2, dstar, eta_dec, eta_enc, i, residual, root_water, zeta
from derivations.proof import margin, nonnegative, positive, same, sums_equal, true, written_out, zero
from derivations.proposition_3_mode_variance import mode_objective, mode_objective_steps

kept = Symbol("k", integer=True, nonnegative=True)
"""A number of modes that stay active."""

# -------------------------------------------------------------------------------------------- as stated
CLOSED_FORM = Tuple(
    (residual + Sum(zeta[i] ** 2, (i, kept + 1, dstar))) / (d2 - kept * beta),
    Lt(kept * beta, d2),
)
"""The learned eta_dec^2 is the least of the first over those k = 0 .. min(d1, d*) at which the second is true."""

# -------------------------------------------------------------------------------- from the definitions
s, singular = sympy.symbols("s zeta_i", positive=True)
"""The decoder's variance eta_dec^2, and a singular value."""


def least_mode(*, active: bool, held: Expr | None = None) -> Expr:
    """The least L_VAE of one mode as a function of s, on its side of the threshold: at the best sigma_i, or at one that is held."""
    best = held or (root_water * eta_enc / singular if active else eta_enc)
    objective = mode_objective(singular, best)
    branch = objective.replace(Max, lambda *parts: sum(parts) if active else sympy.S.Zero)
    return (branch / (2 * eta_dec**2)).subs(eta_dec, sympy.sqrt(s))


def taken(square: Expr) -> Expr:
    """What a mode i <= d1 takes off d2 s in g(s), from zeta_i^2."""
    return Min(square, beta * s)


@lru_cache(maxsize=1)
def slope_steps() -> tuple[Step, ...]:
    """The slope in s with U, W and Sigma minimised out is g(s)/(2 s^2), term by term; no term of g exceeds either line."""
    active, collapsed = least_mode(active=True), least_mode(active=False)
    partition = PARTITION.subs(eta_dec, sympy.sqrt(s))
    unexplained, square, rise = residual / (2 * s), Symbol("q", nonnegative=True), Symbol("rise", nonnegative=True)

    def sloping(text: str, part: Expr, slope: Expr) -> Step:
        return written_out(text, 2 * s**2 * Derivative(part, s), slope)

    steps = [
        *mode_objective_steps(),
        sloping("2 s^2 times the slope of an active mode's least loss", active, -beta * s),
        sloping("and of a collapsed one's", collapsed, -(singular**2)),
        same("the two sides meet where the mode collapses", active, collapsed, {singular: sympy.sqrt(beta * s)}),
        same("a mode beyond d1 costs what a collapsed one does", collapsed, singular**2 / (2 * s)),
        sloping("2 s^2 times the slope of the residual's cost", unexplained, -residual),
        sloping("and of the partition function", partition, d2 * s),
        positive("the active modes come first: above beta s with zeta_(i+1)^2, zeta_i^2 is", square + rise - beta * s,
                 {square: beta * s * (1 + margin)}),
    ]  # fmt: skip
    for name, level, line in (
        ("active", beta * s * (1 + margin), beta * s),
        ("at its threshold", beta * s, beta * s),
        ("collapsed", beta * s / (1 + margin), square),
        ("without signal", sympy.S.Zero, square),
    ):
        case = {square: level}
        steps += [
            same(f"what a mode with zeta_i^2 = q takes off g: its line ({name})", taken(square), line, case),
            nonnegative(f"never more than beta s ({name})", beta * s - taken(square), case),
            nonnegative(f"never more than zeta_i^2 ({name})", square - taken(square), case),
        ]
    return tuple(steps)


@lru_cache(maxsize=1)
def sign_steps() -> tuple[Step, ...]:
    """Where g <= 0, from its pieces gap s - R: up to the least R/gap of a rising piece; at R = 0 the loss has no lower bound."""
    gap, rest, falling = Symbol("gap", positive=True), Symbol("R", positive=True), Symbol("falling", nonnegative=True)
    modes, offset = Symbol("k", nonnegative=True), Symbol("offset", real=True)
    piece, edge = gap * s - rest, rest / gap
    # k active modes and d2 = k beta + gap: the loss without its constants
    profile = offset - modes * beta / 2 * log(s) + (modes * beta + gap) / 2 * log(s)
    limit = sympy.limit(sympy.expand(profile), s, 0, "+")
    return (
        nonnegative("a piece that does not rise is nowhere positive", falling * s + rest),
        nonnegative("nor is it with R = 0", falling * s + rest, {rest: sympy.S.Zero}),
        nonnegative("a rising piece is not positive up to its zero", -piece, {s: edge / (1 + margin)}),
        zero("vanishes there", piece, {s: edge}),
        positive("and is positive beyond", piece, {s: edge * (1 + margin)}),
        positive("with R = 0 it is positive from the start", piece, {rest: sympy.S.Zero}),
        written_out("and this loss has its slope", 2 * s**2 * Derivative(profile, s), gap * s),
        Step(
            "then the loss tends to minus infinity as s tends to 0",
            Eq(sympy.Limit(profile, s, 0), -oo, evaluate=False),
            Verdict.PROVED if limit == -oo else Verdict.UNDECIDED,
        ),
    )


def pieces_admitted(condition: Basic) -> list[Step]:
    """The condition picks the pieces that rise, d2 > k beta, for every k."""
    modes, size = Symbol("k", integer=True, positive=True), Symbol("d_2", positive=True)
    some = {kept: modes, d2: size}
    return [
        true("it admits k = 0", condition, {kept: sympy.S.Zero}),
        true("and k beta < d2", condition, some | {beta: size / modes / (1 + margin)}),
        true("not k beta = d2", Not(condition), some | {beta: size / modes}),
        true("nor k beta > d2", Not(condition), some | {beta: size / modes * (1 + margin)}),
    ]


def stated_variance(formula: Basic, instance: DecoderInstance) -> Expr:
    """The least of the stated values over the admitted numbers of active modes; nan where there is none or one is no number."""
    values = []
    for count in range(min(instance.d1, len(instance.zeta)) + 1):
        value, admitted = instance.value(formula.xreplace({kept: sympy.Integer(count)})).args
        if admitted == sympy.true:
            values.append(value)
        elif admitted != sympy.false:
            return sympy.nan
    if not values or not all(value.is_real and value.is_finite for value in values):
        return sympy.nan
    return min(values)


def gives_learned_variance(formula: Basic) -> Decision:
    """Judge (value, condition): is the least value over the admitted k the largest s up to which the loss does not rise?"""
    for instance in decoder_instances():
        stated, found = stated_variance(formula, instance), largest_minimiser(instance)
        if stated != found:
            where = (
                "the loss is unbounded as eta_dec^2 tends to 0" if found == 0 else f"it is least at eta_dec^2 = {found}"
            )
            return refuted(instance.named(), f"the stated value is {stated}, but {where}")
    value, condition = formula.args
    rest = residual + Sum(zeta[i] ** 2, (i, kept + 1, dstar))
    return conclude(
        [
            *slope_steps(),
            *sign_steps(),
            *pieces_admitted(condition),
            sums_equal(
                "the value is the zero of its piece, by substitution", sympy.expand((d2 - kept * beta) * value), rest
            ),
        ]
    )


def with_sigma_at_the_prior(formula: Basic) -> Decision:
    """Judge (value, condition) where sigma_i = eta_enc is held fixed: the slope has to vanish at the stated value."""
    for instance in decoder_instances():
        stated = stated_variance(formula, instance)
        slope = held_slope(instance, stated) if stated.is_positive else sympy.S.Zero
        if slope != 0:
            return refuted(instance.named(), f"at the stated value {stated} the slope is {slope}/(2 s^2), not 0")
    return conclude(())


CLAIMS = (
    Claim(
        "x.decoder-variance-exact",
        "§4.4, Appendix D",
        "the learned eta_dec^2 is the least of these values over the k = 0 .. min(d1, d*) with k beta < d2: 0 where the loss is "
        "unbounded below, the largest minimiser where there is more than one",
        printed=Statement(CLOSED_FORM, gives_learned_variance),
        observable="decoder_variance",
        uses=("s4.4.partition", "eq-13.reduced", "prop-3.variance", "thm-2.minimum"),
        assumptions=(Assumption("Sigma is learned, not held at the prior's", with_sigma_at_the_prior),),
    ),
)
