"""The version of the JSON documents' schema, and of all that their contents depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

SCHEMA_VERSION = 1
PACKAGES = ("posterior-collapse", "sympy", "python-flint", "numpy", "scipy", "torch", "scikit-learn")


def versions() -> dict[str, str]:
    """The versions that the results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
