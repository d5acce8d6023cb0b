"""Permuted labels."""

import numpy as np
import pandas as pd
import pytest
from planted import cohort_of, plant_sequences

from genestrata import controls, ranking
from genestrata.controls import permute_labels, permuted_scores, summarise

LABELS = ["A"] * 8 + ["B"] * 4


def permute(samples, scheme, seed=0):
    return permute_labels(samples, scheme, np.random.default_rng(seed))


def test_permutation_keeps_the_class_sizes_and_moves_labels(make_samples):
    permuted = permute(make_samples(LABELS), "cv")
    assert sorted(permuted) == LABELS
    assert permuted.tolist() != LABELS


def test_published_parts_are_permuted_each_by_itself(make_samples):
    split = np.array(["train", "test", "train"] * 4)
    samples = make_samples(LABELS, split=split)
    for seed in range(5):
        permuted = permute(samples, "published", seed)
        for part in ("train", "test"):
            assert sorted(permuted[split == part]) == sorted(np.array(LABELS)[split == part])


@pytest.mark.parametrize("scheme", ["grouped_cv", "leave_one_group_out"])
def test_whole_groups_change_labels_where_a_group_has_one(scheme, make_samples):
    groups = np.repeat([f"p{number}" for number in range(6)], 2)
    samples = make_samples(LABELS, group=groups)
    seen = set()
    for seed in range(10):
        permuted = permute(samples, scheme, seed)
        assert (permuted[::2] == permuted[1::2]).all()
        assert sorted(permuted) == LABELS
        seen.add("".join(permuted))
    assert len(seen) > 3


def test_samples_are_permuted_where_groups_hold_several_labels(make_samples):
    samples = make_samples(["A", "B"] * 6, group=np.repeat(["p", "q", "r"], 4))
    permuted = permute(samples, "grouped_cv")
    assert sorted(permuted) == ["A"] * 6 + ["B"] * 6
    assert permuted.tolist() != ["A", "B"] * 6


def test_every_step_sees_the_permuted_labels(make_cohort, make_samples, monkeypatch):
    seen = {}

    def spy(module, name, labels_of):
        real = getattr(module, name)

        def call(*arguments):
            seen.setdefault(name, []).append("".join(labels_of(arguments)))
            return real(*arguments)

        monkeypatch.setattr(module, name, call)

    spy(controls, "split_samples", lambda arguments: arguments[0]["label"])
    spy(ranking, "rank_folds", lambda arguments: arguments[1])
    spy(controls, "train_fold", lambda arguments: arguments[1].labels)
    cohort = make_cohort(sizes=(10, 8))
    evaluation = {"scheme": "cv", "folds": 2, "repeats": 1, "inner_folds": 2}
    select = {"method": "anova_f", "k": [3]}
    permuted_scores(cohort, make_samples(cohort.labels), evaluation, select, "majority", {}, 2, 1, "x")
    first, second = seen["split_samples"]
    assert seen["rank_folds"] == [first, second]
    assert seen["train_fold"] == [first, first, second, second]
    assert len({first, second, "".join(cohort.labels)}) == 3


def test_scores_are_reproducible_and_differ_between_permutations(make_cohort, make_samples):
    cohort = make_cohort(sizes=(10, 8))
    evaluation = {"scheme": "cv", "folds": 2, "repeats": 3, "inner_folds": 2}
    arguments = (cohort, make_samples(cohort.labels), evaluation, {"method": "anova_f", "k": [3]})
    runs = [permuted_scores(*arguments, "decision_tree", {"max_depth": 1}, 4, seed, "x") for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(runs[0], runs[1])
    assert not runs[0].equals(runs[2])
    assert runs[0]["permutation"].tolist() == [0, 1, 2, 3]
    assert runs[0]["balanced_accuracy"].nunique() > 1


@pytest.fixture
def genes(make_samples):
    """Sequences whose class a word of their protein tells, in pairs, each of which shares its sequence: cohort and
    samples."""
    X, y = plant_sequences((16, 16))
    X[1::2] = X[::2]
    samples = make_samples([("A", "B")[code] for code in y], group=[f"h{number // 2}" for number in range(32)])
    return cohort_of(X, samples), samples


SEQUENCES = {"scheme": "grouped_cv", "folds": 4, "repeats": 1, "inner_folds": 2}


def test_permuted_labels_of_sequences_score_as_guessing_though_pairs_are_equal(genes, monkeypatch):
    monkeypatch.setattr(ranking, "rank_folds", None)
    scores = permuted_scores(*genes, SEQUENCES, {"method": "none"}, "kmer_nearest", {}, 20, 1, "x")
    assert scores["balanced_accuracy"].mean() == pytest.approx(0.5, abs=0.1)
    assert scores["balanced_accuracy"].nunique() > 3
    assert set(scores["model"]) == {"kmer_nearest"}


def test_labels_of_sequences_as_they_are_score_far_above_permuted_ones(genes, monkeypatch):
    monkeypatch.setattr(controls, "permute_labels", lambda samples, *_: samples["label"].to_numpy())
    scores = permuted_scores(*genes, SEQUENCES, {"method": "none"}, "kmer_svm", {"C": 1.0}, 2, 1, "x")
    assert scores["balanced_accuracy"].min() > 0.85


def test_summary_is_mean_and_central_range():
    scores = pd.DataFrame({"model": "m", "balanced_accuracy": np.linspace(0, 1, 41)})
    assert summarise(scores) == {
        "model": "m",
        "permutations": 41,
        "balanced_accuracy": {"value": pytest.approx(0.5), "ci95": pytest.approx([0.025, 0.975])},
    }


def test_shared_replicates_keep_their_classes_while_labels_change_within_each(make_samples):
    samples = make_samples(["A", "B", "C", "D"] * 3, group=np.repeat(["1", "2", "3"], 4).tolist())
    random = np.random.default_rng(0)
    draws = [permute_labels(samples, "leave_one_group_out", random, "shared").reshape(3, 4) for _ in range(20)]
    assert all(sorted(replicate) == ["A", "B", "C", "D"] for drawn in draws for replicate in drawn)
    assert len({tuple(drawn.ravel()) for drawn in draws}) == 20
    apart = [permute_labels(samples, "leave_one_group_out", random).reshape(3, 4) for _ in range(20)]
    assert any(sorted(replicate) != ["A", "B", "C", "D"] for drawn in apart for replicate in drawn)
