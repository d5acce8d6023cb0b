"""FPKM of a user's own study and of published files: what is read, dropped and refused."""

import numpy as np
import pytest

from genestrata.cleaning import clean
from genestrata.errors import InputError
from genestrata.readers.fpkm import read

EXPRESSION = "gene_id\ts1\ts2\ts3\ng1\t0\t2.5\t3\ng2\t1e-3\t0\t1.312e+05\ng3\t7\t8\t9\n"
SAMPLES = "sample_id\ttissue\treplicate\ns2\tleaf\t2\ns1\tleaf\t1\ns3\tsilk\t1\n"
COLUMNS = {"columns": {"sample": "sample_id", "label": "tissue", "group": "replicate"}}


@pytest.fixture
def read_study(tmp_path):
    """Write the files and read them."""

    def write_and_read(expression=EXPRESSION, samples=SAMPLES, unfinished=None, settings=COLUMNS):
        files = {"expression": expression, "samples": samples, "unfinished": unfinished}
        paths = {}
        for role, text in files.items():
            if text is not None:
                paths[role] = str(tmp_path / f"{role}.tsv")
                (tmp_path / f"{role}.tsv").write_text(text, encoding="utf-8")
        return read(paths, settings)

    return write_and_read


def test_samples_are_rows_with_the_tissue_as_label_and_the_replicate_as_group(read_study):
    matrix, samples = read_study()
    assert (matrix.index.tolist(), matrix.columns.tolist()) == (["s1", "s2", "s3"], ["g1", "g2", "g3"])
    np.testing.assert_array_equal(matrix.to_numpy(), [[0, 0.001, 7], [2.5, 0, 8], [3, 131200, 9]])
    assert samples["label"].tolist() == ["leaf", "leaf", "silk"]
    assert samples["group"].tolist() == ["1", "2", "1"]


def test_genes_that_were_not_finished_in_any_sample_are_dropped_and_listed(read_study):
    table = "gene_id\tsample_id\tfpkm_status\ng3\ts1\tFAIL\ng3\ts2\tHIDATA\nother\ts1\tFAIL\n"
    matrix, samples = read_study(unfinished=table)
    assert matrix.columns.tolist() == ["g1", "g2"]
    assert matrix.attrs["unfinished"] == ["g3"]
    assert len(samples) == 3


@pytest.mark.parametrize(
    ("table", "expected"), [("gene_id\nother\ng3\n", ["g3"]), ("gene_id\tsample_id\tfpkm_status\n", [])]
)
def test_list_of_unfinished_genes_may_have_one_column_or_no_rows(table, expected, read_study):
    matrix, _ = read_study(unfinished=table)
    assert matrix.attrs["unfinished"] == expected
    assert [name for name in ("g1", "g2", "g3") if name not in matrix.columns] == expected


def test_orientation_may_be_turned(read_study):
    matrix, _ = read_study(
        "id\tg1\tg2\ns1\t1\t2\ns2\t3\t4\ns3\t5\t6\n", settings=COLUMNS | {"orientation": "samples_by_genes"}
    )
    assert matrix.loc["s3"].to_dict() == {"g1": 5, "g2": 6}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"expression": EXPRESSION.replace("2.5", "-2.5")},
            "expression.tsv: gene 'g1', sample 's2': found -2.5 (1 such cells), FPKM is never negative",
        ),
        ({"expression": EXPRESSION.replace("2.5", "high")}, "row 'g1', column 's2': found 'high', expected a finite"),
        ({"samples": SAMPLES.replace("s3", "s9")}, "1 samples of "),
        ({"unfinished": "sample_id\tgene_id\ns1\tg3\n"}, "unfinished.tsv: none of its genes is in "),
        ({"settings": {"columns": {"label": "organ", "sample": "sample_id"}}}, "no column 'organ'; found: sample_id"),
    ],
)
def test_mistake_in_the_files_is_named_in_one_line(read_study, change, message):
    with pytest.raises(InputError) as caught:
        read_study(**change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_repeated_gene_is_left_to_the_cleaning(read_study, repository):
    matrix, samples = read_study(EXPRESSION.replace("g3", "g1"))
    settings = {"duplicate_samples": "error", "duplicate_features": "error"}
    with pytest.raises(InputError, match="gene id 'g1' occurs more than once"):
        clean(matrix, samples, settings, "fpkm")
