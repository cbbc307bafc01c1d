"""From original parameters to the decoder alone, and back: the same decoder, with the best of everything else."""

import pytest
import torch

from numerics import fast_descent as module
from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.fast_descent import fast_descent, lifted, projected
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.projection import Projection
from numerics.tolerances import FLOAT64_DERIVATIVE, FLOAT64_IDENTITY

COUNT, D0, D2, D1 = 4, 4, 3, 2
OBJECTIVES = {
    "fixed": FIXED_VARIANCES,
    "learned": LEARNED_VARIANCES,
    "decoder": LEARNED_DECODER,
    "held": LEARNED_DECODER_ALONE,
}
DECODERS, HELD = (LEARNED_DECODER, LEARNED_DECODER_ALONE), (FIXED_VARIANCES, LEARNED_DECODER_ALONE)
each_objective = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


def drawn(objective: Objective) -> tuple[Parameters | DecoderParameters | HeldParameters, Statistics]:
    """Points and data, every scale another one."""
    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(D0, D0), normal(D2, D0)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    y2 = 1 + (C @ torch.linalg.solve(M @ M.mT, C.mT)).diagonal(dim1=-2, dim2=-1).sum(-1)
    at: Parameters | DecoderParameters | HeldParameters = Parameters(normal(D0, D1), normal(D2, D1), normal(D1))
    if objective in DECODERS:
        at = DecoderParameters(*at, normal())
    if objective is LEARNED_DECODER_ALONE:
        at = HeldParameters.of(at)
    return at, Statistics(M @ M.mT, C, y2, beta, eta_dec, eta_enc)


@each_objective
def test_a_point_is_led_back_to_with_the_best_of_everything_but_its_decoder(objective: Objective) -> None:
    at, statistics = drawn(objective)
    X, projection = projected(at, statistics, objective), Projection.of(at, statistics, objective)
    found = lifted(X, projection, at, statistics, objective)
    again = projected(found, statistics, objective)
    assert ((again - X).abs() <= FLOAT64_IDENTITY.value * X.abs()).all()
    if objective not in DECODERS:
        assert ((found.U - at.U).abs() <= FLOAT64_IDENTITY.value * at.U.abs()).all()
    loss = objective.loss(*found, *statistics)
    slopes = objective.gradient(*found, *statistics)
    allowed = FLOAT64_DERIVATIVE.value * loss.abs().max()
    assert slopes.W.abs().max() <= allowed
    assert objective in HELD or slopes.log_variance.abs().max() <= allowed
    if objective in DECODERS:
        # at the same X, U grows with the root of the decoder's variance
        assert (slopes.log_decoder + (slopes.U * found.U).sum((-2, -1)) / 2).abs().max() <= allowed
    generator = torch.Generator().manual_seed(1)
    for size in (0.03, 0.3):
        step = size * torch.randn(COUNT, dtype=torch.float64, generator=generator)
        moved = [found._replace(W=found.W * step.exp()[:, None, None])]
        if objective not in HELD:
            moved.append(found._replace(log_variance=found.log_variance + step[:, None]))
        if objective in DECODERS:
            longer = found.U * (step / 2).exp()[:, None, None]
            moved.append(found._replace(U=longer, log_decoder=found.log_decoder + step))
        assert all((objective.loss(*point, *statistics) > loss).all() for point in moved)


@each_objective
def test_what_is_a_minimum_is_so_whatever_descends_beside_it(
    objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, statistics = drawn(objective)
    together = fast_descent(at, statistics, objective)
    monkeypatch.setattr(module, "_FEWEST", 1)
    monkeypatch.setitem(module._CHUNK, "cpu", 1)
    alone = fast_descent(at, statistics, objective)
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one, other)
