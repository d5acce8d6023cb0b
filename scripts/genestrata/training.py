"""Tuning and fitting one model on every fold of one repeat; test rows are seen once, to be predicted."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from tqdm import tqdm

from genestrata.cohort import Cohort
from genestrata.errors import DivergedError, InputError
from genestrata.models import load_module, parameter_grid, reads
from genestrata.models.context import FitContext
from genestrata.models.storage import FittedModel, standardise
from genestrata.ordering import order_features
from genestrata.predictions import prediction_table
from genestrata.ranking import Rankings, Unranked
from genestrata.scoring import inner_score
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.tables import TrainingTables

logger = logging.getLogger(__name__)


def fit_model(
    name: str,
    Z: np.ndarray,
    cohort: Cohort,
    rows: np.ndarray,
    selected: tuple[np.ndarray, np.ndarray, np.ndarray],
    setting: Mapping[str, Any],
    seed: int,
    threads: int,
) -> tuple[FittedModel, np.ndarray]:
    """Fit one model on rows of a training part, scaled as `selected` says.

    Z : (n_rows, at least k) float32, best feature first; rows : (n_rows,) int into the cohort; selected : columns, mean
    and standard deviation of the features of Z; setting : k and parameters. Classes absent from the rows are left out
    of the fit. Returns the model and the column of Z of each of its features. Raises DivergedError.
    """
    columns, mean, scale = selected
    parameters = dict(setting["parameters"])
    order = np.arange(min(setting["k"], Z.shape[1]))
    # Time points stand in the data in their own order.
    method = "file" if reads(name) == "series" else parameters.get("gene_order")
    if method:
        order = order_features(method, Z[:, order], columns[order], cohort.genome_order, seed)
    present, contiguous = np.unique(cohort.codes[rows], return_inverse=True)
    features = list(cohort.features[columns[order]])
    context = FitContext(None if cohort.groups is None else cohort.groups[rows], features)
    # Thousands of small fits on data that were checked once: scikit-learn's own checks take half of their time.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        estimator = load_module(name).fit(Z[:, order], contiguous, parameters, seed, threads, context)
    model = FittedModel(
        estimator=estimator,
        features=features,
        mean=mean[order],
        scale=scale[order],
        classes=cohort.classes,
        class_codes=present.tolist(),
        settings=dict(setting),
        keeps_missing=reads(name) == "series",
    )
    return model, order


def best_features(
    name: str, rankings: Rankings | Unranked, fold: Fold, inner_fold: int | None, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`Rankings.best`; a model that reads a series gets it unscaled."""
    columns, mean, scale = rankings.best(fold.name, inner_fold, k)
    return (columns, np.zeros_like(mean), np.ones_like(scale)) if reads(name) == "series" else (columns, mean, scale)


def fit_in_fold(name: str, fold: Fold, inner_fold: int | None, *arguments: Any) -> tuple[FittedModel, np.ndarray]:
    """`fit_model`, with a message that names the fold where a network diverges."""
    try:
        return fit_model(name, *arguments)
    except DivergedError as error:
        part = "" if inner_fold is None else f", inner fold {inner_fold}"
        raise InputError(
            f"{name}: repeat {fold.repeat}, fold {fold.name}{part}: {error}; lower model_params.{name}.learning_rate"
        ) from None


@dataclass
class FoldResult:
    """What training leaves of one fold: prediction rows, the tuning table, the refitted model, seconds of its fits,
    epochs of networks."""

    predictions: pd.DataFrame
    tuning: pd.DataFrame
    model: FittedModel
    tune_seconds: float
    fit_seconds: float
    epochs: list[pd.DataFrame] = field(default_factory=list)


