"""Samples that choose gene sets and samples that are clustered on them."""

import logging

import numpy as np
import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.parts import Part, class_parts, columns_of_sets, fold_parts, parts_table, read_parts
from genestrata.splitting import Fold

LABELS = np.array([label for label in "ABCDE" for _ in range(3)], dtype=object)


def test_folds_are_parts_if_their_test_rows_are_enough_to_cluster():
    labels = np.array(list("AAABBB" + "AAAAAA" + "AB"), dtype=object)
    rows = np.arange(14)
    folds = [
        Fold("r0", name, np.setdiff1d(rows, test), test, [])
        for name, test in (("0", rows[:6]), ("1", rows[6:12]), ("2", rows[12:]))
    ]
    # Fold 1 holds one class only, fold 2 too few samples.
    (part,) = fold_parts(folds, labels)
    assert (part.name, part.fitted.tolist(), part.clustered.tolist()) == ("0", list(range(6, 14)), list(range(6)))


def test_each_class_is_held_out_once_and_then_never_among_the_fitted():
    parts = class_parts(LABELS, 2, 1)
    held_out = [set(LABELS[part.clustered]) for part in parts]
    assert sorted(map(len, held_out)) == [2, 3] and set.union(*held_out) == set("ABCDE")
    for part in parts:
        assert not set(LABELS[part.fitted]) & set(LABELS[part.clustered])
        assert sorted([*part.fitted, *part.clustered]) == list(range(15))
    assert len({tuple(sorted(set(LABELS[class_parts(LABELS, 2, seed)[0].clustered]))) for seed in range(9)}) > 1


def test_too_few_classes_for_the_parts_are_refused():
    with pytest.raises(InputError, match=r"held_out_classes: found 3, expected at most 2: .* the 5 classes"):
        class_parts(LABELS, 3, 1)


def test_parts_are_read_as_they_were_written():
    samples = np.array([f"s{number:02d}" for number in range(15)], dtype=object)
    parts = class_parts(LABELS, 2, 1)
    table = parts_table(parts, samples)
    assert list(table) == ["part", "sample", "role"] and table["role"].value_counts().to_dict() == {
        "train": 15,
        "test": 15,
    }
    for before, after in zip(
        parts, read_parts(table.sample(frac=1, random_state=0).sort_values("part"), samples), strict=True
    ):
        assert before.name == after.name
        np.testing.assert_array_equal(before.fitted, after.fitted)
        np.testing.assert_array_equal(before.clustered, after.clustered)
    assert read_parts(parts_table([], samples), samples) == []


def test_a_set_with_one_gene_in_a_part_is_left_out_with_a_warning(caplog):
    parts = [Part(name, np.arange(2), np.arange(2)) for name in "xy"]
    rows = [("x", "a", "g2"), ("x", "a", "g0"), ("y", "a", "g1"), ("y", "a", "g2")]
    rows += [("x", "b", "g0"), ("x", "b", "g1"), ("y", "b", "g1")]
    table = pd.DataFrame(rows, columns=["part", "set", "feature"])
    with caplog.at_level(logging.WARNING):
        sets = columns_of_sets(table, parts, np.array(["g0", "g1", "g2"], dtype=object))
    assert {name: [part.tolist() for part in columns] for name, columns in sets.items()} == {"a": [[2, 0], [1, 2]]}
    assert "set b is left out" in caplog.text and "part y" in caplog.text
