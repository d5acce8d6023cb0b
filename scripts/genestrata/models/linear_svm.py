"""Linear support vector machine, one class against the rest, with balanced class weights."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE = {"C": [0.001, 0.01, 0.1]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit in the dual, which has one variable per sample; `seed` orders the coordinate descent."""
    from genestrata.models.softmax_svm import SoftmaxLinearSVC

    model = SoftmaxLinearSVC(class_weight="balanced", dual=True, max_iter=20_000, random_state=seed, **parameters)
    return model.fit(X, y)
