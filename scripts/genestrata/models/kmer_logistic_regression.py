"""Multinomial logistic regression on k-mers, with an L2 penalty and balanced class weights."""

from typing import Any

import numpy as np

from genestrata.kmers import WORDS, KmerClassifier, learn_kmers
from genestrata.models.context import NO_CONTEXT, FitContext

READS = "sequences"
SEARCH_SPACE = WORDS | {"C": [100.0, 1000.0]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> KmerClassifier:
    """Fit by L-BFGS; deterministic."""
    from sklearn.linear_model import LogisticRegression

    kmers, others = learn_kmers(X, parameters)
    model = LogisticRegression(class_weight="balanced", max_iter=2000, **others)
    return KmerClassifier(kmers, model.fit(kmers.transform(X), y))
