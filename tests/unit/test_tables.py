"""Reading the tables that rules exchange with the column types that they need."""

from types import SimpleNamespace

import pandas as pd
import pytest

from genestrata.files import write_table
from genestrata.tables import TrainingTables, read_all, read_samples, read_splits, read_tuning


def test_samples_are_text_and_missing_cells_empty(tmp_path):
    samples = pd.DataFrame(
        {"sample": ["001", "2"], "label": ["1", "NA"], "group": ["", ""], "split": ["train", ""]}, dtype=object
    )
    write_table(samples, tmp_path / "samples.tsv")
    back = read_samples(tmp_path / "samples.tsv")
    assert back.to_dict("list") == samples.to_dict("list")


def test_splits_are_text(tmp_path):
    splits = pd.DataFrame(
        {"repeat": ["r0"], "fold": ["0"], "inner_fold": [""], "sample": ["01"], "role": ["test"]}, dtype=object
    )
    write_table(splits, tmp_path / "splits.tsv")
    assert read_splits(tmp_path / "splits.tsv").to_dict("list") == splits.to_dict("list")


def test_fold_of_a_tuning_table_is_text_and_the_rest_numbers(tmp_path):
    write_table(pd.DataFrame({"fold": ["0", "1"], "score": [0.5, 0.75]}), tmp_path / "tuning.tsv")
    back = read_tuning(tmp_path / "tuning.tsv")
    assert back["fold"].tolist() == ["0", "1"]
    assert back["score"].tolist() == [0.5, 0.75]


@pytest.mark.parametrize("suffix", [".tsv", ".parquet"])
def test_tables_of_several_jobs_are_joined_with_where_they_came_from(tmp_path, suffix):
    paths = []
    for number in range(2):
        paths.append(str(tmp_path / f"{number}{suffix}"))
        write_table(pd.DataFrame({"fold": ["0", "final"], "score": [number, number]}), paths[-1])
    table = read_all(paths, model=["a", "b"], repeat=["r0", "r1"])
    assert table["fold"].tolist() == ["0", "final"] * 2
    assert table["score"].tolist() == [0, 0, 1, 1]
    assert table["model"].tolist() == ["a", "a", "b", "b"]
    assert table["repeat"].tolist() == ["r0", "r0", "r1", "r1"]
    assert table.index.tolist() == [0, 1, 2, 3]


def training_tables():
    epochs = pd.DataFrame({"fold": ["0", "0"], "inner_fold": pd.array([0, None], dtype="Int16"), "epoch": [1, 1]})
    table = pd.DataFrame({"fold": ["0"], "value": [0.5]})
    return TrainingTables(table, table.assign(value=0.25), table.assign(value=0.75), epochs)


def test_each_declared_table_is_written_under_its_own_name(tmp_path):
    outputs = SimpleNamespace(**{name: tmp_path / f"{name}.tsv" for name in ("predictions", "tuning", "history")})
    training_tables().write(outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.tsv", "predictions.tsv", "tuning.tsv"]
    values = {name: read_tuning(path)["value"].tolist() for name, path in vars(outputs).items()}
    assert values == {"predictions": [0.5], "tuning": [0.25], "history": [0.75]}


def test_epochs_are_written_where_a_rule_declares_them(tmp_path):
    training_tables().write(SimpleNamespace(epochs=tmp_path / "epochs.tsv"))
    back = read_all([str(tmp_path / "epochs.tsv")])
    assert back["fold"].tolist() == ["0", "0"]
    assert back["inner_fold"].isna().tolist() == [False, True]
