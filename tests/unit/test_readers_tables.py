"""Reading delimited text and Parquet: encodings, delimiters, damaged files, and messages that say where."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from genestrata.errors import InputError
from genestrata.readers.tables import column_name, read_cells, sample_frame, to_numbers

CSV = "id,a,b\nx,1,2\ny,3,4\n"
CELLS = [["x", "1", "2"], ["y", "3", "4"]]


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file and return its path."""

    def write_file(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def message(path, **options):
    """The message that reading this file ends with, without the path that it starts with."""
    with pytest.raises(InputError) as caught:
        read_cells(path, **options)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", CSV),
        ("t.CSV", CSV),
        ("t.tsv", CSV.replace(",", "\t")),
        ("t.txt", CSV.replace(",", "\t")),
        ("t.csv", CSV.replace("\n", "\r\n")),
        ("t.csv", CSV.replace("\n", "\r")),
        ("t.csv", CSV.rstrip("\n")),
        ("t.csv", "\n" + CSV.replace("\n", "\n\n") + " \n,,\n"),
        ("t.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("t.csv", " id , a,b \n x,1 , 2\ny ,3,4\n"),
        ("t.csv", 'id,"a",b\n"x",1,"2"\ny,3,4\n'),
        ("t.csv.gz", gzip.compress(CSV.encode())),
        ("t.csv", gzip.compress(CSV.encode())),
        ("t.csv.gz", CSV),
        ("t.csv.gz", gzip.compress(b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())),
    ],
)
def test_the_same_table_in_every_disguise(write, name, content):
    cells = read_cells(write(content, name))
    assert cells.columns.tolist() == ["id", "a", "b"]
    assert cells.to_numpy().tolist() == CELLS


def test_separator_given_wins_over_the_extension(write):
    assert read_cells(write(CSV.replace(",", ";")), separator=";").to_numpy().tolist() == CELLS


def test_cells_are_text_as_written(write):
    cells = read_cells(write('id,a\n1,NA\n01,"x, ""y"""\n1.0,\n'))
    assert cells.to_numpy().tolist() == [["1", "NA"], ["01", 'x, "y"'], ["1.0", ""]]


def test_repeated_column_names_are_kept(write):
    assert read_cells(write("id,call,call\nx,A,P\n")).columns.tolist() == ["id", "call", "call"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\t\r\n", "the file is empty"),
        (b"\xef\xbb\xbf,\n,\n", "every line is blank"),
        (gzip.compress(b""), "the file is empty"),
        (b"PK\x03\x04\x00\x00junk\x00", "binary content, expected delimited text"),
        (b"id,a\nx,\xe4\n", "byte 7 is not UTF-8 text; save the file as UTF-8"),
        (b"id,a\n", "a header line without rows below it"),
        (b"id\ta\nx\t1\n", "one column only when separated by ','; set `separator` in the study file"),
        (b"id,a,b\nx,1,2\ny,3\n", "line 3 has 2 cells, the header has 3"),
        (b"id,a,b\n\nx,1,2,3\n", "line 3 has 4 cells, the header has 3"),
        (b"a,b\nx,1,2\n", "line 2 has 3 cells, the header has 2"),
        (b'id,a\nx,1\ny,"2\nz,3\n', "not a table separated by ',': unexpected end of data; check its quotes"),
    ],
)
def test_damaged_text_is_explained(write, content, expected):
    assert expected in message(write(content))


def test_missing_file_and_folder_are_named(tmp_path):
    assert message(tmp_path / "absent.csv") == "no such file"
    assert message(tmp_path / "absent.parquet") == "no such file"
    assert "cannot be read" in message(tmp_path)


def test_truncated_gzip_is_found_wherever_it_is_cut(write):
    whole = gzip.compress(CSV.encode() * 20)
    for size in (2, 5, 10, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        assert message(write(whole[:size], "t.csv.gz")).startswith("damaged or truncated gzip file")


def test_damaged_gzip_content_is_found(write):
    whole = bytearray(gzip.compress(CSV.encode() * 20))
    whole[-6] ^= 0xFF  # the checksum
    assert message(write(bytes(whole), "t.csv.gz")).startswith("damaged or truncated gzip file")


# Parquet


def test_parquet_keeps_whole_numbers_whole_and_missing_cells_missing(tmp_path):
    table = pa.table({"id": ["x", "y"], "label": [1, None], "g": [0.5, None]})
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    cells = read_cells(tmp_path / "t.parquet")
    assert str(cells["label"][0]) == "1"
    assert cells.isna().to_numpy().tolist() == [[False, False, False], [False, True, True]]


@pytest.mark.parametrize("name", ["t.parquet", "t.PARQUET"])
def test_index_of_a_parquet_file_is_its_first_column(tmp_path, name):
    pd.DataFrame({"g": [1.0, 2.0]}, index=pd.Index(["x", "y"], name="sample")).to_parquet(tmp_path / name)
    cells = read_cells(tmp_path / name)
    assert cells.columns.tolist() == ["sample", "g"]
    assert cells["sample"].tolist() == ["x", "y"]


def test_damaged_and_empty_parquet_are_explained(tmp_path, write):
    assert message(write(b"PAR1 junk", "t.parquet")).startswith("not a readable Parquet file")
    assert message(write(b"", "t.parquet")).startswith("not a readable Parquet file")
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "none.parquet")
    assert message(tmp_path / "none.parquet") == "no rows or no columns"


