"""Nearest shrunken centroids (PAM): Tibshirani et al. 2002, PNAS 99:6567."""

import warnings
from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE = {"shrink_threshold": [0.5, 1.0, 2.0, 4.0]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with equal priors; deterministic."""
    from sklearn.neighbors import NearestCentroid

    with warnings.catch_warnings():
        # Genes that are constant within the classes are met below.
        warnings.simplefilter("ignore")
        if len(X) == len(np.unique(y)):
            # One sample per class leaves no spread to shrink by or divide by.
            model = NearestCentroid(priors="uniform").fit(X, y)
            model.within_class_std_dev_ = np.ones(X.shape[1])
            return model
        model = NearestCentroid(priors="uniform", **parameters).fit(X, y)
    # A gene without any spread (floored values) has no defined deviation: shrink it away entirely.
    model.centroids_ = np.where(np.isfinite(model.centroids_), model.centroids_, X.mean(axis=0))
    # The paper divides by s_i + s_0 in the discriminant too, not only in the shrinkage as scikit-learn does; without
    # s_0 a gene that is constant within the classes decides alone.
    model.within_class_std_dev_ = model.within_class_std_dev_ + np.median(model.within_class_std_dev_)
    return model
