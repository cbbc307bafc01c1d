"""Of what order the transition is in which a mode collapses: what the least loss and its derivatives in beta jump by."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial

import sympy
from sympy import Basic, Expr, Max, Piecewise, Tuple

from derivations.claim import Assumption, Claim, Decision, Statement, Step, conclude, needed, refuted
from derivations.instances import instances, is_exactly_zero, tidy
from derivations.least_loss import least_mode_loss, least_mode_steps
from derivations.linear_agreement import least_of_mode
from derivations.notation import beta, eta_dec, eta_enc, i, zeta
from derivations.proof import margin, positive, zero
from derivations.proposition_3_mode_variance import mode_objective_steps
from derivations.theorem_2_learned_variance import LEARNED

# ------------------------------------------------------------------------------------------- as stated
JUMPS = Tuple(0, 0, Piecewise((eta_dec**2 / (2 * zeta[i] ** 2), zeta[i] > 0), (0, True)))
JUMPS_AT_THE_PRIOR = Tuple(0, 0, Piecewise((eta_dec**2 / (4 * zeta[i] ** 2), zeta[i] > 0), (0, True)))
"""Of L_min, its slope and its curvature, as beta rises through the mode's threshold."""

# -------------------------------------------------------------------------------- from the definitions
EDGE = zeta[i] ** 2 / eta_dec**2
"""Beta at the threshold of mode i."""
_z = sympy.Symbol("zeta", positive=True)
_edge = EDGE.xreplace({zeta[i]: _z})
NAMES = ("L_min", "its slope in beta", "its curvature in beta")


@lru_cache(maxsize=2)
def sides(*, learned: bool) -> tuple[Expr, Expr, Expr]:
    """What mode i adds to the least L_VAE where it is active and where it is not, and what is positive where it is active."""
    active, collapsed = (
        least_of_mode(zeta[i], active=on) if learned else least_mode_loss(zeta[i], eta_enc) for on in (True, False)
    )
    (gain,) = active.atoms(Max)
    (amount,) = (part for part in gain.args if part != 0)
    return (
        active.xreplace({gain: amount}) / (2 * eta_dec**2),
        collapsed.xreplace({each: sympy.S.Zero for each in collapsed.atoms(Max)}) / (2 * eta_dec**2),
        amount,
    )


@lru_cache(maxsize=8)
def jumps(*, learned: bool) -> tuple[Expr, ...]:
    """What the mode's share of L_min and of its first two derivatives in beta are larger by above the threshold than below, at any
    beta; at the threshold these are the jumps, since all other modes' shares are smooth there."""
    active, collapsed, _ = sides(learned=learned)
    return tuple(sympy.diff(collapsed - active, beta, order) for order in range(len(NAMES)))


@lru_cache(maxsize=256)
def judged(formula: Basic, *, learned: bool) -> Decision:
    """Judge (jump of L_min, of its slope, of its curvature) as mode i <= d1 with zeta_i > 0 collapses."""
    found = _wrong(formula, learned=learned)
    if found is not None:
        return found
    _, _, amount = sides(learned=learned)
    at: dict[Basic, Expr] = {zeta[i]: _z}
    return conclude(
        [
            *(mode_objective_steps() if learned else least_mode_steps()),
            positive("below its threshold in beta the mode is active", amount, at | {beta: _edge / (1 + margin) ** 2}),
            positive("and above it is not", -amount, at | {beta: _edge * (1 + margin) ** 2}),
            *_jump_steps(formula, learned=learned),
        ]
    )


def _jump_steps(formula: Basic, *, learned: bool) -> Iterable[Step]:
    for name, stated, derived in zip(NAMES, formula.args, jumps(learned=learned), strict=True):
        yield zero(f"the jump of {name}", derived - stated, {beta: _edge, zeta[i]: _z})
        yield zero(f"a mode without a signal adds nothing to {name}, at any beta", stated, {zeta[i]: sympy.S.Zero})


def _wrong(formula: Basic, *, learned: bool, latents: bool = True) -> Decision | None:
    """A refutation: an exact instance with beta at the threshold of a mode that has a latent (or has none)."""
    for instance in instances():
        modes = range(1, instance.d1 + 1) if latents else range(instance.d1 + 1, len(instance.zeta) + 1)
        for k in modes:
            signal = instance.value(zeta[i], k) > 0
            at = {beta: instance.value(EDGE, k)} if signal else {beta: instance.beta}
            for name, stated, derived in zip(NAMES, formula.args, jumps(learned=learned), strict=True):
                value = instance.value(stated.xreplace(at), k)
                true = instance.value(derived.xreplace(at), k) if signal and latents else sympy.S.Zero
                if not is_exactly_zero(value - true):
                    where = instance.named(learned=True) | {"beta": at[beta], "i": k}
                    return refuted(where, f"{name} jumps by {tidy(true)}, the formula gives {tidy(value)}")
    return None


# ------------------------------------------------------------------------------ without the assumptions
def judged_where(formula: Basic, *, learned: bool, latents: bool = True) -> Decision:
    """Judge the formula for the other kind of Sigma, or for modes beyond the last latent, which never were active."""
    return needed(_wrong(formula, learned=learned, latents=latents))


def _claim(name: str, sigma_is: str, learned: bool, formula: Basic, uses: tuple[str, ...], observable: str) -> Claim:
    return Claim(
        name,
        "beyond the paper: the order of the transition",
        f"{sigma_is}, as beta rises through zeta_i^2/eta_dec^2, i <= d1, L_min and its slope are continuous and its curvature "
        "jumps up (modes with the same zeta_i add up): a transition of second order",
        printed=Statement(formula, partial(judged, learned=learned)),
        observable=observable,
        uses=uses,
        assumptions=(
            Assumption(LEARNED if learned else "sigma_i = eta_enc", partial(judged_where, learned=not learned)),
            Assumption("i <= d1", partial(judged_where, learned=learned, latents=False)),
        ),
    )


CLAIMS = (
    _claim("x.transition-order", "with a learned Sigma", True, JUMPS, ("prop-3.variance", "s5.linear-agreement"), "transition"),
    _claim(
        "x.transition-order-prior",
        "with sigma_i = eta_enc",
        False,
        JUMPS_AT_THE_PRIOR,
        ("thm-1.minimum", "cor-1.profile"),
        "transition_at_prior",
    ),
)  # fmt: skip
