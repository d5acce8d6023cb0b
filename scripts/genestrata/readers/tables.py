"""Reading delimited text and Parquet into tables of text or numbers, with messages that name file, line and column."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError

MISSING = ["", "NA", "NaN", "nan", "N/A", "NULL", "null", "."]


def read_text(path: str | Path) -> str:
    """Decode a UTF-8 text file, gzipped or not (told by its first bytes), without a byte order mark, `\\n` line
    ends."""
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
        raise InputError(f"{path}: binary content, expected delimited text (csv, tsv; gzipped or not) or .parquet")
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

    Raises InputError for an unreadable file, a row of another length than the header, or a table without rows.
    """
    if Path(path).suffix == ".parquet":
        return _read_parquet(path)
    separator = delimiter(path, separator)
    text = read_text(path)
    try:
        cells = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=True,
        )
    except (pd.errors.ParserError, ValueError) as error:
        raise InputError(f"{path}: not a table separated by {separator!r}: {error}") from None
    header = [str(name).strip() for name in cells.iloc[0]]
    body = cells.iloc[1:].reset_index(drop=True)
    if body.empty:
        raise InputError(f"{path}: a header line without rows below it")
    short = body.iloc[:, -1].isna()
    if short.any():
        row = int(np.flatnonzero(short)[0])
        raise InputError(f"{path}: row {row + 2} has fewer than the {len(header)} cells of the header")
    # R writes one header cell less than there are columns; a table of one column is the wrong separator.
    if len(header) == 1:
        raise InputError(f"{path}: one column only when separated by {separator!r}; set `separator` in the study file")
    body.columns = pd.Index(header)
    return body.apply(lambda column: column.str.strip())


def _read_parquet(path: str | Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from None


def column_name(table: pd.DataFrame, column: str | int, path: str | Path) -> str:
    """Name of a column given by name or 0-based number; raises InputError that lists the columns if there is none."""
    columns = list(table.columns)
    if isinstance(column, int):
        if column < len(columns):
            return columns[column]
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
    columns = []
    for position, name in enumerate(table.columns):
        cells = table.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(cells):
            cells = cells.where(~cells.isin(MISSING), None)
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = (np.isnan(numbers) & cells.notna().to_numpy()) | np.isinf(numbers)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{path}: row '{table.index[row]}', column '{name}': found {cells.iloc[row]!r}, expected a finite number"
            )
        columns.append(numbers)
    return np.column_stack(columns)


def _some(names: list[Any], most: int = 12) -> str:
    """The first names of a list, for a message."""
    return ", ".join(map(str, names[:most])) + (f", … ({len(names)} in all)" if len(names) > most else "")


def sample_frame(
    ids: list[str], labels: list[str], group: list[str] | None = None, split: list[str] | None = None
) -> pd.DataFrame:
    """Table of samples as every reader returns it; without `group` or `split` the column is empty."""
    empty = [""] * len(ids)
    return pd.DataFrame(
        {"sample": ids, "label": labels, "group": group or empty, "split": split or empty}, dtype=object
    )
