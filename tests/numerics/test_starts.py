"""Typical sizes have the units of what they are the sizes of."""

from dataclasses import replace

import numpy as np
import torch

from numerics.decoder_objective import DecoderParameters
from numerics.descent import minimise
from numerics.minimum import FAST, PLAIN
from numerics.objective import Statistics
from numerics.problem import Problem
from numerics.starts import Scales, random_start
from numerics.tolerances import DESCENT_GAP, FLOAT64_IDENTITY

COUNT, D0, D2, D1 = 5, 4, 3, 2


def drawn() -> Statistics:
    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M, C = normal(D0, D0), normal(D2, D0)
    beta, eta_dec, eta_enc = (normal().exp() for _ in range(3))
    return Statistics(M @ M.mT, C, 10 + normal().square(), beta, eta_dec, eta_enc)


def in_units(statistics: Statistics, x: float, y: float, z: float) -> Statistics:
    A, C, y2, beta, eta_dec, eta_enc = statistics
    return Statistics(A * x**2, C * x * y, y2 * y**2, beta, eta_dec * y, eta_enc * z)


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool(((one - other).abs() <= FLOAT64_IDENTITY.value * other.abs()).all())


def test_units_of_input_output_and_latent_change_sizes_as_they_change_what_has_them() -> None:
    """W maps x to z and U maps z to y; the loss is in nats."""
    for learned in (False, True):
        usual = Scales.from_moments(drawn(), learned_decoder=learned)
        for x, y, z in ((3.0, 1.0, 1.0), (1.0, 5.0, 1.0), (1.0, 1.0, 7.0)):
            found = Scales.from_moments(in_units(drawn(), x, y, z), learned_decoder=learned)
            assert close(found.W, usual.W * z / x)
            assert close(found.U, usual.U * y / z)
            assert close(found.loss, usual.loss)


def test_a_batch_has_the_sizes_of_its_members_and_a_learned_decoder_those_at_its_own_variance() -> None:
    statistics = drawn()
    at_the_moment = statistics._replace(eta_dec=(statistics.y2 / D2).sqrt())
    for learned, given in ((False, statistics), (True, at_the_moment)):
        together = Scales.from_moments(statistics, learned_decoder=learned)
        for place in range(COUNT):
            alone = Scales.from_moments(Statistics(*(value[place] for value in given)), learned_decoder=False)
            for name in ("W", "U", "loss"):
                assert close(getattr(together, name)[place], getattr(alone, name))


def test_sizes_stand_where_their_parameters_do() -> None:
    scales = Scales(*(torch.arange(COUNT, dtype=torch.float64) + start for start in (10, 20, 30)))
    like = DecoderParameters(
        torch.zeros(COUNT, D0, D1), torch.zeros(COUNT, D2, D1), torch.zeros(COUNT, D1), torch.zeros(COUNT)
    )
    logarithms = {2: 0, 3: D1, 4: D1 + 1}
    for free, ones in logarithms.items():
        found = scales.flat(like, free)
        for place in range(COUNT):
            expected = [10.0 + place] * (D0 * D1) + [20.0 + place] * (D2 * D1) + [1.0] * ones
            assert found[place].tolist() == expected


def test_a_typical_decoder_makes_of_a_latent_what_y_is_and_of_x_a_typical_encoder_makes_a_latent() -> None:
    """E‖U z‖² = E‖y‖² for one latent of the prior's deviation, were there no noise; E(w·x)² = η_enc² for one x_j at a time."""
    statistics = drawn()._replace(eta_dec=torch.zeros(COUNT, dtype=torch.float64))
    found = Scales.from_moments(statistics, learned_decoder=False)
    assert close(found.U.square() * D2 * statistics.eta_enc.square(), statistics.y2)
    mean = statistics.A.diagonal(dim1=-2, dim2=-1).mean(-1)
    assert close(found.W.square() * mean, statistics.eta_enc.square())


def test_a_target_of_zeros_and_scales_at_the_edge_of_floats_make_starts_without_a_warning() -> None:
    """Warnings are errors here; with C = 0 and y = 0 the loss is least at U = W = 0, where it is 0."""
    nothing = Problem(np.eye(2), np.zeros((1, 2)), 0.0, 2, 1.0, 1.0, 1.0)
    for route in (PLAIN, FAST):
        assert abs(minimise([nothing], seed=0, route=route)[0].loss) <= DESCENT_GAP.value
    start = random_start(replace(nothing, y2=1.0, eta_dec=2e-154), 0)
    assert start.U.isfinite().all()
