"""Multinomial logistic regression with an L2 penalty and balanced class weights."""

from typing import Any

import numpy as np

SEARCH_SPACE = {"C": [0.01, 0.1, 1.0]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, groups: np.ndarray | None = None
) -> Any:
    """Fit by L-BFGS; deterministic."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(class_weight="balanced", max_iter=2000, **parameters).fit(X, y)
