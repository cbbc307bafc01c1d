"""How far a command has come, on a terminal; silent in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collapse.errata import Entry
from derivations.claim import Claim


class Counter:
    """Counts the claims with a corrected statement that have been judged."""

    def __init__(self, console: Console, text: str, claims: Sequence[Claim]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.progress.add_task(text, total=sum(claim.corrected is not None for claim in claims))

    def __enter__(self) -> Counter:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def __call__(self, entry: Entry) -> None:
        """Take in an entry."""
        self.progress.advance(self.task)
