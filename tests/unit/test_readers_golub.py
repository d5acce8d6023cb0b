"""The reader of Golub's three files, on small files of the same form; tests/data has the real ones."""

import numpy as np
import pytest

from genestrata.errors import InputError
from genestrata.readers.golub import LABELS, PARTS, read

TRAIN = "Gene Description,Gene Accession Number,2,call,1,call\nfirst,g1_at,20,A,10,P\nsecond,g2_at,-2,A,-1,M\n"
TEST = "Gene Description,Gene Accession Number,4,call,3,call\nsecond,g2_at,-4,A,-3,A\nfirst,g1_at,40,P,30,P\n"
ACTUAL = "patient,cancer\n1,ALL\n2,AML\n3,ALL\n4,AML\n"


@pytest.fixture
def read_parts(tmp_path):
    def write_and_read(train=TRAIN, test=TEST, actual=ACTUAL):
        contents = {PARTS["train"]: train, PARTS["test"]: test, LABELS: actual}
        for name, content in contents.items():
            (tmp_path / name).write_text(content)
        return read({name: str(tmp_path / name) for name in contents}, {})

    return write_and_read


def test_labels_and_genes_are_joined_by_name(read_parts):
    matrix, samples = read_parts()
    assert matrix.index.tolist() == samples["sample"].tolist() == ["2", "1", "4", "3"]
    assert samples["label"].tolist() == ["AML", "ALL", "AML", "ALL"]
    assert samples["split"].tolist() == ["train", "train", "test", "test"]
    assert matrix.columns.tolist() == ["g1_at", "g2_at"]
    np.testing.assert_array_equal(matrix.to_numpy(), [[20, -2], [10, -1], [40, -4], [30, -3]])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"actual": ACTUAL.replace("3,ALL\n", "")},
            "actual.csv: no label for patient 3 of data_set_ALL_AML_independent",
        ),
        ({"actual": ACTUAL + "5,ALL\n"}, "actual.csv: labels without values, patient 5"),
        ({"actual": ACTUAL + "1,AML\n"}, "actual.csv: patient 1 has more than one row"),
        (
            {"test": TEST.replace("g2_at", "g3_at")},
            "the two matrices do not hold the same genes or cells, e.g. 'g2_at'",
        ),
        ({"train": TRAIN.replace("-1", "x")}, "data_set_ALL_AML_train.csv: row 'g2_at', column '1': found 'x'"),
        ({"train": "Gene Accession Number,a\ng1,1\n"}, "no column headed by a patient number"),
        ({"train": TRAIN.replace("Accession", "Access")}, "no column 'Gene Accession Number'"),
    ],
)
def test_mistake_is_explained(read_parts, parts, expected):
    with pytest.raises(InputError) as caught:
        read_parts(**parts)
    assert expected in str(caught.value)
