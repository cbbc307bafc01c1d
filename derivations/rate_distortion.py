"""For Gaussian data no encoder and no decoder, however non-linear, has less loss than the best linear model (Figure 1).

In the coordinates g = G^T x_white, independent and standard normal, a linear target has the entries zeta_i g_i; let guess be F^T
times the decoder's mean. With any trial densities m_i(g_i | z) the product p(z) prod_i m_i(g_i | z) is a density of (x, z), so by
Gibbs' inequality, log u <= u - 1, the Kullback-Leibler term is at least the mean of log(m_i / p_i), summed over i. The m_i chosen
here make 2 eta_dec^2 L_VAE at least a constant plus squares of the guess: the converse of rate-distortion theory, self-contained.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Le, Max, Rational, Sum, Symbol, Tuple, exp, log, oo, pi, sqrt

from derivations.claim import Assumption, Claim, Decision, Statement, Step, Verdict, conclude, refuted, undecided
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.linear_agreement import (
    LEVEL,
    MODE_AT_THEOREM_2,
    least_linear_loss,
    least_of_mode,
)
from derivations.notation import dstar, eta_dec, i, zeta
from derivations.proof import holds, margin, nonnegative, positive, resolved, sums_equal, zero
from derivations.proposition_3_mode_variance import variance_regimes

# ------------------------------------------------------------------------------------------ as printed
THEORY_CURVE = Tuple(
    Sum(MODE_AT_THEOREM_2, (i, 1, dstar)) / (2 * eta_dec**2),
    Le(zeta[1] ** 2, LEVEL),
)

# -------------------------------------------------------------------------------- from the definitions
g, guess, center = sympy.symbols("g guess center", real=True)
"""A standard normal coordinate of the whitened input, what the decoder says of its target, and any mean."""
spread = Symbol("v", positive=True)
"""A variance."""


def normal(at: Expr, mean: Expr, variance: Expr) -> Expr:
    """The normal density."""
    return exp(-((at - mean) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)


def trial_density(singular: Expr, *, active: bool) -> tuple[Expr, Expr]:
    """(slope, variance) of m_i(g | z) = N(slope guess, variance)."""
    variance = LEVEL / singular**2 if active else sympy.S.One
    return variance * singular / LEVEL, variance


def bounded_cost(singular: Expr, *, active: bool) -> sympy.Poly:
    """2 eta_dec^2 times one mode's share of the loss, its divergence replaced by log(m_i / p_i): a polynomial in g and guess."""
    slope, variance = trial_density(singular, active=active)
    gain = sympy.expand_log(log(normal(g, center, spread)), force=True) - sympy.expand_log(log(normal(g, 0, 1)))
    cost = (singular * g - guess) ** 2 + 2 * LEVEL * gain
    return sympy.Poly(sympy.expand(cost.subs({center: slope * guess, spread: variance})), g, guess)


@lru_cache(maxsize=256)
def converse(singular: Expr, *, active: bool) -> Expr:
    """The mean of `bounded_cost` without its square of the guess: what every encoder and decoder pay for this mode at least."""
    cost = bounded_cost(singular, active=active)
    return cost.coeff_monomial(1) + cost.coeff_monomial(g**2)


@lru_cache(maxsize=1)
def gibbs_steps() -> tuple[Step, ...]:
    """log u <= u - 1 with equality at 1 only, and the trial densities are densities."""
    rest = Symbol("u", positive=True)
    slope = sympy.diff(rest - 1 - log(rest), rest)
    total = sympy.integrate(normal(g, center, spread), (g, -oo, oo))
    divergence = log(normal(g, guess, eta_dec**2)) - log(normal(guess, guess, eta_dec**2))
    return (
        zero("log u = u - 1 at u = 1", (rest - 1 - log(rest)).subs(rest, 1)),
        positive("u - 1 - log u rises beyond 1", sympy.factor(slope.subs(rest, 1 + margin))),
        positive("and falls before it", sympy.factor(-slope.subs(rest, 1 / (1 + margin)))),
        zero("a trial density integrates to 1", total - 1),
        zero("the mean of g^2 is 1", sympy.integrate(g**2 * normal(g, 0, 1), (g, -oo, oo)) - 1),
        zero(
            "the decoder's log density is a square over 2 eta_dec^2, its partition function aside",
            sympy.expand_log(divergence, force=True) + (g - guess) ** 2 / (2 * eta_dec**2),
        ),
    )


