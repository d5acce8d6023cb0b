"""Statistics and ranking of features on training parts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import f_classif

from genestrata.errors import InputError
from genestrata.ranking import Rankings, expressed, expressed_or_all, rank_folds, rank_part

NAMES = np.array(["a", "b", "c", "d"], dtype=object)
LABELS = np.array(["X", "X", "X", "Y", "Y", "Y"], dtype=object)


def test_statistics_and_order_of_a_hand_made_table():
    values = np.array(
        # a: constant; b: weak; c: separates without any spread; d: separates well
        [[5, 1, 0, 1], [5, 2, 0, 2], [5, 3, 0, 3], [5, 2, 1, 7], [5, 3, 1, 8], [5, 4, 1, 9]],
        dtype=np.float32,
    )
    table = rank_part(values, LABELS, NAMES, {"method": "anova_f"}).set_index("feature")
    assert table["rank"].to_dict() == {"c": 1, "d": 2, "b": 3, "a": 4}
    np.testing.assert_allclose(table["mean"], [5, 2.5, 0.5, 5])
    np.testing.assert_allclose(table["sd"], [1, values[:, 1].std(), 0.5, values[:, 3].std()], rtol=1e-6)
    np.testing.assert_allclose(table.loc[["b", "d"], "score"], f_classif(values[:, [1, 3]], LABELS)[0], rtol=1e-6)
    assert np.isnan(table.loc["a", "score"])


def test_missing_values_are_scored_at_the_training_mean():
    values = np.array([[1], [2], [np.nan], [7], [8], [9]], dtype=np.float32)
    filled = np.array([[1], [2], [27 / 5], [7], [8], [9]])
    row = rank_part(values, LABELS, NAMES[:1], {"method": "anova_f"}).iloc[0]
    np.testing.assert_allclose(row["mean"], 27 / 5)
    np.testing.assert_allclose(row["sd"], np.nanstd(values))
    np.testing.assert_allclose(row["score"], f_classif(filled, LABELS)[0][0])


def test_a_feature_missing_in_the_whole_part_comes_last_with_finite_statistics():
    values = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    values[:, 1] = np.nan
    table = rank_part(values, LABELS, NAMES, {"method": "anova_f"}).set_index("feature")
    assert table.loc["b", "rank"] == 4
    assert np.isfinite(table[["mean", "sd"]]).all(axis=None)


@pytest.mark.parametrize("value", [0.1, 6.6438562, 1e6 / 3])
def test_a_floored_feature_scores_nothing_whatever_rounding_leaves_of_it(value):
    values = np.random.default_rng(0).normal(size=(38, 2)).astype(np.float32)
    values[:, 0] = value
    values[5, 0] = np.nan
    labels = np.array(["X"] * 27 + ["Y"] * 11, dtype=object)
    table = rank_part(values, labels, NAMES[:2], {"method": "anova_f"})
    assert np.isnan(table.loc[0, "score"])
    assert table["rank"].tolist() == [2, 1]


def test_ties_are_broken_by_name_and_columns_may_come_in_any_order():
    values = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    values[:, 2] = values[:, 0]
    order = [3, 2, 1, 0]
    straight = rank_part(values, LABELS, NAMES, {"method": "anova_f"}).set_index("feature")
    turned = rank_part(values[:, order], LABELS, NAMES[order], {"method": "anova_f"}).set_index("feature")
    assert straight.loc["c", "rank"] == straight.loc["a", "rank"] + 1
    pd.testing.assert_frame_equal(straight, turned.loc[straight.index])


def test_each_training_part_is_ranked_on_its_own_rows(make_cohort, make_samples, make_folds):
    cohort = make_cohort()
    folds = make_folds(make_samples(cohort.labels))
    table = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
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


# the limits of the selection


def test_a_gene_is_expressed_from_the_level_on_in_so_many_samples():
    values = np.array([[1.0, 0.9, 5.0, np.nan], [1.0, 3.0, 0.0, np.nan], [0.0, 3.0, 0.0, 2.0]])
    assert expressed(values, 1.0, 2).tolist() == [True, True, False, False]
    assert expressed(values, 1.0, 1).tolist() == [True, True, True, True]


@pytest.mark.parametrize("method", ["anova_f", "none"])
@pytest.mark.parametrize("limits", [{"expressed": {"level": 5, "samples": 2}}, {"min_sd": 0.1}])
def test_features_outside_the_limits_come_last_and_are_never_the_best(
    limits, method, make_cohort, make_samples, make_folds
):
    cohort = make_cohort(sizes=(9, 9), n_features=6)
    # The best two genes: one far below the level, one hardly moving.
    values = cohort.values.copy()
    values[:, 0] -= 20
    values[:, 1] = 8 + 0.01 * (cohort.labels == "B")
    out = 0 if "expressed" in limits else 1
    folds = make_folds(make_samples(cohort.labels))
    table = rank_folds(values, cohort.labels, cohort.features, folds, {"method": method, **limits})
    lost = table[~table["selectable"]]
    assert set(lost["feature"]) == {cohort.features[out]}
    assert lost["score"].isna().all()
    assert (lost["rank"] == 6).all()
    rankings = Rankings(table, cohort.features)
    columns, mean, scale = rankings.best("0", None, 6)
    assert (len(columns), len(mean), len(scale)) == (5, 5, 5)
    assert out not in columns
    if method == "none":
        assert columns.tolist() == [number for number in range(6) if number != out]


def test_limits_are_asked_of_the_training_rows_alone(make_cohort, make_samples, make_folds):
    cohort = make_cohort(sizes=(9, 9), n_features=4)
    (fold, *_) = make_folds(make_samples(cohort.labels))
    values = cohort.values.copy()
    values[:, 2] = 0
    values[fold.test, 2] = 99
    select = {"method": "anova_f", "expressed": {"level": 1, "samples": 2}}
    table = rank_folds(values, cohort.labels, cohort.features, [fold], select)
    assert set(table.loc[~table["selectable"], "feature"]) == {"g002"}


def test_limits_that_leave_nothing_are_refused(make_cohort, make_samples, make_folds):
    cohort = make_cohort()
    folds = make_folds(make_samples(cohort.labels))
    select = {"method": "anova_f", "expressed": {"level": 99, "samples": 1}, "min_sd": 0}
    with pytest.raises(InputError) as caught:
        rank_folds(cohort.values, cohort.labels, cohort.features, folds, select)
    assert "no feature of fold 0 is within the limits" in str(caught.value)
    assert "(expressed: {'level': 99, 'samples': 1})" in str(caught.value)


def test_without_two_samples_of_any_class_the_spread_ranks():
    values = np.array([[1, 0, 5, 4], [2, 9, 5, 4], [3, 0, 5, 7]], dtype=np.float32)
    table = rank_part(values, np.array(["X", "Y", "Z"]), NAMES, {"method": "anova_f"}).set_index("feature")
    assert table.sort_values("rank").index.tolist() == ["b", "d", "a", "c"]
    np.testing.assert_allclose(table.loc["a", "score"], 2 / 3, rtol=1e-6)


def test_expressed_genes_are_those_of_the_studys_selection():
    values = np.array([[0.0, 2.0, 3.0], [0.5, 0.0, 4.0], [0.0, 2.0, 0.0]])
    limits = {"level": 1.0, "samples": 2}
    assert np.flatnonzero(expressed_or_all(values, None)).tolist() == [0, 1, 2]
    assert np.flatnonzero(expressed_or_all(values, limits)).tolist() == [1, 2]
    assert np.flatnonzero(expressed_or_all(values[:2], limits)).tolist() == [2]
