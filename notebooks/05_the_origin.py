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
# # The origin: local curvature decides globally
#
# **Stand at the point where all weights are zero and look only at your feet. Can you tell whether any point of the
# whole landscape is lower?**
#
# At the origin $U = W = 0$ encoder and decoder are switched off: complete collapse. In most landscapes the ground
# under one's feet says little about the far distance. A hollow may be the deepest point, or a puddle on a mountain.
# Theorem 3 says that here it says everything: the origin is a global minimum *if and only if* its Hessian, the matrix
# of second derivatives, has no negative eigenvalue.
#
# We look at the statement and its two-line reason, check it in three ways, draw it, and then ask where the theorem
# ends. The noise of the encoder is held fixed, as in the theorem.

# %% tags=["nbval-ignore-output"]
# A fresh machine may report that matplotlib builds its font cache; this cell has no other output.
from collections import Counter
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import sympy
import torch
from IPython.display import Markdown, Math, display

from derivations import notation as n
from derivations.correlated import COVARIANCE, PRINCIPAL
from derivations.gradient_flow import product
from derivations.least_loss import REDUCED, least_mode_loss, mode_loss
from derivations.ledger import claims_by_id
from derivations.mutants import mutants
from derivations.proof import equal
from derivations.strict_saddles import level
from derivations.theorem_3_origin import attainable, du, dv, hessian_form, smallest_curvature
from numerics.certificates import gap
from numerics.descent import minimise
from numerics.lambdified import evaluate
from numerics.layers.floating import curvature_scale, snapped
from numerics.minimum import FAST
from numerics.moments import digits_autoencoder
from numerics.objective import Statistics, vae_loss
from numerics.problems import planted_problem
from numerics.tolerances import DESCENT_GAP, FLOAT64_DERIVATIVE

plt.rcParams |= {
    "figure.dpi": 110,
    "font.size": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "legend.frameon": False,
}

ledger = claims_by_id()


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


def digits(values, places=6):
    """Numbers for a table, rounded far above what float64 leaves undecided."""
    return ", ".join(f"{round(float(value), places) + 0.0:.{places}f}" for value in values)


# %% [markdown]
# ## 1. What is claimed
#
# Let $h_{min}$ be the smallest eigenvalue of the Hessian at the origin, and *gap* the least value of the loss minus its
# value at the origin. The gap is never positive; it is zero exactly when the origin is a global minimum. In the
# ledger the theorem is one line:

# %%
theorem = ledger["thm-3.hessian"]
statement = theorem.printed.formula
display(Math(sympy.latex(statement)))
verdict = theorem.printed.decide(statement)
print(f"as printed: {verdict.verdict} in {len(verdict.steps)} steps, for {verdict.scope} and every fixed Sigma")

# %% [markdown]
# Before looking for a reason, let the statement meet facts. The ledger keeps a list of small problems in exact numbers,
# on both sides of the threshold and precisely at it. How do the signs of $h_{min}$ and of the gap go together there?

# %%
signs = Counter((int(sympy.sign(curvature)), int(sympy.sign(difference))) for _, curvature, difference in attainable())
assert sum(signs.values()) == signs[-1, -1] + signs[0, 0] + signs[1, 0] and min(signs.values()) > 0
table(
    ["$h_{min}$", "gap < 0: something is lower", "gap = 0: nothing is"],
    [[name, signs[sign, -1], signs[sign, 0]] for name, sign in (("negative", -1), ("zero", 0), ("positive", 1))],
)

# %% [markdown]
# No problem sits in a wrong cell. And damaged statements?

# %%
table(
    ["change", "statement", "verdict"],
    [
        [it.change, f"${sympy.latex(it.formula)}$", theorem.printed.decide(it.formula).verdict]
        for it in mutants(statement)
    ],
)

# %% [markdown]
# The two that are proved are the two halves of the theorem, each weaker than the whole. Note the one on strictness:
# "positive definite" would be wrong. Right at the threshold the smallest eigenvalue is zero, and the origin is a
# global minimum all the same.
#
# ## 2. Why it is true
#
# By Proposition 1 we may look at the factorisation loss $L(U, V) = \lVert UV^\top - Z\rVert^2 +
# \mathrm{tr}(U\Sigma U^\top) + c\,\lVert V\rVert^2$, with $c = \beta\,\eta_{dec}^2/\eta_{enc}^2$. Multiply out the
# square:

# %%
half_form = hessian_form().subs({du: n.U, dv: n.V}) / 2
quartic = n.SquaredNorm(n.U * n.V.T)
step = equal("the loss minus its value at the origin", REDUCED - n.SquaredNorm(n.Z), quartic + half_form)
display(Math(rf"L(U, V) - L(0, 0) = {sympy.latex(quartic)} + \Big[{sympy.latex(half_form)}\Big]"))
print(f"{step.text}: {step.verdict}")
assert step.verdict == "proved"

