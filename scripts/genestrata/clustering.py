"""Clusters of samples found without labels and compared with them."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    silhouette_score,
    v_measure_score,
)
from sklearn.metrics.cluster import contingency_matrix

from genestrata.cohort import Cohort

logger = logging.getLogger(__name__)

RESTARTS = 10
MOST_CLUSTERS = 8
VARIABLE_GENES = 1000
# Components kept for clustering: as many as hold this share of the variance.
VARIANCE_SHARE = 0.8
# Gene sets that no label helped to choose.
BLIND_SETS = ("all", "most_variable")


def standardise_genes(values: np.ndarray) -> np.ndarray:
    """Gene-wise z-scores over the rows given, missing values at 0; genes without spread become 0."""
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    return np.nan_to_num((values - mean) / np.where(spread > 0, spread, 1.0)).astype(float)


def principal_components(Z: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores (n_samples, n_components), explained shares, and how many components hold VARIANCE_SHARE."""
    model = PCA(n_components=min(*Z.shape, len(Z) - 1), svd_solver="full", random_state=seed)
    scores = model.fit_transform(Z)
    share = model.explained_variance_ratio_
    chosen = int(np.searchsorted(np.cumsum(share), VARIANCE_SHARE) + 1)
    return scores, share, min(chosen, len(share))


def purity(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Share of samples whose label is the commonest of their cluster."""
    return float(contingency_matrix(labels, clusters).max(axis=0).sum() / len(labels))


def assign(method: str, points: np.ndarray, n_clusters: int, seed: int, restarts: int = RESTARTS) -> np.ndarray:
    """Cluster (n_samples, n_components) points into n_clusters; deterministic for a seed. k-means starts `restarts`
    times and keeps the tightest clusters."""
    if method == "kmeans":
        model = KMeans(n_clusters, n_init=restarts, random_state=seed)
    elif method == "agglomerative":
        model = AgglomerativeClustering(n_clusters, linkage="ward")
    else:
        neighbours = min(10, len(points) - 1)
        model = SpectralClustering(
            n_clusters,
            affinity="nearest_neighbors",
            n_neighbors=neighbours,
            assign_labels="cluster_qr",
            random_state=seed,
        )
    with warnings.catch_warnings():
        # A neighbour graph in several pieces is itself a finding, not a fault.
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        return model.fit_predict(points)


def compare(labels: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """Agreement of clusters with labels; all are 1 for a perfect match, the adjusted Rand index is 0 for chance."""
    return {
        "purity": purity(labels, clusters),
        "homogeneity": float(homogeneity_score(labels, clusters)),
        "completeness": float(completeness_score(labels, clusters)),
        "v_measure": float(v_measure_score(labels, clusters)),
        "adjusted_rand": float(adjusted_rand_score(labels, clusters)),
    }


def cluster_sets(
    cohort: Cohort, gene_sets: dict[str, np.ndarray], methods: Sequence[str], seed: int, restarts: int = RESTARTS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cluster all samples on each gene set with each method and number of clusters.

    gene_sets : name to column numbers. Returns one row per gene set, method and number of clusters with the silhouette
    and the agreement with the labels, and the cluster of every sample for each row's key. `chosen` marks, for each gene
    set and method, the number of clusters of the best silhouette: no label takes part in that choice.
    """
    labels = cohort.labels.astype(str)
    most = max(2, min(MOST_CLUSTERS, len(labels) // 5))
    sizes = sorted({*range(2, most + 1), min(len(cohort.classes), len(labels) - 1)})
    rows, members = [], []
    for gene_set, columns in gene_sets.items():
        scores, _, kept = principal_components(standardise_genes(cohort.values[:, columns]), seed)
        points = scores[:, :kept]
        for method in methods:
            for n_clusters in sizes:
                clusters = assign(method, points, n_clusters, seed, restarts)
                found = len(set(clusters))
                silhouette = float(silhouette_score(points, clusters)) if 1 < found < len(points) else np.nan
                key = {"gene_set": gene_set, "genes": len(columns), "method": method, "n_clusters": n_clusters}
                rows.append({**key, "components": kept, "silhouette": silhouette, **compare(labels, clusters)})
                members.append(
                    pd.DataFrame(
                        {
                            "gene_set": gene_set,
                            "method": method,
                            "n_clusters": n_clusters,
                            "sample": cohort.samples,
                            "cluster": clusters,
                        }
                    )
                )
            logger.info("%s: %s done", gene_set, method)
    table = pd.DataFrame(rows)
    # The number of classes is a label too: beyond the range that is searched anyway it is listed, never chosen.
    candidates = table[table["silhouette"].notna() & (table["n_clusters"] <= most)]
    best = candidates.groupby(["gene_set", "method"])["silhouette"].idxmax()
    table["chosen"] = table.index.isin(best)
    table["matches_class_count"] = table["n_clusters"] == len(cohort.classes)
    return table, pd.concat(members, ignore_index=True)


def variable_genes(values: np.ndarray, count: int = VARIABLE_GENES) -> np.ndarray:
    """Column numbers of the genes of the largest variance, a choice that needs no label."""
    return np.sort(np.argsort(-np.nanvar(values, axis=0), kind="stable")[:count])


def summarise(clustering: pd.DataFrame) -> dict[str, Any]:
    """The best silhouette among gene sets that no label helped to choose, with its agreement with the labels."""
    blind = clustering[clustering["chosen"] & clustering["gene_set"].isin(BLIND_SETS)]
    best = blind.loc[blind["silhouette"].idxmax()]
    return {"best": {key: value.item() if hasattr(value, "item") else value for key, value in best.items()}}
