"""The published matrix of Yeoh et al. 2002 through reader and cleaning."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from genestrata.cleaning import check_labels, clean
from genestrata.config import Catalogue
from genestrata.readers.yeoh import MATRIX, read


@pytest.fixture(scope="module")
def path(data_folder):
    path = data_folder / "yeoh_2002" / MATRIX
    if not path.is_file():
        pytest.skip(f"no data set at {path}")
    return path


@pytest.fixture(scope="module")
def study(repository):
    return Catalogue(repository).load_study(repository / "resources" / "studies" / "all_subtypes.yaml", "public")


@pytest.fixture(scope="module")
def cohort(path):
    return read({MATRIX: str(path)}, {})


@pytest.fixture(scope="module")
def cells(path):
    """The file without the reader: rows of text."""
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))


def test_checksum_of_the_study_is_that_of_the_file(path, study):
    files = study["source"]["files"]
    assert list(files) == [MATRIX]
    assert files[MATRIX]["sha256"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_shape_and_classes(cohort):
    matrix, samples = cohort
    assert matrix.shape == (248, 2526)
    assert matrix.index.is_unique
    assert matrix.columns.is_unique
    assert not matrix.isna().any(axis=None)
    assert (matrix.to_numpy().min(), matrix.to_numpy().max()) == (10, 16000)
    assert samples["label"].value_counts().to_dict() == {
        "TEL-AML": 79,
        "Hyperdip>50": 64,
        "T-ALL": 43,
        "E2A-PBX1": 27,
        "MLL": 20,
        "BCR-ABL": 15,
    }
    assert matrix.columns.str.startswith("AFFX").sum() == 16


def test_labels_and_values_stand_with_their_sample(cohort, cells):
    matrix, samples = cohort
    assert samples["sample"].tolist() == matrix.index.tolist() == cells[0][1:]
    assert samples["label"].tolist() == cells[1][1:]
    for row in (2, 1000, len(cells) - 1):
        np.testing.assert_array_equal(matrix[cells[row][0]], [float(cell) for cell in cells[row][1:]])


def test_no_feature_tells_the_label(cohort):
    """The names of the samples hold their labels, so none may be among the features."""
    matrix, samples = cohort
    features = "\n".join(matrix.columns)
    assert not [name for name in {*samples["sample"], *samples["label"]} if name in features]
    assert (samples[["group", "split"]] == "").all(axis=None)


def test_cleaned_values_by_hand(cohort, study):
    """The study's limits and logarithm, written out."""
    raw = cohort[0]
    matrix, samples, report = clean(*cohort, study["clean"], "yeoh")
    drops = {entry["step"]: entry["dropped"] for entry in report["steps"]}
    assert drops["drop_features AFFX*"] == 16
    assert report["before"] == {"samples": 248, "features": 2526}
    assert len(matrix) == 248
    values = np.log2(raw.loc[:, ~raw.columns.str.startswith("AFFX")].clip(100, 16000))
    values = values.loc[:, values.nunique() > 1]
    assert report["after"] == {"samples": 248, "features": values.shape[1]}
    assert sorted(matrix.columns) == sorted(values.columns)
    np.testing.assert_allclose(matrix, values.loc[matrix.index, matrix.columns], rtol=1e-5)
    check_labels(samples, "yeoh")
