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
# # Learned variances, of encoder and decoder
#
# **Does it prevent posterior collapse to let a VAE learn its own noise: the encoder's, the decoder's, or both?**
#
# A linear VAE has two noises. The encoder adds noise of standard deviation $\sigma_i$ to latent $i$; the decoder
# expects noise of standard deviation $\eta_{dec}$ in what it predicts. Either can be held fixed or learned.
#
# Three numbers of the theory are enough here. $\zeta_i$ is the strength of mode $i$ of the data; for an autoencoder
# $\zeta_i^2$ is the $i$-th principal variance. $t = \beta\,\eta_{dec}^2$ is the *water level*. And $\eta_{enc}$ is the
# prior's standard deviation. Notebook 03 shows that a mode is kept if and only if $\zeta_i^2 > t$.
#
# The answer in short. Learning the encoder's noise moves no threshold, compared with noise held at the prior's.
# Learning the decoder's noise moves all of them, since it moves the water itself, and in either direction: it saves
# some models and drowns others. And where the data can be explained completely, there may be no best model at all.

# %% tags=["nbval-ignore-output"]
# A fresh machine may report that matplotlib builds its font cache; this cell has no other output.
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import sympy
from IPython.display import Markdown, Math, display
from sklearn.decomposition import PCA

from derivations.decoder_collapse import CONDITIONS
from derivations.decoder_instances import collapse_learned
from derivations.decoder_variance import s as decoder_variance
from derivations.decoder_variance import taken
from derivations.ledger import claims_by_id
from derivations.notation import beta, eta_dec, eta_enc, i, zeta
from derivations.proposition_3_mode_variance import mode_objective
from derivations.proposition_3_mode_variance import s as encoder_std
from numerics.certificates import gap
from numerics.decoder_profile import least_over_decoder
from numerics.descent import minimise
from numerics.lambdified import evaluate
from numerics.learned_decoder import learned_decoder
from numerics.moments import digit_images, digits_autoencoder
from numerics.prediction import Levels, Optimum
from numerics.problems import planted_problem
from numerics.tolerances import (
    COLLAPSED_MODE,
    DESCENT_BELOW,
    DESCENT_GAP,
    DESCENT_INVARIANT,
    GRADIENT_NORM,
    HESSIAN_EIGENVALUE,
)

plt.rcParams |= {
    "figure.dpi": 110,
    "font.size": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "legend.frameon": False,
}
POINT = {"color": "black", "markerfacecolor": "white", "markersize": 4.5, "linestyle": "none"}
LINES = ("-", "--", ":", "-.")

ledger = claims_by_id()


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


def digits(values, places=4):
    """Numbers for a table, rounded far above what descent leaves undecided."""
    return ", ".join(f"{value + 0.0:.{places}f}" for value in np.atleast_1d(values))


def active(minimum):
    """How many modes the model that descent found has kept."""
    return minimum.active(COLLAPSED_MODE.value * minimum.problem.spectrum[0])


def judged(*names):
    """The verdicts on what stands: the printed statement, or the corrected one where there is one."""
    rows = []
    for name in names:
        printed, stands = (each.decide(each.formula) for each in (ledger[name].printed, ledger[name].standing))
        assert stands.verdict == "proved", name
        as_printed = "" if name.startswith("x.") else printed.verdict
        rows.append([f"`{name}`", ledger[name].source, as_printed, f"**{stands.verdict}**", len(stands.steps)])
    return table(["claim", "source", "as printed", "what stands", "steps of its proof"], rows)


# %% [markdown]
# ## 1. One latent chooses its noise
#
# Take a single mode of strength $\zeta = 2$. Give the latent some noise $\sigma$, let encoder and decoder do their best
# with it, and look at the loss that is left, as a function of $\sigma$ alone. The paper calls it $l_i(\sigma)$
# (Eq. 13). Proposition 3 says where it is least. As printed that formula holds a slip, which notebook 06 takes up; the
# corrected one is

# %%
best_std = ledger["prop-3.variance"].corrected.formula
display(Math(rf"\sigma_i = {sympy.latex(best_std)}"), judged("prop-3.variance"))

# %% [markdown]
# Left: $l_i(\sigma)$ for four weights $\beta$. Right: the $\sigma$ at which it is least, as a function of $\beta$; the
# markers are where descent on all parameters ended, from a random start and without any formula.

# %%
one_mode = {"D0": 2, "d2": 2, "d1": 1, "zeta": np.array([2.0, 0.0]), "phi": np.array([1.5, 0.5]), "residual": 0.0}
weights = np.array([0.25, 0.5, 1.0, 1.75, 2.5, 3.2, 3.8, 4.5, 5.25, 6.0])
single = minimise(
    [
        planted_problem(np.random.default_rng(3), beta=float(value), eta_dec=1.0, eta_enc=1.0, **one_mode)
        for value in weights
    ],
    seed=0,
)

