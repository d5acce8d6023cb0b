"""Transfer of a network from one experiment to another, against training from scratch, as a learning curve."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from genestrata.appearance import colour
from genestrata.cohort import Cohort
from genestrata.drawing import figure
from genestrata.metrics import TestPredictions, bootstrap_weights, confusion, label_metrics
from genestrata.models import load_module, parameter_grid
from genestrata.models.context import FitContext
from genestrata.models.networks import NetworkClassifier
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.time_points import experiments_of

logger = logging.getLogger(__name__)

# Trained on the source alone; fine-tuned from there; trained on the target alone.
STRATEGIES = ("not fine-tuned", "fine-tuned", "from scratch")


def choose_labelled(codes: np.ndarray, rows: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """About `size` of the rows, each class by its share but at least once; codes : (n,) int of all rows."""
    chosen = []
    for code in np.unique(codes[rows]):
        members = random.permutation(rows[codes[rows] == code])
        chosen.append(members[: max(1, round(size * len(members) / len(rows)))])
    return np.sort(np.concatenate(chosen))


def predict_transfers(
    cohort: Cohort,
    folds: Sequence[Fold],
    settings: Mapping[str, Any],
    overrides: Mapping[str, Any],
    seed: int,
    threads: int,
) -> pd.DataFrame:
    """Predictions of the test genes of every fold from one experiment of theirs at a time.

    cohort : labelled rows; settings : the study's `transfer`; overrides : its parameters of the model. The network is
    first trained on the source series of all training genes of a fold, then, for each target experiment and number of
    labelled genes, fine-tuned on the target series of that many of them; beside it an equal network is trained on these
    from new weights. No series of a test gene is seen before it is predicted. Returns target, strategy, size, fold,
    row, predicted (int codes).
    """
    experiments = experiments_of(cohort.features)
    model = load_module(settings["model"])
    # The last states of the recurrence have the same shape whatever the length of a series.
    parameters = parameter_grid(settings["model"], overrides)[0] | {"summary": "last"}
    if "epochs" in settings:
        parameters["epochs"] = settings["epochs"]
    codes = cohort.codes

    def fit(name: str, rows: np.ndarray, fit_seed: int, start: Any = None) -> Any:
        columns = experiments[name][0]
        context = FitContext(None if cohort.groups is None else cohort.groups[rows], cohort.features[columns].tolist())
        values = cohort.values[np.ix_(rows, columns)]
        return model.fit(values, codes[rows], parameters, fit_seed, threads, context, start)

    results = []
    for fold in tqdm(folds, desc="transfer", unit="fold", leave=False, disable=None):
        fold_seed = derive_seed(seed, fold.repeat, fold.name, "transfer")
        source = fit(settings["source"], fold.train, fold_seed)
        weights = source.network.get_weights()
        for target in settings["targets"]:
            columns = experiments[target][0]
            test = cohort.values[np.ix_(fold.test, columns)]

            def record(strategy: str, size: int, estimator: Any, target=target, test=test, fold=fold) -> None:
                predicted = estimator.predict_proba(test).argmax(axis=1)
                results.append(
                    pd.DataFrame(
                        {"target": target, "strategy": strategy, "size": size, "fold": fold.name, "row": fold.test}
                    ).assign(predicted=predicted)
                )

            network = model.build(len(columns), len(cohort.classes), parameters | {"series": [len(columns)]})
            network.set_weights(weights)
            record(STRATEGIES[0], 0, NetworkClassifier(network))
            for size in settings["sizes"]:
                random = np.random.default_rng(derive_seed(fold_seed, target, str(size)))
                rows = choose_labelled(codes, fold.train, size, random)
                record(STRATEGIES[1], size, fit(target, rows, fold_seed, weights))
                record(STRATEGIES[2], size, fit(target, rows, fold_seed))
        logger.info("fold %s: %s to %s", fold.name, settings["source"], ", ".join(settings["targets"]))
    return pd.concat(results, ignore_index=True)


def learning_curve(predictions: pd.DataFrame, codes: np.ndarray, n_classes: int, seed: int) -> pd.DataFrame:
    """Accuracy and balanced accuracy with 95 % intervals (bootstrap over genes) of every target, strategy and size.

    predictions : what `predict_transfers` returns; codes : (n,) int true classes of all rows.
    """
    rows = []
    for (target, strategy, size), part in predictions.groupby(["target", "strategy", "size"], sort=False):
        true = codes[part["row"]]
        one_hot = np.eye(n_classes)[part["predicted"]]
        tested = TestPredictions(true, one_hot, np.zeros(len(part), dtype=int), np.arange(len(part)))
        weights = bootstrap_weights(true, None, seed)
        value = label_metrics(confusion(tested, np.ones((1, len(part)))))
        draws = label_metrics(confusion(tested, weights))
        entry = {"target": target, "strategy": strategy, "size": size, "genes": len(part)}
        for name in ("accuracy", "balanced_accuracy"):
            low, high = np.percentile(draws[name], [2.5, 97.5])
            entry |= {name: value[name][0], f"{name}_low": low, f"{name}_high": high}
        rows.append(entry)
    return pd.DataFrame(rows)


def plot_learning_curve(curve: pd.DataFrame, source: str, stem: Path, note: str = "") -> None:
    """Balanced accuracy against the number of labelled genes, one panel a target."""
    targets = list(dict.fromkeys(curve["target"]))
    with figure(stem, 4.2 * len(targets), 3.6, note, panels=len(targets)) as (_, panels):
        for axes, target in zip(np.atleast_1d(panels), targets, strict=True):
            part = curve[curve["target"] == target]
            zero = part[part["strategy"] == STRATEGIES[0]].iloc[0]
            axes.axhline(
                zero["balanced_accuracy"], color="#777777", linestyle=":", label=f"{STRATEGIES[0]} ({source} only)"
            )
            for number, strategy in enumerate(STRATEGIES[1:]):
                line = part[part["strategy"] == strategy]
                value = line["balanced_accuracy"]
                margins = [value - line["balanced_accuracy_low"], line["balanced_accuracy_high"] - value]
                axes.errorbar(
                    line["size"],
                    value,
                    yerr=margins,
                    color=colour(number),
                    marker="o",
                    markersize=4,
                    capsize=3,
                    label=strategy,
                )
            axes.set_xscale("log")
            axes.set_xticks(sorted(set(part["size"]) - {0}), [str(size) for size in sorted(set(part["size"]) - {0})])
            axes.minorticks_off()
            axes.set(xlabel=f"Labelled genes of {target}", title=f"{source} to {target}", ylim=(0, 1.02))
            axes.grid(axis="y", color="#EEEEEE")
        np.atleast_1d(panels)[0].set_ylabel("Balanced accuracy on held-out genes")
        np.atleast_1d(panels)[-1].legend(fontsize=8, loc="lower right")
