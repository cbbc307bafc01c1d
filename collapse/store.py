"""A folder that keeps what a run of attempts has done, line by line, so that a killed run goes on."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from derivations.errors import DataError
from numerics.falsify import Attempt

__all__ = ["Store", "claimed", "opened"]

_ATTEMPTS = "attempts.jsonl"
_CHECKSUM = "checksum"


class Store:
    """The attempts that are kept, by block; in no folder, only while the run lasts."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.found: dict[int, Attempt] = {}

    def keep(self, one: Attempt) -> None:
        """Take in an attempt.

        Raises:
            DataError: it cannot be written; what was kept before is.
        """
        self.found[one.block] = one
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
            store.found = _read(directory / _ATTEMPTS)
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
    except (ValueError, TypeError):
        raise DataError(f"--resume: {path} is no JSON object; name another folder.") from None
    for name, value in settings.items():
        if kept.get(name) != value:
            raise DataError(
                f"--resume: {path.parent} holds a run with {name} = {kept.get(name)!r}, not {value!r}; name another folder, or go "
                f"on with the run's own {name}."
            )


def _read(path: Path) -> dict[int, Attempt]:
    """The attempts of a file; a last line that a kill cut short is taken off, and will be done again."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    found = {}
    for number, line in enumerate(content[:whole].splitlines(), start=1):
        try:
            one = _attempt(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise DataError(
                f"--resume: line {number} of {path} is no attempt, or not as it was written; take it out, or name another folder."
            ) from None
        found[one.block] = one
    return found


def _line(one: Attempt) -> str:
    document = asdict(one)
    return json.dumps(document | {_CHECKSUM: _checksum(document)}, allow_nan=False)


def _checksum(document: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(document).encode())


def _attempt(document: dict[str, Any]) -> Attempt:
    """What `_line` wrote; a ValueError if anything has changed since."""
    if document.pop(_CHECKSUM) != _checksum(document):
        raise ValueError
    values = {field.name: document[field.name] for field in fields(Attempt)}
    for name in ("shape", "worst_above", "worst_below", "uncertified"):
        values[name] = tuple(values[name])
    return Attempt(**values | {"against": tuple(tuple(pair) for pair in values["against"])})
