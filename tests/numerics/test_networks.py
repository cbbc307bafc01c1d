"""Ensembles of networks against one model at a time, written with torch.nn and torch.distributions."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from numerics.networks import ACTIVATIONS, Linear, Network, Stack
from numerics.tolerances import FLOAT64_IDENTITY

D0, D1, D2, HIDDEN, N, MEMBERS = 4, 3, 5, 6, 7, 3
ETA_DEC, ETA_ENC = 0.7, 1.3
LAYERS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def generators(count: int = MEMBERS) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def normal(*shape: int, seed: int = 9) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def module(stack: Stack, part: str, member: int, activation: str) -> nn.Sequential:
    first, last = (stack[f"{part}.{layer}.weight"][member] for layer in (1, 2))
    found = nn.Sequential(nn.Linear(*first.shape), LAYERS[activation](), nn.Linear(*last.shape)).double()
    with torch.no_grad():
        for place, layer in ((0, 1), (2, 2)):
            found[place].weight.copy_(stack[f"{part}.{layer}.weight"][member].T)
            found[place].bias.copy_(stack[f"{part}.{layer}.bias"][member])
    return found


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_loss_of_each_member_is_that_of_a_model_alone(activation: str) -> None:
    model = Network(D0, D1, D2, HIDDEN, activation, ETA_DEC, ETA_ENC)
    stack, beta = model.initial(generators()), torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64)
    x, y, noise = normal(N, D0), normal(N, D2, seed=1), normal(MEMBERS, N, D1, seed=2)
    found = model.loss(stack, beta, x, y, noise)
    codes = model.codes(stack, x)
    for member in range(MEMBERS):
        mean, variance, decoder = (module(stack, part, member, activation) for part in ("mean", "variance", "decoder"))
        code = Normal(mean(x), variance(x).exp().sqrt())
        prediction = decoder(code.mean + code.stddev * noise[member])
        likelihood = Normal(prediction, ETA_DEC).log_prob(y) - Normal(y, ETA_DEC).log_prob(y)
        divergence = kl_divergence(code, Normal(torch.tensor(0.0, dtype=torch.float64), ETA_ENC))
        alone = (beta[member] * divergence.sum(-1) - likelihood.sum(-1)).mean()
        assert abs(float((found[member] - alone).detach())) <= FLOAT64_IDENTITY.value * float(alone.detach())
        assert torch.allclose(codes.mean[member], code.mean, atol=FLOAT64_IDENTITY.value, rtol=0)
        assert torch.allclose(codes.deviation[member], code.stddev, atol=FLOAT64_IDENTITY.value, rtol=0)
        again = model.decoded(stack, code.mean.expand(MEMBERS, N, D1))[member]
        assert torch.allclose(again, decoder(code.mean), atol=FLOAT64_IDENTITY.value, rtol=0)


def test_members_have_starts_of_their_own_and_gradients_of_their_own() -> None:
    model = Network(D0, D1, D2, HIDDEN, "relu")
    stack = {name: value.requires_grad_() for name, value in model.initial(generators()).items()}
    assert all(not torch.equal(value[0], value[1]) for value in stack.values())
    losses = model.loss(
        stack, torch.ones(MEMBERS, dtype=torch.float64), normal(N, D0), normal(N, D2), normal(MEMBERS, N, D1)
    )
    for gradient in torch.autograd.grad(losses[1], list(stack.values())):
        assert bool(gradient[1].abs().sum() > 0) and not gradient[[0, 2]].any()


def test_a_start_does_not_depend_on_who_else_is_there() -> None:
    model = Network(D0, D1, D2, HIDDEN, "tanh")
    alone, among = model.initial(generators(1)), model.initial(generators(3))
    assert all(torch.equal(alone[name][0], among[name][0]) for name in alone)


def test_a_linear_model_takes_the_expectation_over_data_and_noise() -> None:
    """At σ-points, whose mean and covariance are the noise's, a quadratic function has its exact mean."""
    x, y = normal(N, D0), normal(N, D2, seed=1)
    x, y = x - x.mean(0), y - y.mean(0)
    model = Linear(x.T @ x / N, y.T @ x / N, y.square().sum() / N, D1, ETA_DEC, ETA_ENC)
    stack, beta = model.initial(generators()), torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64)
    stack["log_variance"] = normal(MEMBERS, D1, seed=3)
    codes, total = model.codes(stack, x), torch.zeros(MEMBERS, dtype=torch.float64)
    for latent in range(D1):
        for sign in (1, -1):
            noise = torch.zeros(D1, dtype=torch.float64)
            noise[latent] = sign * D1**0.5
            error = model.decoded(stack, codes.mean + codes.deviation * noise) - y
            total += error.square().sum(-1).mean(-1) / (2 * D1)
    prior = Normal(torch.tensor(0.0, dtype=torch.float64), ETA_ENC)
    divergence = kl_divergence(Normal(codes.mean, codes.deviation), prior).sum(-1).mean(-1)
    expected = total / (2 * ETA_DEC**2) + beta * divergence
    assert torch.allclose(model.loss(stack, beta), expected, atol=0, rtol=FLOAT64_IDENTITY.value)
