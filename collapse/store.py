"""A folder that keeps what a run of attempts has done, line by line, so that a killed run goes on."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Any, get_args, get_type_hints

from derivations.errors import DataError
from numerics.falsify import Attempt

__all__ = ["Store", "claimed", "opened"]

_ATTEMPTS = "attempts.jsonl"
_CHECKSUM = "checksum"
_PIECE = 1 << 16
_KINDS = get_type_hints(Attempt)


class Store:
    """The attempts that a file keeps; None keeps none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    def kept(self) -> Iterator[Attempt]:
        """The attempts that the file has held since it was opened, in the order in which they were made.

        Raises:
            DataError: a line is no attempt.
        """
        if self.path is None or not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield _attempt(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                    raise DataError(
                        f"--resume: line {number} of {self.path} is no attempt, or not as it was written; take it out, or name "
                        "another folder."
                    ) from None

    def keep(self, one: Attempt) -> None:
        """Take in an attempt.

        Raises:
            DataError: it cannot be written; what was kept before is.
        """
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(one) + "\n")
        except OSError as error:
            raise DataError(
                f"--resume: cannot write to {self.path}: {error.strerror}. What was kept before is intact; make room and go on."
            ) from None


@contextmanager
def opened(directory: Path | None, settings: dict[str, Any]) -> Iterator[Store]:
    """The store of a folder, which is made if it is not there, or of none; nobody else may use it meanwhile.

    Args:
        directory: the folder.
        settings: all that the attempts depend on but their numbers.

    Raises:
        DataError: the folder is in use, holds a run with other settings or something else, or cannot be used.
    """
    if directory is None:
        yield Store()
        return
    store = Store(directory / _ATTEMPTS)
    with claimed(directory):
        with _usable(directory):
            _check(directory / "settings.json", settings)
            _mend(directory / _ATTEMPTS)
        yield store


@contextmanager
def claimed(directory: Path | None) -> Iterator[None]:
    """A folder of `--resume`, which is made if it is not there, for this run alone; None for no folder.

    Raises:
        DataError: another run uses it, or it cannot be used.
    """
    with ExitStack() as stack:
        if directory is not None:
            with _usable(directory):
                directory.mkdir(parents=True, exist_ok=True)
                _lock(stack.enter_context((directory / "lock").open("w")), directory)
        yield


@contextmanager
def _usable(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"--resume: cannot use {directory}: {error.strerror}. Name a folder you can write to."
        ) from None


def _lock(lock: Any, directory: Path) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataError(f"--resume: another run is using {directory}; wait for it, or name another folder.") from None


def _check(path: Path, settings: dict[str, Any]) -> None:
    """Hold the settings against those of the run that is kept; write them down if there is none."""
    if not path.exists():
        if (path.parent / _ATTEMPTS).exists():  # of whatever run: they must not count as this one's
            raise DataError(
                f"--resume: {path.parent} holds attempts, but no {path.name} that says of which run; name another folder."
            )
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(settings) + "\n", encoding="utf-8")
        os.replace(draft, path)
        return
    try:
        kept = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError):
        raise DataError(f"--resume: {path} is no JSON object; name another folder.") from None
    for name, value in settings.items():
        if kept.get(name) != value:
            raise DataError(
                f"--resume: {path.parent} holds a run with {name} = {kept.get(name)!r}, not {value!r}; name another folder, or go "
                f"on with the run's own {name}."
            )


def _mend(path: Path) -> None:
    """Take off a last line that a kill cut short; it will be done again."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _PIECE)
            file.seek(start)
            if (place := file.read(end - start).rfind(b"\n")) >= 0:
                end = start + place + 1
                break
            end = start
        if end < size:
            file.truncate(end)


def _line(one: Attempt) -> str:
    document = asdict(one)
    return json.dumps(document | {_CHECKSUM: _checksum(document)}, allow_nan=False)


def _checksum(document: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(document).encode())


def _attempt(document: dict[str, Any]) -> Attempt:
    """What `_line` wrote; a ValueError if anything has changed since."""
    if document.pop(_CHECKSUM) != _checksum(document):
        raise ValueError
    return Attempt(**{name: _typed(document[name], kind) for name, kind in _KINDS.items()})


def _typed(value: Any, kind: Any) -> Any:
    """The value, lists as tuples, if it is of the annotated kind; a ValueError if not."""
    if kinds := get_args(kind):
        each = repeat(kinds[0], len(value)) if kinds[-1] is Ellipsis else kinds
        return tuple(_typed(part, of) for part, of in zip(value, each, strict=True))
    if type(value) is not kind:
        raise ValueError
    return value
