"""Why a change may survive: it is no change of the mathematics. Keyed by module, function and change, as REPORT.md shows them."""

from __future__ import annotations

FIXED = "derivations.proposition_2_fixed_variance"

EXPLAINED: dict[tuple[str, str, str], str] = {
    (
        FIXED,
        "minimises_for_correlated_latents",
        "found is None or found.witness is None -> found is None",
    ): "What refutes has a witness, and `worse_instance` returns a refutation or None: the second half tells the type checker so.",
    (
        "derivations.decoder_variance",
        "slope_steps",
        "square + rise - beta * s -> square - beta * s",
    ): "The step would say the same of a mode alone, and less of the one before it: true, too, and no statement asks for more.",
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
        "numerics.projection",
        "Projection.alternated",
        "self.Y @ found.V @ torch.linalg.inv_ex(found.V.mT @ found.V + torch.diag_embed(noise))[0] -> "
        "-(self.Y @ found.V @ torch.linalg.inv_ex(found.V.mT @ found.V + torch.diag_embed(noise))[0])",
    ): "The loss is even in the decoder X: with the encoder turned along, -X is as good as X.",
    (
        "derivations.proof",
        "holds",
        "any((part.exp == sympy.S.Half for part in relation.atoms(sympy.Pow))) and "
        "all((sign_is(side, 'nonnegative') for side in relation.args)) -> "
        "all((sign_is(side, 'nonnegative') for side in relation.args))",
    ): "Squares of two nonnegative sides compare as the sides do, roots or none: without any it only takes longer.",
    (
        "derivations.proof",
        "holds",
        "not nonzero and is_zero(difference) -> is_zero(difference)",
    ): "What is shown to be positive or negative is not shown to be zero.",
    (
        "numerics.exact",
        "exact_loss",
        "quadratic.is_Rational and problem.beta.is_Rational -> problem.beta.is_Rational",
    ): "Whether a sum of roots is tidied: it is the same number, and whatever compares it with another tidies the difference.",
    (
        "numerics.exact",
        "hessian",
        "curvature[place[0]] -> curvature[place[1]]",
    ): "A place on the diagonal: row and column are the same.",
    (
        "derivations.instances",
        "_vanishes",
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 ** 6) -> "
        "not number.free_symbols and abs(number.evalf(15)) > Rational(1, 10 ** 5)",
    ): "A short cut for what fifteen digits tell from 0, taken less often: `simplify`, in the line below, decides as well.",
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
    (
        "derivations.correlated",
        "correlated_instance",
        "Instance((Rational(3), one), (one, one), one, one, one, d0=2, d2=2) -> "
        "Instance((Rational(2), one), (one, one), one, one, one, d0=2, d2=2)",
    ): "Another instance with one mode above the threshold and one at it: what it refutes at zeta_1 = 3, it refutes at 2.",
    (
        "numerics.lambdified",
        "_is_place",
        "index.free_symbols <= DIMENSIONS -> index.free_symbols < DIMENSIONS",
    ): "They differ for an index that names every dimension at once, which no entry of a vector has.",
    (
        "derivations.rotation_witnesses",
        "_cases",
        "Instance((Rational(4), Rational(1)), (two, one), one, Rational(3, 2), one, 2, 3) -> "
        "Instance((Rational(5), Rational(1)), (two, one), one, Rational(3, 2), one, 2, 3)",
    ): "Another instance with one active and one collapsed mode: any zeta_1 above the threshold serves.",
    (
        "derivations.rotation_witnesses",
        "_cases",
        "Instance((Rational(4), Rational(1)), (two, one), one, Rational(3, 2), one, 2, 3) -> "
        "Instance((Rational(4), Rational(0)), (two, one), one, Rational(3, 2), one, 2, 3)",
    ): "Another instance with one active and one collapsed mode: any zeta_2 below the threshold serves.",
    (
        "derivations.rotation_witnesses",
        "rotations",
        "rational_orthogonal(size, 7) -> rational_orthogonal(size, 6)",
    ): "Another rational rotation to try, drawn with another seed.",
    (
        "derivations.rotation_witnesses",
        "rotations",
        "(plane * cycle, cycle * plane, swap * plane, plane * cycle.T) -> "
        "(plane * cycle, cycle, swap * plane, plane * cycle.T)",
    ): "One product fewer is tried: the others refute what it refutes.",
    (
        "numerics.newton",
        "_step",
        "(-newton[:, 0] * slope).sum(-1) / 2 -> (-newton[:, 0] / slope).sum(-1) / 2",
    ): "Of two reasons to stop, a step's promise is the earlier one: without it an instance stops where nothing moves it.",
    (
        "numerics.newton",
        "_step",
        "trial_norm.min(-1) -> trial_norm.min(1)",
    ): "Norms of a batch of ladders have two dimensions: the last one is number 1.",
    (
        "numerics.newton",
        "_step",
        "~by_loss & (smallest < _CALMER * norm) -> ~by_loss & (smallest < _CALMER / norm)",
    ): "Once rounding drowns the loss, steps that calm the gradient less are taken, too; it ends by its other reason to stop.",
}
