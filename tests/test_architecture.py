"""The rules of the house, read off the sources: who may import whom, and what may stand where.

Every rule is a function from source text to offences, so that each can also be shown an offender.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("derivations", "numerics", "collapse")
TOLERANCE_TABLE = "numerics/tolerances.py"
BRIDGE = "numerics/lambdified.py"
LONGEST_MODULE = 300

# derivations is closed: what is not listed is foreign. The others are open but for those above them.
DERIVATIONS_IMPORT = sys.stdlib_module_names | {"derivations", "sympy", "flint"}
ABOVE = {
    "numerics": {"collapse", "notebooks", "tests", "benchmarks"},
    "collapse": {"notebooks", "tests", "benchmarks"},
}
TOP_LEVEL = {
    *PACKAGES,
    *("notebooks", "tests", "benchmarks"),
    *("pyproject.toml", "constraints.txt", "Makefile", "README.md", "CHANGELOG.md", "LICENSE"),
}

INLINE_TOLERANCE = re.compile(r"(?:tol|\b(?:rel|abs))\s*(?::\s*float\s*)?=\s*[0-9.]+e-?[0-9]+", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/\w")


def sources(*folders: str) -> list[str]:
    """Paths, relative to the root, of all Python files under the folders."""
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def tracked_files() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file()]


# The rules


def imported_roots(source: str) -> set[str]:
    """Top-level names of all that is imported, inside functions and by name too; relative imports stay at home."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                names.add(module)
    return {name.partition(".")[0] for name in names}


def imports_against_direction(package: str, source: str) -> set[str]:
    imported = imported_roots(source) - {""}
    return imported - DERIVATIONS_IMPORT if package == "derivations" else imported & ABOVE[package]


def star_imports(source: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]


def mentions(name: str, source: str) -> list[int]:
    """Lines on which the code, as against comments and strings, uses or imports the name."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names))
    ]


def lines_matching(pattern: re.Pattern[str], text: str) -> list[str]:
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def strangers(paths: list[str]) -> set[str]:
    """Top-level entries that have no place in the repository; dot-files have."""
    return {entry for path in paths if not (entry := path.partition("/")[0]).startswith(".")} - TOP_LEVEL


# The repository keeps them


@pytest.fixture(scope="module")
def tracked() -> Iterator[list[str]]:
    paths = tracked_files()
    assert paths, "git tracks no file here: nothing would be checked"
    yield paths


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_have_modules(package: str) -> None:
    assert sources(package), f"{package}/ holds no module: the rules below would hold of nothing"


@pytest.mark.parametrize("path", sources(*PACKAGES))
def test_imports_go_one_way(path: str) -> None:
    assert imports_against_direction(path.partition("/")[0], read(path)) == set()


@pytest.mark.parametrize("path", sources(*PACKAGES, "tests", "benchmarks"))
def test_modules_are_short(path: str) -> None:
    assert len(read(path).splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", sources(*PACKAGES, "tests", "benchmarks", "notebooks"))
def test_no_star_imports(path: str) -> None:
    assert star_imports(read(path)) == []


@pytest.mark.parametrize("path", sources(*PACKAGES))
def test_no_global_dtype(path: str) -> None:
    assert mentions("set_default_dtype", read(path)) == []


@pytest.mark.parametrize("path", [path for path in sources(*PACKAGES) if path != BRIDGE])
def test_only_the_bridge_lambdifies(path: str) -> None:
    assert mentions("lambdify", read(path)) == []


@pytest.mark.parametrize("path", [path for path in sources("numerics", "collapse", "tests") if path != TOLERANCE_TABLE])
def test_tolerances_stand_in_their_table(path: str) -> None:
    assert lines_matching(INLINE_TOLERANCE, read(path)) == []


def test_top_level_entries(tracked: list[str]) -> None:
    assert strangers(tracked) == set()


def test_no_machine_paths(tracked: list[str]) -> None:
    texts = {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in tracked}
    assert {path: found for path, text in texts.items() if (found := lines_matching(MACHINE_PATH, text))} == {}


# The rules can say no


@pytest.mark.parametrize(
    ("package", "source", "offence"),
    [
        ("derivations", "import numpy as np", "numpy"),
        ("derivations", "from scipy.linalg import svd", "scipy"),
        ("derivations", "def f():\n    import torch.linalg", "torch"),
        ("derivations", "from numerics.problems import Problem", "numerics"),
        ("derivations", "from collapse import audit", "collapse"),
        ("derivations", "if TYPE_CHECKING:\n    import mpmath", "mpmath"),
        ("numerics", "import os, collapse.audit", "collapse"),
        ("numerics", "importlib.import_module('collapse.cli')", "collapse"),
        ("numerics", "class C:\n    def f(self):\n        from tests import conftest", "tests"),
        ("collapse", "__import__('tests')", "tests"),
        ("collapse", "from notebooks.walk import figure", "notebooks"),
    ],
)
def test_an_import_against_the_direction_is_found(package: str, source: str, offence: str) -> None:
    assert imports_against_direction(package, source) == {offence}


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("derivations", "from __future__ import annotations\nimport sympy, flint, dataclasses"),
        ("derivations", "from .notation import zeta\nfrom derivations.ledger import Claim"),
        ("numerics", "import torch\nfrom derivations import notation"),
        ("collapse", "import numerics.descent, derivations.ledger, typer"),
    ],
)
def test_an_import_with_the_direction_passes(package: str, source: str) -> None:
    assert imports_against_direction(package, source) == set()


def test_a_star_import_is_found() -> None:
    assert star_imports("import os\nfrom sympy import *") == [2]


@pytest.mark.parametrize(
    "source",
    ["torch.set_default_dtype(torch.float64)", "from torch import set_default_dtype", "set_default_dtype(float)"],
)
def test_a_global_dtype_is_found(source: str) -> None:
    assert mentions("set_default_dtype", source) == [1]


def test_a_comment_is_no_mention() -> None:
    assert mentions("lambdify", "x = 'lambdify'  # not sympy.lambdify") == []


# Written in two halves, so that this file does not offend against its own rules.
@pytest.mark.parametrize("name", ["rtol", "atol", "tol", "ftol", "rel", "abs", "rel_tol", "TOL", "tol: float"])
def test_an_inline_tolerance_is_found(name: str) -> None:
    assert lines_matching(INLINE_TOLERANCE, f"isclose(a, b, {name}" + "=1e-9)")
    assert lines_matching(INLINE_TOLERANCE, f"{name} " + "= 2.5e-3")


@pytest.mark.parametrize("source", ["isclose(a, b, rtol=FLOAT64.relative)", "learning_rate = 1e-3", "levels = 1e3"])
def test_what_is_no_inline_tolerance_passes(source: str) -> None:
    assert lines_matching(INLINE_TOLERANCE, source) == []


@pytest.mark.parametrize("folder", ["/work", "/root", "/home", "/Users"])
def test_a_machine_path_is_found(folder: str) -> None:
    assert lines_matching(MACHINE_PATH, f"data = '{folder}" + "/someone/data'")
    assert lines_matching(MACHINE_PATH, f'File "{folder}' + '/someone/data.py", line 3')


@pytest.mark.parametrize("text", ["https://example.org/work/paper", "../work/data", "the framework/root/mean"])
def test_what_is_no_machine_path_passes(text: str) -> None:
    assert lines_matching(MACHINE_PATH, text) == []


def test_a_stranger_at_the_top_is_found() -> None:
    assert strangers(["notes.txt", "src/x.py", ".ci/run", "tests/conftest.py", "LICENSE"]) == {"notes.txt", "src"}
