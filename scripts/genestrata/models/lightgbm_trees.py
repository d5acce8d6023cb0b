"""Boosted trees of LightGBM as an estimator, and its text file, which is checked before it is read."""

from pathlib import Path
from typing import Any

import numpy as np

from genestrata.errors import InputError


class LightGBMTrees:
    """Boosted trees; booster : lightgbm.Booster of n_classes classes, one output for two of them."""

    def __init__(self, booster: Any, n_classes: int):
        self.booster = booster
        self.classes_ = np.arange(n_classes)

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the trees know."""
        return self.booster.num_feature()

    @property
    def feature_importances_(self) -> np.ndarray:
        """Total gain of each feature's splits, (k,) float64."""
        return self.booster.feature_importance("gain")

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) float64."""
        scores = self.booster.predict(X, num_threads=1)
        return np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores

    def tree_effects(self, X: np.ndarray) -> np.ndarray:
        """TreeSHAP values in log-odds, (n_samples, k, n_classes), of two classes (n_samples, k, 1) of the second."""
        values = self.booster.predict(X, pred_contrib=True, num_threads=1)
        # The last value of each class is the mean of its trees.
        return values.reshape(len(X), -1, X.shape[1] + 1)[:, :, :-1].transpose(0, 2, 1)

    def save(self, path: Path) -> None:
        """Write the trees as LightGBM's text, without the settings of the fit and the places of the trees in it."""
        trees = self.booster.model_to_string().partition("\nparameters:")[0]
        kept = [line for line in trees.split("\n") if not line.startswith("tree_sizes=")]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path, n_classes: int) -> "LightGBMTrees":
        """Read what `save` wrote; raises InputError for anything else."""
        import lightgbm

        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a readable model file: {error}") from None
        check_trees(text, n_classes, path)
        try:
            return cls(lightgbm.Booster(model_str=text), n_classes)
        except lightgbm.basic.LightGBMError as error:
            raise InputError(f"{path}: not a readable model file: {error}") from None


def check_trees(text: str, n_classes: int, path: Path) -> None:
    """Raise InputError unless the text is a model that `LightGBMTrees.save` writes.

    LightGBM follows the indices in it without a bounds check, and jumps to the places of the trees where it names them.
    """
    header, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    try:
        fields = _fields(header)
        outputs = 1 if n_classes == 2 else n_classes
        objective = "binary sigmoid:1" if n_classes == 2 else f"multiclass num_class:{n_classes}"
        n_features = int(fields["max_feature_idx"]) + 1
        sound = (
            text.startswith("tree\nversion=v4\n")
            and "tree_sizes" not in fields
            and fields["objective"] == objective
            and int(fields["num_class"]) == int(fields["num_tree_per_iteration"]) == outputs
            and len(fields["feature_names"].split()) == len(fields["feature_infos"].split()) == n_features
            and len(trees) > 0
            and len(trees) % outputs == 0
            and all(_is_sound(_fields(tree), n_features) for tree in trees)
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable model file: {error}") from None
    if not sound:
        raise InputError(f"{path}: refused, it is no set of trees that Genestrata makes")


def _fields(part: str) -> dict[str, str]:
    """Fields of the header or of a tree; raises ValueError for one that stands twice."""
    pairs = [line.partition("=")[::2] for line in part.split("\n") if "=" in line]
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _is_sound(tree: dict[str, str], n_features: int) -> bool:
    """Do the children of a tree of numeric splits point at its own later nodes or leaves, the splits at columns?"""
    leaves = int(tree["num_leaves"])
    if leaves < 1 or tree["num_cat"] != "0" or tree["is_linear"] != "0":
        return False
    if leaves == 1:
        return len(tree["leaf_value"].split()) == 1
    names = ("left_child", "right_child", "split_feature", "decision_type")
    left, right, feature, decision = (np.array(tree[name].split(), dtype=int) for name in names)
    per_split = ("threshold", "split_gain", "internal_value", "internal_weight", "internal_count")
    per_leaf = ("leaf_value", "leaf_weight", "leaf_count")
    children = np.stack([left, right])
    return (
        all(len(part) == leaves - 1 for part in (left, right, feature, decision))
        and all(len(tree[name].split()) == leaves - 1 for name in per_split)
        and all(len(tree[name].split()) == leaves for name in per_leaf)
        # A leaf is its number, inverted; every node but the first, and every leaf, has one parent.
        and sorted(children.ravel()) == [*range(-leaves, 0), *range(1, leaves - 1)]
        and bool(np.all((children < 0) | (children > np.arange(leaves - 1))))
        and bool(np.all((feature >= 0) & (feature < n_features)))
        and not np.any(decision & 1)
    )
