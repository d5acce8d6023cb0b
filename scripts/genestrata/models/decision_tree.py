"""A single decision tree, small enough to be drawn and read."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE = {"max_depth": [1, 2, 4], "min_samples_leaf": [1, 3]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit by the Gini criterion with balanced class weights; `seed` breaks ties between genes."""
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(class_weight="balanced", random_state=seed, **parameters).fit(X, y)
