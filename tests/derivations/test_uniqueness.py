"""Uniqueness of the singular values of a minimum: the steps fail for other lengths, and plain fractions agree with them."""

from fractions import Fraction
from itertools import pairwise, permutations

import pytest
from sympy import Symbol, Tuple, expand, simplify
from watched_proofs import prove_watching

from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from derivations.notation import eta_enc
from derivations.proposition_2_fixed_variance import REGIMES, regimes
from derivations.theorem_1_prior_variance import EQUATION_10
from derivations.uniqueness import _c, _s, _square, _z, strictness_steps, unique_length_steps

LAM, THETA = EQUATION_10.args
CASES = [(name, case, eta_enc, name == REGIMES[0]) for name, case in zip(REGIMES, regimes(eta_enc), strict=True)]
PLACES = [Fraction(k, 8) for k in range(60)]


def unproved(formula: Tuple) -> list[str]:
    return [step.text for step in unique_length_steps(formula, CASES) if step.verdict is not Verdict.PROVED]


def test_only_the_lengths_of_theorem_1_pass():
    assert unproved(EQUATION_10) == []
    assert any("lambda^2 is stationary" in text for text in unproved(Tuple(2 * LAM, THETA)))
    assert any("where the profile does not fall" in text for text in unproved(Tuple(LAM + eta_enc, THETA)))
    assert all("c theta^2" in text for text in unproved(Tuple(LAM, 2 * THETA))) and unproved(Tuple(LAM, 2 * THETA))
    assert all(step.verdict is Verdict.PROVED for step in strictness_steps())


@pytest.mark.parametrize("name", ["prop-2.minimum", "thm-1.minimum", "thm-2.minimum"])
def test_all_three_say_every_minimum(name):
    claim = claims_by_id()[name]
    texts = [step.text for step in claim.standing.decide(claim.standing.formula).steps]
    assert "every global minimum" in claim.title
    assert any("strictly convex" in text for text in texts) and any("exchanging lowers" in text for text in texts)


@pytest.mark.parametrize("zeta", [Fraction(0), Fraction(1), Fraction(3, 2), Fraction(4)])
@pytest.mark.parametrize(("root", "sigma"), [(Fraction(1), Fraction(1)), (Fraction(1, 2), Fraction(3))])
def test_a_mode_has_one_best_length(zeta, root, sigma):
    """zeta^2 c/(x + c) + x sigma^2, c = root^2, falls to its only minimum at root (zeta - sigma root)/sigma, or 0, and rises."""
    c = root**2
    best = max(Fraction(0), root * (zeta - sigma * root) / sigma)

    def profile(x: Fraction) -> Fraction:
        return zeta**2 * c / (x + c) + x * sigma**2

    values = [profile(x) for x in sorted({*PLACES, best})]
    lowest = values.index(min(values))
    assert sorted({*PLACES, best})[lowest] == best and values.count(min(values)) == 1
    assert all(a > b for a, b in pairwise(values[: lowest + 1])) and all(a < b for a, b in pairwise(values[lowest:]))


def test_the_least_trace_has_the_products_of_the_sorted_order():
    """With ties several orders do, but they have the same products."""
    lengths, spreads = [Fraction(5), Fraction(2), Fraction(2), Fraction(0)], [Fraction(1, 3), Fraction(1), Fraction(1)]
    spreads.append(Fraction(2))
    traces = {order: sum(a * b for a, b in zip(lengths, order, strict=True)) for order in set(permutations(spreads))}
    attained = [order for order, trace in traces.items() if trace == min(traces.values())]
    assert {tuple(sorted(a * b for a, b in zip(lengths, order, strict=True))) for order in attained} == {
        tuple(sorted(a * b for a, b in zip(lengths, sorted(spreads), strict=True)))
    }
    assert len(traces) > len(attained)


def test_the_steps_are_strict_and_about_what_they_name():
    """The second derivative of z^2 c/(x + c) + x s^2, its slope where z = 0, and what exchanging two pairs changes in the trace."""
    shown = {}
    prove_watching("thm-1.minimum", "_decided", lambda text, formula, answer, case: shown.setdefault(text, formula))
    parts = ("strictly convex", "rises where zeta = 0", "exchanging lowers")
    convex, rising, exchanged = (next(shown[text] for text in shown if part in text) for part in parts)
    assert all(step.rel_op == ">" and step.rhs == 0 for step in (convex, rising, exchanged))
    assert simplify(convex.lhs - 2 * _z**2 * _c / (_square + _c) ** 3) == 0 and simplify(rising.lhs - _s**2) == 0
    delta_a, delta_b = (Symbol(name, positive=True) for name in ("delta_a", "delta_b"))
    assert expand(exchanged.lhs - delta_a * delta_b) == 0
