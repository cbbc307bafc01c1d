"""The losses of published VAE code, as it stood in the commit named: data, in the terms of `collapse.conventions`."""

from __future__ import annotations

from collapse.conventions import Convention

__all__ = ["LIBRARIES"]

_ANTIXK = "AntixK/PyTorch-VAE"
_ANTIXK_NOTES = (
    "Validation sets kld_weight to 1, another loss. Older code took batch size / number of images for it, "
    "on pixels in [-1, 1]."
)
_DISVAE = "YannDubs/disentangling-vae, disvae/models/losses.py, commit f8f64d8e9d00"
_DISVAE_NOTES = (
    "Losses VAE (a beta of 1) and betaH (4, for CelebA 10), after the ramp of reg_anneal steps. The default loss, betaB, has "
    "betaB_G × |KL - C| instead: this convention with that weight, while the mean KL is above C."
)
_BOLTS = "Lightning-Universe/lightning-bolts"
_PYTHAE = "clementchadebec/benchmark_VAE, src/pythae/models/vae/vae_model.py and beta_vae/beta_vae_model.py"
_KERAS = "keras-team/keras-io"

LIBRARIES: dict[str, Convention] = {
    row.name: row
    for row in (
        Convention(
            "theory",
            reconstruction="sum",
            factor=1 / 2,
            kl="sum",
            knob="beta",
            source="Wang and Ziyin, NeurIPS 2022, Equation 4",
            notes="eta_dec is 1 here; name the parts, with eta_dec, for another.",
        ),
        Convention(
            "pytorch-examples",
            reconstruction="sum",
            factor=1,
            kl="sum",
            batch="sum",
            likelihood="bernoulli",
            source="pytorch/examples, vae/main.py, commit cd01f93000a6",
            notes="Before pull request 296 of February 2018 both terms were divided by 784: the same ratio.",
        ),
        Convention(
            "pytorch-vae",
            reconstruction="mean",
            factor=1,
            kl="sum",
            weight=0.00025,
            knob="kld_weight",
            source=f"{_ANTIXK}, models/vanilla_vae.py and experiment.py, commit 8bf7be5c83c3; configs/vae.yaml, "
            "commit a6896b944c91",
            notes=_ANTIXK_NOTES,
        ),
        Convention(
            "pytorch-vae-beta-h",
            reconstruction="mean",
            factor=1,
            kl="sum",
            weight=10 * 0.00025,
            knob="beta × kld_weight",
            source=f"{_ANTIXK}, models/beta_vae.py, commit db41da7f1d68; configs/bhvae.yaml, commit af3f9a5376a7",
            notes="The weight is the product of two knobs, 10 × 0.00025 in bhvae.yaml; the class's own beta is 4. "
            + _ANTIXK_NOTES,
        ),
        Convention(
            "pytorch-vae-beta-b",
            reconstruction="mean",
            factor=1,
            kl="sum",
            weight=10 * 0.00025,
            knob="gamma × kld_weight",
            condition="while the batch's mean KL is above the capacity C",
            source=f"{_ANTIXK}, models/beta_vae.py, commit db41da7f1d68; configs/bbvae.yaml, commit af3f9a5376a7",
            notes="The KL term is gamma × kld_weight × |KL - C|, and beta is not used; 10 × 0.00025 in bbvae.yaml; "
            "the class's own gamma is 1000. " + _ANTIXK_NOTES,
        ),
        Convention(
            "pythae",
            reconstruction="sum",
            factor=1 / 2,
            kl="sum",
            knob="beta",
            source=f"{_PYTHAE}, commit 24939dc75842; release 0.1.2 on PyPI",
            notes='reconstruction_loss "mse", the default. VAE has no beta: 1.',
        ),
        Convention(
            "pythae-old",
            reconstruction="sum",
            factor=1,
            kl="sum",
            knob="beta",
            source=f"{_PYTHAE}, commit 06d582a7566a; release 0.1.1 on PyPI",
            notes='reconstruction_loss "mse", the default, without the 1/2 that release 0.1.2 has. VAE has no beta: 1.',
        ),
        Convention(
            "pythae-bce",
            reconstruction="sum",
            factor=1,
            kl="sum",
            likelihood="bernoulli",
            knob="beta",
            source=f"{_PYTHAE}, commit 24939dc75842; releases 0.1.1 and 0.1.2 on PyPI",
            notes='reconstruction_loss "bce". VAE has no beta: 1.',
        ),
        Convention(
            "keras",
            reconstruction="sum",
            factor=1,
            kl="sum",
            likelihood="bernoulli",
            source=f"{_KERAS}, examples/generative/vae.py, commit cca4efba8e0b",
            notes="Keras averages its cross-entropy over the last axis, the channels: with more than one, the sum is "
            "divided by them.",
        ),
        Convention(
            "keras-2020",
            reconstruction="sum",
            factor=1,
            kl="mean",
            likelihood="bernoulli",
            source=f"{_KERAS}, issue 270 of September 2020, which quotes examples/generative/vae.py of then",
            notes="KL was averaged over latents: too weak by their number. The reconstruction term was read in a copy of the "
            "example.",
        ),
        Convention(
            "keras-guide-mse",
            reconstruction="mean",
            factor=1,
            kl="mean",
            source=f"{_KERAS}, guides/making_new_layers_and_models_via_subclassing.py, commit 175a5e441aee",
            notes="The guide has 784 features and 32 latents.",
        ),
        Convention(
            "lightning-bolts",
            reconstruction="mean",
            factor=1,
            kl="mean",
            weight=0.1,
            knob="kl_coeff",
            source=f"{_BOLTS}, src/pl_bolts/models/autoencoders/basic_vae/basic_vae_module.py, commit c6f6d3b58934",
            notes="The KL that it logs is already multiplied by kl_coeff.",
        ),
        Convention(
            "lightning-bolts-early",
            reconstruction="sum",
            factor=1,
            kl="sum",
            source=f"{_BOLTS}, pl_bolts/models/autoencoders/basic_vae/basic_vae_module.py, commit 0066e32df072",
            notes="KL was estimated from 16 draws, without bias.",
        ),
        Convention(
            "disentangling-vae-gaussian",
            reconstruction="sum",
            factor=255,
            kl="sum",
            weight=4,
            likelihood="gaussian",
            knob="betaH_B",
            source=_DISVAE,
            notes="255 since errors of 0 to 255 are squared, then divided by 255 once: as if eta_dec² = 1/510. "
            + _DISVAE_NOTES,
        ),
        Convention(
            "disentangling-vae-bernoulli",
            reconstruction="sum",
            factor=1,
            kl="sum",
            weight=4,
            likelihood="bernoulli",
            knob="betaH_B",
            source=_DISVAE,
            notes=_DISVAE_NOTES,
        ),
        Convention(
            "disentangling-vae-laplace",
            reconstruction="sum",
            factor=3,
            kl="sum",
            weight=4,
            likelihood="laplace",
            knob="betaH_B",
            source=_DISVAE,
            notes="Older code (commit 0a38ac7e438b) had a factor of 1. " + _DISVAE_NOTES,
        ),
        Convention(
            "scvi-tools",
            reconstruction="sum",
            factor=1,
            kl="sum",
            likelihood="counts",
            knob="max_kl_weight",
            source="scverse/scvi-tools, src/scvi/module/_vae.py, commit 00949505165b; src/scvi/train/_trainingplans.py, "
            "commit 01482929da91",
            notes="Zero-inflated negative binomial by default. The weight grows from 0 to 1 over 400 epochs. "
            'gene_likelihood "normal" learns eta_dec for each gene.',
        ),
        Convention(
            "bvae-tf",
            reconstruction="mean",
            factor=1,
            kl="sum",
            weight=100,
            likelihood="laplace",
            knob="beta",
            source="alecGraves/BVAE-tf, bvae/sample_layer.py and bvae/ae.py, commit 810506b1a142",
            notes="That commit is work in progress.",
        ),
        Convention(
            "world-models",
            reconstruction="sum",
            factor=1,
            kl="sum",
            condition="while a sample's KL is above the floor kl_tolerance × latents (0.5 × 32 nats)",
            source="hardmaru/WorldModelsExperiments, carracing/vae/vae.py, commit 72e70046ab25",
            notes="Below the floor the KL term is constant and pulls at nothing.",
        ),
    )
}
"""Published losses by name, with their default weights; the names that `collapse.loss_option` knows."""
