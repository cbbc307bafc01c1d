"""How the reports on a terminal are laid out."""

from __future__ import annotations

from rich.table import Table


def lines() -> Table:
    """Labelled lines, each wrapped beside its label."""
    grid = Table.grid(padding=(0, 2), pad_edge=False)
    grid.add_column(no_wrap=True, min_width=11)
    grid.add_column(overflow="fold")
    return grid


def plain(formula: object) -> str:
    """A formula in one line of text."""
    return str(formula).replace("**", "^")
