"""SHAP values of held-out samples (Lundberg and Lee 2017, NeurIPS), rankings of genes and their consensus."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from genestrata.cohort import Cohort
from genestrata.models.networks import NetworkClassifier, network_input
from genestrata.models.registry import REGISTRY
from genestrata.models.storage import FittedModel
from genestrata.seeds import derive_seed
from genestrata.splitting import FINAL, Fold
from genestrata.stability import nogueira_of_sets

logger = logging.getLogger(__name__)

# Constant of reciprocal rank fusion, Cormack, Clarke and Buettcher 2009, SIGIR.
FUSION_CONSTANT = 60


def shap_values(name: str, model: FittedModel, Z: np.ndarray, background: np.ndarray, seed: int) -> np.ndarray:
    """SHAP values (n_samples, k, n_classes) of standardised rows Z (n_samples, k).

    Linear models are explained on the scale of their margins against the mean of `background` (rows of the training
    part); trees by TreeSHAP along the paths of the training rows (probabilities for forests, log-odds for boosting);
    probabilities of networks by expected gradients (Erion et al. 2021, Nature Machine Intelligence 3:620), for which
    `seed` draws points between Z and background. A model with one output explains its second class; the first is its
    negative. Classes unseen in training get 0.
    """
    import shap

    options = {}
    if REGISTRY[name].explainer == "linear":
        # Given bare rows, SHAP would draw 100 of them at random.
        masker = shap.maskers.Independent(background, max_samples=len(background))
        explainer = shap.LinearExplainer((model.estimator.coef_, model.estimator.intercept_), masker)
    elif REGISTRY[name].explainer == "gradient":
        network = model.estimator.network
        Z, background = network_input(network, Z), network_input(network, background)
        explainer = shap.GradientExplainer(network, background)
        options["rseed"] = seed
    else:
        explainer = shap.TreeExplainer(model.estimator)
    with warnings.catch_warnings():
        # SHAP hands Keras its one input as a list, and Keras says so for every class and sample.
        warnings.filterwarnings("ignore", message="The structure of `inputs`")
        values = np.asarray(explainer.shap_values(Z, **options))
    if values.ndim == 4:
        # Value and whether it was measured are two channels of one time point.
        values = values.sum(axis=2)
    if values.ndim == 2 or values.shape[2] == 1:
        single = values.reshape(len(Z), -1)
        values = np.stack([-single, single], axis=2)
    result = np.zeros((*Z.shape[:2], len(model.classes)), dtype=np.float32)
    result[:, :, model.class_codes] = values
    return result


def explain_fold(
    name: str, model: FittedModel, cohort: Cohort, fold: Fold, background: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Standardised test rows (n_test, k) and their SHAP values (n_test, k, n_classes) of one fold."""
    position = pd.Series(np.arange(len(cohort.features)), index=cohort.features)
    columns = position[model.features].to_numpy()
    rows = fold.train
    fold_seed = derive_seed(seed, fold.repeat, fold.name, "background")
    if len(rows) > background:
        random = np.random.default_rng(fold_seed)
        rows = np.sort(random.choice(rows, background, replace=False))
    Z = model.standardise(cohort.values[np.ix_(fold.test, columns)])
    return Z, shap_values(name, model, Z, model.standardise(cohort.values[np.ix_(rows, columns)]), fold_seed)


def explain_model(
    name: str, cohort: Cohort, folds: Sequence[Fold], models_dirs: Mapping[str, Path], background: int, seed: int
) -> pd.DataFrame:
    """SHAP values of every held-out sample of every fold of a model.

    models_dirs : repeat to the folder of its fitted models. One row per (repeat, fold, sample, class, feature) with
    value (the standardised value) and shap, for every feature that the model was given.
    """
    tables = []
    for fold in tqdm(folds, desc=f"explain {name}", unit="fold", leave=False, disable=None):
        model = FittedModel.load(models_dirs[fold.repeat] / fold.name)
        Z, values = explain_fold(name, model, cohort, fold, background, seed)
        sample, feature, label = np.indices(values.shape).reshape(3, -1)
        tables.append(
            pd.DataFrame(
                {
                    "repeat": fold.repeat,
                    "fold": fold.name,
                    "sample": cohort.samples[fold.test][sample],
                    "class": np.asarray(model.classes, dtype=object)[label],
                    "feature": np.asarray(model.features, dtype=object)[feature],
                    "value": Z[sample, feature],
                    "shap": values.ravel(),
                }
            )
        )
        used = int(np.any(values != 0, axis=(0, 2)).sum())
        logger.info("%s fold %s: %d of %d genes have an effect", fold.repeat, fold.name, used, len(model.features))
    table = pd.concat(tables, ignore_index=True)
    for column in ("repeat", "fold", "sample", "class", "feature"):
        table[column] = table[column].astype("category")
    return table


def model_weights(model: FittedModel) -> pd.DataFrame:
    """What a fitted model itself says of its features: class, feature, weight, largest first within a class.

    Coefficients per standard deviation of the gene towards a class (two classes have one set, towards the second), or
    impurity-based or gain importances of trees, which know no class (""); no rows for a network.
    """
    estimator = model.estimator
    if isinstance(estimator, NetworkClassifier):
        return pd.DataFrame({"class": [], "feature": [], "weight": []})
    if hasattr(estimator, "coef_"):
        rows = np.atleast_2d(estimator.coef_)
        codes = model.class_codes[1:] if len(rows) == 1 else model.class_codes
        labels = [model.classes[code] for code in codes]
    else:
        rows, labels = estimator.feature_importances_[None, :], [""]
    tables = []
    for label, weights in zip(labels, rows, strict=True):
        order = np.argsort(-np.abs(weights), kind="stable")
        names = np.asarray(model.features, dtype=object)[order]
        tables.append(pd.DataFrame({"class": label, "feature": names, "weight": weights[order]}))
    return pd.concat(tables, ignore_index=True)


