"""Diagnoses of linear VAEs that are trained here, healthy ones and with planted faults."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from collapse.diagnosis import Diagnosis, diagnose, encode, read_codes
from collapse.report.diagnosis import lines
from derivations.errors import DataError
from numerics.objective import vae_loss
from numerics.tolerances import SPECTRUM

LATENTS, FEATURES, SAMPLES = 5, 8, 2000
SQUARES = np.array([9.0, 5.0, 3.0, 1.5, 0.7, 0.3, 0.2, 0.1])
LEVEL = 1.0
"""β η_dec² that training is meant to have: four modes are kept."""


@dataclass
class Data:
    x: Tensor
    zeta_squared: np.ndarray

    @property
    def moment(self) -> Tensor:
        return self.x.T @ self.x / len(self.x)


@pytest.fixture(scope="module")
def data() -> Data:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((FEATURES, FEATURES)))[0]
    x = rng.standard_normal((SAMPLES, FEATURES)) * np.sqrt(SQUARES) @ basis.T
    x -= x.mean(0)
    return Data(torch.tensor(x), np.linalg.eigvalsh(x.T @ x / SAMPLES)[::-1])


def trained(
    data: Data, level: float, *, steps: int = 300, seed: int = 0, dead: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """(means, log-variances) of a linear VAE, minimised by L-BFGS from a random start; the means of dead latents are held at 0."""
    generator = torch.Generator().manual_seed(seed)
    W = (torch.randn((FEATURES, LATENTS), generator=generator, dtype=torch.float64) / 3).requires_grad_()
    U = (torch.randn((FEATURES, LATENTS), generator=generator, dtype=torch.float64) / 3).requires_grad_()
    log_variance = torch.zeros(LATENTS, dtype=torch.float64, requires_grad=True)
    alive = torch.ones(LATENTS, dtype=torch.float64)
    alive[list(dead)] = 0
    A, one = data.moment, torch.tensor(1.0, dtype=torch.float64)
    optimiser = torch.optim.LBFGS(
        [W, U, log_variance], max_iter=steps, line_search_fn="strong_wolfe", tolerance_change=0, tolerance_grad=0
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = vae_loss(W * alive, U, log_variance, A, A, A.trace(), one * level, one, one)
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return data.x @ (W * alive), log_variance.expand(SAMPLES, LATENTS).clone()


def diagnosed(data: Data, codes: tuple[Tensor, Tensor], level: float = LEVEL) -> Diagnosis:
    return diagnose(*codes, data.zeta_squared, beta_eta_dec_squared=level, features=FEATURES, data=data.x)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_healthy_model_is_as_expected(data: Data, seed: int) -> None:
    found = diagnosed(data, trained(data, LEVEL, seed=seed))
    assert found.verdict == "expected"
    assert found.active_units == found.predicted_active_modes == 4
    assert found.rate_nats == pytest.approx(found.predicted_rate_nats, rel=10**-3)
    assert found.estimated_beta_eta_dec_squared == pytest.approx(LEVEL, rel=10**-2)


def test_complete_collapse_can_be_expected(data: Data) -> None:
    found = diagnosed(data, trained(data, 20.0), level=20.0)
    assert (found.verdict, found.active_units, found.predicted_active_modes) == ("expected", 0, 0)
    assert "everything collapses" in found.conclusion


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        (LEVEL / LATENTS, "KL is averaged over the latents"),
        (LEVEL / 2, "without its factor 1/2"),
        (LEVEL * 2, "factor 1/2 that was not counted"),
    ],
)
def test_another_beta_is_told_with_its_likely_cause(data: Data, applied: float, words: str) -> None:
    found = diagnosed(data, trained(data, applied))
    assert found.verdict == "other-beta" and words in found.conclusion
    assert found.estimated_beta_eta_dec_squared == pytest.approx(applied, rel=10**-2)


def test_a_beta_that_is_ignored_is_told(data: Data) -> None:
    """Trained at 1, while 4 was meant."""
    found = diagnosed(data, trained(data, 1.0), level=4.0)
    assert found.verdict == "other-beta"
    assert found.estimated_beta_eta_dec_squared == pytest.approx(1.0, rel=10**-2)


def test_a_dead_encoder_is_told(data: Data) -> None:
    found = diagnosed(data, trained(data, LEVEL, dead=tuple(range(LATENTS))))
    assert (found.verdict, found.active_units) == ("dead-encoder", 0)


def test_constant_means_are_a_dead_encoder_whatever_else_is_spent(data: Data) -> None:
    constant, narrow = torch.full((SAMPLES, LATENTS), 0.5), torch.full((SAMPLES, LATENTS), -4.0)
    assert diagnosed(data, (constant, narrow)).verdict == "dead-encoder"
    with pytest.raises(DataError, match="row 0, column 0"):
        diagnosed(data, (constant, narrow * 200))


def test_dead_latents_are_more_collapsed_than_the_optimum(data: Data) -> None:
    found = diagnosed(data, trained(data, LEVEL, dead=(0, 1, 2)))
    assert found.verdict == "more-collapsed" and found.active_units == 2
    # two latents are left, and take the best two modes
    assert found.missing_modes == (3, 4) and "modes 3 and 4 have no latent" in found.conclusion


def test_training_that_stopped_early_is_not_as_expected(data: Data) -> None:
    assert diagnosed(data, trained(data, LEVEL, steps=4)).verdict != "expected"


def test_more_than_the_linear_optimum_is_told(data: Data) -> None:
    mean, log_variance = trained(data, LEVEL)
    weak = torch.argsort(
        mean.var(0)
    )  # what is collapsed is made to say something of the data, as a non-linear encoder could
    mean[:, weak[0]] = 3 * torch.sin(data.x[:, 0] * 9)
    log_variance[:, weak[0]] = -5.0
    assert diagnosed(data, (mean, log_variance)).verdict == "less-collapsed"


@given(st.lists(st.floats(0.05, 50), min_size=2, max_size=8), st.floats(0.1, 10), st.integers(1, 8))
def test_the_theory_s_own_optimum_is_expected(squares: list[float], level: float, latents: int) -> None:
    zeta_squared = np.array(sorted(squares, reverse=True))
    reach = min(latents, len(squares))
    variance, power = np.ones(latents), np.zeros(latents)
    above = zeta_squared[:reach] > level
    variance[:reach] = np.where(above, level / zeta_squared[:reach], 1.0)
    power[:reach] = np.where(above, 1 - level / zeta_squared[:reach], 0.0)
    n = 64
    waves = np.sqrt(2) * np.cos(2 * np.pi * np.outer(np.arange(n) + 0.5, np.arange(1, latents + 1)) / n)
    found = diagnose(
        waves * np.sqrt(power), np.tile(np.log(variance), (n, 1)), zeta_squared, beta_eta_dec_squared=level
    )
    assert found.verdict == "expected"
    assert found.rate_nats == pytest.approx(found.predicted_rate_nats, abs=SPECTRUM.value * 10)
    if found.predicted_rate_nats > 1 / 10:
        assert found.estimated_beta_eta_dec_squared == pytest.approx(level, rel=SPECTRUM.value * 10)


def test_a_loader_with_an_encoder(data: Data) -> None:
    W = torch.randn((FEATURES, LATENTS), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    means, variances = encode([(data.x[:7], 0), (data.x[7:20], 0)], lambda x: (x @ W, 0 * (x @ W)))
    assert means == pytest.approx((data.x[:20] @ W).numpy()) and variances.shape == (20, LATENTS)
    with pytest.raises(DataError, match="no batch"):
        encode([], lambda x: (x, x))


def test_what_cannot_be_diagnosed_is_refused(tmp_path: Path) -> None:
    good = np.zeros((4, 2))
    bad = good.copy()
    bad[2, 1] = np.nan
    for means, variances, squares, level, message in (
        (bad, good, [1.0], 1.0, "row 2, column 1"),
        (good, good[:3], [1.0], 1.0, "means have shape"),
        (good[:1], good[:1], [1.0], 1.0, "two samples"),
        (good[:, 0], good[:, 0], [1.0], 1.0, "must hold numbers of shape"),
        (good, good, [-1.0], 1.0, "zeta_squared"),
        (good, good, [1.0], 0.0, "must be positive"),
    ):
        with pytest.raises(DataError, match=message):
            diagnose(means, variances, squares, beta_eta_dec_squared=level)
    np.savez(tmp_path / "codes.npz", means=good)
    with pytest.raises(DataError, match="no array 'log_variances'"):
        read_codes(tmp_path / "codes.npz")
    with pytest.raises(DataError, match=r"must be an \.npz"):
        read_codes(tmp_path / "codes.npy")


def test_the_document_and_the_lines(data: Data) -> None:
    found = diagnosed(data, trained(data, LEVEL))
    document = found.document()
    assert document["verdict"] == "expected" and len(document["kl_nats"]) == LATENTS
    assert lines(found)[-1].startswith("expected: ")
    assert document["modes_told_by"] == "data" and document["latents"][0]["kl_nats"] == document["kl_nats"][0]
