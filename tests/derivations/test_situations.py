"""Statements about one minimum or two: what they are judged by, and that the judgement can say no."""

import itertools
import re
from dataclasses import replace

import pytest
import sympy
from sympy import And, Eq, Equivalent, Ge, Gt, Implies, Le, Lt

from derivations.claim import Verdict
from derivations.instances import instances, is_exactly_zero
from derivations.ledger import claims_by_id
from derivations.notation import beta, d1, dstar, eta_dec, eta_enc, i, residual, sigma_sorted, zeta
from derivations.proposition_2_fixed_variance import least_loss
from derivations.ranks import rank_cases, ranks_about
from derivations.situations import (
    FIXED,
    LEARNED,
    OTHER,
    PRIOR,
    deviation,
    facts,
    lam,
    least_loss_of,
    of_kind,
    product,
    rank,
    situations,
    spread,
    substituted,
    there,
    theta,
)
from derivations.universal import Universal, _combined, placements

s = sympy.sqrt(beta) * eta_dec
one, half = sympy.S.One, sympy.Rational(1, 2)

TRUE = {
    "zero iff below": (Universal(LEARNED), Equivalent(Eq(lam[i], 0), Le(zeta[i] ** 2, beta * eta_dec**2))),
    "product of the lengths": (Universal(PRIOR), Eq(product[i], lam[i] * theta[i])),
    "balance": (Universal(PRIOR), Eq(lam[i] * eta_enc**2, theta[i] * s)),
    "in order": (Universal(LEARNED), Le(product[i + 1], product[i])),
    "as many modes as the rank": (Universal(FIXED), Equivalent(Ge(rank, i), Gt(product[i], 0))),
    "no more modes than latents": (Universal(LEARNED), And(Le(rank, d1), Implies(Eq(product[i], 0), Lt(rank, d1)))),
    "no more modes than the data have": (Universal(FIXED), Le(rank, dstar)),
    "prior's deviation": (Universal(PRIOR), Eq(deviation[i], eta_enc)),
    "more level, less model": (
        Universal(LEARNED, "beta and eta_dec"),
        Implies(Le(s, there(s)), Le(there(product[i]), product[i])),
    ),
}
FALSE = {
    "strict at the threshold": (Universal(LEARNED), Implies(Le(beta * eta_dec**2, zeta[i] ** 2), Gt(lam[i], 0))),
    "other branch": (Universal(PRIOR), Eq(theta[i] * eta_enc**2, lam[i] * s)),
    "out of order": (Universal(LEARNED), Lt(product[i + 1], product[i])),
    "one kind for the other": (Universal(FIXED), Eq(deviation[i], eta_enc)),
    "one mode more than the rank": (Universal(FIXED), Equivalent(Gt(rank, i), Gt(product[i], 0))),
    "full rank": (Universal(LEARNED), Eq(rank, d1)),
    "fewer modes than the data have": (Universal(FIXED), Lt(rank, dstar)),
    "sign of the change": (
        Universal(LEARNED, "beta and eta_dec"),
        Implies(Le(s, there(s)), Le(product[i], there(product[i]))),
    ),
    "everywhere": (Universal(PRIOR, "beta, eta_dec and eta_enc"), Eq(eta_enc, there(eta_enc))),
}


@pytest.mark.parametrize("name", TRUE)
def test_proves_what_holds_in_every_situation(name: str) -> None:
    question, formula = TRUE[name]
    decision = question(formula)
    assert decision.verdict is Verdict.PROVED, decision
    assert decision.steps


@pytest.mark.parametrize("name", FALSE)
def test_refutes_by_an_exact_situation(name: str) -> None:
    question, formula = FALSE[name]
    decision = question(formula)
    assert decision.verdict is Verdict.REFUTED
    assert decision.witness is not None and "zeta" in dict(decision.witness.values)


def test_undecided_where_no_case_shows_it() -> None:
    """True at every exact situation, but no consequence of the cases: nothing is called proved."""
    unlikely = sympy.Ne(beta, sympy.pi)
    assert Universal(PRIOR)(unlikely).verdict is Verdict.UNDECIDED


