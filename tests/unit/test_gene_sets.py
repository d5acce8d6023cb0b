"""Gene sets: scores of correct calls, rank by rank over classes, one size for all."""

import numpy as np
import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.gene_sets import (
    PRIORS,
    check_size,
    class_scores,
    correct_calls,
    data_scores,
    overlap,
    score_data,
    take,
    take_sets,
)
from genestrata.moderated import compare_classes
from genestrata.set_names import DATA_RANKINGS, set_title

KEY = ["repeat", "fold", "sample", "class", "feature", "shap"]


def table(rows, as_categories=True):
    values = pd.DataFrame(rows, columns=KEY).assign(value=0.0)
    return values.astype(dict.fromkeys(KEY[:-1], "category")) if as_categories else values


def calls(*rows):
    return pd.DataFrame(rows, columns=["repeat", "fold", "sample", "class"])


def ranked(**classes):
    """Scores from class to its genes with their scores, best first."""
    rows = [
        (label, feature, score, rank)
        for label, genes in classes.items()
        for rank, (feature, score) in enumerate(genes.items(), start=1)
    ]
    return pd.DataFrame(rows, columns=["class", "feature", "median_shap", "rank"])


VALUES = [
    # Two samples of A in one fold, one of A in another whose model lacks g1, one of B.
    ("r0", "0", "s1", "A", "g1", 4.0),
    ("r0", "0", "s1", "A", "g2", 1.0),
    ("r0", "0", "s1", "B", "g1", -4.0),
    ("r0", "0", "s2", "A", "g1", 2.0),
    ("r0", "0", "s2", "A", "g2", 3.0),
    ("r0", "1", "s3", "A", "g2", 1.0),
    ("r0", "1", "s3", "A", "g3", 9.0),
    ("r0", "1", "s4", "A", "g2", 50.0),
    ("r0", "1", "s4", "B", "g2", 5.0),
]


@pytest.mark.parametrize("as_categories", [True, False])
def test_score_is_the_median_over_correct_calls_of_the_class_with_zero_where_a_gene_was_not_chosen(as_categories):
    correct = calls(("r0", "0", "s1", "A"), ("r0", "0", "s2", "A"), ("r0", "1", "s3", "A"), ("r0", "1", "s4", "B"))
    scores = class_scores(table(VALUES, as_categories), correct)
    assert list(scores.columns) == ["class", "feature", "median_shap", "rank"]
    found = {(row["class"], row["feature"]): (row["median_shap"], row["rank"]) for _, row in scores.iterrows()}
    assert found == {
        ("A", "g1"): (2.0, 1),
        ("A", "g2"): (1.0, 2),
        ("A", "g3"): (0.0, 3),
        ("B", "g2"): (5.0, 1),
        ("B", "g1"): (0.0, 2),
        ("B", "g3"): (0.0, 3),
    }


def test_wrong_calls_and_other_classes_of_a_sample_take_no_part():
    scores = class_scores(table(VALUES), calls(("r0", "0", "s1", "A"), ("r9", "0", "s2", "A")))
    assert scores["class"].unique().tolist() == ["A"]
    assert scores.set_index("feature")["median_shap"].to_dict() == {"g1": 4.0, "g2": 1.0, "g3": 0.0}


def test_no_correct_call_gives_no_row():
    scores = class_scores(table(VALUES), calls())
    assert scores.empty and list(scores.columns) == ["class", "feature", "median_shap", "rank"]
    assert take(scores, "size", 5).empty and take(scores, "half_repeats", 5).empty


def test_sample_that_is_not_explained_for_its_class_does_not_count():
    scores = class_scores(table(VALUES), calls(("r0", "0", "s1", "A"), ("r0", "0", "s9", "A")))
    assert scores.set_index("feature")["median_shap"]["g1"] == 4.0