# %% [markdown]
# The bracket is half the Hessian, applied to $(U, V)$. There is no linear term, so the origin is stationary, and no
# cubic one. That settles it:
#
# * If the bracket is never negative, then the right side is never negative, *for all* $U$ and $V$, near or far.
# * If it is negative in some direction, take a small step: the bracket shrinks like the square of the step, the first
#   term like its fourth power, and the bracket wins.
#
# What makes the local global is the sign of the term of fourth order. For $x^2 - x^4$ the same curvature at zero would
# promise nothing.
#
# ## 3. First check: blocks, in symbols
#
# When is the bracket never negative? It falls apart into blocks of two, one for each mode of strength $\zeta$ and each
# latent of noise $\sigma$, in which one number of the decoder meets one of the encoder:

# %%
zeta, sigma, weight, h = sympy.symbols("zeta sigma c h", positive=True)
block = sympy.Matrix([[2 * sigma**2, -2 * zeta], [-2 * zeta, 2 * weight]])
smallest = smallest_curvature(zeta, sigma, weight)
display(Math(rf"{sympy.latex(block)}\qquad h_{{min}} = {sympy.latex(smallest)}"))
assert sympy.expand((block - smallest * sympy.eye(2)).det()) == 0
display(Math(rf"\det = 4\,\left({sympy.latex(sympy.factor(block.det() / 4))}\right)"))

# %% [markdown]
# The diagonal is positive, so the smaller eigenvalue has the sign of the determinant: it is negative exactly if
# $\zeta > \sigma\sqrt c$. The worst block is that of the strongest mode with the quietest latent. With the noise at
# the prior's, $\sigma = \eta_{enc}$, the condition for collapse reads $\zeta_1 \le \sqrt\beta\,\eta_{dec}$, the
# threshold of Theorem 1.
#
# ## 4. Second check: the Hessian by automatic differentiation
#
# `torch.func.hessian` knows nothing of blocks. Give it the factorisation loss for a matrix $Z$ with planted strengths
# and random axes, three inputs, four targets, two latents: a Hessian of 14 rows.

# %%
PLANTED = {"d2": 4, "d1": 2, "eta_dec": 0.5, "eta_enc": 2.0, "residual": 1.0, "sigma": np.full(2, 2.0)}


def planted(beta, **others):
    """Strengths 3, 2, 1, white inputs: the first threshold is at beta = 36."""
    fields = {"D0": 3, "zeta": np.array([3.0, 2.0, 1.0]), "phi": np.ones(3)} | PLANTED | others
    return planted_problem(np.random.default_rng(0), beta=beta, **fields)


def reduced_hessian(problem, Sigma):
    """Hessian of Eq 6, as the ledger has it, at U = V = 0; Sigma is any covariance of the noise."""
    given = {n.Z: torch.tensor(problem.Z), n.Sigma: torch.tensor(Sigma)}
    given |= {n.beta: problem.beta, n.eta_dec: problem.eta_dec, n.eta_enc: problem.eta_enc}
    rows = problem.d2 + problem.d0

    def loss(flat):
        U, V = flat.reshape(rows, problem.d1).split([problem.d2, problem.d0])
        return evaluate(REDUCED, given | {n.U: U, n.V: V}, "torch")

    return torch.func.hessian(loss)(torch.zeros(rows * problem.d1, dtype=torch.float64))


problem = planted(10.0)
found = torch.linalg.eigvalsh(reduced_hessian(problem, np.diag(problem.sigma**2))).numpy()
c = problem.beta * problem.eta_dec**2 / problem.eta_enc**2
spread = np.sqrt((4 - c) ** 2 + 4 * problem.spectrum**2)
blocks = np.sort(np.repeat(np.concatenate([4 + c - spread, 4 + c + spread, [2 * 4]]), 2))
assert np.abs(found - blocks).max() <= FLOAT64_DERIVATIVE.value * blocks.max()
print("by the blocks:", digits(blocks, 3))
print("by torch:     ", digits(found, 3))

# %% [markdown]
# Each eigenvalue occurs twice, once for each latent. Four are negative: two modes are above the water at $\beta = 10$,
# seen by two latents. The value $8 = 2\sigma^2$ belongs to the fourth direction of the target, which no input predicts.
#
# Now the real thing: the digits as an autoencoder, the loss itself, in the original parameters $W$ and $U$ (256 of
# them). The eigenvalues change with the coordinates. Their signs do not, except that blank pixels add zeros.


