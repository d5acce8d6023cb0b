"""k-means with restarts side by side."""

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans

from genestrata import kmeans
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


def move_by_hand(points, centres):
    """Clusters of one run of k-means, step by step, from the centres given."""
    clusters = None
    while True:
        nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        if clusters is not None and (nearest == clusters).all():
            return clusters
        clusters = nearest
        centres = np.array(
            [
                points[clusters == c].mean(axis=0) if (clusters == c).any() else centre
                for c, centre in enumerate(centres)
            ]
        )


@pytest.mark.parametrize("restarts", [1, 2, 7])
@pytest.mark.parametrize("seed", range(4))
def test_centres_move_to_the_means_of_their_points_in_every_run(restarts, seed):
    # One cloud: the centres that a run starts from are far from where they end.
    points = np.random.default_rng(seed).normal(size=(150, 3))
    centred = points - points.mean(axis=0)
    squares = np.square(centred).sum(axis=1)
    starts = start_centres(centred, squares, 6, restarts, np.random.default_rng(seed))
    runs = [move_by_hand(centred, centres) for centres in starts]
    tightest = min(runs, key=lambda clusters: spread(points, clusters))
    np.testing.assert_array_equal(k_means(points, 6, restarts, seed), tightest)
    first = ((centred[:, None] - starts[0]) ** 2).sum(axis=2).argmin(axis=1)
    assert (first != runs[0]).any()


def test_cluster_without_points_keeps_its_place(monkeypatch):
    # Were it moved to the mean of all points, it would take those in the middle.
    points = np.array([[-9.0], [-8.0], [-1.0], [1.0], [8.0], [9.0]])
    monkeypatch.setattr(kmeans, "start_centres", lambda *_: np.array([[[-9.0], [9.0], [99.0]]]))
    assert k_means(points, 3, 1, 1).tolist() == [0, 0, 0, 1, 1, 1]


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
