# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which of my latents will collapse?
#
# **My VAE's KL goes to zero, or some latents never wake up: is it my $\beta$, my data, my loss, or a bug?**
#
# For a linear VAE the answer is exact. Of the data it sees the eigenvalues $\zeta_i^2$ of the covariance, of the loss
# only the product $\beta\,\eta_{dec}^2$. Mode $i$ is kept if and only if $\zeta_i^2 > \beta\,\eta_{dec}^2$, and then its
# latent spends $\tfrac12\log\bigl(\zeta_i^2/(\beta\,\eta_{dec}^2)\bigr)$ nats. For a non-linear VAE this is a first guide.
#
# We ask for scikit-learn's handwritten digits, $8 \times 8$ pixels with grey values from 0 to 16; `collapse predict` does
# the same from the command line.

# %%
import torch

from collapse import diagnose, predict
from collapse.conventions import effective_water
from collapse.libraries import LIBRARIES
from collapse.report.prediction import summary
from collapse.report.prediction_plot import figure_of
from numerics.moments import digit_images
from numerics.objective import vae_loss

digits = digit_images().reshape(-1, 64)
found = predict(digits, beta=50.0, latents=10)
for k in range(10):
    state = "active" if found.optimum.active[k] else "collapsed"
    print(
        f"mode {k + 1:>2}: ζ² = {found.spectrum.zeta_squared[k]:7.2f}, KL {found.optimum.kl_nats[k]:.3f} nats, {state}"
    )
print("\n".join(summary(found)))

# %% [markdown]
# Left: every mode above the dashed level is kept. Middle: how many are, as $\beta$ grows. Right: what a nat buys.

# %% tags=["nbval-ignore-output"]
# %matplotlib inline
figure_of(found)

# %% [markdown]
# ## The question the other way round
#
# Which $\beta$ keeps exactly five modes? Which one spends three nats, and which explains half of the variance?

# %%
low, high = predict(digits, active=5, latents=10).weights
print(f"five modes: {low:.2f} <= beta < {high:.2f}")
print(f"three nats: beta = {predict(digits, nats=3.0, latents=10).weight:.2f}")
print(f"half of the variance: beta = {predict(digits, explained=0.5, latents=20).weight:.2f}")

# %% [markdown]
# ## Is my $\beta$ really my $\beta$?
#
# Most confusion is a rescaled $\beta$. A loss that averages the squared error over $D$ features, or leaves out its factor
# $\tfrac12$, or averages the KL over latents, applies another $\beta$ than its name says. Here is what some libraries' own
# default weights come to, for 64 features and 10 latents:

# %%
for name in ("theory", "pythae", "pythae-old", "pytorch-vae", "lightning-bolts", "disentangling-vae-gaussian"):
    convention = LIBRARIES[name]
    level = effective_water(convention, features=64, latents=10).effective
    print(f"{name:<27} {convention.knob} = {convention.weight:<7g} beta eta_dec^2 = {level:.5f}")

# %% [markdown]
# One library's usual weight is another's hundredfold, in its effect. And a change of unit does as much: with grey values
# from 0 to 1 instead of 0 to 16, every threshold is 256 times as low.

# %%
print(f"{predict(digits).critical_weights[0] / predict(digits / 16).critical_weights[0]:.1f}")

# %% [markdown]
# ## Is it a bug?
#
# We train a linear VAE with ten latents from a random start, knowing nothing of the prediction, and hold it against it.
# First as meant; then with a planted fault: the KL is averaged over the latents, so that a tenth of $\beta$ is applied.


# %%
def trained(beta, seed=0):
    """The encoder's means and log-variances on the digits, after L-BFGS on the exact loss."""
    x = torch.tensor(digits - digits.mean(0))
    A, one = x.T @ x / len(x), torch.tensor(1.0, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    W, U = (torch.randn((64, 10), generator=generator, dtype=torch.float64).div(30).requires_grad_() for _ in range(2))
    log_variance = torch.zeros(10, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([W, U, log_variance], max_iter=3000, history_size=100, line_search_fn="strong_wolfe",
                                  tolerance_change=0, tolerance_grad=1e-9)  # fmt: skip

    def closure():
        optimiser.zero_grad()
        loss = vae_loss(W, U, log_variance, A, A, A.trace(), beta * one, one, one)
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return x @ W, log_variance.expand(len(x), 10)


for applied in (50.0, 5.0):
    codes = trained(applied)
    diagnosis = diagnose(*codes, found.spectrum.zeta_squared, beta_eta_dec_squared=50.0, features=64, data=digits)
    level = diagnosis.estimated_beta_eta_dec_squared
    print(
        f"trained at {applied:g}: {diagnosis.active_units} active units, {diagnosis.rate_nats:.1f} nats, {diagnosis.verdict}"
    )
    print(f"    β η_dec² told from the codes: within 5 % of {applied:g}: {abs(level / applied - 1) < 0.05}")

# %% [markdown]
# The data tell which modes the codes span, however the latents mix them. What the codes tell of mode $i$, in nats, is
# $\tfrac12\log(\zeta_i^2/(\beta\,\eta_{dec}^2))$ at the optimum; so each mode gives the $\beta\,\eta_{dec}^2$ that training
# really had. Where they agree, no mode is missing, and $E[m^2]+E[\sigma^2]$ of each latent is the prior's variance, as at an
# optimum of any level, it is another $\beta$ and not training that has stopped early.
#
# ## How sure is the spectrum?
#
# The digits are a sample. For Gaussian data an eigenvalue of $n$ samples is within about $\pm 2\sqrt{2/n}$ of itself, and
# so is its critical $\beta$; where eigenvalues are nearer to the level than that, the sample does not tell.

# %%
for k in (6, 7):
    low, high = found.intervals[k]
    verdict = "cannot tell" if low < found.optimum.level < high else "sure"
    print(f"mode {k + 1}: 95 % interval {low:.2f} to {high:.2f} around the level 50: {verdict}")
