"""What overlapping columns cost: what the loss falls by when the latents are turned, and nothing at a minimum."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics import falsify
from numerics.certificates import certify, certify_large
from numerics.columns import overlap
from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.falsify import certified
from numerics.fast_descent import fast_minima
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.tolerances import COLUMN_OVERLAP, FLOAT64_IDENTITY, Tolerance
from numerics.volume import draw_block

OBJECTIVES = {
    "fixed": FIXED_VARIANCES,
    "learned": LEARNED_VARIANCES,
    "decoder": LEARNED_DECODER,
    "held": LEARNED_DECODER_ALONE,
}
COUNT = 5


def drawn(seed: int, d1: int) -> tuple[Parameters, Statistics]:
    """Points and data, every scale another one."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(4, 4), normal(3, 4)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    y2 = 100 + C.square().sum((-2, -1))
    return Parameters(normal(4, d1), normal(3, d1), normal(d1)), Statistics(M @ M.mT, C, y2, beta, eta_dec, eta_enc)


def settled(at: Parameters, statistics: Statistics, kind: str) -> Parameters | DecoderParameters | HeldParameters:
    """The point with the best variances for its decoder, where they are learned: sigma^-2 = |u|^2/(beta eta_dec^2) + eta_enc^-2."""
    W, U, _ = at
    log_decoder = statistics.eta_dec.square().log()
    if kind in ("fixed", "held"):
        return at if kind == "fixed" else HeldParameters.of(DecoderParameters(*at, log_decoder))
    beta, noise, prior = (
        v[:, None] for v in (statistics.beta, statistics.eta_dec.square(), statistics.eta_enc.square())
    )
    best = Parameters(W, U, -(U.square().sum(-2) / (beta * noise) + 1 / prior).log())
    return best if kind == "learned" else DecoderParameters(*best, log_decoder)


def turned(at: Parameters, P: torch.Tensor) -> Parameters:
    return at._replace(W=at.W @ P, U=at.U @ P)


@pytest.mark.parametrize("kind", OBJECTIVES)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_it_is_what_turning_the_latents_gains_at_most(kind: str, seed: int, d1: int) -> None:
    objective: Objective = OBJECTIVES[kind]
    at, statistics = drawn(seed, d1)
    loss = lambda point: objective.loss(*settled(point, statistics, kind), *statistics)  # noqa: E731
    found = overlap(settled(at, statistics, kind), statistics, objective)
    # columns from the shortest to the longest, each for the latent whose variance has that place from the largest
    _, basis = torch.linalg.eigh(at.U.mT @ at.U)
    place = (-at.log_variance).argsort(-1).argsort(-1)
    best = turned(at, torch.take_along_dim(basis, place[:, None, :], dim=-1))
    allowed = FLOAT64_IDENTITY.value * loss(at).abs()
    assert ((loss(at) - loss(best) - found).abs() <= allowed).all()
    assert (overlap(settled(best, statistics, kind), statistics, objective).abs() <= allowed).all()
    generator = torch.Generator().manual_seed(seed + 1)
    any_other = torch.linalg.qr(torch.randn(COUNT, d1, d1, dtype=torch.float64, generator=generator))[0]
    assert (loss(at) - loss(turned(at, any_other)) <= found + allowed).all()
    if d1 > 1:
        assert (found > allowed).any()


def test_certificates_hold_it() -> None:
    at, statistics = drawn(0, 3)
    for objective, learned in ((FIXED_VARIANCES, False), (LEARNED_VARIANCES, True)):
        expected = overlap(at, statistics, objective)
        for place, certificate in enumerate(certify(at, statistics, objective)):
            assert certificate.overlap == expected[place]
            one = (Parameters(*(v[place] for v in at)), Statistics(*(v[place] for v in statistics)))
            large, _ = certify_large(*one, learned=learned)
            assert math.isclose(large.overlap, certificate.overlap, rel_tol=FLOAT64_IDENTITY.value)


def test_without_it_no_end_of_descent_is_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    block = draw_block(1, 8, 12)
    end, diverged = fast_minima(block.start, block.statistics, block.scales, block.objective)
    assert not diverged.any() and certified(block, end).all()
    cost = overlap(end, block.statistics, block.objective)
    assert (cost.abs() <= COLUMN_OVERLAP.value).all()
    monkeypatch.setattr(falsify, "COLUMN_OVERLAP", Tolerance("none", -1.0, "for a test"))
    assert not certified(block, end).any()
