"""Parts of the reduction's proof by themselves: what depends on U or W is said to, and what a doubled Sigma changes."""

import math
import re
from fractions import Fraction

import pytest
from sympy import Rational, Trace, nan

from derivations.claim import Verdict
from derivations.instances import Instance
from derivations.ledger import claims_by_id
from derivations.notation import A, S_y, Sigma, U, W, beta, i, sigma, zeta
from derivations.proposition_1_reduction import _independent


@pytest.mark.parametrize(
    "scalar", [Trace(U.T * U), 2 * Trace(W.T * A * W), Trace(S_y) + Trace(U * Sigma * U.T)], ids=str
)
def test_what_depends_is_found(scalar):
    assert _independent("", scalar, (U, W)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("scalar", "variables"),
    [
        (Trace(S_y), (U, W)),
        (Trace(U * U.T) - Trace(U.T * U), (U, W)),
        (Trace(U.T * U), (W,)),
        (beta * Trace(A), (U,)),
    ],
    ids=str,
)
def test_what_does_not_depend_is_proved(scalar, variables):
    assert _independent("", scalar, variables).verdict is Verdict.PROVED


def test_a_doubled_sigma_changes_the_difference_by_its_variance_term():
    """beta eta_dec^2 (sigma^2/eta_enc^2 - log sigma^2) per latent, at 2 sigma less that at sigma."""
    claim = claims_by_id()["prop-1.reduction"]
    (decision,) = (
        found
        for each in claim.assumptions
        if (found := each.without(claim.standing.formula)).witness is not None and "doubled" in found.witness.failure
    )
    values = dict(decision.witness.values)
    b, dec, enc = (Fraction(values[name]) for name in ("beta", "eta_dec", "eta_enc"))
    deviations = [Fraction(number) for number in re.findall(r"\d+(?:/\d+)?", values["sigma"])]
    found = re.search(r"changes by (.*) with Sigma", decision.witness.failure)
    assert found is not None and deviations
    expected = float(b * dec**2) * sum(3 * float((s / enc) ** 2) - math.log(4) for s in deviations)
    assert eval(found[1], {"log": math.log}) == pytest.approx(expected)


def test_a_sequence_has_no_entry_before_its_first():
    instance = Instance((Rational(3), Rational(1)), (Rational(1), Rational(2)), *(Rational(1),) * 3, d0=2, d2=2)
    assert [instance.value(zeta[i - 1], k) for k in (2, 3, 4)] == [3, 1, 0]
    assert instance.value(zeta[i - 1], 1) is nan and instance.value(sigma[i - 2], 1) is nan
