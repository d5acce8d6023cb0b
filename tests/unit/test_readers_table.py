"""A user's own study: forms A (genes x samples), B (other column names) and C (samples x genes), and their mistakes."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from genestrata.errors import InputError
from genestrata.readers.table import read

GENES_BY_SAMPLES = "gene,s1,s2,s3\ng1,1,2,3\ng2,4,NA,6\n"
SAMPLES_BY_GENES = "id,g1,g2,tissue\ns1,1,4,A\ns2,2,NA,B\ns3,3,6,A\n"
SAMPLES = "sample,label\ns3,A\ns1,A\ns2,B\n"
GENES = {"orientation": "genes_by_samples"}
ROWS = {"orientation": "samples_by_genes"}
VALUES = [[1, 4], [2, np.nan], [3, 6]]


@pytest.fixture
def read_study(tmp_path):
    """Write the files and read them: text of the matrix and of the sample table, settings."""

    def write_and_read(expression, samples=None, settings=GENES, name="e.csv", samples_name="s.csv"):
        files = {"expression": tmp_path / name}
        files["expression"].write_bytes(expression if isinstance(expression, bytes) else expression.encode())
        if samples is not None:
            files["samples"] = tmp_path / samples_name
            files["samples"].write_text(samples, encoding="utf-8")
        return read({key: str(path) for key, path in files.items()}, settings)

    return write_and_read


def check(matrix, samples, values=VALUES, labels=("A", "B", "A")):
    """Compare with the small study above."""
    assert matrix.index.tolist() == ["s1", "s2", "s3"]
    assert matrix.columns.tolist() == ["g1", "g2"]
    np.testing.assert_array_equal(matrix.to_numpy(), np.array(values, dtype=float))
    assert samples["sample"].tolist() == ["s1", "s2", "s3"]
    assert samples["label"].tolist() == list(labels)


# the three forms


def test_form_a_joins_labels_by_sample_not_by_position(read_study):
    matrix, samples = read_study(GENES_BY_SAMPLES, SAMPLES)
    check(matrix, samples)
    assert set(samples["group"]) == set(samples["split"]) == {""}


def test_form_a_takes_group_and_split_where_the_table_has_them(read_study):
    table = "split,group,sample,label\ntest,p2,s3,A\ntrain,p1,s1,A\ntrain,p1,s2,B\n"
    _, samples = read_study(GENES_BY_SAMPLES, table)
    assert samples["group"].tolist() == ["p1", "p1", "p2"]
    assert samples["split"].tolist() == ["train", "train", "test"]


@pytest.mark.parametrize("columns", [{"sample": "sample_id", "label": "subtype"}, {"sample": 1, "label": 2}])
def test_form_b_columns_by_name_or_number_and_gzip(read_study, columns):
    table = "row,sample_id,subtype,label\n1,s3,A,?\n2,s1,A,?\n3,s2,B,?\n"
    content = gzip.compress(GENES_BY_SAMPLES.encode())
    check(*read_study(content, table, GENES | {"columns": columns}, name="e.csv.gz"))


@pytest.mark.parametrize("column", ["tissue", 3])
def test_form_c_labels_in_the_matrix(read_study, column):
    check(*read_study(SAMPLES_BY_GENES, settings=ROWS | {"label_column": column}, name="m.csv"))


def test_samples_by_genes_with_a_sample_table(read_study):
    check(*read_study("id,g1,g2\ns1,1,4\ns2,2,\ns3,3,6\n", SAMPLES, ROWS))


def test_group_under_another_name(read_study):
    table = "sample,label,patient\ns1,A,p1\ns2,B,p1\ns3,A,p2\n"
    _, samples = read_study(GENES_BY_SAMPLES, table, GENES | {"columns": {"group": "patient"}})
    assert samples["group"].tolist() == ["p1", "p1", "p2"]


def test_separator_holds_for_both_files(read_study):
    semicolons = [text.replace(",", ";") for text in (GENES_BY_SAMPLES, SAMPLES)]
    check(*read_study(*semicolons, GENES | {"separator": ";"}))


def test_each_file_has_the_delimiter_of_its_own_extension(read_study):
    check(*read_study(GENES_BY_SAMPLES.replace(",", "\t"), SAMPLES, name="e.tsv"))


def test_cells_are_stripped_and_line_ends_and_byte_order_mark_do_not_matter(read_study):
    expression = "\ufeffgene, s1 ,s2,s3\r\n g1,1,2 ,3\r\ng2 ,4,NA,6\r\n"
    check(*read_study(expression, " sample,label\r\ns3 , A\r\ns1,A \r\ns2,B\r\n"))


def test_parquet_matrices_of_both_orientations(tmp_path):
    samples = tmp_path / "s.csv"
    samples.write_text(SAMPLES)
    table = pd.DataFrame({"g1": [1, 2, 3], "g2": [4.0, np.nan, 6.0]}, index=["s1", "s2", "s3"])
    for oriented, settings in ((table, ROWS), (table.T, GENES)):
        oriented.to_parquet(tmp_path / "m.parquet")
        check(*read({"expression": str(tmp_path / "m.parquet"), "samples": str(samples)}, settings))


def test_parquet_labels_stay_whole_numbers_and_nulls_are_no_labels(tmp_path):
    path = tmp_path / "m.parquet"
    # Without the types that pandas notes in a file of its own.
    table = pa.table({"id": ["s1", "s2", "s3"], "tissue": [1, None, 2], "g1": [1.0, 2.0, 3.0]})
    pa.parquet.write_table(table, path)
    settings = ROWS | {"label_column": "tissue"}
    with pytest.raises(InputError, match=r"1 samples have no label in column 'tissue', e.g. 's2'"):
        read({"expression": str(path)}, settings)
    matrix, samples = read({"expression": str(path)}, settings | {"unlabelled": "drop"})
    assert samples["label"].tolist() == ["1", "2"]
    assert matrix.index.tolist() == ["s1", "s3"]


# labels


LABELS = ["1", "01", "1.0", "NA", "Hyperdip>50", "G2/M", "T cell", "Müller", "白血病", "None"]


def test_labels_are_kept_as_they_are(read_study):
    names = [f"s{number}" for number in range(len(LABELS))]
    rows = "".join(f"{name},1,{label}\n" for name, label in zip(names, LABELS, strict=True))
    _, samples = read_study(f"id,g1,y\n{rows}", settings=ROWS | {"label_column": "y"})
    assert samples["label"].tolist() == LABELS
    expression = f"gene,{','.join(names)}\ng1{',1' * len(names)}\n"
    table = "sample,label\n" + "".join(f"{name},{label}\n" for name, label in zip(names, LABELS, strict=True))
    _, samples = read_study(expression, table)
    assert samples["label"].tolist() == LABELS


def test_sample_ids_are_text(read_study):
    matrix, samples = read_study("gene,001,1\ng1,1,2\n", "sample,label\n1,A\n001,B\n")
    assert matrix.index.tolist() == samples["sample"].tolist() == ["001", "1"]
    assert samples["label"].tolist() == ["B", "A"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sample,label\ns1,A\ns2,B\n", "s.csv: 1 samples of {e} have no label, e.g. 's3'; complete the files or set"),
        ("sample,label\ns1,A\ns2,B\ns3,A\ns4,A\n", "e.csv: 1 labelled samples have no values, e.g. 's4'"),
        ("sample,label\ns1,A\ns2,\ns3,A\n", "s.csv: 1 samples have no label in column 'label', e.g. 's2'; label them"),
    ],
)
def test_samples_without_labels_and_labels_without_samples(read_study, tmp_path, table, expected):
    with pytest.raises(InputError) as caught:
        read_study(GENES_BY_SAMPLES, table)
    assert str(tmp_path / expected.format(e=tmp_path / "e.csv")) in str(caught.value)
    assert "unlabelled: drop" in str(caught.value)
    matrix, samples = read_study(GENES_BY_SAMPLES, table, GENES | {"unlabelled": "drop"})
    kept = [name for name in ("s1", "s2", "s3") if f"{name},A" in table or f"{name},B" in table]
    assert matrix.index.tolist() == samples["sample"].tolist() == kept


def test_unlabelled_row_of_form_c(read_study):
    text = SAMPLES_BY_GENES.replace("NA,B", "NA,")
    settings = ROWS | {"label_column": "tissue"}
    with pytest.raises(InputError, match=r"1 samples have no label in column 'tissue', e.g. 's2'"):
        read_study(text, settings=settings)
    matrix, samples = read_study(text, settings=settings | {"unlabelled": "drop"})
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s3"]
    np.testing.assert_array_equal(matrix.to_numpy(), [[1, 4], [3, 6]])


def test_no_label_at_all_is_an_error_even_if_dropped(read_study):
    with pytest.raises(InputError, match="no sample has a label in column 'label'"):
        read_study(GENES_BY_SAMPLES, "sample,label\ns1,\ns2,\ns3,\n", GENES | {"unlabelled": "drop"})


@pytest.mark.parametrize("unlabelled", ["error", "drop"])
def test_wrong_orientation_is_recognised(read_study, unlabelled):
    with pytest.raises(InputError, match=r"no sample id in common, e.g. 'g1' and 's3'; check `orientation`"):
        read_study(GENES_BY_SAMPLES, SAMPLES, ROWS | {"unlabelled": unlabelled})


# mistakes


@pytest.mark.parametrize(
    ("expression", "samples", "settings", "expected"),
    [
        (
            GENES_BY_SAMPLES.replace("6", "x6"),
            SAMPLES,
            GENES,
            "e.csv: row 'g2', column 's3': found 'x6', expected a finite",
        ),
        (GENES_BY_SAMPLES, SAMPLES + "s1,B\n", GENES, "s.csv: sample 's1' has more than one row"),
        (GENES_BY_SAMPLES, SAMPLES.replace("label", "Label"), GENES, "s.csv: no column 'label'; found: sample, Label"),
        (GENES_BY_SAMPLES, SAMPLES, GENES | {"columns": {"group": "patient"}}, "s.csv: no column 'patient'"),
        (SAMPLES_BY_GENES, None, ROWS | {"label_column": "Tissue"}, "no column 'Tissue'; found: id, g1, g2, tissue"),
        (SAMPLES_BY_GENES, None, ROWS | {"label_column": 9}, "no column number 9; the table has 4 columns"),
        (SAMPLES_BY_GENES, None, ROWS | {"label_column": 0}, "label_column: 'id' is the first column, which holds the"),
        ("id,tissue\ns1,A\n", None, ROWS | {"label_column": "tissue"}, "no column of values beside ids and labels"),
        ("id,g1,batch,y\ns1,1,b1,A\n", None, ROWS | {"label_column": "y"}, "row 's1', column 'batch': found 'b1'"),
    ],
)
def test_mistake_is_explained(read_study, expression, samples, settings, expected):
    with pytest.raises(InputError) as caught:
        read_study(expression, samples, settings)
    assert expected in str(caught.value)


def test_repeated_ids_are_left_to_the_cleaning(read_study):
    matrix, samples = read_study("gene,s1,s1,s2\ng1,1,2,3\ng1,4,5,6\n", "sample,label\ns1,A\ns2,B\n")
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s1", "s2"]
    assert samples["label"].tolist() == ["A", "A", "B"]
    assert matrix.columns.tolist() == ["g1", "g1"]
    assert matrix.to_numpy().tolist() == [[1, 4], [2, 5], [3, 6]]
