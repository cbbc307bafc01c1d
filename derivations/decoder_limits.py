"""What a small beta does to a learned decoder variance (§4.4): its limit as beta tends to 0, and a loss without bound."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import And, Derivative, Eq, Equivalent, Ge, Implies, Le, Lt, Min, Not, Sum, Symbol, sqrt

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement, Step, Verdict
from derivations.decoder_cases import autoencoder_rank_cases, explained, rank_cases, rest
from derivations.decoder_collapse import Everywhere, ForEverySigma, learned_sigma
from derivations.decoder_instances import autoencoder_instances, decoder_instances, rank, unbounded, vanishes
from derivations.decoder_variance import CLOSED_FORM, kept, least_mode, s, sign_steps, singular, slope_steps
from derivations.decoder_variance_claims import BELOW, autoencoder_steps
from derivations.notation import beta, d1, d2, dstar, eta_enc, residual
from derivations.proof import is_zero, margin, nonnegative, positive, same, written_out, zero

_unexplained = Symbol("r", positive=True)

# ------------------------------------------------------------------------------------------ as printed
UNDERPARAMETRIZED = Implies(Lt(d1, dstar), Not(vanishes))
OVERPARAMETRIZED = Implies(Ge(d1, dstar), vanishes)
BOTH_SENTENCES = Equivalent(vanishes, Ge(d1, dstar))
FALLS = Implies(And(Ge(d1, dstar), BELOW), unbounded)

# ------------------------------------------------------------------------------------------ as corrected
VANISHES = Equivalent(vanishes, And(Eq(residual, 0), Le(rank, d1)))
UNBOUNDED = Equivalent(unbounded, And(Eq(residual, 0), Le(rank, d1), Lt(beta * rank, d2)))


# -------------------------------------------------------------------------------- from the definitions
held_rest, held_line = sympy.symbols("R S", nonnegative=True)
"""R = r + sum of zeta_i^2 over i > k, and S = sum of zeta_i sigma_(i)/eta_enc over i <= k."""
HELD_PIECE = ((sqrt(beta) * held_line + sqrt(beta * held_line**2 + 4 * d2 * held_rest)) / (2 * d2)) ** 2
"""Where Sigma is held and k modes are active: the zero of d2 s - R - S sqrt(beta s). The learned eta_dec^2 is the least over k."""


@lru_cache(maxsize=1)
def vanishing_steps() -> tuple[Step, ...]:
    """The least of the closed form is 0 iff R_k = 0 for some k <= d1 with k beta < d2; and its limit as beta tends to 0."""
    modes, size, left = Symbol("k", nonnegative=True), Symbol("d_2", positive=True), Symbol("R", nonnegative=True)
    more, gap, next_square = Symbol("l", nonnegative=True), Symbol("gap", positive=True), Symbol("q", positive=True)
    tail = CLOSED_FORM.args[0].atoms(Sum).pop()
    piece = CLOSED_FORM.args[0].xreplace({tail: left - residual, kept: modes, d2: size})
    limit = sympy.limit(piece, beta, 0, "+")
    return (
        *slope_steps(),
        *sign_steps(),
        positive("R_k > 0 where r > 0", _unexplained + rest),
        positive("R_k > 0 for k < rank Z, since q = zeta_(k+1)^2 > 0", residual + next_square + rest),
        nonnegative("the least k with R_k = 0 asks least of beta in k beta < d2", (modes + more) * beta - modes * beta),
        Step(
            "as beta tends to 0 a value of the closed form tends to R_k/d2",
            Eq(sympy.Limit(piece, beta, 0), left / size, evaluate=False),
            Verdict.PROVED if is_zero(limit - left / size) else Verdict.UNDECIDED,
        ),
        nonnegative("it is never below that", piece - left / size, {size: gap + modes * beta}),
        nonnegative("R_k falls with k, so that the least limit is that of k = min(d1, d*)", (left + more) - left),
    )


@lru_cache(maxsize=1)
def held_vanishing_steps() -> tuple[Step, ...]:
    """For every fixed Sigma too the learned s tends to R/d2 as beta tends to 0, R = r + sum of zeta_i^2 beyond d1.

    g(s) = d2 s - R - sum over i <= d1 of zeta_i min(zeta_i, c_i sqrt(beta s)), c_i = sigma_(i)/eta_enc, is convex, and not positive
    at 0: it vanishes once beyond, where s is R/d2 or more, and E|y|^2/d2 at most.
    """
    deviation, count = Symbol("sigma_i", positive=True), Symbol("n", positive=True)
    unit = deviation / eta_enc
    active, collapsed = (least_mode(active=on, held=deviation) for on in (True, False))
    line, edge = singular * unit * sqrt(beta * s), singular**2 / (unit**2 * s)
    taken = singular * Min(singular, unit * sqrt(beta * s))
    bound = count * line.subs(s, explained / d2)
    limit = sympy.limit(bound, beta, 0, "+")
    steps = [
        written_out("2 s^2 times the slope of an active mode's least loss", 2 * s**2 * Derivative(active, s), -line),
        written_out("and of a collapsed one's", 2 * s**2 * Derivative(collapsed, s), -(singular**2)),
    ]
    for name, level, part in (
        ("active", edge / (1 + margin) ** 2, line),
        ("at its threshold", edge, line),
        ("collapsed", edge * (1 + margin) ** 2, singular**2),
    ):
        steps += [
            same(f"what a mode takes off g at a held sigma_i ({name})", taken, part, {beta: level}),
            nonnegative(f"never less than nothing, so that s is R/d2 or more ({name})", part, {beta: level}),
            nonnegative(
                f"never more than zeta_i^2: s is E|y|^2/d2 at most ({name})", singular**2 - part, {beta: level}
            ),
            nonnegative(f"never more than zeta_i c_i sqrt(beta s) ({name})", line - part, {beta: level}),
        ]
    piece = d2 * s - held_rest - held_line * sqrt(beta * s)
    some = {held_rest: _unexplained, held_line: singular}
    return (
        *steps,
        zero("a piece of g vanishes at its zero", piece, some | {s: HELD_PIECE.xreplace(some)}),
        nonnegative("g is convex: the lesser of a number and a concave line is taken off", -sympy.diff(line, s, 2)),
        Step(
            "n modes take off a sum that tends to 0 with beta, at any s up to E|y|^2/d2",
            Eq(sympy.Limit(bound, beta, 0), 0, evaluate=False),
            Verdict.PROVED if limit == 0 else Verdict.UNDECIDED,
        ),
    )


RANKS = Everywhere(decoder_instances, rank_cases, vanishing_steps)
IN_THE_LIMIT = ForEverySigma(RANKS, held_vanishing_steps)
VAE_RANKS = Everywhere(
    autoencoder_instances, autoencoder_rank_cases, lambda: (*autoencoder_steps(), *vanishing_steps())
)
VAE_IN_THE_LIMIT = ForEverySigma(VAE_RANKS, held_vanishing_steps)

CLAIMS = (
    Claim(
        "s4.4.underparametrized",
        "§4.4",
        "if d1 < d*, the learned decoder variance does not tend to 0 as beta tends to 0, whether Sigma is learned or held",
        printed=Statement(UNDERPARAMETRIZED, IN_THE_LIMIT),
        corrected=Statement(VANISHES, IN_THE_LIMIT),
        observable="decoder_limit",
        uses=("x.decoder-variance-exact", "prop-2.minimum"),
        erratum=Erratum(
            "underparameterized (d1 < d*): a small beta does not cause any problem",
            "eta_dec^2 tends to (r + sum over i > d1 of zeta_i^2)/d2, which is 0 iff r = 0 and rank Z <= d1, as may be for "
            "d1 < d*; it is right for y = x (s4.4.parametrization-vae)",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.parametrization",
        "§4.4",
        "if d1 >= d*, the learned decoder variance tends to 0 as beta tends to 0, whether Sigma is learned or held",
        printed=Statement(OVERPARAMETRIZED, IN_THE_LIMIT),
        corrected=Statement(VANISHES, IN_THE_LIMIT),
        observable="decoder_limit",
        uses=("x.decoder-variance-exact", "prop-2.minimum"),
        erratum=Erratum(
            "overparametrized: a small beta causes the decoder variance to converge towards 0",
            "it does iff r = 0 and rank Z <= d1, as for y = x (s4.4.parametrization-vae); otherwise eta_dec^2 is never below "
            "(r + sum over i > d1 of zeta_i^2)/d2 > 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.parametrization-vae",
        "§4.4",
        "both sentences for a VAE, y = x, where rank Z = d* and r = 0: the variance tends to 0 iff d1 >= d*",
        printed=Statement(BOTH_SENTENCES, VAE_IN_THE_LIMIT),
        observable="decoder_limit_vae",
        uses=("x.decoder-variance-exact", "prop-2.minimum"),
        assumptions=(Assumption("y = x", RANKS),),
    ),
    Claim(
        "s4.4.small-beta",
        "§4.4",
        "the same sentence read of training at one small beta: if d1 >= d* and beta < d2/d*, the loss has no minimum, and falls "
        "without bound as eta_dec tends to 0",
        printed=Statement(FALLS, RANKS),
        corrected=Statement(UNBOUNDED, RANKS),
        observable="decoder_happening",
        uses=("x.decoder-variance-exact",),
        assumptions=(learned_sigma(decoder_instances),),
        erratum=Erratum(
            "overparametrized: a small beta causes the decoder variance to converge towards 0",
            "it does so at a beta > 0, not in the limit only, iff r = 0, rank Z <= d1 and beta < d2/rank Z, as for y = x "
            "(s4.4.small-beta-vae)",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.small-beta-vae",
        "§4.4",
        "the same for a VAE, y = x, where rank Z = d* and r = 0",
        printed=Statement(FALLS, VAE_RANKS),
        observable="decoder_happening_vae",
        uses=("x.decoder-variance-exact",),
        assumptions=(Assumption("y = x", RANKS), learned_sigma(autoencoder_instances)),
    ),
)
