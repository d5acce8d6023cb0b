"""The meta-learner of the stack: gradient boosting on the probabilities of the base models, Friedman 2001."""

from typing import Any

import numpy as np


def fit(X: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """Fit shallow trees on (n_samples, base models x classes) probabilities.

    Settings are fixed: the training part is small and already used to tune the base models. Equal class weights as in
    the base models.
    """
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.utils.class_weight import compute_sample_weight

    model = GradientBoostingClassifier(
        n_estimators=100, learning_rate=0.05, max_depth=2, subsample=0.8, max_features="sqrt", random_state=seed
    )
    return model.fit(X, y, sample_weight=compute_sample_weight("balanced", y))
