"""How the audit's work is spread over claims and layers, and gathered."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import collapse.audit
from collapse.audit import run_audit
from collapse.judgement import Examination, Judgement, mutants_of
from collapse.workers import Idle
from derivations.claim import Claim, Decision, Verdict
from derivations.errors import DataError
from derivations.ledger import CLAIMS, claims_by_id
from numerics.evidence import Evidence

PRINTED = claims_by_id()["thm-3.no-middle"]  # stands as printed
CORRECTED = claims_by_id()["thm-2.extra-latents"]  # does not
LAYERS = ("exact", "numeric", "descent")


def judgement_of(claim: Claim) -> Judgement:
    proved, refuted = Decision(Verdict.PROVED), Decision(Verdict.REFUTED)
    verdicts = (Verdict.REFUTED,) * len(mutants_of(claim))
    return Judgement(refuted, proved, verdicts) if claim.corrected else Judgement(proved, None, verdicts)


def examination_of(claim: Claim, layer: str) -> Examination:
    row = Evidence(layer, "loss", 12, 0.0, 0.0, "problem-3")
    return Examination(layer, (row,), True if claim.corrected else None, (True,) * len(mutants_of(claim)))


class InThread(ThreadPoolExecutor):
    """A pool of one thread: what is patched here is patched there."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)


@pytest.fixture
def fabricated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Derivations and layers that answer at once; yields what was asked of whom."""
    asked: list[tuple[str, str]] = []

    def judge(claim_id: str) -> Judgement:
        asked.append((claim_id, "symbolic"))
        return judgement_of(claims_by_id()[claim_id])

    def examine_without_descent(claim_id: str, name: str, seed: int) -> Examination:
        asked.append((claim_id, name))
        return examination_of(claims_by_id()[claim_id], name)

    def examine(claim: Claim, layer: Any) -> Examination:
        asked.append((claim.id, layer.name))
        return examination_of(claim, layer.name)

    for name, fake in (("judge", judge), ("examine_without_descent", examine_without_descent), ("examine", examine)):
        monkeypatch.setattr(collapse.audit, name, fake)
    monkeypatch.setattr(collapse.audit, "descend_for", lambda claims, layer: None)
    monkeypatch.setattr(collapse.audit, "workers", lambda *_: InThread())
    yield asked


def test_every_claim_goes_through_every_layer_once(fabricated: list[tuple[str, str]]) -> None:
    heard: list[Any] = []
    report = run_audit(CLAIMS, seed=4, listener=heard.append)
    expected = {(claim.id, "symbolic") for claim in CLAIMS} | {
        (claim.id, layer) for claim in CLAIMS for layer in collapse.audit.layers_of(claim)
    }
    assert len(fabricated) == len(expected) and set(fabricated) == expected
    assert [found.claim.id for found in report.claims] == [claim.id for claim in CLAIMS]
    assert report.passed and report.seed == 4 and report.seconds > 0
    assert len(heard) == len(expected) and {found.claim.id for found in heard} == {claim.id for claim in CLAIMS}
    for found in report.claims:
        assert found.judgement is not None
        assert set(found.examinations) == set(collapse.audit.layers_of(found.claim))
        order = [row.layer for row in found.evidence]
        assert order == sorted(order, key=LAYERS.index)


@pytest.mark.parametrize("layers", [("symbolic",), ("exact",), ("descent",), ("exact", "numeric")])
def test_only_the_layers_asked_for_are_run(layers: tuple[str, ...], fabricated: list[tuple[str, str]]) -> None:
    run_audit([PRINTED], layers=layers)
    assert sorted(fabricated) == sorted((PRINTED.id, layer) for layer in layers)


def test_a_failing_worker_fails_the_audit(fabricated: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(claim_id: str) -> Judgement:
        raise ZeroDivisionError(claim_id)

    monkeypatch.setattr(collapse.audit, "judge", broken)
    with pytest.raises(ZeroDivisionError, match=PRINTED.id):
        run_audit([PRINTED])


def test_work_that_no_worker_has_begun_is_done_here(
    fabricated: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    monkeypatch.setattr(collapse.audit, "workers", lambda *_: Idle())
    report = run_audit([PRINTED, CORRECTED], listener=lambda _: threads.add(threading.current_thread().name))
    assert report.passed and len(fabricated) == 8
    assert threads == {threading.current_thread().name}


def test_an_absent_device_is_refused_before_any_work(
    fabricated: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DataError, match="cuda"):
        run_audit([PRINTED], device="cuda")
    assert fabricated == []


@pytest.mark.parametrize("layers", [LAYERS, ("symbolic",), ("exact",)], ids=lambda layers: layers[0])
def test_a_negative_seed_is_refused_before_any_work(layers: tuple[str, ...], fabricated: list[tuple[str, str]]) -> None:
    with pytest.raises(DataError, match="-1"):
        run_audit([PRINTED], layers=layers, seed=-1)
    assert fabricated == []


def test_a_claim_that_none_of_the_layers_tests_does_not_pass(fabricated: list[tuple[str, str]]) -> None:
    report = run_audit([claims_by_id()["notation.gaussian-kl"]], layers=("descent",))
    assert fabricated == []
    assert not report.passed
