"""Reader of a user's own matrix: genes x samples with a sample table, or samples x genes with a label column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import (
    as_text,
    check_unlabelled,
    column_name,
    predicts,
    read_cells,
    sample_frame,
    to_numbers,
)


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `files["expression"]` and, without `label_column`, `files["samples"]`; see the package docstring."""
    path = files["expression"]
    cells = read_cells(path, settings.get("separator"))
    cells.index = pd.Index(as_text(cells.iloc[:, 0]))
    if "label_column" in settings:
        label_column = column_name(cells, settings["label_column"], path)
        if label_column == cells.columns[0]:
            raise InputError(f"{path}: label_column: '{label_column}' is the first column, which holds the sample ids")
        labels = as_text(cells[label_column])
        check_unlabelled(cells.index[labels == ""], path, f"in column '{label_column}'", settings)
        kept = np.ones(len(labels), dtype=bool) if predicts(settings) else (labels != "").to_numpy()
        values = cells[kept].iloc[:, 1:].drop(columns=label_column)
        samples = sample_frame(list(values.index), list(labels[kept]))
        matrix = pd.DataFrame(to_numbers(values, path), index=values.index, columns=values.columns.astype(str))
        matrix.attrs["unlabelled"] = list(labels.index[~kept])
        return matrix, samples
    values = cells.iloc[:, 1:]
    if settings["orientation"] == "genes_by_samples":
        matrix = pd.DataFrame(to_numbers(values, path).T, index=values.columns.astype(str), columns=values.index)
    else:
        matrix = pd.DataFrame(to_numbers(values, path), index=values.index, columns=values.columns.astype(str))
    return _match(matrix, _read_samples(files["samples"], settings), path, files["samples"], settings)


def _read_samples(path: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read the sample table; `columns` in settings renames sample, label, group and split."""
    table = read_cells(path, settings.get("separator"))
    chosen = settings.get("columns", {})
    columns = {}
    for role in ("sample", "label", "group", "split"):
        if role in chosen or role in ("sample", "label") or role in table.columns:
            columns[role] = table[column_name(table, chosen.get(role, role), path)].pipe(as_text).tolist()
    samples = sample_frame(columns["sample"], columns["label"], columns.get("group"), columns.get("split"))
    if samples["sample"].duplicated().any():
        repeated = samples["sample"][samples["sample"].duplicated()].iloc[0]
        raise InputError(f"{path}: sample '{repeated}' has more than one row")
    unlabelled = samples["label"] == ""
    place = f"in column '{chosen.get('label', 'label')}'"
    check_unlabelled(samples["sample"][unlabelled], path, place, settings)
    if unlabelled.all():
        raise InputError(f"{path}: no sample has a label {place}")
    return samples if predicts(settings) else samples[~unlabelled]


def _match(
    matrix: pd.DataFrame, samples: pd.DataFrame, matrix_path: str, samples_path: str, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the samples that have both values and a label; raise InputError for others unless the study drops them, or
    predicts those without a label."""
    in_matrix, in_table = set(matrix.index), set(samples["sample"])
    if not in_matrix & in_table:
        raise InputError(
            f"{matrix_path} and {samples_path} have no sample id in common, e.g. '{matrix.index[0]}' and "
            f"'{samples['sample'].iloc[0]}'; check `orientation` and `columns`"
        )
    labelled = set(samples.loc[samples["label"] != "", "sample"])
    problems = [(sorted(labelled - in_matrix), "labelled samples have no values", matrix_path)]
    if predicts(settings):
        to_predict = sorted(in_matrix - in_table)
        samples = pd.concat([samples, sample_frame(to_predict, [""] * len(to_predict))], ignore_index=True)
        in_table |= in_matrix
    else:
        problems.insert(0, (sorted(in_matrix - in_table), f"samples of {matrix_path} have no label", samples_path))
    for missing, what, path in problems:
        if missing and settings.get("unlabelled") != "drop":
            raise InputError(
                f"{path}: {len(missing)} {what}, e.g. '{missing[0]}'; complete the files or set `unlabelled: drop`"
            )
    # Repeated ids stay for the cleaning to judge; each takes the row of its id in the sample table.
    matrix = matrix[matrix.index.isin(in_table)]
    matrix.attrs["unlabelled"] = sorted(in_matrix - in_table)
    return matrix, samples.set_index("sample", drop=False).loc[matrix.index].reset_index(drop=True)
