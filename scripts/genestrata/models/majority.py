"""The baseline that every model must beat: always the commonest class of the training rows."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Predict the class frequencies of the training rows for every sample."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior").fit(X, y)
