"""The application: the audit of the paper's claims, and predictions for a person's own data.

from collapse import diagnose, predict
"""

from __future__ import annotations

from typing import Any

__all__ = ["diagnose", "predict"]


def __getattr__(name: str) -> Any:
    """`predict` and `diagnose`, imported when first asked for: the command line starts without them."""
    if name == "predict":
        from collapse.prediction import predict

        return predict
    if name == "diagnose":
        from collapse.diagnosis import diagnose

        return diagnose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
