"""SHAP values of held-out samples (Lundberg and Lee 2017, NeurIPS), rankings of genes and their consensus."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from scipy.sparse import csr_matrix
from tqdm import tqdm

from genestrata.additivity import additivity_table
from genestrata.attribution import attribute, token_table, word_effects
from genestrata.cohort import Cohort
from genestrata.expected_gradients import Gradients, draw_paths, expected_gradients
from genestrata.kmers import KmerClassifier
from genestrata.models.lightgbm_trees import LightGBMTrees
from genestrata.models.networks import NetworkClassifier
from genestrata.models.registry import REGISTRY
from genestrata.models.sequence_networks import SequenceNetwork
from genestrata.models.storage import FittedModel
from genestrata.seeds import derive_seed
from genestrata.splitting import FINAL, Fold
from genestrata.stability import nogueira_of_sets
from genestrata.tables import write_declared

logger = logging.getLogger(__name__)

# Constant of reciprocal rank fusion, Cormack, Clarke and Buettcher 2009, SIGIR.
FUSION_CONSTANT = 60
# Of thousands of words those are kept that matter most to the held-out sequences of a fold.
MOST_WORDS = 200
# Held-out sequences of each class that are explained in a fold: by their k-mers, and by the gradients of a network.
EXPLAINED_PER_CLASS = 100
ATTRIBUTED_PER_CLASS = 20


class Extent(NamedTuple):
    """How much is explained: the largest number of training rows to compare with, draws of the expected gradients of
    each sample and class, and `all` classes or a sample's `own`: the true one and the one that is called."""

    background: int
    draws: int
    classes: str


class Effects(NamedTuple):
    """Effects of features on the held-out samples of a fold that are explained.

    rows : (n,) int into the cohort; features : k names; values : (n, k) as the model got them; shap : (n, k, n_classes)
    explained : (n, n_classes) bool, classes for which a sample is explained; tokens : see `attribution.token_table`;
    additivity : see `additivity.additivity_table`
    """

    rows: np.ndarray
    features: list[str]
    values: np.ndarray
    shap: np.ndarray
    explained: np.ndarray
    tokens: pd.DataFrame | None = None
    additivity: pd.DataFrame | None = None


class Explanation(NamedTuple):
    """Tables of all folds of a model: SHAP values of features, attributions of tokens if it reads them, and how well
    the values add up if they are expected gradients."""

    values: pd.DataFrame
    attributions: pd.DataFrame | None = None
    additivity: pd.DataFrame | None = None

    def write(self, outputs: Any) -> None:
        """`write_declared`."""
        write_declared(self._asdict(), outputs)


def shap_values(name: str, model: FittedModel, Z: np.ndarray, background: np.ndarray) -> np.ndarray:
    """SHAP values (n_samples, k, n_classes) of a linear model or of trees for standardised rows Z (n_samples, k).

    Linear models are explained on the scale of their margins against the mean of `background` (rows of the training
    part); trees by TreeSHAP along the paths of the training rows (probabilities for forests, log-odds for boosting).
    """
    if REGISTRY[name].explainer == "linear":
        values = linear_effects(Z, background.mean(axis=0), model.estimator.coef_)
    else:
        values = tree_effects(model.estimator, Z)
    return effects_by_class(values, model)


