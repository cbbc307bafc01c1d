"""Loss conventions: each library's formula, written out here by torch's functions, is a multiple of what its convention says."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as nn

from collapse.conventions import Convention, effective_water, parse_loss, weight_for
from collapse.libraries import LIBRARIES, describe
from derivations.errors import DataError
from numerics.tolerances import FLOAT64_IDENTITY

B, D, K = 5, 12, 3


@dataclasses.dataclass
class Draw:
    """Random pixels in (0, 1), their reconstructions, and codes."""

    x: Tensor
    y: Tensor
    mean: Tensor
    log_variance: Tensor

    @property
    def divergence(self) -> Tensor:
        """KL of each latent of each sample, (B, K)."""
        return (self.mean**2 + self.log_variance.exp() - 1 - self.log_variance) / 2


def draw(seed: int) -> Draw:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand((2, B, D), generator=generator, dtype=torch.float64) * 0.9 + 0.05
    codes = torch.randn((2, B, K), generator=generator, dtype=torch.float64)
    return Draw(*pixels, *codes)


def usual_kl(d: Draw) -> Tensor:
    return torch.mean(-0.5 * torch.sum(1 + d.log_variance - d.mean**2 - d.log_variance.exp(), dim=1), dim=0)


FORMULAS = {
    "theory": lambda d: (nn.mse_loss(d.y, d.x, reduction="sum") / 2 + d.divergence.sum()) / B,
    "pytorch-examples": lambda d: (
        nn.binary_cross_entropy(d.y, d.x, reduction="sum")
        - 0.5 * torch.sum(1 + d.log_variance - d.mean.pow(2) - d.log_variance.exp())
    ),
    "pytorch-vae": lambda d: nn.mse_loss(d.y, d.x) + 0.00025 * usual_kl(d),
    "pytorch-vae-beta-h": lambda d: nn.mse_loss(d.y, d.x) + 10 * 0.00025 * usual_kl(d),
    "pythae": lambda d: (0.5 * nn.mse_loss(d.y, d.x, reduction="none").sum(-1) + d.divergence.sum(-1)).mean(),
    "pythae-old": lambda d: (nn.mse_loss(d.y, d.x, reduction="none").sum(-1) + d.divergence.sum(-1)).mean(),
    "pythae-bce": lambda d: (nn.binary_cross_entropy(d.y, d.x, reduction="none").sum(-1) + d.divergence.sum(-1)).mean(),
    "keras": lambda d: nn.binary_cross_entropy(d.y, d.x, reduction="none").sum(1).mean() + d.divergence.sum(1).mean(),
    "keras-2020": lambda d: nn.binary_cross_entropy(d.y, d.x) * D + d.divergence.mean(),
    "keras-guide-mse": lambda d: nn.mse_loss(d.y, d.x) + d.divergence.mean(),
    "lightning-bolts": lambda d: (
        nn.mse_loss(d.y, d.x, reduction="mean")
        + 0.1
        * torch.distributions.kl_divergence(
            torch.distributions.Normal(d.mean, (d.log_variance / 2).exp()),
            torch.distributions.Normal(torch.zeros_like(d.mean), torch.ones_like(d.mean)),
        ).mean()
    ),
    "disentangling-vae-gaussian": lambda d: (
        nn.mse_loss(d.y * 255, d.x * 255, reduction="sum") / 255 / B + 4 * d.divergence.mean(0).sum()
    ),
    "disentangling-vae-bernoulli": lambda d: (
        nn.binary_cross_entropy(d.y, d.x, reduction="sum") / B + 4 * d.divergence.mean(0).sum()
    ),
}


def test_every_library_has_its_formula() -> None:
    assert FORMULAS.keys() == LIBRARIES.keys()


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_librarys_loss_is_a_multiple_of_its_convention(name: str) -> None:
    convention = LIBRARIES[name]
    translation = effective_water(convention, D, K)
    ratios = []
    for seed in range(6):
        d = draw(seed)
        if convention.likelihood == "gaussian":
            error = (d.x - d.y).square().sum(-1)
        else:
            error = nn.binary_cross_entropy(d.y, d.x, reduction="none").sum(-1)
        stated = (translation.a * error + translation.b * d.divergence.sum(-1)).mean()
        ratios.append(float(FORMULAS[name](d) / stated))
    assert ratios == pytest.approx([ratios[0]] * 6, rel=FLOAT64_IDENTITY.value)
    # which a wrong weight of either term would not be
    wrong = effective_water(dataclasses.replace(convention, weight=2 * convention.weight), D, K)
    assert wrong.effective == pytest.approx(2 * translation.effective)


@pytest.mark.parametrize(
    ("name", "features", "latents", "level"),
    [
        ("theory", 784, 20, 1.0),
        ("pytorch-vae", 12288, 128, 1.536),
        ("pytorch-vae-beta-h", 12288, 128, 15.36),
        ("pythae", 784, 16, 1.0),
        ("pythae-old", 784, 16, 0.5),
        ("keras-guide-mse", 784, 32, 12.25),
        ("lightning-bolts", 3072, 256, 0.6),
        ("disentangling-vae-gaussian", 4096, 10, 4 / 510),
    ],
)
def test_levels_of_the_libraries_own_settings(name: str, features: int, latents: int, level: float) -> None:
    found = effective_water(LIBRARIES[name], features, latents)
    assert found.effective == pytest.approx(level, rel=FLOAT64_IDENTITY.value) and found.exact and not found.warning
    assert f"{level:.6g}" in found.arithmetic[-1]


def test_what_is_not_gaussian_is_indicative_only() -> None:
    for name, convention in LIBRARIES.items():
        found = effective_water(convention, D, K)
        assert found.exact == (convention.likelihood == "gaussian"), name
        assert found.exact or "indicative only" in found.warning
    # near p = 1/2 the cross-entropy exceeds its least by 2 (y - p)^2, which is a Gaussian's with variance 1/4
    p, step = torch.tensor(0.5, dtype=torch.float64), 1e-3
    excess = nn.binary_cross_entropy(p + step, p) - nn.binary_cross_entropy(p, p)
    assert float(excess) == pytest.approx(step**2 / (2 / 4), rel=10**-4)
    assert effective_water(LIBRARIES["keras"], D, K).effective == 1 / 4


scales = st.floats(1e-3, 1e3)
conventions = st.builds(
    Convention, reconstruction=st.sampled_from(["sum", "mean"]), factor=scales, kl=st.sampled_from(["sum", "mean"]),
    weight=scales, decoder_std=scales,
)  # fmt: skip


@given(conventions, scales, st.integers(1, 1000), st.integers(1, 50))
def test_the_weight_for_a_level_has_that_level(c: Convention, level: float, features: int, latents: int) -> None:
    weight = weight_for(c, level, features, latents)
    again = effective_water(dataclasses.replace(c, weight=weight), features, latents)
    assert again.effective == pytest.approx(level, rel=FLOAT64_IDENTITY.value)


@given(conventions, scales, st.integers(1, 1000), st.integers(1, 50))
def test_a_factor_of_the_whole_loss_changes_nothing(c: Convention, k: float, features: int, latents: int) -> None:
    scaled = dataclasses.replace(c, factor=k * c.factor, weight=k * c.weight)
    found = effective_water(scaled, features, latents).effective
    assert found == pytest.approx(effective_water(c, features, latents).effective, rel=FLOAT64_IDENTITY.value)


def test_parts_on_the_command_line() -> None:
    found = parse_loss("reconstruction=mean, factor=1/2, kl=mean, weight=0.1, eta_dec=2, likelihood=laplace")
    assert found == Convention("custom", "mean", 0.5, "mean", 0.1, 2.0, "laplace")
    assert parse_loss("kl=mean") == Convention(kl="mean")
    assert parse_loss("pythae", weight=3.0) == dataclasses.replace(LIBRARIES["pythae"], weight=3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pytorchvae", "did you mean pytorch-vae"),
        ("nothing-like-it", "Known: theory"),
        ("kl=max", "kl must be sum or mean"),
        ("size=3", "no part 'size'"),
        ("kl=sum,kl=sum", "given twice"),
        ("weight=0", "positive"),
        ("weight=-1", "positive"),
        ("weight=nan", "positive"),
        ("weight=1e40", "sensible"),
        ("factor=half", "must be a number"),
        ("factor=1/0", "must be a number"),
    ],
)
def test_what_is_no_convention_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as found:
        parse_loss(text)
    assert "\n" not in str(found.value)


def test_the_list_names_every_source() -> None:
    text = "\n".join(describe())
    assert all(each.name in text and each.source and each.source in text for each in LIBRARIES.values())
