"""Which checks the modules of derivations/ are held against, the cheapest first."""

from __future__ import annotations

from checks import Plan


def _kernel(names: str) -> str:
    return f"tests/derivations/test_kernel.py -k '{names}'"


def _derived(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/derivations/test_{name}.py" for name in names)


def _layers(names: str) -> str:
    """Exact and float64 numbers against the standing statements of these claims, and the printed ones that are refuted."""
    return f"tests/numerics/test_layers.py -k '({names}) and (exact or numeric) and (agrees or printed)'"


PRINTED, WITNESSES, ASSUMPTIONS = (
    f"tests/derivations/test_{name}.py" for name in ("printed", "witnesses", "assumptions")
)
FACTS, CASES = "tests/derivations/test_proof_facts.py", "tests/derivations/test_proof_cases.py"
SIGNS, PROBES = "tests/derivations/test_proof_signs.py", "tests/derivations/test_probe_values.py"
FIXED, LEARNED = "derivations.proposition_2_fixed_variance", "derivations.theorem_2_learned_variance"
PRIOR, MODES = "derivations.theorem_1_prior_variance", "derivations.proposition_3_mode_variance"


def _proofs(names: str) -> str:
    """The steps that these claims' proofs are known to take."""
    return f"tests/derivations/test_proofs.py -k '{names}'"


def _setting(
    module: str,
    names: str,
    draws: tuple[str, ...] = (),
    layers: str = "tests/numerics/test_setting_observables.py",
    first: tuple[str, ...] = (),
) -> Plan:
    """Of a module whose claims are about the setting."""
    return Plan(
        (f"derivations.{module}",),
        (
            *_derived(*first, "setting_printed", "setting_witnesses"),
            _proofs(names),
            f"{layers} -k '{names}'",
        ),
        draws=draws,
    )


PAIRS = tuple(
    f"derivations.{name}" for name in ("collapse_conditions", "learned_variance_consequences", "implications")
)
STATEMENTS = _derived("printed_conditions", "situations", "situation_witnesses")
DECODER = tuple(
    f"derivations.{name}"
    for name in ("decoder_variance", "decoder_variance_claims", "decoder_limits", "decoder_variance_causes")
)
LEARNED_DECODER = _derived("decoder_variance", "decoder_witnesses")

THEORY: dict[str, Plan] = {
    "derivations.universal": Plan(PAIRS, _derived("situations", "situation_witnesses")),
    "derivations.situations": Plan(
        PAIRS,
        _derived("situations", "situation_witnesses"),
        draws=("spread", "_water", "_scales", "_prior", "_deviations", "_width"),
    ),
    "derivations.decoder_variance": Plan(DECODER, LEARNED_DECODER),
    "derivations.decoder_collapse": Plan(DECODER, LEARNED_DECODER),
    "derivations.decoder_cases": Plan(DECODER, LEARNED_DECODER),
    "derivations.decoder_limits": Plan(("derivations.decoder_limits",), (*LEARNED_DECODER, _proofs("s4.4"))),
    "derivations.ablation": Plan(("derivations.ablation",), _derived("ablation")),
    "derivations.regression": Plan(
        ("derivations.regression",), _derived("mechanisms", "laplace_densities"), draws=("regression_data",)
    ),
    "derivations.input_variance": Plan(("derivations.input_variance",), (*_derived("mechanisms"), _proofs("app-c"))),
    "derivations.constant_output": Plan(("derivations.constant_output",), _derived("mechanisms")),
    "derivations.biases": Plan(
        ("derivations.biases",), (*_derived("first_moments"), _proofs("bias")), draws=("instances_with_means",)
    ),
    "derivations.elbo": Plan(
        ("derivations.elbo",),
        (
            *_derived("probe_values"),
            f"{ASSUMPTIONS} -k 'eq-4 or eq-5 or gaussian or noise_that or correlated_latents'",
            _kernel("eq-4 or eq-5 or gaussian"),
            _layers("eq-4 or eq-5 or gaussian"),
        ),
    ),
    "derivations.least_loss": Plan(
        (FIXED, "derivations.corollary_1_profile", PRIOR),
        (FACTS, CASES, SIGNS, _layers("prop-2.minimum or cor-1.profile"), _kernel("prop-2 or cor-1")),
    ),
    "derivations.matrix_calculus": Plan(
        (),
        (
            *_derived("matrix_symmetry", "matrix_calculus", "matrix_facts", "matrix_derivatives"),
            _kernel("prop-1 or prop-2"),
        ),
    ),
    "derivations.proof": Plan(
        (), (*_derived("proof_connectives", "proof", "proof_sums"), _kernel("thm-1 or prop-2.minimum"))
    ),
    "derivations.correlated": Plan(("derivations.elbo",), (*_derived("probe_values"), ASSUMPTIONS)),
    "derivations.proposition_1_reduction": Plan(
        ("derivations.proposition_1_reduction",),
        (*_derived("reduction_steps"), PROBES, FACTS, _kernel("prop-1"), _layers("prop-1.reduction or whitening")),
        draws=("_moved",),
    ),
    FIXED: Plan(
        (FIXED,),
        (
            *_derived("lengths"),
            FACTS,
            CASES,
            _kernel("prop-2"),
            f"{PRINTED} -k prop-2",
            f"{WITNESSES} -k 'prop_2 or minimum'",
            _layers("prop-2"),
        ),
    ),
    MODES: Plan(
        (MODES,),
        (
            CASES,
            SIGNS,
            PROBES,
            _kernel("prop-3 or eq-13"),
            f"{PRINTED} -k 'prop-3 or eq-13'",
            WITNESSES,
            _layers("prop-3 or eq-13"),
        ),
    ),
    PRIOR: Plan(
        (PRIOR,), (CASES, SIGNS, _kernel("thm-1"), PRINTED, WITNESSES, _layers("thm-1.minimum or complete-collapse"))
    ),
    LEARNED: Plan(
        (LEARNED,),
        (
            *_derived("learned_variance_values"),
            CASES,
            PRINTED,
            WITNESSES,
            f"{SIGNS} -k 'thm-2 or learned or app-c'",
            _kernel("thm-2"),
            _layers("thm-2.minimum or thm-2.variance or extra"),
        ),
    ),
    "derivations.theorem_3_origin": Plan(
        ("derivations.theorem_3_origin",),
        (
            *_derived("origin"),
            _proofs("thm-3"),
            f"{SIGNS} -k 'thm-3 or origin'",
            _kernel("thm-3"),
            WITNESSES,
            _layers("thm-3"),
        ),
    ),
    "derivations.origin_learned": Plan(
        ("derivations.origin_learned",), (*_derived("origin"), SIGNS, _proofs("hessian-learned"))
    ),
    "derivations.equation_12": Plan(
        ("derivations.equation_12",), (*_derived("printed", "situation_witnesses"), _proofs("eq-12"), _layers("eq-12"))
    ),
    "derivations.collapsed_latents": Plan(
        ("derivations.collapsed_latents",),
        (
            *_derived("collapsed_latents", "printed", "situation_witnesses"),
            _proofs("collapsed-latents"),
            _layers("collapsed-latents"),
        ),
    ),
    "derivations.rotations": Plan(
        ("derivations.rotations",),
        (
            FACTS,
            WITNESSES,
            f"{SIGNS} -k rotation",
            _proofs("rotation"),
            _kernel("rotation"),
            _layers("prop-2.rotation"),
        ),
    ),
    "derivations.rotation_witnesses": Plan(
        ("derivations.rotations", "derivations.rotations_learned"),
        (*_derived("rotation_witnesses"), WITNESSES, _layers("rotation")),
        draws=("_cases", "rotations"),
    ),
    "derivations.collapse_conditions": Plan(("derivations.collapse_conditions",), STATEMENTS),
    "derivations.implications": Plan(("derivations.implications",), STATEMENTS),
    "derivations.figures": Plan(("derivations.figures",), _derived("figures")),
    "derivations.rate_distortion": Plan(("derivations.rate_distortion",), _derived("network_losses")),
    "derivations.linear_agreement": Plan(("derivations.linear_agreement",), _derived("network_losses")),
    "derivations.water_filling": Plan(("derivations.water_filling",), (*_derived("beyond_the_paper"), _proofs("x."))),
    "derivations.transition": Plan(("derivations.transition",), (*_derived("beyond_the_paper"), _proofs("x."))),
    "derivations.gradient_flow": Plan(("derivations.gradient_flow",), (*_derived("beyond_the_paper"), _proofs("x."))),
    "derivations.stationary_points": Plan(
        ("derivations.stationary_points",), (*_derived("stationary_points"), _proofs("x."))
    ),
    "derivations.strict_saddles": Plan(
        ("derivations.strict_saddles",), (*_derived("stationary_points"), _proofs("x."))
    ),
    "derivations.depth": Plan(("derivations.depth",), (*_derived("depth"), _proofs("x."))),
    "derivations.tanh_networks": Plan(
        ("derivations.tanh_networks",), (*_derived("network_losses"), _proofs("app-a")), draws=("points",)
    ),
    "derivations.saddle": Plan(("derivations.saddle",), _derived("mechanisms", "origin")),
    "derivations.evaluation": Plan((), _derived("evaluation")),
    "derivations.exact_data": Plan((), _derived("exact_data"), draws=("exact_data.integers", "data_instances")),
    "derivations.instances": Plan(
        (),
        _derived("instances", "reduction_steps"),
        draws=("chosen_instances", "random_instance", "instances", "smallest_instances"),
    ),
    "derivations.mutants": Plan((), _derived("mutants")),
    "derivations.first_moments": Plan((), _derived("first_moments", "setting_printed")),
    "derivations.claim": Plan((), _derived("claim", "ledger")),
    "derivations.notation": Plan(
        ("derivations.elbo", MODES),
        (
            *_derived("printed", "first_moments", "lengths", "matrix_symmetry", "setting_printed", "matrix_facts"),
            "tests/numerics/test_lambdified.py",
        ),
    ),
    "derivations.ranks": Plan((), _derived("situations", "situation_witnesses")),
    "derivations.learned_variance_consequences": Plan(
        ("derivations.learned_variance_consequences",), (*STATEMENTS, _proofs("thm-2 or s4.3"))
    ),
    "derivations.corollary_1_profile": Plan(
        ("derivations.corollary_1_profile",),
        (
            *(CASES, _kernel("cor-1"), _proofs("cor-1.profile"), PRINTED, WITNESSES),
            f"{ASSUMPTIONS} -k 'cor-1 or beyond or smaller_spread'",
            _layers("cor-1.profile"),
        ),
    ),
    "derivations.variance_term": Plan(
        ("derivations.variance_term",), (*_derived("ablation"), _proofs("variance-term"))
    ),
    "derivations.rotations_learned": Plan(
        ("derivations.rotations_learned",),
        (
            *_derived("rotation_witnesses"),
            _kernel("rotation"),
            _proofs("rotation"),
            WITNESSES,
            _layers("thm-2.rotation"),
        ),
    ),
    "derivations.uniqueness": Plan(
        (PRIOR, LEARNED, "derivations.rotations"),
        (*_derived("uniqueness"), FACTS, _proofs("thm-1 or thm-2.minimum or prop-2.rotation")),
    ),
    "derivations.enclosures": Plan(("derivations.figures",), _derived("figures")),
    "derivations.decoder_instances": Plan(
        (), (*LEARNED_DECODER,), draws=("decoder_instances", "_random_instance", "autoencoder_instances")
    ),
    "derivations.decoder_variance_claims": Plan(
        ("derivations.decoder_variance_claims",), (*LEARNED_DECODER, _proofs("s4.4"))
    ),
    "derivations.decoder_variance_causes": Plan(
        ("derivations.decoder_variance_causes",), (*LEARNED_DECODER, _proofs("s2 or s4.4 or s4.5"))
    ),
    "derivations.lemmas": Plan((), _derived("lemmas")),
    "derivations.accuracy_and_complexity": _setting(
        "accuracy_and_complexity", "eq-1 or s4.5.weights or s4.4.partition"
    ),
    "derivations.alignment": _setting("alignment", "eq-9 or s4.1", ("linear_targets",)),
    "derivations.signal_strength": _setting(
        "signal_strength", "s4.1.large", layers="tests/numerics/test_layers.py", first=("signal_strength",)
    ),
    "derivations.corollary_1_constant": _setting(
        "corollary_1_constant", "cor-1.constant or s2.expressivity", ("_candidates",)
    ),
    "derivations.expressivity": _setting("expressivity", "s2.expressivity"),
    "derivations.proposition_1_manifold": _setting("proposition_1_manifold", "prop-1.manifold", ("low_and_full_rank",)),
    "derivations.setting": _setting("setting", "notation or s4.1", ("_directions",)),
    "derivations.shapes": _setting("shapes", "thm-2.shapes or notation.variables"),
}