def linear_effects(Z: np.ndarray, mean: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """SHAP values (n, k, n_outputs) of a linear model with independent features; mean : (k,) of the background."""
    return (Z - mean)[:, :, None] * np.atleast_2d(coefficients).T


def tree_effects(estimator: Any, Z: Any) -> np.ndarray:
    """SHAP values (n, k, n_outputs), or (n, k) for a single output, of trees; Z : (n, k), dense or sparse."""
    if isinstance(estimator, LightGBMTrees):
        return estimator.tree_effects(Z)
    import shap

    return np.asarray(shap.TreeExplainer(estimator).shap_values(Z))


def network_effects(
    model: FittedModel, Z: np.ndarray, background: np.ndarray, explained: np.ndarray, draws: int, seed: int
) -> Gradients:
    """Expected gradients of the probabilities of a network by class, 0 where a class is not explained or unseen in
    training.

    Z : (n, k), background : (m, k) as the network takes them; explained : (n, n_classes) bool; `seed` draws the paths.
    """
    paths = draw_paths(len(Z), len(background), draws, seed)
    gradients = expected_gradients(model.estimator.network, Z, background, paths, explained[:, model.class_codes])
    errors = np.full(explained.shape, np.nan)
    errors[:, model.class_codes] = gradients.standard_error
    return Gradients(effects_by_class(gradients.values, model), errors)


def effects_by_class(values: np.ndarray, model: FittedModel) -> np.ndarray:
    """SHAP values of outputs as those of classes, (n, k, n_classes) float32.

    A model with one output explains its second class; the first is its negative. Classes unseen in training get 0.
    """
    if values.ndim == 2 or values.shape[2] == 1:
        single = values.reshape(values.shape[:2])
        values = np.stack([-single, single], axis=2)
    result = np.zeros((*values.shape[:2], len(model.classes)), dtype=np.float32)
    result[:, :, model.class_codes] = values
    return result


def explain_fold(name: str, model: FittedModel, cohort: Cohort, fold: Fold, extent: Extent, seed: int) -> Effects:
    """Effects of features on held-out samples of one fold: on all of them, or on some of each class if the model reads
    sequences."""
    position = pd.Series(np.arange(len(cohort.features)), index=cohort.features)
    columns = position[model.features].to_numpy()
    rows = fold.train
    fold_seed = derive_seed(seed, fold.repeat, fold.name, "background")
    if len(rows) > extent.background:
        random = np.random.default_rng(fold_seed)
        rows = np.sort(random.choice(rows, extent.background, replace=False))

    def values_of(rows: np.ndarray) -> np.ndarray:
        return model.standardise(cohort.values[np.ix_(rows, columns)])

    if isinstance(model.estimator, SequenceNetwork):
        test = choose_rows(cohort, fold.test, ATTRIBUTED_PER_CLASS, fold_seed)
        return explain_tokens(model, cohort, test, values_of(test))
    if isinstance(model.estimator, KmerClassifier):
        test = choose_rows(cohort, fold.test, EXPLAINED_PER_CLASS, fold_seed)
        X = values_of(test)
        explained = explained_classes(model, cohort.codes[test], X, extent.classes)
        return explain_kmers(model, test, X, values_of(rows), explained)
    Z, background = values_of(fold.test), values_of(rows)
    explained = explained_classes(model, cohort.codes[fold.test], Z, extent.classes)
    if isinstance(model.estimator, NetworkClassifier):
        gradients = network_effects(model, Z, background, explained, extent.draws, fold_seed)
        expected = model.predict_standardised(Z) - model.predict_standardised(background).mean(axis=0)
        known = np.isin(np.arange(len(model.classes)), model.class_codes)
        additivity = additivity_table(
            gradients.values.sum(axis=1, dtype=float),
            gradients.standard_error,
            expected,
            explained & known,
            cohort.samples[fold.test],
            model.classes,
        )
        return Effects(fold.test, model.features, Z, gradients.values, explained, additivity=additivity)
    return Effects(fold.test, model.features, Z, shap_values(name, model, Z, background), explained)


def explained_classes(model: FittedModel, codes: np.ndarray, Z: np.ndarray, classes: str) -> np.ndarray:
    """For which classes each row is explained, (n, n_classes) bool; codes : (n,) int, the true class of each row.

    A row's `own` classes are the true one, unless training did not see it, and the one that is called. Of two classes
    one mirrors the other, so that both are there.
    """
    n_classes = len(model.classes)
    if classes == "all" or n_classes == 2:
        return np.ones((len(Z), n_classes), dtype=bool)
    explained = np.zeros((len(Z), n_classes), dtype=bool)
    seen = np.isin(codes, model.class_codes)
    explained[np.flatnonzero(seen), codes[seen]] = True
    explained[np.arange(len(Z)), model.predict_standardised(Z).argmax(axis=1)] = True
    return explained


def choose_rows(cohort: Cohort, rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most `most` of the rows (int into the cohort) of each class, of as many groups as there are, in order."""
    rows = np.random.default_rng(seed).permutation(rows)
    table = pd.DataFrame({"row": rows, "label": cohort.labels[rows], "turn": 0})
    if cohort.groups is not None:
        # The first of every group, then the second of every group, and so on.
        table["turn"] = table.groupby(["label", cohort.groups[rows]]).cumcount()
    chosen = table.sort_values("turn", kind="stable").groupby("label").head(most)
    return np.sort(chosen["row"].to_numpy())


def explain_kmers(
    model: FittedModel, rows: np.ndarray, X: np.ndarray, background: np.ndarray, explained: np.ndarray
) -> Effects:
    """Effects of the k-mers that matter most to sequences X (n, 1); background : training sequences; explained : see
    `Effects`."""
    estimator = model.estimator
    Z = estimator.transform(X)
    if hasattr(estimator, "coef_"):
        # A vocabulary has thousands of words; only those that are kept become a dense matrix.
        mean = np.asarray(estimator.transform(background).mean(axis=0)).ravel()
        coefficients = np.atleast_2d(estimator.coef_)
        columns = strongest(mean_distance(Z, mean) * np.abs(coefficients).mean(axis=0))
        values = Z[:, columns].toarray()
        shap = linear_effects(values, mean[columns], coefficients[:, columns])
    else:
        shap = tree_effects(estimator.estimator, Z)
        columns = strongest(np.abs(shap).reshape(*Z.shape, -1).mean(axis=(0, 2)))
        values, shap = Z[:, columns].toarray(), shap[:, columns]
    shap = effects_by_class(shap, model)
    names = estimator.feature_names
    features = name_words(estimator.kmers.kind.alphabet, [names[column] for column in columns])
    return Effects(rows, features, values, shap, explained)


def mean_distance(Z: csr_matrix, mean: np.ndarray) -> np.ndarray:
    """Mean over rows of |Z - mean| for each column of a sparse matrix (n, k), (k,) float64."""
    n_rows, n_columns = Z.shape
    there = mean[Z.indices]
    change = np.bincount(Z.indices, np.abs(Z.data - there) - np.abs(there), minlength=n_columns)
    return change / n_rows + np.abs(mean)


def strongest(importance: np.ndarray) -> np.ndarray:
    """Places of the MOST_WORDS largest values, in rising order; ties by place."""
    return np.sort(np.argsort(-importance, kind="stable")[:MOST_WORDS])


def name_words(alphabet: str, words: Sequence[str]) -> list[str]:
    """Words with their alphabet, so that those of different models do not collide."""
    short = {"reduced_protein": "reduced"}.get(alphabet, alphabet)
    return [f"{short} {word}" for word in words]


def explain_tokens(model: FittedModel, cohort: Cohort, rows: np.ndarray, X: np.ndarray) -> Effects:
    """Effects of words on a network's probability of its call and of the true class, for sequences X (n, 1)."""
    own_codes = {code: place for place, code in enumerate(model.class_codes)}
    attributions = attribute(model.estimator, X, np.array([own_codes.get(code, -1) for code in cohort.codes[rows]]))
    reads, known = model.estimator.settings["reads"], [model.classes[code] for code in model.class_codes]
    words, counts, effects = word_effects(attributions, reads, len(known), MOST_WORDS)
    explained = np.zeros((len(rows), len(model.classes)), dtype=bool)
    for row, attribution in enumerate(attributions):
        explained[row, [model.class_codes[code] for code in attribution.by_class]] = True
    shap = np.zeros((*counts.shape, len(model.classes)), dtype=np.float32)
    shap[:, :, model.class_codes] = effects
    tokens = token_table(attributions, cohort.samples[rows], known)
    return Effects(rows, name_words(reads, words), counts, shap, explained, tokens)


def explain_model(
    name: str, cohort: Cohort, folds: Sequence[Fold], models_dirs: Mapping[str, Path], extent: Extent, seed: int
) -> Explanation:
    """SHAP values of held-out samples of every fold of a model.

    models_dirs : repeat to the folder of its fitted models. One row per (repeat, fold, sample, class, feature) with
    value (as the model got it) and shap, for every class for which the sample is explained and every feature that the
    model was given; of the words of sequences for the MOST_WORDS with the largest effects in the fold.
    """
    tables, tokens, additivity = [], [], []
    for fold in tqdm(folds, desc=f"explain {name}", unit="fold", leave=False, disable=None):
        model = FittedModel.load(models_dirs[fold.repeat] / fold.name)
        effects = explain_fold(name, model, cohort, fold, extent, seed)
        tables.append(values_table(effects, cohort.samples[effects.rows], model.classes, fold))
        if effects.tokens is not None:
            tokens.append(effects.tokens.assign(repeat=fold.repeat, fold=fold.name))
        if effects.additivity is not None:
            additivity.append(effects.additivity.assign(repeat=fold.repeat, fold=fold.name))
        used = int(np.any(effects.shap != 0, axis=(0, 2)).sum())
        logger.info("%s fold %s: %d of %d features have an effect", fold.repeat, fold.name, used, len(effects.features))
    keys = ["repeat", "fold", "sample", "class"]
    values = join_tables(tables, [*keys, "feature"])
    if tokens:
        attributions = join_tables(tokens, [*keys, "token"])
        return Explanation(values, attributions[[*keys, "position", "token", "attribution"]])
    if additivity:
        sums = pd.concat(additivity, ignore_index=True)
        return Explanation(values, additivity=sums[[*keys, "sum", "expected", "standard_error"]])
    return Explanation(values)


def values_table(effects: Effects, samples: np.ndarray, classes: Sequence[str], fold: Fold) -> pd.DataFrame:
    """The rows of one fold in the table of `explain_model`; samples : (n,) names of the rows, classes : all labels."""
    places = np.indices(effects.shap.shape, dtype=np.int32).reshape(3, -1)
    sample, feature, label = places[:, effects.explained[places[0], places[2]]]
    none = np.zeros(len(sample), dtype=np.int8)
    # Categories from the start: millions of rows would take ten times the memory as text.
    return pd.DataFrame(
        {
            "repeat": pd.Categorical.from_codes(none, [fold.repeat]),
            "fold": pd.Categorical.from_codes(none, [fold.name]),
            "sample": pd.Categorical.from_codes(sample, list(samples)),
            "class": pd.Categorical.from_codes(label, list(classes)),
            "feature": pd.Categorical.from_codes(feature, list(effects.features)),
            "value": effects.values[sample, feature],
            "shap": effects.shap[sample, feature, label],
        }
    )


def join_tables(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Tables one below the other, with some columns as categories in sorted order."""
    joined = {}
    for column in tables[0]:
        parts = [table[column] for table in tables]
        if column in columns:
            parts = [part.astype("category").cat.remove_unused_categories() for part in parts]
            joined[column] = union_categoricals(parts, sort_categories=True)
        else:
            joined[column] = np.concatenate(parts)
    return pd.DataFrame(joined)


def model_weights(model: FittedModel) -> pd.DataFrame:
    """What a fitted model itself says of its features: class, feature, weight, largest first within a class.

    Coefficients per standard deviation of the gene, or per unit of a k-mer, towards a class (two classes have one set,
    towards the second), or impurity-based or gain importances of trees, which know no class (""); no rows for a
    network. Of k-mers there are the MOST_WORDS largest weights of a class.
    """
    estimator, names, most = model.estimator, model.features, None
    if isinstance(estimator, NetworkClassifier):
        return pd.DataFrame({"class": [], "feature": [], "weight": []})
    if isinstance(estimator, KmerClassifier):
        names, most = name_words(estimator.kmers.kind.alphabet, estimator.feature_names), MOST_WORDS
        estimator = estimator.estimator
    names = np.asarray(names, dtype=object)
    if hasattr(estimator, "coef_"):
        rows = np.atleast_2d(estimator.coef_)
        codes = model.class_codes[1:] if len(rows) == 1 else model.class_codes
        labels = [model.classes[code] for code in codes]
    else:
        rows, labels = estimator.feature_importances_[None, :], [""]
    tables = []
    for label, weights in zip(labels, rows, strict=True):
        order = np.argsort(-np.abs(weights), kind="stable")[:most]
        tables.append(pd.DataFrame({"class": label, "feature": names[order], "weight": weights[order]}))
    return pd.concat(tables, ignore_index=True)


def rank_features(values: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rank the features of a model for each class by mean absolute SHAP over held-out samples.

    values : the table of `explain_model`. Returns class, feature, rank, mean_abs_shap, median_shap, model: over the
    samples that are explained for the class. A feature that was not selected in a fold counts with 0 there, so that a
    gene chosen once by chance does not outrank one chosen always.
    """
    sample = values.groupby(["repeat", "fold", "sample"], observed=True).ngroup().to_numpy()
    feature, names = pd.factorize(values["feature"])
    shap, tables = values["shap"].to_numpy(), []
    for label, rows in values.groupby("class", observed=True).indices.items():
        row, features = pd.factorize(feature[rows])
        column, explained = pd.factorize(sample[rows])
        effects = np.zeros((len(features), len(explained)), dtype=shap.dtype)
        effects[row, column] = shap[rows]
        summaries = {
            "mean_abs_shap": np.abs(effects).mean(axis=1, dtype=float),
            "median_shap": np.median(effects, axis=1),
        }
        tables.append(pd.DataFrame({"class": str(label), "feature": names[features].astype(str), **summaries}))
    table = pd.concat(tables, ignore_index=True)
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