@lru_cache(maxsize=1)
def converse_steps() -> tuple[Step, ...]:
    """In every regime of a mode: no encoder and no decoder pay less than the linear model, which pays just that."""
    steps = [*gibbs_steps()]
    for name, case, active in variance_regimes():
        singular = case[zeta[i]]
        cost = bounded_cost(singular, active=active)
        steps += [
            zero(f"the guess meets g in no other term ({name})", sympy.simplify(cost.coeff_monomial(g * guess))),
            nonnegative(f"the guess's square costs ({name})", sympy.factor(cost.coeff_monomial(guess**2))),
            zero(
                f"there is nothing else in the cost but g^2 and a constant ({name})",
                cost.as_expr() - sum(cost.coeff_monomial(part) * part for part in (1, g**2, guess**2, g * guess)),
            ),
            zero(
                f"the linear model pays the bound ({name})",
                converse(singular, active=active) - least_of_mode(singular, active=active),
            ),
        ]
    return tuple(steps)


@lru_cache(maxsize=1)
def gain_steps() -> tuple[Step, ...]:
    """A mode above the threshold costs less than its collapse, zeta^2, by t (k - log(1 + k)) > 0, k = zeta^2 / t - 1."""
    excess = Symbol("k", positive=True)
    singular = sqrt(LEVEL) * sqrt(1 + excess)
    gain = singular**2 - converse(singular, active=True)
    return (
        zero("the gain is t (k - log(1 + k))", gain - LEVEL * (excess - log(1 + excess))),
        zero("it vanishes at k = 0", (excess - log(1 + excess)).subs(excess, 0)),
        positive("and rises with k", sympy.factor(sympy.diff(excess - log(1 + excess), excess))),
    )


def reconstruction_bound(linear: Expr, norm: Expr, error: Expr, k: Expr) -> Expr:
    """Of E|y - U z|^2 where two errors are in what the decoder reads, each with this mean square; norm is |U|^2, k > 0 any."""
    return (1 + k) * linear + (1 + 1 / k) * norm * 4 * error


@lru_cache(maxsize=1)
def network_limit_steps() -> tuple[Step, ...]:
    """If an activation differs from the identity by `error` in mean square, the loss exceeds the linear model's by little.

    Encoder and decoder keep their linear maps around the activation, one hidden unit a latent. Let it have slope between 0 and 1
    and shrink its argument: the mean term does not grow, and the decoder reads each latent with at most the two errors added. Then
    (a + b)^2 <= (1 + k) a^2 + (1 + 1/k) b^2 bounds the reconstruction, with k = sqrt(error).
    """
    a, b, u, e_1, e_2 = sympy.symbols("a b u e_1 e_2", real=True)
    k, error = sympy.symbols("k error", positive=True)
    linear, norm = sympy.symbols("linear norm", nonnegative=True)
    bound = reconstruction_bound(linear, norm, error, k)
    both, apart = u * (e_1 + e_2), (1 + 1 / k) * u**2 * (e_1 - e_2) ** 2
    mean_square = (e_1**2 + e_2**2) / 2
    return (
        zero(
            "(1 + k) a^2 + (1 + 1/k) b^2 is (a + b)^2 and a square",
            (1 + k) * a**2 + (1 + 1 / k) * b**2 - (a + b) ** 2 - (sqrt(k) * a - b / sqrt(k)) ** 2,
        ),
        nonnegative("two errors added: (a + b)^2 <= 2 a^2 + 2 b^2", sympy.factor(2 * a**2 + 2 * b**2 - (a + b) ** 2)),
        zero(
            "the bound on the reconstruction is (a + u (e_1 + e_2))^2 and squares, at the mean of e_1^2 and e_2^2",
            reconstruction_bound(a**2, u**2, mean_square, k)
            - ((a + both) ** 2 + (sqrt(k) * a - both / sqrt(k)) ** 2 + apart),
        ),
        zero(
            "the bound on the reconstruction tends to the linear model's as the error vanishes",
            sympy.limit(sympy.expand(bound.subs(k, sqrt(error))), error, 0) - linear,
        ),
    )


