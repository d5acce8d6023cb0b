"""Sequences without labels: principal components of their k-mers, and how homology groups and clusters agree with the
labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from genestrata.clustering import assign, compare
from genestrata.kmers import KmerFeatures, KmerKind

KIND = KmerKind("reduced_protein", 2, 4)
# Words of a single sequence say nothing about others.
MIN_COUNT = 2
# More sequences are sampled: agglomerative clustering compares all pairs.
MOST_SEQUENCES = 5000
COMPONENTS = 50
METHODS = ("kmeans", "agglomerative")


def sample_rows(n_rows: int, seed: int) -> np.ndarray:
    """All rows, or MOST_SEQUENCES drawn ones in order."""
    if n_rows <= MOST_SEQUENCES:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, MOST_SEQUENCES, replace=False))


def kmer_components(X: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Principal components of the k-mer profiles of sequences (n, 1): scores (n, n_components), shares of the variance
    and the number of k-mers. Only the first COMPONENTS are worked out (truncated singular value decomposition)."""
    profiles = KmerFeatures.fit(X, KIND, min(MIN_COUNT, len(X))).transform(X)
    number = min(COMPONENTS, *(size - 1 for size in profiles.shape))
    model = PCA(number, svd_solver="arpack", random_state=seed)
    scores = model.fit_transform(profiles.astype(float))
    return scores, model.explained_variance_ratio_, profiles.shape[1]


def cluster_sequences(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, n_kmers: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of homology groups and of clusters of the components with the labels.

    scores : (n, n_components); labels, groups : (n,) text. Returns one row per method with the columns of
    `clustering.cluster_sets`, and the cluster of every sequence, one column per method. The number of clusters is that
    of the classes, so that none is `chosen`; groups have as many as they have.
    """
    n_classes = len(set(labels))
    clusters = {} if groups is None else {"homology groups": pd.factorize(groups)[0]}
    clusters |= {method: assign(method, scores, n_classes, seed) for method in METHODS}
    rows = []
    for method, members in clusters.items():
        by_homology = method == "homology groups"
        n_clusters = len(set(members))
        rows.append(
            {
                "gene_set": "sequences" if by_homology else "k-mers",
                "genes": n_kmers,
                "method": method,
                "n_clusters": n_clusters,
                "components": scores.shape[1],
                "silhouette": float(silhouette_score(scores, members)) if 1 < n_clusters < len(members) else np.nan,
                **compare(labels, members),
                "chosen": False,
                "matches_class_count": n_clusters == n_classes,
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(clusters)


def summarise(
    clustering: pd.DataFrame, share: np.ndarray, n_kmers: int, n_sequences: int, n_all: int
) -> dict[str, Any]:
    """What the report says of the clusters; random sets of features do not exist here."""
    by_method: Mapping[str, Any] = clustering.set_index("method")
    homology = by_method.loc["homology groups"].to_dict() if "homology groups" in by_method.index else None
    return {
        "components": len(share),
        "explained_variance": share,
        "kmers": n_kmers,
        "sequences": n_sequences,
        "of_sequences": n_all,
        "homology": homology,
        "random_sets": {},
    }
