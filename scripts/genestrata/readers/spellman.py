"""Reader of the yeast cell-cycle data of Spellman et al. 1998 (Mol. Biol. Cell 9:3273): log2 ratios and phases.

spellman.txt        77 hybridisations, tab-separated, `row.names` first, NA for missing; the series alpha, cdc15, cdc28
                    and elu are read, the four cln3 and clb2 hybridisations are no time series
dataset.zip         or its one member Spellman.csv: 23 times of cdc15, of which 40, 60 and 260 min are interpolations
CellCycle98.txt     the authors' 800 cell-cycle regulated genes with the phase of their peak, below four header lines;
                    one of them has an empty ORF and stands under its name in the next column
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genestrata.errors import InputError
from genestrata.readers.tables import parse_cells, read_cells, read_text, sample_frame, to_numbers

PHASES = "CellCycle98.txt"
ALL_SERIES = "spellman.txt"
ARCHIVE, MEMBER = "dataset.zip", "Spellman.csv"
# The series of Spellman.csv.
EXPERIMENT = "cdc15"
HYBRIDISATION = re.compile(r"(alpha|cdc15|cdc28|elu)_?(\d+)")


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the series that are among `files` and the phases; see the package docstring.

    Rows are genes. A gene that the table of phases lacks has the label "".
    """
    phases = read_phases(files[PHASES])
    if ALL_SERIES in files:
        path = files[ALL_SERIES]
        cells = read_cells(path, "\t")
        matches = {name: HYBRIDISATION.fullmatch(name) for name in cells.columns[1:]}
        names = {name: f"{match[1]}_{match[2]}" for name, match in matches.items() if match}
    else:
        path = files.get(ARCHIVE) or files[MEMBER]
        cells = _read_archive(path) if ARCHIVE in files else read_cells(path, ",")
        names = {name: f"{EXPERIMENT}_{name}" for name in cells.columns[1:] if name.isdigit()}
    if not names:
        raise InputError(f"{path}: no column of a time series; found: {', '.join(cells.columns[1:8])}")
    if cells.columns.has_duplicates:
        raise InputError(f"{path}: column '{cells.columns[cells.columns.duplicated()][0]}' occurs more than once")
    genes = cells.iloc[:, 0].tolist()
    values = cells[list(names)].set_axis(genes, axis="index")
    matrix = pd.DataFrame(to_numbers(values, path), index=genes, columns=list(names.values()))
    return matrix, sample_frame(genes, [phases.get(gene, "") for gene in genes])


def read_phases(path: str) -> dict[str, str]:
    """Gene to published phase. Raises InputError for another header or a gene that occurs twice."""
    rows = list(csv.reader(io.StringIO(read_text(path)), delimiter="\t"))
    header = next((number for number, row in enumerate(rows) if "ORF" in row and "Peak" in row), None)
    if header is None:
        raise InputError(f"{path}: no header line with the columns Peak and ORF")
    peak, gene = rows[header].index("Peak"), rows[header].index("ORF")
    phases: dict[str, str] = {}
    for number, row in enumerate(rows[header + 1 :], start=header + 2):
        if not any(cell.strip() for cell in row):
            continue
        # The name of the gene in the next column, a database of its time, is its ORF too where the ORF is missing.
        cells = [cell.strip() for cell in row] + [""] * len(rows[header])
        name, phase = cells[gene] or cells[gene + 1], cells[peak]
        if not name or not phase:
            raise InputError(f"{path}: line {number}: no gene or no phase")
        if name in phases:
            raise InputError(f"{path}: line {number}: gene '{name}' occurs twice")
        phases[name] = phase
    return phases


def _read_archive(path: str) -> pd.DataFrame:
    """Cells of the one table in dataset.zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(MEMBER).decode("utf-8-sig")
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a zip file that holds {MEMBER}: {error}") from None
    return parse_cells(text, f"{Path(path)}/{MEMBER}", ",")