@lru_cache(maxsize=1)
def rectifier_steps() -> tuple[Step, ...]:
    """ReLU networks: two hidden units a latent are linear, and one with a large bias is linear but for a vanishing part."""
    value, bias, beyond = sympy.symbols("a bias beyond", positive=True)

    def rectified(at: Expr) -> Expr:
        return resolved(Max(0, at))

    steps = [
        zero(f"relu(a) - relu(-a) = a ({name})", rectified(at) - rectified(-at) - at)
        for name, at in (("a > 0", value), ("a = 0", sympy.S.Zero), ("a < 0", -value))
    ]
    left = -bias - beyond
    return (
        *steps,
        zero("relu(a + bias) - bias = a where a >= -bias", rectified(bias + (beyond - bias)) - bias - (beyond - bias)),
        nonnegative(
            "elsewhere its error squared is at most a^4 / bias^2, of mean 3 s^4 / bias^2",
            sympy.expand(left**4 - (rectified(left + bias) - bias - left) ** 2 * bias**2),
        ),
        zero("the fourth moment is 3 s^4", sympy.integrate(g**4 * normal(g, 0, spread), (g, -oo, oo)) - 3 * spread**2),
        nonnegative("it shrinks its argument there", left**2 - (rectified(left + bias) - bias) ** 2),
        *network_limit_steps(),
    )


@lru_cache(maxsize=1)
def gaussian_instances() -> tuple[Instance, ...]:
    """The exact instances with r = 0 and, where one has too few, as many latents as modes above the threshold."""
    found = []
    for instance in instances():
        active = sum(bool(value**2 > instance.value(LEVEL)) for value in instance.zeta)
        added = (instance.eta_enc,) * max(0, active - instance.d1)
        found.append(replace(instance, residual=sympy.S.Zero, sigma=instance.sigma + added))
    return tuple(found)


@lru_cache(maxsize=256)
def least_of_all(instance: Instance) -> Expr:
    """The least L_VAE over all encoders and decoders at an instance; raises ValueError where no linear model attains the bound."""
    level = instance.value(LEVEL)
    modes = [instance.value(converse(value, active=bool(value**2 > level))) for value in instance.zeta]
    bound = sympy.Add(*modes) / (2 * instance.eta_dec**2)
    if not is_exactly_zero(bound - least_linear_loss(instance)):
        raise ValueError(f"the linear model does not attain the bound {bound} at {instance.named(learned=True)}")
    return bound


def bounds_every_model(formula: Basic) -> Decision:
    """Judge (least L_VAE over all encoders and decoders, condition for complete collapse to attain it)."""
    stated, condition = formula.args
    for instance in gaussian_instances():
        least, value, named = least_of_all(instance), instance.value(stated), instance.named(learned=True)
        if not is_exactly_zero(least - value):
            failure = f"no L_VAE is below {tidy(least)}, which a linear model attains; the formula gives {value}"
            return refuted(named, failure)
        collapsed = is_exactly_zero(least - sum(value**2 for value in instance.zeta) / (2 * instance.eta_dec**2))
        claimed = instance.value(condition)
        if claimed not in (sympy.true, sympy.false) or bool(claimed) != collapsed:
            verb = "is" if collapsed else "is not"
            return refuted(named, f"complete collapse {verb} optimal, but the condition is {claimed}")
    steps = [*converse_steps(), *gain_steps(), *rectifier_steps()]
    for name, case, active in variance_regimes():
        cost = Sum(converse(case[zeta[i]], active=active), (i, 1, dstar))
        largest = holds(condition.subs(zeta[1], case[zeta[i]]))
        steps += [
            sums_equal(f"the bound, mode by mode ({name})", (2 * eta_dec**2 * stated).xreplace(case), cost),
            Step(
                f"the condition is {not active}, zeta_1 {name}",
                condition,
                Verdict.PROVED if largest is not active and largest is not None else Verdict.UNDECIDED,
            ),
        ]
    return conclude(steps)


