"""The rule "a gene belongs to the time at which it is highest": what any model of peak phases must be compared with."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {}
READS = "series"


class PeakTimeClassifier:
    """Class frequencies of the training rows that have their maximum at a time point, (n_times, n_classes)."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "PeakTimeClassifier":
        """X : (n, n_times) as measured, NaN for missing; y : (n,) int. A time at which none peaks has the shares of
        all."""
        self.classes_ = np.unique(y)
        overall = np.array([np.mean(y == label) for label in self.classes_])
        peak = peak_columns(X)
        counts = np.stack([np.bincount(peak[y == label], minlength=X.shape[1]) for label in self.classes_], axis=1)
        # One gene's worth of doubt.
        self.shares = (counts + overall) / (counts.sum(axis=1, keepdims=True) + 1)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_classes)."""
        return self.shares[peak_columns(X)]


def peak_columns(X: np.ndarray) -> np.ndarray:
    """Column of the largest value of each row, the first of equals, (n,) int."""
    return np.where(np.isnan(X), -np.inf, X).argmax(axis=1)


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Count; deterministic."""
    return PeakTimeClassifier().fit(X, y)