def rank_features(values: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rank the features of a model for each class by mean absolute SHAP over held-out samples.

    values : the table of `explain_model`. Returns class, feature, rank, mean_abs_shap, median_shap, model. A feature
    that was not selected in a fold counts with 0 there, so that a gene chosen once by chance does not outrank one
    chosen always.
    """
    held_out = values.groupby(["repeat", "fold", "sample"], observed=True).ngroups
    grouped = values.groupby(["class", "feature"], observed=True)["shap"]
    table = grouped.agg(
        mean_abs_shap=lambda shap: shap.abs().sum() / held_out,
        median_shap=lambda shap: np.median(np.pad(shap, (0, held_out - len(shap)))),
    ).reset_index()
    table["class"], table["feature"] = table["class"].astype(str), table["feature"].astype(str)
    table = table.sort_values(["class", "mean_abs_shap", "feature"], ascending=[True, False, True], ignore_index=True)
    table.insert(2, "rank", table.groupby("class").cumcount() + 1)
    table["model"] = model
    return table


def fold_importance(values: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute SHAP per (repeat, fold, feature) over samples and classes, with the rank inside the fold.

    A feature without any effect there has no rank.
    """
    table = (
        values.assign(shap=values["shap"].abs())
        .groupby(["repeat", "fold", "feature"], observed=True)["shap"]
        .mean()
        .rename("importance")
        .reset_index()
    )
    table["feature"] = table["feature"].astype(str)
    table = table.sort_values(["repeat", "fold", "importance", "feature"], ascending=[True, True, False, True])
    rank = table.groupby(["repeat", "fold"], observed=True).cumcount() + 1
    table["rank"] = rank.where(table["importance"] > 0)
    return table.reset_index(drop=True)


def consensus(importance: Mapping[str, pd.DataFrame], direction: pd.DataFrame) -> pd.DataFrame:
    """One ranking over models and folds by reciprocal rank fusion.

    importance : model to `fold_importance`; direction : the class in which each feature's value raises the prediction
    (feature, class). A feature scores the mean over all (model, fold) of 1 / (60 + rank), 0 where it has no effect.
    Returns feature, class, rank, score, models (how many use it), and rank_<model> (by its own mean score).
    """
    scores = {}
    for model, table in importance.items():
        n_folds = table.groupby(["repeat", "fold"], observed=True).ngroups
        scores[model] = (1 / (FUSION_CONSTANT + table["rank"])).groupby(table["feature"]).sum() / n_folds
    frame = pd.DataFrame(scores)
    result = pd.DataFrame({"score": frame.fillna(0).mean(axis=1), "models": (frame > 0).sum(axis=1)})
    for model in frame:
        used = frame[model].where(frame[model] > 0)
        result[f"rank_{model}"] = used.rank(ascending=False, method="min").astype("Int64")
    result = result.rename_axis("feature").reset_index().merge(direction, on="feature", how="left")
    result = result.sort_values(["score", "feature"], ascending=[False, True], ignore_index=True)
    result.insert(1, "rank", np.arange(1, len(result) + 1))
    result.insert(2, "class", result.pop("class"))
    return result


def raised_class(values: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The class that a high value of each feature supports most, by the covariance of value and SHAP."""
    totals = []
    for table in values:
        product = (table["value"] * table["shap"]).groupby([table["feature"], table["class"]], observed=True).mean()
        totals.append(product / max(float(product.abs().max()), 1e-12))
    frame = pd.concat(totals).rename("support").reset_index()
    frame["feature"], frame["class"] = frame["feature"].astype(str), frame["class"].astype(str)
    total = frame.groupby(["feature", "class"], sort=True)["support"].sum().reset_index()
    return total.loc[total.groupby("feature")["support"].idxmax(), ["feature", "class"]]


def stability(
    importance: Mapping[str, pd.DataFrame], ranking: pd.DataFrame, features: Sequence[str], size: int
) -> dict[str, Any]:
    """Nogueira stability of gene sets of one size: of the selection over training parts, of each model's top genes over
    folds.

    ranking : rows of all repeats with a column repeat. The selection is compared over the inner training parts of the
    first fold and over the outer training parts of all repeats; the latter, and the models, are undefined for a single
    split, and the selection where features have no score because none are selected.
    """
    evaluated = ranking[(ranking["rank"] <= size) & (ranking["fold"] != FINAL) & ranking["score"].notna()]
    first = evaluated[(evaluated["repeat"] == "r0") & (evaluated["fold"] == "0") & evaluated["inner_fold"].notna()]
    outer = evaluated[evaluated["inner_fold"].isna()]

    def index_of(table: pd.DataFrame, by: list[str]) -> dict[str, Any]:
        best = (part.loc[part["rank"] <= size, "feature"] for _, part in table.groupby(by, observed=True))
        return nogueira_of_sets([part.astype(str).tolist() for part in best], features)

    return {
        "size": size,
        "selection_inner": index_of(first, ["inner_fold"]),
        "selection_outer": index_of(outer, ["repeat", "fold"]),
        "models": {model: index_of(table, ["repeat", "fold"]) for model, table in importance.items()},
    }


def marker_recovery(ranked: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """How many planted markers stand at the top of a ranking: precision at n (n = number planted, at most), and at 10,
    20, 50."""
    markers = set(truth)
    sizes = sorted({10, 20, 50, len(markers)} - {0})
    return {
        "planted": len(markers),
        "recovered_at_planted": len(markers & set(ranked[: len(markers)])),
        "precision_at": {
            str(size): len(markers & set(ranked[:size])) / size for size in sizes if size <= max(len(markers), 10)
        },
    }
