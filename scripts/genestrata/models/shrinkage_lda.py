"""Linear discriminant analysis with a shrunken covariance: Ledoit and Wolf 2004, J. Multivariate Analysis 88:365."""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {"shrinkage": ["auto"]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with equal priors, so that rare classes count as much as common ones; deterministic."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    n_classes = len(np.unique(y))
    return LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(n_classes, 1 / n_classes), **parameters).fit(X, y)
