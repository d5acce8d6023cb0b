"""FASTA: a file per class, one file with labels in its headers, every disguise of one file, and mistakes."""

import gzip

import pytest

from genestrata.errors import InputError
from genestrata.readers.fasta import label_of_file, read

PLAIN = ">a first gene\nACGT\nAC\n>b\nGGNN\n"
RECORDS = [("a", "ACGTAC"), ("b", "GGNN")]


@pytest.fixture
def read_files(tmp_path):
    """Write contents by name and read them with these settings; files are handed over by the names."""

    def write_and_read(contents, **settings):
        files = {}
        for name, content in contents.items():
            path = tmp_path / f"{name}.text"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            files[name] = str(path)
        return read(files, settings)

    return write_and_read


def message(read_files, content, name="x.fa", **settings):
    """The message that reading this content ends with, without the path."""
    with pytest.raises(InputError) as caught:
        read_files({name: content}, **settings)
    text = str(caught.value)
    assert "\n" not in text
    assert f"{name}.text: " in text
    return text.split(f"{name}.text: ")[1]


def rows(table, *columns):
    """Rows as tuples of these columns."""
    return list(table[list(columns)].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\n\n" + PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("AC\n", "A C \n").replace("GGNN", "G-G.NN"),
        ">a\nacgu\nac\n>b\nggnn",
        b"\xef\xbb\xbf" + PLAIN.encode(),
        gzip.compress(PLAIN.encode()),
        ">  a\tx\nACGTAC\n>b   \nGGNN\n",
    ],
)
def test_the_same_records_in_every_disguise(read_files, content):
    table = read_files({"x.fa": content})
    assert rows(table, "sample", "sequence") == RECORDS
    assert set(map(str, table.dtypes)) == {"object"}
    assert table.columns.tolist() == ["sample", "sequence", "label", "group", "split"]
    assert set(table["group"]) == set(table["split"]) == {""}


def test_a_file_per_class_keeps_the_order_and_joins_no_records(read_files):
    # The first file has no last newline: concatenated, its sequence would run into the next header.
    table = read_files({"beta-lactam.fsa": ">x\nAC", "colistin.fsa": ">y\nGG\n>z\nTT\n"})
    assert rows(table, "sample", "label", "sequence") == [
        ("x", "beta-lactam", "AC"),
        ("y", "colistin", "GG"),
        ("z", "colistin", "TT"),
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("beta-lactam.fsa", "beta-lactam"),
        ("p.fa", "p"),
        ("p.FASTA", "p"),
        ("p.fna.gz", "p"),
        ("p.ffn", "p"),
        ("promoter", "promoter"),
        ("sigma 7.0", "sigma 7.0"),
        ("v1.2.fasta", "v1.2"),
        ("1", "1"),
    ],
)
def test_label_is_the_name_without_an_extension_of_fasta(read_files, name, label):
    assert label_of_file(name) == label
    assert read_files({name: PLAIN})["label"].tolist() == [label, label]


def test_changed_letters_are_counted_over_all_files(read_files):
    table = read_files({"p.fa": ">a\nacGU-N\n", "q.fa": ">b\nA.RT\n"})
    assert table.attrs["letters"] == {"lower_case": 2, "uracil": 1, "gap": 2, "ambiguous": 2}


def test_empty_and_repeated_ids_become_unique_without_taking_a_given_one(read_files):
    content = ">\nAA\n>x\nAC\n>x\nAG\n>x_2\nAT\n>x\nCA\n> \nCC\n>p_1\nCG\n>x_2\nCT\n"
    names = read_files({"p.fa": content})["sample"].tolist()
    assert names == ["p_1_2", "x", "x_3", "x_2", "x_4", "p_6", "p_1", "x_2_2"]


def test_ids_repeated_in_another_file(read_files):
    table = read_files({"p.fa": ">x\nAC\n>\nAG\n", "q.fa": ">x\nAC\n>\nTT\n"})
    assert table["sample"].tolist() == ["x", "p_2", "x_2", "q_2"]


# labels in the headers

