"""Control of the gene order: networks that look at neighbours, fitted anew on genes in another order."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genestrata.cohort import Cohort
from genestrata.metrics import all_metrics, paired_entry
from genestrata.models import parameter_grid
from genestrata.ranking import Rankings
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.training import fold_predictions, refit

logger = logging.getLogger(__name__)

METRICS = ("accuracy", "balanced_accuracy")


def predict_in_orders(
    name: str,
    cohort: Cohort,
    folds: Sequence[Fold],
    rankings: Mapping[str, Rankings],
    sizes: Mapping[tuple[str, str], int],
    overrides: Mapping[str, Any],
    orders: Sequence[str],
    seed: int,
    threads: int,
) -> pd.DataFrame:
    """Test predictions of one network refitted on every outer training part with its genes in each of `orders`.

    rankings : repeat to rankings; sizes : (repeat, fold) to the number of genes. The seeds are those of the model's own
    fits, so that the order is all that differs. Returns prediction rows with a column order.
    """
    tables = []
    for order in orders:
        parameters = parameter_grid(name, {**overrides, "gene_order": order})[0]
        for fold in folds:
            setting = {"k": sizes[fold.repeat, fold.name], "parameters": parameters}
            fold_seed = derive_seed(seed, fold.repeat, fold.name, name)
            model, columns = refit(name, cohort, fold, rankings[fold.repeat], setting, fold_seed, threads)
            probabilities = model.predict_proba(cohort.values[np.ix_(fold.test, columns)])
            table = fold_predictions(name, cohort, fold, [None] * len(fold.test), fold.test, probabilities)
            tables.append(table.assign(order=order))
        logger.info("%s: %d fits with genes in %s order", name, len(folds), order)
    return pd.concat(tables, ignore_index=True)


def compare_orders(repeats: Mapping[str, Sequence[Any]], own: str, weights: np.ndarray) -> dict[str, Any]:
    """Scores in every order and how far the model's own order is above each, with 95 % intervals.

    repeats : order to its test predictions by repeat; own : the order of the model; weights : bootstrap weights, the
    same for all orders, so that differences are paired. Returns order to metric to {value, ci95}, for other orders than
    the own one also `<metric>_gain`.
    """
    ones = np.ones((1, weights.shape[1]))
    values = {order: all_metrics(parts, ones) for order, parts in repeats.items()}
    draws = {order: all_metrics(parts, weights) for order, parts in repeats.items()}
    table: dict[str, Any] = {}
    for order in repeats:
        table[order] = {name: paired_entry(values[order][name], draws[order][name]) for name in METRICS}
        if order != own:
            table[order] |= {
                f"{name}_gain": paired_entry(
                    values[own][name] - values[order][name], draws[own][name] - draws[order][name]
                )
                for name in METRICS
            }
    return table
