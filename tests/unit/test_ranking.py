"""Statistics and ranking of features on training parts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import f_classif

from genestrata.ranking import rank_folds, rank_part

NAMES = np.array(["a", "b", "c", "d"], dtype=object)
LABELS = np.array(["X", "X", "X", "Y", "Y", "Y"], dtype=object)


def test_statistics_and_order_of_a_hand_made_table():
    values = np.array(
        # a: constant; b: weak; c: separates without any spread; d: separates well
        [[5, 1, 0, 1], [5, 2, 0, 2], [5, 3, 0, 3], [5, 2, 1, 7], [5, 3, 1, 8], [5, 4, 1, 9]],
        dtype=np.float32,
    )
    table = rank_part(values, LABELS, NAMES, "anova_f").set_index("feature")
    assert table["rank"].to_dict() == {"c": 1, "d": 2, "b": 3, "a": 4}
    np.testing.assert_allclose(table["mean"], [5, 2.5, 0.5, 5])
    np.testing.assert_allclose(table["sd"], [1, values[:, 1].std(), 0.5, values[:, 3].std()], rtol=1e-6)
    np.testing.assert_allclose(table.loc[["b", "d"], "score"], f_classif(values[:, [1, 3]], LABELS)[0], rtol=1e-6)
    assert np.isnan(table.loc["a", "score"])


def test_missing_values_are_scored_at_the_training_mean():
    values = np.array([[1], [2], [np.nan], [7], [8], [9]], dtype=np.float32)
    filled = np.array([[1], [2], [27 / 5], [7], [8], [9]])
    row = rank_part(values, LABELS, NAMES[:1], "anova_f").iloc[0]
    np.testing.assert_allclose(row["mean"], 27 / 5)
    np.testing.assert_allclose(row["sd"], np.nanstd(values))
    np.testing.assert_allclose(row["score"], f_classif(filled, LABELS)[0][0])


def test_a_feature_missing_in_the_whole_part_comes_last_with_finite_statistics():
    values = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    values[:, 1] = np.nan
    table = rank_part(values, LABELS, NAMES, "anova_f").set_index("feature")
    assert table.loc["b", "rank"] == 4
    assert np.isfinite(table[["mean", "sd"]]).all(axis=None)


@pytest.mark.parametrize("value", [0.1, 6.6438562, 1e6 / 3])
def test_a_floored_feature_scores_nothing_whatever_rounding_leaves_of_it(value):
    values = np.random.default_rng(0).normal(size=(38, 2)).astype(np.float32)
    values[:, 0] = value
    values[5, 0] = np.nan
    labels = np.array(["X"] * 27 + ["Y"] * 11, dtype=object)
    table = rank_part(values, labels, NAMES[:2], "anova_f")
    assert np.isnan(table.loc[0, "score"])
    assert table["rank"].tolist() == [2, 1]


def test_ties_are_broken_by_name_and_columns_may_come_in_any_order():
    values = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    values[:, 2] = values[:, 0]
    order = [3, 2, 1, 0]
    straight = rank_part(values, LABELS, NAMES, "anova_f").set_index("feature")
    turned = rank_part(values[:, order], LABELS, NAMES[order], "anova_f").set_index("feature")
    assert straight.loc["c", "rank"] == straight.loc["a", "rank"] + 1
    pd.testing.assert_frame_equal(straight, turned.loc[straight.index])


def test_each_training_part_is_ranked_on_its_own_rows(make_cohort, make_samples, make_folds):
    cohort = make_cohort()
    folds = make_folds(make_samples(cohort.labels))
    table = rank_folds(cohort.values, cohort.labels, cohort.features, folds, "anova_f")
    assert len(table) == len(folds) * 4 * 20
    for fold in folds:
        for inner_fold, rows in [(None, fold.train), *enumerate(train for train, _ in fold.inner)]:
            is_inner = table["inner_fold"].isna() if inner_fold is None else table["inner_fold"] == inner_fold
            part = table[(table["fold"] == fold.name) & is_inner]
            np.testing.assert_allclose(part["mean"], cohort.values[rows].mean(axis=0), rtol=1e-5)
            np.testing.assert_allclose(
                part["score"], f_classif(cohort.values[rows].astype(float), cohort.labels[rows])[0], rtol=1e-6
            )
            assert sorted(part["rank"]) == list(range(1, 21))
