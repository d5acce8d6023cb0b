"""Scores from inner to outer folds, from near to far relatives, from one split to another, and the best there could
be."""

import json

import numpy as np
import pandas as pd
import pytest
from evaluate_study import split_gaps

from genestrata import evaluation
from genestrata.files import read_table, write_table
from genestrata.generalisation import (
    IDENTITY_BINS,
    METRICS,
    accuracy_by_identity,
    best_possible,
    compare_splits,
    cv_against_test,
)
from genestrata.metrics import bootstrap_weights
from genestrata.predictions import codes, prediction_table
from genestrata.scoring import balanced_accuracy
from genestrata.splitting import FINAL

CLASSES = ["A", "B"]
TRUTH = list("AAAAAABBBB")
NAMES = [f"s{number}" for number in range(10)]


def rows(calls, repeat="r0", fold="0", model="m", order=range(10)):
    """Sure calls of the ten samples, "-" for one that this fold does not test, as test rows in some order."""
    places = [place for place in order if calls[place] != "-"]
    return prediction_table(
        repeat,
        fold,
        model,
        [None] * len(places),
        np.array(NAMES, dtype=object)[places],
        np.array(TRUTH, dtype=object)[places],
        np.eye(2)[[CLASSES.index(calls[place]) for place in places]],
        CLASSES,
    )


# inner against test


@pytest.fixture(scope="module")
def tested(trained_study):
    return evaluation.test_rows(trained_study.predictions)


@pytest.fixture(scope="module")
def inner_and_test(trained_study, tested):
    return cv_against_test(trained_study.tuning, tested)


def test_every_model_and_fold_is_there_once_and_the_final_one_is_not(inner_and_test):
    assert list(inner_and_test) == ["majority", "logistic_regression", "decision_tree", "xgboost", "stack"]
    for entry in inner_and_test.values():
        assert [(fold["repeat"], fold["fold"]) for fold in entry["folds"]] == [
            (repeat, fold) for repeat in ("r0", "r1") for fold in "012"
        ]
        assert FINAL not in {fold["fold"] for fold in entry["folds"]}


def test_inner_score_and_parameters_are_those_of_the_chosen_setting(trained_study, inner_and_test):
    tuning = trained_study.tuning
    for model, entry in inner_and_test.items():
        for fold in entry["folds"]:
            same = tuning[["model", "repeat", "fold"]].eq([model, fold["repeat"], fold["fold"]]).all(axis=1)
            (chosen,) = tuning[same & tuning["chosen"]].to_dict("records")
            assert fold["inner"] == chosen["inner_balanced_accuracy"]
            assert fold["parameters"] == chosen["parameters"]
    # Several settings were tried, so that the wrong one could have been taken.
    assert (~tuning["chosen"]).any()


def test_test_score_is_that_of_the_test_part_alone(trained_study, tested, inner_and_test):
    by_fold = {(fold.repeat, fold.name): fold for fold in trained_study.folds}
    for fold in inner_and_test["decision_tree"]["folds"]:
        names = set(trained_study.cohort.samples[by_fold[fold["repeat"], fold["fold"]].test])
        part = tested[(tested["model"] == "decision_tree") & (tested["repeat"] == fold["repeat"])]
        part = part[part["sample"].isin(names)]
        classes = trained_study.cohort.classes
        assert fold["test"] == balanced_accuracy(codes(part["true"], classes), codes(part["predicted"], classes))


def test_means_are_over_folds_and_the_table_is_json(inner_and_test):
    entry = inner_and_test["xgboost"]
    for part in ("inner", "test"):
        assert entry[part] == pytest.approx(np.mean([fold[part] for fold in entry["folds"]]))
    assert json.loads(json.dumps(inner_and_test)) == inner_and_test


def test_tuning_read_from_its_file_serves_too(trained_study, tested, inner_and_test, tmp_path):
    write_table(trained_study.tuning, tmp_path / "tuning.tsv")
    tuning = read_table(tmp_path / "tuning.tsv", dtype={"fold": str})
    again = cv_against_test(tuning, tested)
    for model, entry in inner_and_test.items():
        assert again[model]["inner"] == pytest.approx(entry["inner"])
        assert again[model]["test"] == entry["test"]


# identity to the training part


def identities(values, repeat="r0", fold="0"):
    """The table of identity.tsv, in another order than the predictions."""
    table = pd.DataFrame({"repeat": repeat, "fold": fold, "sample": NAMES, "identity": values})
    return table.iloc[::-1]


@pytest.mark.parametrize(
    ("identity", "low", "high"),
    [
        (0.0, 0.0, 0.7),
        (0.6999, 0.0, 0.7),
        (0.7, 0.7, 0.75),
        (0.8, 0.8, 0.9),
        (0.9499, 0.9, 0.95),
        (0.99, 0.99, 1.0),
        (1.0, 0.99, 1.0),
    ],
)
def test_a_bin_holds_its_lower_limit_and_the_last_one_its_upper_too(identity, low, high):
    (found,) = accuracy_by_identity(rows("AAAAAABBBB"), identities(identity))["m"]
    assert (found["from"], found["to"], found["n"]) == (low, high, 10)