def train_fold(
    name: str,
    cohort: Cohort,
    fold: Fold,
    rankings: Rankings | Unranked,
    settings: Sequence[Mapping[str, Any]],
    seed: int,
    threads: int,
) -> FoldResult:
    """Tune on the inner folds, keep the chosen setting's out-of-fold predictions, refit on the training part, predict
    the test part.

    settings : candidates, each {k, parameters}; the first of equals wins, so list the simplest first.
    """
    started = time.perf_counter()
    codes = cohort.codes
    largest_k = max(setting["k"] for setting in settings)
    out_of_fold = np.zeros((len(settings), len(fold.train), len(cohort.classes)))
    inner_of_row = np.empty(len(fold.train), dtype=int)
    epochs = []
    fits = stages_of(name, settings)
    for number, (train, held_out) in enumerate(fold.inner):
        selected = best_features(name, rankings, fold, number, largest_k)
        columns, mean, scale = selected
        Z, Z_held_out = (
            standardise(cohort.values[np.ix_(rows, columns)], mean, scale, reads(name) == "series")
            for rows in (train, held_out)
        )
        places = np.searchsorted(fold.train, held_out)
        inner_of_row[places] = number
        for fitted, staged in fits:
            model, order = fit_in_fold(name, fold, number, Z, cohort, train, selected, fitted, seed, threads)
            for position, stage in staged.items():
                if stage is not None:
                    model.estimator.use_stage(stage)
                out_of_fold[position, places] = model.predict_standardised(Z_held_out[:, order])
            # Thousands of fits of classical models have none; a table for each would cost more than some of the fits.
            if hasattr(model.estimator, "history"):
                epochs.append(epoch_rows(model, fold.name, number))

    scores = [inner_score(probabilities, codes[fold.train]) for probabilities in out_of_fold]
    chosen = min(range(len(settings)), key=lambda position: (-round(scores[position][0], 9), scores[position][1]))
    tuning = pd.DataFrame(
        [
            {
                "fold": fold.name,
                "k": min(setting["k"], len(cohort.features)),
                "parameters": json.dumps(setting["parameters"], sort_keys=True),
                "inner_balanced_accuracy": score[0],
                "inner_log_loss": score[1],
                "chosen": position == chosen,
            }
            for position, (setting, score) in enumerate(zip(settings, scores, strict=True))
        ]
    )
    tuned = time.perf_counter()

    setting = settings[chosen]
    model, columns = refit(name, cohort, fold, rankings, setting, seed, threads)
    epochs.append(epoch_rows(model, fold.name, None))
    finished = time.perf_counter()

    parts = [(inner_of_row.tolist(), fold.train, out_of_fold[chosen])]
    if len(fold.test):
        test = model.predict_proba(cohort.values[np.ix_(fold.test, columns)])
        parts.append(([None] * len(fold.test), fold.test, test))
    predictions = pd.concat([fold_predictions(name, cohort, fold, *part) for part in parts], ignore_index=True)
    logger.info(
        "fold %s: %s, k %d of %d settings tuned, inner balanced accuracy %.3f",
        fold.name,
        name,
        len(model.features),
        len(settings),
        scores[chosen][0],
    )
    return FoldResult(predictions, tuning, model, tuned - started, finished - tuned, epochs)


def stages_of(name: str, settings: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], dict[int, Any]]]:
    """The settings to fit, each with the candidates that its fit serves: position among `settings` to the value of the
    staged parameter, None for a model without one."""
    parameter = getattr(load_module(name), "STAGED", None)
    if parameter is None:
        return [(setting, {position: None}) for position, setting in enumerate(settings)]
    fits: dict[str, dict[int, Any]] = {}
    for position, setting in enumerate(settings):
        others = {key: value for key, value in setting["parameters"].items() if key != parameter}
        fits.setdefault(json.dumps([setting["k"], others]), {})[position] = setting["parameters"][parameter]
    result = []
    for staged in fits.values():
        largest = settings[max(staged, key=staged.get)]
        if len(staged) > 1:
            parameters = {**largest["parameters"], "stages": sorted(staged.values())}
            result.append(({**largest, "parameters": parameters}, staged))
        else:
            result.append((largest, dict.fromkeys(staged)))
    return result


