"""The reader of Yeoh's matrix, on small files of the same form; tests/data has the real one."""

import numpy as np
import pytest

from genestrata.errors import InputError
from genestrata.readers.yeoh import MATRIX, read

NAMES = '\t"T-ALL-#1"\t"Hyperdip>50-C2"\t"T-ALL-R3"'
LABELS = '\t"T-ALL"\t"Hyperdip>50"\t"T-ALL"'
PROBES = ('"31324_at"\t10\t250.5\t16000', '"AFFX-BioB-5_at"\t11\t12\t13')


@pytest.fixture
def read_lines(tmp_path):
    def write_and_read(*lines):
        (tmp_path / MATRIX).write_text("\n".join(lines) + "\n")
        return read({MATRIX: str(tmp_path / MATRIX)}, {})

    return write_and_read


def test_names_labels_and_values_stand_together(read_lines):
    matrix, samples = read_lines(NAMES, LABELS, *PROBES)
    assert matrix.index.tolist() == samples["sample"].tolist() == ["T-ALL-#1", "Hyperdip>50-C2", "T-ALL-R3"]
    assert matrix.columns.tolist() == ["31324_at", "AFFX-BioB-5_at"]
    np.testing.assert_array_equal(matrix.to_numpy(), [[10, 11], [250.5, 12], [16000, 13]])
    assert matrix.to_numpy().dtype == np.float64
    assert list(samples.columns) == ["sample", "label", "group", "split"]
    assert (samples[["group", "split"]] == "").all(axis=None)


def test_label_keeps_its_name_and_comes_from_the_second_line(read_lines):
    """Characters that a file name cannot have stay, and the name of a sample is no source of its label."""
    labels = '\t"Hyperdip>50"\t"T/ALL: \u00e4 <b>"\t"BCR-ABL"'
    samples = read_lines(NAMES, labels, *PROBES)[1]
    assert samples["label"].tolist() == ["Hyperdip>50", "T/ALL: \u00e4 <b>", "BCR-ABL"]


def test_missing_value_stays_missing(read_lines):
    matrix, _ = read_lines(NAMES, LABELS, PROBES[0].replace("250.5", "NA"), PROBES[1])
    assert matrix.isna().sum().sum() == 1
    assert np.isnan(matrix.loc["Hyperdip>50-C2", "31324_at"])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((NAMES, LABELS.replace("Hyperdip>50", ""), *PROBES), "line 2: no label for sample 'Hyperdip>50-C2'"),
        ((NAMES, *PROBES), "expected two header lines that start with an empty cell, sample names and labels; found"),
        ((NAMES, "\t\t\t", *PROBES), "expected two header lines that start with an empty cell"),
        (('"probe"' + NAMES, LABELS, *PROBES), "sample names and labels; found 'probe' and ''"),
        ((NAMES, LABELS), "no probes below the two header lines"),
        ((NAMES, LABELS, PROBES[0], PROBES[1].replace("12", "P")), "'AFFX-BioB-5_at', column 'Hyperdip>50-C2': found"),
        ((NAMES, LABELS, PROBES[0] + "\t4"), "line 3 has 5 cells, the header has 4"),
    ],
)
def test_mistake_is_explained(read_lines, lines, expected):
    with pytest.raises(InputError) as caught:
        read_lines(*lines)
    assert f"{MATRIX}: " in str(caught.value)
    assert expected in str(caught.value)
