"""The registry of models: what the workflow knows of a model without importing it.

A new model is one entry here and one file of the same name beside this one; see the package docstring for what the file
offers. Jobs that train do not read the registry, so a new entry re-trains nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelEntry:
    """Title for people; how SHAP explains the model: from its coefficients, trees or gradients, or not at all; whether
    it is a network, trained by the rule for GPUs; the only task that it can do, None for any."""

    title: str
    explainer: str | None = None
    deep: bool = False
    task: str | None = None


REGISTRY = {
    "majority": ModelEntry("Majority class"),
    "logistic_regression": ModelEntry("Logistic regression", explainer="linear"),
    "shrinkage_lda": ModelEntry("Shrinkage LDA", explainer="linear"),
    "linear_svm": ModelEntry("Linear SVM", explainer="linear"),
    "rbf_svm": ModelEntry("SVM, radial kernel"),
    "nearest_shrunken_centroids": ModelEntry("Nearest shrunken centroids"),
    "decision_tree": ModelEntry("Decision tree", explainer="tree"),
    "random_forest": ModelEntry("Random forest", explainer="tree"),
    "xgboost": ModelEntry("XGBoost", explainer="tree"),
    "lightgbm": ModelEntry("LightGBM", explainer="tree"),
    "fourier_phase": ModelEntry("Fourier phase", task="time_series"),
    "peak_time": ModelEntry("Peak time (rule)", task="time_series"),
    "kmer_logistic_regression": ModelEntry("k-mer logistic regression", explainer="linear", task="sequence"),
    "kmer_svm": ModelEntry("k-mer SVM", explainer="linear", task="sequence"),
    "kmer_xgboost": ModelEntry("k-mer XGBoost", explainer="tree", task="sequence"),
    "kmer_nearest": ModelEntry("Nearest neighbours by k-mers", task="sequence"),
    "dense": ModelEntry("Dense network", explainer="gradient", deep=True),
    "cnn": ModelEntry("CNN", explainer="gradient", deep=True),
    "cnn_2d": ModelEntry("2-D CNN", explainer="gradient", deep=True),
    "lstm": ModelEntry("LSTM", explainer="gradient", deep=True),
    "cnn_bilstm": ModelEntry("CNN-BiLSTM", explainer="gradient", deep=True, task="time_series"),
    "bilstm": ModelEntry("BiLSTM", explainer="gradient", deep=True, task="sequence"),
}
# Networks take their number of genes from the inner score of the first of these that a study lists: cheap models that,
# like them, use every gene they are given (nearest shrunken centroids, as cheap, drops genes itself and so bears more
# of them). The second is for parts to fit on with one sample of each class, which hold no covariance to estimate.
SIZE_GUIDES = ("shrinkage_lda", "linear_svm")


def model_title(name: str) -> str:
    """Name of a model for people; the stack is one too."""
    return "Stack" if name == "stack" else REGISTRY[name].title