# ---------------------------------------------------------------------------------------- without an assumption
def _one_mode(level: Rational) -> Instance:
    one = sympy.S.One
    return Instance((one,), (one,), level, one, one, d0=1, d2=1)


def without_gaussian_input(formula: Basic) -> Decision:
    """x = 1 or -1 with equal chance: an encoder with mean x and standard deviation 1/5 and the decoder sign(z) do better.

    sign(z) errs by 2 with the chance that a standard normal exceeds 5, which is below exp(-25/2) / 2 < 2^-19.
    """
    instance = _one_mode(Rational(1, 100))
    level, deviation = instance.beta, Rational(1, 5)
    tail = Rational(1, 2**19)
    if not (sympy.exp(Rational(25, 2)) > 2**18):
        return undecided("the bound on the tail")
    reached = (4 * tail + level * (1 + deviation**2 - 1 - log(deviation**2))) / 2
    stated = instance.value(formula.args[0])
    if bool(stated > reached):
        where = {"x = y": "-1 or 1, evenly", "encoder": "N(x, 1/25)", "decoder": "sign(z)"} | instance.named(
            learned=True
        )
        return refuted(where, f"L_VAE is below {tidy(reached)}, and the formula gives {tidy(stated)}")
    return undecided("this code does not go below the formula")


def without_linear_target(formula: Basic) -> Decision:
    """y of variance 1 that does not depend on x: r = 1, and no loss is below 1 / (2 eta_dec^2)."""
    instance = replace(_one_mode(sympy.S.One), zeta=(sympy.S.Zero,), residual=sympy.S.One)
    stated, least = instance.value(formula.args[0]), 1 / (2 * instance.eta_dec**2)
    if is_exactly_zero(stated - least):
        return undecided("the formula holds for a target that x does not determine")
    return refuted(instance.named(learned=True), f"no L_VAE is below {least}, the formula gives {stated}")


def with_few_latents(formula: Basic) -> Decision:
    """One latent where two modes lie above the threshold: no linear model is as low as the formula."""
    instance = replace(_one_mode(sympy.S.One), zeta=(Rational(3), Rational(2)), d0=2, d2=2)
    stated, least = instance.value(formula.args[0]), least_linear_loss(instance)
    if is_exactly_zero(stated - least):
        return undecided("the formula holds with one latent")
    return refuted(instance.named(learned=True), f"linear models reach {tidy(least)}, the formula gives {tidy(stated)}")


GAUSSIAN = (
    Assumption("x is Gaussian", without_gaussian_input),
    Assumption("y is a linear function of x", without_linear_target),
    Assumption("there are as many latents as modes with zeta_i^2 > beta eta_dec^2", with_few_latents),
)

CLAIMS = (
    Claim(
        "fig-1.thresholds",
        "§5, Figure 1",
        "ReLU VAEs on linear Gaussian data follow the theory: its loss is the infimum over all encoders and decoders, which ReLU "
        "networks reach; trained ones of 16 units collapse or not as it says (beta = 14 is of data not given)",
        printed=Statement(THEORY_CURVE, bounds_every_model),
        observable="gaussian_least_loss",
        uses=("s5.linear-agreement", "thm-2.minimum"),
        assumptions=GAUSSIAN,
    ),
)
