"""Parts of a study that judge gene sets: the samples that choose a set and those that are clustered on it."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.ranking import Rankings
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """Samples on which gene sets are judged, as row numbers: `fitted` chose the sets, `clustered` are clustered."""

    name: str
    fitted: np.ndarray
    clustered: np.ndarray


def check_clusters(labels: np.ndarray, where: str) -> None:
    """Raise InputError where each sample has a label of its own: as many clusters as samples agree with anything."""
    found = len(set(labels))
    if found >= len(labels):
        raise InputError(f"{where}: {found} labels among {len(labels)} samples; clusters need more samples than labels")


def fold_parts(folds: Sequence[Fold], labels: np.ndarray) -> list[Part]:
    """The folds whose test part is large enough to be clustered: at least two classes, and three samples per class on
    average."""
    return [
        Part(fold.name, fold.train, fold.test)
        for fold in folds
        if len(set(labels[fold.test])) > 1 and len(fold.test) >= 3 * len(set(labels[fold.test]))
    ]


def class_parts(labels: np.ndarray, count: int, seed: int) -> list[Part]:
    """Deal the classes at random into `count` parts of about equal number: each is clustered by its samples, whose
    classes the other samples, that choose the sets, have never seen.

    Raises InputError for fewer than two classes a part.
    """
    classes = np.unique(labels.astype(str))
    if len(classes) < 2 * count:
        raise InputError(
            f"cluster.held_out_classes: found {count}, expected at most {len(classes) // 2}: a part needs two of the "
            f"{len(classes)} classes"
        )
    dealt = np.random.default_rng(derive_seed(seed, "held out classes")).permutation(classes)
    parts = []
    for number in range(count):
        held_out = np.isin(labels.astype(str), dealt[number::count])
        check_clusters(labels[held_out], f"cluster.held_out_classes, part {number}")
        parts.append(Part(f"classes_{number}", np.flatnonzero(~held_out), np.flatnonzero(held_out)))
    return parts


def parts_table(parts: Sequence[Part], samples: np.ndarray) -> pd.DataFrame:
    """Role of every sample in every part, as in splits.tsv: train or test; samples : (n_samples,) names."""
    tables = [
        pd.DataFrame({"part": part.name, "sample": samples[rows], "role": role})
        for part in parts
        for role, rows in (("train", part.fitted), ("test", part.clustered))
    ]
    return pd.concat([pd.DataFrame(columns=["part", "sample", "role"]), *tables], ignore_index=True)


def read_parts(table: pd.DataFrame, samples: np.ndarray) -> list[Part]:
    """Parts from `parts_table` (all columns text); samples : names in the order of the cohort."""
    row_of = pd.Series(np.arange(len(samples)), index=samples)
    return [
        Part(
            str(name),
            *(np.sort(row_of[rows.loc[rows["role"] == role, "sample"]].to_numpy()) for role in ("train", "test")),
        )
        for name, rows in table.groupby("part", sort=False)
    ]


def columns_of_sets(table: pd.DataFrame, parts: Sequence[Part], features: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Set to its column numbers in every part; table : part, set, feature (text). A set that has fewer than two
    features in a part cannot be clustered there and is left out, with a warning."""
    position = pd.Series(np.arange(len(features)), index=features)
    sets = {}
    for name, rows in table.groupby("set", sort=False):
        columns = [position[rows.loc[rows["part"] == part.name, "feature"]].to_numpy() for part in parts]
        poor = [part.name for part, chosen in zip(parts, columns, strict=True) if len(chosen) < 2]
        if poor:
            logger.warning("set %s is left out: fewer than two features in part %s", name, ", ".join(poor))
        else:
            sets[str(name)] = columns
    return sets


def sets_of_folds(rankings: Rankings, parts: Sequence[Part], size: int) -> list[np.ndarray]:
    """Column numbers of the best features of the training part of each fold."""
    return [rankings.best(part.name, None, size)[0] for part in parts]