grid = np.linspace(0.2, 1.5, 400)
_, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.3), layout="constrained")
for value, style in zip((1.0, 2.5, 4.0, 6.0), LINES, strict=True):
    scales = {zeta: 2.0, beta: value, eta_dec: 1.0, eta_enc: 1.0}
    (lowest,) = np.atleast_1d(evaluate(best_std, {**scales, zeta: np.array([2.0])}))
    curve, least = (
        evaluate(mode_objective(zeta[i], encoder_std),
                 {**scales, zeta: np.full_like(where, 2.0), encoder_std: where})
        for where in (grid, np.array([lowest]))
    )  # fmt: skip
    assert np.all(curve >= least - 1e-12)
    left.plot(grid, curve, style, color="black", linewidth=1, label=rf"$\beta = {value:g}$")
    left.plot(lowest, least, "o", color="black", markersize=4)
left.set(
    xlabel=r"noise of the latent, $\sigma$ (units of $\eta_{enc}$)", ylabel=r"$l_i(\sigma)$ (squared units of $y$)"
)
left.set(ylim=(0.8, 7))
left.legend(loc="lower right", ncols=2)
line = np.linspace(0.02, 6.2, 300)
right.plot(line, evaluate(best_std, {zeta: np.full_like(line, 2.0), beta: line, eta_dec: 1.0, eta_enc: 1.0}), "k", lw=1)
right.plot(weights, [m.sigma[0] for m in single], "o", **POINT)
right.axvline(4, color="0.6", linewidth=0.6)
right.annotate("collapsed from\nhere on", (4.15, 0.45), fontsize=8)
right.set(xlabel=r"$\beta$ (no unit)", ylabel=r"best $\sigma$ (units of $\eta_{enc}$)", xlim=(0, 6.3), ylim=(0, 1.08))
plt.show()

apart = max(
    abs(float(evaluate(best_std, {zeta: np.array([2.0]), beta: m.problem.beta, eta_dec: 1.0, eta_enc: 1.0})[0]) - m.sigma[0])
    for m in single
)  # fmt: skip
print(f"formula and descent agree on sigma: {apart <= DESCENT_INVARIANT.value}")

# %% [markdown]
# Each curve has one lowest point, and no other in which descent could be caught. A small $\beta$ makes the latent
# precise. A larger one makes it noisier, until at $\beta = \zeta^2/\eta_{dec}^2 = 4$ its noise is the prior's and it
# carries nothing. Then it stays there. In a collapsed latent $\sigma_i = \eta_{enc}$ exactly: the learned variance is
# itself a sign of collapse.

# %% [markdown]
# ## 2. Does learning the encoder's noise prevent collapse?
#
# No. Theorem 1 holds the noise at the prior's, $\sigma_i = \eta_{enc}$; Theorem 2 learns it. The ledger proves that
# the two collapse under the same condition. Descent agrees: here are three modes, $\zeta = (3, 2, 1)$, and the number
# that each model keeps.

# %%
display(judged("thm-1.minimum", "thm-2.minimum", "thm-2.same-conditions"))

modes = {
    "D0": 4, "d2": 3, "d1": 3, "zeta": np.array([3.0, 2.0, 1.0]), "phi": np.array([2.0, 1.5, 1.0, 0.5]),
    "residual": 2.0, "eta_enc": 1.0,
}  # fmt: skip


def planted(**changes):
    """The three modes, hidden in second moments of four inputs and three targets."""
    return planted_problem(np.random.default_rng(1), **modes | changes)


sweep = (0.5, 2.0, 3.5, 4.5, 7.0, 8.5, 10.0)
held = minimise([planted(beta=value, eta_dec=1.0, sigma=np.ones(3)) for value in sweep], seed=0)
learned = minimise([planted(beta=value, eta_dec=1.0) for value in sweep], seed=0)
assert [active(m) for m in held] == [active(m) for m in learned]
table(
    [
        "$\\beta$",
        "modes above the water",
        "kept, noise held at the prior's",
        "kept, noise learned",
        "loss, held",
        "loss, learned",
    ],
    [
        [value, sum(modes["zeta"] ** 2 > value), active(a), active(b), digits(a.loss), digits(b.loss)]
        for value, a, b in zip(sweep, held, learned, strict=True)
    ],
)

# %% [markdown]
# Learning lowers the loss wherever something is kept, and keeps the same modes.
#
# The comparison has a condition, and it matters: the other model's noise is held *at the prior's*. The ledger tries the
# statement without that condition and finds it false. So does descent: hold the noise below the prior's, and the
# thresholds do move. At $\beta = 10$, where all three modes should be under water:

# %%
(without,) = ledger["thm-2.same-conditions"].assumptions
probe = without.without(ledger["thm-2.same-conditions"].printed.formula)
print(f"The statement without the condition {without.text!r}: {probe.verdict}\nat {probe.witness}")

