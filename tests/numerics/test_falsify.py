"""Blocks of hard instances, their closed forms, and attempts that can say no."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from numerics import closed_forms, falsify, volume
from numerics.certificates import gap
from numerics.closed_forms import least_losses
from numerics.descent import minimise
from numerics.falsify import LOCAL as EACH
from numerics.falsify import ROUNDS, Attempt, Trial, attempt, badness, compared, is_local, trial, trials
from numerics.problem import Problem
from numerics.projection import whitened
from numerics.tolerances import DESCENT_BELOW, DESCENT_GAP, PLANTED_SPECTRUM, RANGE_OF_A
from numerics.volume import ENCODERS, HARDSHIPS, Block, draw_block

COUNT = 12
EVERY = range(len(HARDSHIPS) * len(ENCODERS))


@pytest.fixture(autouse=True)
def small_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "LARGEST", 5)


def problem(block: Block, place: int) -> Problem:
    A, C, y2, beta, eta_dec, eta_enc = (value[place].numpy() for value in block.statistics)
    return Problem(
        A=A, C=C, y2=float(y2), d1=block.shape[2], beta=float(beta), eta_dec=float(eta_dec), eta_enc=float(eta_enc),
        sigma=None if block.sigma is None else block.sigma[place], learned_decoder=block.learned_decoder,
    )  # fmt: skip


def small_blocks(encoder: str, most: int = 3) -> list[Block]:
    """Blocks with few unknowns and no near ties, where the plain route is quick too."""
    found = (draw_block(1, number, COUNT) for number in range(300))
    easy = ("spread", "zero modes", "at thresholds")
    return [b for b in found if b.encoder == encoder and max(b.shape) <= 3 and b.hardship in easy][:most]


def test_every_hardship_meets_every_encoder() -> None:
    blocks = [draw_block(0, number, 2) for number in EVERY]
    assert {(block.hardship, block.encoder) for block in blocks} == {(h, e) for h in HARDSHIPS for e in ENCODERS}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("hardship", HARDSHIPS)
def test_blocks_have_the_hardship_that_they_name(hardship: str, encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # all shapes
    first = next(
        k for k in EVERY if draw_block(0, k, 1).hardship == hardship and draw_block(0, k, 1).encoder == encoder
    )
    blocks = [draw_block(0, first + k * len(EVERY), COUNT) for k in range(8)]
    assert all((block.hardship, block.encoder) == (hardship, encoder) for block in blocks)
    assert all(block.residual.min() >= 0 for block in blocks)
    for block in blocks:
        assert HAS[hardship](block), block.number


def nearest_threshold(block: Block) -> np.ndarray:
    """The least relative distance of a reachable mode's singular value from its threshold, where the loss is least."""
    beta, eta_dec, eta_enc = (value.numpy() for value in block.statistics[3:])
    variance = eta_dec**2
    if block.learned_decoder:
        held = block.sigma is not None
        variance = (closed_forms._held_decoder_variances if held else closed_forms._decoder_variances)(block)
    reach = min(block.shape[2], block.zeta.shape[1])
    ratios = np.ones((COUNT, reach)) if block.sigma is None else np.sort(block.sigma, 1)[:, :reach] / eta_enc[:, None]
    return np.abs(block.zeta[:, :reach] / (np.sqrt(beta * variance)[:, None] * ratios) - 1).min(1)


def eigenvalues(block: Block) -> np.ndarray:
    return np.linalg.eigvalsh(block.statistics.A.numpy())


HAS = {
    "spread": lambda b: b.zeta.max() / b.zeta.min() > 3,
    "near ties": lambda b: b.zeta.shape[1] > 1 and (b.zeta[:, -1] >= (1 - 0.1) / (1 + 0.1) * b.zeta[:, 0]).all(),
    "ties": lambda b: b.zeta.shape[1] > 1 and (b.zeta[:, 1:] == b.zeta[:, :-1]).any(1).all(),
    "near thresholds": lambda b: (nearest_threshold(b) <= 0.1 + 1e-9).all() and (nearest_threshold(b) > 0).any(),
    "at thresholds": lambda b: (nearest_threshold(b) <= 1e-12).all(),
    "zero modes": lambda b: (b.zeta == 0).any() and (b.zeta > 0).any(),
    "six decades of beta": lambda b: b.statistics.beta.max() / b.statistics.beta.min() > 100,
    "rank-deficient A": lambda b: (np.abs(eigenvalues(b)[:, 0]) < 1e-12).all(),
    "ill-conditioned A": lambda b: b.shape[0] > 1 and (eigenvalues(b).max() / eigenvalues(b).min()) > 100,
}


