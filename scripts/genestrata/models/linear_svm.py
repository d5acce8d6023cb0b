"""Linear support vector machine, one class against the rest, with balanced class weights."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.svm import LinearSVC

SEARCH_SPACE = {"C": [0.001, 0.01, 0.1]}


class SoftmaxLinearSVC(LinearSVC):
    """LinearSVC whose margins, through a softmax, serve as uncalibrated probabilities."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the margins, (n_samples, n_classes); their scale is left to the calibration."""
        margins = self.decision_function(X)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        return softmax(margins, axis=1)


def fit(X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int) -> SoftmaxLinearSVC:
    """Fit in the dual, which has one variable per sample; `seed` orders the coordinate descent."""
    model = SoftmaxLinearSVC(class_weight="balanced", dual=True, max_iter=20_000, random_state=seed, **parameters)
    return model.fit(X, y)