fixed_at = (0.25, 0.5, 1.0, 2.0)
others = minimise([planted(beta=10.0, eta_dec=1.0, sigma=np.full(3, value)) for value in fixed_at], seed=0)
table(
    ["noise of all latents at $\\beta = 10$", "modes kept", "loss"],
    [
        *([f"held at {value:g} $\\eta_{{enc}}$", active(m), digits(m.loss)] for value, m in zip(fixed_at, others, strict=True)),
        ["learned", active(learned[-1]), digits(learned[-1].loss)],
    ],
)  # fmt: skip

# %% [markdown]
# Precision that is forced on the encoder keeps modes alive. It is not free: the loss is higher than the one with
# learned noise, which prefers to collapse. So it is not the *learning* of $\sigma_i$ that decides, but its value.

# %% [markdown]
# ## 3. What learning the encoder's noise is good for
#
# ### Lengths that stay bounded
#
# With the noise held, the two layers share the work badly as $t \to 0$: the encoder's length $\theta$ grows without
# bound while the decoder's length $\lambda$ shrinks to zero. With learned noise both stay bounded. The paper draws this
# conclusion, and it is right (`thm-2.bounded-norm`).

# %%
display(judged("thm-2.bounded-norm"))

levels = np.array([0.02, 0.1, 0.25, 0.5, 1.0, 1.5, 1.9, 2.2])  # the root of t: beta = 1 and eta_dec = sqrt(t)
laws = {"held": ledger["thm-1.minimum"].printed.formula, "learned": ledger["thm-2.minimum"].printed.formula}
ends = {
    name: minimise(
        [
            planted_problem(np.random.default_rng(3), beta=1.0, eta_dec=float(level), eta_enc=1.0, sigma=sigma, **one_mode)
            for level in levels
        ],
        seed=0,
    )
    for name, sigma in (("held", np.ones(1)), ("learned", None))
}  # fmt: skip
_, axes = plt.subplots(1, 2, figsize=(7.4, 3.1), layout="constrained")
line = np.linspace(0.012, 2.4, 600)
scales = {zeta: np.full_like(line, 2.0), beta: 1.0, eta_dec: line, eta_enc: 1.0}
for name, style, marker in (("held", "--", "s"), ("learned", "-", "o")):
    seen = [[m.U_singular_values[0] for m in ends[name]], [m.V_singular_values[0] for m in ends[name]]]
    for axis, law, points in zip(axes, laws[name].args, seen, strict=True):
        axis.plot(line, evaluate(law, scales), style, color="black", linewidth=1, label=rf"$\sigma$ {name}")
        axis.plot(levels, points, marker, **POINT)
        stated = evaluate(law, {**scales, zeta: np.full_like(levels, 2.0), eta_dec: levels})
        assert np.allclose(stated, points, atol=DESCENT_INVARIANT.value, rtol=DESCENT_INVARIANT.value)
for axis, label in zip(axes, (r"decoder's length $\lambda$", r"encoder's length $\theta$"), strict=True):
    axis.set(xlabel=r"$\sqrt{t} = \sqrt{\beta}\,\eta_{dec}$ (units of $y$)", ylabel=label, xlim=(0, 2.4))
axes[1].set(ylim=(-0.1, 4.2))
axes[1].annotate(
    "9.9 at 0.02,\nand without bound", (0.11, 4.1), (0.45, 3.35), arrowprops={"arrowstyle": "-", "lw": 0.6}, fontsize=8
)
axes[0].legend(loc="upper right", title="lines: closed form\nmarkers: descent", title_fontsize=8)
plt.show()
longest = {name: found[0].V_singular_values[0] for name, found in ends.items()}
print(f"encoder's length at 0.02: held {longest['held']:.2f}, learned {longest['learned']:.4f}")

# %% [markdown]
# ### Survivors that lose less
#
# What is kept of a mode is the singular value $\lambda_i\theta_i$ of the whole model. The paper likens a high water
# level to *soft thresholding*, which prunes and shrinks, and a small latent dimension to *hard thresholding*, which only
# prunes. The picture is right in kind. To the letter, what goes are the $\zeta_i$ up to $\sqrt t$, not those below $t$ as
# printed, and soft thresholding, $\zeta - \sqrt t$, belongs to noise held at the prior's. With learned noise the law is
# $\zeta - t/\zeta$, the *non-negative garrote*: strong modes are almost spared. Five modes, $t = 1$:

# %%
display(judged("thm-2.shrinkage", "thm-2.soft-thresholding"))

