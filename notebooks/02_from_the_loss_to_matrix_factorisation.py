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

# %%

# %% [markdown]
# # From the loss to a matrix factorisation
#
# **Of a whole data set, what does a linear VAE see, and why does training it come down to shrinking singular values?**
#
# The last lecture took the loss apart. It has an encoder matrix $W$, a decoder matrix $U$, noise, a KL, and an average
# over all data. This lecture puts it together again, as something much plainer: a matrix $Z$ made from the data, and
# the task of writing it as a product $UV^\top$ of two matrices whose sizes are charged for. The charge is such that
# every singular value of $Z$ loses the same amount, and those that cannot afford it become zero. That is collapse.
#
# The noise of the encoder is held fixed throughout, at standard deviations $\sigma_i$; what changes when it is learned
# is the subject of later lectures. We follow real data all the way: the 1797 handwritten digits of scikit-learn, once
# as an autoencoder of 64 pixels, and once with the task of drawing the right half of a digit from its left half.

# %% tags=["nbval-ignore-output"]
# A fresh machine may report that matplotlib builds its font cache; this cell has no other output.
from collections import Counter
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import sympy
import torch
from IPython.display import Markdown, Math, display

from derivations import notation as n
from derivations.least_loss import c, deviation, least_mode_loss, singular
from derivations.ledger import claims_by_id
from derivations.mutants import mutants
from numerics.certificates import gap
from numerics.descent import minimise
from numerics.lambdified import evaluate
from numerics.minimum import FAST
from numerics.moments import digit_images, digits_autoencoder, digits_conditional, second_moments
from numerics.objective import Statistics, vae_loss
from numerics.oracle import elbo_by_sigma_points
from numerics.points import assembled, symbol_values
from numerics.problems import planted_problem
from numerics.tolerances import (
    DESCENT_GAP,
    DESCENT_INVARIANT,
    FLOAT64_DERIVATIVE,
    FLOAT64_IDENTITY,
    PLANTED_SPECTRUM,
)

plt.rcParams |= {
    "figure.dpi": 110,
    "font.size": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "legend.frameon": False,
}

ledger = claims_by_id()
images = digit_images() / 16
pixels = images.reshape(-1, 64)
left, right = images[:, :, :4].reshape(-1, 32), images[:, :, 4:].reshape(-1, 32)
ETA_DEC, ETA_ENC = 0.5, 2.0


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


def digits(values, places=5):
    """Numbers for a table, rounded far above what descent leaves undecided."""
    return ", ".join(f"{value + 0.0:.{places}f}" for value in values)


# %% [markdown]
# ## 1. Whitening: the input without its scale
#
# The loss sees the data through averages of products: $A = \mathbb{E}[xx^\top]$, $\mathbb{E}[yx^\top]$ and
# $\mathbb{E}\lVert y\rVert^2$. Nothing else of them enters, however far from Gaussian they are.
#
# Much of $A$ is a matter of units, and an encoder can undo units. So divide them out. Turn the input to the principal
# axes of $A$, drop those along which it never varies, and stretch the others to variance one. The result is the
# *whitened* input $\tilde x$. What it tells about the target is the matrix $Z = \mathbb{E}[y\,\tilde x^\top]$. Its
# singular values $\zeta_1 \ge \zeta_2 \ge \dots$ are the strengths of the *modes*: pairs of a direction of the input
# and a direction of the target that go together.

# %%
whitening = ledger["notation.whitening"]
for equation in whitening.printed.formula.args:
    display(Math(sympy.latex(equation)))
print("as printed:", whitening.printed.decide(whitening.printed.formula).verdict)

# %%
auto = digits_autoencoder(3, 1.0, eta_dec=ETA_DEC, eta_enc=ETA_ENC)
half = digits_conditional(6, 1.0, eta_dec=ETA_DEC, eta_enc=ETA_ENC)
white = (pixels - pixels.mean(axis=0)) @ auto.P_A / np.sqrt(auto.phi)
assert (np.ptp(pixels, axis=0) == 0).sum() == 3 and (np.ptp(left, axis=0) == 0).sum() == 2
assert np.abs(white.T @ white / len(white) - np.eye(auto.d0)).max() <= PLANTED_SPECTRUM.value
table(
    ["data", "pixels in", "that vary, $d_0$", "out, $d_2$", r"$\zeta_1, \zeta_2, \zeta_3, \dots$", "unexplained $r$"],
    [
        [name, p.D0, p.d0, p.d2, digits(p.spectrum[:4], 3) + ", ...", f"{p.r:.3f}"]
        for name, p in (("whole digit to itself", auto), ("left half to right half", half))
    ],
)

