"""What the audit knows of each claim, of the descent behind it and of the whole, and what of it fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from collapse.decisions import SYMBOLIC, Judgement, mutants_of
from collapse.judgement import LAYERS, Examination
from derivations.claim import Claim, Verdict
from derivations.ledger import CLAIMS
from derivations.lemmas import Lemma, Stress, lemmas_by_name
from numerics.evidence import Evidence
from numerics.trials import Outcome, Trial


class Fate(StrEnum):
    """What became of a mutant in a layer."""

    KILLED = "killed"
    SURVIVED = "survived"
    LEFT_OUT = "left out by proof"
    UNCHECKED = "not checked"


@dataclass
class ClaimReport:
    """What the audit knows of one claim; layers that were not asked for are absent."""

    claim: Claim
    judgement: Judgement | None = None
    examinations: dict[str, Examination] = field(default_factory=dict)
    _asked: dict[int, Verdict] | None = None

    @property
    def checked(self) -> dict[str, Examination]:
        """The layers that had the data they need, in their order."""
        return {
            name: self.examinations[name]
            for name in LAYERS
            if name in self.examinations and self.examinations[name].unavailable is None
        }

    @property
    def unchecked(self) -> dict[str, str]:
        """The layers whose data are absent, and why nothing was checked."""
        return {name: found.unavailable for name, found in self.examinations.items() if found.unavailable is not None}

    @property
    def evidence(self) -> list[Evidence]:
        """All rows, in the order of the layers."""
        return [row for examination in self.checked.values() for row in examination.evidence]

    @property
    def lemmas(self) -> list[str]:
        """The cited lemmas that the standing statement rests on."""
        steps = self.judgement.standing.steps if self.judgement else ()
        return sorted({step.lemma for step in steps if step.lemma})

    @property
    def equivalent(self) -> list[int]:
        """Mutants that hold, by proof: equal to the statement, or weaker."""
        return [k for k, verdict in self._verdicts().items() if verdict is Verdict.PROVED]

    @property
    def mutant_changes(self) -> list[str]:
        """What was changed in each mutant."""
        return [mutant.change for mutant in mutants_of(self.claim)]

    def fates(self, k: int) -> dict[str, Fate]:
        """What became of a mutant in each layer that was asked."""
        held = self._verdicts().get(k) is Verdict.PROVED
        found = {}
        if self.judgement is not None:
            killed = self.judgement.mutants[k] is Verdict.REFUTED
            found[SYMBOLIC] = Fate.LEFT_OUT if held else Fate.KILLED if killed else Fate.SURVIVED
        for name, examination in self.examinations.items():
            if examination.unavailable is not None:
                found[name] = Fate.UNCHECKED
            else:
                found[name] = Fate.KILLED if examination.refuted[k] else Fate.LEFT_OUT if held else Fate.SURVIVED
        return {name: found[name] for name in LAYERS if name in found}

    @property
    def survivors(self) -> list[str]:
        """Mutants that are not proved to hold, and that the derivation or some layer fails to refute, with its name."""
        if not self.asked:
            return [] if self.unchecked else [f"{change} (not refuted by: anybody)" for change in self.mutant_changes]
        found = []
        for k in range(self._count):
            missed = [name for name, fate in self.fates(k).items() if fate is Fate.SURVIVED]
            if missed:
                found.append(f"{self.mutant_changes[k]} (not refuted by: {', '.join(missed)})")
        return found

    @property
    def asked(self) -> bool:
        """Whether the derivation or any layer has looked at this claim."""
        return self.judgement is not None or bool(self.checked)

    @property
    def mutants_total(self) -> int:
        """Mutants that have to be refuted."""
        return self._count - len(self.equivalent)

    @property
    def mutants_refuted(self) -> int:
        """Those refuted by the derivation and by every layer that tests the claim."""
        return self.mutants_total - len(self.survivors)

    @property
    def _count(self) -> int:
        """All mutants; as many as were judged, which saves making them anew. None where nothing could be checked."""
        if self.judgement is not None:
            return len(self.judgement.mutants)
        counts = [len(examination.refuted) for examination in self.checked.values()]
        return counts[0] if counts else 0 if self.unchecked else len(mutants_of(self.claim))

    def _verdicts(self) -> dict[int, Verdict]:
        """Verdicts on mutants: all, or where no derivation was asked for, those on which a layer is silent."""
        if self.judgement is not None:
            return dict(enumerate(self.judgement.mutants))
        if self._asked is None:
            decide, layers = self.claim.standing.decide, self.checked.values()
            silent = [k for k in range(self._count) if not all(examination.refuted[k] for examination in layers)]
            self._asked = {k: decide(mutants_of(self.claim)[k].formula).verdict for k in silent}
        return self._asked

    def failures(self) -> list[str]:
        """Why this claim fails the audit; empty if it passes. A layer without its data fails nothing: it was not asked."""
        if not self.asked:
            return [] if self.unchecked else ["none of the chosen layers tests this claim"]
        found = [] if self.judgement is None else self._verdict_failures(self.judgement)
        for row in self.evidence:
            if not row.passed:
                found.append(f"{row.layer}: {row.quantity} off by {row.worst_residual:.3g} at {row.worst_instance}")
        for name, examination in self.checked.items():
            if not examination.evidence:
                found.append(f"{name}: not a single instance was looked at")
            if examination.refutes_printed is False:
                found.append(f"{name}: does not refute the printed statement, which the derivation refutes")
        found += [f"mutant survives: {survivor}" for survivor in self.survivors]
        found += self._contradictions()
        if self.mutants_total == 0:
            found.append("no mutant could be refuted: the check cannot fail")
        return found

    def _verdict_failures(self, judgement: Judgement) -> list[str]:
        found = []
        if judgement.printed.verdict is Verdict.UNDECIDED:
            found.append(f"the printed statement is undecided: {judgement.printed.missing}")
        if judgement.printed.verdict is Verdict.REFUTED and judgement.corrected is None:
            found.append("the printed statement is refuted and nothing stands in its place")
        if judgement.printed.verdict is Verdict.PROVED and judgement.corrected is not None:
            found.append("the printed statement is proved; the corrected one has no reason")
        if judgement.corrected is not None and judgement.corrected.verdict is not Verdict.PROVED:
            found.append(
                f"the corrected statement is not proved: {judgement.corrected.missing or judgement.corrected.witness}"
            )
        known = lemmas_by_name()
        found += [f"a step rests on {name!r}, which is no cited lemma" for name in self.lemmas if name not in known]
        return found + [probe.failure for probe in judgement.probes if probe.failure is not None]

    def _contradictions(self) -> list[str]:
        """A layer that refutes what is proved to hold: one of the two is wrong."""
        return [
            f"{name} refutes the mutant {self.mutant_changes[k]!r}, which is proved to hold"
            for k in self.equivalent
            for name, fate in self.fates(k).items()
            if fate is Fate.KILLED
        ]


@dataclass(frozen=True)
class LemmaReport:
    """A cited lemma: the claims whose proofs rest on it, and what its stress test found."""

    lemma: Lemma
    claims: tuple[str, ...]
    stress: Stress

    def failures(self) -> list[str]:
        """Why the lemma fails the audit."""
        if self.stress.counterexample is not None:
            return [f"the lemma fails: {self.stress.counterexample}"]
        return [] if self.stress.passed else ["the stress test of the lemma tried nothing"]


@dataclass(frozen=True)
class TrialReport:
    """A trial of a claim by training, and what came out; why nothing was tried, where its data are absent."""

    trial: Trial
    outcome: Outcome | str

    @property
    def unavailable(self) -> str | None:
        """Why nothing was tried."""
        return self.outcome if isinstance(self.outcome, str) else None

    def failures(self) -> list[str]:
        """The parts of the criterion that are not met."""
        if isinstance(self.outcome, str):
            return []
        unmet = [f"training: {part.asked}: {part.seen}" for part in self.outcome.parts if not part.met]
        return unmet if unmet or self.outcome.met else ["training: nothing was compared"]


def claims_by_lemma(reports: Iterable[ClaimReport]) -> dict[str, list[str]]:
    """For each lemma that a proof names, the claims that rest on it."""
    found: dict[str, list[str]] = {}
    for report in reports:
        for name in report.lemmas:
            found.setdefault(name, []).append(report.claim.id)
    return found


@dataclass(frozen=True)
class DescentSummary:
    """The minima that descent found: how many by which route, where, in which regimes (and by route), and how well certified."""

    routes: dict[str, int]
    device: str
    regimes: dict[str, int]
    certificates: tuple[Evidence, ...]
    regimes_by_route: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def minima(self) -> int:
        """All of them."""
        return sum(self.routes.values())

    def failures(self, *, complete: bool) -> list[str]:
        """Minima that are not certified and, where all claims were audited, regimes without a single minimum."""
        found = [
            f"{row.quantity} is {row.worst_residual:.3g} at {row.worst_instance}"
            for row in self.certificates
            if not row.passed
        ]
        return found + [
            f"no minimum in the regime {name}" for name, count in self.regimes.items() if complete and not count
        ]


@dataclass
class AuditReport:
    """All claims, the descent and the cited lemmas behind them, trials by training if asked for, and what it all took."""

    seed: int
    claims: list[ClaimReport]
    descent: DescentSummary | None = None
    seconds: float = 0.0
    lemmas: tuple[LemmaReport, ...] = ()
    trials: tuple[TrialReport, ...] | None = None

    def failures(self) -> dict[str, list[str]]:
        """The reasons for failing, by claim or cited lemma; "descent" for the minima themselves, "audit" for the whole."""
        complete = len(self.claims) == len(CLAIMS)
        found = {report.claim.id: report.failures() for report in self.claims}
        if self.descent is not None:
            found["descent"] = self.descent.failures(complete=complete)
        found |= {report.lemma.name: report.failures() for report in self.lemmas}
        for tried in self.trials or ():
            found.setdefault(tried.trial.claim, []).extend(tried.failures())
        if complete and all(report.judgement is not None for report in self.claims):
            idle = lemmas_by_name().keys() - {report.lemma.name for report in self.lemmas}
            found |= {name: ["no proof rests on this lemma"] for name in sorted(idle)}
        if not any(report.asked for report in self.claims):
            found["audit"] = ["nothing was checked"]
        return {name: reasons for name, reasons in found.items() if reasons}

    @property
    def not_checked(self) -> int:
        """How many layers and trials lacked their data."""
        trials = sum(report.unavailable is not None for report in self.trials or ())
        return sum(len(report.unchecked) for report in self.claims) + trials

    @property
    def passed(self) -> bool:
        """Whether every claim is decided, every layer agrees, every mutant is refuted and every trial that was made is met."""
        return not self.failures()
