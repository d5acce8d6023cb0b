"""Errors on a cycle of classes, where the last class borders on the first."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genestrata.metrics import TestPredictions


def cyclic_distance(true: np.ndarray, predicted: np.ndarray, length: int) -> np.ndarray:
    """Steps along a cycle of `length` classes between two of them, the shorter way: (n,) int from 0 to length // 2."""
    apart = np.abs(true - predicted)
    return np.minimum(apart, length - apart)


def cyclic_error(
    repeats: Sequence[TestPredictions], place: np.ndarray, length: int, weights: np.ndarray
) -> dict[str, Any]:
    """Mean cyclic distance of all calls and of the wrong ones, and the share of calls at most one step away.

    place : (n_classes,) int, place of each class on the cycle of `length` classes; weights : (n_draws, n_samples)
    bootstrap counts. The mean distance has a 95 % interval.
    """
    ones = np.ones((1, weights.shape[1]))
    distances = [cyclic_distance(place[part.codes], place[part.predicted], length) for part in repeats]

    def mean(draws: np.ndarray) -> np.ndarray:
        parts = zip(distances, repeats, strict=True)
        return np.mean([draws[:, p.samples] @ d / draws[:, p.samples].sum(axis=1) for d, p in parts], axis=0)

    wrong = np.concatenate([d[d > 0] for d in distances])
    return {
        "mean_steps": {"value": float(mean(ones)[0]), "ci95": np.percentile(mean(weights), [2.5, 97.5]).tolist()},
        "mean_steps_of_errors": float(wrong.mean()) if len(wrong) else None,
        "within_one_step": float(np.mean([np.mean(d <= 1) for d in distances])),
    }
