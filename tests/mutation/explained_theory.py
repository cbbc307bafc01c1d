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
        "leaves_spectrum",
        "('y x^T', y * x.T, (y - mu_y) * (x - mu_x).T) -> ('y x^T', y * x.T, (y - mu_y) * (x + mu_x).T)",
    ): "The step is about inputs with mean 0.",
    (
        "derivations.biases",
        "leaves_spectrum",
        "[on_a_line((1, 1), (7, 7)), on_a_line((1, 0), (3, 0))] -> [on_a_line((1, 1), (7, 7)), on_a_line((1, 0), (2, 0))]",
    ): "Another pair of points on a line through the origin to look at: its mean is not 0 either, and y is.",
    (
        "derivations.biases",
        "leaves_spectrum",
        "sum((entry ** 2 for entry in data.matrices[mu_x]), sympy.S.Zero) -> sum((entry * 2 for entry in "
        "data.matrices[mu_x]), sympy.S.Zero)",
    ): "Whether it is 0 is asked: no mean that is looked at has entries that cancel.",
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
        "derivations.decoder_variance_claims",
        "vanilla_steps",
        "found_at('A = 1 collapses', decoder_instance([1], 0, 1), collapse_learned) -> found_at('A = 1 collapses', "
        "decoder_instance([1], 0, 2), collapse_learned)",
    ): "Another example, with a residual: it collapses as well.",
    (
        "derivations.depth",
        "local_for_correlated_latents",
        "replace(correlated_instance(), zeta=(Rational(1, 2), Rational(1, 4))) -> replace(correlated_instance(), "
        "zeta=(Rational(1, 2), Rational(0, 4)))",
    ): "Another spectrum between the two thresholds: it refutes as well.",
    (
        "derivations.depth",
        "local_for_correlated_latents",
        "replace(correlated_instance(), zeta=(Rational(1, 2), Rational(1, 4))) -> replace(correlated_instance(), "
        "zeta=(Rational(2, 2), Rational(1, 4)))",
    ): "Another spectrum between the two thresholds: it refutes as well.",
    (
        "derivations.depth",
        "module",
        "(MatrixSymbol('dU', d2, d1), MatrixSymbol('dV', d0, d1)) -> (MatrixSymbol('dU', d1, d2), MatrixSymbol('dV', d0, "
        "d1))",
    ): "A letter for a direction, on both sides of the step: its shape enters neither.",
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
        "sympy.expand(slopes[0] * at[v] + at[u] * slopes[1]) -> sympy.expand(slopes[1] * at[v] + at[u] * slopes[1])",
    ): "Where u = v both change alike; in the probes another number, which refutes as well.",
    (
        "derivations.gradient_flow",
        "_other_velocity",
        "{u: long * sympy.sqrt(m), v: sympy.sqrt(m) / long} -> {u: long * sympy.sqrt(m), v: sympy.sqrt(m)}",
    ): "The same where u = v; in the probe of u = v another pair of lengths, which refutes as well.",
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
        "derivations.matrix_calculus",
        "_read_cached",
        "exponent.is_Integer and exponent > 0 -> exponent.is_Integer and exponent > 1",
    ): "The first power is the matrix itself, by either branch.",
    (
        "derivations.matrix_calculus",
        "module",
        "(noise * x.T, ZeroMatrix(d1, D0)) -> (noise * x.T, ZeroMatrix(D0, d1))",
    ): (
        "The mean of a product in which noise is alone is 0 in every entry: a zero matrix of any shape drops out of a "
        "trace."
    ),
    (
        "derivations.proof",
        "_decided",
        "And(*premises, evaluate=False) if len(premises) > 1 else premises[0] -> And(*premises, evaluate=False) if "
        "len(premises) >= 1 else premises[0]",
    ): "A conjunction of one premise is that premise.",
    (
        "derivations.proof",
        "_unsorted",
        "(sigma_sorted[i], sympy.Dummy(positive=True)) -> (sigma_sorted[i], sympy.Dummy(positive=False))",
    ): "A stand-in that is only looked at for whether anything else depends on i.",
    (
        "derivations.proposition_2_fixed_variance",
        "minimises_for_correlated_latents",
        "found is None or found.witness is None -> found is None",
    ): (
        "What refutes has a witness, and `worse_instance` returns a refutation or None: the second half tells the type "
        "checker so."
    ),
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
        "derivations.stationary_points",
        "alike_at_another_variance",
        "replace(instance, sigma=(2 * instance.eta_enc,) * instance.d1) -> replace(instance, sigma=(2 / "
        "instance.eta_enc,) * instance.d1)",
    ): "Another standard deviation that is not the prior's: it refutes as well.",
    (
        "derivations.strict_saddles",
        "_latents",
        "(each for k, each in enumerate(instance.zeta, 1) if k != mode) -> (each for k, each in enumerate(instance.zeta, "
        "1) if k == mode)",
    ): "Which levels are tried: a wrong formula of level and zeta shows at other pairs as well.",
    (
        "derivations.transition",
        "_claim",
        "LEARNED if learned else 'sigma_i = eta_enc' -> 'sigma_i = eta_enc' if learned else LEARNED",
    ): "The words of an assumption: what is dropped with it is told by the probe beside it.",
    (
        "derivations.water_filling",
        "_at_theorem_1",
        "rate_and_error(instance.zeta[k - 1], u, v, eta_enc) -> rate_and_error(u, instance.zeta[k - 1], v, eta_enc)",
    ): "In the probe of another Sigma: what it compares with is another number, and refutes as well.",
}
