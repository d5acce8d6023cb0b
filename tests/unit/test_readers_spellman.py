"""The reader of Spellman's series and phases, on small files of the same form."""

import zipfile

import numpy as np
import pytest

from genestrata.errors import InputError
from genestrata.readers.spellman import ALL_SERIES, ARCHIVE, MEMBER, PHASES, read, read_phases

SERIES = (
    "row.names\tcln3-1\tclb2-2\talpha0\talpha7\tcdc15_10\tcdc15_30\tcdc28_0\telu0\telu30\n"
    "YAL001C\t9\t9\t-0.15\tNA\t0.09\t-1\t0\t1.5\t2\n"
    "YAL002W\t9\t9\t1\t2\t3\t4\t5\t6\t7\n"
    "YAL003W\tNA\tNA\t8\t9\t10\t11\t12\t13\t14\n"
)
COLUMNS = ["alpha_0", "alpha_7", "cdc15_10", "cdc15_30", "cdc28_0", "elu_0", "elu_30"]
ONE_SERIES = "time,40,50,260\nYAL001C,-0.07,,0.15\nYAL002W,0.2,0.3,0.4\nYAL003W,1,2,3\n"
TITLE = '"Drawn from ""YPD"" and SGD.  For non-commercial use only."\t\t\t\t\t\n\t\t\t\t\t\r\n\t\tnumber\t\tName\t\n'
HEADER = "Process\tPeak\tPhase Order\tORF\tYPD \tYPD\n"
# The gene of the last row stands under its name in the next column only.
GENES = "cycle\tG2/M\t778\tYAL003W\tEFB1\tYPD\nunknown\tM/G1\t3\tYAR071W\tPHO11\tYPD\nDNA\tG1\t212\t\tYAL001C\tYPD\n"


@pytest.fixture
def write(tmp_path):
    """Write files by name, text or bytes; returns name to path as a study lists them."""

    def write_files(contents):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return {name: str(tmp_path / name) for name in contents}

    return write_files


@pytest.fixture
def archive(tmp_path):
    """Bytes of a zip file with one member."""

    def pack(content, member=MEMBER):
        with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(member, content)
        return (tmp_path / "packed.zip").read_bytes()

    return pack


def test_four_series_are_read_and_the_other_hybridisations_left_out(write):
    matrix, samples = read(write({PHASES: TITLE + HEADER + GENES, ALL_SERIES: SERIES}), {})
    assert matrix.index.tolist() == samples["sample"].tolist() == ["YAL001C", "YAL002W", "YAL003W"]
    assert matrix.columns.tolist() == COLUMNS
    expected = [[-0.15, np.nan, 0.09, -1, 0, 1.5, 2], [1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14]]
    np.testing.assert_array_equal(matrix.to_numpy(), expected)
    assert matrix.to_numpy().dtype == np.float64


def test_labels_go_with_their_gene_and_a_gene_without_a_phase_has_none(write):
    _, samples = read(write({PHASES: TITLE + HEADER + GENES, ALL_SERIES: SERIES}), {})
    assert samples["label"].tolist() == ["G1", "", "G2/M"]
    assert list(samples.columns) == ["sample", "label", "group", "split"]
    assert (samples[["group", "split"]] == "").all(axis=None)


@pytest.mark.parametrize("form", ["archive", "csv"])
@pytest.mark.parametrize("content", [ONE_SERIES, "\ufeff" + ONE_SERIES.replace("\n", "\r\n")])
def test_one_series_is_cdc15_packed_or_not(write, archive, form, content):
    file = {ARCHIVE: archive(content)} if form == "archive" else {MEMBER: content}
    matrix, samples = read(write({PHASES: TITLE + HEADER + GENES} | file), {})
    assert matrix.columns.tolist() == ["cdc15_40", "cdc15_50", "cdc15_260"]
    assert matrix.index.tolist() == ["YAL001C", "YAL002W", "YAL003W"]
    np.testing.assert_array_equal(matrix.to_numpy(), [[-0.07, np.nan, 0.15], [0.2, 0.3, 0.4], [1, 2, 3]])
    assert samples["label"].tolist() == ["G1", "", "G2/M"]


def test_columns_of_the_one_series_that_are_no_times_are_left_out(write):
    content = "time,name,40,note 2,50\nYAL001C,TFC3,1,x,2\n"
    matrix, _ = read(write({PHASES: TITLE + HEADER + GENES, MEMBER: content}), {})
    assert matrix.columns.tolist() == ["cdc15_40", "cdc15_50"]
    assert matrix.to_numpy().tolist() == [[1, 2]]


