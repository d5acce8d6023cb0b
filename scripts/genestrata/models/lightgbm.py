"""Gradient boosting with histograms and leaf-wise trees, LightGBM: Ke et al. 2017, NeurIPS."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext
from genestrata.models.lightgbm_trees import LightGBMTrees

SEARCH_SPACE: dict[str, list[Any]] = {
    "n_estimators": [100],
    "num_leaves": [7],
    "learning_rate": [0.1],
    "colsample_bytree": [0.1],
    "min_child_samples": [2],
}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> LightGBMTrees:
    """Fit with balanced class weights; the same `seed` gives the same trees whatever `threads` is."""
    import lightgbm
    from sklearn.utils.class_weight import compute_sample_weight

    n_classes = int(y.max()) + 1
    settings = dict(parameters)
    rounds = settings.pop("n_estimators")
    settings |= {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    # The default of 3 rows a bin would join the only two rows of a small class with another one.
    settings["min_data_in_bin"] = 1
    settings |= {"deterministic": True, "force_col_wise": True, "seed": seed, "num_threads": threads, "verbosity": -1}
    rows = lightgbm.Dataset(X, y, weight=compute_sample_weight("balanced", y), params=settings)
    return LightGBMTrees(lightgbm.train(settings, rows, rounds), n_classes)