# %%
def loss_from_origin(problem, learned=False):
    """L_VAE as a function of one flat vector (W, U and, if learned, log variances relative to the prior's)."""
    statistics, sizes = Statistics.of(problem), [problem.D0 * problem.d1, problem.d2 * problem.d1, problem.d1]
    deviations = np.full(problem.d1, problem.eta_enc) if problem.learned else problem.sigma
    noise = torch.tensor(2 * np.log(deviations))

    def loss(flat):
        W, U, *log_ratio = flat.split(sizes if learned else sizes[:2])
        at = noise + log_ratio[0] if learned else noise
        return vae_loss(W.reshape(problem.D0, -1), U.reshape(problem.d2, -1), at, *statistics)

    return loss, torch.zeros(sum(sizes if learned else sizes[:2]), dtype=torch.float64)


def curvatures(problem, learned=False):
    """Eigenvalues of the Hessian of L_VAE at the origin; what is 0 within rounding is 0."""
    loss, zero = loss_from_origin(problem, learned)
    values = torch.linalg.eigvalsh(torch.func.hessian(loss)(zero)).tolist()
    return np.array([snapped(value, curvature_scale(problem)) for value in values])


def depth(problem, end):
    """The loss at a minimum minus that at the origin; 0 where they agree as far as descent goes."""
    loss, zero = loss_from_origin(problem)
    difference = gap(end.loss, loss(zero).item())
    return 0.0 if abs(difference) <= DESCENT_GAP.value else end.loss - loss(zero).item()


first = digits_autoencoder(2, 1.0, eta_dec=0.5).spectrum[0] ** 2 / 0.5**2
relative = (0.3, 0.85, 0.98, 1.02, 1.5)
family = [digits_autoencoder(2, ratio * first, eta_dec=0.5, eta_enc=2.0, sigma=np.full(2, 2.0)) for ratio in relative]
rows = []
for ratio, problem, end in zip(relative, family, minimise(family, seed=0, route=FAST), strict=True):
    values, above = curvatures(problem), int((problem.spectrum**2 > problem.beta * 0.5**2).sum())
    assert (values[0] >= 0) == (depth(problem, end) == 0) and (values < 0).sum() == problem.d1 * above
    rows.append([ratio, f"{min(values[0], 0) + 0.0:.5f}", (values < 0).sum(), above, f"{depth(problem, end):.5f}"])
table(
    [r"$\beta/\beta_1$", "most negative curvature", "negative eigenvalues", "modes above the water", "gap, by descent"],
    rows,
)

# %% [markdown]
# Descent and Hessian agree on every line: a negative curvature where something is lower, and none where nothing is.
# The count of negative eigenvalues says more than the theorem: it is the number of modes above the water, times the
# number of latents. (That is an observation here, not a claim of the ledger.)
#
# ## 5. Third check: what is left after the second order
#
# The reason of section 2 rests on the remainder being exactly of fourth order. Take the digits' loss along a random
# direction, subtract its value and half its Hessian at the origin, and shrink the step. On double logarithmic axes the
# remainder must be a straight line of slope 4. To see that the check can fail, we also use a Hessian that is wrong by
# one part in a hundred.

# %%
problem = family[1]
loss, zero = loss_from_origin(problem)
hessian = torch.func.hessian(loss)(zero)
direction = torch.tensor(np.random.default_rng(7).normal(size=len(zero)))
steps = 2.0 ** -np.arange(7)
_, axis = plt.subplots(figsize=(4.8, 3.6), layout="constrained")
slopes = {}
for name, factor, marker, style in (("true Hessian", 1.0, "o", "-"), ("Hessian times 0.99", 0.99, "s", "--")):
    second = factor * float(direction @ hessian @ direction) / 2
    left = [loss(s * direction).item() - loss(zero).item() - s**2 * second for s in steps]
    slopes[name] = np.diff(np.log2(np.abs(left))) / np.diff(np.log2(steps))
    axis.plot(
        steps,
        np.abs(left),
        style,
        marker=marker,
        color="black",
        markerfacecolor="white",
        markersize=5,
        linewidth=0.9,
        label=name,
    )
axis.set(xscale="log", yscale="log", xlabel="length of the step (in units of the direction)")
axis.set(ylabel="remainder, in absolute value (nats)")
axis.set_xticks(steps[::2], ["1", "1/4", "1/16", "1/64"])
axis.xaxis.set_minor_locator(plt.NullLocator())
axis.legend()
plt.show()
for name, found in slopes.items():
    print(f"{name:<19} slopes: {digits(found, 4)}")
assert (
    set(digits(slopes["true Hessian"], 4).split(", "))
    == {"4.0000"}
    != set(digits(slopes["Hessian times 0.99"], 4).split(", "))
)

# %% [markdown]
# ## 6. The picture
#
# Back to the planted strengths 3, 2, 1, with the first threshold at $\beta_1 = 36$. This is the loss along the leading
# direction, the eigenvector of the smallest eigenvalue: with a weak KL, at the threshold, and with a strong KL.