def test_repeated_gene_of_the_series_is_left_to_the_cleaning(write):
    series = SERIES.replace("YAL002W", "YAL001C")
    matrix, samples = read(write({PHASES: TITLE + HEADER + GENES, ALL_SERIES: series}), {})
    assert matrix.index.tolist() == samples["sample"].tolist() == ["YAL001C", "YAL001C", "YAL003W"]
    assert samples["label"].tolist() == ["G1", "G1", "G2/M"]
    assert matrix["alpha_0"].tolist() == [-0.15, 1, 8]


# phases


def test_phases_of_all_genes_whatever_stands_above_the_header(write):
    expected = {"YAL003W": "G2/M", "YAR071W": "M/G1", "YAL001C": "G1"}
    for text in (TITLE + HEADER + GENES, HEADER + GENES, TITLE + HEADER + "\t\t\t\t\t\n" + GENES + "\n \t\t\t\t\t\n"):
        assert read_phases(write({PHASES: text})[PHASES]) == expected


def test_columns_of_phases_are_found_by_their_names(write):
    text = "ORF\tYPD\tPhase\tPeak\nYAL003W\tEFB1\t0.8\t S/G2 \n \tYAL001C\t0.1\tG1\n"
    assert read_phases(write({PHASES: text})[PHASES]) == {"YAL003W": "S/G2", "YAL001C": "G1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TITLE + GENES, "no header line with the columns Peak and ORF"),
        (TITLE + HEADER.replace("Peak", "Phase") + GENES, "no header line with the columns Peak and ORF"),
        (TITLE + HEADER.replace("ORF", "orf") + GENES, "no header line with the columns Peak and ORF"),
        (TITLE + HEADER + GENES.replace("M/G1", " "), "line 6: no gene or no phase"),
        (TITLE + HEADER + GENES.replace("YAL001C", ""), "line 7: no gene or no phase"),
        (TITLE + HEADER + GENES.replace("YAR071W", "YAL003W"), "line 6: gene 'YAL003W' occurs twice"),
        (TITLE + HEADER + GENES.replace("YAR071W", "YAL001C"), "line 7: gene 'YAL001C' occurs twice"),
        ("", "the file is empty"),
    ],
)
def test_mistake_in_the_phases_is_explained(write, text, expected):
    path = write({PHASES: text})[PHASES]
    with pytest.raises(InputError) as caught:
        read_phases(path)
    assert str(caught.value) == f"{path}: {expected}"


# mistakes


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (ALL_SERIES, "row.names\tcln3-1\tcdc15_\txelu0\telu0b\nYAL001C\t1\t2\t3\t4\n", "found: cln3-1, cdc15_, xelu0"),
        (MEMBER, "gene,alpha_7,a40\nYAL001C,1,2\n", "no column of a time series; found: alpha_7, a40"),
        (
            ALL_SERIES,
            SERIES.replace("-0.15", "high"),
            "row 'YAL001C', column 'alpha0': found 'high', expected a finite",
        ),
        (MEMBER, ONE_SERIES.replace("0.3", "-"), "row 'YAL002W', column '50': found '-', expected a finite number"),
        (ALL_SERIES, SERIES + "YAL004W\t1\n", "line 5 has 2 cells, the header has 10"),
    ],
)
def test_mistake_in_the_series_is_explained(write, name, content, expected):
    files = write({PHASES: TITLE + HEADER + GENES, name: content})
    with pytest.raises(InputError) as caught:
        read(files, {})
    assert str(caught.value).startswith(f"{files[name]}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("damage", ["no zip", "truncated", "another member", "no text"])
def test_damaged_archive_is_named(write, archive, damage):
    content = {
        "no zip": b"<html>404</html>",
        "truncated": archive(ONE_SERIES)[:-30],
        "another member": archive(ONE_SERIES, "folder/Spellman.csv"),
        "no text": archive(b"time,40\nM\xfcller,1\n"),
    }[damage]
    files = write({PHASES: TITLE + HEADER + GENES, ARCHIVE: content})
    with pytest.raises(InputError) as caught:
        read(files, {})
    assert str(caught.value).startswith(f"{files[ARCHIVE]}: not a zip file that holds {MEMBER}: ")


def test_absent_archive_and_mistake_within_one_are_named(write, archive, tmp_path):
    files = write({PHASES: TITLE + HEADER + GENES})
    with pytest.raises(InputError, match=r"dataset\.zip: not a zip file that holds Spellman\.csv: .*No such file"):
        read(files | {ARCHIVE: str(tmp_path / ARCHIVE)}, {})
    files |= write({ARCHIVE: archive(ONE_SERIES + "YAL004W,1\n")})
    with pytest.raises(InputError, match=r"dataset\.zip/Spellman\.csv: line 5 has 2 cells, the header has 4"):
        read(files, {})
