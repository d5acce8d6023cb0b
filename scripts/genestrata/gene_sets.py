"""Gene sets cut to one size, from rankings of genes per class: SHAP values of correct calls, or differences of data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.moderated import NO_PRIOR, compare_classes
from genestrata.ranking import expressed_or_all
from genestrata.set_names import CONSENSUS, DATA_RANKINGS

# What the variances of a ranking of the data are shrunk towards; None fits it.
PRIORS = {"anova_f": NO_PRIOR, "moderated_f": None}
SAMPLE_AND_CLASS = ("repeat", "fold", "sample", "class")


def correct_calls(predictions: pd.DataFrame) -> pd.DataFrame:
    """Held-out samples that a model called correctly: repeat, fold, sample, class; predictions : see
    `genestrata.predictions`."""
    right = predictions["inner_fold"].isna() & (predictions["true"] == predictions["predicted"])
    return predictions.loc[right].rename(columns={"true": "class"})[list(SAMPLE_AND_CLASS)]


def class_scores(values: pd.DataFrame, correct: pd.DataFrame) -> pd.DataFrame:
    """Median SHAP value of each feature towards a class, over the held-out samples of the class called correctly.

    values : the table of `explaining.explain_model`; correct : the table of `correct_calls`. A sample of several
    repeats counts in each; one that is not explained for its class does not count. A feature that is not in a fold's
    model is 0 there; a class without a correct call has no rows. Returns class, feature, median_shap and rank within
    the class, largest first, ties by name.
    """
    own = values.loc[_stand_in(values, correct)]
    features = sorted(map(str, values["feature"].unique()))
    place = pd.Series(np.arange(len(features)), index=features)
    medians = {}
    for label, rows in own.groupby(own["class"].astype(str)):
        sample = rows.groupby(list(SAMPLE_AND_CLASS), observed=True).ngroup().to_numpy()
        effects = np.zeros((sample.max() + 1, len(features)), dtype=np.float32)
        effects[sample, place[rows["feature"].astype(str)].to_numpy()] = rows["shap"]
        medians[label] = np.median(effects, axis=0)
    return _rank_within_classes(medians, features, "median_shap")


def _stand_in(values: pd.DataFrame, correct: pd.DataFrame) -> np.ndarray:
    """Which rows of a long table are of a sample and class that `correct` lists, (n_rows,) bool."""
    row, wanted = np.zeros(len(values), dtype=np.int64), np.zeros(len(correct), dtype=np.int64)
    listed = np.ones(len(correct), dtype=bool)
    for column in SAMPLE_AND_CLASS:
        # Numbers instead of text: such a table has millions of rows.
        names = values[column].astype("category").cat
        codes = names.categories.astype(str).get_indexer(correct[column].astype(str))
        row, wanted = row * len(names.categories) + names.codes, wanted * len(names.categories) + codes
        listed &= codes >= 0
    return np.isin(row, wanted[listed])


def data_scores(
    values: np.ndarray,
    labels: np.ndarray,
    features: Sequence[str],
    ranking: str,
    limits: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """t of each class against the mean of the other classes, gene by gene, for one of DATA_RANKINGS.

    values : (n_samples, n_features), NaN for missing, which count as the gene's mean; labels : (n_samples,). `anova_f`
    is the ordinary t, `moderated_f` the moderated one; limits : the study's `select.expressed`, genes outside them are
    left out. Returns class, feature, t and rank within the class, largest first, ties by name.
    """
    kept = expressed_or_all(values, limits)
    values = np.asarray(values, dtype=float)[:, kept]
    measured = ~np.isnan(values)
    mean = np.where(measured, values, 0.0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    differences = compare_classes(np.where(measured, values, mean), labels, PRIORS[ranking])
    names = np.asarray(features, dtype=object)[kept]
    return _rank_within_classes(dict(zip(differences.classes, differences.t, strict=True)), names, "t")


def score_data(
    names: Sequence[str],
    values: np.ndarray,
    labels: np.ndarray,
    features: Sequence[str],
    limits: Mapping[str, Any] | None = None,
) -> dict[str, pd.DataFrame]:
    """Ranking of the data to its `data_scores`, for those among the compared sets, `names`."""
    return {name: data_scores(values, labels, features, name, limits) for name in names if name in DATA_RANKINGS}


def _rank_within_classes(scores: Mapping[str, np.ndarray], features: Sequence[str], column: str) -> pd.DataFrame:
    """Features of each class by falling score, ties by name, without score last: class, feature, score, rank."""
    names = np.asarray(features, dtype=object)
    tables = [pd.DataFrame(columns=["class", "feature", column, "rank"])]
    for label, score in sorted(scores.items()):
        order = np.lexsort((names, -score, np.isnan(score)))
        ranks = np.arange(1, len(names) + 1)
        tables.append(pd.DataFrame({"class": label, "feature": names[order], column: score[order], "rank": ranks}))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def take(scores: pd.DataFrame, rule: str, size: int) -> pd.DataFrame:
    """Genes taken rank by rank over the classes in sorted order, each once: rank, feature, class that gave it.

    scores : the table of `class_scores` or `data_scores`; a class gives no gene whose score is not above 0. rule `size`
    : the first `size` different genes, or as many as there are; `half_repeats` : until, after a full rank, at least
    half of the genes taken had been taken before, whatever `size`.
    """
    # Each kind of ranking has its own name for the score.
    score = scores.columns[2]
    given = scores[scores[score] > 0].sort_values(["rank", "class"], ignore_index=True)
    repeated = given["feature"].duplicated()
    if rule == "half_repeats":
        taken = pd.DataFrame({"genes": 1, "repeats": repeated}).groupby(given["rank"]).sum().cumsum()
        full = taken.index[2 * taken["repeats"] >= taken["genes"]]
        chosen = given[~repeated & (given["rank"] <= (full[0] if len(full) else given["rank"].max()))]
    else:
        chosen = given[~repeated].head(size)
    return _numbered(chosen)


def _numbered(genes: pd.DataFrame) -> pd.DataFrame:
    """A gene set in its order: rank, feature, class."""
    table = genes[["feature", "class"]].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def take_sets(
    names: Sequence[str], scores: Mapping[str, pd.DataFrame], consensus: pd.DataFrame, rule: str, size: int
) -> pd.DataFrame:
    """The compared sets cut to at most one size: set, rank, feature, class.

    names : in their order; scores : name to the table that `take` reads, for all but the consensus of models, whose
    table (feature, class, best first) has no repeats. With rule `half_repeats` the first set gives the size.
    """
    if rule == "half_repeats":
        size = len(take(scores[names[0]], rule, size))
    tables = []
    for name in names:
        table = _numbered(consensus.head(size)) if name == CONSENSUS else take(scores[name], "size", size)
        table.insert(0, "set", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def check_size(size: int, available: int, where: str) -> None:
    """Raise InputError for a set of more genes than are expressed, which no random set could match."""
    if size > available:
        raise InputError(
            f"{where}: a set of {size} genes was asked for (cluster.set_size), only {available} genes are expressed"
        )


def overlap(gene_sets: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """How many genes are in exactly these sets: one column per set (is it one of them?) and genes, most genes first.

    gene_sets : set, feature; names : the sets, in their order. Ties go to fewer sets, then to the order of the sets.
    """
    member = pd.crosstab(gene_sets["feature"], gene_sets["set"]).reindex(columns=list(names), fill_value=0) > 0
    counts = member.value_counts().rename("genes").reset_index()
    order = counts.assign(sets=counts[list(names)].sum(axis=1), **{name: ~counts[name] for name in names})
    order = order.sort_values(["genes", "sets", *names], ascending=[False, True, *[True] * len(names)])
    return counts.loc[order.index].reset_index(drop=True)
