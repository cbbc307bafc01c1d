"""Where the time of `collapse audit` goes, stage by stage, in one process.

Seconds of one core; without MNIST, unless COLLAPSE_DATA names its folder. Before the fast route, all minima took the plain one: the
table has both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sections import put

from collapse.decisions import judge
from collapse.judgement import examine, examine_without_descent
from derivations.ledger import CLAIMS
from numerics.evidence import descend_for, layers_of
from numerics.layers import descent
from numerics.layers.descent import DescentLayer

SEED = 0
TITLE = "### Stages of the audit"


def stages() -> list[tuple[str, float]]:
    """Each stage with its seconds."""
    tried = [claim for claim in CLAIMS if "descent" in layers_of(claim)]

    def layer(name: str) -> None:
        for claim in CLAIMS:
            if name in layers_of(claim):
                examine_without_descent(claim.id, name, SEED)

    found = [
        ("derivations: statements, mutants, assumptions", _seconds(lambda: [judge(claim.id) for claim in CLAIMS])),
        ("exact layer", _seconds(lambda: layer("exact"))),
        ("numeric layer", _seconds(lambda: layer("numeric"))),
    ]
    fast = DescentLayer(SEED)
    found.append(
        ("descent: random instances by the fast route, a sample by the plain", _seconds(lambda: _volume(fast)))
    )
    found.append(("descent: what else the claims ask for", _seconds(lambda: descend_for(tried, fast))))
    compare = _seconds(lambda: [examine(claim, fast) for claim in tried])
    found.append(("descent: comparing, real data included", compare))
    descent.SAMPLE = 1  # every instance is of the sample
    plain = _seconds(lambda: _volume(DescentLayer(SEED)))
    return [*found, ("for comparison: all random instances by the plain route", plain)]


def _volume(layer: DescentLayer) -> None:
    for problems in [*layer._random.values(), layer._decoders]:
        layer.descend(problems)


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def table() -> str:
    """A Markdown table with shares of the audit."""
    found = stages()
    whole = sum(seconds for _, seconds in found[:-1])
    lines = [TITLE, "", "| stage | s of one core | share |", "| --- | ---: | ---: |"]
    for name, seconds in found[:-1]:
        lines.append(f"| {name} | {seconds:.1f} | {100 * seconds / whole:.0f} % |")
    name, seconds = found[-1]
    lines.append(f"| {name} | {seconds:.1f} | {seconds / found[3][1]:.2f} times as long |")
    return "\n".join(lines)


def main() -> None:
    """Measure anew, and put the table into README.md in the place of the one that is there."""
    put(Path(__file__).parent / "README.md", TITLE, table())


if __name__ == "__main__":
    main()
