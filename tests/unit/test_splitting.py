"""Outer and inner folds: who is tested, who is held out together, and what is refused."""

import logging

import numpy as np
import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.schemes import SINGLE_SPLIT_SCHEMES
from genestrata.splitting import FINAL, folds_within, read_folds, resolve_scheme, split_samples

EVALUATION = {"scheme": "cv", "folds": 4, "repeats": 2, "inner_folds": 3}
LABELS = ["A"] * 12 + ["B"] * 9
# Seven groups of three samples, each of one class.
GROUPS = [f"patient{number // 3}" for number in range(21)]


def draw(samples, seed=1, **settings):
    """Splits of two repeats, of one where the scheme leaves nothing to chance."""
    if settings.get("scheme") in SINGLE_SPLIT_SCHEMES:
        settings = {"repeats": 1} | settings
    return split_samples(samples, EVALUATION | settings, seed, "study.yaml")


def assert_inner_folds_partition_training(folds):
    for fold in folds:
        held_out = np.concatenate([rows for _, rows in fold.inner])
        assert sorted(held_out) == list(fold.train)
        for train, rows in fold.inner:
            assert sorted([*train, *rows]) == list(fold.train)


@pytest.mark.parametrize("scheme", ["cv", "grouped_cv", "leave_one_group_out"])
def test_every_sample_is_tested_once_per_repeat(scheme, make_samples):
    samples = make_samples(LABELS, group=GROUPS)
    splits = draw(samples, scheme=scheme)
    for repeat in splits["repeat"].unique():
        folds = [fold for fold in read_folds(splits, samples, repeat) if fold.name != FINAL]
        assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(21))
        for fold in folds:
            assert sorted([*fold.train, *fold.test]) == list(range(21))
        assert_inner_folds_partition_training(folds)


def test_cv_spreads_each_class_over_the_folds(make_samples):
    samples = make_samples(LABELS)
    for fold in read_folds(draw(samples, folds=3), samples, "r1"):
        labels = np.array(LABELS)[fold.test].tolist()
        assert (labels.count("A"), labels.count("B")) == (4, 3)


def test_published_split_is_one_fold_and_a_final_one(make_samples):
    split = ["train", "TEST", "train"] * 7
    samples = make_samples(LABELS, split=split)
    published, final = read_folds(draw(samples, scheme="published"), samples, "r0")
    assert published.name == "0"
    assert list(published.test) == [row for row, part in enumerate(split) if part == "TEST"]
    assert list(published.train) == [row for row, part in enumerate(split) if part == "train"]
    assert (final.name, list(final.train), len(final.test)) == (FINAL, list(range(21)), 0)
    assert_inner_folds_partition_training([published, final])


def test_final_fold_is_only_in_the_first_repeat(make_samples):
    splits = draw(make_samples(LABELS))
    assert splits[splits["fold"] == FINAL]["repeat"].unique().tolist() == ["r0"]
    assert (splits[splits["fold"] == FINAL]["role"] == "train").all()


@pytest.mark.parametrize("scheme", ["grouped_cv", "leave_one_group_out"])
def test_groups_stay_whole_in_outer_and_inner_folds(scheme, make_samples):
    samples = make_samples(LABELS, group=GROUPS)
    groups = np.array(GROUPS)
    splits = draw(samples, scheme=scheme)
    for repeat in splits["repeat"].unique():
        for fold in read_folds(splits, samples, repeat):
            for train, held_out in [(fold.train, fold.test), *fold.inner]:
                assert not set(groups[train]) & set(groups[held_out])


def test_leave_one_group_out_tests_one_group_per_fold(make_samples):
    samples = make_samples(LABELS, group=GROUPS)
    folds = list(read_folds(draw(samples, scheme="leave_one_group_out"), samples, "r0"))
    assert [set(np.array(GROUPS)[fold.test]) for fold in folds[:-1]] == [{name} for name in sorted(set(GROUPS))]


def test_test_rows_belong_to_no_inner_fold(make_samples):
    splits = draw(make_samples(LABELS))
    assert (splits.loc[splits["role"] == "test", "inner_fold"] == "").all()
    assert (splits.loc[splits["role"] == "train", "inner_fold"] != "").all()


def test_folds_shrink_to_the_smallest_class_with_a_warning(make_samples, caplog):
    samples = make_samples(["A"] * 10 + ["B"] * 4)
    with caplog.at_level(logging.WARNING):
        splits = draw(samples, folds=10, inner_folds=2)
    assert set(splits["fold"]) == {"0", "1", "2", "3", FINAL}
    assert "study.yaml: 10 folds asked for, class 'B' has 4 samples" in caplog.text


