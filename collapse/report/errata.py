"""The errata as text for a terminal, as a Markdown table, and as JSON."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import sympy
from rich.console import Console
from rich.text import Text

from collapse.errata import Entry, Errata
from collapse.report.layout import counted, plain, print_lines, print_title
from collapse.report.letters import with_letters
from collapse.report.versions import SCHEMA_VERSION, versions
from derivations.claim import Decision, Severity
from derivations.errors import DataError

STYLES = {Severity.TYPO: "cyan", Severity.CONDITION: "yellow", Severity.CONCLUSION: "red"}
_DIMENSION = re.compile(r"[dD](_?[0-9*]|_?star)|[nN]")
_MARKDOWN = re.compile(r"[\\|*<`$]|(?<![A-Za-z0-9Α-ω])_|_(?![A-Za-z0-9Α-ω])")


BEGIN, END = "<!-- errata:begin -->", "<!-- errata:end -->"
"""What encloses the table in a Markdown file."""


LEGEND = (
    "m_i is the i-th singular value of U Vᵀ; r the part of E|y|² that no linear function of x explains; L_min the least L_VAE; "
    "t = β η_dec²; what is called other, or there, belongs to the same data after the change that the statement speaks of."
)


def point_of(decision: Decision) -> str:
    """The exact point of a refutation; neighbours of one kind and of equal value share it: beta = eta_dec = 1."""
    values = decision.witness.values if decision.witness else ()
    groups = groupby(values, key=lambda pair: (_kind(pair[0]), pair[1]))
    shown = (" = ".join([*(name for name, _ in members), value]) for (_, value), members in groups)
    return with_letters(", ".join(shown))


def _kind(name: str) -> str:
    """What a name stands for: a dimension, an index, or a value."""
    return "dimension" if _DIMENSION.fullmatch(name) else "index" if name in ("i", "j", "k") else "value"


def printed_of(entry: Entry) -> str:
    """What is printed, in a few words or as the formula."""
    return with_letters(entry.claim.erratum.printed if entry.claim.erratum else plain(entry.claim.printed.formula))


def holds_of(entry: Entry) -> str:
    """What holds instead, in a few words or as the formula."""
    return with_letters(entry.claim.erratum.holds if entry.claim.erratum else plain(entry.claim.standing.formula))


def proof_of(entry: Entry) -> str:
    """How the corrected statement was proved: scope, steps, the claims and the cited lemmas it rests on."""
    if entry.corrected is None:
        return "not at all"
    uses = f"using {', '.join(entry.claim.uses)}" if entry.claim.uses else "from the definitions alone"
    lemmas = f"cited lemmas: {', '.join(entry.lemmas)}" if entry.lemmas else "no cited lemma"
    return f"{counted(len(entry.corrected.steps), 'step')}, {entry.corrected.scope}, {uses}, {lemmas}"


def print_errata(console: Console, errata: Errata) -> None:
    """Every entry, then how many there are of each severity, then what is amiss."""
    for entry in errata.entries:
        severity = entry.claim.erratum.severity if entry.claim.erratum else None
        more = [Text(severity, style=STYLES[severity])] if severity else []
        print_title(console, entry.claim.id, entry.claim.source, *more)
        rows: list[tuple[Text, str | Text]] = [(Text("printed", style="red"), printed_of(entry))]
        if entry.printed.witness is not None:
            rows.append((Text("fails at", style="red"), point_of(entry.printed)))
            rows.append((Text("since", style="red"), with_letters(entry.printed.witness.failure)))
        rows.append((Text("holds", style="green"), holds_of(entry)))
        rows.append((Text("proved", style="green"), proof_of(entry)))
        print_lines(console, rows)
    console.print(f"\n{summary(errata)}")
    if errata.entries:
        print_lines(console, [(Text("legend", style="dim"), LEGEND)])
    for name, reasons in errata.failures().items():
        for reason in reasons:
            console.print(Text(f"{name}: {reason}", style="bold red"))


def summary(errata: Errata) -> str:
    """How many entries, and of which severity."""
    counts = ", ".join(f"{count} {severity}" for severity, count in errata.by_severity.items())
    return f"{counted(len(errata.entries), 'erratum', 'errata')}: {counts}."


def markdown(errata: Errata) -> str:
    """A table, with a line of counts below it."""
    head = ("claim", "place", "printed", "smallest exact counterexample found", "what holds", "severity")
    rows = [head, ("---",) * len(head)]
    for entry in errata.entries:
        witness = entry.printed.witness
        failure = f"{point_of(entry.printed)}: {with_letters(witness.failure)}" if witness else "none"
        severity = entry.claim.erratum.severity.value if entry.claim.erratum else ""
        cells = (entry.claim.source, printed_of(entry), failure, holds_of(entry), severity)
        rows.append((entry.claim.id, *(_escaped(cell) for cell in cells)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{summary(errata)} {_escaped(LEGEND)}\n"


def inserted(text: str, table: str) -> str:
    """A Markdown text with the table between its markers.

    Raises:
        DataError: the text does not hold each marker once, in order.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end) or text.count(BEGIN) + text.count(END) != 2:
        raise DataError(
            f"the text has no place for the errata: it needs one line {BEGIN} and, below it, one line {END}."
        )
    return f"{head}{begin}\n{table}{end}{tail}"


def _escaped(text: str) -> str:
    """Plain text as it is to be read in a cell of a Markdown table."""
    return _MARKDOWN.sub(lambda found: "\\" + found.group(), " ".join(text.split()))


def errata_document(errata: Errata) -> dict[str, Any]:
    """The errata as JSON; schema version 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "versions": versions(),
        "errata": [_entry(entry) for entry in errata.entries],
        "summary": {
            "errata": len(errata.entries),
            "by_severity": {severity.value: count for severity, count in errata.by_severity.items()},
            "passed": not errata.failures(),
            "failures": errata.failures(),
        },
    }


def _entry(entry: Entry) -> dict[str, Any]:
    claim, erratum, witness = entry.claim, entry.claim.erratum, entry.printed.witness
    return {
        "id": claim.id,
        "source": claim.source,
        "title": claim.title,
        "severity": erratum.severity.value if erratum else None,
        "printed": {
            "text": erratum.printed if erratum else None,
            "latex": sympy.latex(claim.printed.formula),
            "verdict": entry.printed.verdict.value,
        },
        "counterexample": {"values": dict(witness.values), "failure": witness.failure} if witness else None,
        "corrected": {
            "text": erratum.holds if erratum else None,
            "latex": sympy.latex(claim.standing.formula),
            "verdict": entry.corrected.verdict.value if entry.corrected else None,
        },
        "proof": {
            "scope": entry.corrected.scope if entry.corrected else None,
            "steps": len(entry.corrected.steps) if entry.corrected else 0,
            "uses": list(claim.uses),
            "lemmas": entry.lemmas,
        },
    }
