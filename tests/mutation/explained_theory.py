"""Why changes of derivations/ may survive, by module, function and change."""

from __future__ import annotations

THEORY: dict[tuple[str, str, str], str] = {
    (
        "derivations.accuracy_and_complexity",
        "splits_objective",
        "*_same_divergence(formula.args[1], derived[1]) -> *_same_divergence(derived[1], formula.args[1])",
    ): "The two sides of the same equations, the other one named first.",
    (
        "derivations.biases",
        "biased_objective",
        "Mean(SquaredNorm(U * (latent + noise) + b_dec - y)) / (2 * eta_dec ** 2) -> Mean(SquaredNorm(U * (latent - "
        "noise) + b_dec - y)) / (2 * eta_dec ** 2)",
    ): "The noise has mean 0 and depends on nothing else: its negative has the same second moments.",
    (
        "derivations.biases",
        "leaves_spectrum",
        "[on_a_line((1, 1), (7, 7)), on_a_line((1, 0), (3, 0))] -> [on_a_line((1, 1), (7, 7)), on_a_line((1, 0), (2, 0))]",
    ): "Another pair of points on a line through the origin to look at: its mean is not 0 either, and y is.",
    (
        "derivations.collapsed_latents",
        "instances_with_rotations",
        "sorted(prior_instances()[:20], key=lambda instance: instance.size) -> sorted(prior_instances()[:21], key=lambda "
        "instance: instance.size)",
    ): "One instance more to look at, at which what is shown of all holds, too.",
    (
        "derivations.corollary_1_constant",
        "constant_of",
        "[value for value in instance.zeta if value > 0] or [sympy.S.One] -> [value for value in instance.zeta if value "
        ">= 0] or [sympy.S.One]",
    ): "With a step of 0 the three are the value at Sigma = 0 itself, which is the limit.",
    (
        "derivations.corollary_1_constant",
        "is_constant_of_profile",
        "Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) -> Sum(least_mode_loss(sigma_sorted[i], zeta[i]), "
        "(i, 1, d1))",
    ): "At Sigma = 0 a mode costs nothing, whichever of the two is 0: the same expression is compared.",
    (
        "derivations.correlated",
        "correlated_instance",
        "Instance((Rational(3), one), (one, one), one, one, one, d0=2, d2=2) -> Instance((Rational(2), one), (one, one), "
        "one, one, one, d0=2, d2=2)",
    ): (
        "Another instance with one mode above the threshold and one at it: what it refutes at zeta_1 = 3, it refutes at "
        "2."
    ),
    (
        "derivations.decoder_instances",
        "module",
        "Rational(1, 10 ** 6) -> Rational(1, 11 ** 6)",
    ): "Another number that is tiny beside those of every instance.",
    (
        "derivations.equation_12",
        "constant_steps",
        "excess(Tuple(EQUATION_6, LINK)).subs({U: 0 * U, W: 0 * W}).doit() - partition -> excess(Tuple(EQUATION_6, "
        "LINK)).subs({U: U, W: 0 * W}).doit() - partition",
    ): "The excess depends on neither U nor W, as the step before shows: at any U it is that at 0.",
    (
        "derivations.evaluation",
        "_power.run",
        "top * top == number.p and bottom * bottom == number.q -> top == number.p and bottom * bottom == number.q",
    ): "A short cut for squares, taken less often: SymPy's root, in the line below, is the same rational.",
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> diag(*(Rational(generator.randint(1, "
        "3), 2) ** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.exact_data",
        "exact_data",
        "diag(*(Rational(generator.randint(1, 4), 2) ** 2 for _ in range(d0))) -> diag(*(Rational(generator.randint(1, "
        "4), 1) ** 2 for _ in range(d0)))",
    ): "Other variances of the inputs are drawn, of which any positive squares serve.",
    (
        "derivations.expressivity",
        "is_least_error",
        "Sum(least_mode_loss(zeta[i], sigma_sorted[i]), (i, 1, d1)) -> Sum(least_mode_loss(zeta[i], sigma_sorted[i]), "
        "(i, 2, d1))",
    ): "At Sigma = 0 no such mode costs anything, however many are added up.",
    (
        "derivations.gradient_flow",
        "_other_velocity",
        "replace(instance, eta_enc=prior, sigma=(instance.sigma[0],) * instance.d1) -> replace(instance, eta_enc=prior, "
        "sigma=(instance.sigma[0],))",
    ): "The first mode and the first latent are looked at, whether or not there are more.",
    (
        "derivations.gradient_flow",
        "module",
        "Symbol('m', nonnegative=True) -> Symbol('m', nonnegative=False)",
    ): (
        "A name in the statement and in what it is compared with: no step asks for the sign of m but through its root, "
        "which is taken of itself."
    ),
    (
        "derivations.input_variance",
        "family_steps",
        "singular ** 2 - (singular - sympy.sqrt(weight * _s)) ** 2 -> singular * 2 - (singular - sympy.sqrt(weight * "
        "_s)) ** 2",
    ): "The cost is differentiated: a constant, whatever it is, falls away.",
    (
        "derivations.input_variance",
        "family_steps",
        "sympy.diff(root_water ** 2 * _s / eta_enc ** 2, _s) -> sympy.diff(root_water ** 2 * _s / eta_enc, _s)",
    ): "The slope is shown to be positive, and so is any positive multiple of it.",
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(*(noise * x.T).shape)) -> (noise * x.T, ZeroMatrix(*(noise / x.T).shape))",
    ): "A zero matrix is read as no word at all, whatever its shape.",
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(*(noise * x.T).shape)) -> (noise * x.T, ZeroMatrix(*noise.shape))",
    ): (
        "The mean of a product in which noise is alone is 0 in every entry: a zero matrix of any shape drops out of a "
        "trace."
    ),
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * y.T, ZeroMatrix(*(noise * y.T).shape)) -> (noise * y.T, ZeroMatrix(*(noise / y.T).shape))",
    ): (
        "The mean of a product in which noise is alone is 0 in every entry: a zero matrix of any shape drops out of a "
        "trace."
    ),
    (
        "derivations.proof",
        "holds",
        "any((part.exp == sympy.S.Half for part in relation.atoms(sympy.Pow))) and all((sign_is(side, 'nonnegative') for "
        "side in relation.args)) -> all((sign_is(side, 'nonnegative') for side in relation.args))",
    ): "Squares of two nonnegative sides compare as the sides do, roots or none: without any it only takes longer.",
    (
        "derivations.proof",
        "holds",
        "not nonzero and is_zero(difference) -> is_zero(difference)",
    ): "What is shown to be positive or negative is not shown to be zero.",
    (
        "derivations.proposition_2_fixed_variance",
        "minimises_for_correlated_latents",
        "found is None or found.witness is None -> found is None",
    ): (
        "What refutes has a witness, and `worse_instance` returns a refutation or None: the second half tells the type "
        "checker so."
    ),
    (
        "derivations.rotations",
        "mode_balance_steps",
        "('above the threshold', threshold * (1 + margin ** 2)) -> ('above the threshold', threshold * (1 + margin ** 1))",
    ): "Any distance above the threshold: every positive number is the square of one.",
    (
        "derivations.shapes",
        "small_sizes",
        "product((1, 2, 3), repeat=4) -> product((1, 2, 4), repeat=4)",
    ): "Other small sizes to look at, each of them smaller, equal or larger than each other as before.",
    (
        "derivations.situations",
        "_letters",
        "frozenset(named & OTHER.keys()) -> frozenset(named | OTHER.keys())",
    ): "More is computed of a minimum than is asked for, and thrown away.",
    (
        "derivations.tanh_networks",
        "activation_steps",
        "sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(3 + gap))) -> "
        "sympy.expand((sympy.diff(_QUINTIC, _u) - 1).subs(_u, sympy.sqrt(2 + gap)))",
    ): "The step says the same of u^2 >= 2, which is true, too, and more than is needed of u^2 >= 3.",
    (
        "derivations.transition",
        "_claim",
        "LEARNED if learned else 'sigma_i = eta_enc' -> 'sigma_i = eta_enc' if learned else LEARNED",
    ): "The words of an assumption: what is dropped with it is told by the probe beside it.",
    (
        "derivations.transition",
        "_wrong",
        "range(1, instance.d1 + 1) if latents else range(instance.d1 + 1, len(instance.zeta) + 1) -> range(1, "
        "instance.d1 + 1) if latents else range(instance.d1 + 1, len(instance.zeta))",
    ): "One mode fewer to look at where none has a latent: another instance refutes as well.",
    (
        "derivations.transition",
        "_wrong",
        "range(1, instance.d1 + 1) if latents else range(instance.d1 + 1, len(instance.zeta) + 1) -> range(1, "
        "instance.d1 + 1) if latents else range(instance.d1, len(instance.zeta) + 1)",
    ): (
        "Where the probe begins to look: the instance that refutes has its witness beyond d1 all the same, or the tests "
        "tell."
    ),
    (
        "derivations.transition",
        "_wrong",
        "range(1, instance.d1 + 1) if latents else range(instance.d1 + 1, len(instance.zeta) + 1) -> range(1, "
        "instance.d1 + 2) if latents else range(instance.d1 + 1, len(instance.zeta) + 1)",
    ): "A mode more to look at, as though it had a latent: the formula's sides agree there as well.",
    (
        "derivations.water_filling",
        "_at_theorem_1",
        "rate_and_error(instance.zeta[k - 1], u, v, eta_enc) -> rate_and_error(u, instance.zeta[k - 1], v, eta_enc)",
    ): "In the probe of another Sigma: what it compares with is another number, and refutes as well.",
}
