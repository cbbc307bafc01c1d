"""When an audit passes: fabricated reports, each wrong in one way; and how the work is spread and gathered."""

from dataclasses import replace
from typing import Any

import pytest
import sympy

from collapse.audit import AuditReport, ClaimReport, DescentSummary
from collapse.judgement import Examination, Judgement, mutants_of
from derivations.claim import Claim, Decision, Step, Verdict, Witness
from derivations.ledger import claims_by_id
from numerics.evidence import Evidence
from numerics.regimes import REGIMES

PRINTED = claims_by_id()["thm-3.no-middle"]  # stands as printed
CORRECTED = claims_by_id()["thm-2.extra-latents"]  # does not
BOTH = pytest.mark.parametrize("claim", [PRINTED, CORRECTED], ids=lambda claim: claim.id)
LAYERS = ("exact", "numeric", "descent")

PROVED = Decision(Verdict.PROVED, (Step("it holds", sympy.true, Verdict.PROVED),))
REFUTED = Decision(Verdict.REFUTED, witness=Witness((("zeta", "(3, 1)"),), "it does not hold"))
UNDECIDED = Decision(Verdict.UNDECIDED, missing="a lemma")


def judgement_of(claim: Claim, **changed: Any) -> Judgement:
    verdicts = (Verdict.REFUTED,) * len(mutants_of(claim))
    corrected = None if claim.corrected is None else PROVED
    sound = Judgement(PROVED if claim.corrected is None else REFUTED, corrected, verdicts)
    return replace(sound, **changed)


def examination_of(claim: Claim, layer: str, **changed: Any) -> Examination:
    row = Evidence(layer, "loss", 12, 0.0, 0.0, "problem-3")
    refuted = (True,) * len(mutants_of(claim))
    return replace(Examination(layer, (row,), None if claim.corrected is None else True, refuted), **changed)


def sound_report(claim: Claim) -> ClaimReport:
    return ClaimReport(claim, judgement_of(claim), {layer: examination_of(claim, layer) for layer in LAYERS})


