"""Nearest neighbours by shared k-mers: what looking up the most similar known sequence gives, as BLAST would."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from genestrata.kmers import WORDS, KmerClassifier, learn_kmers
from genestrata.models.context import NO_CONTEXT, FitContext

READS = "sequences"
SEARCH_SPACE = WORDS | {"alphabet": ["protein"], "shortest": [4], "min_count": [1], "neighbours": [1, 3]}
# Similarity at which the class frequencies of the training rows count as much as one neighbour.
DOUBT = 0.05
# Sequences compared with all training rows at once, which bounds the memory.
BLOCK = 200


class NeighbourVotes:
    """Votes of the most similar training rows, each weighted by its similarity.

    values, columns, starts : the training rows as a compressed sparse row matrix of n_features_in_ columns, the product
    of two rows being their similarity from 0 to 1; labels : (n_rows,) int, places in classes_; shares : (n_classes,)
    class frequencies; neighbours : number of rows that vote
    """

    def __init__(self, neighbours: int):
        self.neighbours = neighbours

    def fit(self, profiles: csr_matrix, y: np.ndarray) -> "NeighbourVotes":
        """y : (n_rows,) int class codes. Deterministic."""
        self.values, self.columns, self.starts = profiles.data, profiles.indices, profiles.indptr
        self.n_features_in_ = profiles.shape[1]
        self.classes_, self.labels = np.unique(y, return_inverse=True)
        self.shares = np.bincount(self.labels) / len(y)
        return self

    @property
    def profiles(self) -> csr_matrix:
        """The training rows, (n_rows, n_kmers) float32."""
        shape = (len(self.labels), self.n_features_in_)
        return csr_matrix((self.values, self.columns, self.starts), shape=shape)

    def predict_proba(self, X: csr_matrix) -> np.ndarray:
        """Probabilities (n, n_classes); the class frequencies for a row that is like none."""
        votes = np.concatenate([self._votes(X[start : start + BLOCK]) for start in range(0, X.shape[0], BLOCK)])
        votes += DOUBT * self.shares
        return votes / votes.sum(axis=1, keepdims=True)

    def _votes(self, X: csr_matrix) -> np.ndarray:
        """Sums of the similarities of the neighbours of each class, (n, n_classes)."""
        similarity = (X @ self.profiles.T).toarray()
        # Of equals the first, whatever the sorting does with them.
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : self.neighbours]
        votes = np.zeros((len(similarity), len(self.classes_)))
        rows = np.arange(len(similarity))[:, None]
        np.add.at(votes, (rows, self.labels[nearest]), similarity[rows, nearest])
        return votes


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> KmerClassifier:
    """Keep the training rows; deterministic."""
    kmers, others = learn_kmers(X, parameters)
    return KmerClassifier(kmers, NeighbourVotes(**others).fit(kmers.transform(X), y))