# %% [markdown]
# $d_0$ counts independent directions: three pixels of the 64 are blank in every digit, two of the left half. The last
# column is the part of $\mathbb{E}\lVert y\rVert^2$ that no linear function of the input explains. An autoencoder has
# none of it.
#
# For an autoencoder there is an older name for the $\zeta_i^2$: they are the variances that principal component
# analysis reports.

# %%
variances = np.linalg.eigvalsh(np.cov(pixels.T, bias=True))[::-1]
assert np.abs(variances[: auto.d0] - auto.spectrum**2).max() <= FLOAT64_IDENTITY.value * variances[0]
spectrum_claim = ledger["s4.1.vae-spectrum"]
print("zeta squared:      ", digits(auto.spectrum[:6] ** 2))
print("principal variances", digits(variances[:6]))
print("for every data set:", spectrum_claim.printed.decide(spectrum_claim.printed.formula).verdict)

# %% [markdown]
# ## 2. Proposition 1: the loss is a factorisation problem
#
# Write the encoder in whitened coordinates, $V = \Phi^{1/2}P_A^\top W$. Then, says Proposition 1, minimising the loss
# is minimising

# %%
reduction = ledger["prop-1.reduction"]
reduced, link = reduction.printed.formula.args
display(Math(rf"L(U, V) = {sympy.latex(reduced)}, \qquad V = {sympy.latex(link)}"))
verdict = reduction.printed.decide(reduction.printed.formula)
display(table(["step", "decided"], [[step.text, step.verdict] for step in verdict.steps]))
print(f"as printed: {verdict.verdict}, for {verdict.scope}")

# %% [markdown]
# Three terms: how far $UV^\top$ is from $Z$, a charge for the decoder (its noise), a charge for the encoder
# ($\ell_{mean}$). The judge asks whether $2\eta_{dec}^2 L_{VAE} - L(U, V)$ is the same for all $U$ and $W$. Ask the
# same of the digits. On one side, `torch.distributions` on the raw half-images. On the other, the tree above.

# %%
rng = np.random.default_rng(2)
sigma = np.array([2.5, 1.5, 0.4])
model = replace(half, d1=3, sigma=sigma)
raw = [torch.tensor(part - part.mean(axis=0)) for part in (left, right)]
scales = {"beta": model.beta, "eta_dec": ETA_DEC, "eta_enc": ETA_ENC}


def two_sides(U, W):
    """2 eta_dec^2 L_VAE by torch.distributions, and Eq 6 from the ledger's tree."""
    matrices = (torch.tensor(matrix) for matrix in (W, U, sigma))
    loss = 2 * ETA_DEC**2 * float(elbo_by_sigma_points(*raw, *matrices, **scales, partition=False))
    at = symbol_values(model) | {n.U: U, n.W: W}
    return loss, float(evaluate(reduced, at | {n.V: evaluate(link, at)}))


rows, differences = [], []
for size in (0.0, 0.3, 1.0, 3.0):
    loss, equation_6 = two_sides(size * rng.normal(size=(32, 3)), size * rng.normal(size=(32, 3)))
    differences.append(loss - equation_6)
    assert abs(differences[-1] - differences[0]) <= FLOAT64_IDENTITY.value * loss
    rows.append([size, f"{loss:.4f}", f"{equation_6:.4f}", f"{differences[-1]:.6f}"])
table(["size of $U$, $W$", r"$2\eta_{dec}^2 L_{VAE}$", "Equation 6", "difference"], rows)

# %% [markdown]
# The loss runs over orders of magnitude and the difference does not move. It is what neither matrix can change: the
# unexplained $r$, and the charge for the noise's width.

# %%
width = ledger["eq-5.decomposition"].printed.formula.args[2]
constant = model.r + 2 * ETA_DEC**2 * float(evaluate(width, symbol_values(model)))
assert abs(constant - differences[0]) <= FLOAT64_IDENTITY.value * constant
print(f"r + 2 eta_dec² l_var = {constant:.6f}")

# %% [markdown]
# As always, the printed claim is also damaged in every way that changes one node, and each damaged one must fall.

