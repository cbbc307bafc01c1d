"""Change the mathematics of derivations/ and numerics/ in small ways, and see whether the tests notice.

    python tests/mutation [--module derivations.elbo ...] [--sample 30] [--seed 0] [--survivors] [--stale] [--report]

Each change is tried in a process of its own, against the checks of its module (plans.py) until one fails. What was found is kept
in results/, one file a module; REPORT.md is written from all of them. Exit code 1: a change survived that nobody explained
(explained.py), or less than 95 % of the changes are noticed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# before torch and pytest are imported
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
os.environ.setdefault("HYPOTHESIS_PROFILE", "reproducible")

from changes import changes, sampled  # noqa: E402
from checks import checks_of  # noqa: E402
from plans import PLANS  # noqa: E402
from report import RESULTS, Result, Survivor, digest, failures, is_current, load, store, write_report  # noqa: E402
from trial import Outcome, modules, preload, run_trial  # noqa: E402

ALLOWANCE = 4
"""How many times as long as the unchanged module a changed one may take, and five seconds more."""


def prepare() -> None:
    """Import what every trial needs, and do what tests/conftest.py does."""
    import runpy

    import flint  # noqa: F401
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import scipy.linalg
    import scipy.optimize  # noqa: F401
    import sympy  # noqa: F401
    import torch  # noqa: F401

    sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / package) for package in ("derivations", "numerics", "collapse"))]
    os.chdir(ROOT)
    runpy.run_path(str(ROOT / "tests" / "conftest.py"))


def measure(target: str, most: int | None, seed: int, again: Result | None = None) -> Result:
    """Try the changes of one module, or only those that survived before; the unchanged module must pass, before and after."""
    source = modules(ROOT)[target].read_text(encoding="utf-8")
    found = [change for change in changes(source) if change.where not in PLANS[target].draws]
    chosen = sampled(found, most, f"{seed}:{target}")
    if again is not None:
        names = {(each.where, each.what) for each in again.survivors}
        chosen = [change for change in found if (change.where, change.what) in names]
    preload(target, ROOT)
    warm()
    checks = list(checks_of(PLANS[target]))
    before = run_trial(target, None, checks, 600)
    if before.killed_by is not None:
        raise SystemExit(f"{target}, unchanged, fails its checks: {before.killed_by}")
    print(f"{target}: {len(chosen)} of {len(found)} changes, {before.seconds:.1f} s each at most", flush=True)
    survivors, killers = [], {} if again is None else dict(again.killers)
    for number, change in enumerate(chosen, 1):
        outcome = run_trial(target, change.source, checks, ALLOWANCE * before.seconds + 5)
        if outcome.killed_by is None:
            survivors.append(Survivor(change.where, change.what, change.line))
        else:
            killer = outcome.killed_by.partition(": ")[0]
            killers[killer] = killers.get(killer, 0) + 1
        show(number, len(chosen), change.line, change.where, change.what, outcome)
    after = run_trial(target, None, checks, 600)
    if after.killed_by is not None:
        raise SystemExit(f"{target}, unchanged, fails its checks in the end: {after.killed_by}")
    # a survivor that the code no longer has was not noticed, and is not tried any more
    tried = len(chosen) if again is None else again.tried - len(again.survivors) + len(chosen)
    if again is not None:  # these are of the draw, and of the code, that were tried the last time
        return replace(again, changes=len(found), tried=tried, survivors=tuple(survivors), killers=killers)
    drawn = seed if tried < len(found) else None
    return Result(target, len(found), tried, drawn, tuple(survivors), killers, digest(source))


def warm() -> None:
    """Build the instances that are the same for every trial, where they do not rest on the changed module."""
    for module, names in {
        "derivations.instances": ("instances",),
        "derivations.exact_data": ("data_instances",),
    }.items():
        for name in names if module in sys.modules else ():
            getattr(sys.modules[module], name)()


def show(number: int, total: int, line: int, where: str, what: str, outcome: Outcome) -> None:
    fate = f"killed by {outcome.killed_by}" if outcome.killed_by else "SURVIVED"
    print(f"  {number}/{total} line {line} {where}: {what}\n      {fate} ({outcome.seconds:.1f} s)", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", action="append", choices=sorted(PLANS), help="this module; can be repeated")
    parser.add_argument("--sample", type=int, help="at most so many changes a module, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--survivors", action="store_true", help="only what survived the last time")
    parser.add_argument(
        "--stale", action="store_true", help="only modules whose code is not what was tried the last time"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are kept")
    parser.add_argument("--report", action="store_true", help="write the report anew from what is kept; try nothing")
    options = parser.parse_args()
    names = options.module or list(PLANS)
    if options.stale:
        names = [name for name in names if not is_current(name, ROOT, options.results)]
        print("\n".join(("to be tried:", *names)), flush=True)
    if not options.report:
        prepare()
        for name in names:
            began = time.monotonic()
            # a process each: what one module's trials may have imported beforehand, another's may not
            child = os.fork()
            if child == 0:
                try:
                    again = load(name, options.results) if options.survivors else None
                    result = measure(name, options.sample, options.seed, again)
                    store(result, options.results)
                    print(f"{name}: {result.score:.1%} in {time.monotonic() - began:.0f} s", flush=True)
                except SystemExit as stop:
                    print(stop, flush=True)
                    os._exit(1)
                except BaseException:
                    import traceback

                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                return 1
    if options.results == RESULTS:
        write_report()
    wrong = failures(ROOT, options.results)
    print("\n".join(wrong) or "every survivor is explained")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
