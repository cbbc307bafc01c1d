"""Steps that are decided in a case: shown as they stand, decided where the case puts them."""

import sympy
from sympy import Max, Trace, sqrt

from derivations.claim import Verdict
from derivations.notation import beta, eta_dec, i, zeta
from derivations.proof import margin, nonnegative, positive, same, true, written_out

PROVED, UNDECIDED = Verdict.PROVED, Verdict.UNDECIDED
THRESHOLD = sqrt(beta) * eta_dec


def test_a_step_shows_what_it_says_and_decides_it_in_its_case():
    gain = Max(0, zeta[i] - THRESHOLD)
    for value, kept in ((THRESHOLD * (1 + margin), margin * THRESHOLD), (THRESHOLD, 0), (THRESHOLD / 2, 0)):
        step = same("what is kept", gain, sympy.sympify(kept), {zeta[i]: value})
        assert step.verdict is PROVED
        assert "Rightarrow" in step.latex and r"\max" in step.latex and step.latex != "0 = 0"
        assert same("more is kept", gain, kept + eta_dec, {zeta[i]: value}).verdict is UNDECIDED


def test_signs_and_conditions_are_decided_in_their_case():
    excess = zeta[i] - THRESHOLD
    above, below = {zeta[i]: THRESHOLD * (1 + margin)}, {zeta[i]: THRESHOLD / (1 + margin)}
    assert positive("above", excess, above).verdict is PROVED
    assert positive("below", excess, below).verdict is nonnegative("below", excess, below).verdict is UNDECIDED
    assert true("above", excess > 0, above).verdict is true("below", excess <= 0, below).verdict is PROVED
    assert true("below", excess > 0, below).verdict is UNDECIDED
    root = sympy.Ge(sqrt(excess), 0, evaluate=False)
    assert true("a root of a negative number", root, below).verdict is UNDECIDED


def test_explicit_matrices_are_shown_and_multiplied_out():
    left, right = sympy.diag(beta, eta_dec), sympy.Matrix([[1, 2], [3, 4]])
    shown = Trace(sympy.MatMul(left, right, evaluate=False))
    step = written_out("the trace", shown, beta + 4 * eta_dec)
    assert step.verdict is PROVED and "matrix" in step.latex
    assert written_out("another", shown, beta + eta_dec).verdict is UNDECIDED
