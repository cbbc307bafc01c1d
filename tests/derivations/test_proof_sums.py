"""Equality of sums over the latents: term by term, and in any order only where the order does not matter."""

import pytest
from sympy import Integer, Piecewise, Sum, log

from derivations.claim import Verdict
from derivations.notation import beta, d1, dstar, eta_enc, i, sigma, sigma_sorted, zeta
from derivations.proof import sums_equal

PROVED, UNDECIDED = Verdict.PROVED, Verdict.UNDECIDED
ALL, REST = (i, 1, d1), (i, d1 + 1, dstar)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Sum(zeta[i] ** 2 - 1, ALL), Sum((zeta[i] - 1) * (zeta[i] + 1), ALL)),
        (beta / 2 * Sum(sigma[i], ALL), Sum(beta * sigma[i] / 2, ALL)),
        (Sum(sigma_sorted[i] ** 2, ALL), Sum(sigma[i] ** 2, ALL)),
        (Sum(log(sigma_sorted[i] ** 2 / eta_enc**2), ALL), Sum(2 * log(sigma[i]) - 2 * log(eta_enc), ALL)),
        (Sum(zeta[i], ALL) + Sum(zeta[i], REST) + beta, beta + Sum(zeta[i], REST) + Sum(zeta[i], ALL)),
        (Sum(sigma_sorted[i] + zeta[i], ALL), Sum(sigma[i] + zeta[i], ALL)),
    ],
    ids=str,
)
def test_sums_that_agree_term_by_term_are_equal(left, right):
    assert sums_equal("sums", left, right).verdict is PROVED


def test_sums_that_are_equal_in_a_case_are_equal_in_that_case_alone():
    left, right = beta * Sum(zeta[i], ALL), Sum(4 * zeta[i], ALL)
    assert sums_equal("sums", left, right, {beta: Integer(4)}).verdict is PROVED
    assert sums_equal("sums", left, right, {beta: Integer(5)}).verdict is UNDECIDED
    assert sums_equal("sums", left, right).verdict is UNDECIDED


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Sum(zeta[i], ALL), Sum(2 * zeta[i], ALL)),
        (Sum(zeta[i], ALL), Sum(zeta[i], (i, 2, d1))),
        (Sum(zeta[i], ALL), Sum(zeta[i], ALL) + beta),
        (Sum(zeta[i], ALL), Sum(zeta[i + 1], ALL)),
        (Sum(zeta[i] * sigma[i], ALL), Sum(zeta[i] * sigma_sorted[i], ALL)),
        (Sum(sigma[i], REST), Sum(sigma_sorted[i], REST)),
    ],
    ids=str,
)
def test_sums_that_differ_are_not_called_equal(left, right):
    assert sums_equal("sums", left, right).verdict is UNDECIDED


@pytest.mark.parametrize(
    ("summand", "at_2_1", "at_1_2"),
    [
        (lambda s: i * s[i], 4, 5),
        (lambda s: s[i] * s[i + 1], 2 + 1 * 7, 2 + 2 * 7),
        (lambda s: s[i + 1], 1 + 7, 2 + 7),
        (lambda s: s[1], 4, 2),
        (lambda s: Piecewise((s[i], i < 2), (0, True)), 2, 1),
    ],
    ids=["weighted by the index", "neighbours", "shifted", "one place", "chosen by the index"],
)
def test_the_order_of_the_latents_is_kept_where_the_sum_depends_on_it(summand, at_2_1, at_1_2):
    """Two latents, eta_enc = 7 beyond them: the sorted and the unsorted sum differ at sigma = (2, 1)."""
    assert at_2_1 != at_1_2
    assert sums_equal("sums", Sum(summand(sigma_sorted), ALL), Sum(summand(sigma), ALL)).verdict is UNDECIDED


def test_an_index_outside_a_sum_is_not_the_bound_one():
    outside, inside = sigma[i] * Sum(zeta[i], ALL), Sum(sigma[i] * zeta[i], ALL)
    assert sums_equal("sums", outside, inside).verdict is UNDECIDED
