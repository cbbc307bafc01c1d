"""What the paper states, place by place, and the claims that judge it: no equation, result, figure or sentence is left out.

The order of the IDs here is the order of the ledger. A sentence with two readings has a claim for each. What the paper reports of
other models from other papers (weight decay on a ReLU network, §4.2; neural and dimensional collapse, §4.5) is theirs to prove.
"""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """A place in the paper, what stands there in our words, and the IDs of the claims that judge it."""

    place: str
    content: str
    claims: tuple[str, ...]


def _item(place: str, content: str, *claims: str) -> Item:
    return Item(place, content, claims)


CENSUS: tuple[Item, ...] = (
    _item("Equation 1", "the loss as an accuracy and a complexity term", "eq-1.objective"),
    _item(
        "§2, Causes",
        "with either decoder variance collapse may happen or not",
        "s2.four-cases",
        "s4.4.no-causal-relation",
    ),
    _item("§2, Linear Networks", "linear nets are as expressive as linear regression", "s2.expressivity"),
    _item("§3, Notation", "which of x, y, z is input, latent, target", "notation.variables"),
    _item("§3, Notation", "the diagonal entries of Sigma", "notation.latent-variance"),
    _item("§3, Notation", "A is positive semidefinite", "notation.second-moment"),
    _item("Equation 2", "the objective's arguments", "eq-4.elbo"),
    _item("Equation 3", "the objective by its densities", "eq-4.elbo"),
    _item("Equation 4", "the objective written out", "eq-4.elbo"),
    _item("Equation 5", "reconstruction, mean and variance term", "eq-5.decomposition"),
    _item("§3, Notation", "the whitened input and Z", "notation.whitening"),
    _item("§3", "the KL between encoder and prior", "notation.gaussian-kl"),
    _item("§3 and Appendix B", "biases centre both x and y", "app-b.bias", "s3.bias-results"),
    _item("§4", "a strong KL term brings sigma_i to the prior's", "s4.strong-kl"),
    _item("Proposition 1", "the loss is a regularised matrix factorisation", "prop-1.reduction"),
    _item("Equation 6", "the reduced objective", "prop-1.reduction"),
    _item("§4.1, after Proposition 1", "low-rank data leave a manifold of W", "prop-1.manifold"),
    _item("§4.1, proof of Proposition 2", "V as a function of U", "prop-2.stationarity"),
    _item("Proposition 2", "the minimum for a fixed Sigma", "prop-2.minimum", "prop-2.rotation"),
    _item("Equation 7", "U and V by singular vectors and a rotation", "prop-2.minimum", "prop-2.rotation"),
    _item("Equation 8", "lambda_i and theta_i", "prop-2.minimum"),
    _item("§4.1, after Proposition 2", "which sign decides the rank of U and V", "s4.1.sign"),
    _item("§4.1, after Proposition 2", "what the eigenvalues of Z Z^T are", "s4.1.eigenvalue"),
    _item("Equation 9", "Z Z^T for a linear target", "eq-9.alignment"),
    _item("§4.1, after Equation 9", "Z Z^T is positive semidefinite", "eq-9.semidefinite"),
    _item(
        "§4.1, after Equation 9",
        "what makes the eigenvalues of Z Z^T large",
        "s4.1.large-eigenvalues",
        "s4.1.larger-eigenvalues",
    ),
    _item("§4.1, after Equation 9", "the spectrum for a VAE", "s4.1.vae-spectrum"),
    _item("§4.1, after Equation 9", "A is the covariance of the input", "s4.1.covariance"),
    _item("Theorem 1", "the minimum for sigma_i = eta_enc", "thm-1.minimum"),
    _item("Equation 10", "lambda_i and theta_i", "thm-1.minimum"),
    _item("§4.2", "the learned model becomes low-rank", "thm-1.low-rank", "thm-1.rank-deficient"),
    _item("§4.2", "complete collapse", "thm-1.complete-collapse", "thm-1.prior-distribution"),
    _item("§4.2", "partial collapse", "thm-1.partial-collapse"),
    _item("§4.2", "some of the dimensions collapse with the prior", "thm-1.collapsed-latents"),
    _item(
        "§4.2", "a small beta, or a small eta_dec, prevents collapse", "thm-1.small-beta", "thm-1.small-beta-partial"
    ),
    _item("§4.2", "beta and eta_dec act alike", "thm-1.beta-eta", "thm-1.beta-eta-loss"),
    _item("§4.2", "the prior does not matter", "thm-1.prior-independence"),
    _item(
        "§4.2, last paragraph",
        "how the norms of the layers move",
        "thm-1.norm-trend",
        "thm-1.norm-trend-active",
        "thm-1.norm-trend-encoder",
        "thm-1.norm-trend-encoder-active",
    ),
    _item("§4.2, last paragraph", "a norm grows without bound", "thm-1.divergence"),
    _item("Corollary 1", "the least loss as a function of Sigma", "cor-1.profile"),
    _item("Equation 11", "the profile", "cor-1.profile"),
    _item("§4.3, after Equation 11", "the constant appears only if d1 < d*", "cor-1.constant"),
    _item("Equation 12", "the objective in Sigma alone", "eq-12.least", "eq-13.reduced"),
    _item("Equation 13", "a sum of independent terms", "eq-13.reduced"),
    _item("Proposition 3", "the learned standard deviation", "prop-3.variance"),
    _item("Equation 14", "both branches", "prop-3.variance"),
    _item("§4.3, after Proposition 3", "sigma_i is the prior's exactly where the mode collapses", "prop-3.prior-value"),
    _item("Theorem 2", "the minimum with a learned Sigma", "thm-2.minimum", "thm-2.rotation", "thm-2.shapes"),
    _item("Equation 15", "U", "thm-2.minimum", "thm-2.rotation"),
    _item("Equation 16", "W", "thm-2.minimum", "thm-2.solution"),
    _item("Equation 17", "lambda_i", "thm-2.minimum"),
    _item("Equation 18", "theta_i", "thm-2.minimum"),
    _item("Equation 19", "sigma_i", "thm-2.variance"),
    _item("§4.3, after Equation 19", "sigma_i of the extra latents", "thm-2.extra-latents"),
    _item(
        "§4.3 (a)",
        "the conditions of Theorem 1 are unchanged",
        "thm-2.same-conditions",
        "thm-2.same-conditions-printed",
    ),
    _item("§4.3 (b)", "the norms do not diverge", "thm-2.bounded-norm", "thm-2.norm-scaling"),
    _item("§4.3", "what beta eta_dec^2 removes", "thm-2.pruning-level", "thm-2.pruning-level-learned"),
    _item("§4.3", "how many modes a small latent dimension removes", "thm-2.pruned-count"),
    _item("§4.3", "pruning and shrinking", "thm-2.shrinkage", "thm-2.soft-thresholding"),
    _item("§4.4", "the partition function", "s4.4.partition"),
    _item("§4.4", "collapse with a learned decoder variance", "s4.4.still-collapses"),
    _item(
        "§4.4",
        "eta_dec has no causal relation with collapse",
        "s4.4.no-causal-relation",
        "s4.4.no-causal-relation-value",
    ),
    _item("§4.4", "beta < d2/d* avoids collapse", "s4.4.threshold", "s4.4.threshold-vae", "s4.4.threshold-partial"),
    _item("§4.4", "the threshold is tight", "s4.4.tight"),
    _item("§4.4", "the VAE", "s4.4.vae", "s4.4.vae-vanilla", "s4.4.vae-every-data-set"),
    _item(
        "§4.4",
        "small beta, under- and overparametrised",
        "s4.4.underparametrized",
        "s4.4.parametrization",
        "s4.4.parametrization-vae",
        "s4.4.small-beta",
        "s4.4.small-beta-vae",
    ),
    _item("Appendix D", "the learned decoder variance in closed form", "x.decoder-variance-exact"),
    _item("§4.5", "the latent variance is not the cause", "s4.5.latent-variance"),
    _item("§4.5", "the prior's variance does not matter", "s4.5.prior-variance", "s4.5.prior-variance-fixed"),
    _item("§4.5", "the decoder's variance", "s4.5.decoder-variance", "s4.5.decoder-variance-influence"),
    _item("§4.5", "the values of eta_dec and beta", "s4.5.values-crucial"),
    _item("§4.5", "a small beta can avoid collapse", "s4.5.small-beta"),
    _item("§4.5", "which term a small beta weakens, and which a large eta_dec", "s4.5.weights"),
    _item(
        "§4.5",
        "the mean term causes collapse, the variance term can be ignored",
        "s4.5.mean-term",
        "s4.5.variance-term-fixed",
        "s4.5.variance-term-learned",
    ),
    _item("§4.5, before Theorem 3", "sigma_i does not affect collapse", "s4.5.sigma-irrelevant"),
    _item("Theorem 3", "local curvature at the origin decides", "thm-3.hessian", "thm-3.hessian-learned"),
    _item("§4.5, after Theorem 3", "no middle case", "thm-3.no-middle", "thm-3.saddle"),
    _item("§4.5", "Bayesian linear regression", "s4.5.regression"),
    _item("§4.5, Insights", "sparse learning", "s4.5.sparse-learning", "s4.5.sparse-learning-learned"),
    _item("§4.5, Insights", "stability", "s4.5.stability"),
    _item("§4.5, Insights", "increasing beta against decreasing eta_dec", "s4.5.beta-versus-eta"),
    _item("§4.3 and Appendix C", "an input-dependent Sigma", "app-c.input-variance"),
    _item("§5", "linear models agree with the theory", "s5.linear-agreement"),
    _item("Figure 1", "synthetic regression", "fig-1.thresholds"),
    _item("Figure 2", "MNIST", "fig-2.thresholds"),
    _item("§5 and Figure 3", "the spectrum of MNIST", "fig-3.spectrum"),
    _item("Figure 3", "remaining modes", "fig-3.modes"),
    _item("§5 and Figure 3", "generated images lose diversity and variation", "fig-3.variation"),
    _item("Appendix A.1", "Tanh", "app-a.tanh"),
    _item("§5", "a collapsed model outputs a constant", "s6.constant-output"),
    _item("Beyond the paper", "the rate and the error of each mode", "x.rate-distortion"),
    _item("Beyond the paper", "the order of the transition", "x.transition-order", "x.transition-order-prior"),
    _item("Beyond the paper", "every stationary point", "x.stationary-points", "x.no-spurious-minima"),
    _item("Beyond the paper", "depth", "x.depth", "x.depth-threshold"),
    _item("Beyond the paper", "gradient flow from the origin", "x.gradient-flow", "x.gradient-flow-balanced"),
)

ORDER: tuple[str, ...] = tuple(dict.fromkeys(name for item in CENSUS for name in item.claims))
"""The IDs as the paper makes its claims."""
