"""Reading delimited text and Parquet into tables of text or numbers, with messages that name file, line and column.

Also the tables of samples and of sequences as every reader returns them.
"""

import csv
import gzip
import io
import itertools
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError

MISSING = ["", "NA", "NaN", "nan", "N/A", "NULL", "null", "."]
DELIMITED = "delimited text (csv, tsv; gzipped or not) or .parquet"


def read_text(path: str | Path, expected: str = DELIMITED) -> str:
    """Decode a UTF-8 text file, gzipped or not (told by its first bytes), without byte order mark or `\\r`.

    `expected` says in the message about binary content what the file should be.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(f"{path}: damaged or truncated gzip file ({error}); fetch or copy it again") from None
    if not content.strip():
        raise InputError(f"{path}: the file is empty")
    if b"\0" in content[:65536]:
        raise InputError(f"{path}: binary content, expected {expected}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def delimiter(path: str | Path, separator: str | None) -> str:
    """The separator given, or a comma for .csv and a tab for anything else, `.gz` aside."""
    name = Path(path).name.lower().removesuffix(".gz")
    return separator or ("," if name.endswith(".csv") else "\t")


def read_cells(path: str | Path, separator: str | None = None) -> pd.DataFrame:
    """Read a table with one header line as stripped text; columns keep repeated names.

    Raises InputError for an unreadable file, a row of another length than the header, or a table without rows. Cells of
    a Parquet file keep their type; its index, unless it only numbers the rows, is the first column.
    """
    if Path(path).suffix.lower() == ".parquet":
        return _read_parquet(path)
    return parse_cells(read_text(path), path, delimiter(path, separator))


def parse_cells(text: str, path: str | Path, separator: str) -> pd.DataFrame:
    """`read_cells` of text that was read already; `path` is for messages."""
    rows, _ = parse_rows(text, path, separator, "the header")
    if len(rows) == 1:
        raise InputError(f"{path}: a header line without rows below it")
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def parse_rows(text: str, path: str | Path, separator: str, first: str) -> tuple[list[list[str]], list[int]]:
    """Stripped cells of the rows that are not blank, all of one length, and the number of the line each ends on.

    `first` is what messages call the first row. Raises InputError for a row of another length and for one column.
    """
    # Not pandas: it takes the cells that a short row lacks for empty ones, and strict quotes are checked here only.
    lines = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    try:
        for line in lines:
            row = [cell.strip() for cell in line]
            if not any(row):
                continue
            if rows and len(row) != len(rows[0]):
                raise InputError(f"{path}: line {lines.line_num} has {len(row)} cells, {first} has {len(rows[0])}")
            rows.append(row)
            numbers.append(lines.line_num)
    except csv.Error as error:
        raise InputError(
            f"{path}: line {lines.line_num}: not a table separated by {separator!r}: {error}; check its quotes"
        ) from None
    if not rows:
        raise InputError(f"{path}: every line is blank")
    if len(rows[0]) == 1:
        raise InputError(f"{path}: one column only when separated by {separator!r}; set `separator` in the study file")
    return rows, numbers


def _read_parquet(path: str | Path) -> pd.DataFrame:
    try:
        # Nullable types keep integers with missing cells integers: a label stays 1 and does not become 1.0.
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from None
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    if table.empty:
        raise InputError(f"{path}: no rows or no columns")
    return table.set_axis(table.columns.astype(str), axis="columns")


def as_text(column: pd.Series) -> pd.Series:
    """Cells of one column (ids, labels) as stripped text, "" where missing."""
    return column.astype(object).where(column.notna(), "").astype(str).str.strip().astype(object)


def column_name(table: pd.DataFrame, column: str | int, path: str | Path) -> str:
    """Name of a column given by name or 0-based number; raises InputError that lists the columns if there is none."""
    columns = list(table.columns)
    if isinstance(column, int):
        if 0 <= column < len(columns):
            return column_name(table, columns[column], path)
        raise InputError(f"{path}: no column number {column}; the table has {len(columns)} columns, numbered from 0")
    if column not in columns:
        raise InputError(f"{path}: no column '{column}'; found: {_some(columns)}")
    if columns.count(column) > 1:
        raise InputError(f"{path}: column '{column}' occurs {columns.count(column)} times")
    return column


def to_numbers(table: pd.DataFrame, path: str | Path) -> np.ndarray:
    """Convert a table of cells to float64 (n_rows, n_columns), missing cells to NaN.

    Raises InputError that names the first cell that is no finite number, by its row label and column.
    """
    if table.shape[1] == 0:
        raise InputError(f"{path}: no column of values beside ids and labels")
    if all(map(pd.api.types.is_object_dtype, table.dtypes)):
        # All cells in one call: one for each of thousands of columns takes longer than the conversion itself.
        cells = table.to_numpy(dtype=object)
        numbers = pd.to_numeric(cells.ravel(), errors="coerce").astype(float).reshape(cells.shape)
    else:
        columns = [pd.to_numeric(table.iloc[:, place], errors="coerce") for place in range(table.shape[1])]
        numbers = np.column_stack([column.to_numpy(dtype=float, na_value=np.nan) for column in columns])
    wrong = np.isinf(numbers)
    # In a column of numbers all that is not a number is missing.
    text = np.flatnonzero([not pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes])
    rows, places = np.nonzero(np.isnan(numbers[:, text]))
    found = pd.Series(table.iloc[:, text].to_numpy(dtype=object)[rows, places], dtype=object)
    wrong[rows, text[places]] = ~(found.isna() | found.isin(MISSING)).to_numpy()
    if wrong.any():
        column, row = np.argwhere(wrong.T)[0]
        raise InputError(
            f"{path}: row '{table.index[row]}', column '{table.columns[column]}': found '{table.iat[row, column]}', "
            "expected a finite number"
        )
    return numbers


def _some(names: list[Any], most: int = 12) -> str:
    """The first names of a list, for a message; a long one, such as a sequence, is cut."""
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in map(str, names[:most]))
    return shown + (f", … ({len(names)} in all)" if len(names) > most else "")


def predicts(settings: Mapping[str, Any]) -> bool:
    """Are samples without a label kept, to be predicted?"""
    return settings.get("unlabelled") == "predict"


def check_unlabelled(unlabelled: Sequence[str], path: str | Path, place: str, settings: Mapping[str, Any]) -> None:
    """Raise InputError for samples without a label unless the study drops or predicts them.

    `place` says where the label is missing, e.g. "in column 'subtype'".
    """
    if len(unlabelled) and settings.get("unlabelled", "error") == "error":
        raise InputError(
            f"{path}: {len(unlabelled)} samples have no label {place}, e.g. '{next(iter(unlabelled))}'; "
            "label them or set `unlabelled: drop` (or predict)"
        )


def sample_frame(
    ids: list[str], labels: list[str], group: list[str] | None = None, split: list[str] | None = None
) -> pd.DataFrame:
    """Table of samples as every reader returns it; without `group` or `split` the column is empty."""
    empty = [""] * len(ids)
    return pd.DataFrame(
        {"sample": ids, "label": labels, "group": group or empty, "split": split or empty}, dtype=object
    )


def sequence_frame(
    records: pd.DataFrame, letters: Counter[str], path: str | Path, place: str, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Table of sequences as every reader of them returns it: sample, sequence, label, group, split.

    records : columns sample ("" where a record has no id), sequence (clean), label and, perhaps, group and split;
    letters : what `clean_letters` counted; path, place, settings : see `check_unlabelled`, whose rule is applied here
    """
    columns = records.to_dict("list")
    ids = unique_ids(columns["sample"], columns["label"])
    table = sample_frame(ids, columns["label"], columns.get("group"), columns.get("split"))
    table.insert(1, "sequence", pd.Series(columns["sequence"], dtype=object))
    unlabelled = table["label"] == ""
    check_unlabelled(table["sample"][unlabelled], path, place, settings)
    dropped = [] if predicts(settings) else table["sample"][unlabelled].tolist()
    table = table if predicts(settings) else table[~unlabelled].reset_index(drop=True)
    table.attrs.update(letters=dict(letters), unlabelled=dropped)
    return table


def unique_ids(ids: Sequence[str], labels: Iterable[str]) -> list[str]:
    """Ids that occur once: "" becomes `<label>_<n>` for the n-th record of its label, a repeated id `<id>_2`, `_3`, …

    An id that is given stays with the first record that has it; no other record takes it.
    """
    taken, seen, places, numbers = set(ids), set(), Counter(), {}
    unique = []
    for name, label in zip(ids, labels, strict=True):
        places[label] += 1
        if not name or name in seen:
            base = name or f"{label or 'unlabelled'}_{places[label]}"
            name = base
            while name in taken:
                name = f"{base}_{next(numbers.setdefault(base, itertools.count(2)))}"
            taken.add(name)
        seen.add(name)
        unique.append(name)
    return unique
