"""What the tests of this folder share, and the path to the helpers beside them: pytest's importlib mode leaves it alone."""

import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 8 instances in `collapse falsify`."""
    from collapse import falsify

    monkeypatch.setattr(falsify, "BLOCK", 8)


@pytest.fixture
def pool() -> Iterator[Executor]:
    """One thread that does what processes would."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
