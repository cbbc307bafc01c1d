"""Why changes of derivations/ may survive, by module, function and change."""

from __future__ import annotations

THEORY: dict[tuple[str, str, str], str] = {
    (
        "derivations.accuracy_and_complexity",
        "splits_objective",
        "*_same_divergence(formula.args[1], derived[1]) -> *_same_divergence(derived[1], formula.args[1])",
    ): "The two sides of the same equations, the other one named first.",
    (
        "derivations.corollary_1_constant",
        "constant_of",
        "[value for value in instance.zeta if value > 0] or [sympy.S.One] -> [value for value in instance.zeta if value >= 0] "
        "or [sympy.S.One]",
    ): "With a step of 0 the three are the value at Sigma = 0 itself, which is the limit.",
    (
        "derivations.corollary_1_constant",
        "is_constant_of_profile",
        "Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) -> Sum(least_mode_loss(sigma_sorted[i], zeta[i]), (i, 1, "
        "d1))",
    ): "At Sigma = 0 a mode costs nothing, whichever of the two is 0: the same expression is compared.",
    (
        "derivations.correlated",
        "correlated_instance",
        "Instance((Rational(3), one), (one, one), one, one, one, d0=2, d2=2) -> Instance((Rational(2), one), (one, one), one, "
        "one, one, d0=2, d2=2)",
    ): "Another instance with one mode above the threshold and one at it: what it refutes at zeta_1 = 3, it refutes at 2.",
    (
        "derivations.decoder_variance",
        "slope_steps",
        "square + rise - beta * s -> square - beta * s",
    ): "The step would say the same of a mode alone, and less of the one before it: true, too, and no statement asks for more.",
    (
        "derivations.decoder_variance_causes",
        "module",
        "Equivalent(collapse_fixed, collapse_learned) -> Equivalent(collapse_learned, collapse_fixed)",
    ): "Which side of an equivalence is named first says nothing else.",
    (
        "derivations.decoder_variance_causes",
        "four_steps",
        "(decoder_instance([1], 3, 1), decoder_instance([2, 1], 0, 1)) -> (decoder_instance([1], 2, 1), decoder_instance([2, "
        "1], 0, 1))",
    ): "Another instance at which the same happens: the step says that there is one.",
    (
        "derivations.decoder_variance_causes",
        "influence_steps",
        "decoder_instance([2], 12, 1) -> decoder_instance([3], 12, 1)",
    ): "Another instance at which the same happens: the step says that there is one.",
    (
        "derivations.decoder_variance_claims",
        "still_steps",
        "decoder_instance([2, 1], none, 1) -> decoder_instance([3, 1], none, 1)",
    ): "Another instance at which the same happens: the step says that there is one.",
    (
        "derivations.evaluation",
        "_power.run",
        "top * top == number.p and bottom * bottom == number.q -> top == number.p and bottom * bottom == number.q",
    ): "A short cut for squares, taken less often: SymPy's root, in the line below, is the same rational.",
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> diag(*(Rational(generator.randint(1, 3), 2) "
        "** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> diag(*(Rational(generator.randint(1, 4), 1) "
        "** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.expressivity",
        "is_least_error",
        "Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) -> Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 2, "
        "d1))",
    ): "At Sigma = 0 no such mode costs anything, however many are added up.",
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(*(noise * x.T).shape)) -> (noise * x.T, ZeroMatrix(*(noise / x.T).shape))",
    ): "A zero matrix is read as no word at all, whatever its shape.",
    (
        "derivations.proof",
        "holds",
        "any((part.exp == sympy.S.Half for part in relation.atoms(sympy.Pow))) and all((sign_is(side, 'nonnegative') for side "
        "in relation.args)) -> all((sign_is(side, 'nonnegative') for side in relation.args))",
    ): "Squares of two nonnegative sides compare as the sides do, roots or none: without any it only takes longer.",
    (
        "derivations.proof",
        "holds",
        "not nonzero and is_zero(difference) -> is_zero(difference)",
    ): "What is shown to be positive or negative is not shown to be zero.",
    (
        "derivations.proposition_1_manifold",
        "nullity",
        "sympy.diag(*(sympy.sqrt(data.matrices[Phi][k, k]) for k in range(basis.cols))) -> sympy.diag(*(data.matrices[Phi][k, "
        "k] for k in range(basis.cols)))",
    ): "A factor that is positive and diagonal: the rank of the map is the same with any.",
    (
        "derivations.proposition_1_manifold",
        "solution_steps",
        "loss.subs(W, W + OUTSIDE * anywhere) -> loss.subs(W, W - OUTSIDE * anywhere)",
    ): "K is any matrix, and so is -K.",
    (
        "derivations.proposition_2_fixed_variance",
        "minimises_for_correlated_latents",
        "found is None or found.witness is None -> found is None",
    ): "What refutes has a witness, and `worse_instance` returns a refutation or None: the second half tells the type checker so.",
    (
        "derivations.rotation_witnesses",
        "refuting_rotation",
        "[s ** 2 for s in instance.sigma] -> [s ** 3 for s in instance.sigma]",
    ): "A condition on P asks of Sigma which of its entries are equal and how they are ordered; cubes tell the same.",
    (
        "derivations.shapes",
        "small_sizes",
        "product((1, 2, 3), repeat=4) -> product((1, 2, 4), repeat=4)",
    ): "Other small sizes to look at, each of them smaller, equal or larger than each other as before.",
    (
        "derivations.signal_strength",
        "targets",
        "(yield (with_target(line, 2 * blind), Integer(2), blind)) -> (yield (with_target(line, 3 * blind), Integer(2), blind))",
    ): "M x is 0 at every input of these data, whatever it is multiplied by.",
    (
        "derivations.tanh_networks",
        "activation_steps",
        "sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(3 + gap))) -> sympy.expand((sympy.diff(_QUINTIC, _u) -"
        " 1).subs(_u, sympy.sqrt(2 + gap)))",
    ): "The step says the same of u^2 >= 2, which is true, too, and more than is needed of u^2 >= 3.",
    (
        "derivations.equation_12",
        "constant_steps",
        "excess(Tuple(EQUATION_6, LINK)).subs({U: 0 * U, W: 0 * W}).doit() - partition -> "
        "excess(Tuple(EQUATION_6, LINK)).subs({U: U, W: 0 * W}).doit() - partition",
    ): "The excess depends on neither U nor W, as the step before shows: at any U it is that at 0.",
    (
        "derivations.situations",
        "_letters",
        "frozenset(named & OTHER.keys()) -> frozenset(named | OTHER.keys())",
    ): "More is computed of a minimum than is asked for, and thrown away.",
    (
        "derivations.input_variance",
        "family_steps",
        "singular ** 2 - (singular - sympy.sqrt(weight * _s)) ** 2 -> singular * 2 - (singular - sympy.sqrt(weight * _s)) ** 2",
    ): "The cost is differentiated: a constant, whatever it is, falls away.",
    (
        "derivations.input_variance",
        "family_steps",
        "sympy.diff(root_water ** 2 * _s / eta_enc ** 2, _s) -> sympy.diff(root_water ** 2 * _s / eta_enc, _s)",
    ): "The slope is shown to be positive, and so is any positive multiple of it.",
    (
        "derivations.collapsed_latents",
        "module",
        "sympy.symbols('R kappa further', integer=True, nonnegative=True) -> sympy.symbols('R kappa further', integer=False, "
        "nonnegative=True)",
    ): "What is shown of all nonnegative numbers holds of integers.",
    (
        "derivations.collapsed_latents",
        "holds_at_other_variances",
        "replace(instance, sigma=tuple((2 * deviation for deviation in instance.sigma))) -> "
        "replace(instance, sigma=tuple((2 / deviation for deviation in instance.sigma)))",
    ): "Other deviations that are not the prior's.",
}