# %%
_, axis = plt.subplots(figsize=(5.4, 3.8), layout="constrained")
reach, lowest = np.linspace(-2.6, 2.6, 261), {}
for beta, style in ((18.0, "-"), (36.0, "-."), (54.0, "--")):
    loss, zero = loss_from_origin(planted(beta))
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(zero))
    heights = np.array([loss(s * vectors[:, 0]).item() - loss(zero).item() for s in reach])
    axis.plot(reach, heights, style, color="black", linewidth=1.1, label=rf"$\beta = {beta:g}$")
    lowest[beta] = heights.min()
axis.axhline(0, color="0.6", linewidth=0.6)
axis.plot([0], [0], "o", color="black", markerfacecolor="white", markersize=5)
axis.set(xlabel="step along the leading direction (Euclidean length of all weights)", xlim=(-2.6, 2.6))
axis.set(ylabel="loss minus loss at the origin (nats)", ylim=(-2, 8))
axis.legend(loc="upper center")
plt.show()
print("lowest along the ray:", ", ".join(f"{value + 0.0:.3f} at beta = {beta:g}" for beta, value in lowest.items()))
assert lowest[18.0] < 0 == lowest[36.0] == lowest[54.0]

# %% [markdown]
# Below the threshold the origin is the pass between two valleys. Towards the threshold the valleys move in and rise. At
# the threshold they meet, and the floor is as flat as $s^4$. Beyond it there is one valley, with the origin at its
# bottom. At no moment is there a valley elsewhere *and* a hollow at the origin.
#
# The theorem as a picture has two panels: a local quantity and a global one, over $\beta$. Lines are the ledger's
# formulas. Markers are `torch.func.hessian` above and descent from random starts below.

# %%
sweep = (3.0, 8.0, 14.0, 20.0, 26.0, 31.0, 34.5, 37.5, 42.0, 48.0)
problems = [planted(beta) for beta in sweep]
ends = minimise(problems, seed=0)
local = [curvatures(problem)[0] for problem in problems]
globally = [depth(problem, end) for problem, end in zip(problems, ends, strict=True)]
assert all((h >= 0) == (drop == 0) for h, drop in zip(local, globally, strict=True))
table(
    [r"$\beta$", "smallest eigenvalue at the origin", "gap, by descent (nats)"],
    [[f"{beta:g}", f"{h:.5f}", f"{drop:.5f}"] for beta, h, drop in zip(sweep, local, globally, strict=True)],
)

# %%
grid = np.linspace(2, 50, 481)
scale = 1 / (2 * 0.5**2)  # from Eq 6 to L_VAE
curve = scale * evaluate(smallest, {weight: grid / 16, sigma: 2.0, zeta: 3.0})
least = evaluate(least_mode_loss(zeta, sigma, weight) - zeta**2, {weight: grid / 16, sigma: 2.0, zeta: 3.0})
least = least + evaluate(least_mode_loss(zeta, sigma, weight) - zeta**2, {weight: grid / 16, sigma: 2.0, zeta: 2.0})
_, axes = plt.subplots(2, 1, figsize=(5.8, 5), sharex=True, layout="constrained")
panels = (
    (curve, local, "smallest eigenvalue\nof the Hessian at 0"),
    (scale * least, globally, "least loss minus\nloss at 0 (nats)"),
)
for axis, (line, points, label) in zip(axes, panels, strict=True):
    axis.axhline(0, color="0.6", linewidth=0.6)
    axis.axvline(36, color="0.6", linewidth=0.6)
    axis.plot(grid, line, color="black", linewidth=1)
    axis.plot(sweep, points, "o", color="black", markerfacecolor="white", markersize=4.5)
    axis.set(ylabel=label)
axes[0].text(35.4, -5.6, r"$\beta_1 = \zeta_1^2/\eta_{dec}^2$ ", ha="right", va="bottom", color="0.3")
axes[1].set(xlabel=r"$\beta$, weight of the KL term (no unit)", xlim=(0, 50))
plt.show()

# %% [markdown]
# The two curves have nothing in common but the place where they reach zero. That is the theorem.
#
# ## 7. Where the theorem ends
#
# ### A saddle, and never a worse one
#
# Before the theorem the paper says that the origin is either a saddle or the global minimum. That stands too, in a
# strong reading: where it is no minimum, its Hessian has eigenvalues of both signs, so that descent always finds a way
# out at second order.

# %%
rows = []
for name in ("thm-3.hessian", "thm-3.no-middle", "thm-3.saddle"):
    ruling = ledger[name].printed.decide(ledger[name].printed.formula)
    rows.append([f"`{name}`", ledger[name].title, f"**{ruling.verdict}**"])
    assert ruling.verdict == "proved"
table(["claim", "what it says", "as printed"], rows)

