"""What a learned decoder variance does to complete collapse, and what a small beta does to it (§4.4)."""

from __future__ import annotations

from functools import lru_cache, partial

import sympy
from sympy import And, Eq, Equivalent, Ge, Identity, Implies, Le, Lt, Not, Sum

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement, Step
from derivations.decoder_cases import autoencoder_cases, equal_cases, first, kept_cases, problem_cases, squares
from derivations.decoder_collapse import (
    CONDITIONS,
    Everywhere,
    collapse_steps,
    found_at,
    kept_steps,
    learned_sigma,
    without_signal,
)
from derivations.decoder_instances import (
    DecoderInstance,
    all_kept,
    autoencoder_instances,
    collapse_learned,
    decoder_instance,
    decoder_instances,
)
from derivations.decoder_variance import s
from derivations.notation import (
    D0,
    P_A,
    Phi,
    beta,
    d0,
    d2,
    dstar,
    i,
    inverse_root_Phi,
    residual,
    root_Phi,
    zeta,
)
from derivations.proof import equal, margin, positive, true, zero

# ------------------------------------------------------------------------------------------ as printed
BELOW = Lt(beta, d2 / dstar)
STILL_COLLAPSES = Equivalent(
    collapse_learned, Le(d2 * zeta[1] ** 2, beta * (residual + Sum(zeta[i] ** 2, (i, 1, dstar))))
)
AVOIDED = Implies(BELOW, Not(collapse_learned))
TIGHT = Implies(Not(BELOW), collapse_learned)
VAE_THRESHOLD = Eq(d2 / dstar, 1)
VANILLA = Equivalent(collapse_learned, Ge(beta, 1))
EVERY_DATA_SET = collapse_learned
NOTHING_COLLAPSES = Implies(BELOW, all_kept)


# ------------------------------------------------------------------------------------------ as corrected
AVOIDED_IF_EXPLAINED = Implies(And(BELOW, Eq(residual, 0)), Not(collapse_learned))
ALL_KEPT_IF_EXPLAINED = Implies(And(BELOW, Eq(residual, 0)), all_kept)
VAE_RATIO = Eq(d2 / dstar, D0 / d0)
VANILLA_OF_RANK = Equivalent(collapse_learned, Ge(beta, D0 / d0))
EQUAL_EIGENVALUES = Equivalent(collapse_learned, Le(D0 * zeta[1] ** 2, Sum(zeta[i] ** 2, (i, 1, dstar))))


# ------------------------------------------------------------------------------------------------- domains
def _equal(instance: DecoderInstance) -> bool:
    return len(set(instance.zeta)) == 1 and instance.zeta[0] > 0


@lru_cache(maxsize=1)
def equal_instances() -> tuple[DecoderInstance, ...]:
    """All zeta_i equal and positive."""
    return tuple(each for each in (*decoder_instances(), *autoencoder_instances()) if _equal(each))


@lru_cache(maxsize=1)
def equal_autoencoders() -> tuple[DecoderInstance, ...]:
    """y = x, all positive eigenvalues of A equal."""
    return tuple(each for each in autoencoder_instances() if _equal(each))


@lru_cache(maxsize=1)
def vanilla_autoencoders() -> tuple[DecoderInstance, ...]:
    """y = x and beta = 1."""
    return tuple(each for each in autoencoder_instances() if each.beta == 1)


@lru_cache(maxsize=1)
def vanilla_models() -> tuple[DecoderInstance, ...]:
    """beta = 1, y any function of x."""
    return tuple(each for each in decoder_instances() if each.beta == 1)


# ---------------------------------------------------------------------------------- what else the steps say
def still_steps() -> tuple[Step, ...]:
    """Whatever beta and the dimensions are, some data collapse and some do not."""
    one_mode = {zeta[1]: first, squares: first**2}
    collapses = CONDITIONS[collapse_learned]
    much, none = d2 * first**2 / beta, sympy.S.Zero
    return (
        *collapse_steps(),
        true("one mode and r = d2 zeta_1^2/beta collapse", collapses, one_mode | {residual: much}),
        found_at("an instance that collapses", decoder_instance([1], 3, 1), collapse_learned),
        found_at("and one that does not", decoder_instance([2, 1], none, 1), Not(collapse_learned)),
    )


