"""The origin: its Hessian written out, and what is not always true there, of a fixed Sigma and of a learned one."""

import numpy as np
import pytest
import sympy
from sympy import Eq, Equivalent, Ge, Gt, Implies, Le, Lt, Rational

from derivations import origin_learned, saddle, theorem_3_origin
from derivations.claim import Verdict
from derivations.ledger import claims_by_id
from derivations.notation import beta, eta_dec, eta_enc
from derivations.theorem_3_origin import gap, smallest_eigenvalue


def test_the_verdict():
    claim = claims_by_id()["thm-3.hessian-learned"]
    found = claim.standing.decide(claim.standing.formula)
    assert found.verdict is Verdict.PROVED and "conditional" not in found.scope


@pytest.mark.parametrize("wrong", [Ge(smallest_eigenvalue, 0), Eq(gap, 0), Lt(gap, 0)])
def test_what_the_origin_of_a_learned_sigma_is_not_always(wrong):
    assert origin_learned.relates_hessian_and_minimum(wrong).verdict is Verdict.REFUTED


def test_the_origin_of_a_learned_sigma_in_one_mode():
    """2 eta_dec^2 L_VAE of one mode written out, in u, v and s."""
    u, v, s, z, c, eta = sympy.symbols("u v s z c eta", positive=True)
    loss = (u * v - z) ** 2 + s**2 * u**2 + c * v**2 + c * eta**2 * (s**2 / eta**2 - 1 - 2 * sympy.log(s / eta))
    origin = {u: 0, v: 0, s: eta}
    assert [sympy.diff(loss, x).subs(origin) for x in (u, v, s)] == [0, 0, 0]
    form = sympy.hessian(loss, (u, v, s)).subs(origin)
    assert form == sympy.Matrix([[2 * eta**2, -2 * z, 0], [-2 * z, 2 * c, 0], [0, 0, 4 * c]])
    stated = origin_learned.variance_curvature().subs(eta_dec, sympy.sqrt(c / beta) * eta_enc)
    assert sympy.simplify(stated - 4 * c) == 0


SMALL = Rational(1, 10**3)


@pytest.mark.parametrize("judged", [theorem_3_origin, origin_learned])
@pytest.mark.parametrize(
    "wrong",
    [
        Equivalent(Eq(gap, 0), Ge(smallest_eigenvalue, -SMALL)),
        Equivalent(Eq(gap, 0), Gt(smallest_eigenvalue, -SMALL)),
        Implies(Lt(smallest_eigenvalue, 0), Lt(gap, -SMALL)),
        Implies(Lt(smallest_eigenvalue, 0), Lt(smallest_eigenvalue, -SMALL)),
        Implies(Lt(smallest_eigenvalue, 0), Le(gap, smallest_eigenvalue * SMALL)),
    ],
)
def test_a_little_above_the_threshold_there_is_a_little_curvature_and_less_of_a_gap(judged, wrong):
    assert judged.relates_hessian_and_minimum(wrong).verdict is Verdict.REFUTED


def test_what_signs_do_not_tell_is_not_decided():
    true_of_more_than_signs = Gt(saddle.largest_eigenvalue + smallest_eigenvalue, 0)
    assert saddle.relates_saddle_and_minimum(true_of_more_than_signs).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("zeta", "sigma", "c"), [((3, 1), (1, 2), 1), ((1, 1), (3, 1), 2), ((2, 0), (1, 1), 5)])
def test_the_extreme_eigenvalues(zeta, sigma, c):
    """Of |U V^T - Z|^2 + Tr(U Sigma U^T) + c |V|^2 at 0, vec U and vec V rows first: its Hessian as a matrix."""
    Z, Sigma, one = np.diag(zeta), np.diag(np.square(sigma)), np.eye(2)
    form = 2 * np.block([[np.kron(one, Sigma), -np.kron(Z, one)], [-np.kron(Z.T, one), c * np.eye(4)]])
    found = np.linalg.eigvalsh(form)
    numbers = [sympy.Integer(value) for value in (zeta[0], min(sigma), max(sigma), c)]
    assert found[0] == pytest.approx(float(theorem_3_origin.smallest_curvature(numbers[0], numbers[1], numbers[3])))
    assert found[-1] == pytest.approx(float(saddle.largest_curvature(numbers[0], numbers[2], numbers[3])))
