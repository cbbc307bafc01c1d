"""How far a command has come, on a terminal; silent in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collapse.errata import Entry
from derivations.claim import Claim

_Counting = TypeVar("_Counting", bound="Counter")


class Counter:
    """A bar with a count, of so many or of an unknown number."""

    def __init__(self, console: Console, text: str, total: int | None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.progress.add_task(text, total=total)

    def __enter__(self: _Counting) -> _Counting:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def advance(self, count: int = 1, text: str | None = None) -> None:
        """Count on, and say something else from now on."""
        self.progress.update(self.task, advance=count, description=text)


class ErrataCounter(Counter):
    """Counts the claims with a corrected statement that have been judged."""

    def __init__(self, console: Console, claims: Sequence[Claim]) -> None:
        super().__init__(console, "judging", sum(claim.corrected is not None for claim in claims))

    def __call__(self, entry: Entry) -> None:
        """Take in an entry."""
        self.advance()
