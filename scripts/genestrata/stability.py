"""Stability of feature selection: Nogueira, Sechidis and Brown 2018, JMLR 18(174)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def nogueira(selected: np.ndarray) -> dict[str, Any]:
    """Stability index of M selections of d features with its 95 % interval.

    selected : (M, d) bool, M >= 2. The index is 1 for identical sets and about 0 for random ones, whatever their size;
    None where it is undefined (fewer than two sets, or all or no features selected).
    """
    Z = np.asarray(selected, dtype=float)
    M, d = Z.shape
    size = Z.sum(axis=1)
    mean_size = size.mean() if M else 0.0
    spread = mean_size / d * (1 - mean_size / d)
    if M < 2 or spread == 0:
        return {"index": None, "ci95": [None, None], "sets": M, "mean_size": float(mean_size)}
    frequency = Z.mean(axis=0)
    index = 1 - (M / (M - 1) * frequency * (1 - frequency)).mean() / spread
    parts = (
        Z @ frequency / d
        - size * mean_size / d**2
        + index / 2 * (2 * size * mean_size / d**2 - size / d - mean_size / d + 1)
    ) / spread
    error = np.sqrt(4 / M**2 * ((parts - parts.mean()) ** 2).sum())
    return {
        "index": float(index),
        "ci95": [float(index - 1.96 * error), float(min(1.0, index + 1.96 * error))],
        "sets": M,
        "mean_size": float(mean_size),
    }


def nogueira_of_sets(sets: Sequence[Iterable[str]], features: Sequence[str]) -> dict[str, Any]:
    """Stability index of sets of feature names out of all `features`."""
    position = {name: place for place, name in enumerate(features)}
    selected = np.zeros((len(sets), len(features)), dtype=bool)
    for row, names in enumerate(sets):
        selected[row, [position[name] for name in names]] = True
    return nogueira(selected)
