"""The stack: a meta-learner on the out-of-fold probabilities of the base models (Wolpert 1992, Neural Networks
5:241)."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.models import gradient_boosting
from genestrata.models.storage import FittedModel
from genestrata.predictions import PREFIX, class_names, codes, prediction_table
from genestrata.scoring import inner_score
from genestrata.seeds import derive_seed
from genestrata.tables import TrainingTables

logger = logging.getLogger(__name__)


def meta_features(predictions: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Turn prediction rows of several models into one row per (fold, sample): columns `<model> p_<label>`.

    Keeps inner_fold and true, which are the same for every model. Raises ValueError if a model lacks a row.
    """
    columns = [PREFIX + label for label in class_names(predictions)]
    wide = predictions.assign(inner_fold=predictions["inner_fold"].fillna(-1).astype(int)).pivot(
        index=["fold", "sample", "inner_fold", "true"], columns="model", values=columns
    )
    wide = wide.reindex(columns=[(column, model) for model in models for column in columns])
    if wide.isna().any(axis=None):
        raise ValueError("the base models did not predict the same rows")
    wide.columns = [f"{model} {column}" for column, model in wide.columns]
    return wide.reset_index()


def train_stack(
    predictions: pd.DataFrame, models: Sequence[str], repeat: str, seed: int, models_dir: Path
) -> TrainingTables:
    """Fit the meta-learner in every fold of a repeat; saves it under `models_dir`.

    In a fold the meta-learner is fitted on the base models' out-of-fold predictions of the training part and applied to
    their predictions of the test part. Its own out-of-fold predictions, which calibrate and score it, come from the
    same inner folds: fitted without the rows of one inner fold, applied to them.
    """
    classes = class_names(predictions)
    wide = meta_features(predictions, models)
    inputs = [column for column in wide.columns if column not in ("fold", "sample", "inner_fold", "true")]
    results, tuning, history = [], [], []
    for fold in dict.fromkeys(predictions["fold"]):
        started = time.perf_counter()
        rows = wide[wide["fold"] == fold]
        train, test = rows[rows["inner_fold"] >= 0], rows[rows["inner_fold"] < 0]
        fold_seed = derive_seed(seed, repeat, fold, "stack")
        y, inner = codes(train["true"], classes), train["inner_fold"].to_numpy()
        X = train[inputs].to_numpy(dtype=float)
        out_of_fold = np.zeros((len(train), len(classes)))
        for number in np.unique(inner):
            held_out = inner == number
            model = _fit(X[~held_out], y[~held_out], inputs, classes, fold_seed)
            out_of_fold[held_out] = model.predict_standardised(X[held_out])
        balanced_accuracy, loss = inner_score(out_of_fold, y)
        tuned = time.perf_counter()
        model = _fit(X, y, inputs, classes, fold_seed)
        finished = time.perf_counter()
        parts = [(train, inner.tolist(), out_of_fold)]
        if len(test):
            parts.append((test, [None] * len(test), model.predict_standardised(test[inputs].to_numpy(dtype=float))))
        results += [
            prediction_table(
                repeat, fold, "stack", inner_fold, part["sample"].to_numpy(), part["true"].to_numpy(), values, classes
            )
            for part, inner_fold, values in parts
        ]
        tuning.append(
            {
                "fold": fold,
                "k": len(inputs),
                "parameters": json.dumps({"base": list(models)}),
                "inner_balanced_accuracy": balanced_accuracy,
                "inner_log_loss": loss,
                "chosen": True,
            }
        )
        size = model.save(models_dir / fold)
        history.append(
            {"fold": fold, "tune_seconds": tuned - started, "fit_seconds": finished - tuned, "model_bytes": size}
        )
        logger.info("fold %s: stack of %d models, inner balanced accuracy %.3f", fold, len(models), balanced_accuracy)
    return TrainingTables(pd.concat(results, ignore_index=True), pd.DataFrame(tuning), pd.DataFrame(history))


def _fit(X: np.ndarray, y: np.ndarray, inputs: list[str], classes: list[str], seed: int) -> FittedModel:
    """Fit the meta-learner; its inputs are probabilities and need no scaling."""
    estimator = gradient_boosting.fit(X, y, len(inputs) // len(classes), seed)
    return FittedModel(
        estimator=estimator,
        features=inputs,
        mean=np.zeros(len(inputs)),
        scale=np.ones(len(inputs)),
        classes=classes,
        class_codes=estimator.class_codes,
    )
