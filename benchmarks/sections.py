"""The parts of README.md: each benchmark rewrites its own, and leaves the others as they are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["put"]

HEADING = "### "


def put(readme: Path, title: str, section: str, before: str | None = None) -> None:
    """Write a section in the place of the one of this title; without one, before another or before the last paragraph.

    Args:
        readme: paragraphs parted by blank lines; the last, of hardware and versions, belongs to no section.
        title: the line that the section begins with.
        section: its text.
        before: the title of the section that a new one comes before.
    """
    *parts, hardware = readme.read_text(encoding="utf-8").strip().split("\n\n")
    heads = [place for place, part in enumerate(parts) if part.startswith(HEADING)]
    at = {parts[place].splitlines()[0]: place for place in heads}
    first = at.get(title, at.get(before or "", len(parts)))
    after = next((place for place in heads if place > first), len(parts)) if title in at else first
    readme.write_text("\n\n".join([*parts[:first], section, *parts[after:], hardware]) + "\n", encoding="utf-8")
