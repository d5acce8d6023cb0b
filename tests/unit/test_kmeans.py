"""k-means with restarts side by side."""

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans

from genestrata.kmeans import k_means, squared_distances, start_centres


def spread(points, clusters):
    """Sum of squared distances from the centres of the clusters."""
    return sum(((points[clusters == c] - points[clusters == c].mean(axis=0)) ** 2).sum() for c in set(clusters))


def test_clusters_are_the_best_of_all_partitions():
    points = np.random.default_rng(0).normal(size=(8, 2))
    partitions = (np.array(partition) for partition in itertools.product(range(3), repeat=8))
    best = min(spread(points, partition) for partition in partitions if len(set(partition)) == 3)
    assert spread(points, k_means(points, 3, 50, 1)) == pytest.approx(best)


@pytest.mark.parametrize(("n_points", "width", "n_clusters"), [(60, 40, 20), (300, 3, 6)])
def test_clusters_are_about_as_tight_as_those_of_scikit_learn(n_points, width, n_clusters):
    points = np.random.default_rng(1).normal(size=(n_points, width)) + 100
    other = KMeans(n_clusters, n_init=20, random_state=1).fit(points).inertia_
    assert spread(points, k_means(points, n_clusters, 20, 1)) == pytest.approx(other, rel=0.05)


def test_more_restarts_are_never_looser_and_a_seed_gives_the_same_clusters_twice():
    points = np.random.default_rng(2).normal(size=(50, 5))
    few, many = (k_means(points, 10, restarts, 3) for restarts in (1, 100))
    assert spread(points, many) < spread(points, few)
    np.testing.assert_array_equal(many, k_means(points, 10, 100, 3))


def test_points_that_coincide_leave_clusters_empty():
    points = np.repeat([[0.0, 0.0], [5.0, 0.0]], 4, axis=0)
    clusters = k_means(points, 4, 3, 1)
    assert len(set(clusters[:4])) == len(set(clusters[4:])) == 1 and clusters[0] != clusters[4]
    assert len(set(k_means(np.ones((5, 2)), 2, 3, 1))) == 1


def test_start_centres_are_points_and_far_apart():
    points = np.concatenate([np.random.default_rng(0).normal(scale=0.1, size=(10, 2)) + 20 * c for c in range(4)])
    squares = np.square(points).sum(axis=1)
    centres = start_centres(points, squares, 4, 30, np.random.default_rng(0))
    assert centres.shape == (30, 4, 2)
    assert all(len({round(x / 20) for x, _ in run}) == 4 for run in centres)
    np.testing.assert_allclose(squared_distances(points, squares, centres).min(axis=1), 0, atol=1e-9)
