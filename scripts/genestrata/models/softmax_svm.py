"""Support vector machines with class probabilities."""

import numpy as np
from scipy.special import softmax
from sklearn.svm import SVC, LinearSVC


class SoftmaxMargins:
    """Margins of one class against the rest, through a softmax, as uncalibrated probabilities."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the margins, (n_samples, n_classes); their scale is left to the calibration."""
        margins = self.decision_function(X)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins])
        return softmax(margins, axis=1)


class SoftmaxLinearSVC(SoftmaxMargins, LinearSVC):
    """Linear margins."""


class SoftmaxSVC(SoftmaxMargins, SVC):
    """Margins of a kernel; those of pairs of classes are joined to one a class."""
