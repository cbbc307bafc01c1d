"""Loss conventions against the losses themselves, their figures, and what is refused."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from library_losses import LOSSES, divergence, reconstruction
from torch import Tensor

from collapse.conventions import CHOICES, LARGEST, MOST, NUMBERS, SMALLEST, Convention, effective_water, weight_for
from collapse.libraries import LIBRARIES
from derivations.errors import DataError
from numerics.tolerances import FLOAT64_IDENTITY

BATCH, FEATURES, LATENTS = 5, 7, 3

numbers = st.floats(min_value=1e-6, max_value=1e6)
counts = st.integers(min_value=1, max_value=100_000)
conventions = st.builds(
    Convention,
    name=st.just("drawn"),
    reconstruction=st.sampled_from(CHOICES["reconstruction"]),
    factor=numbers,
    kl=st.sampled_from(CHOICES["kl"]),
    weight=numbers,
    decoder_std=st.just(1.0),
    likelihood=st.sampled_from(["gaussian", "bernoulli", "categorical"]),
)


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=FLOAT64_IDENTITY.value)


def draw(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Data and reconstruction inside (0, 1), means and log-variances."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.rand(2, BATCH, FEATURES, generator=generator, dtype=torch.float64) * 0.9 + 0.05
    mu, log_var = torch.randn(2, BATCH, LATENTS, generator=generator, dtype=torch.float64)
    return x, y, mu, log_var


def agrees(convention: Convention, name: str, weight: float) -> bool:
    """Whether the library's loss is the convention's a R + b KL times its batch reduction, up to a constant."""
    translation = effective_water(convention, FEATURES, LATENTS)
    factor = BATCH if convention.batch == "sum" else 1
    theirs, ours = [], []
    for seed in range(5):
        x, y, mu, log_var = draw(seed)
        theirs.append(float(LOSSES[name](x, y, mu, log_var, weight)))
        terms = translation.a * reconstruction(convention.likelihood, x, y) + translation.b * divergence(mu, log_var)
        ours.append(factor * float(terms.mean()))
    room = FLOAT64_IDENTITY.value * max(map(abs, theirs + ours))
    return all(abs((theirs[i] - theirs[0]) - (ours[i] - ours[0])) <= room for i in range(1, 5))


def weights(name: str) -> list[float]:
    """The default weight, and another where the code has a knob for it."""
    default = LIBRARIES[name].weight
    return [default, 1.7 * default] if LIBRARIES[name].knob else [default]


# The conventions are the libraries' losses


def test_every_library_has_its_loss() -> None:
    assert LIBRARIES.keys() == LOSSES.keys()
    assert all(name == loss.name for name, loss in LIBRARIES.items())


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_convention_is_the_librarys_loss(name: str) -> None:
    for weight in weights(name):
        assert agrees(replace(LIBRARIES[name], weight=weight), name, weight)


@pytest.mark.parametrize("name", LIBRARIES)
def test_another_convention_is_not(name: str) -> None:
    loss = LIBRARIES[name]
    flipped: dict[str, Any] = {"sum": "mean", "mean": "sum"}
    others = [
        replace(loss, reconstruction=flipped[loss.reconstruction]),
        replace(loss, kl=flipped[loss.kl]),
        replace(loss, batch=flipped[loss.batch]),
        replace(loss, factor=2 * loss.factor),
        replace(loss, weight=1.01 * loss.weight),
        replace(loss, likelihood="laplace" if loss.likelihood != "laplace" else "gaussian"),
    ]
    assert [other for other in others if agrees(other, name, loss.weight)] == []


def test_a_decoder_std_is_that_of_a_normal_density() -> None:
    std = 0.3
    loss = replace(LIBRARIES["theory"], decoder_std=std)
    translation = effective_water(loss, FEATURES, LATENTS)
    x, y, _, _ = draw(0)
    densities = [torch.distributions.Normal(centre, std).log_prob(x).sum() for centre in (y, x)]
    assert close(float(densities[1] - densities[0]), translation.a * float(((x - y) ** 2).sum()))
    assert translation.effective is not None
    assert close(translation.effective, std**2)


# The figures


@pytest.mark.parametrize(
    ("name", "weight", "features", "latents", "effective"),
    [
        ("theory", 3, 11, 5, 3),
        ("pytorch-vae", None, 12288, 128, 1.536),
        ("pytorch-vae-beta-h", None, 12288, 128, 15.36),
        ("pytorch-vae-beta-h", 0.001, 12288, 128, 6.144),
        ("pytorch-vae-beta-b", None, 12288, 128, 15.36),
        ("pytorch-vae-beta-b", 0.25, 12288, 128, 1536),
        ("pythae", None, 784, 16, 1),
        ("pythae-old", None, 784, 16, 0.5),
        ("keras-guide-mse", None, 784, 32, 12.25),
        ("lightning-bolts", None, 3072, 256, 0.6),
        ("lightning-bolts", 0.1, 27648, 256, 5.4),
        ("lightning-bolts-early", None, 784, 32, 0.5),
        ("disentangling-vae-gaussian", None, 4096, 10, 4 / 510),
        ("disentangling-vae-gaussian", 1, 4096, 10, 1 / 510),
        ("world-models", None, 12288, 32, 0.5),
        ("pytorch-examples", None, 784, 20, 0.25),
        ("keras", None, 784, 2, 0.25),
        ("keras-2020", None, 784, 2, 0.125),
        ("pythae-bce", 2, 784, 16, 0.5),
        ("disentangling-vae-bernoulli", None, 4096, 10, 1),
    ],
)
def test_effective_water(name: str, weight: float | None, features: int, latents: int, effective: float) -> None:
    loss = LIBRARIES[name] if weight is None else replace(LIBRARIES[name], weight=weight)
    translation = effective_water(loss, features, latents)
    assert translation.effective is not None
    assert close(translation.effective, effective)


def test_the_arithmetic_shows_the_numbers() -> None:
    loss = replace(LIBRARIES["lightning-bolts"], decoder_std=2)
    reconstruction_line, kl_line, effective_line = effective_water(loss, 784, 32).arithmetic
    assert reconstruction_line.endswith("mean over D = 784 features, so a = 1 / 2² / 784 = 0.000318878")
    assert kl_line.endswith("mean over K = 32 latents, so b = 0.1 / 32 = 0.003125")
    assert effective_line.startswith("beta eta_dec² = b / (2 a) = 0.003125 / (2 × 0.000318878) = 4.9, ")


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_not_the_theorys_loss_says_so(name: str) -> None:
    loss = LIBRARIES[name]
    translation = effective_water(loss, 784, 32)
    assert translation.exact == (loss.likelihood == "gaussian" and not loss.condition)
    assert bool(translation.warning) != translation.exact
    assert loss.condition in translation.warning
    assert (translation.effective is None) == (loss.likelihood in ("laplace", "counts"))


def test_an_estimate_is_labelled() -> None:
    translation = effective_water(LIBRARIES["keras"], 784, 2)
    assert "local estimate" in translation.warning
    assert "<= b / (4 a)" in translation.arithmetic[-1]


@given(conventions, counts, counts, numbers)
def test_the_weight_gives_the_wanted_effective(loss: Convention, features: int, latents: int, wanted: float) -> None:
    weight = weight_for(loss, wanted, features, latents)
    effective = effective_water(replace(loss, weight=weight), features, latents).effective
    assert effective is not None
    assert close(effective, wanted)


@given(conventions, counts, counts, numbers)
def test_a_factor_on_all_terms_changes_nothing(loss: Convention, features: int, latents: int, scale: float) -> None:
    scaled = replace(loss, factor=scale * loss.factor, weight=scale * loss.weight)
    one, other = (effective_water(each, features, latents).effective for each in (loss, scaled))
    assert one is not None
    assert other is not None
    assert close(one, other)


@given(conventions, counts, counts)
def test_averages_are_factors(loss: Convention, features: int, latents: int) -> None:
    as_sums = replace(
        loss,
        reconstruction="sum",
        factor=loss.factor / (features if loss.reconstruction == "mean" else 1),
        kl="sum",
        weight=loss.weight / (latents if loss.kl == "mean" else 1),
    )
    one, other = effective_water(loss, features, latents), effective_water(as_sums, features, latents)
    assert all(close(getattr(one, field), getattr(other, field)) for field in ("a", "b", "effective"))


def test_one_hot_noise_is_at_most_a_half() -> None:
    drawn = torch.rand(500, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64) ** 8
    p = torch.cat([drawn / drawn.sum(-1, keepdim=True), torch.tensor([[0.5, 0.5, 0, 0, 0, 0]], dtype=torch.float64)])
    largest = torch.linalg.eigvalsh(torch.diag_embed(p) - p[:, :, None] * p[:, None, :])[:, -1]
    assert close(float(largest.max()), 0.5)
    loss = Convention("one-hot", reconstruction="sum", factor=1, kl="sum", likelihood="categorical")
    assert effective_water(loss, 6, 2).effective == 0.5


# Refusals


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, SMALLEST / 2, LARGEST * 2, 10**400, "1", None, True])
def test_a_number_out_of_range_is_refused(field: str, value: object) -> None:
    fields: dict[str, Any] = {"reconstruction": "sum", "factor": 1, "kl": "sum", field: value}
    with pytest.raises(DataError, match=rf"^loss mine: {field} must be [^\n]+$"):
        Convention("mine", **fields)


@pytest.mark.parametrize("field", CHOICES)
@pytest.mark.parametrize("value", ["median", "", None])
def test_another_word_is_refused(field: str, value: object) -> None:
    fields: dict[str, Any] = {"reconstruction": "sum", "factor": 1, "kl": "sum", field: value}
    allowed = ", ".join(CHOICES[field])
    with pytest.raises(DataError, match=rf"^loss mine: {field} must be one of {allowed}; got [^\n]+$"):
        Convention("mine", **fields)


def test_a_decoder_std_of_another_likelihood_is_refused() -> None:
    with pytest.raises(DataError, match="decoder_std is of a Gaussian likelihood, and this one is bernoulli"):
        replace(LIBRARIES["keras"], decoder_std=0.5)


@pytest.mark.parametrize("value", [0, -3, True, MOST + 1, 10**400])
def test_what_is_no_count_is_refused(value: int) -> None:
    loss = LIBRARIES["theory"]
    with pytest.raises(DataError, match=r"^features must be a whole number"):
        effective_water(loss, value, 2)
    with pytest.raises(DataError, match=r"^latents must be a whole number"):
        weight_for(loss, 1.0, 2, value)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_wanted_effective_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"^effective beta eta_dec² must be positive"):
        weight_for(LIBRARIES["theory"], value, 784, 20)


def test_a_weight_out_of_range_is_refused() -> None:
    with pytest.raises(DataError, match="the weight for beta eta_dec² = 1e\\+30 must be positive, from"):
        weight_for(LIBRARIES["disentangling-vae-gaussian"], LARGEST, 784, 20)


@pytest.mark.parametrize("name", ["disentangling-vae-laplace", "scvi-tools"])
def test_no_weight_stands_for_what_has_no_eta(name: str) -> None:
    with pytest.raises(DataError, match=f"^loss {name}: no weight gives a beta eta_dec²"):
        weight_for(LIBRARIES[name], 1.0, 784, 20)
