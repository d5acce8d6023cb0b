"""Statistics and ranking of all features on every training part of a repeat, computed once and shared by all models."""

import logging
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_selection import f_classif
from sklearn.preprocessing import StandardScaler

from genestrata.cohort import Cohort
from genestrata.errors import InputError
from genestrata.moderated import moderated_f
from genestrata.splitting import Fold

logger = logging.getLogger(__name__)

# Score by which SelectKBest keeps features, larger is better.
SCORES: dict[str, Callable] = {"anova_f": f_classif, "moderated_f": moderated_f}


def expressed(values: np.ndarray, level: float, samples: int) -> np.ndarray:
    """Features at or above `level` in at least so many samples, (n_features,) bool; values : (n_samples, n_features),
    NaN for missing."""
    return (values >= level).sum(axis=0) >= samples


def expressed_or_all(values: np.ndarray, limits: Mapping[str, Any] | None) -> np.ndarray:
    """`expressed` with the level and samples of a study's `select.expressed`, all features for None."""
    return np.ones(values.shape[1], dtype=bool) if limits is None else expressed(values, **limits)


def _selectable(X: np.ndarray, sd: np.ndarray, select: Mapping[str, Any]) -> np.ndarray:
    """Features that the limits of `select` let a model have, (n_features,) bool; sd : NaN where all is missing."""
    wanted = expressed_or_all(X, select.get("expressed"))
    if select.get("min_sd"):
        wanted &= sd >= select["min_sd"]
    return wanted


def _score(X: np.ndarray, y: np.ndarray, method: str) -> np.ndarray:
    """Score of each feature, (n_features,) float64; X : (n_samples, n_features) without missing values."""
    if method not in SCORES:
        return np.full(X.shape[1], np.nan)
    if len(set(y)) == len(y):
        # No class has two samples: there is no spread within classes to set the spread between them against.
        return X.var(axis=0, dtype=float)
    return SCORES[method](X, y)[0]


def rank_part(X: np.ndarray, y: np.ndarray, names: np.ndarray, select: Mapping[str, Any]) -> pd.DataFrame:
    """Fit the scaler, the limits and the score of the selection on the rows of one training part.

    X : (n_samples, n_features) float32, NaN for missing; y : (n_samples,) labels; select : the study's `select`, whose
    method is a key of SCORES, or `none` for a ranking in the order of the columns. Returns feature, mean, sd (1 for a
    constant feature), score (NaN where undefined), selectable (within `expressed` and `min_sd`; others have no score
    and come last) and rank from 1, ties by name, so that neither the order of rows nor of columns matters. Missing
    values are scored at the training mean. Where every class has one sample, the score is the variance.
    """
    method = select["method"]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # Constant features are met below; the warning would list them all, for every training part.
        warnings.filterwarnings("ignore", message="(?s)Features .* are constant")
        scaler = StandardScaler().fit(X)
        mean = np.nan_to_num(scaler.mean_)
        scale = np.where(np.isfinite(scaler.scale_) & (scaler.scale_ > 0), scaler.scale_, 1.0)
        filled = np.where(np.isnan(X), mean, X)
        score = _score(filled, y, method)
        selectable = _selectable(X, np.sqrt(scaler.var_), select)
    if method in SCORES:
        score[(np.ptp(filled, axis=0) == 0) | ~selectable] = np.nan
        # A feature that separates the classes without any spread within them has an infinite score and ranks first.
        sortable = np.nan_to_num(-score, nan=np.inf, posinf=np.inf, neginf=-np.finfo(float).max)
        order = np.lexsort((names, sortable, ~selectable))
    else:
        order = np.argsort(~selectable, kind="stable")
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(1, len(names) + 1)
    columns = {"feature": names, "mean": mean, "sd": scale, "score": score, "selectable": selectable, "rank": rank}
    return pd.DataFrame(columns)


def rank_folds(
    X: np.ndarray, labels: np.ndarray, names: np.ndarray, folds: Iterable[Fold], select: Mapping[str, Any]
) -> pd.DataFrame:
    """Rank every outer and inner training part; adds fold and inner_fold (missing for the outer part).

    Raises InputError where the limits of the selection leave nothing.
    """
    tables = []
    for fold in folds:
        for inner_fold, rows in [(None, fold.train), *enumerate(train for train, _ in fold.inner)]:
            table = rank_part(X[rows], labels[rows], names, select)
            if not table["selectable"].any():
                limits = ", ".join(f"{key}: {select[key]}" for key in ("expressed", "min_sd") if select.get(key))
                raise InputError(
                    f"select: no feature of fold {fold.name} is within the limits in its training part ({limits}); "
                    "lower them; they are on the scale of the cleaned values"
                )
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
        ranking = ranking[ranking["selectable"]]
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
        """Columns of the k best features, best first, with mean and standard deviation on that training part; fewer
        where fewer are selectable."""
        columns, mean, scale = self._parts[fold, -1 if inner_fold is None else inner_fold]
        return columns[:k], mean[:k], scale[:k]


def rank_here(cohort: Cohort, folds: Iterable[Fold], select: Mapping[str, Any]) -> "Rankings | Unranked":
    """Rankings of folds of one repeat, fitted now; nothing is ranked in sequences."""
    if cohort.holds_sequences:
        return Unranked(cohort.features)
    return Rankings(rank_folds(cohort.values, cohort.labels, cohort.features, folds, select), cohort.features)


class Unranked:
    """What stands in for `Rankings` where nothing is ranked: every feature, as it is."""

    def __init__(self, features: np.ndarray):
        self.features = features

    def best(self, fold: str, inner_fold: int | None, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first k columns with mean 0 and standard deviation 1."""
        columns = np.arange(min(k, len(self.features)))
        return columns, np.zeros(len(columns)), np.ones(len(columns))
