"""The inequalities that proofs rest on are the sharp ones: each is an equation where the distance to its edge is 0.

One that holds with room to spare is mostly one that says too little: a sum where a difference was meant, or half a regime.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import combinations

import pytest
import sympy
from sympy import Basic, Expr
from watched_proofs import prove_watching

from derivations.notation import i, zeta
from derivations.proof import margin, resolved

PROVED = (
    "prop-2.minimum", "s4.1.eigenvalue", "thm-1.minimum", "thm-1.complete-collapse", "cor-1.profile", "cor-1.constant",
    "eq-13.reduced", "prop-3.variance", "thm-2.minimum", "thm-2.rotation", "thm-2.variance", "thm-2.extra-latents", "s4.4.tight",
    "x.decoder-variance-exact", "thm-3.hessian", "thm-3.no-middle", "thm-3.saddle", "thm-3.hessian-learned",
    "app-c.input-variance", "s5.linear-agreement", "s6.constant-output",
)  # fmt: skip
DISTANCES = {
    "margin", "short", "delta", "delta_2", "delta_a", "delta_b", "rise", "fall", "drop", "m", "lambda_squared",
}  # fmt: skip
"""Names of what is measured from an edge, in the proofs' own letters."""

ROOM = (
    "and rises where zeta = 0",
    "a mode's profile is strictly convex in lambda^2 where zeta > 0",
    "the loss is convex in each variance",
    "and is curved upwards in it",
    "sigma_i lies on its side of the edge (zeta = 0)",
    "it is positive",
    "never more than beta s (without signal)",
    "a piece that does not rise is nowhere positive",
    "nor is it with R = 0",
    "with R = 0 it is positive from the start",
    "an active mode costs more the larger E sigma^2 is",
    "and so does a collapsed one: sigma = 1 is best",
    "and where Z g = 0 (0, g a^T) does, with c: both are positive",
)
"""Signs of what is not near 0: the second derivative of a strictly convex function, the edge itself where no signal is, and what is
positive throughout."""


@cache
def signs_of(name: str) -> tuple[tuple[str, Expr], ...]:
    """What is shown to be nonnegative or positive in the proof of a claim's standing statement."""
    found = []

    def hear(text: str, statement: Basic, answer: bool | None, case: Mapping[Basic, Expr] | None) -> None:
        if isinstance(statement, sympy.Ge | sympy.Gt) and statement.rhs == 0:
            found.append((text, resolved(statement.lhs.xreplace(dict(case or {})))))

    prove_watching(name, "_decided", hear)
    return tuple(found)


def is_sharp(expression: Expr) -> bool:
    """Whether an expression vanishes where one or two distances do."""
    distances = [symbol for symbol in expression.free_symbols if symbol.name in DISTANCES]
    ends = [dict.fromkeys(some, sympy.S.Zero) for size in (0, 1, 2) for some in combinations(distances, size)]
    return any(sympy.simplify(expression.subs(end)) == 0 for end in ends)


@pytest.mark.parametrize("name", PROVED)
def test_the_signs_of_a_proof_are_sharp(name: str) -> None:
    assert signs_of(name)
    assert [text for text, expression in signs_of(name) if text not in ROOM and not is_sharp(expression)] == []


def test_only_what_is_not_near_0_has_room() -> None:
    found = {text: expression for name in PROVED for text, expression in signs_of(name)}
    assert [text for text in ROOM if is_sharp(found[text])] == []


@pytest.mark.parametrize(("text", "sharp"), [("1 - 1/(1 + rise)", True), ("1 + 1/(1 + rise)", False), ("a*m", True)])
def test_sharp_and_blunt(text: str, sharp: bool) -> None:
    assert is_sharp(sympy.sympify(text)) == sharp


def test_a_mode_below_its_threshold_is_compared_up_to_it() -> None:
    """At the threshold the mode's cost rises from lambda = 0 with slope 0, and with a positive one any distance below it."""
    (found,) = (text for text in signs_of("cor-1.profile") if text[0].startswith("at or below the threshold it costs"))
    letters = {symbol.name: symbol for symbol in found[1].free_symbols}
    slope = sympy.diff(found[1], letters["lambda_squared"]).subs(letters["lambda_squared"], 0)
    assert sympy.simplify(slope.subs(letters["short"], 0)) == 0
    assert sympy.simplify(slope.subs(letters["short"], 1)).is_positive


def test_a_negative_direction_at_the_origin_lowers_the_loss_strictly() -> None:
    strict = []

    def hear(text: str, statement: Basic, answer: bool | None, case: Mapping[Basic, Expr] | None) -> None:
        if text.startswith("a negative direction lowers the loss"):
            strict.append(isinstance(statement, sympy.Gt))

    prove_watching("thm-3.no-middle", "_decided", hear)
    assert strict == [True]


def test_modes_of_any_two_sizes_are_compared_at_the_origin() -> None:
    """A quarter of the determinants' difference is zeta_1^2 - zeta_2^2 for latents alike: 9 - 4 for (3, 2), 9 - 1 for (3, 1)."""
    (found,) = (expression for text, expression in signs_of("thm-3.no-middle") if "no smaller determinant" in text)
    letters = {symbol.name: symbol for symbol in found.free_symbols}
    alike = found.subs(letters["rise"], 0)
    for fall, smaller in ((1, 2), (2, 1)):
        difference = alike.subs(letters["fall"], fall) - ((smaller + fall) ** 2 - smaller**2)
        assert sympy.solve(difference, margin) == [smaller]


@pytest.mark.parametrize("name", [*PROVED, "prop-2.rotation", "thm-2.rotation", "thm-1.collapsed-latents"])
def test_a_case_is_what_it_is_called(name: str) -> None:
    """Every threshold is 1 where every symbol is: zeta_i is above, at or below it as the step says."""
    places = {"above": lambda value: value > 1, "at": lambda value: value == 1, "below": lambda value: 0 < value < 1}
    heard: list[tuple[str, str, Expr]] = []

    def hear(text: str, statement: Basic, answer: bool | None, case: Mapping[Basic, Expr] | None) -> None:
        called = re.search(r"\((above|at|below) the threshold\)", text)
        if called and case is not None and zeta[i] in case:
            heard.append((text, called.group(1), case[zeta[i]]))

    prove_watching(name, "_decided", hear)
    for text, place, value in heard:
        entries = {entry: sympy.S.One for entry in value.atoms(sympy.Indexed)}
        number = value.xreplace(entries).subs(dict.fromkeys(value.xreplace(entries).free_symbols, 1))
        assert places[place](number), (text, value)
    assert heard or name not in ("prop-2.minimum", "prop-2.rotation", "thm-2.minimum", "thm-1.collapsed-latents")
