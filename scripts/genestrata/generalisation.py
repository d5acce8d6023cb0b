"""How far scores carry over: from inner to outer folds, from near to far relatives, from one split to another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genestrata.metrics import all_metrics, paired_entry, wilson_interval
from genestrata.predictions import class_names, codes
from genestrata.scoring import balanced_accuracy
from genestrata.splitting import FINAL

# Identity to the nearest training sequence; unrelated genes share enough 12-mers by chance to read as 0.6 to 0.7.
IDENTITY_BINS = (0.0, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1.0)
METRICS = ("accuracy", "balanced_accuracy", "macro_f1")


def cv_against_test(tuning: pd.DataFrame, test: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Balanced accuracy of the chosen setting inside the training part and on the test part, of every model and fold.

    tuning : rows of all models with repeat and model; test : test rows of all models. Returns model to inner and test
    (means over folds) and folds, with the parameters chosen in each.
    """
    chosen = tuning[tuning["chosen"] & (tuning["fold"] != FINAL)].set_index(["model", "repeat", "fold"])
    classes = class_names(test)
    table: dict[str, dict[str, Any]] = {}
    for (model, repeat, fold), rows in test.groupby(["model", "repeat", "fold"], sort=False, observed=True):
        setting = chosen.loc[(model, repeat, fold)]
        score = balanced_accuracy(codes(rows["true"], classes), codes(rows["predicted"], classes))
        table.setdefault(model, {"folds": []})["folds"].append(
            {
                "repeat": repeat,
                "fold": fold,
                "inner": float(setting["inner_balanced_accuracy"]),
                "test": float(score),
                "parameters": setting["parameters"],
            }
        )
    for entry in table.values():
        entry |= {part: float(np.mean([fold[part] for fold in entry["folds"]])) for part in ("inner", "test")}
    return table


def accuracy_by_identity(test: pd.DataFrame, identity: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Accuracy of every model in bins of the identity to the nearest training sequence, with Wilson intervals.

    identity : repeat, fold, sample, identity (0 to 1). A bin reaches from `from` up to `to`, the last one includes it;
    bins without a sequence are left out.
    """
    joined = test.merge(identity, on=["repeat", "fold", "sample"])
    place = np.clip(np.digitize(joined["identity"], IDENTITY_BINS) - 1, 0, len(IDENTITY_BINS) - 2)
    right = joined["true"] == joined["predicted"]
    table: dict[str, list[dict[str, Any]]] = {}
    for (model, number), hits in right.groupby([joined["model"], place], sort=False):
        table.setdefault(model, []).append(
            {
                "from": IDENTITY_BINS[number],
                "to": IDENTITY_BINS[number + 1],
                "n": len(hits),
                "accuracy": float(hits.mean()),
                "ci95": wilson_interval(int(hits.sum()), len(hits)),
            }
        )
    return {model: sorted(bins, key=lambda entry: entry["from"]) for model, bins in table.items()}


def compare_splits(grouped: Sequence[Any], random: Sequence[Any], weights: np.ndarray) -> dict[str, dict[str, Any]]:
    """Scores of a model in the study's own split and in a random one, and the gap between them, with 95 % intervals.

    grouped, random : its test predictions by repeat; weights : bootstrap weights of the samples, (draws, n_samples),
    the same for both, so that the gap is paired by sample.
    """
    ones = np.ones((1, weights.shape[1]))
    values = {name: all_metrics(parts, ones) for name, parts in (("grouped", grouped), ("random", random))}
    draws = {name: all_metrics(parts, weights) for name, parts in (("grouped", grouped), ("random", random))}
    for table in (values, draws):
        table["gap"] = {metric: table["random"][metric] - table["grouped"][metric] for metric in METRICS}
    return {
        name: {metric: paired_entry(values[name][metric], draws[name][metric]) for metric in METRICS}
        for name in ("grouped", "random", "gap")
    }


def best_possible(truth: pd.DataFrame, samples: Sequence[str], labels: Mapping[str, str]) -> float:
    """Accuracy that a model would have that knows the true class of simulated samples; labels : sample to label."""
    known = truth.set_index("sample")["class"]
    return float(np.mean([known[sample] == labels[sample] for sample in samples]))
