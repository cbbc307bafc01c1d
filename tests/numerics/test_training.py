"""Training: its rule for stopping, checkpoints from which the same numbers come out, and clear refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from derivations.errors import DataError
from numerics.networks import Stack
from numerics.training import Look, Schedule, train

SCHEDULE = Schedule((0.1, 0.01), every=20, patience=2, progress=0.01, most=400)


class Bowls:
    """Members fall into bowls of their own, (p − target)² + 1, with noise in the gradient."""

    members = 3

    def __init__(self, noise: float = 0.0, steep: float = 1.0) -> None:
        self.noise, self.steep = noise, steep
        self.shares: list[float] = []
        self.target = torch.tensor([0.5, 1.0, 5.0], dtype=torch.float64)

    @property
    def settings(self) -> dict[str, Any]:
        return {"noise": self.noise, "steep": self.steep}

    def initial(self) -> Stack:
        return {"p": torch.zeros(3, dtype=torch.float64)}

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(4)

    def loss(self, stack: Stack, generator: torch.Generator, share: float) -> Tensor:
        self.shares.append(share)
        noise = self.noise * torch.randn(3, dtype=torch.float64, generator=generator)
        return self.steep * (stack["p"] - self.target + noise).square() + share * stack["p"].square() / 100 + 1

    def look(self, stack: Stack) -> Tensor:
        return self.steep * (stack["p"] - self.target).square() + 1


def test_it_ends_when_all_have_settled_at_the_last_rate() -> None:
    looks: list[Look] = []
    ended = train(Bowls(), SCHEDULE, watched=looks.append)
    assert ended.settled.all() and ended.steps == looks[-1].steps < 2 * SCHEDULE.most
    assert {look.rate for look in looks} == set(SCHEDULE.rates)
    assert torch.allclose(ended.stack["p"], Bowls().target, atol=0.05, rtol=0)  # the bowl is level to `progress` there


def test_the_weight_of_the_second_term_is_warmed_up_and_nothing_judged_before() -> None:
    bowls, looks = Bowls(), []
    ended = train(bowls, replace(SCHEDULE, warm_up=100), watched=looks.append)
    assert bowls.shares == [min(1.0, k / 100) for k in range(ended.steps)]
    assert [look.settled for look in looks[:5]] == [0] * 5 and looks[4].steps == 100
    plain = Bowls()
    short = train(plain, SCHEDULE)
    assert set(plain.shares) == {1.0} and ended.settled.all() and ended.steps > short.steps


@pytest.mark.parametrize("warm_up", [-1, 400])
def test_a_warm_up_that_leaves_no_step_is_refused(warm_up: int) -> None:
    with pytest.raises(DataError, match="warm_up must be fewer steps than the 400"):
        replace(SCHEDULE, warm_up=warm_up)


def test_what_has_not_settled_within_the_most_steps_is_said() -> None:
    ended = train(Bowls(), replace(SCHEDULE, rates=(0.01,), most=60))
    assert ended.steps == 60 and not ended.settled[2]


@pytest.mark.parametrize("warm_up", [0, 110])
@pytest.mark.parametrize("after", [1, 2, 5, 9])
def test_a_training_that_is_stopped_goes_on_to_the_same_numbers(after: int, warm_up: int, tmp_path: Path) -> None:
    """Within the warm-up, too."""
    schedule = replace(SCHEDULE, warm_up=warm_up)
    whole = train(Bowls(noise=1.0), schedule)

    class Stop(Exception):
        pass

    def stop(look: Look) -> None:
        if look.steps > after * SCHEDULE.every:
            raise Stop

    path = tmp_path / "run.pt"
    with pytest.raises(Stop):
        train(Bowls(noise=1.0), schedule, path=path, watched=stop, saved_every=0.0)
    resumed: list[Look] = []
    ended = train(Bowls(noise=1.0), schedule, path=path, watched=resumed.append)
    assert resumed[0].steps == (after + 1) * SCHEDULE.every - 1  # the checkpoint of the step before
    assert torch.equal(ended.stack["p"], whole.stack["p"]) and ended.steps == whole.steps
    assert torch.equal(ended.settled, whole.settled)
    seen: list[Look] = []
    again = train(Bowls(noise=1.0), schedule, path=path, watched=seen.append)
    assert len(seen) == 1 and torch.equal(again.stack["p"], whole.stack["p"])


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    train(Bowls(), SCHEDULE, path=path)
    with pytest.raises(DataError, match=r"other settings \(task\.noise\); name another folder"):
        train(Bowls(noise=0.5), SCHEDULE, path=path)
    with pytest.raises(DataError, match=r"schedule\.patience"):
        train(Bowls(), replace(SCHEDULE, patience=3), path=path)
    torch.save({"settings": torch.load(path, weights_only=True)["settings"]}, path)
    with pytest.raises(DataError, match="is no checkpoint"):
        train(Bowls(), SCHEDULE, path=path)
    path.write_bytes(b"nonsense")
    with pytest.raises(DataError, match="is no checkpoint"):
        train(Bowls(), SCHEDULE, path=path)


def test_a_loss_that_is_not_finite_is_reported() -> None:
    with pytest.raises(DataError, match="training diverged: after 20 steps the loss of member 0"):
        train(Bowls(steep=float("inf")), SCHEDULE)


def test_a_checkpoint_that_cannot_be_written_stops_at_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "run.pt.partial").mkdir()
    looks: list[Look] = []
    with pytest.raises(DataError, match=r"cannot write the checkpoint .*run\.pt: Is a directory"):
        train(Bowls(), SCHEDULE, path=tmp_path / "run.pt", watched=looks.append)
    assert not looks


def test_a_training_is_not_lost_for_its_last_checkpoint(tmp_path: Path) -> None:
    def obstruct(look: Look) -> None:
        (tmp_path / "run.pt.partial").mkdir(exist_ok=True)

    with pytest.warns(UserWarning, match="The training itself is complete"):
        ended = train(Bowls(), SCHEDULE, path=tmp_path / "run.pt", watched=obstruct)
    assert torch.equal(ended.stack["p"], train(Bowls(), SCHEDULE).stack["p"])


class Told(Bowls):
    """Losses that looks are told, look by look; the last ones from then on."""

    def __init__(self, *told: list[float]) -> None:
        super().__init__()
        self.told = [torch.tensor(losses, dtype=torch.float64) for losses in told]

    def look(self, stack: Stack) -> Tensor:
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]


@pytest.mark.parametrize(
    ("told", "looks"),
    [
        ([[1.0, 2.0, 3.0]], 3),  # the first is progress beyond nothing, then two without
        ([[1.0, 2.0, 3.0], [1.0, 2.0, 2.0]], 4),
        ([[1.0, 2.0, 3.0], [1.0, 2.0, 2.99]], 3),  # less than 1 % is no progress
        ([[1.0, 2.0, 3.0], [1.0, 2.0, 2.0], [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 2.0, 0.5]], 7),
        ([[-1.0, 2.0, 3.0], [-2.0, 2.0, 3.0]], 4),  # of a loss below 0, too
    ],
)
def test_members_have_settled_after_so_many_looks_without_progress(told: list[list[float]], looks: int) -> None:
    """At the last rate everything is told already: three looks."""
    seen: list[Look] = []
    found = train(Told(*told), SCHEDULE, watched=seen.append)
    assert found.settled.all() and found.steps == SCHEDULE.every * (looks + 3)
    assert [look.steps for look in seen] == [SCHEDULE.every * (k + 1) for k in range(looks + 3)]