def flipped(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def misses(report: ClaimReport, place: int, *layers: str) -> None:
    """These layers do not refute the mutant; all others do, and all other mutants are refuted."""
    for layer in layers:
        refuted = flipped((True,) * len(mutants_of(report.claim)), place, False)
        report.examinations[layer] = examination_of(report.claim, layer, refuted=refuted)


def decided(claim: Claim, place: int, verdict: Verdict) -> Judgement:
    """All mutants are refuted by the derivation, but one."""
    return judgement_of(claim, mutants=flipped(judgement_of(claim).mutants, place, verdict))


@BOTH
def test_a_sound_report_passes(claim: Claim) -> None:
    report = sound_report(claim)
    assert report.failures() == [] and report.survivors == [] and report.equivalent == []
    assert report.mutants_refuted == report.mutants_total == len(mutants_of(claim)) > 0
    audit = AuditReport(0, [report])
    assert audit.passed and audit.failures() == {}


def assert_fails(report: ClaimReport, *reasons: str) -> None:
    """It fails for exactly these reasons, and the audit with it, though all others pass."""
    found = report.failures()
    assert len(found) == len(reasons), found
    for reason in reasons:
        assert any(reason in line for line in found), found
    others = [sound_report(claim) for claim in (PRINTED, CORRECTED) if claim is not report.claim]
    audit = AuditReport(0, [*others, report])
    assert not audit.passed and audit.failures() == {report.claim.id: found}


WRONG_VERDICTS = {
    "undecided": (PRINTED, {"printed": UNDECIDED}, "the printed statement is undecided: a lemma"),
    "undecided, corrected": (CORRECTED, {"printed": UNDECIDED}, "the printed statement is undecided: a lemma"),
    "refuted, uncorrected": (PRINTED, {"printed": REFUTED}, "refuted and nothing stands in its place"),
    "proved, corrected": (CORRECTED, {"printed": PROVED}, "the corrected one has no reason"),
    "correction undecided": (CORRECTED, {"corrected": UNDECIDED}, "the corrected statement is not proved: a lemma"),
    "correction refuted": (CORRECTED, {"corrected": REFUTED}, "the corrected statement is not proved: zeta = (3, 1)"),
}


@pytest.mark.parametrize("name", WRONG_VERDICTS)
def test_a_verdict_that_is_not_enough_fails(name: str) -> None:
    claim, changed, reason = WRONG_VERDICTS[name]
    report = sound_report(claim)
    report.judgement = judgement_of(claim, **changed)
    assert_fails(report, reason)


@BOTH
@pytest.mark.parametrize("layer", LAYERS)
def test_a_mutant_that_a_layer_does_not_refute_fails(claim: Claim, layer: str) -> None:
    report, last = sound_report(claim), len(mutants_of(claim)) - 1
    misses(report, last, layer)
    change = mutants_of(claim)[last].change
    assert_fails(report, f"mutant survives: {change} (not refuted by: {layer})")
    assert report.mutants_refuted == report.mutants_total - 1 == len(mutants_of(claim)) - 1


@BOTH
@pytest.mark.parametrize("layers", [(), ("exact", "descent")], ids=["alone", "with others"])
def test_a_mutant_that_the_derivation_does_not_decide_fails(claim: Claim, layers: tuple[str, ...]) -> None:
    report = sound_report(claim)
    report.judgement = decided(claim, 0, Verdict.UNDECIDED)
    misses(report, 0, *layers)
    change = mutants_of(claim)[0].change
    assert_fails(report, f"mutant survives: {change} (not refuted by: {', '.join(('symbolic', *layers))})")


@BOTH
def test_a_mutant_proved_to_hold_is_left_out_and_not_counted(claim: Claim) -> None:
    report = sound_report(claim)
    report.judgement = decided(claim, 1, Verdict.PROVED)
    misses(report, 1, *LAYERS)
    assert report.failures() == []
    assert report.equivalent == [1]
    assert report.mutants_total == report.mutants_refuted == len(mutants_of(claim)) - 1


@BOTH
@pytest.mark.parametrize("layer", LAYERS)
def test_a_mutant_proved_to_hold_and_refuted_by_a_layer_fails(claim: Claim, layer: str) -> None:
    report = sound_report(claim)
    report.judgement = decided(claim, 1, Verdict.PROVED)
    misses(report, 1, *(other for other in LAYERS if other != layer))
    change = mutants_of(claim)[1].change
    assert_fails(report, f"{layer} refutes the mutant {change!r}, which is proved to hold")


@BOTH
def test_a_claim_whose_mutants_all_hold_fails(claim: Claim) -> None:
    report = sound_report(claim)
    report.judgement = judgement_of(claim, mutants=(Verdict.PROVED,) * len(mutants_of(claim)))
    nothing = (False,) * len(mutants_of(claim))
    report.examinations = {layer: examination_of(claim, layer, refuted=nothing) for layer in LAYERS}
    assert_fails(report, "the check cannot fail")


@BOTH
@pytest.mark.parametrize(
    "changed",
    [{"worst_residual": 0.5}, {"worst_residual": float("nan")}, {"worst_residual": float("inf")}, {"instances": 0}],
    ids=["off", "undefined", "infinite", "no instance"],
)
def test_evidence_that_does_not_pass_fails(claim: Claim, changed: dict[str, Any]) -> None:
    report = sound_report(claim)
    good = report.examinations["numeric"].evidence[0]
    report.examinations["numeric"] = examination_of(claim, "numeric", evidence=(good, replace(good, **changed)))
    assert_fails(report, "numeric: loss off by")
    assert len(report.evidence) == 4


@BOTH
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_looked_at_nothing_fails(claim: Claim, layer: str) -> None:
    report = sound_report(claim)
    report.examinations[layer] = examination_of(claim, layer, evidence=())
    assert_fails(report, f"{layer}: not a single instance was looked at")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_does_not_refute_the_printed_statement_fails(layer: str) -> None:
    report = sound_report(CORRECTED)
    report.examinations[layer] = examination_of(CORRECTED, layer, refutes_printed=False)
    assert_fails(report, f"{layer}: does not refute the printed statement")


@BOTH
def test_a_claim_that_nobody_looked_at_does_not_pass(claim: Claim) -> None:
    report = ClaimReport(claim)
    assert report.failures() != []
    assert report.mutants_refuted == 0


def certificates(**changed: Any) -> tuple[Evidence, ...]:
    return (replace(Evidence("descent", "gradient norm", 5, 0.0, 1.0, "random-0-3"), **changed),)


@pytest.mark.parametrize(
    ("changed", "passed"),
    [
        ({}, True),
        ({"worst_residual": 2.0}, False),
        ({"worst_residual": float("nan")}, False),
        ({"instances": 0}, False),
    ],
)
def test_descents_own_certificates_count(changed: dict[str, Any], passed: bool) -> None:
    summary = DescentSummary({"fast": 4, "plain": 1}, "cpu", dict.fromkeys(REGIMES, 1), certificates(**changed))
    audit = AuditReport(0, [sound_report(PRINTED)], summary)
    assert audit.passed is passed
    assert (list(audit.failures()) == ["descent"]) is not passed


def test_without_the_derivation_the_mutants_a_layer_misses_are_decided() -> None:
    """Survivors must be proved to hold; those that all layers refute need no derivation."""
    asked: list[sympy.Basic] = []

    def decide(formula: sympy.Basic) -> Decision:
        asked.append(formula)
        return PROVED if formula == mutants_of(claim)[0].formula else REFUTED

    claim = replace(PRINTED, printed=replace(PRINTED.printed, decide=decide))
    refuted = (False, False, *[True] * (len(mutants_of(claim)) - 2))
    report = ClaimReport(claim, None, {"exact": examination_of(claim, "exact", refuted=refuted)})
    assert report.equivalent == [0]
    assert [survivor.split(" (")[0] for survivor in report.survivors] == [mutants_of(claim)[1].change]
    assert asked == [mutant.formula for mutant in mutants_of(claim)[:2]]
    assert len(report.failures()) == 1
