"""Variational autoencoders of the paper's examples, many at once: linear, and two-layer ReLU or Tanh networks (§5).

Each parameter is a stack of tensors, one for each member of an ensemble; members differ in β and in their random start, and see the
same samples. Linear models have an encoder variance that does not depend on the input and take the expectation over data and noise
exactly (Eq 5); networks have a second network for the log-variance and draw the noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import vmap

from numerics.objective import vae_loss

__all__ = ["ACTIVATIONS", "Codes", "Linear", "Network", "Stack"]

Stack = dict[str, Tensor]
"""Parameters by name, each with the members of an ensemble in front."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh}
PARTS = ("mean", "variance", "decoder")


class Codes(NamedTuple):
    """What an encoder says of samples: means and standard deviations σ(x), not variances."""

    mean: Float[Tensor, "members n d1"]
    deviation: Float[Tensor, "members n d1"]


def _uniform_start(shape: tuple[int, ...], inputs: int, generator: torch.Generator) -> Tensor:
    """Uniform within 1/√inputs, torch.nn.Linear's start."""
    bound = 1 / math.sqrt(inputs)
    return (2 * torch.rand(shape, dtype=torch.float64, generator=generator) - 1) * bound


def _stacked(each: Sequence[Stack], dtype: torch.dtype, device: torch.device | str) -> Stack:
    return {name: torch.stack([one[name] for one in each]).to(device, dtype) for name in each[0]}


@dataclass(frozen=True)
class Linear:
    """z = Wᵀ(x − E x) + noise of standard deviation σ, ŷ = E y + U z: biases are at their best (Appendix B).

    Args:
        A, C, y2: E[x xᵀ], E[y xᵀ], E‖y‖² about the means, shapes (d0, d0), (d2, d0), ().
        d1: latents.
        eta_dec, eta_enc: standard deviations of decoder and prior.
    """

    A: Float[Tensor, "d0 d0"]
    C: Float[Tensor, "d2 d0"]
    y2: Float[Tensor, ""]
    d1: int
    eta_dec: float = 1.0
    eta_enc: float = 1.0

    def initial(self, generators: Sequence[torch.Generator]) -> Stack:
        """A random start for each generator."""
        (d2, d0), d1 = self.C.shape, self.d1

        def one(generator: torch.Generator) -> Stack:
            log_variance = torch.full((d1,), 2 * math.log(self.eta_enc), dtype=torch.float64)
            W, U = (_uniform_start(shape, shape[1], generator) for shape in ((d1, d0), (d2, d1)))
            return {"W": W.T.contiguous(), "U": U, "log_variance": log_variance}

        return _stacked([one(generator) for generator in generators], self.A.dtype, self.A.device)

    def loss(self, stack: Stack, beta: Float[Tensor, " members"]) -> Float[Tensor, " members"]:
        """L_VAE of each member (Eq 5), in nats."""
        scales = [
            torch.tensor(value, dtype=self.A.dtype, device=self.A.device) for value in (self.eta_dec, self.eta_enc)
        ]
        return vae_loss(stack["W"], stack["U"], stack["log_variance"], self.A, self.C, self.y2, beta, *scales)

    def codes(self, stack: Stack, x: Float[Tensor, "n d0"]) -> Codes:
        """Of centred samples."""
        mean = x @ stack["W"]
        return Codes(mean, (stack["log_variance"] / 2).exp()[:, None, :].expand_as(mean))

    def decoded(self, stack: Stack, z: Float[Tensor, "members n d1"]) -> Float[Tensor, "members n d2"]:
        """The decoder's means, about E y."""
        return z @ stack["U"].mT


@dataclass(frozen=True)
class Network:
    """Two-layer networks with biases for the encoder's mean, for its log-variance, and for the decoder.

    Args:
        d0, d1, d2: inputs, latents, outputs.
        hidden: d_h, units of each hidden layer.
        activation: "relu" or "tanh".
        eta_dec, eta_enc: standard deviations of decoder and prior.
    """

    d0: int
    d1: int
    d2: int
    hidden: int
    activation: str
    eta_dec: float = 1.0
    eta_enc: float = 1.0

    def initial(
        self,
        generators: Sequence[torch.Generator],
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> Stack:
        """A random start for each generator, as torch.nn.Linear draws it."""
        sizes = {"mean": (self.d0, self.d1), "variance": (self.d0, self.d1), "decoder": (self.d1, self.d2)}

        def one(generator: torch.Generator) -> Stack:
            found = {}
            for part in PARTS:
                first, last = sizes[part]
                for layer, inputs, outputs in (("1", first, self.hidden), ("2", self.hidden, last)):
                    found[f"{part}.{layer}.weight"] = _uniform_start((inputs, outputs), inputs, generator)
                    found[f"{part}.{layer}.bias"] = _uniform_start((outputs,), inputs, generator)
            return found

        return _stacked([one(generator) for generator in generators], dtype, device)

    def loss(
        self,
        stack: Stack,
        beta: Float[Tensor, " members"],
        x: Float[Tensor, "n d0"],
        y: Float[Tensor, "n d2"],
        noise: Float[Tensor, "members n d1"],
    ) -> Float[Tensor, " members"]:
        """L_VAE of each member on samples (Eq 1 with the partition function left out), with one draw of the noise each, in nats."""

        def member(own: Stack, weight: Tensor, drawn: Tensor) -> Tensor:
            mean, log_variance = self._net(own, "mean", x), self._net(own, "variance", x)
            error = self._net(own, "decoder", mean + (log_variance / 2).exp() * drawn) - y
            return (
                error.square().sum(-1).mean() / (2 * self.eta_dec**2)
                + weight * self._kl(mean, log_variance).sum(-1).mean()
            )

        return vmap(member)(stack, beta, noise)

    def codes(self, stack: Stack, x: Float[Tensor, "n d0"]) -> Codes:
        """What each member's encoder says of samples."""

        def member(own: Stack) -> tuple[Tensor, Tensor]:
            return self._net(own, "mean", x), (self._net(own, "variance", x) / 2).exp()

        return Codes(*vmap(member)(stack))

    def decoded(self, stack: Stack, z: Float[Tensor, "members n d1"]) -> Float[Tensor, "members n d2"]:
        """The decoder's means."""
        return vmap(lambda own, codes: self._net(own, "decoder", codes))(stack, z)

    def _net(self, own: Stack, part: str, values: Tensor) -> Tensor:
        hidden = ACTIVATIONS[self.activation](values @ own[f"{part}.1.weight"] + own[f"{part}.1.bias"])
        return hidden @ own[f"{part}.2.weight"] + own[f"{part}.2.bias"]

    def _kl(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """KL of each latent's Gaussian from the prior, in nats."""
        prior = self.eta_enc**2
        return (mean.square() / prior + log_variance.exp() / prior - 1 - log_variance + math.log(prior)) / 2
