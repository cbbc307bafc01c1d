"""Whether learning the decoder's variance, or not learning it, is what makes a model collapse (§2, §4.5)."""

from __future__ import annotations

from sympy import And, Equivalent, Ge, Gt, Le, Not, Sum

from derivations.claim import Assumption, Claim, Erratum, Severity, Statement, Step
from derivations.decoder_cases import decoder_cases, first, squares
from derivations.decoder_collapse import CONDITIONS, Everywhere, collapse_steps, found_at, learned_sigma, without_signal
from derivations.decoder_instances import (
    collapse_fixed,
    collapse_learned,
    decoder_instance,
    decoder_instances,
    learned_variance,
)
from derivations.notation import beta, d2, dstar, eta_dec, i, residual, zeta
from derivations.proof import margin, true

second_moment = residual + Sum(zeta[i] ** 2, (i, 1, dstar))
"""E|y|^2."""

# ------------------------------------------------------------------------------------------ as printed
FOUR_CASES = And(
    Equivalent(collapse_fixed, Ge(beta * eta_dec**2, zeta[1] ** 2)),
    Equivalent(collapse_learned, Ge(beta * second_moment, d2 * zeta[1] ** 2)),
)
LEARNABILITY_DECIDES = And(collapse_fixed, Not(collapse_learned))
INFLUENCE = Equivalent(
    And(collapse_fixed, Not(collapse_learned)),
    And(Le(zeta[1] ** 2 / beta, eta_dec**2), Gt(zeta[1] ** 2 / beta, learned_variance)),
)

NO_EFFECT_OF_LEARNING = Equivalent(collapse_fixed, collapse_learned)

# ------------------------------------------------------------------------------------------ as corrected
BETWEEN = Equivalent(
    Equivalent(collapse_fixed, collapse_learned),
    Equivalent(Le(zeta[1] ** 2 / beta, eta_dec**2), Le(zeta[1] ** 2 / beta, learned_variance)),
)
THE_VALUE_DECIDES = And(
    Equivalent(collapse_fixed, Le(zeta[1] ** 2 / beta, eta_dec**2)),
    Equivalent(collapse_learned, Le(zeta[1] ** 2 / beta, learned_variance)),
)


# ---------------------------------------------------------------------------------- what else the steps say
def four_steps() -> tuple[Step, ...]:
    """Each of the four happens to every data set with Z not 0, at some beta, and to a small one."""
    data = {zeta[1]: first, squares: first**2}
    levels = {collapse_fixed: first**2 / eta_dec**2, collapse_learned: d2 * first**2 / (residual + first**2)}
    collapsing, other = decoder_instance([1], 3, 1), decoder_instance([2, 1], 0, 1)
    steps = list(collapse_steps())
    for happens, level in levels.items():
        condition = CONDITIONS[happens]
        steps += [
            true(f"at a large beta: {happens}", condition, data | {beta: level * (1 + margin)}),
            true(f"at a small one not: {happens}", Not(condition), data | {beta: level / (1 + margin)}),
            found_at(f"an instance with it: {happens}", collapsing, happens),
            found_at(f"and one without: {happens}", other, Not(happens)),
        ]
    return tuple(steps)


def influence_steps() -> tuple[Step, ...]:
    """Data that learning eta_dec frees of the collapse at a given one, and data that it makes collapse."""
    return (
        *collapse_steps(),
        found_at(
            "some data collapse at the given eta_dec and not with a learned one",
            decoder_instance([2, 1], 0, 1, eta_dec=2),
            And(collapse_fixed, Not(collapse_learned)),
        ),
        found_at(
            "and some with a learned one and not at the given eta_dec",
            decoder_instance([2], 12, 1),
            And(collapse_learned, Not(collapse_fixed)),
        ),
    )


FOUR = Everywhere(decoder_instances, decoder_cases, four_steps)
EITHER = Everywhere(decoder_instances, decoder_cases)
SWITCHED = Everywhere(decoder_instances, decoder_cases, influence_steps)
ASSUMPTIONS = (Assumption("y is not zero", Everywhere(without_signal, decoder_cases)), learned_sigma(decoder_instances))

CLAIMS = (
    Claim(
        "s2.four-cases",
        "§2, Causes of Posterior Collapse",
        "with eta_dec learned or not, complete collapse happens and does not (a loss without bound included): for all data "
        "with Z not 0, on either side of a threshold in beta",
        printed=Statement(FOUR_CASES, FOUR),
        observable="decoder_happening",
        uses=("s4.4.still-collapses", "thm-2.minimum"),
        assumptions=ASSUMPTIONS,
    ),
    Claim(
        "s4.4.no-causal-relation",
        "§4.4, and §2, Causes",
        "whether eta_dec is learned or held has no effect on complete collapse: it happens with the one iff with the other",
        printed=Statement(NO_EFFECT_OF_LEARNING, EITHER),
        corrected=Statement(BETWEEN, EITHER),
        observable="decoder_happening",
        uses=("s4.4.still-collapses", "thm-2.minimum"),
        assumptions=ASSUMPTIONS,
        erratum=Erratum(
            "eta_dec does not have a causal relation with posterior collapse",
            "it has one: learning eta_dec changes whether a model collapses completely exactly where zeta_1^2/beta lies between "
            "the eta_dec^2 that was held and the one that is learned (at the larger: collapse there, not at the smaller)",
            Severity.CONCLUSION,
        ),
    ),
    Claim(
        "s4.5.decoder-variance",
        "§4.5",
        "whether eta_dec is learned decides complete collapse: it happens if eta_dec is not learned, and not if it is",
        printed=Statement(LEARNABILITY_DECIDES, EITHER),
        corrected=Statement(THE_VALUE_DECIDES, EITHER),
        observable="decoder_happening",
        uses=("s4.4.still-collapses", "thm-2.minimum"),
        assumptions=ASSUMPTIONS,
        erratum=Erratum(
            "eta_dec being learnable or not is causally related to the posterior collapse problem",
            "what decides is the value of eta_dec^2, given or learned, by one condition, eta_dec^2 >= zeta_1^2/beta: either "
            "kind of model collapses on some data and not on others. Learning eta_dec does influence collapse, through that value "
            "(s4.5.decoder-variance-influence), against §2 and §4.4, which deny any causal relation",
            Severity.CONDITION,
        ),
    ),
    Claim(
        "s4.5.decoder-variance-influence",
        "§4.5",
        "the same sentence read as influence: for some data, exactly these, learning eta_dec instead of holding it where it is "
        "ends the complete collapse; for others it causes one",
        printed=Statement(INFLUENCE, SWITCHED),
        observable="decoder_happening",
        uses=("s4.4.still-collapses", "thm-2.minimum"),
        assumptions=ASSUMPTIONS,
    ),
)
