"""Gradient-boosted trees: Chen and Guestrin 2016, KDD."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {
    "n_estimators": [150],
    "max_depth": [2],
    "learning_rate": [0.1],
    "subsample": [0.8],
    "colsample_bytree": [0.3],
    "min_child_weight": [1.0],
    "reg_lambda": [1.0],
}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with balanced sample weights; the same `seed` and `threads` give the same trees."""
    from sklearn.utils.class_weight import compute_sample_weight
    from xgboost import XGBClassifier

    model = XGBClassifier(random_state=seed, n_jobs=threads, tree_method="hist", **parameters)
    return model.fit(X, y, sample_weight=compute_sample_weight("balanced", y))