def test_a_rank_that_does_not_go_by_the_modes_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deliberate break: the rank is one less than it is."""
    question, formula = TRUE["as many modes as the rank"]
    right = Universal._ranks
    monkeypatch.setattr(
        Universal,
        "_ranks",
        lambda *asked: ((how, {**ranks, rank: ranks[rank] - 1}) for how, ranks in right(*asked)),
    )
    assert question(formula).verdict is Verdict.UNDECIDED


def test_the_low_rank_of_the_learned_model_counted() -> None:
    """Typed once more, by numbers: as many positive signs as U V^T has singular values that are not 0."""
    formula, seen = claims_by_id()["thm-1.low-rank"].printed.formula, set()
    for situation in situations(PRIOR, PRIOR, "nothing"):
        here = situation.here
        level = float(here.beta) ** 0.5 * float(here.eta_dec)
        signs = [float(value) - level > 1e-9 for value in here.zeta][: here.d1]
        known = facts(here, PRIOR, frozenset({rank}))[rank]
        assert sum(signs) == known and situation.value(formula, here.d1) == sympy.true
        seen.add((known < here.d1, known == 0))
    assert seen == {(False, False), (True, False), (True, True)}


def test_closed_forms_are_put_in_for_here_and_there() -> None:
    formula = substituted(Lt(lam[i], there(lam[i])), PRIOR, LEARNED)
    assert formula.lhs == claims_by_id()["thm-1.minimum"].standing.formula.args[0]
    assert formula.rhs == there(claims_by_id()["thm-2.minimum"].standing.formula.args[0])
    assert zeta[i] in formula.rhs.atoms(sympy.Indexed) and beta not in formula.rhs.free_symbols


@pytest.mark.parametrize("kind", [FIXED, PRIOR, LEARNED])
def test_facts_are_those_of_the_minimum_and_in_order(kind: str) -> None:
    for situation in situations(kind, kind, "nothing")[:30]:
        known = facts(situation.here, kind, frozenset({lam, theta, product}))
        products, beyond = known[product]
        assert len(products) == situation.here.d1 and beyond == 0
        assert all(a >= b >= 0 for a, b in zip(products, (*products[1:], 0), strict=True))
        assert all(
            sympy.simplify(p - a * b) == 0 for p, a, b in zip(products, known[lam][0], known[theta][0], strict=True)
        )


def test_the_other_symbols_keep_the_signs() -> None:
    assert OTHER[beta].is_positive and OTHER[lam][i].is_nonnegative and OTHER[sigma_sorted][i].is_positive


def test_placements_cover_every_order_of_two_numbers() -> None:
    """Among landmarks 1/2 and 1 two numbers have 25 + 6 placements: 5 x 5 cells, and three orders within each open one."""
    found = list(placements((half, one), 2))
    assert len({name for name, _ in found}) == len(found) == 25 + 2 * 3
    p, q = sympy.symbols("p q", positive=True)
    at = {p: sympy.Rational(1, 3), q: sympy.Rational(2, 7)}
    orders = set()
    for _, (here, away) in found:
        a, b = sympy.sympify(here).subs(at), sympy.sympify(away).subs(at)
        cell = (a < half, a == half, a < one, a == one, b < half, b == half, b < one, b == one, a < b, a == b)
        orders.add(cell)
    assert len(orders) == len(found)


def test_rank_cases_are_consistent() -> None:
    """Each case has the order that its name tells."""
    from derivations.notation import d0, d1, dstar
    from derivations.situations import rank, rank_of_Z

    sizes = {"d1": d1, "rank Z": rank_of_Z, "dstar": dstar, "d0": d0, "d2": dstar}  # where d0 > d2, dstar is d2
    for name, case in rank_cases():
        for chain in name.split(", "):
            parts = re.split(" (<=|<|=|>) ", chain)
            for left, sign, right in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
                difference = sympy.expand(case[sizes[left]] - case[sizes[right]])
                if sign in ("<", ">"):
                    assert getattr(difference, "is_negative" if sign == "<" else "is_positive"), (name, chain)
                else:
                    assert difference == 0, (name, chain)
        free = sorted({symbol for value in case.values() for symbol in sympy.sympify(value).free_symbols}, key=str)
        values = {
            key: sympy.sympify(value).subs({symbol: k + 2 for k, symbol in enumerate(free)})
            for key, value in case.items()
        }
        assert values[OTHER[rank]] == min(values[d1], values[rank_of_Z]) and values[rank_of_Z] <= values[dstar]


@pytest.mark.parametrize("alive", [True, False])
def test_the_cases_about_a_latent_are_all_there_are(alive: bool) -> None:
    """Counted up to 4: the values with i <= d1, rank <= min(d1, dstar), and rank >= i iff the mode is alive."""
    found, few = set(), range(5)
    for _, case in ranks_about(alive, True, not alive):
        symbols = sorted(set().union(*(sympy.sympify(value).free_symbols for value in case.values())), key=str)
        for numbers in itertools.product(few, repeat=len(symbols)):
            at = dict(zip(symbols, numbers, strict=True))
            found.add((at[i], *(int(sympy.sympify(case[size]).subs(at)) for size in (rank, d1, dstar))))
    possible = {
        (k, size, latents, modes)
        for k, size, latents, modes in itertools.product(few, repeat=4)
        if 1 <= k <= latents and 1 <= modes and size <= min(latents, modes) and (size >= k) is alive
    }
    within = {case for case in found if 1 <= case[0] and all(0 <= n < 5 for n in case) and case[3] >= 1}
    assert within == possible


@pytest.mark.parametrize("alive", [True, False])
def test_a_case_about_a_latent_has_the_order_that_its_name_tells(alive: bool) -> None:
    signs = {"<": "is_negative", "<=": "is_nonpositive", "=": "is_zero"}
    checked = 0
    for name, case in ranks_about(alive, True, not alive):
        sizes = {"i": i, "rank": case[rank], "d1": case[d1], "dstar": case[dstar]}
        parts = re.split(" (<=|<|=) ", name.removeprefix(", "))
        for left, sign, right in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
            assert getattr(sympy.expand(sizes[left] - sizes[right]), signs[sign]), (name, left, right)
            checked += 1
    assert checked > 8


@pytest.mark.parametrize("alive", [True, False])
def test_without_data_the_cases_about_a_latent_are_all_there_are(alive: bool) -> None:
    found, few = set(), range(6)
    for _, case in ranks_about(alive, False, False):
        symbols = sorted(set().union(*(value.free_symbols for value in case.values())), key=str)
        for numbers in itertools.product(few, repeat=len(symbols)):
            at = dict(zip(symbols, numbers, strict=True))
            found.add((at[i], *(int(case[size].subs(at)) for size in (rank, d1))))
    possible = {
        (k, size, latents)
        for k, size, latents in itertools.product(few, repeat=3)
        if 1 <= k <= latents and size <= latents and (size >= k) is alive
    }
    assert {case for case in found if 1 <= case[0] and all(0 <= n < 6 for n in case)} == possible


def test_the_spread_has_signal_on_both_sides_of_every_level() -> None:
    assert any(z > instance.beta**half * instance.eta_dec for instance in spread() for z in instance.zeta)
    assert any(z == 0 for instance in spread() for z in instance.zeta)


def test_a_broken_closed_form_is_noticed() -> None:
    """With the wrong kind's closed form the same sentence falls."""
    sentence = And(Le(lam[i], zeta[i] / eta_enc), Le(theta[i], eta_enc))
    assert Universal(LEARNED)(sentence).verdict is Verdict.PROVED
    assert Universal(PRIOR)(sentence).verdict is Verdict.REFUTED