strengths = np.array([3.2, 2.4, 1.8, 1.3, 0.8])
five = {
    "D0": 5,
    "d2": 5,
    "zeta": strengths,
    "phi": np.ones(5),
    "residual": 0.0,
    "beta": 4.0,
    "eta_dec": 0.5,
    "eta_enc": 1.0,
}
settings = {
    "noise held at the prior's": {"d1": 5, "sigma": np.ones(5)},
    "noise learned": {"d1": 5},
    "noise learned, two latents only": {"d1": 2},
    "almost no water, two latents only": {"d1": 2, "beta": 4e-4},
}
reached = {name: np.arange(5) < change["d1"] for name, change in settings.items()}
rows = [["strength of the mode", "", digits(strengths, 3)]]
for (name, change), law in zip(settings.items(), ("soft", "garrote", "garrote and hard", "hard"), strict=True):
    (found,) = minimise([planted_problem(np.random.default_rng(2), **five | change)], seed=0)
    decoder, encoder = laws["held" if "sigma" in change else "learned"].args
    scales = {zeta: strengths, beta: found.problem.beta, eta_dec: found.problem.eta_dec, eta_enc: 1.0}
    stated = np.where(reached[name], evaluate(decoder * encoder, scales), 0)
    assert np.allclose(found.product_singular_values, stated, atol=DESCENT_INVARIANT.value)
    rows.append([name, law, digits(found.product_singular_values, 3)])
table(["", "thresholding", "what descent keeps"], rows)

# %% [markdown]
# Compare the second line with the third: taking latents away leaves the other modes exactly as they were.

# %% [markdown]
# ## 4. The decoder's noise is learned too
#
# Until now $\eta_{dec}$ was given. If it is to be learned, the decoder's normaliser may no longer be dropped: the loss
# gains $\tfrac{d_2}{2}\log\eta_{dec}^2$, for a target of dimension $d_2$. Write $s = \eta_{dec}^2$. A small $s$ makes
# errors expensive, a large one makes the normaliser expensive.
#
# Minimise over everything but $s$. What remains is a curve, and its slope has the sign of
#
# $$ g(s) = d_2\,s \;-\; r \;-\; \sum_{i \le d_1} \min(\zeta_i^2, \beta s) \;-\; \sum_{i > d_1} \zeta_i^2 , $$
#
# where $r$ is the part of $\mathbb{E}\|y\|^2$ that no linear function of $x$ explains. This $g$ is made of straight
# pieces that get steeper: each mode that drowns, as the water $\beta s$ rises past it, adds a kink. So, where it
# starts below zero, it crosses zero once, and the learned variance can be written down. (Section 7 is about the
# other case.) With $k$ modes alive on its piece it is

# %%
claim = ledger["x.decoder-variance-exact"]
value, admitted = claim.printed.formula.args
display(
    Math(rf"s_k = {sympy.latex(value)}\qquad\text{{for }} {sympy.latex(admitted)},"),
    Markdown("and $\\eta_{dec}^2$ is the least of these over $k = 0, \\dots, \\min(d_1, d^*)$."),
    judged("x.decoder-variance-exact"),
)

# %% [markdown]
# Read it as a sentence, $d_2\,s = r + \sum_{i > k} \zeta_i^2 + k\,\beta s$: the variance of all outputs together is the error
# that is left. That is $r$, what the drowned modes would have explained, and $\beta s$ from each mode that is kept.
#
# (The text of the paper points to its Appendix D for this case; the formula is derived here, and so has no printed form
# to be judged.)
#
# The picture has our three modes, $\zeta^2 = (9, 4, 1)$, with $r = 2$ and $d_2 = 3$. Above: the loss with everything
# but $s$ minimised out, and where descent over all parameters, $\log s$ among them, ended. Below: $g$.

# %%
data = Levels(zeta_squared=modes["zeta"] ** 2, remaining=0.0, residual=modes["residual"], outputs=3)


def profile(data, weight, variances, latents=3):
    """The least loss at each decoder variance (Theorem 2), normaliser included."""
    least = [Optimum(data, latents, weight, float(np.sqrt(variance))).loss for variance in variances]
    return np.array(least) + data.outputs / 2 * np.log(variances)


def slope(data, weight, variances):
    """g(s), term by term from the derivation, for at least as many latents as modes."""
    lost = [evaluate(taken(square), {beta: weight, decoder_variance: variances}) for square in data.zeta_squared]
    return data.outputs * variances - data.residual - sum(lost)


shown = (0.5, 1.0, 2.2)
minima = minimise([planted(beta=weight, eta_dec=1.0, learned_decoder=True) for weight in shown], seed=0)
grid = np.linspace(0.2, 10, 500)
_, (above, below) = plt.subplots(2, 1, figsize=(6.6, 5.6), sharex=True, layout="constrained")
for weight, minimum, style in zip(shown, minima, LINES[:3], strict=True):
    above.plot(grid, profile(data, weight, grid), style, color="black", linewidth=1, label=rf"$\beta = {weight:g}$")
    above.plot(minimum.eta_dec**2, minimum.loss, "o", **POINT)
    below.plot(grid, slope(data, weight, grid), style, color="black", linewidth=1)
    kinks = data.zeta_squared / weight
    below.plot(kinks, slope(data, weight, kinks), "|", color="black", markersize=7)
    below.plot(minimum.eta_dec**2, 0, "o", **POINT)