def test_repeats_of_a_sample_count_each():
    rows = [("r0", "0", "s1", "A", "g1", 1.0), ("r1", "0", "s1", "A", "g1", 3.0)]
    scores = class_scores(table(rows), calls(("r0", "0", "s1", "A"), ("r1", "0", "s1", "A")))
    assert scores["median_shap"].tolist() == [2.0]


def test_correct_calls_are_held_out_and_right():
    predictions = pd.DataFrame(
        {
            "repeat": "r0",
            "fold": "0",
            "inner_fold": pd.array([None, None, 1], "Int16"),
            "sample": ["s1", "s2", "s3"],
            "true": ["A", "A", "B"],
            "predicted": ["A", "B", "B"],
        }
    )
    assert correct_calls(predictions).to_numpy().tolist() == [["r0", "0", "s1", "A"]]


def test_genes_are_taken_rank_by_rank_over_classes_each_once():
    scores = ranked(
        B={"g3": 5.0, "g1": 4.0, "g4": 3.0},
        A={"g1": 9.0, "g2": 8.0, "g3": 7.0},
    )
    assert take(scores, "size", 3).to_numpy().tolist() == [[1, "g1", "A"], [2, "g3", "B"], [3, "g2", "A"]]
    assert take(scores, "size", 99)["feature"].tolist() == ["g1", "g3", "g2", "g4"]


@pytest.mark.parametrize("score", [0.0, -1.0, np.nan])
def test_class_whose_score_is_not_above_zero_gives_nothing(score):
    scores = ranked(A={"g1": 1.0, "g2": score}, B={"g3": score, "g4": score})
    assert take(scores, "size", 4)["feature"].tolist() == ["g1"]


def test_half_repeats_ends_after_the_first_full_rank_with_as_many_repeats_as_genes():
    scores = ranked(
        A={"a": 4.0, "b": 3.0, "x": 2.0, "never": 1.0},
        B={"c": 4.0, "a": 3.0, "b": 2.0, "nor": 1.0},
        C={"d": 4.0, "c": 3.0, "a": 2.0, "that": 1.0},
    )
    # After rank 2: 6 taken, 2 repeats; after rank 3: 9 taken, 4 repeats; after rank 4 3 more that are new.
    assert len(take(scores, "half_repeats", 0)) == 8
    more = pd.concat([scores, ranked(D={"a": 4.0, "b": 3.0, "c": 2.0})])
    # With a class that only repeats: rank 1 gives 1 repeat of 4, rank 2 4 of 8.
    assert take(more, "half_repeats", 0)["feature"].tolist() == ["a", "c", "d", "b"]


def test_sets_are_cut_to_the_size_asked_for():
    scores = {"m": ranked(A={"a": 2.0, "b": 1.0}, B={"c": 1.0, "d": 0.0})}
    consensus = pd.DataFrame({"feature": ["z", "y", "x"], "class": ["A", "B", "A"], "rank": [1, 2, 3]})
    sets = take_sets(["consensus", "m"], scores, consensus, "size", 2)
    assert sets.to_numpy().tolist() == [
        ["consensus", 1, "z", "A"],
        ["consensus", 2, "y", "B"],
        ["m", 1, "a", "A"],
        ["m", 2, "c", "B"],
    ]
    assert take_sets(["m"], scores, consensus, "size", 50)["feature"].tolist() == ["a", "c", "b"]


def test_first_set_gives_the_size_where_repeats_end_it():
    scores = {"m": ranked(A={"a": 2.0, "b": 1.0}, B={"a": 1.0, "b": 0.5}), "n": ranked(A={"x": 3.0, "y": 2.0})}
    sets = take_sets(["m", "n"], scores, pd.DataFrame(), "half_repeats", 50)
    assert sets[["set", "feature"]].to_numpy().tolist() == [["m", "a"], ["n", "x"]]


