"""Marker tables: the top genes of every class in each ranking, with their specificity and means."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from genestrata.cohort import Cohort
from genestrata.explaining import FUSION_CONSTANT
from genestrata.specificity import lowest_level, tau

# Genes of each class and ranking that are listed.
TOP_GENES = 20


def means_by_class(values: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of every gene in each class and in all samples of the other classes, (n_classes, n_genes) each.

    values : (n_samples, n_genes), NaN for missing; NaN where nothing was measured.
    """
    measured = ~np.isnan(values)
    known = np.where(measured, values, 0.0).astype(float)
    member = (np.asarray(labels, dtype=str) == np.asarray(classes, dtype=str)[:, None]).astype(float)
    sums, counts = member @ known, member @ measured
    with np.errstate(all="ignore"):
        return sums / counts, (known.sum(axis=0) - sums) / (measured.sum(axis=0) - counts)


def marker_table(cohort: Cohort, scores: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> pd.DataFrame:
    """Top genes of every class in each ranking.

    cohort : samples with a label; scores : ranking to the table of `gene_sets.class_scores` or `data_scores`; names :
    readable names of known markers. One row per class and gene that is among the TOP_GENES of the class in a ranking,
    with place in the class (by the mean of 1 / (60 + rank) over the rankings, ties by name), class, feature, name, tau,
    mean_inside and mean_outside the class on the scale of the cleaned data, and rank_<ranking> within the class, empty
    where the score is not above 0.
    """
    inside, outside = means_by_class(cohort.values, cohort.labels, cohort.classes)
    specificity = tau(inside, lowest_level(cohort.values))
    ranks = pd.concat([_ranks_above_zero(table, f"rank_{name}") for name, table in scores.items()], axis=1)
    table = ranks[(ranks <= TOP_GENES).any(axis=1)].rename_axis(["class", "feature"])
    table = table.assign(score=(1 / (FUSION_CONSTANT + table)).fillna(0).mean(axis=1)).reset_index()
    table = table.sort_values(["class", "score", "feature"], ascending=[True, False, True], ignore_index=True)
    code = pd.Index(cohort.classes).get_indexer(table["class"])
    column = pd.Index(cohort.features).get_indexer(table["feature"])
    result = pd.DataFrame(
        {
            "class": table["class"],
            "place": table.groupby("class").cumcount() + 1,
            "feature": table["feature"],
            "name": table["feature"].map(dict(names)),
            "tau": specificity[column],
            "mean_inside": inside[code, column],
            "mean_outside": outside[code, column],
        }
    )
    return pd.concat([result, table[ranks.columns].astype("Int64")], axis=1)


def _ranks_above_zero(scores: pd.DataFrame, column: str) -> pd.Series:
    """Rank of each (class, feature) whose score is above 0."""
    supported = scores[scores[scores.columns[2]] > 0]
    return supported.set_index(["class", "feature"])["rank"].rename(column)
