"""The expression table of the maize atlas from the gene tables that cufflinks wrote, one for each sample.

Of this atlas are its table of samples, its columns and the words that group its tissues: ACCESSIONS, RENAMED and
TISSUE_GROUPS; the rest holds for any tables of cufflinks that are named as `genes.fpkm_tracking` and the sample.

The tables of different samples list the same genes in different orders. A gene with two rows in a table, two loci that
overlap, has the sum of both. The values of loci that cufflinks did not finish (FAIL, HIDATA) stand beside the others,
zero where it skipped the locus for its many reads, so they are listed too.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from genestrata.errors import InputError
from genestrata.readers.tables import as_text, column_name, read_cells, to_numbers

# The atlas's table of samples, and what the name of the file of each begins with.
ACCESSIONS = "map_SRA_accessions.txt"
TRACKING = "genes.fpkm_tracking."
# Column of the atlas's table of samples to its name here.
RENAMED = {
    "Run": "sample_id",
    "sample": "tissue",
    "replicate": "replicate",
    "tissue": "sra_tissue",
    "BioSample": "biosample",
    "Sample name": "gsm",
    "Experiment": "experiment",
}
# Keyword in the name of a tissue of the atlas, in lower case, to its group; the first that occurs counts.
TISSUE_GROUPS = {
    "pollen": "pollen",
    "spikelet": "spikelet",
    "silk": "silk",
    "pericarp": "pericarp_aleurone",
    "endosperm": "endosperm",
    "embryo": "embryo",
    "kernel": "germinating_kernel",
    "leaf": "leaf",
    "root": "root",
    "ear primordium": "ear_primordium",
    "internode": "internode",
    "vegetative meristem": "vegetative_meristem",
}


def read_accessions(path: str | Path) -> pd.DataFrame:
    """Table of samples: sample_id, tissue, replicate, tissue_group and their accessions, all text, in the order of the
    file. Raises InputError for a repeated sample or a tissue without a keyword of TISSUE_GROUPS."""
    cells = read_cells(path, "\t")
    samples = pd.DataFrame({new: as_text(cells[column_name(cells, old, path)]) for old, new in RENAMED.items()})
    repeated = samples["sample_id"].duplicated()
    if repeated.any():
        raise InputError(f"{path}: sample '{samples.loc[repeated, 'sample_id'].iloc[0]}' has more than one row")
    samples["replicate"] = samples["replicate"].str.rpartition("_")[2]
    groups = [_tissue_group(tissue, path) for tissue in samples["tissue"]]
    samples.insert(3, "tissue_group", pd.Series(groups, dtype=object))
    return samples


def _tissue_group(tissue: str, path: str | Path) -> str:
    for keyword, group in TISSUE_GROUPS.items():
        if keyword in tissue.lower():
            return group
    raise InputError(f"{path}: tissue '{tissue}' holds none of the words {', '.join(TISSUE_GROUPS)}")


def read_tracking(path: str | Path) -> pd.DataFrame:
    """Rows of one sample: gene_id, locus, fpkm_status (text) and fpkm (float64); raises InputError for a missing
    column or a value that is missing, negative or no number."""
    cells = read_cells(path, "\t")
    columns = {"gene_id": "gene_id", "fpkm_status": "FPKM_status", "locus": "locus"}
    rows = pd.DataFrame({name: as_text(cells[column_name(cells, column, path)]) for name, column in columns.items()})
    values = cells[[column_name(cells, "FPKM", path)]].set_axis(rows["gene_id"].to_numpy(), axis="index")
    rows["fpkm"] = to_numbers(values, path)[:, 0]
    wrong = ~(rows["fpkm"] >= 0)
    if wrong.any():
        gene, value = rows.loc[wrong, ["gene_id", "fpkm"]].iloc[0]
        raise InputError(f"{path}: gene '{gene}': found FPKM {value:g}, expected a number of at least 0")
    return rows


def merge_tracking(paths: Iterable[str | Path]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Merge the tables of all samples, read one after the other.

    paths : the table of samples, named ACCESSIONS, and one file per sample, named TRACKING and its id. Returns FPKM
    (genes by id x samples in the order of their table, float64), the table of samples, and the rows that cufflinks did
    not finish: gene_id, sample_id, fpkm_status, locus, fpkm. Raises InputError for samples and files that do not match,
    and for files that do not hold the same genes.
    """
    files = {Path(path).name: path for path in paths}
    samples = read_accessions(files.pop(ACCESSIONS))
    tables = _by_sample(files, list(samples["sample_id"]))
    columns: dict[str, pd.Series] = {}
    unfinished = []
    for sample, path in tqdm(tables.items(), desc="tracking files", leave=False, disable=None):
        rows = read_tracking(path)
        columns[sample] = rows.groupby("gene_id")["fpkm"].sum()
        first = next(iter(columns))
        different = columns[sample].index.symmetric_difference(columns[first].index)
        if len(different):
            raise InputError(f"{path}: gene '{different[0]}' stands in only one of this file and {tables[first]}")
        rows.insert(1, "sample_id", sample)
        unfinished.append(rows[rows["fpkm_status"] != "OK"])
    order = ["gene_id", "sample_id", "locus"]
    return pd.DataFrame(columns), samples, pd.concat(unfinished).sort_values(order, ignore_index=True)


def _by_sample(files: Mapping[str, str | Path], samples: list[str]) -> dict[str, str | Path]:
    """Sample to its file, in the order of the samples; raises InputError where one lacks the other."""
    by_sample = {name.removeprefix(TRACKING): path for name, path in files.items()}
    missing = [sample for sample in samples if sample not in by_sample]
    if missing:
        raise InputError(f"{ACCESSIONS}: sample '{missing[0]}' has no file {TRACKING}{missing[0]}")
    unknown = sorted(set(by_sample) - set(samples))
    if unknown:
        raise InputError(f"{by_sample[unknown[0]]}: sample '{unknown[0]}' is not listed in {ACCESSIONS}")
    return {sample: by_sample[sample] for sample in samples}