# %%
rulings = Counter(str(reduction.printed.decide(it.formula).verdict) for it in mutants(reduction.printed.formula))
print("mutants of Proposition 1:", dict(rulings))
assert set(rulings) == {"refuted"}
(assumption,) = reduction.assumptions
probe = assumption.without(reduction.printed.formula)
print(f"assumed: {assumption.text}; without it: {probe.verdict}, since {probe.witness.failure}")

# %% [markdown]
# The one assumption is that $\Sigma$ is fixed. With learned noise the "constant" moves with the noise. Then Equation 6
# still gives the best $U$ and $V$ *for each* $\Sigma$, but it cannot choose among the $\Sigma$.
#
# ### What the encoder does on blank pixels
#
# $V$ has fewer rows than $W$: what $W$ does where the input never varies is lost. So each minimum in $(U, V)$ is a
# whole affine space of minima in $(U, W)$, of dimension

# %%
manifold = ledger["prop-1.manifold"].printed
size = int(evaluate(manifold.formula.args[0], symbol_values(auto)))
print(
    f"{manifold.formula.args[0]} = {size} for three latents of the whole digits; {manifold.decide(manifold.formula).verdict}"
)
blank = np.eye(64) - auto.P_A @ auto.P_A.T
W, U = rng.normal(size=(2, 64, 3))
at, statistics = torch.zeros(3, dtype=torch.float64), Statistics.of(auto)
losses = [float(vae_loss(torch.tensor(w), torch.tensor(U), at, *statistics)) for w in (W, W + 100 * blank @ W)]
assert abs(gap(*losses)) <= FLOAT64_IDENTITY.value and np.linalg.matrix_rank(blank) * 3 == size
print("loss before and after a large step there:", digits(losses, 4))

# %% [markdown]
# ## 3. What of the data matters
#
# Look at Equation 6 once more. Turn the axes of the target, or those of the whitened input, and $U$ or $V$ can turn
# along without any charge. So at the minimum nothing is left of the data but the list of the $\zeta_i$, and $r$.
#
# A bold claim, and easy to test. Make up a second world that has the digits' $\zeta_i$ and nothing else in common with
# them: 80 inputs and 62 outputs, random axes, another covariance, no autoencoder at all. Descend in both.

# %%
shared = {"d1": 3, "beta": 1.0, "eta_dec": ETA_DEC, "eta_enc": ETA_ENC, "sigma": np.full(3, ETA_ENC)}
other = planted_problem(
    np.random.default_rng(3), D0=80, d2=62, zeta=auto.spectrum, phi=rng.uniform(0.1, 5, 61), residual=auto.r, **shared
)
worlds = {"digits": replace(auto, sigma=shared["sigma"]), "made up": other}
ends = dict(zip(worlds, minimise(list(worlds.values()), seed=0, route=FAST), strict=True))
assert abs(gap(ends["made up"].loss, ends["digits"].loss)) <= DESCENT_GAP.value
table(
    ["world", "shape of $x$ and $y$", "variance of $x$", "least loss (nats)", r"singular values of $UV^\top$"],
    [
        [
            name,
            f"{p.D0}, {p.d2}",
            f"{np.trace(p.A):.3f}",
            f"{ends[name].loss:.7f}",
            digits(ends[name].product_singular_values[:4]),
        ]
        for name, p in worlds.items()
    ],
)

# %% [markdown]
# ## 4. The encoder given the decoder: ridge regression
#
# Now solve it. For a given decoder, Equation 6 is quadratic in $V$, and its minimum is a ridge regression of the
# whitened input on what the decoder can use. The ridge is $c = \beta\,\eta_{dec}^2/\eta_{enc}^2$.

# %%
stationary = ledger["prop-2.stationarity"]
best_encoder = stationary.printed.formula
display(Math(rf"V = {sympy.latex(best_encoder)}"))
print("as read from the proof sketch:", stationary.printed.decide(best_encoder).verdict)

U = rng.normal(size=(32, 3))
V = evaluate(best_encoder, symbol_values(model) | {n.U: U})
W = torch.tensor(model.P_A @ (V / np.sqrt(model.phi)[:, None]), requires_grad=True)
for factor in (1.0, 1.1):
    loss = vae_loss(factor * W, torch.tensor(U), torch.tensor(2 * np.log(sigma)), *Statistics.of(model))
    (slope,) = torch.autograd.grad(loss, W)
    still = float(slope.norm()) <= FLOAT64_DERIVATIVE.value * loss.item()
    print(
        f"W times {factor}: gradient of the loss in W",
        "zero within rounding" if still else f"{float(slope.norm()):.2f}",
    )
    assert still == (factor == 1.0)

