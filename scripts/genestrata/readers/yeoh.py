"""Reader of the expression matrix of Yeoh et al. 2002 (Cancer Cell 1:133) as de Souto et al. 2008 publish it.

Tab-separated and quoted, probes are rows, below two header lines whose first cell is empty: names of the samples, then
their labels. The names contain the labels too; they only identify the rows and never become features.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import read_cells, sample_frame, to_numbers

MATRIX = "yeoh-2002-v2_database.txt"


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read matrix and labels; see the package docstring. Raises InputError for a file without the line of labels."""
    path = files[MATRIX]
    cells = read_cells(path, "\t")
    names = list(cells.columns[1:])
    if cells.columns[0] != "" or cells.iloc[0, 0] != "":
        raise InputError(
            f"{path}: expected two header lines that start with an empty cell, sample names and labels; found "
            f"'{cells.columns[0]}' and '{cells.iloc[0, 0]}'"
        )
    labels = cells.iloc[0, 1:].tolist()
    if "" in labels:
        raise InputError(f"{path}: line 2: no label for sample '{names[labels.index('')]}'")
    values = cells.iloc[1:, 1:].set_axis(cells.iloc[1:, 0].to_numpy(), axis="index")
    if values.empty:
        raise InputError(f"{path}: no probes below the two header lines")
    matrix = pd.DataFrame(to_numbers(values, path).T, index=names, columns=values.index.to_numpy())
    return matrix, sample_frame(names, labels)