below.axhline(0, color="0.6", linewidth=0.6)
above.plot([], [], "o", label="descent", **POINT)
above.set(ylabel="least loss (nats)", ylim=(2.6, 7))
above.legend(loc="upper right")
below.set(xlabel=r"decoder's variance $s = \eta_{dec}^2$ (squared units of $y$)", ylabel=r"$g(s)$")
below.set(ylim=(-7, 12), xlim=(0, grid[-1]))
below.annotate(r"tick: a mode drowns, $\beta s = \zeta_i^2$", (0.25, 10), fontsize=8)
plt.show()

# %% [markdown]
# Now without looking. Fifteen weights, a random start each, and everything learned. The closed form is asked for $s$
# alone; the least loss comes from another route, which looks for the zero of the loss's slope in $s$.


# %%
def compare(minima):
    """Closed form against descent with a learned decoder variance: loss, variance and certificates."""
    optima = [least_over_decoder(m.problem) for m in minima]
    stated = [
        learned_decoder(
            Levels(m.problem.spectrum**2, 0.0, m.problem.r, m.problem.d2), m.problem.d1, m.problem.beta
        ).variance
        for m in minima
    ]
    gaps = [gap(m.loss, optimum.loss) for m, optimum in zip(minima, optima, strict=True)]
    apart = max(abs(m.eta_dec**2 - variance) / variance for m, variance in zip(minima, stated, strict=True))
    steepest = max(m.certificate.gradient_norm for m in minima)
    flattest = min(m.certificate.smallest_hessian_eigenvalue for m in minima)
    checks = [
        ["loss above the theory's, relative", DESCENT_GAP, max(gaps)],
        ["loss below the theory's, relative", DESCENT_BELOW, -min(gaps)],
        ["learned $\\eta_{dec}^2$ against the closed form, relative", DESCENT_INVARIANT, apart],
        ["gradient norm", GRADIENT_NORM, steepest],
        ["negative curvature", HESSIAN_EIGENVALUE, -flattest],
    ]
    return table(
        ["of all minima, the worst", "bound", "within"],
        [[text, f"{bound.value:g}", worst <= bound.value] for text, bound, worst in checks],
    )


sweep = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.15, 1.3, 1.45, 1.6, 1.8, 2.0, 2.2, 2.5)
ends = minimise([planted(beta=weight, eta_dec=1.0, learned_decoder=True) for weight in sweep], seed=0)
display(compare(ends))
table(
    ["$\\beta$", "learned $\\eta_{dec}^2$", "water level $\\beta\\,\\eta_{dec}^2$", "modes kept"],
    [[m.problem.beta, digits(m.eta_dec**2), digits(m.problem.beta * m.eta_dec**2), active(m)] for m in ends],
)

# %% [markdown]
# As long as a mode is kept, the water rises faster than $\beta$: every kept mode leaves more error, every drowned one
# leaves all of its variance, and either raises $\eta_{dec}^2$ in turn.

# %% [markdown]
# ## 5. When does everything collapse?
#
# With a learned decoder variance the origin, $U = W = 0$, is a best model exactly if (for $y \ne 0$)

# %%
condition = CONDITIONS[collapse_learned]
display(Math(sympy.latex(condition)), judged("s4.4.still-collapses"))
(critical,) = sympy.solve(condition.lhs, beta)
display(Math(rf"\text{{that is, from}}\quad \beta = {sympy.latex(critical)}\quad\text{{on.}}"))


# %%
def critical_weight(data):
    """The beta from which on the origin is a best model."""
    return float(evaluate(critical, data.values(len(data.zeta_squared))))


print(f"our three modes, r = 2: from beta = {critical_weight(data):.4f} on")
print("by descent:", ", ".join(f"{m.problem.beta:g}: {'collapsed' if active(m) == 0 else 'alive'}" for m in ends[9:13]))
assert all((active(m) == 0) == (m.problem.beta >= critical_weight(data)) for m in ends)

# %% [markdown]
# The denominator is $\mathbb{E}\|y\|^2$. So: complete collapse happens when the strongest mode explains no more than
# $\beta$ times the *average* variance of an output. The given $\eta_{dec}$ has left the condition.
#
# ### The map
#
# Every pair $(\beta, \eta_{dec}^2)$ is a point of the map below. The thin curves are $\eta_{dec}^2 = \zeta_i^2/\beta$:
# crossing one upwards drowns a mode, and above the last one everything has collapsed. A model with a given
# $\eta_{dec}$ may sit anywhere. A model that learns it sits on the thick curve. To let a model learn its decoder's
# noise is to move it vertically onto that curve, *down or up*.

