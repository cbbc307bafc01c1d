"""Which checks a module's mathematics is held against, the cheapest first: its claims, then tests of the suite."""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MUTANTS_A_CLAIM = 10
SPINE = (
    "eq-",
    "notation.gaussian-kl",
    "notation.whitening",
    "prop-",
    "cor-",
    "thm-1.minimum",
    "thm-1.complete",
    "thm-2.minimum",
    "thm-3",
)
"""Claims whose steps test_assumptions.py reads for two equal sides; elsewhere sides found in two ways may be written alike."""
README = Path(__file__).resolve().parents[2] / "README.md"


@dataclass(frozen=True)
class Plan:
    """What is asked of a module.

    Args:
        claims: modules whose claims are judged as tests/derivations/test_verdicts.py and test_assumptions.py judge them.
        tests: arguments of pytest, one run each.
        only: the claims to judge, where not all of the modules' are.
        draws: functions that do no more than choose problems, left as they are: any other choice would serve.
    """

    claims: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()


def checks_of(plan: Plan) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """The checks of a plan by name."""
    for module in plan.claims:
        yield f"claims of {module}", lambda module=module: _claims(module, plan.only)
    for module in plan.claims:
        yield f"README's rows of {module}", lambda module=module: _rows(module, plan.only)
    for arguments in plan.tests:
        yield f"pytest {arguments}", lambda arguments=arguments: _pytest(arguments)


def _claims(module: str, only: tuple[str, ...]) -> str | None:
    for claim in importlib.import_module(module).CLAIMS:
        if (not only or claim.id in only) and (wrong := _claim(claim)) is not None:
            return f"{claim.id}: {wrong}"
    return None


def _rows(module: str, only: tuple[str, ...]) -> str | None:
    """What tests/collapse/test_readme.py would say of these claims' rows."""
    from collapse.errata import Entry, Errata
    from collapse.report.errata import markdown

    shown = README.read_text(encoding="utf-8").splitlines()
    for claim in importlib.import_module(module).CLAIMS:
        if claim.corrected is None or (only and claim.id not in only):
            continue
        printed, standing = (each.decide(each.formula) for each in (claim.printed, claim.standing))
        rows = [line for line in markdown(Errata((Entry(claim, printed, standing),))).splitlines() if claim.id in line]
        if not rows or not set(rows) <= set(shown):
            return f"{claim.id}: README has another row"
    return None


def _claim(claim: object) -> str | None:
    """What tests/derivations/ would complain of first."""
    from derivations.claim import Verdict
    from derivations.mutants import mutants

    standing = claim.standing
    decision = standing.decide(standing.formula)
    if decision.verdict is not Verdict.PROVED:
        return f"the standing statement is {decision.verdict} {decision.missing}"
    for step in decision.steps:
        left, _, right = step.latex.partition(" = ")
        if claim.id.startswith(SPINE) and (left == right or step.latex in (r"0 \geq 0", r"\text{True}")):
            return f"a step says nothing: {step.text}"
    if claim.corrected is not None:
        printed = claim.printed.decide(claim.printed.formula)
        if printed.verdict is not Verdict.REFUTED:
            return f"the printed statement is {printed.verdict}, and corrected"
        if any("." in value for _, value in printed.witness.values):
            return "a witness is not exact"
    for assumption in claim.assumptions:
        if assumption.without(standing.formula).verdict is not Verdict.REFUTED:
            return f"not refuted without {assumption.text!r}"
    found = mutants(standing.formula)
    chosen = random.Random(zlib.crc32(claim.id.encode())).sample(found, min(MUTANTS_A_CLAIM, len(found)))
    verdicts = [standing.decide(mutant.formula).verdict for mutant in chosen]
    if Verdict.UNDECIDED in verdicts:
        return "a mutant is undecided"
    if verdicts.count(Verdict.REFUTED) <= len(verdicts) / 2:
        return "most mutants of the sample are not refuted"
    return None


def _pytest(arguments: str) -> str | None:
    import shlex

    import pytest

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        code = pytest.main(
            [
                "-x",
                "-q",
                "--noconftest",
                "--tb=line",
                "-p",
                "no:cacheprovider",
                "-m",
                "not cuda",
                *shlex.split(arguments),
            ]
        )
    if code == 0:
        return None
    lines = [line for line in shown.getvalue().splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0] if lines else f"pytest ended with {code}: {shown.getvalue()[-300:]}"


def _kernel(names: str) -> str:
    return f"tests/derivations/test_kernel.py -k '{names}'"


