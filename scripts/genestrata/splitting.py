"""Outer and inner folds of a study, as one table that every later rule reads.

`splits.tsv` has one row per repeat, fold and sample:

    repeat      r0, r1, …
    fold        0, 1, … or `final`, whose training part is every labelled sample: the models for new samples are tuned
                and fitted in it, within the jobs of r0, and predict the samples without a label, its test part; it is
                never evaluated
    inner_fold  the inner fold that holds the sample out, to be tuned and stacked on; empty in the test part
    role        train or test
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

from genestrata.errors import InputError
from genestrata.schemes import GROUPED_SCHEMES, check_repeats
from genestrata.seeds import derive_seed
from genestrata.tables import labelled

logger = logging.getLogger(__name__)

FINAL = "final"


@dataclass(frozen=True)
class Fold:
    """One outer fold: row numbers of its parts in the table of samples sorted by id.

    train, test : int arrays; inner : (training rows, held-out rows) of each inner fold
    """

    repeat: str
    name: str
    train: np.ndarray
    test: np.ndarray
    inner: list[tuple[np.ndarray, np.ndarray]]


def resolve_scheme(settings: Mapping[str, Any], samples: pd.DataFrame) -> str:
    """The scheme of the study; `auto` takes a split column as published, else a group column as grouped_cv, else cv."""
    if settings["scheme"] != "auto":
        return settings["scheme"]
    if (samples["split"] != "").any():
        return "published"
    return "grouped_cv" if (samples["group"] != "").any() else "cv"


def keeps_groups(scheme: str, samples: pd.DataFrame) -> bool:
    """Do samples of one group stay together? In grouped schemes, and in a published split whose samples have groups."""
    return scheme in GROUPED_SCHEMES or (scheme == "published" and bool((samples["group"] != "").all()))


def split_samples(samples: pd.DataFrame, settings: Mapping[str, Any], seed: int, where: str) -> pd.DataFrame:
    """Draw all folds of a study; returns the table described above.

    samples : sample, label ("" where unknown), group, split, sorted by sample; settings : the study's `evaluation`;
    `seed` shuffles. Folds shrink to the smallest class (or its number of groups) with a warning. Raises InputError when
    the scheme lacks its column.
    """
    unlabelled = samples.loc[samples["label"] == "", "sample"]
    samples = labelled(samples)
    scheme = resolve_scheme(settings, samples)
    labels, groups = samples["label"].to_numpy(dtype=str), samples["group"].to_numpy(dtype=str)
    check_repeats(scheme, settings["repeats"], where)
    if scheme in GROUPED_SCHEMES and (groups == "").any():
        raise InputError(f"{where}: evaluation.scheme {scheme} needs a group for every sample; column `group` is empty")
    if settings.get("replicates") == "shared":
        _check_replicates(labels, groups, where)
    rows = np.arange(len(samples))
    inner_groups = groups if keeps_groups(scheme, samples) else None
    tables = []
    for repeat in range(settings["repeats"]):
        name = f"r{repeat}"
        outer_seed = derive_seed(seed, name)
        outer = list(_outer_folds(scheme, samples, labels, groups, settings["folds"], outer_seed, where))
        parts = [(str(fold), train, test) for fold, (train, test) in enumerate(outer)]
        if repeat == 0:
            parts.append((FINAL, rows, rows[:0]))
        for fold, train, test in parts:
            inner_fold = np.full(len(samples), "", dtype=object)
            inner_seed = derive_seed(seed, name, fold)
            inner = _inner_folds(
                labels, inner_groups, train, settings["inner_folds"], inner_seed, f"{where}: fold {fold}"
            )
            for part in (train, *(fit for fit, _ in inner)):
                if len(set(labels[part])) < 2:
                    raise InputError(
                        f"{where}: fold {fold}: a training part holds class '{labels[part][0]}' only; another class "
                        "has too few samples or groups for this scheme"
                    )
            for number, (_, held_out) in enumerate(inner):
                inner_fold[held_out] = str(number)
            role = np.where(np.isin(rows, train), "train", "test")
            known = np.isin(rows, train) | np.isin(rows, test)
            table = pd.DataFrame({"inner_fold": inner_fold, "sample": samples["sample"], "role": role})[known]
            table.insert(0, "fold", fold)
            table.insert(0, "repeat", name)
            tables.append(table)
    to_predict = pd.DataFrame({"sample": unlabelled, "repeat": "r0", "fold": FINAL, "inner_fold": "", "role": "test"})
    return pd.concat([*tables, to_predict], ignore_index=True)


def read_folds(splits: pd.DataFrame, samples: pd.DataFrame, repeat: str) -> Iterator[Fold]:
    """Folds of one repeat from `splits.tsv` (all columns text), the final one last; rows are numbered as in
    `samples`."""
    row_of = pd.Series(np.arange(len(samples)), index=samples["sample"].to_numpy())
    table = splits[splits["repeat"] == repeat]
    for name, part in table.groupby("fold", sort=False):
        rows = row_of[part["sample"].to_numpy()].to_numpy()
        is_train = (part["role"] == "train").to_numpy()
        inner_fold = part["inner_fold"].fillna("").to_numpy(dtype=str)
        train = np.sort(rows[is_train])
        inner = []
        for number in sorted(set(inner_fold[is_train]), key=int):
            held_out = np.sort(rows[is_train & (inner_fold == number)])
            inner.append((np.setdiff1d(train, held_out), held_out))
        yield Fold(repeat, str(name), train, np.sort(rows[~is_train]), inner)


def read_evaluated_folds(splits: pd.DataFrame, samples: pd.DataFrame, repeats: Iterable[str]) -> list[Fold]:
    """Folds of these repeats whose test part is scored: all of `read_folds` but the final one."""
    evaluated = splits[splits["fold"] != FINAL]
    return [fold for repeat in repeats for fold in read_folds(evaluated, samples, repeat)]


def folds_within(
    samples: pd.DataFrame, settings: Mapping[str, Any], rows: np.ndarray, seed: int, where: str
) -> list[Fold]:
    """Folds of some rows (sorted) of the labelled samples, with inner folds, drawn as the study's own are.

    Where groups cannot cover every class, and in a published split that is not grouped, folds are by sample.
    """
    scheme = resolve_scheme(settings, samples)
    labels, groups = samples["label"].to_numpy(dtype=str), samples["group"].to_numpy(dtype=str)
    kept = groups if keeps_groups(scheme, samples) else None
    if scheme == "leave_one_group_out" and len(set(groups[rows])) > 1:
        parts = [(rows[fit], rows[held_out]) for fit, held_out in LeaveOneGroupOut().split(rows, groups=groups[rows])]
    else:
        parts = _inner_folds(labels, kept, rows, settings["folds"], seed, where)
    folds = []
    for number, (train, test) in enumerate(parts):
        inner_seed = derive_seed(seed, str(number))
        inner = _inner_folds(labels, kept, train, settings["inner_folds"], inner_seed, f"{where}: fold {number}")
        folds.append(Fold("r0", str(number), train, test, inner))
    return folds


def _check_replicates(labels: np.ndarray, groups: np.ndarray, where: str) -> None:
    """Raise InputError for a group of one class, which is no replicate of all of them."""
    for group in np.unique(groups):
        present = np.unique(labels[groups == group])
        if len(present) < 2:
            raise InputError(
                f"{where}: evaluation.replicates: found shared, but group '{group}' holds class '{present[0]}' only; a "
                "shared replicate has samples of many classes"
            )


def _outer_folds(
    scheme: str, samples: pd.DataFrame, labels: np.ndarray, groups: np.ndarray, folds: int, seed: int, where: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers of the training and test part of each outer fold."""
    rows = np.arange(len(samples))
    if scheme == "published":
        split = samples["split"].str.lower().to_numpy(dtype=str)
        unknown = sorted(set(split) - {"train", "test"})
        if unknown or not {"train", "test"} <= set(split):
            found = ", ".join(repr(value) for value in sorted(set(split.tolist())))
            raise InputError(f"{where}: column split: found {found}, expected both train and test and nothing else")
        train, test = rows[split == "train"], rows[split == "test"]
        only_test = sorted(set(labels[test]) - set(labels[train]))
        if only_test:
            raise InputError(f"{where}: class '{only_test[0]}' occurs in the published test part only")
        return iter([(train, test)])
    if scheme == "leave_one_group_out":
        if len(set(groups)) < 2:
            raise InputError(f"{where}: leave_one_group_out needs at least two groups, found '{groups[0]}' only")
        return LeaveOneGroupOut().split(rows, labels, groups)
    folds = _shrink(folds, labels, groups if scheme == "grouped_cv" else None, where)
    if scheme == "grouped_cv":
        return StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(rows, labels, groups)
    return StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, labels)


