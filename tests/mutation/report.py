"""What the trials found: kept as JSON, one file a module, and shown as Markdown."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from changes import changes
from explained import EXPLAINED
from plans import PLANS
from trial import modules

HERE = Path(__file__).resolve().parent
RESULTS, REPORT = HERE / "results", HERE / "REPORT.md"
BAR = 0.95


@dataclass(frozen=True)
class Survivor:
    """A change that no check noticed."""

    where: str
    what: str
    line: int


@dataclass(frozen=True)
class Result:
    """What was found in one module.

    Args:
        module: dotted name.
        changes: how many there are.
        tried: how many of them were tried.
        seed: of the draw, where not all were tried.
        survivors: those that no check noticed.
        killers: how many each check noticed first.
        code: digest of the code that was tried; empty where it was not kept.
    """

    module: str
    changes: int
    tried: int
    seed: int | None
    survivors: tuple[Survivor, ...]
    killers: dict[str, int]
    code: str = ""

    @property
    def killed(self) -> int:
        return self.tried - len(self.survivors)

    @property
    def score(self) -> float:
        return self.killed / self.tried

    def explanation(self, survivor: Survivor) -> str | None:
        """Why it may survive."""
        return EXPLAINED.get((self.module, survivor.where, survivor.what))


def store(result: Result, folder: Path = RESULTS) -> None:
    folder.mkdir(exist_ok=True)
    text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
    (folder / f"{result.module}.json").write_text(text + "\n", encoding="utf-8")


def load(module: str, folder: Path = RESULTS) -> Result:
    """What was found in a module the last time."""
    found = json.loads((folder / f"{module}.json").read_text(encoding="utf-8"))
    return Result(**found | {"survivors": tuple(Survivor(**each) for each in found["survivors"])})


def results(folder: Path = RESULTS) -> list[Result]:
    """Of all modules that were tried, in the order of their names."""
    return [load(path.name.removesuffix(".json"), folder) for path in sorted(folder.glob("*.json"))]


def digest(source: str) -> str:
    """What a module says, whatever its comments and its layout."""
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()[:16]


def is_current(module: str, root: Path, folder: Path = RESULTS) -> bool:
    """Whether a module was tried as it is now. Tests are not looked at: more of them notice no less."""
    if not (folder / f"{module}.json").is_file():
        return False
    return load(module, folder).code == digest(modules(root)[module].read_text(encoding="utf-8"))


def estimate(found: list[Result]) -> float:
    """The share of all changes that is noticed, as the samples tell: each module counts by how many changes it has."""
    return sum(each.score * each.changes for each in found) / sum(each.changes for each in found)


def unknown_explanations(root: Path) -> list[str]:
    """Explanations of changes that do not exist (any more)."""
    known = modules(root)
    wrong = []
    for module in sorted({module for module, _, _ in EXPLAINED}):
        found = {(each.where, each.what) for each in changes(known[module].read_text(encoding="utf-8"))}
        wrong += [
            f"{module}, {where}: {what}: explained, but no such change"
            for name, where, what in EXPLAINED
            if name == module and (where, what) not in found
        ]
    return wrong


def failures(root: Path, folder: Path = RESULTS) -> list[str]:
    """What keeps the report from being good: low scores, survivors without explanation, explanations of nothing."""
    wrong = unknown_explanations(root)
    found = results(folder)
    if found and estimate(found) < BAR:
        wrong.append(f"{estimate(found):.1%} of the changes are noticed, less than {BAR:.0%}")
    for result in found:
        wrong += [
            f"{result.module}:{each.line}, {each.where}: {each.what}: survived, unexplained"
            for each in result.survivors
            if result.explanation(each) is None
        ]
    return wrong


def untried(found: list[Result]) -> list[str]:
    """Modules that have a plan, and no result yet."""
    return sorted(PLANS.keys() - {each.module for each in found})


def write_report() -> None:
    REPORT.write_text(markdown(results(), untried(results())), encoding="utf-8")


def markdown(found: list[Result], left: list[str]) -> str:
    """A table of scores, with what is left to be tried, then every survivor with its explanation."""
    tried, killed = sum(each.tried for each in found), sum(each.killed for each in found)
    survivors = tried - killed
    equivalent = sum(each.explanation(survivor) is not None for each in found for survivor in each.survivors)
    lines = [
        "# Changes of the code that the tests notice",
        "",
        "Written by `make mutation`; do not edit. Each line of mathematics is changed in small ways (a sign, an operator, a",
        "constant, a strictness, a dropped term or factor, a transpose, swapped arguments), one at a time, and the module's",
        "checks are run until one fails. Where a module has many changes, a sample is drawn; the same seed draws the same.",
        "Functions that do no more than choose the problems to look at, and constants that set the pace of a search by trial,",
        "are left as they are: any other choice would serve.",
        "Where a survivor showed that a test was missing, the test was added and the survivor tried again, so that these samples",
        "say what is tested now, and flatter a little; another seed draws changes that nobody has looked at.",
        "",
        f"In all **{killed} of {tried}** changes tried are noticed, **{killed / tried:.1%}**; each module counted by how many",
        f"changes it has, that is **{estimate(found):.1%}** of the {sum(each.changes for each in found)} changes there are.",
        f"Of the {survivors} survivors {equivalent} are explained below: they change nothing that could be noticed."
        if survivors
        else "None survived.",
        "",
        "| module | changes | tried | noticed | survived | score |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in found:
        share = "all" if each.seed is None else f"{each.tried} (seed {each.seed})"
        lines.append(
            f"| {each.module} | {each.changes} | {share} | {each.killed} | {len(each.survivors)} | {each.score:.1%} |"
        )
    if left:
        lines += ["", f"Not tried yet: {', '.join(left)}."]
    for each in found:
        if each.survivors:
            lines += ["", f"## {each.module}", ""]
        for survivor in each.survivors:
            why = each.explanation(survivor) or "**unexplained**"
            lines += [f"- line {survivor.line}, `{survivor.where}`: `{survivor.what}`", f"  {why}"]
    return "\n".join(lines) + "\n"
