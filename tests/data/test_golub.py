"""The published files of Golub et al. 1999 through reader and cleaning."""

import hashlib
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genestrata.cleaning import check_labels, clean
from genestrata.config import Catalogue
from genestrata.readers.golub import LABELS, PARTS, read


@pytest.fixture(scope="module")
def files(data_folder):
    folder = data_folder / "golub_1999"
    if not folder.is_dir():
        pytest.skip(f"no data set at {folder}")
    return {name: str(folder / name) for name in (*PARTS.values(), LABELS)}


@pytest.fixture(scope="module")
def study(repository):
    return Catalogue(repository).load_study(repository / "resources" / "studies" / "aml_all.yaml", "public")


@pytest.fixture(scope="module")
def cohort(files):
    return read(files, {})


@pytest.fixture(scope="module")
def cleaned(cohort, study):
    return clean(*cohort, study["clean"], "golub")


def patients(path):
    """Patient numbers in the order of a file's columns, read without the reader."""
    header = Path(path).read_text(encoding="utf-8").partition("\n")[0]
    return [name for name in header.split(",") if name.isdigit()]


def test_checksums_of_the_study_are_those_of_the_files(files, study):
    assert set(study["source"]["files"]) == set(files)
    for name, entry in study["source"]["files"].items():
        assert hashlib.sha256(Path(files[name]).read_bytes()).hexdigest() == entry["sha256"], name


def test_shape_split_and_classes(cohort):
    matrix, samples = cohort
    assert matrix.shape == (72, 7129)
    assert matrix.columns.is_unique
    assert not matrix.isna().any(axis=None)
    assert (matrix.to_numpy().min(), matrix.to_numpy().max()) == (-28400, 71369)
    sizes = samples.groupby(["split", "label"]).size().to_dict()
    assert sizes == {("train", "ALL"): 27, ("train", "AML"): 11, ("test", "ALL"): 20, ("test", "AML"): 14}


def test_labels_belong_by_patient_number_not_by_position(cohort, files):
    """Matched by position, 14 of the 34 independent labels would be wrong and, by luck, none of the others."""
    _, samples = cohort
    actual = dict(line.split(",") for line in Path(files[LABELS]).read_text(encoding="utf-8").split()[1:])
    assert dict(zip(samples["sample"], samples["label"], strict=True)) == actual
    wrong = {}
    for split, first in (("train", 1), ("test", 39)):
        joined = samples.loc[samples["split"] == split, "label"].tolist()
        by_position = [actual[str(first + place)] for place in range(len(joined))]
        wrong[split] = sum(a != b for a, b in zip(joined, by_position, strict=True))
    assert wrong == {"train": 0, "test": 14}


def test_values_stand_with_their_patient_and_gene(cohort, files):
    matrix, samples = cohort
    assert samples["sample"].tolist() == [name for part in PARTS.values() for name in patients(files[part])]
    first_gene = "AFFX-BioB-5_at"
    assert matrix.loc[["1", "2", "34", "33"], first_gene].tolist() == [-214, -139, -20, -135]
    assert matrix.loc[["39", "42", "70", "62"], first_gene].tolist() == [-342, 22, -55, -176]


def test_cleaning_counts(cleaned):
    matrix, samples, report = cleaned
    assert report["before"] == {"samples": 72, "features": 7129}
    drops = {entry["step"]: entry["dropped"] for entry in report["steps"]}
    assert drops["drop_features AFFX*"] == 58
    assert not [name for name in matrix.columns if name.startswith("AFFX")]
    # Counted without the package: genes that lie at the floor in all 72 samples.
    assert drops["constant or empty"] == 721
    assert report["after"] == {"samples": 72, "features": 6350}
    assert matrix.to_numpy().dtype == np.float32
    check_labels(samples, "golub")


def test_cleaned_values_by_hand(cohort, cleaned):
    """The study's limits, logarithm and scaling, written out for one patient."""
    raw, matrix = cohort[0], cleaned[0]
    kept = [name for name in raw.columns if not name.startswith("AFFX")]
    values = np.log2(raw[kept].clip(100, 16000))
    values = values.loc[:, values.nunique() > 1]
    assert matrix.columns.tolist() == values.columns.tolist()
    patient = values.loc["42"]
    expected = (patient - patient.mean()) / patient.std(ddof=0)
    np.testing.assert_allclose(matrix.loc["42"], expected, rtol=1e-5, atol=1e-6)


def test_order_of_the_columns_of_the_raw_files_does_not_matter(files, cleaned, study, tmp_path):
    """Patients in another order, each with its call, and calls of nonsense: the same cleaned table."""
    shuffled = dict(files)
    for name in PARTS.values():
        table = pd.read_csv(files[name], header=None, dtype=str)
        pairs = [(place, place + 1) for place in range(2, table.shape[1], 2)]
        random.Random(name).shuffle(pairs)
        table.iloc[1:, 3::2] = "X"
        order = [place for pair in pairs for place in pair]
        table[[*order, 1, 0]].to_csv(tmp_path / name, header=False, index=False)
        assert patients(tmp_path / name) != patients(files[name])
        shuffled[name] = str(tmp_path / name)
    matrix, samples, report = clean(*read(shuffled, {}), study["clean"], "golub")
    pd.testing.assert_frame_equal(matrix, cleaned[0])
    pd.testing.assert_frame_equal(samples, cleaned[1])
    assert report == cleaned[2]


def test_order_of_the_rows_of_the_raw_files_does_not_matter(files, cleaned, study, tmp_path):
    shuffled = dict(files)
    for name in PARTS.values():
        header, *body = Path(files[name]).read_text(encoding="utf-8").splitlines()
        random.Random(name).shuffle(body)
        (tmp_path / name).write_text("\n".join([header, *body]), encoding="utf-8")
        shuffled[name] = str(tmp_path / name)
    matrix, samples, _ = clean(*read(shuffled, {}), study["clean"], "golub")
    pd.testing.assert_frame_equal(matrix[cleaned[0].columns], cleaned[0], rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(samples, cleaned[1])
