"""Why a change may survive: it is no change of the mathematics. Keyed by module, function and change, as REPORT.md shows them."""

from __future__ import annotations

FIXED, PRIOR = "derivations.proposition_2_fixed_variance", "derivations.theorem_1_prior_variance"

MODES = "derivations.proposition_3_mode_variance"

EXPLAINED: dict[tuple[str, str, str], str] = {
    (
        PRIOR,
        "misjudged_collapse",
        "stated not in (sympy.true, sympy.false) or bool(stated) != collapsed -> bool(stated) != collapsed",
    ): "At an instance every condition, mutants included, is true or false; the guard turns an error into a refutation for one "
    "that keeps a free symbol, and no such condition is a statement.",
    (
        FIXED,
        "minimises_over_encoder",
        "(slope + 0 * V).subs(V, formula) if formula.has(MatrixSymbol) else slope -> "
        "slope.subs(V, formula) if formula.has(MatrixSymbol) else slope",
    ): "0 V is the zero matrix, which SymPy drops: both sides are the same sum of products.",
    (
        FIXED,
        "regimes",
        "(threshold * (1 + margin ** 2), threshold, threshold / (1 + margin), sympy.S.Zero) -> "
        "(threshold * (1 + margin * 2), threshold, threshold / (1 + margin), sympy.S.Zero)",
    ): "margin^2 and 2 margin both run through all positive numbers: the same regime; the square only avoids a root.",
    (
        FIXED,
        "minimises_without_spread",
        "replace(instance, sigma=(sympy.S.Zero, *instance.sigma[1:])) -> "
        "replace(instance, sigma=(sympy.S.Zero, *instance.sigma[0:]))",
    ): "One latent more with sigma = 0, instead of the first one's sigma set to 0: the assumption is dropped as much by either.",
    (
        FIXED,
        "minimises_for_correlated_latents",
        "found is None or found.witness is None -> found is None",
    ): "What refutes has a witness, and `worse_instance` returns a refutation or None: the second half tells the type checker so.",
    (
        MODES,
        "equation_13",
        "Sum(zeta[i] ** 2 - gain + variance_cost, (i, 1, d1)) / (2 * eta_dec ** 2) + constant -> "
        "Sum(zeta[i] ** 2 - gain + variance_cost, (i, 1, d1)) / (2 * eta_dec ** 2) - constant",
    ): "The constant stands for any real number: so does its negative.",
    (
        "derivations.decoder_variance",
        "slope_steps",
        "square + rise - beta * s -> square - beta * s",
    ): "The step would say the same of a mode alone, and less of the one before it: true, too, and no statement asks for more.",
    (
        "derivations.decoder_variance",
        "slope_at_prior",
        "value ** 2 if value ** 2 <= level else value * sympy.sqrt(level) -> "
        "value ** 2 if value ** 2 < level else value * sympy.sqrt(level)",
    ): "At the threshold itself both sides are zeta_i^2.",
    (
        "derivations.instances",
        "is_exactly_zero",
        "number.is_Rational or number.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan) -> "
        "number.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)",
    ): "A short cut for rationals, which the lines below decide as well.",
    (
        "derivations.instances",
        "is_exactly_zero",
        "abs(number.evalf(30)) < Rational(1, 10 ** 20) and sympy.simplify(number) == 0 -> "
        "abs(number.evalf(30)) < Rational(1, 9 ** 20) and sympy.simplify(number) == 0",
    ): "A short cut before `simplify`, which alone says that a number is 0: thirty digits leave room on both sides of it.",
    (
        "numerics.exact",
        "_derivatives",
        "trace_normal_form(2 * n.eta_dec ** 2 * (negative_elbo() - PARTITION)) -> "
        "trace_normal_form(2 * n.eta_dec ** 2 * negative_elbo())",
    ): "The partition function has no trace with W, U or Sigma in it: the derivatives are the same.",
    (
        "numerics.exact",
        "smallest_eigenvalue_sign",
        "mpmath.workdps(50) -> mpmath.workdps(49)",
    ): "49 digits in place of 50: what counts as 0 is far above either's rounding.",
    (
        "numerics.exact",
        "smallest_eigenvalue_sign",
        "(-1) ** (degree - power) * coefficient < 0 -> (-2) ** (degree - power) * coefficient < 0",
    ): "Only the sign of the power counts, and it is the same.",
    (
        "derivations.theorem_2_learned_variance",
        "minimises_extra_latents",
        "mode_objective(sympy.S.Zero, deviation) - mode_objective(sympy.S.Zero, eta_enc) -> "
        "mode_objective(sympy.S.Zero, deviation) + mode_objective(sympy.S.Zero, eta_enc)",
    ): "The loss of a mode without signal is 0 at eta_enc: 1 - 1 - log 1.",
    (
        "derivations.theorem_3_origin",
        "origin_steps",
        "(f.T * f, sympy.Identity(1)) -> (f.T / f, sympy.Identity(1))",
    ): "The changed fact applies nowhere, and the proof does without: it assumes less, and proves the same.",
    (
        "derivations.exact_data",
        "ExactData._value",
        "ImmutableDenseMatrix(sympy.eye(self._size(node.shape[0]))) -> "
        "ImmutableDenseMatrix(sympy.eye(self._size(node.shape[1])))",
    ): "An identity is square.",
    (
        "derivations.exact_data",
        "ExactData._draws",
        "[s * sign for s, sign in zip(self.scalars.sigma, pattern, strict=True)] -> "
        "[s / sign for s, sign in zip(self.scalars.sigma, pattern, strict=True)]",
    ): "A sign is 1 or -1, or there is no noise in the formula; its product and its quotient are the same.",
    (
        "derivations.exact_data",
        "ExactData._draws",
        "[s * sign for s, sign in zip(self.scalars.sigma, pattern, strict=True)] -> "
        "[s * sign for s, sign in zip(pattern, self.scalars.sigma, strict=True)]",
    ): "The factors of a product change places.",
    (
        "derivations.exact_data",
        "exact_data",
        "rational_orthogonal(size, seed * 10 + k) -> rational_orthogonal(size, seed * 10 - k)",
    ): "Another seed draws other orthogonal matrices, of which any serve.",
    (
        "derivations.exact_data",
        "exact_data",
        "rational_orthogonal(size, seed * 10 + k) -> rational_orthogonal(size, seed + k)",
    ): "Another seed draws other orthogonal matrices, of which any serve.",
    (
        "derivations.exact_data",
        "exact_data",
        "rational_orthogonal(size, seed * 10 + k) -> rational_orthogonal(size, seed * 11 + k)",
    ): "Another seed draws other orthogonal matrices, of which any serve.",
    (
        "numerics.oracle",
        "elbo_by_sigma_points",
        "mean[:, None, :] + points -> mean[:, None, :] - points",
    ): "The points come in pairs, one the negative of the other.",
    (
        "numerics.oracle",
        "elbo_by_sigma_points",
        "MultivariateNormal(torch.zeros_like(y[0]), scale_tril=decoder.scale_tril[0, 0]) -> "
        "MultivariateNormal(torch.zeros_like(y[1]), scale_tril=decoder.scale_tril[0, 0])",
    ): "Zeros of the shape of one sample, whichever it is.",
    (
        "numerics.oracle",
        "elbo_by_sigma_points",
        "MultivariateNormal(torch.zeros_like(y[0]), scale_tril=decoder.scale_tril[0, 0]) -> "
        "MultivariateNormal(torch.zeros_like(y[0]), scale_tril=decoder.scale_tril[0, 1])",
    ): "The decoder's spread is the same at every point.",
    (
        "numerics.oracle",
        "elbo_by_sigma_points",
        "evidence - mode.log_prob(torch.zeros_like(y[0])) -> evidence - mode.log_prob(torch.zeros_like(y[1]))",
    ): "Zeros of the shape of one sample, whichever it is.",
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(*(noise * x.T).shape)) -> (noise * x.T, ZeroMatrix(*(noise / x.T).shape))",
    ): "A zero matrix is read as no word at all, whatever its shape.",
    (
        "derivations.proof",
        "resolved",
        "not expression.args or not expression.has(Max, Min, Piecewise) -> not expression.args",
    ): "A short cut: without it an expression with no branches is rebuilt of its own parts.",
    (
        "derivations.proof",
        "sums_agree",
        "summands.get(sums.limits, sympy.S.Zero) + factor * _unsorted(sums) -> "
        "summands.get(sums.limits, sympy.S.Zero) - factor * _unsorted(sums)",
    ): "Every term is subtracted from 0, rather than added: minus the sum vanishes where the sum does.",
    (
        "numerics.projection",
        "Projection.derivatives",
        "self.ratio is not None and self.rest is not None -> self.rest is not None",
    ): "Both are given where eta_dec is learned, and neither elsewhere: the first half tells the type checker so.",
    (
        "derivations.evaluation",
        "_program",
        "_folded(parts, folded, {Add: _added, Mul: _multiplied}.get(kind, node.func)) -> "
        "_folded(parts, folded, {Add: _added, Mul: _multiplied}.get(node.func, kind))",
    ): "Of scalars, a node of a kind is built by that kind: `kind` and `node.func` are the same class.",
    (
        "derivations.evaluation",
        "_power.run",
        "top * top == number.p and bottom * bottom == number.q -> top == number.p and bottom * bottom == number.q",
    ): "A short cut for squares, taken less often: SymPy's root, in the line below, is the same rational.",
    (
        "derivations.tanh_networks",
        "activation_steps",
        "sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(3 + gap))) -> "
        "sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(2 + gap)))",
    ): "The step says the same of u^2 >= 2, which is true, too, and more than is needed of u^2 >= 3.",
    (
        "numerics.levenberg_marquardt",
        "module",
        "(0.1, 3.0) -> (0.1, 6.0)",
    ): "How fast damping falls and rises is the pace of the search, chosen by trial; it ends at the same points.",
    (
        "numerics.levenberg_marquardt",
        "module",
        "100 -> 101",
    ): "How long an instance is watched before it is given up as ended, chosen by trial; one step more changes no minimum.",
    (
        "numerics.levenberg_marquardt",
        "_calmed",
        "torch.linalg.vector_norm(there.gradient, dim=-1) -> torch.linalg.vector_norm(there.gradient, dim=1)",
    ): "A batch of vectors has two dimensions: the last one is number 1.",
}
