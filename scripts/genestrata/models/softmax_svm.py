"""A linear support vector machine with class probabilities."""

import numpy as np
from scipy.special import softmax
from sklearn.svm import LinearSVC


class SoftmaxLinearSVC(LinearSVC):
    """LinearSVC whose margins, through a softmax, serve as uncalibrated probabilities."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the margins, (n_samples, n_classes); their scale is left to the calibration."""
        margins = self.decision_function(X)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        return softmax(margins, axis=1)