def _inner_folds(
    labels: np.ndarray, groups: np.ndarray | None, train: np.ndarray, folds: int, seed: int, where: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row numbers of the training and held-out part of each inner fold of one training part.

    Groups stay together unless there is one only or a class would be missing from a part to fit on; then folds are by
    sample, with a warning (metrics.json says so under `replicates_shared`). A class with one sample, which is missing
    wherever it is held out, is no reason.
    """
    y = labels[train]
    names, sizes = np.unique(y, return_counts=True)
    needed = set(names[sizes > 1])
    if not needed:
        raise InputError(
            f"{where}: one sample of each class is left to train on, and inner folds need two of some; add samples"
        )
    if groups is not None and len(set(groups[train])) > 1:
        number = _shrink(folds, y, groups[train], where)
        parts = list(StratifiedGroupKFold(number, shuffle=True, random_state=seed).split(train, y, groups[train]))
        if all(set(y[fit]) >= needed and len(set(y[fit])) > 1 for fit, _ in parts):
            return [(train[fit], train[held_out]) for fit, held_out in parts]
    if groups is not None:
        logger.warning("%s: inner folds by sample: the groups of the training part do not cover every class", where)
    parts = StratifiedKFold(_shrink(folds, y, None, where), shuffle=True, random_state=seed).split(train, y)
    return [(train[fit], train[held_out]) for fit, held_out in parts]


def _shrink(folds: int, labels: np.ndarray, groups: np.ndarray | None, where: str) -> int:
    """The number of folds asked for, or as many as the smallest class has samples (or groups); at least 2."""
    units = labels if groups is None else [pair[0] for pair in {*zip(labels.tolist(), groups.tolist(), strict=True)}]
    names, sizes = np.unique(units, return_counts=True)
    smallest = int(sizes.min())
    if groups is not None and len(set(groups.tolist())) < 2:
        raise InputError(f"{where}: one group only; it cannot be divided into folds")
    if smallest < folds:
        noun = "samples" if groups is None else "groups"
        logger.warning(
            "%s: %d folds asked for, class '%s' has %d %s", where, folds, names[sizes.argmin()], smallest, noun
        )
    return max(2, min(folds, smallest))