# %% [markdown]
# ## 5. One mode: soft thresholding
#
# What is left is a question about the decoder. Its answer, for one mode of strength $\zeta$ with noise $\sigma$: the
# model passes on $m = \max(0, \zeta - \sigma\sqrt c)$, and the least loss of the mode is

# %%
display(Math(sympy.latex(least_mode_loss(singular, deviation, c))))

# %% [markdown]
# Subtract the same amount from every strength, and stop at zero: that is *soft thresholding*. With the noise at the
# prior's, $\sigma = \eta_{enc}$, the amount is $\sigma\sqrt c = \sqrt\beta\,\eta_{dec} = \sqrt t$.
#
# Where does it come from? Of all ways to write a product $m = uv$, the cheapest costs $2\sigma\sqrt c\,m$ (the
# arithmetic mean of the two charges is at least the geometric one). So the quadratic charges on $U$ and $V$ act on the
# product like a charge on its *size*, and a charge on size produces exact zeros. For whole matrices with equal noise, the
# size is the sum of the singular values, the nuclear norm. This is a classical fact, and we only check it, at the minima
# of section 3 and at random:

# %%
for name, end in ends.items():
    charge = ETA_ENC**2 * (end.U**2).sum() + end.problem.beta * (ETA_DEC / ETA_ENC) ** 2 * (end.V**2).sum()
    nuclear = 2 * np.sqrt(end.problem.beta) * ETA_DEC * end.product_singular_values.sum()
    assert abs(charge - nuclear) <= DESCENT_INVARIANT.value * nuclear
    print(f"{name:<8} charges on U and V: {charge:.5f}   2 sqrt(t) times the nuclear norm: {nuclear:.5f}")
random = rng.normal(size=(2, 500, 30, 3))
charges = ETA_ENC**2 * (random[0] ** 2).sum((1, 2)) + (ETA_DEC / ETA_ENC) ** 2 * (random[1] ** 2).sum((1, 2))
floors = 2 * ETA_DEC * np.linalg.svd(random[0] @ random[1].swapaxes(1, 2), compute_uv=False).sum(-1)
print(f"500 random pairs: the charge is below that in {int((charges < floors).sum())} cases")
assert (charges >= floors).all()

# %% [markdown]
# ## 6. Proposition 2, and a slip in it
#
# Proposition 2 says all this for any fixed diagonal $\Sigma$ and all modes together. As printed, mode $i$ meets the
# $i$-th noise. In which order? The judge tries a case in which the first latent happens to be the noisier one.

# %%
minimum = ledger["prop-2.minimum"]
printed = minimum.printed.decide(minimum.printed.formula)
corrected = minimum.corrected.decide(minimum.corrected.formula)
print("as printed:", printed.verdict, "--", printed.witness.failure)
print("what holds:", minimum.erratum.holds)
print(f"corrected: {corrected.verdict} in {len(corrected.steps)} steps, for {corrected.scope}")

# %% [markdown]
# Build that very case and let descent decide. It may start anywhere; the latents are not told which mode to take.

# %%
named = {name: sympy.sympify(value) for name, value in printed.witness.values}
sizes = {"d1": int(named["d1"]), "d2": int(named["d2"]), "D0": int(named["d0"])}
witness = planted_problem(
    np.random.default_rng(0),
    **sizes,
    **{name: np.array(named[name], dtype=float) for name in ("zeta", "sigma")},
    **{name: float(named[name]) for name in ("beta", "eta_dec", "eta_enc")},
    phi=np.ones(sizes["D0"]),
    residual=0.0,
)
(end,) = minimise([witness], seed=0)
at = symbol_values(witness)
reached = float(evaluate(reduced, at | {n.U: end.U, n.V: end.V}))
claimed = {}
for name, statement in (("as printed", minimum.printed), ("corrected", minimum.corrected)):
    point = assembled(statement.formula, witness)
    claimed[name] = float(evaluate(reduced, at | {n.U: point.U, n.V: point.V}))
assert abs(gap(reached, claimed["corrected"])) <= DESCENT_GAP.value
table(["", "Equation 6"], [*([name, f"{value:.6f}"] for name, value in claimed.items()), ["descent", f"{reached:.6f}"]])

