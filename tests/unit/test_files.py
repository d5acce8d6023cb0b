"""Atomic writing, JSON without NaN, tables that read back as they were written."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from genestrata.cohort import Cohort, feature_names
from genestrata.files import atomic_path, json_ready, read_json, read_table, write_json, write_matrix, write_table


def test_atomic_path_writes_and_leaves_only_the_file(tmp_path):
    target = tmp_path / "new" / "out.tsv"
    with atomic_path(target) as temporary:
        assert (temporary.parent, temporary.suffix) == (target.parent, ".tsv")
        temporary.write_text("text")
        assert not target.exists()
    assert [path.name for path in target.parent.iterdir()] == ["out.tsv"]
    assert target.read_text() == "text"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_path_leaves_nothing_on_failure(tmp_path, error):
    with pytest.raises(error), atomic_path(tmp_path / "out.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_atomic_path_keeps_the_old_file_on_failure(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ValueError, match="stop"), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.txt", "old")]


def test_written_files_are_readable_by_those_the_umask_allows(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    with atomic_path(tmp_path / "atomic") as temporary:
        temporary.touch()
    assert (tmp_path / "atomic").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (np.float32("nan"), None),
        (np.float64("inf"), None),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        ((1, math.nan), [1, None]),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        ({"a": [{"b": np.inf}]}, {"a": [{"b": None}]}),
        ({1: "x"}, {"1": "x"}),
        (pd.Series([1.5, np.nan]), [1.5, None]),
    ],
)
def test_json_ready(value, expected):
    ready = json_ready(value)
    assert ready == expected
    assert type(ready) is type(expected)


def test_json_never_holds_nan_and_is_sorted(tmp_path):
    path = tmp_path / "x.json"
    write_json({"b": math.nan, "a": {"z": [np.inf, 1], "ä": np.float32(0.25)}}, path)

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse) == {
        "a": {"z": [None, 1], "ä": 0.25},
        "b": None,
    }
    assert path.read_text(encoding="utf-8").startswith('{\n  "a": {')
    assert "ä" in path.read_text(encoding="utf-8")
    assert read_json(path)["b"] is None


def test_json_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write_json({"a": object()}, tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


LABELS = ["1", "01", "NA", "None", "", "Hyperdip>50", "a/b c", "Müller", 'say "x"', "tab\tin"]


@pytest.mark.parametrize("suffix", [".tsv", ".parquet"])
def test_table_of_text_survives(tmp_path, suffix):
    table = pd.DataFrame({"label": LABELS, "value": np.arange(len(LABELS)) / 4})
    write_table(table, tmp_path / f"x{suffix}")
    options = {"dtype": {"label": str}} if suffix == ".tsv" else {}
    back = read_table(tmp_path / f"x{suffix}", **options)
    assert back["label"].fillna("").tolist() == LABELS
    assert back["value"].tolist() == table["value"].tolist()


def test_tsv_has_unix_line_ends_and_six_digits(tmp_path):
    write_table(pd.DataFrame({"a": [1 / 3, np.nan], "b": ["x", "y"]}), tmp_path / "x.tsv")
    assert (tmp_path / "x.tsv").read_bytes() == b"a\tb\n0.333333\tx\n\ty\n"


@pytest.mark.parametrize("name", ["x.tsv", "x.parquet", "x.json"])
def test_the_same_content_gives_the_same_bytes(tmp_path, name):
    contents = []
    for _ in range(2):
        if name.endswith("json"):
            write_json({"b": 1, "a": [0.1]}, tmp_path / name)
        else:
            write_table(pd.DataFrame({"a": [0.1, 0.2], "b": ["x", "y"]}), tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_matrix_is_read_back_as_it_was_with_its_gaps(tmp_path, make_samples):
    path = tmp_path / "features.parquet"
    matrix = pd.DataFrame([[1.5, np.nan], [-2.0, 3.0]], index=["s000", "s001"], columns=["g2", "g1"])
    write_matrix(matrix, path)
    first = path.read_bytes()
    write_matrix(matrix, path)
    assert path.read_bytes() == first
    table = pd.read_parquet(path)
    assert list(table) == ["sample", "g2", "g1"]
    assert table[["g2", "g1"]].dtypes.eq("float32").all()
    assert feature_names(path) == ["g2", "g1"]
    cohort = Cohort.read(path, make_samples(["A", "B"]))
    np.testing.assert_array_equal(cohort.values, matrix.to_numpy(dtype=np.float32))
    assert cohort.features.tolist() == ["g2", "g1"]
    assert table["sample"].tolist() == cohort.samples.tolist() == ["s000", "s001"]
