"""Reader of FPKM: genes x samples with a sample table and, if need be, a table of genes that were not finished.

FPKM is the number of fragments per kilobase of a gene and million fragments of a sample; it is never negative.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError
from genestrata.readers import table
from genestrata.readers.tables import delimiter, read_text


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `files["expression"]` as the reader `table` does, genes in rows unless `orientation` says otherwise.

    Genes in the first column of `files["unfinished"]` (a row for each sample in which a gene was not finished) are
    dropped; attrs["unfinished"] lists them. Raises InputError for a negative value and a table of unfinished genes that
    has none in common with the matrix.
    """
    matrix, samples = table.read(files, {"orientation": "genes_by_samples", **settings})
    row, column = np.nonzero(matrix.to_numpy() < 0)
    if len(row):
        raise InputError(
            f"{files['expression']}: gene '{matrix.columns[column[0]]}', sample '{matrix.index[row[0]]}': found "
            f"{matrix.iat[row[0], column[0]]:g} ({len(row)} such cells), FPKM is never negative; use reader table for "
            "values on another scale"
        )
    if "unfinished" not in files:
        return matrix, samples
    listed = first_column(files["unfinished"], settings.get("separator"))
    unfinished = matrix.columns.isin(listed)
    if listed and not unfinished.any():
        raise InputError(
            f"{files['unfinished']}: none of its genes is in {files['expression']}, e.g. '{listed[0]}'; its first "
            "column must hold gene ids"
        )
    matrix.attrs["unfinished"] = matrix.columns[unfinished].tolist()
    return matrix.loc[:, ~unfinished], samples


def first_column(path: str, separator: str | None) -> list[str]:
    """Cells of the first column below the header, of a table that may have one column or no rows."""
    rows = csv.reader(io.StringIO(read_text(path)), delimiter=delimiter(path, separator))
    return [row[0].strip() for row in list(rows)[1:] if row and row[0].strip()]
