"""How the reports on a terminal are laid out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

INDENT, LABEL = 2, 11


def print_lines(console: Console, rows: Sequence[tuple[Text, str | Text]]) -> None:
    """Labelled lines, each wrapped beside its label, without blanks at their ends."""
    for label, content in rows:
        text = content if isinstance(content, Text) else Text(content)
        text.rstrip()
        for line in text.wrap(console, max(20, console.width - INDENT - LABEL)) or [Text("")]:
            line.rstrip()
            console.print(Text(" " * INDENT) + Text(label.plain.ljust(LABEL), style=label.style) + line)
            label = Text("")


def print_title(console: Console, name: str, place: str, *more: Text) -> None:
    """A claim's ID and place, above what is said of it."""
    first = Text(f"\n{name}", style="bold").append(f"  {place}", style="not bold dim")
    for text in more:
        first.append("  ").append(Text(text.plain, style=f"not bold {text.style}"))
    console.print(first)


def plain(formula: object) -> str:
    """A formula in one line of text."""
    return str(formula).replace("**", "^")


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 step, 2 steps."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
