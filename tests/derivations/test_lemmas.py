"""The registry of cited lemmas: few, each with a source and a stress test that tries something."""

import pytest

from derivations.lemmas import LEMMAS, MOST_LEMMAS, Stress, lemmas_by_name, stress_outcome


def test_they_are_few_and_distinct():
    assert len(LEMMAS) <= MOST_LEMMAS == 5
    assert len(lemmas_by_name()) == len(LEMMAS)


def test_each_says_what_it_is():
    for lemma in LEMMAS:
        assert all(text and text.strip() == text for text in (lemma.name, lemma.source, lemma.statement, lemma.checked))
        assert ";" not in lemma.name, "a scope joins its parts by semicolons"


@pytest.mark.parametrize("seed", [0, 1])
def test_each_withstands_its_stress_test_and_gives_the_same_for_the_same_seed(seed: int):
    for lemma in LEMMAS:
        found = lemma.stress(seed)
        assert found.passed and found.instances > 0
        assert lemma.stress(seed) == found


def test_a_stress_test_that_tried_nothing_has_not_passed():
    assert not Stress(0).passed
    assert Stress(1).passed
    assert not Stress(1, "x = 2").passed


def test_the_first_counterexample_ends_a_stress_test():
    assert stress_outcome([None, None]) == Stress(2)
    assert stress_outcome(iter([])) == Stress(0)
    assert stress_outcome([None, "x = 2", "x = 3"]) == Stress(2, "x = 2")
