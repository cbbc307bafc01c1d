"""README's table of findings is what `collapse errata` finds."""

from pathlib import Path

import pytest

from collapse.errata import Errata, collect_errata
from collapse.report.errata import BEGIN, END, markdown
from collapse.workers import Idle
from derivations.ledger import CLAIMS

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def errata() -> Errata:
    return collect_errata(CLAIMS, Idle())


@pytest.mark.slow
def test_every_entry_is_refuted_as_printed_and_proved_as_corrected(errata: Errata) -> None:
    assert len(errata.entries) == sum(claim.corrected is not None for claim in CLAIMS) > 0
    assert errata.failures() == {}


@pytest.mark.slow
def test_the_table_is_current(errata: Errata) -> None:
    _, begin, rest = README.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    table, end, _ = rest.partition(END)
    assert begin and end
    assert table == markdown(errata), "run `make readme`"
