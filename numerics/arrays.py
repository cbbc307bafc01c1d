"""Formulas that take NumPy's arrays and torch's tensors alike, by the names that both give to one function."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch

__all__ = ["Array", "ascending", "namespace"]

Array: TypeAlias = Any
"""An array of either, in annotations of shapes."""


def namespace(array: Array) -> Any:
    """The module whose functions take an array: torch, or else numpy."""
    return torch if isinstance(array, torch.Tensor) else np


def ascending(array: Array) -> Array:
    """Its values along the last dimension, in order."""
    return array.sort().values if isinstance(array, torch.Tensor) else np.sort(array)
