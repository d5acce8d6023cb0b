"""Linear support vector machine on k-mers (Leslie, Eskin and Noble 2002, Pac. Symp. Biocomput. 564), one class against
the rest, with balanced class weights."""

from typing import Any

import numpy as np

from genestrata.kmers import WORDS, KmerClassifier, learn_kmers
from genestrata.models.context import NO_CONTEXT, FitContext

READS = "sequences"
SEARCH_SPACE = WORDS | {"C": [1.0, 10.0]}


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> KmerClassifier:
    """Fit in the dual, which has one variable per sequence; `seed` orders the coordinate descent."""
    from genestrata.models.softmax_svm import SoftmaxLinearSVC

    kmers, others = learn_kmers(X, parameters)
    model = SoftmaxLinearSVC(class_weight="balanced", dual=True, max_iter=20_000, random_state=seed, **others)
    return KmerClassifier(kmers, model.fit(kmers.transform(X), y))
