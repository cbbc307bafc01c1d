"""What descent asks of the objective with a learned decoder variance, beside its value and derivatives: its size and its end."""

import torch

from numerics.decoder_objective import LEARNED_DECODER, DecoderParameters
from numerics.objective import Statistics
from numerics.tolerances import DECODER_CUTOFF, FLOAT64_IDENTITY

COUNT, D0, D2, D1 = 4, 3, 2, 5


def drawn() -> tuple[DecoderParameters, Statistics]:
    """A batch of points and data, every scale another one, and no two sizes alike."""
    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(D0, D0), normal(D2, D0)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    at = DecoderParameters(normal(D0, D1), normal(D2, D1), normal(D1), normal())
    return at, Statistics(M @ M.mT, C, 100 + normal().square(), beta, eta_dec, eta_enc)


def test_its_size_is_the_error_of_the_collapsed_model_at_the_present_variance_and_the_weight() -> None:
    at, statistics = drawn()
    prior = 2 * statistics.eta_enc.log()[:, None].expand(COUNT, D1)
    collapsed = at._replace(W=0 * at.W, U=0 * at.U, log_variance=prior)
    error = LEARNED_DECODER.loss(*collapsed, *statistics) - D2 / 2 * at.log_decoder
    found = LEARNED_DECODER.size(at, statistics, torch.full((COUNT,), torch.nan, dtype=torch.float64))
    assert ((found - error - statistics.beta).abs() <= FLOAT64_IDENTITY.value * found).all()


def test_a_variance_has_escaped_below_the_cut_off_of_its_own_target() -> None:
    at, statistics = drawn()
    edge = (DECODER_CUTOFF.value * statistics.y2 / D2).log()
    for place in range(COUNT):
        log_decoder = torch.full((COUNT,), torch.inf, dtype=torch.float64)
        for factor, escaped in ((0.99, True), (1.01, False)):
            log_decoder[place] = edge[place] + torch.tensor(factor).log()
            found = LEARNED_DECODER.escaped(at._replace(log_decoder=log_decoder), statistics)
            assert found.tolist() == [escaped and other == place for other in range(COUNT)]


def test_a_step_changes_the_logarithm_of_the_variance_by_one_at_most_and_keeps_its_direction() -> None:
    steps = torch.tensor([[[1.0, 2.0, -4.0], [1.0, 2.0, 0.5]]], dtype=torch.float64)
    assert LEARNED_DECODER.shortened(steps).tolist() == [[[0.25, 0.5, -1.0], [1.0, 2.0, 0.5]]]
