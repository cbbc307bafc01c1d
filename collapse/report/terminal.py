"""The audit on a terminal: a table that grows while it runs, then the refuted statements and why."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from collapse.decisions import SYMBOLIC
from collapse.findings import AuditReport, ClaimReport
from collapse.judgement import LAYERS
from collapse.report.details import print_assumptions, print_lemmas, print_refuted, print_trials, print_unchecked
from collapse.report.kill_matrix import print_kill_matrix
from derivations.claim import SYMBOLIC_DIMENSIONS, Claim, Verdict
from numerics.evidence import layers_of

STYLES = {Verdict.PROVED: "green", Verdict.REFUTED: "red", Verdict.UNDECIDED: "yellow"}


ANY_WIDTH = 10_000
"""Columns of a console on which any table fits."""
MARGIN = 4
"""Lines of a terminal that the rows of the growing table leave free."""


class LiveTable:
    """Shows the table while the audit runs; silent where the console is no terminal."""

    def __init__(self, console: Console, claims: Sequence[Claim], layers: Sequence[str]) -> None:
        self.layers, self.console = layers, console
        self.reports = {claim.id: ClaimReport(claim) for claim in claims}
        self.minima, self.besides = 0, ""
        self.live = Live(self._content(), console=console, refresh_per_second=4, transient=True)
        self.shown = console.is_terminal

    def __enter__(self) -> LiveTable:
        if self.shown:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown:
            self.live.stop()

    def __call__(self, news: ClaimReport | int | str) -> None:
        """Take in a report, a number of minima just found, or what else is being done."""
        if isinstance(news, int):
            self.minima += news
        elif isinstance(news, str):
            self.besides = news
        else:
            self.reports[news.claim.id] = news
        if self.shown:
            self.live.update(self._content())

    def _content(self) -> RenderableType:
        """How far the audit is, and the table: where not all of it fits, the claims still open come first."""
        reports = list(self.reports.values())
        still_open = [report for report in reports if not finished(report, self.layers)]
        progress = f"{len(reports) - len(still_open)} of {len(reports)} claims audited"
        if "descent" in self.layers:
            progress += f"; {self.minima} minima found by descent"
        progress += f"; {self.besides}" if self.besides else ""
        room = max(1, self.console.height - MARGIN)
        rows = reports if len(reports) <= room else (still_open or reports)[:room]
        narrow = not fits(self.console, table(rows, self.layers))
        return Group(Text(progress, style="dim"), table(rows, self.layers, narrow=narrow))


def finished(report: ClaimReport, layers: Sequence[str]) -> bool:
    """Whether all of the layers that test the claim have answered."""
    wanted = {name for name in layers_of(report.claim) if name in layers}
    return wanted <= report.examinations.keys() and (SYMBOLIC not in layers or report.judgement is not None)


def fits(console: Console, whole: Table) -> bool:
    """Whether a console is wide enough to show a table uncut."""
    return console.measure(whole, options=console.options.update(max_width=ANY_WIDTH)).maximum <= console.width


def table(reports: Sequence[ClaimReport], layers: Sequence[str], *, narrow: bool = False) -> Table:
    """One row a claim: verdicts, scope, worst residual per layer, mutants refuted of all that had to be.

    A narrow table leaves out the scope and the numbers of instances.
    """
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("claim", no_wrap=True, min_width=max(len(report.claim.id) for report in reports))
    for name in ("printed", "corrected", *(() if narrow else ("scope",))):
        found.add_column(name, no_wrap=True)
    shown = [name for name in LAYERS[1:] if name in layers]
    for name in (*shown, "mutants"):
        found.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        cells: list[RenderableType] = [report.claim.id, *_verdicts(report), *(() if narrow else (_scope(report),))]
        cells += [_layer(report, name, counts=not narrow) for name in shown]
        found.add_row(*cells, _mutants(report, layers))
    return found


def _verdicts(report: ClaimReport) -> tuple[Text, Text]:
    judgement = report.judgement
    if judgement is None:
        return Text("…", style="dim"), Text("")
    corrected = judgement.corrected
    return _verdict(judgement.printed.verdict), _verdict(corrected.verdict) if corrected else Text("")


def _verdict(verdict: Verdict) -> Text:
    return Text(verdict.value, style=STYLES[verdict])


def _scope(report: ClaimReport) -> str:
    if report.judgement is None:
        return ""
    return (report.judgement.corrected or report.judgement.printed).scope.replace(SYMBOLIC_DIMENSIONS, "all dimensions")


def _layer(report: ClaimReport, name: str, *, counts: bool) -> Text:
    if name not in layers_of(report.claim):
        return Text("–", style="dim")
    if name not in report.examinations:
        return Text("…", style="dim")
    if name in report.unchecked:
        return Text("not checked", style="yellow")
    rows = report.examinations[name].evidence
    if not rows:
        return Text("no instance", style="bold red")
    worst = max(rows, key=lambda row: row.worst_residual / row.tolerance if row.tolerance else row.worst_residual)
    shown = "0" if worst.worst_residual == 0 else f"{worst.worst_residual:.0e}"
    if counts:
        shown += f" ({max(row.instances for row in rows)})"
    return Text(shown, style="" if all(row.passed for row in rows) else "bold red")


def _mutants(report: ClaimReport, layers: Sequence[str]) -> Text:
    if not finished(report, layers):
        return Text("…", style="dim")
    if not report.asked:
        return Text("–", style="dim")
    style = "" if report.mutants_refuted == report.mutants_total else "bold red"
    return Text(f"{report.mutants_refuted}/{report.mutants_total}", style=style)


def print_report(
    console: Console, report: AuditReport, layers: Sequence[str], *, mutants: bool = False, detailed: bool = False
) -> None:
    """The table, the refuted statements with their counterexamples, what the verdicts rest on, and the outcome.

    Args:
        console: where to.
        report: what to print.
        layers: those that were asked for.
        mutants: whether to print the kill matrix, too.
        detailed: whether to print how each claim fares without each of its assumptions, rather than a count.
    """
    narrow = not fits(console, table(report.claims, layers))
    console.print(table(report.claims, layers, narrow=narrow))
    if narrow:
        scopes = sorted({_scope(claim) for claim in report.claims if claim.judgement})
        console.print(Text(f"Scope of the verdicts: {', '.join(scopes) or 'none was asked for'}.", style="dim"))
    console.print(
        Text(
            "Residual: the worst (instances); – where a layer does not apply. Mutants: refuted by all, of those that had to be.",
            style="dim",
        )
    )
    print_unchecked(console, report.claims)
    print_refuted(console, report.claims)
    if mutants:
        print_kill_matrix(console, report.claims)
    print_assumptions(console, report.claims, detailed=detailed)
    if report.descent is not None:
        rows = ", ".join(f"worst {row.quantity} {row.worst_residual:.1e}" for row in report.descent.certificates)
        routes = ", ".join(f"{count} by the {name} route" for name, count in report.descent.routes.items())
        console.print(
            f"\nDescent: {report.descent.minima} minima from random starts on {report.descent.device} ({routes}); {rows}."
        )
        counts = ", ".join(f"{name} {count}" for name, count in report.descent.regimes.items())
        console.print(Text(f"Regimes: {counts}.", style="dim"))
        for route, regimes in report.descent.regimes_by_route.items():
            counts = ", ".join(f"{name} {count}" for name, count in regimes.items() if count)
            console.print(Text(f"Of these by the {route} route: {counts}.", style="dim"))
    if any(claim.judgement for claim in report.claims):
        print_lemmas(console, report.lemmas)
    if report.trials is not None:
        print_trials(console, report.trials)
    _print_verdict(console, report)


def _print_verdict(console: Console, report: AuditReport) -> None:
    failures = report.failures()
    for name, reasons in failures.items():
        for reason in reasons:
            console.print(Text(f"{name}: {reason}", style="bold red"))
    refuted = sum(claim.mutants_refuted for claim in report.claims)
    total = sum(claim.mutants_total for claim in report.claims)
    outcome = Text("\naudit passed", style="bold green") if not failures else Text("\naudit failed", style="bold red")
    outcome.append(
        f": {len(report.claims)} claims, {refuted}/{total} mutants refuted, {report.seconds:.0f} s", style="default"
    )
    if report.not_checked:
        outcome.append(f"; {report.not_checked} not checked, for want of data", style="yellow")
    if any(claim.judgement is None for claim in report.claims):
        outcome.append("; no verdicts, since the symbolic layer was left out")
    console.print(outcome)
