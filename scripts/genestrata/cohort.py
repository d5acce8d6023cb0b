"""The cleaned data of a study as the jobs that fit models hold them."""

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from genestrata.ordering import read_genome_order

# Column of sequences.parquet that models read.
SEQUENCE = "sequence"


def feature_names(path: str | Path) -> list[str]:
    """What models are given of features.parquet or sequences.parquet, without reading its rows."""
    return _feature_names(pq.read_schema(path))


def _feature_names(schema: pa.Schema) -> list[str]:
    """`feature_names` of a file whose schema was read already."""
    if SEQUENCE in schema.names and not pa.types.is_floating(schema.field(SEQUENCE).type):
        return [SEQUENCE]
    return [name for name in schema.names if name != "sample"]


@dataclass(frozen=True)
class Cohort:
    """The cleaned data of a study: values (n_samples, n_features) float32, names, labels, sorted classes.

    Of sequences the one feature is the sequence itself, text (object). A sample that is only to be predicted has the
    label "". groups : (n_samples,) text, samples that belong together, or None; genome_order : (n_features,) int, place
    of each feature on the chromosomes, or None
    """

    values: np.ndarray
    features: np.ndarray
    samples: np.ndarray
    labels: np.ndarray
    classes: list[str] = field(default_factory=list)
    groups: np.ndarray | None = None
    genome_order: np.ndarray | None = None

    @classmethod
    def read(
        cls, features_path: str | Path, samples: pd.DataFrame, positions_path: str | Path | None = None
    ) -> "Cohort":
        """Read features.parquet or sequences.parquet; `samples` is the table of samples.tsv, in the same order;
        `positions_path` a table of feature, chromosome and start."""
        # Not pandas, nor threads: of tens of thousands of columns with a few rows each both take many times as long.
        table = pq.ParquetFile(features_path).read(use_threads=False)
        table = table.select(_feature_names(table.schema))
        holds_text = not all(pa.types.is_floating(kind) or pa.types.is_integer(kind) for kind in table.schema.types)
        columns = [column.to_numpy() for column in table.columns]
        labels = samples["label"].to_numpy(dtype=object)
        features = np.array(table.column_names, dtype=object)
        groups = samples["group"].to_numpy(dtype=object)
        return cls(
            values=np.column_stack(columns).astype(object if holds_text else np.float32, copy=False),
            features=features,
            samples=samples["sample"].to_numpy(dtype=object),
            labels=labels,
            classes=sorted(set(labels) - {""}),
            groups=groups if (groups[labels != ""] != "").all() else None,
            genome_order=read_genome_order(positions_path, features) if positions_path else None,
        )

    @functools.cached_property
    def codes(self) -> np.ndarray:
        """Labels as positions in `classes`, (n_samples,) int; -1 without a label."""
        positions = np.searchsorted(np.asarray(self.classes, dtype=str), self.labels.astype(str))
        return np.where(self.labels == "", -1, positions)

    @property
    def holds_sequences(self) -> bool:
        """Are the values text, which is neither scaled nor ranked?"""
        return self.values.dtype == object

    def labelled(self) -> "Cohort":
        """The cohort without the samples that have no label."""
        rows = self.labels != ""
        return replace(
            self,
            values=self.values[rows],
            samples=self.samples[rows],
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups[rows],
        )