@pytest.mark.parametrize(("value", "shown"), [(np.inf, "'inf'"), (-np.inf, "'-inf'")])
def test_infinity_in_parquet_is_refused_and_nan_is_missing(tmp_path, value, shown):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table({"id": ["x", "y"], "g": [np.nan, value]}), path)
    cells = read_cells(path).set_index("id")
    with pytest.raises(InputError, match=f"row 'y', column 'g': found {shown}, expected a finite number"):
        to_numbers(cells, path)
    assert np.isnan(to_numbers(cells.iloc[:1], path)).all()


# columns and numbers


def test_columns_by_name_and_number():
    table = pd.DataFrame([["x", "1", "2"]], columns=["id", "0", "b"])
    assert column_name(table, "b", "t.csv") == "b"
    assert column_name(table, 2, "t.csv") == "b"
    assert column_name(table, 0, "t.csv") == "id"
    assert column_name(table, "0", "t.csv") == "0"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("B", "t.csv: no column 'B'; found: a, b, b"),
        ("b", "t.csv: column 'b' occurs 2 times"),
        (2, "t.csv: column 'b' occurs 2 times"),
        (3, "t.csv: no column number 3; the table has 3 columns, numbered from 0"),
        (-1, "t.csv: no column number -1; the table has 3 columns, numbered from 0"),
    ],
)
def test_absent_or_ambiguous_column_is_explained(column, expected):
    with pytest.raises(InputError) as caught:
        column_name(pd.DataFrame([["1", "2", "3"]], columns=["a", "b", "b"]), column, "t.csv")
    assert str(caught.value) == expected


def test_long_list_of_columns_is_cut():
    with pytest.raises(InputError, match=r"c0, c1, .*c11, … \(30 in all\)$"):
        column_name(pd.DataFrame(columns=[f"c{number}" for number in range(30)]), "x", "t.csv")


def test_numbers_and_every_spelling_of_missing():
    spellings = ["", "NA", "NaN", "nan", "N/A", "NULL", "null", "."]
    table = pd.DataFrame({"a": ["-1.5e2", *spellings], "b": ["7", *["+3"] * len(spellings)]})
    numbers = to_numbers(table, "t.csv")
    assert numbers.dtype == np.float64
    assert numbers[0].tolist() == [-150.0, 7.0]
    assert np.isnan(numbers[1:, 0]).all()
    assert (numbers[1:, 1] == 3).all()


@pytest.mark.parametrize("cell", ["abc", "1,5", "inf", "-Infinity", "1e999", "0x1F", "1_000", "<1", "True"])
def test_cell_that_is_no_finite_number_is_named(cell):
    table = pd.DataFrame({"s1": ["1", "2"], "s2": ["3", cell]}, index=["g1", "g2"])
    with pytest.raises(InputError) as caught:
        to_numbers(table, "t.csv")
    assert str(caught.value) == f"t.csv: row 'g2', column 's2': found '{cell}', expected a finite number"


def test_missing_cells_of_a_table_of_numbers_are_not_looked_at_one_by_one(monkeypatch):
    values = np.arange(12.0).reshape(4, 3)
    values[1:, 1] = np.nan
    tables = [pd.DataFrame(values), pd.DataFrame(values).astype(object), pd.DataFrame(values, dtype="Float64")]
    tables += [table.assign(text=["1", "NA", "", "."]) for table in tables]
    monkeypatch.setattr(pd.DataFrame, "iat", property(lambda _: pytest.fail("a single cell was read")))
    for table in tables:
        np.testing.assert_array_equal(to_numbers(table, "t.csv")[:, :3], values)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"a": ["x", "1"], "b": [np.nan, np.inf], "c": [None, "y"]}, "row 'g1', column 'a': found 'x'"),
        ({"a": [np.nan, -np.inf], "b": ["x", "1"], "c": ["", "2"]}, "row 'g2', column 'a': found '-inf'"),
        ({"a": [np.nan, 1.0], "b": ["", None], "c": ["NA", "y"]}, "row 'g2', column 'c': found 'y'"),
    ],
)
def test_first_wrong_cell_column_by_column_is_named_among_numbers_and_text(columns, expected):
    with pytest.raises(InputError) as caught:
        to_numbers(pd.DataFrame(columns, index=["g1", "g2"]), "t.csv")
    assert str(caught.value) == f"t.csv: {expected}, expected a finite number"


def test_table_without_values_is_explained():
    with pytest.raises(InputError, match=r"^t.csv: no column of values"):
        to_numbers(pd.DataFrame(index=["x"]), "t.csv")


def test_sample_frame_has_every_column():
    frame = sample_frame(["s1"], ["A"], split=["train"])
    assert frame.to_dict("list") == {"sample": ["s1"], "label": ["A"], "group": [""], "split": ["train"]}
