"""Which checks the modules of numerics/ are held against, the cheapest first."""

from __future__ import annotations

from checks import Plan


def _numeric(*names: str, draws: tuple[str, ...] = ()) -> Plan:
    return Plan((), tuple(f"tests/numerics/test_{name}.py" for name in names), draws=draws)


def _reports(name: str) -> str:
    """Of the application, where it shows what a module of numbers finds."""
    return f"tests/collapse/test_{name}.py"


FALSIFY, CERTIFIED, PREDICTION, DECODER_VARIANCE = (
    f"tests/numerics/test_{name}.py" for name in ("falsify", "falsify_certificates", "prediction", "decoder_variance")
)
LAYERS, SETTING = "tests/numerics/test_layers.py", "tests/numerics/test_setting_observables.py"
HELD = "tests/numerics/test_held_decoder.py"
SOME_DESCENTS = (
    "tests/numerics/test_descent.py -k 'not real_problems and not starts_do_not and not batch_does and not company'"
)
LEVENBERG = "tests/numerics/test_levenberg_marquardt.py"
AT_MINIMA = (
    "prop-1.reduction or prop-2.stationarity or prop-2.minimum or prop-3.variance or cor-1.profile or eq-12 or eq-13 or "
    "thm-1.minimum or thm-1.complete or thm-2.minimum or thm-2.variance or thm-2.extra or thm-3"
)
AT_ALL_MINIMA = (
    "thm-1.prior-distribution or thm-1.norm-trend-active or thm-2.same-conditions or s4.1.sign or s4.5.sparse-learning or "
    "thm-1.small-beta-partial or thm-1.divergence"
)
"""Claims that ask a layer, or pairs of its instances, for everything that such claims ask for."""

