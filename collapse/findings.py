"""What the audit knows of each claim, of the descent behind it and of the whole, and what of it fails."""

from __future__ import annotations

from dataclasses import dataclass, field

from collapse.judgement import LAYERS, SYMBOLIC, Examination, Judgement, mutants_of
from derivations.claim import Claim, Verdict
from derivations.ledger import CLAIMS
from numerics.evidence import Evidence


@dataclass
class ClaimReport:
    """What the audit knows of one claim; layers that were not asked for are absent."""

    claim: Claim
    judgement: Judgement | None = None
    examinations: dict[str, Examination] = field(default_factory=dict)
    _asked: dict[int, Verdict] | None = None

    @property
    def evidence(self) -> list[Evidence]:
        """All rows, in the order of the layers."""
        return [row for name in LAYERS if name in self.examinations for row in self.examinations[name].evidence]

    @property
    def equivalent(self) -> list[int]:
        """Mutants that hold, by proof: equal to the statement, or weaker."""
        verdicts = self._verdicts()
        return [k for k, verdict in verdicts.items() if verdict is Verdict.PROVED]

    @property
    def mutant_changes(self) -> list[str]:
        """What was changed in each mutant."""
        return [mutant.change for mutant in mutants_of(self.claim)]

    @property
    def survivors(self) -> list[str]:
        """Mutants that are not proved to hold, and that the derivation or some layer fails to refute, with its name."""
        verdicts, found = self._verdicts(), []
        for k, mutant in enumerate(mutants_of(self.claim)):
            if verdicts.get(k) is Verdict.PROVED:
                continue
            missed = [name for name, examination in self.examinations.items() if not examination.refuted[k]]
            if self.judgement is not None and verdicts[k] is not Verdict.REFUTED:
                missed.insert(0, SYMBOLIC)
            if missed or not self.asked:
                found.append(f"{mutant.change} (not refuted by: {', '.join(missed) or 'anybody'})")
        return found

    @property
    def asked(self) -> bool:
        """Whether the derivation or any layer was asked about this claim."""
        return self.judgement is not None or bool(self.examinations)

    @property
    def mutants_total(self) -> int:
        """Mutants that have to be refuted."""
        return len(mutants_of(self.claim)) - len(self.equivalent)

    @property
    def mutants_refuted(self) -> int:
        """Those refuted by the derivation and by every layer that tests the claim."""
        return self.mutants_total - len(self.survivors)

    def _verdicts(self) -> dict[int, Verdict]:
        """Verdicts on mutants: all, or where no derivation was asked for, those on which a layer is silent."""
        if self.judgement is not None:
            return dict(enumerate(self.judgement.mutants))
        if self._asked is None:
            decide = self.claim.standing.decide
            silent = [
                k
                for k in range(len(mutants_of(self.claim)))
                if not all(examination.refuted[k] for examination in self.examinations.values())
            ]
            self._asked = {k: decide(mutants_of(self.claim)[k].formula).verdict for k in silent}
        return self._asked

    def failures(self) -> list[str]:
        """Why this claim fails the audit; empty if it passes."""
        if not self.asked:
            return ["none of the chosen layers tests this claim"]
        found = [] if self.judgement is None else self._verdict_failures(self.judgement)
        for row in self.evidence:
            if not row.passed:
                found.append(f"{row.layer}: {row.quantity} off by {row.worst_residual:.3g} at {row.worst_instance}")
        for name, examination in self.examinations.items():
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
        return found

    def _contradictions(self) -> list[str]:
        """A layer that refutes what is proved to hold: one of the two is wrong."""
        return [
            f"{name} refutes the mutant {mutants_of(self.claim)[k].change!r}, which is proved to hold"
            for k in self.equivalent
            for name, examination in self.examinations.items()
            if examination.refuted[k]
        ]


@dataclass(frozen=True)
class DescentSummary:
    """The minima that descent found: how many, where, in which regimes, and how well certified."""

    minima: int
    device: str
    regimes: dict[str, int]
    certificates: tuple[Evidence, ...]

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
    """All claims, the descent behind them, and what they took."""

    seed: int
    claims: list[ClaimReport]
    descent: DescentSummary | None = None
    seconds: float = 0.0

    def failures(self) -> dict[str, list[str]]:
        """The reasons for failing, by claim; "descent" for the minima themselves."""
        found = {report.claim.id: report.failures() for report in self.claims}
        if self.descent is not None:
            found["descent"] = self.descent.failures(complete=len(self.claims) == len(CLAIMS))
        return {name: reasons for name, reasons in found.items() if reasons}

    @property
    def passed(self) -> bool:
        """Whether every claim is decided, every layer agrees and every mutant is refuted."""
        return not self.failures()
