"""A user's own table of sequences: form D and others, columns by name or number, and mistakes."""

import gzip

import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.readers.sequence_table import read

TABLE = "sample,label,sequence\ns2,A,ACGT\ns1,1,GGNN\n"
SPLICE = "EI, ATRINS-DONOR-521,               CCAGCTGCAT\nN,  X-NEG-1,  ACDNSR\nEI,ATRINS-DONOR-905,AGACCC\n"
SPLICE_SETTINGS = {"separator": ",", "header": False, "columns": {"label": 0, "sample": 1, "sequence": 2}}


@pytest.fixture
def read_content(tmp_path):
    """Write this content and read it with these settings."""

    def write_and_read(content, name="t.csv", **settings):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read({"sequences": str(path)}, settings)

    return write_and_read


def message(read_content, *arguments, **settings):
    """The one line that reading this content ends with, without the path."""
    with pytest.raises(InputError) as caught:
        read_content(*arguments, **settings)
    text = str(caught.value)
    assert "\n" not in text
    return text.split(": ", 1)[1]


def rows(table, *columns):
    """Rows as tuples of these columns."""
    return list(table[list(columns)].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("t.csv", TABLE, {}),
        ("t.csv", TABLE.replace("\n", "\r\n").rstrip(), {}),
        ("t.csv", TABLE.lower().replace("a,", "A,").replace(",sequence", ", sequence "), {}),
        ("t.tsv", TABLE.replace(",", "\t"), {}),
        ("t.txt", TABLE.replace(",", ";"), {"separator": ";"}),
        ("t.csv", gzip.compress(TABLE.encode()), {}),
        ("t.csv", "x,s,l,q\n0,s2,A,AC-GT\n0,s1,1,GGNN\n", {"columns": {"sample": "s", "label": "l", "sequence": 3}}),
        (
            "t.csv",
            "\n".join(TABLE.splitlines()[1:]),
            SPLICE_SETTINGS | {"columns": {"sample": 0, "label": 1, "sequence": 2}},
        ),
    ],
)
def test_the_same_table_in_every_disguise(read_content, name, content, settings):
    table = read_content(content, name, **settings)
    assert rows(table, "sample", "label", "sequence") == [("s2", "A", "ACGT"), ("s1", "1", "GGNN")]
    assert table.columns.tolist() == ["sample", "sequence", "label", "group", "split"]
    assert set(map(str, table.dtypes)) == {"object"}


def test_form_d_without_a_header_line_keeps_the_first_row(read_content):
    table = read_content(SPLICE, "splice.data", **SPLICE_SETTINGS)
    assert rows(table, "sample", "label", "sequence") == [
        ("ATRINS-DONOR-521", "EI", "CCAGCTGCAT"),
        ("X-NEG-1", "N", "ACDNSR"),
        ("ATRINS-DONOR-905", "EI", "AGACCC"),
    ]
    assert table.attrs["letters"] == {"lower_case": 0, "uracil": 0, "gap": 0, "ambiguous": 4}


def test_without_sample_column_ids_come_from_the_label(read_content):
    table = read_content("sequence,label\nAC,p\nAG,n\nAT,p\n")
    assert table["sample"].tolist() == ["p_1", "n_1", "p_2"]


def test_repeated_and_empty_ids_become_unique(read_content):
    table = read_content("sample,label,sequence\nx,p,AC\nx,n,AG\n,n,AT\n")
    assert table["sample"].tolist() == ["x", "x_2", "n_2"]


def test_group_and_split_where_the_table_has_them_or_names_them(read_content):
    content = "sample,label,sequence,split,organism\na,p,AC,train,k\nb,n,AG,test,\n"
    table = read_content(content, columns={"group": "organism"})
    assert rows(table, "group", "split") == [("k", "train"), ("", "test")]
    assert set(read_content(content)["group"]) == {""}


def test_parquet_keeps_labels_as_written(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"label": [1, None, 0], "sequence": ["ac", "GG", "TT"]}).astype({"label": "Int64"}).to_parquet(path)
    table = read({"sequences": str(path)}, {"unlabelled": "predict"})
    assert rows(table, "sample", "label", "sequence") == [
        ("1_1", "1", "AC"),
        ("unlabelled_1", "", "GG"),
        ("0_1", "0", "TT"),
    ]


@pytest.mark.parametrize("rule", ["error", "drop", "predict"])
def test_rows_without_a_label(read_content, rule):
    content = "sample,kind,sequence\na,p,AC\nb,,AG\n"
    settings = {"columns": {"label": "kind"}, "unlabelled": rule}
    if rule == "error":
        assert message(read_content, content, **settings).startswith(
            "1 samples have no label in column 'kind', e.g. 'b'"
        )
        return
    table = read_content(content, **settings)
    assert table["sample"].tolist() == (["a"] if rule == "drop" else ["a", "b"])
    assert table.attrs["unlabelled"] == (["b"] if rule == "drop" else [])


@pytest.mark.parametrize(
    ("content", "settings", "expected"),
    [
        ("", {}, "the file is empty"),
        ("label,sequence\n", {}, "a header line without rows below it"),
        ("label,sequence\np,AC\n\nn,AEC\n", {}, "line 4: the sequence has 'E', which DNA in IUPAC code has not"),
        ("p,AC\nn,A!C\n", {"header": False, "columns": {"label": 0, "sequence": 1}}, "line 2: the sequence has '!'"),
        ("label,sequence\np,\n", {}, "line 2: the sequence has no letters"),
        ("label,sequence\np,--\n", {}, "line 2: the sequence has no letters"),
        (
            "label,sequence\np,MKVEFILPQ\n",
            {},
            "line 2: the sequence looks like protein (it has 'E', 'F', 'I', 'L', 'P'",
        ),
        ("label,dna\np,AC\n", {}, "no column 'sequence'; found: label, dna; set `columns`, or `header: false` if"),
        ("label,sequence\np,AC\n", {"columns": {"label": 2}}, "no column number 2; the table has 2 columns"),
        ("label,sequence\np,AC,x\n", {}, "line 2 has 3 cells, the header has 2"),
        ("p,AC\np,AC,x\n", {"header": False}, "line 2 has 3 cells, the first line has 2"),
        ("p,AC\n", {"header": False}, "no column 'sequence'; found: 0, 1; set `columns`"),
        ("label,sequence,sequence\np,AC,AC\n", {}, "column 'sequence' occurs 2 times"),
    ],
)
def test_mistakes_are_explained_with_their_line(read_content, content, settings, expected):
    assert message(read_content, content, **settings).startswith(expected)


def test_a_sequence_taken_for_a_column_name_does_not_flood_the_message(read_content):
    text = message(read_content, f"p,{'ACGT' * 1000}\nn,ACGT\n")
    assert "`header: false` if the first line is data" in text
    assert len(text) < 300


def test_bad_letter_in_parquet_is_named_by_its_row(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"label": ["p", "n"], "sequence": ["AC", "A?C"]}).to_parquet(path)
    with pytest.raises(InputError, match=r"t.parquet: row 2: the sequence has '\?'"):
        read({"sequences": str(path)}, {})