def refit(
    name: str,
    cohort: Cohort,
    fold: Fold,
    rankings: Rankings | Unranked,
    setting: Mapping[str, Any],
    seed: int,
    threads: int,
) -> tuple[FittedModel, np.ndarray]:
    """Fit one setting on the whole training part of a fold; returns the model and the cohort's column of each of its
    features."""
    selected = best_features(name, rankings, fold, None, setting["k"])
    columns, mean, scale = selected
    Z = standardise(cohort.values[np.ix_(fold.train, columns)], mean, scale, reads(name) == "series")
    model, order = fit_in_fold(name, fold, None, Z, cohort, fold.train, selected, setting, seed, threads)
    return model, columns[order]


def fold_predictions(
    name: str,
    cohort: Cohort,
    fold: Fold,
    inner_fold: Sequence[int | None],
    rows: np.ndarray,
    probabilities: np.ndarray,
) -> pd.DataFrame:
    """Prediction rows of some samples of a fold; rows : (n,) int into the cohort; probabilities : (n, n_classes)."""
    return prediction_table(
        fold.repeat,
        fold.name,
        name,
        inner_fold,
        cohort.samples[rows],
        cohort.labels[rows],
        probabilities,
        cohort.classes,
    )


def epoch_rows(model: FittedModel, fold: str, inner_fold: int | None) -> pd.DataFrame:
    """Epochs of a network's fit with fold and inner_fold in front, no rows for any other model."""
    history = getattr(model.estimator, "history", None)
    table = pd.DataFrame(columns=["epoch"]) if history is None else history.copy()
    table.insert(0, "inner_fold", pd.array([inner_fold] * len(table), dtype="Int16"))
    table.insert(0, "fold", fold)
    return table


def chosen_sizes(tuning: pd.DataFrame) -> dict[str, list[int]]:
    """The number of features that another model's inner score chose in each fold, from its tuning table."""
    chosen = tuning[tuning["chosen"]]
    return {str(fold): [int(k)] for fold, k in zip(chosen["fold"], chosen["k"], strict=True)}


def sizes_to_try(select: Mapping[str, Any], n_features: int) -> list[int]:
    """Numbers of features that a study's `select` has tried: all of them where it selects none."""
    return [n_features] if select["method"] == "none" else list(select["k"])


def candidate_settings(
    name: str, k: Sequence[int], n_features: int, overrides: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The candidates of the inner loop: every k, clipped to n_features, with every parameter combination."""
    # The baseline looks at no feature.
    sizes = [1] if name == "majority" else sorted({min(size, n_features) for size in k})
    return [{"k": size, "parameters": parameters} for size in sizes for parameters in parameter_grid(name, overrides)]


def train_model(
    name: str,
    cohort: Cohort,
    folds: Sequence[Fold],
    ranking: pd.DataFrame | None,
    k: Mapping[str, Sequence[int]],
    overrides: Mapping[str, Any],
    seed: int,
    threads: int,
    models_dir: Path,
) -> TrainingTables:
    """Train one model on all folds; saves each fold's model under `models_dir`. ranking : None where nothing is ranked;
    k : fold to the numbers of features to try."""
    rankings = Unranked(cohort.features) if ranking is None else Rankings(ranking, cohort.features)
    predictions, tuning, history, epochs = [], [], [], []
    for fold in tqdm(folds, desc=name, unit="fold", leave=False, disable=None):
        settings = candidate_settings(name, k[fold.name], len(cohort.features), overrides)
        result = train_fold(
            name, cohort, fold, rankings, settings, derive_seed(seed, fold.repeat, fold.name, name), threads
        )
        size = result.model.save(models_dir / fold.name)
        predictions.append(result.predictions)
        tuning.append(result.tuning)
        epochs += result.epochs
        history.append(
            {
                "fold": fold.name,
                "tune_seconds": result.tune_seconds,
                "fit_seconds": result.fit_seconds,
                "model_bytes": size,
            }
        )
    return TrainingTables(
        pd.concat(predictions, ignore_index=True),
        pd.concat(tuning, ignore_index=True),
        pd.DataFrame(history),
        pd.concat(epochs, ignore_index=True),
    )
