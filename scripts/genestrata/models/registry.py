"""The registry of models: what the workflow knows of a model without importing it.

A new model is one entry here and one file of the same name beside this one; see the package docstring for what the file
offers. Jobs that train do not read the registry, so a new entry re-trains nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelEntry:
    """Title for people, and how SHAP explains the model: from its coefficients, its trees, or not at all."""

    title: str
    explainer: str | None = None


REGISTRY = {
    "majority": ModelEntry("Majority class"),
    "logistic_regression": ModelEntry("Logistic regression", explainer="linear"),
    "linear_svm": ModelEntry("Linear SVM", explainer="linear"),
    "nearest_shrunken_centroids": ModelEntry("Nearest shrunken centroids"),
    "decision_tree": ModelEntry("Decision tree", explainer="tree"),
    "random_forest": ModelEntry("Random forest", explainer="tree"),
    "xgboost": ModelEntry("XGBoost", explainer="tree"),
}


def model_title(name: str) -> str:
    """Name of a model for people; the stack is one too."""
    return "Stack" if name == "stack" else REGISTRY[name].title