def tight_steps() -> tuple[Step, ...]:
    """At beta = d2/d* with r = 0: s may be anything up to zeta^2/beta if d1 >= d*, else only collapse is a minimum."""
    short = sympy.Symbol("short", positive=True)
    slope, ratio, edge = d2 * s - (dstar - short) * beta * s - short * first**2, d2 / dstar, first**2 / beta
    return (
        *collapse_steps(),
        zero("r = 0, d1 >= d*: g vanishes for all s <= zeta^2/beta", d2 * s - dstar * beta * s, {beta: ratio}),
        positive(
            "r = 0, d1 = d* - short: g is negative before", -slope, {s: first**2 / ratio / (1 + margin), beta: ratio}
        ),
        zero("and vanishes at zeta^2/beta", slope.subs(s, edge), {beta: ratio}),
    )


def autoencoder_steps() -> tuple[Step, ...]:
    """y = x has C = A, so that Z = P_A Phi^(1/2): D0 rows and rank d0."""
    whitened = P_A * Phi * P_A.T * P_A * inverse_root_Phi
    facts = ((P_A.T * P_A, Identity(d0)),)
    return (*collapse_steps(), equal("Z = A P_A Phi^(-1/2)", whitened, P_A * root_Phi, facts))


def vanilla_steps() -> tuple[Step, ...]:
    """beta = 1 meets the condition exactly where A has full rank."""
    kernel = sympy.Symbol("kernel", positive=True)
    return (
        *autoencoder_steps(),
        true("beta = 1 collapses for d0 = D0", Ge(beta, D0 / d0), {beta: sympy.S.One, D0: d0}),
        true("and not for d0 < D0", Lt(beta, D0 / d0), {beta: sympy.S.One, D0: d0 + kernel}),
        found_at("A = 1 collapses", decoder_instance([1], 0, 1), collapse_learned),
    )


ANY = Everywhere(decoder_instances, problem_cases)
STILL = Everywhere(decoder_instances, problem_cases, still_steps)
EQUAL = Everywhere(equal_instances, equal_cases, tight_steps)
VAE = Everywhere(autoencoder_instances, autoencoder_cases, autoencoder_steps)
EQUAL_VAE = Everywhere(equal_autoencoders, partial(autoencoder_cases, equal=True), vanilla_steps)
VANILLA_VAE = Everywhere(vanilla_autoencoders, partial(autoencoder_cases, weight=sympy.S.One), autoencoder_steps)
KEPT = Everywhere(decoder_instances, kept_cases, kept_steps)


