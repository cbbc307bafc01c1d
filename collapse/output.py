"""Where reports go: consoles, files and standard output, checked before anything is computed."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from derivations.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns of a report that no terminal shows."""


def refuse_equal(written: dict[str, str | None], read: dict[str, str | Path | None] | None = None) -> None:
    """Refuse two options that would write one file, and one that would write over what is read."""
    files = {
        name: os.path.realpath(path)
        for name, path in (written | (read or {})).items()
        if path is not None and path != "-"
    }
    for one, other in combinations(files, 2):
        if files[one] == files[other] and one in written:
            raise DataError(f"{one} and {other} both name {files[one]}; give them different files.")


def console_for(on_standard_error: bool) -> Console:
    """A console for the report; of a fixed width where no terminal shows it."""
    from rich.console import Console

    plain: dict[str, Any] = {"stderr": on_standard_error, "highlight": False, "markup": False}  # E[m²] is no markup
    console = Console(**plain)
    return console if console.is_terminal else Console(**plain, width=PIPE_WIDTH)


@contextmanager
def written_out() -> Iterator[None]:
    """Report in a line where standard output takes no more, as on a full disk; a pipe that was closed is no matter of ours.

    Raises:
        DataError: it could not be written.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno == errno.EPIPE:
            raise
        # what is left in the buffer would fail once more as the process ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise DataError(f"cannot write to standard output: {error.strerror}.") from None


def as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def interrupted(message: str = "interrupted: no report was written") -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(130) from None


def read_markdown(path: str) -> str:
    try:
        if Path(path).is_fifo():  # it would wait for someone to write
            raise DataError(f"--into: {path} is a named pipe; name a Markdown file.")
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"--into: cannot read {path}: {error.strerror}. Name a Markdown file that exists.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"--into: {path} is not UTF-8 (byte {error.start}: {error.reason}). Name a Markdown file in UTF-8."
        ) from None


def writable(option: str, given: str | None) -> Path | None:
    """The file to write, checked before anything is computed; None for none or for standard output."""
    if given is None or given == "-":
        return None
    if not given:
        raise DataError(f"{option}: the path is empty; name a file, or - for standard output.")
    path = Path(given)
    try:
        if path.is_dir():
            raise DataError(f"{option}: {path} is a folder; name a file in it.")
        existed = path.exists()
        if existed and not (path.is_file() or path.is_char_device() or path.is_relative_to("/dev")):
            # a named pipe would wait for a reader, and /dev/stdout may be a pipe that has one
            raise DataError(f"{option}: {path} is no regular file; name a file, or - for standard output.")
        with path.open("a", encoding="utf-8"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise DataError(
            f"{option}: cannot write {path}: {error.strerror}. Name a file in a folder you can write to."
        ) from None
    return path


def folder(given: str) -> Path:
    """A folder's name from the command line.

    Raises:
        typer.BadParameter: it is empty, as an unset variable of a shell is: that would be the current folder.
    """
    if not given:
        raise typer.BadParameter("the name of the folder is empty; give one, or . for this one.")
    return Path(given)


def write(option: str, path: Path | None, text: str) -> None:
    """Write to a file, or to standard output where there is none."""
    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{option}: cannot write {path}: {error.strerror}. The report above is complete.") from None
