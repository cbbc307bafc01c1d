"""An encoder variance that depends on the input (§4.3 and Appendix C): Sigma(x) = diag(sigma_1^2(x), ..., sigma_d1^2(x)).

Every term of the loss but one sees only E sigma_i^2(x); the exception is -E log sigma_i^2(x) >= -log E sigma_i^2(x) (Jensen's
inequality, from log u <= u - 1). Whether a constant is as good thus depends on the family of functions having that constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Expr, Ge, Implies, IndexedBase, Sum, Symbol, Trace, log

from derivations.claim import Claim, Decision, Erratum, Severity, Statement, Step, conclude, refuted
from derivations.elbo import kl_parts, kl_steps
from derivations.instances import Instance, instances, tidy
from derivations.least_loss import c, least_mode_loss, singular
from derivations.notation import (
    Mean,
    Sigma,
    SquaredNorm,
    U,
    W,
    eta_enc,
    i,
    noise,
    root_water,
    sigma,
    weight,
    x,
    y,
)
from derivations.proof import equal, margin, positive, sums_equal, true, zero
from derivations.proposition_2_fixed_variance import least_loss
from derivations.theorem_2_learned_variance import EQUATION_19, least_learned_loss

has_constants = Symbol("family_contains_the_constants")
"""Whether the family of functions Sigma(x) contains every constant positive diagonal matrix."""
gap = Symbol("gap", real=True)
"""The least L_VAE over the family minus the least over constant Sigma."""
spread = Symbol("spread", nonnegative=True)
"""The largest sigma_i^2(x) / E sigma_i^2 - 1 at the minimum over the family: 0 iff Sigma is constant there."""

# ------------------------------------------------------------------------------------------ as printed
UNCHANGED = And(Eq(gap, 0), Eq(spread, 0))
UNCHANGED_WITH_CONSTANTS = And(Ge(gap, 0), Implies(has_constants, And(Eq(gap, 0), Eq(spread, 0))))

# -------------------------------------------------------------------------------- from the definitions
_k, _points = sympy.symbols("k N", integer=True, positive=True)
_share, _variance = IndexedBase("p", positive=True), IndexedBase("s", positive=True)
_average, _u, _s = sympy.symbols("s_mean u s", positive=True)
"""N inputs with shares p_k, the variances s_k of one latent at them, and their mean."""


@lru_cache(maxsize=1)
def jensen_steps() -> tuple[Step, ...]:
    """A constant with the same mean does strictly better than any other function, for any U, W and any input."""
    tangent = _u - 1 - log(_u)
    over_inputs = (_k, 1, _points)
    cost = kl_parts()[1].subs(sigma[i], sympy.sqrt(_s))
    logarithm = log(_variance[_k])
    return (
        *kl_steps(),
        equal(
            "the reconstruction sees E Sigma(x), the covariance of the noise, which has mean 0 at every x",
            Mean(SquaredNorm(U * (W.T * x + noise) - y)),
            Mean(SquaredNorm(U * W.T * x - y)) + Trace(U * Sigma * U.T),
        ),
        zero(
            "the KL at x is linear in sigma_i^2(x) and in log sigma_i^2(x), with a factor -1/2 of the latter",
            cost - (_s / eta_enc**2 - 1 + log(eta_enc**2) - log(_s)) / 2,
        ),
        zero("log u = u - 1 at u = 1", tangent, {_u: sympy.S.One}),
        positive("u - 1 - log u rises beyond", sympy.factor(sympy.diff(tangent, _u)), {_u: 1 + margin}),
        positive("and falls before", -sympy.factor(sympy.diff(tangent, _u)), {_u: 1 / (1 + margin)}),
        sums_equal(
            "with u = s_k / s, averaged over the inputs: E u - 1 = E s_k / s - 1, which is 0",
            Sum(_share[_k] * (_variance[_k] / _average - 1), over_inputs),
            Sum(_share[_k] * _variance[_k], over_inputs) / _average - Sum(_share[_k], over_inputs),
        ),
        sums_equal(
            "and E log u = E log s_k - log s, so that E log s_k <= log s, strictly unless every s_k is s",
            Sum(_share[_k] * sympy.expand_log(log(_variance[_k] / _average)), over_inputs),
            Sum(_share[_k] * logarithm, over_inputs) - log(_average) * Sum(_share[_k], over_inputs),
        ),
    )


SHAPE = (sympy.S.One, sympy.Integer(4))
"""x^2 at the inputs 1 and 2."""


def mean_of(values: Sequence[Expr]) -> Expr:
    """Over inputs that are equally likely."""
    return sympy.Add(*values) / len(values)


@lru_cache(maxsize=1)
def family_steps() -> tuple[Step, ...]:
    """The two families without constants that `families` takes its instances from, by E sigma_i^2 and E log sigma_i^2."""
    ratio = Symbol("q", positive=True)
    average_log = mean_of([log(_average * height / mean_of(SHAPE)) for height in SHAPE])
    active = singular**2 - (singular - sympy.sqrt(weight * _s)) ** 2 + root_water**2 * _s / eta_enc**2
    edge, least = sympy.sqrt(c), least_mode_loss(singular, sympy.S.One, c)
    return (
        zero(
            "sigma = s |x|, x = 1 or 2: E sigma^2 may be anything, and E log sigma^2 is below its logarithm by the same everywhere",
            average_log - log(_average) + log(mean_of(SHAPE)) - mean_of([log(height) for height in SHAPE]),
        ),
        zero("log sigma^2 = b x, x = -1 or 1, q = e^b: E log sigma^2 is 0", log(ratio) + log(1 / ratio)),
        zero("and E sigma^2 is at least 1", (ratio + 1 / ratio) / 2 - 1 - (ratio - 1) ** 2 / (2 * ratio)),
        positive("an active mode costs more the larger E sigma^2 is", sympy.simplify(sympy.diff(active, _s))),
        positive("and so does a collapsed one: sigma = 1 is best", sympy.diff(root_water**2 * _s / eta_enc**2, _s)),
        zero("where a mode collapses at zeta = sqrt(c)", singular**2 - least, {singular: edge}),
        positive("and not beyond", singular**2 - least, {singular: edge * (1 + margin)}),
    )


# -------------------------------------------------------------------------------------------- verdicts
@dataclass(frozen=True)
class Family:
    """A family of functions Sigma(x) on given inputs, and what its minimum is like; `gap` is that of L_VAE."""

    name: str
    has_constants: bool
    gap: Expr
    spread: Expr


def family(name: str, has_constants: bool, instance: Instance, variances: Sequence[Sequence[Expr]]) -> Family:
    """A family from the values of its best functions: for each latent sigma_i^2 at the inputs, which are equally likely."""
    means = [mean_of(values) for values in variances]
    unevenness = max(value / mean - 1 for values, mean in zip(variances, means, strict=True) for value in values)
    loss = least_loss(replace(instance, sigma=tuple(map(sympy.sqrt, means))))
    for values, mean in zip(variances, means, strict=True):
        logarithm = mean_of([log(value / instance.eta_enc**2) for value in values])
        loss += instance.value(root_water**2) * (mean / instance.eta_enc**2 - 1 - logarithm)
    difference = (loss - least_learned_loss(instance)) / (2 * instance.eta_dec**2)
    return Family(name, has_constants, tidy(difference), unevenness)


@lru_cache(maxsize=1)
def families() -> tuple[tuple[Instance, Family], ...]:
    """Families with and without the constants, at the instances with one-dimensional inputs.

    The best multiple of a shape has the mean of the best constant, since its logarithm costs the same at every mean.
    """
    found = []
    for instance in instances():
        if instance.d0 > 1:
            continue
        best = [instance.value(EQUATION_19, k) ** 2 for k in range(1, instance.d1 + 1)]
        scaled = [[variance * height / mean_of(SHAPE) for height in SHAPE] for variance in best]
        unbiased = [[sympy.S.One] * 2 for _ in best]
        constant = [[variance] * 2 for variance in best]
        found += [
            (instance, family("sigma_i(x) = s_i |x|, x = 1 or 2", False, instance, scaled)),
            (instance, family("log sigma_i^2(x) = b_i x, x = -1 or 1", False, instance, unbiased)),
            (instance, family("all positive functions", True, instance, constant)),
        ]
    return tuple(found)


def holds_of_families(formula: Basic) -> Decision:
    """Judge a Boolean of "the family contains the constants", the gap and the spread: does it hold of every family?"""
    for instance, each in families():
        truth = {
            gap: each.gap,
            spread: each.spread,
            has_constants: sympy.true if each.has_constants else sympy.false,
        }
        stated = formula.subs(truth)
        if stated != sympy.true:
            where = {"family": each.name} | instance.named(learned=True)
            return refuted(where, f"gap = {each.gap}, spread = {each.spread}: the statement is {stated}")
    above, uneven = sympy.symbols("gap spread", positive=True)
    nothing = sympy.S.Zero
    cases = ((True, nothing, nothing), (False, nothing, nothing), (False, above, nothing), (False, above, uneven))
    steps = [*jensen_steps(), *family_steps()]
    for constants, difference, unevenness in cases:
        case = {has_constants: sympy.true if constants else sympy.false, gap: difference, spread: unevenness}
        steps.append(true("it holds in every case that there is", formula, case))
    return conclude(steps)


CLAIMS = (
    Claim(
        "app-c.input-variance",
        "§4.3 and Appendix C",
        "whatever functions of the input the encoder's variances are, the least L_VAE is that of constant ones (gap = 0) and "
        "they are constant at the minimum (spread = 0)",
        printed=Statement(UNCHANGED, holds_of_families),
        corrected=Statement(UNCHANGED_WITH_CONSTANTS, holds_of_families),
        observable="input_variance",
        uses=("notation.gaussian-kl", "eq-5.decomposition", "prop-2.minimum", "thm-2.minimum"),
        erratum=Erratum(
            printed="the result is unchanged where Sigma depends on the input",
            holds="it is if the family of functions Sigma(x) contains the constants; else the minimum can only be higher. With "
            "sigma_i(x) = s_i |x| the loss is higher; with log sigma_i^2(x) linear in x and no bias, for x = -1 or 1, collapse is "
            "complete iff zeta_1 <= sqrt(beta) eta_dec / eta_enc",
            severity=Severity.CONDITION,
        ),
    ),
)
