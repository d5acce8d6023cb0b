"""The order in which networks that look at neighbours (convolution, recurrence) read the selected genes."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import MISSING, as_text, column_name, read_cells, to_numbers

# Learnt on training rows, for a line and for a square; as in the data file; drawn at random; along the chromosomes.
GENE_ORDERS = ("clustered", "grid", "file", "shuffled", "position")


def order_features(
    method: str, Z: np.ndarray, columns: np.ndarray, genome_order: np.ndarray | None, seed: int
) -> np.ndarray:
    """A permutation of k selected features.

    Z : (n_samples, k) standardised training rows; columns : (k,) their places in the data; genome_order : (n_features,)
    or None, for `position`. `clustered` is the leaf order of a hierarchical clustering (average linkage of 1 -
    correlation) in which neighbours are as similar as the tree allows: Bar-Joseph et al. 2001, Bioinformatics 17:S22;
    `grid` is for rows of a square, see `order_on_grid`. `seed` draws the shuffled order, the same for the same seed and
    features.
    """
    if method == "clustered":
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import pdist

        if Z.shape[1] < 3:
            return np.arange(Z.shape[1])
        # A gene without any spread is correlated with nothing.
        distance = np.nan_to_num(pdist(Z.T, "correlation"), nan=1.0)
        return leaves_list(linkage(distance, "average", optimal_ordering=True))
    if method == "grid":
        return order_on_grid(Z, seed)
    by_column = np.argsort(columns, kind="stable")
    if method == "file":
        return by_column
    if method == "shuffled":
        return by_column[np.random.default_rng(seed).permutation(len(columns))]
    if method == "position" and genome_order is not None:
        return np.argsort(genome_order[columns], kind="stable")
    raise ValueError(f"no order '{method}', or no positions for it")


def square_side(k: int) -> int:
    """Side of the smallest square with a place for each of k genes."""
    return math.isqrt(k - 1) + 1


def order_on_grid(Z: np.ndarray, seed: int) -> np.ndarray:
    """A permutation of k genes that, written row by row into a square, puts co-expressed genes side by side.

    Z : (n_samples, k) standardised training rows. As in DeepInsight (Sharma et al. 2019, Scientific Reports 9:11399)
    genes are laid out by t-SNE of their profiles, here of unit length, so that distance is 1 - correlation; but each
    gets a place of its own: the layout is cut into rows of equal size along its first axis, each sorted by the second.
    """
    n_genes = Z.shape[1]
    if n_genes < 3:
        return np.arange(n_genes)
    from sklearn.manifold import TSNE

    profiles = Z.T.astype(float)
    length = np.linalg.norm(profiles, axis=1, keepdims=True)
    profiles /= np.where(length > 0, length, 1.0)
    layout = TSNE(
        perplexity=min(30, (n_genes - 1) / 3), init="random", max_iter=500, random_state=seed, n_jobs=1
    ).fit_transform(profiles)
    by_first = np.argsort(layout[:, 0], kind="stable")
    rows = np.split(by_first, range(square_side(n_genes), n_genes, square_side(n_genes)))
    return np.concatenate([row[np.argsort(layout[row, 1], kind="stable")] for row in rows])


def read_genome_order(path: str | Path, features: np.ndarray) -> np.ndarray:
    """Place of each feature on the chromosomes, (n_features,) int; features that the table lacks come last, by name.

    The table has columns feature, chromosome, start (base pairs). Numbered chromosomes come before named ones. Raises
    InputError for a table that knows none of the features or repeats one.
    """
    cells = read_cells(path)
    feature, chromosome, start = (cells[column_name(cells, name, path)] for name in ("feature", "chromosome", "start"))
    names = as_text(feature)
    if names.duplicated().any():
        raise InputError(f"{path}: feature '{names[names.duplicated()].iloc[0]}' has more than one row")
    chromosomes = as_text(chromosome).str.replace(r"^chr", "", regex=True, case=False)
    table = pd.DataFrame(
        {
            "chromosome": chromosomes.where(~chromosomes.isin(MISSING)).to_numpy(),
            "start": to_numbers(start.to_frame().set_axis(names.to_numpy(), axis="index"), path)[:, 0],
        },
        index=names.to_numpy(),
    )
    if not table.index.isin(features).any():
        raise InputError(f"{path}: none of its features is in the data, e.g. '{table.index[0]}'")
    table["number"] = pd.to_numeric(table["chromosome"], errors="coerce")
    table = table.reindex(sorted(features)).sort_values(
        ["number", "chromosome", "start"], kind="stable", na_position="last"
    )
    return pd.Series(np.arange(len(table)), index=table.index)[features].to_numpy()
