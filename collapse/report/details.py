"""What stands below the audit's table: what was not checked, refuted statements, assumptions and cited lemmas."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from collapse.findings import ClaimReport, LemmaReport, TrialReport
from collapse.report.layout import counted, plain, print_lines, print_title
from derivations.claim import Decision


def print_unchecked(console: Console, reports: Sequence[ClaimReport]) -> None:
    """The layers that could not be asked since their data are absent."""
    for report in reports:
        for layer, reason in report.unchecked.items():
            console.print(Text(f"{report.claim.id}: {layer} not checked: {reason}", style="yellow"))


def print_refuted(console: Console, reports: Sequence[ClaimReport]) -> None:
    """Each refuted statement with the exact point at which it fails, and what holds instead."""
    for report in reports:
        if report.judgement is None or report.judgement.printed.witness is None:
            continue
        print_title(console, report.claim.id, report.claim.source)
        print_lines(console, [(Text("says"), report.claim.title)])
        rows: list[tuple[Text, str | Text]] = [
            (Text("printed", style="red"), plain(report.claim.printed.formula)),
            (Text("fails at", style="red"), values_of(report.judgement.printed)),
            (Text("since", style="red"), report.judgement.printed.witness.failure),
        ]
        if report.claim.corrected is not None:
            rows.append((Text("corrected", style="green"), plain(report.claim.corrected.formula)))
        print_lines(console, rows)


def print_assumptions(console: Console, reports: Sequence[ClaimReport], *, detailed: bool) -> None:
    """How the claims fare without each of their assumptions; without detail only how many are needed."""
    judged = [(report, report.judgement.probes) for report in reports if report.judgement and report.judgement.probes]
    probes = [probe for _, own in judged for probe in own]
    if not detailed:
        needed = sum(probe.failure is None for probe in probes)
        if probes:
            console.print(
                f"\nAssumptions: {needed} of {len(probes)} are needed: without it the claim fails at an exact point."
            )
        return
    for report, own in judged:
        print_title(console, report.claim.id, "without each of its assumptions")
        for probe in own:
            decision, style = probe.decision, "green" if probe.failure is None else "bold red"
            print_lines(console, [(Text("without", style="cyan"), probe.assumption)])
            if decision.witness is None:
                print_lines(console, [(Text(decision.verdict.value, style=style), decision.missing)])
            else:
                at, since = Text("fails at", style=style), Text("since", style=style)
                print_lines(console, [(at, values_of(decision)), (since, decision.witness.failure)])


def print_lemmas(console: Console, lemmas: Sequence[LemmaReport]) -> None:
    """The cited lemmas in use, or that there are none."""
    if not lemmas:
        console.print("\nCited lemmas: none; the machine decides every step.")
        return
    console.print("\nCited lemmas:")
    for report in lemmas:
        outcome = (
            f"{counted(report.stress.instances, 'instance')}, {report.stress.counterexample or 'no counterexample'}"
        )
        rows: list[tuple[Text, str | Text]] = [
            (Text("lemma", style="bold"), f"{report.lemma.name} ({report.lemma.source})"),
            (Text("says"), report.lemma.statement),
            (Text("used by"), ", ".join(report.claims)),
            (Text("checked"), report.lemma.checked),
            (Text("stress"), Text(outcome, style="" if report.stress.passed else "bold red")),
        ]
        print_lines(console, rows)


def print_trials(console: Console, trials: Sequence[TrialReport]) -> None:
    """What was trained for which claim, the criterion, and what came out."""
    if not trials:
        console.print("\nTraining: none of these claims is tried by it.")
        return
    console.print("\nTraining, of what sentences say of trained models (the formulas judged above are of linear ones):")
    for report in trials:
        print_title(console, report.trial.claim, report.trial.trained)
        print_lines(console, [(Text("criterion"), report.trial.criterion)])
        if isinstance(report.outcome, str):
            print_lines(console, [(Text("not tried", style="yellow"), report.outcome)])
            continue
        for part in report.outcome.parts:
            mark = Text("met", style="green") if part.met else Text("not met", style="bold red")
            print_lines(console, [(mark, f"{part.asked}: {part.seen}")])


def values_of(decision: Decision) -> str:
    """The exact point of a refutation, in one line; empty if there is none."""
    return ", ".join(f"{name} = {value}" for name, value in decision.witness.values) if decision.witness else ""
