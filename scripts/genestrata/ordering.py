"""The order in which networks that look at neighbours (convolution, recurrence) read the selected genes."""

from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import MISSING, as_text, column_name, read_cells, to_numbers

# Learnt on training rows; as in the data file; drawn at random; along the chromosomes.
GENE_ORDERS = ("clustered", "file", "shuffled", "position")


def order_features(
    method: str, Z: np.ndarray, columns: np.ndarray, genome_order: np.ndarray | None, seed: int
) -> np.ndarray:
    """A permutation of k selected features.

    Z : (n_samples, k) standardised training rows; columns : (k,) their places in the data; genome_order : (n_features,)
    or None, for `position`. `clustered` is the leaf order of a hierarchical clustering (average linkage of 1 -
    correlation) in which neighbours are as similar as the tree allows: Bar-Joseph et al. 2001, Bioinformatics 17:S22.
    `seed` draws the shuffled order, the same for the same seed and features.
    """
    if method == "clustered":
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import pdist

        if Z.shape[1] < 3:
            return np.arange(Z.shape[1])
        # A gene without any spread is correlated with nothing.
        distance = np.nan_to_num(pdist(Z.T, "correlation"), nan=1.0)
        return leaves_list(linkage(distance, "average", optimal_ordering=True))
    by_column = np.argsort(columns, kind="stable")
    if method == "file":
        return by_column
    if method == "shuffled":
        return by_column[np.random.default_rng(seed).permutation(len(columns))]
    if method == "position" and genome_order is not None:
        return np.argsort(genome_order[columns], kind="stable")
    raise ValueError(f"no order '{method}', or no positions for it")


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