# %% [markdown]
# The strongest mode takes the quietest latent, the second the second quietest, and so on. A larger example shows the
# pairing: three modes, and four latents whose noises come in no order.

# %%
strengths, noises = np.array([3.0, 2.0, 1.5]), np.array([1.6, 0.5, 3.0, 1.0])
mixed = planted_problem(
    np.random.default_rng(4), D0=5, d2=4, d1=4, zeta=np.array([*strengths, 0.0]), phi=np.array([2.0, 1.0, 0.5, 0.2]),
    residual=1.0, beta=4.0, eta_dec=0.5, eta_enc=1.0, sigma=noises,
)  # fmt: skip
(end,) = minimise([mixed], seed=1)
law = np.maximum(0, mixed.spectrum - np.sort(noises) * np.sqrt(mixed.beta) * mixed.eta_dec / mixed.eta_enc)
assert np.abs(law - end.product_singular_values).max() <= DESCENT_INVARIANT.value
rows = zip(mixed.spectrum, np.sort(noises), law, end.product_singular_values, strict=True)
table(
    [
        r"strength $\zeta_i$",
        r"noise it takes, $\sigma$",
        r"$\max(0, \zeta_i - \sigma\sqrt{c})$",
        "passed on, by descent",
    ],
    [[zeta, noise, f"{stated:.5f}", f"{found + 0.0:.5f}"] for zeta, noise, stated, found in rows],
)

# %% [markdown]
# ## 7. Soft thresholding, live
#
# Back to noise at the prior's. Then everything should lie on a single curve: strength in, strength minus $\sqrt t$
# out, whatever the data. We take the whole digits, the half digits, and 400 random samples from a heavy-tailed input
# and a non-linear target, and descend at several $\beta$ each.

# %%
heavy = np.random.default_rng(5).standard_t(4, size=(400, 9)) * np.linspace(0.4, 2, 9)
bent = np.tanh(heavy @ np.random.default_rng(6).normal(size=(9, 8)) / 3) * np.linspace(0.3, 1.5, 8)
moments = second_moments(heavy, bent)
fixed = {"eta_dec": ETA_DEC, "eta_enc": ETA_ENC}
families = {
    "digits, to themselves": [
        digits_autoencoder(3, beta, sigma=np.full(3, ETA_ENC), **fixed) for beta in (0.15, 0.4, 1.0, 1.9, 3.2)
    ],
    "digits, left to right half": [
        digits_conditional(6, beta, sigma=np.full(6, ETA_ENC), **fixed) for beta in (0.08, 0.2, 0.45, 0.9)
    ],
    "random, heavy tails": [moments.problem(8, beta, sigma=np.full(8, ETA_ENC), **fixed) for beta in (0.15, 0.6, 2.0)],
}
found = {name: minimise(family, seed=0, route=FAST) for name, family in families.items()}


def in_units_of_the_threshold(end):
    """Strengths and what is passed on of them, in units of sqrt(t); and whether there is a latent for the mode."""
    root = np.sqrt(end.problem.beta) * end.problem.eta_dec
    strengths = end.problem.spectrum / root
    return strengths, end.product_singular_values / root, np.arange(len(strengths)) < end.problem.d1


rows = []
for name, ends_of in found.items():
    points = [in_units_of_the_threshold(end) for end in ends_of]
    apart = max(np.abs(np.where(has, np.maximum(0, s - 1), 0) - m).max() for s, m, has in points)
    alive = sum(int(((s > 1) & has).sum()) for s, _, has in points)
    cut = sum(int(((s > 1) & ~has).sum()) for s, _, has in points)
    assert apart <= DESCENT_INVARIANT.value
    rows.append([name, len(points), alive, cut, f"below {DESCENT_INVARIANT.value:g}"])
table(["data", "descents", "modes kept", "above the threshold, but no latent", "largest distance from the curve"], rows)

