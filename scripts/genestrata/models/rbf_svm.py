"""Support vector machine with a radial kernel: Cortes and Vapnik 1995, Machine Learning 20:273."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {"C": [1.0, 3.0, 10.0], "gamma": ["scale"], "class_weights": ["balanced"]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with class weights balanced or none; deterministic."""
    from genestrata.models.softmax_svm import SoftmaxSVC

    weights = None if parameters["class_weights"] == "none" else parameters["class_weights"]
    return SoftmaxSVC(C=parameters["C"], gamma=parameters["gamma"], class_weight=weights).fit(X, y)
