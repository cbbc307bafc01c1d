"""What a completely collapsed model outputs (§5): the decoder's mean U z, over the inputs and the encoder's noise."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Basic, Eq, Expr, Implies, Le, Symbol, Trace, ZeroMatrix

from derivations.ablation import noise_steps
from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.instances import Instance, instances, tidy
from derivations.least_loss import REDUCED, least_mode_loss
from derivations.notation import (
    A,
    Mean,
    Sigma,
    SquaredNorm,
    U,
    V,
    W,
    Z,
    beta,
    d0,
    d2,
    eta_dec,
    eta_enc,
    noise,
    root_water,
    weight,
    x,
    zeta,
)
from derivations.proof import equal, margin, positive, true
from derivations.proposition_1_reduction import LINK, SPECTRAL
from derivations.proposition_2_fixed_variance import mode_values
from derivations.proposition_3_mode_variance import mode_objective_steps
from derivations.theorem_1_prior_variance import EQUATION_10, certificate_steps, prior_instances
from derivations.theorem_2_learned_variance import EQUATION_17_18, best_variance

output = Symbol("output", nonnegative=True)
"""E|U z|^2 over the inputs and the encoder's noise, at a global minimum: 0 iff U z is constant, the constant being 0."""

# ------------------------------------------------------------------------------------------ as printed
CONSTANT_OUTPUT = Implies(Le(zeta[1] - sympy.sqrt(beta) * eta_dec, 0), Eq(output, 0))

# -------------------------------------------------------------------------------- from the definitions
SPREAD, MEAN = Trace(U * Sigma * U.T), weight * SquaredNorm(V)


@lru_cache(maxsize=1)
def output_steps() -> tuple[Step, ...]:
    """E|U z|^2 is 0 iff U = 0, which is so at every global minimum below the threshold and at it, and at none above."""
    bracket = SPREAD + MEAN - 2 * Trace(U * V.T * Z.T)
    return (
        equal(
            "the squared output, averaged over inputs and noise",
            Mean(SquaredNorm(U * (W.T * x + noise))),
            Trace(U * W.T * A * W * U.T) + SPREAD,
        ),
        equal("its first part is |U V^T|^2", Trace(U * W.T * A * W * U.T), SquaredNorm(U * LINK.T), SPECTRAL),
        *noise_steps(),
        equal("what the loss gains over U = V = 0", REDUCED - SquaredNorm(Z), SquaredNorm(U * V.T) + bracket),
        *certificate_steps(),
        equal(
            "where that is 0, U V^T = 0 and the bracket is a sum of squares: U = V = 0 is the only global minimum",
            bracket,
            SPREAD + MEAN,
            ((U * V.T, ZeroMatrix(d2, d0)),),
        ),
        *mode_objective_steps(),
        positive(
            "above the threshold the least loss is below that of U = 0, even at the prior's variance",
            zeta[1] ** 2 - least_mode_loss(zeta[1], eta_enc),
            {zeta[1]: root_water * (1 + margin)},
        ),
    )


# -------------------------------------------------------------------------------------------- verdicts
def squared_output(instance: Instance, *, learned: bool) -> Expr:
    """E|U z|^2 at the minimum of Theorem 2 (Sigma learned) or of Theorem 1 (sigma_i = eta_enc)."""
    total = sympy.S.Zero
    for a, b in mode_values(EQUATION_17_18 if learned else EQUATION_10, instance) or ():
        variance = instance.value(best_variance(a**2)) if learned else instance.eta_enc**2
        total += a**2 * (b**2 + variance)
    return tidy(total)


@lru_cache(maxsize=1)
def _minima() -> tuple[tuple[Instance, bool, Expr], ...]:
    return tuple(
        (instance, learned, squared_output(instance, learned=learned))
        for learned, chosen in ((True, instances()), (False, prior_instances()))
        for instance in chosen
    )


def is_constant_when_collapsed(formula: Basic) -> Decision:
    """Judge a Boolean of zeta_1 and of the output at a global minimum, Sigma being learned or the prior's."""
    for instance, learned, value in _minima():
        stated = instance.value(formula.subs(output, value))
        if stated != sympy.true:
            kind = "Sigma is learned" if learned else "sigma_i = eta_enc"
            return refuted(
                instance.named(learned=learned), f"{kind}; E|U z|^2 = {value}, and the statement is {stated}"
            )
    steps = list(output_steps())
    some = Symbol("some_output", positive=True)
    for name, first, value in (
        ("above the threshold", root_water * (1 + margin), some),
        ("at the threshold", root_water, sympy.S.Zero),
        ("below the threshold", root_water / (1 + margin), sympy.S.Zero),
        ("zeta_1 = 0", sympy.S.Zero, sympy.S.Zero),
    ):
        steps.append(true(f"it holds {name}", formula, {zeta[1]: first, output: value}))
    return conclude(steps)


def _away_from_minima(formula: Basic) -> Decision:
    """Any point at which the posterior is the prior: W = 0, sigma_i = eta_enc, with a decoder that is not 0."""
    for instance in prior_instances():
        value = instance.eta_enc**2
        if instance.value(formula.subs(output, value)) != sympy.true:
            where = instance.named() | {"W": 0, "U": "the first unit row and column"}
            return refuted(where, f"the posterior is the prior, and yet E|U z|^2 = eta_enc^2 = {value}")
    return needed(None)


CLAIMS = (
    Claim(
        "s6.constant-output",
        "§5",
        "if collapse is complete, the decoder's mean U z does not depend on x or on the noise, at every global minimum, Sigma "
        "being learned or the prior's (without biases the constant is 0; with them it is E y)",
        printed=Statement(CONSTANT_OUTPUT, is_constant_when_collapsed),
        observable="constant_output",
        uses=("prop-1.reduction", "thm-1.minimum", "thm-2.minimum", "thm-1.complete-collapse", "prop-3.variance"),
        assumptions=(Assumption("the model is at a global minimum", _away_from_minima),),
    ),
)
