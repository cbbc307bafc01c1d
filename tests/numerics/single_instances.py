"""A batch of points and data, and one of them in NumPy."""

from typing import Any

import numpy as np
import torch

from numerics.decoder_objective import LEARNED_DECODER, LEARNED_DECODER_ALONE, DecoderParameters, HeldParameters
from numerics.objective import FIXED_VARIANCES, LEARNED_VARIANCES, Objective, Parameters, Statistics
from numerics.projection import Projection

COUNT = 6
OBJECTIVES = {
    "fixed": FIXED_VARIANCES,
    "learned": LEARNED_VARIANCES,
    "decoder": LEARNED_DECODER,
    "held": LEARNED_DECODER_ALONE,
}


def drawn(objective: Objective, d2: int = 3, d1: int = 2) -> tuple[Any, Statistics]:
    """A batch of points and data, every scale another one, x without one of its directions."""
    generator = torch.Generator().manual_seed(d2 + d1)
    normal = lambda *shape: torch.randn(COUNT, *shape, dtype=torch.float64, generator=generator)  # noqa: E731
    M = normal(4, 3)
    C = normal(d2, 3) @ M.mT
    y2 = 1 + (C @ torch.linalg.pinv(M @ M.mT, hermitian=True) @ C.mT).diagonal(dim1=-2, dim2=-1).sum(-1)
    at: Any = Parameters(normal(4, d1), normal(d2, d1), normal(d1))
    if objective in (LEARNED_DECODER, LEARNED_DECODER_ALONE):
        at = DecoderParameters(*at, normal())
    if objective is LEARNED_DECODER_ALONE:
        at = HeldParameters.of(at)
    return at, Statistics(M @ M.mT, C, y2, *(normal().exp() for _ in range(3)))


def lone(batch: Any, place: int) -> Any:
    """One of a batch's points or statistics, in NumPy."""
    return type(batch)(*(value[place].numpy() if value[place].ndim else np.float64(value[place]) for value in batch))


def close(found: Any, expected: Any, relative: float) -> bool:
    expected = np.asarray(expected)
    return bool(np.abs(np.asarray(found) - expected).max() <= relative * max(1.0, np.abs(expected).max()))


def numpy_row(whole: Projection, place: int) -> Projection:
    """One instance of a batch, in NumPy."""
    fields = (whole.Y, whole.deviations, whole.ratio, whole.rest)
    return Projection(*(None if value is None else value[place].numpy() for value in fields))
