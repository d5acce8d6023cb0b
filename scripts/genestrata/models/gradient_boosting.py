"""The meta-learner of the stack: gradient-boosted trees (Friedman 2001) that correct a pool of the base models.

The pool is log-linear (Genest and Zidek 1986, Statistical Science 1:114): a weighted sum of log probabilities.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from genestrata.calibration import SMALLEST_PROBABILITY, fit_temperature

# Cautious: the training part is small, and the pool that the trees start from is a good model already. Ten trees grown
# in parallel on other rows and columns stand for one.
TREES = {
    "n_estimators": 20,
    "num_parallel_tree": 10,
    "max_depth": 2,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bynode": 0.3,
    "reg_lambda": 10.0,
}
# How strongly the weights are drawn to those of the plain mean of the calibrated models.
SHRINKAGE = 0.03


class BoostedPool:
    """Trees on top of a log-linear pool of the base models.

    trees : XGBClassifier; weights : (n_models,) float; class_codes : columns of the classes that occurred
    """

    def __init__(self, trees: Any, weights: np.ndarray, class_codes: list[int]):
        self.trees, self.weights, self.class_codes = trees, weights, class_codes
        self.classes_ = np.arange(len(class_codes))

    def save_model(self, path: Any) -> None:
        """Write the trees as XGBoost does; the weights are for the caller to keep."""
        self.trees.save_model(path)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) from those of the base models, (n_samples, base models x classes)."""
        start = pool(log_probabilities(X, len(self.weights))[:, :, self.class_codes], self.weights)
        return self.trees.predict_proba(X, base_margin=as_margin(start)).astype(float)


def log_probabilities(X: np.ndarray, n_models: int) -> np.ndarray:
    """Logarithms (n_samples, n_models, n_classes) of probabilities (n_samples, n_models x n_classes)."""
    return np.log(np.clip(X, SMALLEST_PROBABILITY, None)).reshape(len(X), n_models, -1)


def pool(logs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of log probabilities: (n_samples, n_models, n_classes) to (n_samples, n_classes)."""
    return np.einsum("smc,m->sc", logs, weights)


def as_margin(logs: np.ndarray) -> np.ndarray:
    """What XGBoost starts from: one column a class, for two classes the difference, (n_samples,)."""
    return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs


def fit_weights(logs: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    """Weights of at least 0, (n_models,), that minimise the weighted log loss of the pool; deterministic.

    logs : (n_samples, n_models, n_classes); y : (n_samples,) int. They are drawn to the mean of the models, each
    calibrated by its temperature, so that few samples cannot give all weight to one model.
    """
    rows, n_models = np.arange(len(y)), logs.shape[1]
    temperatures = [fit_temperature(np.exp(logs[:, number]), y) for number in range(n_models)]
    plain = 1 / np.array(temperatures) / n_models
    truth = np.eye(logs.shape[2])[y]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_pooled = log_softmax(pool(logs, weights), axis=1)
        residual = sample_weight[:, None] * (np.exp(log_pooled) - truth)
        away = weights / plain - 1
        value = -(sample_weight * log_pooled[rows, y]).mean() + SHRINKAGE * (away**2).mean()
        gradient = np.einsum("sc,smc->m", residual, logs) / len(y) + 2 * SHRINKAGE * away / plain / n_models
        return value, gradient

    return minimize(loss, plain, jac=True, method="L-BFGS-B", bounds=[(0, None)] * n_models).x


def fit(X: np.ndarray, codes: np.ndarray, n_models: int, seed: int) -> BoostedPool:
    """Fit the weights of the pool, then the trees; both on the same rows and with equal class weights.

    X : (n_samples, n_models x n_classes) probabilities; codes : (n_samples,) int, the column of the true class.
    Settings are fixed: the training part is small and already used to tune the base models.
    """
    from sklearn.utils.class_weight import compute_sample_weight
    from xgboost import XGBClassifier

    present, y = np.unique(codes, return_inverse=True)
    logs = log_probabilities(X, n_models)[:, :, present]
    sample_weight = compute_sample_weight("balanced", y)
    weights = fit_weights(logs, y, sample_weight)
    trees = XGBClassifier(random_state=seed, n_jobs=1, tree_method="hist", **TREES)
    trees.fit(X, y, sample_weight=sample_weight, base_margin=as_margin(pool(logs, weights)))
    return BoostedPool(trees, weights, present.tolist())
