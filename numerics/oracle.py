"""The evidence lower bound by torch.distributions alone: what the objective is held against, with no shared code."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

__all__ = ["elbo_by_sigma_points", "gaussian_kl"]


def gaussian_kl(
    m: Float[Tensor, "*batch d1"], sigma: Float[Tensor, "*batch d1"], eta_enc: float
) -> Float[Tensor, "*batch"]:
    """KL(N(m, diag(σ²)) ‖ N(0, η_enc² I)) in nats (section 3).

    Args:
        m: mean of the encoder.
        sigma: standard deviations of the encoder.
        eta_enc: standard deviation of the prior.
    """
    encoder = Independent(Normal(m, sigma), 1)
    prior = Independent(Normal(torch.zeros_like(m), torch.full_like(m, eta_enc)), 1)
    return kl_divergence(encoder, prior)


def elbo_by_sigma_points(
    x: Float[Tensor, "n D0"],
    y: Float[Tensor, "n d2"],
    W: Float[Tensor, "D0 d1"],
    U: Float[Tensor, "d2 d1"],
    sigma: Float[Tensor, " d1"],
    beta: float,
    eta_dec: float,
    eta_enc: float,
    *,
    partition: bool = True,
) -> Float[Tensor, ""]:
    """Minus the β-weighted evidence lower bound (Eq. 4), averaged over samples, in nats.

    The reconstruction term is quadratic in the encoder's noise, so its expectation is the mean over the 2 d1 points
    ±√d1 σ_i e_i: no sampling error.

    Args:
        x, y: samples.
        W: encoder, z = Wᵀx + ε.
        U: decoder, ŷ = Uz.
        sigma: standard deviations of ε.
        beta: weight of the Kullback–Leibler term.
        eta_dec, eta_enc: standard deviations of decoder and prior.
        partition: whether to keep the decoder's (d2/2) log(2π η_dec²), which Eq. 5 drops.
    """
    n, d2 = y.shape
    d1 = len(sigma)
    mean = x @ W
    points = d1**0.5 * torch.diag(sigma)
    z = torch.cat([mean[:, None, :] + points, mean[:, None, :] - points], dim=1)
    decoder = MultivariateNormal(z @ U.T, scale_tril=eta_dec * torch.eye(d2, dtype=y.dtype, device=y.device))
    evidence = decoder.log_prob(y[:, None, :])
    if not partition:
        evidence = evidence - decoder.log_prob(decoder.mean)
    divergence = gaussian_kl(mean, sigma.expand(n, d1), eta_enc)
    return (beta * divergence - evidence.mean(dim=1)).mean()
