"""The losses of published VAE code in torch, each by the reductions that its code uses; `collapse.libraries` has the sources.

A loss takes data and reconstruction (B, D), the encoder's means and log-variances (B, K), and the weight on KL, which code
with a fixed weight does not read.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import NegativeBinomial, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy, l1_loss, mse_loss

Loss = Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]

CAPACITY = 0.01
"""Capacity and floor of the losses that have one, in nats: below every KL that the tests draw."""
KLD_WEIGHT = 0.00025


def divergences(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL for each sample and latent, as most code writes it."""
    return -0.5 * (1 + log_var - mu.pow(2) - log_var.exp())


def spread(mu: Tensor, log_var: Tensor) -> Tensor:
    """2K points of each sample (2K, B, K) with the encoder's mean and covariance: averages of quadratics are exact."""
    K = mu.shape[-1]
    steps = math.sqrt(K) * torch.eye(K, dtype=mu.dtype)
    return mu + torch.cat([steps, -steps])[:, None, :] * (log_var / 2).exp()


def theory(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    decoder, encoder = Normal(y, 1.0), Normal(mu, (log_var / 2).exp())
    return (weight * kl_divergence(encoder, Normal(0.0, 1.0)).sum(-1) - decoder.log_prob(x).sum(-1)).mean()


def pytorch_examples(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return binary_cross_entropy(y, x, reduction="sum") + divergences(mu, log_var).sum()


def pytorch_vae(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return mse_loss(y, x) + weight * torch.mean(divergences(mu, log_var).sum(dim=1), dim=0)


def pytorch_vae_beta_h(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    beta = weight / KLD_WEIGHT
    return mse_loss(y, x) + beta * KLD_WEIGHT * torch.mean(divergences(mu, log_var).sum(dim=1), dim=0)


def pytorch_vae_beta_b(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    gamma = weight / KLD_WEIGHT
    kld = torch.mean(divergences(mu, log_var).sum(dim=1), dim=0)
    return mse_loss(y, x) + gamma * KLD_WEIGHT * (kld - CAPACITY).abs()


def pythae(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    recon = 0.5 * mse_loss(y, x, reduction="none").sum(dim=-1)
    return (recon + weight * divergences(mu, log_var).sum(dim=-1)).mean(dim=0)


def pythae_old(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    recon = mse_loss(y, x, reduction="none").sum(dim=-1)
    return (recon + weight * divergences(mu, log_var).sum(dim=-1)).mean(dim=0)


def pythae_bce(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    recon = binary_cross_entropy(y, x, reduction="none").sum(dim=-1)
    return (recon + weight * divergences(mu, log_var).sum(dim=-1)).mean(dim=0)


def keras_cross_entropy(x: Tensor, y: Tensor) -> Tensor:
    """Keras's own: averaged over the last axis, here one channel of an image of one column."""
    pixels = binary_cross_entropy(y[:, :, None, None], x[:, :, None, None], reduction="none")
    return pixels.mean(dim=-1)


def keras(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return keras_cross_entropy(x, y).sum(dim=(1, 2)).mean() + divergences(mu, log_var).sum(dim=1).mean()


def keras_2020(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    pixels = x.shape[1]
    return keras_cross_entropy(x, y).mean() * pixels + divergences(mu, log_var).mean()


def keras_guide_mse(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return mse_loss(y, x) + divergences(mu, log_var).mean()


def lightning_bolts(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    kl = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    return mse_loss(y, x, reduction="mean") + weight * kl.mean()


def lightning_bolts_early(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    z = spread(mu, log_var)  # in place of random draws
    log_ratio = Normal(mu, (log_var / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    return mse_loss(y, x, reduction="none").sum(-1).mean() + log_ratio.sum(dim=2).mean()


def disvae_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return divergences(mu, log_var).mean(dim=0).sum()


def disvae_gaussian(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    recon = mse_loss(y * 255, x * 255, reduction="sum") / 255
    return recon / len(x) + weight * disvae_kl(mu, log_var)


def disvae_bernoulli(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return binary_cross_entropy(y, x, reduction="sum") / len(x) + weight * disvae_kl(mu, log_var)


def disvae_laplace(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return l1_loss(y, x, reduction="sum") * 3 / len(x) + weight * disvae_kl(mu, log_var)


def scvi_tools(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    """Counts 9x, floored, about a mean of 9y, negative binomial with inverse dispersion 2; no zero inflation."""
    dispersion, mean = torch.tensor(2.0, dtype=x.dtype), 9 * y
    likelihood = NegativeBinomial(dispersion, probs=mean / (mean + dispersion)).log_prob((9 * x).floor()).sum(-1)
    kl = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(dim=-1)
    return torch.mean(-likelihood + weight * kl)


def bvae_tf(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    return l1_loss(y, x) + weight * divergences(mu, log_var).sum(dim=-1).mean()


def world_models(x: Tensor, y: Tensor, mu: Tensor, log_var: Tensor, weight: float) -> Tensor:
    kl = divergences(mu, log_var).sum(dim=1).clamp(min=CAPACITY)
    return (x - y).square().sum(dim=1).mean() + kl.mean()


LOSSES: dict[str, Loss] = {
    "theory": theory,
    "pytorch-examples": pytorch_examples,
    "pytorch-vae": pytorch_vae,
    "pytorch-vae-beta-h": pytorch_vae_beta_h,
    "pytorch-vae-beta-b": pytorch_vae_beta_b,
    "pythae": pythae,
    "pythae-old": pythae_old,
    "pythae-bce": pythae_bce,
    "keras": keras,
    "keras-2020": keras_2020,
    "keras-guide-mse": keras_guide_mse,
    "lightning-bolts": lightning_bolts,
    "lightning-bolts-early": lightning_bolts_early,
    "disentangling-vae-gaussian": disvae_gaussian,
    "disentangling-vae-bernoulli": disvae_bernoulli,
    "disentangling-vae-laplace": disvae_laplace,
    "scvi-tools": scvi_tools,
    "bvae-tf": bvae_tf,
    "world-models": world_models,
}


def reconstruction(likelihood: str, x: Tensor, y: Tensor) -> Tensor:
    """The reconstruction term of each sample, summed over features, by its definition."""
    match likelihood:
        case "gaussian":
            return ((x - y) ** 2).sum(-1)
        case "bernoulli":
            return -(x * y.log() + (1 - x) * (1 - y).log()).sum(-1)
        case "laplace":
            return (x - y).abs().sum(-1)
        case "counts":
            n, m, r = (9 * x).floor(), 9 * y, torch.tensor(2.0, dtype=x.dtype)
            choose = torch.lgamma(n + r) - torch.lgamma(r) - torch.lgamma(n + 1)
            return -(choose + r * (r / (r + m)).log() + n * (m / (r + m)).log()).sum(-1)
    raise AssertionError(f"no test for the likelihood {likelihood}")


def divergence(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL of each sample, summed over latents, by its definition: E_q log q − E_q log p."""
    entropy = 0.5 * (log_var + math.log(2 * math.pi) + 1)
    cross = 0.5 * (math.log(2 * math.pi) + mu**2 + log_var.exp())
    return (cross - entropy).sum(-1)
