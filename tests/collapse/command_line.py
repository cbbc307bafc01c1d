"""`collapse` run as a user runs it: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ESCAPE = "\x1b"
COLLAPSE = "thm-1.complete-collapse"
EXTRA = "thm-2.extra-latents"
BY_DERIVATION_AND_EXACTLY = ("--layer", "symbolic", "--layer", "exact")


def environment(**changed: str) -> dict[str, str]:
    """Without what changes how a terminal is written to."""
    dropped = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONHASHSEED")
    return {name: value for name, value in os.environ.items() if name not in dropped} | changed


def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """`collapse` in a process of its own."""
    command = [sys.executable, "-m", "collapse.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changed), capture_output=True, text=True, encoding="utf-8", check=False
    )