def test_grouped_folds_shrink_to_the_groups_of_a_class(make_samples, caplog):
    samples = make_samples(LABELS, group=GROUPS)
    splits = draw(samples, scheme="grouped_cv", folds=5, inner_folds=2)
    assert set(splits["fold"]) == {"0", "1", "2", FINAL}
    assert "class 'B' has 3 groups" in caplog.text


def test_inner_folds_shrink_to_two_at_least(make_samples):
    samples = make_samples(["A"] * 9 + ["B"] * 3)
    for fold in read_folds(draw(samples, folds=3, inner_folds=5), samples, "r0"):
        assert len(fold.inner) == (3 if fold.name == FINAL else 2)


def test_same_seed_same_splits_and_other_seed_or_repeat_others(make_samples):
    samples = make_samples(LABELS)
    splits = draw(samples)
    pd.testing.assert_frame_equal(splits, draw(samples))
    assert not splits.equals(draw(samples, seed=7))
    first, second = (
        splits[(splits["repeat"] == repeat) & (splits["fold"] == "0") & (splits["role"] == "test")]["sample"]
        for repeat in ("r0", "r1")
    )
    assert set(first) != set(second)


def test_written_and_read_splits_are_the_same(make_samples, tmp_path):
    from genestrata.files import write_table
    from genestrata.tables import read_splits

    samples = make_samples(LABELS)
    splits = draw(samples)
    write_table(splits, tmp_path / "splits.tsv")
    for drawn, read in zip(
        read_folds(splits, samples, "r0"), read_folds(read_splits(tmp_path / "splits.tsv"), samples, "r0"), strict=True
    ):
        assert drawn.name == read.name
        np.testing.assert_array_equal(drawn.test, read.test)
        for one, other in zip(drawn.inner, read.inner, strict=True):
            np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize(
    ("scheme", "columns", "message"),
    [
        ("grouped_cv", {}, "needs a group for every sample"),
        ("grouped_cv", {"group": ["p1"] * 20 + [""]}, "needs a group for every sample"),
        ("leave_one_group_out", {"group": "p1"}, "at least two groups, found 'p1' only"),
        ("grouped_cv", {"group": "p1"}, "one group only"),
        ("grouped_cv", {"group": ["p1", "p2", "p3"] * 4 + ["p4"] * 9}, "holds class 'A' only"),
        ("published", {}, "found '', expected both train and test"),
        ("published", {"split": "train"}, "found 'train', expected both train and test"),
        ("published", {"split": ["train", "test", "validation"] * 7}, "'validation'"),
        ("published", {"split": ["train"] * 12 + ["test"] * 9}, "class 'B' occurs in the published test part only"),
    ],
)
def test_scheme_without_what_it_needs_is_refused(scheme, columns, message, make_samples):
    with pytest.raises(InputError, match=message) as caught:
        draw(make_samples(LABELS, **columns), scheme=scheme)
    assert str(caught.value).startswith("study.yaml")


@pytest.mark.parametrize("scheme", SINGLE_SPLIT_SCHEMES)
def test_a_scheme_of_one_split_has_one_repeat(scheme, make_samples):
    with pytest.raises(InputError, match=r"evaluation\.repeats: found 2, allowed: 1"):
        draw(make_samples(LABELS, group=GROUPS, split=["train", "test", "train"] * 7), scheme=scheme, repeats=2)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [({}, "cv"), ({"group": "p"}, "grouped_cv"), ({"group": "p", "split": "train"}, "published")],
)
def test_automatic_scheme_follows_the_columns(columns, expected, make_samples):
    samples = make_samples(LABELS, **columns)
    assert resolve_scheme({"scheme": "auto"}, samples) == expected
    assert resolve_scheme({"scheme": "leave_one_group_out"}, samples) == "leave_one_group_out"


def test_two_cohorts_are_left_out_in_turn_with_inner_folds_by_sample(make_samples, caplog):
    samples = make_samples(["A", "B"] * 9, group=["p1"] * 8 + ["p2"] * 10)
    folds = list(read_folds(draw(samples, scheme="leave_one_group_out"), samples, "r0"))
    assert [len(fold.test) for fold in folds] == [8, 10, 0]
    assert [len(fold.inner) for fold in folds] == [3, 3, 2]
    assert "inner folds by sample" in caplog.text


