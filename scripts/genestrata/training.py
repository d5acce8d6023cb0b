"""Tuning and fitting one model on every fold of one repeat; test rows are seen once, to be predicted."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from tqdm import tqdm

from genestrata.cohort import Cohort
from genestrata.models import load_module, parameter_grid
from genestrata.models.storage import FittedModel, standardise
from genestrata.predictions import prediction_table
from genestrata.ranking import Rankings
from genestrata.scoring import inner_score
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold

logger = logging.getLogger(__name__)


def fit_model(
    name: str,
    Z: np.ndarray,
    codes: np.ndarray,
    cohort: Cohort,
    selected: tuple[np.ndarray, np.ndarray, np.ndarray],
    setting: Mapping[str, Any],
    seed: int,
    threads: int,
) -> FittedModel:
    """Fit one model on standardised training rows.

    Z : (n_samples, at least k) float32, best feature first; codes : (n_samples,) int into cohort.classes; selected :
    columns, mean and standard deviation of the features of Z; setting : k and parameters. Classes absent from the rows
    are left out of the fit.
    """
    k = min(setting["k"], Z.shape[1])
    present, contiguous = np.unique(codes, return_inverse=True)
    # Thousands of small fits on data that were checked once: scikit-learn's own checks take half of their time.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        estimator = load_module(name).fit(Z[:, :k], contiguous, dict(setting["parameters"]), seed, threads)
    columns, mean, scale = selected
    return FittedModel(
        estimator=estimator,
        features=list(cohort.features[columns[:k]]),
        mean=mean[:k],
        scale=scale[:k],
        classes=cohort.classes,
        class_codes=present.tolist(),
        settings=dict(setting),
    )


@dataclass
class FoldResult:
    """What training leaves of one fold: prediction rows, the tuning table, the refitted model, seconds of its fit."""

    predictions: pd.DataFrame
    tuning: pd.DataFrame
    model: FittedModel
    tune_seconds: float
    fit_seconds: float


def train_fold(
    name: str,
    cohort: Cohort,
    fold: Fold,
    rankings: Rankings,
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
    for number, (train, held_out) in enumerate(fold.inner):
        selected = rankings.best(fold.name, number, largest_k)
        columns, mean, scale = selected
        Z, Z_held_out = (standardise(cohort.values[np.ix_(rows, columns)], mean, scale) for rows in (train, held_out))
        places = np.searchsorted(fold.train, held_out)
        inner_of_row[places] = number
        for position, setting in enumerate(settings):
            model = fit_model(name, Z, codes[train], cohort, selected, setting, seed, threads)
            out_of_fold[position, places] = model.predict_standardised(Z_held_out[:, : len(model.features)])

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
    selected = rankings.best(fold.name, None, setting["k"])
    columns, mean, scale = selected
    Z = standardise(cohort.values[np.ix_(fold.train, columns)], mean, scale)
    model = fit_model(name, Z, codes[fold.train], cohort, selected, setting, seed, threads)
    finished = time.perf_counter()

    parts = [(inner_of_row.tolist(), fold.train, out_of_fold[chosen])]
    if len(fold.test):
        test = model.predict_proba(cohort.values[np.ix_(fold.test, columns[: len(model.features)])])
        parts.append(([None] * len(fold.test), fold.test, test))
    predictions = pd.concat(
        [
            prediction_table(
                fold.repeat, fold.name, name, inner, cohort.samples[rows], cohort.labels[rows], values, cohort.classes
            )
            for inner, rows, values in parts
        ],
        ignore_index=True,
    )
    logger.info(
        "fold %s: %s, k %d of %d settings tuned, inner balanced accuracy %.3f",
        fold.name,
        name,
        len(model.features),
        len(settings),
        scores[chosen][0],
    )
    return FoldResult(predictions, tuning, model, tuned - started, finished - tuned)


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
    ranking: pd.DataFrame,
    k: Sequence[int],
    overrides: Mapping[str, Any],
    seed: int,
    threads: int,
    models_dir: Path,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Train one model on all folds; saves each fold's model under `models_dir` and returns predictions, tuning and
    history.

    history has one row per fold: tune_seconds, fit_seconds, model_bytes.
    """
    rankings = Rankings(ranking, cohort.features)
    settings = candidate_settings(name, k, len(cohort.features), overrides)
    predictions, tuning, history = [], [], []
    for fold in tqdm(folds, desc=name, unit="fold", leave=False, disable=None):
        result = train_fold(
            name, cohort, fold, rankings, settings, derive_seed(seed, fold.repeat, fold.name, name), threads
        )
        size = result.model.save(models_dir / fold.name)
        predictions.append(result.predictions)
        tuning.append(result.tuning)
        history.append(
            {
                "fold": fold.name,
                "tune_seconds": result.tune_seconds,
                "fit_seconds": result.fit_seconds,
                "model_bytes": size,
            }
        )
    return pd.concat(predictions, ignore_index=True), pd.concat(tuning, ignore_index=True), pd.DataFrame(history)