HEADERS = ">a [drug=beta-lactam]\nAC\n>b [drug= 1 ]\nGG\n>c none\nTT\n"
PATTERN = r"\[drug=([^\]]+)\]"


def test_label_by_pattern_from_the_whole_header(read_files):
    table = read_files({"fasta_file": HEADERS.replace("none", "[drug=x]")}, label_pattern=PATTERN)
    assert rows(table, "sample", "label") == [("a", "beta-lactam"), ("b", "1"), ("c", "x")]


def test_the_pattern_sees_the_id_and_no_sign_of_the_header(read_files):
    assert read_files({"fasta_file": ">tet_1\nAC\n"}, label_pattern=r"^([a-z]+)_")["label"].tolist() == ["tet"]


def test_header_without_a_match_is_unlabelled_and_the_study_says_what_then(read_files):
    text = message(read_files, HEADERS, "fasta_file", label_pattern=PATTERN)
    assert text.startswith("1 samples have no label by label_pattern, e.g. 'c'; label them or set `unlabelled: drop`")
    dropped = read_files({"fasta_file": HEADERS}, label_pattern=PATTERN, unlabelled="drop")
    assert dropped["sample"].tolist() == ["a", "b"]
    assert dropped.index.tolist() == [0, 1]
    assert dropped.attrs["unlabelled"] == ["c"]
    kept = read_files({"fasta_file": HEADERS}, label_pattern=PATTERN, unlabelled="predict")
    assert rows(kept, "sample", "label") == [("a", "beta-lactam"), ("b", "1"), ("c", "")]
    assert kept.attrs["unlabelled"] == []


def test_a_group_that_takes_no_part_in_the_match_is_no_label(read_files):
    table = read_files({"f": ">a p\nAC\n>b\nGG\n"}, label_pattern=r"^\w+(?: (p))?", unlabelled="predict")
    assert table["label"].tolist() == ["p", ""]


def test_record_without_id_and_label_has_a_name(read_files):
    table = read_files({"f": ">\nAC\n>b p\nGG\n"}, label_pattern=" (p)", unlabelled="predict")
    assert table["sample"].tolist() == ["unlabelled_1", "b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(", "label_pattern: '(' is not a regular expression (missing ), unterminated subpattern"),
        ("drug", "label_pattern: 'drug' has 0 groups, expected one"),
        ("(a)|(b)", "label_pattern: '(a)|(b)' has 2 groups, expected one"),
    ],
)
def test_bad_pattern(read_files, pattern, expected):
    assert message(read_files, HEADERS, label_pattern=pattern).startswith(expected)


# mistakes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (" \n\n", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (b"\xef\xbb\xbf", "no record; a FASTA record starts with a line '>id'"),
        ("ACGT\nACGT\n", "line 1: 'ACGT' stands before the first header; a FASTA record starts with a line '>id'"),
        ("\n; old comment\n>a\nAC\n", "line 2: '; old comment' stands before the first header"),
        (">a\nAC\n>b\n>c\nGG\n", "line 3: header '>b' has no sequence"),
        (">a\nAC\n>b text\n", "line 3: header '>b text' has no sequence"),
        (">a\n--\n\n>b\nAC\n", "line 1: header '>a' has no sequence"),
        (
            ">a\nACGTACGTACGT\n\nACGTXACGTACGT\n",
            "line 4: the sequence of '>a' has 'X', which DNA in IUPAC code has not",
        ),
        (">a\nACGT>b\nGGGG\n", "line 2: the sequence of '>a' has '>', which DNA"),
        (">a\nACGT\n>p\nMKV\nEFILPQRSTE\n", "line 5: the sequence of '>p' looks like protein (it has 'E', 'F'"),
        (b"PK\x03\x04\x00\x00", "binary content, expected FASTA (gzipped or not)"),
        (gzip.compress(PLAIN.encode() * 9)[:-9], "damaged or truncated gzip file"),
    ],
)
def test_mistakes_are_explained_with_their_line(read_files, content, expected):
    assert message(read_files, content).startswith(expected)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.fa: no such file"):
        read({"absent.fa": str(tmp_path / "absent.fa")}, {})
