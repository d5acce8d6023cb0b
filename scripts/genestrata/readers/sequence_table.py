"""Reader of a user's own table of DNA sequences: one row each, with a label and, perhaps, id, group and split."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genestrata.dna import clean_letters, complaint
from genestrata.errors import InputError
from genestrata.readers.tables import (
    as_text,
    column_name,
    delimiter,
    parse_rows,
    read_cells,
    read_text,
    sequence_frame,
)

REQUIRED = ("sequence", "label")


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read `files["sequences"]`; see the package docstring.

    `columns` in settings names sample, label, sequence, group and split or numbers them from 0, each by its own name
    unless given; only sequence and label must be there. `header: false` for a text file without a line of names.
    """
    path = files["sequences"]
    cells, places = _read(path, settings)
    chosen = settings.get("columns", {})
    columns = {
        role: as_text(cells[_column(cells, chosen.get(role, role), path, settings)]).tolist()
        for role in ("sample", *REQUIRED, "group", "split")
        if role in chosen or role in REQUIRED or role in cells.columns
    }
    letters: Counter[str] = Counter()
    columns["sequence"] = [clean_letters(text, letters) for text in columns["sequence"]]
    for sequence, place in zip(columns["sequence"], places, strict=True):
        problem = complaint(sequence)
        if problem:
            raise InputError(f"{path}: {place}: the sequence {problem}")
    columns.setdefault("sample", [""] * len(cells))
    place = f"in column '{chosen.get('label', 'label')}'"
    return sequence_frame(pd.DataFrame(columns, dtype=object), letters, path, place, settings)


def _read(path: str, settings: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Cells of the table, and where each row stands, for messages."""
    if Path(path).suffix.lower() == ".parquet":
        cells = read_cells(path)
        return cells, [f"row {number}" for number in range(1, len(cells) + 1)]
    header = settings.get("header", True)
    separator = delimiter(path, settings.get("separator"))
    rows, lines = parse_rows(read_text(path), path, separator, "the header" if header else "the first line")
    names = rows.pop(0) if header else [str(number) for number in range(len(rows[0]))]
    if not rows:
        raise InputError(f"{path}: a header line without rows below it")
    return pd.DataFrame(rows, columns=names, dtype=object), [f"line {number}" for number in lines[-len(rows) :]]


def _column(cells: pd.DataFrame, column: str | int, path: str, settings: Mapping[str, Any]) -> str:
    """Name of a column; the message also says what to do about a file without a line of names."""
    try:
        return column_name(cells, column, path)
    except InputError as error:
        hint = ", or `header: false` if the first line is data" if settings.get("header", True) else ""
        raise InputError(f"{error}; set `columns`{hint}") from None