# %%
saved, drowned = (1.0, 12.0), (2.0, 3.0)  # beta, and the decoder variance at which it was held
pairs = [
    planted(beta=weight, eta_dec=float(np.sqrt(variance)), learned_decoder=learning)
    for weight, variance in (saved, drowned)
    for learning in (False, True)
]
found = minimise(pairs, seed=0)
_, axis = plt.subplots(figsize=(6.6, 4.6), layout="constrained")
line = np.linspace(0.05, 2.7, 500)
for square in data.zeta_squared:
    axis.plot(line, square / line, color="0.45", linewidth=0.7)
axis.plot(line, [learned_decoder(data, 3, float(w)).variance for w in line], color="black", linewidth=2.2)
axis.plot(sweep, [m.eta_dec**2 for m in ends], "o", **POINT, zorder=3)
axis.axvline(critical_weight(data), color="0.45", linewidth=0.7, linestyle=":")
for (weight, variance), end, text in (
    (saved, found[1], "held: collapsed\nlearned: saved"),
    (drowned, found[3], "held: alive\nlearned: collapsed"),
):
    axis.plot(weight, variance, "s", color="black", markersize=6)
    axis.annotate(
        "", (weight, end.eta_dec**2), (weight, variance), arrowprops={"arrowstyle": "->", "shrinkB": 5, "shrinkA": 4}
    )
    axis.annotate(text, (weight + 0.05, variance - (0.6 if variance > 5 else 0.9)), fontsize=8)
for spot, text in (
    ((2.15, 8.6), "all collapsed"),
    ((1.08, 5.9), "1 mode"),
    ((1.02, 1.9), "2 modes"),
    ((0.22, 1.7), "3 modes"),
):
    axis.annotate(text, spot, fontsize=8, style="italic", color="0.3")
axis.plot([], [], color="black", linewidth=2.2, label=r"learned $\eta_{dec}^2$, closed form")
axis.plot([], [], "o", label=r"learned $\eta_{dec}^2$, descent", **POINT)
axis.plot([], [], "s", color="black", markersize=6, label=r"$\eta_{dec}^2$ held here")
axis.plot([], [], color="0.45", linewidth=0.7, label=r"thresholds $\zeta_i^2/\beta$")
axis.legend(loc="upper right", fontsize=8)
axis.set(xlabel=r"$\beta$ (no unit)", ylabel=r"$\eta_{dec}^2$ (squared units of $y$)", xlim=(0, 2.7), ylim=(0, 13.5))
plt.show()

assert [active(m) for m in found] == [0, 2, 1, 0]
table(
    ["$\\beta$", "$\\eta_{dec}^2$ held at", "modes kept", "$\\eta_{dec}^2$ learned", "modes kept"],
    [
        [weight, variance, active(a), digits(b.eta_dec**2), active(b)]
        for (weight, variance), a, b in zip((saved, drowned), found[::2], found[1::2], strict=True)
    ],
)  # fmt: skip

# %% [markdown]
# Lucas et al. (2019) suggested learning $\eta_{dec}$ as a remedy. The paper answers that it cannot be relied on, and
# the lower arrow shows it right: this model collapses *because* $\eta_{dec}$ is learned. But the paper also says that
# learning $\eta_{dec}$ has no causal relation with collapse (§2, §4.4), and elsewhere that it has one (§4.5). The
# ledger judges both sentences. Learning changes the outcome exactly for the models whose $\zeta_1^2/\beta$ lies between
# the variance that was held and the one that is learned.

# %%
judged("s4.4.no-causal-relation", "s4.5.decoder-variance", "s4.5.decoder-variance-influence")

# %% [markdown]
# ### The advice: learn $\eta_{dec}$ and take $\beta < d_2/d^*$
#
# This is the paper's way out, with $d^*$ the number of modes that $Z$ can have. Here $d_2/d^* = 1$. It works if nothing
# is left unexplained, $r = 0$ (though section 7 shows what may happen then). With $r > 0$ it need not: enough noise in the
# target drowns every mode, at any $\beta$.

# %%
noisy = [planted(beta=0.8, eta_dec=1.0, residual=r, learned_decoder=True) for r in (2.0, 10.0, 15.0, 25.0, 100.0)]
ends_noisy = minimise(noisy, seed=0)
rows = []
for m in ends_noisy:
    threshold = critical_weight(replace(data, residual=m.problem.r))
    assert (active(m) == 0) == (m.problem.beta >= threshold)
    rows.append([f"{m.problem.r:.0f}", f"{threshold:.4f}", digits(m.eta_dec**2), active(m)])
display(judged("s4.4.threshold"))
table(["$r$", "collapse from $\\beta$ =", "learned $\\eta_{dec}^2$ at $\\beta = 0.8$", "modes kept"], rows)

