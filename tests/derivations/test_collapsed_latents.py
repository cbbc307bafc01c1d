"""What collapses at the prior's Sigma: the proof counts the lengths of Theorem 1, and falls with others."""

import pytest
from sympy import Eq, Ge, Le, S, Tuple

from derivations import collapsed_latents as module
from derivations.claim import Verdict
from derivations.collapsed_latents import collapsed, count_steps, directions, holds_at_every_minimum, rotation_steps
from derivations.least_loss import REDUCED
from derivations.notation import F, G, Lambda, Sigma, Theta, U, V, d1, eta_enc
from derivations.situations import rank
from derivations.theorem_1_prior_variance import EQUATION_10


@pytest.mark.parametrize("wrong", [Eq(collapsed, d1 - rank), Ge(collapsed, directions), Le(directions, rank)])
def test_what_does_not_hold_at_every_minimum(wrong):
    assert holds_at_every_minimum(wrong).verdict is Verdict.REFUTED


def test_no_more_latents_collapse_than_directions():
    assert holds_at_every_minimum(Le(collapsed, directions)).verdict is Verdict.PROVED


def unproved_with(lengths: Tuple, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(module, "EQUATION_10", lengths)
    return [step.text for step in count_steps.__wrapped__() if step.verdict is not Verdict.PROVED]


def test_with_other_lengths_the_count_is_not_proved(monkeypatch: pytest.MonkeyPatch):
    decoder, encoder = EQUATION_10.args
    unproved = unproved_with(Tuple(decoder, encoder + eta_enc), monkeypatch)
    assert len(unproved) == 3 and all("both 0" in text for text in unproved)
    (unproved_without_decoder,) = unproved_with(Tuple(S.Zero, encoder), monkeypatch)
    assert "both positive" in unproved_without_decoder


def test_the_loss_is_rotated_with_the_noise_that_is():
    loss, _, noise = (step.formula for step in rotation_steps())
    assert loss.rhs == REDUCED.subs({Sigma: noise.rhs, U: F * Lambda, V: G * Theta})
