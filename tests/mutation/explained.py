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
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(*(noise * x.T).shape)) -> (noise * x.T, ZeroMatrix(*(noise / x.T).shape))",
    ): "A zero matrix is read as no word at all, whatever its shape.",
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
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> "
        "diag(*(Rational(generator.randint(1, 3), 2) ** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> "
        "diag(*(Rational(generator.randint(1, 4), 1) ** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.instances",
        "is_exactly_zero",
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 ** 6) -> "
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 * 6)",
    ): "A short cut for what fifteen digits tell from 0, taken less often: `simplify`, in the line below, decides as well.",
    (
        "derivations.instances",
        "is_exactly_zero",
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 ** 6) -> "
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 ** 5)",
    ): "A short cut for what fifteen digits tell from 0, taken less often: `simplify`, in the line below, decides as well.",
    (
        "numerics.booleans",
        "_combined",
        "np.logical_and.reduce(np.broadcast_arrays(*(part == parts[0] for part in parts))) -> "
        "np.logical_and.reduce(np.broadcast_arrays(*(part == parts[1] for part in parts)))",
    ): "All parts are equal to the first where all are equal to the second; SymPy makes no equivalence of fewer than two.",
    (
        "numerics.exact",
        "smallest_eigenvalue_sign",
        "mpmath.matrix([[mpmath.mpf(entry.evalf(50)) for entry in row] for row in matrix]) -> "
        "mpmath.matrix([[mpmath.mpf(entry.evalf(49)) for entry in row] for row in matrix])",
    ): "49 digits in place of 50: what counts as 0 is far above either's rounding.",
    (
        "numerics.moments",
        "real_problems",
        "digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=0.7) -> digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=1.4)",
    ): "Another prior to look at: every mode is as far below its threshold, which does not depend on it.",
    (
        "numerics.moments",
        "real_problems",
        "digits_conditional(4, 1.2, eta_dec=0.5, eta_enc=0.7) -> digits_conditional(4, 2.4, eta_dec=0.5, eta_enc=0.7)",
    ): "A larger weight to look at, of a problem that is there because it collapses completely: it does so at either.",
}