# %% [markdown]
# ### The noise matters
#
# The paper introduces the theorem with the remark that the $\sigma_i$ do not affect collapse, so that one may as well
# set $\sigma_i = \eta_{enc}$. The theorem survives for every fixed $\Sigma$. The remark does not: section 3 told us
# that the *quietest* latent decides.

# %%
remark = ledger["s4.5.sigma-irrelevant"]
print("as printed:", remark.printed.decide(remark.printed.formula).verdict)
print("what holds:", remark.erratum.holds)
pairs = [planted(42.0, sigma=np.array(deviations)) for deviations in ((2.0, 2.0), (2.0, 1.0), (4.0, 4.0), (4.0, 2.0))]
rows = []
for problem, end in zip(pairs, minimise(pairs, seed=0), strict=True):
    lowest, drop = curvatures(problem)[0], depth(problem, end)
    assert (lowest >= 0) == (drop == 0)
    rows.append([digits(problem.sigma, 1), f"{lowest:.4f}", f"{drop:.4f}"])
table([r"$\sigma_1, \sigma_2$, at $\beta = 42$", "smallest eigenvalue", "gap, by descent (nats)"], rows)

# %% [markdown]
# ### Correlated noise
#
# The theory takes $\Sigma$ to be diagonal. The identity of section 2 does not need that, but "the quietest latent" must
# then be read with care: what counts is the smallest *eigenvalue* of $\Sigma$, not the smallest entry of its diagonal.
# Take two latents of variance 1 with covariance 24/25, whose eigenvalues are $(7/5)^2$ and $(1/5)^2$, a mode of strength
# 1/2, and $c = 1$.

# %%
half = sympy.Rational(1, 2)
by_diagonal, by_eigenvalue = (smallest.subs({zeta: half, sigma: noise, weight: 1}) for noise in (1, min(PRINCIPAL)))
single = planted_problem(
    np.random.default_rng(1), D0=1, d2=1, d1=2, zeta=np.array([0.5]), phi=np.ones(1), residual=0.0,
    beta=1.0, eta_dec=1.0, eta_enc=1.0, sigma=np.ones(2),
)  # fmt: skip
lowest = float(torch.linalg.eigvalsh(reduced_hessian(single, np.array(COVARIANCE, dtype=float)))[0])
print("smallest curvature, from the diagonal:   ", by_diagonal)
print("smallest curvature, from the eigenvalues:", sympy.simplify(by_eigenvalue), f"= {float(by_eigenvalue):.6f}")
print(f"smallest curvature, by torch.func.hessian: {lowest:.6f}")
assert abs(lowest - float(by_eigenvalue)) <= FLOAT64_DERIVATIVE.value and by_eigenvalue < 0 < by_diagonal

# %% [markdown]
# ### Learned noise
#
# The theorem fixes $\Sigma$. Learn it, and the origin becomes the point $U = W = 0$, $\sigma_i = \eta_{enc}$. Another
# claim of the ledger carries the conclusion over: complete collapse happens with learned noise iff it happens with the
# noise at the prior's.
# And the Hessian? The noise enters through $\mathrm{tr}(U\Sigma U^\top)$, which has no mixed second derivative at
# $U = 0$. So, in $\log\sigma_i^2$, it adds one eigenvalue $\beta/2$ for each latent and leaves the others alone.

# %%
same = ledger["s4.5.latent-variance"]
print("complete collapse, learned or at the prior:", same.printed.decide(same.printed.formula).verdict)
learners = [planted(beta, sigma=None) for beta in (14.0, 34.5, 42.0)]
rows = []
for problem, end in zip(learners, minimise(learners, seed=0), strict=True):
    values, drop = curvatures(problem, learned=True), depth(problem, end)
    expected = np.sort([*curvatures(planted(problem.beta)), problem.beta / 2, problem.beta / 2])
    assert (values[0] >= 0) == (drop == 0)
    assert np.abs(values - expected).max() <= FLOAT64_DERIVATIVE.value * expected.max()
    rows.append([f"{problem.beta:g}", f"{values[0]:.4f}", f"{drop:.4f}"])
table([r"$\beta$", "smallest eigenvalue, noise learned", "gap, by descent (nats)"], rows)

# %% [markdown]
# ### A puddle after all
#
# How much the theorem depends on this very loss shows if one term is left out. The paper suggests that $\ell_{var}$ can
# be ignored. With learned noise, ignore it, and start at the origin with noise so large that
# $\sigma_i\sqrt c > \zeta_1$. Then the origin is a local minimum, which the ledger proves, and not a global one.