def _derived(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/derivations/test_{name}.py" for name in names)


def _numeric(*names: str) -> Plan:
    return Plan((), tuple(f"tests/numerics/test_{name}.py" for name in names))


def _layers(names: str) -> str:
    """Exact and float64 numbers against the standing statements of these claims, and the printed ones that are refuted."""
    return f"tests/numerics/test_layers.py -k '({names}) and (exact or numeric) and (agrees or printed)'"


PRINTED, WITNESSES, ASSUMPTIONS = (
    f"tests/derivations/test_{name}.py" for name in ("printed", "witnesses", "assumptions")
)
FACTS, CASES = "tests/derivations/test_proof_facts.py", "tests/derivations/test_proof_cases.py"
SIGNS, PROBES = "tests/derivations/test_proof_signs.py", "tests/derivations/test_probe_values.py"
LEVENBERG = "tests/numerics/test_levenberg_marquardt.py"
FIXED, LEARNED = "derivations.proposition_2_fixed_variance", "derivations.theorem_2_learned_variance"
PRIOR, MODES = "derivations.theorem_1_prior_variance", "derivations.proposition_3_mode_variance"

PAIRS = tuple(
    f"derivations.{name}" for name in ("collapse_conditions", "learned_variance_consequences", "implications")
)
STATEMENTS = _derived("printed_conditions", "situations", "situation_witnesses")
DECODER = tuple(
    f"derivations.{name}" for name in ("decoder_variance", "decoder_variance_claims", "decoder_variance_causes")
)

PLANS: dict[str, Plan] = {
    "derivations.universal": Plan(PAIRS, _derived("situations", "situation_witnesses")),
    "derivations.situations": Plan(
        PAIRS,
        _derived("situations", "situation_witnesses"),
        draws=("spread", "_water", "_scales", "_prior", "_deviations", "_width"),
    ),
    "derivations.decoder_variance": Plan(DECODER, _derived("decoder_variance")),
    "derivations.decoder_collapse": Plan(DECODER, _derived("decoder_variance")),
    "derivations.ablation": Plan(("derivations.ablation",), _derived("ablation")),
    "derivations.regression": Plan(("derivations.regression",), _derived("mechanisms"), draws=("regression_data",)),
    "derivations.input_variance": Plan(("derivations.input_variance",), _derived("mechanisms")),
    "derivations.constant_output": Plan(("derivations.constant_output",), _derived("mechanisms")),
    "derivations.biases": Plan(("derivations.biases",), _derived("first_moments"), draws=("instances_with_means",)),
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
            SIGNS,
            _kernel("thm-2"),
            PRINTED,
            WITNESSES,
            _layers("thm-2.minimum or thm-2.variance or extra"),
        ),
    ),
    "derivations.theorem_3_origin": Plan(
        ("derivations.theorem_3_origin",), (SIGNS, _kernel("thm-3"), WITNESSES, _layers("thm-3"))
    ),
    "derivations.rotations": Plan(
        ("derivations.rotations",), (FACTS, _kernel("rotation"), WITNESSES, _layers("prop-2.rotation"))
    ),
    "derivations.rotation_witnesses": Plan(
        ("derivations.rotations", "derivations.rotations_learned"),
        (*_derived("rotation_witnesses"), WITNESSES, _layers("rotation")),
    ),
    "derivations.collapse_conditions": Plan(("derivations.collapse_conditions",), STATEMENTS),
    "derivations.implications": Plan(("derivations.implications",), STATEMENTS),
    "derivations.figures": Plan(("derivations.figures",), _derived("figures")),
    "derivations.rate_distortion": Plan(("derivations.rate_distortion",), _derived("network_losses")),
    "derivations.linear_agreement": Plan(("derivations.linear_agreement",), _derived("network_losses")),
    "derivations.tanh_networks": Plan(("derivations.tanh_networks",), _derived("network_losses"), draws=("points",)),
    "derivations.saddle": Plan(("derivations.saddle",), _derived("mechanisms")),
    "derivations.evaluation": Plan((), _derived("evaluation")),
    "derivations.exact_data": Plan((), _derived("exact_data"), draws=("exact_data.integers", "data_instances")),
    "derivations.instances": Plan(
        (),
        _derived("instances", "reduction_steps"),
        draws=("chosen_instances", "random_instance", "instances", "smallest_instances"),
    ),
    "derivations.mutants": Plan((), _derived("mutants")),
    "derivations.first_moments": Plan((), _derived("first_moments", "setting_printed")),
    "numerics.objective": _numeric("objective", "certificates", "descent"),
    "numerics.exact": _numeric("exact_signs", "exact", "points"),
    "numerics.points": _numeric("points", "layer_instances"),
    "numerics.backends": _numeric("backends", "lambdified", "lambdified_gradients"),
    "numerics.booleans": _numeric("booleans", "backends", "lambdified", "layer_instances"),
    "numerics.certificates": _numeric("certificates", "descent"),
    "numerics.moments": _numeric("moments"),
    "numerics.oracle": _numeric("oracle"),
    "numerics.lambdified": _numeric("lambdified", "lambdified_gradients", "backends"),
    "numerics.regimes": _numeric("problems", "decoder_instances"),
    "numerics.newton": _numeric("descent"),
    "numerics.projection": _numeric("projection", "levenberg_marquardt"),
    "numerics.orbits": Plan(
        (),
        (
            f"{LEVENBERG} -k 'turning_step or rotation or complex'",
            LEVENBERG,
        ),
    ),
    "numerics.levenberg_marquardt": _numeric("levenberg_marquardt"),
}
