"""The origin with a learned Sigma: its Hessian written out, and what is not always true there."""

import pytest
import sympy
from sympy import Eq, Ge, Lt

from derivations import origin_learned
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
