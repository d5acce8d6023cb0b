"""metrics.json and the calibrated test predictions of a study."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from genestrata.calibration import Calibration
from genestrata.metrics import (
    TestPredictions,
    bootstrap_weights,
    class_auc,
    confusion,
    intervals,
    per_class,
    probability_metrics,
)
from genestrata.predictions import PREFIX, class_names, codes, probabilities
from genestrata.splitting import FINAL, keeps_groups

logger = logging.getLogger(__name__)


def test_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rows of the outer test parts, as the models predicted them."""
    return predictions[predictions["inner_fold"].isna() & (predictions["fold"] != FINAL)]


def calibrate(predictions: pd.DataFrame, method: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibrate the test rows of each (repeat, fold, model) by its own out-of-fold rows; the final fold is left out.

    Returns the test rows with calibrated probabilities, and one row per (repeat, fold, model) with temperature and
    threshold, the confidence below which a sample is better left unclassified.
    """
    columns = [PREFIX + label for label in class_names(predictions)]
    classes = class_names(predictions)
    tested, parameters = [], []
    for (repeat, fold, model), rows in predictions[predictions["fold"] != FINAL].groupby(
        ["repeat", "fold", "model"], sort=False, observed=True
    ):
        out_of_fold = rows[rows["inner_fold"].notna()]
        test = rows[rows["inner_fold"].isna()].drop(columns="inner_fold")
        fitted = Calibration.fit(probabilities(out_of_fold), codes(out_of_fold["true"], classes), method)
        test[columns] = fitted.apply(probabilities(test))
        tested.append(test)
        parameters.append({"repeat": repeat, "fold": fold, "model": model, **asdict(fitted)})
    return pd.concat(tested, ignore_index=True), pd.DataFrame(parameters)


def as_repeats(test: pd.DataFrame, samples: Sequence[str], classes: Sequence[str]) -> list[TestPredictions]:
    """Test rows of one model as one TestPredictions per repeat."""
    position = pd.Series(np.arange(len(samples)), index=list(samples))
    return [
        TestPredictions(
            codes=codes(rows["true"], classes),
            probabilities=probabilities(rows),
            folds=np.unique(rows["fold"], return_inverse=True)[1],
            samples=position[rows["sample"].to_numpy()].to_numpy(),
        )
        for _, rows in test.groupby("repeat", sort=True)
    ]


def select_model(tuning: pd.DataFrame) -> tuple[str, dict[str, dict[str, float]]]:
    """The headline model, best by its chosen settings' inner score, and every model's mean inner scores.

    tuning : rows of all models' tuning.tsv with a column model. Highest balanced accuracy first, then the least log
    loss; the baseline `majority` is never the headline.
    """
    chosen = tuning[tuning["chosen"] & (tuning["fold"] != FINAL)]
    means = chosen.groupby("model", sort=False)[["inner_balanced_accuracy", "inner_log_loss"]].mean()
    scores = {model: row.to_dict() for model, row in means.iterrows()}
    candidates = [model for model in scores if model != "majority"] or list(scores)

    def order(model: str) -> tuple[float, float]:
        return -round(scores[model]["inner_balanced_accuracy"], 9), scores[model]["inner_log_loss"]

    return min(candidates, key=order), scores


def evaluate(
    predictions: pd.DataFrame,
    tuning: pd.DataFrame,
    history: pd.DataFrame,
    samples: pd.DataFrame,
    protocol: Mapping[str, Any],
    calibration: str,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Evaluate all models of a study.

    predictions : rows of all models and repeats, raw; tuning, history : the models' tables with columns repeat and
    model; samples : samples.tsv; protocol : scheme, folds, repeats, inner_folds, group, seed. Returns the dictionary of
    metrics.json (without study, data, n_features and controls) and the calibrated test predictions. The bootstrap is
    seeded from protocol["seed"].
    """
    classes = class_names(predictions)
    outer = predictions[predictions["fold"] != FINAL]
    # Folds shrink to the smallest class, and a published split is one: report what was done beside what was asked for.
    done = {
        "folds": int(outer["fold"].nunique()),
        "inner_folds": int(outer["inner_fold"].max()) + 1,
        "folds_requested": protocol["folds"],
        "inner_folds_requested": protocol["inner_folds"],
        "replicates_shared": shares_replicates(outer, samples, protocol["replicates"]),
        "inner_samples_per_class": inner_samples_per_class(outer),
        "test_folds_without_class": folds_without_class(outer, classes),
    }
    test, parameters = calibrate(predictions, calibration)
    raw = test_rows(predictions)
    names, weights = weights_of_tested(test, samples, protocol)
    selected, inner = select_model(tuning)
    ones = np.ones((1, len(names)))

    models: dict[str, Any] = {}
    for model in dict.fromkeys(test["model"]):
        repeats = as_repeats(test[test["model"] == model], names, classes)
        entry: dict[str, Any] = intervals(repeats, weights, len(names), protocol["scheme"] == "published")
        entry["per_class"] = per_class(repeats, classes, len(names))
        uncalibrated = [
            probability_metrics(part, ones[:, part.samples])
            for part in as_repeats(raw[raw["model"] == model], names, classes)
        ]
        entry["uncalibrated"] = {
            name: float(np.mean([values[name][0] for values in uncalibrated])) for name in ("log_loss", "brier", "ece")
        }
        chosen = parameters[parameters["model"] == model]
        entry["unclassified"] = _unclassified(test[test["model"] == model], chosen)
        entry["temperature"] = None if calibration == "none" else float(chosen["temperature"].mean())
        entry["errors"] = float(np.mean([np.sum(part.predicted != part.codes) for part in repeats]))
        entry["roc_auc_pooled"] = any(class_auc(part, ones[:, part.samples])[1] for part in repeats)
        times = history[(history["model"] == model) & (history["fold"] != FINAL)]
        entry["train_seconds"] = float((times["tune_seconds"] + times["fit_seconds"]).sum())
        entry["model_bytes"] = int(times["model_bytes"].max())
        entry["inner_score"] = {
            "balanced_accuracy": inner[model]["inner_balanced_accuracy"],
            "log_loss": inner[model]["inner_log_loss"],
        }
        models[model] = entry
        logger.info("%s: balanced accuracy %.3f", model, entry["balanced_accuracy"]["value"])

    best = max(
        (model for model in models if model != "majority"),
        key=lambda model: (models[model]["balanced_accuracy"]["value"], -models[model]["log_loss"]["value"]),
        default=selected,
    )
    metrics = {
        "n_samples": len(samples),
        "classes": {label: int(size) for label, size in samples["label"].value_counts().sort_index().items()},
        "protocol": dict(protocol) | done,
        "selected": selected,
        "exploratory_best": best,
        "models": models,
        "extra": {},
    }
    return metrics, test


def weights_of_tested(
    test: pd.DataFrame, samples: pd.DataFrame, protocol: Mapping[str, Any]
) -> tuple[list[str], np.ndarray]:
    """Samples that were tested and their bootstrap weights (draws, n_tested), seeded from protocol["seed"].

    An interval is about the samples that were tested; a published training part is none of them. Replicates that are
    shared between training and test are drawn one by one: the samples of one replicate have nothing else in common.
    """
    tested = samples[samples["sample"].isin(set(test["sample"]))]
    whole_groups = keeps_groups(protocol["scheme"], samples) and protocol.get("replicates") != "shared"
    groups = tested["group"].to_numpy(dtype=str) if whole_groups else None
    labels = codes(tested["label"], class_names(test))
    return list(tested["sample"]), bootstrap_weights(labels, groups, protocol["seed"])


def folds_without_class(outer: pd.DataFrame, classes: Sequence[str]) -> dict[str, list[str]]:
    """Classes that some test folds lack, each with those folds as repeat/fold."""
    test = outer[outer["inner_fold"].isna()].drop_duplicates(["repeat", "fold", "sample"])
    found = test.groupby(["repeat", "fold"], observed=True)["true"].agg(set)
    lacking = {
        label: [f"{repeat}/{fold}" for (repeat, fold), present in found.items() if label not in present]
        for label in classes
    }
    for label, folds in lacking.items():
        if folds:
            logger.warning("class '%s' is missing from test folds %s", label, ", ".join(folds))
    return {label: folds for label, folds in lacking.items() if folds}


def inner_samples_per_class(outer: pd.DataFrame) -> int:
    """Samples of the largest class in the inner fit that has the fewest of them; outer : prediction rows of all folds
    but the final one."""
    inner = outer[outer["inner_fold"].notna()].drop_duplicates(["repeat", "fold", "sample"])
    held_out = inner.groupby(["repeat", "fold", "true", "inner_fold"], observed=True).size().unstack(fill_value=0)
    fitted = (-held_out).add(held_out.sum(axis=1), axis=0)
    return int(fitted.groupby(level=["repeat", "fold"], observed=True).max().to_numpy().min())


def shares_replicates(outer: pd.DataFrame, samples: pd.DataFrame, replicates: str) -> list[str]:
    """Where replicates stand on both sides: "outer" folds, "inner" folds, both or nowhere ([]).

    outer : prediction rows of all folds but the final one; replicates : the study's `evaluation.replicates`. Kept
    separate, replicates are the samples of a group; a study without groups shares nothing. Shared, each group holds one
    replicate of every class, and the others are in training by design.
    """
    if replicates == "shared":
        return ["outer", "inner"]
    of_sample = samples.set_index("sample")["group"]
    rows = outer[["repeat", "fold", "inner_fold", "sample"]].drop_duplicates()
    rows = rows.assign(group=of_sample[rows["sample"].to_numpy()].to_numpy(), tested=rows["inner_fold"].isna())
    by = rows[rows["group"] != ""].groupby(["repeat", "fold", "group"], observed=True)
    places = []
    if (by["tested"].nunique() > 1).any():
        places.append("outer")
    if (by["inner_fold"].nunique() > 1).any():
        places.append("inner")
    return places


def _unclassified(test: pd.DataFrame, parameters: pd.DataFrame) -> dict[str, Any]:
    """Coverage and accuracy of the calls at or above each fold's own threshold; threshold is the mean over folds."""
    joined = test.merge(parameters[["repeat", "fold", "threshold"]], on=["repeat", "fold"])
    called = probabilities(joined).max(axis=1) >= joined["threshold"].to_numpy()
    right = (joined["true"] == joined["predicted"]).to_numpy()
    return {
        "threshold": float(parameters["threshold"].mean()),
        "coverage": float(called.mean()),
        "accuracy": float(right[called].mean()) if called.any() else None,
    }


def metrics_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """metrics.json as a table for people: one row per model and metric with value, low and high."""
    return pd.DataFrame(
        [
            {"model": model, "metric": name, "value": entry["value"], "low": entry["ci95"][0], "high": entry["ci95"][1]}
            for model, entries in metrics["models"].items()
            for name, entry in entries.items()
            if isinstance(entry, Mapping) and "ci95" in entry
        ]
    )


def confusion_table(test: pd.DataFrame, samples: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """Confusion matrix of one model, counts averaged over repeats: rows true, columns predicted."""
    ones = np.ones((1, len(samples)))
    matrices = [confusion(part, ones[:, part.samples])[0] for part in as_repeats(test, samples, classes)]
    return pd.DataFrame(np.mean(matrices, axis=0), index=pd.Index(classes, name="true"), columns=list(classes))
