"""Linear discriminant analysis with a shrunken covariance: Ledoit and Wolf 2004, J. Multivariate Analysis 88:365."""

from typing import Any

import numpy as np

from genestrata.errors import InputError
from genestrata.models.context import NO_CONTEXT, FitContext

SEARCH_SPACE: dict[str, list[Any]] = {"shrinkage": ["auto"]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit with equal priors, so that rare classes count as much as common ones; deterministic.

    Raises InputError where no class has two samples, which leaves no covariance within classes.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    n_classes = len(np.unique(y))
    if len(y) <= n_classes:
        raise InputError(
            f"models: shrinkage_lda: a part to fit on has one sample of each of its {n_classes} classes; it needs two "
            "of some: leave it out of `models`, or ask for more inner folds; networks take their number of genes from "
            "linear_svm instead if `models` lists it"
        )
    return LinearDiscriminantAnalysis(solver="lsqr", priors=np.full(n_classes, 1 / n_classes), **parameters).fit(X, y)