@pytest.mark.parametrize("kind", [FIXED, PRIOR])
def test_the_least_loss_is_that_of_proposition_2_and_the_cost_of_the_variances(kind: str) -> None:
    for instance in instances()[:40]:
        of = of_kind(instance, kind)
        stated = of.value(least_loss_of(kind), None, {residual: of.residual})
        ratios = [(s / of.eta_enc) ** 2 for s in of.sigma]
        cost = of.beta * of.eta_dec**2 * sum(ratio - 1 - sympy.log(ratio) for ratio in ratios)
        assert is_exactly_zero(2 * of.eta_dec**2 * stated - least_loss(of) - of.residual - cost), instance


def test_the_least_loss_of_a_learned_sigma_is_that_of_a_fixed_one_where_that_is_best() -> None:
    """Standard deviations: eta_enc sqrt(beta) eta_dec/zeta_i where a mode is active, and eta_enc elsewhere."""
    for instance in instances()[:40]:
        level = sympy.sqrt(instance.beta) * instance.eta_dec
        active = [k < len(instance.zeta) and instance.zeta[k] > level for k in range(instance.d1)]
        best = tuple(instance.eta_enc * (level / instance.zeta[k] if active[k] else 1) for k in range(instance.d1))
        learned, fixed = (
            of.value(least_loss_of(kind), None, {residual: instance.residual})
            for of, kind in ((instance, LEARNED), (replace(instance, sigma=best), FIXED))
        )
        assert is_exactly_zero(learned - fixed), instance


def test_what_follows_a_mode_may_be_as_near_to_it_or_to_0_as_one_likes() -> None:
    following = dict(Universal(PRIOR)._next_modes(Lt(zeta[i + 1], 1)))
    names = {name.rsplit(" ", 1)[-1]: entries[zeta[i + 1]] / zeta[i] for name, entries in following.items()}
    assert names["large"] == 1 and names["0"] == 0
    (share,) = names["less"].free_symbols
    assert [sympy.limit(names["less"], share, end) for end in (0, sympy.oo)] == [1, 0]


@pytest.mark.parametrize("given", [True, False, None])
@pytest.mark.parametrize("then", [True, False, None])
def test_an_implication_is_as_true_as_its_parts_tell(given: bool | None, then: bool | None) -> None:
    p, q = sympy.symbols("p q")
    truth = {p: given, q: then}.__getitem__
    expected = True if given is False or then is True else False if given is True and then is False else None
    assert _combined(Implies(p, q), truth) is expected
    assert _combined(sympy.Not(Implies(p, q)), truth) is (None if expected is None else not expected)
