"""The table of class probabilities."""

import numpy as np
import pandas as pd

from genestrata.predictions import class_names, codes, prediction_table, probabilities


def test_table_keeps_classes_probabilities_and_the_call():
    values = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    table = prediction_table("r0", "2", "cnn", [None, 1], ["s1", "s2"], ["b", "p_a"], values, ["a", "b", "p_a"])
    assert list(table.columns) == [
        *("repeat", "fold", "model", "inner_fold", "sample", "true", "predicted"),
        *("p_a", "p_b", "p_p_a"),
    ]
    assert table["predicted"].tolist() == ["b", "a"]
    assert table["inner_fold"].isna().tolist() == [True, False]
    assert class_names(table) == ["a", "b", "p_a"]
    np.testing.assert_array_equal(probabilities(table), values)
    np.testing.assert_array_equal(codes(table["true"], class_names(table)), [1, 2])


def test_table_of_no_rows_has_the_columns():
    table = prediction_table("r0", "0", "cnn", [], [], [], np.zeros((0, 2)), ["a", "b"])
    assert len(table) == 0
    assert class_names(table) == ["a", "b"]


def test_codes_follow_the_classes_given_not_the_labels_present():
    assert codes(pd.Series(["c", "a"]), ["a", "b", "c"]).tolist() == [2, 0]
