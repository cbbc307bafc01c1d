"""What each mode costs and what is left of it at a minimum with learned Sigma: reverse water-filling, at the level beta eta_dec^2.

A Gaussian source of variance zeta^2 that is told within an expected squared error D costs log(zeta^2/D)/2 nats at least (Shannon;
Cover and Thomas, Elements of Information Theory, 10.3.3); of independent ones the cheapest share of a total error is one level for
all that exceed it. That no encoder and decoder of Gaussian data do better is proved in `rate_distortion`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Min, Piecewise, Tuple, log

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.elbo import kl_parts
from derivations.instances import Instance, instances, is_exactly_zero, tidy
from derivations.linear_agreement import LEVEL
from derivations.notation import eta_enc, i, root_water, sigma, zeta
from derivations.proof import positive, resolved, same, zero
from derivations.proposition_3_mode_variance import CORRECTED_14, variance_regimes
from derivations.theorem_1_prior_variance import EQUATION_10, prior_instances
from derivations.theorem_2_learned_variance import EQUATION_17_18, LEARNED

# ------------------------------------------------------------------------------------------- as stated
WATER_FILLING = Tuple(
    Piecewise((log(zeta[i] ** 2 / LEVEL) / 2, zeta[i] ** 2 > LEVEL), (0, True)),
    Min(zeta[i] ** 2, LEVEL),
)
"""The rate of mode i in nats, and its expected squared error."""


# -------------------------------------------------------------------------------- from the definitions
def rate_and_error(singular: Expr, u: Expr, v: Expr, deviation: Expr) -> tuple[Expr, Expr]:
    """E KL(q(z_i|x) | p(z_i)) of a latent and the expected squared error of its mode, u and v being its lengths in U and V.

    The mean is v g and the target zeta g, with E g^2 = 1; the decoder says u z.
    """
    per_square, rest = kl_parts()
    return per_square * v**2 + rest.subs(sigma[i], deviation), (singular - u * v) ** 2 + u**2 * deviation**2


def wide_enough(instance: Instance) -> bool:
    """Whether every mode above the level has a latent."""
    return all(singular**2 <= instance.value(LEVEL) for singular in instance.zeta[instance.d1 :])


def at_theorem_2(instance: Instance, k: int) -> tuple[Expr, Expr]:
    """Rate and error of mode k, which has a latent, at the minimum with learned Sigma."""
    u, v, deviation = (instance.value(part, k) for part in (*EQUATION_17_18.args, CORRECTED_14))
    rate, error = rate_and_error(instance.zeta[k - 1], u, v, deviation)
    return instance.value(rate), error


@lru_cache(maxsize=256)
def fills(formula: Basic) -> Decision:
    """Judge (rate, error) of each mode at a minimum with learned Sigma and enough latents."""
    for instance in filter(wide_enough, instances()):
        found = wrong_mode(formula, instance, at_theorem_2)
        if found is not None:
            return found
    return conclude([*level_steps(), *mode_steps(formula)])


def wrong_mode(
    formula: Basic, instance: Instance, found: Callable[[Instance, int], tuple[Expr, Expr]]
) -> Decision | None:
    """A refutation: a mode of an exact instance of which the formula does not give rate and error.

    Beyond d1 there is no latent, and all of the mode is left.
    """
    for k, singular in enumerate(instance.zeta, 1):
        here = found(instance, k) if k <= instance.d1 else (sympy.S.Zero, singular**2)
        for name, part, true in zip(("rate", "error"), formula.args, here, strict=True):
            stated = instance.value(part, k)
            if not is_exactly_zero(stated - true):
                where = instance.named(learned=True) | {"i": k}
                return refuted(where, f"the {name} of mode i is {tidy(true)}, the formula gives {tidy(stated)}")
    return None


@lru_cache(maxsize=1)
def level_steps() -> tuple[Step, ...]:
    """Lagrange's condition: eta_dec^2 times what the loss is, error / 2 + beta eta_dec^2 rate, is least at the level."""
    D = sympy.Symbol("D", positive=True)
    cost = D / 2 + LEVEL * log(zeta[i] ** 2 / D) / 2
    slope, more = sympy.diff(cost, D), sympy.Symbol("delta", positive=True)
    return (
        zero(
            "a rate at Shannon's bound and its error, weighed as in the loss: stationary at the level",
            slope,
            {D: LEVEL},
        ),
        positive("it rises beyond", sympy.factor(slope.subs(D, LEVEL * (1 + more)))),
        positive("and falls before", sympy.factor(-slope.subs(D, LEVEL / (1 + more)))),
    )


def mode_steps(formula: Basic) -> list[Step]:
    """In every regime the formula gives rate and error of the minimum's mode, and the rate is Shannon's for this error."""
    steps = []
    for name, case, active in variance_regimes():
        deviation = root_water * eta_enc / case[zeta[i]] if active else eta_enc
        u, v = (resolved(part.xreplace(case)) for part in EQUATION_17_18.args)
        rate, error = rate_and_error(case[zeta[i]], u, v, deviation)
        stated = [resolved(part.xreplace(case)) for part in formula.args]
        steps += [
            same(f"the rate of a mode ({name})", stated[0], rate),
            same(f"its expected squared error ({name})", stated[1], error),
        ]
        if case[zeta[i]] != 0:
            steps.append(same(f"Shannon's bound for this error ({name})", rate, log(case[zeta[i]] ** 2 / error) / 2))
    return steps


# ------------------------------------------------------------------------------ without the assumptions
def fills_at_the_prior(formula: Basic) -> Decision:
    """Judge the formula where Sigma is held at the prior's (Theorem 1)."""
    for instance in filter(wide_enough, prior_instances()):
        found = wrong_mode(formula, instance, _at_theorem_1)
        if found is not None:
            return found
    return needed(None)


def _at_theorem_1(instance: Instance, k: int) -> tuple[Expr, Expr]:
    u, v = (instance.value(part, k) for part in EQUATION_10.args)
    rate, error = rate_and_error(instance.zeta[k - 1], u, v, eta_enc)
    return instance.value(rate), instance.value(error)


def fills_with_too_few_latents(formula: Basic) -> Decision:
    """Judge the formula where some mode above the level has no latent."""
    for instance in instances():
        if not wide_enough(instance):
            found = wrong_mode(formula, instance, at_theorem_2)
            if found is not None:
                return found
    return needed(None)


CLAIMS = (
    Claim(
        "x.rate-distortion",
        "beyond the paper: rate–distortion theory",
        "with a learned Sigma and d1 at least the number of zeta_i^2 > t = beta eta_dec^2, mode i has a KL of log^+(zeta_i^2/t)/2 "
        "nats and an expected squared error of min(zeta_i^2, t): reverse water-filling at the level t",
        printed=Statement(WATER_FILLING, fills),
        observable="water_filling",
        uses=("thm-2.minimum", "thm-2.variance"),
        assumptions=(
            Assumption(LEARNED, fills_at_the_prior),
            Assumption("d1 is at least the number of zeta_i^2 > beta eta_dec^2", fills_with_too_few_latents),
        ),
    ),
)
