"""Reading and writing the tables and JSON files that rules exchange: atomic, byte-stable, never NaN in JSON."""

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def share(path: Path) -> None:
    """Give a file that a temporary one became the permissions that the umask allows; mkstemp makes it private."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path` and rename it to `path` on success; nothing stays on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        share(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def json_ready(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers and NaN or infinity into None, recursively."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    if hasattr(value, "tolist"):
        return json_ready(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(value: Any, path: str | Path) -> None:
    """Write `value` as indented JSON with sorted keys; NaN becomes null."""
    with atomic_path(path) as temporary:
        text = json.dumps(json_ready(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as Parquet or, by its suffix, as tab-separated text (floats with six significant digits)."""
    with atomic_path(path) as temporary:
        if Path(path).suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", lineterminator="\n")


def write_matrix(matrix: pd.DataFrame, path: str | Path) -> None:
    """Write samples x features, index = sample id, as Parquet: a column `sample`, then one of float32 per feature."""
    columns = [pa.array(matrix.index), *map(pa.array, matrix.to_numpy(dtype=np.float32).T)]
    table = pa.Table.from_arrays(columns, names=["sample", *matrix.columns])
    # What Parquet notes of each column costs seconds where there are tens of thousands of them with a few rows each.
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, use_dictionary=False, write_statistics=False, store_schema=False)


def read_table(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a table written by `write_table`; text columns of a TSV named in `options["dtype"]` keep their spelling."""
    if Path(path).suffix == ".parquet":
        return pd.read_parquet(path, **options)
    # Only an empty cell is missing: "NA" or "None" may be a label.
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], **options)