def test_groups_stay_whole_inside_a_published_training_part(make_samples):
    group = [f"p{number // 2}" for number in range(24)]
    samples = make_samples(["A", "A", "B", "B"] * 6, group=group, split=["train"] * 20 + ["test"] * 4)
    fold = next(read_folds(draw(samples, scheme="published"), samples, "r0"))
    for train, held_out in fold.inner:
        assert not set(np.array(group)[train]) & set(np.array(group)[held_out])


def test_inner_folds_stay_by_replicate_where_only_classes_with_one_sample_are_lost(make_samples, caplog):
    # Three replicates of each tissue, of one of them two only: where the other is tested, one is left to train on.
    labels = ["leaf", "root", "silk", "bud"] * 2 + ["leaf", "root", "silk"]
    replicates = ["1"] * 4 + ["2"] * 4 + ["3"] * 3
    samples = make_samples(labels, group=replicates)
    splits = draw(samples, scheme="leave_one_group_out", inner_folds=2)
    assert "by sample" not in caplog.text
    folds = list(read_folds(splits, samples, "r0"))
    assert [set(np.array(replicates)[fold.test]) for fold in folds] == [{"1"}, {"2"}, {"3"}, set()]
    assert_inner_folds_partition_training(folds)
    for fold in folds:
        for train, held_out in fold.inner:
            assert not set(np.array(replicates)[train]) & set(np.array(replicates)[held_out])
            assert {"leaf", "root", "silk"} <= set(np.array(labels)[train])


def test_inner_folds_are_by_sample_where_a_class_of_several_samples_would_be_lost(make_samples, caplog):
    # Each class has one tissue left to train on, with three samples.
    tissues = np.repeat(["a", "b", "c", "d"], 3)
    samples = make_samples(np.repeat(["X", "Y"], 6).tolist(), group=tissues.tolist())
    splits = draw(samples, scheme="grouped_cv", folds=2, inner_folds=2, repeats=1)
    assert "inner folds by sample" in caplog.text
    for fold in read_folds(splits, samples, "r0"):
        for train, _ in fold.inner:
            assert set(samples["label"].to_numpy()[train]) == {"X", "Y"}


# Folds of some rows


def within(samples, rows, **settings):
    return folds_within(samples, EVALUATION | settings, np.array(rows), 1, "part")


@pytest.mark.parametrize("scheme", ["cv", "grouped_cv", "leave_one_group_out"])
def test_some_rows_are_divided_as_the_whole_is(scheme, make_samples):
    samples, groups, rows = make_samples(LABELS, group=GROUPS), np.array(GROUPS), [*range(9), *range(12, 18)]
    folds = within(samples, rows, scheme=scheme)
    assert sorted(np.concatenate([fold.test for fold in folds])) == rows
    assert_inner_folds_partition_training(folds)
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == rows and list(fold.train) == sorted(fold.train)
        if scheme != "cv":
            assert not set(groups[fold.train]) & set(groups[fold.test])
    if scheme == "leave_one_group_out":
        assert [set(groups[fold.test]) for fold in folds] == [{name} for name in sorted(set(groups[rows]))]
    assert all((a.test == b.test).all() for a, b in zip(folds, within(samples, rows, scheme=scheme), strict=True))


def test_training_rows_of_a_published_split_are_divided_at_random(make_samples):
    samples = make_samples(LABELS, split=["train", "train", "test"] * 7)
    rows = np.flatnonzero(samples["split"] == "train").tolist()
    folds = within(samples, rows, scheme="auto")
    assert len(folds) == 4 and sorted(np.concatenate([fold.test for fold in folds])) == rows
    assert all(set(samples["label"].to_numpy()[fold.train]) == {"A", "B"} for fold in folds)


def test_training_parts_of_one_sample_per_class_are_explained(make_samples):
    samples = make_samples(list("AABBCC"), group=["1", "2"] * 3)
    with pytest.raises(InputError, match="fold 0: one sample of each class is left to train on"):
        split_samples(samples, EVALUATION | {"scheme": "leave_one_group_out", "repeats": 1}, 1, "s")


def test_group_of_one_class_is_no_shared_replicate(make_samples):
    samples = make_samples(list("AAABBBB"), group=["1", "2", "3", "1", "2", "3", "odd"])
    shared = EVALUATION | {"scheme": "leave_one_group_out", "repeats": 1, "replicates": "shared"}
    with pytest.raises(InputError, match="group 'odd' holds class 'B' only"):
        split_samples(samples, shared, 1, "s")
