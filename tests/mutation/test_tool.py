"""The tool that changes the code: it finds the changes, tells noticed from unnoticed ones, and its report is current."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from changes import Change, changes, sampled
from explained import EXPLAINED
from plans import PLANS, WITHOUT_MATHEMATICS
from report import BAR, REPORT, Result, Survivor, digest, estimate, is_current, load, markdown, results, store, untried
from trial import modules, resting_on, run_trial

ROOT = Path(__file__).resolve().parents[2]
TOY = "def area(w, h):\n    return w * h\n"


def changed(source: str) -> set[str]:
    return {change.what for change in changes(source)}


# ------------------------------------------------------------------------------------------- the changes
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b + c", {"b + c -> b - c", "b + c -> b", "b + c -> c"}),
        ("a = b - c", {"b - c -> b + c", "b - c -> b"}),
        ("a = b / c", {"b / c -> b * c", "b / c -> b"}),
        ("a = -b", {"-b -> b"}),
        ("a = b < c", {"b < c -> b <= c", "b < c -> b > c"}),
        ("a = b == c", {"b == c -> b != c"}),
        ("a = b and c", {"b and c -> b or c", "b and c -> c", "b and c -> b"}),
        ("a = b[2]", {"b[2] -> b[3]", "b[2] -> b[1]"}),
        ("a = True", {"True -> False"}),
        ("a = W.T @ x", {"W.T @ x -> W @ x"}),
        ("a = Max(b, c)", {"Max(b, c) -> Min(b, c)"}),
        ("a = sqrt(b)", {"sqrt(b) -> b"}),
        ("a = loss(b, c)", {"loss(b, c) -> loss(c, b)"}),
        ("a = b if c else d", {"b if c else d -> d if c else b", "b if c else d -> b if not c else d"}),
        ("def f(a, b):\n    return a @ b", {"a @ b -> -(a @ b)"}),
    ],
)
def test_a_change_is_made(source: str, expected: set[str]) -> None:
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A text with 2 + 2."""',
        "from a import b",
        "a: Float[Tensor, 2 * n]",
        "def f(a: X[2], *, b: X[1]) -> Y[3]:\n    pass",
        "@lru_cache(maxsize=1)\ndef f():\n    pass",
        "with a:\n    raise ValueError(1 + 2)",
        "a = f'{1 + 2}'",
        "a = zip(*b, strict=True)",
        "__all__ = [a + b]",
        "Facts = tuple[Expr, 2]",
    ],
)
def test_what_holds_no_mathematics_is_left_alone(source: str) -> None:
    assert {what for what in changed(source) if "1" in what or "2" in what or "+" in what or "True" in what} == set()


def test_every_change_is_a_module_of_its_own_with_a_name_of_its_own() -> None:
    source = (ROOT / "numerics" / "objective.py").read_text(encoding="utf-8")
    found = changes(source)
    assert len(found) > 100
    assert len({change.source for change in found} | {ast.unparse(ast.parse(source))}) == len(found) + 1
    assert len({(change.where, change.what) for change in found}) == len(found)
    assert {change.where for change in found} >= {"vae_loss", "vae_hessian", "curvature_product", "module"}


def test_a_sample_is_the_same_again() -> None:
    found = changes((ROOT / "numerics" / "oracle.py").read_text(encoding="utf-8"))
    assert sampled(found, 5, "0:x") == sampled(found, 5, "0:x") != sampled(found, 5, "1:x")
    assert len(sampled(found, 5, "0:x")) == 5 and sampled(found, None, "0:x") == found


# -------------------------------------------------------------------------------------------- the trials
@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "toy_area.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "toy_area"


def asking(question: str) -> list[tuple[str, Callable[[], str | None]]]:
    """A check that imports the toy and evaluates an expression, which should be true."""

    def check() -> str | None:
        import toy_area  # type: ignore[import-not-found]

        return None if eval(question, vars(toy_area)) else "no"

    return [("question", check)]


def change(what: str) -> Change:
    (found,) = (each for each in changes(TOY) if each.what == what)
    return found


def test_an_unchanged_module_passes(toy: str) -> None:
    assert run_trial(toy, None, asking("area(2, 3) == 6"), 5).killed_by is None
    assert toy not in sys.modules


def test_a_change_is_noticed_by_a_test_that_looks(toy: str) -> None:
    found = run_trial(toy, change("w * h -> w / h").source, asking("area(2, 3) == 6"), 5)
    assert found.killed_by == "question: no"


@pytest.mark.parametrize("toothless", ["True", "area(1, 1) == 1"])
def test_a_change_survives_tests_without_teeth(toy: str, toothless: str) -> None:
    assert run_trial(toy, change("w * h -> w / h").source, asking(toothless), 5).killed_by is None