def test_ill_conditioned_moments_have_eigenvalues_of_every_size_from_1_to_1e_8() -> None:
    numbers = [number for number in EVERY if draw_block(0, number, 1).hardship == "ill-conditioned A"]
    moments = [draw_block(0, number, 50).statistics.A for number in numbers]
    digits = np.concatenate([-np.log10(A.diagonal(dim1=1, dim2=2).numpy()).ravel() for A in moments])
    assert 0 <= digits.min() < 0.1 and 7.9 < digits.max() <= 8
    assert all(torch.equal(A, torch.diag_embed(A.diagonal(dim1=1, dim2=2))) for A in moments)


def test_shapes_go_up_to_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shapes = np.array([block.shape for block in (draw_block(0, number, 1) for number in range(300))])
    assert shapes.min(0).tolist() == [1, 1, 1]
    assert shapes.max(0).tolist() == [12] * 3


@pytest.mark.parametrize("number", EVERY)
def test_singular_values_are_the_planted_ones(number: int) -> None:
    block = draw_block(3, number, COUNT)
    Z, _ = whitened(block.statistics)
    found = torch.linalg.svdvals(Z).numpy()
    size = np.maximum(1.0, block.zeta[:, :1])
    reach = block.zeta.shape[1]
    assert np.abs((found[:, :reach] - block.zeta) / size).max() <= PLANTED_SPECTRUM.value
    assert np.abs(found[:, reach:] / size).max(initial=0.0) <= RANGE_OF_A.value
    explained = block.statistics.y2.numpy() - block.residual
    assert np.allclose(explained, (block.zeta**2).sum(1), rtol=PLANTED_SPECTRUM.value)
    assert block.statistics.y2.min() > 0


def test_a_block_depends_on_its_seed_and_number_alone() -> None:
    one, again, seeded, other = (
        draw_block(0, 5, 4),
        draw_block(0, 5, 4),
        draw_block(1, 5, 4),
        draw_block(0, 5 + len(EVERY), 4),
    )
    assert torch.equal(one.start.U, again.start.U) and torch.equal(one.statistics.C, again.statistics.C)
    assert not np.array_equal(one.statistics.beta, seeded.statistics.beta)
    assert not np.array_equal(one.statistics.beta, other.statistics.beta)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_closed_forms_are_where_plain_descent_ends(encoder: str) -> None:
    blocks = small_blocks(encoder)
    assert len(blocks) == 3
    for block in blocks:
        minima = minimise([problem(block, place) for place in range(COUNT)], seed=0)
        for minimum, stated in zip(minima, least_losses(block), strict=True):
            if minimum.diverged or np.isinf(stated):
                assert minimum.diverged and np.isneginf(stated), block
            else:
                assert abs(gap(minimum.loss, float(stated))) <= DESCENT_GAP.value


@pytest.mark.parametrize("number", EVERY)
def test_attempts_find_nothing(number: int) -> None:
    found = attempt(2, number, COUNT)
    assert found.against == ()
    assert found.uncertified == ()
    assert found.certified + found.diverged == found.instances == COUNT
    assert found == attempt(2, number, COUNT)


def test_below_is_told_from_the_rounding_of_the_largest_term() -> None:
    """Terms of 1e6 times the loss cancel: what they round to, in nats, is no sign against the theory; a tenth more is."""
    ended = trial(draw_block(2, 0, COUNT))
    stated = least_losses(ended.block)
    place = int(np.argmax(np.where(np.isfinite(stated), np.abs(stated), 0)))
    assert abs(stated[place]) > 2
    nats = ended.nats.copy()
    nats[place] = 1e6 * abs(stated[place])
    for factor, against in ((0.9, []), (1.1, [place])):
        loss = ended.loss.copy()
        loss[place] = stated[place] - factor * DESCENT_BELOW.value * nats[place]
        found = compared(replace(ended, loss=loss, nats=nats), "random")
        assert [where for where, _ in found.against] == against


