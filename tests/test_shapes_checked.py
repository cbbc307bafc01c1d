"""The jaxtyping hook of conftest.py is at work: a wrong shape or dtype raises in the checked packages."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import jaxtyping
import numpy as np
import pytest

PROBE = """
import numpy as np
from jaxtyping import Float64

def trace(square: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, ""]:
    return np.asarray(np.trace(square))
"""


@pytest.fixture(params=["numerics", "collapse"])
def probe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that lives in a checked package for the length of one test."""
    (tmp_path / "shape_probe.py").write_text(PROBE)
    package = importlib.import_module(request.param)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    yield importlib.import_module(f"{request.param}.shape_probe")
    del sys.modules[f"{request.param}.shape_probe"], package.shape_probe


def test_right_shape_passes(probe: ModuleType) -> None:
    assert probe.trace(np.eye(3)) == 3


def test_wrong_shape_raises(probe: ModuleType) -> None:
    with pytest.raises(jaxtyping.TypeCheckError, match="square"):
        probe.trace(np.ones((2, 3)))


def test_wrong_dtype_raises(probe: ModuleType) -> None:
    with pytest.raises(jaxtyping.TypeCheckError, match="square"):
        probe.trace(np.eye(3, dtype=np.float32))