# %% [markdown]
# ## 6. Real data, and the unit of measurement
#
# The 1797 digits of scikit-learn, as an autoencoder of 64 pixels, centred. They can be stored with grey values from 0
# to 1 or from 0 to 16. With $\eta_{dec} = 1$ held, that choice multiplies every critical $\beta$ by 256. With
# $\eta_{dec}$ learned it changes nothing: the condition above has the same units on both sides.

# %%
problem = digits_autoencoder(3, 1.0)
rows, thresholds = [], {}
for name, factor in (("0 to 1", 1.0), ("0 to 16", 16.0)):
    spectrum = Levels((factor * problem.spectrum) ** 2, 0.0, 0.0, problem.d2)
    thresholds[name] = critical_weight(spectrum)
    rows.append([name, f"{Optimum(spectrum, 3, 1.0, 1.0).critical_beta[0]:.3f}", f"{thresholds[name]:.3f}"])
table(
    ["grey values", "complete collapse from, $\\eta_{dec} = 1$ held", "complete collapse from, $\\eta_{dec}$ learned"],
    rows,
)

# %%
weights = (1.0, 8.0, 10.0)
real = [replace(digits_autoencoder(3, weight), learned_decoder=True) for weight in weights]
scaled = [replace(p, A=256 * p.A, C=256 * p.C, y2=256 * p.y2) for p in real[1:2]]
ends_real, ends_scaled = minimise(real, seed=0), minimise(scaled, seed=0)
assert all((active(m) == 0) == (m.problem.beta >= thresholds["0 to 1"]) for m in ends_real)
assert [active(m) for m in ends_scaled] == [active(m) for m in ends_real[1:2]]
display(compare(ends_real + ends_scaled))
table(
    ["grey values", "$\\beta$", "learned $\\eta_{dec}^2$", "of three latents, kept"],
    [
        *(["0 to 1", f"{m.problem.beta:g}", digits(m.eta_dec**2, 6), active(m)] for m in ends_real),
        *(["0 to 16", f"{m.problem.beta:g}", digits(m.eta_dec**2, 4), active(m)] for m in ends_scaled),
    ],
)

# %% [markdown]
# This is a practical reason to learn $\eta_{dec}$, whatever it does to collapse: $\beta$ means the same for every unit.
#
# At $\beta = 1$ and $y = x$ we meet an old acquaintance: with every latent in use the closed form is the mean of the
# discarded eigenvalues, the noise variance of probabilistic principal component analysis (Tipping & Bishop, 1999).
# scikit-learn computes that one from the data, dividing by $n - 1$ where we divide by $n$.

# %%
images = digit_images().reshape(-1, 64) / 16
by_sklearn = PCA(n_components=3).fit(images).noise_variance_ * (len(images) - 1) / len(images)
by_descent = ends_real[0].eta_dec ** 2
print(f"scikit-learn {by_sklearn:.6f}, descent {by_descent:.6f}")
assert abs(by_descent / by_sklearn - 1) <= DESCENT_INVARIANT.value

# %% [markdown]
# ## 7. Nothing left to explain: the valley and the abyss
#
# Let $r = 0$ and let there be a latent for every mode, as in an autoencoder with a wide code. Then $g(s)$ starts at
# zero, and everything turns on its first slope, $d_2 - \beta\,\mathrm{rank}\,Z$.
#
# - $\beta < d_2/\mathrm{rank}\,Z$: the loss falls for ever as $\eta_{dec} \to 0$. There is no best model.
# - $\beta = d_2/\mathrm{rank}\,Z$: the bottom is level. Every small $\eta_{dec}^2$ is as good as any other.
# - $\beta > d_2/\mathrm{rank}\,Z$: one minimum, as before.
#
# Two modes, $\zeta^2 = (4, 1)$, two outputs, two latents, so that the borderline is at $\beta = 1$, the vanilla VAE:

# %%
explained = Levels(np.array([4.0, 1.0]), remaining=0.0, residual=0.0, outputs=2)
two = {
    "D0": 2,
    "d2": 2,
    "zeta": np.array([2.0, 1.0]),
    "phi": np.array([2.0, 1.5]),
    "residual": 0.0,
    "eta_dec": 1.0,
    "eta_enc": 1.0,
}
shown = (0.8, 1.0, 1.25)
runs = {
    weight: [
        minimise(
            [planted_problem(np.random.default_rng(1), d1=2, beta=weight, learned_decoder=True, **two)], seed=seed
        )[0]
        for seed in range(6)
    ]
    for weight in shown
}
grid = np.geomspace(3e-4, 8, 400)
_, axis = plt.subplots(figsize=(6.6, 3.8), layout="constrained")
for weight, style, marker in zip(shown, ("-", "--", "-."), "xos", strict=True):
    axis.plot(
        grid,
        profile(explained, weight, grid, latents=2),
        style,
        color="black",
        linewidth=1,
        label=rf"$\beta = {weight:g}$",
    )
    kept = [m for m in runs[weight] if not m.diverged]
    axis.plot([m.eta_dec**2 for m in kept], [m.loss for m in kept], marker, **POINT)
