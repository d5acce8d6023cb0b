"""The published files of Spellman et al. 1998 through reader, selection of time points and cleaning."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genestrata.cleaning import check_cycle, clean
from genestrata.config import Catalogue
from genestrata.readers.spellman import ALL_SERIES, ARCHIVE, PHASES, read, read_phases
from genestrata.tables import labelled
from genestrata.time_points import select_series
from genestrata.wording import TERMS

ALL_PHASES = {"G1": 300, "G2/M": 195, "M/G1": 113, "S": 71, "S/G2": 121}


@pytest.fixture(scope="module")
def folder(data_folder):
    folder = data_folder / "spellman_1998"
    if not folder.is_dir():
        pytest.skip(f"no data set at {folder}")
    return folder


@pytest.fixture(scope="module")
def prepare(repository, folder):
    """A function that gives the study of a name, its matrix, its samples and the report of the cleaning."""

    def run(name):
        study = Catalogue(repository).load_study(repository / f"resources/studies/{name}.yaml", "public")
        files = {file: str(folder / file) for file in study["source"]["files"]}
        matrix, samples = select_series(*read(files, {}), study["series"], name)
        return study, *clean(matrix, samples, study["clean"], name, TERMS["time_series"])

    return run


@pytest.mark.parametrize("name", ["cell_cycle", "cell_cycle_23"])
def test_checksums_of_the_study_are_those_of_the_files(repository, folder, name):
    study = Catalogue(repository).load_study(repository / f"resources/studies/{name}.yaml", "public")
    assert len(study["source"]["files"]) == 2
    for file, entry in study["source"]["files"].items():
        assert hashlib.sha256(Path(folder / file).read_bytes()).hexdigest() == entry["sha256"], file


def test_phases_equal_the_list_of_800(folder):
    """Counted by the data set's own table, in which the gene without an ORF stands under its name."""
    with Path(folder / "spellman_phase_800.tsv").open(encoding="utf-8") as handle:
        expected = {row["orf"]: row["phase"] for row in csv.DictReader(handle, delimiter="\t")}
    phases = read_phases(str(folder / PHASES))
    assert phases == expected
    assert len(phases) == 800
    assert "YEL077C" in phases


def test_all_series(folder):
    matrix, samples = read({ALL_SERIES: str(folder / ALL_SERIES), PHASES: str(folder / PHASES)}, {})
    assert matrix.shape == (6178, 73)
    experiments = [name.rpartition("_")[0] for name in matrix.columns]
    assert {name: experiments.count(name) for name in experiments} == {
        "alpha": 18,
        "cdc15": 24,
        "cdc28": 17,
        "elu": 14,
    }
    assert samples["label"].value_counts().drop("").to_dict() == ALL_PHASES
    assert matrix.loc["YAL001C", "alpha_0"] == -0.15
    assert np.isnan(matrix.loc["YAL002W", "cdc15_10"])


def test_archive(folder):
    matrix, samples = read({ARCHIVE: str(folder / ARCHIVE), PHASES: str(folder / PHASES)}, {})
    assert matrix.shape == (4381, 23)
    assert not matrix.isna().any(axis=None)
    assert list(matrix.columns) == [f"cdc15_{minutes}" for minutes in range(40, 261, 10)]
    assert samples["label"].value_counts().drop("").to_dict() == {
        "G1": 233,
        "G2/M": 160,
        "S/G2": 103,
        "M/G1": 81,
        "S": 56,
    }


def test_no_labelled_gene_is_lost_to_missing_points(prepare):
    study, matrix, samples, report = prepare("cell_cycle")
    known = labelled(samples)
    assert known["label"].value_counts().to_dict() == ALL_PHASES
    assert matrix.shape[1] == 73
    check_cycle(known["label"], study["cycle"], "")
    # Genes that were not measured in most of the time points.
    assert 6100 < len(matrix) == report["after"]["samples"] < 6178
    np.testing.assert_allclose(np.nanmean(matrix, axis=1), 0, atol=1e-5)


def test_nine_points_and_their_peaks(prepare, folder):
    study, matrix, samples, _ = prepare("cell_cycle_peak")
    assert list(matrix.columns) == [f"cdc15_{minutes}" for minutes in range(40, 121, 10)]
    assert len(labelled(samples)) == len(matrix) == 4381
    raw = pd.read_csv(folder / "Spellman.csv", index_col=0).loc[matrix.index]
    phase_of = {minute: phase for phase, minutes in study["series"]["peak_phases"].items() for minute in minutes}
    peak = raw[[str(minute) for minute in range(40, 121, 10)]].idxmax(axis=1)
    assert samples["label"].tolist() == [phase_of[int(minute)] for minute in peak]