# %%
grid = np.array([0, 1, 4.6])
_, axis = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
axis.plot(
    grid, np.maximum(0, grid - 1), color="black", linewidth=1, label=r"soft thresholding, $\max(0, \zeta - \sqrt{t})$"
)
axis.plot(grid, grid, color="0.6", linewidth=0.6)
axis.text(2.75, 2.81, "nothing lost", color="0.35", rotation=45, rotation_mode="anchor", transform_rotates_text=True)
lonely = []
for (name, ends_of), marker in zip(found.items(), "os^", strict=True):
    strengths, kept, served = map(np.concatenate, zip(*map(in_units_of_the_threshold, ends_of), strict=True))
    shown = served & (strengths < 4.6)
    axis.plot(strengths[shown], kept[shown], marker, color="black", markerfacecolor="white", markersize=5, label=name)
    lonely.append(np.stack([strengths, kept])[:, ~served & (strengths > 1) & (strengths < 4.6)])
axis.plot(
    *np.concatenate(lonely, axis=1),
    "x",
    color="black",
    markersize=5,
    label="no latent left for the mode",
    clip_on=False,
)
axis.set(xlabel=r"strength of the mode, $\zeta$ (units of $\sqrt{t}$)", xlim=(0, 4.6), ylim=(-0.08, 3.7))
axis.set(ylabel=r"passed on, singular value of $UV^T$ (units of $\sqrt{t}$)")
axis.legend(loc="upper left")
plt.show()

# %% [markdown]
# Read it from left to right. Below one, everything is zero, to within what descent can resolve. Above one, everything
# pays exactly one unit, whether the mode is a stroke of a digit or an accident of random numbers. The crosses are modes
# that could afford the charge but found all latents taken: a size of the latent space that is too small cuts off the
# weakest modes outright, and leaves the others as they are.
#
# In the ledger this is `s4.5.sparse-learning`:

# %%
sparse = ledger["s4.5.sparse-learning"]
print(sparse.title)
print(
    "as printed:",
    sparse.printed.decide(sparse.printed.formula).verdict,
    "for",
    sparse.printed.decide(sparse.printed.formula).scope,
)
for assumption in sparse.assumptions:
    print(f"assumed: {assumption.text}; without it: {assumption.without(sparse.printed.formula).verdict}")

# %% [markdown]
# ## 8. What it looks like
#
# A digit through models with sixteen latents, at growing $\beta$, without noise. The models are the corrected
# Proposition 2, which descent has just met; the mean image plays the part of the biases.

# %%
levels = (0.02, 0.2, 0.6, 1.5, 3.0)
pictures, titles = [pixels[0]], ["original"]
for beta in levels:
    problem = digits_autoencoder(16, beta, sigma=np.full(16, ETA_ENC), **fixed)
    point = assembled(minimum.corrected.formula, problem)
    pictures.append(pixels.mean(axis=0) + point.U @ point.W.T @ (pixels[0] - pixels.mean(axis=0)))
    alive = int((problem.spectrum[:16] ** 2 > beta * ETA_DEC**2).sum())
    assert np.linalg.matrix_rank(point.U @ point.W.T) == alive
    titles.append(f"$\\beta$ = {beta}\n{alive} modes")
_, axes = plt.subplots(1, 6, figsize=(7, 1.7), layout="constrained")
for axis, picture, title in zip(axes, pictures, titles, strict=True):
    axis.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
plt.show()
print("modes kept:", ", ".join(title.split("\n")[1].split()[0] for title in titles[1:]))

# %% [markdown]
# The picture loses its weakest modes first. What is left of the stronger ones loses contrast too, since each pays the
# same $\sqrt t$. At the end only the mean of all digits is left: complete collapse.
#
# ## What to take away
#
# 1. A linear VAE sees of the data the second moments, and its minimum only the strengths $\zeta_i$ and the unexplained
#    $r$. For an autoencoder the $\zeta_i^2$ are the principal variances.
# 2. For fixed noise the loss is a matrix factorisation, $\lVert UV^\top - Z\rVert^2$ plus a charge for each factor.
#    The two quadratic charges act on the product like a charge on its singular values. That is why some become
#    exactly zero.
# 3. Each strength loses $\sigma\sqrt c$; at the prior's noise, $\sqrt\beta\,\eta_{dec}$. With unequal noise the
#    strongest mode takes the quietest latent, which Proposition 2 as printed leaves to chance.
# 4. Not assumed: Gaussian data, a linear target, an input of full rank. Assumed: that the noise is fixed, uncorrelated
#    between latents and nowhere zero, and that $\beta$ is positive. Learned noise keeps the thresholds of
#    $\sigma_i = \eta_{enc}$ and changes the curve, as the next lecture shows.
#
# `collapse audit --claim prop-1.reduction --claim prop-2.minimum` judges these claims by every layer.
