"""The cleaned data of a study as the jobs that fit models hold them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Cohort:
    """The cleaned data of a study: values (n_samples, n_features) float32, names, labels, sorted classes."""

    values: np.ndarray
    features: np.ndarray
    samples: np.ndarray
    labels: np.ndarray
    classes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, features_path: str | Path, samples: pd.DataFrame) -> "Cohort":
        """Read features.parquet; `samples` is the table of samples.tsv, in the same order."""
        table = pd.read_parquet(features_path)
        labels = samples["label"].to_numpy(dtype=object)
        return cls(
            values=table.drop(columns="sample").to_numpy(dtype=np.float32),
            features=table.columns[1:].to_numpy(dtype=object),
            samples=samples["sample"].to_numpy(dtype=object),
            labels=labels,
            classes=sorted(set(labels)),
        )

    @property
    def codes(self) -> np.ndarray:
        """Labels as positions in `classes`, (n_samples,) int."""
        return np.searchsorted(np.asarray(self.classes, dtype=str), self.labels.astype(str))
