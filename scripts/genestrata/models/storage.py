"""Saving fitted models as files that cannot run code: skops for scikit-learn, UBJ for XGBoost, the rest as JSON."""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genestrata.errors import InputError
from genestrata.files import atomic_path, read_json, write_json

# Types outside skops' own list that our models are made of; everything else in a file is refused. A tree is trusted
# only because `_check_tree` then looks at the node indices that scikit-learn follows without a bounds check.
TRUSTED_TYPES = ["genestrata.models.softmax_svm.SoftmaxLinearSVC", "sklearn.tree._tree.Tree"]
# skops knows every estimator of scikit-learn, and some of them hold trees where `load_skops` would not look.
ESTIMATORS = {
    "DummyClassifier",
    "LogisticRegression",
    "SoftmaxLinearSVC",
    "NearestCentroid",
    "DecisionTreeClassifier",
    "RandomForestClassifier",
    "GradientBoostingClassifier",
}
TREES = {"DecisionTreeClassifier", "DecisionTreeRegressor"}


@dataclass
class FittedModel:
    """A fitted model with all that turns raw rows into class probabilities.

    features : k names, in the order of the model's columns; mean, scale : (k,) float64 of the training rows
    classes : labels in the order of the probability columns; class_codes : codes that occurred in training
    settings : chosen k and parameters
    """

    estimator: Any
    features: list[str]
    mean: np.ndarray
    scale: np.ndarray
    classes: list[str]
    class_codes: list[int]
    settings: dict[str, Any] = field(default_factory=dict)

    def standardise(self, X: np.ndarray) -> np.ndarray:
        """Scale (n_samples, k) raw values with the training statistics; a missing value becomes the training mean."""
        return standardise(X, self.mean, self.scale)

    def predict_standardised(self, Z: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) from standardised values; a class unseen in training gets 0."""
        probabilities = np.zeros((len(Z), len(self.classes)))
        probabilities[:, self.class_codes] = self.estimator.predict_proba(Z)
        return probabilities

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) from raw values of `features`, (n_samples, k)."""
        return self.predict_standardised(self.standardise(X))

    def save(self, stem: Path) -> int:
        """Write `<stem>.skops` or `<stem>.ubj` and `<stem>.json`; returns their size in bytes."""
        path = stem.with_name(stem.name + _suffix(self.estimator))
        with atomic_path(path) as temporary:
            if path.suffix == ".ubj":
                self.estimator.save_model(temporary)
            else:
                save_skops(self.estimator, temporary)
        description = {
            "file": path.name,
            "features": self.features,
            "mean": self.mean,
            "scale": self.scale,
            "classes": self.classes,
            "class_codes": self.class_codes,
            "settings": self.settings,
        }
        json_path = stem.with_name(stem.name + ".json")
        write_json(description, json_path)
        return path.stat().st_size + json_path.stat().st_size

    @classmethod
    def load(cls, stem: Path) -> "FittedModel":
        """Read what `save` wrote; refuses a file that holds any type outside skops' and our own list."""
        description = read_json(stem.with_name(stem.name + ".json"))
        path = stem.with_name(description.pop("file"))
        if path.suffix == ".ubj":
            from xgboost import XGBClassifier

            estimator = XGBClassifier()
            try:
                estimator.load_model(path)
            except ValueError as error:
                raise InputError(f"{path}: not a readable model file: {error}") from None
            _check_booster(estimator, path)
        else:
            estimator = load_skops(path)
        try:
            description["mean"] = np.asarray(description["mean"], dtype=float)
            description["scale"] = np.asarray(description["scale"], dtype=float)
            return cls(estimator=estimator, **description)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{stem}.json: not the description of a Genestrata model: {error}") from None


def standardise(X: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(X - mean) / scale as float32 with missing values at 0, which is the training mean."""
    with np.errstate(invalid="ignore"):
        Z = ((X - mean) / scale).astype(np.float32)
    return np.nan_to_num(Z, copy=False, nan=0.0)


def save_skops(estimator: Any, path: Path) -> None:
    """Write a scikit-learn estimator as a compressed skops archive."""
    import skops.io

    skops.io.dump(estimator, path, compression=zipfile.ZIP_DEFLATED)


def load_skops(path: Path) -> Any:
    """Read a scikit-learn estimator; raises InputError for a file that is no skops archive or not safe to use."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        estimator = skops.io.load(path, trusted=TRUSTED_TYPES)
    except UntrustedTypesFoundException as error:
        raise InputError(f"{path}: refused, it holds objects that a Genestrata model never holds: {error}") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable model file: {error}") from None
    parts = getattr(estimator, "estimators_", [])
    parts = list(parts.ravel() if isinstance(parts, np.ndarray) else parts)
    start = getattr(estimator, "init_", None)
    known = type(estimator).__name__ in ESTIMATORS and all(type(part).__name__ in TREES for part in parts)
    if not known or type(start).__name__ not in ("NoneType", "DummyClassifier"):
        raise InputError(f"{path}: refused, {type(estimator).__name__} is no model that Genestrata makes")
    for tree in [part.tree_ for part in [estimator, *parts] if hasattr(part, "tree_")]:
        # An ensemble hands its rows to its trees unchecked, so its own number of columns counts.
        _check_tree(tree.children_left, tree.children_right, tree.feature, estimator.n_features_in_, path)
    return estimator


def _check_booster(estimator: Any, path: Path) -> None:
    """`_check_tree` for XGBoost, which reads indices from a file and follows them without a bounds check too."""
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    shape, booster = learner["learner_model_param"], learner["gradient_booster"]
    n_outputs = max(1, int(shape["num_class"]))
    if booster["name"] != "gbtree" or not all(0 <= place < n_outputs for place in booster["model"]["tree_info"]):
        raise InputError(f"{path}: refused, it is no set of trees that Genestrata makes")
    for tree in booster["model"]["trees"]:
        children = [np.array(tree[side]) for side in ("left_children", "right_children")]
        _check_tree(*children, np.array(tree["split_indices"]), int(shape["num_feature"]), path)


def _check_tree(left: np.ndarray, right: np.ndarray, feature: np.ndarray, n_features: int, path: Path) -> None:
    """Raise InputError if a tree points outside its nodes or the columns, or back to an earlier node.

    left, right, feature : (n_nodes,) int; a leaf has -1 as left child.
    """
    inner = np.flatnonzero(left != -1)
    children = np.stack([left[inner], right[inner]])
    if not (
        np.all((children > inner) & (children < len(left)))
        and np.all((feature[inner] >= 0) & (feature[inner] < n_features))
    ):
        raise InputError(f"{path}: refused, a decision tree in it points outside its own nodes or columns")


def _suffix(estimator: Any) -> str:
    return ".ubj" if type(estimator).__module__.startswith("xgboost") else ".skops"
