"""Statistics and ranking of all features on every training part of a repeat, computed once and shared by all models."""

import logging
import warnings
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from sklearn.feature_selection import f_classif
from sklearn.preprocessing import StandardScaler

from genestrata.cohort import Cohort
from genestrata.splitting import Fold

logger = logging.getLogger(__name__)

# Score by which SelectKBest keeps features, larger is better.
SCORES: dict[str, Callable] = {"anova_f": f_classif}


def rank_part(X: np.ndarray, y: np.ndarray, names: np.ndarray, method: str) -> pd.DataFrame:
    """Fit the scaler and the selection score on the rows of one training part.

    X : (n_samples, n_features) float32, NaN for missing; y : (n_samples,) labels; method : a key of SCORES, or `none`
    for a ranking in the order of the columns. Returns feature (categorical), mean, sd (1 for a constant feature), score
    (NaN where undefined) and rank from 1, ties by name, so that neither the order of rows nor of columns matters.
    Missing values are scored at the training mean.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # Constant features are met below; the warning would list them all, for every training part.
        warnings.filterwarnings("ignore", message="Features .* are constant")
        scaler = StandardScaler().fit(X)
        mean = np.nan_to_num(scaler.mean_)
        scale = np.where(np.isfinite(scaler.scale_) & (scaler.scale_ > 0), scaler.scale_, 1.0)
        filled = np.where(np.isnan(X), mean, X)
        score = SCORES[method](filled, y)[0] if method in SCORES else np.full(len(names), np.nan)
    if method in SCORES:
        score[np.ptp(filled, axis=0) == 0] = np.nan
        # A feature that separates the classes without any spread within them has an infinite score and ranks first.
        sortable = np.nan_to_num(-score, nan=np.inf, posinf=np.inf, neginf=-np.finfo(float).max)
        order = np.lexsort((names, sortable))
    else:
        order = np.arange(len(names))
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(1, len(names) + 1)
    return pd.DataFrame({"feature": names, "mean": mean, "sd": scale, "score": score, "rank": rank})


def rank_folds(
    X: np.ndarray, labels: np.ndarray, names: np.ndarray, folds: Iterable[Fold], method: str
) -> pd.DataFrame:
    """Rank every outer and inner training part; adds fold and inner_fold (missing for the outer part)."""
    tables = []
    for fold in folds:
        for inner_fold, rows in [(None, fold.train), *enumerate(train for train, _ in fold.inner)]:
            table = rank_part(X[rows], labels[rows], names, method)
            table.insert(0, "inner_fold", pd.array([inner_fold] * len(table), dtype="Int16"))
            table.insert(0, "fold", fold.name)
            tables.append(table)
        logger.info("fold %s: ranked %d features on %d training parts", fold.name, len(names), len(fold.inner) + 1)
    ranking = pd.concat(tables, ignore_index=True)
    ranking["fold"] = ranking["fold"].astype("category")
    ranking["feature"] = ranking["feature"].astype("category")
    return ranking


class Rankings:
    """The ranking table of a repeat by training part: the k best features with their mean and standard deviation."""

    def __init__(self, ranking: pd.DataFrame, features: np.ndarray):
        position = pd.Series(np.arange(len(features)), index=features)
        inner_fold = ranking["inner_fold"].fillna(-1).astype(int)
        self._parts = {
            key: (
                position[part["feature"].to_numpy(dtype=object)].to_numpy(),
                part["mean"].to_numpy(dtype=float),
                part["sd"].to_numpy(dtype=float),
            )
            for key, part in ranking.sort_values("rank").groupby(
                [ranking["fold"].astype(str), inner_fold], sort=False, observed=True
            )
        }

    def best(self, fold: str, inner_fold: int | None, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns of the k best features, best first, with mean and standard deviation on that training part."""
        columns, mean, scale = self._parts[fold, -1 if inner_fold is None else inner_fold]
        return columns[:k], mean[:k], scale[:k]


def rank_here(cohort: Cohort, folds: Iterable[Fold], method: str) -> "Rankings | Unranked":
    """Rankings of folds of one repeat, fitted now; nothing is ranked in sequences."""
    if cohort.holds_sequences:
        return Unranked(cohort.features)
    return Rankings(rank_folds(cohort.values, cohort.labels, cohort.features, folds, method), cohort.features)


class Unranked:
    """What stands in for `Rankings` where nothing is ranked: every feature, as it is."""

    def __init__(self, features: np.ndarray):
        self.features = features

    def best(self, fold: str, inner_fold: int | None, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first k columns with mean 0 and standard deviation 1."""
        columns = np.arange(min(k, len(self.features)))
        return columns, np.zeros(len(columns)), np.ones(len(columns))
