"""What collapses where Sigma is the prior's (§4.2): directions of latent space, which are latents only for some rotations P."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy
from sympy import And, Basic, Eq, Ge, Gt, Symbol

from derivations.claim import Assumption, Claim, Decision, Erratum, Severity, Statement, Step, conclude, needed, refuted
from derivations.instances import Instance
from derivations.least_loss import ORTHOGONAL, REDUCED
from derivations.notation import F, G, I_latent, Lambda, P, Sigma, Theta, U, V, d1, eta_enc
from derivations.proof import equal, true
from derivations.proposition_2_fixed_variance import REGIMES, regimes
from derivations.rotation_witnesses import rotations
from derivations.situations import FIXED, PRIOR, facts, rank, theta
from derivations.theorem_1_prior_variance import EQUATION_10, prior_instances

collapsed = Symbol("collapsed", integer=True, nonnegative=True)
"""How many latents have the prior's distribution whatever x is: sigma_i = eta_enc, and column i of W is 0."""
directions = Symbol("directions", integer=True, nonnegative=True)
"""The dimension of the space of directions a of latent space along which a^T z has the prior's distribution whatever x is."""

# ------------------------------------------------------------------------------------------ as printed
LATENTS_COLLAPSE = Ge(collapsed, d1 - rank)

# ------------------------------------------------------------------------------------------ as corrected
DIRECTIONS_COLLAPSE = Eq(directions, d1 - rank)

# -------------------------------------------------------------------------------- from the definitions
_s = Symbol("s", positive=True)
_rank, _collapsed, _further = sympy.symbols("R kappa further", integer=True, nonnegative=True)


@lru_cache(maxsize=1)
def rotation_steps() -> tuple[Step, ...]:
    """Every rotation of a minimum is one, and turns along with it the directions of which the encoder says nothing."""
    at_prior = REDUCED.subs(Sigma, _s**2 * I_latent)
    turned, straight = (
        at_prior.subs({U: u, V: v}) for u, v in ((F * Lambda * P, G * Theta * P), (F * Lambda, G * Theta))
    )
    return (
        equal(
            "the loss at F Lambda P, G Theta P with Sigma = s^2 I does not depend on P", turned, straight, ORTHOGONAL
        ),
        equal("turned back, the encoder is G Theta", G * Theta * P * P.T, G * Theta, ORTHOGONAL),
        equal("and the noise is as it was", P * (_s**2 * I_latent) * P.T, _s**2 * I_latent, ORTHOGONAL),
    )


def happens(instance: Instance, P: sympy.ImmutableDenseMatrix) -> dict[Basic, Basic]:
    """What collapses at the minimum with this P, from the matrix Theta P itself."""
    entries, _ = facts(instance, PRIOR, frozenset({theta}))[theta]
    encoder = sympy.diag(*entries) * P
    silent = sum(all(entry == 0 for entry in encoder.col(k)) for k in range(instance.d1))
    kept = facts(instance, PRIOR, frozenset({rank}))[rank]
    return {collapsed: sympy.Integer(silent), directions: sympy.Integer(instance.d1 - encoder.rank()), rank: kept}


@lru_cache(maxsize=1)
def count_steps() -> tuple[Step, ...]:
    """As many directions are left as U V^T has rank: theta_i is 0 exactly where lambda_i theta_i is. P does not change a rank."""
    decoder, encoder = EQUATION_10.args
    return tuple(
        true(
            f"theta_i and lambda_i theta_i are both {'positive' if kept else '0'} ({name})",
            And(relation(encoder, 0), relation(decoder * encoder, 0)),
            case,
        )
        for name, case in zip(REGIMES, regimes(eta_enc), strict=True)
        for kept in (name == REGIMES[0],)
        for relation in ((Gt if kept else Eq),)
    )


# -------------------------------------------------------------------------------------------- verdicts
def holds_at_every_minimum(formula: Basic) -> Decision:
    """Judge a Boolean of how many latents, and how many directions, collapse: does it hold at every global minimum?"""
    found = _failing(formula, instances_with_rotations())
    if found is not None:
        return found
    # the axes of collapsed latents are some of the directions, of which there are d1 less the number of theta_i that are not 0
    at = {rank: _rank, d1: _rank + _collapsed + _further, collapsed: _collapsed, directions: _collapsed + _further}
    return conclude(
        [*rotation_steps(), *count_steps(), true("so it is for any number of latents among them", formula, at)]
    )


@lru_cache(maxsize=1)
def instances_with_rotations() -> tuple[tuple[Instance, sympy.ImmutableDenseMatrix], ...]:
    """Exact instances at the prior's Sigma, each with P = I and other rotations."""
    few = sorted(prior_instances()[:20], key=lambda instance: instance.size)
    orthogonal = {
        size: [matrix for matrix in rotations(size) if matrix * matrix.T == sympy.eye(size)]
        for size in {instance.d1 for instance in few}
    }
    return tuple((instance, matrix) for instance in few for matrix in orthogonal[instance.d1])


def _failing(formula: Basic, cases: tuple[tuple[Instance, sympy.ImmutableDenseMatrix], ...]) -> Decision | None:
    for instance, matrix in cases:
        values = happens(instance, matrix)
        if instance.value(formula, None, values) != sympy.true:
            where = instance.named() | {"P": matrix.tolist()} | {str(name): value for name, value in values.items()}
            return refuted(where, "Theta P, of which the encoder is G times, has this many columns 0")
    return None


# ------------------------------------------------------------------------------ without the assumptions
def holds_at_other_variances(formula: Basic) -> Decision:
    """Judge the same where sigma_i = 2 eta_enc: no direction has the prior's variance."""
    for instance in prior_instances()[:20]:
        wider = replace(instance, sigma=tuple(2 * deviation for deviation in instance.sigma))
        kept = facts(wider, FIXED, frozenset({rank}))[rank]
        if instance.value(formula, None, {collapsed: sympy.S.Zero, directions: sympy.S.Zero, rank: kept}) != sympy.true:
            return refuted(wider.named(), f"no sigma_i is eta_enc, and the rank is {kept}")
    return needed(None)


CLAIMS = (
    Claim(
        "thm-1.collapsed-latents",
        "§4.2, after Theorem 1",
        "some of the dimensions collapse with the prior: read of latents, at least d1 - rank U V^T have its distribution, at "
        "every global minimum",
        printed=Statement(LATENTS_COLLAPSE, holds_at_every_minimum),
        corrected=Statement(DIRECTIONS_COLLAPSE, holds_at_every_minimum),
        observable="collapsed_latents",
        uses=("thm-1.minimum", "prop-2.rotation"),
        assumptions=(Assumption("sigma_i = eta_enc for all i", holds_at_other_variances),),
        erratum=Erratum(
            "some of the dimensions collapse with the prior",
            "d1 - rank U V^T directions of latent space do, and latents only where P has them along the axes: at some minima of "
            "a partly collapsed model every latent has a KL",
            Severity.CONDITION,
        ),
    ),
)