NUMERICS: dict[str, Plan] = {
    "numerics.objective": Plan((), (*_numeric("objective", "certificates").tests, SOME_DESCENTS)),
    "numerics.exact": _numeric("exact_signs", "exact", "points"),
    "numerics.exact_modes": _numeric("stationary_observables", "beyond_observables"),
    "numerics.points": _numeric("points", "layer_instances"),
    "numerics.backends": _numeric("backends", "lambdified", "lambdified_gradients"),
    "numerics.booleans": _numeric("booleans", "backends", "lambdified", "layer_instances"),
    "numerics.certificates": Plan((), (*_numeric("certificates", "lone_minima").tests, SOME_DESCENTS)),
    "numerics.moments": _numeric("moments"),
    "numerics.oracle": _numeric("oracle"),
    "numerics.lambdified": _numeric("lambdified", "lambdified_gradients", "backends"),
    "numerics.regimes": _numeric("problems", "decoder_instances", "held_decoder"),
    "numerics.newton": Plan((), (SOME_DESCENTS,), draws=("module",)),
    "numerics.projection": _numeric("projection", "levenberg_marquardt"),
    "numerics.orbits": Plan(
        (),
        (
            f"{LEVENBERG} -k 'turning_step or rotation or complex'",
            LEVENBERG,
        ),
    ),
    "numerics.levenberg_marquardt": _numeric("levenberg_marquardt", "lone_descent", draws=("module",)),
    "numerics.lone_descent": _numeric("lone_descent", "lone_minima"),
    "numerics.arrays": _numeric("lone_descent", "lone_minima", "columns"),
    "numerics.columns": _numeric("columns"),
    "numerics.closed_forms": Plan(
        (), (f"{FALSIFY} -k 'closed_forms or singular_values'", f"{CERTIFIED} -k 'tied or another_variance'")
    ),
    "numerics.fast_descent": Plan(
        (),
        (
            *_numeric("fast_descent", "lone_minima").tests,
            "tests/numerics/test_columns.py -k no_end_of_descent",
            f"{CERTIFIED} -k 'saddle or tied or any_unit'",
        ),
        draws=("module",),
    ),
    "numerics.decoder_objective": Plan(
        (),
        (
            *_numeric("decoder_objective").tests,
            HELD,
            f"{DECODER_VARIANCE} -k 'gradient_and or negative_elbo or batches or fall_for_ever or cut_off'",
        ),
    ),
    "numerics.decoder_profile": Plan(
        (), ("tests/numerics/test_decoder_layers.py", "tests/numerics/test_decoder_instances.py", HELD)
    ),
    "numerics.decoder_descent": Plan((), (HELD, f"{DECODER_VARIANCE} -k 'not starts_do_not'")),
    "numerics.learned_decoder": Plan(
        (),
        (
            *_numeric("learned_decoder").tests,
            f"{PREDICTION} -k 'learned_decoder and not descent or without_a_bound'",
            _reports("learned_decoder"),
        ),
    ),
    "numerics.prediction": Plan((), (f"{PREDICTION} -k 'not learned_decoder'", *_numeric("measured").tests)),
    "numerics.minimum": _numeric("minimum"),
    "numerics.streaming": _numeric("streaming", "spectra"),
    "numerics.uncertainty": Plan((), (*_numeric("uncertainty").tests, _reports("intervals"))),
    "numerics.bootstrap": _numeric("uncertainty"),
    "numerics.spectra": _numeric("memory", "spectra"),
    "numerics.krylov": Plan((), (*_numeric("memory").tests, "tests/numerics/test_spectra.py -k 'leading or krylov'")),
    "numerics.scales": _numeric("spectra"),
    "numerics.scalar_codes": Plan(
        (), ("tests/numerics/test_figure_observables.py -k 'codes or encoder or bit or integrate'",)
    ),
    "numerics.truncated_newton": Plan(
        (), (*_numeric("truncated_newton").tests, "tests/numerics/test_descent.py -k 'large or truncated'")
    ),
    "numerics.quasi_newton": Plan((), ("tests/numerics/test_mechanisms.py -k quadratic",)),
    "numerics.starts": Plan(
        (),
        (*_numeric("starts", "ablated").tests, "tests/numerics/test_descent.py -k 'starts'", CERTIFIED),
        draws=("random_start", "random_decoder_start"),
    ),
    "numerics.blocks": _numeric("blocks", "certificates"),
    "numerics.problem": _numeric("problems", "points"),
    "numerics.problems": _numeric(
        "problems",
        "layer_instances",
        draws=("module", "random_problems", "_random_problem", "_random_plan", "_random_spectrum", "spread"),
    ),
    "numerics.decoder_problems": _numeric(
        "decoder_problems",
        "decoder_instances",
        draws=("module", "decoder_problems", "_decoder_problem", "_beta", "_interior", "_explained", "_at_threshold"),
    ),
    "numerics.decoder_families": _numeric(
        "decoder_observables", "decoder_layers", draws=("module", "scalars_of", "own")
    ),
    "numerics.decoder_pieces": _numeric("decoder_pieces", "decoder_layers"),
    "numerics.rational": _numeric("exact", "exact_signs", draws=("exact_problems", "_rational_scalars")),
    "numerics.draws": _numeric("draws"),
    "numerics.noise": _numeric("noise"),
    "numerics.pairs": Plan(
        (),
        (
            *_numeric("pairs", "decoder_observables").tests,
            f"{LAYERS} -k 'beta-eta-loss and (-exact or -numeric) and agrees'",
        ),
        draws=("_planted",),
    ),
    "numerics.ablated": _numeric("ablated"),
    "numerics.descent": Plan((), (*_numeric("lone_minima").tests, SOME_DESCENTS), draws=("module",)),
    "numerics.volume": _numeric(
        "falsify",
        draws=(
            *("module", "draw_block", "disturbed_block", "_betas", "_spectrum", "_deviations"),
            *("_tiny", "_near_one", "_start"),
        ),
    ),
    "numerics.falsify": Plan((), (FALSIFY, f"{CERTIFIED} -k 'saddle or tied or any_unit'")),
    "numerics.evidence": _numeric("evidence"),
    "numerics.measured": _numeric("measured"),
    "numerics.mnist": _numeric("mnist"),
    "numerics.datasets": _numeric("sweeps"),
    "numerics.grids": _numeric("trials", "sweeps"),
    "numerics.sweeps": _numeric("sweeps", "trials"),
    "numerics.trials": _numeric("trials"),
    "numerics.networks": _numeric("networks", "training"),
    "numerics.training": _numeric("training"),
    "numerics.layers.descent": Plan(
        (),
        (
            *_numeric("descent_layer").tests,
            "tests/numerics/test_decoder_layers.py -k search_over",
            f"{LAYERS} -k '({AT_MINIMA}) and -descent'",
        ),
        draws=("module", "DescentLayer._sweeps"),
    ),
    "numerics.layers.exact": Plan(
        (),
        (
            *_numeric("layer_instances", "decoder_layers", "decoder_observables").tests,
            f"{LAYERS} -k '({AT_MINIMA}) and -exact'",
        ),
        draws=("module", "_variants"),
    ),
    "numerics.layers.floating": Plan(
        (),
        (
            *_numeric("layer_instances", "decoder_instances", "decoder_layers").tests,
            f"{LAYERS} -k '({AT_MINIMA}) and -numeric'",
        ),
        draws=("module", "rotated_candidates", "sweep_of"),
    ),
    "numerics.observables.ablation": _numeric("ablated", draws=("module", "_others")),
    "numerics.observables.alignment": Plan(
        (),
        (f"{SETTING} -k 'eq-9 or s4.1 or unseen'", f"{LAYERS} -k 'large-eigenvalues or larger-eigenvalues'"),
        draws=("_linear_targets",),
    ),
    "numerics.observables.biases": Plan(
        (), (f"{SETTING} -k 'bias'", f"{LAYERS} -k bias-results"), draws=("module", "_draws")
    ),
    "numerics.observables.collapsed_latents": Plan(
        (),
        (*_numeric("collapsed_latents").tests, f"{LAYERS} -k collapsed-latents"),
        draws=("module", "_problems"),
    ),
    "numerics.observables.conditions": Plan((), (f"{LAYERS} -k 'rotation or thm-3 or complete-collapse'",)),
    "numerics.observables.decoder": Plan(
        (),
        (
            *_numeric("decoder_observables").tests,
            f"{LAYERS} -k decoder-variance-exact",
            *_numeric("decoder_layers").tests,
        ),
    ),
    "numerics.observables.figures": _numeric("figure_observables"),
    "numerics.observables.identities": Plan(
        (), (f"{LAYERS} -k '(eq-4 or eq-5 or notation or reduction) and (-exact or -numeric)'",)
    ),
    "numerics.observables.input_variance": Plan(
        (),
        ("tests/numerics/test_mechanisms.py -k 'variance or families or jensen or loss_input or logarithm'",),
        draws=("module",),
    ),
    "numerics.observables.mechanisms": Plan(
        (), ("tests/numerics/test_mechanisms.py -k 'constant-output or saddle or output or rises'",)
    ),
    "numerics.observables.minima": Plan(
        (),
        (*_numeric("minima").tests, f"{LAYERS} -k '{AT_MINIMA}'", *_numeric("evidence").tests),
    ),
    "numerics.observables.profile_constant": Plan(
        (), (f"{SETTING} -k 'constant or expressivity or rounded'",), draws=("module", "_problems")
    ),
    "numerics.observables.regression": Plan(
        (), ("tests/numerics/test_mechanisms.py -k regression",), draws=("module", "_regression")
    ),
    "numerics.observables.setting": Plan(
        (),
        (f"{SETTING} -k 'eq-1 or s4 or latent-variance or second-moment or partition or direction or factor'",),
        draws=("module",),
    ),
    "numerics.observables.shapes": Plan((), (f"{SETTING} -k 'shapes or variables'",)),
    "numerics.observables.situations": Plan(
        (), (*_numeric("situations", "pairs").tests, f"{LAYERS} -k '{AT_ALL_MINIMA}'")
    ),
    "numerics.observables.solution_manifold": Plan((), (f"{SETTING} -k 'manifold or null_space or flat'",)),
    "numerics.observables.gradient_flow": _numeric("beyond_observables", draws=("module",)),
    "numerics.observables.stationary_points": _numeric("stationary_observables", draws=("module",)),
    "numerics.observables.strict_saddles": _numeric("stationary_observables"),
    "numerics.observables.depth": _numeric("depth_observables", draws=("module",)),
    "numerics.observables.transition": _numeric("beyond_observables", draws=("module",)),
    "numerics.observables.water_filling": _numeric("beyond_observables"),
    "numerics.observables.trained": _numeric("trained", draws=("module",)),
}