axis.plot([], [], "o", label="descent, six starts each", **POINT)
axis.annotate(
    "falls for ever", (3.4e-4, -0.12), (1.2e-3, -0.33), fontsize=8, arrowprops={"arrowstyle": "->", "lw": 0.8}
)
axis.annotate("level", (3e-3, 1.75), fontsize=8)
axis.set(
    xscale="log", xlabel=r"decoder's variance $s = \eta_{dec}^2$ (squared units of $y$)", ylabel="least loss (nats)"
)
axis.set(ylim=(-0.5, 4.2), xlim=(grid[0], grid[-1]))
axis.legend(loc="upper right")
plt.show()

# %%
display(judged("s4.4.small-beta"))
rows = []
for weight in shown:
    stated = learned_decoder(explained, 2, weight).variance
    fell, ended = [m.diverged for m in runs[weight]], [m.eta_dec**2 for m in runs[weight]]
    losses = [m.loss for m in runs[weight]]
    if stated == 0:
        assert all(fell)
        text = "fell below every bound, from all six starts"
    else:
        assert not any(fell) and max(losses) - min(losses) <= DESCENT_GAP.value
        level = weight == 1
        assert max(ended) <= stated + 1e-4 and (level or min(ended) >= stated - 1e-4)
        text = f"one loss, {np.mean(losses):.4f}, " + (
            "at various $\\eta_{dec}^2 \\le 1$" if level else f"at {digits(ended[0])}"
        )
    rows.append([weight, digits(stated), text])
table(["$\\beta$", "closed form: the largest best $\\eta_{dec}^2$ (0: none)", "descent"], rows)

# %% [markdown]
# The paper warns that an overparametrised model, $d_1 \ge d^*$, drives the decoder's variance to zero at a small
# $\beta$, and that an underparametrised one has no problem. Both sentences lack a condition. What counts is whether
# anything is left over: $r > 0$, or a mode without a latent. If so, $\eta_{dec}^2$ never falls below what is left over
# per output, $(r + \sum_{i > d_1} \zeta_i^2)/d_2$, however small $\beta$ is. If not, it vanishes, and that can happen with
# fewer latents than $d^*$ too: the last line below has two inputs and two outputs, but $Z$ has only one mode.
#
# In a loss curve the abyss looks like progress: the loss keeps falling, and $\eta_{dec}$ with it.

# %%
cases = {
    "two latents, $r = 0$": {"d1": 2},
    "two latents, $r = 0.5$": {"d1": 2, "residual": 0.5},
    "one latent, $r = 0$": {"d1": 1},
    "one latent, $r = 0$, one mode only": {"d1": 1, "zeta": np.array([2.0, 0.0])},
}
rows = []
for name, change in cases.items():
    (m,) = minimise(
        [planted_problem(np.random.default_rng(1), beta=0.01, learned_decoder=True, **two | change)], seed=0
    )
    floor = (m.problem.r + np.sum(m.problem.spectrum[m.problem.d1 :] ** 2)) / m.problem.d2
    assert m.diverged == (floor < 1e-12) and m.eta_dec**2 >= floor - 1e-9
    rows.append([name, digits(floor), "falls for ever" if m.diverged else digits(m.eta_dec**2)])
display(judged("s4.4.underparametrized", "s4.4.parametrization"))
table(["", "left over per output", "learned $\\eta_{dec}^2$ at $\\beta = 0.01$, by descent"], rows)

# %% [markdown]
# ## What to take away
#
# 1. **Encoder's noise.** Learning it does not prevent collapse: its thresholds are those of noise held at the prior's.
#    It spares the strong modes and keeps the layers' lengths bounded. Holding it *below* the prior's does keep modes
#    alive, at a price in loss.
# 2. **Decoder's noise.** Learning it replaces the given water level by one that the data choose, with a closed form.
#    It saves a model whose $\eta_{dec}$ was held too high and drowns one whose $\eta_{dec}$ was held low. Everything
#    collapses from $\beta = d_2\,\zeta_1^2/\mathbb{E}\|y\|^2$ on, a number without units.
# 3. **The abyss.** With nothing left to explain and $\beta < d_2/\mathrm{rank}\,Z$ there is no best model;
#    $\eta_{dec} \to 0$ and the loss falls for ever. At equality the bottom is a level valley.
# 4. What decides is always the *value* of a variance, not whether it is learned.
#
# For your own data: `collapse predict data.npy --learn-eta-dec --latents 10`. For all claims of this notebook, with
# their mutants: `collapse audit --claim x.decoder-variance-exact`, or any other name from the tables.