def test_an_error_and_the_end_of_the_time_count_as_noticed(toy: str) -> None:
    raised = run_trial(toy, "def area(w, h):\n    return w / 0\n", asking("area(2, 3) == 6"), 5)
    assert raised.killed_by is not None and "ZeroDivisionError" in raised.killed_by
    late = run_trial(toy, "def area(w, h):\n    while True: pass\n", asking("area(2, 3) == 6"), 0)
    assert late.killed_by == "question: out of time"
    assert run_trial(toy, "1 / 0", asking("True"), 5).killed_by == "import: ZeroDivisionError: division by zero"


def test_who_rests_on_a_module() -> None:
    late = resting_on("derivations.elbo", ROOT)
    assert {"derivations.elbo", "derivations.ledger", "numerics.layers.exact", "collapse.cli"} <= late
    assert not {"derivations.notation", "derivations.proof", "numerics.objective"} & late
    assert "numerics.evidence" in resting_on("numerics.observables.minima", ROOT)


@pytest.mark.slow
def test_a_sample_of_a_fast_module(tmp_path: Path) -> None:
    """The tool as `make mutation` runs it."""
    command = [sys.executable, str(ROOT / "tests" / "mutation"), "--module", "numerics.oracle", "--sample", "3"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    run = subprocess.run(
        [*command, "--results", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment
    )
    assert "numerics.oracle: 3 of" in run.stdout, run.stdout + run.stderr
    result = load("numerics.oracle", tmp_path)
    assert result.tried == 3 and result.killed >= 2 and sum(result.killers.values()) == result.killed


# -------------------------------------------------------------------------------------------- the report
def test_a_result_is_kept_and_shown(tmp_path: Path) -> None:
    result = Result("numerics.oracle", 40, 10, 3, (Survivor("f", "a -> b", 7),), {"pytest": 9})
    store(result, tmp_path)
    assert load("numerics.oracle", tmp_path) == result and result.score == 0.9
    shown = markdown([result], ["numerics.objective"])
    assert "**9 of 10** changes tried are noticed, **90.0%**; each" in shown and "line 7, `f`: `a -> b`" in shown
    assert "**unexplained**" in shown and "| 40 | 10 (seed 3) | 9 | 1 | 90.0% |" in shown
    assert "Not tried yet: numerics.objective.\n" in shown and "Not tried" not in markdown([result], [])
    assert "numerics.oracle" not in untried([result]) and "numerics.objective" in untried([result])


def test_a_result_is_stale_once_the_code_is_another(tmp_path: Path) -> None:
    source = (ROOT / "numerics" / "oracle.py").read_text(encoding="utf-8")
    assert digest(source) == digest(f"# a comment\n{source}\n\n") != digest(source.replace("+ points", "- points"))
    assert not is_current("numerics.oracle", ROOT, tmp_path)
    for code, current in ((digest(source), True), (digest(TOY), False), ("", False)):
        store(Result("numerics.oracle", 40, 10, 3, (), {}, code), tmp_path)
        assert is_current("numerics.oracle", ROOT, tmp_path) is current


def test_a_module_counts_by_how_many_changes_it_has() -> None:
    survivor = Survivor("f", "a -> b", 7)
    whole, half = Result("a", 30, 10, 0, (), {}), Result("b", 10, 2, 0, (survivor,), {})
    assert estimate([whole, half]) == (30 + 5) / 40


def test_the_report_is_current_and_every_survivor_explained() -> None:
    found = results()
    assert found and REPORT.read_text(encoding="utf-8") == markdown(found, untried(found)), (
        "run `make mutation`, or with --report"
    )
    assert [each for result in found for each in result.survivors if result.explanation(each) is None] == []
    assert estimate(found) >= BAR


def test_explanations_are_of_survivors() -> None:
    survived = {(result.module, each.where, each.what) for result in results() for each in result.survivors}
    assert EXPLAINED.keys() <= survived
    assert all(len(text) > 20 for text in EXPLAINED.values())


def test_plans_are_of_modules_that_exist_and_name_tests_that_exist() -> None:
    assert PLANS.keys() <= modules(ROOT).keys()
    for plan in PLANS.values():
        assert plan.claims or plan.tests
        assert all((ROOT / test.split(" ")[0]).is_file() for test in plan.tests)


def test_every_module_has_a_plan_or_a_reason_to_have_none() -> None:
    packages = {"derivations", "numerics", "numerics.layers", "numerics.observables"}
    for name in packages:
        (statement,) = ast.parse(modules(ROOT)[name].read_text(encoding="utf-8")).body
        assert isinstance(statement, ast.Expr), f"{name} says more than what it is"
    known = {name for name in modules(ROOT) if not name.startswith("collapse")} - packages
    assert known - PLANS.keys() == WITHOUT_MATHEMATICS.keys()
    assert len(WITHOUT_MATHEMATICS) < 10 and all(len(reason) > 20 for reason in WITHOUT_MATHEMATICS.values())