def test_accuracy_counts_the_calls_of_the_samples_of_a_bin():
    # Of the first four one is wrong, of the last three two, of the others none.
    table = accuracy_by_identity(
        pd.concat([rows("BAAAAABBAA"), rows("AAAAAABBBB", model="n", order=range(9, -1, -1))]),
        identities([0.65] * 4 + [0.92] * 3 + [1.0] * 3),
    )
    assert [(entry["from"], entry["n"]) for entry in table["m"]] == [(0.0, 4), (0.9, 3), (0.99, 3)]
    assert [entry["accuracy"] for entry in table["m"]] == pytest.approx([3 / 4, 1, 1 / 3])
    assert [entry["accuracy"] for entry in table["n"]] == [1, 1, 1]
    assert json.loads(json.dumps(table)) == table


def test_interval_is_that_of_wilson():
    (entry,) = accuracy_by_identity(rows("AAAAAABBBA"), identities(0.85))["m"]
    share, n, z = 0.9, 10, 1.959964
    centre, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert entry["ci95"] == pytest.approx([(centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)])


def test_identity_is_that_of_the_fold_that_tests_a_sample():
    test = pd.concat([rows("AAAAA-----", fold="0"), rows("-----BBBBB", fold="1")])
    identity = pd.concat([identities([0.75] * 10, fold="0"), identities([0.97] * 10, fold="1")])
    table = accuracy_by_identity(test, identity)
    assert [(entry["from"], entry["n"], entry["accuracy"]) for entry in table["m"]] == [
        (0.75, 5, 1.0),
        (0.95, 5, pytest.approx(4 / 5)),
    ]


def test_bins_are_without_a_gap():
    assert IDENTITY_BINS[0] == 0
    assert IDENTITY_BINS[-1] == 1
    assert list(IDENTITY_BINS) == sorted(set(IDENTITY_BINS))


# one split against another


@pytest.fixture(scope="module")
def weights():
    return bootstrap_weights(np.array([CLASSES.index(label) for label in TRUTH]), None, 3)


def repeats(*calls, order=range(10)):
    """One TestPredictions for each repeat."""
    table = pd.concat([rows(text, repeat=f"r{number}", order=list(order)) for number, text in enumerate(calls)])
    return evaluation.as_repeats(table, NAMES, CLASSES)


# Accuracies 0.7 and 0.9; recalls of A 4/6 and 1, of B 3/4 and 3/4.
GROUPED, RANDOM = "AAAABBBBBA", "AAAAAABBBA"


def test_scores_of_both_splits_and_their_difference(weights):
    table = compare_splits(repeats(GROUPED), repeats(RANDOM, order=reversed(range(10))), weights)
    assert list(table) == ["grouped", "random", "gap"]
    assert table["grouped"]["accuracy"]["value"] == pytest.approx(0.7)
    assert table["random"]["accuracy"]["value"] == pytest.approx(0.9)
    assert table["grouped"]["balanced_accuracy"]["value"] == pytest.approx((4 / 6 + 3 / 4) / 2)
    # F1 of A: 2 x 6 / (6 + 7), of B: 2 x 3 / (4 + 3).
    assert table["random"]["macro_f1"]["value"] == pytest.approx((12 / 13 + 6 / 7) / 2)
    for metric in METRICS:
        gap = table["random"][metric]["value"] - table["grouped"][metric]["value"]
        assert table["gap"][metric]["value"] == pytest.approx(gap)
        for part in table.values():
            low, high = part[metric]["ci95"]
            assert low <= part[metric]["value"] <= high
    assert json.loads(json.dumps(table)) == table


def test_gap_is_paired_by_sample(weights):
    """Two samples are called better at random: their weights in a draw, and no other, are what the gap varies by."""
    table = compare_splits(repeats(GROUPED), repeats(RANDOM), weights)
    draws = weights[:, [4, 5]].sum(axis=1) / 10
    assert table["gap"]["accuracy"]["ci95"] == pytest.approx(np.percentile(draws, [2.5, 97.5]).tolist())
    same = compare_splits(repeats(GROUPED), repeats(GROUPED), weights)
    assert same["gap"]["macro_f1"] == {"value": 0.0, "ci95": [0.0, 0.0]}


def test_repeats_are_averaged(weights):
    table = compare_splits(repeats(GROUPED, RANDOM), repeats(RANDOM, RANDOM), weights)
    assert table["grouped"]["accuracy"]["value"] == pytest.approx(0.8)
    assert table["gap"]["accuracy"]["value"] == pytest.approx(0.1)


def test_samples_that_a_published_split_does_not_test_do_not_count(weights, tmp_path):
    own = rows("----AABBBA")
    # A random split tests all samples; of the first four it calls two wrong.
    write_table(rows("BBAAAABBBB"), tmp_path / "random_split.parquet")
    gaps = split_gaps(str(tmp_path / "random_split.parquet"), own, NAMES[4:], weights[:, 4:])
    assert gaps["m"]["grouped"]["accuracy"]["value"] == pytest.approx(5 / 6)
    assert gaps["m"]["random"]["accuracy"]["value"] == 1.0
    assert gaps["m"]["gap"]["accuracy"]["value"] == pytest.approx(1 / 6)
    assert split_gaps([], own, NAMES[4:], weights[:, 4:]) == {}


# label noise


def test_best_possible_is_the_share_of_labels_that_were_not_flipped():
    truth = pd.DataFrame({"sample": ["c", "a", "b", "x"], "class": ["p", "p", "n", "n"]})
    labels = {"a": "p", "b": "p", "c": "p", "x": "p"}
    # Only the samples that are asked for count.
    assert best_possible(truth, ["a", "b", "c"], labels) == pytest.approx(2 / 3)
    assert best_possible(truth, ["a", "c"], labels) == 1.0