CLAIMS = (
    Claim(
        "s4.4.still-collapses",
        "§4.4",
        "with eta_dec learned, U = V = 0 is part of a global minimum for exactly these data, and there are such data",
        printed=Statement(STILL_COLLAPSES, STILL),
        observable="decoder_happening",
        uses=("x.decoder-variance-exact",),
        assumptions=(
            Assumption("y is not zero", Everywhere(without_signal, problem_cases, still_steps)),
            learned_sigma(decoder_instances),
        ),
    ),
    Claim(
        "s4.4.threshold",
        "§4.4",
        "with eta_dec learned and beta < d2/d*, U = V = 0 is part of no global minimum, whatever the data",
        printed=Statement(AVOIDED, ANY),
        corrected=Statement(AVOIDED_IF_EXPLAINED, ANY),
        observable="decoder_happening",
        uses=("s4.4.still-collapses",),
        assumptions=(learned_sigma(decoder_instances),),
        erratum=Erratum(
            "a way to fix posterior collapse for VAE: make eta_dec learnable and set beta < d2/d*",
            "that avoids complete collapse if r = 0, that is if y is a linear function of x, and so if y = x (s4.4.threshold-vae); "
            "in general, for y not 0, complete collapse is a global minimum iff d2 zeta_1^2 <= beta (r + sum of all zeta_i^2), "
            "which r > 0 can meet at any beta. Where r = 0 and rank Z <= d1, beta < d2/rank Z leaves no minimum: the loss falls "
            "without bound as eta_dec tends to 0",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.threshold-vae",
        "§4.4",
        "the same sentence, which is printed of VAEs, where y = x",
        printed=Statement(AVOIDED, VAE),
        observable="decoder_happening_vae",
        uses=("s4.4.still-collapses",),
        assumptions=(Assumption("y = x", ANY), learned_sigma(autoencoder_instances)),
    ),
    Claim(
        "s4.4.threshold-partial",
        "§4.4",
        "the same sentence read of partial collapse: with eta_dec learned and beta < d2/d*, no mode i <= d1 with zeta_i > 0 "
        "collapses",
        printed=Statement(NOTHING_COLLAPSES, KEPT),
        corrected=Statement(ALL_KEPT_IF_EXPLAINED, KEPT),
        observable="decoder_happening",
        uses=("x.decoder-variance-exact",),
        assumptions=(learned_sigma(decoder_instances),),
        erratum=Erratum(
            "a way to fix posterior collapse for VAE: make eta_dec learnable and set beta < d2/d*",
            "then no mode with a latent collapses if r = 0, as for y = x; with r > 0 modes can at any beta",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.tight",
        "§4.4",
        "wherever beta < d2/d* fails some data collapse completely: all data whose zeta_i are equal, among other minima at "
        "beta = d2/d* if r = 0 and d1 >= d*",
        printed=Statement(TIGHT, EQUAL),
        observable="decoder_happening_equal",
        uses=("s4.4.still-collapses",),
        assumptions=(Assumption("all zeta_i are equal and positive", ANY), learned_sigma(equal_instances)),
    ),
    Claim(
        "s4.4.vae",
        "§4.4",
        "for a VAE (y = x, so that d2 = D0 and d* = d0 <= D0) the threshold d2/d* of beta is 1",
        printed=Statement(VAE_THRESHOLD, VAE),
        corrected=Statement(VAE_RATIO, VAE),
        observable="decoder_vae",
        uses=("s4.4.threshold",),
        assumptions=(Assumption("y = x", ANY),),
        erratum=Erratum(
            "for VAE, d2/d* = 1, and the condition translates to beta < 1",
            "d2/d* = D0/d0, and the condition is beta < D0/d0: 1 only if A has full rank",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.vae-vanilla",
        "§4.4",
        "beta >= 1 cannot avoid complete collapse, and beta < 1 can, for some data: with y = x and all positive eigenvalues of A "
        "equal, U = V = 0 is part of a global minimum iff beta >= 1",
        printed=Statement(VANILLA, EQUAL_VAE),
        corrected=Statement(VANILLA_OF_RANK, EQUAL_VAE),
        observable="decoder_vae_equal",
        uses=("s4.4.still-collapses", "s4.4.vae"),
        assumptions=(
            Assumption("y = x", EQUAL),
            Assumption("all positive eigenvalues of A are equal", VAE),
            learned_sigma(equal_autoencoders),
        ),
        erratum=Erratum(
            "this condition translates to beta < 1, so vanilla VAE cannot avoid complete collapse",
            "for these data it is part of one iff beta >= D0/d0: beta = 1 cannot avoid it only if A has full rank",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.4.vae-every-data-set",
        "§4.4",
        "the same sentence read of every data set: with y = x and beta = 1, U = V = 0 is part of a global minimum",
        printed=Statement(EVERY_DATA_SET, VANILLA_VAE),
        corrected=Statement(EQUAL_EIGENVALUES, VANILLA_VAE),
        observable="decoder_vae_vanilla",
        uses=("s4.4.still-collapses", "s4.4.vae"),
        assumptions=(
            Assumption("y = x", Everywhere(vanilla_models, problem_cases)),
            Assumption("beta = 1", VAE),
            learned_sigma(vanilla_autoencoders),
        ),
        erratum=Erratum(
            "vanilla VAE cannot avoid complete collapse",
            "with beta = 1 it collapses completely iff all D0 eigenvalues of A are equal and positive, D0 zeta_1^2 <= Tr A; it may "
            "then have other minima too",
            Severity.CONDITION,
        ),
    ),
)
