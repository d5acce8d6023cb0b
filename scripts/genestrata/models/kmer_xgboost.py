"""Gradient-boosted trees (Chen and Guestrin 2016, KDD) on the k-mers that tell most of the classes."""

from typing import Any

import numpy as np

from genestrata.kmers import WORDS, KmerClassifier, learn_kmers
from genestrata.models.context import NO_CONTEXT, FitContext

READS = "sequences"
SEARCH_SPACE = WORDS | {
    "kept": [1000],
    "n_estimators": [100],
    "max_depth": [3],
    "learning_rate": [0.2],
    "subsample": [0.8],
    "colsample_bytree": [0.2],
    "min_child_weight": [1.0],
    "reg_lambda": [1.0],
}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> KmerClassifier:
    """Fit with balanced sample weights on the `kept` k-mers with the highest F value between classes; the same `seed`
    and `threads` give the same trees."""
    from sklearn.feature_selection import f_classif
    from sklearn.utils.class_weight import compute_sample_weight
    from xgboost import XGBClassifier

    kmers, others = learn_kmers(X, parameters)
    Z = kmers.transform(X)
    kept = others.pop("kept")
    if Z.shape[1] > kept:
        # A word without any spread within the classes tells them apart completely, or not at all.
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.nan_to_num(f_classif(Z, y)[0], posinf=np.inf)
        best = np.sort(np.argsort(-values, kind="stable")[:kept])
        kmers, Z = kmers.keep(best), Z[:, best]
    model = XGBClassifier(random_state=seed, n_jobs=threads, tree_method="hist", **others)
    return KmerClassifier(kmers, model.fit(Z, y, sample_weight=compute_sample_weight("balanced", y)))
