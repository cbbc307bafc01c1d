"""The kill matrix: which layer refutes which mutant of which claim."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from collapse.findings import ClaimReport, Fate
from collapse.judgement import LAYERS
from collapse.report.layout import print_title

STYLES = {
    Fate.KILLED: "green",
    Fate.SURVIVED: "bold red",
    Fate.LEFT_OUT: "dim",
    Fate.UNCHECKED: "yellow",
}
SHORT = {Fate.KILLED: "killed", Fate.SURVIVED: "survived", Fate.LEFT_OUT: "by proof", Fate.UNCHECKED: "not checked"}


def print_kill_matrix(console: Console, reports: Sequence[ClaimReport]) -> None:
    """For each claim what became of every mutant in every layer; for several claims a matrix of counts, too."""
    for report in reports:
        print_title(console, report.claim.id, "its mutants, layer by layer")
        console.print(mutants_table(report))
    if len(reports) > 1:
        console.print(Text("\nMutants killed, claim by layer", style="bold"))
        console.print(counts_table(reports))
    console.print(
        Text(
            "by proof: the derivation proves that the mutant holds, being equal to the statement or weaker; "
            "no layer may refute it, and it is left out of what has to be.",
            style="dim",
        )
    )


def mutants_table(report: ClaimReport) -> Table:
    """One row a mutant of a claim, one column a layer."""
    layers = _layers([report])
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    found.add_column("  mutant", overflow="fold")
    for name in layers:
        found.add_column(name, justify="right", no_wrap=True)
    for k, change in enumerate(report.mutant_changes):
        fates = report.fates(k)
        cells = [Text(SHORT[fates[name]], style=STYLES[fates[name]]) if name in fates else Text("") for name in layers]
        found.add_row(Text(f"  {change}"), *cells)
    return found


def counts_table(reports: Sequence[ClaimReport]) -> Table:
    """One row a claim, one column a layer: mutants killed, of those that no proof leaves out."""
    layers = _layers(reports)
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    found.add_column("claim", no_wrap=True)
    for name in (*layers, "by proof"):
        found.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        fates = [report.fates(k) for k in range(len(report.mutant_changes))]
        cells = [_count([fate[name] for fate in fates if name in fate]) for name in layers]
        found.add_row(report.claim.id, *cells, str(len(report.equivalent)))
    return found


def _layers(reports: Sequence[ClaimReport]) -> list[str]:
    asked = {name for report in reports for name in report.fates(0)}
    return [name for name in LAYERS if name in asked]


def _count(fates: Sequence[Fate]) -> Text:
    if not fates:
        return Text("–", style="dim")
    if Fate.UNCHECKED in fates:
        return Text("not checked", style=STYLES[Fate.UNCHECKED])
    killed, survived = fates.count(Fate.KILLED), fates.count(Fate.SURVIVED)
    return Text(f"{killed}/{killed + survived}", style="bold red" if survived else "")
