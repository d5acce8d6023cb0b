"""Random forest: Breiman 2001, Machine Learning 45:5."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {
    "n_estimators": [300],
    "max_features": ["sqrt"],
    "min_samples_leaf": [1],
    "max_depth": [None],
}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with balanced class weights; the same `seed` gives the same forest whatever `threads` is."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(class_weight="balanced", random_state=seed, n_jobs=threads, **parameters)
    model.fit(X, y)
    # Starting threads costs more than predicting a few rows.
    return model.set_params(n_jobs=1)