# %%
ablation = ledger["s4.5.variance-term-learned"]
steps = ablation.corrected.decide(ablation.corrected.formula).steps
local_minimum = next(step for step in steps if "is a local minimum all the same" in step.text)
print(f"{local_minimum.verdict}: {local_minimum.text}")
strength, along = sympy.Integer(3), sympy.Symbol("a", positive=True)
origin = mode_loss(0, 0, strength, 4, 1)
family = mode_loss(along * sympy.sqrt(strength), sympy.sqrt(strength) / along, strength, along**-2, 1)
print(
    f"zeta = 3, c = 1: {origin} at the origin, with sigma = 4; {sympy.simplify(family)} at u = a √3, v = √3/a, sigma = 1/a²"
)
assert smallest.subs({zeta: 3, sigma: 4, weight: 1}) > 0 and sympy.limit(family, along, sympy.oo) == 0

# %% [markdown]
# ### Depth
#
# Nor does it survive a third layer, as the ledger proves beyond the paper. A toy of one mode shows why: give the decoder two
# factors, $u_1 u_2$ in place of $u$.

# %%
u_1, u_2, v = sympy.symbols("u_1 u_2 v", real=True)
deep = mode_loss(u_1 * u_2, v, zeta, sigma, weight)
at_zero = sympy.hessian(deep, (u_1, u_2, v)).subs({u_1: 0, u_2: 0, v: 0})
display(Math(rf"\text{{Hessian at the origin: }}{sympy.latex(at_zero)}"))
values = {zeta: 3, sigma: 1, weight: 1}
lower = deep.subs(values | {u_1: 1, u_2: sympy.sqrt(2), v: sympy.sqrt(2)})
print(
    f"zeta = 3, sigma = c = 1: {deep.subs(values | {u_1: 0, u_2: 0, v: 0})} at the origin, {lower} at u_1 = 1, u_2 = v = √2"
)
near = sympy.series(
    deep.subs(values | {u_1: along, u_2: along, v: along**2}) - zeta.subs(values) ** 2, along, 0, 5
).removeO()
assert near == -4 * along**4  # lower, however small the step
assert not at_zero.has(zeta) and all(at_zero[k, k] >= 0 for k in range(3)) and at_zero.is_diagonal()

# %% [markdown]
# The Hessian no longer sees the data at all. It is positive semidefinite for every $\zeta$, while lower points exist.
# With two layers the signal enters at second order; with three it comes one order later. Here the origin is a saddle that
# the Hessian cannot see: some of those lower points are as near as one likes, at $u_1 u_2 = v$ small. So the theorem
# should not be carried over to deep networks unseen. What does carry over is the threshold: products of small factors are any small
# matrices, so the origin is a local minimum exactly where it is one with single layers, and then a global one.

# %%
table(
    ["claim", "verdict", "what it says"],
    [
        [claim.id, claim.standing.decide(claim.standing.formula).verdict, claim.title]
        for claim in (ledger["x.depth"], ledger["x.depth-threshold"])
    ],
)

# %% [markdown]
# ### And a comparison that does not hold
#
# The paper contrasts all this with Bayesian linear regression, where the origin could never be a maximum of the
# posterior. It can, where input and target are uncorrelated:

# %%
regression = ledger["s4.5.regression"]
ruling = regression.printed.decide(regression.printed.formula)
print("as printed:", ruling.verdict, "--", ruling.witness.failure)
print("what holds:", regression.erratum.holds)

# %% [markdown]
# ## 8. How fast the origin is left
#
# A saddle is left, but slowly, if the ground hardly falls. Let training follow gradient flow of Eq 6 in $U$ and $V$,
# $\theta' = -\tfrac12\nabla$. Next to the origin everything is linear, and the fastest direction grows at minus half the smallest
# curvature. The paper does not say so; the ledger judges it all the same.

# %%
flow, balanced = ledger["x.gradient-flow"], ledger["x.gradient-flow-balanced"]
display(Math(r"\text{rate} = " + sympy.latex(flow.standing.formula)))
display(Math("m' = " + sympy.latex(balanced.standing.formula)))
table(
    ["claim", "verdict", "steps", "scope"],
    [
        [claim.id, ruling.verdict, len(ruling.steps), ruling.scope]
        for claim in (flow, balanced)
        for ruling in [claim.standing.decide(claim.standing.formula)]
    ],
)

# %% [markdown]
# The rate has the sign of $\zeta_1 - \sigma_{(1)}\sqrt c$: at the threshold it is zero. Physicists call this critical slowing down:
# the nearer $\beta$ is to the threshold, the longer training seems to have stopped. The second formula follows a mode all the way,
# where $\sigma^2 = c$ and both its layers are alike: $m$, a singular value of $UV^\top$, grows logistically.
#
# Three levels with $\sigma^2 = c$ for one mode, $\zeta = 1$: the matrices' own flow by small steps (markers), and the logistic
# curve (lines), which SymPy puts into the second formula first.

