"""One changed module tried out in a forked process, in which nothing that rests on the module has been imported."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("derivations", "numerics", "collapse")


@dataclass(frozen=True)
class Outcome:
    """What became of one trial: the check that failed, with its reason, or None; and the seconds it took."""

    killed_by: str | None
    seconds: float


class Served:
    """Finds one module like everybody else, but with other source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        if name != self.name:
            return None
        finders = (finder for finder in sys.meta_path if finder is not self)
        spec = next((spec for finder in finders if (spec := finder.find_spec(name, path, target)) is not None), None)
        if spec is not None:
            loader, origin = spec.loader, spec.origin
            # past the cache of compiled files, and through whatever the loader does to source
            loader.get_code = lambda _: loader.source_to_code(self.source.encode(), origin)
        return spec


def modules(root: Path) -> dict[str, Path]:
    """The project's modules by dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imports(name: str, path: Path, known: Iterable[str]) -> set[str]:
    """The project's modules that a module imports anywhere; one that walks a package imports all of it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
            if any(alias.name == "pkgutil" for alias in node.names):
                found.update(each for each in known if each.startswith(name.rpartition(".")[0] + "."))
                if name.startswith("numerics"):
                    found.update(each for each in known if each.startswith("numerics.observables."))
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
            if node.module == "pkgutil":
                found.update(each for each in known if each.startswith("numerics.observables."))
    return found & set(known) - {name}


def resting_on(target: str, root: Path) -> set[str]:
    """The module and all that import it, directly or not."""
    known = modules(root)
    imports = {name: _imports(name, path, known) for name, path in known.items()}
    found = {target}
    while more := {name for name, used in imports.items() if used & found} - found:
        found |= more
    return found


def preload(target: str, root: Path, among: Sequence[str] = ("derivations", "numerics")) -> list[str]:
    """Import what does not rest on the module, so that no trial has to; returns the names."""
    late = resting_on(target, root)
    loaded = []
    for name in modules(root):
        if name not in late and name.partition(".")[0] in among:
            importlib.import_module(name)
            loaded.append(name)
    early = {name for name in late if name in sys.modules}
    assert not early, f"imported too early: {', '.join(sorted(early))}"
    return loaded


def run_trial(
    target: str, source: str | None, checks: Sequence[tuple[str, Callable[[], str | None]]], seconds: float
) -> Outcome:
    """Run the checks in a child process until the first that fails; None as the source stands for the module as it is.

    Args:
        target: the module that is changed.
        source: its whole source.
        checks: name and function; a function returns what is wrong, or None, or raises.
        seconds: of processor time; who takes longer has failed, and so has who takes ten times as long on the clock.
    """
    read, write = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        _in_child(target, source, checks, seconds, write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    taken = time.monotonic() - began
    lines = said.splitlines()
    if lines and lines[-1].startswith("{"):
        return Outcome(json.loads(lines[-1])["killed_by"], taken)
    during = lines[-1] if lines else "import"
    how = "out of time" if os.WIFSIGNALED(status) else "the process ended"
    return Outcome(f"{during}: {how}", taken)


def _in_child(
    target: str, source: str | None, checks: Sequence[tuple[str, Callable[[], str | None]]], seconds: float, write: int
) -> None:
    killed_by = None
    try:
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(10 * seconds) + 10)
        if source is not None:
            sys.meta_path.insert(0, Served(target, source))
        for name, check in [("import", lambda: importlib.import_module(target) and None), *checks]:
            os.write(write, f"{name}\n".encode())
            try:
                wrong = check()
            except BaseException as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong is not None:
                killed_by = f"{name}: {' '.join(wrong.split())[:160]}"
                break
        os.write(write, (json.dumps({"killed_by": killed_by}) + "\n").encode())
    finally:
        os._exit(0)
