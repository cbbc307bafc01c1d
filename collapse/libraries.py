"""The losses of libraries that people copy from, as conventions; read in the code that each names as its source."""

from __future__ import annotations

from collapse.conventions import Convention

__all__ = ["LIBRARIES", "describe"]

_ALL = (
    Convention("theory", source="Wang & Ziyin 2022, Eq 5"),
    Convention(
        "pytorch-examples",
        factor=1.0,
        likelihood="bernoulli",
        knob="weight",
        source="pytorch/examples, vae/main.py at cd01f930",
        notes="binary cross-entropy and KL, both summed over the batch too; no weight",
    ),
    Convention(
        "pytorch-vae",
        "mean",
        1.0,
        weight=0.00025,
        knob="kld_weight",
        source="AntixK/PyTorch-VAE, models/vanilla_vae.py at 8bf7be5c, experiment.py, configs/vae.yaml at a6896b94",
        notes="in validation the weight is 1; older versions: batch size over number of images, and pixels in [-1, 1]",
    ),
    Convention(
        "pytorch-vae-beta-h",
        "mean",
        1.0,
        weight=0.0025,
        knob="beta × kld_weight",
        source="AntixK/PyTorch-VAE, models/beta_vae.py at db41da7f, configs/bhvae.yaml at af3f9a53",
        notes="loss type H, beta = 10 times kld_weight = 0.00025; loss type B weighs |KL − C| by gamma, and has no fixed beta",
    ),
    Convention(
        "pythae",
        weight=1.0,
        knob="beta",
        source="clementchadebec/benchmark_VAE, src/pythae/models/beta_vae/beta_vae_model.py at 24939dc7 (0.1.2 in its setup.py)",
        notes="reconstruction_loss mse; with half the squared error since 2023 (pull request 104)",
    ),
    Convention(
        "pythae-old",
        factor=1.0,
        knob="beta",
        source="clementchadebec/benchmark_VAE, src/pythae/models/beta_vae/beta_vae_model.py at 06d582a7",
        notes="the squared error without 1/2",
    ),
    Convention(
        "pythae-bce",
        factor=1.0,
        likelihood="bernoulli",
        knob="beta",
        source="clementchadebec/benchmark_VAE, src/pythae/models/beta_vae/beta_vae_model.py at 24939dc7",
        notes="reconstruction_loss bce",
    ),
    Convention(
        "keras",
        factor=1.0,
        likelihood="bernoulli",
        knob="weight",
        source="keras-team/keras-io, examples/generative/vae.py at cca4efba",
        notes="binary cross-entropy, summed over pixels (over channels it is a mean); no weight",
    ),
    Convention(
        "keras-2020",
        factor=1.0,
        kl="mean",
        likelihood="bernoulli",
        knob="weight",
        source="keras-team/keras-io, issue 270",
        notes="the KL was a mean over latents",
    ),
    Convention(
        "keras-guide-mse",
        "mean",
        1.0,
        "mean",
        knob="weight",
        source="keras-team/keras-io, guides/making_new_layers_and_models_via_subclassing.py at 175a5e44",
        notes="both terms are means",
    ),
    Convention(
        "lightning-bolts",
        "mean",
        1.0,
        "mean",
        weight=0.1,
        knob="kl_coeff",
        source="Lightning-Universe/lightning-bolts, src/pl_bolts/models/autoencoders/basic_vae/basic_vae_module.py at c6f6d3b5",
        notes="both terms are means; what is logged as kl has the coefficient in it",
    ),
    Convention(
        "disentangling-vae-gaussian",
        factor=255.0,
        weight=4.0,
        knob="betaH_B",
        source="YannDubs/disentangling-vae, disvae/models/losses.py at f8f64d8e, hyperparam.ini at ebfe6142",
        notes="the squared error of pixels in [0, 1] times 255; the weight rises over the first 10,000 steps",
    ),
    Convention(
        "disentangling-vae-bernoulli",
        factor=1.0,
        weight=4.0,
        likelihood="bernoulli",
        knob="betaH_B",
        source="YannDubs/disentangling-vae, disvae/models/losses.py at f8f64d8e, hyperparam.ini at ebfe6142",
        notes="its default; the weight rises over the first 10,000 steps",
    ),
)
LIBRARIES: dict[str, Convention] = {convention.name: convention for convention in _ALL}


def describe() -> list[str]:
    """A few lines for each convention."""
    lines = []
    for each in _ALL:
        error = "squared error" if each.likelihood == "gaussian" else each.likelihood + " likelihood"
        lines += [
            f"{each.name}: {error}, {each.reconstruction} over features, times {each.factor:g}; KL, {each.kl} over latents, times "
            f"{each.knob} = {each.weight:g}",
            *[f"    {line}" for line in (each.source, each.notes) if line],
        ]
    return [*lines, "or parts: reconstruction=mean,factor=1/2,kl=sum,weight=0.1,eta_dec=1,likelihood=gaussian"]
