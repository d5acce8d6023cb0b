"""Reader of the three CSV files of Golub et al. 1999 (Science 286:531) as they are published.

Each patient has two columns, the value and then its call (A, P or M), and all call columns are headed `call`. Columns
are not in patient order, so labels are joined by patient number.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import column_name, read_cells, sample_frame, to_numbers

PARTS = {"train": "data_set_ALL_AML_train.csv", "test": "data_set_ALL_AML_independent.csv"}
LABELS = "actual.csv"
GENE_ID = "Gene Accession Number"


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both matrices and the labels; see the package docstring. `split` is train or test as published."""
    table = read_cells(files[LABELS])
    patients = table[column_name(table, "patient", files[LABELS])]
    labels = pd.Series(table[column_name(table, "cancer", files[LABELS])].to_numpy(), index=patients.to_numpy())
    if labels.index.has_duplicates:
        raise InputError(f"{files[LABELS]}: patient {labels.index[labels.index.duplicated()][0]} has more than one row")
    parts, splits = [], []
    for split, name in PARTS.items():
        part = _read_matrix(files[name])
        missing = [patient for patient in part.index if patient not in labels.index]
        if missing:
            raise InputError(f"{files[LABELS]}: no label for patient {', '.join(missing)} of {name}")
        parts.append(part)
        splits += [split] * len(part)
    matrix = pd.concat(parts)
    if matrix.isna().any(axis=None):
        gene = matrix.columns[matrix.isna().any(axis=0)][0]
        raise InputError(f"{files[PARTS['test']]}: the two matrices do not hold the same genes or cells, e.g. '{gene}'")
    unused = sorted(set(labels.index) - set(matrix.index))
    if unused:
        raise InputError(f"{files[LABELS]}: labels without values, patient {', '.join(unused)}")
    return matrix, sample_frame(list(matrix.index), list(labels[matrix.index]), split=splits)


def _read_matrix(path: str) -> pd.DataFrame:
    """One matrix as samples x genes; value columns are those headed by a patient number."""
    cells = read_cells(path)
    cells.index = pd.Index(cells[column_name(cells, GENE_ID, path)].to_numpy())
    is_value = [name.isdigit() for name in cells.columns]
    if not any(is_value):
        raise InputError(f"{path}: no column headed by a patient number")
    values = cells.loc[:, is_value]
    return pd.DataFrame(to_numbers(values, path).T, index=values.columns.to_numpy(), columns=cells.index.to_numpy())