@pytest.mark.parametrize("ranking", DATA_RANKINGS)
def test_data_are_ranked_per_class_by_t(ranking, make_cohort):
    cohort = make_cohort(sizes=(8, 9, 10), effect=3.0)
    scores = data_scores(cohort.values, cohort.labels, cohort.features, ranking)
    top = scores[scores["rank"] == 1].set_index("class")["feature"].to_dict()
    assert top == {"A": "g000", "B": "g001", "C": "g002"}
    expected = compare_classes(cohort.values, cohort.labels, PRIORS[ranking])
    of_b = scores[scores["class"] == "B"].set_index("feature")["t"][cohort.features]
    np.testing.assert_allclose(of_b, expected.t[1], rtol=1e-6)
    assert (expected.prior.df > 0) == (ranking == "moderated_f")


def test_rankings_of_the_data_among_the_compared_sets_are_scored_within_the_limits(make_cohort):
    cohort = make_cohort()
    data = (cohort.values, cohort.labels, cohort.features)
    limits = {"level": 8.5, "samples": 12}
    found = score_data(["cnn", "moderated_f", "consensus"], *data, limits)
    assert list(found) == ["moderated_f"]
    assert 0 < found["moderated_f"]["feature"].nunique() < len(cohort.features)
    pd.testing.assert_frame_equal(found["moderated_f"], data_scores(*data, "moderated_f", limits))


def test_missing_values_of_the_data_count_as_the_mean_of_their_gene(make_cohort):
    cohort = make_cohort()
    gaps, filled = cohort.values.copy(), cohort.values.astype(float)
    gaps[2, 5] = np.nan
    filled[2, 5] = np.nanmean(gaps[:, 5].astype(float))
    pd.testing.assert_frame_equal(
        data_scores(gaps, cohort.labels, cohort.features, "anova_f"),
        data_scores(filled, cohort.labels, cohort.features, "anova_f"),
    )


def test_genes_that_are_not_expressed_are_left_out_of_the_ranking_and_of_its_prior(make_cohort):
    cohort = make_cohort()
    values = cohort.values.copy()
    values[:, :3] = np.random.default_rng(0).random((len(values), 3)) / 1000
    limits = {"level": 1.0, "samples": 2}
    scores = data_scores(values, cohort.labels, cohort.features, "moderated_f", limits)
    expected = data_scores(values[:, 3:], cohort.labels, cohort.features[3:], "moderated_f")
    pd.testing.assert_frame_equal(scores, expected)


def test_order_of_rows_and_columns_does_not_matter(make_cohort):
    cohort = make_cohort()
    columns, rows = np.arange(20)[::-1], np.random.default_rng(0).permutation(len(cohort.labels))
    scores = data_scores(cohort.values, cohort.labels, cohort.features, "moderated_f")
    turned = data_scores(cohort.values[rows][:, columns], cohort.labels[rows], cohort.features[columns], "moderated_f")
    pd.testing.assert_frame_equal(scores, turned)


def test_names_of_the_rankings_have_a_prior_and_a_title():
    assert set(PRIORS) == set(DATA_RANKINGS)
    assert [set_title(name) for name in ("consensus", "anova_f", "cnn")] == ["Consensus", "ANOVA", "CNN"]


def test_a_set_larger_than_the_number_of_expressed_genes_is_refused():
    check_size(7, 7, "here")
    with pytest.raises(InputError) as caught:
        check_size(8, 7, "here")
    message = "here: a set of 8 genes was asked for (cluster.set_size), only 7 genes are expressed"
    assert str(caught.value) == message


def test_overlap_counts_every_gene_once_in_the_sets_that_hold_it():
    sets = {"m": "abcd", "n": "bcde", "o": "dxyz"}
    gene_sets = pd.DataFrame(
        [(name, gene) for name, genes in sets.items() for gene in genes], columns=["set", "feature"]
    )
    shared = overlap(gene_sets, ["m", "n", "o", "empty"])
    assert shared.to_numpy().tolist() == [
        [False, False, True, False, 3],
        [True, True, False, False, 2],
        [True, False, False, False, 1],
        [False, True, False, False, 1],
        [True, True, True, False, 1],
    ]
    assert shared["genes"].sum() == gene_sets["feature"].nunique()
