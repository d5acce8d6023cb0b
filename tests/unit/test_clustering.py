"""Clusters without labels and their agreement with labels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genestrata.clustering import (
    assign,
    cluster_sets,
    compare,
    principal_components,
    purity,
    standardise_genes,
    summarise,
    variable_genes,
)

METHODS = ["kmeans", "agglomerative", "spectral"]


def test_purity_of_a_hand_made_case():
    labels, clusters = np.array(list("AAABBBCC")), np.array([0, 0, 1, 1, 1, 1, 2, 0])
    # Cluster 0: A A C, cluster 1: A B B B, cluster 2: C.
    assert purity(labels, clusters) == (2 + 3 + 1) / 8


def test_agreement_of_hand_made_cases():
    labels = np.array(list("AABB"))
    assert compare(labels, np.array([1, 1, 0, 0])) == pytest.approx(
        dict.fromkeys(("purity", "homogeneity", "completeness", "v_measure", "adjusted_rand"), 1.0)
    )
    # Every sample by itself: pure, but half of the information of the clusters is not in the labels.
    alone = compare(labels, np.arange(4))
    assert (alone["purity"], alone["homogeneity"], alone["completeness"]) == pytest.approx((1.0, 1.0, 0.5))
    assert alone["v_measure"] == pytest.approx(2 / 3)
    together = compare(labels, np.zeros(4, dtype=int))
    assert (together["purity"], together["homogeneity"], together["v_measure"]) == pytest.approx((0.5, 0.0, 0.0))


def test_standardised_genes():
    values = np.array([[1.0, 5.0, 1.0], [3.0, 5.0, np.nan], [5.0, 5.0, 3.0]])
    spread = np.sqrt(8 / 3)
    np.testing.assert_allclose(standardise_genes(values), [[-2 / spread, 0, -1], [0, 0, 0], [2 / spread, 0, 1]])


def test_components_kept_hold_four_fifths_of_the_variance():
    scores = np.random.default_rng(0).normal(size=(200, 3))
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0]
    for spread, kept in (([3.0, 1.0, 1.0], 1), ([2.0, 1.0, 0.5], 2), ([1.0, 1.0, 1.0], 3)):
        points, share, chosen = principal_components(scores * spread, 0)
        np.testing.assert_allclose(share, np.square(spread) / np.square(spread).sum(), atol=1e-9)
        assert (points.shape, chosen) == ((200, 3), kept)


@pytest.mark.parametrize("method", METHODS)
def test_clear_clusters_are_found_twice_alike(method):
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 15)
    points = random.normal(size=(45, 2)) + 12 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    clusters = assign(method, points, 3, seed=1)
    assert purity(truth, clusters) == 1.0
    np.testing.assert_array_equal(clusters, assign(method, points, 3, seed=1))


def test_every_gene_set_method_and_size_is_clustered(planted):
    sets = {"all": np.arange(60), "nine": np.arange(9)}
    table, members = cluster_sets(planted, sets, METHODS, seed=1)
    assert len(table) == 2 * 3 * 6
    assert set(table["n_clusters"]) == {2, 3, 4, 5, 6, 7}
    assert len(members) == 36 * 36
    assert table.groupby(["gene_set", "method"])["chosen"].sum().eq(1).all()
    best = table.loc[table.groupby(["gene_set", "method"])["silhouette"].idxmax()]
    assert best["chosen"].all()
    nine = table[(table["gene_set"] == "nine") & table["chosen"]]
    assert nine["n_clusters"].tolist() == [3, 3, 3]
    assert (nine["purity"] == 1).all()
    assert nine["matches_class_count"].all()
    one = members[(members["gene_set"] == "nine") & (members["method"] == "kmeans") & (members["n_clusters"] == 3)]
    assert one["sample"].tolist() == planted.samples.tolist()
    assert purity(planted.labels.astype(str), one["cluster"].to_numpy()) == 1.0


def test_labels_take_no_part_in_clusters_or_their_choice(planted):
    sets = {"all": np.arange(60), "nine": np.arange(9)}
    shuffled = replace(planted, labels=np.random.default_rng(3).permutation(planted.labels))
    (table, members), (table_shuffled, members_shuffled) = (
        cluster_sets(cohort, sets, METHODS, seed=1) for cohort in (planted, shuffled)
    )
    pd.testing.assert_frame_equal(members, members_shuffled)
    blind = ["gene_set", "method", "n_clusters", "components", "silhouette", "chosen"]
    pd.testing.assert_frame_equal(table[blind], table_shuffled[blind])
    assert not table["purity"].equals(table_shuffled["purity"])


def test_winner_is_the_best_silhouette_of_sets_chosen_without_labels():
    table = pd.DataFrame(
        {
            "gene_set": ["all", "all", "most_variable", "consensus", "linear_svm"],
            "silhouette": [0.3, 0.8, 0.5, 0.9, 0.9],
            "chosen": [True, False, True, True, True],
            "purity": [0.9, 1.0, 0.6, 1.0, 1.0],
        }
    )
    assert summarise(table)["best"] == {"gene_set": "most_variable", "silhouette": 0.5, "chosen": True, "purity": 0.6}


def test_variable_genes_are_those_of_the_largest_variance():
    values = np.random.default_rng(0).normal(size=(30, 5)) * [1, 5, 2, 9, 3]
    values[0, 3] = np.nan
    assert variable_genes(values, 2).tolist() == [1, 3]
