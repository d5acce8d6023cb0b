"""Cleaning of a matrix as its study declares it; no step looks at a label, and each is counted.

Steps run in the order of the study's `clean` section: repeated ids, dropped genes, genes zero everywhere, floor and
ceiling, transform, missing values, constant genes, scaling of each sample. Only the limits on missing values and the
drop of genes that are zero everywhere or constant look across samples. `keep_largest_classes`, which does look at
labels, comes before.
"""

import fnmatch
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.tables import labelled
from genestrata.wording import TERMS, Terms

logger = logging.getLogger(__name__)

# A larger value in data said to need no transform is likely a raw intensity.
RAW_SCALE = 100.0
# What `attrs` of a matrix may list as dropped before the cleaning: the name of the step, and what was dropped.
EARLIER_STEPS = {
    "unlabelled": ("unlabelled drop", "samples"),
    "left_out": ("largest_classes", "samples"),
    "unfinished": ("unfinished loci", "features"),
}


def clean(
    matrix: pd.DataFrame,
    samples: pd.DataFrame,
    settings: Mapping[str, Any],
    where: str,
    terms: Terms = TERMS["expression"],
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Clean (samples x features) values; returns float32 values and samples, both sorted by sample id, and the report.

    matrix : float64, NaN for missing; samples : same order; settings : the study's `clean`; where : the file for
    messages, which speak of rows and columns in `terms`. The report counts rows and columns before and after and says
    why each went. Raises InputError for repeated ids that the study does not resolve, values that the transform cannot
    take, and a matrix of which nothing is left.
    """
    report: dict[str, Any] = {"before": _shape(matrix), "steps": [], "settings": dict(settings)}

    def record(step: str, dropped: list[str], axis: str, **details: Any) -> None:
        if dropped or details:
            entry = {"step": step, "dropped": len(dropped), "of": axis, "examples": dropped[:10], **details}
            report["steps"].append(entry)
            logger.info("%s: dropped %d %s", step, len(dropped), axis)

    for key, (step, axis) in EARLIER_STEPS.items():
        gone = matrix.attrs.get(key, [])
        report["before"][axis] += len(gone)
        record(step, gone, axis)
    report["left_out_classes"] = matrix.attrs.get("left_out_classes", {})
    _check_ids(matrix, where, terms)
    matrix, samples = _unique_samples(matrix, samples, settings["duplicate_samples"], where, terms, record)
    matrix = _unique_features(matrix, settings["duplicate_features"], where, terms, record)

    patterns = settings["drop_features"]
    dropped = [name for name in matrix.columns if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    matrix = matrix.drop(columns=dropped)
    record(f"drop_features {', '.join(patterns)}", dropped, "features")

    values = matrix.to_numpy(dtype=float, copy=True)
    zero = (values == 0).any(axis=0) & ((values == 0) | np.isnan(values)).all(axis=0)
    record("zero everywhere", list(matrix.columns[zero]), "features")
    matrix, values = matrix.loc[:, ~zero], values[:, ~zero]
    floor, ceiling = settings.get("floor"), settings.get("ceiling")
    if floor is not None or ceiling is not None:
        below = int(np.sum(values < floor)) if floor is not None else 0
        above = int(np.sum(values > ceiling)) if ceiling is not None else 0
        values = np.clip(values, floor, ceiling)
        record("floor and ceiling", [], "features", raised_cells=below, lowered_cells=above)
    values = _transform(values, matrix, settings, where, terms, report)
    matrix = pd.DataFrame(values, index=matrix.index, columns=matrix.columns)

    missing = matrix.isna()
    if missing.any(axis=None):
        report["missing_cells"] = int(missing.to_numpy().sum())
        lost = missing.mean(axis=0) > settings["max_missing"]
        record("max_missing", list(matrix.columns[lost]), "features", limit=settings["max_missing"])
        matrix, missing = matrix.loc[:, ~lost], missing.loc[:, ~lost]
        lost = missing.mean(axis=1) > settings["max_missing_sample"]
        record("max_missing_sample", list(matrix.index[lost]), "samples", limit=settings["max_missing_sample"])
        matrix, samples = matrix[~lost], samples[~lost.to_numpy()]

    spread = matrix.max(axis=0) - matrix.min(axis=0)
    constant = ~(spread > 0)
    record("constant or empty", list(matrix.columns[constant]), "features")
    matrix = matrix.loc[:, ~constant]
    if matrix.empty:
        raise InputError(
            f"{where}: nothing is left of {report['before']['samples']} {terms.samples} x "
            f"{report['before']['features']} {terms.features} after cleaning; see `clean` in the study"
        )

    if settings["scale_samples"] == "standardise":
        values = matrix.to_numpy()
        # Rounding leaves the deviation of equal values a little above zero, so equality is asked of the values.
        flat = np.nanmax(values, axis=1) == np.nanmin(values, axis=1)
        if flat.any() and settings["flat_samples"] == "error":
            name = matrix.index[flat][0]
            raise InputError(f"{where}: {terms.sample} '{name}' has the same value in every {terms.feature}")
        record("flat_samples drop", list(matrix.index[flat]), "samples")
        matrix, samples, values = matrix[~flat], samples[~flat], values[~flat]
        matrix = (matrix - np.nanmean(values, axis=1, keepdims=True)) / np.nanstd(values, axis=1, keepdims=True)
        record("scale_samples standardise", [], "samples", samples=len(matrix))

    # Results are float32, in which a code such as 1e300 for a missing value would become infinite.
    limit = float(np.finfo(np.float32).max)
    row, column = np.nonzero(np.abs(matrix.to_numpy()) > limit)
    if len(row):
        raise InputError(
            f"{where}: {matrix.iloc[row[0], column[0]]:g} is too large ({terms.sample} '{matrix.index[row[0]]}', "
            f"{terms.feature} '{matrix.columns[column[0]]}'); is it a code for a missing value?"
        )
    order = np.argsort(matrix.index.to_numpy(dtype=str), kind="stable")
    report["after"] = _shape(matrix)
    return matrix.iloc[order].astype(np.float32), samples.iloc[order].reset_index(drop=True), report


def _check_ids(matrix: pd.DataFrame, where: str, terms: Terms) -> None:
    """Raise InputError for a row or column without an id, and for the one column id that tables keep for themselves."""
    for axis, names in ((terms.sample, matrix.index), (terms.feature, matrix.columns)):
        if (names.astype(str) == "").any():
            raise InputError(f"{where}: a {axis} has no id; name it or remove it")
    if "sample" in matrix.columns:
        raise InputError(f"{where}: {terms.feature} id 'sample' is reserved for the column of ids; rename it")


def check_features(matrix: pd.DataFrame, where: str, terms: Terms = TERMS["expression"]) -> None:
    """Raise InputError for a single column, which leaves nothing to select or to draw."""
    if matrix.shape[1] < 2:
        raise InputError(
            f"{where}: one {terms.feature} is left after cleaning ('{matrix.columns[0]}'); at least two are needed"
        )


def resolve_unlabelled(
    matrix: pd.DataFrame, samples: pd.DataFrame, rule: str, where: str, terms: Terms = TERMS["expression"]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows whose label is "": kept to be predicted, dropped, or an InputError, as the study's `unlabelled` says."""
    unlabelled = (samples["label"] == "").to_numpy()
    if rule == "predict" or not unlabelled.any():
        return matrix, samples
    names = matrix.index[unlabelled].tolist()
    if rule == "error":
        raise InputError(
            f"{where}: {len(names)} {terms.samples} have no label, e.g. '{names[0]}'; label them or set `unlabelled` "
            "to drop or predict"
        )
    known = matrix.attrs.get("unlabelled", [])
    matrix = matrix[~unlabelled]
    matrix.attrs["unlabelled"] = [*known, *names]
    return matrix, samples[~unlabelled].reset_index(drop=True)


def check_cycle(labels: pd.Series, cycle: list[str], where: str) -> None:
    """Raise InputError for a label that the study's `cycle` does not name."""
    outside = sorted(set(labels) - set(cycle))
    if cycle and outside:
        raise InputError(f"{where}: label '{outside[0]}' is not in the study's cycle: {', '.join(cycle)}")


def keep_largest_classes(
    matrix: pd.DataFrame, samples: pd.DataFrame, number: int | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of the `number` classes with most rows (all for None) and of no class.

    `attrs` of the matrix lists the rows left out, and the size of each class that is.
    """
    if number is None:
        return matrix, samples
    kept, classes = largest_classes(samples["label"], number)
    rows = kept.to_numpy()
    left_out = matrix.index[~rows].tolist()
    matrix = matrix[rows]
    matrix.attrs |= {"left_out": left_out, "left_out_classes": classes}
    return matrix, samples[rows].reset_index(drop=True)


def largest_classes(labels: pd.Series, number: int) -> tuple[pd.Series, dict[str, int]]:
    """Rows of the classes with most rows, ties by name, and of no class; and the size of each class left out."""
    sizes = labels[labels != ""].value_counts()
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    left_out = {label: int(size) for label, size in ranked[number:]}
    return ~labels.isin(left_out), left_out


def check_labels(samples: pd.DataFrame, where: str, terms: Terms = TERMS["expression"], scheme: str = "auto") -> None:
    """Raise InputError for a single class or a class too small to be learnt and tested.

    A class has at least 3 rows or, where `scheme` leaves one group out, rows in at least 2 groups.
    """
    sizes = samples["label"].value_counts()
    if sizes.empty:
        raise InputError(f"{where}: no {terms.sample} has a label")
    if len(sizes) < 2:
        raise InputError(f"{where}: one class only ('{sizes.index[0]}'); a classifier needs at least two")
    if scheme == "leave_one_group_out" and (samples["group"] != "").all():
        _check_groups(samples, where, terms)
        return
    small = sizes[sizes < 3]
    if len(small):
        named = ", ".join(f"'{label}' ({size})" for label, size in sorted(small.items()))
        raise InputError(
            f"{where}: classes with fewer than 3 {terms.samples}: {named}; add {terms.samples}, merge or drop the class"
        )


def _check_groups(samples: pd.DataFrame, where: str, terms: Terms) -> None:
    """Raise InputError for classes of which all rows are in one group, so that nothing is left to learn from."""
    groups = samples.groupby("label")["group"].agg(["nunique", "first"])
    single = groups.loc[groups["nunique"] < 2, "first"]
    if len(single):
        named = ", ".join(f"'{label}' (group '{group}')" for label, group in sorted(single.items()))
        raise InputError(
            f"{where}: classes in one group (replicate) only: {named}; leave_one_group_out tests each group on what "
            f"the others teach: add {terms.samples} of another group, merge or drop the class"
        )


def report_classes(
    report: dict[str, Any], samples: pd.DataFrame, where: str, terms: Terms, scheme: str = "auto"
) -> None:
    """`check_labels`, then the size of each class and the number of samples to be predicted into the report."""
    known = labelled(samples)
    check_labels(known, where, terms, scheme)
    report["classes"] = {label: int(size) for label, size in known["label"].value_counts().sort_index().items()}
    report["to_predict"] = len(samples) - len(known)


def _shape(matrix: pd.DataFrame) -> dict[str, int]:
    return {"samples": matrix.shape[0], "features": matrix.shape[1]}


def _unique_samples(
    matrix: pd.DataFrame, samples: pd.DataFrame, rule: str, where: str, terms: Terms, record: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the first of each repeated row id, or raise InputError."""
    repeated = matrix.index.duplicated()
    if repeated.any():
        names = list(matrix.index[repeated])
        if rule == "error":
            raise InputError(
                f"{where}: {terms.sample} id '{names[0]}' occurs more than once ({len(set(names))} repeated ids in "
                "all); rename them or set clean.duplicate_samples: first"
            )
        record("duplicate_samples first", names, "samples")
        matrix, samples = matrix[~repeated], samples[~repeated]
    return matrix, samples


def _unique_features(matrix: pd.DataFrame, rule: str, where: str, terms: Terms, record: Any) -> pd.DataFrame:
    """Join repeated column ids as the study says, or raise InputError."""
    repeated = matrix.columns.duplicated()
    if not repeated.any():
        return matrix
    names = list(matrix.columns[repeated])
    if rule == "error":
        raise InputError(
            f"{where}: {terms.feature} id '{names[0]}' occurs more than once ({len(set(names))} repeated ids in all); "
            "set clean.duplicate_features: first, mean, max or sum"
        )
    record(f"duplicate_features {rule}", names, "features")
    if rule == "first":
        return matrix.loc[:, ~repeated]
    # min_count keeps a sum of missing values missing.
    options = {"min_count": 1} if rule == "sum" else {}
    return getattr(matrix.T.groupby(level=0, sort=False), rule)(**options).T


def _transform(
    values: np.ndarray,
    matrix: pd.DataFrame,
    settings: Mapping[str, Any],
    where: str,
    terms: Terms,
    report: dict[str, Any],
) -> np.ndarray:
    """Apply the declared transform; raise InputError where it is not defined."""
    name = settings["transform"]
    if name == "none":
        largest = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
        if largest > RAW_SCALE:
            message = f"the largest value is {largest:g} and clean.transform is none: are these values on a log scale?"
            report.setdefault("warnings", []).append(message)
            logger.warning("%s: %s", where, message)
        return values
    if name == "asinh":
        return np.arcsinh(values)
    offset = 1.0 if name == "log2_plus_1" else float(settings.get("offset", 0))
    undefined = values < 0 if offset else values <= 0
    if undefined.any():
        row, column = (int(place[0]) for place in np.nonzero(undefined))
        found = f"{name} of {values[row, column]:g} is not defined"
        if offset:
            found = f"found {values[row, column]:g}; {name} with an offset is of abundances, which cannot be negative"
        raise InputError(
            f"{where}: {found} ({terms.sample} '{matrix.index[row]}', {terms.feature} '{matrix.columns[column]}', "
            f"{int(undefined.sum())} such cells); set clean.floor, or transform: asinh"
        )
    return np.log2(values + offset)