# %%
time, net, start = sympy.symbols("t a m_0", positive=True)
grown = sympy.exp(2 * net * time)
logistic = net * start * grown / (net + start * (grown - 1))
shift = n.sigma[n.i] * n.root_water / n.eta_enc  # sigma_i sqrt(c)
velocity = balanced.standing.formula.subs(n.zeta[n.i], net + shift).subs(product, logistic)
assert sympy.simplify(logistic.diff(time) - velocity) == 0 and logistic.subs(time, 0) == start
display(Math(r"m(t) = " + sympy.latex(logistic) + r",\quad a = \zeta - \sigma\sqrt{c}"))

_, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.4), layout="constrained")
levels = np.linspace(0.02, 2, 200)
rate = flow.standing.formula.subs({n.zeta[1]: 1, n.sigma_sorted[1]: 1, n.eta_enc: 1, n.eta_dec: 1})
left.plot(levels, evaluate(rate, {n.beta: levels}), color="black", linewidth=1)
left.axhline(0, color="0.6", linewidth=0.6)
left.axvline(1, color="0.6", linewidth=0.6)
left.set(
    xlabel=r"$\beta$ over its threshold, for $\sigma_i = \eta_{enc} = 1$",
    ylabel="growth rate at the origin",
    xlim=(0, 2),
)
times, step, rows = np.linspace(0, 40, 401), 0.01, []
for c, style in ((0.25, "-"), (0.64, "-."), (0.9, "--")):
    line = sympy.lambdify(time, logistic.subs({net: 1 - c, start: 0.001}))(times)
    right.plot(times, line, style, color="black", linewidth=1, label=rf"$\sigma^2 = c = {c:g}$")
    U = V = np.array([[0.001**0.5]])
    marks = []
    for k in range(4000):
        if k % 250 == 0:
            marks.append((U @ V.T).item())
        missing = 1 - U @ V.T
        U, V = U + step * (missing @ V - U * c), V + step * (missing.T @ U - c * V)
    right.plot(times[:-1:25], marks, "o", color="black", markerfacecolor="white", markersize=4)
    assert np.abs(np.array(marks) - line[:-1:25]).max() < step
    rows.append([f"{c:g}", f"{1 - c:g}", f"{times[np.argmax(line > (1 - c) / 2)]:.1f}"])
right.set(xlabel="time of the flow", ylabel="$m$, singular value of $UV^T$", xlim=(0, 40), ylim=(0, None))
right.legend(loc=(0.58, 0.68))
plt.show()
table([r"$\sigma^2 = c$", "where it ends", "time until half of that"], rows)

# %% [markdown]
# ## 9. Every other place without slope
#
# The origin is one stationary point. Where else does descent slow down, and can it end at a point that is no global minimum? For
# $\sigma_i = \eta_{enc}$ the ledger lists every stationary point of Eq 6. Each is a *choice*: a set $S$ of at most $d_1$ modes with
# $\zeta_i > \sqrt\beta\,\eta_{dec}$, and each mode chosen is as long as at the minimum. The origin chooses none.

# %%
listed, curved = ledger["x.stationary-points"], ledger["x.no-spurious-minima"]
display(Math(r"(u_i v_i,\ \text{what mode } i \text{ adds}) = " + sympy.latex(listed.standing.formula)))
display(Math(r"\zeta_i > \text{level}:\quad h_{\min} = " + sympy.latex(curved.standing.formula)))
table(
    ["claim", "verdict", "steps", "scope"],
    [
        [claim.id, ruling.verdict, len(ruling.steps), ruling.scope]
        for claim in (listed, curved)
        for ruling in [claim.standing.decide(claim.standing.formula)]
    ],
)

# %% [markdown]
# The second formula is the smallest eigenvalue of the Hessian where a mode is left out whose $\zeta_i$ is above the *level*: the
# least $\zeta$ of those chosen, or the threshold where a latent is still free. It is negative there. So a choice that is no global
# minimum is a strict saddle, with a way out at second order, and there is no other minimum to end in.
#
# We list all choices for $\zeta = (4, 3, 2)$ and two latents, all scales 1, and take the Hessian by hand, column by column.

# %%
spectrum, latents = (4, 3, 2), 2
values = {n.beta: 1.0, n.eta_dec: 1.0, n.eta_enc: 1.0, n.zeta: np.array([*spectrum, 0.0])}
lengths, adds = (np.array(part, dtype=float) for part in evaluate(listed.standing.formula, values))
target = np.diag(np.array(spectrum, dtype=float))


def slope(U, V):
    missing = target - U @ V.T
    return U - missing @ V, V - missing.T @ U


def bends(U, V):
    size, columns = U.size, []
    for unit in np.eye(2 * size):
        dU, dV = unit[:size].reshape(U.shape), unit[size:].reshape(V.shape)
        turned = dU @ V.T + U @ dV.T
        missing = target - U @ V.T
        columns.append(
            np.concatenate([(turned @ V - missing @ dV + dU).ravel(), (turned.T @ U - missing.T @ dU + dV).ravel()])
        )
    return 2 * np.linalg.eigvalsh(np.array(columns))


