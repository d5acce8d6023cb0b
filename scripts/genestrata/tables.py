"""The tables of a study that most rules read, with the column types that they need."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genestrata.files import read_table, write_table


def read_samples(path: str | Path) -> pd.DataFrame:
    """samples.tsv: sample, label, group, split as text, "" where a study has none; sorted by sample.

    A sample that is only to be predicted has the label "".
    """
    return read_table(path, dtype=str).fillna("").astype(object)


def labelled(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples that have a label."""
    return samples[samples["label"] != ""].reset_index(drop=True)


def read_splits(path: str | Path) -> pd.DataFrame:
    """splits.tsv as text; see `genestrata.splitting`."""
    return read_table(path, dtype=str).fillna("")


def read_tuning(path: str | Path) -> pd.DataFrame:
    """tuning.tsv, history.tsv or epochs.tsv of a model; fold is text."""
    return read_table(path, dtype={"fold": str})


def read_all(paths: list[str], **columns: list[str]) -> pd.DataFrame:
    """Concatenate tables of several jobs, adding to each the columns given (one value per path)."""
    tables = []
    for number, path in enumerate(paths):
        table = pd.read_parquet(path) if path.endswith(".parquet") else read_tuning(path)
        tables.append(table.assign(**{name: values[number] for name, values in columns.items()}))
    return pd.concat(tables, ignore_index=True)


def write_declared(tables: Mapping[str, pd.DataFrame], outputs: Any) -> None:
    """Write each table that a rule declares by its name among its outputs."""
    for name, table in tables.items():
        if hasattr(outputs, name):
            write_table(table, getattr(outputs, name))


class TrainingTables(NamedTuple):
    """What training a model leaves beside the fitted models.

    predictions : see `genestrata.predictions`; tuning : candidates of each fold with their inner scores; history : one
    row per fold with tune_seconds, fit_seconds, model_bytes; epochs : one row per epoch of every fit of a network with
    fold and inner_fold (missing for the refit on the training part)
    """

    predictions: pd.DataFrame
    tuning: pd.DataFrame
    history: pd.DataFrame
    epochs: pd.DataFrame | None = None

    def write(self, outputs: Any) -> None:
        """`write_declared`."""
        write_declared(self._asdict(), outputs)
