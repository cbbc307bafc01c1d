"""Pairs of minima in float64, one row a pair: what the symbols of a statement stand for there."""

from types import SimpleNamespace

import numpy as np
import pytest
from sympy import Ge, Symbol, Tuple

from derivations.notation import beta, i
from derivations.situations import OTHER, PRIOR, diverges, lam, rank
from derivations.universal import Universal
from numerics.layers.exact import ExactLayer
from numerics.layers.floating import FloatLayer
from numerics.observables.situations import MINIMA, _column, _joint, _stacked
from numerics.pairs import pairs

QUESTION = Universal(PRIOR, "beta and eta_dec")
LAYERS = (ExactLayer(0), FloatLayer(0))


def test_sequences_are_brought_to_one_length_by_their_last_entry() -> None:
    both = [tuple(SimpleNamespace(d1=latents) for latents in pair) for pair in ((3, 2), (1, 4))]
    assert _column([np.array([3, 2, 1]), np.array([5, 4])], both).tolist() == [[3, 2, 1], [5, 4, 4]]
    assert _column([1, 2.5], both).tolist() == [1, 2.5]
    assert _column([True, False], both).dtype == bool
    assert _column([None, None], both) is _column([np.eye(2), np.eye(3)], both) is None


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_row_says_what_is_said_of_the_pair_alone(layer: ExactLayer | FloatLayer) -> None:
    unknown = Symbol("unknown")
    formula = Tuple(Ge(lam[i], OTHER[lam][i]), Ge(rank, OTHER[rank]), beta, OTHER[beta], unknown)
    both = pairs(layer, PRIOR, PRIOR, QUESTION.change)
    stacked = _stacked(layer, QUESTION, both, formula)
    assert unknown not in stacked and {lam, OTHER[lam], rank, OTHER[rank], beta, OTHER[beta], i} == stacked.keys()
    for row, (here, there) in enumerate(both):
        joint = _joint(layer, here, there, QUESTION, formula)
        assert joint.keys() == stacked.keys()
        assert joint[beta] == here.beta and joint[OTHER[beta]] == there.beta
        for symbol, value in joint.items():
            entries = np.atleast_1d(np.asarray(value, dtype=np.float64))
            assert stacked[symbol][row][: len(entries)] == pytest.approx(entries)
            assert np.ndim(value) == 0 or len(entries) == min(here.d1, there.d1) + 1


def test_the_minima_of_pairs_are_those_asked_for_and_more_where_something_diverges() -> None:
    layer = LAYERS[1]
    wanted = [problem for pair in pairs(layer, PRIOR, PRIOR, QUESTION.change) for problem in pair]
    found = MINIMA[QUESTION.observable](layer, Ge(rank, OTHER[rank]))
    assert [id(problem) for problem in found] == [id(problem) for problem in wanted]
    more = MINIMA[QUESTION.observable](layer, diverges)
    assert [id(problem) for problem in more[: len(found)]] == [id(problem) for problem in found] and more[len(found) :]