rows, levels = [], {}
least_loss = sum(float(least_mode_loss(value, 1, 1)) for value in spectrum[:latents]) + spectrum[2] ** 2
for chosen in [each for size in range(latents + 1) for each in combinations(range(3), size)]:
    U, V = np.zeros((3, latents)), np.zeros((3, latents))
    for latent, k in enumerate(chosen):
        U[k, latent] = V[k, latent] = lengths[k] ** 0.5
    assert max(np.abs(part).max() for part in slope(U, V)) < FLOAT64_DERIVATIVE.value
    levels[chosen] = sum(adds[k] if k in chosen else spectrum[k] ** 2 for k in range(3))
    outside = min(k for k in range(3) if k not in chosen)
    least = float(spectrum[max(chosen)]) if len(chosen) == latents else 1.0
    stated = evaluate(curved.standing.formula, values | {level: least})[outside]
    lowest = bends(U, V)[0]
    lower = levels[chosen] > least_loss
    assert lower == (stated < 0) and abs(lowest - min(stated, 0.0)) < FLOAT64_DERIVATIVE.value
    kind = "saddle" if lower else "global minimum"
    named = ", ".join(f"$\\zeta_{k + 1}$" for k in chosen) or "none"
    rows.append(
        [
            named,
            f"{levels[chosen]:g}",
            f"{round(lowest, 4) + 0:.4f}",
            f"{stated:.4f}" if stated < 0 else "not negative",
            kind,
        ]
    )
table(["modes chosen", "Eq 6", "smallest eigenvalue", "formula", "it is"], rows)

# %% [markdown]
# Up to rotations of latent space these are seven points, and one is a minimum. Gradient flow from a small start visits some of
# them: each plateau of the loss is a saddle of the list, passed on the way down (lines: the losses of the list; marked are those
# passed).

# %%
rng = np.random.default_rng(0)
U, V = (1e-5 * rng.standard_normal((3, latents)) for _ in range(2))
step, losses = 0.002, []
nearest = dict.fromkeys(levels, np.inf)
for _ in range(5_000):
    for chosen in nearest:
        listed_product = np.diag([lengths[k] if k in chosen else 0.0 for k in range(3)])
        nearest[chosen] = min(nearest[chosen], np.abs(U @ V.T - listed_product).max())
    losses.append(((U @ V.T - target) ** 2).sum() + (U**2).sum() + (V**2).sum())
    first = slope(U, V)
    U, V = U - step * first[0], V - step * first[1]
_, axes = plt.subplots(figsize=(6.2, 3.2), layout="constrained")
axes.plot(step * np.arange(len(losses)), losses, color="black", linewidth=1.2)
for chosen, value in levels.items():
    passed = nearest[chosen] < 0.05
    axes.axhline(value, color="0.4" if passed else "0.8", linewidth=0.7, linestyle="-" if passed else ":", zorder=0)
    if passed:
        named = ", ".join(rf"$\zeta_{k + 1}$" for k in chosen) or "none"
        axes.text(9.9, value + 0.25, named, ha="right", va="bottom", color="0.25")
axes.set(xlabel="time of the flow", ylabel="Eq 6", xlim=(0, 10))
plt.show()
assert [chosen for chosen, distance in nearest.items() if distance < 0.05] == [(), (0,), (0, 1)]
assert abs(losses[-1] - levels[0, 1]) < DESCENT_GAP.value * losses[0]

# %% [markdown]
# ## What to take away
#
# 1. For a linear VAE with fixed noise the curvature at the origin decides about the whole landscape. The origin is
#    either a saddle with a way out at second order, or a global minimum.
# 2. The reason is one identity: the loss minus its value at the origin is half the Hessian form plus
#    $\lVert UV^\top\rVert^2$, which is never negative.
# 3. The condition is $\zeta_1 \le \sigma_{(1)}\sqrt c$ with the smallest $\sigma$; for $\sigma_i = \eta_{enc}$, the
#    threshold of complete collapse.
# 4. It speaks of one point and of two layers. With one more the Hessian is blind, and only the threshold stays.
# 5. For $\sigma_i = \eta_{enc}$ every stationary point is a choice of modes, and all but the global minima are strict saddles.
# 6. The nearer the threshold, the slower the origin is left: a latent that is not used yet need not have collapsed.
#
# `collapse audit --claim thm-3.hessian --claim thm-3.no-middle --claim thm-3.saddle` judges these claims by every
# layer; `--claim x.stationary-points`, `x.no-spurious-minima`, `x.depth` and `x.depth-threshold` those beyond the paper.