@pytest.mark.parametrize("number", range(len(ENCODERS)))
@pytest.mark.parametrize("share", [1e-6, 1e-8])
def test_what_ends_below_or_is_certified_above_speaks_against_the_theory(number: int, share: float) -> None:
    ended = trial(draw_block(2, number, COUNT))

    def told(loss: np.ndarray, good: np.ndarray = ended.good) -> Attempt:
        return compared(replace(ended, loss=loss, good=good), "random")

    loss = ended.loss
    assert told(loss).against == ()
    moved = loss.copy()
    moved[4] -= share * max(1.0, abs(loss[4]))
    assert [place for place, _ in told(moved).against] == [4]
    assert [place for place, _ in told(moved, ended.good & False).against] == [4]
    moved[4] = loss[4] + share * max(1.0, abs(loss[4]))
    assert [place for place, _ in told(moved).against] == [4]
    without = ended.good.copy()
    without[4] = False
    found = told(moved, without)
    assert (found.against, found.uncertified) == ((), (4,))
    for value in (np.nan, np.inf, -np.inf):
        moved[4] = value
        broken = told(moved)
        assert [place for place, _ in broken.against] == [4]
        assert np.isfinite(broken.worst_below[0]) and np.isfinite(broken.worst_above[0])


def test_divergence_has_to_be_where_the_loss_is_unbounded() -> None:
    number = next(k for k in EVERY if not is_local(k) and 0 < attempt(2, k, COUNT).diverged < COUNT)
    ended = trial(draw_block(2, number, COUNT))
    assert compared(ended, "random").against == () and np.isfinite(badness(ended)).all()
    bounded, unbounded = int(np.flatnonzero(~ended.diverged)[0]), int(np.flatnonzero(ended.diverged)[0])
    for place, diverges in ((bounded, True), (unbounded, False)):
        fell, held = ended.diverged.copy(), ended.good.copy()
        fell[place], held[place] = diverges, not diverges
        told = compared(replace(ended, diverged=fell, good=held), "random")
        assert [where for where, _ in told.against] == [place]


def test_local_searches_meet_every_hardship_and_encoder() -> None:
    blocks = [draw_block(0, number, 2) for number in range(EACH * len(EVERY)) if is_local(number)]
    assert {(block.hardship, block.encoder) for block in blocks} == {(h, e) for h in HARDSHIPS for e in ENCODERS}
    assert len(blocks) == len(EVERY)


LOCAL = [number for number in range(EACH * len(EVERY)) if is_local(number)]


@pytest.mark.parametrize("number", LOCAL[:: len(LOCAL) // 12])
def test_a_local_search_digs_where_it_was_worst(number: int) -> None:
    rounds = trials(2, number, COUNT)
    assert [len(one.loss) for one in rounds] == [COUNT // ROUNDS] * ROUNDS
    for before, after in pairwise(rounds):
        assert before.block.shape == after.block.shape and after.block.number == number
    first, second = rounds[:2]
    worst = int(badness(first).argmax())
    near = np.abs(second.block.zeta / np.maximum(first.block.zeta[worst], 1e-300) - 1)
    assert np.where(first.block.zeta[worst] > 0, near, second.block.zeta).max() <= 0.25  # 1 ± 0.1 each, then sorted
    whole = attempt(2, number, COUNT)
    assert whole.search == "local" and whole.instances == COUNT
    gaps = np.concatenate([compared(one, "local").worst_above for one in rounds])
    assert whole.worst_above[0] == max(gaps[::2])


def test_the_worst_of_all_rounds_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    number = LOCAL[0]
    rounds = trials(2, number, COUNT)
    moved = rounds[2].loss.copy()
    moved[1] += 1e-6 * max(1.0, abs(moved[1]))
    rough = replace(rounds[1], nats=1e9 * rounds[1].nats)
    altered: list[Trial] = [rounds[0], rough, replace(rounds[2], loss=moved), rounds[3]]
    monkeypatch.setattr(falsify, "trials", lambda *_: altered)
    place = 2 * (COUNT // ROUNDS) + 1
    found = attempt(2, number, COUNT)
    assert [where for where, _ in found.against] == [place] and found.worst_above[1] == place
    alone = [compared(one, "local") for one in altered]
    assert found.allowed == alone[1].allowed > max(one.allowed for one in alone if one is not alone[1])
    assert found.loose == sum(one.loose for one in alone) > 0


def test_what_has_no_certificate_is_dug_at_first() -> None:
    ended = trial(draw_block(2, 1, COUNT))
    good = ended.good.copy()
    good[7] = False
    assert badness(replace(ended, good=good)).argmax() == 7
    assert np.isfinite(badness(ended)).all()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("number", EVERY)
def test_attempts_on_cuda_find_nothing(number: int) -> None:
    found = attempt(2, number, COUNT, "cuda")
    assert (found.against, found.uncertified) == ((), ())
